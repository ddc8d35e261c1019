"""Causes in matrix products: a wrong order of factors, or a wrong transpose.

There are two experiments. Each matrix product of backward is computed with its factors exchanged
or transposed, until the gradient is the measured one. And if a gradient is one product of an input
and grad_output, as for a linear map, it is searched among all such products.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from derivable.examiner.checks.calls import random_grad_output
from derivable.examiner.checks.values import MOST_COLUMNS, ExaminedTarget
from derivable.examiner.diagnose.case import Case, once
from derivable.examiner.diagnose.evidence import EvidenceWithFields, Found
from derivable.examiner.diagnose.lines import rule_of
from derivable.examiner.measure.space import parted, size, unreal
from derivable.examiner.targets.derivatives import TargetDerivatives
from derivable.examiner.targets.target import FunctionAdapter, Inputs, Run

PRODUCTS = ("matmul", "__matmul__", "mm", "bmm")
MOST = 6  # products of one backward that are rearranged
NEAR = 1e-6  # of the largest entry: how near the measured gradient is the same


@dataclass(frozen=True)
class Rearranged(EvidenceWithFields):
    """With `right` in the place of the product `written`, the gradient of `name` is right."""

    key = "evidence.rearranged"
    name: str
    written: str
    right: str


@dataclass(frozen=True)
class IsProduct(EvidenceWithFields):
    """The gradient of `name` is this product."""

    key = "evidence.is_product"
    name: str
    formula: str


class Arrangement(NamedTuple):
    """How a product a @ b is carried out: with the factors exchanged, and either transposed."""

    exchanged: bool = False
    first: bool = False  # whether a is transposed
    second: bool = False

    def of(self, a: Tensor, b: Tensor) -> Tensor:
        """The product."""
        a, b = a.mT if self.first else a, b.mT if self.second else b
        return torch.matmul(b, a) if self.exchanged else torch.matmul(a, b)

    def text(self, a: str, b: str) -> str:
        """The product, with the factors by name."""
        a, b = _transposed(a) if self.first else a, _transposed(b) if self.second else b
        return f"{b} @ {a}" if self.exchanged else f"{a} @ {b}"


AS_WRITTEN = Arrangement()
OTHERS = [Arrangement(*how) for how in itertools.product((False, True), repeat=3) if any(how)]


def _transposed(name: str) -> str:
    return name.removesuffix(".T") if name.endswith(".T") else f"{name}.T"


class Beside(NamedTuple):
    """The measured gradients for one random grad_output, by argument, and what they are made of."""

    vector: Tensor  # grad_output, as one real vector
    measured: dict[int, Tensor]  # each in the shape of its argument


def beside(examined: ExaminedTarget, inputs: Inputs) -> Beside | None:
    """The measured gradients at these inputs; None where they are too large, or do not exist."""
    if sum(size(inputs[i]) for i in examined.wanted) > MOST_COLUMNS:
        return None
    run = examined.run(inputs)
    vector = random_grad_output(run)
    numeric = TargetDerivatives(examined.adapter, inputs, run.differentiable)
    found: dict[int, Tensor] = {}
    for i in examined.wanted:
        gradient = vector @ numeric.jacobian(i).value
        if not bool(torch.isfinite(gradient).all()):
            return None
        found[i] = unreal(gradient, inputs[i])
    return Beside(vector, found)


def alike(first: Any, second: Tensor) -> bool:
    """Whether a gradient, or the one in a tuple, is the measured one."""
    first = first[0] if isinstance(first, tuple) and first else first
    if not isinstance(first, Tensor) or first.shape != second.shape:
        return False
    scale = float(second.abs().max()) if second.numel() else 0.0
    return scale > 0 and float((first - second).abs().max()) <= NEAR * scale


# By experiment ----------------------------------------------------------------------------------


class _Rearranging(TorchFunctionMode):
    """Inside, the product number `position` is carried out in another arrangement.

    `written` is that product as it stands in the user's code, if its factors have names there.
    """

    def __init__(self, code: CodeType, position: int, how: Arrangement) -> None:
        super().__init__()
        self.code, self.position, self.how = code, position, how
        self.count = 0
        self.written, self.right = "", ""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if getattr(func, "__name__", "") not in PRODUCTS or not _matrices(args):
            return func(*args, **(kwargs or {}))
        self.count += 1
        if self.count - 1 != self.position:
            return func(*args, **(kwargs or {}))
        names = [_called(value, self.code) for value in args[:2]]
        if all(names):
            self.written, self.right = AS_WRITTEN.text(*names), self.how.text(*names)
        return self.how.of(*args[:2])


def _matrices(args: Any) -> bool:
    return len(args) >= 2 and all(isinstance(a, Tensor) and a.ndim >= 2 for a in args[:2])


def _called(value: Tensor, code: CodeType) -> str:
    """The name of a tensor in the function that is running this code; "" if it has none."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back  # type: ignore[assignment]
    if frame is None:
        return ""
    for name, other in frame.f_locals.items():
        if not isinstance(other, Tensor) or other.data_ptr() != value.data_ptr():
            continue
        if other.shape == value.shape and other.stride() == value.stride():
            return name
        if other.ndim == 2 and other.mT.shape == value.shape:
            return f"{name}.T"
    return ""


