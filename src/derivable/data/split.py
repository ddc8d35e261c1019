"""From a table to standardised training and test rows."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from derivable.data.messages import say
from derivable.data.part_split import part_split
from derivable.data.rows import TRAIN_SHARE, Split
from derivable.data.scaler import Scaler
from derivable.data.table import Table
from derivable.errors import SettingError
from derivable.threads import on_one_thread


def lab_split(table: Table, seed: int = 0, dtype: torch.dtype = torch.float32) -> Split:
    """The lab sheet's protocol: the first 80% of the rows train, the last 20% test, in file order.

    Features are standardised over all rows with the unbiased standard deviation, before the
    split. That lets the test rows into the scaler; it is kept to compare with the sheet's own
    figures. Targets stay as they are; nothing is drawn by `seed`.
    """
    if table.part is not None:
        raise SettingError(say("lab_of_parts"))
    with on_one_thread(table.x.numel()):
        scaler = Scaler.fit(table.x, table.y, targets=False)
        rows = torch.arange(len(table.x))
        return _cut(table, rows, int(TRAIN_SHARE * len(rows)), scaler, "lab", dtype)


def sound_split(table: Table, seed: int = 0, dtype: torch.dtype = torch.float32) -> Split:
    """80% of the rows train and 20% test, shuffled by `seed`; or in file order, as `table` says.

    Features and targets are standardised as the training rows say, which know nothing of the test
    rows. Classes are no numbers and stay as they are; where rows are shuffled, 80% of those of each
    class train. Of a table whose rows lie in several processes see `part_split`.
    """
    if table.part is not None:
        return part_split(table, table.part, seed, dtype)
    cut = int(TRAIN_SHARE * len(table.x))
    if table.split == "last":
        order, protocol = torch.arange(len(table.x)), "sound_last"
    else:
        generator = torch.Generator().manual_seed(seed)
        order, protocol = torch.randperm(len(table.x), generator=generator), "sound"
        if table.classes:
            (order, cut), protocol = _stratified(order, table.y[:, 0]), "sound_stratified"
    with on_one_thread(table.x.numel()):
        train, numbers = order[:cut], not table.classes
        scaler = Scaler.fit(table.x[train], table.y[train], targets=numbers)
        return _cut(table, order, cut, scaler, protocol, dtype)


def _stratified(order: Tensor, labels: Tensor) -> tuple[Tensor, int]:
    """The rows that train, then those that test, both in this order (N,), and how many train.

    80% of the rows of each class train, one at least; where there are two, one tests.
    """
    train = torch.zeros(len(order), dtype=torch.bool)
    for label in labels.unique():
        places = (labels[order] == label).nonzero()[:, 0]
        most = max(1, len(places) - 1)
        train[places[: min(max(1, round(TRAIN_SHARE * len(places))), most)]] = True
    return torch.cat([order[train], order[~train]]), int(train.sum())


SPLITS: dict[str, Callable[..., Split]] = {"lab": lab_split, "sound": sound_split}


def _cut(
    table: Table, order: Tensor, cut: int, scaler: Scaler, protocol: str, dtype: torch.dtype
) -> Split:
    """The rows of a table in this order; the first ones train, up to `cut`."""
    x, y = scaler.features(table.x[order]).to(dtype), table.y[order]
    y = y[:, 0].long() if table.classes else scaler.targets(y).to(dtype)
    lines = order + 1 if table.lines is None else table.lines[order]
    return Split(x[:cut], y[:cut], x[cut:], y[cut:], protocol, scaler, lines[cut:], table.classes)
