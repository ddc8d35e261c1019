"""A second examination, where something seems wrong at inputs at which forward over- or underflows.

At such inputs a right formula returns nan, infinity or 0 as easily as a wrong one. A wrong one is
wrong at moderate inputs, too.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.checks import dtypes
from derivable.examiner.finding import Section, Verdict
from derivable.examiner.inputs.contracts import Contract, structure
from derivable.examiner.message import Message
from derivable.examiner.report import Report
from derivable.examiner.targets.extent import Extent, extent, extreme
from derivable.examiner.targets.target import Adapter, Inputs, is_float

WITHIN = (0.5, 0.1)  # powers of ten from 1 that moderate entries may be; tried in this order


def moderated(
    adapter: Adapter, given: Inputs, contracts: Mapping[int, Contract], overflow_alone: bool
) -> tuple[list[Any], list[str]] | None:
    """Moderate inputs instead of `given`, and the names of those that differ.

    None where forward neither overflows nor underflows at `given`, or does so at any moderate ones.
    `overflow_alone`: an underflow does not count.
    """
    inputs = dtypes.cast(given, torch.float64)
    found = _reached(adapter, inputs)
    if found is None:  # forward runs in its own dtype only
        inputs = list(given)
        found = _reached(adapter, inputs)
    if found is None or not (found.large or (found.small and not overflow_alone)):
        return None
    names = adapter.names(len(inputs))
    for within, chosen in itertools.product(WITHIN, _groups(inputs)):
        moved = [
            _moderate(v, within, contracts.get(i)) if i in chosen else v
            for i, v in enumerate(inputs)
        ]
        if _holds(moved, contracts) and _reached(adapter, moved) == Extent():
            changed = [
                value.to(old.dtype).requires_grad_(old.requires_grad) if i in chosen else old
                for i, (value, old) in enumerate(zip(moved, given, strict=True))
            ]
            return changed, [names[i] for i in chosen]
    return None


def at_moderate_inputs(first: Report, second: Report, moderate: Inputs, names: list[str]) -> Report:
    """The report on both examinations.

    What is wrong at moderate inputs is wrong. Else it is right where `first` is, and first order is
    not decided where it is not.
    """
    if first.ok and second.verdict is not Verdict.WRONG:
        return first
    findings = [f if f.inputs else replace(f, inputs=moderate) for f in second.findings]
    notes = (*second.notes, Message("note.moderate_inputs", {"names": ", ".join(names)}))
    both = replace(
        second, findings=tuple(findings), notes=notes,
        example=first.example, inputs=first.inputs, gradients=first.gradients,
        seconds=first.seconds + second.seconds, calls=first.calls + second.calls,
    )  # fmt: skip
    if both.verdict is Verdict.WRONG:
        return both
    seen = _seen(first)
    there = (Message("note.not_counted", {"seen": seen}),) if seen else first.notes[-1:]
    sections = {**both.sections, Section.FIRST_ORDER: Verdict.INCONCLUSIVE}
    return replace(both, verdict=Verdict.INCONCLUSIVE, notes=(*notes, *there), sections=sections)


def _seen(report: Report) -> list[Message]:
    """What would make the target wrong: each cause, with the arguments that it concerns."""
    causes: dict[str, list[str]] = {}
    for finding in report.findings:
        if report.settings.level.fails(finding):
            causes.setdefault(finding.cause, []).append(finding.argument or report.function)
    return [
        Message("note.seen", {"cause": Message(f"cause.{cause}"), "names": ", ".join(arguments)})
        for cause, arguments in causes.items()
    ]


def _reached(adapter: Adapter, inputs: Inputs) -> Extent | None:
    """The Extent of forward, `large` for extreme inputs and outputs, too; None if it raises."""
    try:
        found = extent(adapter, inputs)
        outputs = [o for o in adapter.value(inputs) if is_float(o)]
    except Exception:  # forward may not run in float64, or refuse moderate values
        return None
    finite = all(bool(torch.isfinite(o).all()) for o in outputs)
    return Extent(found.large or extreme(inputs) or not finite, found.small)


def _groups(inputs: Inputs) -> list[list[int]]:
    """Positions of arguments to change: one alone, or all."""
    floats = [i for i, v in enumerate(inputs) if is_float(v) and v.numel()]
    return [*([i] for i in floats), *([floats] if len(floats) > 1 else [])]


def _moderate(x: Tensor, within: float, contract: Contract | None) -> Tensor:
    """Entries of the same signs in the same order, raised to a power that makes them moderate."""
    x = x.detach()
    kind = contract or structure(x)
    sizes = x.abs()
    inside = torch.isfinite(sizes) & (sizes > 0)
    if not bool(inside.any()):
        return x
    furthest = float(sizes[inside].log10().abs().max())
    power = min(1.0, within / furthest) if furthest else 1.0
    moved = torch.where(inside, x * sizes ** (power - 1), x)
    return moved if kind is None else kind.restore(moved)


def _holds(inputs: Inputs, contracts: Mapping[int, Contract]) -> bool:
    return all(contract.holds(inputs[i]) for i, contract in contracts.items())