def rearranged(examined: ExaminedTarget, inputs: Inputs, arguments: list[int]) -> list[Rearranged]:
    """The rearrangement of one product of backward with which the gradients are right.

    Of several, the one with which most of the arguments' are; none, if no gradient is.
    """
    rule = rule_of(examined)
    known = beside(examined, inputs) if rule is not None else None
    if rule is None or known is None:
        return []
    best: tuple[list[int], _Rearranging] | None = None
    for mode, returned in _trials(examined, inputs, rule.__code__, known.vector):
        mended = [i for i in arguments if alike(returned[i : i + 1], known.measured[i])]
        if mode.written and len(mended) > len(best[0] if best else ()):
            best = mended, mode
    if best is None:
        return []
    names = examined.adapter.names(len(inputs))
    return [Rearranged(", ".join(names[i] for i in best[0]), best[1].written, best[1].right)]


def _trials(
    examined: ExaminedTarget, inputs: Inputs, code: CodeType, vector: Tensor
) -> Iterator[tuple[_Rearranging, tuple[Any, ...]]]:
    """What backward returns with each of its products in each other arrangement, where it runs."""
    for position in range(MOST):
        reached = False
        for how in OTHERS:
            run = examined.run(inputs)
            mode = _Rearranging(code, position, how)
            try:
                with mode:
                    returned = examined.vjp(run, inputs, vector)
            except Exception:  # most arrangements do not fit together
                reached |= mode.count > position
                continue
            reached |= mode.count > position
            yield mode, returned
        if not reached:
            return


@once
def _corrected(case: Case) -> list[Rearranged]:
    """The rearrangement with which the gradient is right at the first wrong sample."""
    adapter, sample = case.examined.adapter, case.first
    matrices = sum(isinstance(v, Tensor) and v.ndim >= 2 for v in sample.inputs) > 0
    if not isinstance(adapter, FunctionAdapter) or adapter.random or not matrices:
        return []
    return rearranged(case.examined, sample.inputs, [case.argument])


def other_arrangement(case: Case) -> Found:
    """One product in another arrangement makes the gradient right."""
    return tuple(_corrected(case)) or None


# By name ----------------------------------------------------------------------------------------


def product_of(
    examined: ExaminedTarget, inputs: Inputs, argument: int, known: Beside
) -> tuple[IsProduct, ...]:
    """The gradient as one product of two matrices, of the inputs and grad_output; or nothing."""
    run = examined.run(inputs)
    factors = _factors(examined, run, inputs, known.vector)
    for (a, x), (b, y) in itertools.permutations(factors.items(), 2):
        for how in (AS_WRITTEN, *OTHERS):
            if how.exchanged or not _fits(how, x, y, known.measured[argument].shape):
                continue
            if alike(how.of(x, y), known.measured[argument]):
                name = examined.name(argument, inputs)
                return (IsProduct(name, how.text(a, b)),)
    return ()


def _factors(
    examined: ExaminedTarget, run: Run, inputs: Inputs, vector: Tensor
) -> dict[str, Tensor]:
    """The matrices of which a gradient may be the product, by name."""
    grads = parted(vector, [run.outputs[i] for i in run.differentiable])
    named = dict(zip(examined.adapter.names(len(inputs)), inputs, strict=False))
    if len(grads) == 1:
        named["grad_output"] = grads[0]
    return {
        name: v.detach() for name, v in named.items()
        if isinstance(v, Tensor) and v.ndim == 2 and v.is_floating_point()
    }  # fmt: skip


def _fits(how: Arrangement, x: Tensor, y: Tensor, shape: torch.Size) -> bool:
    a, b = x.mT if how.first else x, y.mT if how.second else y
    return a.shape[1] == b.shape[0] and (a.shape[0], b.shape[1]) == tuple(shape)
