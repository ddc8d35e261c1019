"""From a `forward(ctx, ...)`/`backward(ctx, ...)` pair to everything that PyTorch can do with it.

PyTorch's transforms want a Function in another style: a `forward` without ctx, a
`setup_context`, a `jvp` and a rule for `vmap`. `make_bridge` writes that Function, once per class:

- `forward` runs the author's with a `Tape`, and finds out what each saved tensor is: an input, an
  output, or an intermediate. Intermediates leave it as additional outputs, so that every level of
  a nest of transforms can save its own version of them.
- `backward` plays the tape back. A saved intermediate does not remember where it came from, which
  is how a second derivative becomes silently wrong; so when second order is asked for, the
  intermediates are computed again from the inputs, under autograd.
- `jvp` needs no rule of its own. `backward` is linear in `grad_output`: it is multiplication by
  the transposed Jacobian, and its own transpose, which reverse mode computes, is the
  multiplication by the Jacobian that forward mode wants.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import forward_ad

from derivable.errors import GradientError
from derivable.function.context import Tape
from derivable.function.forward_mode import has_tangent, primal
from derivable.function.gradients import Like, as_tuple, check_gradients
from derivable.function.signature import Signature


class Rules(NamedTuple):
    """What an author wrote: the two rules as they stand, and how the first takes its inputs."""

    name: str
    signature: Signature
    forward: Callable[..., Any]
    backward: Callable[..., Any]


class Slot(NamedTuple):
    """Where a saved tensor is found: among the inputs, or the outputs and intermediates."""

    among_inputs: bool
    position: int


class Plan:
    """What one call left on its tape, without the tensors: enough to save and to replay it.

    It travels as the first input of the bridge, because nothing else reaches all of its methods
    at all levels of a nest of transforms.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.saved: list[Slot | None] = []
        self.attributes: dict[str, Any] = {}  # what forward set on ctx; a Slot for a tensor
        self.slots: list[Slot | None] = []  # of both, in this order
        self.outputs = 0  # how many outputs forward returned, before the intermediates
        self.intermediates = 0
        self.bare = True  # forward returned one output, not a tuple
        self.non_differentiable: list[int] = []
        self.dirty: list[int] = []
        self.materialize = True

    def file(self, tape: Tape, inputs: tuple[Any, ...], returned: Any) -> Any:
        """Note what the tape holds; returns the outputs, with the intermediates after them."""
        outputs = as_tuple(returned)
        self.outputs, self.bare = len(outputs), not isinstance(returned, tuple | list)
        everything = list(outputs)
        for tensor in tape._saved or ():
            self.saved.append(None if tensor is None else _locate(tensor, inputs, everything))
        if len(vars(tape)) > len(_TAPE_FIELDS):
            for name, value in vars(tape).items():
                if name not in _TAPE_FIELDS:
                    known = isinstance(value, Tensor)
                    self.attributes[name] = _locate(value, inputs, everything) if known else value
        self.slots = self.saved + [v for v in self.attributes.values() if isinstance(v, Slot)]
        self.intermediates = len(everything) - len(outputs)
        if tape._non_differentiable:
            self.non_differentiable = _positions(tape._non_differentiable, outputs)
        if tape._dirty:
            self.dirty = _positions(tape._dirty, inputs)
        self.materialize = tape._materialize
        return returned if self.bare and not self.intermediates else tuple(everything)

    def unpack(self, output: Any) -> Any:
        """What the author's forward returned, without the intermediates."""
        if not self.intermediates:
            return output
        return output[0] if self.bare else output[: self.outputs]

    def save(self, ctx: Any, inputs: list[Any], outputs: tuple[Any, ...]) -> None:
        """Give `ctx` the tensors of this level, and what is needed to play the tape back."""
        tensors = [
            None if slot is None else (inputs if slot.among_inputs else outputs)[slot.position]
            for slot in self.slots
        ]
        if self.intermediates:  # they can be computed again only from all of the inputs
            tensors += [value if isinstance(value, Tensor) else None for value in inputs]
            ctx.constants = [None if isinstance(value, Tensor) else value for value in inputs]
        ctx.plan = self
        ctx.inputs = [Like.of(value) for value in inputs]
        ctx.save_for_backward(*tensors)
        transformed = forward_ad._current_level >= 0 or torch._C._are_functorch_transforms_active()
        if transformed:
            ctx.save_for_forward(*tensors)
        if transformed or self.intermediates:
            ctx.outputs = [Like.of(value) for value in outputs[: self.outputs]]
        hidden = [outputs[i] for i in self.non_differentiable] + [*outputs[self.outputs :]]
        if hidden:
            ctx.mark_non_differentiable(*hidden)
        if self.dirty:
            ctx.mark_dirty(*(inputs[i] for i in self.dirty))
        if self.intermediates or not self.materialize:
            ctx.set_materialize_grads(False)  # or autograd makes zeros for every intermediate

    def materialized(self, ctx: Any, grad_outputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """The `grad_outputs` of the author's outputs, with zeros for None where they are wanted."""
        own = grad_outputs[: self.outputs]
        if not (self.intermediates and self.materialize):
            return own  # autograd has done it, or was told not to
        return tuple(
            like.zeros() if grad is None and like else grad
            for grad, like in zip(own, ctx.outputs, strict=True)
        )

    def replay(self, ctx: Any, again: bool) -> Tape:
        """The tape as forward left it; with the intermediates computed `again` from the inputs."""
        tensors = ctx.saved_tensors
        slots = self.slots
        values = tensors[: len(slots)]
        if again and self.intermediates:
            kept = zip(tensors[len(slots) :], ctx.constants, strict=True)
            inputs = tuple(constant if value is None else value for value, constant in kept)
            values = tuple(self._recompute(slots, list(values), inputs))
        tape = Tape(ctx.needs_input_grad[1:])
        tape._saved = values[: len(self.saved)]
        if self.attributes:
            remaining = iter(values[len(self.saved) :])
            for name, value in self.attributes.items():
                setattr(tape, name, next(remaining) if isinstance(value, Slot) else value)
        return tape

    def _recompute(
        self, slots: Sequence[Slot | None], values: list[Any], inputs: tuple[Any, ...]
    ) -> list[Any]:
        """The saved values, with each intermediate that depends on the inputs made from them."""
        rules, tape = self.rules, Tape((True,) * len(inputs))
        with torch.enable_grad():
            inputs = tuple(_copy_generator(value) for value in inputs)
            rules.signature.call(rules.forward, tape, inputs)
        attributes = (vars(tape).get(n) for n, v in self.attributes.items() if isinstance(v, Slot))
        fresh = [*(tape._saved or ()), *attributes]
        for i, (slot, new) in enumerate(zip(slots, fresh, strict=True)):
            is_intermediate = slot and not slot.among_inputs and slot.position >= self.outputs
            # A mask or an index does not depend on the inputs; it stays what it was.
            if is_intermediate and new is not None and (new.requires_grad or has_tangent(new)):
                self._require_same(values[i], new)
                values[i] = new
        return values

    def _require_same(self, old: Tensor, new: Tensor) -> None:
        """Refuse a forward that gives another value the second time."""
        if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
            return  # values cannot be looked at there
        if not torch.allclose(old, new.detach(), rtol=1e-4, atol=1e-6, equal_nan=True):
            raise GradientError(
                f"{self.rules.name}: second order needs the intermediates that forward "
                "saved, and forward gave other values when they were computed again; it draws "
                "random numbers or keeps state: make that an input, or save inputs and outputs"
            )


_TAPE_FIELDS = frozenset(vars(Tape()))


def make_bridge(rules: Rules) -> type[torch.autograd.Function]:
    """The Function in PyTorch's split style that stands for `rules` under every transform."""
    signature = rules.signature

    class Bridge(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(plan: Plan, *inputs: Any) -> Any:
            tape = Tape(_wanted(inputs))
            return plan.file(tape, inputs, signature.call(rules.forward, tape, inputs))

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            plan, *values = inputs
            plan.save(ctx, values, as_tuple(output))

        @staticmethod
        def backward(ctx: Any, *grad_outputs: Any) -> Any:
            plan: Plan = ctx.plan
            tape = plan.replay(ctx, again=torch.is_grad_enabled() or forward_ad._current_level >= 0)
            gradients = as_tuple(rules.backward(tape, *plan.materialized(ctx, grad_outputs)))
            check_gradients(signature, gradients, ctx.inputs)
            return None, *gradients[: len(ctx.inputs)]

        @staticmethod
        def jvp(ctx: Any, _: None, *tangents: Any) -> Any:
            plan: Plan = ctx.plan
            # Both modes are off in here, and on again for the levels around this one, whose
            # derivatives pass through what is computed; this level's own tangents are taken off.
            with forward_ad._set_fwd_grad_enabled(True), torch.enable_grad():
                tape = plan.replay(ctx, again=True)
                _take_off_tangents(tape)
                pushed = _push_forward(plan, tape, ctx.outputs, tangents)
            pushed += (None,) * plan.intermediates
            return pushed[0] if len(pushed) == 1 else pushed

    # A subclass of the author's name, so that grad_fn reads CubeBackward.
    return types.new_class(rules.name, (Bridge,))


def _push_forward(
    plan: Plan,
    tape: Tape,
    outputs: list[Like | None],
    tangents: tuple[Any, ...],
) -> tuple[Tensor | None, ...]:
    """The tangents of the outputs: the transpose of `backward`, applied to those of the inputs."""
    moving = [i for i, tangent in enumerate(tangents) if tangent is not None]
    smooth = [
        i
        for i, like in enumerate(outputs)
        if like and i not in plan.non_differentiable
        and (like.dtype.is_floating_point or like.dtype.is_complex)
    ]  # fmt: skip
    tape.needs_input_grad = tuple(tangent is not None for tangent in tangents)

    def pull_back(*grads: Tensor) -> tuple[Tensor, ...]:
        everything: list[Tensor | None] = [like and like.zeros() for like in outputs]
        for i, grad in zip(smooth, grads, strict=True):
            everything[i] = grad
        gradients = as_tuple(plan.rules.backward(tape, *everything))
        return tuple(
            torch.zeros_like(tangents[i]) if gradients[i] is None else gradients[i] for i in moving
        )

    zeros = [like.zeros() for i, like in enumerate(outputs) if i in smooth and like]
    push = torch.func.vjp(pull_back, *zeros)[1]
    pushed = iter(push(tuple(tangents[i] for i in moving)))
    return tuple(next(pushed) if i in smooth else None for i in range(len(outputs)))


def _take_off_tangents(tape: Tape) -> None:
    """Replace the tape's tensors by their values at this level of forward mode."""
    tape._saved = tuple(value if value is None else primal(value) for value in tape._saved or ())
    for name, value in vars(tape).items():
        if name not in _TAPE_FIELDS and isinstance(value, Tensor):
            setattr(tape, name, primal(value))


def _wanted(inputs: tuple[Any, ...]) -> tuple[bool, ...]:
    """`needs_input_grad` as forward sees it; under a transform every gradient may be wanted."""
    tracked = forward_ad._current_level >= 0 or torch._C._are_functorch_transforms_active()
    return tuple(isinstance(value, Tensor) and (tracked or value.requires_grad) for value in inputs)


def _locate(tensor: Tensor, inputs: tuple[Any, ...], outputs: list[Any]) -> Slot:
    """What `tensor` is; an intermediate is appended to `outputs`."""
    for among_inputs, places in ((True, inputs), (False, outputs)):
        for position, value in enumerate(places):
            if value is tensor:
                return Slot(among_inputs, position)
    outputs.append(tensor)
    return Slot(False, len(outputs) - 1)


def _positions(marked: tuple[Tensor, ...], among: Sequence[Any]) -> list[int]:
    """Where the marked tensors are."""
    return [i for i, value in enumerate(among) if any(value is tensor for tensor in marked)]


def _copy_generator(value: Any) -> Any:
    """A copy of a random generator, so that drawing from it again leaves it as it was."""
    return value.clone_state() if isinstance(value, torch.Generator) else value
