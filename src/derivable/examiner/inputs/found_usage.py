"""How the source of a forward uses its arguments: which are tensors, which are options."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from derivable.examiner.inputs.contract_statements import documentation

INDEXING = ("gather", "scatter", "scatter_add", "scatter_add_", "scatter_", "index_select",
            "index_add", "index_add_", "take", "embedding", "one_hot", "bincount",
            "take_along_dim", "cross_entropy", "nll_loss")  # fmt: skip
MASKING = ("masked_fill", "masked_fill_", "where", "masked_select", "masked_scatter")
PRODUCTS = ("mm", "bmm", "matmul", "mv", "dot", "einsum", "addmm", "linear", "solve",
            "cholesky", "inv", "inverse", "det", "logdet", "slogdet")  # fmt: skip
TORCH = ("torch", "F", "linalg", "functional", "special")
MAKING = ("tensor", "as_tensor", "full", "zeros", "ones", "empty", "arange", "eye", "linspace",
          "randn", "rand", "randint", "manual_seed")  # fmt: skip
# Words of a docstring that state what an argument holds, by domain; the last that fits counts.
STATED = {
    "positive": r"\bpositive\b",
    "sorted": r"\bsorted\b|\bascending\b|\bincreasing\b",
    "simplex": r"\bdistributions?\b|\bprobability vectors?\b|\bsimplex\b",
    "one_hot": r"\bone[- ]hot\b",
    "lower": r"\blower[- ]triangular\b",
    "definite": r"\bsymmetric\b|\bpositive[- ]definite\b|\bSPD\b",
}
# Attributes that hold values that are no tensors, such as an enumeration's.
NOT_TENSOR = ("value", "name", "append", "items", "keys", "split", "lower", "upper", "startswith")


@dataclass
class Usage:
    """How one argument is used.

    A tag names one use: "tensor" (an operation that requires a tensor), "saved" (for backward),
    "kept" (assigned to an attribute), "factor" (of a matrix product), "arithmetic", "exponent",
    "index", "mask", "sequence", "integer", "flag" (a condition), "compared", "none" (compared with
    None), "shape" (its shape is compared), "option" (passed on by keyword), "called", "graded" and
    "ungraded" (whether backward returns a gradient for it).
    """

    tags: set[str] = field(default_factory=set)
    choices: list[Any] = field(default_factory=list)  # texts that it is compared with
    shapes: list[Any] = field(default_factory=list)  # tuples that its shape is compared with

    @property
    def tensor(self) -> bool:
        """Whether an operation on it requires a tensor."""
        return bool(self.tags & {"saved", "tensor"})


def tree_of(rule: Callable[..., Any]) -> ast.AST | None:
    """The syntax tree of a function's source; None where it has none."""
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(rule))))
    except (OSError, TypeError, SyntaxError, ValueError, IndentationError):
        return None


def usage_of(rules: list[Callable[..., Any]], names: list[str]) -> dict[str, Usage]:
    """How each argument is used in the sources of `rules`, forward first; by its name."""
    found = {name: Usage() for name in names}
    for rule in rules:
        tree = tree_of(rule)
        for node in ast.walk(tree) if tree is not None else ():
            for name, tag, constants in _uses(node):
                if name in found:
                    found[name].tags.add(tag)
                    known = found[name].shapes if tag == "shape" else found[name].choices
                    known += [c for c in constants if c not in known]
    return found


def graded(backward: Callable[..., Any], names: list[str]) -> dict[str, str]:
    """Whether backward returns a gradient for each argument, as its source has it.

    "graded" where some return has more than None in its place, "ungraded" where all have None;
    no entry where the source does not show it.
    """
    tree = tree_of(backward)
    returns = [n.value for n in ast.walk(tree) if isinstance(n, ast.Return)] if tree else []
    found: dict[str, str] = {}
    for value in returns:
        parts = value.elts if isinstance(value, ast.Tuple) else [value]
        if any(isinstance(part, ast.Starred) for part in parts):
            return {}
        for name, part in zip(names, parts, strict=False):
            empty = isinstance(part, ast.Constant) and part.value is None
            if not empty or name not in found:
                found[name] = "ungraded" if empty else "graded"
    return found if any(tag == "graded" for tag in found.values()) else {}


def words_of(rules: list[Callable[..., Any]]) -> set[str]:
    """Every name and attribute in the sources."""
    words: set[str] = set()
    for rule in rules:
        tree = tree_of(rule)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.Name):
                words.add(node.id)
            elif isinstance(node, ast.Attribute):
                words.add(node.attr)
    return words


