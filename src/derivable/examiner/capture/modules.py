"""Imports of modules and packages, with messages for what fails or is missing."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from derivable.errors import SettingError, TargetError
from derivable.examiner.capture.locations import error_line, error_text
from derivable.examiner.capture.recording import LongLoopError
from derivable.examiner.capture.surroundings import TimeUpError
from derivable.examiner.message import Message
from derivable.examiner.messages import error_of
from derivable.examiner.render.show import short


def with_submodules(module: ModuleType) -> tuple[list[ModuleType], list[str], list[Message]]:
    """The module and those below it, texts for what fails, messages for what is missing."""
    modules, problems = [module], []
    missing: dict[tuple[str, str], list[str]] = {}
    for submodule in _below(module):
        try:
            modules.append(import_(submodule))
        except MissingError as error:
            missing.setdefault((error.key, error.missing), []).append(submodule)
        except TargetError as error:
            problems.append(str(error))
    notes = []
    for (key, name), of in missing.items():
        named = ", ".join(of[:3]) + (", ..." if len(of) > 3 else "")
        notes.append(Message(key, {"module": name, "count": len(of), "names": named}))
    return modules, problems, notes


class MissingError(TargetError):
    """A module needs another one that is not installed; `key` is that of the message."""

    def __init__(self, error: ImportError) -> None:
        super().__init__(error_line(error))
        known = isinstance(error, ModuleNotFoundError) and error.name
        self.key = "run.missing_of" if known else "run.not_imported"
        self.missing = str(error.name).partition(".")[0] if known else error_text(error)


def exists(path: Path) -> bool:
    """True for a file; raises SettingError for none."""
    if not path.is_file():
        raise error_of(SettingError, "error.no_file", path=path)
    return True


def load(where: str) -> ModuleType:
    """The module of a file in a package, of a folder that is one, or of a dotted name."""
    path = Path(where)
    if path.is_dir():
        path = path / "__init__.py"
        if not path.is_file():
            raise error_of(SettingError, "error.no_package", path=where)
    if path.suffix == ".py" or path.is_file():
        exists(path)
        if path.suffix != ".py":
            raise error_of(SettingError, "error.no_python_file", path=where)
        return _load_file(path.resolve())
    if not all(part.isidentifier() for part in where.split(".")):
        raise error_of(SettingError, "error.no_target", name=where)
    with importing_from(Path.cwd()):
        if spec_of(where) is None:
            parent, _, last = where.rpartition(".")
            if last[:1].isupper() and parent:
                hint = Message("error.did_you_mean", {"name": f"{parent}:{last}"})
                raise error_of(SettingError, "error.no_module_but", module=where, hint=hint)
            raise error_of(SettingError, "error.no_module", module=where)
        return import_(where)


def spec_of(where: str) -> Any:
    """The spec of a module, or None; raises TargetError if a package above it fails."""
    try:
        return importlib.util.find_spec(where)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if where != missing and not where.startswith(f"{missing}."):
            raise TargetError(error_line(error)) from None
        return None
    except Exception as error:  # a parent package fails
        raise TargetError(error_line(error)) from None


def _load_file(path: Path) -> ModuleType:
    """The module of a file in a package, under its dotted name."""
    root, parts = path.parent, [path.stem] if path.stem != "__init__" else []
    while (root / "__init__.py").is_file():
        parts.insert(0, root.name)
        root = root.parent
    name = ".".join(parts)
    with importing_from(root):
        module = import_(name)
        if Path(module.__file__ or "").resolve() == path:
            return module
        raise error_of(
            TargetError, "error.other_module",
            path=short(str(path)), module=name, other=module.__file__,
        )  # fmt: skip


def import_(name: str) -> ModuleType:
    """Import a module; raises TargetError for any error of its code."""
    try:
        return importlib.import_module(name)
    except (KeyboardInterrupt, TimeUpError, LongLoopError):
        raise
    except ImportError as error:
        if (error.name or "").partition(".")[0] == name.partition(".")[0]:  # its own mistake
            raise TargetError(error_line(error)) from None
        raise MissingError(error) from None
    except BaseException as error:
        raise TargetError(error_line(error)) from None


@contextlib.contextmanager
def importing_from(folder: Path) -> Iterator[None]:
    """Inside, sys.path is as if Python had been started in the folder."""
    before = list(sys.path)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = before


def _below(module: ModuleType) -> Iterator[str]:
    """The names of all submodules; a package is imported to find those below it."""
    for info in pkgutil.iter_modules(getattr(module, "__path__", []), f"{module.__name__}."):
        if info.name.endswith(".__main__"):
            continue  # importing it would run the program
        yield info.name
        if info.ispkg and info.name in sys.modules:
            yield from _below(sys.modules[info.name])
