"""What stands around the numbers of a column: a sign or a unit, and parentheses of negatives.

Only what a whole column has is understood: `12 %` beside `0.3` is asked about.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from derivable.data.cells import Cells
from derivable.data.kinds import Form

_CURRENCY = r"(?:[€$£¥]|US\$|R\$|CHF|EUR|USD|GBP|CAD|kr\.?|zł|Fr\.)"
_UNIT = r"(?:[%‰€$£¥°µ]|\p{L})[\p{L}µ°%‰²³·*^.€$£¥-]{0,11}[23]?(?:/[\p{L}°µ²³]{1,8}[23]?){0,2}"
_PARTS = (
    rf"^(?P<sign>[+-]?)\s*(?P<before>{_CURRENCY})?\s*(?P<second>[+-]?)\s*"
    r"(?P<number>[0-9](?:[0-9.,'\u2019\s]*[0-9])?[.,]?(?:[eE][+-]?[0-9]+)?|[.,][0-9]+)"
    rf"\s*(?P<after>{_UNIT})?$"
)
_BRACKETED = rf"^{_CURRENCY}?\s*\(([^()]*)\)\s*(?:{_UNIT})?$"
FRACTIONS = ("%", "‰")  # without its sign a number may be the share itself, 0.12 for 12 %


def find_form(cells: Cells, missing: frozenset[str]) -> Form | None:
    """The form that all cells of a column have; None where they have none in common.

    One cell at least is no number.
    """
    parts = _parts(cells.text.drop_nulls())
    if parts["number"].null_count():
        return None
    signs = parts["unit"].unique()
    brackets = bool(parts["bracketed"].any())
    if len(signs) > 1 or (brackets and (parts["negative"].any() or parts["bracketed"].all())):
        return None
    form = Form(str(signs[0]), brackets)
    if form == Form() or bare(form, cells, missing).first("other") is not None:
        return None
    return form


def bare(form: Form, cells: Cells, missing: frozenset[str]) -> Cells:
    """The cells of a column without its form; what does not have it is of kind other.

    A column without any sign is taken as it is, where the sign is not that of a fraction.
    """
    if cells.typed:
        return _others(cells) if form.sign in FRACTIONS else cells
    parts = _parts(cells.text)
    unit = parts["unit"].fill_null("")
    unsigned = form.sign not in FRACTIONS and not (unit != "").any()
    fits = (unit == ("" if unsigned else form.sign)) & parts["number"].is_not_null()
    bracketed, negative = (parts[n].fill_null(value=False) for n in ("bracketed", "negative"))
    if not form.brackets or negative.any():
        fits &= ~bracketed
    number = parts["number"]
    signed = pl.select(pl.when(negative | bracketed).then("-" + number).otherwise(number))
    found = Cells.of(signed.to_series(), missing)
    kind = (
        pl.when(cells.text.is_null())
        .then(pl.lit("missing"))
        .when(fits & (found.kind != "missing"))
        .then(found.kind)
        .otherwise(pl.lit("other"))
    )
    return replace(found, text=cells.text, kind=pl.select(kind).to_series(), plain=False)


def _others(cells: Cells) -> Cells:
    kind = pl.select(
        pl.when(cells.kind == "missing").then(cells.kind).otherwise(pl.lit("other"))
    ).to_series()
    return replace(cells, kind=kind)


def _parts(text: pl.Series) -> pl.DataFrame:
    """The unit, the number and its sign of each cell; null where a cell has no such form."""
    frame = pl.DataFrame({"text": text.str.replace("^\u2212", "-")}).with_columns(
        bracketed=pl.col("text").str.contains(_BRACKETED),
        inner=pl.col("text").str.replace_all("[()]", ""),
    )
    frame = frame.with_columns(
        groups=pl.when(pl.col("bracketed"))
        .then(pl.col("inner"))
        .otherwise(pl.col("text"))
        .str.extract_groups(_PARTS)
    ).unnest("groups")
    both = pl.col("before").fill_null("") + pl.col("after").fill_null("")
    one_sign = pl.col("sign").fill_null("") + pl.col("second").fill_null("")
    # A sign before and one behind, two of minus, or a minus in parentheses are of no form.
    broken = (
        (pl.col("before").fill_null("") != "") & (pl.col("after").fill_null("") != "")
        | (one_sign.str.len_chars() > 1)
        | (pl.col("bracketed") & (one_sign != ""))
    )
    return frame.select(
        number=pl.when(~broken).then("number"),
        unit=pl.when(~broken).then(both),
        negative=one_sign == "-",
        bracketed="bracketed",
    )
