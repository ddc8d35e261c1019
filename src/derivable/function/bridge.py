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
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from derivable.errors import DerivableError, TransformError
from derivable.function.context import Tape
from derivable.function.forward_mode import primal
from derivable.function.gradients import Like, as_tuple, check_gradients
from derivable.function.held import replaced
from derivable.function.messages import say
from derivable.function.plan import TAPE_FIELDS, Plan, Rules
from derivable.function.transparent import Transparent


def make_bridge(rules: Rules) -> type[torch.autograd.Function]:
    """The Function in PyTorch's split style that stands for `rules` under every transform."""
    signature = rules.signature

    class Bridge(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(plan: Plan, *inputs: Any) -> Any:
            return plan.run(inputs)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            plan, *values = inputs
            plan.save(ctx, values, as_tuple(output))

        @staticmethod
        def backward(ctx: Any, *grad_outputs: Any) -> Any:
            plan: Plan = ctx.plan
            again = torch.is_grad_enabled() or forward_ad._current_level >= 0
            try:
                gradients = plan.pull_back(ctx, grad_outputs, again)
            except RuntimeError as error:
                explain(rules.name, error)
                raise
            check_gradients(signature, gradients, ctx.inputs)
            return None, *gradients[: len(ctx.inputs)]

        @staticmethod
        def jvp(ctx: Any, _: None, *tangents: Any) -> Any:
            plan: Plan = ctx.plan
            plan.require_transposable()
            # Both modes are off in here, and on again for the levels around this one, whose
            # derivatives pass through what is computed; this level's own tangents are taken off.
            with forward_ad._set_fwd_grad_enabled(True), torch.enable_grad():
                tape = plan.replay(ctx, again=True)
                _take_off_tangents(tape)
                pushed = _push_forward(plan, tape, ctx, tangents)
            for i in getattr(ctx, "forgotten", ()):
                pushed[i] = ctx.outputs[i].zeros()
            return pushed[0] if len(pushed) == 1 else tuple(pushed)

    # A subclass of the author's name, so that grad_fn reads CubeBackward.
    return types.new_class(rules.name, (Bridge,))


def _push_forward(
    plan: Plan, tape: Tape, ctx: Any, tangents: tuple[Any, ...]
) -> list[Tensor | None]:
    """The tangents of the outputs: the transpose of `backward`, applied to those of the inputs."""
    likes: list[Like | None] = ctx.outputs[: plan.outputs]
    moving = [i for i, tangent in enumerate(tangents) if tangent is not None]
    smooth = [
        i
        for i, like in enumerate(likes)
        if like and like.is_differentiable and i not in plan.non_differentiable
    ]
    tape.needs_input_grad = tuple(tangent is not None for tangent in tangents)

    def pull_back(*grads: Tensor) -> tuple[Tensor, ...]:
        everything: list[Tensor | None] = [like and like.zeros() for like in likes]
        for i, grad in zip(smooth, grads, strict=True):
            everything[i] = grad
        with Transparent():
            gradients = as_tuple(plan.rules.backward(tape, *everything))
        check_gradients(plan.rules.signature, gradients, ctx.inputs)
        return tuple(
            torch.zeros_like(tangents[i]) if gradients[i] is None else gradients[i] for i in moving
        )

    pushed: list[Tensor | None] = [None] * len(ctx.outputs)
    if smooth:
        zeros = [like.zeros() for i, like in enumerate(likes) if i in smooth and like]
        push = torch.func.vjp(pull_back, *zeros)[1]
        for i, tangent in zip(smooth, push(tuple(tangents[i] for i in moving)), strict=True):
            pushed[i] = tangent
    return pushed


def _take_off_tangents(tape: Tape) -> None:
    """Replace the tape's tensors by their values at this level of forward mode."""
    for name, value in vars(tape).items():
        if name == "_saved" or name not in TAPE_FIELDS:
            setattr(tape, name, replaced(value, Tensor, primal))


def explain(function: str, error: RuntimeError) -> None:
    """Say it by the name of the Function if `error` came up under a transform of torch.func."""
    if isinstance(error, DerivableError) or not torch._C._are_functorch_transforms_active():
        return
    raise TransformError(say("transform", function=function, error=error)) from error
