"""`Point`: an evaluation point, as data with a message for reports.

An evaluation point has a kind, such as the given inputs or a batch of one, and fields that state
which argument or size it concerns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from derivable.examiner.message import Message


class Kind(Enum):
    """The kinds of evaluation points; the value is the key of its message."""

    EXAMPLE = "point.example"  # the given inputs
    OTHER_VALUES = "point.other_values"  # other values of the same sizes
    SIZES = "point.sizes"  # all sizes changed together
    UNEQUAL_SIZES = "point.unequal_sizes"  # sizes that are equal in the given inputs differ
    EQUAL_SIZES = "point.equal_sizes"  # all sizes equal
    LONGER = "point.longer"  # rows of norm 1 in the given inputs are longer
    BATCH_OF_ONE = "point.batch_of_one"
    SIZE_ONE = "point.size_one"  # one size, which is no batch, is 1
    ALL_SIZES_TWO = "point.all_sizes_two"  # every size is 2
    SCALAR = "point.scalar"  # no dimensions
    EMPTY = "point.empty"  # a batch without rows
    WIDE = "point.wide"  # values from far below to far above the given ones
    SIGNED = "point.signed"  # the other sign than in the given inputs
    ASYMMETRIC = "point.asymmetric"  # a matrix that is symmetric in the given inputs is not
    UNITS = "point.units"  # all inputs times a power of two
    LARGE = "point.large"
    TINY = "point.tiny"
    ZERO = "point.zero"  # one entry is 0
    ZEROS = "point.zeros"  # every entry is 0
    EDGE = "point.edge"  # one entry is exactly 0, 1 or -1
    DTYPE = "point.dtype"  # another dtype


@dataclass(frozen=True)
class Point:
    """An evaluation point: its kind, and the fields of its message (argument, size, shapes)."""

    kind: Kind
    fields: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def message(self) -> Message:
        """The message that describes the point."""
        return Message(self.kind.value, self.fields)

    @classmethod
    def of(cls, point: Message | Point) -> Point:
        """The point that a message names; a point itself."""
        return point if isinstance(point, Point) else cls(Kind(point.key), point.fields)


class HasPoint(Protocol):
    """Anything with an evaluation point: an evaluation, a sample, a problem, a finding."""

    @property
    def point(self) -> Any:
        """The point, or the message that names it."""
        ...


def kind(placed: HasPoint) -> Kind:
    """The kind of an evaluation point."""
    return Point.of(placed.point).kind


GIVEN_SIZES = frozenset({Kind.EXAMPLE, Kind.OTHER_VALUES})
OTHER_SIZES = frozenset({Kind.SIZES, Kind.UNEQUAL_SIZES})
ORDINARY = GIVEN_SIZES | OTHER_SIZES | {Kind.EQUAL_SIZES}
SMALLEST_SIZES = frozenset({Kind.BATCH_OF_ONE, Kind.SIZE_ONE, Kind.ALL_SIZES_TWO, Kind.SCALAR})
OTHER_RANGES = frozenset({Kind.WIDE, Kind.SIGNED, Kind.ASYMMETRIC, Kind.LONGER})
SPECIAL = frozenset({Kind.LARGE, Kind.TINY, Kind.ZERO, Kind.ZEROS})
