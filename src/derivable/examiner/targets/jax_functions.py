"""JAX functions with a `custom_vjp` or `custom_jvp`, as callables of tensors.

The only module that imports JAX. Forward is the function itself; its gradient is computed by
`jax.vjp` with the author's rule, and second derivatives by `jax.vjp` of that. Inside
`double_precision` JAX computes in float64, whatever its settings.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from derivable.examiner.targets.callables import CallableAdapter
from derivable.examiner.targets.target import Inputs, is_float, with_entries


def is_jax(target: Any) -> bool:
    """Whether it is a function that JAX has wrapped: `custom_vjp`, `custom_jvp`, `jit`."""
    return type(target).__module__.partition(".")[0] in ("jax", "jaxlib") and callable(target)


class JaxAdapter(CallableAdapter):
    """The adapter of a JAX function with a rule of its own."""

    work = 1000.0  # JAX traces the function and its rule anew in each call

    def __init__(self, target: Callable[..., Any], options: dict[str, Any]) -> None:
        super().__init__(target, options)
        self._call = differentiable(lambda *arrays: target(*arrays, **options))

    @property
    def rule(self) -> Any:
        """The author's `bwd` of a custom_vjp, or `jvp` of a custom_jvp."""
        return getattr(self.target, "bwd", None) or getattr(self.target, "jvp", None)

    def values_at(
        self, inputs: Inputs, arguments: Sequence[int], points: Tensor
    ) -> tuple[Tensor, ...]:
        """The outputs at many points, by jax.vmap."""
        rows = [with_entries(inputs, arguments, point) for point in points]
        batches = {i: _array(torch.stack([row[i] for row in rows])) for i in arguments}
        arrays = [_array(v) if isinstance(v, Tensor) else v for v in inputs]

        def outputs(*chosen: Any) -> Any:
            whole = list(arrays)
            for i, value in zip(arguments, chosen, strict=True):
                whole[i] = value
            return _jax().tree_util.tree_leaves(self.target(*whole, **self.options))

        with double_precision():
            return tuple(_tensor(o) for o in _jax().vmap(outputs)(*batches.values()))

    def _recorded(self, inputs: Inputs) -> Any:
        return self._call(*inputs)


def tensors_of(values: Sequence[Any]) -> list[Any]:
    """Arrays of JAX and NumPy as tensors; all else as it is."""
    return [_tensor(v) if hasattr(v, "__array__") and not isinstance(v, Tensor) else v
            for v in values]  # fmt: skip


def differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of arrays as one of tensors, which autograd differentiates by `jax.vjp`."""

    def call(*inputs: Any) -> Any:
        differentiable = [i for i, value in enumerate(inputs) if is_float(value)]
        arrays = [_array(value) if isinstance(value, Tensor) else value for value in inputs]

        def of_differentiable(*chosen: Any) -> list[Any]:
            whole = list(arrays)
            for i, value in zip(differentiable, chosen, strict=True):
                whole[i] = value
            return list(_jax().tree_util.tree_leaves(function(*whole)))

        outputs = bridged(of_differentiable, *(inputs[i] for i in differentiable))
        return outputs if len(outputs) > 1 else outputs[0]

    return call


class _Bridge(torch.autograd.Function):
    """A function of floating-point arrays; its backward is such a function again."""

    @staticmethod
    def forward(ctx: Any, function: Callable[..., list[Any]], *inputs: Tensor) -> Any:
        ctx.function = function
        ctx.save_for_backward(*inputs)
        with double_precision():
            return tuple(_tensor(o) for o in function(*map(_array, inputs)))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        inputs = ctx.saved_tensors
        function, count = ctx.function, len(ctx.saved_tensors)

        def gradients(*values: Any) -> list[Any]:
            vjp = _jax().vjp(function, *values[:count])[1]
            return list(vjp(list(values[count:])))

        return (None, *bridged(gradients, *inputs, *grads))


bridged: Callable[..., tuple[Tensor, ...]] = _Bridge.apply


def double_precision() -> AbstractContextManager[Any]:
    """Inside, JAX computes in float64 where it is given float64."""
    jax = _jax()
    if hasattr(jax, "enable_x64"):
        context: AbstractContextManager[Any] = jax.enable_x64(True)
        return context
    older: AbstractContextManager[Any] = importlib.import_module("jax.experimental").enable_x64()
    return older


def _jax() -> Any:
    """The module, which has wrapped the target."""
    return importlib.import_module("jax")


def _array(tensor: Tensor) -> Any:
    with double_precision():
        return _jax().numpy.asarray(tensor.detach().resolve_conj().numpy())


def _tensor(array: Any) -> Tensor:
    return torch.from_numpy(np.array(array))
