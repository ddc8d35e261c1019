"""One examination: its checks, its budget, its sections and levels."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import Function

from derivable import Tanh
from derivable.errors import SettingError
from derivable.examiner import Level, Report, Section, Settings, Verdict, check
from derivable.examiner.capture.calls import Call, Calls
from derivable.examiner.capture.found import Found
from derivable.examiner.check import check_along_directions
from derivable.examiner.checks import CHECKS
from derivable.examiner.checks.check import Check, Results, ResultsSoFar, Setup
from derivable.examiner.checks.returned import fit
from derivable.examiner.examination import run_checks
from derivable.examiner.finding import Severity
from derivable.examiner.inputs.text import parse_inputs
from derivable.examiner.measure import Budget, BudgetSpent
from derivable.examiner.outcome import examined
from derivable.examiner.setup import FEWEST_CALLS, MOST_CALLS, _usual_calls, prepare
from derivable.examiner.targets.adapters import adapter_of
from derivable.examiner.targets.random_state import seeded


class SavedExp(Function):
    """Right to first order: an intermediate is saved, which autograd takes for a constant."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        half = (x / 2).exp()
        ctx.half = half
        return half * half

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output * ctx.half * ctx.half


class Unsummed(Function):
    """The gradient of the bias is not summed, which autograd repairs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, b: Tensor) -> Tensor:
        return x + b

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return grad_output, grad_output


class OfFour(Function):
    """Right for four rows: the number is written down."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.mean(0)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return grad_output.expand(4, *grad_output.shape) / 4


