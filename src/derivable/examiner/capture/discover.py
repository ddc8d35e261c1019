"""Every Function of a file, a module or a package: loaded, named, and told apart."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import importlib.util
import inspect
import pkgutil
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from derivable.errors import SettingError, TargetError
from derivable.examiner.render.show import short


@dataclass(frozen=True)
class Found:
    """A Function to be examined, and where it is defined.

    `module` is the dotted name, or the stem of a file that belongs to no package.
    """

    name: str
    module: str
    path: str
    line: int  # counted from 1
    target: Any


@dataclass(frozen=True)
class Discovery:
    """What a target names: its Functions, and one sentence for each submodule that fails."""

    found: tuple[Found, ...]
    problems: tuple[str, ...] = ()


def discover(target: str) -> Discovery:
    """The Functions that `file.py`, `package.module` or one of them with `:Name` defines.

    A Function belongs to the module that defines it, not to those that import it; a package's
    submodules are looked through, too. This runs the user's code, as an import does. Raises
    SettingError if there is no such file, module or name, and TargetError if its code fails.
    """
    head, _, name = target.rpartition(":")
    where, name = (head, name) if head and name.isidentifier() else (target, "")
    module = _load(where)
    if name:
        return Discovery((_named(module, name, where),))
    modules, problems = [module], []
    for submodule in _below(module):
        try:
            modules.append(_import(submodule))
        except TargetError as error:
            problems.append(str(error))
    found = {id(f.target): f for module in modules for f in _defined(module)}
    return Discovery(tuple(found.values()), tuple(problems))


def told(error: BaseException) -> str:
    """One sentence for an error in the user's code: `cube.py:14: NameError: ...`."""
    words = " ".join(str(error).split())
    if isinstance(error, SyntaxError):
        words = f"{error.msg}: {(error.text or '').strip()}"
        return f"{short(error.filename or '?')}:{error.lineno}: {type(error).__name__}: {words}"
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not _is_machinery(frame.filename)]
    place = f"{short(theirs[-1].filename)}:{theirs[-1].lineno}: " if theirs else ""
    return f"{place}{type(error).__name__}{': ' if words else ''}{words}"


def _load(where: str) -> ModuleType:
    """The module of a file, of a folder that is a package, or of a dotted name."""
    path = Path(where)
    if path.is_dir():
        path = path / "__init__.py"
        if not path.is_file():
            raise SettingError(f"{where} is a folder and no package; name a file in it")
    if path.suffix == ".py" or path.is_file():
        if not path.is_file():
            raise SettingError(f"there is no file {where}")
        if path.suffix != ".py":
            raise SettingError(f"{where} is no file of Python; its name must end in .py")
        return _load_file(path.resolve())
    if not all(part.isidentifier() for part in where.split(".")):
        raise SettingError(
            f"{where!r} is no file and no module; expected file.py, package.module, or one of "
            "them with :Name"
        )
    with _importing_from(Path.cwd()):
        try:
            known = importlib.util.find_spec(where) is not None
        except ModuleNotFoundError as error:
            missing = error.name or ""
            if where != missing and not where.startswith(f"{missing}."):
                raise TargetError(told(error)) from None
            known = False
        except Exception as error:  # a parent package fails
            raise TargetError(told(error)) from None
        if not known:
            parent, _, last = where.rpartition(".")
            hint = f"; did you mean {parent}:{last}?" if last[:1].isupper() and parent else ""
            raise SettingError(f"there is no module {where} to be found from here{hint}")
        return _import(where)


def _load_file(path: Path) -> ModuleType:
    """The module of a file: under its dotted name where its folder is a package."""
    root, parts = path.parent, [path.stem] if path.stem != "__init__" else []
    while (root / "__init__.py").is_file():
        parts.insert(0, root.name)
        root = root.parent
    name = ".".join(parts)
    with _importing_from(root):
        if len(parts) > 1 or path.stem == "__init__":
            module = _import(name)
            if Path(module.__file__ or "").resolve() == path:
                return module
            raise TargetError(
                f"{short(str(path))}: another {name} was found first, at {module.__file__}"
            )
        return _run_file(path)


