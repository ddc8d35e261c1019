"""The derivative of an expression, by the chain rule over its graph.

Where an expression depends on its variables through one clamp alone, as a slope that keeps an
exponential from overflowing does, the derivative of the rest is taken along the clamp, and cut off
once, outside of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from derivable.formula.expression import (
    Expression,
    apply,
    constant,
    ordered,
    power,
    substitute,
    variable,
)

# The partial derivatives of y = operation(*arguments), one for each argument.
_PARTIALS: dict[str, Callable[..., tuple[Expression | float, ...]]] = {
    "add": lambda y, a, b: (1.0, 1.0),
    "sub": lambda y, a, b: (1.0, -1.0),
    "mul": lambda y, a, b: (b, a),
    "div": lambda y, a, b: (1.0 / b, -(y * (1.0 / b))),
    "neg": lambda y, a: (-1.0,),
    "abs": lambda y, a: (apply("sign", a),),
    "sqrt": lambda y, a: (0.5 / y,),
    "power": lambda y, a, b: (b * apply("power", a, b - 1.0), y * apply("log", a)),
    "exp": lambda y, a: (y,),
    "expm1": lambda y, a: (apply("exp", a),),
    "log": lambda y, a: (1.0 / a,),
    "log1p": lambda y, a: (1.0 / (1.0 + a),),
    "softplus": lambda y, a: (apply("sigmoid", a),),
    "tanh": lambda y, a: (1.0 - y * y,),
    "sigmoid": lambda y, a: (y * (1.0 - y),),
    "erf": lambda y, a: (apply("exp", -(a * a)) * (2 / math.sqrt(math.pi)),),
    "erfc": lambda y, a: (apply("exp", -(a * a)) * (-2 / math.sqrt(math.pi)),),
    "sin": lambda y, a: (apply("cos", a),),
    "cos": lambda y, a: (-apply("sin", a),),
    "atan": lambda y, a: (1.0 / (1.0 + a * a),),
}
_STEPS = {"sign", "floor"}  # constant between their jumps
_CLAMPED = variable("clamped")


def differentiate(root: Expression, along: Mapping[Expression, Expression | float]) -> Expression:
    """The derivative of `root` where each node in `along` has the derivative given there.

    Other variables are constants. Of a comparison, sign and floor it is 0, which is right except
    where they jump; of a minimum or maximum it is that of the one which is taken.
    """
    clamp = _only_clamp(root, along)
    if clamp is not None:
        rest = differentiate(substitute(root, {clamp: _CLAMPED}), {_CLAMPED: 1.0})
        return _times(substitute(rest, {_CLAMPED: clamp}), _forward(clamp, along))
    return _forward(root, along)


def _only_clamp(
    root: Expression, along: Mapping[Expression, Expression | float]
) -> Expression | None:
    """The outermost clamp through which alone `root` depends on the variables, if there is one."""
    for node in reversed(ordered(root)[:-1]):
        if node.operation in {"minimum", "maximum"} and node.arguments[1].number is not None:
            rest = ordered(substitute(root, {node: _CLAMPED}))
            if _CLAMPED in rest and not any(given in rest for given in along):
                return node
    return None


def _forward(root: Expression, along: Mapping[Expression, Expression | float]) -> Expression:
    """The derivative, node by node from the variables to the root."""
    derivatives: dict[Expression, Expression] = {}  # those that are not 0 everywhere
    for node in ordered(root):
        if node in along:
            given = along[node]
            derivatives[node] = given if isinstance(given, Expression) else constant(given)
        elif any(argument in derivatives for argument in node.arguments):
            derivative = _chain(node, derivatives)
            if derivative is not None and derivative.number != 0:
                derivatives[node] = derivative
    return derivatives.get(root, constant(0.0))


def _chain(node: Expression, derivatives: Mapping[Expression, Expression]) -> Expression | None:
    """The derivative of a node from those of its arguments; None for 0."""
    if node.truth or node.operation in _STEPS:
        return None
    inner = [derivatives.get(argument) for argument in node.arguments]
    if node.operation in {"where", "minimum", "maximum"}:
        return _chosen(node, inner)
    if node.operation == "mul" and node.arguments[0] is node.arguments[1]:
        assert inner[0] is not None
        return _times(2.0 * node.arguments[0], inner[0])
    total: Expression | None = None
    for partial, derivative in zip(_partials(node), inner, strict=True):
        if derivative is not None:
            term = _times(partial, derivative)
            total = term if total is None else _plus(total, term)
    return total


def _times(partial: Expression | float, derivative: Expression) -> Expression:
    """Their product; 0 where the derivative is 0, even if the other factor is not finite there."""
    if derivative.operation == "where":
        condition, a, b = derivative.arguments
        if a.number == 0 or b.number == 0:
            a, b = (one if one.number == 0 else _times(partial, one) for one in (a, b))
            return apply("where", condition, a, b)
    return partial * derivative


def _plus(a: Expression, b: Expression) -> Expression:
    """Their sum, with a common factor taken out."""
    sign = -1.0 if b.operation == "neg" else 1.0
    positive = b.arguments[0] if b.operation == "neg" else b
    if a.operation == positive.operation == "mul":
        for i, factor in enumerate(a.arguments):
            for j, other in enumerate(positive.arguments):
                if factor is other and factor.number is None:
                    rest, more = a.arguments[1 - i], positive.arguments[1 - j]
                    return factor * (rest + more if sign > 0 else rest - more)
    return a + b


def _partials(node: Expression) -> tuple[Any, ...]:
    if node.operation == "power" and node.arguments[1].number is not None:
        base, exponent = node.arguments
        number = float(exponent.number or 0.0)
        return (number * power(base, number - 1.0), constant(0.0))
    return _PARTIALS[node.operation](node, *node.arguments)


def _chosen(node: Expression, inner: list[Expression | None]) -> Expression:
    """That of the branch, or of the argument, which is taken."""
    if node.operation == "where":
        condition = node.arguments[0]
    else:
        comparison = "lt" if node.operation == "minimum" else "gt"
        condition = apply(comparison, node.arguments[1], node.arguments[0])
        inner = [None, inner[1], inner[0]]
    a, b = (constant(0.0) if d is None else d for d in inner[1:])
    return apply("where", condition, a, b)
