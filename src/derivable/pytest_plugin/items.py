"""pytest items: one for each target that is examined, one for code that cannot be loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from derivable.errors import DerivableError, WrongGradientError

if TYPE_CHECKING:
    from derivable.examiner.capture.found import Found
    from derivable.examiner.settings import Settings

EXPECTED = "derivable_expected_failures"  # the name of the option in the ini file
NOTES = pytest.StashKey[list[str]]()  # what of a target did not run, printed at the end


def listed(config: pytest.Config) -> list[tuple[str, str]]:
    """The name and the cause in each line of the expected failures; "" where none is stated."""
    lines = [line.partition(":") for line in config.getini(EXPECTED)]
    return [(name.strip(), cause.strip()) for name, _, cause in lines]


class Target(pytest.Collector):
    """The collector of one target that `--derivable` names: a file, a module or a Function.

    It is also the parent of the items of what the tests called, for which it collects nothing.
    """

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each Function; code that cannot be loaded is an item that fails."""
        from derivable.examiner.capture.discover import discover
        from derivable.examiner.messages import say

        try:
            discovery = discover(self.name)
        except DerivableError as error:
            yield Broken.from_parent(self, name="load", problem=str(error))
            return
        for number, problem in enumerate(discovery.problems):
            yield Broken.from_parent(self, name=f"load{number or ''}", problem=problem)
        for note in discovery.notes:
            self.session.config.stash.setdefault(NOTES, []).append(say(note))
        yield from examinations(self, discovery.found)


def examinations(parent: pytest.Collector, found: Sequence[Found]) -> list[Examination]:
    """One item for each of `found` that no pattern of derivable_ignore matches."""
    from fnmatch import fnmatch

    patterns = parent.config.getini("derivable_ignore")
    names = [f"{one.module}.{one.name}" for one in found]
    items = []
    for one, name in zip(found, names, strict=True):
        if names.count(name) > 1:  # local classes of several tests
            qualified = getattr(one.target, "__qualname__", one.name)
            name = f"{one.module}.{qualified.replace('<locals>.', '')}"
        if not any(fnmatch(name, pattern) for pattern in patterns):
            items.append(Examination.from_parent(parent, name=name, found=one))
    return items


class Broken(pytest.Item):
    """An item that fails because the code of a target cannot be loaded."""

    def __init__(self, problem: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.problem = problem
        self.add_marker("derivable")

    def runtest(self) -> None:
        """Fail with the problem."""
        pytest.fail(self.problem, pytrace=False)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """The path of the collector, without a line: the problem names the file."""
        return self.path, None, self.nodeid


class Examination(pytest.Item):
    """An item that examines one target."""

    def __init__(self, found: Found, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.found = found
        self.add_marker("derivable")

    def runtest(self) -> None:
        """Examine the target; raises WrongGradientError with the report if it is wrong.

        The item is skipped, with the reason, if the target is inconclusive or cannot be examined.
        A target on the list of expected failures is an expected failure if its causes are those
        that are listed, and fails if it is right.
        """
        from derivable.examiner.message import Message
        from derivable.examiner.messages import say
        from derivable.examiner.outcome import examined
        from derivable.examiner.render.reproduction import reproduction

        outcome = examined(self.found, settings=self._settings())
        if outcome.inputs is not None:
            self.add_report_section("call", "derivable", say(outcome.inputs))
        report = outcome.report
        if report is None:
            reason = outcome.reason
            text = Message("plugin.no_inputs") if isinstance(reason, Message) else reason
            pytest.skip(_text("not_examined", name=self.found.name, reason=text))
        causes = self._expected()
        if report.verdict == "inconclusive":
            pytest.skip(str(report))
        if causes is not None and report.ok:
            pytest.fail(_text("right_now", name=self.name, list=EXPECTED), pytrace=False)
        if causes is not None and all(not causes or f.cause in causes for f in report.findings):
            pytest.xfail(_text("listed", cause=report.findings[0].cause, list=EXPECTED))
        if not report.ok:
            raise WrongGradientError(f"{report}\n\n{reproduction(report, report.findings[0])}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The report, without a traceback, which would only show the examiner."""
        if isinstance(excinfo.value, DerivableError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """The file and line (counted from 0) where the target is defined."""
        return Path(self.found.path), self.found.line - 1, self.name

    def _settings(self) -> Settings:
        """The settings of `check`, by the command line, else by the ini file."""
        from derivable.examiner.settings import Settings, level_of

        named = self.config.getoption("derivable_level") or self.config.getini("derivable_level")
        return Settings(level=level_of(named))

    def _expected(self) -> set[str] | None:
        """The causes that are expected, empty for any cause; None if it is not listed."""
        names = {self.name, self.found.name}
        causes = [cause for name, cause in listed(self.config) if name in names]
        return {cause for cause in causes if cause} if causes else None


def _text(key: str, **gaps: Any) -> str:
    """A message of the plugin."""
    from derivable.examiner.message import Message
    from derivable.examiner.messages import say

    return say(Message(f"plugin.{key}", gaps))
