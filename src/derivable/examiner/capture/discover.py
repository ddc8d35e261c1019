"""`discover`: finds targets in files, notebooks, modules and packages, by running them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from derivable.errors import SettingError, TargetError
from derivable.examiner.capture import program
from derivable.examiner.capture.found import Found, all_found, module_of, named
from derivable.examiner.capture.modules import (
    exists,
    importing_from,
    load,
    spec_of,
    with_submodules,
)
from derivable.examiner.capture.recording import LongLoopError, Recording
from derivable.examiner.capture.sources import cells, script
from derivable.examiner.capture.surroundings import TimeUpError, surroundings, time_limit
from derivable.examiner.message import Message
from derivable.examiner.messages import error_of
from derivable.examiner.render.show import short

SECONDS = 60.0  # for which a program may run


@dataclass(frozen=True)
class Settings:
    """How the code of a target is run: its time limit, whether it is stopped early, its arguments.

    `main` runs a file as the main program, as `python file.py` does; otherwise as an import.
    """

    seconds: float = SECONDS
    setup_only: bool = False
    arguments: tuple[str, ...] = ()
    main: bool = False


@dataclass(frozen=True)
class Discovery:
    """The targets found, and one message for each line at which the code stopped or failed.

    `problems` are messages on code that failed, where nothing can be examined because of that.
    """

    found: tuple[Found, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[Message, ...] = ()


def discover(target: str, settings: Settings | None = None) -> Discovery:
    """The targets of `file.py`, `notebook.ipynb` or `package.module`, or its `:Name` alone.

    A Function belongs to the module that defines it, not to those that import it. Submodules of a
    package are included, and so are targets of neighbouring files that a program calls. Runs the
    user's code, each program once. Raises SettingError if there is no such file, module or name,
    and TargetError if a module's code fails.
    """
    settings = settings or Settings()
    head, _, name = target.rpartition(":")
    where, name = (head, name) if head and name.isidentifier() else (target, "")
    path = Path(where)
    alone = path.suffix == ".py" and not (path.parent / "__init__.py").is_file()
    if (alone or path.suffix == ".ipynb") and exists(path):
        return _of_file(path.resolve(), name, settings)
    recording = Recording(lenient=True, setup_only=settings.setup_only)
    with recording, _stopped_in_time(settings, where):
        module = load(where)
        if name:
            return Discovery((named(module, name, where, recording),))
        modules, problems, missing = with_submodules(module)
    found = all_found(modules, recording, lambda target: False)
    return Discovery(found, tuple(problems), tuple(missing))


def discover_main(module: str, settings: Settings) -> Discovery:
    """The targets that `python -m module` defines and calls.

    Raises SettingError if there is no such module, and TargetError if a package above it fails.
    """
    here = Path.cwd()
    with importing_from(here):
        spec = spec_of(module)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = spec_of(f"{module}.__main__")
        origin = spec.origin if spec is not None else None
        if spec is None or not origin or not Path(origin).is_file():
            raise error_of(SettingError, "error.no_main_module", module=module)
        pieces, assumed = script(Path(origin))
        names = program.new_module("__main__", origin, spec)
        whole = program.Program(module, pieces, names, notes=_assumed(module, assumed))
        return _discovery(_ran(whole, Path(origin), settings, here, module))


@dataclass(frozen=True)
class _Ran:
    """A program that has run, and the targets found in it."""

    whole: program.Program
    recording: Recording
    found: tuple[Found, ...]


_files: dict[object, _Ran] = {}  # the files that have run


def _of_file(path: Path, name: str, settings: Settings) -> Discovery:
    """The targets that a script or a notebook defines and calls; with `name`, that one."""
    key = (path, path.stat().st_mtime_ns, settings)
    if key not in _files:
        notebook = path.suffix == ".ipynb"
        whole = _notebook(path) if notebook else _script(path, settings.main)
        _files[key] = _ran(whole, path, settings, path.parent)
    ran = _files[key]
    if not name:
        return _discovery(ran)
    chosen = [one for one in ran.found if one.name == name]
    if not chosen:
        chosen = [named(ran.whole.module, name, short(str(path)), ran.recording)]
    return Discovery(tuple(chosen), (), tuple(ran.whole.notes))


def _discovery(ran: _Ran) -> Discovery:
    """The targets found; if there are none, the lines that failed as problems."""
    notes = ran.whole.notes
    failures = [n for n in notes if n.key in ("run.failed", "run.failed_cell", "run.exit",
                                              "run.missing")]  # fmt: skip
    if ran.found or not failures:
        return Discovery(ran.found, (), tuple(notes))
    return Discovery((), tuple(f"{n.fields['location']}: {n.fields['error']}" for n in failures))


def _script(path: Path, main: bool) -> program.Program:
    pieces, assumed = script(path)
    module = program.new_module("__main__" if main else _free_name(path.stem), str(path))
    program.offers_ipython(module)
    return program.Program(path.name, pieces, module, notes=_assumed(short(str(path)), assumed))


def _notebook(path: Path) -> program.Program:
    module = program.new_module("__main__", str(path))
    program.in_a_notebook(module)
    return program.Program(path.name, cells(path), module, cells=True)


def _assumed(name: str, encoding: str) -> list[Message]:
    if not encoding:
        return []
    return [Message("run.encoding", {"name": name, "encoding": encoding})]


def _ran(
    whole: program.Program, path: Path, settings: Settings, folder: Path, package: str = ""
) -> _Ran:
    """Run a program; the targets that it defines, and calls outside of installed packages."""
    top = package.partition(".")[0]
    recording = Recording(lenient=True, setup_only=settings.setup_only)
    before = set(sys.modules)
    arguments = [str(path), *settings.arguments]
    with surroundings(folder, arguments), program.as_main(whole.module), recording:
        try:
            program.run(whole, settings.seconds, recording)
        finally:
            _forget(before, folder)
    found = all_found(
        [whole.module],
        recording,
        lambda target: bool(top) and module_of(target).partition(".")[0] == top,
        whole.dtype,
    )
    return _Ran(whole, recording, _renamed(found, whole, path, package))


def _forget(before: set[str], folder: Path) -> None:
    """Remove the modules of a program's folder from sys.modules: other folders have their own."""
    for other in set(sys.modules) - before:
        file = getattr(sys.modules.get(other), "__file__", None)
        if file and Path(file).is_relative_to(folder) and "site-packages" not in file:
            del sys.modules[other]


