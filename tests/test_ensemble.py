"""How a linear model's penalty is chosen, and when networks are taken instead of it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from derivable import DescentClassifier, DescentRegressor, Loss, Network, descend
from derivable.descent import State, early_stopping
from derivable.ensemble import folds
from derivable.ensemble.choice import Tried, losses_of, mixtures
from derivable.ensemble.evidence import gain_of
from derivable.ensemble.folds import Array
from derivable.ensemble.lines import alphas_for, losses_left_out
from derivable.ensemble.start import network_for
from derivable.function import Context
from derivable.functions import MSE, CrossEntropy, Huber
from derivable.language import speaking
from derivable.objective import ByHand
from derivable.row_losses import sums_of_rows
from tests.test_estimator import IRIS, SPECIES

ALPHAS = np.array(alphas_for(Loss(MSE)))
double = partial(torch.tensor, dtype=torch.float64)


def brute_force(x: Array, y: Array, weight: Array, penalty: float) -> float:
    """The weighted squared error on each different row, of a fit on all rows that differ."""
    total = 0.0
    for one in np.unique(x, axis=0):
        out = (x == one).all(1)
        ridge = Ridge(penalty / 2 * weight.sum())
        ridge.fit(x[~out], y[~out], sample_weight=weight[~out])
        total += (weight[out, None] * (ridge.predict(x[out]) - y[out]) ** 2).sum()
    return float(total / weight.sum())


@pytest.mark.parametrize("columns", [3, 61])
@pytest.mark.parametrize("copies", [False, True])
def test_rows_left_out_without_another_fit(columns: int, *, copies: bool) -> None:
    draw = np.random.default_rng(0)
    x, weight = draw.normal(size=(43, columns)), np.ones(43)
    if copies:
        x = x[draw.integers(0, 29, size=43)]
        weight = draw.integers(0, 4, size=43).astype(float)
    y = x[:, :2] + draw.normal(size=(43, 2))
    line = network_for(columns, 2, (), "relu", 0, torch.float64)
    table = double(x), double(y), double(weight) if copies else None
    penalties = [2.0, 0.3, 0.01]
    ours = losses_left_out(line, Loss(MSE), table, penalties)
    some = weight > 0
    truth = [brute_force(x[some], y[some], weight[some], penalty) for penalty in penalties]
    np.testing.assert_allclose(ours, truth, rtol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_penalty_is_that_of_ridge_regression(seed: int) -> None:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(83, 13))
    y = x @ draw.normal(size=13) + 4 * draw.normal(size=83)
    model: Any = DescentRegressor(hidden=()).fit(x, y)
    peer = make_pipeline(StandardScaler(), RidgeCV(ALPHAS)).fit(x, y)
    assert model.alpha_ == pytest.approx(peer[-1].alpha_)
    np.testing.assert_allclose(model.predict(x), peer.predict(x), rtol=1e-9)
    assert "on rows left out one by one" in model.chosen_reason_
    with speaking("fr"):
        again: Any = DescentRegressor(hidden=()).fit(x, y)
    assert "sur des lignes exclues une à une" in again.chosen_reason_
    chosen = min(model.choices_, key=lambda row: row["left_out"])
    assert chosen["chosen"]
    assert len(model.choices_) == len(ALPHAS)


def test_the_penalty_of_classes_is_chosen_by_quarters_of_decades() -> None:
    model: Any = DescentClassifier(hidden=()).fit(IRIS, SPECIES)
    assert model.choices_[0]["chosen"], "the least loss on rows held out"
    assert all(row["left_out"] is None for row in model.choices_)
    tried = np.log10(sorted(row["alpha"] for row in model.choices_))
    at = int(np.abs(tried - np.log10(model.alpha_)).argmin())
    np.testing.assert_allclose(np.diff(tried[at - 1 : at + 2]), 0.25)


def test_lines_in_noise_keep_the_linear_model() -> None:
    chosen = []
    for seed in range(4):
        draw = np.random.default_rng(seed)
        x = draw.normal(size=(127, 5))
        y = x @ draw.normal(size=5) + 2 * draw.normal(size=127)
        chosen += [DescentRegressor(max_iter=60).fit(x, y), DescentClassifier().fit(x, y > 0)]
    lines = [model for model in chosen if model.chosen_.startswith("linear")]
    assert len(lines) >= 7, "one standard error is exceeded by chance, now and then"


@pytest.mark.parametrize("seed", range(4))
def test_a_bent_surface_leaves_it(seed: int) -> None:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(211, 2))
    y = x[:, 0] * x[:, 1] + 0.3 * draw.normal(size=211)
    numbers: Any = DescentRegressor(max_iter=60).fit(x, y)
    classes: Any = DescentClassifier(max_iter=60).fit(x, y > 0)
    assert "relu(32)" in numbers.chosen_, numbers.chosen_reason_
    assert "relu(32)" in classes.chosen_, classes.chosen_reason_


def test_the_parameters_along_a_long_descent_are_thinned_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(folds, "NUMBERS", 40)
    monkeypatch.setattr(early_stopping, "fastest", lambda _: ByHand)  # which is not compiled
    x = torch.randn(23, 3, dtype=torch.float64)
    y = x.sum(1, keepdim=True)
    path, seen = folds.Path((x, y, None), "steps", 100), dict[int, Tensor]()

    def note(state: State) -> None:
        seen[state.step] = state.theta.clone()

    descend(
        Network.linear(3, dtype=torch.float64), MSE, x, y, lr=0.01, steps=100, method="steps",
        objective="by hand", on_block=[path, note],
    )  # fmt: skip
    assert len(seen) >= 100
    assert 3 <= len(path.thetas) <= 10, "of 4 parameters each"
    gaps = set(np.diff(sorted(path.thetas)).tolist())
    assert max(gaps) <= 32, "all along it"
    for step in (50, 97, 100):
        at, theta = path.after(step)
        assert step - 32 < at <= step
        assert torch.equal(theta, seen[at])


def held_out(rows: int, seed: int) -> tuple[list[Tensor], list[Tensor], list[Any]]:
    """Outputs of linear models and networks for three folds, and the tables of these."""
    draw = np.random.default_rng(seed)
    x = [double(draw.normal(size=(rows + k, 2))) for k in range(3)]
    y = [one[:, :1] + double(draw.normal(size=(len(one), 1))) for one in x]
    lines = [one + double(draw.normal(size=one.shape)) for one in y]
    networks = [one + double(0.8 * draw.normal(size=one.shape)) for one in y]
    return lines, networks, [(*pair, None) for pair in zip(x, y, strict=True)]


def all_tried(
    loss: Loss, lines: list[Tensor], networks: list[Tensor], held: list[Any]
) -> tuple[list[Tried], Tried]:
    candidates = [Tried("network", None, losses_of(loss, networks, held))]
    candidates += mixtures(loss, lines, networks, held)
    return candidates, Tried("linear", 1.0, losses_of(loss, lines, held))


def test_each_fold_is_predicted_with_the_share_that_the_others_choose() -> None:
    loss, (lines, networks, held) = Loss(MSE), held_out(11, 3)
    candidates, line = all_tried(loss, lines, networks, held)
    gain = gain_of(loss, candidates, line, lines, networks, held)
    gaps: list[float] = []
    for k in range(3):
        others = [sum(np.delete(one.losses, k)) for one in candidates]
        share = candidates[int(np.argmin(others))].share
        assert share is not None
        mixed = (1 - share) * lines[k] + share * networks[k]
        y = held[k][1]
        gaps += ((lines[k] - y) ** 2 - (mixed - y) ** 2)[:, 0].tolist()
    assert gain.mean == pytest.approx(np.mean(gaps))
    assert gain.error == pytest.approx(np.std(gaps, ddof=1) / np.sqrt(len(gaps)))
    best = min(one.loss for one in candidates)
    assert gain.mean < line.loss - best, "the least of many losses looks better than it is"


def test_copies_of_a_row_are_no_more_evidence() -> None:
    loss, (lines, networks, held) = Loss(MSE), held_out(7, 5)
    draw = np.random.default_rng(0)
    counts = [double(draw.integers(1, 4, size=len(y))) for _, y, _ in held]
    weighted = [(x, y, count) for (x, y, _), count in zip(held, counts, strict=True)]
    times = [count.long() for count in counts]

    def repeated(outputs: list[Tensor]) -> list[Tensor]:
        return [one.repeat_interleave(n, 0) for one, n in zip(outputs, times, strict=True)]

    copied = [
        (x.repeat_interleave(n, 0), y.repeat_interleave(n, 0), None)
        for (x, y, _), n in zip(held, times, strict=True)
    ]
    gains = [
        gain_of(loss, *all_tried(loss, one, other, table), one, other, table)
        for one, other, table in (
            (lines, networks, weighted),
            (repeated(lines), repeated(networks), copied),
        )
    ]
    assert gains[0].mean == pytest.approx(gains[1].mean)
    assert gains[0].error == pytest.approx(gains[1].error)


@pytest.mark.parametrize(
    "loss", [Loss(MSE), Loss(Huber), Loss(CrossEntropy), Loss(CrossEntropy, label_smoothing=0.1)]
)
def test_the_loss_is_a_sum_over_rows(loss: Loss) -> None:
    draw = torch.Generator().manual_seed(0)
    outputs = torch.randn(13, 3, generator=draw)
    y = torch.randn(13, 3, generator=draw)
    if loss.function is CrossEntropy:
        y = torch.arange(13) % 3
    rows = sums_of_rows(loss, outputs, y)
    assert rows is not None
    assert rows.shape == (13,)
    value = loss.forward(Context(), outputs, y).sum()
    ratio = rows.sum() / value
    assert min(abs(ratio - 13), abs(ratio - 39)) < 1e-3


def test_a_loss_that_is_no_sum_over_rows_is_judged_by_folds() -> None:
    _, _, held = held_out(11, 7)
    loss = Loss(CrossEntropy, weight=torch.tensor([1.0, 2.0], dtype=torch.float64))
    draw = np.random.default_rng(0)
    tables = [(x, (y[:, 0] > 0).long(), None) for x, y, _ in held]
    lines, networks = (
        [double(draw.normal(size=(len(x), 2))) for x, *_ in tables] for _ in range(2)
    )
    assert sums_of_rows(loss, lines[0], tables[0][1]) is None
    only = Tried("network", None, losses_of(loss, networks, tables))
    line = Tried("linear", 1.0, losses_of(loss, lines, tables))
    gain = gain_of(loss, [only], line, lines, networks, tables)
    gaps = line.losses - only.losses
    assert gain.mean == pytest.approx(gaps.mean())
    assert gain.error == pytest.approx(gaps.std(ddof=1) / np.sqrt(3))
