"""How a file is to be read, as the user stated it: plain words, which JSON and TOML keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

BUNDLED = ("california", "diabetes")  # tables without a file, by their names
MISSING_RULES = ("error", "drop", "median")
SPLIT_ORDERS = ("shuffled", "last")
REGRESSION, CLASSIFICATION = TASKS = ("regression", "classification")
ALL = "*"  # of --one-hot: all columns of text


@dataclass(frozen=True)
class SheetOptions:
    """How the cells of a file are found, and what one of them means."""

    decimal: str | None = None  # the mark before decimals, "." or ","; found where it is None
    separator: str | None = None  # what stands between cells; found where it is None
    na: Sequence[str] = ()  # spellings of a missing value; of one column as COLUMN=TEXT
    header: int | None = None  # the line (row) that holds the names of the columns
    no_header: bool = False  # no line holds names
    units: str | None = None  # "skip" or "keep" the row below the names
    total: str | None = None  # "drop" or "keep" totals and remarks
    sheet: str | None = None  # the sheet of a workbook, or the file in a zip archive
    dates: str | None = None  # "dmy" or "mdy": what stands first in 08/11/2024

    def with_remedy(self, remedy: dict[str, Any]) -> Self:
        """These options and those that a problem proposes."""
        changes: dict[str, Any] = {
            name: (*_listed(getattr(self, name)), *value) if isinstance(value, tuple) else value
            for name, value in remedy.items()
        }
        return replace(self, **changes)

    def words(self) -> list[str]:
        """What differs from the defaults, as words of a command line."""
        words: list[str] = []
        for field in fields(self):
            value, option = getattr(self, field.name), f"--{field.name.replace('_', '-')}"
            if value in (field.default, None, ()):
                continue
            if value is True or (field.name == "one_hot" and ALL in _listed(value)):
                words.append(option)
            elif value is False:
                words.append(option.replace("--", "--no-", 1))
            elif field.name in ("na", "ignore", "one_hot"):
                words += _joined(option, _listed(value), commas=field.name != "na")
            else:
                words += [
                    option,
                    ",".join(_listed(value)) if field.name == "target" else str(value),
                ]
        return words


@dataclass(frozen=True)
class TableOptions(SheetOptions):
    """What becomes of the columns, besides."""

    target: str | Sequence[str] | None = None
    task: str | None = None  # one of TASKS; found by the target where it is None
    ignore: str | Sequence[str] = ()  # names, or positions such as #3
    missing: str = "error"  # "error", "drop" or "median"
    missing_category: bool = False  # a missing cell of text is a value of its own
    one_hot: bool | str | Sequence[str] = ()  # True or "*" for all columns of text, or names
    merge_spellings: bool = False  # values that differ in case or blanks are one
    rename_duplicates: bool = False
    split: str = "shuffled"  # or "last": which rows test, by the sound protocol
    parts: bool | None = None  # whether several processes read it together, each some of its rows

    @property
    def one_hot_all(self) -> bool:
        """Whether each column of text becomes features."""
        return self.one_hot is True or ALL in _listed(self.one_hot)

    @property
    def one_hot_names(self) -> tuple[str, ...]:
        """The columns that become features by name."""
        return tuple(word for word in _listed(self.one_hot) if word != ALL)


def _listed(value: Any) -> tuple[str, ...]:
    """A word, several, or True, as several."""
    if isinstance(value, bool) or value is None:
        return (ALL,) if value else ()
    return (value,) if isinstance(value, str) else tuple(value)


def _joined(option: str, values: tuple[str, ...], *, commas: bool) -> list[str]:
    """One option for all values, where no value has a comma itself."""
    if commas and not any("," in value for value in values):
        values = (",".join(values),)
    return [word for value in values for word in (option, value)]
