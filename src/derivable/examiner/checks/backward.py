"""Checks of how gradients depend on grad_output, memory layout and which inputs require grad."""

from __future__ import annotations

from collections.abc import Iterator

from derivable.examiner.checks.check import BackwardCheck, Results, ResultsSoFar, Setup
from derivable.examiner.checks.linearity import layout, linearity, subsets, unused
from derivable.examiner.checks.units import units


class Linearity(BackwardCheck):
    """Checks linearity in grad_output: multiples by 2, -1, small and large factors, sums and 0."""

    name = "linearity"

    def applies(self, setup: Setup, so_far: ResultsSoFar) -> bool:
        """Not for a surrogate, which need not be linear: it may clip the gradient on purpose."""
        return super().applies(setup, so_far) and not setup.surrogate

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """One comparison per multiple and argument."""
        yield Results(linearity(setup.examined, setup.inputs))


class Units(BackwardCheck):
    """Checks a homogeneous forward at inputs scaled by very small and very large factors."""

    name = "units"

    def applies(self, setup: Setup, so_far: ResultsSoFar) -> bool:
        """Only in float64, and if no problem was found so far."""
        return super().applies(setup, so_far) and setup.exact and not so_far.problems

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """One comparison per unit and argument."""
        yield Results(units(setup.examined, setup.inputs))


class Layout(BackwardCheck):
    """Checks expanded, transposed, strided, channels-last and lazily conjugated tensors."""

    name = "layout"

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """One comparison per arrangement."""
        yield Results(layout(setup.examined, setup.inputs))


class UnusedOutputs(BackwardCheck):
    """Checks backward with None for unused outputs."""

    name = "unused outputs"

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """One comparison per output."""
        yield Results(unused(setup.examined, setup.inputs))


class Subsets(BackwardCheck):
    """Checks the gradients when only some of the inputs require grad."""

    name = "subsets"

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """One comparison per subset."""
        yield Results(subsets(setup.examined, setup.inputs))
