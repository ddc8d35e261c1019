"""One definition, every way to run it: what the matrix of the library cannot show."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad, gradcheck, gradgradcheck
from torch.func import grad, hessian, jacfwd, jacrev, jvp, vjp, vmap
from torch.utils.checkpoint import checkpoint

from derivable import Context, Function, ReLU, Tanh
from derivable.errors import DefinitionError, GradientError, InputError, TransformError


def double(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, requires_grad=True)


class Planted(Function):
    """x^3 with a backward that is ten times too large: where it shows, the backward was run."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 10 * grad_output * 3 * x**2


class Swish(Function):
    """x sigmoid(x), which saves an intermediate."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        s = torch.sigmoid(x)
        ctx.save_for_backward(s, x)
        return x * s

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        s, x = ctx.saved_tensors
        return grad_output * (s + x * s * (1 - s))


class SwishOnAttribute(Function):
    """The same, with the intermediate and the input kept as attributes of ctx."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.s, ctx.x = torch.sigmoid(x), x
        return x * ctx.s

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output * (ctx.s + ctx.x * ctx.s * (1 - ctx.s))


class Polar(Function):
    """Two outputs of two inputs, one saved output, a number and a word."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, scale: float = 1.0, *, turn: str = "left") -> Any:
        radius = scale * torch.sqrt(x**2 + y**2)
        angle = torch.atan2(y, x) * (1 if turn == "left" else -1)
        ctx.save_for_backward(x, y, radius)
        ctx.scale, ctx.sign = scale, 1 if turn == "left" else -1
        return radius, angle

    @staticmethod
    def backward(ctx: Any, grad_radius: Tensor, grad_angle: Tensor) -> Any:
        x, y, radius = ctx.saved_tensors
        r = radius / ctx.scale
        turn = ctx.sign * grad_angle / r**2
        grad_x = ctx.scale * grad_radius * x / r - turn * y
        grad_y = ctx.scale * grad_radius * y / r + turn * x
        return grad_x, grad_y, None, None


class TopTwo(Function):
    """Values and their indices: the second output has no derivative."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        values, indices = torch.topk(x, 2)
        ctx.mark_non_differentiable(indices)
        ctx.save_for_backward(indices)
        ctx.shape = x.shape
        return values, indices

    @staticmethod
    def backward(ctx: Any, grad_values: Tensor, grad_indices: Any) -> Tensor:
        (indices,) = ctx.saved_tensors
        zeros = torch.zeros(ctx.shape, dtype=grad_values.dtype)
        return zeros.scatter(-1, indices, grad_values)


class Gather(Function):
    """Rows of a table, picked by integers."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.count = table.shape[0]
        return table[rows]

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        (rows,) = ctx.saved_tensors
        zeros = torch.zeros(ctx.count, *grad_output.shape[1:], dtype=grad_output.dtype)
        return zeros.index_add(0, rows, grad_output), None


class Fast(Tanh):
    """A subclass that overrides the backward alone."""

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (output,) = ctx.saved_tensors
        return 7 * grad_output * (1 - output**2)


class Faster(Fast):
    """A subclass of a subclass, which calls both of its parents' rules."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return 2 * Fast.forward(ctx, x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return 2 * Fast.backward(ctx, grad_output)


