"""HOW parameters move: methods, and `descend`, which runs one on an objective."""

from derivable.descent.driver import descend
from derivable.descent.many import descend_many
from derivable.descent.path import Certificate, Checkpoint
from derivable.descent.result import Descent

__all__ = ["Certificate", "Checkpoint", "Descent", "descend", "descend_many"]
