"""Piecewise formulas: whether one is two straight lines, and whether value or slope jumps."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.formula.agreement import at
from derivable.formula.expression import Expression, evaluate, ordered
from derivable.formula.rules import OUTPUT, Formulas, X

Line = tuple[float, float]  # a t + b for every t > 0
Known = Line | bool | None  # None where it is no straight line, or not known

_JUMP = 1e-6  # of a slope, relative; smaller jumps come from thresholds against overflow
_COMPARISONS = {"lt", "le", "gt", "ge", "eq", "ne"}
_JUMPING = {*_COMPARISONS, "sign", "floor"}


def straight_lines(formulas: Formulas) -> tuple[float, float] | None:
    """The slopes below and above 0, where the function is two straight lines that meet in (0, 0).

    None for any other function, and for one whose slope at 0 is not that of the left line.
    """
    slopes = []
    for side in (-1.0, 1.0):
        value = _follow(formulas.value, {X: (side, 0.0)})
        if not isinstance(value, tuple) or value[1]:
            return None
        slope = _follow(formulas.slope, {X: (side, 0.0), OUTPUT: value})
        if slope != (0.0, side * value[0]):
            return None
        slopes.append(side * value[0] + 0.0)  # no -0.0
    at_zero = [one.item() for one in at(formulas, torch.zeros(1, dtype=torch.float64))]
    return (slopes[0], slopes[1]) if at_zero[:2] == [0.0, slopes[0]] else None


def is_smooth(formulas: Formulas) -> bool:
    """Whether neither value nor slope jumps at an input between -1000 and 1000."""
    conditions = [node for node in ordered(*formulas[:2]) if node.operation in _JUMPING]
    if not conditions:
        return True
    usual = torch.linspace(-30, 30, 4801, dtype=torch.float64)
    large = torch.logspace(1.5, 3, 200, dtype=torch.float64)
    grid = torch.cat([-large.flip(0), usual, large])
    return not any(_jumps(formulas, condition, grid) for condition in conditions)


def _jumps(formulas: Formulas, condition: Expression, grid: Tensor) -> bool:
    """Whether value or slope jumps where a condition changes between two points of the grid."""

    def outcome(x: Tensor) -> Tensor:
        (output,) = evaluate([formulas.value], {"x": x})
        return evaluate([condition], {"x": x, "output": output})[0]

    found = outcome(grid)
    change = (found[1:] != found[:-1]).nonzero().flatten()
    if not len(change):
        return False
    left, right, before = grid[change], grid[change + 1], found[change]
    for _ in range(60):
        middle = (left + right) / 2
        same = outcome(middle) == before
        left, right = torch.where(same, middle, left), torch.where(same, right, middle)
    sides = zip(at(formulas, left)[:2], at(formulas, right)[:2], strict=True)
    return any(bool(((a - b).abs() > _JUMP * (1 + a.abs())).any()) for a, b in sides)


def _follow(root: Expression, variables: dict[Expression, Line]) -> Known:
    """The expression as a straight line in t > 0, or as a truth that holds for all of them."""
    known: dict[Expression, Known] = {}
    for node in ordered(root):
        if node in variables:
            known[node] = variables[node]
        elif node.number is not None:
            number = node.number
            known[node] = number if isinstance(number, bool) else (0.0, number)
        else:
            known[node] = _line(node.operation, [known.get(a) for a in node.arguments])
    return known[root]


def _line(operation: str, given: list[Known]) -> Known:
    if operation == "where":
        condition, a, b = given
        return (a if condition else b) if isinstance(condition, bool) else None
    if any(one is None for one in given):
        return None
    if all(isinstance(one, bool) for one in given):
        return {"and": all(given), "or": any(given), "not": not given[0]}[operation]
    lines = [one for one in given if isinstance(one, tuple)]
    return _line_of_lines(operation, lines[0], lines[1] if len(lines) > 1 else (0.0, 0.0))


def _line_of_lines(operation: str, a: Line, b: Line) -> Known:
    match operation:
        case "add":
            return a[0] + b[0], a[1] + b[1]
        case "sub":
            return a[0] - b[0], a[1] - b[1]
        case "neg":
            return -a[0], -a[1]
        case "mul" if not a[0] or not b[0]:
            return a[0] * b[1] + a[1] * b[0], a[1] * b[1]
        case "div" if not b[0] and b[1]:
            return a[0] / b[1], a[1] / b[1]
    sign = _sign((a[0] - b[0], a[1] - b[1]))  # of a - b; b is 0 for one argument
    if sign is None:
        return None
    match operation:
        case "minimum":
            return a if sign < 0 else b
        case "maximum":
            return a if sign > 0 else b
        case "abs":
            return (-a[0], -a[1]) if sign < 0 else a
        case "sign":
            return 0.0, float(sign)
    holds = {"lt": sign < 0, "le": sign <= 0, "gt": sign > 0, "ge": sign >= 0}
    return (holds | {"eq": sign == 0, "ne": sign != 0}).get(operation)


def _sign(line: Line) -> int | None:
    """The sign of a t + b if it is the same for every t > 0."""
    signs = {(c > 0) - (c < 0) for c in line} - {0}
    return None if len(signs) > 1 else (signs.pop() if signs else 0)
