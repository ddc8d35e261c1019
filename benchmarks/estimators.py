"""The estimators as they come, beside scikit-learn's: scores on test rows and times of a fit.

    python benchmarks/estimators.py [--quick] [--splits 10] [--write FILE]

Each model has its defaults; scikit-learn's see standardised features. The score is R2 or accuracy
on a quarter of the rows, the mean of several splits; the time is the median of the fits, after one
fit of each kind that is not counted. The first fit of all, with nothing compiled on the disk, is
stated by itself.
"""

from __future__ import annotations

import argparse
import statistics
import warnings

import _common
import numpy as np
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_classification,
    make_friedman1,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from derivable import DescentClassifier, DescentRegressor
from derivable.data.california import find_california
from derivable.errors import DataError

LARGE = 5_000  # rows; beyond them there are fewer splits
SPLITS_OF_LARGE = 2


def noise(rows, columns):
    """A line and a wave in one deviation of five parts of noise."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(rows, columns))
    return x, x[:, 0] + 0.5 * np.sin(2 * x[:, 1]) + 2 * draw.normal(size=rows)


def wave(rows):
    """One column."""
    draw = np.random.default_rng(0)
    x = draw.uniform(-3, 3, size=(rows, 1))
    return x, np.sin(2 * x[:, 0]) + 0.3 * draw.normal(size=rows)


def wide(rows, columns):
    """More columns than rows, five of which count."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(rows, columns))
    return x, x[:, :5].sum(1) + draw.normal(size=rows)


def housing():
    """California Housing, where it is on this machine; None elsewhere."""
    try:
        found = find_california(wait=5)
    except DataError:
        return None
    return found.x.numpy(), found.y.numpy().ravel()


def regressions(quick):
    """Tables for the regressors by name."""
    found = {
        "diabetes": load_diabetes(return_X_y=True),
        "50 rows": make_friedman1(50, noise=1.0, random_state=0),
    }
    if quick:
        return found
    found |= {
        "friedman1, 1,000 rows": make_friedman1(1000, noise=1.0, random_state=0),
        "noisy, 400 rows": noise(400, 10),
        "one column, 200 rows": wave(200),
        "wide, 100 x 300": wide(100, 300),
    }
    table = housing()
    return found | ({"California Housing": table} if table else {})


def classifications(quick):
    """Tables for the classifiers by name."""
    found = {
        "iris": load_iris(return_X_y=True),
        "50 rows": make_classification(50, 10, n_informative=5, random_state=0),
    }
    if quick:
        return found
    x, _ = wave(200)
    drawn = np.random.default_rng(1).random(200) < 0.1
    return found | {
        "digits": load_digits(return_X_y=True),
        "wine": load_wine(return_X_y=True),
        "breast cancer": load_breast_cancer(return_X_y=True),
        "noisy, 2,000 x 20": make_classification(
            2000, 20, n_informative=8, flip_y=0.2, random_state=0
        ),
        "one column, 200 rows": (x, (abs(x[:, 0]) > 1.5) ^ drawn),
        "wide, 100 x 500": make_classification(100, 500, n_informative=10, random_state=0),
        "20,000 x 54, 7 classes": make_classification(
            20_000, 54, n_informative=15, n_redundant=10, n_classes=7, n_clusters_per_class=3,
            flip_y=0.05, class_sep=1.2, random_state=0,
        ),
    }  # fmt: skip


def measure(models, x, y, splits):
    """For each model the mean score and the median time of a fit, one after the other."""
    scores, times = ({name: [] for name in models} for _ in range(2))
    for seed in range(splits):
        x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=seed)
        for name, model in models.items():
            model = clone(model)
            if seed == 0 and len(x) <= LARGE:
                clone(model).fit(x_train, y_train)
            took, fitted = _common.seconds(lambda m=model: m.fit(x_train, y_train))  # noqa: B023
            times[name].append(took)
            scores[name].append(fitted.score(x_test, y_test))
    return {
        name: (statistics.mean(scores[name]), statistics.median(times[name])) for name in models
    }


def table(page, title, tables, models, splits):
    """One row for each table: the scores of all models, and the ratio of times to the MLP's."""
    ours, linear, mlp = models
    page.head(title, ours, linear, mlp, f"seconds of {ours}", f"seconds of {mlp} per second of it")
    for name, (x, y) in tables.items():
        count = min(splits, SPLITS_OF_LARGE) if len(x) > LARGE else splits
        found = measure(models, x, y, count)
        scores = [f"{score:.3f}" for score, _ in found.values()]
        page.row(name, *scores, found[ours][1], found[mlp][1] / found[ours][1])
    page.say()


def main():
    """Print the tables; write them into a document where one is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small tables, two splits")
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--write", metavar="FILE", help="put the tables into this Markdown file")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # that an MLP has not converged in its 200 epochs
    splits = 2 if options.quick else options.splits
    caches, page = _common.empty_caches(), _common.Page()
    x, y = load_iris(return_X_y=True) if options.quick else load_digits(return_X_y=True)
    cold, _ = _common.seconds(lambda: DescentClassifier().fit(x, y))
    scaled = {
        kind: make_pipeline(StandardScaler(), kind(**settings))
        for kind, settings in (
            (Ridge, {}), (LogisticRegression, {"max_iter": 1000}),
            (MLPRegressor, {"random_state": 0}), (MLPClassifier, {"random_state": 0}),
        )
    }  # fmt: skip
    regressors = {
        "DescentRegressor": DescentRegressor(),
        "Ridge": scaled[Ridge],
        "MLPRegressor": scaled[MLPRegressor],
    }
    classifiers = {
        "DescentClassifier": DescentClassifier(),
        "LogisticRegression": scaled[LogisticRegression],
        "MLPClassifier": scaled[MLPClassifier],
    }
    table(page, "R2 on test rows", regressions(options.quick), regressors, splits)
    table(page, "accuracy on test rows", classifications(options.quick), classifiers, splits)
    page.say(
        f"The mean of {splits} splits, {SPLITS_OF_LARGE} of tables with more than {LARGE:,} rows. "
        f"The first fit with nothing compiled on the disk took {cold:.1f} s. {_common.machine()}"
    )
    if options.write:
        page.write(options.write, "estimators")
    caches.cleanup()


if __name__ == "__main__":
    main()
