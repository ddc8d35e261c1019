"""Registration of Functions with TorchDynamo, so that `torch.compile` keeps their backward.

By default TorchDynamo traces the `forward` and `backward` of a class by itself, and inside
`torch.func.grad` it drops the custom backward silently (pytorch issue 193279; observed with
PyTorch 2.13). Functions that are allowed in the graph are called as they are and traced below.

Importing TorchDynamo takes one to two seconds, and most programs never compile. So Functions are
registered when it is imported.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from derivable.function.signature import Signature

DYNAMO = "torch._dynamo"

_waiting: weakref.WeakSet[type] = weakref.WeakSet()


def allow_in_graph(function: type) -> None:
    """Allow `function` in graphs of TorchDynamo, now or as soon as TorchDynamo is imported."""
    if DYNAMO in sys.modules and not _is_being_imported():
        sys.modules[DYNAMO].allow_in_graph(function)
        return
    _waiting.add(function)
    if not any(isinstance(finder, _DynamoFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _DynamoFinder())


@contextmanager
def without_importing_dynamo() -> Iterator[None]:
    """Inside, PyTorch's transforms do not import TorchDynamo.

    Their backward imports it to switch off compiled autograd. Where it was not imported before,
    there is nothing to switch off, and the import takes longer than an examination.
    """
    if DYNAMO in sys.modules:
        yield
        return
    absent = _AbsentDynamo()
    torch._dynamo = absent  # type: ignore[assignment]  # a substitute for the module
    try:
        yield
    finally:
        if torch.__dict__.get("_dynamo") is absent:  # an import replaces it
            del torch._dynamo


class _AbsentDynamo:
    """A substitute for TorchDynamo with what the transforms use; the rest imports the real one."""

    compiled_autograd = SimpleNamespace(_disable=nullcontext)

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(DYNAMO), name)


def own_apply(function: type, signature: Signature) -> classmethod[Any, Any, Any]:
    """A copy of the inherited `apply` with a code object of its own.

    TorchDynamo distinguishes `tanh = Tanh.apply` and `relu = ReLU.apply` by their code and not by
    the class that they are bound to: with one `apply` for all, what was compiled for the first
    would be run for the second. The copy has the `signature` of forward.
    """
    shared = inspect.getattr_static(function, "apply").__func__
    code = shared.__code__.replace(co_qualname=f"{function.__qualname__}.apply")
    copy = FunctionType(code, shared.__globals__, "apply", shared.__defaults__, shared.__closure__)
    copy.__kwdefaults__, copy.__doc__ = shared.__kwdefaults__, function.__doc__
    copy.__signature__ = signature.shown  # type: ignore[attr-defined]  # read by inspect alone
    return classmethod(copy)


def _is_being_imported() -> bool:
    """Whether TorchDynamo is in the middle of being imported."""
    spec = getattr(sys.modules[DYNAMO], "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


class _DynamoFinder(MetaPathFinder):
    """Finds the module TorchDynamo once, and has the waiting Functions registered on import."""

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> Any:
        if name != DYNAMO:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        assert spec is not None  # it is a part of PyTorch
        assert spec.loader is not None
        spec.loader = _RegisteringLoader(spec.loader)
        return spec


class _RegisteringLoader(Loader):
    """The real loader of TorchDynamo, followed by the registration of the waiting Functions."""

    def __init__(self, real: Loader) -> None:
        self.real = real

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self.real.exec_module(module)
        for function in _waiting:
            module.allow_in_graph(function)
        _waiting.clear()


class DispatchMode(TorchDispatchMode):
    """A TorchDispatchMode that does not import TorchDynamo."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # PyTorch has no types here

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False, because for True PyTorch imports TorchDynamo, which takes seconds."""
        return False
