"""Causes that are found by running again with one thing changed."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import torch

from derivable.examiner.checks.calls import cotangent
from derivable.examiner.checks.linearity import representable
from derivable.examiner.checks.returned import fit
from derivable.examiner.checks.values import GIVEN, Sample
from derivable.examiner.diagnose.evidence import Case, Fit
from derivable.examiner.finding import Message
from derivable.examiner.measure import EPS
from derivable.examiner.measure.space import real, size, unreal
from derivable.examiner.targets.derivatives import TargetDerivatives
from derivable.examiner.targets.recorder import changed_after_saving as changed_tensors
from derivable.examiner.targets.target import FunctionRun, FunctionSubject


def changed_after_saving(case: Case) -> list[Fit]:
    """With copies of what was saved, the gradient is right: something changed it since."""
    subject, sample = case.examined.subject, case.first
    if not isinstance(subject, FunctionSubject):
        return []
    run = case.examined.run(sample.inputs)
    changed = changed_tensors(run.ctx) if isinstance(run, FunctionRun) else []
    if not changed:
        return []
    position = changed[0]
    subject.protect = True
    try:
        look = case.examined.look(sample.inputs, sample.where)
    finally:
        subject.protect = False
    if look is None or any(s.count for s in look.samples if s.argument == case.argument):
        return []
    return [Fit("changed_after_saving", 0, (Message("evidence.changed", {"position": position}),))]


def stale(case: Case) -> list[Fit]:
    """The gradient returned at other inputs is the one that was right at the first ones."""
    looks = [look for look in case.looks if look.whole]
    if not looks or not looks[0].samples:
        return []
    shape = looks[0].samples[0].returned.shape
    same = [
        s
        for look in looks
        for s in look.samples
        if s.where.key in ("where.example", "where.again")
        and s.argument == case.argument
        and s.returned.shape == shape
    ]
    if len(same) < 2:
        return []
    first, later = same[0], [s for s in same[1:] if s.count]
    for sample in later:
        gap = (sample.returned - first.returned).abs().max()
        moved = (sample.measured.value - first.measured.value).abs().nan_to_num(0.0).max()
        if bool(gap <= 1e-12 * first.returned.abs().max()) and bool(moved > 1e-6):
            live = (first.measured.value != 0) | (sample.measured.value != 0)
            known = first.returned[live].abs()
            # A slope that is one number everywhere is the same at other inputs too.
            if first.off <= GIVEN and len(known) and bool(known.max() > 1.001 * known.min()):
                return [Fit("state", 0.5, (Message("evidence.stale"),))]
    return []


def frozen(case: Case) -> list[Fit]:
    """Forward gives the same outputs for other inputs, though backward says that it should not."""
    samples = [s for s in case.all_samples() if s.returned.shape == case.first.returned.shape]
    outputs = [torch.cat([real(o) for o in s.outputs]) for s in samples]
    if len(outputs) < 2 or not all(torch.equal(o, outputs[0]) for o in outputs[1:]):
        return []
    moved = any(not torch.equal(s.x, samples[0].x) for s in samples[1:])
    if len(outputs[0].unique()) < 2:
        return []  # a constant is no memory
    if not moved or bool((case.first.measured.value != 0).any()):
        return []
    return [Fit("state", 0.5, (Message("evidence.frozen"),))]


def other_option(case: Case) -> list[Fit]:
    """The returned gradient is that of forward with another value of an option."""
    sample, subject = case.first, case.examined.subject
    names = subject.names(len(sample.inputs))
    choices: list[tuple[Any, str, Any]] = [
        (position, names[position], value) for position, value in enumerate(sample.inputs)
    ]
    choices += [(None, name, value) for name, value in getattr(subject, "options", {}).items()]
    for position, name, value in choices:
        if not isinstance(value, bool | int | float | str):
            continue
        for rank, other in _alternatives(subject, name, value, sample):
            measured = _with_option(case, position, name, other)
            if measured is None:
                continue
            known = sample.sure & torch.isfinite(measured.value)
            scale = float(measured.value[known].abs().max()) if bool(known.any()) else 0.0
            gap = (sample.returned - measured.value)[known].abs()
            if not scale:
                continue
            deviation = (sample.returned - sample.measured.value)[known].abs().max()
            if not deviation or not bool((gap <= 1e-3 * deviation).all()):
                continue
            fields = {"name": name, "value": value, "other": other}
            said = (Message("evidence.option", fields),)
            if name in ("dim", "axis", "dims"):
                return [Fit("wrong_axis", 1.5, said), Fit("option", 2.5, said)]
            return [Fit("constant", rank, said), Fit("option", rank + 0.5, said)]
    return []


def _with_option(case: Case, position: int | None, name: str, other: Any) -> Any:
    """The Jacobian of forward with another option; None if it does not run or fit."""
    sample, subject = case.first, case.examined.subject
    inputs = list(sample.inputs)
    options: dict[str, Any] = getattr(subject, "options", {})
    kept = dict(options)
    if position is None:
        options[name] = other
    else:
        inputs[position] = other
    try:
        numeric = TargetDerivatives(subject, inputs, range(len(sample.outputs)))
        if len(numeric.at) != len(sample.returned):
            return None
        return numeric.jacobian(case.argument)
    except Exception:  # not every value is an option
        return None
    finally:
        options.update(kept)


def _alternatives(
    subject: Any, name: str, value: Any, sample: Sample
) -> Iterator[tuple[float, Any]]:
    """Other values that an option may be mistaken for, with the rank of that explanation."""
    rule = getattr(subject, "forward", subject.target)
    try:
        default = inspect.signature(rule).parameters[name].default
    except (KeyError, TypeError, ValueError):
        default = inspect.Parameter.empty
    if isinstance(default, bool | int | float | str) and default != value:
        yield 1.8, default
    if isinstance(value, bool):
        yield 2.0, not value
    elif isinstance(value, str):
        yield from ((2.0, word) for word in ("mean", "sum", "none", "tanh") if word != value)
    elif isinstance(value, int):
        axes = range(max(2, sample.x.ndim))
        others = dict.fromkeys(v for v in (*axes, value + 1, value - 1, -value) if v != value)
        yield from ((4.2, other) for other in others)
    elif value:
        found = (0.0, 1.0, -value, 2 * value, value / 2, value**2, abs(value) ** 0.5, 1 / value,
                 1 - value, value + 1, value - 1, 10 * value, value / 10, 1e-5, 1e-8, 0.01, 0.1,
                 0.5, 2.0)  # fmt: skip
        yield from ((3.9, other) for other in dict.fromkeys(v for v in found if v != value))


def precision(case: Case) -> list[Fit]:
    """Small, irregular deviations: numbers that passed through a smaller dtype."""
    if case.examined.eps > EPS:
        return []
    exact: Fit | None = None
    shares: list[float] = []
    for sample in case.wrong:
        known = sample.sure & (sample.measured.value != 0)
        if not bool(known.any()):
            return []
        scale = sample.measured.value[known].abs().max()
        gap = (sample.returned - sample.measured.value).abs()
        if bool((sample.wrong & ~known & (gap > 1e-6 * scale)).any()):
            return []
        if not float(gap[sample.sure].max()) < 0.01 * float(scale):
            return []
        dtype = representable(sample.returned[sample.wrong])
        if dtype:
            fields = {"dtype": dtype, "count": int(sample.wrong.sum())}
            exact = exact or Fit("precision", 0.8, (Message("evidence.representable", fields),))
            continue
        share = (gap / sample.measured.value.abs())[known]
        if float(share.max()) > 0.02 and float(sample.wrong[known].double().mean()) < 0.8:
            return []  # much in some places and nothing in others: that is no rounding
        shares.append(float(share.max()))
    if exact is not None:
        return [exact]
    step = _staircase(case)
    if step:
        return [Fit("precision", 0.9, (Message("evidence.staircase", {"size": f"{step:.1g}"}),))]
    if max(shares) > 0.02:
        return []
    largest = f"{max(shares):.2g}"
    return [Fit("constant", 9, (Message("evidence.nearly", {"size": largest}),))]


def cancellation(case: Case) -> list[Fit]:
    """The smaller the argument, the fewer digits are right: nearly equal numbers are subtracted."""
    if any(sample.where.key != "where.tiny" for sample in case.wrong):
        return []
    found: list[tuple[float, float]] = []  # the argument's size, and by how much it is off there
    for sample in case.all_samples():
        known = sample.sure & (sample.measured.value != 0)
        if sample.where.key == "where.tiny" and bool(known.any()):
            gap = (sample.returned - sample.measured.value)[known]
            share = gap.abs() / sample.measured.value[known].abs()
            found.append((float(sample.x.abs().mean()), float(share.max())))
    shares = [share for _, share in sorted(found, reverse=True)]
    gradual = any(1e-9 < share < 0.1 * shares[-1] for share in shares[:-1])
    if not gradual or shares != sorted(shares):
        return []
    listed = ", ".join(f"{share:.1g}" for share in shares)
    return [Fit("precision", 0.85, (Message("evidence.cancellation", {"shares": listed}),))]


def _staircase(case: Case) -> float:
    """How much the returned gradient trembles when the inputs move smoothly, relative to it.

    The stairs of a small dtype are wide: over short steps they are not seen, over long ones the
    course itself bends a little.
    """
    steps = {1e-6: 1e-11, 1e-4: 1e-9, 1e-3: 1e-7}  # and what a smooth course may leave there
    found = [noise for step, bend in steps.items() if (noise := _trembling(case, step)) > bend]
    return max(found, default=0.0)


def _trembling(case: Case, step: float) -> float:
    """What no quartic explains in the gradients at nine points `step` apart, relative to them."""
    sample, examined = case.first, case.examined
    generator = torch.Generator().manual_seed(6)
    x = real(sample.x)
    direction = torch.randn(size(sample.x), generator=generator).double() * x.abs().mean()
    found = []
    vector = cotangent(examined.run(sample.inputs))
    for i in range(9):
        inputs = list(sample.inputs)
        moved = x + step * (i - 4) * direction
        inputs[case.argument] = unreal(moved, sample.x)
        run = examined.run(inputs)
        gradient = fit(examined.pull(run, inputs, vector), case.argument, sample.x)
        if gradient is None:
            return 0.0
        found.append(real(gradient))
    table = torch.stack(found)
    scale = table.abs().max()
    for _ in range(5):
        table = table.diff(dim=0)
    return float(table.square().mean().sqrt() / 252**0.5 / scale) if float(scale) else 0.0
