"""`Contract`: a property of all values of an argument, such as a symmetric matrix.

Generated values of an argument fulfil its contract. If a contract allows fewer directions than
there are entries, gradients are compared along these directions only: the gradient of a symmetric
A may have any antisymmetric part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from derivable.examiner.message import Message

CLOSE = 1e-5  # of an argument's size: how exactly a given value fulfils its contract
MARGIN = 0.01  # between entries that a made-up value must keep apart
ROUNDS = 4  # of Newton-Schulz, from a matrix that is nearly a rotation


@dataclass(frozen=True)
class Contract:
    """What every value of one argument fulfils.

    `linear`: multiples and sums of such values fulfil it too. `discrete`: no direction stays
    within it, so there is no gradient to compare. `entrywise`: values of any size do, once they
    are restored.
    """

    word: ClassVar[str] = ""
    linear: ClassVar[bool] = False
    discrete: ClassVar[bool] = False
    entrywise: ClassVar[bool] = False
    twice: ClassVar[bool] = True  # autograd follows `nearest` into second derivatives

    @property
    def text(self) -> str:
        """The contract as a user writes it."""
        return self.word

    @property
    def message(self) -> Message:
        """The contract as an adjective, in the language of the report."""
        return Message(f"contract.{self.word}")

    def holds(self, x: Tensor) -> bool:
        """Whether `x` fulfils it, to rounding."""
        return _close(x, self.nearest(x))

    def restore(self, x: Tensor) -> Tensor:
        """A value of the shape and dtype of `x` that fulfils it, made from any `x`."""
        return self.nearest(x)

    def nearest(self, x: Tensor) -> Tensor:
        """The projection of `x` onto the contract, which is `x` itself if it fulfils it.

        Differentiable, and without branches that depend on values, so that it runs under vmap.
        """
        return x

    def tangent(self, x: Tensor, direction: Tensor) -> Tensor:
        """The part of `direction` that stays within the contract at `x`; all of one shape."""
        tangent: Tensor
        _, tangent, *_ = torch.func.jvp(self.nearest, (x,), (direction,))
        return tangent

    def given(self, x: Tensor) -> Tensor:
        """What forward receives for `x`."""
        return self.nearest(x)

    def back(self, x: Tensor, gradient: Tensor) -> Tensor:
        """The gradient for `x`, from that for what forward received: along tangents only."""
        if type(self).nearest is Contract.nearest or gradient.shape != x.shape:
            return gradient
        _, vjp, *_ = torch.func.vjp(self.nearest, x.detach().to(gradient.dtype))
        projected: Tensor = vjp(gradient)[0]
        return projected

    def fixed(self, ndim: int) -> tuple[int, ...]:
        """The axes of an argument of `ndim` axes whose sizes stay what they are."""
        return ()


def _close(x: Tensor, other: Tensor) -> bool:
    if x.shape != other.shape or not x.numel():
        return x.shape == other.shape
    return bool((x - other).abs().max() <= CLOSE * x.abs().max())


def _square(x: Tensor) -> bool:
    return x.ndim >= 2 and x.shape[-1] == x.shape[-2]


def _part(x: Tensor, sign: int) -> Tensor:
    """The lower triangle for 1, the upper for -1; `tril` starts threads for any matrix."""
    order = sign * torch.arange(x.shape[-1], device=x.device)
    return torch.where(order.unsqueeze(1) >= order, x, torch.zeros((), dtype=x.dtype))


class _Matrix(Contract):
    """Of square matrices, (..., n, n); anything else is left as it is."""

    def holds(self, x: Tensor) -> bool:
        """Whether `x` is square and fulfils it."""
        return _square(x) and super().holds(x)


class Symmetric(_Matrix):
    """x = x.mT."""

    word = "symmetric"
    linear = True

    def nearest(self, x: Tensor) -> Tensor:
        """The symmetric part."""
        return (x + x.mT) / 2 if _square(x) else x


class Definite(Symmetric):
    """Symmetric, with positive eigenvalues."""

    word = "definite"
    linear = False

    def holds(self, x: Tensor) -> bool:
        """Whether `x` is symmetric and all eigenvalues are positive."""
        return super().holds(x) and bool((torch.linalg.eigvalsh(_exact(self.nearest(x))) > 0).all())

    def restore(self, x: Tensor) -> Tensor:
        """X x' / n + I, exactly symmetric."""
        if not _square(x):
            return x
        n = x.shape[-1]
        return self.nearest(x @ x.mT / n + torch.eye(n).to(x))


class Lower(_Matrix):
    """Zero above the diagonal."""

    word = "lower"
    linear = True

    def nearest(self, x: Tensor) -> Tensor:
        """The lower triangle."""
        return _part(x, 1) if _square(x) else x


