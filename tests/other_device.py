"""A device that is not the CPU, on any machine: its tensors compute there, and refuse to be mixed.

PyTorch lets tensors claim the device "meta", on which autograd runs as on the CPU. Inside of
`other_device()`, those made on "meta" hold numbers, which lie on the CPU unseen; an operation on
one of them and a tensor of the CPU raises, as it does between a CUDA device and the CPU, and so
does `numpy()`. So code that makes a tensor on the wrong device is found where there is no CUDA.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from derivable.function.compiled import DispatchMode

DEVICE = torch.device("meta")
# Operations whose last argument may be a tensor of the CPU for one of any device.
INDEXING = ("index", "index_put", "index_put_", "_unsafe_index")


class _There(Tensor):
    """A tensor on the other device."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> _There:
        there: _There = Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=DEVICE,
        )
        there.held = held
        return there

    def __repr__(self, **options: Any) -> Any:  # type: ignore[override]  # it has no types
        return f"there({self.held!r})"

    def tolist(self) -> Any:
        return self.held.tolist()

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]  # PyTorch's own has another signature
        cls, call: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return _run(call, args, kwargs or {})


class _Mode(DispatchMode):
    def __torch_dispatch__(self, call: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(call, args, kwargs or {})


def _run(call: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    name = call.overloadpacket.__name__
    given = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
    there = [one for one in given if isinstance(one, _There)]
    here = [one for one in given if not isinstance(one, _There)]
    asked = kwargs.get("device")
    if asked is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    copying = name in ("copy_", "_to_copy", "_copy_from")
    if there and not copying and name not in INDEXING:
        for one in here:
            if one.ndim > 0:
                raise RuntimeError(
                    f"Expected all tensors to be on the same device: {name} has tensors of {DEVICE}"
                    f" and of the cpu, of shape {tuple(one.shape)}"
                )
    held = tree_map(lambda one: one.held if isinstance(one, _There) else one, (args, kwargs))
    found = call(*held[0], **held[1])
    if call._schema.name.endswith("_") and isinstance(args[0], Tensor):
        return args[0]
    if name == "_local_scalar_dense":
        return found
    on_device = torch.device(asked).type == DEVICE.type if asked is not None else bool(there)
    out = kwargs.get("out")
    if isinstance(out, _There):
        return out
    return tree_map(
        lambda one: _There(one) if on_device and isinstance(one, Tensor) else one, found
    )


@contextmanager
def other_device() -> Iterator[torch.device]:
    """Inside, tensors on this device compute; `tensor.to(device)` and `.cpu()` move them."""
    with _Mode():
        yield DEVICE
