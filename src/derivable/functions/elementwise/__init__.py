"""Functions of each entry by itself."""

from derivable.functions.elementwise.abs import Abs
from derivable.functions.elementwise.cos import Cos
from derivable.functions.elementwise.elu import ELU
from derivable.functions.elementwise.exp import Exp
from derivable.functions.elementwise.gelu import GELU
from derivable.functions.elementwise.hardswish import Hardswish
from derivable.functions.elementwise.hardtanh import Hardtanh
from derivable.functions.elementwise.leaky_relu import LeakyReLU
from derivable.functions.elementwise.log import Log
from derivable.functions.elementwise.logsigmoid import LogSigmoid
from derivable.functions.elementwise.mish import Mish
from derivable.functions.elementwise.relu import ReLU
from derivable.functions.elementwise.relu6 import ReLU6
from derivable.functions.elementwise.selu import SELU
from derivable.functions.elementwise.sigmoid import Sigmoid
from derivable.functions.elementwise.silu import SiLU
from derivable.functions.elementwise.sin import Sin
from derivable.functions.elementwise.softplus import Softplus
from derivable.functions.elementwise.softsign import Softsign
from derivable.functions.elementwise.sqrt import Sqrt
from derivable.functions.elementwise.square import Square
from derivable.functions.elementwise.tanh import Tanh

__all__ = [
    "Abs",
    "Cos",
    "ELU",
    "Exp",
    "GELU",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "Log",
    "LogSigmoid",
    "Mish",
    "ReLU",
    "ReLU6",
    "SELU",
    "Sigmoid",
    "SiLU",
    "Sin",
    "Softplus",
    "Softsign",
    "Sqrt",
    "Square",
    "Tanh",
]
