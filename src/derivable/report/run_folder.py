"""`write_run`: writes metrics, losses, charts and the page of a run into its folder."""

from __future__ import annotations

import csv
import io
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from derivable.comparison import Comparison
from derivable.files import write_whole
from derivable.report.page import write_page
from derivable.run.settings import Settings

ROWS_AT_ONCE = 10_000


def write_run(
    comparison: Comparison,
    folder: Path,
    settings: Settings | None = None,
    lang: str | None = None,
) -> list[Path]:
    """Write metrics, history, charts and the page; returns the paths of the lab's two charts.

    The page states the command and the versions with which the `settings` were run.
    """
    write_whole(folder / "metrics.json", comparison.to_json() + "\n", sync=False)
    write_whole(folder / "history.csv", partial(_write_history, comparison), sync=False)
    command = settings.again(folder) if settings else ""
    versions = settings.versions if settings else None
    write_page(comparison, folder, command=command, versions=versions, lang=lang)
    return [folder / f"{name}.png" for name in ("losses", "test_loss")]


def _write_history(comparison: Comparison, file: BinaryIO) -> None:
    """One row per step: the training loss of each model after that many steps.

    Of several seeds there are the mean, the lowest and the highest. After the end of a descent
    that ended earlier, as L-BFGS may, the value is nan.
    """
    names, losses = [], []
    for result in comparison.results:
        runs = result.losses
        if len(runs) == 1:
            names.append(result.model.name)
            losses.append(runs[0])
        else:
            names += [f"{result.model.name} {word}" for word in ("mean", "lowest", "highest")]
            losses += [np.nanmean(runs, 0), np.nanmin(runs, 0), np.nanmax(runs, 0)]
    longest = max(map(len, losses))
    table = np.full((longest, 1 + len(losses)), np.nan)
    table[:, 0] = np.arange(longest)
    for column, values in enumerate(losses, 1):
        table[: len(values), column] = values
    words = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    csv.writer(words).writerow(["step", *names])
    row = "%d" + ",%.9g" * len(losses) + "\n"
    for first in range(0, len(table), ROWS_AT_ONCE):
        part = table[first : first + ROWS_AT_ONCE]
        words.write(row * len(part) % tuple(part.ravel().tolist()))  # twice as fast as savetxt
    words.detach()  # the file is closed by its owner
