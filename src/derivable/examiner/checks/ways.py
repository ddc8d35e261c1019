"""The rung of the ways to run: each gives backward's gradients, and really runs that backward."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.checks.calls import cotangent, gradients
from derivable.examiner.checks.returned import Problem, fit, raised
from derivable.examiner.checks.values import Examined
from derivable.examiner.finding import Message
from derivable.examiner.measure.space import parted, real
from derivable.examiner.targets.target import FunctionSubject, Inputs, forwards_alone, is_float
from derivable.function.gradients import as_tuple

Way = Callable[[Callable[..., Any], list[Any], list[int], list[Tensor]], list[Tensor | None]]


def by_autograd(
    apply: Callable[..., Any], inputs: list[Any], wanted: list[int], grads: list[Tensor]
) -> list[Tensor | None]:
    """`.apply` recorded by autograd."""
    leaves = [v.detach().clone().requires_grad_() if i in wanted else v
              for i, v in enumerate(inputs)]  # fmt: skip
    calls = [v.clone() if i in wanted else v for i, v in enumerate(leaves)]
    outputs = [o for o in as_tuple(apply(*calls)) if is_float(o) and o.requires_grad]
    found = torch.autograd.grad(outputs, [leaves[i] for i in wanted], grads, allow_unused=True)
    return list(found)


def by_func(
    apply: Callable[..., Any], inputs: list[Any], wanted: list[int], grads: list[Tensor]
) -> list[Tensor | None]:
    """torch.func.vjp."""
    smooth, plain = _only(apply, inputs, wanted)
    pull = torch.func.vjp(smooth, *plain)[1]
    return list(pull(tuple(grads)))


def by_vmap(
    apply: Callable[..., Any], inputs: list[Any], wanted: list[int], grads: list[Tensor]
) -> list[Tensor | None]:
    """torch.func.vmap of torch.func.vjp, over two examples of which the first counts."""
    smooth, plain = _only(apply, inputs, wanted)

    def both(grads: tuple[Tensor, ...], *values: Tensor) -> Any:
        return torch.func.vjp(smooth, *values)[1](grads)

    pairs = [torch.stack([v, v * 0.75]) for v in plain]
    found = torch.func.vmap(both)(tuple(torch.stack([g, 2 * g]) for g in grads), *pairs)
    return [g[0] for g in found]


def by_compile(
    apply: Callable[..., Any], inputs: list[Any], wanted: list[int], grads: list[Tensor]
) -> list[Tensor | None]:
    """torch.compile of a function that calls `.apply`."""
    compiled = torch.compile(lambda *values: apply(*values), backend="aot_eager")
    return by_autograd(compiled, inputs, wanted, grads)


def _only(
    apply: Callable[..., Any], inputs: list[Any], wanted: list[int]
) -> tuple[Callable[..., tuple[Tensor, ...]], list[Tensor]]:
    """`apply` as a function of the wanted inputs that returns its smooth outputs."""
    plain = [inputs[i].detach() for i in wanted]
    probe = apply(*[v.detach().clone().requires_grad_() if i in wanted else v
                    for i, v in enumerate(inputs)])  # fmt: skip
    smooth = [i for i, o in enumerate(as_tuple(probe)) if is_float(o) and o.requires_grad]

    def function(*values: Tensor) -> tuple[Tensor, ...]:
        everything = list(inputs)
        for i, value in zip(wanted, values, strict=True):
            everything[i] = value
        outputs = as_tuple(apply(*everything))
        return tuple(outputs[i] for i in smooth)

    return function, plain


def ways(examined: Examined, inputs: Inputs, compile: bool = False) -> list[Problem]:
    """Every way that the target offers gives the gradients that backward gives by hand."""
    subject = examined.subject
    if not isinstance(subject, FunctionSubject) or subject.random or not subject.recordable:
        return []
    run = examined.run(inputs)
    vector = cotangent(run)
    expected = gradients(examined, run, inputs, vector)
    grads = parted(vector, [run.outputs[i] for i in run.smooth])
    chosen: dict[str, Way] = {"autograd": by_autograd}
    if subject.ours:
        chosen |= {"torch.func.vjp": by_func, "torch.func.vmap": by_vmap}
    elif subject.split:
        chosen |= {"torch.func.vjp": by_func} | (
            {"torch.func.vmap": by_vmap} if _offers_vmap(subject.target) else {}
        )
    if compile:
        chosen["torch.compile"] = by_compile
    problems: list[Problem] = []
    for name, way in chosen.items():
        problems += _try(examined, name, way, inputs, grads, expected)
    problems = problems or _forward_mode(examined, inputs, expected, vector)
    return (problems or _own_vmap(examined, inputs))[:2]


def _own_vmap(examined: Examined, inputs: Inputs) -> list[Problem]:
    """A vmap rule of the user's own gives what one call after the other gives."""
    target: Any = examined.subject.target
    if target.vmap is torch.autograd.Function.vmap:
        return []
    plain = [inputs[i].detach() for i in examined.wanted]

    def call(*values: Tensor) -> Any:
        everything = list(inputs)
        for i, value in zip(examined.wanted, values, strict=True):
            everything[i] = value
        outputs = as_tuple(target.apply(*everything))
        return tuple(o for o in outputs if is_float(o))

    pairs = [torch.stack([v, 0.75 * v + 0.1, 0.5 * v]) for v in plain]
    ends = [pair.movedim(0, -1) for pair in pairs]
    alone = [call(*(pair[k] for pair in pairs)) for k in range(3)]
    expected = [torch.stack(outputs) for outputs in zip(*alone, strict=True)]
    for given, axis in ((pairs, 0), (ends, -1)):
        examined.comparisons += 1
        try:
            found = torch.func.vmap(call, in_dims=axis)(*given)
        except Exception:  # it says so itself
            continue
        if not all(
            a.shape == b.shape and _near(a, b) for a, b in zip(found, expected, strict=True)
        ):
            return [Problem("way", None, (Message("evidence.vmap", {"axis": axis}),))]
    return []


