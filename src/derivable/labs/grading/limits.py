"""`Limits` of time, memory and files for one copy."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1 << 20
LARGEST = 64 * MB  # of a copy that is read


@dataclass(frozen=True)
class Limits:
    """The limits for one copy; times in seconds, sizes in bytes.

    cell       time for one cell, or for one statement of a script
    cells      time for all of them together; afterwards only definitions are run
    question   time for the check of one question
    memory     that the copy may use besides PyTorch and the sheet
    file       size of one file that it writes
    folder     size of all files that it leaves in its folder
    output     that is kept of what it prints
    processes  that it may start
    """

    cell: float = 20.0
    cells: float = 60.0
    question: float = 20.0
    memory: int = 2048 * MB
    file: int = 64 * MB
    folder: int = 512 * MB
    output: int = 1 * MB
    processes: int = 16
