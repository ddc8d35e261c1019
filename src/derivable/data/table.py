"""`Table`: numbers with names, and the tables that come with scikit-learn."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from derivable.extras import needed
from derivable.shown_table import ShownTable

if TYPE_CHECKING:
    from derivable.data.columns import Columns
    from derivable.distributed import Group


@dataclass(frozen=True)
class Part:
    """Which rows of a larger table the processes of a group have, each its own."""

    group: Group
    pieces: tuple[range, ...]  # of rows of this process, as they are numbered in it
    first: int  # the number of its first row in the whole table
    rows: int  # of all processes
    digest: str  # of the whole table


@dataclass(frozen=True, repr=False)
class Table(ShownTable):
    """A table of numbers in float64: x (N, D) and y (N, K), with the names of their columns."""

    name: str
    x: Tensor
    y: Tensor
    features: tuple[str, ...]
    targets: tuple[str, ...]
    note: str = ""  # what the reader must know, for example that this is not the table asked for
    notes: tuple[str, ...] = ()  # the same, note by note
    detected: str = ""  # what was found out about the file that it was read from
    columns: Columns | None = None  # how the columns of that file became features and targets
    split: str = "shuffled"  # which rows test by the sound protocol; or "last": in file order
    classes: tuple[str, ...] = ()  # of a target whose y (N, 1) are the numbers of these, from 0 on
    lines: Tensor | None = None  # where each row (N,) stands in the file; counted from 1 without
    part: Part | None = None  # where these are not all rows

    @property
    def rows(self) -> int:
        """How many rows there are, in all processes."""
        return len(self.x) if self.part is None else self.part.rows

    @property
    def width(self) -> int:
        """How many outputs a network needs: one for each class, or for each target."""
        return len(self.classes) or len(self.targets)

    def digest(self) -> str:
        """SHA-256 of the names and numbers: the same for the same content, whatever the file."""
        if self.part is not None:
            return self.part.digest
        names = (self.features, self.targets, *[self.classes] * bool(self.classes))
        return digest_of(repr(names).encode(), self.x, self.y).hex()


def digest_of(words: bytes, *tensors: Tensor) -> bytes:
    """SHA-256 of words and the numbers of tensors."""
    content = hashlib.sha256(words)
    for numbers in tensors:
        content.update(numbers.contiguous().view(-1).numpy().data)
    return content.digest()


def load_diabetes(note: str = "") -> Table:
    """scikit-learn's bundled diabetes table: 442 patients, 10 features.

    The target, the progression of the disease after a year, is standardised, because the lab's
    learning rates are made for targets of size one.
    """
    with needed("diabetes"):
        from sklearn.datasets import load_diabetes

    bunch = load_diabetes()
    y = torch.as_tensor(bunch.target, dtype=torch.float64).view(-1, 1)
    return Table(
        name="diabetes",
        x=torch.as_tensor(bunch.data, dtype=torch.float64),
        y=(y - y.mean()) / y.std(),
        features=tuple(bunch.feature_names),
        targets=("progression (standardised)",),
        note=note,
    )
