"""What there is to examine in files, notebooks, modules and packages: run, and looked through."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from derivable.errors import SettingError, TargetError
from derivable.examiner.capture import by_hand, program
from derivable.examiner.capture.calls import Calls
from derivable.examiner.capture.places import (
    DERIVABLE,
    INSTALLED,
    TORCH,
    is_below,
    place_of,
    told,
)
from derivable.examiner.capture.recording import LongLoopError, Recording
from derivable.examiner.capture.sources import cells, script
from derivable.examiner.capture.surroundings import TimeUpError, surroundings, time_limit
from derivable.examiner.finding import Message
from derivable.examiner.render.show import short

SECONDS = 60.0  # for which a program may run


@dataclass(frozen=True)
class Settings:
    """How the code of a target is run: for how long, how far, and with which arguments.

    `main` runs a file as the main program, as `python file.py` does; otherwise as an import.
    """

    seconds: float = SECONDS
    setup_only: bool = False
    arguments: Sequence[str] = ()
    main: bool = False


@dataclass(frozen=True)
class Found:
    """What is to be examined, where it is defined, and its recorded calls.

    `module` is the dotted name, or the stem of a file that belongs to no package.
    """

    name: str
    module: str
    path: str
    line: int  # counted from 1
    target: Any
    calls: Calls | None = None
    dtype: torch.dtype = torch.float32  # PyTorch's default dtype where it is defined


@dataclass(frozen=True)
class Discovery:
    """What a target names; one message for each line at which its code stopped or failed.

    `problems` are sentences for code that failed, where nothing can be examined because of that.
    """

    found: tuple[Found, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[Message, ...] = ()


def discover(target: str, settings: Settings | None = None) -> Discovery:
    """What `file.py`, `notebook.ipynb`, `package.module` or one with `:Name` defines and calls.

    A Function belongs to the module that defines it, not to those that import it; a package's
    submodules are looked through, too, and what a program calls of its neighbours is found. This
    runs the user's code. Raises SettingError if there is no such file, module or name, and
    TargetError if a module's code fails.
    """
    settings = settings or Settings()
    head, _, name = target.rpartition(":")
    where, name = (head, name) if head and name.isidentifier() else (target, "")
    path = Path(where)
    recording = Recording(lenient=True, setup_only=settings.setup_only)
    if path.suffix == ".ipynb" and _exists(path):
        return _of_program(_notebook(path.resolve()), path.resolve(), settings, recording, name)
    alone = path.suffix == ".py" and not (path.parent / "__init__.py").is_file()
    if alone and _exists(path):
        whole = _script(path.resolve(), settings.main)
        return _of_program(whole, path.resolve(), settings, recording, name)
    with recording, _stopped_in_time(settings, where) as notes:
        module = _load(where)
        if name:
            return Discovery((_named(module, name, where, recording),))
        modules, problems, missing = _with_submodules(module)
    found = _all_found(modules, recording, lambda target: False)
    return Discovery(found, tuple(problems), (*notes, *missing))


def discover_main(module: str, settings: Settings) -> Discovery:
    """What `python -m module` calls, and what the module defines.

    Raises SettingError if there is no such module, and TargetError if a package above it fails.
    """
    with _importing_from(Path.cwd()):
        spec = _spec(module)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = _spec(f"{module}.__main__")
        origin = spec.origin if spec is not None else None
        if spec is None or not origin or not Path(origin).is_file():
            raise SettingError(f"there is no module {module} to be run from here")
        pieces, assumed = script(Path(origin))
        whole = program.Program(
            module, pieces, program.new_module("__main__", origin, spec), _assumed(module, assumed)
        )
        recording = Recording(lenient=True, setup_only=settings.setup_only)
        root = Path.cwd()
        return _of_program(whole, Path(origin), settings, recording, "", root, module)


# Programs.


def _script(path: Path, main: bool) -> program.Program:
    pieces, assumed = script(path)
    module = program.new_module("__main__" if main else _free_name(path.stem), str(path))
    program.offers_ipython(module)
    return program.Program(path.name, pieces, module, _assumed(short(str(path)), assumed))


def _notebook(path: Path) -> program.Program:
    module = program.new_module("__main__", str(path))
    program.in_a_notebook(module)
    return program.Program(path.name, cells(path), module)


def _assumed(name: str, encoding: str) -> list[Message]:
    if not encoding:
        return []
    return [Message("run.encoding", {"name": name, "encoding": encoding})]


def _of_program(
    whole: program.Program, path: Path, settings: Settings, recording: Recording, name: str,
    folder: Path | None = None, package: str = "",
) -> Discovery:  # fmt: skip
    """Run it; what it defines, and what it calls of what is not installed."""
    folder = folder or path.parent
    before = set(sys.modules)
    arguments = [str(path), *settings.arguments]
    with surroundings(folder, arguments), program.as_main(whole.module), recording:
        try:
            program.run(whole, settings.seconds, recording)
        finally:
            _forget(before, folder)
    top = package.partition(".")[0]
    found = _all_found([whole.module], recording, lambda t: _is_of(t, top), whole.dtype)
    found = _renamed(found, whole, path, package)
    if name:
        chosen = [one for one in found if one.name == name]
        found = tuple(chosen) or (_named(whole.module, name, short(str(path)), recording),)
    if whole.failed and not found:
        return Discovery((), tuple(_failures(whole.notes)), ())
    return Discovery(found, (), tuple(whole.notes))


def _failures(notes: Sequence[Message]) -> Iterator[str]:
    """The lines at which a program failed in which nothing was found."""
    for note in notes:
        if note.key in ("run.failed", "run.failed_cell"):
            yield f"{note.fields['place']}: {note.fields['error']}"


def _forget(before: set[str], folder: Path) -> None:
    """Forget the modules of a program's folder: a program in another folder has its own."""
    for other in set(sys.modules) - before:
        file = getattr(sys.modules.get(other), "__file__", None)
        if file and Path(file).is_relative_to(folder) and "site-packages" not in file:
            del sys.modules[other]


