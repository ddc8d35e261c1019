"""The default number of steps: 80,000, or what fits a stated time."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from derivable import MSE, Network, ReLU, Tanh, compare
from derivable.cli.main import main
from derivable.comparison import steps as module
from derivable.comparison.steps import Cost, Steps, choose_steps, cost_of
from derivable.data import load_diabetes
from derivable.descent.methods import method_of
from derivable.descent.rate import linear_lambda_max
from derivable.errors import DivergedError
from derivable.problem import Problem
from derivable.run.folder import load_run

X = torch.randn(211, 5, generator=torch.Generator().manual_seed(3))
Y = torch.sin(X[:, :1]) + X[:, 1:2]


def problem(*hidden: int, activation: Any = Tanh) -> Problem:
    return Problem(Network.mlp(5, *hidden, 1, activation=activation), MSE, X, Y)


@pytest.mark.parametrize(
    ("costs", "seeds", "expected"),
    [
        ([Cost(1e-5), Cost(0.0)], 1, Steps(80_000)),
        ([Cost(0.003)], 1, Steps(20_000, 60.0)),
        ([Cost(0.003), Cost(0.002)], 1, Steps(12_000, 60.0)),
        ([Cost(0.003)], 7, Steps(2_800, 58.8)),
        ([Cost(10.0)], 1, Steps(100, 1000.0)),  # never fewer
        ([Cost(0.01, longest=500)], 1, Steps(80_000)),  # it ends by itself
        ([Cost(0.01, lr_lambda_max=0.001)], 1, Steps(80_000)),  # a flow of 2,300 gradients
        ([Cost(0.01, lr_lambda_max=0.02)], 1, Steps(22_000, 59.0)),
        ([Cost(0.01, lr_lambda_max=0.5)], 1, Steps(6_000, 60.0)),  # which no flow replaces
    ],
)
def test_the_number_is_what_fits_the_time(
    monkeypatch: pytest.MonkeyPatch, costs: list[Cost], seeds: int, expected: Steps
) -> None:
    given = iter(costs)
    monkeypatch.setattr(module, "cost_of", lambda *_: next(given))
    chosen = choose_steps([(problem(3), 0.1)] * len(costs), method_of("auto"), seeds=seeds)
    assert chosen.count == expected.count
    assert chosen.seconds == (expected.seconds and pytest.approx(expected.seconds))


@pytest.mark.parametrize(
    ("given", "method"),
    [
        (problem(3), "steps"),
        (problem(3), "adam"),
        (problem(7, activation=ReLU), "auto"),
        (problem(3), "auto"),
    ],
)
def test_a_step_is_timed(monkeypatch: pytest.MonkeyPatch, given: Problem, method: str) -> None:
    readings = (0.1 * number for number in range(1_000_000))
    clock = SimpleNamespace(perf_counter=lambda: next(readings))
    monkeypatch.setattr(module, "time", clock)
    cost = cost_of(given, method_of(method), 0.01)
    assert cost.step == pytest.approx(0.1 / 500), "what lies between the ends of two blocks"
    assert cost.longest == 80_000
    if method == "auto" and given.network.layers[1].function is Tanh:
        assert cost.lr_lambda_max == pytest.approx(0.01 * linear_lambda_max(given))
    else:
        assert cost.lr_lambda_max is None


def test_what_takes_no_single_steps_costs_nothing() -> None:
    assert cost_of(problem(), method_of("auto"), 0.01).seconds(80_000) == 0
    assert cost_of(problem(3), method_of("spectral"), 0.01).seconds(80_000) == 0


def test_a_descent_that_converges_costs_no_more_than_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMED", 1e9)
    monkeypatch.setattr(module, "SURELY", 1e9)
    cost = cost_of(problem(3), method_of("lbfgs"), 0.01)
    assert cost.longest < 80_000
    assert cost.seconds(80_000) == cost.seconds(cost.longest)


def test_steps_that_diverge_are_an_error() -> None:
    with pytest.raises(DivergedError):
        cost_of(problem(3), method_of("steps"), 1e9)


def test_the_time_counts_for_tables_of_ones_own_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUDGET", 1e-9)
    table = load_diabetes()
    assert compare(table, "linear").steps == 80_000, "the lab's protocol"
    assert compare(table, "linear", protocol="sound").steps == 80_000, "all steps at once"
    comparison = compare(table, "tanh:3", protocol="sound")
    assert comparison.steps == 100
    assert comparison.steps_seconds is not None
    assert comparison.to_dict()["steps_seconds"] == comparison.steps_seconds
    given = compare(table, "tanh:3", protocol="sound", steps=130)
    assert (given.steps, given.steps_seconds) == (130, None)


def test_it_is_stated_in_both_languages() -> None:
    assert Steps(80_000).stated() == ""
    chosen = Steps(12_000, 59.7)
    assert chosen.stated("en") == "12,000 steps, which take about 60 s here; --steps N decides"
    assert "12\u202f000 pas, soit environ 60\u00a0s ici" in chosen.stated("fr")


def test_a_run_goes_on_with_the_number_that_was_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("derivable.report.run_folder.write_page", lambda *_, **__: None)
    monkeypatch.setattr(module, "BUDGET", 1e-9)
    table, run = tmp_path / "table.csv", tmp_path / "run"
    table.write_text("a,b\n" + "".join(f"{i},{i * i % 7}\n" for i in range(59)))
    words = ("compare", str(table), "--target", "b", "--models", "tanh:2", "--out", str(run))
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 0
    captured = capsys.readouterr()
    stated = "100 steps, which take about "
    assert stated in captured.err
    assert stated in captured.out
    assert "\nsteps = 100\n" in (run / "run.toml").read_text()
    assert load_run(run).steps == 100
    monkeypatch.setattr(module, "BUDGET", 60.0)
    for how in (("--resume", str(run)), ("--config", str(run / "run.toml"), "--out", f"{run}2")):
        with pytest.raises(SystemExit) as left:
            main(("compare", *how))
        assert left.value.code == 0
        assert ", 100 steps, seed 0" in " ".join(capsys.readouterr().out.split())


def test_an_interruption_while_steps_are_timed_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: Any, **settings: Any) -> Any:
        return SimpleNamespace(interrupted=True)

    monkeypatch.setattr(module, "descend_problem", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cost_of(problem(3), method_of("steps"), 0.01)
