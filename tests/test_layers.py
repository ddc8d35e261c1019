"""What the layers promise beyond the matrix: errors, masks, padding, randomness, fast paths."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from derivable import Context
from derivable.errors import DataError, NotATensorError, SettingError, ShapeError
from derivable.functions import (
    BatchNorm,
    Dropout,
    Embedding,
    Flatten,
    GroupNorm,
    GRUCell,
    LayerNorm,
    LSTMCell,
    RMSNorm,
    ScaledDotProductAttention,
)
from derivable.functions.layers import _chunks, layer_norm

ATTENTION = "ScaledDotProductAttention"


def gradients(call: Callable[..., Tensor], *inputs: Tensor) -> tuple[Tensor, ...]:
    """The output and the gradients of its irregularly weighted sum."""
    inputs = tuple(value.detach().clone().requires_grad_() for value in inputs)
    output = call(*inputs)
    weights = torch.cos(torch.arange(output.numel(), dtype=output.dtype)).reshape(output.shape)
    return output.detach(), *torch.autograd.grad((output * weights).sum(), inputs)


# Normalisation -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (
            lambda x, w, b: LayerNorm.apply(x, (6,), w, b),
            lambda x, w, b: F.layer_norm(x, (6,), w, b),
        ),
        (
            lambda x, w, b: RMSNorm.apply(x, (6,), w, 1e-6) + b,
            lambda x, w, b: F.rms_norm(x, (6,), w, 1e-6) + b,
        ),
        (
            lambda x, w, b: GroupNorm.apply(x.mT, 3, w, b),
            lambda x, w, b: torch.group_norm(x.mT, 3, w, b),
        ),
    ],
    ids=["LayerNorm", "RMSNorm", "GroupNorm"],
)
def test_rows_at_a_time_give_what_all_rows_at_once_give(
    ours: Any, theirs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = [torch.randn(shape, dtype=torch.float64) for shape in ((17, 5, 6), (6,), (6,))]
    at_once = gradients(ours, *inputs)
    monkeypatch.setattr(_chunks, "CHUNK", 100)
    monkeypatch.setattr(layer_norm, "_loop", lambda: None)
    split = _chunks.by_rows
    sizes = []

    def count(rule: Any, *tensors: Tensor) -> Any:
        def counted(out: Tensor | None, *pieces: Tensor) -> Any:
            sizes.append(pieces[0].size(0))
            return rule(out, *pieces)

        return split(counted, *tensors)

    for module in ("layer_norm", "rms_norm", "group_norm"):
        monkeypatch.setattr(f"derivable.functions.layers.{module}.by_rows", count)
    in_pieces = gradients(ours, *inputs)
    assert len(sizes) > 5
    assert sizes[-1] < sizes[0]  # the last piece is a smaller one
    torch.testing.assert_close(in_pieces, at_once)
    torch.testing.assert_close(at_once, gradients(theirs, *inputs))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[torch.Size]:
    """The shapes that went through the compiled backward of LayerNorm, in which 100 is large."""
    loop = pytest.importorskip("derivable.functions.layers._layer_norm_loop")
    monkeypatch.setattr(_chunks, "CHUNK", 100)
    shapes = []
    in_one_pass = loop.in_one_pass

    def noted(grad: Tensor, *tensors: Tensor) -> Any:
        shapes.append(grad.shape)
        return in_one_pass(grad, *tensors)

    monkeypatch.setattr(loop, "in_one_pass", noted)
    return shapes


@pytest.mark.parametrize("threads", [1, 3])
def test_the_compiled_backward_of_layer_norm_is_that_of_pytorch(
    threads: int, calls: list[torch.Size], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    x, w, b = (torch.randn(shape, dtype=torch.float64) for shape in ((5, 17, 3, 4), (3, 4), (3, 4)))
    w[0, 0] = 0
    found = gradients(lambda x, w, b: LayerNorm.apply(x, (3, 4), w, b), x, w, b)
    torch.testing.assert_close(
        found, gradients(lambda x, w, b: F.layer_norm(x, (3, 4), w, b), x, w, b)
    )
    found = gradients(lambda x: LayerNorm.apply(x.mT, (3,)), x)  # strided, without parameters
    torch.testing.assert_close(found, gradients(lambda x: F.layer_norm(x.mT, (3,)), x))
    assert calls == [(85, 12), (340, 3)]

    x[0, 0, 0, 0], x[0, 1, 0, 0] = torch.nan, torch.inf
    ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    LayerNorm.apply(ours, (3, 4), w, b).sum().backward()  # a grad_output of one number, expanded
    F.layer_norm(theirs, (3, 4), w, b).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad, equal_nan=True)
    assert len(calls) == 3


def test_the_compiled_backward_of_layer_norm_leaves_derivatives_and_modes_alone(
    calls: list[torch.Size],
) -> None:
    x, w = torch.randn(20, 6, dtype=torch.float64, requires_grad=True), torch.randn(6).double()
    y, v = torch.randn_like(x), torch.randn_like(x)

    def second(layer: Callable[..., Tensor]) -> Tensor:
        (first,) = torch.autograd.grad((layer(x, (6,), w) * y).sum(), x, create_graph=True)
        return torch.autograd.grad((first * v).sum(), x)[0]

    torch.testing.assert_close(second(LayerNorm.apply), second(F.layer_norm))
    output = LayerNorm.apply(x, (6,), w)
    with FlopCounterMode(display=False):
        torch.autograd.grad(output, x, y)
    assert not calls


@pytest.fixture
def _without_numba(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import derivable.functions.layers as package

    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, "derivable.functions.layers._layer_norm_loop", raising=False)
    monkeypatch.delattr(package, "_layer_norm_loop", raising=False)
    layer_norm._loop.cache_clear()
    yield
    layer_norm._loop.cache_clear()


@pytest.mark.usefixtures("_without_numba")
def test_without_numba_layer_norm_takes_the_plain_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_chunks, "CHUNK", 100)
    x, w = torch.randn(20, 6), torch.randn(6)
    ours = gradients(lambda x, w: LayerNorm.apply(x, (6,), w), x, w)
    assert layer_norm._loop() is None
    torch.testing.assert_close(ours, gradients(lambda x, w: F.layer_norm(x, (6,), w), x, w))


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_a_large_mean_costs_no_more_digits_than_in_pytorch(offset: float) -> None:
    x, w, b = offset + torch.randn(32, 64), torch.randn(64), torch.randn(64)
    true = gradients(
        lambda x, w, b: F.layer_norm(x, (64,), w, b), x.double(), w.double(), b.double()
    )
    ours = gradients(lambda x, w, b: LayerNorm.apply(x, (64,), w, b), x, w, b)
    theirs = gradients(lambda x, w, b: F.layer_norm(x, (64,), w, b), x, w, b)
    for mine, other, exact in zip(ours, theirs, true, strict=True):
        assert (mine - exact).abs().max() <= 2 * (other - exact).abs().max() + 1e-6


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e4, 1e18])
def test_normalising_extreme_rows_gives_what_pytorch_gives(scale: float) -> None:
    x, w = scale * torch.randn(5, 7), torch.randn(7)
    pairs: list[tuple[Any, Any]] = [
        (lambda x, w: LayerNorm.apply(x, (7,), w), lambda x, w: F.layer_norm(x, (7,), w)),
        (lambda x, w: RMSNorm.apply(x, (7,), w), lambda x, w: F.rms_norm(x, (7,), w)),
        (
            lambda x, w: BatchNorm.apply(x, None, None, w, None, True),
            lambda x, w: F.batch_norm(x, None, None, w, None, True),
        ),
        (lambda x, w: GroupNorm.apply(x, 1, w), lambda x, w: torch.group_norm(x, 1, w)),
    ]
    for ours, theirs in pairs:
        found = gradients(ours, x, w)
        torch.testing.assert_close(found, gradients(theirs, x, w), rtol=1e-4, atol=1e-5)
        assert all(bool(value.isfinite().all()) for value in found)


def test_batch_norm_by_running_statistics_is_that_of_pytorch() -> None:
    mean, var = torch.randn(3), torch.rand(3) + 0.5
    inputs = torch.randn(5, 3, 2), torch.randn(3), torch.randn(3)
    ours = gradients(lambda x, w, b: BatchNorm.apply(x, mean, var, w, b), *inputs)
    theirs = gradients(lambda x, w, b: F.batch_norm(x, mean, var, w, b), *inputs)
    torch.testing.assert_close(ours, theirs)


def test_batch_norm_in_training_leaves_the_running_statistics_alone() -> None:
    mean, var = torch.randn(3), torch.rand(3)
    kept = mean.clone(), var.clone()
    x = torch.randn(5, 3)
    output = BatchNorm.apply(x, mean, var, None, None, True, 0.5)
    torch.testing.assert_close((mean, var), kept, rtol=0, atol=0)
    torch.testing.assert_close(output, F.batch_norm(x, None, None, training=True))


def test_batch_norm_has_no_gradient_for_statistics_that_it_did_not_use() -> None:
    ctx = Context()
    x, mean, var = torch.randn(5, 3), torch.randn(3), torch.rand(3)
    BatchNorm.forward(ctx, x, mean, var, training=True)
    _, grad_mean, grad_var, *_ = BatchNorm.backward(ctx, torch.randn(5, 3))
    assert grad_mean is None
    assert grad_var is None


def test_what_batch_norm_has_no_running_statistics_of_it_makes_none_of() -> None:
    x, mean, var = torch.randn(5, 3, 2), torch.randn(3), torch.rand(3)
    kept = mean.clone(), var.clone()
    assert BatchNorm.new_buffers(x, mean, var) == {}
    assert BatchNorm.new_buffers(x, training=True) == {}
    F.batch_norm(x, *kept, training=True, momentum=0.3)
    each: list[dict[str, Any]] = [{"running_mean": mean}, {"running_var": var}]
    for given in each:
        found = BatchNorm.new_buffers(x, **given, training=True, momentum=0.3)
        assert found.keys() == given.keys()
        for one in found.values():
            torch.testing.assert_close(one, kept["running_var" in given])


# Embedding ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("padding", [2, -3])
def test_the_padding_row_is_read_and_gets_gradient_zero(padding: int) -> None:
    weight = torch.randn(5, 3)
    ctx = Context()
    output = Embedding.forward(ctx, torch.tensor([2, 4, 2, 4]), weight, padding)
    assert torch.equal(output, weight[[2, 4, 2, 4]])
    _, gradient, _ = Embedding.backward(ctx, torch.full((4, 3), torch.inf))
    assert gradient.tolist() == [[0] * 3] * 4 + [[torch.inf] * 3]


def test_a_row_that_is_read_twice_gets_both_gradients() -> None:
    ctx = Context()
    Embedding.forward(ctx, torch.tensor([[1, 0], [1, 1]]), torch.randn(3, 1))
    grad_output = torch.tensor([[[1.0], [10.0]], [[100.0], [1000.0]]])
    assert Embedding.backward(ctx, grad_output)[1].tolist() == [[10], [1101], [0]]


def test_an_index_that_is_no_row_is_refused() -> None:
    message = "Embedding: input must hold indices from 0 to 4, one of the 5 rows .*, got -1"
    with pytest.raises(DataError, match=message):
        Embedding.apply(torch.tensor([3, -1, 5]), torch.randn(5, 3))


# Dropout -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.1, 0.7])
def test_dropout_drops_the_share_p_and_keeps_the_mean(p: float) -> None:
    count = 40_000
    output = Dropout.apply(torch.ones(count), p, True, torch.Generator().manual_seed(3))
    dropped = (output == 0).sum().item()
    assert abs(dropped - p * count) < 5 * (count * p * (1 - p)) ** 0.5
    assert torch.equal(output.unique(), torch.tensor([0, 1 / (1 - p)]))


def test_one_seed_gives_one_mask_and_the_next_call_another() -> None:
    x = torch.ones(100)

    def draw(generator: torch.Generator) -> Tensor:
        output: Tensor = Dropout.apply(x, 0.5, True, generator)
        return output

    generator = torch.Generator().manual_seed(7)
    first, second = draw(generator), draw(generator)
    assert not torch.equal(first, second)
    assert torch.equal(first, draw(torch.Generator().manual_seed(7)))
    torch.manual_seed(5)
    by_default = Dropout.apply(x)
    torch.manual_seed(5)
    assert torch.equal(by_default, F.dropout(x))


def test_the_gradient_has_the_mask_of_the_output() -> None:
    x = torch.ones(100, dtype=torch.float64, requires_grad=True)
    output = Dropout.apply(x, 0.3)
    (gradient,) = torch.autograd.grad(output.sum(), x)
    assert torch.equal(gradient, output)

    def both(x: Tensor) -> tuple[Tensor, Tensor]:
        output = Dropout.apply(x, 0.3)
        return output.sum(), output

    gradient, output = torch.func.grad(both, has_aux=True)(x.detach())
    assert torch.equal(gradient, output)


@pytest.mark.parametrize("seed", [None, 7])
def test_second_order_keeps_the_mask_that_was_drawn(seed: int | None) -> None:
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    x = torch.rand(50, dtype=torch.float64, requires_grad=True)
    output = Dropout.apply(x, 0.5, True, generator)
    state = None if generator is None else generator.get_state()
    (gradient,) = torch.autograd.grad((output**3).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(gradient.sum(), x)
    factor = torch.where(output == 0, 0.0, 2.0)
    torch.testing.assert_close(second, 6 * factor**3 * x)
    assert state is None or torch.equal(state, generator.get_state())  # type: ignore[union-attr]


def test_each_row_of_vmap_may_draw_its_own_mask() -> None:
    output = torch.func.vmap(lambda x: Dropout.apply(x), randomness="different")(torch.ones(2, 99))
    assert not torch.equal(output[0], output[1])


def test_dropout_of_everything_and_of_infinities_is_zero() -> None:
    x = torch.tensor([torch.inf, -torch.inf, 1.0])
    assert Dropout.apply(x, 1.0).tolist() == [0, 0, 0]
    mask = torch.tensor([0, 0, 1])
    assert Dropout.apply(x, 0.5, True, None, mask).tolist() == [0, 0, 2]


def test_without_training_dropout_returns_a_copy_and_draws_nothing() -> None:
    x, generator = torch.randn(5), torch.Generator()
    state = generator.get_state()
    output = Dropout.apply(x, 0.5, False, generator)
    assert torch.equal(output, x)
    assert output is not x
    assert torch.equal(generator.get_state(), state)


# Attention ---------------------------------------------------------------------------------------


def test_without_a_mask_attention_averages_all_values() -> None:
    query, key, value = torch.zeros(2, 3), torch.randn(5, 3), torch.randn(5, 4)
    output = ScaledDotProductAttention.apply(query, key, value)
    torch.testing.assert_close(output, value.mean(0).expand(2, 4))


@pytest.mark.parametrize("kind", ["bool", "float"])
def test_a_query_that_sees_nothing_has_output_and_gradient_zero(kind: str) -> None:
    allowed = torch.tensor([[True, False, True], [False, False, False]])
    mask = allowed if kind == "bool" else torch.where(allowed, 0.5, -torch.inf)

    def run(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        output: Tensor = ScaledDotProductAttention.apply(query, key, value, mask)
        return output

    output, grad_query, grad_key, grad_value = gradients(
        run, torch.randn(2, 4), torch.randn(3, 4), torch.randn(3, 5)
    )
    assert output[1].tolist() == [0] * 5
    assert grad_query[1].tolist() == [0] * 4
    assert grad_key[1].tolist() == [0] * 4
    assert grad_value[1].tolist() == [0] * 5
    inputs = torch.randn(2, 4), torch.randn(3, 4), torch.randn(3, 5)
    hessian = torch.func.hessian(lambda *qkv: run(*qkv).square().sum(), argnums=(0, 1, 2))(*inputs)
    assert all(bool(block.isfinite().all()) for row in hessian for block in row)


def test_causal_attention_does_not_look_ahead() -> None:
    query, key, value = torch.randn(4, 3), torch.randn(4, 3), torch.randn(4, 2)
    before = ScaledDotProductAttention.apply(query, key, value, None, True)
    key[3], value[3] = 100.0, 100.0
    after = ScaledDotProductAttention.apply(query, key, value, None, True)
    assert torch.equal(before[:3], after[:3])
    assert not torch.equal(before[3], after[3])


def test_very_large_scores_choose_one_value_with_finite_gradients() -> None:
    query, key = torch.tensor([[1e4, 0.0]]), torch.tensor([[1e4, 0.0], [-1e4, 0.0]])
    value = torch.tensor([[3.0], [5.0]])
    found = gradients(ScaledDotProductAttention.apply, query, key, value)
    assert found[0].tolist() == [[3]]
    assert all(bool(gradient.isfinite().all()) for gradient in found)


# Cells -------------------------------------------------------------------------------------------


def test_the_cells_take_the_weights_of_the_modules_of_pytorch() -> None:
    x, h, c = torch.randn(5, 3), torch.randn(5, 2), torch.randn(5, 2)
    lstm, gru = torch.nn.LSTMCell(3, 2), torch.nn.GRUCell(3, 2)
    torch.testing.assert_close(LSTMCell.apply(x, h, c, *lstm.parameters()), lstm(x, (h, c)))
    torch.testing.assert_close(GRUCell.apply(x, h, *gru.parameters()), gru(x, h))


def test_a_forgotten_output_of_the_lstm_cell_brings_no_gradient() -> None:
    x, h, c = torch.randn(5, 3), torch.randn(5, 2), torch.randn(5, 2)
    weights = [value.detach() for value in torch.nn.LSTMCell(3, 2).parameters()]

    def state(c: Tensor) -> Tensor:
        return LSTMCell.apply(x, h, c, *weights)[1]

    def expected(c: Tensor) -> Tensor:
        return torch.lstm_cell(x, (h, c), *weights)[1]

    torch.testing.assert_close(gradients(state, c), gradients(expected, c))


def test_saturated_gates_have_gradient_zero_and_no_nan() -> None:
    inputs = torch.full((2, 3), 1e4), torch.ones(2, 2), torch.ones(2, 2)
    weights = torch.randn(8, 3), torch.randn(8, 2)

    def total(*values: Tensor) -> Tensor:
        h, c = LSTMCell.apply(*values)
        return h + c

    assert all(bool(g.isfinite().all()) for g in gradients(total, *inputs, *weights))
    found = gradients(GRUCell.apply, *inputs[:2], weights[0][:6], weights[1][:6])
    assert all(bool(g.isfinite().all()) for g in found)


# Errors ------------------------------------------------------------------------------------------

T = torch.zeros


@pytest.mark.parametrize(
    ("function", "inputs", "error", "message"),
    [
        (
            LayerNorm,
            [T(5, 3), (4,)],
            ShapeError,
            r"LayerNorm: input must have \(4,\) as its last sizes, got \(5, 3\); or change",
        ),
        (
            Flatten,
            [T(2, 3, 5), 2, 1],
            SettingError,
            r"end_dim must not come before start_dim, got start_dim=2 and end_dim=1 for",
        ),
        (
            Flatten,
            [T(2, 3, 5), 1, 3],
            SettingError,
            r"Flatten: end_dim must be a dimension of input, -3 to 2, got 3",
        ),
        (LayerNorm, [T(3), (5, 3)], ShapeError, r"\(5, 3\) as its last sizes, got \(3,\)"),
        (LayerNorm, [T(5, 3), ()], SettingError, r"normalized_shape must name .* got \(\)"),
        (
            LayerNorm,
            [T(5, 3), (3,), T(5)],
            ShapeError,
            r"LayerNorm: weight must have shape \(3,\), got \(5,\)",
        ),
        (LayerNorm, [T(5, 3), (3,), None, T(1, 3)], ShapeError, r"bias must have .* \(1, 3\)"),
        (LayerNorm, [[1.0], (1,)], NotATensorError, "LayerNorm: input must be a tensor, got list"),
        (LayerNorm, [T(5, 3), (3,), 2.0], NotATensorError, "weight must be a tensor, got float"),
        (
            RMSNorm,
            [T(5, 3, dtype=torch.complex64), (3,)],
            SettingError,
            "RMSNorm: input must hold real numbers, got torch.complex64; apply it to input.real",
        ),
        (RMSNorm, [T(5, 3), (3,), T(2)], ShapeError, r"RMSNorm: weight must have shape \(3,\)"),
        (BatchNorm, [T(5)], ShapeError, r"BatchNorm: input must have shape \(N, C, ...\), got"),
        (
            BatchNorm,
            [T(5, 3)],
            SettingError,
            "BatchNorm: without training, running_mean and running_var must be tensors, got None",
        ),
        (BatchNorm, [T(5, 3), T(5), T(3)], ShapeError, r"running_mean must have shape \(3,\)"),
        (
            BatchNorm,
            [T(1, 3, 1), None, None, None, None, True],
            ShapeError,
            r"BatchNorm: input must have more than one entry per channel for training, got \(1, 3",
        ),
        (GroupNorm, [T(5), 1], ShapeError, r"GroupNorm: input must have shape \(N, C, ...\)"),
        (
            GroupNorm,
            [T(5, 3), 2],
            SettingError,
            r"GroupNorm: num_groups must divide the 3 channels of input of shape \(5, 3\), got 2",
        ),
        (GroupNorm, [T(5, 3), 0], SettingError, "got 0"),
        (GroupNorm, [T(5, 4), 2, T(2)], ShapeError, r"weight must have shape \(4,\), got \(2,\)"),
        (
            Embedding,
            [T(5), T(3, 2)],
            SettingError,
            "Embedding: input must hold int64 or int32 indices, got torch.float32; convert it",
        ),
        (Embedding, [T(5).long(), T(3)], ShapeError, r"weight must have shape \(rows, features\)"),
        (
            Embedding,
            [T(5).long(), T(3, 2), 3],
            SettingError,
            "padding_idx must be one of the 3 rows of weight, got 3; give a number from -3 to 2",
        ),
        (Embedding, [T(5).long(), T(3, 2), -4], SettingError, "got -4"),
        (Embedding, [2, T(3, 2)], NotATensorError, "Embedding: input must be a tensor, got int"),
        (Dropout, [T(5), 1.5], SettingError, "Dropout: p must be a probability .*, got 1.5"),
        (Dropout, [T(5), float("nan")], SettingError, "got nan"),
        (
            Dropout,
            [T(5), 0.5, True, None, T(3)],
            ShapeError,
            r"Dropout: mask must have the shape of input, \(5,\), got \(3,\)",
        ),
        (Dropout, [3.0], NotATensorError, "Dropout: input must be a tensor, got float"),
        (
            ScaledDotProductAttention,
            [T(4), T(3, 4), T(3, 4)],
            ShapeError,
            rf"{ATTENTION}: query must have shape \(..., length, features\), got \(4,\)",
        ),
        (
            ScaledDotProductAttention,
            [T(2, 4), T(3, 5), T(3, 4)],
            ShapeError,
            rf"{ATTENTION}: key must have 4 features, as query has, got \(3, 5\)",
        ),
        (
            ScaledDotProductAttention,
            [T(2, 4), T(3, 4), T(2, 4)],
            ShapeError,
            rf"{ATTENTION}: value must have length 3, as key has, got \(2, 4\)",
        ),
        (
            ScaledDotProductAttention,
            [T(5, 2, 4), T(7, 3, 4), T(7, 3, 4)],
            ShapeError,
            rf"{ATTENTION}: key must have leading dimensions that broadcast with those of query",
        ),
        (
            ScaledDotProductAttention,
            [T(2, 4), T(3, 4), T(3, 4), T(3, 2)],
            ShapeError,
            rf"{ATTENTION}: attn_mask must have a shape that broadcasts to \(2, 3\), got \(3, 2\)",
        ),
        (
            ScaledDotProductAttention,
            [T(2, 4), T(3, 4), T(3, 4), T(2, 3).long()],
            SettingError,
            rf"{ATTENTION}: attn_mask must be bool or torch.float32, as query is, got torch.int64",
        ),
        (
            ScaledDotProductAttention,
            [T(2, 4), T(3, 4), T(3, 4), T(2, 3), True],
            SettingError,
            rf"{ATTENTION}: attn_mask must be None where is_causal is True, got both",
        ),
        (
            ScaledDotProductAttention,
            [T(2, 4), T(3, 4), T(3, 4), None, 0.0, True],  # in PyTorch's order
            SettingError,
            rf"{ATTENTION}: is_causal must be True or False, got 0.0; .* by name",
        ),
        (
            LSTMCell,
            [T(5, 3), T(5, 2), T(4, 2), T(8, 3), T(8, 2)],
            ShapeError,
            r"LSTMCell: cx must have shape \(5, 2\), got \(4, 2\); one state per row",
        ),
        (
            LSTMCell,
            [T(5, 3), T(2), T(2), T(8, 3), T(8, 2)],
            ShapeError,
            r"LSTMCell: hx must have 2 dimensions, as input has, got \(2,\)",
        ),
        (
            LSTMCell,
            [T(5, 3), T(5, 2), T(5, 2), T(6, 3), T(8, 2)],
            ShapeError,
            r"w_ih must have shape \(8, 3\), got \(6, 3\); its rows are 4 gates of 2 units",
        ),
        (
            GRUCell,
            [T(5, 3), T(5, 2), T(6, 3), T(6, 3)],
            ShapeError,
            r"GRUCell: w_hh must have shape \(6, 2\), got \(6, 3\); its rows are 3 gates",
        ),
        (
            GRUCell,
            [T(5, 3), T(5, 2), T(6, 3), T(6, 2), T(2)],
            ShapeError,
            r"GRUCell: b_ih must have shape \(6,\), got \(2,\)",
        ),
        (GRUCell, [T(()), T(()), T(6, 3), T(6, 2)], ShapeError, r"GRUCell: input must have shape"),
        (GRUCell, [T(5, 3), None, T(6, 3), T(6, 2)], NotATensorError, "hx must be a tensor, got"),
    ],
)
@pytest.mark.parametrize("way", ["by hand", "apply"])
def test_the_error_names_function_argument_and_what_to_do(
    function: Any, inputs: list[Any], error: type[Exception], message: str, way: str
) -> None:
    with pytest.raises(error, match=message):
        function.apply(*inputs) if way == "apply" else function.forward(Context(), *inputs)
