"""`prepare`: makes the `Setup` of an examination: dtypes, contracts, references, the budget."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from derivable.errors import InputError
from derivable.examiner.checks import dtypes
from derivable.examiner.checks.calls import random_grad_output
from derivable.examiner.checks.check import Setup
from derivable.examiner.checks.reference import compare_references
from derivable.examiner.checks.values import ExaminedTarget
from derivable.examiner.inputs.applicability import Applicability
from derivable.examiner.inputs.contracts import Contract
from derivable.examiner.inputs.probes import Probes
from derivable.examiner.inputs.recognised import settled
from derivable.examiner.measure import EPS
from derivable.examiner.measure.budget import Budget
from derivable.examiner.message import Message
from derivable.examiner.messages import error_of
from derivable.examiner.settings import Settings
from derivable.examiner.targets.target import Adapter, Inputs, is_float
from derivable.function.compiled import DispatchMode
from derivable.function.gradients import as_tuple

MOST_CALLS = 40_000  # of forward, enough for one of few operations that cannot be batched
FEWEST_CALLS = 300  # of forward, however expensive it is
MOST_WORK = 1_500_000  # in operations; each ENTRIES written entries count as one more
ENTRIES = 10_000


@dataclass(frozen=True)
class Prepared:
    """A setup, and notes for the report."""

    setup: Setup
    notes: tuple[Message, ...] = ()


def prepare(
    adapter: Adapter, given: Inputs, settings: Settings, contracts: dict[int, Contract]
) -> Prepared:
    """The setup for one examination; contracts that are recognised are added to the given ones.

    Raises InputError if no input can have a gradient, if forward or a reference raises at the given
    inputs, and for sparse outputs.
    """
    adapter.budget = Budget()  # unlimited during the setup
    wanted = [i for i, v in enumerate(given) if is_float(v) and v.requires_grad]
    wanted = wanted or [i for i, v in enumerate(given) if is_float(v)]
    wanted = [i for i in wanted if not getattr(contracts.get(i), "discrete", False)]
    if not wanted:
        raise error_of(InputError, "error.no_float", function=adapter.name)
    inputs = [v.detach() if isinstance(v, Tensor) else v for v in given]
    try:
        outputs = adapter.outputs(inputs)
    except Exception as error:  # whatever the user's forward raises
        raise error_of(
            InputError, "error.forward_raises",
            function=adapter.name, error=type(error).__name__, text=_one_line(error, 200),
        ) from error  # fmt: skip
    _refuse_sparse(adapter.name, outputs)
    examined = ExaminedTarget(adapter, wanted, values=settings.surrogate is None)
    examined.reference = settings.reference
    examined.low_precision = all(torch.finfo(inputs[i].dtype).eps > EPS for i in wanted)
    notes: list[Message] = []
    used = _in_float64(examined, inputs)
    examined.eps = max(EPS, *(float(torch.finfo(v.dtype).eps) for v in used if is_float(v)))
    if used is inputs and examined.eps > EPS:
        notes.append(Message("note.own_dtype"))
    if settings.surrogate is not None:
        notes.append(Message("note.surrogate", {"why": settings.surrogate}))
    notes += settled(adapter, contracts, used)
    compare_references(examined, used)
    adapter.budget = Budget(settings.budget or _usual_calls(adapter, used), settings.timeout)
    own = len(used) - len(adapter.parameters)
    probes = Probes(used, wanted, settings.seed, own, contracts)
    return Prepared(
        Setup(settings, examined, used, probes, Applicability(adapter, used)), tuple(notes)
    )


def _in_float64(examined: ExaminedTarget, inputs: list[Any]) -> list[Any]:
    """The inputs in float64; unchanged if forward and backward run only in their own dtype."""
    exact = dtypes.cast(inputs, torch.float64)
    if _runs(examined, exact):
        return exact
    if _runs(examined, inputs):
        return inputs
    try:  # backward raises in both dtypes, so that forward decides
        examined.adapter.outputs(exact)
    except Exception:  # forward uses tensors of a fixed dtype
        return inputs
    return exact


def _runs(examined: ExaminedTarget, inputs: list[Any]) -> bool:
    """Whether one forward and one backward run."""
    try:
        run = examined.run(inputs)
        if run.differentiable:
            examined.vjp(run, inputs, random_grad_output(run))
    except Exception:
        return False
    return True


def _refuse_sparse(name: str, outputs: Sequence[Any]) -> None:
    """Raise InputError for an output whose entries are not all stored."""
    for output in outputs:
        if is_float(output) and output.layout != torch.strided:
            layout = str(output.layout).removeprefix("torch.")
            raise error_of(InputError, "error.sparse_output", function=name, layout=layout)


def _one_line(error: Exception, most: int) -> str:
    return " ".join(str(error).split())[:most]


class _Work(DispatchMode):
    """Counts operations and the entries that they write; the count is the same on any machine."""

    def __init__(self) -> None:
        super().__init__()
        self.amount = 0.0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        written = sum(v.numel() for v in as_tuple(result) if isinstance(v, Tensor))
        self.amount += 1 + written / ENTRIES
        return result


def _usual_calls(adapter: Adapter, inputs: Sequence[Any]) -> int:
    """How many calls an examination of this forward may make."""
    work = _Work()
    try:
        with work, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            adapter.value(inputs)
    except Exception:  # forward may not run under a dispatch mode
        return MOST_CALLS
    calls = int(MOST_WORK / max(1.0, work.amount, adapter.work))
    return max(FEWEST_CALLS, min(MOST_CALLS, calls))
