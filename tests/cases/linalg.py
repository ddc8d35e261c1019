"""Cases of linear algebra."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.functions import Cholesky, Inverse, LogDet, Solve
from tests.cases.case import Case, Make


def _regular(make: Make, *shape: int, complex: bool = False) -> Tensor:
    """Matrices with a determinant away from 0, and positive where it is real."""
    drawn = torch.complex(make(*shape), make(*shape)) if complex else make(*shape)
    return drawn + 2 * shape[-1] * torch.eye(shape[-1], dtype=make.dtype)


def _definite(make: Make, *shape: int, complex: bool = False) -> Tensor:
    """Hermitian positive definite matrices."""
    root = _regular(make, *shape, complex=complex)
    return root @ root.mH / shape[-1]


def _cplx(make: Make, *shape: int) -> Tensor:
    return torch.complex(make(*shape), make(*shape))


def _solve(a: Tensor, b: Tensor, left: bool) -> Tensor:
    return torch.linalg.solve(a, b, left=left)


def _cholesky(a: Tensor, upper: bool) -> Tensor:
    return torch.linalg.cholesky(a, upper=upper)


def _cholesky_of_the_hermitian_part(a: Tensor, upper: bool) -> Tensor:
    # PyTorch's gradient for complex matrices has a skew-Hermitian part; this takes it off.
    return torch.linalg.cholesky((a + a.mH) / 2, upper=upper)


_SOLVE = [
    Case(Solve, lambda make: [_regular(make, 3, 3), make(3, 2), True], _solve),
    Case(Solve, lambda make: [_regular(make, 3, 3), make(2, 3), False], _solve, "right"),
    Case(Solve, lambda make: [_regular(make, 3, 3), make(3), True], _solve, "vector"),
    Case(Solve, lambda make: [_regular(make, 5, 3, 3), make(5, 3), True], _solve, "vectors"),
    Case(Solve, lambda make: [_regular(make, 5, 3, 3), make(3), True], _solve, "one-vector"),
    Case(Solve, lambda make: [_regular(make, 5, 3, 3), make(5, 3, 2), True], _solve, "batches"),
    Case(
        Solve, lambda make: [_regular(make, 5, 1, 3, 3), make(7, 3, 2), True], _solve, "broadcast"
    ),
    Case(
        Solve, lambda make: [_regular(make, 5, 3, 3), make(2, 3), False], _solve, "right-broadcast"
    ),
    Case(Solve, lambda make: [_regular(make, 1, 1), make(1, 1), True], _solve, "size-1"),
    Case(Solve, lambda make: [_regular(make, 3, 3), make(3, 0), True], _solve, "no-columns"),
    Case(Solve, lambda make: [make(0, 3, 3), make(0, 3, 2), True], _solve, "empty-batch"),
    Case(Solve, lambda make: [make(0, 0), make(0, 2), True], _solve, "empty"),
    Case(
        Solve,
        lambda make: [_regular(make, 5, 3, 3, complex=True), _cplx(make, 3, 2), True],
        _solve,
        "complex",
    ),
    Case(
        Solve,
        lambda make: [_regular(make, 3, 3, complex=True), _cplx(make, 2, 3), False],
        _solve,
        "complex-right",
    ),
]

_INVERSE = [
    Case(Inverse, lambda make: [_regular(make, 3, 3)], torch.linalg.inv),
    Case(Inverse, lambda make: [_regular(make, 2, 5, 3, 3)], torch.linalg.inv, "batches"),
    Case(Inverse, lambda make: [_regular(make, 1, 1)], torch.linalg.inv, "size-1"),
    Case(Inverse, lambda make: [make(0, 0)], torch.linalg.inv, "empty"),
    Case(Inverse, lambda make: [make(0, 3, 3)], torch.linalg.inv, "empty-batch"),
    Case(
        Inverse, lambda make: [_regular(make, 5, 3, 3, complex=True)], torch.linalg.inv, "complex"
    ),
]

_LOGDET = [
    Case(LogDet, lambda make: [_regular(make, 3, 3)], torch.logdet),
    Case(LogDet, lambda make: [_regular(make, 2, 5, 3, 3)], torch.logdet, "batches"),
    Case(LogDet, lambda make: [_regular(make, 1, 1)], torch.logdet, "size-1"),
    Case(LogDet, lambda make: [make(0, 0)], torch.logdet, "empty"),
    Case(LogDet, lambda make: [make(0, 3, 3)], torch.logdet, "empty-batch"),
    Case(LogDet, lambda make: [_regular(make, 5, 3, 3, complex=True)], torch.logdet, "complex"),
]

_CHOLESKY = [
    Case(Cholesky, lambda make: [_definite(make, 3, 3), False], _cholesky),
    Case(Cholesky, lambda make: [_definite(make, 3, 3), True], _cholesky, "upper"),
    Case(Cholesky, lambda make: [_definite(make, 2, 5, 3, 3), False], _cholesky, "batches"),
    Case(Cholesky, lambda make: [_definite(make, 1, 1), False], _cholesky, "size-1"),
    Case(Cholesky, lambda make: [make(0, 0), False], _cholesky, "empty"),
    Case(Cholesky, lambda make: [make(0, 3, 3), False], _cholesky, "empty-batch"),
    Case(
        Cholesky,
        lambda make: [_definite(make, 5, 3, 3, complex=True), False],
        _cholesky_of_the_hermitian_part,
        "complex",
    ),
    Case(
        Cholesky,
        lambda make: [_definite(make, 5, 3, 3, complex=True), True],
        _cholesky_of_the_hermitian_part,
        "complex-upper",
    ),
]

LINALG = [*_SOLVE, *_INVERSE, *_LOGDET, *_CHOLESKY]
