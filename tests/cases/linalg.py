"""Cases of linear algebra."""

from __future__ import annotations

from tests.cases.case import Case

LINALG: list[Case] = []