def _renamed(
    found: Sequence[Found], whole: program.Program, path: Path, package: str
) -> tuple[Found, ...]:
    """What ran as `__main__` under the name of its file, in a module that is known by that name.

    A reproduction imports it from there where the program ran to its end; elsewhere the source is
    all that there is.
    """
    run_again = not whole.notes and len(whole.pieces) == 1 and not package
    names: dict[str, str] = {}
    renamed = []
    for one in found:
        if isinstance(one.target, type) and one.target.__module__ == whole.module.__name__:
            if one.path not in names:
                names[one.path] = _free_name(path.stem)
                module = whole.module if run_again else ModuleType(names[one.path])
                vars(module)["__file__"] = one.path
                module.__name__ = names[one.path]
                sys.modules[names[one.path]] = module
            one.target.__module__ = names[one.path]
            one = Found(**{**vars(one), "module": package or path.stem})
        renamed.append(one)
    return tuple(renamed)


def _free_name(name: str) -> str:
    """A name that no module has."""
    while name in sys.modules:
        name += "_"
    return name


# Modules and packages.


@contextlib.contextmanager
def _stopped_in_time(settings: Settings, where: str) -> Iterator[list[Message]]:
    """Messages for an import; one that takes too long raises TargetError."""
    try:
        with surroundings(Path.cwd(), [where, *settings.arguments]), time_limit(settings.seconds):
            yield []
    except (TimeUpError, LongLoopError):
        raise TargetError(
            f"{where} was not imported within {settings.seconds:g} s (--run-timeout)"
        ) from None


def _with_submodules(module: ModuleType) -> tuple[list[ModuleType], list[str], list[Message]]:
    """The module and those below it, sentences for those that fail, messages for what is missing."""
    modules, problems = [module], []
    missing: dict[str, list[str]] = {}
    for submodule in _below(module):
        try:
            modules.append(_import(submodule))
        except MissingError as error:
            missing.setdefault(error.missing, []).append(submodule)
        except TargetError as error:
            problems.append(str(error))
    notes = [
        Message("run.missing_of", {"module": name, "count": len(of), "names": ", ".join(of[:3])
                                   + (", ..." if len(of) > 3 else "")})
        for name, of in missing.items()
    ]  # fmt: skip
    return modules, problems, notes


class MissingError(TargetError):
    """A module needs another one that is not installed."""

    def __init__(self, sentence: str, missing: str) -> None:
        super().__init__(sentence)
        self.missing = missing


def _exists(path: Path) -> bool:
    """True for a file; raises SettingError for none."""
    if not path.is_file():
        raise SettingError(f"there is no file {path}")
    return True


def _load(where: str) -> ModuleType:
    """The module of a file in a package, of a folder that is one, or of a dotted name."""
    path = Path(where)
    if path.is_dir():
        path = path / "__init__.py"
        if not path.is_file():
            raise SettingError(f"{where} is a folder and no package; name a file in it")
    if path.suffix == ".py" or path.is_file():
        _exists(path)
        if path.suffix != ".py":
            raise SettingError(
                f"{where} is no file of Python; its name must end in .py, or .ipynb for a notebook"
            )
        return _load_file(path.resolve())
    if not all(part.isidentifier() for part in where.split(".")):
        raise SettingError(
            f"{where!r} is no file and no module; expected file.py, notebook.ipynb, "
            "package.module, or one of them with :Name"
        )
    with _importing_from(Path.cwd()):
        if _spec(where) is None:
            parent, _, last = where.rpartition(".")
            hint = f"; did you mean {parent}:{last}?" if last[:1].isupper() and parent else ""
            raise SettingError(f"there is no module {where} to be found from here{hint}")
        return _import(where)


def _spec(where: str) -> Any:
    """The spec of a module, or None; raises TargetError if a package above it fails."""
    try:
        return importlib.util.find_spec(where)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if where != missing and not where.startswith(f"{missing}."):
            raise TargetError(told(error)) from None
        return None
    except Exception as error:  # a parent package fails
        raise TargetError(told(error)) from None