def _run_file(path: Path) -> ModuleType:
    """Run a file that stands alone, as a module of its own name.

    The modules that it imports from its own folder are forgotten again, so that the next
    file, in another folder, meets its own.
    """
    for module in list(sys.modules.values()):
        if getattr(module, "__file__", None) == str(path) and module.__name__ != "__main__":
            return module
    name = path.stem
    while name in sys.modules:
        name += "_"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = set(sys.modules)
    sys.modules[name] = module
    try:
        with _told_by_the_user():
            spec.loader.exec_module(module)
    except TargetError:
        del sys.modules[name]
        raise
    finally:
        for other in set(sys.modules) - before - {name}:
            file = getattr(sys.modules[other], "__file__", None)
            if file and Path(file).is_relative_to(path.parent) and "site-packages" not in file:
                del sys.modules[other]
    return module


def _import(name: str) -> ModuleType:
    with _told_by_the_user():
        return importlib.import_module(name)


@contextlib.contextmanager
def _told_by_the_user() -> Iterator[None]:
    """Whatever the user's code raises becomes one sentence."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except SystemExit as error:
        raise TargetError(
            f"{told(error)}; what a file does when it is run belongs below "
            'if __name__ == "__main__":'
        ) from None
    except BaseException as error:
        raise TargetError(told(error)) from None


@contextlib.contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """As if Python had been started there; afterwards sys.path is as it was."""
    before = list(sys.path)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = before


def _below(module: ModuleType) -> Iterator[str]:
    """The names of all submodules; a package is imported to look into it."""
    for info in pkgutil.iter_modules(getattr(module, "__path__", []), f"{module.__name__}."):
        if info.name.endswith(".__main__"):
            continue  # importing it would run the program
        yield info.name
        if info.ispkg and info.name in sys.modules:
            yield from _below(sys.modules[info.name])


def _defined(module: ModuleType) -> Iterator[Found]:
    """The Functions that are defined in `module`, in the order of their lines."""
    yield from sorted(
        (
            _found(value)
            for value in vars(module).values()
            if _is_function(value) and value.__module__ == module.__name__
        ),
        key=lambda found: found.line,
    )


def _named(module: ModuleType, name: str, where: str) -> Found:
    """What `file.py:Name` means: any Function or callable that the module knows by this name."""
    value = getattr(module, name, None)
    if _is_function(value) or (callable(value) and not isinstance(value, type)):
        return _found(value)
    known = [found.name for found in _defined(module)]
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"it defines {', '.join(known) or 'none'}"
    raise SettingError(f"{where} has no Function {name}; {hint}")


def _found(value: Any) -> Found:
    module = getattr(value, "__module__", None) or "?"
    try:
        path, line = inspect.getsourcefile(value) or "?", inspect.getsourcelines(value)[1]
    except (OSError, TypeError):
        path, line = getattr(sys.modules.get(module), "__file__", None) or "?", 1
    name = getattr(value, "__name__", type(value).__name__)
    if "." not in module and Path(path).stem != "__init__":
        module = Path(path).stem  # without what was added where the name was taken
    return Found(name, module, path, line, value)


def _is_function(value: Any) -> bool:
    """Whether it is a Function with a rule of its own; a base for others has none."""
    return (
        isinstance(value, type)
        and issubclass(value, torch.autograd.Function)
        and value.forward is not torch.autograd.Function.forward
    )


def _is_machinery(filename: str) -> bool:
    """Whether a line of a traceback belongs to Python, to a package or to us, not to the user."""
    places = {Path(__file__).parents[1], *map(Path, sysconfig.get_paths().values())}
    return filename.startswith("<") or any(Path(filename).is_relative_to(p) for p in places)
