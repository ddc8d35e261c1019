"""Wrong backwards that a first derivative of one output hides: second order, ways, outputs."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import Function

import derivable
from tests.corpus.draw import draw
from tests.corpus.entry import Wrong

# --- second order --------------------------------------------------------------------------------


class SinWithSavedSlope(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(torch.cos(x))
        return torch.sin(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (slope,) = ctx.saved_tensors
        return g * slope


class DetachedTanh(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = torch.tanh(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        y = ctx.saved_tensors[0].detach()
        return grad_output * (1 - y * y)


class DataCube(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 3 * x.data**2 * g


class NumPyGaussian(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.exp(-(x**2))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        values = ctx.saved_tensors[0].detach().numpy()
        slope = -2 * values * torch.exp(-(torch.from_numpy(values) ** 2)).numpy()
        return grad_output * torch.from_numpy(slope)


class FrozenSoftplus(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.nn.functional.softplus(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (x,) = ctx.saved_tensors
        with torch.no_grad():
            slope = torch.sigmoid(x)
        return grad_output * slope


class ItemRoot(derivable.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = (1 + x.square().sum()).sqrt()
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, y = ctx.saved_tensors
        return grad_output * x / y.item()


class HalfDetachedProduct(Function):
    """Each gradient by itself is right; the mixed second derivative is lost on one side."""

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x * w

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, w = ctx.saved_tensors
        return grad_output * w.detach(), grad_output * x


class _SquareSlope(Function):
    @staticmethod
    def forward(ctx: Any, g: Any, x: Any) -> Any:
        ctx.save_for_backward(g, x)
        return 2 * g * x

    @staticmethod
    def backward(ctx: Any, gg: Any) -> Any:
        g, x = ctx.saved_tensors
        return 2 * gg * x, gg * g  # the 2 is missing in the second


class SquareByHand(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        slope: Any = _SquareSlope
        return slope.apply(grad_output, ctx.saved_tensors[0])


# --- other ways to run ---------------------------------------------------------------------------


class SquareJvp(Function):
    @staticmethod
    def forward(x: Any) -> Any:
        return x**2

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * x * g

    @staticmethod
    def jvp(ctx: Any, t: Any) -> Any:
        (x,) = ctx.saved_tensors
        return x * t


class MatmulJvp(Function):
    """The tangent of w was forgotten: x was the only input that ever moved."""

    @staticmethod
    def forward(x: Any, w: Any) -> Any:
        return x @ w

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, w = ctx.saved_tensors
        return grad_output @ w.transpose(-1, -2), x.transpose(-1, -2) @ grad_output

    @staticmethod
    def jvp(ctx: Any, x_tangent: Any, w_tangent: Any) -> Any:
        _, w = ctx.saved_tensors
        return x_tangent @ w


class ColumnSumsVmap(Function):
    """The vmap rule takes the batch to be in front, wherever it is."""

    @staticmethod
    def forward(x: Any) -> Any:
        return x.sum(-2)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.rows = inputs[0].shape[-2]

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output.unsqueeze(-2).repeat_interleave(ctx.rows, -2)

    @staticmethod
    def vmap(info: Any, in_dims: Any, x: Any) -> Any:
        rule: Any = ColumnSumsVmap
        return rule.apply(x), 0


class CentreVmap(Function):
    """Under vmap the mean is taken over the batch as well."""

    @staticmethod
    def forward(x: Any) -> Any:
        return x - x.mean()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output - grad_output.mean()

    @staticmethod
    def vmap(info: Any, in_dims: Any, x: Any) -> Any:
        rule: Any = CentreVmap
        return rule.apply(x), in_dims[0]


# --- changed after saving ------------------------------------------------------------------------


class SiLUInPlace(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        s = torch.sigmoid(x)
        ctx.save_for_backward(x, s)
        return s.mul_(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, s = ctx.saved_tensors
        return grad_output * s * (1 + x * (1 - s))


class Expm1(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x.exp()
        ctx.save_for_backward(y)
        y -= 1
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * ctx.saved_tensors[0]


class _Exp(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.y = x.exp()
        return ctx.y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * ctx.y


def exp_then_shift(x: Any) -> Any:
    exp: Any = _Exp
    return exp.apply(x).sub_(1).cos()


class _Square(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.x = x
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 2 * g * ctx.x


def residual_in_place(x: Any) -> Any:
    square: Any = _Square
    hidden = torch.sin(x)
    squared = square.apply(hidden)
    return hidden.add_(squared)


# --- several outputs -----------------------------------------------------------------------------


class Moments(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x.mean(0), (x * x).mean(0)

    @staticmethod
    def backward(ctx: Any, grad_mean: Any, grad_square: Any) -> Any:
        (x,) = ctx.saved_tensors
        return (grad_mean / x.shape[0]).expand_as(x)


class SinCos(Function):
    @staticmethod
    def forward(ctx: Any, angle: Any) -> Any:
        ctx.save_for_backward(angle)
        return angle.sin(), angle.cos()

    @staticmethod
    def backward(ctx: Any, grad_cos: Any, grad_sin: Any) -> Any:
        (angle,) = ctx.saved_tensors
        return grad_sin * angle.cos() - grad_cos * angle.sin()


class LazySinCos(Function):
    @staticmethod
    def forward(ctx: Any, angle: Any) -> Any:
        ctx.save_for_backward(angle)
        ctx.set_materialize_grads(False)
        return angle.sin(), angle.cos()

    @staticmethod
    def backward(ctx: Any, grad_sin: Any, grad_cos: Any) -> Any:
        (angle,) = ctx.saved_tensors
        return grad_sin * angle.cos() - grad_cos * angle.sin()


class HastySplit(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.set_materialize_grads(False)
        return 2 * x, -x

    @staticmethod
    def backward(ctx: Any, g_double: Any, g_negative: Any) -> Any:
        if g_double is None or g_negative is None:
            return None
        return 2 * g_double - g_negative


class RowMax(Function):
    """Returns (positions, values), and reads the gradients the other way round."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        values, positions = x.max(dim=1)
        ctx.mark_non_differentiable(positions)
        ctx.save_for_backward(x, positions)
        return positions, values

    @staticmethod
    def backward(ctx: Any, grad_values: Any, grad_positions: Any) -> Any:
        x, positions = ctx.saved_tensors
        grad = grad_values.to(x.dtype).unsqueeze(1)
        return torch.zeros_like(x).scatter(1, positions.unsqueeze(1), grad)


