"""`found_inputs`: finds inputs for a target that was given none, and states them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from derivable.examiner.inputs import found_drafts, found_names
from derivable.examiner.inputs.found_documented import documented_shapes, fulfilled
from derivable.examiner.inputs.found_slots import Slot, slot_of
from derivable.examiner.inputs.found_specs import described, make
from derivable.examiner.inputs.found_trial import Outcome, Trials
from derivable.examiner.inputs.found_usage import Usage, domains_of, graded, usage_of, words_of
from derivable.examiner.inputs.text import takes
from derivable.examiner.message import Message
from derivable.examiner.targets.adapters import adapter_of
from derivable.examiner.targets.random_state import seeded
from derivable.examiner.targets.target import Adapter, FunctionAdapter, is_float

MORE = 60  # candidates that are tried after the first at which forward runs
PARAMETERS = ("b", "shift", "gain")  # roles of what is broadcast by convention
LEFT = ("generator", "gen", "rng", "dtype", "seed", "eps")  # options that are left at None
COMPLEX = {"conj", "imag", "view_as_real", "resolve_conj", "is_complex"}
SOFT = ("softmax", "log_softmax", "logsumexp", "cross_entropy", "nll_loss")


@dataclass(frozen=True)
class Found:
    """Inputs at which a forward runs, and where they come from.

    `inputs` by position and `options` by keyword, as forward takes them; `message` states what
    was chosen and from what, and how to give others.
    """

    inputs: tuple[Any, ...]
    message: Message
    options: dict[str, Any] = field(default_factory=dict)


def found_inputs(target: Any, seed: int = 0) -> Found | None:
    """Inputs for `target`: a Function, a plain class with a forward and a backward, a callable.

    The sources in their order: examples() of the class, calls in docstrings and tests nearby,
    annotations, shapes in docstrings, names of arguments, else a search over small shapes, dtypes
    and values until forward runs and depends on each tensor. Runs forward at most some hundred
    times; the choice depends on `seed` only. None if forward runs nowhere; a Search states what it
    raised.
    """
    return Search(target, seed).found()


class Search:
    """One search: the arguments of a forward, what was tried, and what was found."""

    def __init__(self, target: Any, seed: int = 0) -> None:
        self.target, self.seed = target, seed
        self.adapter: Adapter = adapter_of(target)
        self.trials = Trials(self.adapter)
        self.slots: list[Slot] = []
        self.names: list[str] = []

    def found(self) -> Found | None:
        """The first source that has inputs at which forward runs."""
        examples = getattr(self.target, "examples", None)
        if callable(examples):
            with seeded(self.seed):
                given = examples()
            first = given if isinstance(given, tuple) else next(iter(given))
            return Found(tuple(first), Message("found.examples"))
        return self._written() or self._drafted()

    @property
    def unfinished(self) -> Message | None:
        """A note where forward is unfinished: it returned None, or raised NotImplementedError."""
        if self.trials.nothing:
            return Message("note.forward_none")
        errors = [error for _, error in self.trials.refusals]
        says_so = errors and all(isinstance(error, NotImplementedError) for error in errors)
        return Message("note.forward_not_implemented") if says_so else None

    def refusal(self) -> Message | str:
        """What forward raised at the first candidate, after a colon; "" if nothing was tried."""
        if not self.trials.refusals:
            return ""
        inputs, error = self.trials.refusals[0]
        shapes = ", ".join(str(tuple(v.shape)) if isinstance(v, Tensor) else repr(v)[:20]
                           for v in inputs)  # fmt: skip
        text = " ".join(str(error).split())[:120]
        name = type(error).__name__
        return Message("error.refusal", {"error": name, "shapes": shapes, "text": text})

    def _written(self) -> Found | None:
        """Inputs of a call in a docstring, in the same file or in a test of it."""
        from derivable.examiner.inputs.found_literals import written_calls

        for call in written_calls(self.target):
            inputs = call.inputs(self.seed)
            outcome = self.trials.outcome(inputs) if inputs is not None else None
            if outcome is not None:
                fields = {"inputs": call.text, "location": call.location}
                return Found(tuple(outcome.inputs), Message("found.call", fields))
        return None

    def _drafted(self) -> Found | None:
        """Inputs by annotations, names and search."""
        try:
            parameters = takes(self.target)
        except (TypeError, ValueError):  # a builtin without a signature
            parameters = {}
        self.slots = list(_slots(self.target, self.adapter, parameters))
        if not self.slots:
            return None
        self.trials.keywords = {i: s.name for i, s in enumerate(self.slots) if s.keyword}
        words = words_of(_rules(self.target, self.adapter))  # of forward
        probabilities = bool(words & set(SOFT))
        if words & COMPLEX:
            self.slots = [replace(s, domain=s.domain or "complex") for s in self.slots]
        best = self._best(found_drafts.drafts(_sized(self.slots, self.adapter), probabilities))
        if best is None:
            return None
        draft, outcome = best
        return self._stated(draft, self._marked(self._exact(outcome)))

    def _best(
        self, candidates: Iterator[found_drafts.Draft]
    ) -> tuple[found_drafts.Draft, Outcome] | None:
        """The first candidate at which forward and backward run; else the first for forward.

        Further candidates are tried only with the same first shape and kinds: another one would
        change the function and hide a mistake of backward at this one.
        """
        best: tuple[found_drafts.Draft, Outcome] | None = None
        more = MORE
        for draft in candidates:
            if self.trials.spent or more <= 0:
                break
            settled = best is not None and best[1].whole
            if settled:
                assert best is not None
                more -= 1
                if draft.kinds != best[0].kinds or not self._alternative(draft, *best):
                    continue
            outcome = self.trials.outcome(self._made(draft))
            if outcome is None or (settled and not outcome.fits):
                continue
            if best is None or outcome.worth > best[1].worth:
                best = draft, outcome
            if outcome.whole and (outcome.fits or self._documented(draft)):
                break
        return best

    def _alternative(
        self, draft: found_drafts.Draft, first: found_drafts.Draft, outcome: Outcome
    ) -> bool:
        """Whether a further candidate may be tried without hiding a mistake of backward.

        It has another shape of a tensor after the first one, except for a larger bias, which would
        hide a missing sum; or, if backward raises, a first tensor of more dimensions; or sizes of
        which more differ, in tensors of no more dimensions.
        """
        position = first.kinds.index("float")
        pairs = zip(self.slots, draft.specs, first.specs, strict=True)
        larger = any(
            len(new.shape) > len(old.shape) or torch.Size(new.shape) > torch.Size(old.shape)
            for slot, new, old in pairs
            if slot.role in PARAMETERS
        )
        new, old = draft.specs[position], first.specs[position]
        if _telling(draft) > _telling(first) and all(
            len(b.shape) <= len(a.shape) for a, b in zip(first.specs, draft.specs, strict=True)
        ):
            return True
        return (new == old and not larger) or (outcome.raised and len(new.shape) > len(old.shape))

    def _documented(self, draft: found_drafts.Draft) -> bool:
        """Whether the docstring states the shapes of all floating-point tensors, and these."""
        pairs = zip(self.slots, draft.specs, strict=True)
        every = all(slot.documented for slot, spec in pairs if spec.kind == "float")
        return every and self._as_documented(draft)

    def _as_documented(self, draft: found_drafts.Draft) -> bool:
        """Whether shapes are those that the docstring states."""
        return fulfilled([s.documented for s in self.slots], [spec.shape for spec in draft.specs])

    def _made(self, draft: found_drafts.Draft) -> list[Any]:
        generator = torch.Generator().manual_seed(self.seed)
        own = [make(spec, generator) for spec in draft.specs]
        return [*own, *self.adapter.parameters.values()]

    def _exact(self, outcome: Outcome) -> Outcome:
        """The same inputs in double precision, if forward runs there too."""
        inputs = [v.double() if is_float(v) and not v.is_complex() else v for v in outcome.inputs]
        inputs = [v.to(torch.complex128) if is_float(v) and v.is_complex() else v for v in inputs]
        if self.adapter.parameters:
            return outcome
        return self.trials.outcome(inputs) or outcome

    def _marked(self, outcome: Outcome) -> Outcome:
        """Data for which backward returns None does not require grad, the other tensors do."""
        known = {"y", "mean", "var"}
        data = {
            i
            for i in outcome.missing
            if i < len(self.slots)
            and (self.slots[i].role in known or self.slots[i].name in found_names.MASKS)
        }
        if not data:
            return outcome
        for i, value in enumerate(outcome.inputs):
            if is_float(value) and i not in data:
                outcome.inputs[i] = value.detach().clone().requires_grad_()
        return outcome

    def _stated(self, draft: found_drafts.Draft, outcome: Outcome) -> Found:
        names = [slot.name for slot in self.slots]
        source = "annotations" if any(s.dims is not None for s in self.slots) else "names"
        source = "search" if draft.cost >= 3 else source
        source = "docstring" if self._as_documented(draft) else source
        fields = {
            "inputs": described(names, draft.specs),
            "source": Message(f"found.{source}"),
            "call": f"check({self.adapter.name}, {', '.join(names)})",
        }
        own = outcome.inputs[: len(outcome.inputs) - len(self.adapter.parameters)]
        inputs = [v for v, slot in zip(own, self.slots, strict=True) if not slot.keyword]
        options = {s.name: v for v, s in zip(own, self.slots, strict=True) if s.keyword}
        return Found(tuple(inputs), Message("found.chosen", fields), options)


def _telling(draft: found_drafts.Draft) -> int:
    """How many sizes of the floating-point tensors are different ones."""
    return len({size for spec in draft.specs if spec.kind == "float" for size in spec.shape})


def _rules(target: Any, adapter: Adapter) -> list[Callable[..., Any]]:
    """The functions whose sources show the arguments' use."""
    if isinstance(adapter, FunctionAdapter):
        own = [adapter.forward]
        setup = getattr(target, "setup_context", None)
        return [*own, setup] if adapter.split and setup is not None else own
    return [target.forward if isinstance(target, nn.Module) else target]


