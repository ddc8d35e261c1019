"""PyTorch's pointwise operations as expressions, by the names that its dispatcher gives them.

An operation in place, such as `add_`, and one with `out=` have the rule of the same name.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from derivable.formula.expression import Expression, Number, apply, constant, power
from derivable.formula.messages import say
from derivable.formula.refusal import NotPointwiseError

Argument = Expression | Number


def _unary(operation: str) -> Callable[[Argument], Expression]:
    return lambda x: apply(operation, x)


def _binary(operation: str) -> Callable[[Argument, Argument], Expression]:
    return lambda a, b: apply(operation, a, b)


def _scaled(a: Argument, alpha: Argument) -> Argument:
    return a if alpha == 1 else apply("mul", a, alpha)


def _div(a: Argument, b: Argument, rounding_mode: str | None = None) -> Expression:
    quotient = apply("div", a, b)
    if rounding_mode is None:
        return quotient
    return apply("floor", quotient) if rounding_mode == "floor" else _trunc(quotient)


def _trunc(x: Argument) -> Expression:
    return apply("sign", x) * apply("floor", apply("abs", x))


def _clamp(x: Argument, min: Argument | None = None, max: Argument | None = None) -> Expression:
    result = x if isinstance(x, Expression) else constant(x)
    result = result if min is None else apply("maximum", result, min)
    return result if max is None else apply("minimum", result, max)


def _softplus(x: Expression, beta: float = 1.0, threshold: float = 20.0) -> Expression:
    scaled = x * beta
    return apply("where", apply("gt", scaled, threshold), x, apply("softplus", scaled) / beta)


def _log_sigmoid(x: Expression) -> Expression:
    return -apply("softplus", -x)


def _elu(
    x: Expression, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0
) -> Expression:
    left = apply("expm1", x * input_scale) * (alpha * scale)
    return apply("where", apply("gt", x, 0.0), x * scale, left)


def _gelu(x: Expression, approximate: str = "none") -> Expression:
    if approximate == "tanh":
        u = (x + 0.044715 * (x * x * x)) * math.sqrt(2 / math.pi)
        return 0.5 * x * (1.0 + apply("tanh", u))
    # erfc(-y) is 1 + erf(y), without the cancellation for negative y
    return 0.5 * x * apply("erfc", x * -math.sqrt(0.5))


def _mish(x: Expression) -> Expression:
    # With n = e (e + 2) and e = exp x, tanh(log(1 + e)) = n / (n + 2). It is 1 to rounding from 20.
    e = apply("exp", apply("minimum", x, 20.0))
    n = e * (e + 2.0)
    return apply("where", apply("gt", x, 20.0), x, x * (n / (n + 2.0)))


def _leaky_relu(x: Expression, negative_slope: float = 0.01) -> Expression:
    return apply("where", apply("gt", x, 0.0), x, x * negative_slope)


def _hardsigmoid(x: Expression) -> Expression:
    return _clamp(x + 3.0, 0.0, 6.0) / 6.0


def _sinh(x: Expression) -> Expression:
    m = apply("expm1", apply("abs", x))  # of |x|, because m + 1 would cancel where x is negative
    return apply("sign", x) * (0.5 * (m + m / (m + 1.0)))


def _cosh(x: Expression) -> Expression:
    e = apply("exp", apply("abs", x))
    return 0.5 * (e + 1.0 / e)


def _logaddexp(a: Expression, b: Expression) -> Expression:
    return apply("softplus", apply("sub", a, b)) + b


def _shrink(x: Expression, lambd: float, towards: float) -> Expression:
    """X, brought nearer to 0 by `towards`, where |x| is above lambd; else 0."""
    kept = x - apply("sign", x) * towards
    return apply("where", apply("gt", apply("abs", x), lambd), kept, 0.0)


def _threshold(x: Expression, threshold: Argument, value: Argument) -> Expression:
    return apply("where", apply("le", x, threshold), value, x)


def _squared_error(a: Expression, b: Expression, *_: Any) -> Expression:
    difference = a - b
    return difference * difference


def _huber(
    a: Expression, b: Expression, reduction: int = 1, delta: float = 1.0, scale: float = 1.0
) -> Expression:
    distance = apply("abs", a - b)
    inside, outside = 0.5 * distance * distance, delta * (distance - 0.5 * delta)
    return apply("where", apply("le", distance, delta), inside, outside) * scale


def _smooth_l1(a: Expression, b: Expression, reduction: int = 1, beta: float = 1.0) -> Expression:
    return apply("abs", a - b) if beta == 0 else _huber(a, b, reduction, beta, 1 / beta)


def _logits(
    a: Expression, b: Expression, weight: None = None, pos_weight: None = None, *_: Any
) -> Expression:
    if weight is not None or pos_weight is not None:
        raise NotPointwiseError(say("no_weights"))
    return (1.0 - b) * a - _log_sigmoid(a)


RULES: dict[str, Callable[..., Expression]] = {
    "add": lambda a, b, alpha=1: apply("add", a, _scaled(b, alpha)),
    "sub": lambda a, b, alpha=1: apply("sub", a, _scaled(b, alpha)),
    "rsub": lambda a, b, alpha=1: apply("sub", b, _scaled(a, alpha)),
    "addcmul": lambda a, b, c, value=1: apply("add", a, _scaled(apply("mul", b, c), value)),
    "addcdiv": lambda a, b, c, value=1: apply("add", a, _scaled(apply("div", b, c), value)),
    "lerp": lambda a, b, weight: a + (b - a) * weight,
    "mul": _binary("mul"),
    "div": _div,
    "floor_divide": lambda a, b: _div(a, b, "floor"),
    "reciprocal": lambda x: apply("div", 1.0, x),
    "pow": power,
    "sqrt": _unary("sqrt"),
    "rsqrt": lambda x: 1.0 / apply("sqrt", x),
    "neg": _unary("neg"),
    "abs": _unary("abs"),
    "sign": _unary("sign"),
    "sgn": _unary("sign"),
    "exp": _unary("exp"),
    "exp2": lambda x: apply("exp", x * math.log(2)),
    "expm1": _unary("expm1"),
    "log": _unary("log"),
    "log2": lambda x: apply("log", x) / math.log(2),
    "log10": lambda x: apply("log", x) / math.log(10),
    "log1p": _unary("log1p"),
    "tanh": _unary("tanh"),
    "sigmoid": _unary("sigmoid"),
    "sinh": _sinh,
    "cosh": _cosh,
    "erf": _unary("erf"),
    "erfc": _unary("erfc"),
    "sin": _unary("sin"),
    "cos": _unary("cos"),
    "tan": lambda x: apply("sin", x) / apply("cos", x),
    "atan": _unary("atan"),
    "floor": _unary("floor"),
    "ceil": lambda x: -apply("floor", -x),
    "trunc": _trunc,
    "minimum": _binary("minimum"),
    "maximum": _binary("maximum"),
    "fmin": _binary("minimum"),
    "fmax": _binary("maximum"),
    "clamp": _clamp,
    "clamp_min": lambda x, min: _clamp(x, min),
    "clamp_max": lambda x, max: _clamp(x, None, max),
    "where": lambda condition, a, b: apply("where", condition, a, b),
    "masked_fill": lambda x, mask, value: apply("where", mask, value, x),
    "heaviside": lambda x, at_zero: apply(
        "where", apply("eq", x, 0.0), at_zero, apply("gt", x, 0.0)
    ),
    "isnan": lambda x: apply("ne", x, x),
    "lt": _binary("lt"),
    "le": _binary("le"),
    "gt": _binary("gt"),
    "ge": _binary("ge"),
    "eq": _binary("eq"),
    "ne": _binary("ne"),
    "logical_and": _binary("and"),
    "logical_or": _binary("or"),
    "logical_xor": _binary("ne"),
    "logical_not": _unary("not"),
    "bitwise_and": _binary("and"),
    "bitwise_or": _binary("or"),
    "bitwise_xor": _binary("ne"),
    "bitwise_not": _unary("not"),
    "__and__": _binary("and"),
    "__or__": _binary("or"),
    "relu": lambda x: _clamp(x, 0.0),
    "leaky_relu": _leaky_relu,
    "threshold": _threshold,
    "hardtanh": lambda x, low=-1.0, high=1.0: _clamp(x, low, high),
    "relu6": lambda x: _clamp(x, 0.0, 6.0),
    "hardsigmoid": _hardsigmoid,
    "hardswish": lambda x: x * _hardsigmoid(x),
    "elu": _elu,
    "softplus": _softplus,
    "log_sigmoid_forward": _log_sigmoid,
    "celu": lambda x, alpha=1.0: _elu(x, alpha, 1.0, 1.0 / alpha),
    "hardshrink": lambda x, lambd=0.5: _shrink(x, lambd, 0.0),
    "softshrink": lambda x, lambd=0.5: _shrink(x, lambd, lambd),
    "logaddexp": _logaddexp,
    "silu": lambda x: x * apply("sigmoid", x),
    "gelu": _gelu,
    "mish": _mish,
    "sigmoid_backward": lambda grad, y: grad * (y * (1.0 - y)),
    "tanh_backward": lambda grad, y: grad * (1.0 - y * y),
    "threshold_backward": lambda grad, x, threshold: apply(
        "where", apply("le", x, threshold), 0.0, grad
    ),
}

# PyTorch's own losses, of one pair; over more they are not pointwise.
PAIR_RULES: dict[str, Callable[..., Expression]] = {
    "mse_loss": _squared_error,
    "huber_loss": _huber,
    "smooth_l1_loss": _smooth_l1,
    "binary_cross_entropy_with_logits": _logits,
    "soft_margin_loss": lambda a, b, *_: -_log_sigmoid(a * b),
}

# Operations that change no entry and no order of entries.
SAME = {
    "alias", "clone", "contiguous", "detach", "_conj", "conj_physical", "lift",
    "lift_fresh", "lift_fresh_copy", "positive", "resolve_conj", "resolve_neg",
    "view_as_real", "_to_copy", "expand", "expand_as", "_unsafe_view", "view", "reshape",
    "_reshape_alias", "unsqueeze", "squeeze",
}  # fmt: skip

# Tensors that are filled with a number, and where among the arguments it is.
FILLED: dict[str, float] = {
    "zeros": 0.0, "zeros_like": 0.0, "new_zeros": 0.0, "zero": 0.0,
    "ones": 1.0, "ones_like": 1.0, "new_ones": 1.0,
    "empty": math.nan, "empty_like": math.nan, "new_empty": math.nan, "empty_strided": math.nan,
    "new_empty_strided": math.nan,
}  # fmt: skip
FILLED_WITH: dict[str, int] = {
    "full": 1, "full_like": 1, "new_full": 2, "fill": 1, "scalar_tensor": 0,
}  # fmt: skip

# Operations that select entries, write selected entries back, or copy a tensor.
INDEXED = {"copy", "index", "masked_select", "index_put", "_index_put_impl"}

# Over one number they are that number; over more they are not pointwise.
REDUCTIONS = {"sum", "mean"}

# Operations that return values of tensors to Python.
READS_VALUES = {"_local_scalar_dense", "item", "is_nonzero", "equal"}

# Operations that draw random numbers.
RANDOM = {
    "bernoulli", "native_dropout", "rand", "rand_like", "randn", "randn_like", "randint",
    "randint_like", "normal", "uniform", "random", "multinomial", "exponential", "cauchy",
    "log_normal", "geometric", "randperm", "rrelu_with_noise",
}  # fmt: skip
