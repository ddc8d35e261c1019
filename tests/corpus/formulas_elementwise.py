"""Wrong formulas of functions of each entry by itself."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

import derivable
from derivable.function import Elementwise
from tests.corpus.draw import draw, positive
from tests.corpus.entry import Wrong


def _x(*options: Any) -> Any:
    return lambda: [draw(13, 5), *options]


def _positive(*options: Any) -> Any:
    return lambda: [positive(13, 5), *options]


def _single() -> Any:
    return [draw(1, 16, dtype=torch.float32)]


class TanhSign(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = torch.tanh(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved_tensors
        return g * (y**2 - 1)


class TanhNoSquare(TanhSign):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved_tensors
        return (1 - y) * g


class TanhSavedInput(Function):
    @staticmethod
    def forward(x: Any) -> Any:
        return x.tanh()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (t,) = ctx.saved_tensors
        return grad * (1 - t * t)


class SigmoidHalfDone(Elementwise):
    @staticmethod
    def function(x: Tensor) -> Tensor:
        return torch.sigmoid(x)

    @staticmethod
    def slope(output: Tensor) -> Tensor:
        return output


class SigmoidLoose(Function):
    """The slope is returned as it stands; `grad_output` is forgotten."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = torch.sigmoid(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved_tensors
        return y * (1 - y)


class SigmoidTwice(SigmoidLoose):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (s,) = ctx.saved_tensors
        return g * torch.sigmoid(s) * (1 - torch.sigmoid(s))


