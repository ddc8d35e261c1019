"""Causes in options: the gradient is that of forward with another value of an option."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

import torch

from derivable.examiner.checks.values import Sample
from derivable.examiner.diagnose.case import Case, once
from derivable.examiner.diagnose.evidence import EvidenceWithFields, Found
from derivable.examiner.targets.derivatives import TargetDerivatives

AXES = ("dim", "axis", "dims")  # names of options that are axes


@dataclass(frozen=True)
class OtherOption(EvidenceWithFields):
    """It is the gradient for another value of an option."""

    key = "evidence.option"
    name: str
    value: Any
    other: Any


class Source(Enum):
    """Where another value of an option comes from: the more telling, the earlier."""

    DEFAULT = "the default in the signature"
    WORD = "the other truth value, or another word"
    NUMBER = "another number"
    INTEGER = "another integer, of which some always fit"


class Choice(NamedTuple):
    """Another value of an option, with which forward has the returned gradient."""

    source: Source
    evidence: OtherOption


@once
def other_option(case: Case) -> Choice | None:
    """The value of an option with which forward has the returned gradient."""
    sample, adapter = case.first, case.examined.adapter
    names = adapter.names(len(sample.inputs))
    choices: list[tuple[Any, str, Any]] = [
        (position, names[position], value) for position, value in enumerate(sample.inputs)
    ]
    choices += [(None, name, value) for name, value in getattr(adapter, "options", {}).items()]
    for position, name, value in choices:
        if not isinstance(value, bool | int | float | str):
            continue
        for source, other in _alternatives(adapter, name, value, sample):
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
            return Choice(source, OtherOption(name, value, other))
    return None


def axis(case: Case) -> Found:
    """It is the gradient along another axis than that of the option."""
    choice = other_option(case)
    return (choice.evidence,) if choice and choice.evidence.name in AXES else None


def value_from(*sources: Source) -> Callable[[Case], Found]:
    """It is the gradient for another value of an option, of one of these sources."""

    def other_value(case: Case) -> Found:
        choice = other_option(case)
        return (choice.evidence,) if choice and choice.source in sources else None

    return other_value


def _with_option(case: Case, position: int | None, name: str, other: Any) -> Any:
    """The Jacobian of forward with another option; None if it does not run or fit."""
    sample, adapter = case.first, case.examined.adapter
    inputs = list(sample.inputs)
    options: dict[str, Any] = getattr(adapter, "options", {})
    kept = dict(options)
    if position is None:
        options[name] = other
    else:
        inputs[position] = other
    try:
        numeric = TargetDerivatives(adapter, inputs, range(len(sample.outputs)))
        if len(numeric.at) != len(sample.returned):
            return None
        return numeric.jacobian(case.argument)
    except Exception:  # not every value is an option
        return None
    finally:
        options.update(kept)


def _alternatives(
    adapter: Any, name: str, value: Any, sample: Sample
) -> Iterator[tuple[Source, Any]]:
    """Other values that an option may be mistaken for, and where they come from."""
    rule = getattr(adapter, "forward", adapter.target)
    try:
        default = inspect.signature(rule).parameters[name].default
    except (KeyError, TypeError, ValueError):
        default = inspect.Parameter.empty
    if isinstance(default, bool | int | float | str) and default != value:
        yield Source.DEFAULT, default
    if isinstance(value, bool):
        yield Source.WORD, not value
    elif isinstance(value, str):
        yield from (
            (Source.WORD, word) for word in ("mean", "sum", "none", "tanh") if word != value
        )
    elif isinstance(value, int):
        axes = range(max(2, sample.x.ndim))
        others = dict.fromkeys(v for v in (*axes, value + 1, value - 1, -value) if v != value)
        yield from ((Source.INTEGER, other) for other in others)
    elif value:
        found = (0.0, 1.0, -value, 2 * value, value / 2, value**2, abs(value) ** 0.5, 1 / value,
                 1 - value, value + 1, value - 1, 10 * value, value / 10, 1e-5, 1e-8, 0.01, 0.1,
                 0.5, 2.0)  # fmt: skip
        yield from (
            (Source.NUMBER, other) for other in dict.fromkeys(v for v in found if v != value)
        )
