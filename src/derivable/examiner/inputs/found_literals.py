"""Calls of a target in a docstring, in its file or in a test of it; they are parsed, never run.

Only literals are evaluated: numbers, tensors such as `torch.randn(4, 3)`, some methods and
arithmetic operations of these, and names to which such a value is assigned in the same block or in
the module. Calls with anything else are skipped.
"""

from __future__ import annotations

import ast
import doctest
import inspect
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.targets.random_state import seeded

# The largest number of test files, of bytes of a file, and of entries of a tensor.
MOST_FILES, MOST_BYTES, MOST_ENTRIES = 30, 300_000, 100_000
CONSTRUCTORS = ("randn", "rand", "tensor", "ones", "zeros", "randint", "eye", "arange",
                "linspace", "full", "randperm")  # fmt: skip
METHODS = ("requires_grad_", "double", "float", "long", "bool", "abs", "exp", "sigmoid", "softmax",
           "t", "clone", "reshape", "view", "log", "clamp", "square", "sqrt", "to", "uniform_",
           "normal_", "detach", "mul", "add", "unsqueeze", "transpose")  # fmt: skip
OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.MatMult: operator.matmul,
}  # fmt: skip
EXAMINERS = ("check", "gradcheck", "gradgradcheck")  # functions that are called with the target


@dataclass
class Call:
    """A call of the target: its arguments as syntax, and what is assigned to names around it."""

    arguments: list[ast.expr]
    names: dict[str, ast.expr]
    location: str  # "docstring", or the name of a file

    @property
    def text(self) -> str:
        """The arguments as they were written."""
        return ", ".join(ast.unparse(node) for node in self.arguments)[:80]

    def inputs(self, seed: int) -> list[Any] | None:
        """The values of the arguments; None if one of them is not made of literals only."""
        made: dict[str, Any] = {}
        try:
            with seeded(seed):
                return [self._value(node, made) for node in self.arguments]
        except (ValueError, TypeError, RuntimeError, LookupError, ArithmeticError, AttributeError):
            return None  # RuntimeError includes errors of PyTorch and RecursionError

    def _value(self, node: ast.expr, made: dict[str, Any]) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Tuple | ast.List):
            values = [self._value(item, made) for item in node.elts]
            return tuple(values) if isinstance(node, ast.Tuple) else values
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self._value(node.operand, made)
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
            left, right = self._value(node.left, made), self._value(node.right, made)
            if not all(isinstance(v, Tensor | int | float) for v in (left, right)):
                raise ValueError("an operation on something other than numbers and tensors")
            return OPERATIONS[type(node.op)](left, right)
        if isinstance(node, ast.Name) and node.id in self.names:
            if node.id not in made:
                made[node.id] = self._value(self.names[node.id], made)
            return made[node.id]
        if isinstance(node, ast.Attribute):
            return self._attribute(node, made)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return self._called(node, node.func, made)
        raise ValueError("an expression that is not a literal")

    def _attribute(self, node: ast.Attribute, made: dict[str, Any]) -> Any:
        if isinstance(node.value, ast.Name) and node.value.id == "torch":
            found = getattr(torch, node.attr, None)
            if isinstance(found, torch.dtype):
                return found
        elif node.attr in ("T", "mT"):
            return getattr(self._value(node.value, made), node.attr)
        raise ValueError("an attribute that is not a dtype")

    def _called(self, node: ast.Call, func: ast.Attribute, made: dict[str, Any]) -> Any:
        values = [self._value(argument, made) for argument in node.args]
        options = {k.arg: self._value(k.value, made) for k in node.keywords if k.arg is not None}
        if isinstance(func.value, ast.Name) and func.value.id == "torch":
            sizes = [*values, *options.values()]
            if func.attr not in CONSTRUCTORS or _entries(func.attr, sizes) > MOST_ENTRIES:
                raise ValueError("not a constructor of a small tensor")
            return getattr(torch, func.attr)(*values, **options)
        value = self._value(func.value, made)
        if not isinstance(value, Tensor) or func.attr not in METHODS:
            raise ValueError("a method that is not in METHODS")
        if any(isinstance(v, str) for v in (*values, *options.values())):
            raise ValueError("a text, such as the name of a device")
        return getattr(value, func.attr)(*values, **options)


