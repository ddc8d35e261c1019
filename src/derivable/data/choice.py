"""Which columns are features and targets, by the names and positions that options give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from derivable.data.cells import BLANKS
from derivable.data.columns import Columns
from derivable.data.kinds import Classes, Date, Text
from derivable.data.options import ALL, TableOptions
from derivable.data.problems import ProblemError, did_you_mean, some
from derivable.data.reading import marks
from derivable.data.sheet import Sheet
from derivable.errors import DataError, SettingError


@dataclass(frozen=True)
class Choice:
    """The names of features and targets, and the options with the names that --one-hot means."""

    features: list[str]
    targets: list[str]
    options: TableOptions


def choose(sheet: Sheet, options: TableOptions) -> Choice:
    """The columns that the options mean, if each of them is there and has a name of its own."""
    names = sheet.columns
    if not options.target:
        raise SettingError(
            f"which column of {sheet.name} is to be predicted? Name it with --target; the table "
            f"has {some(names)}"
        )
    ignored = _named(sheet, options.ignore, "--ignore", of_all=not options.rename_duplicates)
    targets = _named(sheet, options.target, "--target")
    for name in targets:
        if targets.count(name) > 1:
            raise DataError(f"the target '{name}' is named twice; name each --target once")
        if name in ignored:
            raise DataError(
                f"'{name}' is named by --target and by --ignore; name it in one of them"
            )
    one_hot = (*[ALL] * options.one_hot_all, *_named(sheet, options.one_hot_names, "--one-hot"))
    without = {*targets, *ignored}
    features = [name for name in names if name not in without]
    _refuse_unnamed(sheet, [*features, *targets])
    if not options.rename_duplicates:
        _refuse_twins(sheet, [*features, *targets])
    if not features:
        raise DataError(
            f"{sheet.name} has no column besides {some((*targets, *ignored))}, so there is nothing "
            "to predict from; if its columns were not told apart, name what separates them with "
            "--separator"
        )
    return Choice(features, targets, replace(options, one_hot=one_hot))


def _named(
    sheet: Sheet, words: str | Sequence[str], option: str, *, of_all: bool = False
) -> list[str]:
    """The columns that an option names: each word a name, or several with commas between them.

    #3 is the third column, unless a column is called so. With `of_all` a name that stands over
    several columns is that of each.
    """
    known = sheet.columns
    names: list[str] = []
    for word in [words] if isinstance(words, str) else words:
        parts = [word] if word.strip() in sheet.known else word.split(",")
        names += [" ".join(part.split()) for part in parts if part.strip()]
    for i, name in enumerate(tuple(names)):
        if name in sheet.known:
            if of_all:
                names += [c for c, twin in sheet.twins.items() if twin == name and c not in names]
            continue
        if name.startswith("#") and name[1:].isdigit() and 1 <= int(name[1:]) <= len(known):
            names[i] = known[int(name[1:]) - 1]
            continue
        raise DataError(
            f"{sheet.name} has no column '{name}', which {option} names; "
            f"{did_you_mean(name, known)}"
        )
    return names


def _refuse_unnamed(sheet: Sheet, used: Sequence[str]) -> None:
    names = [name for name in used if name in sheet.unnamed]
    if names:
        raise ProblemError(
            f"{sheet.name}: {names[0]} has no name (is it an index?); give it one in the first "
            f"line, or leave it out with --ignore '{names[0]}'",
            ignore=(names[0],),
        )


def _refuse_twins(sheet: Sheet, used: Sequence[str]) -> None:
    """Several columns by one name are asked about, unless all but one are ignored."""
    groups: dict[str, list[str]] = {}
    for column in used:
        if column in sheet.twins:
            groups.setdefault(sheet.twins[column], []).append(column)
    for name, twins in groups.items():
        if len(twins) > 1:
            places = [sheet.columns.index(column) + 1 for column in twins]
            before = ", ".join(map(str, places[:-1]))
            raise ProblemError(
                f"{sheet.name}: the name '{name}' stands over columns {before} and {places[-1]}; "
                "name each column differently, or --rename-duplicates calls the last one "
                f"'{twins[-1]}', or --ignore '#{places[-1]}' leaves it out",
                rename_duplicates=True,
            )


def renamed(sheet: Sheet, used: Sequence[str]) -> list[str]:
    """Which columns are called by another name than stands over them."""
    places = {column: number for number, column in enumerate(sheet.columns, 1)}
    return [
        f"column {places[column]}, '{sheet.twins[column]}', is called '{column}'"
        for column in used
        if sheet.twins.get(column, column) != column
    ]


def note_unused_options(sheet: Sheet, columns: Columns, options: TableOptions) -> list[str]:
    """Options that changed nothing."""
    text = [c for c in columns.inputs if isinstance(c.reading, Text)]
    dates = any(isinstance(column.reading, Date) for column in columns.inputs)
    names = [column.name for column in columns.inputs + columns.outputs]
    said = []
    if options.one_hot_all and not text:
        said.append("--one-hot changed nothing: no column that is used is text")
    if options.missing != "error" and not any(
        sheet.cells(name).text.null_count() for name in names
    ):
        said.append(f"--missing {options.missing} changed nothing: no cell is missing")
    if options.missing_category and not any(
        isinstance(c.reading, Text) and c.reading.absent for c in text
    ):
        said.append("--missing-category changed nothing: no category is missing")
    of_text = any(
        isinstance(c.reading, Classes) and isinstance(c.reading.of, Text) for c in columns.outputs
    )
    if options.merge_spellings and not text and not of_text:
        said.append("--merge-spellings changed nothing: no column that is used is text")
    if options.rename_duplicates and not sheet.twins:
        said.append("--rename-duplicates changed nothing: each name stands over one column")
    if options.dates is not None and not dates:
        said.append("--dates changed nothing: no column that is used holds dates")
    if options.decimal is not None and not any(marks(sheet, columns).values()):
        said.append("--decimal changed nothing: no cell has decimals")
    if options.total == "drop" and not any(hasattr(one, "question") for one in sheet.findings):
        said.append("--total drop changed nothing: no row seems to be a total")
    said += _unused_spellings(sheet, options.na)
    return [f"{sentence}." for sentence in said]


def _unused_spellings(sheet: Sheet, na: str | Sequence[str]) -> list[str]:
    """Words of --na that no cell holds."""
    words = (na,) if isinstance(na, str) else tuple(na)
    said = []
    for word in words:
        column, _, text = word.rpartition("=")
        columns = [column.strip()] if column.strip() in sheet.known else sheet.columns
        spelled = (text if column.strip() in sheet.known else word).strip().lower()
        cells = (sheet.frame[name].cast(pl.String) for name in columns)
        met = any((c.str.strip_chars(BLANKS).str.to_lowercase() == spelled).any() for c in cells)
        if not met:
            said.append(f"--na '{word}' changed nothing: no cell holds it")
    return said
