"""Files that are written whole or not at all, and tensors in them without pickle."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from derivable.errors import DataError, FileError

PART = ".part"  # how the name of a file ends that is not whole yet

Content = bytes | str | Callable[[BinaryIO], object]


def write_whole(file: Path | str, content: Content, *, sync: bool = True) -> None:
    """Write bytes, text (as UTF-8), or what a function writes; whole or not at all.

    At every moment, under the name `file` stands what stood there before or all of the new, also
    after a power failure. Without `sync`, which waits for the disk, not after that: for what can be
    made again. Raises FileError, with the system's reason, where it cannot be written.
    """
    file = Path(file)
    part = file.with_name(f".{file.name}.{os.getpid()}-{threading.get_ident()}{PART}")
    try:
        with part.open("wb") as stream:
            if callable(content):
                content(stream)
            else:
                stream.write(content.encode() if isinstance(content, str) else content)
            stream.flush()
            if sync:
                os.fsync(stream.fileno())
        part.replace(file)
    except OSError as error:
        raise FileError(f"{file} cannot be written ({error.strerror or error})") from None
    finally:
        with suppress(OSError):  # it is gone where all went well
            part.unlink()


def remove_parts(folder: Path) -> None:
    """Remove what a killed process has left of files that were not whole yet."""
    for part in folder.glob(f".*{PART}"):
        with suppress(OSError):
            part.unlink()


def save_tensors(file: Path | str, tensors: Mapping[str, Tensor], words: Mapping[str, str]) -> None:
    """Write tensors, and words beside them, as safetensors, whole or not at all."""
    content = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    write_whole(file, save(content, dict(words)))


def load_tensors(file: Path | str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """What `save_tensors` wrote. Raises DataError where the file is missing or damaged."""
    try:
        with safe_open(file, framework="pt") as content:
            tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118 (it is no mapping)
            return tensors, content.metadata() or {}
    except FileNotFoundError:
        raise DataError(f"{file} cannot be read: there is no such file") from None
    except Exception as error:  # safetensors has errors of its own for each kind of damage
        raise DataError(f"{file} cannot be read as safetensors: {error}") from None
