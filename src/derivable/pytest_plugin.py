"""`pytest --derivable PACKAGE_OR_FILE` examines every Function there; `examine` does it in a test.

PyTorch is imported only once there is something to examine.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from derivable.errors import DerivableError, WrongGradientError

if TYPE_CHECKING:
    from derivable.examiner.capture.discover import Found
    from derivable.examiner.report import Report

EXPECTED = "derivable_expected_failures"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option and the list of expected failures."""
    parser.getgroup("derivable").addoption(
        "--derivable",
        action="append",
        default=[],
        metavar="TARGET",
        help="examine every torch.autograd.Function of file.py, package.module or a package, at "
        "its own examples(); may be given more than once",
    )
    parser.addini(
        EXPECTED,
        "Functions that are known to be wrong, one per line: module.Class or Class, with ': cause' "
        "if the cause shall be that one; one that turns out right fails the run",
        type="linelist",
    )


def pytest_configure(config: pytest.Config) -> None:
    """The marker of what --derivable collects, so that `-m derivable` runs nothing else."""
    config.addinivalue_line("markers", "derivable: a Function collected by --derivable")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """One item per Function, after the tests; -k, -m and a random order hold for them, too."""
    collected: list[pytest.Item] = []
    for target in config.getoption("derivable"):
        parent = Target.from_parent(session, name=target, nodeid=f"derivable::{target}")
        collected += parent.collect()
    if collected:
        _refuse_unknown(config, collected)
    items += collected


def _refuse_unknown(config: pytest.Config, collected: list[pytest.Item]) -> None:
    """Refuse a listed Function that is not there; one of a module not examined now may be."""
    if any(isinstance(item, Broken) for item in collected):
        return  # it may be in what could not be loaded
    found = [item.found for item in collected if isinstance(item, Examination)]
    known = {name for f in found for name in (f.name, f"{f.module}.{f.name}")}
    modules = {f.module for f in found}
    for listed, _ in _listed(config):
        module = listed.rpartition(".")[0]
        if listed not in known and (module in modules or not _exists(module)):
            there = ", ".join(sorted(f"{f.module}.{f.name}" for f in found))
            raise pytest.UsageError(
                f"{EXPECTED} lists {listed}, and there is no such Function: --derivable found "
                f"{there or 'none'}; correct the name or take it off the list"
            )


def _exists(module: str) -> bool:
    """Whether there is a module of this name, examined now or not."""
    try:
        return bool(module) and importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _listed(config: pytest.Config) -> list[tuple[str, str]]:
    """Each Function on the list, with its cause or nothing."""
    lines = [line.partition(":") for line in config.getini(EXPECTED)]
    return [(name.strip(), cause.strip()) for name, _, cause in lines]


class Target(pytest.Collector):
    """What one --derivable names."""

    def collect(self) -> Iterator[pytest.Item]:
        """Its Functions; one that cannot be loaded is an item that says so and fails."""
        from derivable.examiner.capture.discover import discover

        try:
            discovery = discover(self.name)
        except DerivableError as error:
            yield Broken.from_parent(self, name="load", problem=str(error))
            return
        for number, problem in enumerate(discovery.problems):
            yield Broken.from_parent(self, name=f"load{number or ''}", problem=problem)
        for found in discovery.found:
            yield Examination.from_parent(self, name=f"{found.module}.{found.name}", found=found)


class Broken(pytest.Item):
    """A target whose code fails before there is a Function."""

    def __init__(self, problem: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.problem = problem
        self.add_marker("derivable")

    def runtest(self) -> None:
        """Fail with the sentence."""
        pytest.fail(self.problem, pytrace=False)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """No file: its name is in the sentence."""
        return self.path, None, self.nodeid


class Examination(pytest.Item):
    """One Function."""

    def __init__(self, found: Found, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.found = found
        self.add_marker("derivable")

    def runtest(self) -> None:
        """Examine it; what is inconclusive, or has no examples(), is skipped with the reason."""
        from derivable.examiner.check import check
        from derivable.examiner.render.reproduction import reproduction

        if not callable(getattr(self.found.target, "examples", None)):
            pytest.skip(f"{self.found.name} has no examples(): not examined")
        report = check(self.found.target)
        causes = self._expected()
        if report.verdict == "inconclusive":
            pytest.skip(str(report))
        if causes is not None and report.ok:
            pytest.fail(f"{self.name} is right now: take it off the list {EXPECTED}", pytrace=False)
        if causes is not None and all(not causes or f.cause in causes for f in report.findings):
            pytest.xfail(f"{report.findings[0].cause}: listed in {EXPECTED}")
        if not report.ok:
            raise WrongGradientError(f"{report}\n\n{reproduction(report, report.findings[0])}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The report and a reproduction: a traceback through the examiner helps nobody."""
        from derivable.examiner.capture.discover import told

        if isinstance(excinfo.value, DerivableError):
            return str(excinfo.value)
        if isinstance(excinfo.value, pytest.fail.Exception):
            return super().repr_failure(excinfo, style)
        return f"{self.found.name}: {told(excinfo.value)}"

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Where the class is defined."""
        return Path(self.found.path), self.found.line - 1, self.name

    def _expected(self) -> set[str] | None:
        """The causes that are expected, none for any; None where the Function is not listed."""
        names = {self.name, self.found.name}
        listed = [cause for name, cause in _listed(self.config) if name in names]
        return {cause for cause in listed if cause} if listed else None


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
