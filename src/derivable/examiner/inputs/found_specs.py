"""`Spec`: what one input is made of, as data: a shape, a kind of numbers, or a value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

# Sizes by letter. Those that meet in one shape differ, so that no axis passes for another one;
# (M, P), (N, I), (I, O) and (O,) are those of a course: predictions, a table, a linear layer.
SIZES = {
    "N": 13, "I": 5, "O": 7, "M": 10, "P": 5, "R": 4, "C": 3, "B": 2, "S": 4, "T": 4, "E": 3,
    "V": 5, "D": 8, "F": 5, "H": 6, "W": 4, "K": 3, "L": 2, "Z": 12,
}  # fmt: skip
DOMAINS = {"+": "positive", "%": "unit", "#": "definite", "=": "simplex", "!": "one_hot",
           "~": "complex", "^": "sorted", "?": "binary", "<": "lower"}  # fmt: skip


class Spec(NamedTuple):
    """One input: a tensor of `kind` float, int or bool, or the `value` itself.

    `domain` is what numbers a float tensor holds: of any sign, or as in DOMAINS. Integers go from
    `low` to `below` - 1; `domain` "distinct" has none twice along the last axis.
    """

    kind: str
    shape: tuple[int, ...] = ()
    domain: str = ""
    below: int = 2
    value: Any = None
    low: int = 0


def shape_of(text: str, sizes: dict[str, int] | None = None) -> Spec:
    """The float tensor of a symbolic shape: `B R C`, `S S#`, or nothing for no dimensions.

    A letter is a size by name, a number is itself, and a sign at the end is a domain.
    """
    domain = DOMAINS.get(text[-1:], "")
    letters = (text[:-1] if domain else text).split()
    known = SIZES if sizes is None else sizes
    return Spec("float", tuple(known[a] if a in known else int(a) for a in letters), domain)


def shapes_of(text: str) -> list[list[Spec]]:
    """Joint shapes, separated by `;`, of several tensors, separated by `,`."""
    return [[shape_of(part.strip()) for part in joint.split(",")] for joint in text.split(";")]


def make(spec: Spec, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> Any:
    """A new value as the spec has it, drawn from the generator."""
    if spec.kind == "value":
        return spec.value
    if spec.kind == "bool":
        return _mask(spec.shape, generator)
    if spec.kind == "int":
        return _integers(spec, generator)
    drawn = _floats(spec, generator)
    return drawn.to(torch.promote_types(dtype, torch.complex64)) if drawn.is_complex() else (
        drawn.to(dtype)
    )  # fmt: skip


def _mask(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """A mask with both values, and True in the first entry of each row."""
    mask = torch.rand(shape, generator=generator) < 0.6
    if mask.ndim and mask.shape[-1] > 1:
        mask[..., 0], mask[..., -1] = True, False
    return mask


def _integers(spec: Spec, generator: torch.Generator) -> Tensor:
    if spec.domain == "distinct" and spec.shape and spec.shape[-1] <= spec.below:
        order = torch.rand((*spec.shape[:-1], spec.below), generator=generator).argsort(-1)
        return order[..., : spec.shape[-1]].contiguous()
    return torch.randint(spec.low, max(spec.below, spec.low + 1), spec.shape, generator=generator)


def _floats(spec: Spec, generator: torch.Generator) -> Tensor:
    """Numbers of a domain, in double precision."""
    x = torch.randn(spec.shape, generator=generator, dtype=torch.float64)
    uniform = torch.rand(spec.shape, generator=generator, dtype=torch.float64)
    last = spec.shape[-1] if spec.shape else 1
    if spec.domain == "complex":
        return torch.complex(x, 0.5 + uniform)
    if spec.domain == "positive":
        return 0.5 + 1.5 * uniform
    if spec.domain == "unit":
        return 0.1 + 0.8 * uniform
    if spec.domain == "binary":
        return (uniform > 0.5).double()
    if spec.domain == "sorted":
        return x.sort(-1).values
    if spec.domain == "simplex":
        return (0.5 + uniform) / (0.5 + uniform).sum(-1, keepdim=True) if spec.shape else uniform
    if spec.domain == "one_hot":
        hot = torch.randint(last, spec.shape[:-1], generator=generator)
        return torch.nn.functional.one_hot(hot, last).double()
    if spec.domain in ("definite", "lower") and x.ndim >= 2 and last == x.shape[-2]:
        product = x @ x.mT / last + torch.eye(last, dtype=torch.float64)
        definite = (product + product.mT) / 2
        return definite if spec.domain == "definite" else torch.linalg.cholesky(definite)
    return x


def described(names: Sequence[str], specs: Sequence[Spec]) -> str:
    """The inputs in short, as in `x (13, 5), labels (13,) of integers below 5, dim=1`."""
    return ", ".join(_described(*pair) for pair in zip(names, specs, strict=True))


def _described(name: str, spec: Spec) -> str:
    if spec.kind == "value":
        return f"{name}={shortened(spec.value)}"
    kind = {"float": "", "int": f" int<{spec.below}", "bool": " bool"}[spec.kind]
    domain = spec.domain if spec.kind == "float" else ""
    return f"{name} {spec.shape}{kind}{f' {domain}' if domain else ''}"


def shortened(value: Any) -> str:
    """A value in a few characters; a function by its name."""
    return re.sub(r"\s+", " ", getattr(value, "__name__", None) or repr(value))[:40]
