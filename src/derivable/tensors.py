"""Tensors in files, as safetensors, without pickle."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from derivable.core_messages import say
from derivable.errors import DataError
from derivable.extras import needed
from derivable.files import write_whole

Packed = tuple[dict[str, Tensor], dict[str, str]]  # tensors, and texts beside them


def save_tensors(file: Path | str, tensors: Mapping[str, Tensor], texts: Mapping[str, str]) -> None:
    """Write tensors, and texts beside them, as safetensors, whole or not at all."""
    write_whole(file, to_bytes(tensors, texts))


def to_bytes(tensors: Mapping[str, Tensor], texts: Mapping[str, str]) -> bytes:
    """The content of a safetensors file."""
    with needed("writing_weights"):
        from safetensors.torch import save

    return save({name: one.detach().contiguous() for name, one in tensors.items()}, dict(texts))


def from_bytes(content: bytes) -> Packed:
    """What `to_bytes` made of tensors and texts; content of one's own, not of a file of others."""
    with needed("reading_weights"):
        from safetensors.torch import load

    (length,) = struct.unpack("<Q", content[:8])  # of the header, which is JSON
    header = json.loads(content[8 : 8 + length])
    return load(content), header.get("__metadata__", {})


def load_tensors(file: Path | str) -> Packed:
    """What `save_tensors` wrote. Raises DataError where the file is missing or damaged."""
    with needed("reading_weights"):
        from safetensors import safe_open

    try:
        with safe_open(file, framework="pt") as content:
            tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118 (it is no mapping)
            return tensors, content.metadata() or {}
    except FileNotFoundError:
        raise DataError(say("no_file", file=file)) from None
    except Exception as error:  # safetensors has errors of its own for each kind of damage
        raise DataError(say("no_tensors", file=file, error=error)) from None
