"""`Comparison` of an answer with the expected one; `Difference` states how they differ."""

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

_NUMBERS = torch.float64  # dtype of converted Python numbers, which float32 would round
CLOSE = 1e-8  # relative to the largest expected entry, in float64


@dataclass(frozen=True)
class Difference:
    """How an answer differs from the expected one: an id, and one or two lines of text."""

    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Compares an answer with the expected one.

    head       the name of the answer at the beginning of a line: `Linear.forward`, `errors: h_best`
    entry      the name before the index of an entry, such as `forward` in `forward[0, 1]`
    lang       the language of the lines, "en" or "fr"
    inputs     the inputs as text, such as `x (13, 5)`; empty for none
    sizes      of the inputs; if all values are wrong by one of these factors, the line suggests
               that a mean and a sum were exchanged
    tolerance  of the difference, relative to the largest expected entry
    """

    head: str
    entry: str
    lang: str
    inputs: str = ""
    sizes: frozenset[int] = frozenset()
    tolerance: float = CLOSE

    def __call__(self, got: Any, expected: Any) -> Difference | None:
        """How `got` differs from `expected`; None where they agree.

        `got` is anything that an answer may return, `expected` a real tensor or number.
        """
        expected = torch.as_tensor(expected)
        if got is None:
            return self._difference("none", "none")
        tensor = _tensor(got)
        if tensor is None:
            kind = "tensor" if expected.dim() else "number"
            gaps = {"got": type(got).__name__, "expected": say(kind, self.lang)}
            return self._difference("type", "wrong_type", **gaps)
        if tensor.shape != expected.shape:
            shapes = {"got": tuple(tensor.shape), "expected": tuple(expected.shape)}
            return self._difference("shape", "wrong_shape", **shapes, inputs=self._inputs())
        if tensor.is_complex() and not expected.is_complex():
            return self._difference("complex", "complex")
        exact = self._values(tensor.detach().double(), expected.detach().double())
        if exact is not None and _is_float32_of(tensor, expected):
            return self._difference("float32", "float32")
        return exact

    def _values(self, got: Tensor, expected: Tensor) -> Difference | None:
        """How the entries of two tensors of one shape differ, in float64."""
        finite = expected.isfinite()
        largest = float(expected[finite].abs().max()) if finite.any() else 1.0
        wrong = (got - expected).abs() > self.tolerance * max(largest, 1e-300)
        wrong |= got.isfinite() != finite
        wrong &= ~((got == expected) | (got.isnan() & expected.isnan()))
        if not wrong.any():
            return None
        first_line = say("wrong_values", self.lang, name=self.head, inputs=self._inputs())
        kind, line = self._described(got, expected, wrong)
        return Difference(kind, (first_line, line))

    def _described(self, got: Tensor, expected: Tensor, wrong: Tensor) -> tuple[str, str]:
        """The kind of difference, and a line that describes it."""
        overflows = wrong & ~got.isfinite() & expected.isfinite()
        if overflows.any():
            return "overflow", self._worst("not_finite", got, expected, overflows)
        ratio = _ratio(got, expected)
        if ratio is not None:
            return self._by_factor(ratio)
        return "values", self._worst("worst", got, expected, wrong)

    def _by_factor(self, ratio: float) -> tuple[str, str]:
        """The kind and the line where the answer is `ratio` times the expected one."""
        if math.isclose(ratio, -1, rel_tol=1e-6):
            return "sign", say("opposite", self.lang)
        for size in sorted(self.sizes - {1}):
            if math.isclose(ratio, size, rel_tol=1e-6):
                return "factor", say("ratio_size", self.lang, size=size)
            if math.isclose(ratio * size, 1, rel_tol=1e-6):
                return "factor", say("ratio_share", self.lang, size=size)
        return "factor", say("ratio", self.lang, ratio=number(ratio, self.lang))

    def _worst(self, key: str, got: Tensor, expected: Tensor, wrong: Tensor) -> str:
        """A line on the wrong entry with the largest difference."""
        error = (got - expected).abs().nan_to_num(math.inf, math.inf, math.inf)
        error = torch.where(wrong, error, -1.0)
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

    def _difference(self, kind: str, key: str, **gaps: Any) -> Difference:
        return Difference(kind, (say(key, self.lang, name=self.head, **gaps),))


def _is_float32_of(got: Tensor, expected: Tensor) -> bool:
    """Whether `got` is in float32 and equal to a float64 `expected` to the precision of float32."""
    if got.dtype != torch.float32 or expected.dtype == torch.float32:
        return False
    return torch.allclose(got.detach().double(), expected.detach().double(), 1e-4, 1e-6)


def inputs_in_words(names: Sequence[str], inputs: Sequence[Any]) -> str:
    """The inputs by name, tensors by their shape: `x (13, 5), dim = 1`; functions are left out."""
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
    """The names of a function's parameters; empty where it has no signature, as some built-ins."""
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


def copies_of(inputs: Sequence[Any]) -> tuple[Any, ...]:
    """Copies of the inputs, which an answer may overwrite; tensors are leaves of autograd."""
    return tuple(
        v.detach().clone().requires_grad_(v.requires_grad) if isinstance(v, Tensor) else v
        for v in inputs
    )


def sizes_of(inputs: Sequence[Any]) -> frozenset[int]:
    """The sizes of all dimensions of the tensors among the inputs, and their numbers of entries."""
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
    """Whether a value is a complex number, or a list or tuple that contains one."""
    if isinstance(value, list | tuple):
        return any(map(_complex, value))
    return isinstance(value, complex)


def _ratio(got: Tensor, expected: Tensor) -> float | None:
    """The factor by which all entries of `got` differ from `expected`; None if there is none.

    Two entries at least have to be large enough to show it.
    """
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
