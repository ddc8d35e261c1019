"""`pytest --derivable`, the fixture `examine`, expected failures: each in a pytest inside."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import pytest

from derivable import pytest_plugin
from tests.conftest import ROOT
from tests.test_check_command import FILE, LINE

pytest_plugins = ["pytester"]

EXAMPLES = """
    @staticmethod
    def examples():
        return [(torch.randn(3, dtype=torch.float64),)]
"""
# Cube, which is wrong, gets examples() too.
WRONG = FILE.replace("2 * x**2 * grad_output\n", f"2 * x**2 * grad_output\n{EXAMPLES}")


@pytest.fixture
def run(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder with cube.py, for a pytest of its own process that knows the plugin."""
    (pytester.path / "cube.py").write_text(WRONG)
    return pytester


def inner(pytester: pytest.Pytester, *words: str) -> pytest.RunResult:
    """Run pytest there; the plugin comes from its entry point where derivable is installed."""
    return pytester.runpytest_inprocess(*plugin(), "-p", "no:randomly", "-n", "0", "-rA", *words)


def plugin() -> tuple[str, ...]:
    known = any(e.name == "derivable" for e in entry_points(group="pytest11"))
    return () if known else ("-p", pytest_plugin.__name__)


def test_one_item_per_function(run: pytest.Pytester) -> None:
    run.makepyfile(test_own="def test_own(): pass", broken="1 / 0")
    result = inner(run, "--derivable", "cube.py", "--derivable", "broken.py")
    result.assert_outcomes(passed=3, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*_ cube.Cube _*",
            "Cube: wrong (1 finding, *",
            f"*cube.py:{LINE}: return 2 [*] x[*][*]2 [*] grad_output",
            "# Cube: *",
            "    return Cube.apply(x)",
            "broken.py:1: ZeroDivisionError: division by zero",
            "*PASSED *test_own.py::test_own*",
            "*PASSED derivable::cube.py::cube.Square*",
            "*PASSED derivable::cube.py::cube.Scale*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_the_functions_alone_by_their_marker(run: pytest.Pytester) -> None:
    run.makepyfile(test_own="def test_own(): assert False")
    result = inner(run, "--derivable", "cube.py", "-m", "derivable", "-k", "Square")
    result.assert_outcomes(passed=1, deselected=3)


def test_the_fixture_fails_in_the_line_that_called_it(run: pytest.Pytester) -> None:
    run.makepyfile(
        test_own="""
        import torch
        from cube import Cube, Square

        def test_right(examine):
            assert examine(Square, torch.randn(3)).ok

        def test_wrong(examine):
            examine(Cube, torch.randn(3))
        """
    )
    result = inner(run)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            ">*examine(Cube, torch.randn(3))",
            "E*WrongGradientError: Cube: wrong*",
            f"E*cube.py:{LINE}: return*",
            "test_own.py:*: WrongGradientError",
        ]
    )


@pytest.mark.parametrize(
    ("listed", "outcomes"),
    [
        ("cube.Cube", {"passed": 2, "xfailed": 1}),
        ("Cube: sums_grad_output", {"passed": 2, "failed": 1}),
        ("cube.Square", {"passed": 1, "failed": 2}),
    ],
)
def test_expected_failures_are_strict(
    listed: str, outcomes: dict[str, int], run: pytest.Pytester
) -> None:
    run.makeini(f"[pytest]\nderivable_expected_failures =\n    {listed}\n    json.Thing\n")
    result = inner(run, "--derivable", "cube.py")
    result.assert_outcomes(**outcomes)
    if "Square" in listed:
        result.stdout.fnmatch_lines(
            ["cube.Square is right now: take it off the list derivable_expected_failures"]
        )


