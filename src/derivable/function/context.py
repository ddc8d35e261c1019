"""What one `forward` leaves for its one `backward`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from derivable.errors import ContextError, NotATensorError
from derivable.function.gradients import Like
from derivable.function.messages import say
from derivable.function.signature import Signature


class Tape:
    """What `forward` records on its `ctx`, without checks.

    It has the interface of the `ctx` of `torch.autograd.Function`. The bridge to autograd uses it
    and checks gradients itself; `Context` adds the checks of a call by hand.
    """

    def __init__(self, needs_input_grad: tuple[bool, ...] = ()) -> None:
        self.needs_input_grad = needs_input_grad  # per input: is its gradient wanted?
        self._saved: tuple[Tensor | None, ...] | None = None
        self._non_differentiable: tuple[Tensor, ...] = ()
        self._dirty: tuple[Tensor, ...] = ()
        self._materialize = True

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep `tensors` for backward; `None` in place of an optional input that is absent."""
        self._saved = tensors

    @property
    def saved_tensors(self) -> tuple[Tensor, ...]:
        """What `forward` saved, in its order."""
        return self._saved or ()  # type: ignore[return-value]  # None only where None was saved

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Mark outputs that have no gradient, such as indices."""
        self._non_differentiable = outputs

    def mark_dirty(self, *inputs: Tensor) -> None:
        """Mark inputs that `forward` changed in place."""
        self._dirty = inputs

    def set_materialize_grads(self, value: bool) -> None:
        """Set whether backward receives zeros (the default) or None for an unused output."""
        self._materialize = value


@dataclass
class Call:
    """The record of one `forward` by hand, which its Context keeps until `backward`."""

    owner: type  # the Function whose forward it was
    signature: Signature
    inputs: list[Like | None]  # None for an input that is no tensor
    outputs: list[Like | None] | None = None  # None as a whole while forward is still running


class Context(Tape):
    """The `ctx` of a Function that is run by hand: `forward` saves on it, `backward` reads it.

    It has the interface of the `ctx` of `torch.autograd.Function`: `save_for_backward`,
    `saved_tensors`, `needs_input_grad`, the marks, and plain attributes (`ctx.scale = 2.0`) for
    whatever is not a tensor. One Context belongs to one forward: make a new one for every call.

        ctx = Context()
        yhat = Linear.forward(ctx, x, w, b)
        grad_x, grad_w, grad_b = Linear.backward(ctx, grad_output)

    Raises ContextError when it is used twice, read before anything was saved, or given to the
    backward of another Function, and NotATensorError when something that is no tensor is saved.
    """

    def __init__(self) -> None:
        super().__init__()
        self._call: Call | None = None  # the forward that it serves
        self._running_backward = False  # a subclass's backward may call super().backward

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep `tensors` for backward; `None` in place of an optional input that is absent."""
        if self._saved is not None:
            raise ContextError(say("saved_before"))
        for position, tensor in enumerate(tensors):
            if not isinstance(tensor, torch.Tensor | None):
                kind = type(tensor).__name__
                raise NotATensorError(say("saves_tensors", position=position, kind=kind))
        super().save_for_backward(*tensors)

    @property
    def saved_tensors(self) -> tuple[Tensor, ...]:
        """What `forward` saved, in its order."""
        if self._saved is None:
            raise ContextError(say("nothing_saved"))
        return super().saved_tensors
