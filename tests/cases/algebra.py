"""Cases of algebra with broadcasting."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from derivable.functions import (
    Add,
    Divide,
    Linear,
    LogSoftmax,
    LogSumExp,
    MatMul,
    Max,
    Mean,
    Multiply,
    Norm,
    Power,
    Softmax,
    Subtract,
    Sum,
)
from tests.cases.case import Case, Make


def _linear(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return torch.nn.functional.linear(x, w.t(), b.reshape(-1))


def _add(input: Any, other: Any, alpha: complex = 1) -> Tensor:
    return torch.add(input, other, alpha=alpha)


def _subtract(input: Any, other: Any, alpha: complex = 1) -> Tensor:
    return torch.sub(input, other, alpha=alpha)


def _amax(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    return torch.amax(input, () if dim is None else dim, keepdim)


def cplx(make: Make, *shape: int) -> Tensor:
    """Complex normal numbers, of the precision of the case."""
    return torch.complex(make(*shape), make(*shape))


_LINEAR = [
    Case(Linear, lambda make: [make(5, 3), make(3, 2), make(2)], _linear),
    Case(Linear, lambda make: [make(5, 3), make(3, 2), make(1, 2)], _linear, "row-bias"),
    Case(Linear, lambda make: [make(3), make(3, 2), make(2)], _linear, "one-row"),
    Case(Linear, lambda make: [make(2, 5, 3), make(3, 7), make(7)], _linear, "batches"),
    Case(Linear, lambda make: [make(0, 3), make(3, 2), make(2)], _linear, "empty"),
    Case(Linear, lambda make: [make(5, 3), make(3, 1), make(1, 1)], _linear, "one-output"),
]

_ADD = [
    Case(Add, lambda make: [make(5, 3), make(3), 1], _add),
    Case(Add, lambda make: [make(5, 3), make(5, 1), -0.7], _add, "alpha"),
    Case(Add, lambda make: [make(5, 1), make(2, 1, 3), 1], _add, "broadcast"),
    Case(Add, lambda make: [make(), make(), 1], _add, "0d"),
    Case(Add, lambda make: [make(0, 3), make(1, 3), 1], _add, "empty"),
    Case(Add, lambda make: [make(1), make(1, 1), 1], _add, "size-1"),
    Case(Add, lambda make: [make(5), 0.3, 2], _add, "number"),
    Case(Add, lambda make: [0.3, make(5), 2], _add, "number-first"),
    Case(Add, lambda make: [make(5), make.integers(7, 3, 5), 1], _add, "integers"),
    Case(Add, lambda make: [cplx(make, 5), cplx(make, 3, 1), 0.3 - 2j], _add, "complex"),
    Case(Add, lambda make: [make(5), cplx(make, 3, 5), 2j], _add, "real-and-complex"),
]

_SUBTRACT = [
    Case(Subtract, lambda make: [make(5, 3), make(3), 1], _subtract),
    Case(Subtract, lambda make: [make(5, 3), make(5, 1), -0.7], _subtract, "alpha"),
    Case(Subtract, lambda make: [make(5, 1), make(2, 1, 3), 1], _subtract, "broadcast"),
    Case(Subtract, lambda make: [make(), make(), 1], _subtract, "0d"),
    Case(Subtract, lambda make: [make(0, 3), make(1, 3), 1], _subtract, "empty"),
    Case(Subtract, lambda make: [make(1), make(1, 1), 1], _subtract, "size-1"),
    Case(Subtract, lambda make: [make(5), 0.3, 2], _subtract, "number"),
    Case(Subtract, lambda make: [0.3, make(5), 2], _subtract, "number-first"),
    Case(Subtract, lambda make: [make.integers(7, 3, 5), make(5), 1], _subtract, "integers"),
    Case(Subtract, lambda make: [cplx(make, 5), cplx(make, 3, 1), 0.3 - 2j], _subtract, "complex"),
    Case(Subtract, lambda make: [cplx(make, 5), make(3, 5), 2j], _subtract, "complex-and-real"),
]

_MULTIPLY = [
    Case(Multiply, lambda make: [make(5, 3), make(3)], torch.mul),
    Case(Multiply, lambda make: [make(5, 1), make(2, 1, 3)], torch.mul, "broadcast"),
    Case(Multiply, lambda make: [make(), make()], torch.mul, "0d"),
    Case(Multiply, lambda make: [make(0, 3), make(1, 3)], torch.mul, "empty"),
    Case(Multiply, lambda make: [make(1), make(1, 1)], torch.mul, "size-1"),
    Case(Multiply, lambda make: [make(5), -0.3], torch.mul, "number"),
    Case(Multiply, lambda make: [-0.3, make(5)], torch.mul, "number-first"),
    Case(Multiply, lambda make: [make(5), make.integers(7, 3, 5)], torch.mul, "integers"),
    Case(Multiply, lambda make: [cplx(make, 5), cplx(make, 3, 1)], torch.mul, "complex"),
    Case(Multiply, lambda make: [make(5), cplx(make, 3, 5)], torch.mul, "real-and-complex"),
    Case(Multiply, lambda make: [cplx(make, 5), 0.3 - 2j], torch.mul, "complex-number"),
]

_DIVIDE = [
    Case(Divide, lambda make: [make(5, 3), make.away([0], 3)], torch.div),
    Case(Divide, lambda make: [make(5, 1), make.away([0], 2, 1, 3)], torch.div, "broadcast"),
    Case(Divide, lambda make: [make(), make.away([0])], torch.div, "0d"),
    Case(Divide, lambda make: [make(0, 3), make.away([0], 1, 3)], torch.div, "empty"),
    Case(Divide, lambda make: [make(1), make.away([0], 1, 1)], torch.div, "size-1"),
    Case(Divide, lambda make: [make(5), -0.3], torch.div, "number"),
    Case(Divide, lambda make: [-0.3, make.away([0], 5)], torch.div, "number-first"),
    Case(Divide, lambda make: [make.integers(7, 3, 5), make.away([0], 5)], torch.div, "integers"),
    Case(Divide, lambda make: [cplx(make, 5), cplx(make, 3, 1)], torch.div, "complex"),
    Case(Divide, lambda make: [make(5), cplx(make, 3, 5)], torch.div, "real-and-complex"),
]

_POWER = [
    Case(Power, lambda make: [make.positive(5, 3), make(3)], torch.pow),
    Case(Power, lambda make: [make.positive(5, 1), make(2, 1, 3)], torch.pow, "broadcast"),
    Case(Power, lambda make: [make.positive(), make()], torch.pow, "0d"),
    Case(Power, lambda make: [make.positive(0, 3), make(1, 3)], torch.pow, "empty"),
    Case(Power, lambda make: [make.positive(1), make(1, 1)], torch.pow, "size-1"),
    Case(Power, lambda make: [make(5, 3), 3], torch.pow, "number"),
    Case(Power, lambda make: [make(5, 3), 0], torch.pow, "number-zero"),
    Case(Power, lambda make: [make.positive(5), -0.5], torch.pow, "number-negative"),
    Case(Power, lambda make: [1.7, make(5)], torch.pow, "number-first"),
    Case(Power, lambda make: [0, make.positive(5)], torch.pow, "zero-first"),
    Case(Power, lambda make: [make(5), make.integers(4, 3, 5)], torch.pow, "integers"),
    Case(Power, lambda make: [make.integers(4, 3, 5), make.positive(5)], torch.pow, "integer-base"),
    Case(Power, lambda make: [cplx(make, 5), cplx(make, 3, 1)], torch.pow, "complex"),
    Case(Power, lambda make: [make.positive(5), cplx(make, 3, 1)], torch.pow, "real-and-complex"),
    Case(Power, lambda make: [cplx(make, 5), 2], torch.pow, "complex-square"),
]

_MATMUL = [
    Case(MatMul, lambda make: [make(2, 3), make(3, 5)], torch.matmul),
    Case(MatMul, lambda make: [make(3), make(3)], torch.matmul, "vectors"),
    Case(MatMul, lambda make: [make(2, 3), make(3)], torch.matmul, "matrix-vector"),
    Case(MatMul, lambda make: [make(3), make(3, 5)], torch.matmul, "vector-matrix"),
    Case(MatMul, lambda make: [make(7, 2, 3), make(3)], torch.matmul, "batch-vector"),
    Case(MatMul, lambda make: [make(3), make(7, 3, 5)], torch.matmul, "vector-batch"),
    Case(MatMul, lambda make: [make(2, 7, 5, 3), make(3, 2)], torch.matmul, "batch-matrix"),
    Case(MatMul, lambda make: [make(5, 3), make(7, 3, 2)], torch.matmul, "matrix-batch"),
    Case(MatMul, lambda make: [make(7, 5, 3), make(7, 3, 2)], torch.matmul, "batches"),
    Case(MatMul, lambda make: [make(7, 1, 5, 3), make(2, 3, 2)], torch.matmul, "broadcast"),
    Case(MatMul, lambda make: [make(1, 1), make(1, 1)], torch.matmul, "size-1"),
    Case(MatMul, lambda make: [make(0, 3), make(3, 2)], torch.matmul, "empty"),
    Case(MatMul, lambda make: [make(2, 0), make(0, 3)], torch.matmul, "empty-sum"),
    Case(MatMul, lambda make: [make(0, 5, 3), make(3, 2)], torch.matmul, "empty-batch"),
    Case(MatMul, lambda make: [cplx(make, 7, 5, 3), cplx(make, 3, 2)], torch.matmul, "complex"),
    Case(MatMul, lambda make: [cplx(make, 3), cplx(make, 3)], torch.matmul, "complex-vectors"),
]

_SUM = [
    Case(Sum, lambda make: [make(5, 3), 1, False], torch.sum),
    Case(Sum, lambda make: [make(5, 3), None, False], torch.sum, "all"),
    Case(Sum, lambda make: [make(5, 3), None, True], torch.sum, "all-keepdim"),
    Case(Sum, lambda make: [make(5, 3), (), False], torch.sum, "no-dims-are-all"),
    Case(Sum, lambda make: [make(5, 3, 2), (0, -1), False], torch.sum, "dims"),
    Case(Sum, lambda make: [make(5, 3, 2), [2, 0], True], torch.sum, "dims-keepdim"),
    Case(Sum, lambda make: [make(), 0, False], torch.sum, "0d"),
    Case(Sum, lambda make: [make(0, 3), 0, False], torch.sum, "empty"),
    Case(Sum, lambda make: [make(0, 3), 1, False], torch.sum, "empty-output"),
    Case(Sum, lambda make: [make(1, 1), -1, False], torch.sum, "size-1"),
    Case(Sum, lambda make: [cplx(make, 5, 3), 0, False], torch.sum, "complex"),
]

_MEAN = [
    Case(Mean, lambda make: [make(5, 3), 1, False], torch.mean),
    Case(Mean, lambda make: [make(5, 3), None, False], torch.mean, "all"),
    Case(Mean, lambda make: [make(5, 3), None, True], torch.mean, "all-keepdim"),
    Case(Mean, lambda make: [make(5, 3, 2), (0, -1), False], torch.mean, "dims"),
    Case(Mean, lambda make: [make(5, 3, 2), [2, 0], True], torch.mean, "dims-keepdim"),
    Case(Mean, lambda make: [make(), 0, False], torch.mean, "0d"),
    Case(Mean, lambda make: [make(0, 3), 1, False], torch.mean, "empty-output"),
    Case(Mean, lambda make: [make(1, 1), -1, False], torch.mean, "size-1"),
    Case(Mean, lambda make: [cplx(make, 5, 3), 0, False], torch.mean, "complex"),
]

_MAX = [
    Case(Max, lambda make: [make.distinct(5, 3), 1, False], _amax),
    Case(Max, lambda make: [make.distinct(5, 3), None, False], _amax, "all"),
    Case(Max, lambda make: [make.distinct(5, 3), None, True], _amax, "all-keepdim"),
    Case(Max, lambda make: [make.distinct(5, 3, 2), (0, -1), False], _amax, "dims"),
    Case(Max, lambda make: [make.distinct(5, 3, 2), (2, 0), True], _amax, "dims-keepdim"),
    Case(Max, lambda make: [make.distinct(5, 3).round(), 1, False], _amax, "ties"),
    Case(Max, lambda make: [make.distinct(5, 3).round(), None, False], _amax, "ties-all"),
    Case(Max, lambda make: [make.distinct(), 0, False], _amax, "0d"),
    Case(Max, lambda make: [make.distinct(0, 3), 1, False], _amax, "empty-output"),
    Case(Max, lambda make: [make.distinct(1, 1), -1, False], _amax, "size-1"),
]

_LOGSUMEXP = [
    Case(LogSumExp, lambda make: [make(5, 3), 1, False], torch.logsumexp),
    Case(LogSumExp, lambda make: [make(5, 3), 0, True], torch.logsumexp, "keepdim"),
    Case(LogSumExp, lambda make: [make(5, 3, 2), (0, -1), False], torch.logsumexp, "dims"),
    Case(LogSumExp, lambda make: [make(5, 3, 2), (2, 0), True], torch.logsumexp, "dims-keepdim"),
    Case(LogSumExp, lambda make: [1e4 * make(5, 3), 1, False], torch.logsumexp, "extreme"),
    Case(LogSumExp, lambda make: [make(), 0, False], torch.logsumexp, "0d"),
    Case(LogSumExp, lambda make: [make(0, 3), 0, False], torch.logsumexp, "empty"),
    Case(LogSumExp, lambda make: [make(0, 3), 1, False], torch.logsumexp, "empty-output"),
    Case(LogSumExp, lambda make: [make(1, 1), -1, False], torch.logsumexp, "size-1"),
    Case(LogSumExp, lambda make: [cplx(make, 5, 3), 1, False], torch.logsumexp, "complex"),
]

_SOFTMAX = [
    Case(Softmax, lambda make: [make(5, 3), 1], torch.softmax),
    Case(Softmax, lambda make: [make(5, 3, 2), -3], torch.softmax, "first-dim"),
    Case(Softmax, lambda make: [1e4 * make(5, 3), 1], torch.softmax, "extreme"),
    Case(Softmax, lambda make: [make(), 0], torch.softmax, "0d"),
    Case(Softmax, lambda make: [make(0, 3), 0], torch.softmax, "empty"),
    Case(Softmax, lambda make: [make(5, 1), 1], torch.softmax, "size-1"),
]

_LOGSOFTMAX = [
    Case(LogSoftmax, lambda make: [make(5, 3), 1], torch.log_softmax),
    Case(LogSoftmax, lambda make: [make(5, 3, 2), -3], torch.log_softmax, "first-dim"),
    Case(LogSoftmax, lambda make: [1e4 * make(5, 3), 1], torch.log_softmax, "extreme"),
    Case(LogSoftmax, lambda make: [make(), 0], torch.log_softmax, "0d"),
    Case(LogSoftmax, lambda make: [make(0, 3), 0], torch.log_softmax, "empty"),
    Case(LogSoftmax, lambda make: [make(5, 1), 1], torch.log_softmax, "size-1"),
]

_norm = torch.linalg.vector_norm

_NORM = [
    Case(Norm, lambda make: [make(5, 3), 2.0, 1, False], _norm),
    Case(Norm, lambda make: [make(5, 3), 2.0, None, False], _norm, "all"),
    Case(Norm, lambda make: [make(5, 3), 2, None, True], _norm, "all-keepdim"),
    Case(Norm, lambda make: [make(5, 3, 2), 2.0, (0, -1), False], _norm, "dims"),
    Case(Norm, lambda make: [make(5, 3, 2), 3.0, (2, 0), True], _norm, "dims-keepdim"),
    Case(Norm, lambda make: [make(5, 3), 1, 1, False], _norm, "p-1"),
    Case(Norm, lambda make: [make(5, 3), 1.5, 1, False], _norm, "p-1.5"),
    Case(Norm, lambda make: [make(5, 3), 7, 1, False], _norm, "p-7"),
    Case(Norm, lambda make: [make(5, 3), math.inf, 1, False], _norm, "p-inf"),
    Case(Norm, lambda make: [make(5, 3).round(), math.inf, 1, False], _norm, "p-inf-ties"),
    Case(Norm, lambda make: [make(), 2.0, 0, False], _norm, "0d"),
    Case(Norm, lambda make: [make(0, 3), 2.0, 0, False], _norm, "empty"),
    Case(Norm, lambda make: [make(0, 3), math.inf, 1, False], _norm, "empty-output"),
    Case(Norm, lambda make: [make(1, 1), 3.0, -1, False], _norm, "size-1"),
    Case(Norm, lambda make: [cplx(make, 5, 3), 2.0, 1, False], _norm, "complex"),
    Case(Norm, lambda make: [cplx(make, 5, 3), 3.0, 1, False], _norm, "complex-p-3"),
    Case(Norm, lambda make: [cplx(make, 5, 3), math.inf, 1, False], _norm, "complex-p-inf"),
]

ALGEBRA = [
    *_LINEAR, *_ADD, *_SUBTRACT, *_MULTIPLY, *_DIVIDE, *_POWER, *_MATMUL, *_SUM, *_MEAN, *_MAX,
    *_LOGSUMEXP, *_SOFTMAX, *_LOGSOFTMAX, *_NORM,
]  # fmt: skip
