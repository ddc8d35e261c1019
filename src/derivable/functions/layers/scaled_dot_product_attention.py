"""ScaledDotProductAttention: values averaged by how well their keys match a query."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from derivable.errors import SettingError
from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.layers._checks import require_real
from derivable.functions.messages import say
from derivable.shapes import require_tensors, shape_error


class ScaledDotProductAttention(Function):
    """For every query, the average of the values, weighted by softmax(query . key * scale).

    Forward   s = scale query key^T + mask                                 (..., L, S)
              W = softmax of s over the keys                               (..., L, S)
              output = W value                                             (..., L, V)
    Backward  with G = grad_output and the row sums t_l = sum_v G_lv output_lv,
              d loss / d s     = W * (G value^T - t)                       (..., L, S)
              d loss / d query = scale (d loss / d s) key                  (..., L, E)
              d loss / d key   = scale (d loss / d s)^T query              (..., S, E)
              d loss / d value = W^T G                                     (..., S, V)
              d loss / d mask  = d loss / d s, for a float mask            (..., L, S)
              each summed over the dimensions in which its input was repeated
    Shapes    query (..., L, E), key (..., S, E), value (..., S, V), attn_mask broadcast to
              (..., L, S) or None -> (..., L, V)
    Kinks     none
    Saves     query, key, value, attn_mask, W, output
    Raises    ShapeError if the shapes do not fit; SettingError if attn_mask is given with
              is_causal, if is_causal is not bool, or for complex numbers; NotATensorError
    Source    d W_ls / d s_lk = W_ls (delta_sk - W_lk), so with H = d loss / d W = G value^T,
              d loss / d s_lk = W_lk (H_lk - sum_s H_ls W_ls), and the sum is
              sum_v G_lv sum_s W_ls value_sv = t_l: no pass over (L, S) is needed for it.

    scale=None is 1 / sqrt(E). A bool mask is True where a key may be seen, a float mask is added
    to s. is_causal lets query l see the keys 0 to l. A query that may see no key at all has
    output 0 and gradient 0, as in PyTorch. There is no dropout_p: apply Dropout around it.
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        is_causal: bool = False,
        scale: float | None = None,
    ) -> Tensor:
        _check(query, key, value, attn_mask, is_causal)
        ctx.scale = 1 / math.sqrt(max(query.size(-1), 1)) if scale is None else scale
        scores = (query * ctx.scale) @ key.mT  # (..., L, S)
        if is_causal:
            later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=query.device).triu(1)
            scores = scores.masked_fill(later, -torch.inf)  # (..., L, S)
        if attn_mask is None:
            weights = torch.softmax(scores, -1)  # (..., L, S)
        else:
            weights = _masked_softmax(scores, attn_mask)  # (..., L, S)
        output = weights @ value  # (..., L, V)
        ctx.save_for_backward(query, key, value, attn_mask, weights, output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, mask, weights, output = ctx.saved_tensors
        total = (grad_output * output).sum(-1, keepdim=True)  # (..., L, 1)
        grad_scores = weights * (grad_output @ value.mT - total)  # (..., L, S)
        grad_query = (grad_scores @ key) * ctx.scale  # (..., L, E)
        grad_key = grad_scores.mT @ (query * ctx.scale)  # (..., S, E)
        grad_value = weights.mT @ grad_output  # (..., S, V)
        wants_mask = ctx.needs_input_grad[3] and mask.is_floating_point()
        return (
            grad_query.sum_to_size(query.shape),
            grad_key.sum_to_size(key.shape),
            grad_value.sum_to_size(value.shape),
            grad_scores.sum_to_size(mask.shape) if wants_mask else None,
            None,
            None,
        )

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [
            (normal(3, 2), normal(5, 2), normal(5, 4), normal(3, 5)),
            (normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 3), None, True),
        ]


def _masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax over the keys that `mask` allows; zeros where it allows none."""
    is_bool = mask.dtype == torch.bool
    allowed = mask if is_bool else mask > -torch.inf  # (..., L, S)
    blind = ~allowed.any(-1, keepdim=True)  # (..., L, 1)
    # A blind row is opened before softmax, which would make NaN of it, and emptied after.
    if is_bool:
        scores = scores.masked_fill(~(allowed | blind), -torch.inf)  # (..., L, S)
    else:
        scores = scores + mask.masked_fill(blind, 0.0)  # (..., L, S)
    return torch.softmax(scores, -1).masked_fill(blind, 0.0)  # (..., L, S)


def _check(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None, is_causal: bool
) -> None:
    name = "ScaledDotProductAttention"
    require_tensors(name, query=query, key=key, value=value)
    if not isinstance(is_causal, bool):
        raise SettingError(say("is_causal", function=name, got=is_causal))
    require_real(name, query=query, key=key, value=value, attn_mask=attn_mask)
    for argument, tensor in (("query", query), ("key", key), ("value", value)):
        if tensor.ndim < 2:
            raise shape_error(name, argument, say("sequences"), tensor, say("add_one"))
    if key.size(-1) != query.size(-1):
        raise shape_error(
            name, "key", say("features_of_query", count=query.size(-1)), key, say("multiplied")
        )
    if value.size(-2) != key.size(-2):
        raise shape_error(
            name, "value", say("length_of_key", length=key.size(-2)), value, say("value_per_key")
        )
    try:
        leading = torch.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    except RuntimeError:
        ours, theirs = tuple(query.shape), tuple(value.shape)
        wanted = say("leading_dimensions", query=ours, value=theirs)
        raise shape_error(name, "key", wanted, key, say("equal_or_one")) from None
    if attn_mask is not None:
        _check_mask(attn_mask, (*leading, query.size(-2), key.size(-2)), query.dtype, is_causal)


def _check_mask(mask: Tensor, scores: tuple[int, ...], dtype: torch.dtype, is_causal: bool) -> None:
    name = "ScaledDotProductAttention"
    if is_causal:
        raise SettingError(say("two_masks", function=name))
    if mask.dtype not in {torch.bool, dtype}:
        raise SettingError(say("mask_dtype", function=name, dtype=dtype, got=mask.dtype))
    sizes = zip(reversed(mask.shape), reversed(scores), strict=False)
    if not 0 < mask.ndim <= len(scores) or any(m not in {1, s} for m, s in sizes):
        raise shape_error(
            name,
            "attn_mask",
            say("broadcasts_to", shape=scores),
            mask,
            say("mask_layout"),
        )
