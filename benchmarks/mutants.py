"""Mutates the formulas of the library, and counts how many of the mutants the examiner finds.

    python benchmarks/mutants.py                    every mutant of every Function: tens of minutes
    python benchmarks/mutants.py --sample 200       a random sample; --seed draws another one
    python benchmarks/mutants.py --only Softmax     the mutants of the Functions of this name
    python benchmarks/mutants.py --list-missed      shows the mutated line of each that is missed
    python benchmarks/mutants.py --quick            two, to see that it runs

A mutant is a Function with one change in its forward or its backward (function or slope of an
Elementwise): then the two do not belong together, unless the change changes nothing. Whether it
does is decided without the examiner: what backward returns is compared with PyTorch's autograd
through the mutated forward, at the Function's examples, at other random numbers and at other
sizes, with all inputs requiring grad and with each alone. Where the two agree to rounding, the
mutant is equivalent at ordinary inputs and not counted, though the examiner may still find it wrong
elsewhere, such as beyond a threshold or in second order. One that raises, or gives NaN, in an
ordinary call is no riddle, and is counted by itself.
"""

from __future__ import annotations

import argparse
import ast
import copy
import inspect
import itertools
import linecache
import random
import sys
import types
import warnings
from collections import Counter
from dataclasses import dataclass

import torch

from derivable import functions
from derivable.examiner import check

METHODS = ("forward", "backward", "function", "slope")
OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip
WORDS = [
    ("max", "min"), ("amax", "amin"), ("clamp_max", "clamp_min"), ("maximum", "minimum"),
    ("sum", "mean"), ("tril", "triu"), ("sin", "cos"), ("exp", "expm1"), ("log", "log1p"),
]  # fmt: skip
EXTREMES = {word for pair in WORDS[:4] for word in pair}
OTHER = {a: b for one, two in WORDS for a, b in ((one, two), (two, one))}
TRANSPOSES = {"T", "mT", "H", "mH"}
ALONG = {
    "all", "amax", "amin", "any", "cat", "chunk", "cumsum", "diagonal", "flatten", "flip", "mean",
    "norm", "size", "softmax", "squeeze", "stack", "sum", "transpose", "unsqueeze",
}  # fmt: skip


# --- making mutants ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutant:
    """One change of one Function: its kind, its position, and the replacement."""

    function: type
    method: str
    kind: str
    number: int  # which node of the method, in the order of ast.walk
    choice: int  # which of the changes that the node allows

    def __str__(self):
        before, after = self.method_source(False), self.method_source(True)
        lines = zip(before.splitlines(), after.splitlines(), strict=False)
        old, new = next(((a, b) for a, b in lines if a != b), ("", ""))
        return (
            f"{self.function.__name__}.{self.method}, {self.kind}: {old.strip()} -> {new.strip()}"
        )

    def tree(self, mutated=True):
        """The module of the Function, and its method in it, after the change."""
        module = ast.parse(inspect.getsource(sys.modules[self.function.__module__]))
        method = methods(module, self.function.__name__)[self.method]
        if mutated:
            node, parent = nodes(method)[self.number]
            new = changes(node, parent)[self.choice][1]
            Replace(node, new).visit(method)
            ast.fix_missing_locations(module)
        return module, method

    def method_source(self, mutated):
        """The source of the method."""
        return ast.unparse(self.tree(mutated)[1])

    def build(self):
        """The mutated class, from a module in memory under a name of its own."""
        original = sys.modules[self.function.__module__]
        name = f"{original.__name__}_mutant"
        source = ast.unparse(self.tree()[0])
        path = f"<{name}>"
        linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
        module = types.ModuleType(name)
        module.__file__, module.__package__ = path, original.__package__
        sys.modules[name] = module
        exec(compile(source, path, "exec"), module.__dict__)
        return getattr(module, self.function.__name__)


class Replace(ast.NodeTransformer):
    """Replaces `old` by `new`."""

    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit(self, node):
        """The node after the replacement."""
        return self.new if node is self.old else self.generic_visit(node)


def methods(module, name):
    """The methods of a class that are mutated."""
    (cls,) = (n for n in module.body if isinstance(n, ast.ClassDef) and n.name == name)
    return {n.name: n for n in cls.body if isinstance(n, ast.FunctionDef) and n.name in METHODS}


def nodes(method):
    """Every node of the body and its parent, without annotations, messages and refusals."""
    found = []

    def walk(node, parent):
        found.append((node, parent))
        for field, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                skipped = isinstance(child, ast.Raise | ast.JoinedStr | ast.arguments)
                if isinstance(child, ast.AST) and not skipped and field not in SKIPPED:
                    walk(child, node)

    for statement in method.body:
        walk(statement, method)
    return found


SKIPPED = ("annotation", "returns", "decorator_list")


