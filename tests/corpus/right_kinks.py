"""Right Functions of single entries with kinks or jumps, and surrogates of the derivative."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from tests.corpus.drawing import numbers
from tests.corpus.wrapped import case


class RoundStraightThrough(Function):
    surrogate = "straight-through estimator: round has the slope 0, training needs 1"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.round(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output


class GradientReversal(Function):
    surrogate = "gradient reversal of domain-adversarial training"

    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return -ctx.strength * grad_output, None


class SignOfBinaryNetwork(Function):
    surrogate = "slope of hardtanh in place of the slope of sign"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * (x.abs() <= 1)


class Spike(Function):
    surrogate = "fast sigmoid in place of the step of a spiking neuron"

    @staticmethod
    def forward(ctx: Any, voltage: Tensor, threshold: float = 1.0) -> Tensor:
        ctx.save_for_backward(voltage)
        ctx.threshold = threshold
        return (voltage > threshold).to(voltage.dtype)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        (voltage,) = ctx.saved_tensors
        return grad_output / (1 + 10 * (voltage - ctx.threshold).abs()) ** 2, None


class ClippedGradient(Function):
    surrogate = "clips the gradient on its way back, on purpose"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output.clamp(-0.1, 0.1)


class StopGradient(Function):
    surrogate = "nothing flows back through a target network"

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 1

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> None:
        return None


class ReLUOf0Is0(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * (x > 0)


class ReLUOf0Is1(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return torch.where(x >= 0, grad_output, torch.zeros_like(grad_output))


class ReLUOf0IsHalf(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * (torch.sign(x) + 1) / 2


class ReLUFromOutput(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        output = x.clamp(min=0)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (output,) = ctx.saved_tensors
        grad = grad_output.clone()
        grad[output == 0] = 0
        return grad


class AbsOf0Is1(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.positive = x >= 0
        return torch.where(ctx.positive, x, -x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return torch.where(ctx.positive, grad_output, -grad_output)


class HuberWithDelta(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, delta: float = 1.0) -> Tensor:
        error = x - y
        ctx.save_for_backward(error)
        ctx.delta = delta
        far = delta * (error.abs() - delta / 2)
        return torch.where(error.abs() <= delta, error**2 / 2, far).mean()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        (error,) = ctx.saved_tensors
        grad = grad_output * error.clamp(-ctx.delta, ctx.delta) / error.numel()
        return grad, -grad, None


class HardShrinkJumps(Function):
    """The value jumps at the bounds; between the jumps the slopes are 0 and 1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bound: float) -> Tensor:
        ctx.keep = x.abs() > bound
        return x * ctx.keep

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return grad_output * ctx.keep, None


class TriangleWave(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        phase = x - 2 * torch.floor((x + 1) / 2)
        ctx.save_for_backward(x)
        return phase.abs()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * torch.sign(x - 2 * torch.floor((x + 1) / 2))


class SmoothStep(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        t = x.clamp(0, 1)
        return t * t * (3 - 2 * t)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        t = x.clamp(0, 1)
        return grad_output * 6 * t * (1 - t)


class Staircase(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, steps: int) -> Tensor:
        return torch.floor(x * steps) / steps

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return torch.zeros_like(grad_output), None


class SignReturnsNone(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.sign(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> None:
        return None


KINKED = numbers([[0.0, 1.0, -2.0], [1e-9, -1e-9, -0.0]])

KINKS = [
    case("round_straight_through", RoundStraightThrough, lambda d: [d.normal(3, 4)]),
    case("gradient_reversal", GradientReversal, lambda d: [d.normal(3, 4), 0.3]),
    case("sign_of_binary_network", SignOfBinaryNetwork, lambda d: [d.normal(3, 4)]),
    case("spike", Spike, lambda d: [d.normal(3, 4)]),
    case("clipped_gradient", ClippedGradient, lambda d: [d.normal(3, 4)]),
    case("stop_gradient", StopGradient, lambda d: [d.normal(3, 4)]),
    case("relu_of_0_is_0", ReLUOf0Is0, lambda d: [KINKED.clone()]),
    case("relu_of_0_is_1", ReLUOf0Is1, lambda d: [KINKED.clone()]),
    case("relu_of_0_is_half", ReLUOf0IsHalf, lambda d: [KINKED.clone()]),
    case("relu_from_output", ReLUFromOutput, lambda d: [d.normal(3, 4)]),
    case("relu_of_integers", ReLUOf0Is0, lambda d: [d.integers(-2, 3, 4, 5).double()]),
    case("abs_of_0_is_1", AbsOf0Is1, lambda d: [KINKED.clone()]),
    case("huber_with_delta", HuberWithDelta, lambda d: [d.normal(4), d.normal(4), 0.7]),
    case("huber_at_kink", HuberWithDelta, lambda d: [numbers([1, 2, 0.5]), numbers([0, 0, 0])]),
    case("hard_shrink_jumps", HardShrinkJumps, lambda d: [d.normal(3, 4), 0.5]),
    case("hard_shrink_at_jump", HardShrinkJumps, lambda d: [numbers([0.5, -0.5, 0.1, 2]), 0.5]),
    case("triangle_wave", TriangleWave, lambda d: [3 * d.normal(3, 4)]),
    case("smooth_step", SmoothStep, lambda d: [numbers([-1, 0, 0.3, 0.9, 1, 2])]),
    case("staircase", Staircase, lambda d: [d.normal(3, 4), 4]),
    case("sign_returns_none", SignReturnsNone, lambda d: [d.normal(3, 4)]),
]
