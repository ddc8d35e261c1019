"""`CallRecord`: what one call of a Function left on its tape, and how the tape is replayed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import forward_ad

from derivable.errors import DefinitionError, GradientError, TransformError
from derivable.function.context import Tape
from derivable.function.forward_mode import has_tangent
from derivable.function.gradients import Like, as_tuple
from derivable.function.held import CONTAINERS, Slot, hides_tensors, locate, replaced, tensors_in
from derivable.function.messages import say
from derivable.function.once import guarded, refuse
from derivable.function.signature import Signature
from derivable.function.transparent import Transparent

_functorch = torch._C._functorch


class Rules(NamedTuple):
    """The author's forward and backward, unchanged, with the signature of forward."""

    name: str
    signature: Signature
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    once: bool  # whether backward is marked @once_differentiable


class CallRecord:
    """The record of one call, without its tensors: what is needed to save and replay its tape.

    It is the first input of the bridge, because only inputs reach all methods of the bridge at
    all levels of nested transforms.
    """

    # Most calls do not change these defaults.
    attributes: Mapping[str, Any] = MappingProxyType({})  # set on ctx, with slots for tensors
    holders: Sequence[str] = ()  # the names of those that have slots in them
    hidden: str | None = None  # the name of one in which tensors cannot be replaced
    autocast: Callable[[], Any]  # as it was around forward, where there are intermediates
    non_differentiable: Sequence[int] = ()
    dirty: Sequence[int] = ()

    def __init__(self, rules: Rules, inputs: tuple[Any, ...], transformed: bool) -> None:
        self.rules = rules
        self.transformed = transformed  # by torch.func
        self.wanted = _wanted(inputs, transformed or forward_ad._current_level >= 0)

    def run(self, inputs: tuple[Any, ...]) -> Any:
        """The outputs of forward followed by the intermediates; records what forward did."""
        if self.transformed:
            inputs = _made_distinct(inputs)
        tape = Tape(self.wanted)
        returned = self.rules.signature.call(self.rules.forward, tape, inputs)
        outputs = as_tuple(returned)
        self._require_flat(outputs)
        self.outputs = len(outputs)  # how many, before the intermediates
        self.bare = outputs is not returned and not isinstance(returned, list)  # one, not a tuple
        everything = list(outputs)
        self.saved = [
            None if tensor is None else locate(tensor, inputs, everything)
            for tensor in tape._saved or ()
        ]
        self.slots = self.saved  # of what is saved, then of the attributes
        if len(vars(tape)) > len(TAPE_FIELDS):
            self._record_attributes(tape, inputs, everything)
        self.intermediates = len(everything) - len(outputs)
        if self.intermediates:
            self._require_no_graph(everything[len(outputs) :])
            self.autocast = _autocast(inputs)
        if tape._non_differentiable:
            self.non_differentiable = _positions(tape._non_differentiable, outputs)
        if tape._dirty:
            self.dirty = _positions(tape._dirty, inputs)
        self.materialize = tape._materialize
        if forward_ad._current_level >= 0 and not self.dirty:
            everything = [_own(value, inputs) for value in everything]
        return everything[0] if self.bare and not self.intermediates else tuple(everything)

    def _record_attributes(
        self, tape: Tape, inputs: tuple[Any, ...], everything: list[Any]
    ) -> None:
        """Record the attributes that forward set on ctx, with a slot for each tensor."""
        slots, attributes, holders = [*self.saved], {}, []

        def file(tensor: Tensor) -> Slot:
            slot = locate(tensor, inputs, everything)
            slots.append(slot)
            return slot

        for name, value in vars(tape).items():
            if name in TAPE_FIELDS:
                continue
            before = len(slots)
            with_slots = replaced(value, Tensor, file)
            if len(slots) > before:
                attributes[name] = with_slots
                holders.append(name)
                continue
            attributes[name] = value
            if hides_tensors(value) and not any(value is given for given in inputs):
                self.hidden = name
        self.slots, self.attributes, self.holders = slots, attributes, holders

    def _require_flat(self, outputs: tuple[Any, ...]) -> None:
        """Raise DefinitionError for an output that is a container: its tensors get no gradient."""
        for position, value in enumerate(outputs):
            if isinstance(value, CONTAINERS) and tensors_in(value):
                gaps = {"kind": type(value).__name__, "position": position}
                raise DefinitionError(say("nested_output", function=self.rules.name, **gaps))

    def _require_no_graph(self, intermediates: list[Any]) -> None:
        """Raise DefinitionError for an intermediate with its own graph, which would be lost."""
        for tensor in intermediates:
            if isinstance(tensor, Tensor) and tensor.requires_grad and not tensor._is_view():
                raise DefinitionError(say("own_graph", function=self.rules.name))

    def unpack(self, output: Any) -> Any:
        """What the author's forward returned, without the intermediates."""
        if not self.intermediates:
            return output
        return output[0] if self.bare else output[: self.outputs]

    def save(self, ctx: Any, inputs: list[Any], outputs: tuple[Any, ...]) -> None:
        """Save on `ctx` the tensors of this level, and what is needed to replay the tape."""
        tensors = [
            None if slot is None else (inputs if slot.among_inputs else outputs)[slot.position]
            for slot in self.slots
        ]
        if self.intermediates:  # they can be computed again only from all of the inputs
            tensors += [value if isinstance(value, Tensor) else None for value in inputs]
            ctx.constants = [None if isinstance(value, Tensor) else value for value in inputs]
        ctx.record = self
        ctx.inputs = [Like.of(value) for value in inputs]
        ctx.save_for_backward(*tensors)
        transformed = self.transformed or forward_ad._current_level >= 0
        if transformed:
            self._require_found()
            ctx.save_for_forward(*tensors)
        if transformed or self.intermediates:
            known = outputs if transformed else outputs[: self.outputs]
            ctx.outputs = [Like.of(value) for value in known]
        if self.intermediates or self.non_differentiable:
            not_differentiable = (*self.non_differentiable, *range(self.outputs, len(outputs)))
            ctx.mark_non_differentiable(*(outputs[i] for i in not_differentiable))
            if transformed:  # under vmap PyTorch loses the mark and requires a tangent
                ctx.unmarked = [
                    i for i in not_differentiable if _is_batched_and_differentiable(outputs[i])
                ]
        if self.dirty:
            ctx.mark_dirty(*(inputs[i] for i in self.dirty))
        if self.intermediates or not self.materialize:
            ctx.set_materialize_grads(False)  # or autograd makes zeros for every intermediate

    def vjp(self, ctx: Any, grad_outputs: tuple[Any, ...], again: bool) -> tuple[Any, ...]:
        """The gradients of the inputs; `again` where they may be differentiated further."""
        tape, own = self.replay(ctx, again), self.materialized(ctx, grad_outputs)
        if not again:
            return as_tuple(self.rules.backward(tape, *own))
        if not self.rules.once:
            with Transparent():
                return as_tuple(self.rules.backward(tape, *own))
        with torch.no_grad():
            gradients = as_tuple(self.rules.backward(tape, *own))
        sources = (*ctx.saved_tensors, *grad_outputs)
        return tuple(
            guarded(self.rules.name, gradient, sources)
            if isinstance(gradient, Tensor)
            else gradient
            for gradient in gradients
        )

    def require_transposable(self) -> None:
        """Raise TransformError where forward mode would give wrong derivatives."""
        if self.rules.once:
            raise refuse(self.rules.name)
        if self.dirty:
            names = self._changed()
            raise TransformError(say("in_place", function=self.rules.name, names=names))

    def _changed(self) -> str:
        """The names of the inputs that forward changes in place."""
        names = self.rules.signature.names(len(self.wanted))
        return ", ".join(names[i] for i in self.dirty)

    def _require_found(self) -> None:
        """Raise TransformError if an attribute may hold tensors that cannot be followed."""
        if self.hidden:
            raise TransformError(say("hidden", function=self.rules.name, name=self.hidden))

    def materialized(self, ctx: Any, grad_outputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """The `grad_outputs` of the author's outputs, with zeros for None where they are wanted."""
        own = grad_outputs[: self.outputs]
        if not (self.intermediates and self.materialize):
            return own  # autograd makes the zeros itself, unless the author switched that off
        return tuple(
            like.zeros() if grad is None and like else grad
            for grad, like in zip(own, ctx.outputs, strict=False)
        )

    def replay(self, ctx: Any, again: bool) -> Tape:
        """The tape as forward left it; with the intermediates computed `again` from the inputs."""
        tensors = ctx.saved_tensors
        slots = self.slots
        values = tensors[: len(slots)]
        if again:
            self._require_found()
            if self.intermediates:
                kept = zip(tensors[len(slots) :], ctx.constants, strict=True)
                inputs = tuple(constant if value is None else value for value, constant in kept)
                values = tuple(self._recompute(list(values), inputs))
        tape = Tape(ctx.needs_input_grad[1:])
        tape._saved = values[: len(self.saved)]
        if self.attributes:
            vars(tape).update(self.attributes)
            remaining = iter(values[len(self.saved) :])
            for name in self.holders:
                setattr(tape, name, _filled(self.attributes[name], remaining))
        return tape

    def _recompute(self, values: list[Any], inputs: tuple[Any, ...]) -> list[Any]:
        """The saved values, with each intermediate that depends on the inputs made from them."""
        rules, tape = self.rules, Tape(self.wanted)
        self._require_unchanged()
        with torch.enable_grad(), self.autocast(), Transparent():
            inputs = tuple(_copy_generator(value) for value in inputs)
            rules.signature.call(rules.forward, tape, inputs)
        fresh = list(tape._saved or ())
        for name in self.holders:
            fresh += tensors_in(vars(tape).get(name))
        if len(fresh) != len(self.slots):
            self._refuse_other(say("other_number"))
        for i, (slot, new) in enumerate(zip(self.slots, fresh, strict=True)):
            is_intermediate = slot and not slot.among_inputs and slot.position >= self.outputs
            # A mask or an index does not depend on the inputs; it stays what it was.
            if is_intermediate and new is not None and (new.requires_grad or has_tangent(new)):
                if not _same(values[i], new):
                    self._refuse_other(say("other_values"))
                values[i] = new
        return values

    def _require_unchanged(self) -> None:
        """Raise TransformError if forward overwrote inputs that intermediates are computed from."""
        if self.dirty:
            names = self._changed()
            raise TransformError(say("in_place_and_saved", function=self.rules.name, names=names))

    def _refuse_other(self, what: str) -> None:
        """Raise GradientError because forward gave other results the second time."""
        raise GradientError(say("not_repeated", function=self.rules.name, what=what))


TAPE_FIELDS = frozenset(vars(Tape()))


def _wanted(inputs: tuple[Any, ...], tracked: bool) -> tuple[bool, ...]:
    """`needs_input_grad` as forward sees it; under a transform every gradient may be wanted."""
    if not tracked:
        return tuple([isinstance(value, Tensor) and value.requires_grad for value in inputs])
    return tuple(
        isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex())
        for value in inputs
    )


