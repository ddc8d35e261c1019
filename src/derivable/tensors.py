"""Tensors in files, as safetensors, without pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from derivable.core_messages import say
from derivable.errors import DataError
from derivable.extras import needed
from derivable.files import write_whole


def save_tensors(file: Path | str, tensors: Mapping[str, Tensor], words: Mapping[str, str]) -> None:
    """Write tensors, and words beside them, as safetensors, whole or not at all."""
    with needed("writing_weights"):
        from safetensors.torch import save

    content = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    write_whole(file, save(content, dict(words)))


def load_tensors(file: Path | str) -> tuple[dict[str, Tensor], dict[str, str]]:
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