class ReLUGuided(Function):
    """The backward of "guided" pictures, kept by mistake in a network that trains."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.mask = x > 0
        return x * ctx.mask

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g.clamp(min=0) * ctx.mask


class ReLUEverywhere(ReLUGuided):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g.clone()


class LeakyForgets(Elementwise):
    @staticmethod
    def function(x: Tensor, alpha: float = 0.1) -> Tensor:
        return torch.where(x > 0, x, alpha * x)

    @staticmethod
    def slope(x: Tensor) -> Tensor:
        return (x > 0).to(x.dtype)


class LeakyHardCoded(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, slope: float = 0.01) -> Any:
        ctx.save_for_backward(x)
        return torch.nn.functional.leaky_relu(x, slope)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return torch.where(x > 0, g, 0.01 * g), None


class GELUTermLost(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        cdf = 0.5 * (1 + torch.erf(x / math.sqrt(2)))
        ctx.save_for_backward(cdf)
        return x * cdf

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * ctx.saved_tensors[0]


class GELUMixed(Elementwise):
    """The exact forward with the slope of the approximation."""

    @staticmethod
    def function(x: Tensor) -> Tensor:
        return torch.nn.functional.gelu(x)

    @staticmethod
    def slope(x: Tensor) -> Tensor:
        c = math.sqrt(2 / math.pi)
        t = torch.tanh(c * (x + 0.044715 * x**3))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * c * (1 + 3 * 0.044715 * x**2)


class GELUInner(Elementwise):
    @staticmethod
    def function(x: Tensor) -> Tensor:
        return torch.nn.functional.gelu(x, approximate="tanh")

    @staticmethod
    def slope(x: Tensor) -> Tensor:
        c = math.sqrt(2 / math.pi)
        t = torch.tanh(c * (x + 0.044715 * x**3))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * c * (1 + 0.044715 * x**2)


class SoftplusBeta(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, beta: float) -> Any:
        ctx.save_for_backward(x)
        ctx.beta = beta
        return torch.log1p(torch.exp(beta * x)) / beta

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        grad_x = None
        if ctx.needs_input_grad[0]:
            (x,) = ctx.saved_tensors
            grad_x = grad_output * ctx.beta * torch.sigmoid(ctx.beta * x)
        return grad_x, None


class ELUWithoutAlpha(Elementwise):
    @staticmethod
    def function(x: Tensor, alpha: float = 1.0) -> Tensor:
        return torch.where(x > 0, x, alpha * (x.exp() - 1))

    @staticmethod
    def slope(x: Tensor) -> Tensor:
        return torch.where(x > 0, torch.ones_like(x), x.exp())


class ClampThree(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x.clamp(-3, 3)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g


class HardswishTop(Elementwise):
    @staticmethod
    def function(x: Tensor) -> Tensor:
        return x * (x + 3).clamp(0, 6) / 6

    @staticmethod
    def slope(x: Tensor) -> Tensor:
        return torch.where(x < -3, torch.zeros_like(x), (2 * x + 3) / 6)


class SoftshrinkRight(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, lambd: float) -> Any:
        ctx.keep = x > lambd
        return torch.where(x > lambd, x - lambd, torch.where(x < -lambd, x + lambd, 0 * x))

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * ctx.keep, None


class SqrtNoHalf(derivable.Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor) -> Tensor:
        output = torch.sqrt(input)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (output,) = ctx.saved_tensors
        return grad_output / output


class ExpPowerRule(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.exp(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * x * torch.exp(x - 1)


class ExpOfInput(ExpPowerRule):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * ctx.saved_tensors[0]


class LogOfOutput(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x.log()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g / ctx.saved_tensors[0]


class LogEps(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, eps: float = 1e-3) -> Any:
        ctx.save_for_backward(x)
        return torch.log(x + eps)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g / ctx.saved_tensors[0], None


class PowerSameExponent(Elementwise):
    @staticmethod
    def function(x: Tensor, n: int) -> Tensor:
        return x**n

    @staticmethod
    def slope(output: Tensor, n: int) -> Tensor:
        return n * output


class PowerNoExponent(Function):
    """The base gets its gradient; the exponent, a parameter that is learned, gets None."""

    @staticmethod
    def forward(ctx: Any, base: Any, exponent: Any) -> Any:
        ctx.save_for_backward(base, exponent)
        return base**exponent

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        base, exponent = ctx.saved_tensors
        return g * exponent * base ** (exponent - 1), None


class AbsPower(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, p: float) -> Any:
        ctx.save_for_backward(x)
        ctx.p = p
        return x.abs() ** p

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * ctx.p * x.abs() ** (ctx.p - 1), None


class SineLayer(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, omega: float = 1.0) -> Any:
        ctx.save_for_backward(omega * x)
        return torch.sin(omega * x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (phase,) = ctx.saved_tensors
        return g * torch.cos(phase), None


class SinCos(Function):
    @staticmethod
    def forward(ctx: Any, angle: Any) -> Any:
        ctx.save_for_backward(angle)
        return torch.sin(angle), torch.cos(angle)

    @staticmethod
    def backward(ctx: Any, g_cos: Any, g_sin: Any) -> Any:
        (angle,) = ctx.saved_tensors
        return g_sin * torch.cos(angle) - g_cos * torch.sin(angle)


class MishInner(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        t = torch.tanh(torch.nn.functional.softplus(x))
        ctx.save_for_backward(x, t)
        return x * t

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, t = ctx.saved_tensors
        return g * (t + x * (1 - t * t))


CASES: list[Wrong] = [
    Wrong("tanh-sign", TanhSign, lambda: [draw(4, 4, dtype=torch.float32)], ("sign",), "x"),
    Wrong("tanh-no-square", TanhNoSquare, _x(), ("power",), "x"),
    Wrong("tanh-saved-input", TanhSavedInput, lambda: [draw(7)], ("slope_at_input",), "x"),
    Wrong("sigmoid-half-done", SigmoidHalfDone, _x(), ("missing_term", "chain_rule"), "x"),
    Wrong("sigmoid-loose", SigmoidLoose, _x(), ("ignores_grad_output",), "x"),
    Wrong("sigmoid-twice", SigmoidTwice, _x(), ("slope_at_output",), "x"),
    Wrong("relu-guided", ReLUGuided, _x(), ("not_linear",), "x"),
    Wrong("relu-everywhere", ReLUEverywhere, _positive(), ("one_side",), "x"),
    Wrong("leaky-forgets", LeakyForgets, _x(), ("one_side",), "x"),
    Wrong("leaky-hard-coded", LeakyHardCoded, _x(0.2), ("constant", "one_side", "option"), "x"),
    Wrong("gelu-term-lost", GELUTermLost, _x(), ("missing_term",), "x"),
    # Backward is that of GELU's approximation by tanh: "another formula than forward used".
    Wrong("gelu-mixed", GELUMixed, _x(), ("constant", "unrecognised"), "x"),
    Wrong("gelu-inner", GELUInner, _single, ("missing_term", "constant", "chain_rule"), "x"),
    Wrong("softplus-beta", SoftplusBeta, _x(2.0), ("factor", "chain_rule", "option"), "x"),
    Wrong("elu-without-alpha", ELUWithoutAlpha, _x(1.5), ("constant", "one_side", "option"), "x"),
    Wrong("clamp-three", ClampThree, lambda: [draw(4, 4)], ("one_side",), "x"),
    Wrong("hardswish-top", HardswishTop, lambda: [draw(4, 4)], ("one_side",), "x"),
    Wrong("softshrink-right", SoftshrinkRight, _positive(0.5), ("one_side",), "x"),
    Wrong("sqrt-no-half", SqrtNoHalf, _positive(), ("factor",), "input"),
    Wrong("exp-power-rule", ExpPowerRule, _x(), ("power",), "x"),
    Wrong("exp-of-input", ExpOfInput, _x(), ("slope_at_input",), "x"),
    Wrong("log-of-output", LogOfOutput, _positive(), ("slope_at_output",), "x"),
    Wrong("log-eps", LogEps, _positive(), ("constant",), "x"),
    Wrong("power-same-exponent", PowerSameExponent, _positive(3), ("power",), "x"),
    Wrong("power-no-exponent", PowerNoExponent, _positive(positive(5)), ("none",), "exponent"),
    Wrong("abs-power", AbsPower, _positive(3.0), ("one_side", "chain_rule", "sign"), "x"),
    Wrong("sine-layer", SineLayer, _x(3.0), ("factor", "chain_rule", "option"), "x"),
    Wrong("sin-cos", SinCos, lambda: [draw(1, 6)], ("swapped_outputs",), "angle"),
    Wrong("mish-inner", MishInner, _x(), ("chain_rule",), "x"),
]
