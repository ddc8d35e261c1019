"""LSTMCell: one step of a long short-term memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.layers._cells import affine_gradients, require_cell


class LSTMCell(Function):
    """One step of a long short-term memory: from (hx, cx) to (h, c), reading `input`.

    Forward   (a_i, a_f, a_g, a_o) = input w_ih^T + b_ih + hx w_hh^T + b_hh    (N, H) each
              i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o); g = tanh(a_g)
              c = f cx + i g                                                   (N, H)
              h = o tanh(c)                                                    (N, H)
    Backward  with the gradients dh and dc of the outputs, and u = tanh(c),
              e = dc + dh o (1 - u^2), all that reaches c                      (N, H)
              d loss / d a_i = e g i (1 - i)     d loss / d a_f = e cx f (1 - f)
              d loss / d a_g = e i (1 - g^2)     d loss / d a_o = dh u o (1 - o)
              together A, in this order                                        (N, 4 H)
              d loss / d input = A w_ih                                        (N, D)
              d loss / d hx    = A w_hh                                        (N, H)
              d loss / d cx    = e f                                           (N, H)
              d loss / d w_ih  = A^T input, d loss / d w_hh = A^T hx           (4 H, D), (4 H, H)
              d loss / d b_ih  = d loss / d b_hh = sum of A over the rows      (4 H,)
    Shapes    input (N, D) or (D,), hx and cx (N, H) or (H,), w_ih (4 H, D), w_hh (4 H, H),
              b_ih and b_hh (4 H,) or None -> h and c, each of the shape of hx
    Kinks     none
    Saves     input, hx, cx, w_ih, w_hh, i, f, g, o, c
    Raises    ShapeError if the shapes do not fit together; SettingError for complex numbers;
              NotATensorError
    Source    the chain rule along h <- (o, c) and c <- (f, cx, i, g), with the slopes s (1 - s)
              of the sigmoid and 1 - t^2 of tanh; then the affine map, as in Linear. Order of the
              gates and layout of the weights are those of torch.nn.LSTMCell.
    """

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        hx: Tensor,
        cx: Tensor,
        w_ih: Tensor,
        w_hh: Tensor,
        b_ih: Tensor | None = None,
        b_hh: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        require_cell("LSTMCell", 4, input, {"hx": hx, "cx": cx}, w_ih, w_hh, b_ih, b_hh)
        gates = linear(input, w_ih, b_ih) + linear(hx, w_hh, b_hh)  # (N, 4 H)
        a_i, a_f, a_g, a_o = gates.chunk(4, -1)  # (N, H) each
        i, f, o = torch.sigmoid(a_i), torch.sigmoid(a_f), torch.sigmoid(a_o)  # (N, H) each
        g = torch.tanh(a_g)  # (N, H)
        c = f * cx + i * g  # (N, H)
        ctx.save_for_backward(input, hx, cx, w_ih, w_hh, i, f, g, o, c)
        return o * torch.tanh(c), c  # (N, H) each

    @staticmethod
    def backward(ctx: Any, grad_h: Tensor, grad_c: Tensor) -> tuple[Tensor | None, ...]:
        input, hx, cx, w_ih, w_hh, i, f, g, o, c = ctx.saved_tensors
        u = torch.tanh(c)  # (N, H)
        e = grad_c + grad_h * o * (1 - u * u)  # (N, H)
        grads = [
            e * g * i * (1 - i),
            e * cx * f * (1 - f),
            e * i * (1 - g * g),
            grad_h * u * o * (1 - o),
        ]
        a = torch.cat(grads, -1)  # (N, 4 H)
        grad_input, grad_w_ih, grad_b = affine_gradients(a, input, w_ih)
        grad_hx, grad_w_hh, _ = affine_gradients(a, hx, w_hh)
        *_, wants_b_ih, wants_b_hh = ctx.needs_input_grad
        grad_b_ih, grad_b_hh = grad_b if wants_b_ih else None, grad_b if wants_b_hh else None
        return grad_input, grad_hx, e * f, grad_w_ih, grad_w_hh, grad_b_ih, grad_b_hh

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        input, hx, cx = normal(5, 3), normal(5, 2), normal(5, 2)
        return [(input, hx, cx, normal(8, 3), normal(8, 2), normal(8), normal(8))]
