"""What an installation has and lacks, one finding each, with what to do.

Nothing is imported before it is examined: a broken PyTorch must not break its doctor.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import derivable
from derivable.compiler import numba_is_installed
from derivable.core_messages import reason_of
from derivable.doctor_messages import say

FINE, NOTE, BROKEN = "fine", "note", "broken"
# Where the module has another name than its package.
_MODULES = {"scikit-learn": "sklearn", "python-calamine": "python_calamine"}
_EXTRAS = {"numba": "fast", "onnx": "onnx", "python-calamine": "excel"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: str  # fine; a note, which something may lack; broken
    said: str
    to_do: str = ""  # empty where nothing needs to be done

    def to_dict(self) -> dict[str, str]:
        """Plain words, for JSON."""
        return asdict(self)


def examine() -> list[Finding]:
    """Look at everything; an examination that fails is a finding too."""
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
    for line in importlib.metadata.requires("derivable") or []:
        package = re.split(r"[<>=!~;\[ ]", line)[0]
        extra = re.search(r"extra == ['\"]([^'\"]*)", line)
        if extra is None or _EXTRAS.get(package) == extra[1]:
            yield _library(package, line, extra[1] if extra else "")


def _library(package: str, requirement: str, extra: str) -> Finding:
    install = f"pip install 'derivable[{extra}]'" if extra else f"pip install '{package}'"
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        if extra:
            return Finding(package, NOTE, say("not_installed_extra", extra=extra), install)
        return Finding(package, BROKEN, say("not_installed"), install)
    try:
        importlib.import_module(_MODULES.get(package, package))
    except Exception as error:  # a library with a missing part can raise anything
        gaps = {"kind": type(error).__name__, "error": _first_line(error)}
        text = say("not_imported", version=version, **gaps)
        return Finding(package, BROKEN, text, f"{install} --force-reinstall")
    least = re.search(r">=([0-9.]+)", requirement)
    if least and _numbers(version) < _numbers(least[1]):
        text = say("too_old", version=version, least=least[1])
        return Finding(package, BROKEN, text, f"pip install --upgrade '{package}>={least[1]}'")
    return Finding(package, FINE, version)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3])


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
    if not numba_is_installed():
        return  # reported among the libraries
    import numba

    from derivable.compiler.store import Store

    compiled: Any = numba.njit(lambda number: number + 1)
    works = compiled(1) == 2
    to_do = "" if works else "pip install --force-reinstall numba llvmlite"
    yield Finding(say("compiler"), FINE if works else BROKEN, say("numba_compiles"), to_do)
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
