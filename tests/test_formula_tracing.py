"""Operations of PyTorch while a rule is traced: each with PyTorch's own value, or refused truly."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from derivable import Elementwise, Function
from derivable.formula import Refusal, kernel_of
from derivable.formula.agreement import points
from derivable.formula.expression import Expression, evaluate, variable
from derivable.formula.operations import PAIR_RULES, RULES
from derivable.formula.refusal import NotPointwiseError
from derivable.formula.rules import TARGET, X
from derivable.formula.tracing import Recorder
from derivable.function.kernel import Kernel

Call = Callable[[Tensor], Tensor]
Y = variable("y")
float64 = torch.float64


def recorded(call: Callable[..., Tensor], tensors: dict[Expression, Tensor], **how: Any) -> Any:
    """The expression of what `call` gives for these tensors, and that itself."""
    recorder = Recorder("Own", **how)
    for name, tensor in tensors.items():
        recorder.name(tensor, name)
    with recorder, torch.no_grad():
        result = call(*tensors.values())
    expression = recorder.expression_of(result)
    assert expression is not None
    return expression, result


def require_same(ours: Tensor, theirs: Tensor) -> None:
    """The same to rounding, where PyTorch's own is finite."""
    seen = theirs.isfinite()
    assert seen.any()
    torch.testing.assert_close(ours[seen], theirs[seen].to(float64), rtol=1e-12, atol=1e-14)


