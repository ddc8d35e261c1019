"""Differentiable functions written by hand: write them, prove them right, descend with them.

Names are imported when they are first used, so that the command line answers `--help` without
waiting for PyTorch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from derivable.extras import is_installed
from derivable.lazy import names_of

__version__ = "0.1.0"

if TYPE_CHECKING:
    from derivable import contracts as contracts
    from derivable import functional as functional
    from derivable import functions as functions
    from derivable.comparison import Comparison as Comparison
    from derivable.comparison import Training as Training
    from derivable.comparison import compare as compare
    from derivable.data import load_california as load_california
    from derivable.descent import LBFGS as LBFGS
    from derivable.descent import Adam as Adam
    from derivable.descent import Auto as Auto
    from derivable.descent import Checkpoint as Checkpoint
    from derivable.descent import Cosine as Cosine
    from derivable.descent import Descent as Descent
    from derivable.descent import EarlyStopping as EarlyStopping
    from derivable.descent import ErrorEstimate as ErrorEstimate
    from derivable.descent import Flow as Flow
    from derivable.descent import GradientDescent as GradientDescent
    from derivable.descent import Momentum as Momentum
    from derivable.descent import Nesterov as Nesterov
    from derivable.descent import Spectral as Spectral
    from derivable.descent import StepDecay as StepDecay
    from derivable.descent import WarmUp as WarmUp
    from derivable.descent import descend as descend
    from derivable.descent import descend_many as descend_many
    from derivable.display.progress import ProgressBar as ProgressBar
    from derivable.estimator import DescentClassifier as DescentClassifier
    from derivable.estimator import DescentRegressor as DescentRegressor
    from derivable.examiner import Finding as Finding
    from derivable.examiner import Report as Report
    from derivable.examiner import check as check
    from derivable.examiner import check_gradient as check_gradient
    from derivable.examiner import declare as declare
    from derivable.examiner import examine as examine
    from derivable.function import Context as Context
    from derivable.function import Elementwise as Elementwise
    from derivable.function import Function as Function
    from derivable.functions import MSE as MSE
    from derivable.functions import Linear as Linear
    from derivable.functions import ReLU as ReLU
    from derivable.functions import Tanh as Tanh
    from derivable.layer import Layer as Layer
    from derivable.loggers import MLflowLogger as MLflowLogger
    from derivable.loggers import TensorBoardLogger as TensorBoardLogger
    from derivable.loss import Loss as Loss
    from derivable.network import Network as Network
    from derivable.problem import Problem as Problem
    from derivable.run.folder import load_run as load_run
    from derivable.run.saved import SavedModel as SavedModel

_HOME = {
    "Comparison": "comparison",
    "Training": "comparison",
    "compare": "comparison",
    "Finding": "examiner",
    "Report": "examiner",
    "check": "examiner",
    "check_gradient": "examiner",
    "declare": "examiner",
    "examine": "examiner",
    "Context": "function",
    "load_california": "data",
    "LBFGS": "descent",
    "Adam": "descent",
    "Auto": "descent",
    "Checkpoint": "descent",
    "Cosine": "descent",
    "Descent": "descent",
    "EarlyStopping": "descent",
    "ErrorEstimate": "descent",
    "Flow": "descent",
    "GradientDescent": "descent",
    "Momentum": "descent",
    "Nesterov": "descent",
    "Spectral": "descent",
    "StepDecay": "descent",
    "WarmUp": "descent",
    "ProgressBar": "display.progress",
    "MLflowLogger": "loggers",
    "TensorBoardLogger": "loggers",
    "Problem": "problem",
    "descend": "descent",
    "descend_many": "descent",
    "DescentClassifier": "estimator",
    "DescentRegressor": "estimator",
    "Elementwise": "function",
    "Function": "function",
    "MSE": "functions",
    "Linear": "functions",
    "ReLU": "functions",
    "Tanh": "functions",
    "Layer": "layer",
    "Loss": "loss",
    "Network": "network",
    "load_run": "run.folder",
    "SavedModel": "run.saved",
}

_MODULES = {"contracts": "", "functional": "", "functions": ""}

__all__ = sorted([*_HOME, *_MODULES, "__version__"])
if not is_installed("sklearn"):  # `from derivable import *` is for all that there is
    __all__ = [name for name in __all__ if _HOME.get(name) != "estimator"]

_get, _ = names_of(__name__, _HOME | _MODULES)


def __getattr__(name: str) -> Any:
    return _get(name)


def __dir__() -> list[str]:
    return __all__