def _made_distinct(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The inputs, with a view in place of each repetition of a tensor.

    One tensor at the lowest level of nested transforms may be two tensors at a higher level, as x
    and y are in `torch.func.grad(f, argnums=(0, 1))(t, t)`; which of them was saved must be known.
    """
    seen: set[int] = set()
    distinct = []
    for value in inputs:
        if isinstance(value, Tensor):
            if id(value) in seen:
                value = value.view_as(value)
            seen.add(id(value))
        distinct.append(value)
    return tuple(distinct)


def _autocast(inputs: tuple[Any, ...]) -> Callable[[], Any]:
    """A context manager factory that restores the autocast state of now."""
    if not torch._C._is_any_autocast_enabled():
        return nullcontext
    device = next((v.device.type for v in inputs if isinstance(v, Tensor)), "cpu")
    if not torch.amp.is_autocast_available(device) or not torch.is_autocast_enabled(device):
        return nullcontext
    return partial(torch.autocast, device, torch.get_autocast_dtype(device))


def _own(value: Any, inputs: tuple[Any, ...]) -> Any:
    """A copy of a view, because forward mode would require its tangent to be a view as well."""
    if isinstance(value, Tensor) and (value._is_view() or any(value is given for given in inputs)):
        return value.clone()
    return value


def _is_batched_and_differentiable(value: Any) -> bool:
    """Whether vmap runs over a tensor that could have a tangent."""
    like = Like.of(value)
    return like is not None and like.is_differentiable and _functorch.is_batchedtensor(value)


def _positions(marked: tuple[Tensor, ...], among: Sequence[Any]) -> list[int]:
    """The positions of the marked tensors."""
    return [i for i, value in enumerate(among) if any(value is tensor for tensor in marked)]


def _filled(value: Any, tensors: Iterator[Any]) -> Any:
    """`value` with the next of the tensors in each slot."""
    return replaced(value, Slot, lambda _: next(tensors))


def _same(old: Tensor, new: Tensor) -> bool:
    """Whether both have the same values; True if values are not accessible."""
    if old.shape != new.shape:
        return False
    with torch.no_grad():
        # Not isclose, which has no rule for vmap; what is not finite will be seen without us.
        distinct = (old - new).abs() > 1e-6 + 1e-4 * new.abs()
        while _functorch.is_functorch_wrapped_tensor(distinct):
            distinct = _functorch.get_unwrapped(distinct)
        tracing = torch._C._get_dispatch_mode(torch._C._TorchDispatchModeKey.PROXY) is not None
        return tracing or distinct.is_meta or type(distinct) is not Tensor or not distinct.any()


def _copy_generator(value: Any) -> Any:
    """A copy of a random generator, so that drawing from it again leaves it as it was."""
    return value.clone_state() if isinstance(value, torch.Generator) else value
