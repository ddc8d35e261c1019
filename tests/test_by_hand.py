"""What is checked around a backward that is called by hand, for anybody's Function."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from derivable import MSE, Context, Function, Tanh
from derivable.errors import ContextError, GradientError, NotATensorError, ShapeError


class Scaled(Function):
    """output = scale * (x + y), with a number among its inputs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, scale: float = 2.0) -> Tensor:
        ctx.scale = scale
        return scale * (x + y)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return ctx.scale * grad_output, ctx.scale * grad_output, None


class Halves(Function):
    """Two outputs, any number of inputs."""

    @staticmethod
    def forward(ctx: Any, *xs: Tensor) -> tuple[Tensor, Tensor]:
        total = torch.stack(xs).sum(0)
        ctx.count = len(xs)
        return total / 2, total / 2

    @staticmethod
    def backward(ctx: Any, grad_one: Tensor, grad_two: Tensor) -> Any:
        return ((grad_one + grad_two) / 2,) * ctx.count


class Doubled(Tanh):
    """A subclass that calls its parent's rules with the same Context."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return 2 * Tanh.forward(ctx, x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return 2 * Tanh.backward(ctx, grad_output)


def test_numbers_and_0d_gradients_stand_for_themselves_everywhere() -> None:
    x = torch.randn(3, 5, dtype=torch.float64)
    gradients = []
    grads: list[Any] = [torch.ones_like(x), torch.tensor(1.0), 1.0, 1]
    for grad in grads:
        ctx = Context()
        Tanh.forward(ctx, x)
        gradients.append(Tanh.backward(ctx, grad))
    assert all(g.dtype == torch.float64 and torch.equal(g, gradients[0]) for g in gradients)


def test_the_sheets_scalar_grad_output_for_mse() -> None:
    ctx = Context()
    yhat, y = torch.randn(13, 1), torch.randn(13, 1)
    MSE.forward(ctx, yhat, y)
    grad_yhat, grad_y = MSE.backward(ctx, torch.tensor(1.0))
    torch.testing.assert_close(grad_yhat, 2 / 13 * (yhat - y))
    assert torch.equal(grad_y, -grad_yhat)


def test_a_wrong_grad_output_shape_names_both_shapes() -> None:
    ctx = Context()
    Tanh.forward(ctx, torch.randn(3, 5))
    message = r"Tanh.backward: grad_output .* forward's output, \(3, 5\), got \(5, 3\)"
    with pytest.raises(ShapeError, match=message):
        Tanh.backward(ctx, torch.randn(5, 3))


def test_a_wrong_grad_output_dtype_names_both_dtypes() -> None:
    ctx = Context()
    Tanh.forward(ctx, torch.randn(3, 5))
    message = r"Tanh.backward: grad_output .*torch.float32, got torch.float64"
    with pytest.raises(GradientError, match=message):
        Tanh.backward(ctx, torch.randn(3, 5, dtype=torch.float64))


def test_none_stands_for_zeros_where_they_are_wanted() -> None:
    ctx, grad_two = Context(), torch.randn(3)
    Halves.forward(ctx, torch.randn(3))
    (found,) = Halves.backward(ctx, None, grad_two)  # type: ignore[arg-type]
    torch.testing.assert_close(found, grad_two / 2)


def test_a_gradient_of_whole_numbers_may_be_anything() -> None:
    class Row(Function):
        @staticmethod
        def forward(ctx: Any, table: Tensor, index: Tensor) -> Tensor:
            ctx.count = len(table)
            ctx.save_for_backward(index)
            return table[index]

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Any:
            (index,) = ctx.saved_tensors
            return grad_output.new_zeros(ctx.count).index_add(0, index, grad_output), grad_output

    ctx, grad_output = Context(), torch.tensor([-1.3, 2.7])
    Row.forward(ctx, torch.randn(3), torch.tensor([2, 2]))
    grad_table, _ = Row.backward(ctx, grad_output)
    torch.testing.assert_close(grad_table, torch.tensor([0, 0, 1.4]))
    table = torch.randn(3, requires_grad=True)
    Row.apply(table, torch.tensor([2, 2])).backward(grad_output)
    torch.testing.assert_close(table.grad, torch.tensor([0, 0, 1.4]))


def test_a_wrong_number_of_grad_outputs() -> None:
    ctx = Context()
    Halves.forward(ctx, torch.randn(3))
    with pytest.raises(GradientError, match=r"one grad_output per output .* expected 2, got 1"):
        Halves.backward(ctx, torch.randn(3))  # type: ignore[call-arg]  # the mistake under test


def test_a_grad_output_that_is_no_tensor() -> None:
    ctx = Context()
    Tanh.forward(ctx, torch.randn(3))
    with pytest.raises(NotATensorError, match=r"grad_output must be a tensor, got list"):
        Tanh.backward(ctx, [1.0, 1.0, 1.0])  # type: ignore[arg-type]  # the mistake under test


def test_several_outputs_and_variadic_inputs() -> None:
    ctx = Context()
    Halves.forward(ctx, torch.randn(3), torch.randn(3))
    one, two = Halves.backward(ctx, torch.ones(3), 3 * torch.ones(3))
    assert one.tolist() == two.tolist() == [2, 2, 2]
    assert ctx._call.signature.names(2) == ["xs[0]", "xs[1]"]  # type: ignore[union-attr]


@pytest.mark.parametrize("options", [{}, {"scale": 3.0}], ids=["default", "keyword"])
def test_inputs_that_are_no_tensors(options: dict[str, float]) -> None:
    ctx = Context()
    Scaled.forward(ctx, torch.randn(3), torch.randn(3), **options)
    grad_x, grad_y, grad_scale = Scaled.backward(ctx, torch.ones(3))
    assert grad_x.tolist() == grad_y.tolist() == [options.get("scale", 2.0)] * 3
    assert grad_scale is None


def test_a_subclass_may_call_its_parents_rules() -> None:
    x = torch.randn(7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(Doubled.apply, (x,))
    ctx = Context()
    Doubled.forward(ctx, x.detach())
    expected = torch.autograd.grad(Doubled.apply(x).sum(), x)[0]
    torch.testing.assert_close(Doubled.backward(ctx, torch.ones_like(x)), expected)


def _returning(*gradients: Any) -> type[Function]:
    class Wrong(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, y: Tensor, n: int) -> Tensor:
            return x + y

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Any:
            return gradients

    return Wrong


@pytest.mark.parametrize(
    ("gradients", "message"),
    [
        ((torch.ones(3),), r"one gradient per input \(x, y, n\): expected 3, got 1"),
        ((torch.ones(3),) * 4, r"expected 3, got 4"),
        ((torch.ones(3), torch.ones(1, 3), None), r"gradient of y .* \(3,\), got \(1, 3\)"),
        ((torch.ones(3), 2.0, None), r"gradient of y must be a tensor or None, got float"),
        ((None, None, torch.ones(3)), r"gradient of n must be None, because it is no tensor"),
    ],
)
def test_gradients_that_do_not_belong_to_the_inputs(gradients: Any, message: str) -> None:
    wrong = _returning(*gradients)
    ctx = Context()
    wrong.forward(ctx, torch.ones(3), torch.ones(3), 2)
    with pytest.raises(GradientError, match=message):
        wrong.backward(ctx, torch.ones(3))


def test_none_and_trailing_none_are_fine() -> None:
    function = _returning(None, torch.ones(3), None, None)
    ctx = Context()
    function.forward(ctx, torch.ones(3), torch.ones(3), 2)
    assert function.backward(ctx, torch.ones(3))[0] is None


def test_somebody_elses_ctx_passes_through() -> None:
    class Notebook:  # such as the Context that the lab sheet defines
        def save_for_backward(self, *tensors: Tensor) -> None:
            self.saved_tensors = tensors

    ctx = Notebook()
    Tanh.forward(ctx, torch.zeros(3))
    assert Tanh.backward(ctx, torch.ones(3)).tolist() == [1, 1, 1]


def test_backward_during_a_forward_that_never_ended() -> None:
    class Eager(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            Eager.backward(ctx, x)
            return x

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Tensor:
            return grad_output

    with pytest.raises(ContextError, match=r"Eager.backward was called before forward"):
        Eager.forward(Context(), torch.ones(2))


class Returns(Function):
    """Returns what its author puts there."""

    gradient: Any = None

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 1

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return Returns.gradient


def test_gradients_may_come_in_a_list_and_must_be_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    def gradient(returned: Any, grad_output: Any) -> Any:
        monkeypatch.setattr(Returns, "gradient", returned)
        ctx = Context()
        Returns.forward(ctx, torch.ones(3))
        return Returns.backward(ctx, grad_output)

    (found,) = gradient([torch.ones(3)], torch.ones(3))  # as its author returns it
    assert torch.equal(found, torch.ones(3))
    with pytest.raises(GradientError, match="gradient of x must be a tensor or None, got str"):
        gradient("x", torch.ones(3))
    with pytest.raises(NotATensorError, match="grad_output must be a tensor, got str"):
        gradient(torch.ones(3), "ones")
