"""Lab sheets: their cells, their checks, and what students and teachers get."""

from __future__ import annotations

import json
import linecache
import re
import textwrap
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch

from derivable import labs
from derivable.errors import SettingError
from derivable.labs.feedback import Feedback, Status
from derivable.labs.folder import write_folder
from derivable.labs.notebook import Version, notebook
from derivable.labs.questions.choice import ChoiceQuestion, TextQuestion
from derivable.labs.rehearsal import Rehearsal, blank_names, problems_of
from derivable.labs.sheet import Sheet, load, names
from derivable.labs.source import Kind, cells_of
from derivable.labs.tables import small_table
from derivable.language import LANGUAGES
from tests.conftest import ROOT

NAMES = names()
SOLVED: dict[tuple[str, str], Rehearsal] = {}


def rehearsed(name: str, lang: str) -> Rehearsal:
    """The sheet after its solutions have run, once for all tests."""
    if (name, lang) not in SOLVED:
        rehearsal = Rehearsal(load(name, lang), lang)
        with small_table():
            rehearsal.run()
        SOLVED[name, lang] = rehearsal
    return SOLVED[name, lang]


def written(code: str, **names: Any) -> dict[str, Any]:
    """The names that a student's cell defines."""
    text = textwrap.dedent(code).strip("\n") + "\n"
    filename = f"cell {abs(hash(text))}"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    found: dict[str, Any] = {"torch": torch, "Function": torch.autograd.Function, **names}
    exec(compile(text, filename, "exec"), found)
    return found


def on(key: str, answer: Any, lang: str = "en", sheet: str = "tp2") -> Feedback:
    return load(sheet, lang).feedback(key, answer, seed=3)


LINEAR = """
class Linear(Function):
    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w, b)
        return x @ w + b

    @staticmethod
    def backward(ctx, grad_output):
        x, w, b = ctx.saved_tensors
        return grad_output @ w.T, x.T @ grad_output, grad_output.sum(0)
"""


def linear(old: str = "", new: str = "") -> Any:
    assert old in LINEAR
    return written(LINEAR.replace(old, new) if old else LINEAR)["Linear"]


# sheets


def test_six_sheets_come_along() -> None:
    assert NAMES == ["tp1", "tp2", "tp3", "tp4", "tp5", "tp6"]


@pytest.mark.parametrize("name", NAMES)
def test_a_sheet_is_whole(name: str) -> None:
    sheet = load(name)
    low, high = sheet.minutes
    assert 60 <= low <= high <= 120
    assert sheet.points == pytest.approx(20)
    for question in sheet.questions.values():
        assert question.mistakes or isinstance(question, TextQuestion) or question.points <= 1
        for text in (question.title, question.hint, question.place):
            assert text is None or (text.en and text.fr)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_every_solution_is_right(name: str, lang: str) -> None:
    for question, feedback in rehearsed(name, lang).solutions():
        assert feedback.settled, f"{question.key}: {feedback}"


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_every_typical_mistake_is_found_and_explained(name: str, lang: str) -> None:
    rehearsal = rehearsed(name, lang)
    with small_table():
        for question, mistake, feedback in rehearsal.mistakes():
            assert not feedback.settled, f"{question.key}: {mistake.what.en}"
            assert feedback.mistake.startswith(mistake.finds), f"{question.key}: {feedback}"
            assert feedback.share < 1
            assert all(feedback.lines)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_an_untouched_notebook_runs_and_everything_is_to_be_done(name: str, lang: str) -> None:
    sheet = load(name, lang)
    with small_table():
        found = blank_names(sheet, lang)
    for question in sheet.questions.values():
        answers = [found[answer] for answer in question.answers]
        assert sheet.feedback(question.key, *answers).status is Status.TO_DO, question.key


@pytest.mark.parametrize("name", NAMES)
def test_other_seeds_do_not_change_what_is_right(name: str) -> None:
    rehearsal = rehearsed(name, "en")
    for key, question in rehearsal.sheet.questions.items():
        found = rehearsal.after[key]
        answers = [found[answer] for answer in question.answers]
        for seed in range(5):
            feedback = rehearsal.sheet.feedback(key, *answers, seed=seed)
            assert feedback.settled, f"{key}, seed {seed}: {feedback}"