# Each rule by calls of it; some of a second tensor, y.
CALLS: dict[str, list[Callable[..., Tensor]]] = {
    "add": [lambda x, y: x + y, lambda x, y: x.add(y, alpha=3)],
    "sub": [lambda x, y: x - 0.3, lambda x, y: x.sub(y, alpha=0.7)],
    "rsub": [lambda x, y: torch.rsub(x, 5, alpha=3), lambda x, y: 0.3 - x],
    "addcmul": [lambda x, y: torch.addcmul(x, x, y, value=1.3)],
    "addcdiv": [lambda x, y: torch.addcdiv(x, x, y, value=1.3)],
    "lerp": [lambda x, y: torch.lerp(x, y, 0.3), lambda x, y: torch.lerp(x, y, y)],
    "mul": [lambda x, y: x * y],
    "div": [
        lambda x, y: x / y,
        lambda x, y: torch.div(x, 0.7, rounding_mode="floor"),
        lambda x, y: torch.div(x, 0.7, rounding_mode="trunc"),
    ],
    "floor_divide": [lambda x, y: x // 0.7],
    "reciprocal": [lambda x, y: x.reciprocal()],
    "pow": [
        lambda x, y: x**3,
        lambda x, y: x**-1.5,
        lambda x, y: 1.7**x,
        lambda x, y: (-2.0) ** torch.floor(y),
        lambda x, y: x.abs() ** y,
        lambda x, y: x ** torch.tensor(4.0, dtype=float64),
    ],
    "sqrt": [lambda x, y: x.sqrt()],
    "rsqrt": [lambda x, y: x.rsqrt()],
    "neg": [lambda x, y: -x],
    "abs": [lambda x, y: x.abs()],
    "sign": [lambda x, y: x.sign()],
    "sgn": [lambda x, y: x.sgn()],
    "exp": [lambda x, y: x.exp()],
    "exp2": [lambda x, y: y.exp2()],
    "expm1": [lambda x, y: x.expm1()],
    "log": [lambda x, y: x.log()],
    "log2": [lambda x, y: x.log2()],
    "log10": [lambda x, y: x.log10()],
    "log1p": [lambda x, y: x.log1p()],
    "tanh": [lambda x, y: x.tanh()],
    "sigmoid": [lambda x, y: x.sigmoid()],
    "sinh": [lambda x, y: y.sinh()],
    "cosh": [lambda x, y: y.cosh()],
    "erf": [lambda x, y: x.erf()],
    "erfc": [lambda x, y: x.erfc()],
    "sin": [lambda x, y: x.sin()],
    "cos": [lambda x, y: x.cos()],
    "tan": [lambda x, y: y.tan()],
    "atan": [lambda x, y: x.atan()],
    "floor": [lambda x, y: x.floor()],
    "ceil": [lambda x, y: x.ceil()],
    "trunc": [lambda x, y: x.trunc()],
    "minimum": [torch.minimum],
    "maximum": [torch.maximum],
    "fmin": [torch.fmin],
    "fmax": [torch.fmax],
    "clamp": [lambda x, y: x.clamp(-0.7, 1.1), lambda x, y: x.clamp(max=y)],
    "clamp_min": [lambda x, y: x.clamp_min(-0.7)],
    "clamp_max": [lambda x, y: x.clamp_max(0.7)],
    "where": [lambda x, y: torch.where(x > y, x, y)],
    "masked_fill": [lambda x, y: x.masked_fill(x > y, 0.7)],
    "heaviside": [lambda x, y: torch.heaviside(x, torch.tensor(0.3, dtype=float64))],
    "isnan": [lambda x, y: (x - y).isnan().double()],
    "lt": [lambda x, y: (x < y).double()],
    "le": [lambda x, y: (x <= 0.5).double()],
    "gt": [lambda x, y: (x > y).double()],
    "ge": [lambda x, y: (x >= 0.5).double()],
    "eq": [lambda x, y: (x == 0.5).double()],
    "ne": [lambda x, y: (x != 0.5).double()],
    "logical_and": [lambda x, y: torch.logical_and(x > 0, y > x).double()],
    "logical_or": [lambda x, y: torch.logical_or(x > 0, y > x).double()],
    "logical_xor": [lambda x, y: torch.logical_xor(x > 0, y > x).double()],
    "logical_not": [lambda x, y: torch.logical_not(x > y).double()],
    "bitwise_and": [lambda x, y: ((x > 0) & (y > x)).double()],
    "bitwise_or": [lambda x, y: ((x > 0) | (y > x)).double()],
    "bitwise_xor": [lambda x, y: ((x > 0) ^ (y > x)).double()],
    "bitwise_not": [lambda x, y: (~(x > y)).double()],
    "__and__": [lambda x, y: (x > 0).__and__(y > x).double()],
    "__or__": [lambda x, y: (x > 0).__or__(y > x).double()],
    "relu": [lambda x, y: x.relu()],
    "leaky_relu": [lambda x, y: F.leaky_relu(x), lambda x, y: F.leaky_relu(x, 0.3)],
    "threshold": [lambda x, y: F.threshold(x, 0.5, -3.0)],
    "hardtanh": [lambda x, y: F.hardtanh(x), lambda x, y: F.hardtanh(x, -0.3, 0.7)],
    "relu6": [lambda x, y: F.relu6(x)],
    "hardsigmoid": [lambda x, y: F.hardsigmoid(x)],
    "hardswish": [lambda x, y: F.hardswish(x)],
    "elu": [lambda x, y: F.elu(x), lambda x, y: F.elu(x, 0.7), lambda x, y: F.selu(x)],
    "softplus": [lambda x, y: F.softplus(x), lambda x, y: F.softplus(x, 1.3, 7)],
    "log_sigmoid_forward": [lambda x, y: F.logsigmoid(x)],
    "celu": [lambda x, y: F.celu(x), lambda x, y: F.celu(x, 0.7)],
    "hardshrink": [lambda x, y: F.hardshrink(x), lambda x, y: F.hardshrink(x, 0.3)],
    "softshrink": [lambda x, y: F.softshrink(x), lambda x, y: F.softshrink(x, 0.3)],
    "logaddexp": [torch.logaddexp],
    "silu": [lambda x, y: F.silu(x)],
    "gelu": [lambda x, y: F.gelu(x), lambda x, y: F.gelu(x, approximate="tanh")],
    "mish": [lambda x, y: F.mish(x)],
    "sigmoid_backward": [torch.ops.aten.sigmoid_backward],
    "tanh_backward": [torch.ops.aten.tanh_backward],
    "threshold_backward": [lambda x, y: torch.ops.aten.threshold_backward(x, y, 0.5)],
}
PAIRS: dict[str, list[Callable[..., Tensor]]] = {
    "mse_loss": [F.mse_loss, lambda x, t: F.mse_loss(x, t, reduction="sum")],
    "huber_loss": [F.huber_loss, lambda x, t: F.huber_loss(x, t, delta=0.3)],
    "smooth_l1_loss": [F.smooth_l1_loss, lambda x, t: F.smooth_l1_loss(x, t, beta=0.0)],
    "binary_cross_entropy_with_logits": [F.binary_cross_entropy_with_logits],
    "soft_margin_loss": [F.soft_margin_loss],
}


@pytest.mark.parametrize("name", CALLS)
def test_a_rule_gives_what_pytorch_gives(name: str) -> None:
    x = points(float64, {})
    y = torch.linspace(-3.1, 2.3, len(x), dtype=float64)
    for call in CALLS[name]:
        expression, theirs = recorded(call, {X: x, Y: y})
        (ours,) = evaluate([expression], {"x": x, "y": y})
        require_same(ours, theirs)


@pytest.mark.parametrize("name", PAIRS)
def test_the_rule_of_a_loss_gives_what_pytorch_gives(name: str) -> None:
    for call in PAIRS[name]:
        for pair in ((0.7, 0.4), (-1.3, 1.0), (2.9, -0.3)):
            tensors = [torch.full((1, 1), number, dtype=float64) for number in pair]
            named = dict(zip((X, TARGET), tensors, strict=True))
            expression, theirs = recorded(call, named, scalar=True)
            (ours,) = evaluate([expression], dict(zip(("x", "target"), tensors, strict=True)))
            require_same(ours, theirs.expand_as(ours))


def test_every_rule_is_called_above() -> None:
    assert CALLS.keys() == RULES.keys()
    assert PAIRS.keys() == PAIR_RULES.keys()


# Tensors that are written into, picked from or cast -----------------------------------------------


def into_out(x: Tensor) -> Tensor:
    result = torch.empty_like(x)
    torch.exp(x, out=result)
    return result


def copied(x: Tensor) -> Tensor:
    result = torch.zeros_like(x)
    result.copy_(x * 3)
    return result


def selected(x: Tensor) -> Tensor:
    result = x.clone()
    result[x < 0] = torch.masked_select(x, x < 0) * 0.3
    return result


def accumulated(x: Tensor) -> Tensor:
    return x.index_put((x > 0.5,), torch.tensor(1.7, dtype=x.dtype), accumulate=True)


def by_a_mask_that_was_filled(x: Tensor) -> Tensor:
    mask = torch.zeros_like(x, dtype=torch.bool)
    mask[x > 0.3] = True
    result = x.clone()
    result[mask] = x[mask] * 0.7
    return result


@pytest.mark.parametrize(
    "call",
    [
        by_a_mask_that_was_filled,
        into_out,
        copied,
        selected,
        accumulated,
        lambda x: x.clone().gt_(0.3),
        lambda x: x * (x > 0.3).int().to(x.dtype),
        lambda x: x * x.floor().bool(),
        lambda x: x.clone().detach_().mul_(3),
    ],
)
def test_what_is_written_picked_and_cast_is_followed(call: Call) -> None:
    x = torch.linspace(-2.3, 1.9, 15, dtype=float64).view(3, 5)
    expression, theirs = recorded(call, {X: x})
    assert not expression.truth, "a tensor of numbers"
    (ours,) = evaluate([expression], {"x": x})
    require_same(ours, theirs)


TABLE = torch.linspace(-1, 1, 15, dtype=float64).view(3, 5)
BUFFER = torch.empty(3, 5, dtype=float64)


def other_mask(x: Tensor) -> Tensor:
    result = torch.zeros_like(x)
    result[x >= 0] = x[x > 0]  # as many of the entries below, but not by one condition
    return result


def among_picked(x: Tensor) -> Tensor:
    picked = x[x > -1]
    picked[picked > 0] = 0.0
    return picked


AMONG_PICKED = "picks entries among those that a mask has picked"
BY_POSITION = "picks entries by their positions, or by a mask of another shape"
INDEX = torch.tensor([2, 0])


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda x: x * x.unsqueeze(0), "tensors of different shapes are combined"),
        (
            lambda x: x[x > 0] * x[x >= 0],
            "entries that were picked by different masks are combined",
        ),
        (lambda x: x.expand(2, 3, 5), "`expand` broadcasts"),
        (lambda x: x.int(), "casts to int32, in which float64 is not kept"),
        (lambda x: (y := x[x > -1])[y > 0], AMONG_PICKED),
        (among_picked, AMONG_PICKED),
        (lambda x: x[x[x > 1.2] > 0], BY_POSITION),
        (lambda x: x[INDEX], BY_POSITION),
        (other_mask, "entries are put back under another mask than they were picked by"),
        (
            lambda x: BUFFER.copy_(x),
            "writes into a tensor that was not made from the input by PyTorch",
        ),
    ],
)
def test_a_refusal_names_the_line_and_what_was_done(call: Call, reason: str) -> None:
    x = torch.linspace(-2.3, 1.9, 15, dtype=float64).view(3, 5)
    with pytest.raises(NotPointwiseError) as found:
        recorded(call, {X: x})
    line, _, what = str(found.value).rpartition("`: ")
    assert re.match(r"Own\.forward, line \d+ `", line)
    assert what == reason


