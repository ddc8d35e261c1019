"""`Function`: a differentiable function, written once as a forward and a backward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from derivable.by_hand import backward_by_hand, forward_by_hand


class Function(torch.autograd.Function):
    """A differentiable function: static `forward(ctx, *inputs)` and `backward(ctx, *grad_outputs)`.

    The same definition runs by hand with a `Context`, and under autograd with `.apply`:

        class Cube(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x**3

            @staticmethod
            def backward(ctx, grad_output):
                (x,) = ctx.saved_tensors
                return 3 * x**2 * grad_output

        ctx = Context()
        y = Cube.forward(ctx, x)
        grad_x = Cube.backward(ctx, torch.ones_like(y))

        y = Cube.apply(x)

    By hand, both ends of `backward` are checked: `grad_output` has the shape of the output (a
    0-d tensor or a number stands for the same value everywhere), and each gradient has the
    shape of its input. Under `.apply`, autograd checks the same.
    """

    if TYPE_CHECKING:  # autograd's own is untyped

        @classmethod
        def apply(cls, *inputs: Any) -> Any:
            """The output, recorded by autograd."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, door in (("forward", forward_by_hand), ("backward", backward_by_hand)):
            rule = cls.__dict__.get(name)
            if isinstance(rule, staticmethod):
                setattr(cls, name, staticmethod(door(cls.__name__, rule.__func__)))
