"""Where tensors lie and are computed with: the CPU, or a CUDA device."""

from __future__ import annotations

from typing import Any

import torch

from derivable.core_messages import say
from derivable.errors import SettingError

CPU = torch.device("cpu")
KINDS = ("cpu", "cuda")


def device_of(given: Any) -> torch.device:
    """The device of a name such as "cuda" or "cuda:1", or a `torch.device`.

    Raises SettingError for one that is unknown, or that PyTorch does not see here.
    """
    try:
        device = torch.device(given)
    except (RuntimeError, TypeError):
        raise SettingError(say("device", got=given)) from None
    if device.type not in KINDS:
        raise SettingError(say("device", got=given))
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SettingError(say("no_cuda", got=given))
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise SettingError(say("few_devices", got=given, n=torch.cuda.device_count()))
    if device.type == "cuda" and device.index is None:
        return torch.device("cuda", torch.cuda.current_device())
    return device
