"""Cases of the larger pieces of networks, but for convolution and pooling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from derivable import Function
from derivable.function.signature import Signature
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
from tests.cases.case import Case, Make


def _batch_norm(
    input: Tensor,
    mean: Tensor | None = None,
    var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """F.batch_norm, which cannot differentiate the running statistics, and updates them."""
    if training:
        return F.batch_norm(input, None, None, weight, bias, True, momentum, eps)
    assert mean is not None
    assert var is not None
    ones, shape = torch.ones_like(var), (1, -1, *[1] * (input.ndim - 2))
    scaled = (input - mean.view(shape)) / (var + eps).sqrt().view(shape)
    return F.batch_norm(scaled, torch.zeros_like(mean), ones, weight, bias, False, 0.0, 0.0)


def _group_norm_by_bias(
    input: Tensor, groups: int, weight: None, bias: Tensor, eps: float
) -> Tensor:
    """torch.group_norm, whose backward fails with a bias and no weight."""
    return torch.group_norm(input, groups, torch.ones_like(bias), bias, eps)


def _dropout(input: Tensor, p: float, training: bool, generator: None, mask: Tensor) -> Tensor:
    return input * mask / (1 - p) if training else input


def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    # The plain implementation: the fused ones have no second derivative.
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        return F.scaled_dot_product_attention(
            query, key, value, attn_mask, is_causal=is_causal, scale=scale
        )


def _seen(make: Make, *shape: int) -> Tensor:
    """A bool mask that lets every query see the first key."""
    mask = make(*shape) > 0
    mask[..., 0] = True
    return mask


def _blind(mask: Tensor, row: int = 1) -> Tensor:
    """The mask with one row that sees nothing."""
    mask[..., row, :] = False if mask.dtype == torch.bool else -torch.inf
    return mask


def _lstm_cell(input: Tensor, hx: Tensor, cx: Tensor, *weights: Any) -> Any:
    if input.ndim == 2:
        return torch.lstm_cell(input, (hx, cx), *weights)
    found = torch.lstm_cell(input[None], (hx[None], cx[None]), *weights)
    return found[0][0], found[1][0]


def _gru_cell(input: Tensor, hx: Tensor, *weights: Any) -> Tensor:
    if input.ndim == 2:
        return torch.gru_cell(input, hx, *weights)
    return torch.gru_cell(input[None], hx[None], *weights)[0]


def _case(
    function: type[Function],
    inputs: Callable[[Make], Sequence[Any]],
    reference: Callable[..., Any],
    label: str = "",
) -> Case:
    """A case whose `inputs` may leave out the last ones: they get their defaults."""
    signature = Signature(function.__name__, function.forward)
    return Case(function, lambda make: signature.bind(tuple(inputs(make)), {}), reference, label)


LAYERS: list[Case] = [
    _case(LayerNorm, lambda make: [make(5, 3), (3,), make(3), make(3)], F.layer_norm),
    _case(LayerNorm, lambda make: [make(5, 3), (3,)], F.layer_norm, "plain"),
    _case(LayerNorm, lambda make: [make(5, 3), [3], make(3)], F.layer_norm, "weight-only"),
    _case(LayerNorm, lambda make: [make(5, 3), (3,), None, make(3)], F.layer_norm, "bias-only"),
    _case(
        LayerNorm,
        lambda make: [make(2, 5, 3, 7), (3, 7), make(3, 7), make(3, 7), 0.1],
        F.layer_norm,
        "two-sizes",
    ),
    _case(LayerNorm, lambda make: [make(7), (7,), make(7), make(7)], F.layer_norm, "one-row"),
    _case(LayerNorm, lambda make: [make(5, 1), (1,), make(1), make(1)], F.layer_norm, "size-1"),
    _case(LayerNorm, lambda make: [make(0, 3), (3,), make(3), make(3)], F.layer_norm, "empty"),
    _case(LayerNorm, lambda make: [make(3, 0), (0,), make(0), make(0)], F.layer_norm, "empty-rows"),
    _case(RMSNorm, lambda make: [make(5, 3), (3,), make(3), 1e-5], F.rms_norm),
    _case(RMSNorm, lambda make: [make(5, 3), (3,)], F.rms_norm, "plain"),
    _case(RMSNorm, lambda make: [make(2, 5, 3, 7), (3, 7), make(3, 7)], F.rms_norm, "two-sizes"),
    _case(RMSNorm, lambda make: [make(7), (7,), make(7), 0.1], F.rms_norm, "one-row"),
    _case(RMSNorm, lambda make: [make(5, 1), (1,), make(1)], F.rms_norm, "size-1"),
    _case(RMSNorm, lambda make: [make(0, 3), (3,), make(3)], F.rms_norm, "empty"),
    _case(
        BatchNorm,
        lambda make: [make(5, 2, 3), None, None, make(2), make(2), True],
        _batch_norm,
    ),
    _case(BatchNorm, lambda make: [make(5, 3), None, None, None, None, True], _batch_norm, "plain"),
    _case(
        BatchNorm,
        lambda make: [make(5, 3), make(3), make.positive(3), make(3), make(3), True, 0.3, 0.1],
        _batch_norm,
        "unused-statistics",
    ),
    _case(
        BatchNorm,
        lambda make: [make(2, 3, 5, 7), None, None, make(3), None, True],
        _batch_norm,
        "images",
    ),
    _case(
        BatchNorm,
        lambda make: [make(5, 2, 3), make(2), make.positive(2), make(2), make(2)],
        _batch_norm,
        "eval",
    ),
    _case(
        BatchNorm, lambda make: [make(5, 2), make(2), make.positive(2)], _batch_norm, "eval-plain"
    ),
    _case(
        BatchNorm,
        lambda make: [make(1, 2), make(2), make.positive(2), None, make(2)],
        _batch_norm,
        "eval-one-row",
    ),
    _case(
        BatchNorm,
        lambda make: [make(0, 2), make(2), make.positive(2), make(2), make(2)],
        _batch_norm,
        "eval-empty",
    ),
    _case(GroupNorm, lambda make: [make(3, 4, 2), 2, make(4), make(4)], torch.group_norm),
    _case(GroupNorm, lambda make: [make(5, 6), 3], torch.group_norm, "plain"),
    _case(GroupNorm, lambda make: [make(5, 6, 2, 3), 1, make(6)], torch.group_norm, "one-group"),
    _case(
        GroupNorm,
        lambda make: [make(5, 6, 7), 6, None, make(6), 0.1],
        _group_norm_by_bias,
        "group-each",
    ),
    _case(GroupNorm, lambda make: [make(5, 2), 2, make(2), make(2)], torch.group_norm, "size-1"),
    _case(GroupNorm, lambda make: [make(0, 4, 3), 2, make(4), make(4)], torch.group_norm, "empty"),
    _case(Embedding, lambda make: [make.integers(7, 5), make(7, 3)], F.embedding),
    _case(Embedding, lambda make: [make.integers(5, 2, 7), make(5, 3), 1], F.embedding, "padding"),
    _case(
        Embedding,
        lambda make: [make.integers(5, 2, 7).int(), make(5, 3), -2],
        F.embedding,
        "padding-from-the-end",
    ),
    _case(Embedding, lambda make: [make.integers(5), make(5, 3)], F.embedding, "0d"),
    _case(Embedding, lambda make: [make.integers(5, 0), make(5, 3)], F.embedding, "empty"),
    _case(Embedding, lambda make: [make.integers(1, 3), make(1, 1)], F.embedding, "size-1"),
    _case(Dropout, lambda make: [make(5, 3), 0.3, True, None, make(5, 3) > -0.5], _dropout),
    _case(
        Dropout, lambda make: [make(5), 0.3, True, None, make.integers(2, 5)], _dropout, "integers"
    ),
    _case(Dropout, lambda make: [make(5), 0.3, False, None, make(5) > 0], _dropout, "eval"),
    _case(Dropout, lambda make: [make(5), 0.0, True, None, make(5) > 0], _dropout, "p=0"),
    _case(Dropout, lambda make: [make(), 0.3, True, None, make() < 9], _dropout, "0d"),
    _case(Dropout, lambda make: [make(0, 3), 0.3, True, None, make(0, 3) > 0], _dropout, "empty"),
    _case(
        ScaledDotProductAttention,
        lambda make: [make(3, 2), make(5, 2), make(5, 3), make(3, 5)],
        _attention,
    ),
    _case(
        ScaledDotProductAttention,
        lambda make: [make(2, 3, 5, 7), make(2, 3, 11, 7), make(2, 3, 11, 4)],
        _attention,
        "heads",
    ),
    _case(
        ScaledDotProductAttention,
        lambda make: [make(2, 3, 5), make(2, 7, 5), make(2, 7, 5), None, True],
        _attention,
        "causal",
    ),
    _case(
        ScaledDotProductAttention,
        lambda make: [make(2, 7, 5), make(2, 3, 5), make(2, 3, 5), None, True, 0.3],
        _attention,
        "causal-tall-scaled",
    ),
    _case(
        ScaledDotProductAttention,
        lambda make: [make(2, 3, 5), make(2, 7, 5), make(2, 7, 5), _seen(make, 3, 7)],
        _attention,
        "bool-mask",
    ),
    _case(
        ScaledDotProductAttention,
        lambda make: [make(2, 3, 5), make(2, 7, 5), make(2, 7, 5), _seen(make, 2, 1, 7)],
        _attention,
        "padding-mask",
    ),
    _case(
        ScaledDotProductAttention,
        lambda make: [make(2, 3, 5), make(2, 7, 5), make(2, 7, 5), _blind(_seen(make, 3, 7))],
        _attention,
        "blind-row",
    ),
    _case(
        ScaledDotProductAttention,
        lambda make: [make(2, 3, 5), make(2, 7, 5), make(2, 7, 5), _blind(make(2, 3, 7))],
        _attention,
        "blind-row-float",
    ),
    _case(
        ScaledDotProductAttention,
        lambda make: [make(2, 3, 5), make(1, 7, 5), make(7, 4), make(3, 1)],
        _attention,
        "broadcast",
    ),
    _case(
        ScaledDotProductAttention,
        lambda make: [make(2, 1, 1), make(2, 1, 1), make(2, 1, 1)],
        _attention,
        "size-1",
    ),
    _case(
        ScaledDotProductAttention,
        lambda make: [make(2, 0, 3), make(2, 5, 3), make(2, 5, 3)],
        _attention,
        "no-queries",
    ),
    _case(
        ScaledDotProductAttention,
        lambda make: [make(2, 3, 5), make(2, 0, 5), make(2, 0, 5)],
        _attention,
        "no-keys",
    ),
    _case(
        LSTMCell,
        lambda make: [make(3, 2), make(3, 2), make(3, 2), make(8, 2), make(8, 2), make(8), make(8)],
        _lstm_cell,
    ),
    _case(
        LSTMCell,
        lambda make: [make(5, 3), make(5, 2), make(5, 2), make(8, 3), make(8, 2)],
        _lstm_cell,
        "no-biases",
    ),
    _case(
        LSTMCell,
        lambda make: [make(3), make(2), make(2), make(8, 3), make(8, 2), None, make(8)],
        _lstm_cell,
        "one-row-one-bias",
    ),
    _case(
        LSTMCell,
        lambda make: [make(0, 3), make(0, 2), make(0, 2), make(8, 3), make(8, 2), make(8), make(8)],
        _lstm_cell,
        "empty",
    ),
    _case(
        LSTMCell,
        lambda make: [make(1, 1), make(1, 1), make(1, 1), make(4, 1), make(4, 1), make(4), make(4)],
        _lstm_cell,
        "size-1",
    ),
    _case(Flatten, lambda make: [make(5, 3, 2), 1, -1], torch.flatten),
    _case(Flatten, lambda make: [make(5, 3, 2, 7), -3, 2], torch.flatten, "middle"),
    _case(Flatten, lambda make: [make(5, 3), 0, 1], torch.flatten, "all"),
    _case(Flatten, lambda make: [make(5), 0, 0], torch.flatten, "one-dimension"),
    _case(Flatten, lambda make: [make(0, 3, 2), 1, 2], torch.flatten, "empty"),
    _case(
        GRUCell,
        lambda make: [make(3, 2), make(3, 2), make(6, 2), make(6, 2), make(6), make(6)],
        _gru_cell,
    ),
    _case(
        GRUCell,
        lambda make: [make(5, 3), make(5, 2), make(6, 3), make(6, 2)],
        _gru_cell,
        "no-biases",
    ),
    _case(
        GRUCell,
        lambda make: [make(3), make(2), make(6, 3), make(6, 2), make(6)],
        _gru_cell,
        "one-row-one-bias",
    ),
    _case(
        GRUCell,
        lambda make: [make(0, 3), make(0, 2), make(6, 3), make(6, 2), make(6), make(6)],
        _gru_cell,
        "empty",
    ),
    _case(
        GRUCell,
        lambda make: [make(1, 1), make(1, 1), make(3, 1), make(3, 1), make(3), make(3)],
        _gru_cell,
        "size-1",
    ),
]
