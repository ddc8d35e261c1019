"""`subject_of`: the way to run any target."""

from __future__ import annotations

from typing import Any

import torch

from derivable.errors import InputError
from derivable.examiner.targets.plain import PlainSubject, is_plain_function_class
from derivable.examiner.targets.target import CallableSubject, FunctionSubject, Subject


def subject_of(target: Any, options: dict[str, Any] | None = None) -> Subject:
    """How `target` is run: a Function by hand, anything else that can be called under autograd.

    `options` are given by keyword to each call of a callable. Raises InputError for what cannot
    be called.
    """
    if isinstance(target, type) and issubclass(target, torch.autograd.Function):
        return FunctionSubject(target)
    if is_plain_function_class(target):
        return PlainSubject(target)
    if not callable(target):
        raise InputError(
            f"check examines a Function, a callable or a module, got {type(target).__name__}"
        )
    return CallableSubject(target, options)
