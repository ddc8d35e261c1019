"""The checks of an examination, in the order in which they run.

A check is a subclass of `Check` in a module for one topic, and a line of the table.
"""

from derivable.examiner.checks.backward import Layout, Linearity, Subsets, Units, UnusedOutputs
from derivable.examiner.checks.check import Check
from derivable.examiner.checks.given import Directions, Values
from derivable.examiner.checks.numbers import Float32, HalfPrecision, SecondOrder, Ways
from derivable.examiner.checks.reference import Forward
from derivable.examiner.checks.repeat import Calls
from derivable.examiner.checks.sizes import OtherSizes, SpecialSizes
from derivable.examiner.checks.special import Edges, OtherRanges, SpecialValues

# The most specific checks come first, because their findings explain those of later ones.
CHECKS: tuple[Check, ...] = (
    Forward(), Calls(), Values(), Directions(), OtherSizes(), SpecialSizes(), OtherRanges(),
    SpecialValues(), Edges(), Linearity(), Units(), Layout(), UnusedOutputs(), Subsets(),
    SecondOrder(), Float32(), HalfPrecision(), Ways(),
)  # fmt: skip
