"""`Routine` and `Entry`: functions that Numba compiles for one signature, once on a machine.

A routine is called by other compiled code, through its address. What Numba compiles into a caller
goes through the compiler again with each caller; a routine is compiled by itself. An entry is
called from Python.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import pickle
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import llvmlite
import numba
from numba.core.caching import CompileResultCacheImpl, _Cache
from numba.core.ccallback import CFunc
from numba.core.registry import cpu_target
from numba.core.runtime import rtsys

from derivable.compiler.store import Store, source_digest

# Sums may be taken in any order; unlike in full fastmath, infinity and NaN stay what they are.
FAST: dict[str, Any] = {
    "error_model": "numpy",
    "nogil": True,
    "fastmath": {"reassoc", "contract", "nsz", "arcp"},
}
source_digest()  # of the sources as they are now, before anything is compiled from them


class Compiled(ABC):
    """A function and its signature; compiled, or loaded from the disk, when it is first used.

    `parts` are the functions that it finds in its closure. What is made of parts of this package,
    or of parts that state their `source`, is kept on disk; any other part may call what has
    changed since. `needs` are modules that give functions their compiled meaning: what is found on
    the disk does without them. `seconds` is about how long it takes to compile beside the others.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        signature: Any,
        *,
        parts: Sequence[Callable[..., Any]] = (),
        needs: Sequence[str] = (),
        seconds: float = 0.5,
        **options: Any,
    ) -> None:
        self.function, self.signature, self.parts = function, signature, tuple(parts)
        self.needs = tuple(needs)
        self.seconds, self.options = seconds, FAST | options
        self.__doc__ = function.__doc__

    @property
    def name(self) -> str:
        """The module and name of the function."""
        return f"{self.function.__module__}.{self.function.__qualname__}"

    @cached_property
    def key(self) -> str | None:
        """What names it on the disk; None where its parts cannot be distinguished from others."""
        parts = [_identity(part) for part in self.parts]
        if None in parts:
            return None
        described = (
            self.name,
            str(self.signature),
            sorted((name, _in_order(value)) for name, value in self.options.items()),
            parts,
            source_digest(),
            sys.implementation.cache_tag,
            numba.__version__,
            llvmlite.__version__,
            cpu_target.target_context.codegen().magic_tuple(),
        )
        digest = hashlib.sha256(repr(described).encode()).hexdigest()[:24]
        return f"{self.function.__name__}-{digest}"

    @property
    def is_at_hand(self) -> bool:
        """Whether it is loaded, or lies on the disk."""
        return self._is_loaded or (self.key is not None and Store().holds(self.key))

    def load(self, *, wait: bool = True) -> bool:
        """Load it, or compile it where it is not on the disk.

        With `wait` False, False where another process is compiling it.
        """
        if self._is_loaded:
            return True
        if self.key is None or Store().holds(self.key):
            self._load()
            return True
        with Store().claimed(self.key, wait=wait) as claimed:
            if claimed:
                with _without_collections():
                    self._load()
            return claimed

    def _cache(self) -> Any:
        return _Stored(self.key, self.needs)

    @property
    @abstractmethod
    def _is_loaded(self) -> bool:
        """Whether the code is in memory."""

    @abstractmethod
    def _load(self) -> None:
        """Get it into memory: `_cache` has it, or it is compiled."""


class Routine(Compiled):
    """A function for compiled code, which calls it through its `address`."""

    @cached_property
    def _callback(self) -> CFunc:
        arguments = self.signature.args, self.signature.return_type
        callback = CFunc(self.function, arguments, locals={}, options=self.options)
        callback._cache = self._cache()
        callback.compile()
        return callback

    @property
    def _is_loaded(self) -> bool:
        return "_callback" in self.__dict__

    def _load(self) -> None:
        _ = self._callback

    @property
    def address(self) -> int:
        """Where its code lies, as long as the routine does."""
        self.load()
        return int(self._callback.address)

    @property
    def ctypes(self) -> Any:
        """The same as a function of ctypes."""
        self.load()
        return self._callback.ctypes


class Entry(Compiled):
    """A function for Python, for arguments of its signature only."""

    @cached_property
    def _dispatcher(self) -> Any:
        dispatcher = numba.njit(**self.options)(self.function)
        dispatcher._cache = self._cache()
        dispatcher.compile(self.signature)
        dispatcher.disable_compile()
        return dispatcher

    @property
    def _is_loaded(self) -> bool:
        return "_dispatcher" in self.__dict__

    def _load(self) -> None:
        _ = self._dispatcher

    def __call__(self, *arguments: Any) -> Any:
        """What the function returns."""
        if not self._is_loaded:
            self.load()
        return self._dispatcher(*arguments)


def _in_order(value: Any) -> str:
    """An option in words that are the same in every process."""
    return str(sorted(value) if isinstance(value, set) else value)


def _identity(part: Callable[..., Any]) -> str | None:
    """What tells a part from others: its name in this package, or the source that it states."""
    source = getattr(part, "source", None)
    if isinstance(source, str):
        return source
    if part.__module__.startswith("derivable."):
        return f"{part.__module__}.{part.__qualname__}"
    return None


class _Stored(_Cache):  # type: ignore[misc]  # Numba states no types
    """What Numba asks for compiled code, with one file of the store behind it, if there is a key.

    Where it has none, Numba compiles, and the modules that are needed for that are imported.
    """

    def __init__(self, key: str | None, needs: Sequence[str]) -> None:
        self._key, self._needs, self._store = key, needs, Store()

    @property
    def cache_path(self) -> str:
        return str(self._store.folder)

    def load_overload(self, signature: Any, context: Any) -> Any:
        """What was compiled, or None where nothing is to be had."""
        found = self._load(context) if self._key else None
        if found is None:
            for module in self._needs:
                importlib.import_module(module)
        return found

    def _load(self, context: Any) -> Any:
        assert self._key is not None  # it is asked for where there is one
        rtsys.initialize(context)  # all that loading needs; context.refresh() takes 0.3 s more
        content = self._store.load(self._key)
        if content is None:
            return None
        try:
            return CompileResultCacheImpl.rebuild(None, context, pickle.loads(content))
        except Exception:  # any: what a damaged pickle raises is not foreseeable
            self._store.forget(self._key)
            return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep what was compiled, if that is possible."""
        if self._key and not result.library.has_dynamic_globals:
            self._store.save(self._key, numba.core.serialize.dumps(result._reduce()))

    def enable(self) -> None:
        """Nothing: it always is."""

    def disable(self) -> None:
        """Nothing: it always is enabled."""

    def flush(self) -> None:
        """Forget what was kept."""
        if self._key:
            self._store.forget(self._key)


def get_ready_to_compile() -> None:
    """Let Numba import all that compiling takes, which it otherwise does with the first routine."""
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()


@contextmanager
def _without_collections() -> Iterator[None]:
    """Without Python's garbage collector, whose passes take a sixth of the time to compile."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