def test_a_loss_with_weights_has_no_formula() -> None:
    tensors = {X: torch.full((1, 1), 0.7), TARGET: torch.full((1, 1), 0.4)}
    for weights in ({"weight": torch.tensor(2.0)}, {"pos_weight": torch.tensor(2.0)}):
        with pytest.raises(NotPointwiseError, match="with weights has no formula here"):
            recorded(
                lambda x, t, w=weights: F.binary_cross_entropy_with_logits(x, t, **w),
                tensors,
                scalar=True,
            )


# What a rule gives back, and whether it gives the same elsewhere ----------------------------------


def own(forward: Call, backward: Callable[..., Any] = lambda grad: grad * 1.0) -> type[Function]:
    class Own(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return forward(x)

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Any:
            return backward(grad_output)

    return Own


def long(x: Tensor) -> Tensor:
    for _ in range(251):
        x = (x * 1.01).sin()
    return x


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (
            own(lambda x: TABLE),
            r"^Own.forward returns a tensor that was not made from its input$",
        ),
        (
            own(lambda x: x * 2, lambda grad: TABLE),
            r"^Own.backward returns a tensor that was not made from its input$",
        ),
        (own(long), r"^Own.forward is too long: more than 500 operations$"),
        (
            own(lambda x: (x, x), lambda grad, more: grad),  # type: ignore[arg-type, return-value]
            r"^Own.forward returns several tensors, expected one tensor$",
        ),
        (
            own(lambda x: x * 2, lambda grad: None),
            r"^Own.backward returns NoneType, expected one tensor$",
        ),
        (
            own(lambda x: x.squeeze(1) * 2, lambda grad: 2 * grad.view(len(grad), -1)),
            r"^Own.forward gives float32 \(\d+,\) for float32 \(\d+, 1\), so it is not pointwise",
        ),
        (
            own(lambda x: x * 2 if len(x) < 100 else x * 3),
            r"^Own.forward at 0\.5 gives 1\.5, and what was traced gives 1, so an entry",
        ),
        (
            own(lambda x: x * 2, lambda grad: grad * (2 if grad.dtype == float64 else 1)),
            r"^Own.backward at 0\.5 gives \S+, and what was traced gives \S+, so an entry is not",
        ),
        (Elementwise, "^Elementwise has no forward$"),
    ],
)
def test_a_rule_that_is_no_formula_is_refused(function: type[Function], reason: str) -> None:
    refusal = kernel_of(function)
    assert isinstance(refusal, Refusal)
    assert re.search(reason, str(refusal)), refusal