def _renamed(
    found: Sequence[Found], whole: program.Program, path: Path, package: str
) -> tuple[Found, ...]:
    """The definitions of a program that ran as `__main__`, in a module with the name of its file.

    A reproduction imports them from there if the program ran to its end; otherwise it uses the
    source.
    """
    run_again = not (whole.notes or whole.cells or package)
    ran_as = whole.module.__name__
    names: dict[str, str] = {}
    renamed = []
    for one in found:
        if isinstance(one.target, type) and one.target.__module__ == ran_as:
            if one.path not in names:
                names[one.path] = _free_name(path.stem)
                module = whole.module if run_again else ModuleType(names[one.path])
                vars(module)["__file__"] = one.path
                module.__name__ = names[one.path]
                sys.modules[names[one.path]] = module
            one.target.__module__ = names[one.path]
            one = replace(one, module=package or path.stem)
        renamed.append(one)
    return tuple(renamed)


def _free_name(name: str) -> str:
    """A module name that is not used."""
    while name in sys.modules:
        name += "_"
    return name


@contextlib.contextmanager
def _stopped_in_time(settings: Settings, where: str) -> Iterator[None]:
    """Around an import: one that takes too long raises TargetError."""
    try:
        with surroundings(Path.cwd(), [where, *settings.arguments]), time_limit(settings.seconds):
            yield
    except (TimeUpError, LongLoopError):
        raise error_of(
            TargetError, "error.import_timeout", name=where, seconds=f"{settings.seconds:g}"
        ) from None
