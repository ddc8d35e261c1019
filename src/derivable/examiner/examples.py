"""`chosen`: the examples at which a target is examined: given, declared, its own, or found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from derivable.errors import InputError
from derivable.examiner.inputs.found import Search
from derivable.examiner.message import Message
from derivable.examiner.messages import error_of
from derivable.examiner.targets.adapters import Known
from derivable.examiner.targets.jax_functions import JaxAdapter, tensors_of
from derivable.examiner.targets.random_state import seeded
from derivable.examiner.targets.target import FunctionAdapter, Inputs


@dataclass(frozen=True)
class Chosen:
    """The inputs of each example, by position, and notes on what was chosen."""

    examples: Sequence[list[Any]]
    notes: Sequence[Message] = ()


def chosen(
    target: Any,
    adapter: Known,
    inputs: Inputs,
    options: dict[str, Any],
    own: Callable[[], Any] | None,
    seed: int,
) -> Chosen:
    """The given inputs; else those of `own`; else what a search finds, with a note.

    None for a forward that is still to be written, with a note. Raises InputError where
    nothing is found.
    """
    if inputs or options:
        return Chosen([_bound(adapter, inputs, options)])
    if own is not None:
        with seeded(seed):
            known = own()
        several = [known] if isinstance(known, tuple) else list(known)
        return Chosen([_bound(adapter, example, {}) for example in several])
    search = Search(target, seed)
    found = search.found()
    if found is not None:
        return Chosen([_bound(adapter, found.inputs, found.options)], [found.message])
    if search.unfinished is not None:
        return Chosen([], [search.unfinished])
    raise error_of(
        InputError, "error.no_inputs_found",
        function=adapter.name, refusal=search.refusal(),
    )  # fmt: skip


def _bound(adapter: Known, inputs: Inputs, options: dict[str, Any]) -> list[Any]:
    """The inputs in forward's order, then a module's parameters."""
    if isinstance(adapter, FunctionAdapter):
        return adapter.bind(inputs, options)
    adapter.options = options
    given = tensors_of(inputs) if isinstance(adapter, JaxAdapter) else inputs
    return [*given, *adapter.parameters.values()]
