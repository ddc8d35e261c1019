"""The check of the ways to run: whether each gives backward's gradients, and calls backward."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.checks.calling import handed, near, only
from derivable.examiner.checks.calls import gradients, random_grad_output
from derivable.examiner.checks.forward_mode import check_jvp
from derivable.examiner.checks.noise import accepted_noise
from derivable.examiner.checks.returned import Problem, fit, raised, raised_at
from derivable.examiner.checks.values import Evaluation, ExaminedTarget
from derivable.examiner.checks.vmap_rule import rule_for_vmap
from derivable.examiner.measure.space import joined, parted
from derivable.examiner.message import Message
from derivable.examiner.targets.applying import forwards_alone
from derivable.examiner.targets.target import FunctionAdapter, Inputs, is_float
from derivable.function.gradients import as_tuple

Way = Callable[[Callable[..., Any], list[Any], list[int], list[Tensor]], list[Tensor | None]]


def by_autograd(
    apply: Callable[..., Any], inputs: list[Any], wanted: list[int], grads: list[Tensor]
) -> list[Tensor | None]:
    """The gradients by autograd of `.apply`."""
    leaves = [v.detach().clone().requires_grad_() if i in wanted else v
              for i, v in enumerate(inputs)]  # fmt: skip
    calls = [v.clone() if i in wanted else v for i, v in enumerate(leaves)]
    outputs = [o for o in as_tuple(apply(*calls)) if is_float(o) and o.requires_grad]
    found = torch.autograd.grad(outputs, [leaves[i] for i in wanted], grads, allow_unused=True)
    return list(found)


def by_func(
    apply: Callable[..., Any], inputs: list[Any], wanted: list[int], grads: list[Tensor]
) -> list[Tensor | None]:
    """The gradients by torch.func.vjp."""
    differentiable, plain = only(apply, inputs, wanted)
    vjp = torch.func.vjp(differentiable, *plain)[1]
    return list(vjp(tuple(grads)))


def by_vmap(
    apply: Callable[..., Any], inputs: list[Any], wanted: list[int], grads: list[Tensor]
) -> list[Tensor | None]:
    """The gradients by torch.func.vmap of torch.func.vjp: the first of two examples."""
    differentiable, plain = only(apply, inputs, wanted)

    def both(grads: tuple[Tensor, ...], *values: Tensor) -> Any:
        return torch.func.vjp(differentiable, *values)[1](grads)

    pairs = [torch.stack([v, v * 0.75]) for v in plain]
    found = torch.func.vmap(both)(tuple(torch.stack([g, 2 * g]) for g in grads), *pairs)
    return [g[0] for g in found]


def by_compile(
    apply: Callable[..., Any], inputs: list[Any], wanted: list[int], grads: list[Tensor]
) -> list[Tensor | None]:
    """The gradients by torch.compile of a function that calls `.apply`."""
    compiled = torch.compile(lambda *values: apply(*values), backend="aot_eager")
    return by_autograd(compiled, inputs, wanted, grads)


def ways(
    examined: ExaminedTarget,
    inputs: Inputs,
    compile: bool = False,
    others: Sequence[Evaluation] = (),
) -> list[Problem]:
    """Problems where a way to run the target gives other gradients than backward by hand.

    `others` are evaluations at whose inputs a jvp is compared, too.
    """
    adapter = examined.adapter
    if not isinstance(adapter, FunctionAdapter) or adapter.random or not adapter.recordable:
        return []
    run = examined.run(inputs)
    vector = random_grad_output(run)
    expected = gradients(examined, run, inputs, vector)
    grads = parted(vector, [run.outputs[i] for i in run.differentiable])
    chosen: dict[str, Way] = {"autograd": by_autograd}
    if adapter.ours:
        chosen |= {"torch.func.vjp": by_func, "torch.func.vmap": by_vmap}
    elif adapter.split and isinstance(adapter.target, type):
        chosen |= {"torch.func.vjp": by_func} | (
            {"torch.func.vmap": by_vmap} if _offers_vmap(adapter.target) else {}
        )
    if compile:
        chosen["torch.compile"] = by_compile
    problems: list[Problem] = []
    for name, way in chosen.items():
        problems += _try(examined, name, way, inputs, grads, expected)
    problems = problems or check_jvp(examined, inputs, others)
    return (problems or rule_for_vmap(examined, inputs))[:2]


def _offers_vmap(target: Any) -> bool:
    own = target.vmap is not torch.autograd.Function.vmap
    return bool(own or target.generate_vmap_rule)


def _try(
    examined: ExaminedTarget, name: str, way: Way, inputs: Inputs, grads: list[Tensor],
    expected: list[Tensor | None],
) -> list[Problem]:  # fmt: skip
    """Problems of one way, run with the user's backward and with a modified one.

    If the modified backward does not change the gradients, this way does not call backward.
    """
    adapter: Any = examined.adapter
    apply = handed(adapter, adapter.apply)
    way_field = {"way": name}
    examined.comparisons += 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = way(apply, list(inputs), examined.wanted, list(grads))
    except Exception as error:
        if name != "autograd" and (
            not adapter.ours or _forward_refuses(way, apply, examined, inputs)
        ):
            return []  # this way is not supported, which its error states
        messages = (Message("evidence.way_raises", way_field), raised(error))
        return [Problem("way", None, messages, source=raised_at(error))]
    for k, (i, gradient, right) in enumerate(zip(examined.wanted, found, expected, strict=True)):
        if gradient is None or right is None:
            continue
        gradient = fit((gradient,), 0, inputs[i])
        if gradient is None or near(gradient, right):
            continue
        if not near(gradient, right, accepted_noise(examined, inputs, joined(grads))[k]):
            fields = {**way_field, "name": examined.name(i, inputs)}
            return [Problem("way", i, (Message("evidence.way", fields),))]
    modified = _tripled(adapter.target)
    if modified is None:
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            modified_gradients = way(
                handed(adapter, modified.apply), list(inputs), examined.wanted, list(grads)
            )
    except Exception:  # not every backward can be modified so
        return []
    pairs = [
        (a, b)
        for a, b in zip(found, modified_gradients, strict=True)
        if a is not None and b is not None
    ]
    if pairs and all(near(a, b) and bool(((a != 0) & torch.isfinite(a)).any()) for a, b in pairs):
        return [Problem("way", None, (Message("evidence.way_not_run", way_field),))]
    return []


def _forward_refuses(
    way: Way, apply: Callable[..., Any], examined: ExaminedTarget, inputs: Inputs
) -> bool:
    """Whether forward itself does not run this way, because it reads values or draws numbers."""
    differentiable, plain = only(apply, list(inputs), examined.wanted)
    try:
        with forwards_alone():
            if way is by_vmap:
                torch.func.vmap(differentiable)(*[torch.stack([v, v * 0.75]) for v in plain])
            else:
                torch.func.vjp(differentiable, *plain)
    except Exception:
        return True
    return False


def _tripled(target: Any) -> Any:
    """A subclass whose backward returns three times the gradients; None if impossible."""
    if not isinstance(target, type) or not issubclass(target, torch.autograd.Function):
        return None
    rule = inspect.unwrap(target.backward)

    def backward(ctx: Any, *grads: Any) -> Any:
        returned = rule(ctx, *grads)
        tripled = tuple(3 * g if isinstance(g, Tensor) else g for g in as_tuple(returned))
        return tripled if isinstance(returned, tuple | list) else tripled[0]

    try:
        return type(target.__name__, (target,), {"backward": staticmethod(backward)})
    except Exception:  # a class that cannot be subclassed
        return None
