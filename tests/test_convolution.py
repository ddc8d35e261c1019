"""Convolution and pooling beyond their cases: option grids against PyTorch, ties, and errors."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from derivable import Context
from derivable.errors import NotATensorError, SettingError, ShapeError
from derivable.functions.layers.avg_pool2d import AvgPool2d
from derivable.functions.layers.conv1d import Conv1d
from derivable.functions.layers.conv2d import Conv2d
from derivable.functions.layers.max_pool2d import MaxPool2d
from tests.cases.case import Make


def same_as(ours: Any, reference: Any, tensors: list[Tensor]) -> None:
    """Values and gradients agree, for a grad_output of random signs and sizes."""
    found, expected = ours(*tensors), reference(*tensors)
    weights = torch.randn_like(expected)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(
        torch.autograd.grad(found, tensors, weights),
        torch.autograd.grad(expected, tensors, weights),
        rtol=1e-10,
        atol=1e-10,
    )


def drawn(*shapes: tuple[int, ...]) -> list[Tensor]:
    return [torch.randn(shape, dtype=torch.float64).requires_grad_() for shape in shapes]


# Convolution -------------------------------------------------------------------------------------


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("stride", [1, 2, (3, 1), (2, 5)])
def test_conv2d_over_a_grid(stride: Any, groups: int) -> None:
    paddings, dilations = [0, 1, (2, 3)], [1, 2, (1, 3)]
    for padding, dilation, kernel in itertools.product(paddings, dilations, [(1, 1), (2, 3)]):
        tensors = drawn((2, 4, 6, 9), (8, 4 // groups, *kernel), (8,))
        options = (stride, padding, dilation, groups)

        def ours(x: Tensor, w: Tensor, b: Tensor, options: Any = options) -> Tensor:
            return Conv2d.apply(x, w, b, *options)

        def reference(x: Tensor, w: Tensor, b: Tensor, options: Any = options) -> Tensor:
            return F.conv2d(x, w, b, *options)

        same_as(ours, reference, tensors)


@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("stride", [1, 2, 3, 7])
def test_conv1d_over_a_grid(stride: int, groups: int) -> None:
    for padding, dilation, length in itertools.product([0, 1, 4], [1, 2, 3], [1, 2, 4]):
        tensors = drawn((2, 3, 11), (6, 3 // groups, length), (6,))
        options = (stride, padding, dilation, groups)

        def ours(x: Tensor, w: Tensor, b: Tensor, options: Any = options) -> Tensor:
            return Conv1d.apply(x, w, b, *options)

        def reference(x: Tensor, w: Tensor, b: Tensor, options: Any = options) -> Tensor:
            return F.conv1d(x, w, b, *options)

        same_as(ours, reference, tensors)


@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("kernel", [(3, 5), (2, 4), (4, 1), (3, 2)])
def test_padding_same_keeps_the_size(kernel: tuple[int, int], dilation: int, groups: int) -> None:
    tensors = drawn((2, 3, 5, 7), (6, 3 // groups, *kernel), (6,))

    def ours(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return Conv2d.apply(x, w, b, padding="same", dilation=dilation, groups=groups)

    def reference(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return F.conv2d(x, w, b, padding="same", dilation=dilation, groups=groups)

    assert ours(*tensors).shape == (2, 6, 5, 7)
    same_as(ours, reference, tensors)


def test_padding_valid_is_none() -> None:
    tensors = drawn((2, 3, 7), (5, 3, 2))
    same_as(
        lambda x, w: Conv1d.apply(x, w, stride=2, padding="valid"),
        lambda x, w: F.conv1d(x, w, stride=2),
        tensors,
    )


@pytest.mark.parametrize(
    "options",
    [
        {"groups": 2, "stride": (1, 2), "padding": 1},  # one channel per group
        {"groups": 1, "padding": "same"},
        {"groups": 1, "stride": (2, 3), "dilation": (2, 1), "padding": 2},
    ],
    ids=["depthwise", "same", "strided"],
)
def test_conv2d_is_differentiable_twice_in_every_mode(options: dict[str, Any]) -> None:
    tensors = drawn((2, 2, 3, 4), (2, 2 // options["groups"], 2, 3), (2,))

    def ours(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return Conv2d.apply(x, w, b, **options)

    def reference(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        output: Tensor = F.conv2d(x, w, b, **options)
        return output

    assert gradcheck(ours, tensors, check_forward_ad=True, check_batched_grad=True)
    assert gradgradcheck(ours, tensors, check_fwd_over_rev=True)
    many = [torch.stack([t.detach(), 2 * t.detach(), t.detach() ** 2]) for t in tensors]
    for chosen in itertools.product([0, None], repeat=3):
        if not any(axis == 0 for axis in chosen):
            continue
        given = [m if axis == 0 else m[1] for m, axis in zip(many, chosen, strict=True)]
        torch.testing.assert_close(
            torch.func.vmap(ours, chosen)(*given), torch.func.vmap(reference, chosen)(*given)
        )


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (Conv1d, [(2, 3, 5), (2, 3, 2)]),
        (Conv2d, [(2, 3, 2, 3), (5, 3, 1, 1)]),
        (Conv2d, [(3, 2, 4), (2, 3, 2, 3)]),
        (MaxPool2d, [(3, 4, 5)]),
        (AvgPool2d, [(3, 4, 5)]),
    ],
    ids=["conv1d", "pointwise", "unbatched", "max", "avg"],
)
def test_gradients_can_be_taken_for_a_batch_of_cotangents(
    function: Any, shapes: list[tuple[int, ...]]
) -> None:
    options = {} if len(shapes) == 2 else {"kernel_size": 2}
    tensors = drawn(*shapes)
    assert gradcheck(
        lambda *inputs: function.apply(*inputs, **options), tensors, check_batched_grad=True
    )


def test_conv2d_pushes_the_tangent_of_one_input_alone() -> None:
    x, w, b = (tensor.detach() for tensor in drawn((2, 3, 4, 5), (2, 3, 2, 3), (2,)))
    for position, tensor in enumerate((x, w, b)):
        others = [x, w, b]

        def one(moving: Tensor, at: int = position, others: list[Tensor] = others) -> Tensor:
            return Conv2d.apply(*others[:at], moving, *others[at + 1 :])

        tangent = torch.randn_like(tensor)
        tangent_of_output = torch.func.jvp(one, (tensor,), (tangent,))[1]
        expected = (
            one(tangent) if position < 2 else tangent.view(1, 2, 1, 1).expand_as(tangent_of_output)
        )
        if position < 2:
            expected = expected - b.view(1, 2, 1, 1)
        torch.testing.assert_close(tangent_of_output, expected)


def test_conv2d_computes_the_wanted_gradients_only() -> None:
    inputs = [tensor.detach() for tensor in drawn((2, 3, 4, 5), (2, 3, 2, 3), (2,))]
    for wanted in itertools.product([False, True], repeat=3):
        ctx = Context()
        output = Conv2d.forward(ctx, inputs[0], inputs[1], inputs[2])
        ctx.needs_input_grad = (*wanted, False, False, False, False)
        gradients = Conv2d.backward(ctx, torch.ones_like(output))
        assert tuple(g is not None for g in gradients[:3]) == wanted


def test_an_empty_batch_gives_a_weight_gradient_of_zeros() -> None:
    x, w = drawn((0, 3, 4, 5), (2, 3, 2, 3))
    grad_x, grad_w = torch.autograd.grad(Conv2d.apply(x, w).sum(), (x, w))
    assert grad_x.shape == x.shape
    assert torch.equal(grad_w, torch.zeros_like(w))


X, W, B = torch.zeros(2, 6, 5, 7), torch.zeros(4, 3, 2, 3), torch.zeros(4)


@pytest.mark.parametrize(
    ("inputs", "error", "text"),
    [
        ((X, W), ShapeError, r"Conv2d: input must have 3 channels to meet weight of shape"),
        ((X, W, None, 1, 0, 1, 3), SettingError, r"groups must be a positive int that divides"),
        ((X, W, None, 1, 0, 1, 0), SettingError, r"groups must be a positive int"),
        ((X[0, 0], W), ShapeError, r"input must have shape \(N, C, H, W\) or \(C, H, W\), got"),
        ((X, W[0]), ShapeError, r"weight must have 4 dimensions, none of them empty, got"),
        ((X, W[:0]), ShapeError, r"weight must have 4 dimensions, none of them empty, got"),
        ((X, W, B[:3], 1, 0, 1, 2), ShapeError, r"bias must have shape \(4,\), got \(3,\)"),
        ((X, W, 1.0, 1, 0, 1, 2), NotATensorError, r"bias must be a tensor"),
        ((X.tolist(), W), NotATensorError, r"input must be a tensor, got list"),
        ((X, W, B, 0, 0, 1, 2), SettingError, r"stride must be an int of at least 1, or one"),
        ((X, W, B, (1, 1, 1), 0, 1, 2), SettingError, r"stride .* got \(1, 1, 1\)"),
        ((X, W, B, 1, -1, 1, 2), SettingError, r"padding must be an int of at least 0"),
        ((X, W, B, 1, 0, 0.5, 2), SettingError, r"dilation must be an int .* got 0.5"),
        ((X, W, B, 1, "full", 1, 2), SettingError, r"'same' or 'valid', got 'full'"),
        ((X, W, B, 2, "same", 1, 2), SettingError, r"padding='same' needs stride 1, got 2"),
        ((X, W, B, 1, 0, 5, 2), ShapeError, r"room for a kernel that spans \(6, 11\) entries"),
        ((X[:, :, :0], W, B, 1, 3, 1, 2), ShapeError, r"room for a kernel"),
    ],
)
def test_what_does_not_fit_conv2d_is_named(inputs: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Conv2d.apply(*inputs)


def test_conv1d_names_its_own_dimensions() -> None:
    with pytest.raises(ShapeError, match=r"Conv1d: input must have shape \(N, C, L\) or \(C, L\)"):
        Conv1d.apply(torch.zeros(7), torch.zeros(2, 3, 2))


# Pooling -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("stride", [None, 1, 2, (3, 1), (4, 5)])
def test_max_pool2d_over_a_grid(stride: Any, ceil_mode: bool) -> None:
    kernels, paddings, dilations = [1, 2, (3, 2), 4], [0, 1, (1, 0)], [1, 2, (1, 3)]
    for kernel, padding, dilation in itertools.product(kernels, paddings, dilations):
        if kernel == 1 and padding:
            continue
        options = (kernel, stride, padding, dilation, ceil_mode)
        x = Make().distinct(2, 3, 10, 11).requires_grad_()

        def ours(x: Tensor, options: Any = options) -> Tensor:
            return MaxPool2d.apply(x, *options)

        def reference(x: Tensor, options: Any = options) -> Tensor:
            return F.max_pool2d(x, *options)

        same_as(ours, reference, [x])


@pytest.mark.parametrize("divisor", [None, 3, -2])
@pytest.mark.parametrize("count_include_pad", [False, True])
@pytest.mark.parametrize("ceil_mode", [False, True])
def test_avg_pool2d_over_a_grid(
    ceil_mode: bool, count_include_pad: bool, divisor: int | None
) -> None:
    kernels, strides, paddings = [1, 2, (3, 2), 5], [None, 1, 2, (3, 1), (4, 5)], [0, 1, (1, 0)]
    for kernel, stride, padding in itertools.product(kernels, strides, paddings):
        if kernel == 1 and padding:
            continue
        options = (kernel, stride, padding, ceil_mode, count_include_pad, divisor)

        def ours(x: Tensor, options: Any = options) -> Tensor:
            return AvgPool2d.apply(x, *options)

        def reference(x: Tensor, options: Any = options) -> Tensor:
            return F.avg_pool2d(x, *options)

        same_as(ours, reference, drawn((2, 3, 7, 9)))


@pytest.mark.parametrize("function", [MaxPool2d, AvgPool2d])
def test_a_window_larger_than_the_input_in_ceil_mode(function: Any) -> None:
    reference = F.max_pool2d if function is MaxPool2d else F.avg_pool2d
    same_as(
        lambda x: function.apply(x, (4, 2), (3, 2), ceil_mode=True),
        lambda x: reference(x, (4, 2), (3, 2), ceil_mode=True),
        drawn((2, 3, 3, 5)),
    )


def test_of_tied_entries_the_first_takes_all() -> None:
    x = torch.tensor([[[2.0, 1.0, 2.0], [2.0, 2.0, 2.0]]], requires_grad=True)
    (grad,) = torch.autograd.grad(MaxPool2d.apply(x, (2, 2), 1), x, torch.tensor([[[3.0, 5.0]]]))
    assert grad.tolist() == [[[3.0, 0.0, 5.0], [0.0, 0.0, 0.0]]]
    (expected,) = torch.autograd.grad(F.max_pool2d(x, (2, 2), 1), x, torch.tensor([[[3.0, 5.0]]]))
    assert torch.equal(grad, expected)


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), float("inf")])
def test_max_pool2d_treats_values_that_are_not_finite_as_pytorch_does(value: float) -> None:
    x = torch.arange(30.0, dtype=torch.float64).view(1, 5, 6).clone()
    x[0, 1:4, 2:5] = value
    x.requires_grad_()
    found, expected = MaxPool2d.apply(x, 2, 1, 1), F.max_pool2d(x, 2, 1, 1)
    torch.testing.assert_close(found, expected, equal_nan=True)
    weights = torch.randn_like(expected)
    torch.testing.assert_close(
        torch.autograd.grad(found, x, weights), torch.autograd.grad(expected, x, weights)
    )


def test_the_second_derivative_of_max_pool2d_is_zero_in_input_and_a_gather_in_grad_output() -> None:
    x = Make().distinct(2, 3, 4, 5).requires_grad_()
    weights = torch.randn(2, 3, 3, 4, dtype=torch.float64, requires_grad=True)
    (grad,) = torch.autograd.grad(MaxPool2d.apply(x, 2, 1), x, weights, create_graph=True)
    direction = torch.randn_like(x)
    to_x, to_weights = torch.autograd.grad(
        grad, (x, weights), direction, allow_unused=True, materialize_grads=True
    )
    assert torch.equal(to_x, torch.zeros_like(x))
    _, places = F.max_pool2d(x, 2, 1, return_indices=True)
    expected = direction.flatten(2).gather(2, places.flatten(2)).view_as(weights)
    torch.testing.assert_close(to_weights, expected)


def test_avg_pool2d_pushes_an_infinite_gradient_into_its_window_only() -> None:
    x = torch.zeros(1, 2, 4, 6, requires_grad=True)
    weights = torch.ones(1, 2, 2, 3)
    weights[0, 1, 0, 1] = float("inf")
    (grad,) = torch.autograd.grad(AvgPool2d.apply(x, 2), x, weights)
    assert torch.isinf(grad[0, 1, :2, 2:4]).all()
    assert int(torch.isinf(grad).sum()) == 4
    assert not torch.isnan(grad).any()


P = torch.zeros(2, 3, 5, 7)


@pytest.mark.parametrize("function", [MaxPool2d, AvgPool2d])
@pytest.mark.parametrize(
    ("inputs", "error", "text"),
    [
        ((P[0, 0], 2), ShapeError, r"input must have shape \(N, C, H, W\) or \(C, H, W\), empty"),
        ((P[:, :0], 2), ShapeError, r"empty only in N, got \(2, 0, 5, 7\)"),
        ((3.0, 2), NotATensorError, r"input must be a tensor, got float"),
        ((P, 0), SettingError, r"kernel_size must be an int of at least 1"),
        ((P, (2, 2, 2)), SettingError, r"kernel_size .* got \(2, 2, 2\)"),
        ((P, 2, 0), SettingError, r"stride must be an int of at least 1"),
        ((P, 3, 1, 2), SettingError, r"padding must be at most half of the window"),
        ((P, 6), ShapeError, r"room for a window that spans \(6, 6\) entries, got"),
    ],
)
def test_what_does_not_fit_pooling_is_named(
    function: Any, inputs: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=f"{function.__name__}: .*{text}"):
        function.apply(*inputs)


def test_options_of_one_pooling_only() -> None:
    with pytest.raises(SettingError, match=r"MaxPool2d: dilation must be an int of at least 1"):
        MaxPool2d.apply(P, 2, 1, 0, 0)
    with pytest.raises(SettingError, match=r"divisor_override must be a number other than 0"):
        AvgPool2d.apply(P, 2, divisor_override=0)
