"""HOW parameters move: methods, and `descend`, which runs one on an objective."""

from derivable.descent.driver import descend
from derivable.descent.many import descend_many
from derivable.descent.path import Certificate, Checkpoint
from derivable.descent.rate import Rate, choose_rate
from derivable.descent.result import Descent
from derivable.descent.snapshots import Snapshots

__all__ = [
    "Certificate",
    "Checkpoint",
    "Descent",
    "Rate",
    "Snapshots",
    "choose_rate",
    "descend",
    "descend_many",
]
