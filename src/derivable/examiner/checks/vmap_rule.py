"""The check of an author's vmap rule: a batch gives the same as separate calls."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.checks.calling import handed, near
from derivable.examiner.checks.returned import Problem
from derivable.examiner.checks.values import ExaminedTarget
from derivable.examiner.message import Message
from derivable.examiner.targets.target import Inputs, is_float
from derivable.function.gradients import as_tuple

BATCH = 3  # examples in a batch
Dims = tuple[int | None, ...]


def rule_for_vmap(examined: ExaminedTarget, inputs: Inputs) -> list[Problem]:
    """A problem if the author's vmap rule is wrong, for batches of all arguments or all but one.

    A rule that raises is not reported, because users see its error.
    """
    adapter: Any = examined.adapter
    target = adapter.target
    if not isinstance(target, type) or target.vmap is torch.autograd.Function.vmap:  # type: ignore[attr-defined]  # a Function's
        return []
    apply = handed(adapter, adapter.apply)

    def call(*values: Tensor) -> tuple[Tensor, ...]:
        everything = list(inputs)
        for i, value in zip(examined.wanted, values, strict=True):
            everything[i] = value
        return tuple(o for o in as_tuple(apply(*everything)) if is_float(o))

    plain = [inputs[i].detach() for i in examined.wanted]
    names = [examined.name(i, inputs) for i in examined.wanted]
    for dims in _dimensions(len(plain)):
        examined.comparisons += 1
        evidence = _compared(call, plain, names, dims)
        if evidence is not None:
            return [Problem("way", None, (evidence,), rule="vmap")]
    return []


def _dimensions(count: int) -> Iterator[Dims]:
    """The batch dimensions: first, last, and first in all arguments but one."""
    yield (0,) * count
    yield (-1,) * count
    for alone in range(count if count > 1 else 0):
        yield tuple(None if i == alone else 0 for i in range(count))


def _compared(
    call: Callable[..., tuple[Tensor, ...]], plain: Sequence[Tensor], names: Sequence[str],
    dims: Dims,
) -> Message | None:  # fmt: skip
    """The evidence if a batch gives other outputs or gradients than separate calls."""
    leaves = [
        v.clone() if axis is None else torch.stack([v, 0.75 * v + 0.1, 0.5 * v], axis)
        for v, axis in zip(plain, dims, strict=True)
    ]
    for leaf in leaves:
        leaf.requires_grad_()
    alone = [
        call(
            *(
                v if axis is None else v.select(axis, k)
                for v, axis in zip(leaves, dims, strict=True)
            )
        )
        for k in range(BATCH)
    ]
    expected = [torch.stack(outputs) for outputs in zip(*alone, strict=True)]
    shown = {"axis": dims[0] if len(set(dims)) == 1 else str(dims)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = torch.func.vmap(call, in_dims=dims)(*leaves)
    except Exception:  # its error is the report
        return None
    if not all(a.shape == b.shape and near(a, b) for a, b in zip(found, expected, strict=True)):
        return Message("evidence.vmap", shown)
    ours, theirs = (_gradients(outputs, leaves) for outputs in (found, expected))
    for name, got, right in zip(names, ours, theirs, strict=True):
        if not near(got, right):
            return Message("evidence.vmap_gradient", {**shown, "name": name})
    return None


def _gradients(outputs: Sequence[Tensor], leaves: Sequence[Tensor]) -> list[Tensor]:
    """The gradients of a random weighted sum of the outputs; 0 where nothing is recorded."""
    generator = torch.Generator().manual_seed(6)
    pairs = [
        (o, torch.randn(o.shape, generator=generator, dtype=o.dtype))
        for o in outputs
    ]  # fmt: skip
    pairs = [(o, g) for o, g in pairs if o.requires_grad]
    if not pairs:
        return [torch.zeros_like(leaf) for leaf in leaves]
    kept, grads = zip(*pairs, strict=True)
    found = torch.autograd.grad(kept, leaves, grads, allow_unused=True)
    return [
        torch.zeros_like(leaf) if gradient is None else gradient
        for gradient, leaf in zip(found, leaves, strict=True)
    ]
