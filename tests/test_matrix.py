"""Every Function of the library through every way of running it, against PyTorch's own.

Each way ("mode") computes something with the Function and the same thing with the reference of
its case. A cell that cannot run is in the case's `excluded`, with its reason, and is skipped
with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad, gradcheck, gradgradcheck
from torch.utils.checkpoint import checkpoint

from derivable import Context
from derivable.function.gradients import as_tuple
from tests.cases import CASES, Case
from tests.cases.case import differentiable

Apply = Callable[..., Any]
Mode = Callable[[Case], None]


def differentiable_outputs(outputs: Any) -> tuple[Tensor, ...]:
    """The outputs that can have a gradient."""
    return tuple(value for value in as_tuple(outputs) if differentiable(value))


def of_tensors(apply: Apply, inputs: list[Any]) -> Callable[..., tuple[Tensor, ...]]:
    """The differentiable outputs of `apply` as a function of its differentiable inputs."""

    def call(*tensors: Tensor) -> tuple[Tensor, ...]:
        given = iter(tensors)
        return differentiable_outputs(
            apply(*(next(given) if differentiable(v) else v for v in inputs))
        )

    return call


def irregular_grad_outputs(outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Signed, irregular grad_outputs, because ones would hide a backward that ignores them.

    They are values of a cosine, because transforms refuse random generators.
    """
    return tuple(
        (torch.cos(1.7 * torch.arange(o.numel(), device=o.device) + 0.5 + i) + 0.1)
        .reshape(o.shape)
        .to(o.dtype)
        for i, o in enumerate(outputs)
    )


def weighted(function: Callable[..., tuple[Tensor, ...]]) -> Callable[..., Tensor]:
    """A number made of all outputs, in which every entry counts differently."""

    def total(*tensors: Tensor) -> Tensor:
        outputs = function(*tensors)
        parts = [
            (o * w).sum() for o, w in zip(outputs, irregular_grad_outputs(outputs), strict=True)
        ]
        return torch.stack(parts).sum()

    return total


def both(case: Case) -> tuple[list[Tensor], Apply, Apply]:
    """The differentiable inputs, the Function and the reference, both as functions of these."""
    inputs = case.draw()
    tensors = [value.detach() for value in inputs if differentiable(value)]
    return tensors, of_tensors(case.function.apply, inputs), of_tensors(case.reference, inputs)


def close(ours: Any, expected: Any, dtype: torch.dtype = torch.float64) -> None:
    rtol = 1e-9 if dtype == torch.float64 else 1e-4
    torch.testing.assert_close(ours, expected, rtol=rtol, atol=rtol, check_stride=False)


def gradients_of(function: Apply, tensors: list[Tensor]) -> tuple[Tensor, ...]:
    """Values and gradients by autograd."""
    tensors = [tensor.detach().clone().requires_grad_() for tensor in tensors]
    outputs = function(*tensors)
    gradients = torch.autograd.grad(
        outputs, tensors, irregular_grad_outputs(outputs), materialize_grads=True
    )
    return *(o.detach() for o in outputs), *gradients


# The ways of running -----------------------------------------------------------------------------


def autograd(case: Case) -> None:
    tensors, ours, reference = both(case)
    close(gradients_of(ours, tensors), gradients_of(reference, tensors))


def by_hand(case: Case, dtype: torch.dtype = torch.float64) -> None:
    inputs = case.draw(dtype)
    tensors = [value for value in inputs if differentiable(value)]
    expected = differentiable_outputs(case.reference(*inputs))
    expected_gradients = torch.autograd.grad(
        expected, tensors, irregular_grad_outputs(expected), materialize_grads=True
    )
    ctx = Context()
    with torch.no_grad():
        outputs = case.function.forward(ctx, *inputs)
        weights = iter(irregular_grad_outputs(differentiable_outputs(outputs)))
        given = [next(weights) if differentiable(o) else None for o in as_tuple(outputs)]
        gradients = as_tuple(case.function.backward(ctx, *given))
    close(differentiable_outputs(outputs), tuple(o.detach() for o in expected), dtype)
    assert len(gradients) == len(inputs)
    ours = [g for g, value in zip(gradients, inputs, strict=True) if differentiable(value)]
    ours = [torch.zeros_like(t) if g is None else g for g, t in zip(ours, tensors, strict=True)]
    close(tuple(ours), expected_gradients, dtype)


