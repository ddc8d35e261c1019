"""Linear algebra on square matrices, in batches."""

from derivable.functions.linalg.cholesky import Cholesky
from derivable.functions.linalg.inverse import Inverse
from derivable.functions.linalg.logdet import LogDet
from derivable.functions.linalg.solve import Solve

__all__ = [
    "Cholesky",
    "Inverse",
    "LogDet",
    "Solve",
]
