"""Which columns are features and targets, by the names and positions that options give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from derivable.data.cells import BLANKS
from derivable.data.columns import Columns
from derivable.data.kinds import Classes, Date, Number, Text
from derivable.data.messages import say
from derivable.data.numbers import has_mark
from derivable.data.options import ALL, TableOptions
from derivable.data.problems import ProblemError, did_you_mean, option_of, some
from derivable.data.reading import as_learned
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
        raise SettingError(say("no_target", name=sheet.name, names=some(names)))
    ignored = _named(sheet, options.ignore, "--ignore", of_all=not options.rename_duplicates)
    targets = _named(sheet, options.target, "--target")
    for name in targets:
        if targets.count(name) > 1:
            raise DataError(say("target_twice", name=name))
        if name in ignored:
            raise DataError(say("target_ignored", name=name))
    one_hot = (*[ALL] * options.one_hot_all, *_named(sheet, options.one_hot_names, "--one-hot"))
    without = {*targets, *ignored}
    features = [name for name in names if name not in without]
    _refuse_unnamed(sheet, [*features, *targets])
    if not options.rename_duplicates:
        _refuse_twins(sheet, [*features, *targets])
    if not features:
        others = some((*targets, *ignored))
        raise DataError(say("no_features", name=sheet.name, names=others))
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
        gaps = {"column": name, "option": option, "hint": did_you_mean(name, known)}
        raise DataError(say("no_column_of_option", name=sheet.name, **gaps))
    return names


def _refuse_unnamed(sheet: Sheet, used: Sequence[str]) -> None:
    names = [name for name in used if name in sheet.unnamed]
    if names:
        raise ProblemError(say("unnamed", name=sheet.name, column=names[0]), ignore=(names[0],))


def _refuse_twins(sheet: Sheet, used: Sequence[str]) -> None:
    """Several columns by one name are asked about, unless all but one are ignored."""
    groups: dict[str, list[str]] = {}
    for column in used:
        if column in sheet.twins:
            groups.setdefault(sheet.twins[column], []).append(column)
    for name, twins in groups.items():
        if len(twins) > 1:
            places = [sheet.columns.index(column) + 1 for column in twins]
            gaps = {"column": name, "before": places[:-1], "place": places[-1], "last": twins[-1]}
            raise ProblemError(say("twins", name=sheet.name, **gaps), rename_duplicates=True)


def renamed(sheet: Sheet, used: Sequence[str]) -> list[str]:
    """Which columns are called by another name than stands over them."""
    places = {column: number for number, column in enumerate(sheet.columns, 1)}
    return [
        say("is_called", place=places[column], twin=sheet.twins[column], name=column)
        for column in used
        if sheet.twins.get(column, column) != column
    ]


def note_unused_options(sheet: Sheet, columns: Columns, options: TableOptions) -> list[str]:
    """Options that changed nothing."""
    text = [c for c in columns.inputs if isinstance(c.reading, Text)]
    dates = any(isinstance(column.reading, Date) for column in columns.inputs)
    names = [column.name for column in columns.inputs + columns.outputs]
    notes: list[str] = []
    if options.one_hot_all and not text:
        notes.append(say("unused_text", option="--one-hot"))
    if options.missing != "error" and not any(
        sheet.cells(name).text.null_count() for name in names
    ):
        notes.append(say("unused_missing", rule=options.missing))
    if options.missing_category and not any(
        isinstance(c.reading, Text) and c.reading.absent for c in text
    ):
        notes.append(say("unused_category"))
    of_text = any(
        isinstance(c.reading, Classes) and isinstance(c.reading.of, Text) for c in columns.outputs
    )
    if options.merge_spellings and not text and not of_text:
        notes.append(say("unused_text", option="--merge-spellings"))
    if options.rename_duplicates and not sheet.twins:
        notes.append(say("unused_rename"))
    if options.dates is not None and not dates:
        notes.append(say("unused_dates"))
    learned = as_learned(sheet, columns)
    numbers = [c.name for c in columns.inputs + columns.outputs if isinstance(c.reading, Number)]
    if options.decimal is not None and not any(has_mark(learned, name) for name in numbers):
        notes.append(say("unused_decimal"))
    if options.total == "drop" and not any(hasattr(one, "question") for one in sheet.findings):
        notes.append(say("unused_total"))
    return [*notes, *_unused_spellings(sheet, options.na)]


def _unused_spellings(sheet: Sheet, na: str | Sequence[str]) -> list[str]:
    """Words of --na that no cell holds."""
    words = (na,) if isinstance(na, str) else tuple(na)
    notes: list[str] = []
    for word in words:
        column, _, text = word.rpartition("=")
        columns = [column.strip()] if column.strip() in sheet.known else sheet.columns
        spelled = (text if column.strip() in sheet.known else word).strip().lower()
        cells = (sheet.frame[name].cast(pl.String) for name in columns)
        met = any((c.str.strip_chars(BLANKS).str.to_lowercase() == spelled).any() for c in cells)
        if not met:
            notes.append(say("unused_na", na=option_of("--na", word)))
    return notes
