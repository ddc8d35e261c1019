"""`Applicability`: whether forward computes the same function at generated inputs.

A comparison at generated sizes is evidence about backward only if forward computes there what it
computes at the example. If a size that should match another one happens to be 1, PyTorch
broadcasts silently; a negative index counts from the end; a slice beyond the end is shortened.
Then forward runs, but is another function.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.measure.space import joined
from derivable.examiner.targets.target import Adapter, Inputs, Run, is_float
from derivable.function.compiled import DispatchMode

Operand = tuple[str, int, int]  # an operation, the position of an operand, an axis from the end
INDEXED = ("index", "gather", "take", "scatter", "embedding")

OPEN = 2**62  # the end of a slice that has none


class Applicability:
    """Compares the operations of forward at generated inputs with those at the example."""

    def __init__(self, adapter: Adapter, inputs: Inputs) -> None:
        self.adapter, self.inputs = adapter, list(inputs)
        self._example: _Watch | None = None

    def for_sizes(self, inputs: Inputs) -> bool:
        """Whether forward broadcasts and slices at `inputs` only as at the example."""
        if self._example is None:
            self._example = _watched(self.adapter, self.inputs)
        watch = _watched(self.adapter, inputs)
        if not watch.stretched <= self._example.short or self._newly_stretched(watch, inputs):
            return False
        longer = [
            (i, axis)
            for i, (before, after) in enumerate(zip(self.inputs, inputs, strict=True))
            if isinstance(after, Tensor) and after.is_floating_point()
            for axis in range(after.ndim)
            if isinstance(before, Tensor) and after.shape[axis] > before.shape[axis] > 0
        ]
        return all(
            self._depends_on_last_slice(inputs, *end)
            or not self._depends_on_last_slice(self.inputs, *end)
            for end in longer
        )

    def _newly_stretched(self, watch: _Watch, inputs: Inputs) -> bool:
        """Whether an operand is expanded only because some axes of size 1 grow and others do not.

        Such as a target (7, 1) beside a prediction (7, 2), where the example has (7, 1) twice. A
        mean with keepdim is expanded too where every axis of size 1 grows.
        """
        assert self._example is not None
        own = len(self.inputs) - len(self.adapter.parameters)  # the parameters' sizes are fixed
        lengths = {
            (i, axis): inputs[i].shape[axis]
            for i, before in enumerate(self.inputs[:own])
            if isinstance(before, Tensor)
            for axis, length in enumerate(before.shape)
            if length == 1
        }
        if not min(lengths.values(), default=1) == 1 < max(lengths.values(), default=1):
            return False
        new = watch.calls - self._example.calls
        if not new:
            return False
        grown = list(self.inputs)
        for i, axis in lengths:
            grown[i] = grown[i].detach().repeat_interleave(max(lengths.values()), axis)
        return not new <= _watched(self.adapter, grown).calls

    def _depends_on_last_slice(self, inputs: Inputs, position: int, axis: int) -> bool:
        """Whether outputs depend on the last slice of an input, which `p[:, 0]` ignores."""
        changed = list(inputs)
        value = changed[position].detach().clone()
        value.select(axis, -1).mul_(0.75).add_(0.125)
        changed[position] = value
        pairs = zip(self.adapter.outputs(list(inputs)), self.adapter.outputs(changed), strict=True)
        return any(
            not torch.equal(a, b)
            for a, b in pairs
            if isinstance(a, Tensor) and isinstance(b, Tensor)
        )

    def through_zero(self, argument: int) -> bool:
        """Whether forward is continuous where an entry of a positive argument becomes negative."""
        if not self.inputs[argument].numel():
            return False
        aside = 1e-9 * float(self.inputs[argument].abs().mean())
        found = []
        for value in (-aside, 0.0, 2 * aside):
            inputs = list(self.inputs)
            inputs[argument] = inputs[argument].detach().clone()
            inputs[argument].reshape(-1)[0] = value
            try:
                outputs = self.adapter.outputs(inputs)
            except Exception:  # forward may refuse any of them
                return False
            found.append(joined([o for o in outputs if is_float(o)]))
        below, at, above = found
        near = 1e-6 * at.abs().nan_to_num(0.0).amax() if len(at) else at
        continuous = all(bool(((other - at).abs() <= near).all()) for other in (below, above))
        return continuous and not torch.equal(
            below, above
        )  # an input without effect is no evidence

    def for_empty(self, run: Run, rows: int) -> bool:
        """Whether outputs of `run` have the example's shapes, or these without `rows` rows."""
        outputs = self.adapter.outputs(self.inputs)
        return len(outputs) == len(run.outputs) and all(
            after.shape in (before.shape, _without(before, rows))
            for before, after in zip(outputs, run.outputs, strict=True)
            if isinstance(before, Tensor)
        )

    def is_batch(self, rows: int) -> bool:
        """Whether `rows` is a batch size: outputs are per row, or independent of their order."""
        if self.rowwise(rows):
            return True
        order = [*range(1, rows), 0]
        outputs = self.adapter.outputs(self.inputs)
        try:
            turned = self.adapter.outputs([_rows_of(value, rows, order) for value in self.inputs])
        except Exception:  # not any order is allowed
            return False
        return all(
            a.shape == b.shape and torch.allclose(a, b)
            for a, b in zip(turned, outputs, strict=True)
            if isinstance(b, Tensor)
        )

    def rowwise(self, rows: int) -> bool:
        """Whether each row of the outputs depends on the same row of the inputs only."""
        order = [rows - 1, 0]
        outputs = self.adapter.outputs(self.inputs)
        try:
            some = self.adapter.outputs([_rows_of(value, rows, order) for value in self.inputs])
        except Exception:  # other numbers of rows are refused
            return False
        return all(
            _has(b, rows) and a.shape == b[order].shape and torch.allclose(a, b[order])
            for a, b in zip(some, outputs, strict=True)
            if isinstance(b, Tensor)
        )


