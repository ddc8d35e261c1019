"""`Finding`: one thing that the examiner found, as data; `sentences` turns it into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


class Message(NamedTuple):
    """A sentence of the table, by its key, with what stands in its gaps."""

    key: str
    fields: Mapping[str, Any] = {}


class Source(NamedTuple):
    """A line of the user's code: the `return` of the backward."""

    path: str
    line: int  # counted from 1
    text: str


class Worst(NamedTuple):
    """The entry of a gradient that is furthest off, and what was returned and measured there."""

    index: tuple[int, ...]  # type: ignore[assignment]  # hides tuple.index
    returned: float | complex
    measured: float | complex
    error: float  # of the measurement; absolute


@dataclass(frozen=True)
class Finding:
    """One mistake, and what speaks for it.

    `cause` is an id of `causes.CAUSES`; `rivals` are the other causes that fit as well.
    """

    function: str
    cause: str
    argument: str | None  # the name of forward's parameter whose gradient is concerned
    where: Message  # at which inputs it shows
    evidence: tuple[Message, ...]
    worst: Worst | None = None
    rivals: tuple[str, ...] = ()
    source: Source | None = None
    inputs: Sequence[Any] = ()  # those at which it shows; empty for the given ones
