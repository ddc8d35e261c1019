"""Functions written by hand that are right, at inputs at which examiners give false positives."""

from __future__ import annotations

from tests.zoo.entry import Right
from tests.zoo.right_arrays import ROWS
from tests.zoo.right_contracts import CONTRACTS
from tests.zoo.right_kinks import KINKS
from tests.zoo.right_numbers import NUMBERS
from tests.zoo.right_outputs import OUTPUTS
from tests.zoo.right_solvers import SOLVERS
from tests.zoo.right_students import STUDENTS
from tests.zoo.right_ways import WAYS

RIGHT: list[Right] = [*KINKS, *NUMBERS, *WAYS, *OUTPUTS, *ROWS, *SOLVERS, *STUDENTS, *CONTRACTS]
