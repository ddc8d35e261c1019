"""`Expression`: arithmetic on one number as an immutable graph, simplified where it is built.

Equal expressions are one object, so a subexpression that occurs twice is one node. Every
simplification keeps the value up to the sign of zero and the rounding of folded constants.
"""

from __future__ import annotations

import hashlib
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import torch
from torch import Tensor
from torch.nn.functional import softplus

Number = float | bool


class Operation(NamedTuple):
    """What an operation does to tensors, and how it is spelled in the source of a kernel."""

    on_tensors: Callable[..., Tensor]
    spelling: str  # {0}, {1}, {2} are its arguments
    truth: bool = False  # whether it gives true or false


_SIGN = "where({0} > like(x, 0.0), like(x, 1.0), where({0} < like(x, 0.0), like(x, -1.0), {0}))"

OPERATIONS: dict[str, Operation] = {
    "add": Operation(operator.add, "{0} + {1}"),
    "sub": Operation(operator.sub, "{0} - {1}"),
    "mul": Operation(operator.mul, "{0} * {1}"),
    "div": Operation(operator.truediv, "{0} / {1}"),
    "neg": Operation(operator.neg, "-{0}"),
    "abs": Operation(torch.abs, "abs({0})"),
    "sign": Operation(torch.sign, _SIGN),
    "sqrt": Operation(torch.sqrt, "sqrt({0})"),
    "power": Operation(torch.pow, "power({0}, {1})"),
    "exp": Operation(torch.exp, "exp({0})"),
    "expm1": Operation(torch.expm1, "expm1({0})"),
    "log": Operation(torch.log, "log({0})"),
    "log1p": Operation(torch.log1p, "log1p({0})"),
    "softplus": Operation(lambda x: softplus(x, threshold=50), "softplus({0})"),
    "tanh": Operation(torch.tanh, "tanh({0})"),
    "sigmoid": Operation(torch.sigmoid, "like(x, 1.0) / (like(x, 1.0) + exp(-{0}))"),
    "erf": Operation(torch.erf, "erf({0})"),
    "erfc": Operation(torch.erfc, "erfc({0})"),
    "sin": Operation(torch.sin, "sin({0})"),
    "cos": Operation(torch.cos, "cos({0})"),
    "atan": Operation(torch.atan, "atan({0})"),
    "floor": Operation(torch.floor, "floor({0})"),
    "minimum": Operation(torch.minimum, "where({1} < {0}, {1}, {0})"),
    "maximum": Operation(torch.maximum, "where({1} > {0}, {1}, {0})"),
    "where": Operation(torch.where, "where({0}, {1}, {2})"),
    "lt": Operation(torch.lt, "{0} < {1}", truth=True),
    "le": Operation(torch.le, "{0} <= {1}", truth=True),
    "gt": Operation(torch.gt, "{0} > {1}", truth=True),
    "ge": Operation(torch.ge, "{0} >= {1}", truth=True),
    "eq": Operation(torch.eq, "{0} == {1}", truth=True),
    "ne": Operation(torch.ne, "{0} != {1}", truth=True),
    "and": Operation(torch.logical_and, "{0} & {1}", truth=True),
    "or": Operation(torch.logical_or, "{0} | {1}", truth=True),
    "not": Operation(torch.logical_not, "not {0}", truth=True),
}
_COMMUTE = {"add", "mul", "minimum", "maximum", "eq", "ne", "and", "or"}
_MOST_MULTIPLICATIONS = 16  # of a power that is spelled as a product

_known: WeakValueDictionary[bytes, Expression] = WeakValueDictionary()


class Expression:
    """An operation on expressions, a constant, or a variable; built by the functions below.

    `operation` is a key of OPERATIONS, "constant" or "variable"; `label` is the number of a
    constant or the name of a variable.
    """

    __slots__ = ("__weakref__", "arguments", "digest", "label", "operation")

    operation: str
    arguments: tuple[Expression, ...]
    label: Number | str | None
    digest: bytes  # of its structure: the same in every process

    @property
    def number(self) -> Number | None:
        """The number of a constant; None for anything else."""
        return None if isinstance(self.label, str) else self.label

    @property
    def truth(self) -> bool:
        """Whether it is true or false, and no number."""
        if self.operation == "constant":
            return isinstance(self.label, bool)
        return self.operation != "variable" and OPERATIONS[self.operation].truth

    def __add__(self, other: Expression | float) -> Expression:
        return apply("add", self, other)

    def __radd__(self, other: float) -> Expression:
        return apply("add", other, self)

    def __sub__(self, other: Expression | float) -> Expression:
        return apply("sub", self, other)

    def __rsub__(self, other: float) -> Expression:
        return apply("sub", other, self)

    def __mul__(self, other: Expression | float) -> Expression:
        return apply("mul", self, other)

    def __rmul__(self, other: float) -> Expression:
        return apply("mul", other, self)

    def __truediv__(self, other: Expression | float) -> Expression:
        return apply("div", self, other)

    def __rtruediv__(self, other: float) -> Expression:
        return apply("div", other, self)

    def __neg__(self) -> Expression:
        return apply("neg", self)

    def __repr__(self) -> str:
        if not self.arguments:
            return str(self.label)
        return f"{self.operation}({', '.join(map(repr, self.arguments))})"