class Upper(_Matrix):
    """Zero below the diagonal."""

    word = "upper"
    linear = True

    def nearest(self, x: Tensor) -> Tensor:
        """The upper triangle."""
        return _part(x, -1) if _square(x) else x


class Rotation(_Matrix):
    """x x' = I: a rotation or a reflection."""

    word = "orthogonal"

    def holds(self, x: Tensor) -> bool:
        """Whether the rows are of length 1 and at right angles."""
        return _square(x) and _close(
            _exact(x @ x.mT), torch.eye(x.shape[-1]).double().expand(x.shape)
        )

    def nearest(self, x: Tensor) -> Tensor:
        """The orthogonal factor of a matrix that nearly is one (Newton-Schulz).

        Unlike a singular value decomposition it has a derivative where all singular values are 1.
        """
        if not _square(x):
            return x
        for _ in range(ROUNDS):
            x = 1.5 * x - 0.5 * x @ x.mT @ x
        return x

    def restore(self, x: Tensor) -> Tensor:
        """The orthogonal factor of any matrix."""
        if not _square(x) or not x.numel():
            return x
        left, _, right = torch.linalg.svd(_exact(x))
        factor: Tensor = left @ right
        return factor.to(x.dtype)


class Unit(Contract):
    """Length 1 along the last axis."""

    word = "unit"

    def holds(self, x: Tensor) -> bool:
        """Whether the rows are of length 1."""
        return x.ndim > 0 and super().holds(x)

    def nearest(self, x: Tensor) -> Tensor:
        """Divided by its length; without abs, so that it has a complex step."""
        return x / x.square().sum(-1, keepdim=True).sqrt() if x.ndim else x


class Simplex(Contract):
    """Not negative, with the sum 1 along the last axis."""

    word = "simplex"

    def holds(self, x: Tensor) -> bool:
        """Whether no entry is negative and the sums are 1."""
        return x.ndim > 0 and bool((x >= 0).all()) and super().holds(x)

    def nearest(self, x: Tensor) -> Tensor:
        """What is missing in the sum, spread over the entries."""
        return x + (1 - x.sum(-1, keepdim=True)) / x.shape[-1] if x.ndim and x.numel() else x

    def restore(self, x: Tensor) -> Tensor:
        """The shares of the sum."""
        shares = x.abs() + torch.finfo(x.dtype).tiny
        return shares / shares.sum(-1, keepdim=True) if x.ndim else x


class LogSimplex(Contract):
    """The logarithms of a distribution along the last axis."""

    word = "log simplex"

    def holds(self, x: Tensor) -> bool:
        """Whether the exponentials of the rows sum to 1."""
        return x.ndim > 0 and super().holds(x)

    def nearest(self, x: Tensor) -> Tensor:
        """log_softmax."""
        return x.log_softmax(-1) if x.ndim else x


class OneHot(Contract):
    """A single 1 along the last axis, the others 0."""

    word = "one hot"
    discrete = True

    def holds(self, x: Tensor) -> bool:
        """Whether it is of zeros and one 1."""
        return x.ndim > 0 and bool(((x == 0) | (x == 1)).all() and (x.sum(-1) == 1).all())

    def restore(self, x: Tensor) -> Tensor:
        """A 1 where the running sum is largest, which is anywhere in rows of zeros and ones."""
        if not x.ndim or not x.numel():
            return x
        return torch.nn.functional.one_hot(x.cumsum(-1).argmax(-1), x.shape[-1]).to(x.dtype)


class Sorted(Contract):
    """Increasing along the last axis."""

    word = "sorted"
    entrywise = True

    def holds(self, x: Tensor) -> bool:
        """Whether each entry is larger than the one before it."""
        return x.ndim > 0 and bool((x.diff(dim=-1) > 0).all())

    def restore(self, x: Tensor) -> Tensor:
        """Sorted, with a margin between equal ones."""
        if not x.ndim or not x.numel():
            return x
        margin = MARGIN if x.is_floating_point() else 1
        return x.sort(-1).values + (margin * torch.arange(x.shape[-1])).to(x)


def _exact(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float64))


# From the narrowest to the widest, as a value is recognised: a rotation has rows of length 1.
STRUCTURES: tuple[Contract, ...] = (
    OneHot(), Simplex(), LogSimplex(), Rotation(), Unit(), Definite(), Symmetric(), Lower(),
    Upper(), Sorted(),
)  # fmt: skip


def structure(x: Tensor) -> Contract | None:
    """The contract that a given value seems to fulfil; None if there is none to be seen."""
    if x.ndim == 0 or x.is_complex() or x.shape[-1] < 2 or not bool(torch.isfinite(x).all()):
        return None
    if not x.numel():
        return None
    found = next((contract for contract in STRUCTURES if contract.holds(x)), None)
    return None if isinstance(found, Sorted) and x.shape[-1] < 3 else found
