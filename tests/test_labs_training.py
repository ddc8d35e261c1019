"""Loops of gradient descent and curves of losses, and where they go wrong."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
import torch

from derivable import labs
from derivable.labs.feedback import Status
from derivable.labs.sheet import load
from derivable.labs.tables import small_table
from tests.labs import linear, on, rehearsed, written

TRAIN = """
def train(x, y, w, b, EPOCHS, EPS):
    history = []
    for n in range(EPOCHS):
        error = x @ w + b - y
        history.append([n, (error ** 2).mean().item()])
        grad = 2 / len(x) * error
        w = w - EPS * x.T @ grad
        b = b - EPS * grad.sum(0, keepdim=True)
    return w, b, history
"""


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("", "", ""),
        ("[n, (error ** 2).mean().item()]", "(error ** 2).mean().item()", "pairs"),
        ("range(EPOCHS)", "range(80)", "turns"),
        ("    return w, b, history", "        return w, b, history", "stopped.w"),
        ("2 / len(x)", "2", "normalisation.w"),
        ("2 / len(x)", "2 / len(x) ** 2", "divided.w"),
        ("2 / len(x)", "1 / len(x)", "factor.w"),
        ("w - EPS *", "w - 1e-4 *", "own_rate.w"),
        ("w - EPS *", "w + EPS *", "sign.w"),
        ("w - EPS *", "w -", "no_rate.w"),
        ("        b = b", "        b2 = b", "unchanged.b"),
        ("x.T @ grad", "x.T @ grad.abs()", "gradient.w"),
        ("return w, b, history", "return w, b", "returns"),
        ("(error ** 2).mean()", "(error ** 2).sum()", "history"),
        ("return w, b, history", "return w, b, history[:2]", "history_length"),
        (
            "        error = x @ w + b - y\n",
            "        error = x @ w + b - y if n == 0 else error\n",
            "later.w",
        ),
        ("        history.append([n, (error ** 2).mean().item()])\n", "", "history_length"),
    ],
)
def test_where_a_training_goes_wrong(old: str, new: str, mistake: str) -> None:
    assert old in TRAIN
    train = written(TRAIN.replace(old, new) if old else TRAIN)["train"]
    assert on("train_linear", train).mistake == mistake


def test_later_steps_without_a_number_are_wrong() -> None:
    old = "    return w, b, history"
    train = written(TRAIN.replace(old, f"    w = w if EPOCHS == 1 else w * torch.nan\n{old}"))
    assert on("train_linear", train["train"]).mistake == "later.w"


@pytest.mark.parametrize(
    ("update", "function"),
    [
        (
            """
            loss = ((x @ w + b - y) ** 2).mean()
            grads = torch.autograd.grad(loss, (w, b))
            w, b = ((p - EPS * g).detach().requires_grad_() for p, g in zip((w, b), grads))
            """,
            "asks autograd",
        ),
        (
            """
            from derivable import MSE, Layer, Linear, Network, descend
            run = descend(Network([Layer(Linear, w=w.detach(), b=b.detach())]), MSE, x, y,
                          lr=EPS, steps=1)
            loss, (w, b) = run.losses[0], run.network.parameters()
            """,
            "calls descend of derivable",
        ),
    ],
)
def test_a_training_by_other_peoples_code_is_declined(update: str, function: str) -> None:
    body = textwrap.indent(textwrap.dedent(update), " " * 8)
    train = written(
        "def train(x, y, w, b, EPOCHS, EPS):\n    history = []\n"
        "    w, b = w.requires_grad_(), b.requires_grad_()\n    for n in range(EPOCHS):\n"
        f"{body}\n        history.append(float(loss))\n    return w.detach(), b.detach(), history"
    )["train"]
    feedback = on("train_linear", train)
    assert feedback.status is Status.DECLINED
    assert function in feedback.lines[0]


LOOP = """
def train_linear(x, y, w, b, EPOCHS, EPS):
    history = []
    for n in range(EPOCHS):
        ctx, ctx_mse = Context(), Context()
        yhat = Linear.forward(ctx, x, w, b)
        loss = MSE.forward(ctx_mse, yhat, y)
        history.append([n, loss.item()])
        grad_yhat, _ = MSE.backward(ctx_mse, torch.tensor(1.0))
        _, grad_w, grad_b = Linear.backward(ctx, grad_yhat)
        w = w - EPS * grad_w
        b = b - EPS * grad_b
    return w, b, history
