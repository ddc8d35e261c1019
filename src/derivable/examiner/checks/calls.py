"""Problems of calls: changes in place, results that differ when repeated, shared state."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from torch import Tensor

from derivable.examiner.checks.returned import Problem, fit, raised, raised_at
from derivable.examiner.checks.values import ExaminedTarget
from derivable.examiner.checks.writes import writing_line
from derivable.examiner.measure.space import joined, parted
from derivable.examiner.message import Message
from derivable.examiner.targets.random_state import seeded
from derivable.examiner.targets.recorder import kept, same
from derivable.examiner.targets.target import FunctionRun, Inputs, Run, copied

SEEDS = range(1, 9)


def check_calls(examined: ExaminedTarget, inputs: Inputs, others: Inputs) -> list[Problem]:
    """Problems with repetition, changes in place, and shared state; `others` are other inputs.

    Sets on `examined` whether forward draws random numbers, whether each vjp needs its own
    forward, and whether forwards may run in batches.
    """
    problems = _repeatable(examined, inputs)
    if any(p.cause in ("random", "state") for p in problems):
        return problems
    examined.adapter.batchable = not examined.adapter.require_grad  # vmap has no requires_grad
    problems += forward_in_place(examined, inputs)
    problems += _backward_in_place(examined, inputs)
    examined.forward_per_vjp = bool(problems)
    problems += _backward_again(examined, inputs)
    if not any(p.cause in ("random", "state", "raises") for p in problems):
        problems += _interleaved(examined, inputs, others)
    if any(p.cause == "state" for p in problems):
        examined.adapter.batchable = False
    return problems


def random_grad_output(run: Run, seed: int = 3) -> Tensor:
    """A random, signed grad_output for the differentiable outputs of `run`, as one real vector."""
    count = len(joined([run.outputs[i] for i in run.differentiable]))
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, generator=generator).double()


def gradients(
    examined: ExaminedTarget, run: Run, inputs: Inputs, vector: Tensor
) -> list[Tensor | None]:
    """The wanted gradients for one grad_output, each in its argument's shape, or None."""
    returned = examined.vjp(run, inputs, vector)
    return [fit(returned, i, inputs[i]) for i in examined.wanted]


def differ(examined: ExaminedTarget, first: Any, second: Any, usual: float = 0.0) -> bool:
    """Whether two lists of gradients differ by more than rounding of gradients of size `usual`."""
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    largest = max([usual, *(_most(a) for a, _ in pairs)])  # one of them may be rounding alone
    share = max(1e-9, 1e3 * examined.eps)
    return any(
        not torch.allclose(a, b, rtol=share, atol=1e-3 * share * largest, equal_nan=True)
        for a, b in pairs
    )


def _most(tensor: Tensor) -> float:
    return float(tensor.abs().nan_to_num(0.0).max()) if tensor.numel() else 0.0


def _repeatable(examined: ExaminedTarget, inputs: Inputs) -> list[Problem]:
    """A problem if forward gives other outputs for the same inputs and the same seed."""
    adapter = examined.adapter
    before = _random_state()
    adapter.outputs(inputs)
    adapter.random = _random_state() != before
    known = _class_state(adapter.target)
    first, second = adapter.outputs(inputs), adapter.outputs(inputs)
    if not _alike(first, examined.run(inputs).outputs):  # forward depends on requires_grad
        adapter.require_grad = tuple(examined.wanted)
        first, second = adapter.outputs(inputs), adapter.outputs(inputs)
    examined.comparisons += 1
    if _alike(first, second):
        return []
    changed = [name for name, v in _class_state(adapter.target).items() if known.get(name) != v]
    evidence = Message("evidence.forward_again")
    if changed:
        return [Problem("state", None, (evidence, Message("evidence.class", {"name": changed[0]})))]
    return [Problem("random", None, (evidence,))]


def _alike(first: tuple[Any, ...], second: tuple[Any, ...]) -> bool:
    """Whether outputs have the same bits, or differ only as sums in another order do."""
    return len(first) == len(second) and (
        all(same(a, b) for a, b in zip(first, second, strict=True))
        or all(
            torch.allclose(a, b, rtol=1e-12, atol=1e-14, equal_nan=True)
            for a, b in zip(first, second, strict=True)
            if isinstance(a, Tensor) and isinstance(b, Tensor) and a.shape == b.shape
        )
    )


def _random_state() -> tuple[Any, ...]:
    numpy_state: Any = np.random.get_state(legacy=True)
    return (
        torch.get_rng_state().numpy().tobytes(),
        numpy_state[1].tobytes(),
        numpy_state[2],
        random.getstate(),
    )


def _class_state(target: Any) -> dict[str, int]:
    """The identities of the attributes of a class, to detect which of them a call replaces."""
    if not isinstance(target, type):
        return {}
    return {n: id(v) for n, v in vars(target).items() if not n.startswith("__")}


def forward_in_place(examined: ExaminedTarget, inputs: Inputs) -> list[Problem]:
    """A problem for each examined input that forward changes without mark_dirty."""
    run = examined.run(inputs)
    dirty = run.ctx._dirty if isinstance(run, FunctionRun) else ()
    given = examined.adapter.given(inputs)
    problems = []
    for i in examined.wanted:
        examined.comparisons += 1
        if any(run.inputs[i] is marked for marked in dirty):
            continue
        changed = not same(run.inputs[i], given[i])
        written = isinstance(run, FunctionRun) and run.inputs[i]._version > 0
        if changed or written:
            key = "evidence.forward_changes" if changed else "evidence.forward_writes"
            evidence = Message(key, {"name": examined.name(i, inputs)})
            line = writing_line(examined.adapter, inputs, i)
            problems.append(Problem("in_place", i, (evidence,), rule="forward", source=line))
    return problems


