"""The objective by hand: Functions and Contexts, as on the blackboard. The plain reference."""

from __future__ import annotations

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.context import Context
from derivable.network import Network, flatten


class ByHand:
    """Loss and gradient of `network` on the table x (N, D), y (N, K), through Contexts.

    A loss of several numbers, such as MSE with one per output column, is summed: the descended
    loss is their sum, and the incoming gradient of each of them is 1.
    """

    name = "by hand"

    def __init__(self, network: Network, loss: type[Function], x: Tensor, y: Tensor) -> None:
        self.network, self.loss, self.x, self.y = network, loss, x, y

    def value_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The loss () and its gradient (P,) at `theta` (P,)."""
        ctx = Context()
        parameters = self.network.unflatten(theta)
        yhat, contexts = self.network.forward_by_hand(self.x, parameters)
        loss = self.loss.forward(ctx, yhat, self.y)  # (K,) or ()
        grad_yhat, *_ = self.loss.backward(ctx, torch.ones_like(loss))
        gradients = self.network.backward_by_hand(contexts, grad_yhat)
        return loss.sum(), flatten(gradients)
