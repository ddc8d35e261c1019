"""`Caches`: cached files that each copy of a student receives, so that none can change them."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from derivable.compiler.store import Store
from derivable.labs.grading.limits import MB

FONTS, COMPILED = ".matplotlib", ".numba"  # in the temporary folder of a copy
LARGEST = 8 * MB  # of one file


@dataclass(frozen=True)
class Caches:
    """Folders of the marker's; None for one that is not there.

    fonts     Matplotlib's, with its list of fonts, which takes a second to make
    compiled  derivable's, with compiled loops, which take many seconds
    """

    fonts: Path | None = None
    compiled: Path | None = None

    def bring(self, root: Path) -> None:
        """Copy both below the temporary folder of a copy."""
        if self.fonts is not None:
            _copy(self.fonts, root / FONTS, "fontlist-*.json")
        if self.compiled is not None:
            _copy(self.compiled, root / COMPILED / "derivable" / self.compiled.name, "*.bin")


NO_CACHES = Caches()


def caches_here() -> Caches:
    """The caches of this user, as far as there are any."""
    import matplotlib

    fonts, compiled = Path(matplotlib.get_cachedir()), Store().folder
    return Caches(
        fonts if any(fonts.glob("fontlist-*.json")) else None,
        compiled if compiled.is_dir() else None,
    )


def _copy(folder: Path, to: Path, pattern: str) -> None:
    """Copy files, as far as that goes: what is missing is made anew."""
    with suppress(OSError):
        to.mkdir(parents=True, exist_ok=True)
        for file in folder.glob(pattern):
            if file.stat().st_size <= LARGEST:
                shutil.copyfile(file, to / file.name)
