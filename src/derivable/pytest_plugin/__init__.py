"""pytest's plugin: `--derivable`, `--derivable TARGET`, `--derivable-only`, the fixture `examine`.

PyTorch is imported only once there is something to examine.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from derivable.errors import WrongGradientError
from derivable.pytest_plugin.items import EXPECTED, NOTES, Broken, Examination, Target, listed

if TYPE_CHECKING:
    from derivable.examiner.report import Report


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, and the lists of the ini file."""
    group = parser.getgroup("derivable")
    group.addoption(
        "--derivable",
        action="append",
        nargs="?",
        const="",
        default=[],
        metavar="TARGET",
        help="examine every Function that the tests call, at the inputs that they use; with "
        "file.py, package.module or a package, every Function that it defines. May be given more "
        "than once",
    )
    group.addoption(
        "--derivable-only",
        action="store_true",
        help="as --derivable, but the tests are run for their inputs alone, and not reported",
    )
    group.addoption(
        "--derivable-level",
        choices=["lab", "standard", "strict"],
        default=None,
        help="what fails: first order alone, all but second order and warnings, or everything",
    )
    parser.addini("derivable_level", "the default of --derivable-level", default="standard")
    parser.addini(
        EXPECTED,
        "Functions that are known to be wrong, one per line: module.Class or Class, with ': cause' "
        "if the cause shall be that one; one that turns out right fails the run",
        type="linelist",
    )
    parser.addini(
        "derivable_ignore",
        "Functions that are not examined, one pattern per line, such as package.module.*",
        type="linelist",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(args: list[str]) -> None:
    """Keep the tests of `pytest --derivable tests` from being taken as TARGET."""
    for position, (word, following) in enumerate(pairwise(args)):
        if word == "--derivable" and _names_tests(following):
            args[position] = "--derivable="


def _names_tests(word: str) -> bool:
    """Whether a word of the command line names tests: a folder, a file of tests, or one test."""
    path = Path(word.partition("::")[0])
    if path.is_dir():
        return path.name in ("tests", "test") or not (path / "__init__.py").is_file()
    return path.is_file() and (
        "::" in word or path.name.startswith("test_") or path.name.endswith("_test.py")
    )


def pytest_configure(config: pytest.Config) -> None:
    """The marker of what is examined, so that `-m derivable` runs nothing else; the recorder."""
    config.addinivalue_line("markers", "derivable: a Function examined by --derivable")
    only = config.getoption("derivable_only")
    if only or "" in config.getoption("derivable"):
        from derivable.pytest_plugin.recorded import register

        register(config, only)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print one line for each part of a target that did not run."""
    for note in config.stash.get(NOTES, []):
        terminalreporter.write_line(f"derivable: {note}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """One item per Function, after the tests; -k, -m and a random order hold for them, too."""
    collected: list[pytest.Item] = []
    for target in filter(None, config.getoption("derivable")):
        parent = Target.from_parent(session, name=target, nodeid=f"derivable::{target}")
        collected += parent.collect()
    if collected:
        _refuse_unknown(config, collected)
    items += collected


def _refuse_unknown(config: pytest.Config, collected: list[pytest.Item]) -> None:
    """Refuse a listed Function that is not there; one of a module not examined now may be."""
    from derivable.examiner.message import Message
    from derivable.examiner.messages import error_of

    if any(isinstance(item, Broken) for item in collected):
        return  # it may be in what could not be loaded
    found = [item.found for item in collected if isinstance(item, Examination)]
    known = {name for f in found for name in (f.name, f"{f.module}.{f.name}")}
    modules = {f.module for f in found}
    for name, _ in listed(config):
        module = name.rpartition(".")[0]
        if name not in known and (module in modules or not _exists(module)):
            there = sorted(f"{f.module}.{f.name}" for f in found) or Message("error.none")
            raise error_of(
                pytest.UsageError, "error.listed_unknown", list=EXPECTED, name=name, names=there
            )


def _exists(module: str) -> bool:
    """Whether there is a module of this name, examined now or not."""
    try:
        return bool(module) and importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


@pytest.fixture
def examine() -> Callable[..., Report]:
    """`examine(target, *inputs, **options)`: derivable.check, failing the test if it is wrong."""

    def examine(target: Any, *inputs: Any, **options: Any) -> Report:
        __tracebackhide__ = True
        from derivable.examiner.check import check

        report = check(target, *inputs, **options)
        if report.verdict == "wrong":
            raise WrongGradientError(str(report))
        return report

    return examine
