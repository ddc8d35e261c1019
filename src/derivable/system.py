"""What the system states of its memory and of this process."""

from __future__ import annotations

from pathlib import Path

MEMORY = "/proc/meminfo"  # of the machine
PROCESS = "/proc/self/status"  # of this process


def sizes(file: str) -> dict[str, int]:
    """Sizes by name, in bytes, from `MEMORY` or `PROCESS`; none where there is no such file."""
    try:
        lines = [line.split() for line in Path(file).read_text().splitlines()]
        return {
            words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if words[2:] == ["kB"]
        }
    except (OSError, ValueError):  # no Linux
        return {}