def polar(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return torch.sqrt(x**2 + y**2), torch.atan2(y, x)


def total(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda x: function(x).sum()


# A planted backward shows in every derivative --------------------------------------------------
# Each way is made when it is called: `grad` of PyTorch 2.6 imports TorchDynamo.

PLANTED = total(Planted.apply)
COMPILE: dict[str, Any] = {"fullgraph": True, "backend": "aot_eager"}


def _dual(x: Tensor) -> Any:
    with forward_ad.dual_level():
        return forward_ad.unpack_dual(
            Planted.apply(forward_ad.make_dual(x, torch.ones_like(x)))
        ).tangent


WAYS: dict[str, Callable[[Tensor], Any]] = {
    "autograd": lambda x: torch.autograd.grad(PLANTED(y := x.clone().requires_grad_()), y)[0],
    "func.grad": lambda x: grad(PLANTED)(x),
    "func.vjp": lambda x: vjp(Planted.apply, x)[1](torch.ones_like(x))[0],
    "func.jvp": lambda x: jvp(Planted.apply, (x,), (torch.ones_like(x),))[1],
    "jacrev": lambda x: jacrev(Planted.apply)(x).sum(0),
    "jacfwd": lambda x: jacfwd(Planted.apply)(x).sum(0),
    "forward_ad": _dual,
    "vmap of grad": lambda x: vmap(grad(Planted.apply))(x),
    "grad of vmap": lambda x: grad(lambda x: vmap(Planted.apply)(x).sum())(x),
    "jvp of vmap": lambda x: jvp(vmap(Planted.apply), (x,), (torch.ones_like(x),))[1],
    "compile": lambda x: torch.autograd.grad(
        torch.compile(PLANTED, **COMPILE)(y := x.clone().requires_grad_()), y
    )[0],
    "compile of apply itself": lambda x: torch.autograd.grad(
        torch.compile(Planted.apply, **COMPILE)(y := x.clone().requires_grad_()).sum(), y
    )[0],
    "compile of func.grad": lambda x: torch.compile(grad(PLANTED), **COMPILE)(x),
    "compile of vmap of grad": lambda x: torch.compile(vmap(grad(Planted.apply)), **COMPILE)(x),
    "compile of jacfwd": lambda x: torch.compile(jacfwd(Planted.apply), **COMPILE)(x).sum(0),
    "checkpoint": lambda x: torch.autograd.grad(
        checkpoint(PLANTED, y := x.clone().requires_grad_(), use_reentrant=False), y
    )[0],
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_every_way_runs_the_authors_backward(way: str) -> None:
    x = torch.randn(5, dtype=torch.float64)
    torch.testing.assert_close(WAYS[way](x), 30 * x**2)


def test_what_is_compiled_for_one_is_not_run_for_another() -> None:
    @torch.compile(**COMPILE)
    def call(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        return function(x)

    x = torch.randn(5)
    torch.testing.assert_close(call(Tanh.apply, x), torch.tanh(x))
    torch.testing.assert_close(call(ReLU.apply, x), torch.relu(x))


@pytest.mark.parametrize("first", ["import torch._dynamo", "pass"])
def test_compile_is_told_whenever_it_is_imported(first: str) -> None:
    script = f"""
import torch
{first}
from tests.test_function import Planted
import sys
print("torch._dynamo" in sys.modules)
x = torch.ones(3)
print(torch.compile(torch.func.grad(lambda x: Planted.apply(x).sum()), backend="aot_eager")(x))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    imported, gradient = done.stdout.splitlines()
    assert imported == str(first != "pass"), "Functions alone must not import TorchDynamo"
    assert gradient == "tensor([30., 30., 30.])"


# Second and higher order -----------------------------------------------------------------------


@pytest.mark.parametrize("function", [Swish, SwishOnAttribute])
def test_saved_intermediates_are_right_in_second_order(function: type[Function]) -> None:
    x = double(5)
    silu = torch.nn.functional.silu
    assert gradcheck(function.apply, x, check_forward_ad=True, check_batched_grad=True)
    assert gradgradcheck(function.apply, x, check_fwd_over_rev=True)
    for order in (
        hessian,
        lambda f: jacrev(jacrev(f)),
        lambda f: jacfwd(jacfwd(f)),
        lambda f: jacrev(jacfwd(f)),
    ):
        found = order(total(function.apply))(x.detach())
        torch.testing.assert_close(found, hessian(total(silu))(x.detach()))
    third = grad(total(grad(total(grad(total(function.apply))))))
    expected = grad(total(grad(total(grad(total(silu))))))
    torch.testing.assert_close(third(x.detach()), expected(x.detach()))


def test_intermediates_are_computed_again_for_second_order_only() -> None:
    calls = []

    class Counted(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            calls.append("forward")
            s = torch.sin(x)
            ctx.save_for_backward(s)
            return s**2

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Tensor:
            (s,) = ctx.saved_tensors
            return 2 * s * torch.sqrt(1 - s**2) * grad_output

    x = torch.rand(3, dtype=torch.float64, requires_grad=True)
    torch.autograd.grad(Counted.apply(x).sum(), x)
    assert calls == ["forward"]
    torch.autograd.grad(Counted.apply(x).sum(), x, create_graph=True)
    assert calls == ["forward"] * 3


class Masked(Function):
    """Dropout as everybody writes it: the mask is drawn inside and saved."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        mask = (torch.rand(x.shape, generator=generator) < 0.5).to(x.dtype)
        squares = x**2
        ctx.save_for_backward(mask, squares, x)
        return mask * squares * x

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        mask, squares, _ = ctx.saved_tensors
        return 3 * mask * squares * grad_output, None


def test_a_random_mask_stays_what_it_was() -> None:
    x = double(101)
    output = Masked.apply(x)
    mask = (output != 0).double()
    (first,) = torch.autograd.grad(output.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    torch.testing.assert_close(first, mask * 3 * x**2)
    torch.testing.assert_close(second, mask * 6 * x)


def test_second_order_leaves_a_generator_where_it_was() -> None:
    generator = torch.Generator().manual_seed(1)
    x = double(5)
    output = Masked.apply(x, generator)
    state = generator.get_state()
    torch.autograd.grad(output.sum(), x, create_graph=True)
    assert torch.equal(generator.get_state(), state)


def test_a_forward_that_changes_its_mind_is_refused_in_second_order() -> None:
    class Moody(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            noisy = x * torch.rand(())
            ctx.save_for_backward(noisy)
            return noisy**2

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Tensor:
            (noisy,) = ctx.saved_tensors
            return 2 * noisy * grad_output

    x = double(3)
    with pytest.raises(GradientError, match=r"Moody: second order needs .* make that an input"):
        torch.autograd.grad(Moody.apply(x).sum(), x, create_graph=True)


# What inputs and outputs may be -------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"scale": 2.5}, {"turn": "right"}, {"scale": 0.5, "turn": "right"}]
)
def test_several_outputs_numbers_words_and_keywords(options: dict[str, Any]) -> None:
    x, y = double(5), double(5)
    assert gradcheck(lambda x, y: Polar.apply(x, y=y, **options), (x, y), check_forward_ad=True)
    assert gradgradcheck(lambda x, y: Polar.apply(x, y, **options), (x, y))
    found = vmap(hessian(lambda x, y: Polar.apply(x, y)[1], argnums=(0, 1)))(x.detach(), y.detach())
    expected = vmap(hessian(lambda x, y: polar(x, y)[1], argnums=(0, 1)))(x.detach(), y.detach())
    torch.testing.assert_close(found, expected)


def test_outputs_that_nobody_used_bring_zeros() -> None:
    x, y = double(5), double(5)
    ours = torch.autograd.grad(Polar.apply(x, y)[1].sum(), (x, y))
    torch.testing.assert_close(ours, torch.autograd.grad(polar(x, y)[1].sum(), (x, y)))


@pytest.mark.parametrize("used", [0, 1])
def test_zeros_also_where_an_intermediate_was_saved(used: int) -> None:
    class SinCos(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Any:
            double = 2 * x
            ctx.save_for_backward(double)
            return torch.sin(double), torch.cos(double)

        @staticmethod
        def backward(ctx: Any, grad_sin: Tensor, grad_cos: Tensor) -> Tensor:
            (double,) = ctx.saved_tensors
            return 2 * (grad_sin * torch.cos(double) - grad_cos * torch.sin(double))

    x = double(5)
    expected = (torch.sin, torch.cos)[used]
    assert gradcheck(lambda x: SinCos.apply(x)[used], x, check_forward_ad=True)
    assert gradgradcheck(lambda x: SinCos.apply(x)[used], x)
    found = hessian(lambda x: SinCos.apply(x)[used].sum())(x.detach())
    torch.testing.assert_close(found, hessian(lambda x: expected(2 * x).sum())(x.detach()))


class ArgMax(Function):
    """Indices alone, of which there is no derivative."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        index = x.argmax(-1)
        ctx.mark_non_differentiable(index)
        return index

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> None:
        raise AssertionError("it is not called")


class Step(ArgMax):
    """Numbers alone that are marked as having none."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        step = x.sign()
        ctx.mark_non_differentiable(step)
        return step


@pytest.mark.parametrize("function", [ArgMax, Step])
def test_outputs_without_any_derivative_have_tangents_of_zero(function: type[Function]) -> None:
    x = torch.randn(3, 5, dtype=torch.float64)
    for apply in (function.apply, vmap(function.apply)):
        output, tangent = jvp(apply, (x,), (torch.randn_like(x),))[:2]
        torch.testing.assert_close(output, function.forward(Context(), x))
        torch.testing.assert_close(tangent, torch.zeros_like(output))


def test_non_differentiable_outputs() -> None:
    x = double(3, 5)
    values, indices = TopTwo.apply(x)
    assert not indices.requires_grad
    torch.testing.assert_close(values, torch.topk(x, 2)[0])
    assert gradcheck(lambda x: TopTwo.apply(x)[0], x, check_forward_ad=True)
    assert gradgradcheck(lambda x: TopTwo.apply(x)[0], x)
    found = vmap(grad(lambda x: (TopTwo.apply(x)[0] ** 2).sum()))(x.detach())
    torch.testing.assert_close(
        found, vmap(grad(lambda x: (torch.topk(x, 2)[0] ** 2).sum()))(x.detach())
    )


def test_integer_inputs() -> None:
    table, rows = double(5, 3), torch.tensor([4, 0, 4])
    assert gradcheck(Gather.apply, (table, rows), check_forward_ad=True)
    found = vmap(Gather.apply, in_dims=(None, 0))(table.detach(), rows.view(3, 1))
    torch.testing.assert_close(found, table.detach()[rows].unsqueeze(1))


def test_complex_inputs() -> None:
    class Product(Function):
        @staticmethod
        def forward(ctx: Any, z: Tensor, w: Tensor) -> Tensor:
            ctx.save_for_backward(z, w)
            return z * w.conj()

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Any:
            z, w = ctx.saved_tensors
            return grad_output * w, grad_output.conj() * z

    z = torch.randn(3, dtype=torch.complex128, requires_grad=True)
    w = torch.randn(3, dtype=torch.complex128, requires_grad=True)
    assert gradcheck(Product.apply, (z, w), check_forward_ad=True)
    assert gradgradcheck(Product.apply, (z, w))


def test_needs_input_grad_in_both_rules() -> None:
    seen = []

    class Curious(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, y: Tensor, n: int) -> Tensor:
            seen.append(ctx.needs_input_grad)
            return x + y

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Any:
            seen.append(ctx.needs_input_grad)
            return grad_output if ctx.needs_input_grad[0] else None, grad_output, None

    x, y = torch.ones(2), torch.ones(2, requires_grad=True)
    Curious.apply(x, y, 3).sum().backward()
    assert seen == [(False, True, False)] * 2
    ctx = Context()
    Curious.forward(ctx, x, y, 3)
    Curious.backward(ctx, torch.ones(2))
    assert seen[2:] == [(True, True, False)] * 2, "by hand every gradient is wanted"


def test_none_gradients_and_materialize() -> None:
    seen = []

    class Two(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Any:
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, one: Tensor | None, two: Tensor | None) -> Tensor | None:
            seen.append((one is None, two is None))
            return 2 * one if one is not None else None

    x = double(2)
    Two.apply(x)[0].sum().backward()
    assert seen == [(False, True)]
    ctx = Context()
    Two.forward(ctx, x.detach())
    Two.backward(ctx, torch.ones(2, dtype=torch.float64), None)
    assert seen[-1] == (False, True)


def test_in_place_functions_say_so_to_autograd() -> None:
    class Doubled(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Tensor:
            return 2 * grad_output

    x = double(3)
    y = x.clone()
    assert Doubled.apply(y) is y
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2, 2, 2]


def test_an_apply_of_the_authors_own_is_kept() -> None:
    class Flat(Tanh):
        @classmethod
        def apply(cls, *inputs: Any, **options: Any) -> Any:
            return super().apply(*inputs, **options).flatten()

    x = double(3, 5)
    torch.testing.assert_close(Flat.apply(x), torch.tanh(x).flatten())
    assert list(inspect.signature(Flat.apply).parameters) == ["inputs", "options"], "as written"
    assert gradcheck(Flat.apply, (x,))


def test_subclasses_of_subclasses() -> None:
    x = double(5)
    (found,) = torch.autograd.grad(Faster.apply(x).sum(), x)
    torch.testing.assert_close(found, 14 * (1 - torch.tanh(x.detach()) ** 2))
    torch.testing.assert_close(Faster.apply(x), 2 * torch.tanh(x))
    torch.testing.assert_close(vmap(grad(Faster.apply))(x.detach()), found)
    ctx = Context()
    Faster.forward(ctx, x.detach())
    torch.testing.assert_close(Faster.backward(ctx, 1.0), found)  # type: ignore[arg-type]
    assert type(Fast.apply(x).grad_fn).__name__ == "FastBackward"


# Errors ----------------------------------------------------------------------------------------


def _returning(gradient: Callable[[Tensor], Any]) -> type[Function]:
    class Wrong(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
            return x + y

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Any:
            return gradient(grad_output)

    return Wrong


@pytest.mark.parametrize(
    ("gradient", "message"),
    [
        (lambda g: g, r"one gradient per input \(x, y\): expected 2, got 1"),
        (lambda g: (g, g, g), r"expected 2, got 3"),
        (lambda g: (g, g[None]), r"gradient of y must have the shape of y, \(3,\), got \(1, 3\)"),
        (lambda g: (g.float(), g), r"gradient of x must have .* torch.float64, got torch.float32"),
        (lambda g: (g, g.to(torch.complex128)), r"gradient of y .*complex128; take its .real part"),
        (lambda g: (g, 1.0), r"gradient of y must be a tensor or None, got float"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("way", ["autograd", "torch.func"])
def test_wrong_gradients_name_the_argument(gradient: Any, message: str, way: str) -> None:
    function = _returning(gradient)
    x, y = double(3), double(3)
    by_func = grad(lambda x, y: function.apply(x, y).sum(), argnums=(0, 1))
    with pytest.raises(GradientError, match=message):
        by_func(x, y) if way == "torch.func" else function.apply(x, y).sum().backward()


def test_inputs_that_are_missing_or_unknown() -> None:
    with pytest.raises(InputError, match=r"Polar: missing a required argument: 'y'; it takes \(x"):
        Polar.apply(torch.ones(2))
    with pytest.raises(InputError, match="unexpected keyword argument 'sclae'"):
        Polar.apply(torch.ones(2), torch.ones(2), sclae=3)
    with pytest.raises(InputError, match="too many positional arguments"):
        Tanh.apply(torch.ones(2), 3)


def test_definitions_that_cannot_run() -> None:
    with pytest.raises(DefinitionError, match=r"Loose.forward must be a @staticmethod"):

        class Loose(Function):
            def forward(ctx: Any, x: Tensor) -> Tensor:  # type: ignore[override]  # noqa: N805
                return x

    with pytest.raises(DefinitionError, match=r"Twice defines jvp, which derivable makes"):

        class Twice(Tanh):
            @staticmethod
            def jvp(ctx: Any, tangent: Tensor) -> Tensor:
                return tangent

    with pytest.raises(DefinitionError, match=r"Bag.forward must take ctx first"):

        class Bag(Function):
            @staticmethod
            def forward(ctx: Any, **inputs: Tensor) -> Tensor:
                return inputs["x"]


def test_what_cannot_run_under_a_transform_says_why() -> None:
    class Peeking(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x * 2 if x.item() > 0 else x

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Tensor:
            return grad_output

    with pytest.raises(TransformError, match=r"Peeking cannot run under .* \(no .item\(\)"):
        vmap(Peeking.apply)(torch.ones(3))


def test_reverse_mode_inside_a_raw_forward_mode_level_is_right_with_a_saved_intermediate() -> None:
    class Squares(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            square = x**2  # an intermediate
            ctx.save_for_backward(square, x)
            return square**2

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Tensor:
            square, x = ctx.saved_tensors
            return 4 * square * x * grad_output

    x = torch.randn(5, dtype=torch.float64)
    tangent = torch.randn(5, dtype=torch.float64)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x.clone().requires_grad_(), tangent)
        (gradient,) = torch.autograd.grad(Squares.apply(dual).sum(), dual)
        tangent_of_gradient = forward_ad.unpack_dual(gradient).tangent
    torch.testing.assert_close(tangent_of_gradient, 12 * x**2 * tangent)
