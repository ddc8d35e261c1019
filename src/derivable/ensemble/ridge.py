"""Ridge regression by one decomposition: the minima of all penalties, and rows left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from derivable.ensemble.folds import Array, Table, kinds_of
from derivable.network import flatten
from derivable.problem import Problem

LARGE = 1500  # rows and columns, beyond which no table is decomposed


class Ridge:
    """The linear models of a problem with the squared error, for any penalty.

    Rows and targets less their weighted means, times the roots of their shares s of the weight,
    are decomposed once: X = U S V'. The parameters at the minimum are V S U' y / (S² + p / 2).
    """

    def __init__(self, problem: Problem) -> None:
        self._dtype = problem.dtype
        x, y = problem.x.double(), problem.y.double()
        weight = torch.ones(len(x)) if problem.weight is None else problem.weight
        self._share = (weight.double() / weight.double().sum())[:, None]  # (N, 1)
        self._means = (self._share * x).sum(0), (self._share * y).sum(0)
        self._x = self._share.sqrt() * (x - self._means[0])
        self._y = self._share.sqrt() * (y - self._means[1])
        if len(x) > x.size(1):  # right singular vectors, and squares of the singular values
            squares, self._v = torch.linalg.eigh(self._x.T @ self._x)
        else:
            _, values, vh = torch.linalg.svd(self._x, full_matrices=False)
            squares, self._v = values**2, vh.T
        self._squares = squares.clamp(min=0)[:, None]  # (R, 1)
        self._slopes = self._v.T @ (self._x.T @ self._y)  # (R, K)
        self._least = self._squares.max() * len(squares) * torch.finfo(self._dtype).eps

    def theta(self, penalty: float) -> Tensor:
        """The parameters (P,) at the least loss with this penalty."""
        w = self._v @ (self._inverse(penalty) * self._slopes)
        return flatten([w, self._means[1] - self._means[0] @ w]).to(self._dtype)

    def left_out(self, penalties: Sequence[float]) -> Array:
        """The squared error (A,) on each row, by the model fitted on all others, per penalty.

        Without another fit: where row n is left out, its residual is that of the fit on all rows,
        over 1 - h[n]. h[n] = s[n] + sum_r (x[n] @ v[r])² / (S[r]² + p / 2) is how much the fit at
        row n moves with its own target; the first term is that of the constant. A penalty on the
        mean loss of all rows is one on the sum, which is kept when a row is left out.
        """
        along = self._x @ self._v  # (N, R)
        found = []
        for penalty in penalties:
            inverse = self._inverse(penalty)
            residual = self._y - along @ (inverse * self._slopes)  # (N, K)
            rest = 1 - self._share - along**2 @ inverse  # (N, 1)
            found.append((residual / rest.clamp(min=torch.finfo(rest.dtype).eps)).square())
        return np.array([one.sum().item() for one in found])

    def _inverse(self, penalty: float) -> Tensor:
        """1 / (S² + p / 2), (R, 1); 0 in directions in which the rows do not differ."""
        denominator = self._squares + penalty / 2
        return torch.where(denominator > self._least, 1 / denominator, 0.0)


def merged(table: Table) -> tuple[Table, float]:
    """Each different row once, with the mean of its targets, and their squared error around it.

    The squared error of any function of the features is that on the merged table, and the number
    that is returned more. A row has the weight of its copies, as it would lie in one fold with
    them: that a copy is predicted well says nothing about other rows.
    """
    x, y, weight = table
    counted, kind = kinds_of(x.numpy(), None if weight is None else weight.numpy())
    rows, of = torch.from_numpy(counted), torch.from_numpy(kind.reshape(-1))
    kinds = int(of.max()) + 1
    weight = torch.ones(len(x), dtype=x.dtype) if weight is None else weight
    each = weight[rows].double()[:, None]  # (N, 1)
    targets = y[rows].double()
    total = torch.zeros(kinds, 1, dtype=each.dtype).index_add(0, of, each)
    mean = torch.zeros(kinds, y.size(1), dtype=each.dtype).index_add(0, of, each * targets) / total
    first = torch.empty(kinds, dtype=torch.long)
    first[of] = rows
    inside = (each * (targets - mean[of]) ** 2).sum() / each.sum()
    return (x[first], mean.to(y.dtype), total[:, 0].to(x.dtype)), inside.item()
