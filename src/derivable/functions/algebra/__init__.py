"""Sums, products and their relatives, with broadcasting."""

from derivable.functions.algebra.add import Add
from derivable.functions.algebra.divide import Divide
from derivable.functions.algebra.linear import Linear
from derivable.functions.algebra.log_softmax import LogSoftmax
from derivable.functions.algebra.logsumexp import LogSumExp
from derivable.functions.algebra.matmul import MatMul
from derivable.functions.algebra.max import Max
from derivable.functions.algebra.mean import Mean
from derivable.functions.algebra.multiply import Multiply
from derivable.functions.algebra.norm import Norm
from derivable.functions.algebra.power import Power
from derivable.functions.algebra.softmax import Softmax
from derivable.functions.algebra.subtract import Subtract
from derivable.functions.algebra.sum import Sum

__all__ = [
    "Add",
    "Divide",
    "Linear",
    "LogSoftmax",
    "LogSumExp",
    "MatMul",
    "Max",
    "Mean",
    "Multiply",
    "Norm",
    "Power",
    "Softmax",
    "Subtract",
    "Sum",
]