def test_the_three_trainings_of_the_lab_are_in_the_second_sheet() -> None:
    text = load("tp2").text
    for name in ("EPOCHS", "EPS", "cost_history", "cost_final", "save_for_backward", "80000"):
        assert name in text


# checks


def test_a_right_answer_is_one_line() -> None:
    feedback = on("linear", linear())
    assert feedback.status is Status.RIGHT
    assert str(feedback) == "✓ Linear: right."
    assert feedback.share == 1


def test_what_is_wrong_with_a_backward_is_said_in_the_language_of_the_notebook() -> None:
    wrong = linear("grad_output.sum(0)", "grad_output.mean(0)")
    english, french = on("linear", wrong), on("linear", wrong, "fr")
    assert english.mistake == french.mistake == "backward.b.mean_for_sum"
    assert "the mean is returned where the sum belongs" in english.lines[0]
    assert "la moyenne est renvoyée là où il faut la somme" in french.lines[0]
    assert len(english.lines) <= 4
    assert 0 < english.share < 1


def test_a_check_takes_less_than_two_seconds() -> None:
    on("linear", linear())
    start = time.process_time()
    on("linear", linear())
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("old", "new", "mistake", "words"),
    [
        ("return x @ w + b", "return (x @ w + b).sum(0)", "forward.shape", "expected (5, 11)"),
        ("return x @ w + b", "x @ w + b", "forward.none", "forward returns nothing"),
        ("return x @ w + b", "return 3 * (x @ w + b)", "forward.factor", "3 times"),
        ("return x @ w + b", "return -(x @ w + b)", "forward.sign", "opposite sign"),
        ("return x @ w + b", "return x @ v + b", "forward.NameError", "the name v does not"),
        ("x @ w + b", "x @ w.T + b", "forward.RuntimeError", "must be equal"),
        ("x, w, b = ctx.saved_tensors", "x, w = ctx.saved_tensors", "backward.ValueError", "2 val"),
        ("ctx.saved_tensors", "ctx.saved_tensor", "backward.AttributeError", "with an s"),
        ("return grad_output @ w.T,", "grad_output @ w.T,", "backward.none", "return is missing"),
        ("grad_output @ w.T", "-grad_output @ w.T", "backward.x.sign", "sign"),
        ("    @staticmethod\n    def forward", "    def forward", "", ""),
    ],
)
def test_mistakes_of_python_and_of_mathematics(
    old: str, new: str, mistake: str, words: str
) -> None:
    feedback = on("linear", linear(old, new))
    if not mistake:  # Python calls it all the same
        assert feedback.right
        return
    assert feedback.mistake == mistake, feedback
    assert words in " ".join(feedback.lines).replace("The name", "the name")


def test_copied_outputs_and_constants_fail() -> None:
    constant = written("""
        class Linear(Function):
            @staticmethod
            def forward(ctx, x, w, b):
                return torch.ones(13, 7, dtype=x.dtype)
            @staticmethod
            def backward(ctx, grad_output):
                return None, None, None
    """)["Linear"]
    assert on("linear", constant).status is Status.WRONG


def test_the_librarys_own_function_is_declined() -> None:
    import derivable

    for answer in (derivable.Linear, type("Linear", (derivable.Linear,), {})):
        feedback = on("linear", answer)
        assert feedback.status is Status.DECLINED
        assert feedback.share == 0
    calling = written(
        """
        class Linear(Function):
            @staticmethod
            def forward(ctx, x, w, b):
                ctx.inner = derivable.Context()
                return derivable.Linear.forward(ctx.inner, x, w, b)
            @staticmethod
            def backward(ctx, grad_output):
                return derivable.Linear.backward(ctx.inner, grad_output)
        """,
        derivable=derivable,
    )["Linear"]
    feedback = on("linear", calling)
    assert feedback.status is Status.DECLINED
    assert "calls linear of derivable" in feedback.lines[0]


def test_a_backward_that_asks_autograd_is_declined() -> None:
    asking = written("""
        class Tanh(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return torch.tanh(x)
            @staticmethod
            def backward(ctx, grad_output):
                (x,) = ctx.saved_tensors
                with torch.enable_grad():
                    y = x.detach().requires_grad_()
                    return torch.autograd.grad(torch.tanh(y), y, grad_output)[0]
    """)["Tanh"]
    assert on("tanh", asking).status is Status.DECLINED


