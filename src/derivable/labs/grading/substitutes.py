"""Substitutes for the checks that a copy calls itself: they do nothing while it is graded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import derivable.labs
import derivable.labs.sheet
from derivable.labs.sheet import Sheet, load


def substitute_checks(sheet: Sheet) -> None:
    """Replace the sheet's checks by functions that do nothing, however a copy loads the sheet."""

    def nothing(self: Sheet, *answers: Any, **options: Any) -> None:
        return None

    def load_this(name: str, lang: str | None = None) -> Sheet:
        return sheet if Path(name).stem == sheet.name else load(name, lang)

    type(sheet).check = nothing  # type: ignore[method-assign]  # on purpose
    vars(derivable.labs)["load"] = vars(derivable.labs.sheet)["load"] = load_this
    vars(derivable.labs)[sheet.name] = sheet
