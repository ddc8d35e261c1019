"""Second order, float32, half precision, and the ways to run."""

from __future__ import annotations

from collections.abc import Iterator

from derivable.examiner.checks import orders
from derivable.examiner.checks.check import BackwardCheck, Results, Seen, Setup
from derivable.examiner.checks.ways import ways
from derivable.examiner.points import Kind, kind

JVP_KINDS = (Kind.AGAIN, Kind.WIDE, Kind.SIGNED)  # where a jvp is compared, too


class SecondOrder(BackwardCheck):
    """Autograd's second derivative beside the measured change of what backward returns."""

    name = "second order"

    def run(self, setup: Setup, seen: Seen) -> Iterator[Results]:
        """Two random directions per argument."""
        large = seen.given is not None and not seen.given.whole
        inputs = seen.small(setup) if large else setup.inputs
        yield Results(*orders.second_order(setup.examined, inputs))


class Float32(BackwardCheck):
    """The gradients in float32 as in float64, to float32's rounding, and finite."""

    name = "float32"

    def applies(self, setup: Setup, seen: Seen) -> bool:
        """Where float64 was examined."""
        return super().applies(setup, seen) and setup.exact and seen.first_whole is not None

    def run(self, setup: Setup, seen: Seen) -> Iterator[Results]:
        """At the given inputs, and where they are large."""
        extremes = [e for e in seen.evaluations if kind(e) is Kind.LARGE]
        assert seen.first_whole is not None
        yield Results(orders.float32(setup.examined, seen.first_whole, extremes))


class HalfPrecision(Float32):
    """In bfloat16 and float16 as in float64, roughly, where forward runs and is close."""

    name = "half precision"

    def run(self, setup: Setup, seen: Seen) -> Iterator[Results]:
        """At the given inputs."""
        assert seen.first_whole is not None
        yield Results(orders.half(setup.examined, seen.first_whole))


class Ways(BackwardCheck):
    """autograd, torch.func, forward mode and torch.compile give backward's gradients."""

    name = "ways to run"

    def run(self, setup: Setup, seen: Seen) -> Iterator[Results]:
        """One comparison per way."""
        others = [e for e in seen.evaluations if kind(e) in JVP_KINDS and e.samples]
        yield Results(ways(setup.examined, setup.inputs, setup.settings.compile, others))
