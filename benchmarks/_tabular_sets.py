"""The tables of `tabular.py`: bundled with scikit-learn, or drawn, each of another nature.

A default is designed on one group and judged on the other, "held back", which was drawn up
beforehand and not used until the design was fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_classification,
    make_friedman1,
    make_friedman2,
    make_friedman3,
)

from derivable.data.california import find_california
from derivable.errors import DataError

Table = tuple[Any, Any]  # X (N, D), y (N,)


@dataclass(frozen=True)
class Set:
    """A table by name, how it is made, and whether it was held back from the design."""

    name: str
    make: Callable[[], Table | None]
    held_back: bool = False
    quick: bool = False  # whether it is among those of --quick


def _draw(seed=0):
    return np.random.default_rng(seed)


def _signs(score, draw):
    """Labels that are 1 with the probability that a logistic model gives the score (N,)."""
    return (draw.random(len(score)) < 1 / (1 + np.exp(-score))).astype(int)


def california():
    """20,000 rows of California Housing, where it is on this machine; None elsewhere."""
    try:
        found = find_california(wait=5)
    except DataError:
        return None
    chosen = _draw().permutation(len(found.x))[:20_000]
    return found.x.numpy()[chosen], found.y.numpy().ravel()[chosen]


def noisy():
    """A line and a wave, in noise of four times their variance."""
    draw = _draw()
    x = draw.normal(size=(400, 10))
    return x, x[:, 0] + 0.5 * np.sin(2 * x[:, 1]) + 2 * draw.normal(size=400)


def wide_line():
    """More columns than rows; twenty weights that are not zero."""
    draw = _draw()
    x = draw.normal(size=(100, 300))
    return x, x[:, :20] @ draw.normal(size=20) + draw.normal(size=100)


def steps():
    """Constant on boxes, as trees are."""
    draw = _draw()
    x = draw.uniform(-1, 1, size=(2000, 8))
    y = 2.0 * (x[:, 0] > 0.2) + 3.0 * ((x[:, 1] > 0) & (x[:, 2] < 0.3)) - 1.5 * (x[:, 3] > -0.4)
    return x, y + 0.5 * draw.normal(size=2000)


def line():
    """A linear model with thirty weights."""
    draw = _draw()
    x = draw.normal(size=(2000, 30))
    return x, x @ draw.normal(size=30) + 3 * draw.normal(size=2000)


def one_column():
    """A wave."""
    draw = _draw()
    x = draw.uniform(-3, 3, size=(200, 1))
    return x, np.sin(2 * x[:, 0]) + 0.3 * draw.normal(size=200)


def sparse_signal():
    """Four columns of sixty count, two of them not linearly."""
    draw = _draw(1)
    x = draw.normal(size=(300, 60))
    return x, 2 * x[:, 0] - x[:, 1] + abs(x[:, 2]) + x[:, 3] ** 2 / 2 + draw.normal(size=300)


def products():
    """Products of two columns, and nothing linear."""
    draw = _draw(2)
    x = draw.normal(size=(5000, 6))
    y = x[:, 0] * x[:, 1] + x[:, 2] * x[:, 3] - 0.5 * x[:, 4] * x[:, 5]
    return x, y + 0.5 * draw.normal(size=5000)


def heavy_tails():
    """Columns of lognormal and t distributions, and noise of t with three degrees of freedom."""
    draw = _draw(3)
    x = np.column_stack([draw.lognormal(size=(600, 4)), draw.standard_t(3, size=(600, 4))])
    y = 2 * np.log(x[:, 0]) + np.sqrt(x[:, 1]) + x[:, 4] - 0.5 * x[:, 5]
    return x, y + draw.standard_t(3, size=600)


def words(rows, columns, seed):
    """Columns of 0 and 1, most of them rare, as of words in texts; with the weight of each."""
    draw = _draw(seed)
    shares = 0.5 * draw.pareto(1.2, size=columns).clip(0.02, 0.8) / 2
    return (draw.random((rows, columns)) < shares).astype(float), draw.normal(size=columns), draw


def word_prices():
    """A number from words."""
    x, weights, draw = words(1500, 150, 4)
    return x, x @ weights + 2 * draw.normal(size=1500)


def correlated():
    """80 rows of twelve columns that are nearly four."""
    draw = _draw(5)
    base = draw.normal(size=(80, 4))
    x = np.hstack([base + 0.1 * draw.normal(size=(80, 4)) for _ in range(3)])
    return x, base @ [1.0, -1.0, 0.5, 2.0] + draw.normal(size=80)


def periodic():
    """A smooth surface of three columns among ten thousand rows, with little noise."""
    draw = _draw(6)
    x = draw.uniform(0, 1, size=(10_000, 5))
    y = np.sin(4 * x[:, 0] + 2 * x[:, 1]) + np.exp(-4 * x[:, 2]) + x[:, 3]
    return x, y + 0.1 * draw.normal(size=10_000)


def threshold():
    """Two classes by the size of one column, with a tenth of the labels drawn anew."""
    draw = _draw(1)
    x = draw.uniform(-3, 3, size=(200, 1))
    return x, ((abs(x[:, 0]) > 1.5) ^ (draw.random(200) < 0.1)).astype(int)


def imbalanced():
    """One row of twenty is of the second class."""
    return make_classification(
        3000, 15, n_informative=6, weights=[0.95], flip_y=0.02, class_sep=1.0, random_state=1
    )


def word_topics():
    """Four topics from words."""
    x, _, draw = words(800, 200, 7)
    scores = x @ draw.normal(size=(200, 4)) + draw.gumbel(size=(800, 4))
    return x, scores.argmax(1)


def xor():
    """The sign of a product, among ten columns."""
    draw = _draw(8)
    x = draw.normal(size=(1500, 10))
    return x, _signs(4 * x[:, 0] * x[:, 1], draw)


def few_rows():
    """80 rows, ten columns, a linear model."""
    draw = _draw(9)
    x = draw.normal(size=(80, 10))
    return x, _signs(2 * x[:, :4] @ [1.0, -1.0, 0.5, 0.5], draw)


def rules():
    """Three classes by boxes."""
    draw = _draw(10)
    x = draw.uniform(-1, 1, size=(2500, 12))
    y = np.where(x[:, 0] > 0.3, 0, np.where(x[:, 1] + x[:, 2] > 0, 1, 2))
    return x, np.where(draw.random(2500) < 0.1, draw.integers(0, 3, 2500), y)


def logistic_heavy():
    """A logistic model of columns with outliers, ten thousand rows."""
    draw = _draw(11)
    x = draw.standard_t(3, size=(10_000, 20))
    return x, _signs(x @ draw.normal(size=20) / 2, draw)


REGRESSIONS = [
    Set("diabetes", lambda: load_diabetes(return_X_y=True), quick=True),
    Set("friedman1", lambda: make_friedman1(1000, noise=1.0, random_state=0)),
    Set("friedman2", lambda: make_friedman2(500, noise=100.0, random_state=0)),
    Set("noisy", noisy),
    Set("wide line", wide_line),
    Set("line", line),
    Set("steps", steps),
    Set("one column", one_column),
    Set("California", california),
    Set("correlated", correlated, held_back=True),
    Set("friedman3", lambda: make_friedman3(300, noise=0.2, random_state=0), held_back=True),
    Set("sparse signal", sparse_signal, held_back=True),
    Set("products", products, held_back=True),
    Set("heavy tails", heavy_tails, held_back=True),
    Set("word prices", word_prices, held_back=True),
    Set("periodic", periodic, held_back=True),
]
CLASSIFICATIONS = [
    Set("iris", lambda: load_iris(return_X_y=True), quick=True),
    Set("wine", lambda: load_wine(return_X_y=True)),
    Set("breast cancer", lambda: load_breast_cancer(return_X_y=True)),
    Set("digits", lambda: load_digits(return_X_y=True)),
    Set(
        "noisy classes",
        lambda: make_classification(2000, 20, n_informative=8, flip_y=0.2, random_state=0),
    ),
    Set("threshold", threshold),
    Set(
        "seven classes",
        lambda: make_classification(
            20_000, 54, n_informative=15, n_redundant=10, n_classes=7, n_clusters_per_class=3,
            flip_y=0.05, class_sep=1.2, random_state=0,
        ),
    ),
    Set("few rows", few_rows, held_back=True),
    Set(
        "wide classes",
        lambda: make_classification(100, 500, n_informative=10, random_state=0),
        held_back=True,
    ),
    Set("imbalanced", imbalanced, held_back=True),
    Set("word topics", word_topics, held_back=True),
    Set("xor", xor, held_back=True),
    Set("rules", rules, held_back=True),
    Set("logistic tails", logistic_heavy, held_back=True),
]  # fmt: skip
