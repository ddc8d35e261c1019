"""`derivable predict`: a saved model on a new table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from derivable.cli.language import lang_option
from derivable.cli.messages import say
from derivable.cli.table_options import READING, with_options
from derivable.extras import require
from derivable.messages import SEMICOLON, joined

if TYPE_CHECKING:
    from derivable.data.sheet import Sheet
    from derivable.run.saved import SavedModel


@click.command("predict", short_help="Predict with a saved model on a new table.")
@click.argument("model", metavar="MODEL")
@click.argument("file", metavar="FILE")
@click.option("--model", "name", metavar="NAME", help="Which one, where MODEL is a run folder.")
@click.option("--out", metavar="FILE.csv", help="Write the predictions there, not to stdout.")
@click.option("--alone", is_flag=True, help="Write the predictions without the columns of FILE.")
@click.option(
    "--missing",
    type=click.Choice(("error", "median")),
    default="error",
    show_default=True,
    help="Cells without a value: an error, or put the median of the training rows.",
)
@click.option(
    "--unseen",
    type=click.Choice(("refuse", "ignore")),
    default="refuse",
    show_default=True,
    help="A value of text that the model has not met: an error, or none of those that it has.",
)
@with_options(*READING)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of CSV.")
@lang_option
@click.option("--quiet", is_flag=True, help="Say nothing about the file that was read.")
def predict_command(
    model: str,
    file: str,
    name: str | None,
    out: str | None,
    alone: bool,
    missing: str,
    unseen: str,
    as_json: bool,
    quiet: bool,
    **how: Any,
) -> None:
    """Predict the targets of a table, in their own units, by MODEL.

    MODEL is a .safetensors file of fit --export or of a run folder, or a run folder with --model
    NAME. Columns of FILE are found by name, in any order; the target need not be there. The
    predictions are CSV, one line for each row of FILE, in its order, beside its columns and
    written as FILE is: separator, decimal mark, and a byte order mark where a spreadsheet expects
    one. Of a target of classes they are the most probable class and the probability of each.

    For example: derivable predict model.safetensors new.csv --out predictions.csv
    """
    require("derivable predict", "polars", "safetensors")
    from dataclasses import replace
    from pathlib import Path

    from derivable.cli import terminal
    from derivable.data import read_sheet, reading
    from derivable.data.numbers import describe
    from derivable.data.writer import predictions_csv
    from derivable.errors import SettingError
    from derivable.files import write_whole

    if out is not None and Path(out).resolve() in (Path(model).resolve(), Path(file).resolve()):
        raise SettingError(say("overwrites", out=out))
    saved = _load(model, name)
    if unseen == "ignore":
        saved = replace(saved, columns=saved.columns.ignoring_unseen())
    sheet = read_sheet(file, optional=False, **how)
    marks = reading.marks(sheet, saved.columns, saved.columns.inputs)
    if not quiet:
        written = describe(reading.as_learned(sheet, saved.columns), marks)
        parts = [sheet.detected, written, *reading.stated(sheet, saved.columns.inputs)]
        terminal.show_detected(joined((part for part in parts if part), SEMICOLON))
        if unused := reading.unused(sheet, saved.columns):
            terminal.show_detected(say("not_used", names=list(unused)))
    rows = saved.predict(sheet, fill=missing == "median").tolist()
    if out is not None or not as_json:
        named = _named(saved, rows)
        content = predictions_csv(sheet, named, mark=_mark(sheet, saved, marks), alone=alone)
        if out is not None:
            write_whole(out, content)
            click.echo(say("predictions", n=len(rows), out=out), err=as_json)
        else:
            click.echo(content, nl=False)
    if as_json:
        document: dict[str, Any] = {"model": saved.model.name, "targets": saved.columns.targets}
        if saved.columns.classes:
            document |= {"classes": saved.columns.classes, "probabilities": rows}
            rows = [[name] for name in _most_probable(saved, rows)]
        print(json.dumps({**document, "predictions": rows}, ensure_ascii=False))


def _load(model: str, name: str | None) -> SavedModel:
    """The model in a file, or one of those in a run folder."""
    from pathlib import Path

    from derivable.errors import SettingError
    from derivable.protocol import parse_models
    from derivable.run.folder import load_settings, models_of, saved_model
    from derivable.run.saved import SavedModel

    place = Path(model)
    if not place.is_dir():
        if name is not None:
            raise SettingError(say("model_of_file", model=model))
        return SavedModel.load(place)
    there = models_of(load_settings(place))
    named = there if name is None else parse_models(name)
    if len(named) != 1 or named[0] not in there:
        names = ", ".join(one.name for one in there)
        raise SettingError(say("models_of_run", model=model, names=names))
    return saved_model(place, named[0])


def _mark(sheet: Sheet, saved: SavedModel, marks: dict[str, str]) -> str:
    """What stands before the decimals in a file whose features have these `marks`.

    The column of the target, if it is there, counts too; where no cell has decimals, the separator
    tells.
    """
    from contextlib import suppress

    from derivable.data import reading
    from derivable.data.numbers import COMMA, POINT
    from derivable.errors import DataError

    found = set(marks.values())
    with suppress(DataError):  # the target's own column need not be readable
        found |= set(reading.marks(sheet, saved.columns, saved.columns.outputs).values())
    if found & {COMMA, POINT}:
        return COMMA if COMMA in found else POINT
    return COMMA if sheet.separator == ";" else POINT


def _named(saved: SavedModel, rows: list[list[float]]) -> dict[str, list[Any]]:
    """Predictions by column; of classes, the most probable one and the probability of each."""
    columns = list(map(list, zip(*rows, strict=True)))
    if not saved.columns.classes:
        return dict(zip(saved.columns.targets, columns, strict=True))
    (target,) = saved.columns.targets
    shares = {
        f"{target}={name}": column
        for name, column in zip(saved.columns.classes, columns, strict=True)
    }
    return {target: _most_probable(saved, rows), **shares}


def _most_probable(saved: SavedModel, rows: list[list[float]]) -> list[str]:
    """The class of each row of probabilities."""
    return [saved.columns.classes[row.index(max(row))] for row in rows]