def test_an_own_derivable_function_is_the_students_own() -> None:
    from derivable import Function

    own = written(LINEAR, Function=Function)["Linear"]
    assert on("linear", own).right


def test_forward_done_and_backward_blank() -> None:
    half = written("""
        class Linear(Function):
            @staticmethod
            def forward(ctx, x, w, b):
                return x @ w + b
            @staticmethod
            def backward(ctx, grad_output):
                ...  # to be done
    """)["Linear"]
    feedback = on("linear", half)
    assert feedback.status is Status.TO_DO
    assert feedback.lines == ("Linear: forward is right; backward is to be done.",)
    assert feedback.share == pytest.approx(0.4)


@pytest.mark.parametrize("answer", [None, 3, "Linear", torch.nn.functional.linear, object(), int])
def test_what_is_no_function_gets_a_line_and_no_traceback(answer: Any) -> None:
    feedback = on("linear", answer)
    assert not feedback.right
    assert feedback.lines[0]


def test_a_wrong_key_and_a_wrong_number_of_answers_get_a_line() -> None:
    sheet = load("tp2", "en")
    assert "is no question of this sheet" in sheet.feedback("lineer", 1).lines[0]
    assert "takes cost_history, test_loss" in sheet.feedback("linear_curve", 1).lines[0]


@pytest.mark.parametrize("key", ["lineer", 3, None, ["linear"]])
def test_a_check_of_no_question_shows_a_line(key: Any, capsys: pytest.CaptureFixture[str]) -> None:
    load("tp2", "en").check(key, linear())
    assert "is no question of this sheet" in capsys.readouterr().out


def test_answers_that_exit_or_raise_what_cannot_be_shown_get_a_line() -> None:
    class SilentError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def raising(*arguments: Any) -> None:
        raise SilentError

    def leaving(*arguments: Any) -> None:
        raise SystemExit(3)

    assert on("train_linear", raising).mistake == "SilentError"
    assert on("train_linear", leaving).mistake == "SystemExit"


def test_a_check_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derivable.labs.sheet.SECONDS", 0.3)
    endless = linear("return x @ w + b", "while True: pass")
    feedback = on("linear", endless)
    assert feedback.mistake == "too long"
    assert "a loop without end" in feedback.lines[0]


def test_hints_come_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    sheet, wrong = load("tp2", "fr"), linear("x.T @ grad_output", "2 * x.T @ grad_output")
    shown = []
    for _ in range(4):
        sheet.check("linear", wrong)
        shown.append(capsys.readouterr().out)
    assert "Indice" not in shown[0]
    assert "Indice" in shown[1]
    assert "À lire" not in shown[1]
    assert "À lire" in shown[2]
    assert not any("Une solution" in text for text in shown)
    sheet.fixes = True
    sheet.check("linear", wrong)
    assert "torch.mm(x.t(), grad_output)" in capsys.readouterr().out
    sheet.check("linear", linear())
    assert capsys.readouterr().out == "✓ Linear\u00a0: juste.\n"


def test_a_feedback_is_shown_in_a_notebook_and_escapes_what_students_write() -> None:
    feedback = Feedback("x", Status.WRONG, ("a < b", "<script>"), ("c & d",))
    shown = feedback._repr_html_()
    assert "<script>" not in shown
    assert "a &lt; b" in shown
    assert "c &amp; d" in shown


