"""`Comparison` of an answer with the expected one; `Difference` describes how it differs."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from derivable.labs.typography import number
from derivable.labs.words import say

_NUMBERS = torch.float64  # as which numbers of Python are compared: float32 would round them
CLOSE = 1e-8  # relative to the largest expected entry, in float64


@dataclass(frozen=True)
class Difference:
    """How an answer differs: an id, and one or two lines."""

    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """How one answer is compared.

    head       what is compared, at the beginning of a line: `Linear.forward`, or `errors: h_best`
    entry      what an entry is called, such as `forward`
    inputs     the inputs in words, such as `x (13, 5)`
    sizes      of the inputs; a factor that is one of them is described as a sum or a mean
    tolerance  relative to the largest expected entry
    """

    head: str
    entry: str
    lang: str
    inputs: str = ""
    sizes: frozenset[int] = frozenset()
    tolerance: float = CLOSE

    def __call__(self, got: Any, expected: Any) -> Difference | None:
        """None where the two agree."""
        expected = torch.as_tensor(expected)
        if got is None:
            return self._said("none", "none")
        tensor = _tensor(got)
        if tensor is None:
            kind = "tensor" if expected.dim() else "number"
            gaps = {"got": type(got).__name__, "expected": say(kind, self.lang)}
            return self._said("type", "wrong_type", **gaps)
        if tensor.shape != expected.shape:
            shapes = {"got": tuple(tensor.shape), "expected": tuple(expected.shape)}
            return self._said("shape", "wrong_shape", **shapes, inputs=self._inputs())
        if tensor.is_complex() and not expected.is_complex():
            return self._said("complex", "complex")
        exact = self._values(tensor.detach().double(), expected.detach().double())
        if exact is not None and _is_float32_of(tensor, expected):
            return self._said("float32", "float32")
        return exact

    def _values(self, got: Tensor, expected: Tensor) -> Difference | None:
        finite = expected.isfinite()
        size = float(expected[finite].abs().max()) if finite.any() else 1.0
        far = (got - expected).abs() > self.tolerance * max(size, 1e-300)
        far |= got.isfinite() != finite
        far &= ~((got == expected) | (got.isnan() & expected.isnan()))
        if not far.any():
            return None
        head = say("wrong_values", self.lang, name=self.head, inputs=self._inputs())
        kind, line = self._how(got, expected, far)
        return Difference(kind, (head, line))

    def _how(self, got: Tensor, expected: Tensor, far: Tensor) -> tuple[str, str]:
        """The kind of difference, and a line on it."""
        bad = far & ~got.isfinite() & expected.isfinite()
        if bad.any():
            return "overflow", self._worst("not_finite", got, expected, bad)
        ratio = _ratio(got, expected)
        if ratio is not None:
            return self._by_factor(ratio)
        return "values", self._worst("worst", got, expected, far)

    def _by_factor(self, ratio: float) -> tuple[str, str]:
        if math.isclose(ratio, -1, rel_tol=1e-6):
            return "sign", say("opposite", self.lang)
        for size in sorted(self.sizes - {1}):
            if math.isclose(ratio, size, rel_tol=1e-6):
                return "factor", say("ratio_size", self.lang, size=size)
            if math.isclose(ratio * size, 1, rel_tol=1e-6):
                return "factor", say("ratio_share", self.lang, size=size)
        return "factor", say("ratio", self.lang, ratio=number(ratio, self.lang))

    def _worst(self, key: str, got: Tensor, expected: Tensor, far: Tensor) -> str:
        error = (got - expected).abs().nan_to_num(math.inf, math.inf, math.inf)
        error = torch.where(far, error, -1.0)
        flat = int(error.argmax())
        index = [int(i) for i in torch.unravel_index(torch.tensor(flat), got.shape)]
        entry = f"{self.entry}[{', '.join(map(str, index))}]" if index else self.entry
        values = {
            "got": number(float(got.reshape(-1)[flat]), self.lang),
            "expected": number(float(expected.reshape(-1)[flat]), self.lang),
        }
        return say(key, self.lang, entry=entry, **values)

    def _inputs(self) -> str:
        return say("for_inputs", self.lang, inputs=self.inputs) if self.inputs else ""

    def _said(self, kind: str, key: str, **gaps: Any) -> Difference:
        return Difference(kind, (say(key, self.lang, name=self.head, **gaps),))


def _is_float32_of(got: Tensor, expected: Tensor) -> bool:
    """Whether it is what is expected, to the digits of float32."""
    if got.dtype != torch.float32 or expected.dtype == torch.float32:
        return False
    return torch.allclose(got.detach().double(), expected.detach().double(), 1e-4, 1e-6)


def inputs_in_words(names: Sequence[str], inputs: Sequence[Any]) -> str:
    """The inputs by name, tensors by their shape: `x (13, 5), dim=1`."""
    words = []
    for name, value in zip(names, inputs, strict=False):
        if isinstance(value, Tensor) and value.dim():
            words.append(f"{name} {tuple(value.shape)}")
        elif isinstance(value, Tensor):
            words.append(f"{name} = {float(value):.4g}")
        elif not callable(value):
            words.append(
                f"{name} = {value:.4g}" if isinstance(value, float) else f"{name} = {value}"
            )
    return ", ".join(words)


def names_of_inputs(function: Callable[..., Any]) -> list[str]:
    """The names of what a function takes; none where Python does not know them."""
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


def copies_of(inputs: Sequence[Any]) -> tuple[Any, ...]:
    """The inputs, which an answer may overwrite; leaves of autograd, as they were."""
    return tuple(
        v.detach().clone().requires_grad_(v.requires_grad) if isinstance(v, Tensor) else v
        for v in inputs
    )


def sizes_of(inputs: Sequence[Any]) -> frozenset[int]:
    """The sizes of the tensors among the inputs, with their numbers of entries."""
    tensors = [v for v in inputs if isinstance(v, Tensor)]
    return frozenset(size for t in tensors for size in (*t.shape, t.numel()))


def _tensor(value: Any) -> Tensor | None:
    """A number, an array, a list or a tensor as a tensor; None for anything else."""
    if isinstance(value, Tensor):
        return value
    numbers = isinstance(value, int | float | complex | list | tuple)
    try:
        found = torch.as_tensor(value, dtype=_NUMBERS if numbers and not _complex(value) else None)
    except (TypeError, ValueError, RuntimeError):
        return None
    return found


def _complex(value: Any) -> bool:
    """Whether it is a complex number, or a list with one."""
    if isinstance(value, list | tuple):
        return any(map(_complex, value))
    return isinstance(value, complex)


def _ratio(got: Tensor, expected: Tensor) -> float | None:
    """The constant factor between the two, if there is one and there are two entries or more."""
    large = expected.abs() > 1e-6 * expected.abs().max()
    if got.numel() < 2 or int(large.sum()) < 2:
        return None
    ratios = got[large] / expected[large]
    ratio = float(ratios[0])
    if not math.isfinite(ratio) or ratio == 0:
        return None
    same = (ratios - ratio).abs().max() <= 1e-6 * abs(ratio)
    rest = (got[~large] - ratio * expected[~large]).abs().max() if (~large).any() else 0.0
    return ratio if bool(same) and float(rest) <= 1e-6 * float(expected.abs().max()) else None
