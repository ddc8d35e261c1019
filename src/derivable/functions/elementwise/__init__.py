"""Functions of each entry by itself."""

from derivable.functions.elementwise.relu import ReLU
from derivable.functions.elementwise.sigmoid import Sigmoid
from derivable.functions.elementwise.tanh import Tanh

__all__ = ["ReLU", "Sigmoid", "Tanh"]
