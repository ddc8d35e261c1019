"""The main job, on the real table where it is here."""

from __future__ import annotations

import math

import pytest
import torch

from derivable import compare
from derivable.comparison import test_loss as measure_test_loss
from derivable.data import Table, lab_split, load_diabetes
from derivable.protocol import LAB_MODELS, LAB_STEPS, parse_models


def test_the_lab_gives_the_sheets_figures(california: Table) -> None:
    comparison = compare(california, parse_models(LAB_MODELS))
    at = {result.model.name: result.descent.losses for result in comparison.results}
    for result in comparison.results:
        assert result.in_sheet_spread, (result.model.name, result.test_loss)
    # the sheet's training losses at steps 0, 10,000 and 70,000; it fixed no seed
    assert at["linear"][[0, 10_000, 70_000]].tolist() == pytest.approx(
        [5.3562, 3.7395, 0.9633], rel=0.02
    )
    assert at["tanh(10)"][[0, 10_000, 70_000]].tolist() == pytest.approx(
        [5.3726, 1.3094, 0.5285], rel=0.05
    )
    assert at["relu(10)"][[0, 10_000, 70_000]].tolist() == pytest.approx(
        [5.3729, 1.3515, 0.5898], rel=0.08
    )


def test_the_sheets_figures_stand_only_beside_the_sheets_own_training(california: Table) -> None:
    short = compare(california, parse_models("linear"), steps=3)
    other = compare(load_diabetes(), parse_models("linear"), steps=LAB_STEPS)
    assert short.results[0].sheet is None
    assert short.results[0].in_sheet_spread is None
    assert other.results[0].sheet is None


def test_what_a_program_reads() -> None:
    table = load_diabetes(note="a note")
    seen = []
    comparison = compare(
        table,
        parse_models("linear,relu:3x2"),
        steps=20,
        seed=5,
        watch=lambda model, step, loss: seen.append((model.name, step)),
    )
    document = comparison.to_dict()
    assert document["data"] == "diabetes"
    assert document["note"] == "a note"
    assert (document["steps"], document["seed"], document["protocol"]) == (20, 5, "lab")
    assert (document["train_rows"], document["test_rows"]) == (353, 89)
    linear, relu = document["models"]
    assert linear["model"] == "linear"
    assert relu["model"] == "relu(3x2)"
    assert relu["parameters"] == 10 * 3 + 3 + 3 * 2 + 2 + 2 * 1 + 1
    assert all(math.isfinite(linear[key]) for key in ("train_loss", "test_loss", "seconds"))
    assert (linear["method"], relu["method"]) == ("spectral", "steps")
    assert seen == [("linear", 20), ("relu(3x2)", 20)]


def test_the_test_loss_is_the_mean_squared_error_of_the_test_rows() -> None:
    comparison = compare(load_diabetes(), parse_models("tanh:3"), steps=20)
    split = lab_split(load_diabetes())
    (result,) = comparison.results
    yhat = result.descent.network(split.x_test).detach()
    expected = torch.nn.functional.mse_loss(yhat, split.y_test).item()
    assert result.test_loss == pytest.approx(expected)
    assert measure_test_loss(result.descent.network, split.x_test, split.y_test) == result.test_loss
