"""`Recorder`: the ctx that the examiner passes to a forward; it records what forward keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from derivable.function.context import Tape


class Recorder(Tape):
    """A Tape that also keeps a copy of each saved tensor.

    With `protect`, backward receives those copies: an experiment that shows whether a tensor was
    changed after it was saved. Names here begin with an underscore, because the user's forward
    may set any other attribute.
    """

    def __init__(self, needs_input_grad: tuple[bool, ...], protect: bool = False) -> None:
        self._attributes: dict[str, Tensor] = {}  # copies of tensors kept by name
        self._protect = protect
        super().__init__(needs_input_grad)
        self._snapshots: list[Tensor | None] = []

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep the tensors, and copies of them."""
        self._snapshots = [t.detach().clone() if isinstance(t, Tensor) else t for t in tensors]
        super().save_for_backward(*(self._snapshots if self._protect else tensors))

    @property
    def saved_variables(self) -> tuple[Tensor, ...]:
        """The old name of `saved_tensors`, which PyTorch still knows."""
        return self.saved_tensors

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Tensor) and not name.startswith("_"):
            copy = value.detach().clone()
            self._attributes[name] = copy
            value = copy if self._protect else value
        super().__setattr__(name, value)

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Does nothing: forward mode is not run by hand."""


_FIELDS = frozenset(vars(Recorder(())))


def kept_by_name(ctx: Recorder) -> dict[str, Tensor]:
    """Every tensor that backward can reach through this ctx: by position, if saved, or by name."""
    saved = {str(i): v for i, v in enumerate(ctx._saved or ())}
    named = {f"ctx.{name}": v for name, v in vars(ctx).items() if name not in _FIELDS}
    return {name: v for name, v in (saved | named).items() if isinstance(v, Tensor)}


def kept(ctx: Recorder) -> list[Tensor]:
    """Every tensor that backward can reach through this ctx."""
    return list(kept_by_name(ctx).values())


def changed_after_saving(ctx: Recorder) -> list[str]:
    """The saved tensors, by position or name, whose values have changed since."""
    pairs = zip(ctx._saved or (), ctx._snapshots, strict=False)
    saved = [str(i) for i, (now, then) in enumerate(pairs) if not same(now, then)]
    named = ctx._attributes.items()
    return saved + [f"ctx.{name}" for name, then in named if not same(getattr(ctx, name), then)]


def replace_saved(ctx: Recorder, change: Callable[[Tensor], Tensor]) -> None:
    """Replace each saved floating-point tensor by `change(tensor)`."""
    ctx._saved = tuple(
        change(t) if isinstance(t, Tensor) and (t.is_floating_point() or t.is_complex()) else t
        for t in ctx._saved or ()
    )


def same(first: Any, second: Any) -> bool:
    """Whether two tensors hold the same bits, NaN included; True for what is no tensor."""
    if not isinstance(first, Tensor) or not isinstance(second, Tensor):
        return True
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    first, second = (t if t.layout == torch.strided else t.to_dense() for t in (first, second))
    return bool(torch.equal(first, second)) or bool(
        ((first == second) | (first.isnan() & second.isnan())).all()
    )
