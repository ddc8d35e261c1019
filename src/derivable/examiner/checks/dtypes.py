"""Problems of smaller floating-point dtypes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.checks.calls import forward_in_place, random_grad_output
from derivable.examiner.checks.noise import usual_slope
from derivable.examiner.checks.overflow import by_autograd, overflows
from derivable.examiner.checks.returned import Problem, fit, raised, short
from derivable.examiner.checks.values import Evaluation, ExaminedTarget
from derivable.examiner.measure.extrapolation import largest_of
from derivable.examiner.measure.space import joined, parted, real
from derivable.examiner.message import Message
from derivable.examiner.targets.target import Inputs, is_float


def float32(
    examined: ExaminedTarget, evaluation: Evaluation, extremes: Sequence[Evaluation]
) -> list[Problem]:
    """Problems in float32: errors, other gradients than in float64, and gradients not finite.

    Changes of inputs in place are compared, too: `.float()` and `.to(dtype)` return the tensor
    itself if it has the dtype already.
    """
    problems = _runs_in(torch.float32, examined, evaluation)
    problems = problems or _close_in(torch.float32, examined, evaluation, 1e-3)
    for extreme in extremes:
        if not problems:
            problems = _finite_in(torch.float32, examined, extreme)
    return problems


def _runs_in(dtype: torch.dtype, examined: ExaminedTarget, evaluation: Evaluation) -> list[Problem]:
    """Problems if backward raises in `dtype` where forward runs, or forward changes its inputs."""
    inputs = cast(evaluation.inputs, dtype)
    point = Message("point.dtype", {"dtype": short(dtype)})
    try:
        run = examined.run(inputs)
    except Exception:  # forward refuses this dtype, which it may
        return []
    examined.comparisons += 1
    changed = forward_in_place(examined, inputs)
    if changed:
        no_copy = Message("evidence.no_copy")
        return [replace(p, evidence=(*p.evidence, no_copy), point=point) for p in changed]
    try:
        examined.vjp(run, inputs, random_grad_output(run))
    except Exception as error:  # whatever the user's backward raises
        return [Problem("raises", None, (raised(error),), point=point)]
    return []


def half(examined: ExaminedTarget, evaluation: Evaluation) -> list[Problem]:
    """Problems in half precision, if forward runs there and agrees with float64."""
    for dtype in (torch.bfloat16, torch.float16):
        problems = _close_in(dtype, examined, evaluation, 0.25)
        if problems:
            return problems
    return []


def cast(inputs: Inputs, dtype: torch.dtype) -> list[Any]:
    """The inputs with every floating-point tensor in `dtype`."""
    kinds = {torch.float32: torch.complex64, torch.float64: torch.complex128}
    return [
        v
        if not is_float(v)
        else v.to(kinds.get(dtype, torch.complex32) if v.is_complex() else dtype)
        for v in inputs
    ]


def _gradients_in_dtype(
    examined: ExaminedTarget, inputs: Inputs
) -> tuple[Tensor, Tensor, dict[int, Any], torch.dtype] | None:
    """Outputs, a rounded grad_output, the gradients for it and the outputs' dtype.

    None where it does not run.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run = examined.run(inputs)
            outputs = [run.outputs[i] for i in run.differentiable]
            vector = joined(parted(random_grad_output(run), outputs))
            returned = examined.vjp(run, inputs, vector)
    except Exception:  # not every operation exists in every dtype
        return None
    found = {i: returned[i] for i in examined.wanted if i < len(returned)}
    return joined(outputs), vector, found, outputs[0].real.dtype