def _one() -> tuple[Any, ...]:
    return (draw(13, 5),)


def _alike() -> tuple[Any, ...]:
    return draw(13, 5), draw(13, 5, seed=1)


def _factors() -> tuple[Any, ...]:
    return draw(13, 5), draw(5, 3, seed=1)


SECOND = ("second_order",)
CHANGED = ("changed_after_saving",)
UNUSED = ("ignores_grad_output", "part_only", "missing_term")

CASES: list[Wrong] = [
    Wrong("sin saves its slope", SinWithSavedSlope, _one, SECOND, "x"),
    Wrong("tanh detached", DetachedTanh, _one, SECOND, "x"),
    Wrong("cube of x.data", DataCube, _one, SECOND, "x"),
    Wrong("gaussian by numpy", NumPyGaussian, _one, SECOND, "x"),
    Wrong("softplus slope under no_grad", FrozenSoftplus, _one, SECOND, "x"),
    Wrong("sqrt(1 + |x|^2) by item", ItemRoot, _one, SECOND, "x"),
    Wrong("product with one factor detached", HalfDetachedProduct, _alike, SECOND),
    Wrong("square whose slope is a wrong Function", SquareByHand, _one, SECOND, "x"),
    Wrong("jvp of square without the 2", SquareJvp, _one, ("jvp",), "x"),
    Wrong("jvp of matmul without w", MatmulJvp, _factors, ("jvp",), "w"),
    Wrong("vmap that ignores in_dims", ColumnSumsVmap, _one, ("way",), "x"),
    Wrong("vmap that averages over the batch", CentreVmap, _one, ("way",), "x"),
    Wrong("silu in place of its sigmoid", SiLUInPlace, _one, CHANGED, "x"),
    Wrong("expm1 in place of exp", Expm1, _one, CHANGED, "x"),
    Wrong("exp kept by name, shifted by the caller", exp_then_shift, _one, CHANGED, "x"),
    Wrong("residual added into the input", residual_in_place, _one, CHANGED, "x"),
    Wrong("moments without the second", Moments, _one, UNUSED, "x"),
    Wrong("sin and cos swapped", SinCos, _one, ("swapped_outputs",), "angle"),
    Wrong("sin and cos, one unused", LazySinCos, _one, ("raises",), "angle"),
    Wrong("None where one output is unused", HastySplit, _one, ("none", "part_only"), "x"),
    # "Swapped" is reported of arguments; here two outputs' grad_outputs are exchanged.
    Wrong("max reads the positions' gradient", RowMax, _one, ("swapped_outputs",), "x"),
]
