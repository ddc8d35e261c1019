"""`CallableAdapter`: runs a callable or a module under autograd."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from derivable.examiner.targets.target import Adapter, Inputs, Run, copied, is_float
from derivable.function.gradients import as_tuple


class RecordedRun(Run):
    """A forward under autograd."""

    def __init__(self, returned: Any, inputs: Inputs, wanted: Sequence[int]) -> None:
        outputs = as_tuple(returned)
        differentiable = [i for i, o in enumerate(outputs) if is_float(o) and o.requires_grad]
        super().__init__(outputs, differentiable, inputs)
        self._wanted = list(wanted)

    def _vjp(self, grad_outputs: Sequence[Tensor | None]) -> tuple[Any, ...]:
        pairs = [
            (output, grad)
            for output, grad in zip(self.outputs, self.spread(grad_outputs), strict=True)
            if grad is not None
        ]
        found: Sequence[Tensor | None] = [None] * len(self._wanted)
        if pairs and self._wanted:
            outputs, grads = zip(*pairs, strict=True)
            leaves = [self.inputs[i] for i in self._wanted]
            found = torch.autograd.grad(
                outputs, leaves, grads, retain_graph=True, allow_unused=True
            )
        gradients: list[Any] = [None] * len(self.inputs)
        for position, gradient in zip(self._wanted, found, strict=True):
            gradients[position] = gradient
        return tuple(gradients)


class CallableAdapter(Adapter):
    """The adapter of a callable of tensors; parameters of an nn.Module are its last inputs."""

    def __init__(self, target: Callable[..., Any], options: dict[str, Any] | None = None) -> None:
        super().__init__(getattr(target, "__name__", type(target).__name__), target)
        self.options = options or {}
        self.buffers: dict[str, Tensor] = {}
        if isinstance(target, nn.Module):
            self.parameters = {n: p for n, p in target.named_parameters() if p.requires_grad}
            fixed = {n: p for n, p in target.named_parameters() if not p.requires_grad}
            self.buffers = {**fixed, **dict(target.named_buffers())}

    def names(self, count: int) -> list[str]:
        """The names of the inputs, then those of the parameters."""
        own = count - len(self.parameters)
        rule = self.target.forward if isinstance(self.target, nn.Module) else self.target
        try:
            parameters = list(inspect.signature(rule).parameters.values())
        except (TypeError, ValueError):  # a builtin
            parameters = []
        known = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][:own]
        known += [f"input {i}" for i in range(len(known), own)]
        return known + list(self.parameters)

    def _recorded(self, inputs: Inputs) -> Any:
        if not isinstance(self.target, nn.Module):
            return self.target(*inputs, **self.options)
        own = len(inputs) - len(self.parameters)
        dtype = next((v.dtype for v in inputs[own:] if is_float(v)), None)
        state = {
            name: copied(t, False).to(dtype) if dtype and is_float(t) else copied(t, False)
            for name, t in self.buffers.items()
        }
        state |= dict(zip(self.parameters, inputs[own:], strict=True))
        return torch.func.functional_call(self.target, state, tuple(inputs[:own]), self.options)

    def _run(self, inputs: list[Any], wanted: Sequence[int]) -> RecordedRun:
        with torch.set_grad_enabled(bool(wanted)):
            return RecordedRun(self._on_device(inputs), inputs, wanted)