class Slow(Function):
    """A recurrence of many operations."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        y = x
        for _ in range(2000):
            y = y + 0.0
        return y * x

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * x * grad_output


def verdicts(target: Any, *inputs: Tensor) -> dict[str, bool]:
    return {level.value: check(target, *inputs, level=level).ok for level in Level}


def test_a_wrong_second_derivative_fails_only_where_everything_counts() -> None:
    x = torch.randn(4, 3)
    assert verdicts(SavedExp, x) == {"lab": True, "standard": True, "strict": False}
    report = check(SavedExp, x)
    assert report.sections[Section.FIRST_ORDER] is Verdict.RIGHT
    assert report.sections[Section.SECOND_ORDER] is Verdict.WRONG
    assert str(report).startswith("SavedExp: right to first order, wrong in second order")


def test_what_autograd_repairs_fails_in_the_lab() -> None:
    inputs = torch.randn(4, 3), torch.randn(3)
    assert verdicts(Unsummed, *inputs) == {"lab": False, "standard": True, "strict": False}
    assert str(check(Unsummed, *inputs)).startswith("Unsummed: right, with a warning")


def test_other_sizes_are_a_section_of_their_own() -> None:
    x = torch.randn(4, 3)
    assert verdicts(OfFour, x) == {"lab": True, "standard": False, "strict": False}
    report = check(OfFour, x)
    assert report.wrong_sections == (Section.SIZES,)
    assert str(report).startswith("OfFour: right at inputs like yours, wrong in sizes")


def test_an_unknown_level_or_setting_is_refused() -> None:
    with pytest.raises(SettingError, match="one of lab, standard, strict, got 'low'"):
        check(Tanh, level="low")
    with pytest.raises(SettingError, match="budget must be a positive number of calls, got 0"):
        check(Tanh, budget=0)
    with pytest.raises(SettingError, match="timeout must be a positive number of seconds"):
        check(Tanh, timeout=0.0)
    with pytest.raises(TypeError, match="there is no setting 'speed'"):
        Settings().changed({"speed": 1})


def test_a_small_budget_is_kept_and_stated() -> None:
    report = check(Tanh, torch.randn(6, 5), budget=300)
    assert report.calls <= 300 + 5_000  # the diagnosis has calls of its own
    notes = [note for note in report.notes if note.key == "note.budget"]
    assert len(notes) == 1
    assert notes[0].fields["calls"] == 300
    assert "stopped after their share of 300 calls" in report.details("en")
    assert report.ok


def test_the_verdict_is_the_same_however_busy_the_machine_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def examined() -> tuple[int, dict[str, int]]:
        report = check(Tanh, torch.linspace(-2, 2, 12).view(4, 3), timeout=1e9)
        return report.calls, dict(report.checks)

    examined()  # what is computed once in a process is computed here
    quick = examined()
    clock = iter(range(10**9))  # each time that the clock is read is a second later
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    assert examined() == quick


def test_a_forward_of_many_operations_has_fewer_calls() -> None:
    def calls(target: Any) -> float:
        x = torch.randn(3)
        prepared = prepare(adapter_of(target), [x], Settings(), {})
        return prepared.setup.examined.adapter.budget.calls

    assert calls(Tanh) == MOST_CALLS
    assert FEWEST_CALLS <= calls(Slow) < MOST_CALLS / 10
    assert check(Slow, torch.randn(3)).verdict == "right"


def test_a_timeout_ends_the_checks_and_is_stated() -> None:
    report = check(Slow, torch.randn(40), timeout=0.05)
    assert any(note.key == "note.timeout" for note in report.notes)


def test_a_budget_raises_what_no_check_catches() -> None:
    budget = Budget(10)
    budget.spend(4)
    with budget.share(0.5, least=1):
        assert budget.left == 3
        with pytest.raises(BudgetSpent):
            budget.spend(4)
    assert budget.left == 6
    assert not issubclass(BudgetSpent, Exception)


class Broken(Check):
    """A check with a mistake of its own, after its first result."""

    name = "edges"

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        yield Results(notes=so_far.notes)
        raise ZeroDivisionError("n - 1 is 0")


def test_a_mistake_of_the_examiner_is_a_note() -> None:
    prepared = prepare(adapter_of(Tanh), [torch.randn(3)], Settings(), {})
    so_far = run_checks(prepared.setup, ResultsSoFar(), (Broken(), *CHECKS[:2]))
    (note,) = [note for note in so_far.notes if note.key == "note.check_stopped"]
    assert note.fields["text"].fields["text"] == "n - 1 is 0"
    assert "calls" in so_far.comparisons


def test_forward_is_graded_beside_the_reference() -> None:
    def right(x: Tensor, b: Tensor) -> Tensor:
        return x + b

    def other(x: Tensor, b: Tensor) -> Tensor:
        return x + 2 * b

    def flat(x: Tensor, b: Tensor) -> Tensor:
        return (x + b).flatten()

    inputs = torch.ones(2, 3), torch.ones(3)

    def graded(reference: Any) -> Report:
        return check(Unsummed, *inputs, reference=reference)

    assert all(finding.cause != "forward" for finding in graded(right).findings)
    report = graded(other)
    assert report.verdict == "wrong"
    assert report.findings[0].cause == "forward"
    assert "6 of 6 numbers differ; the most: forward 2, the reference 3" in str(report)
    assert "forward returns shape (2, 3), the reference (6,)" in str(graded(flat))


def a_found(target: Any, **changes: Any) -> Found:
    return Found(target.__name__, __name__, __file__, 1, target, **changes)


class OwnExamples(Tanh):
    @staticmethod
    def examples() -> Any:
        raise ValueError("no file of examples")


class NotWritten(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g


class WithoutRule(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 2


def test_the_outcome_of_what_cannot_be_examined_states_why() -> None:
    given = parse_inputs("x:3x2")
    refused = examined(a_found(SavedExp), [parse_inputs("y:3")])
    assert (refused.verdict, refused.report) == ("not_examined", None)
    assert "there is no input 'y'" in str(refused.reason)
    raised = examined(a_found(OwnExamples))
    assert raised.verdict == "not_examined"
    assert str(raised.reason).endswith("ValueError: no file of examples")
    contract = examined(a_found(SavedExp), [given], Settings(contracts={"A": "symmetric"}))
    assert "has no input 'A'" in str(contract.reason)


def test_the_outcome_of_what_is_still_to_be_written_is_inconclusive() -> None:
    outcome = examined(a_found(NotWritten))
    assert outcome.verdict == "inconclusive"
    assert outcome.report is not None
    assert [note.key for note in outcome.report.notes] == ["note.forward_not_implemented"]
    unrunnable = examined(a_found(WithoutRule))
    assert unrunnable.report is not None
    assert unrunnable.report.function == "WithoutRule"


def test_inputs_of_a_call_without_a_line_are_not_stated() -> None:
    calls = Calls(Tanh)
    calls.keep(Call((torch.randn(3),), {}))
    outcome = examined(a_found(Tanh, calls=calls))
    assert (outcome.verdict, outcome.inputs) == ("right", None)


def test_a_report_is_true_if_it_is_right_and_notes_fail_at_no_level() -> None:
    report = check(SavedExp, torch.randn(4, 3))
    assert bool(report) is report.ok is True
    assert bool(check(OfFour, torch.randn(4, 3))) is False
    note = dataclasses.replace(report.findings[0], severity=Severity.NOTE)
    assert [level for level in Level if level.fails(note)] == []


class InBoth(Function):
    """A forward for its own dtype alone; a backward that raises in any."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x @ torch.ones(3, 2, dtype=torch.float32)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        raise ValueError("backward is wrong")


