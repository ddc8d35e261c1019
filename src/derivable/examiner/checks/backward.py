"""How the gradients depend on grad_output, on memory layout and on which inputs require grad."""

from __future__ import annotations

from collections.abc import Iterator

from derivable.examiner.checks.check import BackwardCheck, Results, Seen, Setup
from derivable.examiner.checks.linearity import layout, linearity, subsets, unused
from derivable.examiner.checks.units import units


class Linearity(BackwardCheck):
    """Twice, minus, tiny, huge, summed and zero grad_output."""

    name = "linearity"

    def applies(self, setup: Setup, seen: Seen) -> bool:
        """Not of a surrogate: a clipped gradient is not linear, on purpose."""
        return super().applies(setup, seen) and not setup.surrogate

    def run(self, setup: Setup, seen: Seen) -> Iterator[Results]:
        """One comparison per multiple and argument."""
        yield Results(linearity(setup.examined, setup.inputs))


class Units(BackwardCheck):
    """Inputs of a homogeneous forward in very small and very large units."""

    name = "units"

    def applies(self, setup: Setup, seen: Seen) -> bool:
        """In float64, where nothing is wrong so far."""
        return super().applies(setup, seen) and setup.exact and not seen.problems

    def run(self, setup: Setup, seen: Seen) -> Iterator[Results]:
        """One comparison per unit and argument."""
        yield Results(units(setup.examined, setup.inputs))


class Layout(BackwardCheck):
    """Expanded, transposed, strided, channels-last and lazily conjugated tensors."""

    name = "layout"

    def run(self, setup: Setup, seen: Seen) -> Iterator[Results]:
        """One comparison per arrangement."""
        yield Results(layout(setup.examined, setup.inputs))


class UnusedOutputs(BackwardCheck):
    """Outputs that nobody used, which bring None."""

    name = "unused outputs"

    def run(self, setup: Setup, seen: Seen) -> Iterator[Results]:
        """One comparison per output."""
        yield Results(unused(setup.examined, setup.inputs))


class Subsets(BackwardCheck):
    """Only some of the inputs require grad."""

    name = "subsets"

    def run(self, setup: Setup, seen: Seen) -> Iterator[Results]:
        """One comparison per subset."""
        yield Results(subsets(setup.examined, setup.inputs))
