"""Calls that are recorded in a way of their own: contexts, lists, keywords, other PyTorches."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch
from torch import Tensor

import derivable
from derivable import Context, examine
from derivable.examiner.called import examine_calls
from derivable.examiner.capture.recording import Recording
from derivable.examiner.capture.smaller import FEW
from tests.test_recording import (
    Cube,
    GradcheckError,
    Plain,
    Square,
    calls_of,
    cube,
    shapes,
    square,
)


class Sized:
    """A ctx that takes an argument."""

    def __init__(self, size: int) -> None:
        self.size = size


class Scaled(Plain):
    """Rules of an object, with a number and a tensor of its own."""

    def __init__(self) -> None:
        self.rate, self.counts = 3, torch.zeros(1)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return x * self.rate

    def backward(self, grad_output: Tensor) -> Tensor:  # type: ignore[override]
        self.counts += 1
        return grad_output * self.rate


def test_a_forward_by_hand_is_run_again_with_a_ctx_like_the_given_one() -> None:
    sized, one = Sized(5), Scaled()
    with Recording() as recording:
        Plain.forward(sized, torch.ones(3))
        one.forward(torch.ones(3))
    (call,) = calls_of(recording, Plain)
    again = call.context() if call.context else None
    assert (type(again), vars(again)["size"], again is sized) == (Sized, 5, False)
    (call,) = calls_of(recording, Scaled)
    again = call.context() if call.context else None
    assert isinstance(again, Scaled)
    assert again.backward(torch.ones(3)).sum() == 9
    assert [again.counts.item(), one.counts.item()] == [1, 0], "a copy"


class Marked(Tensor):
    """A tensor of a class of its own."""


def test_a_call_that_cannot_be_copied_does_not_hide_the_next_one_of_its_shape() -> None:
    with Recording() as recording:
        cube(torch.ones(3).as_subclass(Marked))
        assert shapes(calls_of(recording, Cube)) == []
        cube(torch.ones(3))
    assert shapes(calls_of(recording, Cube)) == [[(3,)]]


class Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, parts: list[Tensor], x: Tensor) -> Tensor:
        return sum(parts, x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[None, Tensor]:
        return None, grad_output


def test_tensors_in_lists_are_inputs_too() -> None:
    total: Any = Sum.apply
    part, x = torch.ones(1), torch.zeros(3)
    with Recording() as recording:
        total([torch.full((3,), torch.inf)], x)
        total([part], x)
        total([part, part], x)
        total((part, part), x)
    kept = list(calls_of(recording, Sum))
    part += 1
    assert [type(call.inputs[0]) for call in kept] == [list, list, tuple]
    assert [call.entries for call in kept] == [4, 5, 5], "a finite one replaces the infinite one"
    assert all(torch.equal(call.inputs[0][0], torch.ones(1)) for call in kept), "copies"


class Leaking(torch.autograd.Function):
    """A backward whose own derivative is not that of what it returns."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 2 * x.detach() * grad_output


def test_a_gradgradcheck_that_fails_returns_false_where_a_gradcheck_does() -> None:
    leaking: Any = Leaking.apply
    x = torch.randn(3, dtype=torch.float64, requires_grad=True)
    with Recording(lenient=True) as recording:
        assert torch.autograd.gradcheck(leaking, (x,))
        assert not torch.autograd.gradgradcheck(leaking, (x,))
    assert recording.failed_checks == 1
    with pytest.raises(GradcheckError):
        torch.autograd.gradgradcheck(leaking, (x,))


def test_calls_are_seen_where_pytorch_makes_its_functions_in_another_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cls: Any = Cube
    apply, check = vars(torch.autograd.Function)["apply"], torch.autograd.gradcheck

    def other_apply(cls: Any, *inputs: Any, run: Any = apply.__func__) -> Any:
        return run(cls, *inputs)

    def other_check(*inputs: Any) -> bool:
        return check(*inputs)

    monkeypatch.setattr(torch.autograd.Function, "apply", classmethod(other_apply))
    monkeypatch.setattr(sys.modules["torch.autograd.gradcheck"], "gradcheck", other_check)
    x = torch.randn(3, dtype=torch.float64, requires_grad=True)
    with Recording(lenient=True) as recording:
        assert cls.apply(x).shape == (3,)
        with pytest.raises(GradcheckError):
            other_check(cls.apply, (x,))
    assert shapes(calls_of(recording, Cube)) == [[(3,)]]
    assert vars(torch.autograd.Function)["apply"].__func__ is other_apply


def test_a_few_kinds_of_calls_are_examined(monkeypatch: pytest.MonkeyPatch) -> None:
    with Recording() as recording:
        for dimensions in (1, 2, 3):
            square(torch.randn([2] * dimensions))
    examined = []

    def check(target: Any, x: Tensor, **options: Any) -> Any:
        examined.append(x.ndim)
        return derivable.check(target, x, **options)

    monkeypatch.setattr("derivable.examiner.called.MOST", 1)
    monkeypatch.setattr("derivable.examiner.called.check", check)
    assert examine_calls(calls_of(recording, Square)).ok
    assert examined == [1]


class Times(derivable.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, *, factor: float = 3.0) -> Tensor:
        ctx.factor = factor
        return x * factor

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return grad_output * ctx.factor, None


class Narrow(torch.autograd.Function):
    """A forward that takes large inputs in single precision only."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        if x.dtype is torch.float64 and x.numel() > FEW:
            raise TypeError("too large for double precision")
        return x * 2

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output * 2


def test_calls_that_are_examined_only_in_their_own_way() -> None:
    narrow: Any = Narrow.apply
    with examine() as examined:
        Times.apply(torch.randn(3), factor=1.7)
        Times.forward(Context(), torch.randn(3, 2))
        narrow(torch.randn(11, 13))
    assert {r.function: r.verdict for r in examined.reports} == {
        "Times": "right",
        "Narrow": "right",
    }
    assert not examined.reports.refused
