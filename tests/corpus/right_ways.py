"""Right Functions in many ways of writing and running one."""

# mypy: disable-error-code="no-untyped-call"
# PyTorch does not type apply.

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

import derivable
from tests.corpus.drawing import numbers
from tests.corpus.wrapped import case


class ExpOnce(Function):
    """Saves an intermediate, which is right because backward is differentiated only once."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        inner = torch.sin(x)
        output = torch.exp(inner)
        ctx.save_for_backward(torch.cos(x), output)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        cosine, output = ctx.saved_tensors
        return grad_output * cosine * output


class DetachedTanh(derivable.Function):
    """Ours sees through the detach, in second order too; PyTorch's own Function would not."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        output = torch.tanh(x)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        output = ctx.saved_tensors[0].detach()
        return grad_output * (1 - output * output)


class NumPySine(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        array = x.detach().cpu().numpy()
        ctx.cosine = np.cos(array)
        return torch.from_numpy(np.asarray(np.sin(array)))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return torch.from_numpy(np.asarray(grad_output.numpy() * ctx.cosine))


class NumPyCube(Function):
    """Raises when it is differentiated twice: .numpy() refuses a tensor that requires grad."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.from_numpy(np.asarray(x.detach().numpy() ** 3))

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return torch.from_numpy(np.asarray(3 * x.numpy() ** 2 * grad_output.numpy()))


class SplitCube(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, scale: float) -> Tensor:
        return scale * x**3

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, ctx.scale = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return 3 * ctx.scale * x**2 * grad_output, None

    @staticmethod
    def jvp(ctx: Any, x_t: Tensor, scale_t: None) -> Tensor:
        (x,) = ctx.saved_tensors
        return 3 * ctx.scale * x**2 * x_t


class SplitProduct(Function):
    """Its own rule for vmap."""

    @staticmethod
    def forward(x: Tensor, y: Tensor) -> Tensor:
        return x * y

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        x, y = ctx.saved_tensors
        return grad_output * y, grad_output * x

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], x: Tensor, y: Tensor) -> Any:
        x = x.expand(info.batch_size, *x.shape) if in_dims[0] is None else x.movedim(in_dims[0], 0)
        y = y.expand(info.batch_size, *y.shape) if in_dims[1] is None else y.movedim(in_dims[1], 0)
        return SplitProduct.apply(x, y), 0


class SplitSort(Function):
    """The indices are an output that has no derivative."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Any:
        return torch.sort(x, dim=-1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        _, indices = output
        ctx.mark_non_differentiable(indices)
        ctx.save_for_backward(indices)

    @staticmethod
    def backward(ctx: Any, grad_values: Tensor, _: Any) -> Tensor:
        (indices,) = ctx.saved_tensors
        return torch.zeros_like(grad_values).scatter(-1, indices, grad_values)


class SplitNormalise(Function):
    """An intermediate that backward needs is an output, with a gradient of its own."""

    @staticmethod
    def forward(x: Tensor) -> Any:
        length = x.square().sum(-1, keepdim=True).sqrt()
        return x / length, length

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.save_for_backward(*output)

    @staticmethod
    def backward(ctx: Any, grad_unit: Tensor, grad_length: Tensor) -> Tensor:
        unit, length = ctx.saved_tensors
        along = (grad_unit * unit).sum(-1, keepdim=True)
        return (grad_unit - along * unit) / length + grad_length * unit


class DerivableSwish(derivable.Function):
    """Saves an intermediate; derivable makes the second order right."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, beta: float = 1.0) -> Tensor:
        gate = torch.sigmoid(beta * x)
        ctx.save_for_backward(x, gate)
        ctx.beta = beta
        return x * gate

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        x, gate = ctx.saved_tensors
        return grad_output * (gate + ctx.beta * x * gate * (1 - gate)), None


class DerivableWhiten(derivable.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        centred = x - x.mean(0)
        ctx.scale = (centred.square().mean(0) + 1e-5).rsqrt()
        ctx.normal = centred * ctx.scale
        return ctx.normal

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        along = (grad_output * ctx.normal).mean(0)
        return ctx.scale * (grad_output - grad_output.mean(0) - ctx.normal * along)


class DerivableBump(derivable.Elementwise):
    @staticmethod
    def function(input: Tensor, width: float = 1.0) -> Tensor:
        return torch.exp(-((input / width) ** 2))

    @staticmethod
    def slope(input: Tensor, output: Tensor, width: float) -> Tensor:
        return -2 * input / width**2 * output


class Softplus(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.nn.functional.softplus(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * torch.sigmoid(x)


class MishOfOthers(Function):
    """Calls another Function in forward and again, recorded, in backward."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * torch.tanh(Softplus.apply(x))

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        gate = torch.tanh(Softplus.apply(x))
        return grad_output * (gate + x * (1 - gate**2) * torch.sigmoid(x))


class SinhBackward(Function):
    @staticmethod
    def forward(ctx: Any, grad_output: Tensor, x: Tensor) -> Tensor:
        ctx.save_for_backward(grad_output, x)
        return grad_output * torch.cosh(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        grad_output, x = ctx.saved_tensors
        return grad * torch.cosh(x), grad * grad_output * torch.sinh(x)


class SinhByTwo(Function):
    """backward is a Function too, with a backward of its own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.sinh(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return SinhBackward.apply(grad_output, x)


class Checkpoint(Function):
    """Runs the formula again in backward and lets autograd differentiate it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
        ctx.save_for_backward(x, w)
        return torch.tanh(x @ w)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        x, w = (value.detach().requires_grad_() for value in ctx.saved_tensors)
        with torch.enable_grad():
            output = torch.tanh(x @ w)
        return torch.autograd.grad(output, (x, w), grad_output)


class InputOnAttribute(Function):
    """Keeps things on ctx in a ragged way."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float, mode: str) -> Tensor:
        ctx.x, ctx.kept = x, {"scale": scale, "shapes": [tuple(x.shape)]}
        if mode == "cosine":
            ctx.slope = torch.sin
            return scale * torch.cos(x)
        ctx.is_sine = True
        return scale * torch.sin(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        scale = ctx.kept["scale"]
        if hasattr(ctx, "is_sine"):
            return scale * grad_output * torch.cos(ctx.x), None, None
        return -scale * grad_output * ctx.slope(ctx.x), None, None


class CountsItsCalls(Function):
    """State on the class that no gradient depends on, and a cache that is right."""

    calls: ClassVar[int] = 0
    cache: ClassVar[dict[Any, Tensor]] = {}

    @classmethod
    def matrix(cls, count: int, dtype: torch.dtype) -> Tensor:
        if (count, dtype) not in cls.cache:
            at = torch.arange(count, dtype=dtype)
            cls.cache[count, dtype] = torch.cos((at[:, None] + 0.5) * at * torch.pi / count)
        return cls.cache[count, dtype]

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        CountsItsCalls.calls += 1
        return x @ CountsItsCalls.matrix(x.shape[-1], x.dtype)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output @ CountsItsCalls.matrix(grad_output.shape[-1], grad_output.dtype).T


class ForMixedPrecision(Function):
    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu")  # type: ignore[untyped-decorator, unused-ignore]
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x, None)
        return x.pow(4)

    @staticmethod
    @torch.amp.custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator, unused-ignore]
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        x, _ = ctx.saved_tensors
        return 4 * x.pow(3) * grad_output


class Layer(nn.Module):
    """A module with parameters that uses a Function."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        weight = torch.randn(4, 3, generator=generator, dtype=torch.float64)
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor) -> Any:
        return MishOfOthers.apply(x @ self.weight)


def in_two_places(x: Tensor) -> Any:
    return Softplus.apply(x) * Softplus.apply(-x.flip(0))


def of_itself_and_itself(x: Tensor) -> Any:
    return SplitProduct.apply(x, x)


def only_the_first_output(x: Tensor) -> Any:
    return SplitNormalise.apply(x)[0]


def with_options(x: Tensor, *, scale: float = 1.0, mode: str = "sine") -> Any:
    return InputOnAttribute.apply(x, scale, mode)


WAYS = [
    case("exp_once", ExpOnce, lambda d: [d.normal(3, 4)]),
    case("detached_tanh", DetachedTanh, lambda d: [d.normal(3, 4)]),
    case("numpy_sine", NumPySine, lambda d: [d.normal(3, 4)]),
    case("numpy_cube", NumPyCube, lambda d: [d.normal(3, 4)]),
    case("split_cube", SplitCube, lambda d: [d.normal(3, 4), 2.0]),
    case("split_product", SplitProduct, lambda d: [d.normal(3, 4), d.normal(3, 4)]),
    case("split_sort", SplitSort, lambda d: [d.distinct(3, 4)]),
    case("split_sort_tied", SplitSort, lambda d: [numbers([[2, 1, 2], [0, 0, 0]])]),
    case("split_normalise", SplitNormalise, lambda d: [d.normal(3, 4)]),
    case("derivable_swish", DerivableSwish, lambda d: [d.normal(3, 4), 1.5]),
    case("derivable_whiten", DerivableWhiten, lambda d: [d.normal(5, 3)]),
    case("derivable_whiten_far_out", DerivableWhiten, lambda d: [d.normal(5, 3) + 1e4]),
    case("derivable_bump", DerivableBump, lambda d: [d.normal(3, 4), 2.0]),
    case("mish_of_others", MishOfOthers, lambda d: [d.normal(3, 4)]),
    case("sinh_by_two", SinhByTwo, lambda d: [d.normal(3, 4)]),
    case("checkpoint", Checkpoint, lambda d: [d.normal(5, 3), d.normal(3, 2)]),
    case("input_on_attribute", InputOnAttribute, lambda d: [d.normal(3, 4), 0.5, "cosine"]),
    case("counts_its_calls", CountsItsCalls, lambda d: [d.normal(3, 4)]),
    case("for_mixed_precision", ForMixedPrecision, lambda d: [d.normal(3, 4)]),
    case("module", Layer(), lambda d: [d.normal(5, 4)]),
    case("in_two_places", in_two_places, lambda d: [d.normal(5)]),
    case("of_itself_and_itself", of_itself_and_itself, lambda d: [d.normal(3, 4)]),
    case("only_the_first_output", only_the_first_output, lambda d: [d.normal(3, 4)]),
    case("partial", partial(with_options, scale=3.0), lambda d: [d.normal(3, 4)]),
    case("bound_method", SplitProduct.apply, lambda d: [d.normal(3), d.normal(3)]),
]
