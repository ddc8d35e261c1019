"""By how much gradients change if what they are computed from is rounded once more."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from derivable.examiner.checks.calls import gradients
from derivable.examiner.checks.values import ExaminedTarget
from derivable.examiner.measure.extrapolation import largest_of, size_of
from derivable.examiner.measure.space import joined, real
from derivable.examiner.targets.target import Inputs, is_float

Gradients = Sequence[Tensor | None]
ROUNDED, AMPLIFIED = 4, 16  # roundings of the inputs, and how much more than these is accepted
ROUNDING = 1e-9  # of the largest gradient: the most that rounding changes
ROUNDINGS = 64  # of the outputs, which a gradient may have


def by_rounding(
    examined: ExaminedTarget, at: Inputs, found: Callable[[Inputs], Gradients],
    expected: Gradients, got: Gradients,
) -> bool:  # fmt: skip
    """Whether a rounding of `at` changes the gradients as much as from `expected` to `got`.

    `found` are the gradients there. Another layout is another order of the sums of a matrix
    product. An iteration that has not converged, such as conjugate gradients, amplifies their
    rounding.
    """
    noise = rounding_noise(examined, at, found, expected)
    if noise is None:
        return False
    pairs = zip(expected, got, noise, strict=True)
    return all(change(a, b) <= AMPLIFIED * most for a, b, most in pairs)


def accepted_noise(examined: ExaminedTarget, inputs: Inputs, vector: Tensor) -> list[float]:
    """What rounding may change of each wanted gradient for one grad_output.

    A gradient may consist of rounding, such as a sum of terms that cancel. Where rounding of the
    inputs changes more than a little, as it does at a tie, only that of the outputs counts.
    """
    run = examined.run(inputs)
    outputs = joined([run.outputs[i] for i in run.differentiable])
    expected = gradients(examined, run, inputs, vector)

    def found(at: Inputs) -> Gradients:
        return gradients(examined, examined.run(at), at, vector)

    noise = rounding_noise(examined, inputs, found, expected) or [0.0] * len(expected)
    usual = max(change(g, torch.zeros_like(g)) for g in expected if g is not None)
    slopes = [usual_slope(outputs, inputs[i]) for i in examined.wanted]
    return [
        max(AMPLIFIED * a if a <= ROUNDING * max(usual, s) else 0.0, ROUNDINGS * examined.eps * s)
        for a, s in zip(noise, slopes, strict=True)
    ]


def rounding_noise(
    examined: ExaminedTarget, at: Inputs, found: Callable[[Inputs], Gradients], expected: Gradients
) -> list[float] | None:
    """The largest change of each gradient by a rounding of `at`; None if that cannot be found."""
    noise = [0.0] * len(expected)
    for seed in range(ROUNDED):
        generator = torch.Generator().manual_seed(seed)
        rounded = [
            v * (1 + 2 * examined.eps * torch.randn(v.shape, generator=generator).to(v))
            if is_float(v) else v for v in at
        ]  # fmt: skip
        try:
            changes = [change(a, b) for a, b in zip(expected, found(rounded), strict=True)]
        except Exception:  # it may raise at any inputs but the given ones
            return None
        noise = [max(pair) for pair in zip(noise, changes, strict=True)]
    return noise


def change(first: Tensor | None, second: Tensor | None) -> float:
    """The largest deviation, infinite where only one of them is None or nan."""
    if first is None or second is None:
        return 0.0 if first is second else float("inf")
    apart = (first - second).abs().nan_to_num(float("inf"), float("inf"))
    apart[(first == second) | (first.isnan() & second.isnan())] = 0.0
    return float(apart.max()) if apart.numel() else 0.0


def usual_slope(outputs: Tensor, x: Tensor) -> float:
    """How large a derivative by `x` usually is: the largest output over the size of `x`."""
    return largest_of(outputs) / (size_of(real(x)) or 1.0)