def changes(node, parent):
    """The changes that a node allows: their kinds and replacements."""
    found = []
    if isinstance(node, ast.BinOp):
        found += [("operator", new) for new in other_operator(node)]
        if isinstance(node.op, ast.Add | ast.Sub):
            found.append(("term dropped", node.left))
            found += [("term dropped", node.right)] if isinstance(node.op, ast.Add) else []
        if isinstance(node.op, ast.Mult | ast.Div):
            found.append(("factor dropped", node.left))
            found += [("factor dropped", node.right)] if isinstance(node.op, ast.Mult) else []
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        if not isinstance(node.operand, ast.Constant):
            found.append(("sign", node.operand))
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        kind = "axis" if isinstance(node.value, int) and along(parent) else "constant"
        found.append((kind, ast.Constant(node.value + 1)))
        if node.value and (isinstance(parent, ast.BinOp) or isinstance(node.value, float)):
            found.append((kind, ast.Constant(node.value * 1.01)))
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in OPERATORS:
        new = copy.copy(node)
        new.ops = [OPERATORS[type(node.ops[0])](), *node.ops[1:]]
        found.append(("comparison", new))
    elif isinstance(node, ast.Attribute):
        if node.attr in TRANSPOSES:
            found.append(("transpose dropped", node.value))
        if node.attr in OTHER and isinstance(parent, ast.Call):
            kind = "max and min" if node.attr in EXTREMES else "another function"
            found.append((kind, ast.Attribute(node.value, OTHER[node.attr], node.ctx)))
    elif isinstance(node, ast.Name) and node.id in ("max", "min"):
        found.append(("max and min", ast.Name(OTHER[node.id], node.ctx)))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in ("t", "transpose"):
            found.append(("transpose dropped", node.func.value))
    elif isinstance(node, ast.Return) and node.value is not None:
        found += returned(node)
    return found


def other_operator(node):
    """A binary operation with the opposite operator."""
    if type(node.op) in OPERATORS:
        yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)


def along(parent):
    """Whether a number in `parent` is the number of a dimension."""
    if isinstance(parent, ast.UnaryOp):
        return True
    if isinstance(parent, ast.keyword):
        return parent.arg in ("dim", "axis", "dims")
    function = getattr(parent, "func", None)
    return getattr(function, "attr", getattr(function, "id", "")) in ALONG


def returned(node):
    """The gradients of a `return` with one sign changed, or two of them exchanged."""
    if not isinstance(node.value, ast.Tuple):
        yield "sign", ast.Return(ast.UnaryOp(ast.USub(), node.value))
        return
    values = node.value.elts
    places = [
        i for i, v in enumerate(values) if not isinstance(v, ast.Constant | ast.Starred | ast.IfExp)
    ]
    for i in places:
        negative = [ast.UnaryOp(ast.USub(), v) if i == j else v for j, v in enumerate(values)]
        yield "sign", ast.Return(ast.Tuple(negative, ast.Load()))
    tensors = [i for i, v in enumerate(values) if not isinstance(v, ast.Constant | ast.Starred)]
    for i, j in itertools.pairwise(tensors):
        exchanged = list(values)
        exchanged[i], exchanged[j] = values[j], values[i]
        yield "exchanged", ast.Return(ast.Tuple(exchanged, ast.Load()))


def mutants_of(function):
    """Every mutant of a Function."""
    module = ast.parse(inspect.getsource(sys.modules[function.__module__]))
    return [
        Mutant(function, name, kind, number, choice)
        for name, method in methods(module, function.__name__).items()
        for number, (node, parent) in enumerate(nodes(method))
        for choice, (kind, _) in enumerate(changes(node, parent))
    ]


# --- judging them without the examiner -----------------------------------------------------------


class Tape:
    """A ctx that lets autograd see everything that forward does."""

    def __init__(self, needs_input_grad):
        self.needs_input_grad, self.saved_tensors = needs_input_grad, ()

        self.mark_non_differentiable = self.set_materialize_grads = lambda *_: None

    def save_for_backward(self, *tensors):
        """Keep them as they are, graph and all."""
        self.saved_tensors = tensors


def truth(function, inputs):
    """How far backward is from autograd through forward; relative, the worst of the inputs.

    Raises what forward or backward raises, and ArithmeticError if either is not finite.
    """
    rules = function._rules
    inputs = list(rules.signature.bind(tuple(inputs), {}))
    places = [i for i, v in enumerate(inputs) if isinstance(v, torch.Tensor) and v.requires_grad]
    worst = 0.0
    for wanted in [places, *([place] for place in places if len(places) > 1)]:
        leaves = [
            v.detach().clone().requires_grad_(i in wanted) if isinstance(v, torch.Tensor) else v
            for i, v in enumerate(inputs)
        ]
        state = torch.get_rng_state()
        outputs = rules.signature.call(rules.forward, Tape(marks(leaves)), tuple(leaves))
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        torch.set_rng_state(state)
        ours = function.apply(*leaves)
        ours = ours if isinstance(ours, tuple) else (ours,)
        smooth = [i for i, o in enumerate(ours) if o.requires_grad]
        grads = [torch.randn_like(ours[i]) for i in smooth]
        targets = [leaves[i] for i in wanted]
        expected = torch.autograd.grad(
            [outputs[i] for i in smooth], targets, grads, allow_unused=True, materialize_grads=True
        )
        found = torch.autograd.grad(
            [ours[i] for i in smooth], targets, grads, allow_unused=True, materialize_grads=True
        )
        for right, returned in zip(expected, found, strict=True):
            if not (right.isfinite().all() and returned.isfinite().all()):
                raise ArithmeticError("not finite")
            if right.numel():
                size = max(float(right.abs().max()), 1e-3)
                worst = max(worst, float((returned - right).abs().max()) / size)
    return worst


