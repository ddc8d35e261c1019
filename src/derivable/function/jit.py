"""`njit` and `cfunc` of Numba with a cache on disk that can neither break a run nor be out of date.

Numba's own cache raises where it cannot be written or is damaged, and looks only at the file of a
function, though functions of other files are compiled into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile, NullCache
from numba.core.ccallback import CFunc

# Sums may be taken in any order; unlike in full fastmath, infinity and NaN stay what they are.
FAST: dict[str, Any] = {
    "error_model": "numpy",
    "nogil": True,
    "fastmath": {"reassoc", "contract", "nsz", "arcp"},
}
# For functions that only compiled code calls: half of their time to compile is the way from Python.
# They become part of what calls them. Otherwise two routines that call the same one would each hold
# a copy, with its sums in an order of its own, and the linker takes either: a process that compiled
# would not give the bits of one that found the code on the disk.
INNER = FAST | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": True}


@cache
def _stamps(folder: Path) -> list[tuple[str, float, int]]:
    """The files of a folder as they were when this process first looked at them.

    Not as they are: code that was edited meanwhile would be kept on disk, compiled as it was,
    under the stamps of what it has become.
    """
    files = [(file, file.stat()) for file in sorted(folder.glob("*.py"))]
    return [(file.name, stat.st_mtime, stat.st_size) for file, stat in files]


for _folder in ("function", "functions/elementwise", "objective"):  # before anything is compiled
    _stamps(Path(__file__).parents[1] / _folder)


class _Cache(FunctionCache):
    """Good as long as no file in the folders of `parts` has changed; damage is compiled over."""

    def __init__(self, function: Callable[..., Any], parts: Iterable[Any]) -> None:
        super().__init__(function)
        folders = {Path(part.__code__.co_filename).parent for part in (function, *parts)}
        stamp = [_stamps(folder) for folder in sorted(folders)]
        self._cache_file = IndexDataCacheFile(self._cache_path, self._impl.filename_base, stamp)

    def load_overload(self, signature: Any, context: Any) -> Any:
        """What was compiled, or None where nothing is to be had."""
        try:
            return super().load_overload(signature, context)
        except Exception:  # any: what a damaged pickle raises is not foreseeable
            with suppress(OSError):
                self.flush()
        return None

    def save_overload(self, signature: Any, data: Any) -> None:
        """Keep what was compiled, if that is possible."""
        with suppress(Exception):
            super().save_overload(signature, data)


def njit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """`numba.njit(**options)`, cached."""

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher = numba.njit(**options)(function)
        dispatcher._cache = _cache_of(function)
        return dispatcher

    return decorate


def cfunc(
    signature: Any, function: Callable[..., Any], parts: Sequence[Any], **options: Any
) -> Any:
    """`numba.cfunc(signature, **options)(function)`, cached if all of its `parts` are ours.

    The parts are the functions that it finds in its closure. What those of others call, and
    whether that has changed, is not known.
    """
    arguments = signature.args, signature.return_type
    callback = CFunc(function, arguments, locals={}, options=options)
    if all(part.__module__.startswith("derivable.") for part in parts):
        callback._cache = _cache_of(function, parts)
    callback.compile()
    return callback


def _cache_of(function: Callable[..., Any], parts: Sequence[Any] = ()) -> Any:
    try:
        return _Cache(function, parts)
    except (OSError, RuntimeError):  # there is nowhere to write
        return NullCache()