def variable(name: str) -> Expression:
    """The variable of that name."""
    return _node("variable", (), name)


def constant(number: Number) -> Expression:
    """A number, or a truth value, as an expression."""
    return _node("constant", (), number if isinstance(number, bool) else float(number))


def apply(operation: str, *arguments: Expression | Number) -> Expression:
    """The operation on these arguments, simplified; `arguments` are numbers or truths as it asks.

    A truth where a number is wanted is 1 or 0, and a number where a truth is wanted is whether
    it is not 0, as in PyTorch.
    """
    given = [a if isinstance(a, Expression) else constant(a) for a in arguments]
    wants_truth = [operation in {"and", "or", "not"} or (operation == "where" and i == 0)
                   for i in range(len(given))]  # fmt: skip
    fitted = tuple(map(_fit, given, wants_truth))
    if operation in _COMMUTE:
        fitted = tuple(sorted(fitted, key=lambda a: (a.operation == "constant", a.digest)))
    if all(a.operation == "constant" for a in fitted):
        return _folded(operation, fitted)
    rule = _SIMPLIFIED.get(operation)
    simpler = rule(*fitted) if rule else None
    return _node(operation, fitted, None) if simpler is None else simpler


def power(base: Expression | float, exponent: Expression | float) -> Expression:
    """`base` to a power, as products and roots where the exponent is a small multiple of 1/2."""
    base = base if isinstance(base, Expression) else constant(base)
    if isinstance(exponent, Expression):
        if exponent.number is None:
            if base.number is not None and base.number > 0:
                return apply("exp", exponent * math.log(base.number))
            return apply("power", base, exponent)
        exponent = float(exponent.number)
    if not float(2 * exponent).is_integer() or abs(exponent) > _MOST_MULTIPLICATIONS:
        return apply("power", base, exponent)
    if exponent < 0:
        return 1.0 / power(base, -exponent)
    whole = int(exponent)
    if whole != exponent:
        root = apply("sqrt", base)
        return root if whole == 0 else power(base, whole) * root
    if whole == 0:
        return constant(1.0)
    if whole == 1:
        return base
    half = power(base, whole // 2)
    return half * half if whole % 2 == 0 else base * (half * half)


def ordered(*roots: Expression) -> list[Expression]:
    """Every node of the graphs below `roots`, arguments before what is made of them."""
    found: dict[Expression, None] = {}
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if node in found:
            continue
        if ready:
            found[node] = None
            continue
        stack.append((node, True))
        stack += [(argument, False) for argument in reversed(node.arguments)]
    return list(found)


def substitute(root: Expression, replacements: Mapping[Expression, Expression]) -> Expression:
    """`root` with every node that is a key of `replacements` replaced, and simplified again."""
    new: dict[Expression, Expression] = {}
    for node in ordered(root):
        if node in replacements:
            new[node] = replacements[node]
        elif not node.arguments:
            new[node] = node
        else:
            new[node] = apply(node.operation, *(new[a] for a in node.arguments))
    return new[root]


def variables(root: Expression) -> set[str]:
    """The names of the variables in `root`."""
    return {str(node.label) for node in ordered(root) if node.operation == "variable"}


def evaluate(roots: Iterable[Expression], values: Mapping[str, Tensor]) -> list[Tensor]:
    """The expressions as tensors, where the variables are `values`, all of one shape and dtype."""
    roots = list(roots)
    like = next(iter(values.values()))
    results: dict[Expression, Tensor] = {}
    for node in ordered(*roots):
        if node.operation == "variable":
            results[node] = values[str(node.label)]
        elif node.number is not None:
            dtype = torch.bool if isinstance(node.number, bool) else like.dtype
            results[node] = torch.tensor(node.number, dtype=dtype)
        else:
            arguments = [results[argument] for argument in node.arguments]
            results[node] = OPERATIONS[node.operation].on_tensors(*arguments)
    return [results[root].expand_as(like) for root in roots]


def _node(
    operation: str, arguments: tuple[Expression, ...], label: Number | str | None
) -> Expression:
    digest = hashlib.blake2b(
        f"{operation} {label!r} ".encode() + b"".join(a.digest for a in arguments), digest_size=16
    ).digest()
    node = _known.get(digest)
    if node is None:
        node = Expression()
        node.operation, node.arguments, node.label, node.digest = (
            operation, arguments, label, digest,
        )  # fmt: skip
        _known[digest] = node
    return node


def _fit(argument: Expression, wants_truth: bool) -> Expression:
    if argument.truth == wants_truth:
        return argument
    if wants_truth:
        return apply("ne", argument, 0.0)
    return apply("where", argument, 1.0, 0.0)


def _folded(operation: str, arguments: tuple[Expression, ...]) -> Expression:
    numbers = [torch.tensor(a.number, dtype=None if a.truth else torch.float64) for a in arguments]
    return constant(OPERATIONS[operation].on_tensors(*numbers).item())


def _is(node: Expression, number: float) -> bool:
    return node.number == number and not node.truth


def _add(a: Expression, b: Expression) -> Expression | None:
    for one, other in ((a, b), (b, a)):  # max(u, 0) + log(1 + exp(-|u|)) = log(1 + exp u)
        if one.operation == "maximum" and _is(one.arguments[1], 0):
            (u, _) = one.arguments
            if other is apply("softplus", -apply("abs", u)):
                return apply("softplus", u)
    if _is(b, 0):
        return a
    if b.operation == "neg":
        return a - b.arguments[0]
    if a.operation == "neg":
        return b - a.arguments[0]
    return None


def _sub(a: Expression, b: Expression) -> Expression | None:
    if _is(b, 0):
        return a
    if _is(a, 0):
        return -b
    if b.operation == "neg":
        return a + b.arguments[0]
    return None


def _mul(a: Expression, b: Expression) -> Expression | None:
    if _is(b, 1):
        return a
    if _is(b, -1):
        return -a
    if a.operation == "neg":  # b is then no constant, or the sign can go there
        return a.arguments[0] * (-b) if b.number is not None else -(a.arguments[0] * b)
    if b.operation == "neg":
        return -(a * b.arguments[0])
    if b.number is not None and a.operation == "mul" and a.arguments[1].number is not None:
        return a.arguments[0] * (a.arguments[1] * b)
    if b.number is not None and a.operation == "div" and a.arguments[0].number is not None:
        return (a.arguments[0] * b) / a.arguments[1]
    for one, other in ((a, b), (b, a)):  # exp(u) sigmoid(-u) = sigmoid(u), which never overflows
        if one.operation == "exp" and other.operation == "sigmoid":
            (u,) = one.arguments
            if other.arguments[0] is -u:
                return apply("sigmoid", u)
    return None


def _div(a: Expression, b: Expression) -> Expression | None:
    if _is(b, 1):
        return a
    if _is(b, -1):
        return -a
    if b.number and math.frexp(b.number)[0] in {0.5, -0.5}:
        return a * (1.0 / b.number)
    if a.operation == "neg":
        return -(a.arguments[0] / b)
    if b.operation == "add" and _is(b.arguments[1], 1) and b.arguments[0].operation == "exp":
        return a * apply("sigmoid", -b.arguments[0].arguments[0])  # a / (1 + exp(u))
    return None


def _neg(a: Expression) -> Expression | None:
    if a.operation == "neg":
        return a.arguments[0]
    if a.operation == "sub":
        return a.arguments[1] - a.arguments[0]
    if a.operation == "mul" and a.arguments[1].number is not None:
        return a.arguments[0] * -a.arguments[1]
    return None


def _log(a: Expression) -> Expression | None:
    if a.operation == "add" and _is(a.arguments[1], 1):
        return _log1p(a.arguments[0])
    return None


def _log1p(a: Expression) -> Expression | None:
    return apply("softplus", a.arguments[0]) if a.operation == "exp" else None


def _even(operation: str) -> Callable[[Expression], Expression | None]:
    def simpler(a: Expression) -> Expression | None:
        return apply(operation, a.arguments[0]) if a.operation == "neg" else None

    return simpler


def _odd(operation: str) -> Callable[[Expression], Expression | None]:
    def simpler(a: Expression) -> Expression | None:
        return -apply(operation, a.arguments[0]) if a.operation == "neg" else None

    return simpler


def _where(condition: Expression, a: Expression, b: Expression) -> Expression | None:
    if a is b:
        return a
    if condition.number is not None:
        return a if condition.number else b
    if condition.operation == "not":
        return apply("where", condition.arguments[0], b, a)
    return None


def _not(a: Expression) -> Expression | None:
    return a.arguments[0] if a.operation == "not" else None


def _extreme(a: Expression, b: Expression) -> Expression | None:
    return a if a is b else None


_SIMPLIFIED: dict[str, Callable[..., Any]] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "neg": _neg,
    "log": _log,
    "log1p": _log1p,
    "abs": _even("abs"),
    "cos": _even("cos"),
    "sin": _odd("sin"),
    "tanh": _odd("tanh"),
    "erf": _odd("erf"),
    "where": _where,
    "not": _not,
    "minimum": _extreme,
    "maximum": _extreme,
}
