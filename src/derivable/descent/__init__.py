"""HOW parameters move: methods, and `descend`, which runs one on an objective."""

from derivable.descent.descend import Descent, descend

__all__ = ["Descent", "descend"]
