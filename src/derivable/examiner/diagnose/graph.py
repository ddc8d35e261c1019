"""Causes in the rule of one operation: autograd through forward with one rule changed.

If forward consists of PyTorch operations, autograd computes its true gradient. If changing the rule
of one operation, such as passing `grad_output` on unchanged or dropping one of its inputs, gives
the returned gradient, backward makes that mistake.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from derivable.examiner.checks.values import Sample
from derivable.examiner.diagnose.case import Case, once
from derivable.examiner.diagnose.evidence import EvidenceWithFields, Found
from derivable.examiner.measure.space import parted, real
from derivable.examiner.targets.target import FunctionAdapter

KINDS = ("dropped", "skipped", "turned", "negated")  # what is reported where several would do
MOST = 120  # operations of a forward that is analysed
Gradients = tuple[Tensor | None, ...]


@dataclass(frozen=True)
class ChangedRule(EvidenceWithFields):
    """It is the gradient of forward with one operation's rule changed: see graph.py."""

    key = "evidence.{kind}"
    kind: str
    name: str


class Edit(NamedTuple):
    """One changed rule: of one operation, or of all those of one name."""

    kind: str  # one of KINDS
    name: str  # of the operation
    position: int | None  # of the input that is concerned
    nodes: tuple[Any, ...] = ()


@once
def _edit(case: Case) -> Edit | None:
    """One operation in forward whose derivative backward leaves out, drops or negates."""
    if not isinstance(case.examined.adapter, FunctionAdapter) or case.examined.adapter.random:
        return None
    found = _matching(case, case.first)
    for sample in case.wrong[1:3]:
        if found:
            alike = {edit[:3] for edit in _matching(case, sample)}
            found = [edit for edit in found if edit[:3] in alike]
    return min(found, key=lambda e: (KINDS.index(e.kind), len(e.nodes)), default=None)


def edited(*kinds: str) -> Callable[[Case], Found]:
    """It is the gradient of forward with one operation's rule changed in one of these ways."""

    def changed(case: Case) -> Found:
        edit = _edit(case)
        return (ChangedRule(edit.kind, edit.name),) if edit and edit.kind in kinds else None

    return changed


def _matching(case: Case, sample: Sample) -> list[Edit]:
    """The edits with which autograd returns what backward does, for two random grad_outputs."""
    graph = _Graph.of(case, sample)
    if graph is None:
        return []
    edits = list(graph.edits())
    for seed in (21, 22):
        count = len(sample.returned)
        vector = torch.randn(count, generator=torch.Generator().manual_seed(seed)).double()
        target, truth = vector @ sample.returned, vector @ sample.measured.value
        scale = float(target.abs().max())
        if not scale or not bool(torch.isfinite(target).all() & torch.isfinite(truth).all()):
            return []
        plain = graph.vjp(vector)
        if plain is None or float((plain - truth).abs().max()) > 1e-6 * float(truth.abs().max()):
            return []  # autograd does not see all of forward
        slack = min(1e-6 * scale, 1e-3 * float((target - truth).abs().max()))
        edits = [
            edit
            for edit in edits
            if (got := graph.vjp(vector, edit)) is not None
            and float((got - target).abs().max()) <= slack
        ]
    return edits


