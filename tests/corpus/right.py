"""Functions written by hand that are right, at inputs at which examiners give false positives."""

from __future__ import annotations

from tests.corpus.entry import Right
from tests.corpus.right_arrays import ROWS
from tests.corpus.right_contracts import CONTRACTS
from tests.corpus.right_kinks import KINKS
from tests.corpus.right_numbers import NUMBERS
from tests.corpus.right_outputs import OUTPUTS
from tests.corpus.right_scales import SCALES
from tests.corpus.right_solvers import SOLVERS
from tests.corpus.right_students import STUDENTS
from tests.corpus.right_symmetric import SYMMETRIC
from tests.corpus.right_ways import WAYS

RIGHT: list[Right] = [
    *KINKS, *NUMBERS, *WAYS, *OUTPUTS, *ROWS, *SOLVERS, *STUDENTS, *CONTRACTS, *SYMMETRIC,
    *SCALES,
]  # fmt: skip