def float32(case: Case) -> None:
    by_hand(case, torch.float32)


def non_contiguous(case: Case) -> None:
    tensors, ours, _ = both(case)
    strided = [torch.stack([t, t], -1)[..., 0] for t in tensors]
    close(gradients_of(ours, strided), gradients_of(ours, tensors))


def without_data(case: Case) -> None:
    inputs = [v.to("meta") if isinstance(v, Tensor) else v for v in case.draw()]
    ctx = Context()
    outputs = as_tuple(case.function.forward(ctx, *inputs))
    given = [torch.empty_like(o) if differentiable(o) else None for o in outputs]
    gradients = as_tuple(case.function.backward(ctx, *given))
    shapes = [
        g.shape if g is not None else v.shape
        for g, v in zip(gradients, inputs, strict=False)
        if differentiable(v)
    ]
    assert shapes == [v.shape for v in inputs if differentiable(v)]


def first_order(case: Case) -> None:
    inputs = case.draw()
    tensors = [value for value in inputs if differentiable(value)]
    assert gradcheck(of_tensors(case.function.apply, inputs), tensors)


def second_order(case: Case) -> None:
    inputs = case.draw()
    tensors = [value for value in inputs if differentiable(value)]
    assert gradgradcheck(of_tensors(case.function.apply, inputs), tensors)


def func_grad(case: Case) -> None:
    tensors, ours, reference = both(case)
    every = tuple(range(len(tensors)))
    gradients = torch.func.grad(weighted(ours), argnums=every)(*tensors)
    recorded = [tensor.clone().requires_grad_() for tensor in tensors]
    total = weighted(reference)(*recorded)
    close(gradients, torch.autograd.grad(total, recorded, materialize_grads=True))


def _jacobian(function: Apply, tensors: list[Tensor]) -> list[list[Tensor]]:
    """The reference's Jacobians, one row of tensors per output."""
    found = torch.autograd.functional.jacobian(function, tuple(tensors))
    return [list(row) for row in found]


def func_jacrev(case: Case) -> None:
    tensors, ours, reference = both(case)
    found = torch.func.jacrev(ours, argnums=tuple(range(len(tensors))))(*tensors)
    close([list(row) for row in found], _jacobian(reference, tensors))


def func_jacfwd(case: Case) -> None:
    tensors, ours, reference = both(case)
    found = torch.func.jacfwd(ours, argnums=tuple(range(len(tensors))))(*tensors)
    close([list(row) for row in found], _jacobian(reference, tensors))


def _expected_tangents(
    reference: Apply, tensors: list[Tensor], tangents: tuple[Tensor, ...]
) -> list[Tensor]:
    """The tangents of the outputs, from two reverse passes through the reference."""
    return list(torch.autograd.functional.jvp(reference, tuple(tensors), tangents)[1])


def func_jvp(case: Case) -> None:
    tensors, ours, reference = both(case)
    tangents = irregular_grad_outputs(tuple(tensors))
    output_tangents = torch.func.jvp(ours, tuple(tensors), tangents)[1]
    close(list(output_tangents), _expected_tangents(reference, tensors, tangents))


def forward_mode(case: Case) -> None:
    tensors, ours, reference = both(case)
    tangents = irregular_grad_outputs(tuple(tensors))
    with forward_ad.dual_level():
        duals = [forward_ad.make_dual(t, v) for t, v in zip(tensors, tangents, strict=True)]
        output_tangents = [forward_ad.unpack_dual(output).tangent for output in ours(*duals)]
    close(output_tangents, _expected_tangents(reference, tensors, tangents))


def _batches(case: Case, count: int = 3) -> tuple[list[Tensor], list[list[Tensor]], Apply]:
    """`count` draws stacked along a new first dimension, apart, and the Function of one."""
    first = case.draw()
    draws = [
        [v.detach() for v in case.draw(seed=seed) if differentiable(v)]
        for seed in range(11, 11 + count)
    ]
    stacked = [torch.stack(values) for values in zip(*draws, strict=True)]
    return stacked, draws, of_tensors(case.function.apply, first)


