"""`Message`: a text for people, as the key of a table with what stands in its gaps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Message(NamedTuple):
    """A message of the table, by its key, with what fills its gaps."""

    key: str
    fields: Mapping[str, Any] = {}