def marks(values):
    """The ctx.needs_input_grad of these inputs."""
    return tuple(isinstance(v, torch.Tensor) and v.requires_grad for v in values)


def resized(inputs):
    """The inputs with one size after another made larger, and values drawn from their own."""
    tensors = [v for v in inputs if isinstance(v, torch.Tensor)]
    for length in sorted({n for v in tensors for n in v.shape if n > 1}):
        for options in (False, True):

            def new(value, length=length, options=options):
                if isinstance(value, torch.Tensor):
                    return drawn(value, [n + (n == length) for n in value.shape])
                if options and type(value) is int:
                    return value + (value == length)
                return tuple(map(new, value)) if isinstance(value, tuple) else value

            yield [new(value) for value in inputs]


def drawn(value, shape):
    """Entries of `value` in another shape; those that require grad differ from one another."""
    flat = value.detach().reshape(-1)
    found = flat[torch.randint(len(flat), tuple(shape))]
    if not value.requires_grad:
        return found
    return (found * (1 + 0.02 * torch.rand(tuple(shape)))).to(value.dtype).requires_grad_()


def places(function):
    """Calls at which the original is right to rounding, to compare its mutants at."""
    kept = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        for inputs in function.examples():
            candidates = [inputs, *resized(inputs)] if seed == 1 else [inputs]
            for candidate in candidates:
                try:
                    if truth(function, candidate) < 1e-9:
                        kept.append((candidate, candidate is inputs))
                except Exception:  # forward refuses these sizes
                    continue
    return kept


def judge(mutated, calls):
    """What the mutant is beside autograd: `raises`, `equivalent` or `different`."""
    different = False
    for inputs, is_example in calls:
        try:
            different |= truth(mutated, inputs) > 1e-9
        except Exception:
            if is_example:
                return "raises"
            different = True  # the original takes these sizes
    return "different" if different else "equivalent"


# --- the tables ----------------------------------------------------------------------------------


def examined(mutant, calls):
    """What the mutant is, and whether the examiner objects to it."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            mutated = mutant.build()
        except Exception:
            return "raises", None
        kind = judge(mutated, calls)
        if kind == "raises":
            return kind, None
        torch.manual_seed(0)
        try:
            return kind, check(mutated).verdict
        except Exception as error:
            return kind, f"{type(error).__name__}: {error}"


def table(heading, rows):
    """Print one row per group of mutants, and one for all."""
    print(f"| {heading} | mutants | raise at once | equivalent | counted | found | missed |")
    print("|---" * 7 + "|")
    groups = {}
    for group, kind, verdict in rows:
        groups.setdefault(group, []).append((kind, verdict))
    groups = {**dict(sorted(groups.items())), "all": [row[1:] for row in rows]}
    for group, answers in groups.items():
        kinds = Counter(kind for kind, _ in answers)
        found = sum(kind == "different" and verdict == "wrong" for kind, verdict in answers)
        counted = kinds["different"]
        share = f"{found} ({100 * found / counted:.1f}%)" if counted else "-"
        cells = [len(answers), kinds["raises"], kinds["equivalent"], counted, share]
        print(f"| {group} | {' | '.join(map(str, cells))} | {counted - found} |")


def main():
    """Print two Markdown tables, then the lists."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two, to see that it runs")
    parser.add_argument("--sample", type=int, default=0, help="how many mutants; 0 for all")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--only", default="", help="only the mutants of this Function")
    parser.add_argument("--list-missed", action="store_true", help="show what was got wrong")
    options = parser.parse_args()
    torch.set_num_threads(1)
    names = [name for name in functions.__all__ if options.only in ("", name)]
    mutants = [m for name in names for m in mutants_of(getattr(functions, name))]
    size = 2 if options.quick else options.sample or len(mutants)
    chosen = random.Random(options.seed).sample(mutants, min(size, len(mutants)))
    chosen.sort(key=lambda m: m.function.__name__)
    calls, answers = {}, []
    for mutant in chosen:
        if mutant.function not in calls:
            calls[mutant.function] = places(mutant.function)
        answers.append((mutant, *examined(mutant, calls[mutant.function])))
    table("changed", [(m.kind, *answer) for m, *answer in answers])
    print()
    table("in", [(m.method, *answer) for m, *answer in answers])
    if options.list_missed:
        missed = [(m, v) for m, kind, v in answers if kind == "different" and v != "wrong"]
        false_positives = [
            (m, v) for m, kind, v in answers if kind == "equivalent" and v != "right"
        ]
        for heading, group in (
            ("missed", missed),
            ("equivalent at ordinary inputs, and not called right", false_positives),
        ):
            print(f"\n{heading}:")
            for mutant, verdict in group:
                print(f"- {mutant} ({verdict})")


if __name__ == "__main__":
    main()