def test_checks_draw_new_numbers_each_time() -> None:
    seen = set()

    class Spy(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            seen.add(tuple(x.shape))
            return torch.tanh(x)

        @staticmethod
        def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:
            return grad_output

    sheet = load("tp2")
    for _ in range(6):
        sheet.feedback("tanh", Spy)
    assert len(seen) > 3


def test_the_random_numbers_of_the_notebook_are_left_as_they_were() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    load("tp2").feedback("linear", linear())
    assert torch.equal(torch.rand(3), expected)


# trainings and curves

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


@pytest.mark.parametrize(
    ("sheet", "key", "answer", "words"),
    [
        ("tp3", "loss_before", 7.0, "too large"),
        ("tp3", "loss_before", 0.5, "too small"),
        ("tp5", "score_variance", 3, "too small"),
        ("tp6", "limit", -1.0, "not right"),
    ],
)
def test_a_wrong_number_does_not_show_the_right_one(
    sheet: str, key: str, answer: float, words: str
) -> None:
    feedback = on(key, answer, "en", sheet)
    assert words in feedback.lines[0]
    assert "expected" not in str(feedback)


def test_the_letters_of_a_choice_stand_in_the_text_of_both_languages() -> None:
    for name in NAMES:
        sheet = load(name)
        for lang in LANGUAGES:
            texts = [c.text for c in sheet.cells if c.kind is Kind.TEXT and c.lang in ("", lang)]
            letters = [re.findall(r"^- \((\w)\)", text, re.M) for text in texts]
            choices = [q for q in sheet.questions.values() if isinstance(q, ChoiceQuestion)]
            assert sorted("".join(found) for found in letters if found) == sorted(
                "".join(question.choices) for question in choices
            ), f"{name} {lang}"


def test_a_power_that_is_written_as_in_mathematics_is_no_blank() -> None:
    feedback = on("tanh", written("""
        class Tanh(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return torch.tanh(x)
            @staticmethod
            def backward(ctx, grad_output):
                (x,) = ctx.saved_tensors
                return grad_output * (1 - torch.tanh(x)^2)
    """)["Tanh"])  # fmt: skip
    assert feedback.status is Status.FAILED
    assert "**" in feedback.lines[-1]


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
        (lambda: "a curve", "type"),
    ],
)
def test_what_a_curve_says(history: Any, mistake: str) -> None:
    feedback = load("tp2", "en").feedback("linear_curve", history(), ..., seed=1)
    assert feedback.mistake == mistake, feedback
    assert (feedback.curve is not None) == (mistake != "type")


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


# the file of a sheet, and notebooks

