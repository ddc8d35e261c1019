"""What a column can be read as: a number, true or false, text, a date, or classes.

A reading knows its features and is kept as JSON. `as_numbers.py` reads the cells; nothing here
needs polars, because a run's record holds readings.
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

ABSENT = "(missing)"  # the value of a cell without one, where that is a category

# How dates are written; day and month can be exchanged in most others.
ISO, CLOCK, DMY, MDY = "ymd", "clock", "dmy", "mdy"
ORDERS = (ISO, CLOCK, DMY, MDY)
# What a moment becomes, with the length of its cycle; year and the elapsed time have none.
CYCLES = {"month": 12, "weekday": 7, "hour": 24}
LINEAR = ("year", "days", "hours")


@dataclass(frozen=True)
class Form:
    """The sign of a column's numbers, before or after them, and whether (5) is -5."""

    sign: str = ""
    brackets: bool = False


class Reading(ABC):
    """How one column is read."""

    kind: ClassVar[str]

    def features(self, name: str) -> tuple[str, ...]:
        """The names of what the column becomes."""
        return (name,)

    def to_dict(self) -> dict[str, Any]:
        """Plain words, for JSON, without what is as usual."""
        return {}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """What `to_dict` gave."""
        return cls()


@dataclass(frozen=True)
class Number(Reading):
    """One feature; its cells may carry a sign, or parentheses where they are negative."""

    kind = "number"
    form: Form | None = None

    def to_dict(self) -> dict[str, Any]:
        """The form, if there is one."""
        if self.form is None:
            return {}
        return {"sign": self.form.sign, "brackets": self.form.brackets}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """With a form, where there was one."""
        if "sign" not in document:
            return cls()
        return cls(Form(str(document["sign"]), bool(document.get("brackets", False))))


@dataclass(frozen=True)
class Truth(Reading):
    """True is 1 and false is 0, in the words of several languages."""

    kind = "truth"


@dataclass(frozen=True)
class Text(Reading):
    """One feature for each of its values, 1 where the cell holds it and 0 elsewhere."""

    kind = "text"
    values: tuple[str, ...] = ()
    merged: bool = False  # values that differ in case or blanks are one
    absent: bool = False  # a missing cell is a value of its own
    unseen: str = "refuse"  # or "ignore": a value that was not met is 0 everywhere

    def features(self, name: str) -> tuple[str, ...]:
        """city=Lyon, city=Paris."""
        return tuple(f"{name}={value}" for value in (*self.values, *[ABSENT] * self.absent))

    def to_dict(self) -> dict[str, Any]:
        """The values, and how they are compared."""
        flags = {"merged": self.merged, "absent": self.absent}
        return {"values": list(self.values), **{name: True for name, on in flags.items() if on}}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """With the values that were met."""
        found = tuple(document["values"])
        merged, absent = bool(document.get("merged")), bool(document.get("absent"))
        if not all(isinstance(value, str) for value in found) or not (found or absent):
            raise ValueError(f"{document} describes no column")
        return cls(found, merged, absent)

    def ignoring_unseen(self) -> Text:
        """The same, to which a value that was not met is none of its values."""
        return replace(self, unseen="ignore")


@dataclass(frozen=True)
class Date(Reading):
    """Elapsed days and the year; month, day of the week and hour as sine and cosine."""

    kind = "date"
    order: str = ISO
    parts: tuple[str, ...] = ()
    origin: int = 0  # the first moment, in microseconds since 1970
    short: bool = False  # years of two digits are read

    def features(self, name: str) -> tuple[str, ...]:
        """date:days, date:year, date:month:sin, date:month:cos, ..."""
        return tuple(
            f"{name}:{part}{end}"
            for part in self.parts
            for end in (("",) if part in LINEAR else (":sin", ":cos"))
        )

    def to_dict(self) -> dict[str, Any]:
        """Order, parts and origin, and whether years have two digits."""
        kept = {"order": self.order, "parts": list(self.parts), "origin": self.origin}
        return {**kept, **({"short": True} if self.short else {})}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """As it was learned."""
        order, parts = document["order"], tuple(document["parts"])
        if order not in ORDERS or not {*parts} <= {*LINEAR, *CYCLES}:
            raise ValueError(f"{document} describes no dates")
        return cls(order, parts, int(document["origin"]), bool(document.get("short")))


@dataclass(frozen=True)
class Classes(Reading):
    """A target of classes: a cell is the number of its class, from 0 on."""

    kind = "classes"
    values: tuple[str, ...] = ()  # the names of the classes, in order
    of: Reading = field(default_factory=Text)  # how the cells are read: Text, Truth or Number

    def to_dict(self) -> dict[str, Any]:
        """The names of the classes, and how their cells are read."""
        return {"values": list(self.values), "of": {"kind": self.of.kind, **self.of.to_dict()}}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """With the classes that were met."""
        values, of = tuple(document["values"]), document["of"]
        if len(values) < 2 or not all(isinstance(value, str) for value in values):
            raise ValueError(f"{document} describes no classes")
        return cls(values, READINGS[of["kind"]].from_dict(of))


READINGS: dict[str, type[Reading]] = {one.kind: one for one in (Number, Truth, Text, Date, Classes)}
