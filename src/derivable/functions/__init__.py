"""The library of Functions: one file per function, its derivation on the page."""

from derivable.functions.linear import Linear
from derivable.functions.mse import MSE
from derivable.functions.relu import ReLU
from derivable.functions.tanh import Tanh

__all__ = ["MSE", "Linear", "ReLU", "Tanh"]
