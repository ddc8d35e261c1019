"""Tables and how they are split into training and test rows."""

from derivable.data.california import load_california
from derivable.data.split import SPLITS, Scaler, Split, lab_split, sound_split
from derivable.data.table import Table, load_diabetes

__all__ = [
    "SPLITS",
    "Scaler",
    "Split",
    "Table",
    "lab_split",
    "load_california",
    "load_diabetes",
    "sound_split",
]