def _slots(
    target: Any, adapter: Adapter, parameters: dict[str, inspect.Parameter]
) -> Iterator[Slot]:
    """The arguments that need a value, and those without that are tensors all the same."""
    usage = usage_of(_rules(target, adapter), list(parameters))
    if isinstance(adapter, FunctionAdapter):
        for name, tag in graded(adapter.backward, list(parameters)).items():
            usage[name].tags.add(tag)
    domains = domains_of(target, list(parameters))
    documented = documented_shapes(target, list(parameters))
    for name, parameter in parameters.items():
        known = usage.get(name, Usage())
        slot = slot_of(parameter, known)
        slot.domain = domains.get(name, "")
        slot.document(documented.get(name))
        if parameter.default is parameter.empty:
            for k in range(found_drafts.STARS if slot.star else 1):
                yield slot if not slot.star else Slot(f"{name}[{k}]", [(0.0, "float")], "x")
        elif parameter.default is None and _worth_giving(slot, known):
            values = slot.values if slot.kinds[0][1] == "value" else []
            slot.values = [*[v for v in values if v is not None], None]
            slot.kinds = [*slot.kinds[:1], (2.0, "value")]
            yield slot
        else:
            return  # what follows has its default


def _worth_giving(slot: Slot, usage: Usage) -> bool:
    """Whether an argument that may be None has a gradient, or an option, that None leaves out."""
    if slot.kinds[0][1] == "value":
        return bool(found_names.option_values(slot.name)) and slot.name not in LEFT
    return bool(usage.tags)


def _sized(slots: list[Slot], adapter: Adapter) -> list[Slot]:
    """The slots; those of a module know the sizes of its parameters."""
    shapes = [tuple(p.shape) for p in adapter.parameters.values()]
    sizes = tuple(dict.fromkeys(size for shape in shapes for size in reversed(shape)))[:8]
    return [replace(slot, sizes=sizes) for slot in slots] if sizes else slots