OWN = """
# %% [sheet]
from derivable.labs import CallQuestion, Case, Mistake, Sheet, Text

sheet = Sheet(title=Text("Squares", "Carrés"), minutes=(5, 10))

# %% [markdown] lang="en"
# # Squares
# %% [markdown] lang="fr"
# # Carrés

# %% question="square"
def square(x):
    # BEGIN SOLUTION
    return x * x
    # END SOLUTION

# %% [sheet]
sheet.add(CallQuestion(
    key="square", title=Text("The square", "Le carré"), answers=("square",), points=20,
    reference=lambda x: x ** 2,
    cases=(Case("any", Text("any numbers", "des nombres"), lambda draw: (draw.normal(3),)),),
    mistakes=(Mistake("x * x", "2 * x", "any.values", Text("twice", "le double")),),
))

# %% [show]
print(square(3))  # en
print("carré", square(3))  # fr
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(OWN, encoding="utf-8")
    return path


def test_a_sheet_of_ones_own_is_one_file(own: Path, tmp_path: Path) -> None:
    sheet = load(str(own), "fr")
    assert list(problems_of(sheet, "fr", show=lambda text: None)) == []
    files = write_folder(sheet, "fr", tmp_path / "out")
    assert [file.name for file in files] == [
        "mine.ipynb", "mine-corrige.ipynb", "bareme.toml", "mine.py", "enseignant.html",
    ]  # fmt: skip
    student = json.loads(files[0].read_text("utf-8"))
    sources = ["".join(cell["source"]) for cell in student["cells"]]
    assert sources[0] == "# Carrés"
    assert 'load("mine.py", lang="fr")' in sources[1]
    assert sources[2] == "def square(x):\n    ...  # à faire"
    assert sources[3] == 'mine.check("square", square)'
    assert sources[4] == 'print("carré", square(3))'


def test_the_sheet_in_the_documents_is_one(tmp_path: Path) -> None:
    text = (ROOT / "docs/labs.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    (tmp_path / "squares.py").write_text(code, encoding="utf-8")
    for lang in LANGUAGES:
        sheet = load(str(tmp_path / "squares.py"), lang)
        assert list(problems_of(sheet, lang, show=lambda text: None)) == []


def test_a_folder_with_files_is_not_overwritten(own: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.tex").write_text("years of work")
    with pytest.raises(SettingError, match="already has files"):
        write_folder(load(str(own)), "en", tmp_path / "full")
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('question="square"', 'question="cube"', "no question 'cube'"),
        ("# END SOLUTION", "# END", "needs one # END SOLUTION"),
        ('lang="fr"', 'lang="de"', "lang is"),
        ("# %% [show]", "# %% [shown]", "a cell begins with"),
        ("minutes=(5, 10)", "minutes=(5, 10", "cannot be loaded: .*mine.py:"),
        ("sheet.add(", "sheet.ad(", "cannot be loaded: .*mine.py:"),
        ("sheet.add(", "raise SystemExit(3)\nsheet.add(", "cannot be loaded: .*SystemExit: 3"),
        ('lang="fr"', "lang='fr'", "a cell begins with"),
        ('Text("Squares", "Carrés")', '"Squares"', "title must be Text"),
        ('Text("The square", "Le carré")', '"The square"', "'square': title must be Text"),
        ('answers=("square",)', 'answers=("square")', "answers must be a tuple of names"),
        ("points=20", "points=-1", "points must be a number from 0, got -1"),
        ("points=20", "points=0", "points of all questions together must be above 0"),
        (
            "def square(x):\n    # BEGIN SOLUTION\n    return x * x\n    # END",
            "# BEGIN SOLUTION\nsquare = (\n# END",
            "there must be whole statements: '\\(' was never closed",
        ),
    ],
)
def test_what_is_no_sheet_is_refused_with_its_line(
    own: Path, old: str, new: str, message: str
) -> None:
    assert old in OWN
    own.write_text(OWN.replace(old, new), encoding="utf-8")
    with pytest.raises(SettingError, match=message):
        load(str(own))


def test_files_that_cannot_be_read_or_named_are_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(OWN.encode("latin-1"))
    (tmp_path / "my sheet.py").write_text(OWN, encoding="utf-8")
    for name, message in (
        (str(tmp_path / "latin.py"), "no text in UTF-8"),
        (str(tmp_path / "my sheet.py"), "must be a Python name"),
        ("../sheet", "there is no sheet"),
    ):
        with pytest.raises(SettingError, match=message):
            load(name)
    (tmp_path / "bom.py").write_text(OWN.lstrip(), encoding="utf-8-sig")
    assert list(load(tmp_path / "bom.py").questions) == ["square"]


def test_a_function_within_the_marks_is_a_blank_of_its_name(own: Path) -> None:
    text = OWN.replace("def square(x):\n    # BEGIN SOLUTION", "# BEGIN SOLUTION\ndef square(x):")
    own.write_text(text.replace("    # END SOLUTION", "# END SOLUTION"), encoding="utf-8")
    assert load(own).given("en")[0] == "square = ...  # to be done"


def test_a_file_without_a_sheet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.py"
    path.write_text("# %% [sheet]\nx = 1\n")
    with pytest.raises(SettingError, match="must define sheet"):
        load(str(path))


def test_an_unknown_sheet_is_refused_with_those_that_are_there() -> None:
    with pytest.raises(SettingError, match="the sheets are tp1, tp2"):
        load("tp9")
    with pytest.raises(AttributeError, match="tp9"):
        _ = labs.tp9


def test_problems_of_a_sheet_are_listed(own: Path) -> None:
    own.write_text(OWN.replace("return x * x", "return x * x * x"), encoding="utf-8")
    problems = list(problems_of(load(str(own)), "en", show=lambda text: None))
    assert any("the solution is not right" in problem for problem in problems)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_notebooks_are_in_one_language_and_give_nothing_away(name: str, lang: str) -> None:
    sheet = load(name, lang)
    student = notebook(sheet, Version(lang))
    texts = ["".join(cell["source"]) for cell in student["cells"]]
    whole = "\n".join(texts)
    assert "SOLUTION" not in whole
    assert not re.search(r"# (en|fr)$", whole, re.M)
    for key in sheet.questions:
        assert sheet.solution(key, lang) not in whole
    ids = [cell["id"] for cell in student["cells"]]
    assert len(set(ids)) == len(ids)
    other = notebook(sheet, Version("en" if lang == "fr" else "fr"))
    assert len(other["cells"]) == len(student["cells"])


@pytest.mark.parametrize("name", NAMES)
def test_the_teachers_notebook_has_the_marks_of_nbgrader_and_otter(name: str) -> None:
    sheet = load(name)
    cells = notebook(sheet, Version("en", solutions=True))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    assert text.count("# BEGIN SOLUTION") == text.count("# END SOLUTION") > 0
    marks = [cell["metadata"]["nbgrader"] for cell in cells if "nbgrader" in cell["metadata"]]
    points = sum(mark.get("points", 0) for mark in marks if mark["grade"])
    assert points == pytest.approx(sheet.points)
    ids = [mark["grade_id"] for mark in marks if mark["grade"]]
    assert len(set(ids)) == len(ids)


def test_the_given_code_is_in_one_place_in_both_languages() -> None:
    cells = cells_of(OWN, "mine.py")
    assert [cell.kind for cell in cells] == [
        Kind.SHEET, Kind.TEXT, Kind.TEXT, Kind.CODE, Kind.SHEET, Kind.SHOW,
    ]  # fmt: skip
    assert cells[3].solution("en") == "return x * x"
    assert cells[3].solved("en") == "def square(x):\n    return x * x\n"[:-1]


def run_notebook(document: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The notebook after a real kernel has executed it, every cell without an error."""
    import nbformat
    from nbclient import NotebookClient

    node = nbformat.reads(json.dumps(document), 4)  # type: ignore[no-untyped-call]  # nbformat has no types
    nbformat.validate(node)
    client = NotebookClient(node, timeout=300, resources={"metadata": {"path": str(folder)}})
    executed: dict[str, Any] = client.execute()
    return executed


