"""`Columns`: how the columns of a file become features and targets.

`reading.py` learns it from one table and applies it to others, by name: what `predict` needs, and a
run folder keeps as JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from derivable.data.kinds import READINGS, Classes, Number, Reading, Text
from derivable.data.messages import say
from derivable.errors import DataError


@dataclass(frozen=True)
class Column:
    """One column of a file, and how it is read."""

    name: str
    reading: Reading = field(default_factory=Number)
    missing: tuple[str, ...] = ()  # spellings of a missing value that the user added
    twin: bool = False  # others had its name, and it was called another

    @property
    def features(self) -> tuple[str, ...]:
        """The names of what the column becomes: rooms, or city=Lyon, city=Paris."""
        return self.reading.features(self.name)

    def to_dict(self) -> dict[str, Any]:
        """Plain words, for JSON."""
        words: dict[str, Any] = {"name": self.name, "kind": self.reading.kind}
        words |= self.reading.to_dict()
        if self.missing:
            words["missing"] = list(self.missing)
        return words | ({"twin": True} if self.twin else {})

    @classmethod
    def from_dict(cls, document: Any) -> Column:
        """The column of `to_dict`."""
        name, kind = document["name"], document["kind"]
        missing = tuple(document.get("missing", ()))
        if not all(isinstance(word, str) for word in (name, *missing)):
            raise ValueError(f"{document} describes no column")
        reading = READINGS[kind].from_dict(document)
        return cls(name, reading, missing, bool(document.get("twin", False)))


@dataclass(frozen=True)
class Columns:
    """The columns of a table that are features, and those that are targets."""

    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features, in the order of `reading.features`."""
        return tuple(name for column in self.inputs for name in column.features)

    @property
    def owners(self) -> tuple[str, ...]:
        """The column of each feature, by its name."""
        return tuple(column.name for column in self.inputs for _ in column.features)

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the targets."""
        return tuple(column.name for column in self.outputs)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the target's classes; none where targets are numbers."""
        readings = [column.reading for column in self.outputs]
        return readings[0].values if readings and isinstance(readings[0], Classes) else ()

    @property
    def width(self) -> int:
        """How many outputs a network needs: one for each class, or for each target."""
        return len(self.classes) or len(self.outputs)

    def ignoring_unseen(self) -> Columns:
        """The same, to which a value of text that was not met is none of its column's values."""
        return Columns(
            tuple(
                replace(column, reading=column.reading.ignoring_unseen())
                if isinstance(column.reading, Text)
                else column
                for column in self.inputs
            ),
            self.outputs,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and words, for JSON."""
        return {
            "inputs": [column.to_dict() for column in self.inputs],
            "outputs": [column.to_dict() for column in self.outputs],
        }

    @classmethod
    def from_dict(cls, document: Any) -> Columns:
        """The columns of `to_dict`. Raises DataError for another document."""
        try:
            sides = (document["inputs"], document["outputs"])
            inputs, outputs = (tuple(map(Column.from_dict, side)) for side in sides)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(say("no_columns", kind=type(error).__name__, error=error)) from None
        return cls(inputs, outputs)
