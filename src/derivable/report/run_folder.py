"""The folder of a run: everything to look at it and to use it, never silently overwritten."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from safetensors.torch import save_file

from derivable.comparison import Comparison
from derivable.display import style
from derivable.errors import SettingError
from derivable.report.charts import loss_curves, test_loss_bars
from derivable.report.page import write_page

CHARTS: dict[str, Callable[[Comparison], Figure]] = {
    "losses": partial(loss_curves, test=True),
    "test_loss": test_loss_bars,
}


def make_run_folder(out: str | None, data: str) -> Path:
    """Make the folder of a new run: `out`, else the first free of runs/<data>-1, -2, ...

    Raises SettingError if `out` already holds something, or cannot be made.
    """
    try:
        if out is None:
            return _first_free(Path("runs"), data)
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise SettingError(
                f"the folder {folder} already holds files and a run is never overwritten; name "
                "another with --out, or leave --out away to get a new one under runs/"
            )
        return folder
    except OSError as error:
        raise SettingError(
            f"the run folder {error.filename} cannot be made ({error.strerror}); name another "
            "with --out"
        ) from None


def _first_free(parent: Path, data: str) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = parent / f"{data}-{number}"
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


def write_run(comparison: Comparison, folder: Path) -> list[Path]:
    """Write metrics, history, weights, charts and the page; returns the paths of the two charts."""
    (folder / "metrics.json").write_text(to_json(comparison) + "\n", encoding="utf-8")
    _write_history(comparison, folder / "history.csv")
    for result in comparison.results:
        weights = {
            (name if len(comparison.seeds) == 1 else f"seed-{seed}.{name}"): p.detach()
            for seed, descent in zip(comparison.seeds, result.descents, strict=True)
            for name, p in descent.network.named_parameters()
        }
        save_file(weights, folder / f"{_file_name(result.model.name)}.safetensors")
    charts = []
    for name, draw in CHARTS.items():
        figure = draw(comparison)
        for suffix in ("png", "svg"):
            style.save(figure, folder / f"{name}.{suffix}")
        charts.append(folder / f"{name}.png")
    write_page(comparison, folder)
    return charts


def to_json(comparison: Comparison) -> str:
    """The comparison as one JSON document."""
    return json.dumps(comparison.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)


def _write_history(comparison: Comparison, path: Path) -> None:
    """One row per step: the training loss of each model after that many steps.

    Of several seeds there are the mean, the lowest and the highest. After the end of a descent
    that ended earlier, as L-BFGS may, stands nan.
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
    table = np.full((comparison.steps + 1, 1 + len(losses)), np.nan)
    table[:, 0] = np.arange(comparison.steps + 1)
    for column, values in enumerate(losses, 1):
        table[: len(values), column] = values
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(["step", *names])
        np.savetxt(file, table, fmt=["%d", *["%.9g"] * len(losses)], delimiter=",")


def _file_name(model: str) -> str:
    """A model's name as a file name: tanh(10) becomes tanh-10."""
    return model.replace("(", "-").replace(")", "")
