"""A Context serves one forward and its backward, and raises when it is used otherwise."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from derivable import Context, Linear, ReLU, Tanh
from derivable.errors import ContextError, InputError, NotATensorError


def test_it_returns_what_was_saved_in_order() -> None:
    ctx = Context()
    one, two = torch.randn(2), torch.randn(3)
    ctx.save_for_backward(one, None, two)
    assert ctx.saved_tensors[0] is one
    assert ctx.saved_tensors[1] is None
    assert ctx.saved_tensors[2] is two


def test_it_holds_plain_attributes() -> None:
    ctx: Any = Context()
    ctx.scale = 2.0
    assert ctx.scale == 2.0


def test_a_second_forward_is_refused() -> None:
    ctx = Context()
    Tanh.forward(ctx, torch.randn(3))
    message = r"Tanh.forward was given a Context that already served a forward; .* new Context\(\)"
    with pytest.raises(ContextError, match=message):
        Tanh.forward(ctx, torch.randn(3))


def test_saving_twice_is_refused() -> None:
    ctx = Context()
    ctx.save_for_backward(torch.randn(2))
    with pytest.raises(ContextError, match=r"already holds .* make a new Context\(\)"):
        ctx.save_for_backward(torch.randn(2))


def test_backward_before_forward_is_refused() -> None:
    message = r"Linear.backward was called before forward: .* call Linear.forward\(ctx, ...\) first"
    with pytest.raises(ContextError, match=message):
        Linear.backward(Context(), torch.randn(3))


def test_backward_of_another_function_is_refused() -> None:
    ctx = Context()
    Tanh.forward(ctx, torch.randn(3))
    message = r"ReLU.backward was given the Context of Tanh.forward; .* ReLU.forward\(ctx, ...\)"
    with pytest.raises(ContextError, match=message):
        ReLU.backward(ctx, torch.ones(3))


def test_a_subclass_may_take_one_rule_from_its_base() -> None:
    class Doubled(Tanh):
        @staticmethod
        def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:
            return 2 * Tanh.backward(ctx, grad_output)

    ctx = Context()
    Doubled.forward(ctx, torch.zeros(3))
    assert Doubled.backward(ctx, torch.ones(3)).tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    ("ctx", "got"), [(torch.ones(3), "Tensor"), (Context, "the class Context"), (None, "NoneType")]
)
def test_what_cannot_be_a_ctx_is_refused(ctx: Any, got: str) -> None:
    with pytest.raises(InputError, match=rf"Tanh.forward takes a ctx first, got {got}; by hand:"):
        Tanh.forward(ctx, torch.ones(3))
    with pytest.raises(InputError, match=rf"Tanh.backward takes a ctx first, got {got}; by hand:"):
        Tanh.backward(ctx, torch.ones(3))


def test_reading_an_empty_context_is_refused() -> None:
    with pytest.raises(ContextError, match=r"holds no tensors: .* call forward\(ctx, ...\) first"):
        _ = Context().saved_tensors


@pytest.mark.parametrize("value", [3, 2.5, "x", [torch.ones(1)]])
def test_saving_something_else_than_a_tensor_is_refused(value: Any) -> None:
    message = f"item 1 is of type {type(value).__name__}; keep it as an attribute instead"
    with pytest.raises(NotATensorError, match=message):
        Context().save_for_backward(torch.ones(1), value)


def test_errors_are_the_builtin_errors_too() -> None:
    assert issubclass(ContextError, RuntimeError)
    assert issubclass(NotATensorError, TypeError)


def test_a_forward_that_fails_leaves_the_context_fresh() -> None:
    ctx = Context()
    with pytest.raises(ValueError, match="Linear: x"):
        Linear.forward(ctx, torch.ones(2, 9), torch.ones(3, 4), torch.ones(4))
    Linear.forward(ctx, torch.ones(2, 3), torch.ones(3, 4), torch.ones(4))


def test_backward_may_be_asked_twice() -> None:
    ctx = Context()
    Tanh.forward(ctx, torch.randn(3))
    one, two = Tanh.backward(ctx, torch.ones(3)), Tanh.backward(ctx, torch.ones(3))
    assert torch.equal(one, two)
