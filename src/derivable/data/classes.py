"""A target of classes: which columns are taken for one, and what its classes are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from derivable.data import as_numbers
from derivable.data.cells import TRUTHS
from derivable.data.checks import nothing_to_learn
from derivable.data.kinds import Classes, Number, Reading, Text, Truth
from derivable.data.messages import say
from derivable.data.options import CLASSIFICATION, REGRESSION, TableOptions
from derivable.data.problems import ProblemError, count, some
from derivable.data.rows import TRAIN_SHARE
from derivable.data.sheet import Sheet
from derivable.errors import DataError

MOST_CLASSES = 100
FEW_WHOLE = 10  # different whole numbers at most that are taken for classes without being asked
ROWS_OF_A_CLASS = 5  # for each of them at least, on average
RARE = 5  # rows of a class, below which nothing is learned of it

Array = npt.NDArray[np.float64]


def as_target(sheet: Sheet, name: str, reading: Reading, options: TableOptions) -> Reading:
    """How a single target is read: by `reading`, or as classes.

    Text and true or false are classes, and whole numbers of which there are few. `--task` decides
    otherwise. Raises ProblemError where there are too many classes, DataError where there is one.
    """
    if options.task == REGRESSION:
        return reading
    if isinstance(reading, Truth):
        return Classes(_truths(sheet, name), reading)
    if isinstance(reading, Text):
        words = as_numbers.words_of(Text(merged=options.merge_spellings), sheet, name)
        values = tuple(sorted(words.drop_nulls().unique().to_list()))
        _refuse_one(sheet, name, values)
        _refuse_many(sheet, name, len(values))
        return Classes(values, Text(values, options.merge_spellings))
    if not isinstance(reading, Number) or reading.form is not None:
        return reading
    cells = sheet.cells(name).floats
    found = np.unique(cells[~np.isnan(cells)])
    if options.task is None and not _few_whole(found, len(cells)):
        return reading
    values = tuple(repr(int(v) if v.is_integer() else v) for v in found.tolist())
    _refuse_one(sheet, name, values)
    _refuse_many(sheet, name, len(values))
    return Classes(values, reading)


def _few_whole(found: Array, rows: int) -> bool:
    """Whether the different numbers of so many rows are few, whole and close, as labels are."""
    if not 2 <= len(found) <= min(FEW_WHOLE, rows // ROWS_OF_A_CLASS):
        return False
    whole = bool(np.all(found == np.floor(found)))
    return whole and found[0] in (-1, 0, 1) and bool(np.ptp(found) < 2 * len(found))


def _truths(sheet: Sheet, name: str) -> tuple[str, ...]:
    """The words for false and true that a column has, each as it is spelled first."""
    words = sheet.cells(name).text.drop_nulls().unique(maintain_order=True).to_list()
    of = {value: next((w for w in words if TRUTHS[w.lower()] == value), None) for value in (0, 1)}
    _refuse_one(sheet, name, [word for word in of.values() if word is not None])
    return tuple(str(word) for word in of.values())


def _refuse_one(sheet: Sheet, name: str, values: Sequence[str]) -> None:
    if len(values) == 1:
        raise nothing_to_learn(sheet.name, name, values[0])


def are_few(sheet: Sheet, name: str) -> bool:
    """Whether a column has so few different values that they may be classes."""
    return _fit(sheet.cells(name).text.drop_nulls().n_unique(), len(sheet.lines))


def _fit(classes: int, rows: int) -> bool:
    return classes <= MOST_CLASSES and 2 * classes <= rows


def _refuse_many(sheet: Sheet, name: str, classes: int) -> None:
    rows = len(sheet.lines)
    if not _fit(classes, rows):
        gaps = {"target": name, "classes": classes, "rows": count(rows, "row")}
        raise ProblemError(say("too_many_classes", name=sheet.name, **gaps))


def notes(reading: Classes, name: str, labels: Array, options: TableOptions) -> list[str]:
    """What should be known of a target of classes, whose rows have these numbers (N,)."""
    stated: list[str] = []
    values = reading.values
    if isinstance(reading.of, Number) and options.task != CLASSIFICATION:
        stated.append(say("whole_numbers", name=name, count=len(values), values=some(values)))
    sizes = np.bincount(labels.astype(int), minlength=len(values))
    if options.split == "last":
        stated += _met_late(reading, name, labels)
    rare = [value for value, size in zip(values, sizes, strict=True) if size < RARE]
    if rare:
        stated.append(say("rare_classes", rare=RARE, name=name, values=some(rare)))
    return stated


def _met_late(reading: Classes, name: str, labels: Array) -> list[str]:
    """Classes that only the last rows have, which test; DataError where the others have one."""
    cut = int(TRAIN_SHARE * len(labels))
    trained = np.unique(labels[:cut])
    if len(trained) == 1:
        value = reading.values[int(trained[0])]
        raise DataError(say("one_class_trains", value=value, name=name))
    late = [reading.values[int(k)] for k in np.setdiff1d(labels, trained)]
    if not late:
        return []
    return [say("late_classes", values=some(late), name=name)]
