"""The types of the library in lower case, as those of each `forward`."""

from collections.abc import Sequence

import torch
from torch import Tensor

from derivable.functions.algebra._operands import Operand
from derivable.functions.algebra._reduction import Dim
from derivable.functions.layers._windows import Size

def abs(input: Tensor) -> Tensor: ...
def cos(input: Tensor) -> Tensor: ...
def elu(input: Tensor, alpha: float = 1.0) -> Tensor: ...
def exp(input: Tensor) -> Tensor: ...
def gelu(input: Tensor, approximate: str = "none") -> Tensor: ...
def hardswish(input: Tensor) -> Tensor: ...
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor: ...
def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor: ...
def log(input: Tensor) -> Tensor: ...
def logsigmoid(input: Tensor) -> Tensor: ...
def mish(input: Tensor) -> Tensor: ...
def relu(x: Tensor) -> Tensor: ...
def relu6(input: Tensor) -> Tensor: ...
def selu(input: Tensor) -> Tensor: ...
def sigmoid(input: Tensor) -> Tensor: ...
def silu(input: Tensor) -> Tensor: ...
def sin(input: Tensor) -> Tensor: ...
def softplus(input: Tensor, beta: float = 1, threshold: float = 20) -> Tensor: ...
def softsign(input: Tensor) -> Tensor: ...
def sqrt(input: Tensor) -> Tensor: ...
def square(input: Tensor) -> Tensor: ...
def tanh(x: Tensor) -> Tensor: ...
def add(input: Operand, other: Operand, alpha: complex = 1) -> Tensor: ...
def divide(input: Operand, other: Operand) -> Tensor: ...
def linear(x: Tensor, w: Tensor, b: Tensor) -> Tensor: ...
def log_softmax(input: Tensor, dim: int) -> Tensor: ...
def logsumexp(input: Tensor, dim: int | Sequence[int], keepdim: bool = False) -> Tensor: ...
def matmul(input: Tensor, other: Tensor) -> Tensor: ...
def max(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor: ...
def mean(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor: ...
def multiply(input: Operand, other: Operand) -> Tensor: ...
def norm(input: Tensor, p: float = 2.0, dim: Dim = None, keepdim: bool = False) -> Tensor: ...
def power(input: Operand, exponent: Operand) -> Tensor: ...
def softmax(input: Tensor, dim: int) -> Tensor: ...
def subtract(input: Operand, other: Operand, alpha: complex = 1) -> Tensor: ...
def sum(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor: ...
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor: ...
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor: ...
def hinge(
    input: Tensor, target: Tensor, margin: float = 1.0, reduction: str = "mean"
) -> Tensor: ...
def huber(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0) -> Tensor: ...
def kl_divergence(
    input: Tensor, target: Tensor, reduction: str = "mean", log_target: bool = False
) -> Tensor: ...
def l1(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor: ...
def log_cosh(prediction: Tensor, target: Tensor, reduction: str = "mean") -> Tensor: ...
def mse(yhat: Tensor, y: Tensor) -> Tensor: ...
def nll(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor: ...
def poisson_nll(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-08,
    reduction: str = "mean",
) -> Tensor: ...
def avg_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor: ...
def batch_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor: ...
def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor: ...
def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor: ...
def dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    generator: torch.Generator | None = None,
    mask: Tensor | None = None,
) -> Tensor: ...
def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor: ...
def flatten(input: Tensor, start_dim: int = 1, end_dim: int = -1) -> Tensor: ...
def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
) -> Tensor: ...
def gru_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor: ...
def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
) -> Tensor: ...
def lstm_cell(
    input: Tensor,
    hx: Tensor,
    cx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]: ...
def max_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Tensor: ...
def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor: ...
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor: ...
def cholesky(A: Tensor, upper: bool = False) -> Tensor: ...
def inverse(A: Tensor) -> Tensor: ...
def logdet(input: Tensor) -> Tensor: ...
def solve(A: Tensor, B: Tensor, left: bool = True) -> Tensor: ...

__all__ = [
    "abs",
    "cos",
    "elu",
    "exp",
    "gelu",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "log",
    "logsigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "sin",
    "softplus",
    "softsign",
    "sqrt",
    "square",
    "tanh",
    "add",
    "divide",
    "linear",
    "log_softmax",
    "logsumexp",
    "matmul",
    "max",
    "mean",
    "multiply",
    "norm",
    "power",
    "softmax",
    "subtract",
    "sum",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "hinge",
    "huber",
    "kl_divergence",
    "l1",
    "log_cosh",
    "mse",
    "nll",
    "poisson_nll",
    "avg_pool2d",
    "batch_norm",
    "conv1d",
    "conv2d",
    "dropout",
    "embedding",
    "flatten",
    "group_norm",
    "gru_cell",
    "layer_norm",
    "lstm_cell",
    "max_pool2d",
    "rms_norm",
    "scaled_dot_product_attention",
    "cholesky",
    "inverse",
    "logdet",
    "solve",
]