def _backward_in_place(examined: ExaminedTarget, inputs: Inputs) -> list[Problem]:
    """Problems if backward changes grad_output, an input, or a tensor that forward kept."""
    run = examined.run(inputs)
    likes = [run.outputs[i] for i in run.differentiable]
    grads = parted(random_grad_output(run), likes)
    given = [g.clone() for g in grads]
    saved = kept(run.ctx) if isinstance(run, FunctionRun) else []
    before = [k.clone() for k in saved]
    values = [copied(v, False) for v in run.inputs]
    try:
        run.vjp(given)
    except Exception:  # reported by `_backward_again`
        return []
    examined.comparisons += len(given) + len(saved)
    problems = []
    if not all(same(a, b) for a, b in zip(grads, given, strict=True)):
        problems.append(Problem("in_place", None, (Message("evidence.grad_output_changes"),)))
    inputs_changed = [i for i, v in enumerate(values) if not same(v, run.inputs[i])]
    if inputs_changed:
        name = examined.name(inputs_changed[0], inputs)
        evidence = Message("evidence.backward_changes", {"name": name})
        problems.append(Problem("in_place", None, (evidence,)))
    elif not all(same(a, b) for a, b in zip(before, saved, strict=True)):
        problems.append(Problem("in_place", None, (Message("evidence.saved_changes"),)))
    return problems


def _backward_again(examined: ExaminedTarget, inputs: Inputs) -> list[Problem]:
    """A problem if backward gives other gradients again: after the same or another forward."""
    run = examined.run(inputs)
    vector = random_grad_output(run)
    before = _random_state()
    try:
        first = gradients(examined, run, inputs, vector)
    except Exception as error:
        return [Problem("raises", None, (raised(error),), source=raised_at(error))]
    draws = _random_state() != before
    examined.comparisons += 2
    try:
        second = gradients(examined, run, inputs, vector)
    except Exception as error:
        evidence = (Message("evidence.backward_once"), raised(error))
        return [Problem("state", None, evidence, source=raised_at(error))]
    if draws and (differ(examined, first, second) or _drawn(examined, inputs)):
        return [Problem("random", None, (Message("evidence.backward_draws"),))]
    if differ(examined, first, second):
        return [Problem("state", None, (Message("evidence.backward_again"),))]
    if differ(examined, first, gradients(examined, examined.run(inputs), inputs, vector)):
        return [Problem("state", None, (Message("evidence.call_again"),))]
    return []


def _drawn(examined: ExaminedTarget, inputs: Inputs) -> bool:
    """Whether the gradients depend on the seed from which backward starts.

    A sample of a distribution with one likely value is the same for most seeds.
    """
    found = []
    for seed in SEEDS:
        run = examined.run(inputs)
        with seeded(seed):
            found.append(gradients(examined, run, inputs, random_grad_output(run)))
    return any(differ(examined, found[0], other) for other in found[1:])


def _interleaved(examined: ExaminedTarget, inputs: Inputs, others: Inputs) -> list[Problem]:
    """A problem if a second forward changes the gradients of the first one."""
    fresh, examined.forward_per_vjp = examined.forward_per_vjp, False
    try:
        run = examined.run(inputs)
        vector = random_grad_output(run)
        alone = gradients(examined, run, inputs, vector)
        first = examined.run(inputs)
        examined.run(others)
        mixed = gradients(examined, first, inputs, vector)
    except Exception:  # `others` may be inputs that forward refuses
        return []
    finally:
        examined.forward_per_vjp = fresh
    examined.comparisons += 1
    if differ(examined, alone, mixed):
        return [Problem("state", None, (Message("evidence.interleaved"),))]
    return _same_tensors(examined, inputs, others)


def _copied_unless_tensor(value: Any) -> Any:
    """A copy of a random generator; any tensor itself."""
    return value if isinstance(value, Tensor) else copied(value, False)


def _same_tensors(examined: ExaminedTarget, inputs: Inputs, others: Inputs) -> list[Problem]:
    """A problem if results are cached by the identity of tensors whose values have changed."""
    try:
        tensors = [copied(v, False) for v in inputs]
        fresh = gradients(
            examined, examined.run(others), others, random_grad_output(examined.run(others))
        )
        for tensor, i in zip(tensors, range(len(inputs)), strict=True):
            if i in examined.wanted:
                tensor.requires_grad_()
        examined.adapter.run_on([_copied_unless_tensor(v) for v in tensors], examined.wanted)
        with torch.no_grad():
            for tensor, other in zip(tensors, others, strict=True):
                if isinstance(tensor, Tensor):
                    tensor.copy_(other)
        run = examined.adapter.run_on([_copied_unless_tensor(v) for v in tensors], examined.wanted)
        again = (
            gradients(examined, run, others, random_grad_output(run))
            if not examined.forward_per_vjp
            else fresh
        )
    except Exception:  # `others` may be inputs that forward refuses
        return []
    examined.comparisons += 1
    if not examined.adapter.random and differ(examined, fresh, again):
        if _drawn(examined, others):
            return [Problem("random", None, (Message("evidence.backward_draws"),))]
        return [Problem("state", None, (Message("evidence.same_tensors"),))]
    return []
