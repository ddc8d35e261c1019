"""Fused or features-major: small networks are fused, and where that is not clear it is measured."""

from __future__ import annotations

import time

import torch

from derivable.objective.features_major import FeaturesMajor
from derivable.objective.fused import Fused
from derivable.problem import Problem

# Parameters. In benchmarks/scaling.py features-major is nowhere the faster below this number; above
# it, that depends on the shape of the network and on the vector instructions of the processor.
ALWAYS_FUSED = 4_000
SAMPLE = 32_768  # rows; of fewer, features-major holds in the cache what it does not hold later
ENOUGH = 0.3  # seconds of measuring, after which a gradient is not timed again

Kind = type[Fused] | type[FeaturesMajor]

_known: dict[tuple[object, ...], Kind] = {}


def quicker(problem: Problem) -> Kind:
    """The quicker of the two kinds; measured once for networks of one shape in a process."""
    parameters = problem.theta.numel()
    if parameters <= ALWAYS_FUSED:
        return Fused
    rows = min(problem.rows, SAMPLE)
    key = (str(problem.network), problem.dtype, torch.get_num_threads(), rows)
    if key not in _known:
        sample = problem.part(slice(SAMPLE))
        kinds: tuple[Kind, Kind] = (Fused, FeaturesMajor)
        _known[key] = min(kinds, key=lambda kind: _seconds(kind, sample))
    return _known[key]


def _seconds(kind: Kind, problem: Problem) -> float:
    """The least time of a gradient, of three or as many as are soon done, after one to warm up."""
    objective, theta = kind(problem), problem.theta
    objective.value_and_gradient(theta)
    seconds: list[float] = []
    while len(seconds) < 3 and sum(seconds) < ENOUGH:
        start = time.perf_counter()
        objective.value_and_gradient(theta)
        seconds.append(time.perf_counter() - start)
    return min(seconds)
