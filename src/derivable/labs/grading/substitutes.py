"""What a copy calls of derivable and has no part in its marks: it does nothing, or little."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import derivable
import derivable.labs
import derivable.labs.sheet
from derivable.descent.driver import descend
from derivable.labs.loops import Loops
from derivable.labs.sheet import Sheet, load


def substitute_checks(sheet: Sheet) -> None:
    """Let the copy's own calls of the sheet's checks do nothing, however it loads the sheet."""

    def nothing(self: Sheet, *answers: Any, **options: Any) -> None:
        return None

    def load_this(name: str, lang: str | None = None) -> Sheet:
        return sheet if Path(name).stem == sheet.name else load(name, lang)

    type(sheet).check = nothing  # type: ignore[method-assign]
    vars(derivable.labs)["load"] = vars(derivable.labs.sheet)["load"] = load_this
    vars(derivable.labs)[sheet.name] = sheet


def substitute_descend(loops: Loops) -> None:
    """Let `derivable.descend` take no more steps than a loop of the copy takes turns."""

    def shorter(*arguments: Any, steps: int, **options: Any) -> Any:
        if isinstance(steps, int) and steps > loops.limit:
            caller = sys._getframe(1)
            loops.cut[caller.f_code.co_filename, caller.f_lineno] = None
            steps = loops.limit
        return descend(*arguments, steps=steps, **options)

    vars(derivable)["descend"] = shorter


def put_descend_back() -> None:
    """The real one, for the checks."""
    vars(derivable)["descend"] = descend
