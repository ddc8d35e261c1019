"""Problems of second order and of smaller floating-point dtypes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.checks.calls import forward_in_place, random_grad_output
from derivable.examiner.checks.returned import Problem, fit, raised, short
from derivable.examiner.checks.values import Evaluation, ExaminedTarget
from derivable.examiner.measure import Measured
from derivable.examiner.measure.space import joined, parted, real, size, unreal
from derivable.examiner.message import Message
from derivable.examiner.targets.derivatives import TargetDerivatives
from derivable.examiner.targets.target import Adapter, Inputs, Run, is_float
from derivable.function.gradients import as_tuple


class GradientAdapter(Adapter):
    """An adapter whose outputs are the gradients of a target for a fixed grad_output."""

    def __init__(self, examined: ExaminedTarget, vector: Tensor) -> None:
        super().__init__(examined.adapter.name, examined.adapter.target)
        self.examined, self.vector = examined, vector

    def run(self, inputs: Inputs, wanted: Sequence[int]) -> Run:
        """One backward by hand, its gradients as the outputs."""
        run = self.examined.run(inputs)
        returned = self.examined.vjp(run, inputs, self.vector)
        fitted = [fit(returned, i, inputs[i]) for i in self.examined.wanted]
        outputs = [torch.zeros_like(inputs[i]) if g is None else g
                   for i, g in zip(self.examined.wanted, fitted, strict=True)]  # fmt: skip
        return Run(tuple(outputs), range(len(outputs)), inputs)


def second_order(examined: ExaminedTarget, inputs: Inputs) -> tuple[list[Problem], list[Message]]:
    """Problems where autograd's derivative of backward differs from the measured one, and notes.

    A backward that raises when it is differentiated is a note.
    """
    forms = examined.adapter.forms
    if not all(form.twice for i, form in forms.items() if i in examined.wanted):
        return [], [Message("note.no_second_order", {"text": Message("note.sparse")})]
    if not getattr(examined.adapter, "recordable", True):
        return [], []  # autograd never runs it
    run = examined.run(inputs)
    vector = random_grad_output(run)
    leaves = [
        v.detach().clone().requires_grad_() if i in examined.wanted else v
        for i, v in enumerate(inputs)
    ]
    grads = [
        g.requires_grad_() for g in parted(vector, [run.outputs[i] for i in run.differentiable])
    ]
    try:
        first, second, of_grads = _twice(examined, leaves, grads)
    except Exception as error:
        text = Message("note.once") if isinstance(error, OnceError) else raised(error)
        return [], [Message("note.no_second_order", {"text": text})]
    numeric = TargetDerivatives(
        GradientAdapter(examined, vector), inputs, range(len(examined.wanted)),
        complex_step=False,  # inside an iteration it may not have converged
    )  # fmt: skip
    weight = torch.cat([real(w) for w in _weights(first)])  # (n,), one per entry of the gradients
    problems = []
    for i, found in zip(examined.wanted, second, strict=True):
        x = inputs[i]
        generator = torch.Generator().manual_seed(9 + i)
        for _ in range(2):
            direction = torch.randn(size(x), generator=generator).double()
            returned = float(real(found) @ direction) if found is not None else 0.0
            examined.comparisons += 1
            verdict, _ = _agreement(numeric.along(i, direction), weight, returned)
            if verdict == "agrees":
                continue
            verdict, expected = _agreement(numeric.refined_along(i, direction), weight, returned)
            if verdict != "differs":
                continue
            fields = {
                "name": examined.name(i, inputs),
                "returned": f"{returned:.6g}", "measured": f"{expected:.6g}",
            }  # fmt: skip
            key = "evidence.second_none" if found is None else "evidence.second"
            problems.append(Problem("second_order", i, (Message(key, fields),)))
            break
    if not problems:
        problems = _through_grad_output(examined, inputs, first, grads, of_grads)
    return problems[:1], []


def _through_grad_output(
    examined: ExaminedTarget, inputs: Inputs, first: list[Tensor], grads: list[Tensor],
    returned: list[Tensor | None],
) -> list[Problem]:  # fmt: skip
    """A problem if autograd's derivative of backward by grad_output is wrong.

    The derivative of a linear function along its argument is its value. A backward that leaves
    autograd, by .detach() or NumPy, is a constant for it, so that the Hessian of a loss after a
    linear forward is silently zero.
    """
    terms = joined(first) * joined(_weights(first))
    expected, typical = float(terms.sum()), float(terms.abs().sum())
    found = [real(d) @ real(g) for d, g in zip(returned, grads, strict=True) if d is not None]
    derivative = float(sum(found))
    examined.comparisons += 1
    if not abs(derivative - expected) > 1e-6 * typical:  # nor for nan
        return []
    vector = joined(grads)
    once, twice = (_gradients_at(examined, inputs, c * vector) for c in (1.0, 2.0))
    if not float((twice - 2 * once).abs().sum()) <= 1e-6 * float(once.abs().sum()):
        return []  # it is not linear, as a clipped gradient is not
    fields = {"returned": f"{derivative:.6g}", "measured": f"{expected:.6g}"}
    return [Problem("second_order", None, (Message("evidence.second_grad_output", fields),))]


def _gradients_at(examined: ExaminedTarget, inputs: Inputs, vector: Tensor) -> Tensor:
    """All gradients for one grad_output, as one float64 vector."""
    run = examined.run(inputs)
    returned = examined.vjp(run, inputs, vector)
    fitted = [fit(returned, i, inputs[i]) for i in examined.wanted]
    return joined([torch.zeros_like(inputs[i]) if g is None else g
                   for i, g in zip(examined.wanted, fitted, strict=True)])  # fmt: skip


def _agreement(measured: Measured, weight: Tensor, returned: float) -> tuple[str, float]:
    """Whether `returned` "agrees" with the measured value, "differs", or "?"; and that value."""
    expected = float(measured.value @ weight)
    doubt = 8 * float(measured.error @ weight.abs())
    typical = float((measured.value * weight).abs().sum())
    if bool(measured.kinks.any()) or not doubt < 1e-4 * typical:  # not for nan either
        return "?", expected
    agrees = abs(returned - expected) <= doubt + 1e-6 * typical
    return ("agrees" if agrees else "differs"), expected


def _weights(gradients: Sequence[Tensor]) -> list[Tensor]:
    """Random weights for a sum over all entries of the gradients."""
    generator = torch.Generator().manual_seed(8)
    return [
        unreal(torch.randn(size(g), generator=generator).double(), g.detach()) for g in gradients
    ]


def _twice(
    examined: ExaminedTarget, leaves: list[Any], grads: list[Tensor]
) -> tuple[list[Tensor], list[Tensor | None], list[Tensor | None]]:
    """The gradients under autograd, and those of their weighted sum: in inputs, in grad_output."""
    wanted = [leaves[i] for i in examined.wanted]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calls = [v.clone() if isinstance(v, Tensor) and v.requires_grad else v for v in leaves]
        recorded = as_tuple(examined.adapter.recorded(calls))
        outputs = [o for o in recorded if is_float(o) and o.requires_grad]
        found = torch.autograd.grad(outputs, wanted, grads, create_graph=True, allow_unused=True)
        first = [
            torch.zeros_like(x) if g is None else g for g, x in zip(found, wanted, strict=True)
        ]
        total = sum(
            ((g * w.conj()).real if g.is_complex() else g * w).sum()
            for g, w in zip(first, _weights(first), strict=True)
        )
        if isinstance(total, Tensor) and _refuses(total):
            raise OnceError
        if not isinstance(total, Tensor) or not total.requires_grad:
            return [g.detach() for g in first], [None for _ in wanted], [None for _ in grads]
        again = torch.autograd.grad(total, [*wanted, *grads], allow_unused=True)
    cut = len(wanted)
    return [g.detach() for g in first], list(again[:cut]), list(again[cut:])


class OnceError(Exception):
    """Backward is marked @once_differentiable."""


def _refuses(total: Tensor) -> bool:
    """Whether the graph has a node that raises because of @once_differentiable.

    torch.autograd.grad skips such a node silently.
    """
    nodes, seen = [total.grad_fn], set()
    while nodes:
        node = nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node.name().endswith("Error"):
            return True
        nodes += [following for following, _ in node.next_functions]
    return False


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
        usual = max(_most(g) for g in exact[2].values())
        largest = max(_most(right), 1e-4 * usual)
        noise = _rounding(examined, cast(inputs, torch.float64), i, eps, small[1])
        off = (
            float((real(got) - real(right)).abs().nan_to_num(torch.inf, torch.inf).max())
            if right.numel()
            else 0.0
        )
        if off <= tolerance * largest + 64 * noise or (dtype == torch.float16 and off == torch.inf):
            continue  # float16 overflows where nothing is wrong
        evidence = Message(
            "evidence.dtype_off", {**fields, "off": f"{off:.3g}", "size": f"{largest:.3g}"}
        )
        cause = "precision" if bool(torch.isfinite(got).all()) else "not_finite"
        point = Message("point.dtype", {"dtype": short(dtype)})
        problems.append(Problem(cause, i, (evidence,), point=point))
    return problems[:1]


def _most(gradient: Any) -> float:
    """The largest finite entry."""
    if not isinstance(gradient, Tensor) or not gradient.numel():
        return 0.0
    return float(gradient.abs().nan_to_num(0.0, 0.0).max())


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
            evidence = Message("evidence.not_finite_in", fields)
            return [Problem("not_finite", sample.argument, (evidence,), point=evaluation.point)]
    return []