def written_calls(target: Any) -> Iterator[Call]:
    """The calls of `target` in its docstrings, in its own file, then in tests beside it."""
    name = getattr(target, "__name__", "")
    if not name.isidentifier():
        return
    for owner in (target, getattr(target, "forward", None)):
        text = getattr(owner, "__doc__", None) or ""
        if ">>>" in text and owner is not None:
            yield from _calls_in(_doctest(text), name, "docstring")
    for path in _files(target):
        try:
            if path.stat().st_size > MOST_BYTES:
                continue
            text = path.read_text(encoding="utf-8")
            if name in text:
                yield from _calls_in(text, name, path.name)
        except (OSError, UnicodeDecodeError):
            continue


def _doctest(text: str) -> str:
    """The code of a docstring's examples."""
    try:
        return "".join(example.source for example in doctest.DocTestParser().get_examples(text))
    except ValueError:  # inconsistent indentation
        return ""


def _files(target: Any) -> Iterator[Path]:
    """The file of the target, then tests in its folder and in the folders named tests nearby."""
    try:
        own = Path(inspect.getsourcefile(target) or "")
    except TypeError:  # written in C
        return
    if not own.is_file() or "site-packages" in own.parts:
        return
    yield own
    folders = (own.parent, own.parent / "tests", own.parent.parent / "tests")
    found = [path for folder in folders for path in sorted(folder.glob("*.py"))
             if path.name.startswith("test_") or path.stem.endswith("_test")]  # fmt: skip
    yield from [path for path in found if path != own][:MOST_FILES]


def _calls_in(text: str, name: str, location: str) -> Iterator[Call]:
    """The calls of `name` in a source, with the names that their block and the module assign."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    outer = _assigned(tree.body)
    scopes = [tree.body, *(n.body for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))]
    for body in scopes:
        names = {**outer, **_assigned(body)}
        aliases = {known for known, value in names.items() if _is_apply(value, name)}
        for statement in body:
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                continue
            for node in ast.walk(statement):
                arguments = _arguments(node, name, aliases) if isinstance(node, ast.Call) else None
                if arguments:
                    yield Call(arguments, names, location)


def _assigned(body: list[ast.stmt]) -> dict[str, ast.expr]:
    """The names that the statements of a block assign, with the last expression of each."""
    found: dict[str, ast.expr] = {}
    for statement in body:
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            continue
        (target,), value = statement.targets, statement.value
        if isinstance(target, ast.Name):
            found[target.id] = value
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = zip(target.elts, value.elts, strict=False)
            found |= {t.id: v for t, v in pairs if isinstance(t, ast.Name)}
    return found


def _arguments(node: ast.Call, name: str, aliases: set[str]) -> list[ast.expr] | None:
    """The positional inputs of forward in a call of the target; None for another call."""
    if _is_apply(node.func, name) or (isinstance(node.func, ast.Name) and node.func.id in aliases):
        return node.args
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(
        node.func, "id", "")  # fmt: skip
    if called not in EXAMINERS or not node.args:
        return None
    first, *rest = node.args
    if not (_is_apply(first, name) or getattr(first, "id", "") in {name, *aliases}):
        return None
    if called == "check":
        return rest
    if not rest:
        return None
    return list(rest[0].elts) if isinstance(rest[0], ast.Tuple | ast.List) else rest[:1]


def _is_apply(node: ast.expr, name: str) -> bool:
    """Whether a node is the attribute `apply` of the class with this name."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "apply"
        and name in (getattr(node.value, "id", ""), getattr(node.value, "attr", ""))
    )


def _entries(constructor: str, values: list[Any]) -> float:
    """An upper bound of the number of entries of a tensor made from these arguments."""
    if constructor == "arange":  # from, to, step
        sizes = [abs(v) for v in values if isinstance(v, int | float) and v]
        return sum(sizes) / min(1, *sizes) if sizes else 0
    count = 1
    for value in values:
        for size in value if isinstance(value, tuple | list) else [value]:
            if type(size) is int:
                count *= max(1, abs(size))
    return count**2 if constructor == "eye" else count