def _offers_vmap(target: Any) -> bool:
    own = target.vmap is not torch.autograd.Function.vmap
    return bool(own or target.generate_vmap_rule)


def _try(
    examined: Examined, name: str, way: Way, inputs: Inputs, grads: list[Tensor],
    expected: list[Tensor | None],
) -> list[Problem]:  # fmt: skip
    """One way, with the user's backward and with a planted one, which must show."""
    target = examined.subject.target
    ours = getattr(examined.subject, "ours", False)
    said = {"way": name}
    examined.comparisons += 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = way(target.apply, list(inputs), examined.wanted, list(grads))
    except Exception as error:
        if name != "autograd" and (not ours or _forward_refuses(way, examined, inputs)):
            return []  # it says so itself, and promises nothing
        return [Problem("way", None, (Message("evidence.way_raises", said), raised(error)))]
    for i, gradient, right in zip(examined.wanted, found, expected, strict=True):
        if gradient is None or right is None:
            continue
        gradient = fit((gradient,), 0, inputs[i])
        if gradient is not None and not _near(gradient, right):
            fields = {**said, "name": examined.name(i, inputs)}
            return [Problem("way", i, (Message("evidence.way", fields),))]
    planted = _plant(target)
    if planted is None:
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            marked = way(planted.apply, list(inputs), examined.wanted, list(grads))
    except Exception:  # the plant itself does not suit every backward: it proves nothing then
        return []
    pairs = [(a, b) for a, b in zip(found, marked, strict=True) if a is not None and b is not None]
    if pairs and all(_near(a, b) and bool(((a != 0) & torch.isfinite(a)).any()) for a, b in pairs):
        return [Problem("way", None, (Message("evidence.way_not_run", said),))]
    return []


def _forward_refuses(way: Way, examined: Examined, inputs: Inputs) -> bool:
    """Whether it is forward that does not run this way: it looks at values, or draws some."""
    smooth, plain = _only(examined.subject.target.apply, list(inputs), examined.wanted)
    try:
        with forwards_alone():
            if way is by_vmap:
                torch.func.vmap(smooth)(*[torch.stack([v, v * 0.75]) for v in plain])
            else:
                torch.func.vjp(smooth, *plain)
    except Exception:
        return True
    return False


def _near(first: Tensor, second: Tensor) -> bool:
    scale = float(second.abs().nan_to_num(0.0, 0.0).max()) if second.numel() else 0.0
    return torch.allclose(first, second, rtol=1e-7, atol=1e-9 * scale, equal_nan=True)


def _plant(target: Any) -> Any:
    """A subclass whose backward returns three times the gradients: a mistake to recognise."""
    if not issubclass(target, torch.autograd.Function):
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


def _forward_mode(
    examined: Examined, inputs: Inputs, expected: list[Tensor | None], vector: Tensor
) -> list[Problem]:
    """The jvp that a Function offers is the transpose of its backward."""
    subject = examined.subject
    target: Any = subject.target
    own = target.jvp is not torch.autograd.Function.jvp
    ours = isinstance(subject, FunctionSubject) and subject.ours
    if not own and not ours:
        return []
    examined.comparisons += 1
    said = {"way": "forward mode"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            smooth, plain = _only(target.apply, list(inputs), examined.wanted)
            generator = torch.Generator().manual_seed(2)
            tangents = [torch.randn(v.shape, generator=generator, dtype=v.dtype) for v in plain]
            pushed = torch.func.jvp(smooth, tuple(plain), tuple(tangents))[1]
    except Exception as error:
        return [Problem("way", None, (Message("evidence.way_raises", said), raised(error)))]
    left = float(torch.cat([real(t) for t in pushed]) @ vector)
    terms = [real(g) * real(t) for g, t in zip(expected, tangents, strict=True) if g is not None]
    right = float(sum(term.sum() for term in terms))
    size = float(sum(term.abs().sum() for term in terms))
    if abs(left - right) <= 1e-7 * size or not abs(left - right) < float("inf"):
        return []
    return [Problem("way", None, (Message("evidence.jvp", {"pushed": f"{left:.6g}",
                                                        "pulled": f"{right:.6g}"}),))]  # fmt: skip
