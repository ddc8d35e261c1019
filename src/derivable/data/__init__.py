"""Tables and how they are split into training and test rows."""

from derivable.data.california import load_california
from derivable.data.split import Split, lab_split
from derivable.data.table import Table, load_diabetes

__all__ = ["Split", "Table", "lab_split", "load_california", "load_diabetes"]