def domains_of(target: Any, names: list[str]) -> dict[str, str]:
    """What a docstring states of each argument: "A is symmetric" makes A "definite"."""
    clauses = re.split(r"[.;:,\n]|\band\b", documentation(target))
    return {
        name: domain
        for clause in clauses
        for domain, words in STATED.items()
        if re.search(words, clause, re.IGNORECASE)
        for name in names
        if re.search(rf"\b{re.escape(name)}\b", clause)
    }


def _uses(node: ast.AST) -> Iterator[tuple[str, str, list[Any]]]:
    """The arguments that one node uses, by name: each with a tag and constants."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        if node.attr not in NOT_TENSOR:
            yield node.value.id, "tensor", []
    elif isinstance(node, ast.BinOp):
        yield from _of_operation(node)
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.Compare):
        yield from _of_comparison(node)
    elif isinstance(node, ast.Subscript):
        yield from _tagged(node.value, "tensor")
        inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        for part in inside:
            yield from _tagged(part, "index")
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        yield from _tagged(node.test, "flag")
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
        yield from _tagged(node.operand, "flag" if isinstance(node.op, ast.Not) else "mask")
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
        yield from _tagged(node.value, "kept")


def _of_operation(node: ast.BinOp) -> Iterator[tuple[str, str, list[Any]]]:
    if isinstance(node.op, ast.MatMult):
        yield from _factors([node.left, node.right])
    elif isinstance(node.op, ast.Pow):
        yield from _tagged(node.right, "exponent")
    else:
        yield from _tagged(node.left, "arithmetic")
        yield from _tagged(node.right, "arithmetic")


def _factors(nodes: list[ast.expr]) -> Iterator[tuple[str, str, list[Any]]]:
    """The factors of a matrix product, transposed or not."""
    for node in nodes:
        inner = node.func if isinstance(node, ast.Call) else node
        yield from _tagged(node, "tensor")
        yield from _tagged(inner.value if isinstance(inner, ast.Attribute) else inner, "factor")


def _of_call(node: ast.Call) -> Iterator[tuple[str, str, list[Any]]]:
    called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    bare = node.func.id if isinstance(node.func, ast.Name) else ""
    module = _base(node.func)
    if isinstance(node.func, ast.Name):
        yield bare, "called", []
    if called in PRODUCTS:
        inner = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        yield from _factors([*inner, *node.args])
    for position, argument in enumerate(node.args):
        if called in ("save_for_backward", "save_for_forward", "mark_dirty"):
            yield from _tagged(argument, "saved")
        elif called in INDEXING and (position or module not in TORCH):
            yield from _tagged(argument, "index")
        elif called in MASKING and position == (module == "torch" and called != "where"):
            yield from _tagged(argument, "mask")
        elif position == 0 and module in TORCH and called not in MAKING:
            yield from _tagged(argument, "tensor")
        elif bare in ("len", "zip", "enumerate"):
            yield from _tagged(argument, "sequence")
        elif bare in ("range", "int"):
            yield from _tagged(argument, "integer")
    for keyword in node.keywords:
        yield from _tagged(keyword.value, "option")


def _of_comparison(node: ast.Compare) -> Iterator[tuple[str, str, list[Any]]]:
    (other, *_), (how, *_) = node.comparators, node.ops
    if isinstance(how, ast.Is | ast.IsNot):
        yield from _tagged(node.left, "none")
    elif isinstance(other, ast.Constant):
        words = [other.value] if isinstance(other.value, str) else []
        yield from _tagged(node.left, "compared", words)
    elif isinstance(other, ast.Tuple | ast.List | ast.Set):
        values = [e.value for e in other.elts if isinstance(e, ast.Constant)]
        sizes = [v for v in values if isinstance(v, int)]
        if isinstance(node.left, ast.Attribute) and values and len(sizes) == len(values):
            yield from _tagged(node.left.value, "shape", [tuple(sizes)])
        yield from _tagged(node.left, "compared", [v for v in values if isinstance(v, str)])


def _tagged(
    node: ast.AST, tag: str, constants: list[Any] | None = None
) -> Iterator[tuple[str, str, list[Any]]]:
    """The argument that a node is, if it is one, with its tag."""
    if isinstance(node, ast.Name):
        yield node.id, tag, constants or []
    elif isinstance(node, ast.Starred):
        yield from _tagged(node.value, tag, constants)


def _base(node: ast.AST) -> str:
    """`linalg` of torch.linalg.norm, `torch` of torch.exp, `x` of x.sum."""
    if not isinstance(node, ast.Attribute):
        return ""
    inner = node.value
    return inner.attr if isinstance(inner, ast.Attribute) else getattr(inner, "id", "")
