"""Tensors in files, as safetensors, without pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from derivable.errors import DataError
from derivable.extras import needed
from derivable.files import write_whole


def save_tensors(file: Path | str, tensors: Mapping[str, Tensor], words: Mapping[str, str]) -> None:
    """Write tensors, and words beside them, as safetensors, whole or not at all."""
    with needed("writing weights"):
        from safetensors.torch import save

    content = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    write_whole(file, save(content, dict(words)))


def load_tensors(file: Path | str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """What `save_tensors` wrote. Raises DataError where the file is missing or damaged."""
    with needed("reading weights"):
        from safetensors import safe_open

    try:
        with safe_open(file, framework="pt") as content:
            tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118 (it is no mapping)
            return tensors, content.metadata() or {}
    except FileNotFoundError:
        raise DataError(f"{file} cannot be read: there is no such file") from None
    except Exception as error:  # safetensors has errors of its own for each kind of damage
        raise DataError(f"{file} cannot be read as safetensors: {error}") from None
