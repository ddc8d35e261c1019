"""`Columns`: how the columns of a file become features and targets.

`reading.py` learns it from one table and applies it to others, by name: what `predict` needs, and a
run folder keeps as JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from derivable.errors import DataError

NUMBER, TRUTH, TEXT = "number", "truth", "text"


@dataclass(frozen=True)
class Column:
    """One column of a file, and how it is read.

    A number is one feature. True and false (yes and no, oui and non, vrai and faux) are 1 and 0.
    Text is one feature for each of its `values`, 1 where the cell holds it and 0 elsewhere.
    """

    name: str
    kind: str = NUMBER
    values: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """The names of what the column becomes: rooms, or city=Lyon, city=Paris."""
        return tuple(f"{self.name}={value}" for value in self.values) or (self.name,)


@dataclass(frozen=True)
class Columns:
    """The columns of a table that are features, and those that are targets."""

    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features, in the order of `apply`."""
        return tuple(name for column in self.inputs for name in column.features)

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the targets."""
        return tuple(column.name for column in self.outputs)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and words, for JSON."""
        return {
            "inputs": [_to_dict(column) for column in self.inputs],
            "outputs": [_to_dict(column) for column in self.outputs],
        }

    @classmethod
    def from_dict(cls, document: Any) -> Columns:
        """The columns of `to_dict`. Raises DataError for another document."""
        try:
            sides = (document["inputs"], document["outputs"])
            inputs, outputs = (tuple(map(_from_dict, side)) for side in sides)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"this does not describe the columns of a table ({type(error).__name__}: {error}); "
                "expected what Columns.to_dict gives"
            ) from None
        return cls(inputs, outputs)


def _to_dict(column: Column) -> dict[str, Any]:
    values = {"values": list(column.values)} if column.values else {}
    return {"name": column.name, "kind": column.kind, **values}


def _from_dict(document: Any) -> Column:
    column = Column(document["name"], document["kind"], tuple(document.get("values", ())))
    words = all(isinstance(word, str) for word in (column.name, *column.values))
    if (
        not words
        or column.kind not in (NUMBER, TRUTH, TEXT)
        or (column.kind == TEXT) != bool(column.values)
    ):
        raise ValueError(f"{document} describes no column")
    return column
