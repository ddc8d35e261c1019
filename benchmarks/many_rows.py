"""The estimators as they come on a table of many rows: how long a fit takes, and what it reaches.

    python benchmarks/many_rows.py [--quick] [--rows 1000000] [--write FILE]

The columns are ten normal ones, the target a product, a wave and a line in noise. The peers are
Ridge and histogram gradient boosting of scikit-learn, on the same rows.
"""

from __future__ import annotations

import argparse

import _common
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from derivable import DescentClassifier, DescentRegressor

TESTED = 20_000  # rows


def drawn(rows):
    """Features (N, 10) and a target (N,)."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(rows, 10))
    y = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + x[:, 3:6] @ [1.0, -1.0, 0.5]
    return x, y + draw.normal(size=rows)


def main():
    """Print the table; write it into a document where one is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="five hundred rows")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--write", metavar="FILE", help="put the table into this Markdown file")
    options = parser.parse_args()
    rows = 500 if options.quick else options.rows
    x, y = drawn(rows + TESTED)
    page = _common.Page()
    page.head("model", "score", "seconds", "chosen")
    for target, models in (
        (y, (DescentRegressor(), Ridge(), HistGradientBoostingRegressor())),
        (y > 0, (DescentClassifier(), LogisticRegression(), HistGradientBoostingClassifier())),
    ):
        for model in models:
            took, fitted = _common.seconds(lambda m=model, t=target: m.fit(x[:rows], t[:rows]))
            score = fitted.score(x[rows:], target[rows:])
            chosen = getattr(fitted, "chosen_", "")
            page.row(type(model).__name__, f"{score:.3f}", f"{took:.1f}", chosen)
    page.say()
    page.say(f"{rows:,} rows x {x.shape[1]} columns, seconds on the clock. {_common.machine()}")
    if options.write:
        page.write(options.write, "many_rows")


if __name__ == "__main__":
    main()
