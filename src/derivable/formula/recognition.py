"""Slope and second derivative in terms of the output, which forward has computed already.

The loops of a network keep the output of an activation. Where the slope contains the output, or
what the output is a linear function of, that is not computed again: 1 - tanh(x)^2 becomes
1 - output^2. The branches of a `where` are searched under its condition: for x <= 0 the output of
ELU is exp(x) - 1, so that its slope there, exp(x), is output + 1. If the output is x P(x), as for
GELU, P(x) is output / x, which costs a division.
"""

from __future__ import annotations

import torch

from derivable.formula.expression import (
    Expression,
    apply,
    constant,
    evaluate,
    ordered,
    substitute,
)
from derivable.formula.rules import OUTPUT, Formulas, X

_LARGEST_SHIFT = 4.0  # of the output: subtracting it again loses that many roundings
_SMALLEST = 1e-30  # |x| by which the output is divided; P(x) is P(0) for what is smaller
_MOST_FACTORS = 8
_FUNCTIONS = ("exp", "expm1", "log", "log1p", "softplus", "tanh", "sigmoid", "erf", "erfc", "sin",
              "cos", "atan", "power")  # fmt: skip
_COSTS = dict.fromkeys(_FUNCTIONS, 4) | {"div": 1, "sqrt": 1}  # of other arithmetic: nothing
_FLIPPED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "ne"}
_ORDERS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "=", "ne": "<>"}  # as sets of signs


def candidates(formulas: Formulas) -> list[Formulas]:
    """The same formulas with slope and second derivative in terms of the output, cheapest first.

    Where the slope multiplies a small difference by a large number, the rounding of the output may
    be too much; the formulas as they were are the last of the list.
    """
    value = formulas.value
    found = [
        Formulas(value, *(_recognised(root, value, divide) for root in formulas[1:]))
        for divide in (True, False)
    ]
    return sorted([*found, formulas], key=lambda one: _cost(one.slope))


def _recognised(root: Expression, value: Expression, divide: bool) -> Expression:
    known = _inverses(value) | (_quotient(value) if divide else {})
    new: dict[Expression, Expression] = {}
    for node in ordered(root):
        if node in known:
            new[node] = known[node]
        elif node.operation == "where":
            condition, *branches = node.arguments
            chosen = []
            for branch, holds in zip(branches, (True, False), strict=True):
                alone = _assuming(branch, condition, holds)
                found = _recognised(alone, _assuming(value, condition, holds), divide)
                chosen.append(min(new[branch], found, key=_cost))  # the first if equal
            new[node] = apply("where", new[condition], *chosen)
        elif node.arguments:
            new[node] = apply(node.operation, *(new[argument] for argument in node.arguments))
        else:
            new[node] = node
    return new[root]


def _cost(root: Expression) -> int:
    """The cost of its operations, relative to a division."""
    return sum(_COSTS.get(node.operation, 0) for node in ordered(root))


def _quotient(value: Expression) -> dict[Expression, Expression]:
    """P(x), in terms of the output, where that is x P(x) times a constant."""
    factors, scale = [value], 1.0
    while any(factor.operation == "mul" for factor in factors):
        if len(factors) > _MOST_FACTORS:
            return {}
        factors = [
            part
            for factor in factors
            for part in (factor.arguments if factor.operation == "mul" else (factor,))
        ]
    for factor in factors:
        scale *= 1.0 if factor.number is None else float(factor.number)
    rest = [factor for factor in factors if factor.number is None and factor is not X]
    if len(rest) != 1 or factors.count(X) != 1 or not scale or not _cost(rest[0]):
        return {}
    at_0 = evaluate(rest, {"x": torch.zeros(1, dtype=torch.float64)})[0].item()
    near_0 = apply("lt", apply("abs", X), _SMALLEST)
    return {rest[0]: apply("where", near_0, at_0, OUTPUT / (X * scale))}


def _inverses(value: Expression) -> dict[Expression, Expression]:
    """What the output is a linear function of, in terms of the output."""
    known = {value: OUTPUT} if value.arguments else {}
    node, factor, shift = value, 1.0, 0.0  # node = factor output + shift
    while (step := _linear(node)) is not None:
        node, a, b = step  # the previous node is a * node + b
        factor, shift = factor / a, (shift - b) / a
        if abs(shift) > _LARGEST_SHIFT or not node.arguments:
            break
        if not shift or _cost(node):
            known[node] = OUTPUT * factor + shift
            if node.operation == "expm1":
                known[apply("exp", *node.arguments)] = OUTPUT * factor + (shift + 1.0)
    if value.operation == "expm1":
        known[apply("exp", *value.arguments)] = OUTPUT + 1.0
    return known


def _linear(node: Expression) -> tuple[Expression, float, float] | None:
    """(u, a, b) where the node is a u + b; None if it is no such thing."""
    if node.operation == "neg":
        return node.arguments[0], -1.0, 0.0
    if len(node.arguments) != 2:
        return None
    first, second = node.arguments
    if second.number is not None:
        number = float(second.number)
        match node.operation:
            case "mul" if number:
                return first, number, 0.0
            case "div" if number:
                return first, 1.0 / number, 0.0
            case "add":
                return first, 1.0, number
            case "sub":
                return first, 1.0, -number
    if first.number is not None and node.operation == "sub":
        return second, -1.0, float(first.number)
    return None


def _assuming(root: Expression, condition: Expression, holds: bool) -> Expression:
    """The expression where a condition holds, or where it does not; x is taken to be no NaN."""
    assumed = _comparison(condition)
    if assumed is None:
        return substitute(root, {condition: constant(holds)})
    left, right, signs = assumed
    if not holds:
        signs = "".join(set("<=>") - set(signs))
    simpler = {
        node: found
        for node in ordered(root)
        if (found := _decided(node, left, right, signs)) is not None
    }
    return substitute(root, simpler) if simpler else root


def _comparison(node: Expression) -> tuple[Expression, Expression, str] | None:
    """(a, b, the signs that a - b may have), a constant second; None for no comparison."""
    if node.operation not in _ORDERS:
        return None
    a, b = node.arguments
    if a.number is not None:
        return b, a, _ORDERS[_FLIPPED[node.operation]]
    return a, b, _ORDERS[node.operation]


def _decided(
    node: Expression, left: Expression, right: Expression, signs: str
) -> Expression | None:
    """What a node is where left - right has one of these signs; None if that decides nothing."""
    comparison = _comparison(node)
    if comparison is not None:
        a, b, wanted = comparison
        possible = _signs(a, b, left, right, signs)
        if possible and set(possible) <= set(wanted):
            return constant(True)
        return constant(False) if possible and not set(possible) & set(wanted) else None
    if node.operation not in {"minimum", "maximum", "abs"}:
        return None
    a, b = (*node.arguments, constant(0.0))[:2]
    possible = _signs(a, b, left, right, signs)
    above = "<" not in possible
    if not possible or (not above and ">" in possible):
        return None
    if node.operation == "abs":
        return a if above else -a
    return a if above == (node.operation == "maximum") else b


def _signs(a: Expression, b: Expression, left: Expression, right: Expression, signs: str) -> str:
    """The signs that a - b may have where left - right has one of `signs`; empty if not known."""
    if a is not left:
        return ""
    if b is right:
        return signs
    if b.number is None or right.number is None:
        return ""
    if b.number > right.number and ">" not in signs:
        return "<"
    return ">" if b.number < right.number and "<" not in signs else ""
