"""How PyTorch and ONNX spell the activations of the library."""

from __future__ import annotations

import math

_TORCH = "abs cos exp log relu sigmoid sin sqrt square tanh"
_FUNCTIONAL = "elu gelu hardswish hardtanh logsigmoid mish relu6 selu silu softplus softsign"
TORCH = {name: f"torch.{name}" for name in _TORCH.split()}
TORCH |= {name: f"torch.nn.functional.{name}" for name in _FUNCTIONAL.split()}
TORCH["leakyrelu"] = "torch.nn.functional.leaky_relu"

# ONNX: operators, one after the other, each with what it is applied to: "x", a number, or the
# result of an earlier one, by its place in the list.
Operand = str | int | float
ONNX: dict[str, list[tuple[str, *tuple[Operand, ...]]]] = {
    "abs": [("Abs", "x")],
    "cos": [("Cos", "x")],
    "elu": [("Elu", "x")],
    "exp": [("Exp", "x")],
    "gelu": [
        ("Div", "x", math.sqrt(2)),
        ("Erf", 0),
        ("Add", 1, 1.0),
        ("Mul", "x", 2),
        ("Mul", 3, 0.5),
    ],
    "hardswish": [("HardSwish", "x")],
    "hardtanh": [("Clip", "x", -1.0, 1.0)],
    "leakyrelu": [("LeakyRelu", "x")],
    "log": [("Log", "x")],
    "logsigmoid": [("Neg", "x"), ("Softplus", 0), ("Neg", 1)],
    "mish": [("Softplus", "x"), ("Tanh", 0), ("Mul", "x", 1)],
    "relu": [("Relu", "x")],
    "relu6": [("Clip", "x", 0.0, 6.0)],
    "selu": [("Selu", "x")],
    "sigmoid": [("Sigmoid", "x")],
    "silu": [("Sigmoid", "x"), ("Mul", "x", 0)],
    "sin": [("Sin", "x")],
    "softplus": [("Softplus", "x")],
    "softsign": [("Softsign", "x")],
    "sqrt": [("Sqrt", "x")],
    "square": [("Mul", "x", "x")],
    "tanh": [("Tanh", "x")],
}
