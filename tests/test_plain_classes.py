"""Plain classes with a forward and a backward are examined by hand, as their authors run them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from derivable.examiner import check
from derivable.examiner.render.reproduction import reproduction
from derivable.examiner.targets.plain import by_hand, is_plain_function_class

pytestmark = pytest.mark.filterwarnings("ignore")


class Context:
    """A course's own."""

    def __init__(self) -> None:
        self.store: tuple[Any, ...] = ()

    def save(self, *tensors: Tensor) -> None:
        self.store = tensors

    @property
    def kept(self) -> tuple[Any, ...]:
        return self.store


class WithTheirContext:
    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        ctx.save(x, w)
        return x @ w + b

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        x, w = ctx.kept
        return g @ w.T, x.T @ g, g.sum(0)


class Static:
    @staticmethod
    def forward(ctx: Any, yhat: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(yhat, y)
        return ((yhat - y) ** 2).mean()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        yhat, y = ctx.saved_tensors
        return 2 * g * (yhat - y) / y.numel(), -2 * g * (yhat - y) / y.numel()


class Items:
    @staticmethod
    def forward(cache: Any, x: Tensor) -> Tensor:
        cache["x"] = x
        return x.tanh()

    @staticmethod
    def backward(cache: Any, g: Tensor) -> Tensor:
        return g * (1 - cache["x"].tanh() ** 2)


class OnSelf:
    def forward(self, x: Tensor) -> Tensor:
        self.x = x
        return x**3

    def backward(self, grad: Tensor) -> Tensor:
        return 3 * self.x**2 * grad


class Method:
    def forward(self, ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.exp()

    def backward(self, ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return g * x.exp()


class Undecorated:
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: N805
        ctx.save_for_backward(x)
        return x.sin()

    def backward(ctx: Any, g: Tensor) -> Tensor:  # noqa: N805
        (x,) = ctx.saved_tensors
        return g * x.cos()


class WrongPower(OnSelf):
    def backward(self, grad: Tensor) -> Tensor:
        return 3 * self.x * grad


class WrongFactor(Static):
    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        yhat, y = ctx.saved_tensors
        return g * (yhat - y) / y.numel(), -g * (yhat - y) / y.numel()


RIGHT = [WithTheirContext, Static, Items, OnSelf, Method, Undecorated]


@pytest.mark.parametrize("plain", RIGHT, ids=lambda c: c.__name__)
def test_right_ones_are_right(plain: Any) -> None:
    assert is_plain_function_class(plain)
    report = check(plain)
    assert report.verdict == "right", str(report)


def test_given_inputs_are_taken() -> None:
    report = check(Static, torch.randn(3, 2), torch.randn(3, 2))
    assert report.ok
    assert dict(report.inputs) == {"yhat": "float32 (3, 2)", "y": "float32 (3, 2)"}


@pytest.mark.parametrize(("plain", "cause"), [(WrongPower, "power"), (WrongFactor, "factor")])
def test_mistakes_are_found_and_reproduced(
    plain: Any, cause: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report = check(plain)
    assert report.verdict == "wrong"
    finding = report.findings[0]
    assert finding.cause == cause
    assert finding.source is not None
    assert "return" in finding.source.text
    exec(reproduction(report, finding), {})
    returned, measured = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    assert returned != pytest.approx(measured, rel=1e-3)


def test_autograd_runs_the_rules_of_a_plain_class_by_hand() -> None:
    x = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(by_hand(OnSelf).apply, (x,))


def test_what_is_no_such_class() -> None:
    class NeedsSizes:
        def __init__(self, rows: int) -> None:
            self.rows = rows

        def forward(self, x: Tensor) -> Tensor:
            return x

        def backward(self, g: Tensor) -> Tensor:
            return g

    class Abstract:
        def forward(self, x: Tensor) -> Tensor:
            raise NotImplementedError

        def backward(self, g: Tensor) -> Tensor:
            raise NotImplementedError

    class Filled(Abstract):
        def forward(self, x: Tensor) -> Tensor:
            return x

        def backward(self, g: Tensor) -> Tensor:
            return g

    others: list[Any] = [
        NeedsSizes, Abstract, Context, torch.nn.ReLU, torch.autograd.Function, int, "text", OnSelf()
    ]  # fmt: skip
    for value in others:
        assert not is_plain_function_class(value), value
    assert is_plain_function_class(Filled)
    assert check(Filled).ok
