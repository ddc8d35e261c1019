"""`adapter_of`: the adapter that runs a target."""

from __future__ import annotations

from typing import Any

import torch

from derivable.errors import InputError
from derivable.examiner.messages import error_of
from derivable.examiner.targets.callables import CallableAdapter
from derivable.examiner.targets.custom_ops import CustomOpAdapter, custom_op_of
from derivable.examiner.targets.jax_functions import JaxAdapter, is_jax
from derivable.examiner.targets.plain import PlainAdapter, is_plain_function_class
from derivable.examiner.targets.target import FunctionAdapter

Known = FunctionAdapter | CallableAdapter  # what a target alone is run by


def adapter_of(target: Any, options: dict[str, Any] | None = None) -> Known:
    """The adapter of `target`: a Function is run by hand, another callable under autograd.

    `options` are given by keyword to each call of a callable. Raises InputError for what cannot
    be called.
    """
    if isinstance(target, type) and issubclass(target, torch.autograd.Function):
        return FunctionAdapter(target)
    if is_plain_function_class(target):
        return PlainAdapter(target)
    if is_jax(target):
        return JaxAdapter(target, options or {})
    definition = custom_op_of(target)
    if definition is not None:
        return CustomOpAdapter(definition)
    if not callable(target):
        raise error_of(InputError, "error.not_callable", kind=type(target).__name__)
    return CallableAdapter(target, options)
