"""Right Functions of single entries: edges of domains, scales, dtypes, complex numbers."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from tests.corpus.drawing import numbers
from tests.corpus.wrapped import case


class SqrtFromOutput(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        output = x.sqrt()
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (output,) = ctx.saved_tensors
        return grad_output / (2 * output)


class LogSigmoidFromOutput(Function):
    """Loses all digits where the gradient is less than one rounding of the largest, which is 1.

    PyTorch's own binary_cross_entropy_with_logits does the same.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        output = torch.nn.functional.logsigmoid(x)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (output,) = ctx.saved_tensors
        return grad_output * (1 - output.exp())


class LogOfPositive(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        if (x <= 0).any():
            raise ValueError("x must be positive")
        ctx.save_for_backward(x)
        return x.log()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output / x


class ArcSine(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        if not bool((x.abs() <= 1).all()):
            raise ValueError("x must lie in [-1, 1]")
        ctx.save_for_backward(x)
        return torch.asin(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output / torch.sqrt((1 - x) * (1 + x))


class Entropy(Function):
    """-x log x, with the value 0 at 0, where the slope is infinite."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return -torch.xlogy(x, x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return -grad_output * (torch.log(x) + 1)


class SqrtOverItsInput(Function):
    """nan at 0, where the slope is infinite and no number is right."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        output = x.sqrt()
        ctx.save_for_backward(x, output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        x, output = ctx.saved_tensors
        return grad_output * output / (2 * x)


class XLogXOf0IsFlat(Function):
    """The slope 0 is chosen at 0, where it is infinite."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.xlogy(x, x)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * torch.where(x > 0, torch.log(x) + 1, 0.0)


class SquareTimesLog(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.xlogy(x * x, x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * (2 * torch.xlogy(x, x) + x)


class Power(Function):
    """Of 0 as well, whose logarithm is not asked for."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: Tensor) -> Tensor:
        output = x**p
        ctx.save_for_backward(x, p, output)
        return output

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        x, p, output = ctx.saved_tensors
        grad_p = grad_output * torch.xlogy(output, x)
        return grad_output * p * x ** (p - 1), grad_p.sum_to_size(p.shape)


class GeometricMean(Function):
    """At 0 one slope is infinite, and the other is 0 times infinity."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        output = torch.sqrt(x * y)
        ctx.save_for_backward(x, y, output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        x, y, output = ctx.saved_tensors
        half = grad_output / (2 * output)
        return half * y, half * x


class PlanckUnits(Function):
    """Values of 1e-12 and slopes of 1e-12: nothing that is small is therefore 0."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return 1e-12 * torch.sin(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * (1e-12 * torch.cos(x))


class Astronomical(Function):
    @staticmethod
    def forward(ctx: Any, mass: Tensor, distance: Tensor) -> Tensor:
        ctx.save_for_backward(mass, distance)
        return 1.327e20 * mass / distance

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        mass, distance = ctx.saved_tensors
        grad_mass = grad_output * 1.327e20 / distance
        grad_distance = -grad_output * 1.327e20 * mass / distance / distance
        return grad_mass.sum_to_size(mass.shape), grad_distance.sum_to_size(distance.shape)


class StableSoftplus(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(min=0) + torch.log1p(torch.exp(-x.abs()))

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * torch.sigmoid(x)


class HalfPrecisionGelu(Function):
    """Computes in float32 whatever smaller comes in, and gives back what came in."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        wide = x.float() if x.dtype == torch.float16 else x
        return (wide * (1 + torch.erf(wide / math.sqrt(2))) / 2).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        wide = x.float() if x.dtype == torch.float16 else x
        density = torch.exp(-wide * wide / 2) / math.sqrt(2 * math.pi)
        slope = (1 + torch.erf(wide / math.sqrt(2))) / 2 + wide * density
        return (grad_output * slope).to(x.dtype)


class MixedProduct(Function):
    """float32 times float64: each gradient in the dtype of its input."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor) -> Tensor:
        ctx.save_for_backward(x, scale)
        return x * scale

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        x, scale = ctx.saved_tensors
        grad_x = (grad_output * scale).sum_to_size(x.shape)
        grad_scale = (grad_output * x).sum_to_size(scale.shape)
        return grad_x.to(x.dtype), grad_scale.to(scale.dtype)


class ComplexProduct(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        x, y = ctx.saved_tensors
        grad_x, grad_y = grad_output * y.conj(), grad_output * x.conj()
        return tuple(
            (grad if value.is_complex() else grad.real).sum_to_size(value.shape)
            for grad, value in ((grad_x, x), (grad_y, y))
        )


class SquaredLength(Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        ctx.save_for_backward(z)
        return (z.conj() * z).real

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (z,) = ctx.saved_tensors
        return 2 * grad_output * z


class Phase(Function):
    """A rotation by real angles of complex numbers: the gradient of an angle is real."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, angle: Tensor) -> Tensor:
        turned = z * torch.exp(1j * angle)
        ctx.save_for_backward(turned, angle)
        return turned

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        turned, angle = ctx.saved_tensors
        return grad_output * torch.exp(-1j * angle), (grad_output.conj() * 1j * turned).real


class ComplexModulus(Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        output = z.abs()
        ctx.save_for_backward(z, output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        z, output = ctx.saved_tensors
        safe = torch.where(output == 0, torch.ones_like(output), output)
        return grad_output * z / safe


class Conjugated(Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        return z.conj()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output.conj()


class LogCosh(Function):
    """Small outputs are differences of large numbers, and tremble as these do."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.abs() + torch.nn.functional.softplus(-2 * x.abs()) - math.log(2)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * x.tanh()


class TurnedByQuaternion(Function):
    """Rows of v turned by q = (s, u), which has four numbers whatever else there is."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, v: Tensor) -> Tensor:
        ctx.save_for_backward(q, v)
        s, u = q[0], q[1:].expand_as(v)
        along = (u * v).sum(1, keepdim=True)
        across = 2 * s * torch.linalg.cross(u, v)
        return (s * s - (u * u).sum(1, keepdim=True)) * v + 2 * along * u + across

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        q, v = ctx.saved_tensors
        s, u = q[0], q[1:].expand_as(v)
        uv, ug, gv = ((a * b).sum(1, keepdim=True) for a, b in ((u, v), (u, g), (g, v)))
        gs = 2 * (s * gv.sum() + (g * torch.linalg.cross(u, v)).sum())
        gu = (2 * (v * ug + uv * g - u * gv) + 2 * s * torch.linalg.cross(v, g)).sum(0)
        grad_v = (s * s - (u * u).sum(1, keepdim=True)) * g + 2 * ug * u
        return torch.cat([gs[None], gu]), grad_v + 2 * s * torch.linalg.cross(g, u)


NUMBERS = [
    case("log_cosh", LogCosh, lambda d: [d.normal(8)]),
    case("turned_by_quaternion", TurnedByQuaternion, lambda d: [d.normal(4), d.normal(4, 3)]),
    case("sqrt_from_output", SqrtFromOutput, lambda d: [d.positive(3, 4)]),
    case("sqrt_from_output_at_0", SqrtFromOutput, lambda d: [numbers([0, 1e-8, 1, 1e8])]),
    case("logsigmoid_from_output", LogSigmoidFromOutput, lambda d: [d.normal(3, 4)]),
    case("log_of_positive", LogOfPositive, lambda d: [d.positive(3, 4)]),
    case("log_of_little", LogOfPositive, lambda d: [numbers([1e-9, 1e-7, 1, 1e9])]),
    case("arc_sine", ArcSine, lambda d: [d.between(-0.9, 0.9, 3, 4)]),
    case("arc_sine_at_1", ArcSine, lambda d: [numbers([1, -1, 0.5, 1 - 1e-9])]),
    case("entropy", Entropy, lambda d: [d.positive(3, 4)]),
    case("entropy_at_0", Entropy, lambda d: [numbers([0, 0.5, 1, 1e-9])]),
    case("sqrt_over_its_input", SqrtOverItsInput, lambda d: [d.positive(3, 4)]),
    case("sqrt_over_its_input_at_0", SqrtOverItsInput, lambda d: [numbers([0, 0.5, 1])]),
    case("x_log_x_of_0_is_flat", XLogXOf0IsFlat, lambda d: [d.positive(3, 4)]),
    case("x_log_x_of_0", XLogXOf0IsFlat, lambda d: [numbers([0, 0.5, 1])]),
    case("square_times_log", SquareTimesLog, lambda d: [d.positive(3, 4)]),
    case("square_times_log_of_0", SquareTimesLog, lambda d: [numbers([0, 0.5, 1])]),
    case("power", Power, lambda d: [d.positive(3, 4), 1 + d.positive(4)]),
    case("power_of_0", Power, lambda d: [numbers([0, 0.5, 1]), numbers([2, 1.5, 3])]),
    case("geometric_mean", GeometricMean, lambda d: [d.positive(3, 4), d.positive(3, 4)]),
    case("planck_units", PlanckUnits, lambda d: [d.normal(3, 4)]),
    case("astronomical", Astronomical, lambda d: [d.positive(3, 4), 1e11 * d.positive(4)]),
    case("stable_softplus", StableSoftplus, lambda d: [numbers([-800, -1, 0, 1, 800])]),
    case("stable_softplus_float32", StableSoftplus, lambda d: [d.normal(5, dtype=torch.float32)]),
    case("half_precision_gelu", HalfPrecisionGelu, lambda d: [d.normal(3, 4).half()]),
    case("gelu_in_float32", HalfPrecisionGelu, lambda d: [d.normal(4, dtype=torch.float32)]),
    case("mixed_product", MixedProduct, lambda d: [d.normal(3, 4).float(), d.normal(4)]),
    case("mixed_product_0d", MixedProduct, lambda d: [d.normal(3).float(), d.normal()]),
    case("complex_product", ComplexProduct, lambda d: [d.complex(3, 4), d.complex(4)]),
    case("complex_times_real", ComplexProduct, lambda d: [d.normal(3, 4), d.complex(3, 1)]),
    case("squared_length", SquaredLength, lambda d: [d.complex(3, 4)]),
    case("phase", Phase, lambda d: [d.complex(3, 4), d.normal(3, 4)]),
    case("complex_modulus", ComplexModulus, lambda d: [d.complex(3, 4)]),
    case("complex_modulus_of_0", ComplexModulus, lambda d: [numbers([0, 1j], torch.complex128)]),
    case("conjugated", Conjugated, lambda d: [d.complex(3, 4)]),
]