"""


def test_a_loop_is_not_marked_down_for_a_wrong_function() -> None:
    solved = rehearsed("tp2", "en").after["linear"]
    wrong = linear("grad_output.sum(0)", "grad_output.mean(0)")
    mine = written(LOOP, Context=solved["Context"], MSE=solved["MSE"], Linear=wrong)
    feedback = on("train_linear", mine["train_linear"])
    assert feedback.right
    assert feedback.mistake == "own"
    assert "right by itself" in feedback.lines[0]
    assert mine["Linear"] is wrong, "the student's names are put back"
    both = written(LOOP.replace("w - EPS", "w + EPS"), **{k: mine[k] for k in ("Context", "MSE")},
                   Linear=wrong)  # fmt: skip
    assert not on("train_linear", both["train_linear"]).right


def test_start_values_that_are_overwritten_are_a_remark() -> None:
    train = written(TRAIN.replace("w = w - EPS * x.T", "w -= EPS * x.T"))["train"]
    feedback = on("train_linear", train)
    assert feedback.right
    assert "overwritten" in feedback.remarks[0]


def test_what_follows_from_another_mistake_is_said_to_do_so() -> None:
    sheet = load("tp2", "en")
    wrong = on("mse", linear())
    curve = sheet.feedback("linear_curve", descended(1e-4, 300), ..., seed=1)
    found = sheet.with_consequences({"mse": wrong, "linear_curve": curve}, "en")
    assert found["linear_curve"].mistake == "consequence"
    assert "follows from MSE" in found["linear_curve"].lines[0]
    alone = sheet.with_consequences({"mse": on("relu", ...), "linear_curve": curve}, "en")
    assert alone["linear_curve"].mistake == "consequence"  # a blank is not right either
    right = rehearsed("tp2", "en").after["mse"]["MSE"]
    done = sheet.with_consequences({"mse": on("mse", right), "linear_curve": curve}, "en")
    assert done["linear_curve"] == curve


def test_steps_are_those_of_the_pairs() -> None:
    every_tenth = descended(1e-5, 3000)[::10]
    assert load("tp2", "en").feedback("linear_curve", every_tenth, ..., seed=1).right
    from_one = [[n + 1, loss] for n, loss in descended(1e-5, 3000)]  # the numbers of its steps
    assert load("tp2", "en").feedback("linear_curve", from_one, ..., seed=1).right


def descended(rate: float, steps: int, *, frozen: str = "", raw: bool = False) -> list[list[float]]:
    """The losses of the lab's linear regression on the small table."""
    with small_table():
        table = labs.fetch_california_housing()
    x = torch.tensor(table["data"], dtype=torch.float)
    x = x if raw else (x - x.mean(0)) / x.std(0)
    y = torch.tensor(table["target"], dtype=torch.float).view(-1, 1)
    cut = int(0.8 * len(x))
    x, y = x[:cut], y[:cut]
    torch.manual_seed(5)
    w, b, history = 0.01 * torch.randn(x.size(1), 1), torch.zeros(1, 1), []
    for step in range(steps):
        error = x @ w + b - y
        history.append([step, error.square().mean().item()])
        w = w if frozen == "w" else w - rate * x.T @ (2 / len(x) * error)
        b = b if frozen == "b" else b - rate * (2 / len(x) * error).sum(0, keepdim=True)
    return history


