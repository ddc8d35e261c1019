"""What one `forward` leaves for its one `backward`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from derivable.errors import ContextError, NotATensorError

if TYPE_CHECKING:
    from derivable.by_hand import Call


class Context:
    """The notebook that `forward` fills and `backward` reads, for running Functions by hand.

    It offers what the `ctx` of `torch.autograd.Function` offers: `save_for_backward`,
    `saved_tensors`, and plain attributes (`ctx.scale = 2.0`) for whatever is not a tensor.
    One Context belongs to one forward: make a new one for every call.

        ctx = Context()
        yhat = Linear.forward(ctx, x, w, b)
        grad_x, grad_w, grad_b = Linear.backward(ctx, grad_output)

    Raises ContextError when it is used twice or read before anything was saved, and
    NotATensorError when something that is no tensor is saved.
    """

    def __init__(self) -> None:
        self._saved: tuple[Tensor | None, ...] | None = None
        self._call: Call | None = None  # the forward that it serves

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep `tensors` for backward; `None` may stand for an optional input that is absent."""
        if self._saved is not None:
            raise ContextError(
                "this Context already holds what an earlier forward saved; one Context belongs "
                "to one forward: make a new Context() for each call"
            )
        for position, tensor in enumerate(tensors):
            if not isinstance(tensor, torch.Tensor | None):
                raise NotATensorError(
                    f"save_for_backward saves tensors, but item {position} is of type "
                    f"{type(tensor).__name__}; keep it as an attribute instead, for example "
                    "ctx.scale = scale"
                )
        self._saved = tensors

    @property
    def saved_tensors(self) -> tuple[Tensor, ...]:
        """What `forward` saved, in its order."""
        if self._saved is None:
            raise ContextError(
                "this Context holds no tensors: either backward was called before forward, or "
                "forward saved none; call forward(ctx, ...) first, with this same Context"
            )
        return self._saved  # type: ignore[return-value]  # None only where forward saved None