def outputs(document: dict[str, Any]) -> Iterator[str]:
    for cell in document["cells"]:
        for output in cell.get("outputs", ()):
            assert output["output_type"] != "error", output
            yield str(output.get("text", "") or output.get("data", {}).get("text/plain", ""))


def test_a_students_hour_in_a_real_kernel(tmp_path: Path) -> None:
    sheet = load("tp2", "fr")
    cells = list(notebook(sheet, Version("fr"))["cells"])
    cut = next(i for i, cell in enumerate(cells) if "## 5." in "".join(cell["source"]))
    document = {**notebook(sheet, Version("fr")), "cells": cells[:cut]}
    text = "\n".join(outputs(run_notebook(document, tmp_path)))
    assert text.count("à faire") == 7
    wrong = linear_source("grad_output.sum(0)", "grad_output")
    right = linear_source()
    tries = [source_cell(wrong), check_cell(), check_cell(), source_cell(right), check_cell()]
    document["cells"] = [*cells[:cut], *tries]
    text = "\n".join(outputs(run_notebook(document, tmp_path)))
    assert "il manque la somme sur une dimension diffusée" in text
    assert "Indice" in text
    assert "✓ Linear\u00a0: juste." in text


def linear_source(old: str = "", new: str = "") -> str:
    return LINEAR.replace(old, new) if old else LINEAR


NUMBERS = count(1)  # of cells that are tried


def source_cell(text: str) -> dict[str, Any]:
    return {
        "cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [],
        "source": text, "id": f"try-{next(NUMBERS)}",
    }  # fmt: skip


def check_cell() -> dict[str, Any]:
    return source_cell('tp2.check("linear", Linear)')


# the command


def test_the_command_lists_makes_and_tries_sheets(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from derivable.cli.main import main

    def run(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["lab", *words])
        code = ended.value.code
        return int(code or 0), capsys.readouterr().out

    code, text = run("list", "--lang", "fr")
    assert code == 0
    assert "Fonctions dérivables" in text
    code, text = run("new", str(own), "--out", str(tmp_path / "made"))
    assert code == 0
    assert (tmp_path / "made/mine.ipynb").is_file()
    code, _ = run("new", str(own), "--out", str(tmp_path / "made"))
    assert code == 2
    code, text = run("try", str(own))
    assert code == 0
    assert "✓ square: right." in text
    code, _ = run("new", "tp9")
    assert code == 2


def test_a_sheet_is_a_dataclass_that_knows_its_points() -> None:
    sheet = Sheet(title=labs.Text("a", "b"), minutes=(1, 2))
    assert sheet.points == 0
