"""Many descents at once: the same bits as one after the other, and nothing lost on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from derivable import MSE, Descent, Network, ReLU, Tanh, descend, descend_many
from derivable.comparison import compare
from derivable.data import load_diabetes
from derivable.descent.dealt import deal
from derivable.descent.many import _Many
from derivable.distributed import Group
from derivable.errors import DivergedError
from derivable.protocol import parse_models
from derivable.report import charts

X = torch.randn(700, 3, generator=torch.Generator().manual_seed(3))
Y = torch.sin(X[:, :1]) + 0.3 * X[:, 1:2]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("steps", [40, 3000], ids=["steps", "flow"])
def test_each_has_the_bits_of_a_descent_of_its_own(steps: int, threads: int) -> None:
    torch.set_num_threads(threads)
    networks = [Network.mlp(3, 5, 1, activation=Tanh, seed=seed) for seed in range(5)]
    seen: list[int] = []
    runs = descend_many(
        networks, MSE, X, Y, lr=1e-3, steps=steps, on_end=lambda i, run: seen.append(i)
    )
    assert sorted(seen) == [0, 1, 2, 3, 4]
    for network, run in zip(networks, runs, strict=True):
        alone = descend(network, MSE, X, Y, lr=1e-3, steps=steps)
        assert torch.equal(run.losses, alone.losses)
        assert torch.equal(run.network.theta, alone.network.theta)


def test_none_at_all() -> None:
    assert descend_many([], MSE, X, Y, lr=0.1, steps=3) == []


def test_one_that_diverges_is_told() -> None:
    networks = [Network.mlp(3, 5, 1, activation=ReLU, seed=seed) for seed in range(3)]
    with pytest.raises(DivergedError, match="diverged"):
        descend_many(networks, MSE, X, Y, lr=50.0, steps=600, method="steps")


@pytest.mark.parametrize("last", [1, 2])
def test_an_interruption_keeps_those_that_ended(last: int) -> None:
    networks = [Network.mlp(3, 5, 1, seed=seed) for seed in range(6)]

    ended: list[int] = []

    def on_end(i: int, run: Descent) -> None:
        ended.append(i)
        if len(ended) == last:
            raise KeyboardInterrupt

    runs = descend_many(networks, MSE, X, Y, lr=1e-3, steps=40, on_end=on_end)
    assert last <= len(runs) < 6


def test_a_comparison_of_many_seeds() -> None:
    comparison = compare(load_diabetes(), parse_models("linear,relu:3"), steps=20, seed=4, seeds=3)
    document = comparison.to_dict()
    assert (document["seed"], document["seeds"]) == (4, 3)
    for result, model in zip(comparison.results, document["models"], strict=True):
        assert len(set(model["test_losses"])) == 3
        assert model["test_loss"] == pytest.approx(sum(model["test_losses"]) / 3)
        assert model["test_loss_deviation"] > 0
        assert result.holds_sheet_figure is None  # this table is not the sheet's
    bars, curves = charts.test_loss_bars(comparison), charts.loss_curves(comparison)
    assert "3 seeds" in bars.axes[0].get_title(loc="left")
    assert len(bars.axes[0].containers) == 4  # a bar and its whisker for each model
    assert len(curves.axes[0].collections) == 2  # a band for each model


def test_a_round_in_which_one_is_interrupted_is_the_last() -> None:
    torch.set_num_threads(2)
    networks = [Network.mlp(3, 5, 1, seed=seed) for seed in range(4)]
    asked: list[list[int]] = []
    ended: list[int] = []

    def run(indices: Sequence[int]) -> dict[int, Descent]:
        asked.append(list(indices))
        runs = {i: descend(networks[i], MSE, X, Y, lr=1e-3, steps=9) for i in indices}
        return runs | {1: replace(runs[1], interrupted=True)}

    found = deal(Group.alone(), run, networks, 1e-3, lambda i, run: ended.append(i))
    assert asked == [[0, 1]]
    assert list(found) == ended == [0]


def test_the_others_stop_at_their_next_block_after_an_interruption() -> None:
    seen: list[int] = []
    state: Any = None
    many = _Many(lambda i, report: None, lambda i, state: seen.append(i), at_once=True)  # type: ignore[arg-type,return-value]
    many._report(0, state)
    many._stop.set()
    with pytest.raises(KeyboardInterrupt):
        many._report(1, state)
    assert seen == [0]