class Scaled(Function):
    """A constant among its inputs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: Any) -> Tensor:
        ctx.factor = factor
        return x * factor

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        return grad_output * ctx.factor, None


def test_a_constant_is_a_number_or_a_word() -> None:
    close = [torch.tensor(0.25, dtype=float64), torch.tensor(0.25 + 1e-12, dtype=float64)]
    slopes = []
    for factor in close:
        found = kernel_of(Scaled, factor=factor)
        assert isinstance(found, Kernel), found
        slopes.append(found.slope(3.0, 0.75))
    assert slopes == [0.25, 0.25 + 1e-12], "each has a kernel of its own"
    others: list[tuple[Any, str]]
    others = [(torch.ones(2), r"a tensor of shape \(2,\)"), ({}, "of type dict")]
    for factor, what in others:
        refusal = kernel_of(Scaled, factor=factor)
        assert re.match(f"Scaled: factor is {what}, and the constants of a compiled", str(refusal))


def test_a_kernel_that_a_page_states_is_taken() -> None:
    stated = Kernel(lambda x: 2 * x, lambda x, output: 2.0, lambda x, output: 0.0)

    class Stated(Scaled):
        kernel = stated

    assert kernel_of(Stated) is stated
    traced = kernel_of(Stated, factor=3.0)  # it was stated for no constants
    assert isinstance(traced, Kernel)
    assert traced.slope(1.0, 3.0) == 3.0
