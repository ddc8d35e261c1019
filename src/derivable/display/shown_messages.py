"""The messages with which tables show themselves."""

from __future__ import annotations

from derivable.messages import Catalogue

_TEXTS = {
    "table": (
        "{name}: {rows:,} rows of {n:,} features; to predict: {targets}",
        "{name} : {rows:,} lignes de {n:,} variables ; à prédire : {targets}",
    ),
    "table_one": (
        "{name}: {rows:,} rows of 1 feature; to predict: {targets}",
        "{name} : {rows:,} lignes d'une variable ; à prédire : {targets}",
    ),
    "and_more": ("{names} and {n} more", "{names} et {n} autres"),
    "not_shown": ("{what} not shown.", "{what} non montrées."),
    "rows": ("{n:,} rows", "{n:,} lignes"),
    "rows_one": ("1 row", "1 ligne"),
    "columns": ("{n:,} columns", "{n:,} colonnes"),
    "columns_one": ("1 column", "1 colonne"),
    "and": (" and ", " et "),
}
say = Catalogue(_TEXTS)
