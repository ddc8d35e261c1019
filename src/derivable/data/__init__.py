"""Tables and how they are split into training and test rows.

Names are imported when they are first used: what reads files needs polars, which what reads none
does not wait for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from derivable.lazy import names_of

if TYPE_CHECKING:
    from derivable.data.california import find_california as find_california
    from derivable.data.california import load_california as load_california
    from derivable.data.columns import Columns as Columns
    from derivable.data.opening import read_sheet as read_sheet
    from derivable.data.parts import read_part as read_part
    from derivable.data.parts import read_together as read_together
    from derivable.data.reader import read_table as read_table
    from derivable.data.rows import Split as Split
    from derivable.data.scaler import Scaler as Scaler
    from derivable.data.split import SPLITS as SPLITS
    from derivable.data.split import lab_split as lab_split
    from derivable.data.split import sound_split as sound_split
    from derivable.data.table import Table as Table
    from derivable.data.table import load_diabetes as load_diabetes
    from derivable.data.writer import write_table as write_table

_HOME = {
    "SPLITS": "split",
    "Columns": "columns",
    "Scaler": "scaler",
    "Split": "rows",
    "Table": "table",
    "find_california": "california",
    "lab_split": "split",
    "load_california": "california",
    "load_diabetes": "table",
    "read_part": "parts",
    "read_sheet": "opening",
    "read_table": "reader",
    "read_together": "parts",
    "sound_split": "split",
    "write_table": "writer",
}

__all__ = sorted(_HOME)
__getattr__, __dir__ = names_of(__name__, _HOME)
