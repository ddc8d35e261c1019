"""Functions as people bring them along: what they keep on ctx, mark, decorate and return."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.autograd.function import once_differentiable
from torch.func import grad, hessian, jacfwd, jacrev, jvp, linearize, vjp, vmap

from derivable import Context, Function, Tanh, functional
from derivable.errors import DefinitionError, GradientError, InputError, TransformError


class Kept(NamedTuple):
    """A way to keep the intermediate exp(x) of x exp(x)."""

    name: str
    keep: Callable[[Any, Tensor], None]
    found: Callable[[Any], Tensor]


def keep_without_grad(ctx: Any, x: Tensor) -> None:
    with torch.no_grad():
        ctx.save_for_backward(x.exp())


def saved(ctx: Any) -> Tensor:
    value: Tensor = ctx.saved_tensors[0]
    return value


KEPT = [
    Kept("saved", lambda ctx, x: ctx.save_for_backward(x.exp()), saved),
    Kept("detached", lambda ctx, x: ctx.save_for_backward(x.exp().detach()), saved),
    Kept("no_grad", keep_without_grad, saved),
    Kept("attribute", lambda ctx, x: setattr(ctx, "e", x.exp()), lambda ctx: ctx.e),
    Kept("list", lambda ctx, x: setattr(ctx, "all", [x, x.exp()]), lambda ctx: ctx.all[1]),
    Kept("dict", lambda ctx, x: setattr(ctx, "by", {"e": (x.exp(),)}), lambda ctx: ctx.by["e"][0]),
]  # fmt: skip


def x_exp(kept: Kept) -> type[Function]:
    class XExp(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            kept.keep(ctx, x)
            ctx.x = x
            return x * x.exp()

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Tensor:
            return grad_output * (1 + ctx.x) * kept.found(ctx)

    return XExp


def tracing(f: Callable[[Tensor], Tensor], x: Tensor) -> Any:
    return linearize(f, x)[1](torch.ones_like(x))


def over_vmap(f: Callable[[Tensor], Tensor], x: Tensor) -> Any:
    return jvp(vmap(f), (x,), (x + 1,))


def twice(f: Callable[[Tensor], Tensor], x: Tensor) -> Any:
    leaf = x.clone().requires_grad_()
    (first,) = torch.autograd.grad(f(leaf).sum(), leaf, create_graph=True)
    return torch.autograd.grad((first**2).sum(), leaf)


ORDERS: dict[str, Callable[..., Any]] = {
    "twice": twice,
    "hessian": lambda f, x: hessian(lambda x: f(x).sum())(x),
    "jacrev of jacrev": lambda f, x: jacrev(jacrev(f))(x),
    "jacrev of jacfwd": lambda f, x: jacrev(jacfwd(f))(x),
    "jacfwd of jacfwd": lambda f, x: jacfwd(jacfwd(f))(x),
    "vmap of grad of grad": lambda f, x: vmap(grad(grad(f)))(x),
    "jvp of vmap": over_vmap,
    "grad of grad": lambda f, x: grad(lambda x: grad(lambda x: f(x).sum())(x).sum())(x),
    "jvp": lambda f, x: jvp(f, (x,), (x + 1,)),
    "linearize": tracing,
}


# PyTorch's linearize warns so for any function, also x * x.exp().
@pytest.mark.filterwarnings("ignore:Attempted to insert a get_attr Node:UserWarning")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kept", KEPT, ids=[kept.name for kept in KEPT])
def test_wherever_an_intermediate_is_kept_it_is_differentiated(kept: Kept, order: str) -> None:
    x = torch.randn(3, dtype=torch.float64)
    run = ORDERS[order]
    torch.testing.assert_close(run(x_exp(kept).apply, x), run(lambda x: x * x.exp(), x))


def test_a_context_kept_on_ctx_is_followed_into_second_order() -> None:
    class TanhTwice(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.inner, ctx.outer = Context(), Context()
            return Tanh.forward(ctx.outer, Tanh.forward(ctx.inner, x))

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Any:
            return Tanh.backward(ctx.inner, Tanh.backward(ctx.outer, grad_output))

    x = torch.randn(3, dtype=torch.float64)
    expected = hessian(lambda x: x.tanh().tanh().sum())(x)
    torch.testing.assert_close(hessian(lambda x: TanhTwice.apply(x).sum())(x), expected)


def test_one_tensor_given_as_two_arguments_stays_two() -> None:
    class Product(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Any:
            x, y = ctx.saved_tensors
            return grad_output * y, grad_output * x

    t = torch.tensor(3.0)
    both = jacrev(jacrev(Product.apply, (0, 1)), (0, 1))(t, t)
    assert [[float(entry) for entry in row] for row in both] == [[0, 1], [1, 0]]


class Frugal(Function):
    """x w, which saves only what the wanted gradients need; tanh(w) is an intermediate."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
        need_x, need_w = ctx.needs_input_grad
        saved = ([w.tanh()] if need_x else []) + ([x, w] if need_w else [])
        ctx.save_for_backward(*saved)
        return x * w.tanh()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        need_x, need_w = ctx.needs_input_grad
        saved = list(ctx.saved_tensors)
        grad_x = grad_output * saved[0] if need_x else None
        grad_w = None
        if need_w:
            x, w = saved[-2:]
            grad_w = grad_output * x * (1 - w.tanh() ** 2)
        return grad_x, grad_w


