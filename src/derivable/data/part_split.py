"""Training and test rows of a table whose rows lie in several processes."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.data.messages import say
from derivable.data.rows import TRAIN_SHARE, Split
from derivable.data.scaler import Scaler
from derivable.data.table import Part, Table
from derivable.errors import DataError
from derivable.threads import on_one_thread

MAX_TEST_ROWS = 100_000  # rows that test: every process has all of them
# Of SplitMix64, as numbers with a sign.
_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
_MIX = (0xBF58476D1CE4E5B9 - (1 << 64), 0x94D049BB133111EB - (1 << 64))


def part_split(table: Table, part: Part, seed: int, dtype: torch.dtype) -> Split:
    """20% of all rows test, about 100,000 at most, and the others train.

    Whether a row tests is drawn from its number in the whole table and the seed; or the last rows
    do, as `table` says. Features and targets are standardised as the training rows of all processes
    say. Sums over rows are added piece by piece of the file, so that neither they nor the choice
    depend on the number of processes. Every process has all test rows, and its own training rows.
    """
    numbers = torch.arange(part.first, part.first + len(table.x))
    if table.split == "last":
        cut = max(int(TRAIN_SHARE * part.rows), part.rows - MAX_TEST_ROWS)
        tests, protocol = numbers >= cut, "sound_last"
    else:
        share = min(1 - TRAIN_SHARE, MAX_TEST_ROWS / part.rows)
        tests, protocol = uniform(numbers, seed) < share, "sound_drawn"
    with on_one_thread(0):  # the order of additions does not depend on the number of threads
        scaler, train_rows = _scaler(table, part, ~tests)
    lines = numbers + 1 if table.lines is None else table.lines
    own = {"x": table.x[tests], "y": table.y[tests], "lines": lines[tests]}
    test = part.group.concatenated(own)
    return Split(
        x_train=scaler.features(table.x[~tests]).to(dtype),
        y_train=scaler.targets(table.y[~tests]).to(dtype),
        x_test=scaler.features(test["x"]).to(dtype),
        y_test=scaler.targets(test["y"]).to(dtype),
        protocol=protocol,
        scaler=scaler,
        lines=test["lines"],
        part=part,
        train_rows=train_rows,
    )


def uniform(numbers: Tensor, seed: int) -> Tensor:
    """A number in [0, 1) for each row number (N,), in float64, from these and the seed alone.

    SplitMix64 of Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
    """
    z = (numbers + 1) * _GOLDEN + _signed(seed * _MIX[0])
    for shift, factor in zip((30, 27), _MIX, strict=True):
        z = (z ^ _shifted(z, shift)) * factor
    z = z ^ _shifted(z, 31)
    return _shifted(z, 11).double() / 2.0**53


def _signed(value: int) -> int:
    """A whole number as 64 bits hold it, with a sign."""
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


def _shifted(z: Tensor, bits: int) -> Tensor:
    """The bits of z shifted to the right, as if it had no sign."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)


def _scaler(table: Table, part: Part, train: Tensor) -> tuple[Scaler, int]:
    """The scaler of the training rows of all processes, and the number of these.

    A missing feature, which only predictions can have, becomes the mean.
    """
    columns = torch.cat([table.x, table.y], 1)
    pieces = [columns[piece.start : piece.stop] for piece in part.pieces]
    trains = [train[piece.start : piece.stop] for piece in part.pieces]
    chosen = [rows[own] for rows, own in zip(pieces, trains, strict=True)]
    counts = torch.tensor([len(rows) for rows in chosen])
    none = columns.new_full((1, columns.size(1)), torch.inf)
    own = {
        "rows": counts,
        "sums": torch.stack([rows.sum(0) for rows in chosen]),
        "least": torch.stack([torch.cat([rows, none]).amin(0) for rows in chosen]),
        "largest": torch.stack([torch.cat([rows, -none]).amax(0) for rows in chosen]),
    }
    found = part.group.concatenated(own)
    rows = int(found["rows"].sum())
    if not 1 < rows < part.rows:
        raise DataError(say("no_test_rows", name=table.name, rows=part.rows))
    mean = found["sums"].sum(0) / rows
    squares = torch.stack([((rows - mean) ** 2).sum(0) for rows in chosen])
    variance = part.group.concatenated({"squares": squares})["squares"].sum(0) / (rows - 1)
    least, largest = found["least"].amin(0), found["largest"].amax(0)
    constant = least == largest
    mean, std = torch.where(constant, least, mean), variance.sqrt()
    std = torch.where(constant | (std == 0), 1.0, std)
    k = table.x.size(1)
    return Scaler(mean[:k], mean[:k], std[:k], mean[k:], std[k:]), rows
