"""Replacement of the `.apply` of all Functions; under vmap, by their forwards alone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch

from derivable.examiner.targets.recorder import Recorder


@contextlib.contextmanager
def applying(apply: Callable[..., Any]) -> Iterator[None]:
    """Inside, `.apply(*inputs)` of any Function is `apply(original, cls, *inputs)`.

    `original(cls, *inputs)` is the former `.apply`. It is replaced as an attribute of PyTorch's
    class, because there is no other hook for calls of all Functions.
    """
    original = vars(torch.autograd.Function)["apply"]

    def other(cls: Any, *inputs: Any) -> Any:
        return apply(original.__func__, cls, *inputs)

    torch.autograd.Function.apply = classmethod(other)  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        torch.autograd.Function.apply = original  # type: ignore[method-assign]


def forwards_alone() -> contextlib.AbstractContextManager[None]:
    """Under vmap, `.apply` runs a Function's forward, and nothing is recorded.

    PyTorch refuses vmap for Functions without a vmap rule, because of their backward. Where only
    values are needed, a callable that uses such Functions can still run in batches.
    """

    def apply(original: Callable[..., Any], cls: Any, *inputs: Any) -> Any:
        if not torch._C._are_functorch_transforms_active():  # another thread's call
            return original(cls, *inputs)
        if cls.setup_context is not torch.autograd.Function.setup_context:
            return cls.forward(*inputs)
        return cls.forward(Recorder((False,) * len(inputs)), *inputs)

    return applying(apply)
