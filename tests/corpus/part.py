"""The part of what takes long that a run of the tests runs: the corpus, benchmarks, lab sheets.

The environment variable DERIVABLE_CORPUS is a number, 0 where it is left out, or `all`. `.ci/run`
takes the number from the commit, so that different commits examine different parts and a failure
is reproducible. Every night all is examined (.github/workflows/nightly.yml).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

CHOSEN = os.environ.get("DERIVABLE_CORPUS") or "0"

T = TypeVar("T")


def part(cases: Sequence[T], parts: int) -> list[T]:
    """One of so many parts of about the same size, which one DERIVABLE_CORPUS states; or all."""
    return list(cases) if CHOSEN == "all" else list(cases[int(CHOSEN) % parts :: parts])