def _rows_of(value: Any, rows: int, order: list[int]) -> Any:
    """Some rows of a tensor that has `rows` of them; anything else as it is."""
    return value[order] if isinstance(value, Tensor) and _has(value, rows) else value


def _has(value: Tensor, rows: int) -> bool:
    return value.ndim > 0 and len(value) == rows


def _without(value: Tensor, rows: int) -> torch.Size:
    return torch.Size([0, *value.shape[1:]]) if _has(value, rows) else value.shape


class _Watch(DispatchMode):
    """Records the operands with an axis of size 1 (`short`), and those expanded along it.

    `calls` are those expanded, with the number of calls of the same operation before.
    """

    def __init__(self) -> None:
        super().__init__()
        self.short: set[Operand] = set()
        self.stretched: set[Operand] = set()
        self.calls: set[tuple[Operand, int]] = set()
        self._counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if torch.Tag.pointwise in func.tags or name in ("copy_", "expand"):
            self._broadcast(name, args, result)
        if any(word in name for word in INDEXED):
            self._from_the_end(name, args)
        if name == "slice" and len(args) > 3:
            self._beyond(*args[:4])
        return result

    def _broadcast(self, name: str, args: Any, result: Any) -> None:
        self._counts[name] += 1
        for position, operand in enumerate(args):
            if not isinstance(operand, Tensor) or not isinstance(result, Tensor):
                continue
            for axis, length in enumerate(reversed(operand.shape), 1):
                if length == 1:
                    self.short.add((name, position, axis))
                    if result.shape[-axis] != 1:
                        self.stretched.add((name, position, axis))
                        self.calls.add(((name, position, axis), self._counts[name]))

    def _from_the_end(self, name: str, args: Any) -> None:
        flat = [b for a in args for b in (a if isinstance(a, list | tuple) else [a])]
        for value in flat:
            if isinstance(value, Tensor) and value.dtype == torch.int64 and bool((value < 0).any()):
                self.short.add((name, 0, 0))
                self.stretched.add((name, 0, 0))

    def _beyond(self, x: Tensor, axis: int, start: int | None, end: int | None) -> None:
        """Record a slice that is shortened silently, because it ends beyond the axis."""
        if any(x.shape[axis] < at < OPEN for at in (start or 0, end or 0)):
            self.short.add(("slice", 0, 0))
            self.stretched.add(("slice", 0, 0))


def _watched(adapter: Adapter, inputs: Inputs) -> _Watch:
    """The operands of the operations of forward, until it ends or raises."""
    watch = _Watch()
    try:
        with watch:
            adapter.outputs(inputs)
    except Exception:  # forward may raise here, or under a dispatch mode
        pass
    return watch
