"""`Case`: the wrong samples of one argument, as blocks, to which hypotheses are fitted."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor

from derivable.examiner.checks.values import Evaluation, ExaminedTarget, Sample
from derivable.examiner.measure.space import size
from derivable.examiner.points import Kind, kind

T = TypeVar("T")

EXPLAINED = 1e-3  # the share of the deviation that a cause may leave unexplained


@dataclass
class Case:
    """All results about the wrong gradient of one argument.

    `wrong` are its wrong samples, the given inputs first; `evaluations` all evaluations.
    """

    examined: ExaminedTarget
    argument: int
    wrong: list[Sample]
    evaluations: list[Evaluation] = field(default_factory=list)
    kept: dict[Any, Any] = field(default_factory=dict)  # see `once`

    @property
    def kinds(self) -> set[Kind]:
        """The kinds of points at which it is wrong."""
        return {kind(sample) for sample in self.wrong}

    @property
    def first(self) -> Sample:
        """The sample that is shown."""
        return self.wrong[0]

    @property
    def name(self) -> str:
        """The argument's name."""
        return self.examined.name(self.argument, self.first.inputs)

    def others(self, sample: Sample) -> Iterator[Sample]:
        """The samples of the other arguments at the same evaluation point."""
        for evaluation in self.evaluations:
            if any(sample is one for one in evaluation.samples):
                yield from (one for one in evaluation.samples if one is not sample)

    def all_samples(self) -> list[Sample]:
        """Every sample of this argument, right ones too."""
        found = [
            s
            for evaluation in self.evaluations
            for s in evaluation.samples
            if s.argument == self.argument
        ]
        return found or self.wrong


def once(measure: Callable[[Case], T]) -> Callable[[Case], T]:
    """`measure` with its result cached per case, because several hypotheses use it."""

    @functools.wraps(measure)
    def kept(case: Case) -> T:
        if measure not in case.kept:
            case.kept[measure] = measure(case)
        found: T = case.kept[measure]
        return found

    return kept


@dataclass
class Block:
    """One output's part of a Jacobian, as tensors of the output's axes and the argument's axes.

    A complex tensor has a last axis of two, its real and its imaginary part.
    """

    measured: Tensor
    returned: Tensor
    error: Tensor
    sure: Tensor
    wrong: Tensor
    axes: int  # how many of the axes are the output's
    names: list[str]  # of the axes: "output.shape[0]", "x.shape[1]"

    def explained(self, candidate: Tensor) -> float | None:
        """The factor c with which c * candidate explains what was returned; None if none does."""
        if candidate.shape != self.returned.shape:
            return None
        known = self.sure & torch.isfinite(candidate)
        if not bool(known.any()) or bool(known.sum() < 0.8 * known.numel()):
            return None
        prediction, returned = candidate[known], self.returned[known]
        power = float(prediction.square().sum())
        if not bool((prediction.abs() > 20 * self.error[known]).any()):
            return None  # zero, or a sum that is zero up to its error
        if candidate is not self.measured:
            own = self.measured[known]
            cosine = float(prediction @ own) ** 2 / (power * float(own.square().sum()) or 1.0)
            if cosine > 1 - 1e-12:
                return None  # it is proportional to the measured one
        c = float(prediction @ returned) / power
        deviation = float((self.returned - self.measured)[known].abs().max())
        slack = EXPLAINED * deviation + 20 * self.error[known] * max(1.0, abs(c))
        right = ~self.wrong[known] & (self.measured[known] != 0)
        alike = 0.01 * self.measured[known].abs() + 20 * self.error[known]
        slack = torch.where(right, torch.minimum(slack, alike), slack)
        if abs(c) < 1e-12 or bool(((returned - c * prediction).abs() > slack).any()):
            return None
        return c

    @property
    def relevant(self) -> Tensor:
        """The entries at which either Jacobian is not zero, and all wrong ones."""
        scale = float(self.measured[self.sure].abs().max()) if bool(self.sure.any()) else 0.0
        floor = 1e-9 * scale
        big = (self.measured.abs() > floor) | (self.returned.abs() > floor) | self.wrong
        return big & self.sure & ~((self.measured.abs() < 20 * self.error) & (self.returned == 0))


def blocks(sample: Sample, name: str = "x") -> list[Block]:
    """The blocks of a sample, one per differentiable output."""
    found, row = [], 0
    arg = _shape(sample.x)
    many = len(sample.outputs) > 1
    for position, output in enumerate(sample.outputs):
        out, count = _shape(output), size(output)
        who = f"output[{position}]" if many else "output"
        names = [f"{who}.shape[{i}]" for i in range(len(out))]
        names += [f"{name}.shape[{i}]" for i in range(len(arg))]
        rows = slice(row, row + count)
        row += count

        def part(matrix: Tensor, rows: slice = rows, out: tuple[int, ...] = out) -> Tensor:
            return matrix[rows].reshape((*out, *arg))

        found.append(
            Block(
                part(sample.measured.value), part(sample.returned), part(sample.measured.error),
                part(sample.sure), part(sample.wrong), len(out), names,
            )
        )  # fmt: skip
    return found


def _shape(tensor: Tensor) -> tuple[int, ...]:
    return (*tensor.shape, 2) if tensor.is_complex() else tuple(tensor.shape)


Candidates = Callable[[Sample, Block], dict[Any, Tensor]]


def fitted(case: Case, candidates: Candidates, samples: Sequence[Sample] | None = None) -> Any:
    """The first candidate key that explains every wrong block of every wrong sample.

    Returns (key, factors), or None. Candidates that are the measured block itself do not count.
    """
    keys: dict[Any, list[float]] | None = None
    for sample in case.wrong if samples is None else samples:
        for block in blocks(sample, case.name):
            if not bool(block.wrong.any()):
                continue
            here: dict[Any, float] = {}
            for key, candidate in candidates(sample, block).items():
                if keys is not None and key not in keys:
                    continue
                c = block.explained(candidate)
                if c is not None:
                    here[key] = c
            keys = {
                key: [*(keys or {}).get(key, []), c]
                for key, c in here.items()
            }  # fmt: skip
            if not keys:
                return None
    if not keys:
        return None
    plain = [key for key, factors in keys.items() if all(abs(c - 1) < 1e-4 for c in factors)]
    key = plain[0] if plain else next(iter(keys))
    return key, keys[key]