class _Graph:
    """The operations of one forward, as autograd recorded them."""

    def __init__(self, leaf: Tensor, outputs: Sequence[Tensor]) -> None:
        self.leaf, self.outputs = leaf, list(outputs)
        self.nodes: list[Any] = []
        waiting, seen = [o.grad_fn for o in outputs], set()
        while waiting:
            node: Any = waiting.pop()
            if node is None or node in seen or "AccumulateGrad" in node.name():
                continue
            seen.add(node)
            self.nodes.append(node)
            waiting += [following for following, _ in node.next_functions]

    @classmethod
    def of(cls, case: Case, sample: Sample) -> _Graph | None:
        """The graph of a sample's forward; None if autograd cannot see it."""
        adapter = case.examined.adapter
        assert isinstance(adapter, FunctionAdapter)
        leaf = sample.x.detach().clone().requires_grad_()
        inputs = [v.detach().clone() if isinstance(v, Tensor) else v for v in sample.inputs]
        inputs[case.argument] = leaf
        try:
            outputs = adapter.traced(inputs)
        except Exception:  # such as a leaf that is changed in place
            return None
        differentiable = [o for o in outputs if o.shape in {s.shape for s in sample.outputs}]
        if len(differentiable) != len(sample.outputs) or not all(
            o.requires_grad for o in differentiable
        ):
            return None
        graph = cls(leaf, differentiable)
        return graph if 0 < len(graph.nodes) <= MOST else None

    def edits(self) -> Iterator[Edit]:
        """Every rule that may be changed, of single operations and of all of one name."""
        groups: dict[str, list[Any]] = {}
        for node in self.nodes:
            groups.setdefault(_called(node), []).append(node)
        for name, alike in groups.items():
            sets = [(node,) for node in alike] + ([tuple(alike)] if len(alike) > 1 else [])
            places = max(len(node.next_functions) for node in alike)
            for nodes in sets:
                yield Edit("skipped", name, None, nodes)
                for axis in _axes(nodes):
                    yield Edit("turned", name, axis, nodes)
                for position in range(places) if places > 1 else ():
                    yield Edit("dropped", name, position, nodes)
                    yield Edit("negated", name, position, nodes)

    def vjp(self, vector: Tensor, edit: Edit | None = None) -> Tensor | None:
        """The gradient for one grad_output, under an edit; None if it does not fit there."""
        grads = parted(vector, self.outputs)
        with contextlib.ExitStack() as stack:
            for node in edit.nodes if edit else ():
                handle = node.register_hook(_changed(edit, node))
                stack.callback(handle.remove)
            try:
                (found,) = torch.autograd.grad(
                    self.outputs, self.leaf, grads, retain_graph=True, allow_unused=True
                )
            except RuntimeError:  # a gradient of another shape than autograd expects
                return None
        return None if found is None else real(found)


def _called(node: Any) -> str:
    """`softmax` of SoftmaxBackward0."""
    name: str = node.name().rstrip("0123456789").removesuffix("Backward")
    return name.lower()


def _axes(nodes: Sequence[Any]) -> list[int]:
    """The other axes along which a softmax, or its logarithm, could have been taken."""
    if not all("Softmax" in node.name() for node in nodes):
        return []
    counts = [node._saved_result.ndim for node in nodes]
    own = {_from_the_end(node._saved_dim, n) for node, n in zip(nodes, counts, strict=True)}
    return [axis for axis in range(-min(counts), 0) if axis not in own]


def _from_the_end(axis: int, count: int) -> int:
    """An axis of `count`, as a negative number; autograd keeps it as a huge positive one."""
    return (axis - 2**64 if axis >= 2**63 else axis) % count - count


def _turned(node: Any, axis: int, grad: Tensor) -> Tensor:
    """The gradient that softmax or its logarithm would pass on along another axis."""
    y: Tensor = node._saved_result
    if "Log" in node.name():
        return grad - y.exp() * grad.sum(axis, keepdim=True)
    return y * (grad - (grad * y).sum(axis, keepdim=True))


def _changed(edit: Edit | None, node: Any) -> Callable[[Gradients, Gradients], Gradients | None]:
    """The gradients of a node, changed by an edit."""

    def change(passed: Gradients, given: Gradients) -> Gradients | None:
        if edit is None:
            return None
        changed = list(passed)
        if edit.kind == "turned" and edit.position is not None and given[0] is not None:
            changed[0] = _turned(node, edit.position, given[0])
        elif edit.kind == "skipped":
            whole = next((g for g in given if g is not None), None)
            for i, gradient in enumerate(passed):
                if gradient is not None and whole is not None and gradient.shape == whole.shape:
                    changed[i] = whole
        elif edit.position is not None and edit.position < len(passed):
            gradient = passed[edit.position]
            if gradient is not None:
                changed[edit.position] = gradient * (0.0 if edit.kind == "dropped" else -1.0)
        return tuple(changed)

    return change
