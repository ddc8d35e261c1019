"""The check of forward mode: whether the jvp of a Function is the derivative of its forward."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from derivable.examiner.checks.calling import handed, only
from derivable.examiner.checks.calls import gradients, random_grad_output
from derivable.examiner.checks.noise import accepted_noise
from derivable.examiner.checks.returned import EXAMPLE, Problem, raised, raised_at
from derivable.examiner.checks.values import Evaluation, ExaminedTarget
from derivable.examiner.measure.extrapolation import largest_of
from derivable.examiner.measure.space import joined, real
from derivable.examiner.message import Message
from derivable.examiner.targets.derivatives import TargetDerivatives
from derivable.examiner.targets.target import FunctionAdapter, Inputs

SLACK = 1e-7  # of the size of a jvp: what rounding may reach
Jvp = Callable[[Callable[..., Any], Sequence[Tensor], Sequence[Tensor]], list[Tensor]]


def check_jvp(
    examined: ExaminedTarget, inputs: Inputs, others: Sequence[Evaluation]
) -> list[Problem]:
    """A problem if the jvp is wrong at the given inputs or those of `others`; none without one."""
    adapter = examined.adapter
    target: Any = adapter.target
    if not isinstance(adapter, FunctionAdapter) or not isinstance(target, type):
        return []
    own = getattr(target, "jvp", None) is not torch.autograd.Function.jvp
    if own and not adapter.ours:
        places: list[tuple[Message, Inputs]] = [(EXAMPLE, ())]
        places += [(other.point, other.inputs) for other in others]
        for point, at in places:
            problem = _own(examined, at or inputs)
            if problem is not None:
                problem.point, problem.inputs = point, at
                return [problem]
    elif own or adapter.ours:
        problem = _against_backward(examined, inputs, by_transform, "way")
        return [] if problem is None else [problem]
    return []


def by_transform(
    apply: Callable[..., Any], values: Sequence[Tensor], tangents: Sequence[Tensor]
) -> list[Tensor]:
    """The jvp by torch.func.jvp."""
    return list(torch.func.jvp(apply, tuple(values), tuple(tangents))[1])


def by_dual_numbers(
    apply: Callable[..., Any], values: Sequence[Tensor], tangents: Sequence[Tensor]
) -> list[Tensor]:
    """The jvp by dual numbers, for Functions in either of PyTorch's styles."""
    with forward_ad.dual_level():
        duals = [forward_ad.make_dual(v, t) for v, t in zip(values, tangents, strict=True)]
        parts = [forward_ad.unpack_dual(output) for output in apply(*duals)]
        return [torch.zeros_like(p.primal) if p.tangent is None else p.tangent for p in parts]


def _own(examined: ExaminedTarget, inputs: Inputs) -> Problem | None:
    """The author's jvp, compared with the measured derivative.

    For a surrogate it is compared with backward.
    """
    if not examined.values:
        return _against_backward(examined, inputs, by_dual_numbers, "jvp")
    try:
        tangents, output_tangents = _jvp(examined, inputs, by_dual_numbers)
    except Exception as raising:
        return _raises(raising, "jvp")
    got = joined(output_tangents)
    expected, bound = _measured(examined, inputs, tangents, got)
    if got.shape != expected.shape:
        sizes = {"returned": len(got), "expected": len(expected)}
        return Problem("jvp", None, (Message("evidence.jvp_size", sizes),), rule="jvp")
    off = (got - expected).abs()
    largest = largest_of(expected)
    wrong = ~(off <= 5 * bound + SLACK * largest) & torch.isfinite(expected)
    wrong &= 5 * bound < 1e-3 * max(largest, 1e-300)
    if not bool(wrong.any()):
        return None
    worst = int(torch.where(wrong, off.nan_to_num(torch.inf), -1.0).argmax())
    fields = {
        "jvp": f"{float(got[worst]):.6g}", "measured": f"{float(expected[worst]):.6g}",
        "count": str(int(wrong.sum())), "all": len(wrong),
    }  # fmt: skip
    return Problem("jvp", None, (Message("evidence.jvp_measured", fields),), rule="jvp")


def _measured(
    examined: ExaminedTarget, inputs: Inputs, tangents: Sequence[Tensor], got: Tensor
) -> tuple[Tensor, Tensor]:
    """The derivative along all tangents together, and its error: (m,) each.

    Refined if it differs from the jvp; the errors are infinite at kinks.
    """
    numeric = TargetDerivatives(examined.adapter, inputs, examined.run(inputs).differentiable)
    directions = [real(tangent) for tangent in tangents]
    for measure in (numeric.along, numeric.refined_along):
        parts = [measure(i, d) for i, d in zip(examined.wanted, directions, strict=True)]
        value = torch.stack([part.value for part in parts]).sum(0)
        errors = [torch.where(part.kinks, torch.inf, part.error) for part in parts]
        bound = torch.stack(errors).sum(0)
        if got.shape != value.shape or bool(((got - value).abs() <= 5 * bound).all()):
            break
    return value, bound


def _against_backward(
    examined: ExaminedTarget, inputs: Inputs, jvp: Jvp, cause: str
) -> Problem | None:
    """The jvp, compared with backward: <u, jvp(t)> = <backward(u), t>."""
    run = examined.run(inputs)
    vector = random_grad_output(run)
    input_gradients = gradients(examined, run, inputs, vector)
    try:
        tangents, output_tangents = _jvp(examined, inputs, jvp)
    except Exception as error:
        return _raises(error, cause)
    left = float(joined(output_tangents) @ vector)
    terms = [
        real(g) * real(t) for g, t in zip(input_gradients, tangents, strict=True) if g is not None
    ]
    right = float(sum(term.sum() for term in terms))
    size = float(sum(term.abs().sum() for term in terms))
    if abs(left - right) <= SLACK * size or not abs(left - right) < float("inf"):
        return None
    noise = accepted_noise(examined, inputs, vector)
    pairs = zip(noise, tangents, strict=True)
    if abs(left - right) <= sum(most * float(t.abs().sum()) for most, t in pairs):
        return None
    fields = {"jvp": f"{left:.6g}", "vjp": f"{right:.6g}"}
    return Problem(cause, None, (Message("evidence.jvp", fields),), rule="jvp")


def _raises(error: BaseException, cause: str) -> Problem:
    evidence = Message("evidence.way_raises", {"way": Message("way.forward_mode")})
    return Problem(cause, None, (evidence, raised(error)), rule="jvp", source=raised_at(error))


def _jvp(examined: ExaminedTarget, inputs: Inputs, jvp: Jvp) -> tuple[list[Tensor], list[Tensor]]:
    """Random tangents of the wanted inputs, and the tangents of the differentiable outputs."""
    adapter: Any = examined.adapter
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        differentiable, plain = only(handed(adapter, adapter.apply), list(inputs), examined.wanted)
        generator = torch.Generator().manual_seed(2)
        tangents = [torch.randn(v.shape, generator=generator, dtype=v.dtype) for v in plain]
        examined.comparisons += 1
        return tangents, jvp(differentiable, plain, tangents)