def _close_in(
    dtype: torch.dtype, examined: ExaminedTarget, evaluation: Evaluation, tolerance: float
) -> list[Problem]:
    eps = torch.finfo(dtype).eps
    inputs = cast(evaluation.inputs, dtype)
    small, exact = (
        _gradients_in_dtype(examined, inputs),
        _gradients_in_dtype(examined, cast(inputs, torch.float64)),
    )
    if small is None or exact is None or len(small[0]) != len(exact[0]):
        return []
    typical = float(exact[0].abs().nan_to_num(0.0).max()) if len(exact[0]) else 0.0
    if not bool(((small[0] - exact[0]).abs() <= 64 * eps * typical).all()):
        return []  # forward itself is not accurate here: backward cannot be
    problems = []
    for i in examined.wanted:
        got, right = small[2].get(i), exact[2].get(i)
        examined.comparisons += 1
        if not isinstance(got, Tensor) or not isinstance(right, Tensor):
            continue
        fields = {"dtype": short(dtype), "name": examined.name(i, inputs)}
        uniform = len({inputs[j].dtype for j in examined.wanted}) == 1
        uniform = uniform and dtype == torch.float32 and small[3] == torch.float32
        if got.dtype != inputs[i].dtype and right.dtype == torch.float64 and uniform:
            kinds = {"returned": short(got.dtype), "expected": short(inputs[i].dtype)}
            point = Message("point.dtype", {"dtype": short(dtype)})
            problems.append(Problem("dtype", i, (Message("evidence.dtype", kinds),), point=point))
            continue
        if got.shape != right.shape or not bool(torch.isfinite(right).all()):
            continue
        usual = max(largest_of(g) for g in exact[2].values() if isinstance(g, Tensor))
        largest = max(largest_of(right), 1e-4 * usual)
        noise = _rounding(examined, cast(inputs, torch.float64), i, eps, small[1])
        tiniest = eps * float(torch.finfo(dtype).smallest_normal)
        most = (
            tolerance * largest
            + 64 * (noise + tiniest)
            + 4 * eps * usual_slope(exact[0], inputs[i])
        )
        off = _off(got, right)
        if off <= most or (dtype == torch.float16 and off == torch.inf):
            continue  # float16 overflows where nothing is wrong
        lost = not bool(torch.isfinite(got).all())
        if lost and overflows(examined, inputs, evaluation.point):
            continue
        same = by_autograd(examined, inputs, small[1]).get(i)
        if same is not None and _off(same, real(right)) > most:
            continue  # the operations of forward lose as much
        evidence = Message(
            "evidence.dtype_off", {**fields, "off": f"{off:.3g}", "size": f"{largest:.3g}"}
        )
        cause = "not_finite" if lost else "precision"
        point = Message("point.dtype", {"dtype": short(dtype)})
        problems.append(Problem(cause, i, (evidence,), point=point))
    return problems[:1]


def _off(first: Tensor, second: Tensor) -> float:
    """The largest deviation, infinite for nan."""
    apart = (real(first) - real(second)).abs().nan_to_num(torch.inf, torch.inf)
    return float(apart.max()) if apart.numel() else 0.0


def _rounding(
    examined: ExaminedTarget, inputs: list[Any], argument: int, eps: float, vector: Tensor
) -> float:
    """The change of the float64 gradient when the inputs change by the rounding `eps`."""
    generator = torch.Generator().manual_seed(5)
    found = []
    for scale in (0.0, eps, eps, eps):
        moved = list(inputs)
        for i in examined.wanted:
            noise = torch.randn(inputs[i].shape, generator=generator, dtype=torch.float64)
            moved[i] = inputs[i] * (1 + scale * noise)
        try:
            run = examined.run(moved)
            gradient = fit(examined.vjp(run, moved, vector), argument, inputs[argument])
        except Exception:  # at moved inputs anything may happen
            return torch.inf
        if gradient is None:
            return torch.inf
        found.append(real(gradient))
    if not len(found[0]):
        return 0.0
    return max(float((other - found[0]).abs().nan_to_num(0.0).max()) for other in found[1:])


def _finite_in(
    dtype: torch.dtype, examined: ExaminedTarget, evaluation: Evaluation
) -> list[Problem]:
    """A problem if a gradient in `dtype` is not finite, though forward and derivative are."""
    inputs = cast(evaluation.inputs, dtype)
    small = _gradients_in_dtype(examined, inputs)
    if small is None or not bool(torch.isfinite(small[0]).all()):
        return []
    most = torch.finfo(dtype).max / 1e6
    for sample in evaluation.samples:
        got = small[2].get(sample.argument)
        measured = sample.measured.value
        examined.comparisons += 1
        largest = float(measured.abs().max()) if measured.numel() else 0.0
        settled = sample.sure.all() and largest < most
        if not isinstance(got, Tensor) or not bool(settled) or sample.count:
            continue
        if not bool(torch.isfinite(got).all()):
            name = examined.name(sample.argument, inputs)
            bad = int((~torch.isfinite(got)).sum())
            fields = {"dtype": short(dtype), "name": name, "count": bad, "all": got.numel()}
            if overflows(examined, inputs, evaluation.point):
                return []
            evidence = Message("evidence.not_finite_in", fields)
            return [Problem("not_finite", sample.argument, (evidence,), point=evaluation.point)]
    return []
