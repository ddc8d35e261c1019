"""Tables and how they are split into training and test rows."""

from derivable.data.california import find_california, load_california
from derivable.data.columns import Columns
from derivable.data.reader import read_table
from derivable.data.sheet import read_sheet
from derivable.data.split import SPLITS, Scaler, Split, lab_split, sound_split
from derivable.data.table import Table, load_diabetes
from derivable.data.writer import write_table

__all__ = [
    "SPLITS",
    "Columns",
    "Scaler",
    "Split",
    "Table",
    "find_california",
    "lab_split",
    "load_california",
    "load_diabetes",
    "read_sheet",
    "read_table",
    "sound_split",
    "write_table",
]
