"""`Point`: at which inputs something was evaluated, as data that code can ask and people can read.

An evaluation point has a kind, such as the given inputs or a batch of one, and fields that state
which argument or size it concerns. Code compares kinds; only `message` names the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from derivable.examiner.message import Message


class Kind(Enum):
    """The kinds of evaluation points; the value is the key of its message."""

    EXAMPLE = "where.example"  # the given inputs
    AGAIN = "where.again"  # other values of the same sizes
    SIZES = "where.sizes"  # all sizes changed together
    UNTIED = "where.untied"  # sizes that are equal in the given inputs differ
    TIED = "where.tied"  # all sizes equal
    LONGER = "where.longer"  # rows of norm 1 in the given inputs are longer
    BATCH_OF_ONE = "where.batch_of_one"
    SIZE_ONE = "where.size_one"  # one size, which is no batch, is 1
    PAIRS = "where.pairs"  # every size is 2
    SCALAR = "where.scalar"  # no dimensions
    EMPTY = "where.empty"  # a batch without rows
    WIDE = "where.wide"  # values from far below to far above the given ones
    SIGNED = "where.signed"  # the other sign than in the given inputs
    CROOKED = "where.crooked"  # a matrix that is symmetric in the given inputs is not
    UNITS = "where.units"  # all inputs times a power of two
    LARGE = "where.large"
    TINY = "where.tiny"
    ZERO = "where.zero"  # one entry is 0
    ZEROS = "where.zeros"  # every entry is 0
    EDGE = "where.edge"  # one entry is exactly 0, 1 or -1
    DTYPE = "where.dtype"  # another dtype


@dataclass(frozen=True)
class Point:
    """An evaluation point: its kind, and the fields of its message (argument, size, shapes)."""

    kind: Kind
    fields: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def message(self) -> Message:
        """The point in words."""
        return Message(self.kind.value, self.fields)

    @classmethod
    def of(cls, where: Message | Point) -> Point:
        """The point that a message names; a point itself."""
        return where if isinstance(where, Point) else cls(Kind(where.key), where.fields)


class HasPoint(Protocol):
    """Anything with an evaluation point: an evaluation, a sample, a problem, a finding."""

    @property
    def where(self) -> Any:
        """The point, or the message that names it."""
        ...


def kind(placed: HasPoint) -> Kind:
    """The kind of the point at which something was seen."""
    return Point.of(placed.where).kind


GIVEN_SIZES = frozenset({Kind.EXAMPLE, Kind.AGAIN})
OTHER_SIZES = frozenset({Kind.SIZES, Kind.UNTIED})
ORDINARY = GIVEN_SIZES | OTHER_SIZES | {Kind.TIED}
LONE = frozenset({Kind.BATCH_OF_ONE, Kind.SIZE_ONE, Kind.PAIRS, Kind.SCALAR})
BEYOND = frozenset({Kind.WIDE, Kind.SIGNED, Kind.CROOKED, Kind.LONGER})
SPECIAL = frozenset({Kind.LARGE, Kind.TINY, Kind.ZERO, Kind.ZEROS})