def test_what_forward_saves_may_depend_on_needs_input_grad() -> None:
    x, w = torch.randn(2, 3, dtype=torch.float64)

    def total(f: Callable[..., Tensor]) -> Callable[..., Tensor]:
        return lambda *inputs: (f(*inputs) ** 2).sum()

    def plain(x: Tensor, w: Tensor) -> Tensor:
        return x * w.tanh()

    both = hessian(total(Frugal.apply), (0, 1))(x, w)
    torch.testing.assert_close(both, hessian(total(plain), (0, 1))(x, w))
    leaf = x.clone().requires_grad_()
    (first,) = torch.autograd.grad(total(Frugal.apply)(leaf, w), leaf, create_graph=True)
    torch.testing.assert_close(torch.autograd.grad(first.sum(), leaf)[0], 2 * w.tanh() ** 2)


def test_decorators_of_the_rules_stay_on() -> None:
    def doubled(rule: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(rule)
        def wrapper(ctx: Any, *grads: Tensor) -> Any:
            return 2 * rule(ctx, *grads)

        return wrapper

    class Decorated(Function):
        @staticmethod
        @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)  # type: ignore[untyped-decorator]
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x.clone()

        @staticmethod
        @torch.amp.custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
        @doubled
        def backward(ctx: Any, grad_output: Tensor) -> Any:
            return grad_output

    x = torch.ones(3, requires_grad=True)
    assert torch.autograd.grad(Decorated.apply(x).sum(), x)[0].tolist() == [2, 2, 2]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert Decorated.apply(torch.ones(3, dtype=torch.bfloat16)).dtype == torch.float32


