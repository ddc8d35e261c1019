"""The tables of the sheets, with a substitute if there is no network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from derivable.data import find_california, load_diabetes
from derivable.data.california import CACHE_FILE, cache_folder
from derivable.errors import DataError
from derivable.language import language
from derivable.messages import Text

_SUBSTITUTE = Text(
    "California Housing is not on this machine, and could not be downloaded. The diabetes table of "
    "scikit-learn is used instead (442 rows, 10 columns); the checks know it as well. To bring the "
    "real one: derivable data fetch.",
    "California Housing n'est pas sur cette machine et n'a pas pu être téléchargé. La table "
    "diabetes de scikit-learn le remplace (442 lignes, 10 colonnes)\u00a0; les vérifications la "
    "connaissent aussi. Pour obtenir la vraie\u00a0: derivable data fetch.",
)


_substituted: ContextVar[bool] = ContextVar("diabetes instead of California", default=False)


_used: list[str] = []  # the table that was handed out last


def substitute_note(text: str) -> str:
    """A note on a sheet that uses California Housing, if the table is not in the cache."""
    there = (cache_folder() / CACHE_FILE).is_file()
    return "" if there or "fetch_california_housing" not in text else _SUBSTITUTE.to(language())


def used() -> str:
    """The name of the table that a notebook in this process has loaded; California by default."""
    return _used[-1] if _used else "california"


@contextmanager
def small_table() -> Iterator[None]:
    """Inside, the small diabetes table is used, so that test runs of a sheet are fast."""
    before = _substituted.set(True)
    try:
        yield
    finally:
        _substituted.reset(before)


def fetch_california_housing() -> Any:
    """California Housing as scikit-learn's function of this name returns it: `data`, `target`.

    Where it cannot be had, scikit-learn's diabetes table, its target standardised, with a note.
    """
    from sklearn.utils import Bunch

    try:
        table = load_diabetes() if _substituted.get() else find_california()
    except DataError:
        print(_SUBSTITUTE.to(language()))
        table = load_diabetes()
    _used[:] = [table.name]
    return Bunch(
        data=table.x.numpy(),
        target=table.y.squeeze(1).numpy(),
        feature_names=list(table.features),
        target_names=list(table.targets),
    )
