"""HOW parameters move: methods, and `descend`, which runs one on a Problem."""

from derivable.descent.auto import Auto
from derivable.descent.blocks import StepByStep
from derivable.descent.callbacks import State
from derivable.descent.checkpoint import Checkpoint
from derivable.descent.driver import descend, descend_problem
from derivable.descent.early_stopping import EarlyStopping
from derivable.descent.error_estimate import ErrorEstimate, Window
from derivable.descent.flow import Flow
from derivable.descent.gradient_descent import GradientDescent
from derivable.descent.lbfgs import LBFGS
from derivable.descent.many import descend_many
from derivable.descent.method import Method, Prepared
from derivable.descent.methods import METHODS
from derivable.descent.optimisers import Adam, Momentum, Nesterov
from derivable.descent.rate import Rate, choose_rate
from derivable.descent.request import DescentRequest, Trajectory
from derivable.descent.result import Descent
from derivable.descent.schedules import Cosine, StepDecay, WarmUp
from derivable.descent.sharpness import extreme_eigenvalues
from derivable.descent.snapshots import Snapshots
from derivable.descent.spectral import Spectral

__all__ = [
    "LBFGS",
    "METHODS",
    "Adam",
    "Auto",
    "Checkpoint",
    "Cosine",
    "Descent",
    "DescentRequest",
    "EarlyStopping",
    "ErrorEstimate",
    "Flow",
    "GradientDescent",
    "Method",
    "Momentum",
    "Nesterov",
    "Prepared",
    "Rate",
    "Snapshots",
    "Spectral",
    "State",
    "StepByStep",
    "StepDecay",
    "Trajectory",
    "WarmUp",
    "Window",
    "choose_rate",
    "descend",
    "descend_many",
    "descend_problem",
    "extreme_eigenvalues",
]
