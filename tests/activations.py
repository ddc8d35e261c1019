"""Activations as people write them, each with why it is refused, or None where it is compiled."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from derivable import Elementwise, Function

WRITTEN: dict[type[Function], str | None] = {}

HALF = torch.tensor(0.5)
TABLE = torch.linspace(-1, 1, 15, dtype=torch.float64).view(3, 5)


def written(refused: str | None = None) -> Callable[[type[Function]], type[Function]]:
    """Enters a Function into the table."""

    def enter(function: type[Function]) -> type[Function]:
        WRITTEN[function] = refused
        return function

    return enter


@written()
class Bump(Elementwise):
    @staticmethod
    def function(input: Tensor) -> Tensor:
        return torch.exp(-(input**2))

    @staticmethod
    def slope(input: Tensor, output: Tensor) -> Tensor:
        return -2 * input * output


@written()
class TanhOfInput(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.tanh(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * (1 - torch.tanh(x) ** 2)


@written()
class TanhOfOutput(Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor) -> Tensor:
        ctx.result = input.tanh()
        return ctx.result

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output.mul(ctx.result.pow(2).neg().add(1))


@written()
class TanhOfExponentials(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = x.clamp(-15, 15)
        a, b = torch.exp(x), torch.exp(-x)
        t = (a - b) / (a + b)
        ctx.save_for_backward(t)
        return t

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (t,) = ctx.saved_tensors
        return (1 - t * t) * grad_output


@written()
class ReLUByClamp(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        grad = grad_output.clone()
        grad[x < 0] = 0
        return grad


@written()
class ReLUByMask(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        mask = x > 0
        ctx.mask = mask
        return x * mask

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output * ctx.mask.float()


@written()
class ReLUByMaximum(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        out = torch.maximum(x, torch.zeros_like(x))
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (out,) = ctx.saved_tensors
        return torch.where(out > 0, grad_output, torch.zeros_like(grad_output))


@written()
class ReLUInPlace(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.mark_dirty(x)
        x.clamp_(min=0)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * x.sign()


@written()
class ReLUBySign(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return (x + x.abs()) / 2

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * torch.heaviside(x, torch.zeros((), dtype=x.dtype))


@written()
class LeakyByIndex(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        out = x.clone()
        out[x < 0] *= 0.1
        return out

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        slope = torch.ones_like(x)
        slope[x < 0] = 0.1
        return slope * grad_output


@written()
class LeakyByMaximum(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.negative = x < 0
        return torch.max(x, 0.2 * x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output.masked_fill(ctx.negative, 0) + 0.2 * grad_output * ctx.negative


@written()
class ELUByPieces(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        out = torch.empty_like(x)
        right = x > 0
        out[right] = x[right]
        out[~right] = torch.exp(x[~right]) - 1
        return out

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * torch.where(x > 0, torch.ones_like(x), torch.exp(x))


@written()
class ELUOfConstants(Elementwise):
    @staticmethod
    def function(input: Tensor, alpha: float = 0.7) -> Tensor:
        return torch.where(input > 0, input, alpha * torch.expm1(input))

    @staticmethod
    def slope(input: Tensor, output: Tensor, alpha: float) -> Tensor:
        return torch.where(input > 0, 1.0, output + alpha)


@written()
class SigmoidByHand(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        s = 1 / (1 + torch.exp(-x))
        ctx.save_for_backward(s)
        return s

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (s,) = ctx.saved_tensors
        return grad_output * s * (1 - s)


@written()
class SigmoidInPlace(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        s = x.neg().exp_().add_(1).reciprocal_()
        ctx.save_for_backward(s)
        return s

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (s,) = ctx.saved_tensors
        return torch.sub(1, s).mul_(s).mul_(grad_output)


@written()
class Swish(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        s = torch.sigmoid(x)
        ctx.save_for_backward(s, x)
        return x * s

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        s, x = ctx.saved_tensors
        return grad_output * (s + x * s * (1 - s))


@written()
class SwishOfBeta(Elementwise):
    @staticmethod
    def function(input: Tensor, beta: float = 1.7) -> Tensor:
        return input * torch.sigmoid(beta * input)

    @staticmethod
    def slope(input: Tensor, output: Tensor, beta: float) -> Tensor:
        return beta * output + torch.sigmoid(beta * input) * (1 - beta * output)


@written()
class GELUByErf(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        cdf = 0.5 * (1 + torch.erf(x / 2**0.5))
        pdf = torch.exp(-0.5 * x**2) / math.sqrt(2 * math.pi)
        return grad_output * (cdf + x * pdf)


@written()
class GELUByTanh(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        t = torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * torch.pow(x, 3)))
        ctx.save_for_backward(x, t)
        return 0.5 * x * (1 + t)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        x, t = ctx.saved_tensors
        inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2)
        return grad_output * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * inner)


@written()
class SoftplusNaive(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.log(1 + torch.exp(x))

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * torch.exp(x) / (1 + torch.exp(x))


@written()
class SoftplusStable(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.log1p(torch.exp(-x.abs())) + F.relu(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return torch.mul(grad_output, torch.sigmoid(x))


@written()
class MishOfPyTorch(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return F.mish(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        x = ctx.saved_tensors[0]
        t = F.softplus(x).tanh()
        return grad_output * (t + x * torch.sigmoid(x) * (1 - t * t))


@written()
class HardSwish(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * F.relu6(x + 3) / 6

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        inside = (x > -3) & (x < 3)
        return grad_output * torch.where(inside, (2 * x + 3) / 6, (x >= 3).to(x.dtype))


@written()
class HardTanh(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.outside = torch.logical_or(x.le(-1), x.ge(1))
        return torch.clamp(x, -1.0, 1.0)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output.masked_fill(ctx.outside, 0.0)


@written()
class SoftShrink(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.sign(x) * torch.relu(torch.abs(x) - 0.5)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        grad_input = torch.zeros_like(grad_output)
        keep = x.abs() > 0.5
        grad_input[keep] = grad_output[keep]
        return grad_input


@written()
class Softsign(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x / (1 + x.abs())

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output / (1 + x.abs()).square()


@written()
class InverseRoot(Elementwise):
    """x / sqrt(1 + x^2)."""

    @staticmethod
    def function(input: Tensor) -> Tensor:
        return input.clamp(-1e15, 1e15) * (1 + input.clamp(-1e15, 1e15) ** 2).rsqrt()

    @staticmethod
    def slope(input: Tensor) -> Tensor:
        return (1 + input.clamp(-1e10, 1e10) ** 2) ** -1.5


@written()
class Sine(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, frequency: float = 3.0) -> Tensor:
        ctx.frequency = frequency
        ctx.save_for_backward(x)
        return torch.sin(frequency * x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return grad_output * ctx.frequency * torch.cos(ctx.frequency * x), None


@written()
class Snake(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x + torch.sin(x).square()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output + grad_output * torch.sin(2 * x)


@written()
class ArcTangent(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.atan(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output / (1 + x**2)


@written()
class LogOfSquares(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x.clone())
        x = x.pow(2)
        return x.add_(1.0).log_()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * 2 * x / (x * x + 1)


@written()
class Cubed(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return torch.tensor(3.0, dtype=x.dtype) * x**2 * grad_output


@written()
class Threshold(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return F.threshold(x, 0.5, -0.25)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return (x > 0.5).type_as(grad_output) * grad_output


@written()
class HalfOfATensor(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return HALF * x.view(-1).mul(2).reshape(x.shape) * (float(HALF) * 2)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output


@written()
class WrongTanh(Function):
    """The author's slope is not the derivative; it is traced as it is."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        out = torch.tanh(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (out,) = ctx.saved_tensors
        return grad_output * (1 - out)