def _load_file(path: Path) -> ModuleType:
    """The module of a file in a package, under its dotted name."""
    root, parts = path.parent, [path.stem] if path.stem != "__init__" else []
    while (root / "__init__.py").is_file():
        parts.insert(0, root.name)
        root = root.parent
    name = ".".join(parts)
    with _importing_from(root):
        module = _import(name)
        if Path(module.__file__ or "").resolve() == path:
            return module
        raise TargetError(
            f"{short(str(path))}: another {name} was found first, at {module.__file__}"
        )


def _import(name: str) -> ModuleType:
    """Import a module; whatever its code raises becomes one sentence."""
    try:
        return importlib.import_module(name)
    except (KeyboardInterrupt, TimeUpError, LongLoopError):
        raise
    except ModuleNotFoundError as error:
        raise MissingError(told(error), (error.name or "?").partition(".")[0]) from None
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


# Classes.


def _all_found(
    modules: Sequence[ModuleType], recording: Recording, also: Any,
    dtype: torch.dtype = torch.float32,
) -> tuple[Found, ...]:  # fmt: skip
    """What the modules define, with its calls, and what was called and is the user's own."""
    calls = recording.calls
    found: dict[object, Found] = {}
    for module in modules:
        for target in _defined(vars(module), module.__name__):
            found[_key(target)] = _found(target, calls.get(id(target)), dtype)
    names = {module.__name__ for module in modules}
    for one in calls.values():
        target = one.target
        known = found.get(_key(target))
        if known is not None:
            if known.calls is None and one.kinds:  # of an earlier definition of the same name
                found[_key(target)] = Found(**{**vars(known), "calls": one})
        elif one.kinds and (_is_own(target) or _module(target) in names or also(target)):
            found[_key(target)] = _found(target, one, dtype)
    return tuple(sorted(found.values(), key=lambda one: (one.path, one.line)))


def called(recording: Recording) -> tuple[Found, ...]:
    """What was called, of each name of a module the last definition."""
    found = {
        _key(one.target): _found(one.target, one) for one in recording.calls.values() if one.kinds
    }
    return tuple(sorted(found.values(), key=lambda one: (one.path, one.line)))


def _is_own(target: Any) -> bool:
    return not is_below(place_of(target).path, DERIVABLE, *INSTALLED)


def _is_of(target: Any, package: str) -> bool:
    """Whether it belongs to the package that is run, which may be installed."""
    return bool(package) and _module(target).partition(".")[0] == package


def _module(target: Any) -> str:
    return getattr(target, "__module__", None) or ""


def _key(target: Any) -> object:
    """The same for all definitions of one name in one module: the last one counts."""
    name = getattr(target, "__qualname__", None)
    if name is None or "<locals>" in name:
        return str(target), place_of(target) if name else ""
    return _module(target), name


def _defined(names: dict[str, Any], module: str, depth: int = 3) -> Iterator[Any]:
    """The Functions and plain classes with rules that a module defines, nested ones too."""
    for value in list(names.values()):
        if isinstance(value, type) and value.__module__ == module:
            if _is_function(value) or by_hand.is_plain(value):
                yield value
            nested = {n: v for n, v in vars(value).items() if getattr(
                v, "__qualname__", "").startswith(f"{value.__qualname__}.")}  # fmt: skip
            if depth and nested:
                yield from _defined(nested, module, depth - 1)


def _named(module: ModuleType, name: str, where: str, recording: Recording) -> Found:
    """What `file.py:Name` means: any Function or callable that the module knows by this name."""
    value = getattr(module, name, None)
    plain = callable(value) and not isinstance(value, type)
    if _is_function(value) or by_hand.is_plain(value) or plain:
        return _found(value, recording.calls.get(id(value)))
    known = [target.__qualname__ for target in _defined(vars(module), module.__name__)]
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"it defines {', '.join(known) or 'none'}"
    raise SettingError(f"{where} has no Function {name}; {hint}")


def _found(value: Any, calls: Calls | None, dtype: torch.dtype = torch.float32) -> Found:
    path, line = place_of(value)
    module = _module(value) or "?"
    if "." not in module and Path(path).stem not in ("__init__", "?"):
        module = Path(path).stem  # without what was added where the name was taken
    return Found(name_of(value), module, path, line, value, calls, dtype)


def name_of(target: Any) -> str:
    """The name of a class, or `library::operator`."""
    if isinstance(target, torch._ops.OpOverload):
        return str(target.name()).removesuffix(".default")
    named = getattr(target, "__qualname__", None) or getattr(target, "__name__", None)
    return str(named or type(target).__name__).rpartition("<locals>.")[2]


def _is_function(value: Any) -> bool:
    """Whether it is a Function with a rule of its own; a base for others has none."""
    return (
        by_hand.is_function(value)
        and value.forward is not torch.autograd.Function.forward
        and not place_of(value).path.startswith(TORCH)
    )
