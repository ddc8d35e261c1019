"""Whether code defines a name, by its text: the code may be no Python, or a notebook's JSON."""

from __future__ import annotations

import re

# In a notebook, a line may begin after the two characters \n of a JSON string. Other targets beside
# the name are looked at within a bound: the time is linear in the length of the code, whatever is
# in it.
_DEFINED = r"(?:\b|\\n)(?:(?:class|def)\s+{name}\b|{name}\s*(?:,[^=\n]{{0,200}})?=(?!=))"


def defines(code: str, name: str) -> bool:
    """Whether the code has a class or a function of this name, or assigns it."""
    return re.search(_DEFINED.format(name=re.escape(name)), code) is not None