def vmap(case: Case) -> None:
    stacked, draws, ours = _batches(case)
    expected = [torch.stack(values) for values in zip(*(ours(*d) for d in draws), strict=True)]
    close(list(torch.func.vmap(ours)(*stacked)), expected)


def vmap_of_grad(case: Case) -> None:
    stacked, draws, ours = _batches(case)
    gradient = torch.func.grad(weighted(ours), argnums=tuple(range(len(stacked))))
    expected = [torch.stack(values) for values in zip(*(gradient(*d) for d in draws), strict=True)]
    close(list(torch.func.vmap(gradient)(*stacked)), expected)


def grad_of_vmap(case: Case) -> None:
    stacked, draws, ours = _batches(case)
    every = tuple(range(len(stacked)))
    gradient = torch.func.grad(weighted(ours), argnums=every)
    expected = [torch.stack(values) for values in zip(*(gradient(*d) for d in draws), strict=True)]

    def total(*tensors: Tensor) -> Tensor:
        outputs = torch.func.vmap(ours)(*tensors)
        weights = irregular_grad_outputs(ours(*draws[0]))
        return torch.stack([(o * w).sum() for o, w in zip(outputs, weights, strict=True)]).sum()

    close(list(torch.func.grad(total, argnums=every)(*stacked)), expected)


def func_hessian(case: Case) -> None:
    tensors, ours, reference = both(case)
    every = tuple(range(len(tensors)))
    found = torch.func.hessian(weighted(ours), argnums=every)(*tensors)
    expected = torch.autograd.functional.hessian(weighted(reference), tuple(tensors))
    close([list(row) for row in found], [list(row) for row in expected])


def _compiled(function: Apply) -> Apply:
    torch._dynamo.reset()
    compiled: Apply = torch.compile(function, fullgraph=True, backend="aot_eager")
    return compiled


def compiled(case: Case) -> None:
    tensors, ours, _ = both(case)
    close(gradients_of(_compiled(ours), tensors), gradients_of(ours, tensors))


def compiled_func_grad(case: Case) -> None:
    tensors, ours, _ = both(case)
    gradient = torch.func.grad(weighted(ours), argnums=tuple(range(len(tensors))))
    close(_compiled(gradient)(*tensors), gradient(*tensors))


def checkpointed(case: Case) -> None:
    tensors, ours, _ = both(case)

    def later(*inputs: Tensor) -> Any:
        return checkpoint(ours, *inputs, use_reentrant=False)

    close(gradients_of(later, tensors), gradients_of(ours, tensors))


AGAINST_PYTORCH: list[Mode] = [autograd, by_hand, float32, non_contiguous, without_data]
EVERY_MODE: list[Mode] = [
    *AGAINST_PYTORCH, first_order, second_order, func_grad, func_jacrev, func_jacfwd, func_jvp,
    forward_mode, vmap, vmap_of_grad, grad_of_vmap, func_hessian, compiled, compiled_func_grad,
    checkpointed,
]  # fmt: skip


def _cells() -> Iterator[Any]:
    seen = set()
    for case in CASES:
        modes = AGAINST_PYTORCH if case.function in seen else EVERY_MODE
        seen.add(case.function)
        for mode in modes:
            name = mode.__name__
            marks = [pytest.mark.skip(reason=case.excluded[name])] if name in case.excluded else []
            yield pytest.param(case, mode, id=f"{case.name}-{name}", marks=marks)


@pytest.mark.parametrize(("case", "mode"), list(_cells()))
def test_every_function_in_every_way(case: Case, mode: Mode) -> None:
    mode(case)


def test_the_exclusions_are_few_and_name_real_modes() -> None:
    names = {mode.__name__ for mode in EVERY_MODE}
    excluded = [(case.name, mode) for case in CASES for mode in case.excluded]
    assert all(mode in names for _, mode in excluded), excluded
    assert len(excluded) <= 0.02 * len(CASES) * len(EVERY_MODE), excluded
