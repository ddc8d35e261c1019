"""Inputs that the examiner makes up count only where forward is meant to run at them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch.autograd import Function

from derivable.examiner import check, check_gradient
from derivable.examiner.inputs.applicability import Applicability
from derivable.examiner.targets.callables import CallableAdapter
from tests.corpus.draw import draw


def test_what_is_stretched_or_cut_only_at_other_sizes_is_seen() -> None:
    scale, places = draw(3).detach(), torch.tensor([0, 2])

    def product(x: Any) -> Any:
        return x * scale

    def last(x: Any) -> Any:
        return x[places - x.shape[0] // 2]

    def first(x: Any) -> Any:
        return x[:3].clone()

    for forward, given, other in (
        (product, draw(4, 3), draw(4, 1)),
        (last, draw(1), draw(4)),
        (first, draw(5), draw(2)),
    ):
        applicability = Applicability(CallableAdapter(forward), [given])
        assert applicability.for_sizes([given]), forward.__name__
        assert not applicability.for_sizes([other]), forward.__name__
    assert Applicability(CallableAdapter(product), [draw(4, 3)]).for_sizes([draw(1, 3)])


def test_one_of_several_sizes_of_1_that_grows_alone_is_another_function() -> None:
    def standardised(p: Any, t: Any) -> Any:
        return (p - p.mean(1, keepdim=True)) * (t - t.mean(1, keepdim=True))

    for forward in (torch.sub, standardised):
        applicability = Applicability(CallableAdapter(forward), [draw(7, 1), draw(7, 1)])
        assert applicability.for_sizes([draw(7, 2), draw(7, 2)]), forward
        assert not applicability.for_sizes([draw(7, 2), draw(7, 1)]), forward
    product = Applicability(CallableAdapter(torch.matmul), [draw(7, 1), draw(1, 1)])
    assert product.for_sizes([draw(7, 2), draw(2, 1)])
    broadcast = Applicability(CallableAdapter(torch.add), [draw(7, 3), draw(7, 1)])
    assert broadcast.for_sizes([draw(7, 5), draw(7, 1)])


def test_rows_that_others_do_not_matter_to_are_a_batch() -> None:
    assert Applicability(CallableAdapter(lambda x: x.softmax(1)), [draw(4, 3)]).rowwise(4)
    assert not Applicability(CallableAdapter(lambda x: x.cumsum(0)), [draw(4, 3)]).rowwise(4)


def only_four_rows(x: Any) -> Any:
    if len(x) != 4:
        raise ValueError("4 rows are expected")
    return x * 2


def only_as_given(x: Any) -> Any:
    if not torch.equal(x, draw(4, 3)):
        raise ValueError("the rows are in another order")
    return x.sum(0)


@pytest.mark.parametrize(
    ("forward", "rowwise", "batch"),
    [
        (lambda x: x.softmax(1), True, True),
        (lambda x: x.sum(0), False, True),
        (lambda x: x.cumsum(0), False, False),
        (only_four_rows, False, False),
        (only_as_given, False, False),
    ],
)
def test_a_batch_is_of_rows_in_any_order(forward: Any, rowwise: bool, batch: bool) -> None:
    applicability = Applicability(CallableAdapter(forward), [draw(4, 3)])
    assert (applicability.rowwise(4), applicability.is_batch(4)) == (rowwise, batch)


def test_theta_keeps_the_size_of_the_data_that_it_belongs_to() -> None:
    data, labels = draw(14, 4).detach().numpy(), np.arange(14) % 3

    def shares(theta: Any) -> Any:
        odds = np.exp(data @ theta)
        return odds / odds.sum(1, keepdims=True)

    report = check_gradient(
        lambda theta: -np.log(shares(theta)[np.arange(14), labels]).sum(),
        lambda theta: data.T @ (shares(theta) - np.eye(3)[labels]),
        at=draw(4, 3).detach().numpy(),
    )
    assert report.verdict == "right", report.details("en")
    assert not report.checks.get("sizes")


class Carrier(Function):
    """cos(k r) far away: 6e7 radians, which no step of the usual length resolves."""

    @staticmethod
    def forward(ctx: Any, r: Any) -> Any:
        ctx.save_for_backward(r)
        return torch.cos(20 * math.pi * r)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (r,) = ctx.saved_tensors
        return -20 * math.pi * torch.sin(20 * math.pi * r) * g


class HalfCarrier(Carrier):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 0.5 * Carrier.backward(ctx, g)


@pytest.mark.xfail(
    strict=True,
    reason="a known gap: a phase of 6e7 whose period is a round number passes for noise, as what "
    "jumps at every rounding does; then long steps, which are multiples of the period, agree",
)
def test_a_large_phase_is_measured_by_short_steps() -> None:
    far = 1e6 + 100 * draw(4).detach()
    report = check(Carrier, far)
    assert report.verdict == "right", report.details("en")
    assert check(HalfCarrier, far).verdict == "wrong"
