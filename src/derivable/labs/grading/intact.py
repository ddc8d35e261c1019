"""`Intact`: restores functions of Python, PyTorch and derivable that a copy has replaced."""

from __future__ import annotations

import builtins
import io
import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy
import torch

OWN = (builtins, io, json, json.encoder, os, random, signal, sys, time, traceback)  # what we run on
PACKAGES = ("derivable", "torch.autograd", "torch.nn.functional", "torch.testing")
CLASSES = (torch.Tensor, torch.autograd.Function)
Names = dict[str, Any]


class Intact:
    """The functions and classes of modules, and the members of a few classes, when it is made.

    Only what can be called is kept: other names hold the state of a module. Putting back needs no
    builtin, which a copy may have replaced.
    """

    def __init__(self) -> None:
        self._own = [_kept(module) for module in OWN]
        more = [m for n, m in sorted(sys.modules.items()) if _is_known(n) and m not in OWN]
        self._all = [_kept(module) for module in (numpy, torch, torch.nn, *more)]
        self._classes = [(one, dict(vars(one))) for one in CLASSES]

    def put_back_own(self) -> None:
        """Restore builtins and the modules of Python that the worker itself uses."""
        for update, names in self._own:
            update(names)

    def put_back(self) -> None:
        """Restore all functions and classes."""
        self.put_back_own()
        for update, names in self._all:
            update(names)
        for one, names in self._classes:
            for name in [n for n in vars(one) if n not in names and _hides(one, n)]:
                delattr(one, name)
            for name, value in names.items():
                if vars(one).get(name) is not value:
                    setattr(one, name, value)


def _kept(module: ModuleType) -> tuple[Callable[[Names], None], Names]:
    return vars(module).update, _callables(vars(module))


def _callables(names: Names) -> Names:
    return {name: value for name, value in names.items() if callable(value)}


def _hides(one: type, name: str) -> bool:
    """Whether a name of a class hides that of a class above it."""
    return any(name in vars(base) for base in one.__mro__[1:])


def _is_known(name: str) -> bool:
    return name.startswith(tuple(f"{p}." for p in PACKAGES)) or name in PACKAGES
