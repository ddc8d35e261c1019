"""Losses: how far a prediction is from what was wanted."""

from derivable.functions.losses.binary_cross_entropy_with_logits import BinaryCrossEntropyWithLogits
from derivable.functions.losses.cross_entropy import CrossEntropy
from derivable.functions.losses.hinge import Hinge
from derivable.functions.losses.huber import Huber
from derivable.functions.losses.kl_divergence import KLDivergence
from derivable.functions.losses.l1 import L1
from derivable.functions.losses.log_cosh import LogCosh
from derivable.functions.losses.mse import MSE
from derivable.functions.losses.nll import NLL
from derivable.functions.losses.poisson_nll import PoissonNLL

__all__ = [
    "BinaryCrossEntropyWithLogits",
    "CrossEntropy",
    "Hinge",
    "Huber",
    "KLDivergence",
    "L1",
    "LogCosh",
    "MSE",
    "NLL",
    "PoissonNLL",
]