@written()
class ByAutograd(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.tanh(x) * 2

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            (grad_x,) = torch.autograd.grad(torch.tanh(x) * 2, x, grad_output)
        return grad_x


class _Plain(Function):
    """What the refused ones below have for a backward."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output * 1.0


@written(r"Centred.forward, line \d+ `return x - x.mean\(\)`: `mean` is not pointwise")
class Centred(_Plain):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x - x.mean()


@written(r"Softmax.forward, line \d+ .*: `softmax` is not pointwise")
class Softmax(_Plain):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.softmax(x, 1)


@written(r"SumInBackward.backward, line \d+ .*: `sum` is not pointwise")
class SumInBackward(_Plain):
    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output / grad_output.sum()


@written(r"Dropped.forward, line \d+ .*: `bernoulli` draws random numbers")
class Dropped(_Plain):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * torch.bernoulli(torch.full_like(x, 0.5))


@written("Noisy computes something else every time it is called")
class Noisy(_Plain):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * (1 + 0.1 * float(np.random.default_rng().random()))


@written(r"OnTheWhole.forward, line \d+ `if .*: `all` is not pointwise")
class OnTheWhole(_Plain):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        if (x > 0).all():
            return x * 2
        return x


@written(r"OneByOne.forward, line \d+ .*: `unbind` is not pointwise")
class OneByOne(_Plain):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.stack([torch.stack([max(one, HALF) for one in row]) for row in x])


@written("OfTheShape computes something else for another shape of its input")
class OfTheShape(_Plain):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x / x.shape[0]


@written(r"Turned.forward, line \d+ .*: `t` is not pointwise")
class Turned(_Plain):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.t().contiguous().view(x.shape)


@written(r"WithATable.forward, line \d+ .*: uses a tensor of several numbers that was not made")
class WithATable(_Plain):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * TABLE


@written("Clipped.backward is not linear in grad_output")
class Clipped(_Plain):
    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output.clamp(-1, 1)


@written(r"Single.forward, line \d+ .*: casts to float32")
class Single(_Plain):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.tanh(x.float()).to(x.dtype)


@written(r"ThroughNumPy.forward, line \d+ .*: uses a tensor of several numbers that was not made")
class ThroughNumPy(_Plain):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.from_numpy(np.tanh(x.numpy()))


@written(r"Special.forward, line \d+ .*: `i0` has no formula here")
class Special(_Plain):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.special.i0(x)


@written(r"TwoInputs cannot be traced: InputError: TwoInputs: missing a required argument")
class TwoInputs(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        return x * weight

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        return grad_output, grad_output