def test_a_forward_of_a_fixed_dtype_is_examined_in_it_where_backward_raises() -> None:
    report = check(InBoth, torch.randn(4, 3))
    assert report.verdict == "wrong"
    assert report.findings[0].cause == "raises"
    assert "backward is wrong" in report.details("en")


def test_a_forward_that_refuses_to_be_watched_has_the_usual_number_of_calls() -> None:
    def forward(x: Tensor) -> Tensor:
        if torch._C._len_torch_dispatch_stack():
            raise RuntimeError("no mode is allowed")
        return x.sin()

    assert _usual_calls(adapter_of(forward), [torch.randn(3)]) == MOST_CALLS
    assert _usual_calls(adapter_of(torch.sin), [torch.randn(3)]) == MOST_CALLS
    assert _usual_calls(adapter_of(Slow), [torch.randn(300)]) < MOST_CALLS


def test_generators_of_devices_are_seeded_and_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Any] = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: ["state"])
    monkeypatch.setattr(torch.cuda, "manual_seed_all", done.append)
    monkeypatch.setattr(torch.cuda, "set_rng_state_all", done.append)
    with seeded(7):
        assert done == [7]
    assert done == [7, ["state"]]


def along_directions(off: Any, x: Tensor) -> Report:
    class Off(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Tensor:
            gradient = 2 * ctx.saved_tensors[0].conj() * grad_output
            gradient[off] *= 3
            return gradient

    return check_along_directions(Off, adapter_of(Off), [x.requires_grad_()], Settings())


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_along_directions_a_wrong_entry_is_named(dtype: torch.dtype) -> None:
    x = torch.randn(5, 7, dtype=dtype)
    assert along_directions(torch.zeros(5, 7, dtype=torch.bool), x.clone()).ok
    (finding,) = along_directions((3, 2), x.clone()).findings
    assert finding.evidence[-1].fields["index"] == (3, 2)
    if not dtype.is_complex:  # whose entries are two numbers
        assert finding.cause == "part_only"
    (finding,) = along_directions(slice(None), x.clone()).findings
    assert finding.cause == "unrecognised"
    assert finding.evidence[0].key == "evidence.direction"


def test_torch_compile_is_compared_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    backends: list[str] = []

    def compiled(function: Any, backend: str) -> Any:
        backends.append(backend)
        return lambda *inputs: 2 * function(*inputs)

    monkeypatch.setattr(torch, "compile", compiled)
    assert check(Cosine, torch.randn(4, 3)).ok
    assert backends == []
    report = check(Cosine, torch.randn(4, 3), compile=True)
    assert set(backends) == {"aot_eager"}
    assert [(f.cause, f.section) for f in report.findings] == [("way", Section.WAYS)]
    assert "torch.compile" in report.details("en")


class Cosine(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.cos()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return -grad_output * ctx.saved_tensors[0].sin()


class ReturnsNumber(Cosine):
    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return 2.0


class WritesInput(Cosine):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.x = x
        return x.cos()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        gradient = -grad_output * ctx.x.sin()
        with torch.no_grad():
            ctx.x.add_(1.0)
        return gradient


@pytest.mark.parametrize(
    ("target", "cause", "evidence"),
    [
        (ReturnsNumber, "shape", "evidence.no_tensor"),
        (WritesInput, "in_place", "evidence.backward_changes"),
    ],
)
def test_what_backward_must_not_return_or_write(target: Any, cause: str, evidence: str) -> None:
    report = check(target, torch.randn(4, 3))
    assert report.verdict == "wrong"
    assert (cause, evidence) in {(f.cause, e.key) for f in report.findings for e in f.evidence}


def test_a_gradient_is_fitted_to_its_input_as_autograd_does() -> None:
    x = torch.zeros(3)
    gradient = torch.randn(2, 3, dtype=torch.complex64)
    fitted = fit((gradient,), 0, x)
    assert fitted is not None
    torch.testing.assert_close(fitted, gradient.real.sum(0).double())
    assert fit((None,), 0, x) is not None
    assert fit((2.0,), 0, x) is None
    assert fit((torch.randn(5),), 0, x) is None
