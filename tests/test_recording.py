"""The recorder of calls, and `examine`, which examines what was called."""

from __future__ import annotations

import builtins
import functools
import io
import sys
from typing import Any

import pytest
import torch
from rich.console import Console
from torch import Tensor

import derivable
from derivable import Context, Tanh, declare, examine
from derivable.errors import InputError, WrongGradientError
from derivable.examiner.called import chosen
from derivable.examiner.capture.calls import KINDS, SIDE, WHOLE, Call, Calls, copied
from derivable.examiner.capture.closures import shared_tensors, with_shared
from derivable.examiner.capture.recording import LONG_LOOP, LongLoopError, Recording
from derivable.examiner.capture.smaller import FEW, smaller
from derivable.examiner.finding import Section
from derivable.examiner.inputs.declared import forget
from tests.corpus.right_contracts import SparseProduct
from tests.corpus.right_symmetric import Smoothed


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 2 * x**2 * grad_output


class Square(derivable.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 2 * x * grad_output


class Split(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, k: int = 2) -> Tensor:
        return x * k

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.k = inputs[1]

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        return grad_output * ctx.k, None


class Plain:
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.x = x
        return x.sin()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return grad_output * ctx.x.cos()


class Notes:
    pass


GradcheckError = sys.modules["torch.autograd.gradcheck"].GradcheckError

split: Any = Split.apply
cube: Any = Cube.apply  # older than any recording
square: Any = Square.apply


def calls_of(recording: Recording, target: Any) -> Calls:
    return recording.calls[id(target)]


def shapes(calls: Calls) -> list[list[tuple[int, ...]]]:
    return [[tuple(v.shape) for v in c.inputs if isinstance(v, Tensor)] for c in calls]


def test_every_way_of_calling_is_seen() -> None:
    with Recording() as recording:
        cube(torch.randn(3, requires_grad=True))
        square(torch.randn(4))
        Square.forward(Context(), torch.randn(5, 2))
        Plain.forward(Notes(), torch.randn(7))
        torch.func.grad(lambda x: square(x).sum())(torch.randn(4))
        torch.vmap(torch.func.grad(lambda x: split(x).sum()))(torch.randn(5, 2))

        class Late:
            def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: N805 - run by hand
                return x * 1

            def backward(ctx: Any, g: Tensor) -> Tensor:  # noqa: N805
                return g

        Late.forward(Notes(), torch.randn(11))
    assert shapes(calls_of(recording, Cube)) == [[(3,)]]
    assert calls_of(recording, Cube).wanted == {0}
    assert shapes(calls_of(recording, Square)) == [[(4,)], [(5, 2)]]
    assert shapes(calls_of(recording, Plain)) == [[(7,)]]
    assert shapes(calls_of(recording, Split)) == [[(2,)]], "one of the batch"
    assert shapes(calls_of(recording, Late)) == [[(11,)]]
    assert len(recording.calls) == 5, "not what derivable or PyTorch runs for these"
    (call,) = calls_of(recording, Cube)
    assert call.location is not None
    assert call.location.path == __file__


def test_an_operator_with_a_registered_backward_is_seen() -> None:
    @torch.library.custom_op("derivable_tests::times", mutates_args=())
    def times(x: Tensor, *, k: int = 3) -> Tensor:
        return x * k

    def setup(ctx: Any, inputs: Any, keyword_only_inputs: Any, output: Any) -> None:
        ctx.k = keyword_only_inputs["k"]

    times.register_autograd(lambda ctx, g: g * ctx.k, setup_context=setup)
    with examine() as examined:
        times(torch.randn(3, requires_grad=True), k=5)
    (report,) = examined.reports
    assert (report.function, report.verdict) == ("derivable_tests::times", "right")


def test_an_operator_without_a_backward_is_no_target() -> None:
    @torch.library.custom_op("derivable_tests::double", mutates_args=())
    def double(x: Tensor) -> Tensor:
        return x * 2

    with Recording() as recording:
        double(torch.randn(3, requires_grad=True))
    assert recording.calls == {}


def test_what_is_no_target_runs_as_ever_under_a_recording() -> None:
    made: dict[str, Any] = {}
    with Recording() as recording:
        exec("class Answer(metaclass=lambda *parts: 42): pass", made)  # makes no class

        context = Notes()
        context.x = torch.zeros(3)  # type: ignore[attr-defined]
        assert Plain.backward(context, torch.ones(3)).sum() == 3
    assert made["Answer"] == 42
    assert recording.calls == {}


def test_afterwards_everything_is_as_it_was() -> None:
    function: Any = vars(torch.autograd.Function)["apply"].__func__
    rule, build, module = Plain.forward, builtins.__build_class__, vars(derivable.function.function)
    record = module["CallRecord"]
    code, check = function.__code__, torch.autograd.gradcheck.__code__
    with Recording(), Recording():
        assert function.__code__ is not code
        assert Plain.forward is not rule
    with pytest.raises(ZeroDivisionError), Recording():
        _ = 1 / 0
    assert function.__code__ is code
    assert torch.autograd.gradcheck.__code__ is check
    assert Plain.forward is rule
    assert builtins.__build_class__ is build
    assert module["CallRecord"] is record


def test_inputs_are_kept_as_they_were_before_the_call() -> None:
    x = torch.ones(3)
    with Recording() as recording:
        cube(x)
        x.zero_()
    (call,) = calls_of(recording, Cube)
    assert call.inputs[0].tolist() == [1, 1, 1]


def test_a_few_small_calls_are_kept() -> None:
    with Recording() as recording:
        for n in range(2, 90):
            cube(torch.randn(n))
        cube(torch.full((3,), torch.nan))
        for ndim in range(9):
            cube(torch.randn([2] * ndim, requires_grad=True))
        cube(torch.randn(500, 20))
        cube(torch.randn(5, 2))
    calls = calls_of(recording, Cube)
    assert calls.count == 100
    assert len(calls.kinds) == KINDS
    assert shapes(calls)[:2] == [[(2,)], [()]]
    assert not any(torch.isnan(v).any() for call in calls for v in call.inputs)


def test_large_inputs_become_small_ones_of_their_kind() -> None:
    labels = torch.randint(10, (WHOLE,))
    kept = copied([torch.rand(WHOLE), labels, labels.double()])
    assert [tuple(v.shape) for v in kept] == [(SIDE,)] * 3
    assert kept[0].min() > 0
    assert set(kept[1].tolist()) <= set(range(10))
    matrix = torch.randn(40, 40)

    def solve(inputs: Any) -> list[Tensor]:
        a, b, c = inputs
        assert torch.equal(a, a.T), "forward is for symmetric matrices"
        assert int(c.max()) < len(b)
        return [a @ b[c]]

    given = [matrix + matrix.T, torch.randn(40, 300), torch.arange(40)]
    a, b, c = smaller(solve, given)
    assert a.numel() + b.numel() <= FEW
    assert a.shape[1] == len(c)
    assert torch.equal(a, a.T)
    assert smaller(lambda inputs: [torch.full((1,), torch.nan)], given)[1] is given[1]


@pytest.mark.parametrize("dtypes", [("float32", "float64"), ("float64", "float32")])
def test_of_two_dtypes_the_finer_is_examined(dtypes: tuple[str, str]) -> None:
    with Recording() as recording:
        for size, dtype in enumerate(dtypes, 3):
            cube(torch.randn(size, dtype=getattr(torch, dtype)))
    (call,) = chosen(calls_of(recording, Cube))
    assert call.inputs[0].dtype is torch.float64


def test_a_side_is_made_shorter_although_others_have_the_usual_lengths() -> None:
    (x,) = smaller(lambda inputs: inputs, [torch.randn(6, 5, 3)])
    assert x.shape == (4, 5, 3)


def test_what_forward_refuses_when_smaller_stays_as_it_is() -> None:
    def forward(inputs: Any) -> Any:
        if inputs[0].shape[0] != 40:
            raise ValueError("40 rows are expected")
        return inputs

    (x,) = smaller(forward, [torch.randn(40, 30)])
    assert x.shape == (40, 3)


def test_what_the_examiner_runs_is_not_seen() -> None:
    with Recording() as recording:
        derivable.check(Cube, torch.randn(3, dtype=torch.float64))
    assert shapes(calls_of(recording, Cube)) == [[(3,)]]


def test_gradcheck_raises_as_ever_unless_it_shall_not() -> None:
    x = torch.randn(3, dtype=torch.float64, requires_grad=True)
    with examine(), pytest.raises(GradcheckError):
        torch.autograd.gradcheck(cube, (x,))
    with Recording(lenient=True, setup_only=True) as recording:
        assert not torch.autograd.gradcheck(cube, (x,))
        for _ in range(LONG_LOOP):
            assert torch.autograd.gradcheck(square, (x,)), "its many calls are no loop"
    assert recording.failed_checks == 1
    with Recording(setup_only=True):
        for _ in range(LONG_LOOP):
            square(x)
        with pytest.raises(LongLoopError):
            square(x)


def test_examine_reports_on_what_was_called() -> None:
    with examine() as examined:
        cube(torch.randn(300, 40, requires_grad=True)).sum().backward()
        square(torch.randn(4, requires_grad=True))
        Plain.forward(Notes(), torch.randn(7))
        Tanh.apply(torch.randn(3))
    reports = examined.report()
    assert {r.function: r.verdict for r in reports} == {
        "Cube": "wrong", "Square": "right", "Plain": "right",
    }  # fmt: skip
    assert reports is examined.reports
    assert (reports.verdict, reports.ok, bool(reports)) == ("wrong", False, False)
    text = str(reports)
    assert text.startswith("Cube: wrong (1 finding, ")
    assert "\nSquare: right (" in text
    assert "Cube" in reports._repr_html_()
    with pytest.raises(WrongGradientError, match="Cube: wrong"):
        reports.raise_if_wrong()
    assert len(reports) == 3
    coloured = io.StringIO()
    Console(file=coloured, width=400).print(reports)
    assert [line.rstrip() for line in coloured.getvalue().splitlines()] == text.splitlines()


def test_as_a_decorator_it_sees_all_calls() -> None:
    @examine(installed=True)
    def step(n: int) -> Tensor:
        return Tanh.apply(torch.randn([2] * n))

    step(1)
    step(2)
    (report,) = step.examined.report()
    assert (report.function, report.verdict) == ("Tanh", "right")
    step.examined.report().raise_if_wrong()
    with examine() as examined:
        torch.randn(3).sum()
    assert str(examined.report()) == "nothing was called that can be examined"
    assert examined.report().verdict == "inconclusive"


def test_what_cannot_be_examined_is_named() -> None:
    class Labels(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> None:
            return None

    with examine() as examined:
        apply: Any = Labels.apply
        apply(torch.arange(3))
    assert "none of the inputs is a floating-point tensor" in examined.reports.refused["Labels"]
    assert str(examined.reports).startswith("Labels: ")


class Inverse(torch.autograd.Function):
    """The x at which f(x) = y, for a rising f that uses the parameters given beside it."""

    @staticmethod
    def forward(ctx: Any, f: Any, y: Tensor, *parameters: Tensor) -> Tensor:
        low, high = torch.full_like(y, -1e3), torch.full_like(y, 1e3)
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (
                torch.where(f(middle) < y, middle, low),
                torch.where(f(middle) < y, high, middle),
            )
        ctx.f = f
        ctx.save_for_backward(low, *parameters)
        return low

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Any, ...]:
        x, *parameters = ctx.saved_tensors
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            y = ctx.f(x)
        (slope,) = torch.autograd.grad(y, x, torch.ones_like(y), retain_graph=True)
        wanted = [p for p in parameters if p.requires_grad]
        found = iter(torch.autograd.grad(y, wanted, -grad_output / slope) if wanted else ())
        return None, grad_output / slope, *(next(found) if p.requires_grad else None
                                            for p in parameters)  # fmt: skip


inverse: Any = Inverse.apply


def test_a_function_among_the_inputs_uses_the_tensors_beside_it() -> None:
    rate = torch.tensor(0.7, requires_grad=True)
    with examine() as examined:
        y = torch.linspace(0.3, 2.1, 4, requires_grad=True)
        inverse(lambda x: x + rate * x.tanh(), y, rate).sum().backward()
    (report,) = examined.reports
    assert not any(finding.cause == "raises" for finding in report.findings), report
    assert report.sections[Section.FIRST_ORDER] == "right", report


class Rising:
    """f(x) = x + rate tanh(x), with the rate in one of the places where a callable may hold it."""

    def __init__(self, rate: Tensor) -> None:
        self.rate = rate

    def value(self, x: Tensor) -> Tensor:
        return x + self.rate * x.tanh()


def rising(x: Tensor, rate: Tensor) -> Tensor:
    return x + rate * x.tanh()


@pytest.mark.parametrize(
    "holds",
    [
        lambda rate: functools.partial(rising, rate=rate),
        lambda rate: functools.partial(lambda rate, x: rising(x, rate), rate),
        lambda rate: lambda x, rates=[rate]: rising(x, rates[0]),
        lambda rate: lambda x, rates={"rate": rate}: rising(x, rates["rate"]),
    ],
    ids=["keyword", "argument", "list", "dict"],
)
def test_a_function_with_the_tensors_in_any_container_uses_those_beside_it(holds: Any) -> None:
    rate, other, y = torch.tensor(0.7), torch.tensor(0.2), torch.linspace(0.3, 2.1, 5)
    f = holds(rate)
    again = with_shared(Inverse, shared_tensors([f, y, rate]))
    assert torch.equal(again(f, y, other), inverse(holds(other), y, other))
    assert torch.equal(f(y), rising(y, rate)), "the function itself is as it was"


def test_tensors_of_a_method_among_the_inputs_are_refused_by_name() -> None:
    rate, y = torch.tensor(0.7), torch.ones(3)
    method = Rising(rate).value
    with pytest.raises(InputError, match="tensors of a method"):
        with_shared(Inverse, shared_tensors([method, y, rate]))(method, y, torch.tensor(0.2))


def test_tensors_of_a_module_among_the_inputs_are_refused_by_name() -> None:
    layer = torch.nn.Linear(1, 1)
    with examine() as examined:
        inverse(layer, torch.ones(2, 1), *layer.parameters())
    assert not examined.reports
    (refusal,) = examined.reports.refused.values()
    assert "tensors of a Linear" in refusal


def test_a_call_with_finite_inputs_is_kept_in_the_place_of_a_masked_one() -> None:
    masked = torch.tensor([1.0, -torch.inf, 2.0])
    with Recording() as recording:
        cube(masked)
        cube(torch.ones(12))
        cube(masked[:2])
    (call,) = calls_of(recording, Cube)
    assert call.inputs[0].shape == (12,)


class AnyLayout(SparseProduct):
    """The gradient of a sparse matrix, as a dense one."""

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        a, x = ctx.saved_tensors
        return grad_output @ x.mT, a.to_dense().mT @ grad_output


@pytest.mark.filterwarnings("ignore:Sparse")  # PyTorch calls its layouts beta
@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr, torch.sparse_csc])
def test_calls_with_sparse_inputs_are_kept(layout: torch.layout) -> None:
    dense = torch.tensor([[1.0, 0.0, -2.0], [0.0, 3.0, 0.5]]).double()
    a = dense.to_sparse(layout=layout).requires_grad_()
    with examine() as examined:
        AnyLayout.apply(a, torch.randn(3, 2).double())  # type: ignore[no-untyped-call]
    (report,) = examined.reports
    assert report.verdict == "right", report.details("en")
    assert report.example[0].layout is layout


@pytest.mark.filterwarnings("ignore:Sparse")
def test_calls_in_two_sparse_layouts_are_two_kinds() -> None:
    dense = torch.eye(3).double()
    calls = Calls(SparseProduct)
    for a in (dense.to_sparse(), dense.to_sparse_csr()):  # of the same shape and dtype
        assert calls.wants([a], {}, "")
        calls.keep(Call((a,), {}))
    assert len(chosen(calls)) == 2


def test_a_contract_holds_at_large_recorded_inputs_too() -> None:
    factor = torch.randn(12, 12).double()
    k = factor @ factor.mT / 12 + torch.eye(12).double()
    x = torch.randn(12, 9).double()
    declare(Smoothed, contracts={"k": "symmetric"})
    try:
        with examine() as examined:
            Smoothed.apply(k.requires_grad_(), x)  # type: ignore[no-untyped-call]
        (report,) = examined.reports
    finally:
        forget()
    assert report.verdict == "right", report.details("en")