@pytest.mark.parametrize(
    ("history", "mistake"),
    [
        (lambda: descended(1e-5, 300), ""),
        (lambda: [loss for _, loss in descended(1e-5, 300)], ""),
        (lambda: torch.tensor(descended(1e-5, 300)), ""),
        (lambda: descended(1e-4, 300), "curve.rate"),
        (lambda: descended(2e-5, 300), "curve.rate"),
        (lambda: descended(5e-6, 300), "curve.rate"),
        (lambda: descended(-1e-4, 300), "curve.rises"),
        (lambda: descended(3.0, 500), "curve.diverged"),
        (lambda: descended(1e-5, 300, frozen="w"), "curve.frozen"),
        (lambda: [[n, 353 * loss] for n, loss in descended(1e-5, 300)], "curve.sum"),
        (lambda: [[n, 1.5 * loss] for n, loss in descended(1e-5, 300)], "curve.start"),
        (lambda: bumped(descended(1e-5, 300), 206), "curve.off"),
        (lambda: [[10**9 * n, 0.95 / (1 + n)] for n in range(99)], "curve.off"),
        (lambda: "a curve", "type"),
        (lambda: torch.tensor(5.6), "type"),
    ],
)
def test_what_a_curve_says(history: Any, mistake: str) -> None:
    feedback = load("tp2", "en").feedback("linear_curve", history(), ..., seed=1)
    assert feedback.mistake == mistake, feedback
    assert (feedback.curve is not None) == (mistake != "type")


def bumped(history: list[list[float]], at: int) -> list[list[float]]:
    """The losses with one that is larger by a fifth."""
    return [[n, 1.2 * loss if n == at else loss] for n, loss in history]


def test_the_step_is_named_at_which_a_curve_leaves_those_of_other_seeds() -> None:
    losses = [loss for _, loss in bumped(descended(1e-5, 300), 206)]
    line = load("tp2", "en").feedback("linear_curve", losses, ..., seed=1).lines[0]
    words = "up to step 202 the losses are right; at step 206 the loss is 1.1"
    assert words in line


@pytest.mark.parametrize("history", [(), {}, "", torch.empty(0, 2), iter([])])
def test_a_curve_without_losses_is_to_be_done(history: Any) -> None:
    feedback = load("tp2", "en").feedback("linear_curve", history, ..., seed=1)
    assert feedback.status is Status.TO_DO


def test_a_target_that_is_standardised_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derivable.labs.tables._used", [])  # California Housing, in its own unit
    feedback = load("tp2", "en").feedback("linear_curve", [1.01, 1.0, 0.99], ..., seed=1)
    assert feedback.mistake == "curve.target"
    assert "the first loss is 1.01" in feedback.lines[0].lower()


def test_the_factor_of_a_wrong_learning_rate_is_named() -> None:
    feedback = load("tp2", "en").feedback("linear_curve", descended(1e-4, 300), ...)
    assert "10 times as large" in feedback.lines[0]
    french = load("tp2", "fr").feedback("linear_curve", descended(5e-6, 300), ...)
    assert "0,5 fois" in french.lines[0]


@pytest.mark.parametrize("model", ["linear", "tanh", "relu"])
def test_the_kept_ranges_hold_the_losses_of_an_exact_descent(model: str) -> None:
    from derivable import MSE, Network, ReLU, Tanh, descend
    from derivable.data import lab_split, load_diabetes

    with small_table():
        labs.fetch_california_housing()  # curves are compared with the table that was loaded last
    split = lab_split(load_diabetes())
    width, rate = split.x_train.size(1), 1e-5 if model == "linear" else 1e-4
    sizes = (width, 1) if model == "linear" else (width, 10, 1)
    kinds = {"tanh": Tanh, "relu": ReLU}
    network = Network.mlp(*sizes, activation=kinds.get(model, Tanh), seed=77)
    run = descend(network, MSE, split.x_train, split.y_train, lr=rate, steps=80_000)
    with torch.no_grad():
        test = float((run.network(split.x_test) - split.y_test).square().mean())
    key = f"{model}_curve"
    feedback = load("tp2", "en").feedback(key, run.losses[:-1].tolist(), test)
    assert feedback.right, feedback
    assert not load("tp2", "en").feedback(key, run.losses[:-1].tolist(), 2 * test).right