@pytest.mark.parametrize("unknown", ["cube.Cub", "Cub: power", "other.sub.Thing"])
def test_an_unknown_name_on_the_list_is_refused_by_name(unknown: str, run: pytest.Pytester) -> None:
    run.makeini(f"[pytest]\nderivable_expected_failures =\n    Cube\n    {unknown}\n")
    result = inner(run, "--derivable", "cube.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    name = unknown.partition(":")[0]
    result.stderr.fnmatch_lines([f"*derivable_expected_failures lists {name}, and there is no*"])


def test_the_plugin_reports_in_the_language_of_the_environment(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERIVABLE_LANG", "fr")
    run.makeini("[pytest]\nderivable_expected_failures =\n    cube.Square\n")
    result = inner(run, "--derivable", "cube.py")
    result.stdout.fnmatch_lines(
        ["cube.Square est juste à présent?: à retirer de la liste derivable_expected_failures"]
    )


def test_pytest_starts_without_torch(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_own="""
        import sys

        def test_own():
            assert "derivable.pytest_plugin" in sys.modules
            assert "torch" not in sys.modules
        """
    )
    pytester.runpytest_subprocess(*plugin()).assert_outcomes(passed=1)


def test_the_plugin_is_declared() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    section = '[project.entry-points.pytest11]\nderivable = "derivable.pytest_plugin"\n'
    assert section in text


# Without a TARGET: what the tests call.

CALLS = """
    import pytest
    import torch
    from cube import Cube, Square

    def test_cube():
        assert Cube.apply(torch.ones(3)).sum() == 3

    def test_both():
        Square.apply(torch.randn(3, requires_grad=True)).sum().backward()
        Cube.apply(torch.randn(3, 2, requires_grad=True)).sum().backward()

    def test_that_fails():
        torch.autograd.gradcheck(Square.apply, torch.randn(2))
        assert False
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_the_tests_call_is_examined_once(workers: str, run: pytest.Pytester) -> None:
    run.makepyfile(test_calls=CALLS)
    result = inner(run, "--derivable", "test_calls.py", "-n", workers)
    result.assert_outcomes(passed=3, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*_ cube.Cube _*",
            "Cube: wrong (1 finding, *",
            "called by test_calls.py::test_*",
            "PASSED derivable::cube.Square",
            "FAILED derivable::cube.Cube - Cube: wrong*",
        ]
    )


def test_only_the_examinations_are_reported(run: pytest.Pytester) -> None:
    run.makepyfile(test_calls=CALLS)
    run.makeini("[pytest]\nderivable_expected_failures =\n    Cube: power\n    Cube: factor\n")
    result = inner(run, "--derivable-only", "-v")
    result.assert_outcomes(passed=1, xfailed=1)
    result.stdout.no_fnmatch_line("*test_that_fails*")


def test_what_is_selected_or_ignored_is_not_examined(run: pytest.Pytester) -> None:
    run.makepyfile(test_calls=CALLS)
    inner(run, "--derivable", "-k", "test_cube").assert_outcomes(passed=1, failed=1, deselected=2)
    run.makeini("[pytest]\nderivable_ignore =\n    cube.C*\n")
    inner(run, "--derivable").assert_outcomes(passed=3, failed=1)
    result = inner(run, "--derivable", "-x", "test_calls.py::test_that_fails")
    result.assert_outcomes(failed=1)
    run.makepyfile(
        test_calls="""
        import derivable, torch
        def test_of_others(): derivable.Tanh.apply(torch.ones(3))
        """
    )
    result = inner(run, "--derivable")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["derivable: these tests called no Function*"])


LOCAL = """
    import torch
    import pytest

    @pytest.mark.parametrize("factor", [2, 5])
    def test_one(factor):
        check(factor)

    def check(factor):
        class Times(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return 3 * x
            @staticmethod
            def backward(ctx, g):
                return factor * g
        Times.apply(torch.ones(3, requires_grad=True))

    def test_other():
        class Times(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return 3 * x
            @staticmethod
            def backward(ctx, g):
                return 2 * g
        Times.apply(torch.ones(3, requires_grad=True))
"""


@pytest.mark.parametrize("stop", ["-x", "--sw"])
def test_classes_of_one_name_are_told_apart_and_the_first_failure_stops(
    stop: str, run: pytest.Pytester
) -> None:
    run.makepyfile(test_local=LOCAL)
    result = inner(run, "--derivable", "test_local.py", stop)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["FAILED derivable::test_local.check.Times - *"])
    result.stdout.no_fnmatch_line("*test_other.Times*")


def test_nothing_is_recorded_where_tests_are_only_collected(run: pytest.Pytester) -> None:
    run.makepyfile(test_calls=CALLS)
    result = inner(run, "--derivable", "--collect-only", "test_calls.py")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*<Function test_both>"])
    result.stdout.no_fnmatch_line("*called no Function*")


REFUSES = """
import torch


class Refuses(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        raise ValueError("never")

    @staticmethod
    def backward(ctx, g):
        return g


class Unwritten(Refuses):
    @staticmethod
    def forward(ctx, x):
        raise NotImplementedError


raise RuntimeError("the data are not there")
"""


def test_what_cannot_be_examined_is_skipped_with_the_reason(run: pytest.Pytester) -> None:
    run.makepyfile(refuses=REFUSES)
    result = inner(run, "--derivable", "refuses.py", "--derivable", "none.py")
    result.assert_outcomes(skipped=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "there is no file none.py",
            "derivable: refuses.py:*: RuntimeError: the data are not there; *",
            "SKIPPED * Refuses*",
            "SKIPPED * Unwritten: inconclusive *",
            "FAILED derivable::none.py::load - *",
        ]
    )


@pytest.mark.parametrize(
    ("word", "tests"),
    [
        ("tests", True), ("package", False), ("folder", True), ("test_one.py", True),
        ("one_test.py", True), ("one.py", False), ("one.py::test_a", True), ("none.py", False),
        ("package.module", False),
    ],
)  # fmt: skip
def test_tests_after_the_option_are_no_target(
    word: str, tests: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("tests", "package", "folder"):
        (tmp_path / folder).mkdir()
    for file in (
        "tests/__init__.py",
        "package/__init__.py",
        "test_one.py",
        "one_test.py",
        "one.py",
    ):
        (tmp_path / file).touch()
    words = ["-q", "--derivable", word]
    pytest_plugin.pytest_load_initial_conftests(words)
    assert words == ["-q", "--derivable=" if tests else "--derivable", word]
