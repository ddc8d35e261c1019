"""`make_bridge`: a Function for all of PyTorch's transforms, from a forward and a backward.

PyTorch's transforms require a Function in the split style: a `forward` without ctx, a
`setup_context`, a `jvp` and a rule for `vmap`. `make_bridge` makes that Function, once per class:

- `forward` runs the author's with a `Tape`, and determines whether each saved tensor is an input,
  an output, or an intermediate. Intermediates become additional outputs, so that every level of
  nested transforms can save its own version of them.
- `backward` replays the tape. A saved intermediate has no graph to the inputs, so that a second
  derivative through it would be silently wrong; for second order, the intermediates are computed
  again from the inputs, under autograd.
- `jvp` needs no rule of its own. `backward` is linear in `grad_output`: it is multiplication by
  the transposed Jacobian. Its transpose, computed by reverse mode, is the multiplication by the
  Jacobian, which is the jvp.
"""

from __future__ import annotations

import types
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from derivable.errors import DerivableError, TransformError
from derivable.function.call_record import TAPE_FIELDS, CallRecord, Rules
from derivable.function.context import Tape
from derivable.function.forward_mode import primal
from derivable.function.gradients import Like, as_tuple, check_gradients
from derivable.function.held import replaced
from derivable.function.messages import say
from derivable.function.transparent import Transparent


def make_bridge(rules: Rules) -> type[torch.autograd.Function]:
    """A Function in PyTorch's split style that runs `rules` under every transform."""
    signature = rules.signature

    class Bridge(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(record: CallRecord, *inputs: Any) -> Any:
            return record.run(inputs)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            record, *values = inputs
            record.save(ctx, values, as_tuple(output))

        @staticmethod
        def backward(ctx: Any, *grad_outputs: Any) -> Any:
            record: CallRecord = ctx.record
            again = torch.is_grad_enabled() or forward_ad._current_level >= 0
            try:
                gradients = record.vjp(ctx, grad_outputs, again)
            except RuntimeError as error:
                explain(rules.name, error)
                raise
            check_gradients(signature, gradients, ctx.inputs)
            return None, *gradients[: len(ctx.inputs)]

        @staticmethod
        def jvp(ctx: Any, _: None, *tangents: Any) -> Any:
            record: CallRecord = ctx.record
            record.require_transposable()
            # PyTorch switches both modes off in a jvp rule. Derivatives of outer levels pass
            # through what is computed here, so both are switched on, without this level's tangents.
            with forward_ad._set_fwd_grad_enabled(True), torch.enable_grad():
                tape = record.replay(ctx, again=True)
                _remove_tangents(tape)
                output_tangents = _jvp(record, tape, ctx, tangents)
            for i in getattr(ctx, "unmarked", ()):
                output_tangents[i] = ctx.outputs[i].zeros()
            return output_tangents[0] if len(output_tangents) == 1 else tuple(output_tangents)

    # A subclass of the author's name, so that grad_fn reads CubeBackward.
    return types.new_class(rules.name, (Bridge,))


def _jvp(
    record: CallRecord, tape: Tape, ctx: Any, tangents: tuple[Any, ...]
) -> list[Tensor | None]:
    """The tangents of the outputs: the transpose of `backward`, applied to those of the inputs."""
    likes: list[Like | None] = ctx.outputs[: record.outputs]
    moving = [i for i, tangent in enumerate(tangents) if tangent is not None]
    differentiable = [
        i
        for i, like in enumerate(likes)
        if like and like.is_differentiable and i not in record.non_differentiable
    ]
    tape.needs_input_grad = tuple(tangent is not None for tangent in tangents)

    def vjp(*grads: Tensor) -> tuple[Tensor, ...]:
        everything: list[Tensor | None] = [like and like.zeros() for like in likes]
        for i, grad in zip(differentiable, grads, strict=True):
            everything[i] = grad
        with Transparent():
            gradients = as_tuple(record.rules.backward(tape, *everything))
        check_gradients(record.rules.signature, gradients, ctx.inputs)
        return tuple(
            torch.zeros_like(tangents[i]) if gradients[i] is None else gradients[i] for i in moving
        )

    output_tangents: list[Tensor | None] = [None] * len(ctx.outputs)
    if differentiable:
        zeros = [like.zeros() for i, like in enumerate(likes) if i in differentiable and like]
        transposed = torch.func.vjp(vjp, *zeros)[1]
        for i, tangent in zip(
            differentiable, transposed(tuple(tangents[i] for i in moving)), strict=True
        ):
            output_tangents[i] = tangent
    return output_tangents


def _remove_tangents(tape: Tape) -> None:
    """Replace the tape's tensors by their values at this level of forward mode."""
    for name, value in vars(tape).items():
        if name == "_saved" or name not in TAPE_FIELDS:
            setattr(tape, name, replaced(value, Tensor, primal))


def explain(function: str, error: RuntimeError) -> None:
    """Raise TransformError with the Function's name if a transform of torch.func is active."""
    if isinstance(error, DerivableError) or not torch._C._are_functorch_transforms_active():
        return
    raise TransformError(say("transform", function=function, error=error)) from error
