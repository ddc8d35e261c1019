"""The tables of cases: a Function, its inputs, and the PyTorch expression that it must equal.

One file per group of the library. A Function may have several cases; the first is run through
every mode of `tests/test_matrix.py`, all of them through the modes that compare with PyTorch.
Sizes are small distinct primes, so that a transpose or a sum over the wrong axis cannot hide.
"""

from __future__ import annotations

from tests.cases.algebra import ALGEBRA
from tests.cases.case import Case
from tests.cases.convolution import CONVOLUTION
from tests.cases.elementwise import ELEMENTWISE
from tests.cases.layers import LAYERS
from tests.cases.linalg import LINALG
from tests.cases.losses import LOSSES

CASES: list[Case] = [*ELEMENTWISE, *ALGEBRA, *LOSSES, *LAYERS, *CONVOLUTION, *LINALG]

__all__ = ["CASES", "Case"]
