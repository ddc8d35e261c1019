"""What is wrong with a table of numbers, one message each, with the option that helps.

An error where no honest comparison is possible; a note where the reader should know and may go on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from derivable.data.messages import say
from derivable.data.problems import ProblemError, count, ignore
from derivable.errors import DataError

FEWEST_ROWS = 5  # four to train, one to test
LARGEST = 1e150  # its square is still a 64-bit number
ALIKE = 0.99  # the correlation below which a feature is no multiple of a target
SAME = 1e-6  # of a target's range: two columns that differ less hold the same

Array = npt.NDArray[np.float64]


def check_rows(name: str, rows: int) -> None:
    """There must be rows to train and a row to test."""
    if rows < FEWEST_ROWS:
        raise DataError(say("few_rows", name=name, rows=count(rows, "row"), fewest=FEWEST_ROWS))


def check_sizes(name: str, columns: Sequence[str], values: Array) -> None:
    """Squares of the numbers must be numbers: a mean squared error is made of them."""
    largest = np.nanmax(np.abs(values), axis=0, initial=0.0)
    for number in np.flatnonzero(largest > LARGEST).tolist():
        column, value = columns[number], float(largest[number])
        text = say("square_too_large", name=name, column=column, value=value, ignore=ignore(column))
        raise ProblemError(text, ignore=(column,))


def check_targets(name: str, targets: Sequence[str], y: Array) -> None:
    """A target must vary."""
    for target, cells in zip(targets, y.T, strict=True):
        if is_constant(cells):
            raise nothing_to_learn(name, target, f"{cells[0]:g}")


def nothing_to_learn(name: str, target: str, value: str) -> DataError:
    """The error of a target that has one value."""
    return DataError(say("nothing_to_learn", name=name, target=target, value=value))


def is_constant(cells: Array) -> bool:
    """Whether a column is constant: one value in every row that has one."""
    present = cells[~np.isnan(cells)]
    return bool(np.ptp(present) == 0 or np.std(present) == 0)


def constant_columns(x: Array) -> npt.NDArray[np.bool_]:
    """Whether each column is constant, (D,)."""
    low = np.nanmin(x, axis=0, initial=np.inf)
    high = np.nanmax(x, axis=0, initial=-np.inf)
    constant: npt.NDArray[np.bool_] = ~(high > low)
    for number in np.flatnonzero(~constant):  # values so near that their deviation is zero
        if high[number] - low[number] < SAME * abs(high[number]):
            constant[number] = is_constant(x[:, number])
    return constant


def check_answers(
    name: str,
    features: Sequence[str],
    owners: Sequence[str],
    x: Array,
    targets: Sequence[str],
    y: Array,
) -> list[str]:
    """No feature may be a target over again, or a multiple of it; `owners` are their columns.

    Where it is the only feature there is nothing else to learn from, so that it was meant: a note.
    """
    notes: list[str] = []
    for target, answer in zip(targets, y.T, strict=True):
        for number in _alike(x, answer):
            feature, owner = features[number], owners[number]
            how = _repeats(x[:, number], answer)
            if how is None:
                continue
            if len(features) == 1:
                notes.append(say("only_feature", feature=feature, target=target, how=how))
                continue
            gaps = {"feature": feature, "target": target, "how": how, "ignore": ignore(owner)}
            raise ProblemError(say("gives_answer", name=name, **gaps), ignore=(owner,))
    return notes


def _alike(x: Array, answer: Array) -> list[int]:
    """The features that may repeat the answer: those that it correlates with, or with holes."""
    a, b = x - x.mean(0), answer - answer.mean()
    with np.errstate(all="ignore"):  # of squares too large, which are checked one by one
        r = (a.T @ b) / np.sqrt(np.einsum("ij,ij->j", a, a) * (b @ b))
    found: list[int] = np.flatnonzero(~(np.abs(r) < ALIKE)).tolist()
    return found


def _repeats(cells: Array, answer: Array) -> str | None:
    """How a column repeats the answer: "" as it is, or the factor; None if it does not."""
    present = ~np.isnan(cells)
    cells, answer = cells[present], answer[present]
    if is_constant(cells) or is_constant(answer):
        return None
    if np.array_equal(cells, answer):
        return ""
    a, b = cells - cells.mean(), answer - answer.mean()
    factor = (a @ b) / (b @ b)
    if np.abs(a - factor * b).max() > SAME * np.ptp(cells):
        return None
    shift = cells.mean() - factor * answer.mean()
    key = "times"
    if abs(shift) > SAME * np.abs(cells).max():
        key = "times_plus" if shift > 0 else "times_minus"
    return say(key, factor=float(factor), shift=abs(float(shift)))


def note_duplicates(features: Sequence[str], owners: Sequence[str], x: Array) -> list[str]:
    """Features that hold the same numbers as one before them."""
    seen: dict[bytes, str] = {}
    notes: list[str] = []
    for feature, owner, cells in zip(features, owners, x.T, strict=True):
        first = seen.setdefault((cells + 0.0).tobytes(), feature)
        if first != feature:
            notes.append(say("repeats", feature=feature, first=first, ignore=ignore(owner)))
    return notes


def check_weights(name: str, model: str, weights: int, train_rows: int) -> str:
    """A note if a model has more weights than there are rows, an error from ten times as many.

    Up to there a descent from small weights still finds something; beyond, no row checks another.
    """
    if weights <= train_rows:
        return ""
    rows = count(train_rows, "training row")
    gaps = {"model": model, "weights": weights, "rows": rows, "name": name}
    if weights > 10 * train_rows:
        raise DataError(say("too_many_weights", **gaps))
    return say("many_weights", **gaps)
