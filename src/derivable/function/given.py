"""What is given in place of a Function class, in words."""

from __future__ import annotations

from typing import Any

import torch

from derivable.function.messages import say


def shown_function(got: Any) -> str:
    """What is given in place of a Function class: an object of one is named as such."""
    is_object = isinstance(got, torch.autograd.Function)
    return say("an_object", name=type(got).__name__) if is_object else repr(got)
