"""Checks of second order, float32, half precision, and the ways to run a Function."""

from __future__ import annotations

from collections.abc import Iterator

from derivable.examiner.checks import dtypes, orders
from derivable.examiner.checks.check import BackwardCheck, Results, ResultsSoFar, Setup
from derivable.examiner.checks.ways import ways
from derivable.examiner.points import Kind, kind

JVP_KINDS = (Kind.OTHER_VALUES, Kind.WIDE, Kind.SIGNED)  # where a jvp is compared, too


class SecondOrder(BackwardCheck):
    """Compares autograd's derivative of backward with a measured one."""

    name = "second order"

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """Two random directions per argument."""
        large = so_far.given is not None and not so_far.given.whole
        inputs = so_far.small(setup) if large else setup.inputs
        yield Results(*orders.second_order(setup.examined, inputs))


class Float32(BackwardCheck):
    """Compares gradients in float32 with those in float64, to rounding; they must be finite."""

    name = "float32"

    def applies(self, setup: Setup, so_far: ResultsSoFar) -> bool:
        """Only if the examination runs in float64."""
        return super().applies(setup, so_far) and setup.exact and so_far.first_whole is not None

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """One comparison at the given inputs, and at large ones."""
        extremes = [e for e in so_far.evaluations if kind(e) is Kind.LARGE]
        assert so_far.first_whole is not None
        yield Results(dtypes.float32(setup.examined, so_far.first_whole, extremes))


class HalfPrecision(Float32):
    """Compares gradients in bfloat16 and float16 with float64, if forward is accurate there."""

    name = "half precision"

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """One comparison at the given inputs."""
        assert so_far.first_whole is not None
        yield Results(dtypes.half(setup.examined, so_far.first_whole))


class Ways(BackwardCheck):
    """Compares the gradients by autograd, torch.func, forward mode and torch.compile."""

    name = "ways to run"

    def run(self, setup: Setup, so_far: ResultsSoFar) -> Iterator[Results]:
        """One comparison per way."""
        others = [e for e in so_far.evaluations if kind(e) in JVP_KINDS and e.samples]
        yield Results(ways(setup.examined, setup.inputs, setup.settings.compile, others))
