"""`Message`: a text of reports, as the key of its template and the values of its gaps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Message(NamedTuple):
    """A message by the key of its template, with the values of its gaps."""

    key: str
    fields: Mapping[str, Any] = {}
