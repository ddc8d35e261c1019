"""Problems of how gradients depend on grad_output, layout and which inputs require grad."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.checks.calls import differ, gradients, random_grad_output
from derivable.examiner.checks.noise import Gradients, accepted_noise, by_rounding
from derivable.examiner.checks.returned import Problem, fit, raised, raised_at
from derivable.examiner.checks.values import ExaminedTarget
from derivable.examiner.measure import EPS
from derivable.examiner.measure.space import parted, real
from derivable.examiner.message import Message
from derivable.examiner.targets.target import FunctionRun, Inputs, Run, is_float

EXACT = (2.0, -1.0)
SCALES = (*EXACT, 1e-3, 1e3, 1e-7, 1e6)

IGNORED = Message("evidence.ignores")


def linearity(examined: ExaminedTarget, inputs: Inputs) -> list[Problem]:
    """Problems where backward(a u + b v) differs from a backward(u) + b backward(v)."""
    run = examined.run(inputs)
    u, v = random_grad_output(run, 3), random_grad_output(run, 4)

    def vjp(vector: Tensor) -> list[Tensor | None]:
        return gradients(examined, run, inputs, vector)

    at_u, at_v = vjp(u), vjp(v)
    at_zero = vjp(torch.zeros_like(u))
    ones = torch.ones_like(u)
    at_rest = vjp(ones - u)
    trials = [  # a vjp, the sum that it must be, and how large its terms are
        *((vjp(c * u), [(c, at_u)]) for c in SCALES),
        (vjp(u + v), [(1.0, at_u), (1.0, at_v)]),
        (vjp(ones), [(1.0, at_u), (1.0, at_rest)]),
        (at_zero, [(1e-9, at_u), (-1e-9, at_u)]),
    ]
    examined.comparisons += len(trials)
    problems = []
    usual = max(_most(g) for g in at_u)
    share = max(1e-9, 1e3 * examined.eps)
    for k, i in enumerate(examined.wanted):

        def holds(some: Sequence[Any], share: float, noise: float = 0.0, k: int = k) -> bool:
            """Whether all of `some` trials agree to the relative tolerance `share`."""
            return all(
                _close(got[k], [(c, g[k]) for c, g in parts], share, usual, noise)
                for got, parts in some
            )

        if holds(trials, share):
            continue
        if holds(trials, share, accepted_noise(examined, inputs, u)[k]):
            continue
        name = {"name": examined.name(i, inputs)}
        moderate = [t for t, c in zip(trials, (*SCALES, 1.0, 1.0, 1.0), strict=True)
                    if 1e-3 <= abs(c) <= 1e3]  # fmt: skip
        if holds(moderate, share) and holds(trials, 1e-2):
            continue  # backward has an absolute tolerance, such as that of an iteration
        if examined.eps == EPS and holds(moderate, 1e-2):
            dtype = representable(at_u[k])
            evidence = Message("evidence.rounded", {**name, "dtype": dtype})
            if not dtype:
                evidence = Message("evidence.rounded_inside", name)
            # Multiples by powers of two need no rounding, in any dtype.
            if dtype or (holds(trials[: len(EXACT)], 1e-14) and not holds(moderate, share)):
                problems.append(Problem("precision", i, (evidence,)))
                continue
        # mypy cannot infer a lambda whose default binds the loop variable
        found = _form(lambda vector, k=k: vjp(vector)[k], u, v, at_u[k])  # type: ignore[misc]
        cause = "ignores_grad_output" if found == IGNORED else "not_linear"
        problems.append(Problem(cause, i, (Message(found.key, {**found.fields, **name}),)))
    return problems


def _most(tensor: Tensor | None) -> float:
    if tensor is None or not tensor.numel():
        return 0.0
    return float(tensor.abs().nan_to_num(0.0).max())


def _close(
    got: Tensor | None, parts: Sequence[tuple[float, Tensor | None]], share: float, usual: float,
    noise: float,
) -> bool:  # fmt: skip
    """Whether `got` is the sum of c * g over `parts`, to a `share` of the largest of these.

    noise  of each g

    Gradients much smaller than `usual` may consist of rounding only. Entries that are not finite
    are not compared.
    """
    if got is None or any(g is None for _, g in parts):
        return True
    expected: Any = sum(c * g for c, g in parts if g is not None)
    slack = max(abs(c) * (share * max(_most(g), 1e-4 * usual) + noise) for c, g in parts)
    known = torch.isfinite(got) & torch.isfinite(expected)
    return bool(((got - expected).abs()[known] <= slack).all())


def representable(values: Tensor | None) -> str:
    """The smallest dtype that holds all of `values` exactly, if it is smaller than float64."""
    if values is None:
        return ""
    values = real(values)
    values = values[(values != 0) & torch.isfinite(values)]
    if len(values) < 3 or bool((values == values.round()).all()):
        return ""
    for dtype in (torch.bfloat16, torch.float16, torch.float32):
        if torch.equal(values.to(dtype).double(), values):
            return str(dtype).removeprefix("torch.")
    return ""


def _form(
    vjp: Callable[[Tensor], Tensor | None], u: Tensor, v: Tensor, at_u: Tensor | None
) -> Message:
    """The evidence of how a gradient depends on grad_output, if not linearly."""
    zero = vjp(torch.zeros_like(u))
    scale = max(_most(at_u), 1e-300)

    def equal(first: Tensor | None, second: Any) -> bool:
        return first is not None and _most(first - second) <= 1e-9 * max(scale, _most(first))

    if equal(vjp(v), at_u) and equal(zero, at_u):
        return IGNORED
    if equal(vjp(2 * u), at_u) and equal(vjp(v), at_u):
        return IGNORED
    if not equal(zero, 0.0):
        if at_u is not None and zero is not None and equal(vjp(2 * u), 2 * at_u - zero):
            return Message("evidence.constant_added", {"size": f"{_most(zero):.3g}"})
        return Message("evidence.not_zero", {"size": f"{_most(zero):.3g}"})
    if at_u is None:
        return Message("evidence.not_linear")
    for power, key in ((0, "evidence.degree_zero"), (2, "evidence.squared"), (3, "evidence.cubed")):
        if equal(vjp(2 * u), 2.0**power * at_u):
            return Message(key)
    small = vjp(1e-3 * u)
    if small is not None and equal(vjp(2e-3 * u), 2 * small) and not equal(1e3 * small, at_u):
        return _clipped(vjp, u)
    if equal(vjp(2 * u), 2 * at_u):
        even = equal(vjp(-u), at_u)
        return Message("evidence.absolute" if even else "evidence.one_signed")
    large = vjp(1e6 * u)
    if large is not None and equal(vjp(2 * u), 2 * at_u) is False and _most(large) < 1e3 * scale:
        return _clipped(vjp, u)
    return Message("evidence.not_linear")


def _clipped(vjp: Callable[[Tensor], Tensor | None], u: Tensor) -> Message:
    """The evidence with the limit at which grad_output is clipped."""
    low, high = 1e-3, 1e6
    start = vjp(low * u)
    for _ in range(40):
        middle = (low * high) ** 0.5
        got = vjp(middle * u)
        proportional = (
            got is not None and start is not None
            and _most(got - start * (middle / 1e-3)) <= 1e-9 * max(_most(got), 1e-300)
        )  # fmt: skip
        low, high = (middle, high) if proportional else (low, middle)
    return Message("evidence.clipped", {"limit": f"{low * float(u.abs().max()):.4g}"})


def layout(examined: ExaminedTarget, inputs: Inputs) -> list[Problem]:
    """Problems where gradients depend on the memory layout of grad_output or the inputs."""
    run = examined.run(inputs)
    likes = [run.outputs[i] for i in run.differentiable]
    usual = max(_most(g) for g in gradients(examined, run, inputs, random_grad_output(run)))
    problems: list[Problem] = []

    def returned(grads: Inputs) -> Gradients:
        fresh = examined.run(inputs) if examined.forward_per_vjp else run
        found = fresh.vjp(grads)
        return [fit(found, i, inputs[i]) for i in examined.wanted]

    for key, arrange in ARRANGEMENTS.items():
        plain = parted(random_grad_output(run), likes)
        arranged = [arrange(g) for g in plain]
        plain = [a.clone(memory_format=torch.contiguous_format) for a in arranged]
        if all(same_layout(a, g) for a, g in zip(arranged, plain, strict=True)):
            continue
        examined.comparisons += 1
        evidence = Message(f"evidence.layout_{key}")
        try:
            expected, got = returned(plain), returned(arranged)
        except Exception as error:
            problems.append(
                Problem("layout", None, (evidence, raised(error)), source=raised_at(error))
            )
            break
        if differ(examined, expected, got, usual) and not by_rounding(
            examined, plain, returned, expected, got
        ):
            problems.append(Problem("layout", None, (evidence,)))
            break
    return problems or _input_layout(examined, inputs, run)


def _input_layout(examined: ExaminedTarget, inputs: Inputs, run: Run) -> list[Problem]:
    """A problem if gradients depend on the memory layout of the inputs."""
    scattered = [_reversed(v) if is_float(v) else v for v in inputs]
    if all(a is b for a, b in zip(scattered, inputs, strict=True)):
        return []
    vector = random_grad_output(run)
    try:
        other = examined.run(scattered)
        if not torch.allclose(
            other.outputs[run.differentiable[0]], run.outputs[run.differentiable[0]]
        ):
            return []  # the outputs of forward depend on the layout
    except Exception:  # forward may refuse a layout
        return []
    examined.comparisons += 1
    evidence = Message("evidence.layout_inputs")
    try:
        got = gradients(examined, other, scattered, vector)
    except Exception as error:
        return [Problem("layout", None, (evidence, raised(error)), source=raised_at(error))]
    expected = gradients(examined, run, inputs, vector)

    def found(rounded: Inputs) -> Gradients:
        return gradients(examined, examined.run(rounded), rounded, vector)

    if not differ(examined, expected, got) or by_rounding(examined, inputs, found, expected, got):
        return []
    return [Problem("layout", None, (evidence,))]


def same_layout(first: Tensor, second: Tensor) -> bool:
    """Whether two tensors of equal values have the same memory layout."""
    return first.stride() == second.stride() and first.is_conj() == second.is_conj()


def _expanded(grad: Tensor) -> Tensor:
    if grad.numel() <= 1:
        return grad
    return grad.reshape(-1)[:1].view([1] * grad.ndim).expand(grad.shape)


def _rows(grad: Tensor) -> Tensor:
    """One row or column, expanded to all."""
    return grad[..., :1].expand(grad.shape) if grad.ndim > 1 and grad.shape[-1] > 1 else grad


def _reversed(tensor: Tensor) -> Tensor:
    """The same values with the axes in memory in the opposite order."""
    if tensor.ndim < 2 or tensor.numel() < 2:
        return tensor
    order = tuple(reversed(range(tensor.ndim)))
    return tensor.detach().permute(order).contiguous().permute(order)


def _strided(grad: Tensor) -> Tensor:
    """Every second entry of a larger tensor."""
    if not grad.ndim or grad.numel() < 2:
        return grad
    wide = torch.full((*grad.shape, 2), float("nan"), dtype=grad.dtype)
    wide[..., 0] = grad
    return wide[..., 0]


def _channels_last(grad: Tensor) -> Tensor:
    return grad.contiguous(memory_format=torch.channels_last) if grad.ndim == 4 else grad


def _lazily_conjugated(grad: Tensor) -> Tensor:
    return grad.conj().resolve_conj().conj() if grad.is_complex() else grad


ARRANGEMENTS: dict[str, Callable[[Tensor], Tensor]] = {
    "expanded": _expanded,
    "rows": _rows,
    "transposed": _reversed,
    "strided": _strided,
    "channels_last": _channels_last,
    "conjugated": _lazily_conjugated,
}


def unused(examined: ExaminedTarget, inputs: Inputs) -> list[Problem]:
    """A problem if None for an unused output gives other gradients than zeros."""
    run = examined.run(inputs)
    if len(run.differentiable) < 2 or not isinstance(run, FunctionRun) or run.ctx._materialize:
        return []
    likes = [run.outputs[i] for i in run.differentiable]
    for position in range(len(likes)):
        alone = [like if i == position else None for i, like in enumerate(likes)]
        zeros = [torch.zeros_like(k) if a is None else a for a, k in zip(alone, likes, strict=True)]
        evidence = Message("evidence.unused", {"position": position})
        examined.comparisons += 1
        expected = [fit(run.vjp(zeros), i, inputs[i]) for i in examined.wanted]
        try:
            got = [fit(run.vjp(alone), i, inputs[i]) for i in examined.wanted]
        except Exception as error:
            return [Problem("raises", None, (evidence, raised(error)), source=raised_at(error))]
        if differ(examined, expected, got):
            return [Problem("none", None, (evidence,))]
    return []


def _other_outputs(examined: ExaminedTarget, first: Run, second: Run) -> bool:
    """Whether two forwards with the same inputs returned different outputs."""
    pairs = [(first.outputs[i], second.outputs[i]) for i in first.differentiable]
    if examined.adapter.random or any(a.shape != b.shape for a, b in pairs):
        return False
    return differ(examined, [a for a, _ in pairs], [b for _, b in pairs])


def subsets(examined: ExaminedTarget, inputs: Inputs) -> list[Problem]:
    """A problem if gradients differ when only some of the inputs require grad."""
    if len(examined.wanted) < 2:
        return []
    run = examined.run(inputs)
    vector = random_grad_output(run)
    everything = dict(zip(examined.wanted, gradients(examined, run, inputs, vector), strict=True))
    ones = [[i] for i in examined.wanted]
    all_but_one = [[j for j in examined.wanted if j != i] for i in examined.wanted]
    problems: list[Problem] = []
    for chosen in ones + (all_but_one if len(examined.wanted) > 2 else []):
        names = ", ".join(examined.name(i, inputs) for i in chosen)
        evidence = Message("evidence.subset", {"names": names})
        partial = ExaminedTarget(examined.adapter, chosen)
        partial.forward_per_vjp = examined.forward_per_vjp
        examined.comparisons += 1
        try:
            part = partial.run(inputs)
            if _other_outputs(examined, run, part):
                other = Message("evidence.subset_output", {"names": names})
                problems.append(Problem("needs_input_grad", None, (other,)))
                break
            returned = partial.vjp(part, inputs, random_grad_output(part))
        except Exception as error:
            evidence_and_error = (evidence, raised(error))
            problems.append(
                Problem("needs_input_grad", chosen[0], evidence_and_error, source=raised_at(error))
            )
            continue
        for i in chosen:
            got = fit(returned, i, inputs[i])
            if len(returned) <= i or differ(examined, [everything[i]], [got]):
                problems.append(Problem("needs_input_grad", i, (evidence,)))
    return problems[:1]
