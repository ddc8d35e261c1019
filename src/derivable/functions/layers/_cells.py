"""What the recurrent cells share: their checks, and the backward of their affine maps."""

from __future__ import annotations

from torch import Tensor

from derivable.functions.layers._checks import require_real
from derivable.functions.messages import say
from derivable.shapes import require_tensors, shape_error


def affine_gradients(grad: Tensor, x: Tensor, w: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of x, w and b in x w^T + b, with w laid out (out, in)."""
    rows = x.shape[:-1].numel()
    flat = grad.reshape(rows, w.size(0))  # (N, out)
    return grad @ w, flat.t() @ x.reshape(rows, w.size(1)), flat.sum(0)


def require_cell(
    function: str,
    gates: int,
    input: Tensor,
    states: dict[str, Tensor],
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None,
    b_hh: Tensor | None,
) -> None:
    """Refuse inputs of a cell with `gates` gates that do not fit together."""
    require_tensors(function, input=input, **states, w_ih=w_ih, w_hh=w_hh)
    require_real(function, input=input, **states, w_ih=w_ih, w_hh=w_hh, b_ih=b_ih, b_hh=b_hh)
    if input.ndim == 0:
        raise shape_error(function, "input", say("features"), input, say("reshape"))
    hx = next(iter(states.values()))
    if hx.ndim != input.ndim:
        raise shape_error(
            function, "hx", say("as_many_dimensions", count=input.ndim), hx, say("state_per_row")
        )
    size = hx.size(-1)
    for name, state in states.items():
        expected = (*input.shape[:-1], size)
        if tuple(state.shape) != expected:
            raise shape_error(
                function, name, say("exact_shape", shape=expected), state, say("state_per_row")
            )
    for name, weight, columns in (("w_ih", w_ih, input.size(-1)), ("w_hh", w_hh, size)):
        if tuple(weight.shape) != (gates * size, columns):
            raise shape_error(
                function,
                name,
                say("exact_shape", shape=(gates * size, columns)),
                weight,
                say("gates", gates=gates, size=size),
            )
    for name, bias in (("b_ih", b_ih), ("b_hh", b_hh)):
        if bias is not None and tuple(bias.shape) != (gates * size,):
            raise shape_error(
                function,
                name,
                say("exact_shape", shape=(gates * size,)),
                bias,
                say("gates", gates=gates, size=size),
            )
