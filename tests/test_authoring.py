"""Classes that cannot run as they are: what is missing is stated, not Python's TypeError."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from derivable.examiner import Report, check
from derivable.examiner.messages import say

pytestmark = pytest.mark.filterwarnings("ignore")


class Base(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, yhat: Tensor, y: Tensor) -> Any:
        ctx.save_for_backward(yhat, y)
        return ((yhat - y) ** 2).sum()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        yhat, y = ctx.saved_tensors
        return 2 * g * (yhat - y), -2 * g * (yhat - y)


class NoCtx(Base):
    @staticmethod
    def forward(yhat: Tensor, y: Tensor) -> Any:  # type: ignore[override]
        return ((yhat - y) ** 2).sum()


class NoBackward(torch.autograd.Function):
    forward = Base.forward


class AsksAgain(Base):
    @staticmethod
    def backward(ctx: Any, g: Tensor, yhat: Tensor, y: Tensor) -> Any:  # type: ignore[override]
        return 2 * g * (yhat - y), -2 * g * (yhat - y)


class TooFew(Base):
    @staticmethod
    def forward(ctx: Any, yhat: Tensor, y: Tensor) -> Any:
        ctx.save_for_backward(yhat, y)
        return yhat - y, yhat + y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return g, g


class BackwardNoCtx(Base):
    @staticmethod
    def backward(g: Tensor) -> Any:  # type: ignore[override]
        return g, g


class Empty(Base):
    @staticmethod
    def forward(ctx: Any, yhat: Tensor, y: Tensor) -> Any:
        ctx.save_for_backward(yhat, y)


class NotYet(Base):
    @staticmethod
    def forward(ctx: Any, yhat: Tensor, y: Tensor) -> Any:
        raise NotImplementedError


class EmptyBackward(Base):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        _yhat, _y = ctx.saved_tensors


class NotYetBackward(Base):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        raise NotImplementedError


class OldName(Base):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        yhat, y = ctx.saved_variables
        return 2 * g * (yhat - y), -2 * g * (yhat - y)


def both(function: Any) -> list[Report]:
    """At found inputs, and at given ones."""
    return [check(function), check(function, torch.randn(4, 3), torch.randn(4, 3))]


@pytest.mark.parametrize(
    ("function", "cause", "text"),
    [
        (NoCtx, "no_ctx", "forward(yhat, y): PyTorch gives it ctx first, which would be yhat"),
        (NoBackward, "no_backward", "forward is there, and neither backward nor vjp is defined"),
        (AsksAgain, "backward_signature",
         "backward(ctx, g, yhat, y) asks for inputs of forward again; forward has 1 output"),
        (TooFew, "backward_signature", "backward(ctx, g); forward has 2 outputs"),
        (BackwardNoCtx, "backward_signature", "backward(g); forward has 1 output"),
    ],
)  # fmt: skip
def test_what_forward_and_backward_receive_is_explained(
    function: Any, cause: str, text: str
) -> None:
    for report in both(function):
        (finding,) = report.findings
        assert report.verdict == "wrong"
        assert finding.cause == cause
        assert say(finding.evidence[0], "en") == text
        assert finding.source is not None
        assert finding.source.text.startswith("def ")
        assert "torch.autograd.grad" not in report.details(), "nothing there runs"
        assert report.to_json()


@pytest.mark.parametrize(
    ("function", "key"),
    [
        (Empty, "note.forward_none"),
        (NotYet, "note.forward_not_implemented"),
        (EmptyBackward, "note.backward_none"),
        (NotYetBackward, "note.backward_not_implemented"),
    ],
)
def test_what_is_to_be_written_is_unfinished_and_not_wrong(function: Any, key: str) -> None:
    for report in both(function):
        assert report.verdict == "inconclusive"
        assert not report.findings
        assert key in {note.key for note in report.notes}


def test_the_old_name_of_saved_tensors_is_a_note() -> None:
    for report in both(OldName):
        assert report.verdict == "right", str(report)
        assert "note.saved_variables" in {note.key for note in report.notes}
    assert check(Base).ok


def test_an_explicit_none_is_a_gradient_that_is_missing() -> None:
    class Lazy(Base):
        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            return None, None

    report = check(Lazy, torch.randn(4, 3), torch.randn(4, 3))
    assert report.verdict == "wrong"
    assert {finding.cause for finding in report.findings} == {"none"}
