"""Random functions with derivatives known to 50 digits, for the coverage of error bounds.

An expression is a tree that is evaluated twice: in float64 by PyTorch, as a user would write it,
and in 50 digits by mpmath, with its derivatives in one direction beside it (dual numbers). At a
kink the derivatives along a direction and against it differ, and both are right.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import mpmath
import torch
from torch import Tensor

mpmath.mp.dps = 50

Number = Any  # mpmath.mpf, which has no types
Dual = tuple[Number, Number]  # a value, and its derivative along the direction
Function = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Case:
    """A function (n,) -> (m,) at x, and its one-sided derivatives (m, n): below and above x.

    `exists` is False where the derivative is infinite, or the function jumps.
    """

    f: Function
    x: Tensor
    below: Tensor
    above: Tensor
    exists: bool = True


@dataclass(frozen=True)
class Node:
    """One operation: its name, a constant, and the nodes that it is applied to."""

    name: str
    constant: float = 0.0
    inputs: tuple[Node, ...] = ()

    def __call__(self, x: Tensor) -> Tensor:
        """The value in the dtype of x (n,): a scalar."""
        if self.name == "variable":
            return x[int(self.constant)]
        if self.name == "constant":
            return torch.as_tensor(self.constant, dtype=x.dtype)
        values = [node(x) for node in self.inputs]
        return BY_TORCH[self.name](*values, *([self.constant] if self.name in PARAMETRIC else []))

    def dual(self, x: list[Number], direction: list[int]) -> Dual:
        """The value in 50 digits, and its derivative along the direction."""
        if self.name == "variable":
            position = int(self.constant)
            return x[position], mpmath.mpf(direction[position])
        if self.name == "constant":
            return mpmath.mpf(self.constant), mpmath.mpf(0)
        duals = [node.dual(x, direction) for node in self.inputs]
        constant = [mpmath.mpf(self.constant)] if self.name in PARAMETRIC else []
        return BY_MPMATH[self.name](*duals, *constant)


PARAMETRIC = {"times", "plus", "power"}  # with a constant as second input

BY_TORCH: dict[str, Callable[..., Tensor]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "times": lambda a, c: a * c,
    "plus": lambda a, c: a + c,
    "power": lambda a, c: a**c,
    "exp": torch.exp,
    "log": torch.log,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "tanh": torch.tanh,
    "atan": torch.atan,
    "sqrt": torch.sqrt,
    "abs": torch.abs,
    "relu": torch.relu,
    "maximum": torch.maximum,
    "sigmoid": torch.sigmoid,
}


def _unary(value: Callable[..., Number], slope: Callable[..., Number]) -> Callable[[Dual], Dual]:
    return lambda a: (value(a[0]), slope(a[0]) * a[1])


def _abs(a: Dual) -> Dual:
    sign = mpmath.sign(a[0]) if a[0] != 0 else mpmath.sign(a[1])
    return abs(a[0]), sign * a[1]


def _relu(a: Dual) -> Dual:
    size, slope = _abs(a)
    return (a[0] + size) / 2, (a[1] + slope) / 2


def _maximum(a: Dual, b: Dual) -> Dual:
    gap = _abs((a[0] - b[0], a[1] - b[1]))
    return (a[0] + b[0] + gap[0]) / 2, (a[1] + b[1] + gap[1]) / 2


BY_MPMATH: dict[str, Callable[..., Dual]] = {
    "add": lambda a, b: (a[0] + b[0], a[1] + b[1]),
    "subtract": lambda a, b: (a[0] - b[0], a[1] - b[1]),
    "multiply": lambda a, b: (a[0] * b[0], a[1] * b[0] + a[0] * b[1]),
    "divide": lambda a, b: (a[0] / b[0], (a[1] * b[0] - a[0] * b[1]) / b[0] ** 2),
    "times": lambda a, c: (a[0] * c, a[1] * c),
    "plus": lambda a, c: (a[0] + c, a[1]),
    "power": lambda a, c: (a[0] ** c, c * a[0] ** (c - 1) * a[1]),
    "exp": _unary(mpmath.exp, mpmath.exp),
    "log": _unary(mpmath.log, lambda a: 1 / a),
    "sin": _unary(mpmath.sin, mpmath.cos),
    "cos": _unary(mpmath.cos, lambda a: -mpmath.sin(a)),
    "tan": _unary(mpmath.tan, lambda a: 1 + mpmath.tan(a) ** 2),
    "tanh": _unary(mpmath.tanh, lambda a: 1 - mpmath.tanh(a) ** 2),
    "atan": _unary(mpmath.atan, lambda a: 1 / (1 + a**2)),
    "sqrt": _unary(mpmath.sqrt, lambda a: 1 / (2 * mpmath.sqrt(a))),
    "sigmoid": _unary(
        lambda a: 1 / (1 + mpmath.exp(-a)),
        lambda a: mpmath.exp(-a) / (1 + mpmath.exp(-a)) ** 2,
    ),
    "abs": _abs,
    "relu": _relu,
    "maximum": _maximum,
}


def variable(position: int) -> Node:
    """One entry of x."""
    return Node("variable", position)


def apply(name: str, *inputs: Node, constant: float = 0.0) -> Node:
    """An operation on nodes."""
    return Node(name, constant, inputs)


def plus(a: Node, constant: float) -> Node:
    """A node plus a constant."""
    return apply("plus", a, constant=constant)


def times(a: Node, constant: float) -> Node:
    """A node times a constant."""
    return apply("times", a, constant=constant)


def positive(a: Node) -> Node:
    """A node squared, plus a half."""
    return plus(apply("multiply", a, a), 0.5)


def smooth_tree(draw: random.Random, count: int, depth: int) -> Node:
    """A random smooth expression of `count` variables, defined everywhere, of moderate size."""
    if depth == 0 or draw.random() < 0.1:
        return variable(draw.randrange(count))
    a = smooth_tree(draw, count, depth - 1)
    kind = draw.randrange(12)
    if kind < 5:
        b = smooth_tree(draw, count, depth - 1)
        if kind == 4:
            return apply("divide", a, positive(b))
        return apply(("add", "subtract", "multiply", "multiply")[kind], a, b)
    if kind == 5:
        return times(a, draw.uniform(-2, 2))
    if kind == 6:
        return apply("log", positive(a))
    if kind == 7:
        return apply("power", positive(a), constant=draw.choice([0.5, 1.5, -1.0, 0.3]))
    return apply(draw.choice(["exp", "sin", "cos", "tanh", "atan", "sigmoid"]), tame(a, kind))


def tame(a: Node, kind: int) -> Node:
    """A node, or its sine, so that exponentials of exponentials stay finite."""
    return apply("sin", a) if kind < 10 else apply("atan", a)


def case(trees: list[Node], x: list[float], f: Function | None = None, exists: bool = True) -> Case:
    """The case of some expressions as outputs, in float64 or as `f` computes them."""

    def outputs(point: Tensor) -> Tensor:
        return torch.stack([tree(point) for tree in trees])

    below, above = (
        float64([[_slope(tree, x, j, sign) for j in range(len(x))] for tree in trees])
        if exists
        else float64([[0.0] * len(x)] * len(trees))
        for sign in (-1, 1)
    )
    return Case(f or outputs, float64(x), below, above, exists)


def float64(values: Any) -> Tensor:
    """A tensor of exactly these numbers."""
    return torch.tensor(values, dtype=torch.float64)


def _slope(tree: Node, x: list[float], position: int, sign: int) -> float:
    direction = [sign * int(j == position) for j in range(len(x))]
    return float(sign * tree.dual([mpmath.mpf(v) for v in x], direction)[1])


# --- families: each a generator of cases ---------------------------------------------------------

Family = Callable[[random.Random], Case]


def _values(draw: random.Random, count: int) -> list[float]:
    return [draw.gauss(0, 1) for _ in range(count)]


def _tree(draw: random.Random, count: int) -> Node:
    return smooth_tree(draw, count, draw.randint(2, 5))


def smooth(draw: random.Random) -> Case:
    """Smooth expressions of one to four variables."""
    count = draw.randint(1, 4)
    return case([_tree(draw, count) for _ in range(draw.randint(1, 3))], _values(draw, count))


def offset(draw: random.Random) -> Case:
    """A smooth expression plus a number of 1e4 to 1e10."""
    tree = plus(_tree(draw, 2), 10 ** draw.uniform(4, 10))
    return case([tree], _values(draw, 2))


def cancellation(draw: random.Random) -> Case:
    """Differences of nearly equal numbers."""
    kind = draw.randrange(4)
    x = draw.gauss(0, 1) if kind == 2 else 10 ** draw.uniform(-6, -1)
    a = variable(0)
    one_minus_cos = plus(times(apply("cos", a), -1.0), 1.0)
    large = 10 ** draw.uniform(3, 9)
    trees = [
        plus(apply("exp", a), -1.0),
        apply("divide", one_minus_cos, apply("multiply", a, a)),
        plus(plus(_tree(draw, 1), large), -large),
        apply("subtract", apply("exp", a), apply("exp", times(a, 1 + 2.0**-20))),
    ]
    return case([trees[kind]], [x])


def scales(draw: random.Random) -> Case:
    """Variables of sizes between 1e-12 and 1e12, in one vector."""
    count = draw.randint(1, 3)
    tree, sizes = _tree(draw, count), [10 ** draw.uniform(-12, 12) for _ in range(count)]
    scaled = _substituted(tree, [times(variable(j), 1 / size) for j, size in enumerate(sizes)])
    x = [v * size for v, size in zip(_values(draw, count), sizes, strict=True)]
    return case([scaled], x)


def _substituted(tree: Node, nodes: list[Node]) -> Node:
    if tree.name == "variable":
        return nodes[int(tree.constant)]
    inputs = tuple(_substituted(node, nodes) for node in tree.inputs)
    return Node(tree.name, tree.constant, inputs)


def oscillating(draw: random.Random) -> Case:
    """The cosine of 1e2 to 1e7 times x, plus or times a smooth expression."""
    wave = apply("cos", times(variable(0), 10 ** draw.uniform(2, 7)))
    tree = apply(draw.choice(["add", "multiply"]), wave, _tree(draw, 1))
    return case([tree], _values(draw, 1))


def near_pole(draw: random.Random) -> Case:
    """A pole, a logarithm or a tangent at a distance of 1e-1 to 1e-9 of x."""
    x, distance = draw.gauss(0, 1), draw.choice([-1, 1]) * 10 ** draw.uniform(-9, -1)
    apart = plus(variable(0), -(x - distance))
    if draw.random() < 0.3:
        # In float64 the distance itself is rounded: a variable near 0 has its own digits.
        apart, x = variable(0), distance
    kind = draw.randrange(3)
    if kind == 0:
        tree = apply("power", apart, constant=-1.0)
    elif kind == 1:
        tree = apply("log", apply("abs", apart))
    else:
        tree = apply("power", apply("multiply", apart, apart), constant=-0.5)
    return case([apply("add", tree, _tree(draw, 1))], [x])


def at_kink(draw: random.Random) -> Case:
    """An absolute value, a relu or a maximum exactly at its kink, plus a smooth expression."""
    x = _values(draw, 2) if draw.random() < 0.7 else [0.0, draw.gauss(0, 1)]
    apart = plus(variable(0), -x[0])
    return case([apply("add", _kinked(draw, apart), _tree(draw, 2))], x)


def _kinked(draw: random.Random, apart: Node) -> Node:
    size = draw.choice([-1, 1]) * 10 ** draw.uniform(-3, 3)
    kind = draw.choice(["abs", "relu", "maximum", "leaky"])
    if kind == "maximum":
        return times(apply("maximum", apart, times(apart, draw.uniform(-1, 0.9))), size)
    if kind == "leaky":
        return times(apply("maximum", apart, times(apart, 0.01)), size)
    return times(apply(kind, apart), size)


def near_kink(draw: random.Random) -> Case:
    """A kink at a distance of 1e-1 to 1e-12, plus a smooth expression."""
    x, distance = _values(draw, 2), draw.choice([-1, 1]) * 10 ** draw.uniform(-12, -1)
    apart = plus(variable(0), -(x[0] - distance))
    return case([apply("add", _kinked(draw, apart), _tree(draw, 2))], x)


def at_jump(draw: random.Random) -> Case:
    """A jump exactly at x."""
    x, size = draw.gauss(0, 1), draw.choice([-1, 1]) * 10 ** draw.uniform(-3, 3)
    tree, above = _tree(draw, 1), draw.random() < 0.5

    def f(point: Tensor) -> Tensor:
        beyond = point >= x if above else point > x
        return tree(point).reshape(1) + size * beyond.double()

    return case([tree], [x], f, exists=False)


def near_jump(draw: random.Random) -> Case:
    """A jump at a distance of 1e-1 to 1e-10, beside which the function is smooth."""
    x, distance = draw.gauss(0, 1), draw.choice([-1, 1]) * 10 ** draw.uniform(-10, -1)
    size, tree = draw.choice([-1, 1]) * 10 ** draw.uniform(-3, 3), _tree(draw, 1)

    def f(point: Tensor) -> Tensor:
        return tree(point).reshape(1) + size * (point > x - distance).double()

    return case([tree], [x], f)


def infinite_slope(draw: random.Random) -> Case:
    """A root at 0: of one side (sqrt) or of both (a signed root)."""
    power, size = draw.uniform(0.2, 0.8), draw.choice([-1, 1]) * 10 ** draw.uniform(-2, 2)
    tree, two_sided = _tree(draw, 1), draw.random() < 0.5

    def f(point: Tensor) -> Tensor:
        root = point.sign() * point.abs() ** power if two_sided else point**power
        return tree(point).reshape(1) + size * root

    return case([tree], [0.0], f, exists=False)


def near_edge(draw: random.Random) -> Case:
    """A root, a power of 3/2 or x log x, 1e-1 to 1e-12 from the edge of its domain."""
    x, a = 10 ** draw.uniform(-12, -1), variable(0)
    tree = draw.choice([
        apply("sqrt", a),
        apply("power", a, constant=1.5),
        apply("multiply", a, apply("log", a)),
        apply("power", a, constant=draw.uniform(0.1, 2.9)),
    ])  # fmt: skip
    if draw.random() < 0.5:
        return case([apply("add", tree, apply("sin", a))], [x])
    return case([apply("add", tree, _tree(draw, 2))], [x, draw.gauss(0, 1)])


def float32_inside(draw: random.Random) -> Case:
    """A smooth expression computed in float32, of float64 inputs."""
    trees, x = [_tree(draw, 2)], _values(draw, 2)

    def f(point: Tensor) -> Tensor:
        return torch.stack([tree(point.float()) for tree in trees]).double()

    return case(trees, x, f)


def bisection(draw: random.Random) -> Case:
    """A root found by bisection until the interval is 1e-4 to 1e-13 long."""
    tolerance, x = 10 ** draw.uniform(-13, -4), draw.uniform(0.5, 5)
    tree = apply("power", variable(0), constant=1 / 3)

    def f(point: Tensor) -> Tensor:
        low, high = 0.0, 8.0
        while high - low > tolerance:
            middle = (low + high) / 2
            low, high = (middle, high) if middle**3 < float(point) else (low, middle)
        return float64([(low + high) / 2])

    return case([tree], [x], f)


def random_noise(draw: random.Random) -> Case:
    """A smooth expression with pseudorandom relative errors of 1e-14 to 1e-6."""
    size, tree, x = 10 ** draw.uniform(-14, -6), _tree(draw, 2), _values(draw, 2)

    def f(point: Tensor) -> Tensor:
        errors = random.Random(repr(point.tolist()))
        return tree(point).reshape(1) * (1 + size * errors.uniform(-1, 1))

    return case([tree], x, f)


FAMILIES: dict[str, Family] = {
    function.__name__: function
    for function in (
        smooth, offset, cancellation, scales, oscillating, near_pole, near_kink, near_jump,
        near_edge, float32_inside, bisection, random_noise, at_kink, at_jump, infinite_slope,
    )
}  # fmt: skip


def cases(family: str, count: int, seed: int = 0) -> Iterator[Case]:
    """`count` random cases of a family whose outputs and derivatives are finite."""
    draw, found = random.Random(f"{family} {seed}"), 0
    while found < count:
        try:
            one = FAMILIES[family](draw)
            usable = bool(torch.isfinite(one.f(one.x)).all())
        except (OverflowError, ZeroDivisionError, ValueError):  # of 50 digits, or of float
            continue
        largest = math.inf if not usable else float(one.above.abs().max())
        if usable and largest < 1e100:
            found += 1
            yield one
