"""The estimators as they come, beside scikit-learn's, on tables of 80 to 20,000 rows.

    python benchmarks/tabular.py [--quick] [--only NAME,...] [--group design|held] [--keep FILE]
        [--write FILE]

Five folds, the same for all models. The linear model is RidgeCV or LogisticRegressionCV, the
network scikit-learn's MLP with early stopping, both on standardised features, and the regressors'
network on standardised targets. `difference` is the score of the estimator less that of the better
of these two, on the same folds: the mean and its standard error. It is `at least as good` where the
mean is not below 0 by more than one standard error; differences below 5e-10 are rounding, of the
same model computed in two ways, and count as 0. Gradient boosting is a peer beside them. The
time is the processor's, of all threads, the median of the five fits with everything compiled: it
is not less than that on the clock of a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path

import _common
import _tabular_sets as sets
import numpy as np
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from derivable import DescentClassifier, DescentRegressor

OURS, LINEAR, MLP, TREES = "ours", "linear", "MLP", "boosting"
FOLDS = 5
STOPPED = {"early_stopping": True, "max_iter": 1000, "random_state": 0}


def regressors():
    """The models of numbers, by the names of the columns."""
    network = make_pipeline(StandardScaler(), MLPRegressor(**STOPPED))
    return {
        OURS: DescentRegressor(),
        LINEAR: make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 4, 15))),
        MLP: TransformedTargetRegressor(network, transformer=StandardScaler()),
        TREES: HistGradientBoostingRegressor(random_state=0),
    }


def classifiers():
    """The models of classes, by the names of the columns."""
    line = LogisticRegressionCV(
        Cs=np.logspace(-3, 2, 6), l1_ratios=(0,), cv=5, scoring="neg_log_loss", max_iter=1000,
        use_legacy_attributes=False,
    )  # fmt: skip
    return {
        OURS: DescentClassifier(),
        LINEAR: make_pipeline(StandardScaler(), line),
        MLP: make_pipeline(StandardScaler(), MLPClassifier(**STOPPED)),
        TREES: HistGradientBoostingClassifier(random_state=0),
    }


@dataclass
class Measured:
    """What one model reached on each fold of one table."""

    scores: list = field(default_factory=list)
    losses: list = field(default_factory=list)
    times: list = field(default_factory=list)
    chosen: list = field(default_factory=list)

    @property
    def score(self):
        """The mean over the folds."""
        return statistics.mean(self.scores)


class Kept(dict):
    """What was measured, by the names of tables; in a file too, where one is named."""

    def __init__(self, file):
        self.file = Path(file) if file else None
        read = json.loads(self.file.read_text()) if self.file and self.file.exists() else {}
        super().__init__(
            {table: {name: Measured(**one) for name, one in found.items()}
             for table, found in read.items()}
        )  # fmt: skip

    def __setitem__(self, table, found):
        super().__setitem__(table, found)
        if self.file:
            self.file.write_text(json.dumps(self, default=asdict))


def measure(models, x, y, classes, folds):
    """What each model reaches on each fold."""
    kind = StratifiedKFold if classes else KFold
    found = {name: Measured() for name in models}
    for at, (train, test) in enumerate(kind(folds, shuffle=True, random_state=0).split(x, y)):
        for name, model in models.items():
            if name == OURS and at == 0:
                clone(model).fit(x[train], y[train])  # compiles what is not on the disk
            one, begin = found[name], time.process_time()
            fitted = clone(model).fit(x[train], y[train])
            one.times.append(time.process_time() - begin)
            predicted = fitted.predict(x[test])
            one.scores.append(float((accuracy_score if classes else r2_score)(y[test], predicted)))
            if classes:
                shares = fitted.predict_proba(x[test])
                one.losses.append(log_loss(y[test], shares, labels=fitted.classes_))
            one.chosen.append(str(getattr(fitted, "chosen_", "")))
    return found


def difference(ours, peer):
    """The mean of ours less the peer's over the folds, and its standard error."""
    gaps = np.subtract(ours, peer).round(9)
    return gaps.mean(), gaps.std(ddof=1) / np.sqrt(len(gaps))


def verdict(gap, error):
    """Whether the difference is not below zero by more than its standard error."""
    if gap > error:
        return "better"
    return "as good" if gap >= -(1 + 1e-9) * error else "**worse**"  # one row more in one fold


def row(page, one, x, found, classes):
    """The line of one table; its difference, its verdict and the time of a fit."""
    peer = max((LINEAR, MLP), key=lambda name: found[name].score)
    gap, error = difference(found[OURS].scores, found[peer].scores)
    text = verdict(gap, error)
    cells = [one.name, f"{len(x):,} x {x.shape[1]}"]
    cells += [f"{measured.score:.3f}" for measured in found.values()]
    cells += [f"{gap:+.4f} ± {error:.4f}", text]
    if classes:
        cells += [f"{statistics.mean(found[name].losses):.3f}" for name in (OURS, LINEAR, MLP)]
    took = statistics.median(found[OURS].times)
    page.row(*cells, f"{took:.2f}", f"{statistics.median(found[MLP].times):.2f}")
    return text, took


def table(page, chosen, models, kept, *, classes, folds):
    """The table of one task; verdicts and times of all its rows."""
    losses = [f"log loss {name}" for name in (OURS, LINEAR, MLP)] if classes else []
    score = "accuracy" if classes else "R²"
    page.head(
        f"table, {score}", "rows x columns", *models, "difference", "verdict", *losses,
        "seconds", "seconds MLP",
    )  # fmt: skip
    results = []
    for one in chosen:
        made = one.make()
        if made is None:
            page.row(one.name, "not on this machine")
            continue
        x, y = made
        if one.name not in kept:
            kept[one.name] = measure(models, x, y, classes, folds)
        found = kept[one.name]
        results.append(row(page, one, x, found, classes))
        _common.note(one.name, found[OURS].chosen)
    page.say()
    return results


def main():
    """Print the tables; write them into a document where one is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two small tables, two folds")
    parser.add_argument("--only", help="tables by name, between commas")
    parser.add_argument("--group", choices=["design", "held"], help="one group of tables")
    parser.add_argument("--keep", metavar="FILE", help="go on with what an earlier run measured")
    parser.add_argument("--write", metavar="FILE", help="put the tables into this Markdown file")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # that an MLP has not converged
    page = _common.Page()
    names = options.only.split(",") if options.only else None

    def of(all_sets, held_back):
        return [
            one for one in all_sets
            if one.held_back == held_back and (one.quick or not options.quick)
            and (names is None or one.name in names)
        ]  # fmt: skip

    kept = Kept(options.keep)
    summary = []
    for held_back, title in ((False, "tables of the design"), (True, "tables held back")):
        if options.group and (options.group == "held") != held_back:
            continue
        results = []
        for all_sets, models, classes in (
            (sets.REGRESSIONS, regressors(), False), (sets.CLASSIFICATIONS, classifiers(), True),
        ):  # fmt: skip
            chosen = of(all_sets, held_back)
            if chosen:
                folds = 2 if options.quick else FOLDS
                results += table(page, chosen, models, kept, classes=classes, folds=folds)
        if results:
            worse = sum("worse" in text for text, _ in results)
            times = [took for _, took in results]
            summary.append(
                f"{title}: at least as good on {len(results) - worse} of {len(results)}, median "
                f"fit {statistics.median(times):.2f} s, longest {max(times):.2f} s"
            )
    page.say(f"Of the {'; of the '.join(summary)}. {_common.machine()}")
    if options.write:
        page.write(options.write, "tabular")


if __name__ == "__main__":
    main()
