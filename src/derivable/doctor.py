"""What an installation has and lacks, one finding each, with what to do.

Nothing is imported before it is examined: a broken PyTorch must not break its doctor.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

import derivable
from derivable.core_messages import reason_of
from derivable.doctor_messages import say
from derivable.extras import EXTRAS, is_installed

FINE, NOTE, BROKEN = "fine", "note", "broken"


@dataclass(frozen=True)
class Finding:
    """The state of one part of the installation."""

    what: str
    state: str  # fine; a note, which something may lack; broken
    text: str
    to_do: str = ""  # empty where nothing needs to be done

    def to_dict(self) -> dict[str, str]:
        """The finding as a dictionary of strings, for JSON."""
        return asdict(self)


def examine() -> list[Finding]:
    """The findings of all checks; a check that raises is a finding, too."""
    checks: list[Callable[[], Iterator[Finding]]] = [
        _python, _libraries, _threads, _compiler, _data, _folder
    ]  # fmt: skip
    found = []
    for check in checks:
        try:
            found += list(check())
        except Exception as error:
            name = check.__name__.strip("_")
            text = say("not_examined", kind=type(error).__name__, error=error)
            found.append(Finding(name, BROKEN, text, say("report_this")))
    return found


def _python() -> Iterator[Finding]:
    folder = Path(derivable.__file__).parent
    installed = say("version_in", version=derivable.__version__, folder=folder)
    yield Finding("derivable", FINE, installed)
    version = platform.python_version()
    old = sys.version_info < (3, 11)
    to_do = say("install_python") if old else ""
    yield Finding("python", BROKEN if old else FINE, f"{version}, {platform.platform()}", to_do)


def _libraries() -> Iterator[Finding]:
    """Everything that pyproject.toml asks for, whether it can be imported and is new enough."""
    wanted = [Requirement(line) for line in importlib.metadata.requires("derivable") or []]
    for one in wanted:
        if one.marker is None:
            yield _library(one, one.name, "")
    for extra, modules in EXTRAS.items():
        for one in wanted:
            named = one.marker is not None and one.marker.evaluate({"extra": extra})
            if named and one.name in modules:
                yield _library(one, modules[one.name], extra)


def _library(wanted: Requirement, module: str, extra: str) -> Finding:
    name = wanted.name
    install = f"pip install 'derivable[{extra}]'" if extra else f"pip install '{name}'"
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        if extra:
            return Finding(name, NOTE, say("not_installed_extra", extra=extra), install)
        return Finding(name, BROKEN, say("not_installed"), install)
    try:
        importlib.import_module(module)
    except Exception as error:  # a library with a missing part can raise anything
        gaps = {"kind": type(error).__name__, "error": _first_line(error)}
        text = say("not_imported", version=version, **gaps)
        return Finding(name, BROKEN, text, f"pip install --force-reinstall '{name}'")
    if not wanted.specifier.contains(version, prereleases=True):
        text = say("too_old", version=version, least=wanted.specifier)
        return Finding(name, BROKEN, text, f"pip install --upgrade '{name}{wanted.specifier}'")
    return Finding(name, FINE, version)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


def _threads() -> Iterator[Finding]:
    import torch

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    used = torch.get_num_threads()
    many = used > (usable or 1)
    to_do = say("set_threads", usable=usable) if many else ""
    text = say("processors", used=used, usable=usable)
    yield Finding(say("threads"), NOTE if many else FINE, text, to_do)


def _compiler() -> Iterator[Finding]:
    """Whether Numba compiles, and keeps what it compiled."""
    if not is_installed("numba"):
        return  # reported among the libraries
    import numba

    from derivable.compiler.store import Store

    compiled: Any = numba.njit(lambda number: number + 1)
    compiled(1)
    yield Finding(say("compiler"), FINE, say("numba_compiles"))
    store = Store()
    if store.is_writable():
        yield Finding(say("compiler_cache"), FINE, str(store.folder))
    else:
        text = say("store_unwritable", folder=store.folder)
        yield Finding(say("compiler_cache"), NOTE, text, say("set_store"))


def _data() -> Iterator[Finding]:
    from derivable.data.california import CACHE_FILE, cache_folder

    folder = cache_folder()
    if (folder / CACHE_FILE).is_file():
        yield Finding("california", FINE, f"{folder / CACHE_FILE}")
        return
    text = say("no_california_file", file=CACHE_FILE, folder=folder)
    yield Finding("california", NOTE, text, say("fetch"))
    above = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(above, os.W_OK):
        text = say("cache_unwritable", folder=above)
        yield Finding(say("data_cache"), NOTE, text, say("set_cache"))


def _folder() -> Iterator[Finding]:
    """Whether a run can be written here."""
    here = Path.cwd()
    try:
        with tempfile.TemporaryFile(dir=here):
            yield Finding(say("this_folder"), FINE, say("runs_under", folder=here / "runs"))
    except OSError as error:
        text = say("unwritable", folder=here, reason=reason_of(error))
        yield Finding(say("this_folder"), NOTE, text, say("other_folder"))
