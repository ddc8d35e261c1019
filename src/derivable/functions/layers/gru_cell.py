"""GRUCell: one step of a gated recurrent unit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from derivable.function import Function
from derivable.function.examples import normal
from derivable.functions.layers._cells import affine_gradients, require_cell


class GRUCell(Function):
    """One step of a gated recurrent unit: from hx to h, reading `input`.

    Forward   (p_r, p_z, p_n) = input w_ih^T + b_ih                        (N, H) each
              (q_r, q_z, q_n) = hx w_hh^T + b_hh                           (N, H) each
              r = sigmoid(p_r + q_r), z = sigmoid(p_z + q_z)               (N, H)
              n = tanh(p_n + r q_n)                                        (N, H)
              h = (1 - z) n + z hx                                         (N, H)
    Backward  with G = grad_output,
              d loss / d p_n = G (1 - z) (1 - n^2) = k                     (N, H)
              d loss / d p_r = d loss / d q_r = k q_n r (1 - r)            (N, H)
              d loss / d p_z = d loss / d q_z = G (hx - n) z (1 - z)       (N, H)
              d loss / d q_n = k r                                         (N, H)
              together P and Q, in the order r, z, n                       (N, 3 H)
              d loss / d input = P w_ih                                    (N, D)
              d loss / d hx    = Q w_hh + G z                              (N, H)
              d loss / d w_ih  = P^T input, d loss / d w_hh = Q^T hx       (3 H, D), (3 H, H)
              d loss / d b_ih, d loss / d b_hh = sums of P, Q over rows    (3 H,)
    Shapes    input (N, D) or (D,), hx (N, H) or (H,), w_ih (3 H, D), w_hh (3 H, H),
              b_ih and b_hh (3 H,) or None -> the shape of hx
    Kinks     none
    Saves     input, hx, w_ih, w_hh, r, z, n, q_n
    Raises    ShapeError if the shapes do not fit together; SettingError for complex numbers;
              NotATensorError
    Source    the chain rule along h <- (z, n, hx) and n <- (p_n, r, q_n), with the slopes
              s (1 - s) of the sigmoid and 1 - t^2 of tanh; then the affine maps, as in Linear.
              P and Q differ in the third gate, because r multiplies q_n only. Order of the gates
              and layout of the weights are those of torch.nn.GRUCell.
    """

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        hx: Tensor,
        w_ih: Tensor,
        w_hh: Tensor,
        b_ih: Tensor | None = None,
        b_hh: Tensor | None = None,
    ) -> Tensor:
        require_cell("GRUCell", 3, input, {"hx": hx}, w_ih, w_hh, b_ih, b_hh)
        p_r, p_z, p_n = linear(input, w_ih, b_ih).chunk(3, -1)  # (N, H) each
        q_r, q_z, q_n = linear(hx, w_hh, b_hh).chunk(3, -1)  # (N, H) each
        r, z = torch.sigmoid(p_r + q_r), torch.sigmoid(p_z + q_z)  # (N, H) each
        n = torch.tanh(p_n + r * q_n)  # (N, H)
        ctx.save_for_backward(input, hx, w_ih, w_hh, r, z, n, q_n)
        return (1 - z) * n + z * hx  # (N, H)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        input, hx, w_ih, w_hh, r, z, n, q_n = ctx.saved_tensors
        grad_n = grad_output * (1 - z) * (1 - n * n)  # (N, H)
        grad_r = grad_n * q_n * r * (1 - r)  # (N, H)
        grad_z = grad_output * (hx - n) * z * (1 - z)  # (N, H)
        p = torch.cat([grad_r, grad_z, grad_n], -1)  # (N, 3 H)
        q = torch.cat([grad_r, grad_z, grad_n * r], -1)  # (N, 3 H)
        grad_input, grad_w_ih, grad_b_ih = affine_gradients(p, input, w_ih)
        through_state, grad_w_hh, grad_b_hh = affine_gradients(q, hx, w_hh)
        grad_hx = through_state + grad_output * z  # (N, H)
        *_, wants_b_ih, wants_b_hh = ctx.needs_input_grad
        return (
            grad_input,
            grad_hx,
            grad_w_ih,
            grad_w_hh,
            grad_b_ih if wants_b_ih else None,
            grad_b_hh if wants_b_hh else None,
        )

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        input, hx, w_ih, w_hh = normal(5, 3), normal(5, 2), normal(6, 3), normal(6, 2)
        return [(input, hx, w_ih, w_hh, normal(6), normal(6))]
