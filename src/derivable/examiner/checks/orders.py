"""Problems of second order."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.checks.calls import random_grad_output
from derivable.examiner.checks.noise import accepted_noise, usual_slope
from derivable.examiner.checks.returned import Problem, fit, raised
from derivable.examiner.checks.values import ExaminedTarget
from derivable.examiner.measure import Measured
from derivable.examiner.measure.extrapolation import size_of
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
    outputs = joined([run.outputs[i] for i in run.differentiable])
    firsts = sum(usual_slope(outputs, inputs[i]) * size(inputs[i]) for i in examined.wanted)
    problems = []
    for i, found in zip(examined.wanted, second, strict=True):
        x = inputs[i]
        generator = torch.Generator().manual_seed(9 + i)
        for _ in range(2):
            direction = torch.randn(size(x), generator=generator).double()
            returned = float(real(found) @ direction) if found is not None else 0.0
            examined.comparisons += 1
            steps = float(direction.abs().sum()) / (size_of(real(x)) or 1.0)
            rounding = 64 * examined.eps * firsts * steps
            verdict, _ = _agreement(numeric.along(i, direction), weight, returned, rounding)
            if verdict == "agrees":
                continue
            refined = numeric.refined_along(i, direction)
            verdict, expected = _agreement(refined, weight, returned, rounding)
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
    noise = accepted_noise(examined, inputs, joined(grads))
    pairs = zip(noise, _weights(first), strict=True)
    if abs(derivative - expected) <= sum(most * float(w.abs().sum()) for most, w in pairs):
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


def _agreement(
    measured: Measured, weight: Tensor, returned: float, rounding: float
) -> tuple[str, float]:
    """Whether `returned` "agrees" with the measured value, "differs", or "?"; and that value."""
    expected = float(measured.value @ weight)
    doubt = 8 * float(measured.error @ weight.abs())
    typical = float((measured.value * weight).abs().sum())
    if bool(measured.kinks.any()) or not doubt < 1e-4 * typical:  # not for nan either
        return "?", expected
    agrees = abs(returned - expected) <= doubt + 1e-6 * typical + rounding
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
