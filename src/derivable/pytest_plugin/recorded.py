"""`pytest --derivable`: runs the tests under a recorder, then examines the targets they called.

Under pytest-xdist each worker examines its targets, and the controller reports each one once.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.runner import runtestprotocol

from derivable.pytest_plugin.items import Examination, Target, examinations

if TYPE_CHECKING:
    from derivable.examiner.capture.found import Found
    from derivable.examiner.capture.recording import Recording

OUTPUT = "derivable"  # the key of what a worker sends


def register(config: pytest.Config, only: bool) -> None:
    """Record in this process if it runs tests; collect what workers found if it does not."""
    worker = hasattr(config, "workerinput")
    controller = not worker and config.getoption("dist", "no") != "no"
    if not config.getoption("collectonly"):
        plugin = FromWorkers(config) if controller else Recorded(config, only)
        config.pluginmanager.register(plugin, "derivable-recorded")


class Reporting:
    """What is printed at the end."""

    nothing = False  # whether the tests came to their end without a target

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """State it where there was nothing to examine."""
        from derivable.examiner.message import Message
        from derivable.examiner.messages import say

        if self.nothing:
            terminalreporter.write_line(say(Message("plugin.nothing_called")))


class Recorded(Reporting):
    """Runs the tests as ever, or quietly with `only`, and then one item for each target."""

    def __init__(self, config: pytest.Config, only: bool) -> None:
        self.config, self.only = config, only
        self.recording: Recording | None = None

    def pytest_sessionstart(self) -> None:
        """Before any test is imported."""
        from derivable.examiner.capture.recording import Recording

        self.recording = Recording(lenient=self.only)
        self.recording.__enter__()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Note which test runs; with `only`, run it without a report."""
        if self.recording is None or isinstance(item, Examination):
            return None
        self.recording.test = item.nodeid
        if not self.only or item.get_closest_marker("derivable"):
            return None
        runtestprotocol(item, nextitem=nextitem, log=False)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """The tests, then the examinations."""
        try:
            result = yield
        finally:
            recording = self._stopped()
        assert recording is not None  # since the start of the session
        parent = Target.from_parent(session, name=OUTPUT, nodeid=OUTPUT)
        items = examinations(parent, _found(recording, self.config.rootpath))
        self.nothing = not items
        if hasattr(self.config, "workerinput"):
            vars(self.config)["workeroutput"][OUTPUT] = [_serial(item) for item in items]
        else:
            _run(session, items)
        return result

    def pytest_sessionfinish(self) -> None:
        """Take the recorder off where no test ran."""
        self._stopped()

    def _stopped(self) -> Recording | None:
        recording, self.recording = self.recording, None
        if recording is not None:
            recording.__exit__()
        return recording


class FromWorkers(Reporting):
    """Reports what the workers examined, each target once: the worst outcome of any."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.outcomes: dict[str, list[pytest.TestReport]] = {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker has ended."""
        for name, serial in getattr(node, "workeroutput", {}).get(OUTPUT, []):
            load = self.config.hook.pytest_report_from_serializable
            reports = [load(config=self.config, data=data) for data in serial]
            known = self.outcomes.get(name)
            if known is None or _rank(reports) > _rank(known):
                self.outcomes[name] = reports

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """The tests, in the workers; then the reports on what these examined."""
        result = yield
        self.nothing = not self.outcomes
        hook = self.config.hook
        for name, reports in self.outcomes.items():
            session.testscollected += 1
            hook.pytest_runtest_logstart(nodeid=name, location=reports[0].location)
            for report in reports:
                hook.pytest_runtest_logreport(report=report)
            hook.pytest_runtest_logfinish(nodeid=name, location=reports[0].location)
        return result


def _run(session: pytest.Session, items: list[Examination]) -> None:
    """Run the items as the session runs its own."""
    session.items += items
    session.testscollected += len(items)
    following = [*items[1:], None]
    for item, after in zip(items, following, strict=False):
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)


def _serial(item: Examination) -> tuple[str, list[Any]]:
    """The reports on one item as a worker can send them."""
    dump = item.config.hook.pytest_report_to_serializable
    reports = runtestprotocol(item, nextitem=None, log=False)
    return item.nodeid, [dump(config=item.config, report=report) for report in reports]


def _rank(reports: list[pytest.TestReport]) -> int:
    """The worse, the higher."""
    outcomes = [report.outcome for report in reports]
    return 2 * ("failed" in outcomes) + ("skipped" not in outcomes)


def _found(recording: Recording, root: Path) -> list[Found]:
    """What was called and belongs to the project: not to PyTorch, the tests' tools or others."""
    from derivable.examiner.capture.found import called
    from derivable.examiner.capture.locations import (
        DERIVABLE,
        INSTALLED,
        TORCH,
        is_below,
        location_of,
    )

    def belongs(target: Any) -> bool:
        path = location_of(target).path
        if is_below(path, TORCH) or (
            is_below(path, DERIVABLE) and not is_below(DERIVABLE, str(root))
        ):
            return False
        package = (getattr(target, "__module__", None) or "").partition(".")[0]
        ours = any((root / below / package).exists() for below in ("", "src"))
        return ours or not is_below(path, *INSTALLED)

    return [one for one in called(recording) if belongs(one.target)]