def test_intermediates_are_computed_again_under_the_same_casts() -> None:
    class Projected(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
            h = x @ w
            ctx.save_for_backward(h, w)
            return h.float().sin()

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Any:
            h, w = ctx.saved_tensors
            return grad_output * h.float().cos() @ w.t(), None

    x, w = torch.randn(3, 5, requires_grad=True), torch.randn(5, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = Projected.apply(x, w)
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    h = (x.bfloat16() @ w.bfloat16()).float()
    expected = (-h.sin() * w.sum(0)) @ w.t()
    torch.testing.assert_close(second, expected, rtol=2e-2, atol=2e-2)


def test_casts_of_another_device_than_that_of_the_inputs_are_none_of_theirs() -> None:
    x = torch.ones(3, device="meta", requires_grad=True)
    with torch.autocast("cpu"):
        y = x_exp(KEPT[0]).apply(x)
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    assert (second.device.type, second.shape, second.dtype) == ("meta", (3,), torch.float32)


@pytest.mark.parametrize("way", ["jvp", "jacrev of grad"])
def test_a_detach_in_backward_cuts_nothing_off(way: str) -> None:
    class Cube(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Tensor:
            with torch.no_grad():
                return 3 * ctx.saved_tensors[0].detach() ** 2 * grad_output.detach()

    x = torch.tensor(2.0)
    if way == "jvp":
        assert float(jvp(Cube.apply, (x,), (torch.ones(()),))[1]) == 12
    else:
        assert float(jacrev(grad(Cube.apply))(x)) == 12


@pytest.mark.parametrize("view", [lambda x: x, lambda x: x.view(-1), lambda x: x.t()])
def test_views_and_inputs_are_returned_in_forward_mode(view: Callable[[Tensor], Tensor]) -> None:
    class View(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.shape = x.shape
            ctx.turned = view(x).shape != x.shape and view(x).ndim == 2
            return view(x)

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Tensor:
            return grad_output.t() if ctx.turned else grad_output.reshape(ctx.shape)

    x, tangent = torch.randn(2, 2, 3)
    with forward_ad.dual_level():
        y = View.apply(forward_ad.make_dual(x, tangent))
        assert torch.equal(forward_ad.unpack_dual(y).tangent, view(tangent))


def test_an_output_marked_non_differentiable_under_vmap_has_a_tangent_of_zero() -> None:
    class Split(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Any:
            whole = x.floor()
            ctx.mark_non_differentiable(whole)
            return x - whole, whole

        @staticmethod
        def backward(ctx: Any, grad_rest: Tensor, grad_whole: Tensor) -> Tensor:
            return grad_rest

    x = torch.tensor([1.3, 2.7, 3.1])
    tangents = jvp(vmap(Split.apply), (x,), (torch.ones(3),))[1]
    assert [tangent.tolist() for tangent in tangents] == [[1, 1, 1], [0, 0, 0]]


class Closure(Function):
    """Keeps its intermediate where nothing can replace it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        e = x.exp()
        ctx.vjp = lambda grad_output: grad_output * e
        return e.clone()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return ctx.vjp(grad_output)


class Marked(Function):
    """A backward that is marked once_differentiable."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return 3 * ctx.saved_tensors[0] ** 2 * grad_output


class InPlace(Function):
    """Overwrites its input, and saves an intermediate of it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x.cos())
        ctx.mark_dirty(x)
        return x.sin_()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return grad_output * ctx.saved_tensors[0]


class Growing(Function):
    """Saves the same numbers, in another shape every time."""

    calls = 0

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        Growing.calls += 1
        e = x.exp()
        ctx.save_for_backward(e.expand(Growing.calls, 3))
        return e.clone()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return grad_output * ctx.saved_tensors[0][0]


class Random(Function):
    """Draws another mask every time."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        e = x.exp() * torch.rand_like(x)
        ctx.save_for_backward(e)
        return e.clone()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return grad_output * ctx.saved_tensors[0]


class Partial(Function):
    """Keeps its intermediate in a call that is prepared."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        e = x.exp()
        ctx.vjp = partial(torch.mul, e)
        return e.clone()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return ctx.vjp(grad_output)


class Fickle(Function):
    """Saves one tensor more at every call."""

    calls = 0

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        Fickle.calls += 1
        e = x.exp()
        ctx.save_for_backward(*[e] * Fickle.calls)
        return e.clone()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return grad_output * ctx.saved_tensors[0]


REFUSALS: list[tuple[type[Function], type[Exception], str]] = [
    (Closure, TransformError, r"Closure.forward keeps tensors inside of ctx.vjp"),
    (Marked, TransformError, r"Marked.backward is marked with once_differentiable"),
    (InPlace, TransformError, r"InPlace.forward changes x in place .* let forward return a new"),
    (Random, GradientError, r"Random: .* it gave other values"),
    (Growing, GradientError, r"Growing: .* it gave other values"),
    (Partial, TransformError, r"Partial.forward keeps tensors inside of ctx.vjp"),
    (Fickle, GradientError, r"Fickle: .* it saved another number of tensors"),
]


@pytest.mark.parametrize("order", ["twice", "grad of grad", "jvp"])
@pytest.mark.parametrize(("function", "error", "message"), REFUSALS)
def test_what_cannot_work_in_higher_order_is_refused_by_name(
    function: type[Function], error: type[Exception], message: str, order: str
) -> None:
    x = torch.randn(3)
    leaf = x.clone().requires_grad_()
    (first,) = torch.autograd.grad(function.apply(leaf * 1).sum(), leaf)
    assert first.shape == (3,)  # the first derivative is there
    with pytest.raises(error, match=message):
        ORDERS[order](lambda x: function.apply(x * 1), x)


def test_a_marked_backward_has_no_derivative_along_grad_output_either() -> None:
    x = torch.randn(3)
    with pytest.raises(TransformError, match=r"Marked.backward is marked with once_different"):
        jvp(vjp(Marked.apply, x)[1], (torch.randn(3),), (torch.randn(3),))


def test_a_closure_whose_variable_is_not_set_hides_nothing() -> None:
    class Unset(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            if x.ndim > 3:
                unset = x.sum()
            ctx.note = lambda: unset
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Any:
            return 3 * ctx.saved_tensors[0] ** 2 * grad_output

    x = torch.randn(5, dtype=torch.float64)
    torch.testing.assert_close(vmap(grad(grad(Unset.apply)))(x), 6 * x)


def test_the_first_derivative_under_torch_func_needs_no_mark_taken_off() -> None:
    x = torch.randn(5, dtype=torch.float64)
    torch.testing.assert_close(vmap(grad(Marked.apply))(x), 3 * x**2)


class Gather(Function):
    """Takes its tensors in a list."""

    @staticmethod
    def forward(ctx: Any, tensors: list[Tensor]) -> Tensor:
        return torch.stack(tensors).sum(0)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> None:
        return None


def test_a_list_of_tensors_whose_gradients_are_wanted_is_refused() -> None:
    x = torch.randn(3)
    assert torch.equal(Gather.apply([x, x]), 2 * x)
    with pytest.raises(InputError, match=r"Gather: tensors is a list .* or as \*tensors"):
        Gather.apply([x.clone().requires_grad_()])
    with pytest.raises(InputError, match=r"Gather: tensors is a list"):
        grad(lambda x: Gather.apply([x, x]).sum())(x)


def test_outputs_in_a_nested_tuple_are_refused() -> None:
    class Pairs(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Any:
            return x + 1, (x + 2, x + 3)

        @staticmethod
        def backward(ctx: Any, *grads: Tensor) -> Any:
            return grads[0]

    with pytest.raises(DefinitionError, match=r"Pairs.forward returned a tuple .* output 1"):
        Pairs.apply(torch.randn(3))


def test_a_graph_made_inside_forward_is_refused() -> None:
    class Graph(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            with torch.enable_grad():
                inner = x.detach().requires_grad_()
                y = inner.exp()
            ctx.save_for_backward(inner, y)
            return y.detach()

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Any:
            inner, y = ctx.saved_tensors
            return torch.autograd.grad(y, inner, grad_output)[0]

    with pytest.raises(DefinitionError, match=r"Graph.forward saves a tensor with a graph"):
        Graph.apply(torch.randn(3, requires_grad=True))


def test_apply_shows_the_signature_of_forward() -> None:
    assert str(inspect.signature(Frugal.apply)) == "(x: 'Tensor', w: 'Tensor')"
    assert list(inspect.signature(functional.softplus).parameters) == ["input", "beta", "threshold"]


def test_second_order_of_what_is_not_finite_is_not_finite() -> None:
    x = torch.tensor([[torch.inf, 0.0, 1.0]], requires_grad=True)
    (first,) = torch.autograd.grad(functional.layer_norm(x, (3,)).sum(), x, create_graph=True)
    assert torch.autograd.grad(first.sum(), x)[0].isnan().all()
