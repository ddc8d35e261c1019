"""Cases of the larger pieces of networks."""

from __future__ import annotations

from tests.cases.case import Case

LAYERS: list[Case] = []
