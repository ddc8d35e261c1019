"""The same loss and gradient with the table turned on its side, in place: PyTorch without waste.

It is the rule of `by_hand.py` with nothing changed but the memory. Features lie along rows and
the examples along columns, so that the long dimension is the contiguous one and the matrix
products are short and wide; and nothing of the table's length is allocated after the first line,
because the hidden units are overwritten by their slopes and the error by its gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from derivable.errors import SettingError
from derivable.function import Function
from derivable.functions import ReLU, Tanh
from derivable.network import Network, unflatten
from derivable.objective.base import Objective, steps_per_block
from derivable.objective.by_hand import ByHand
from derivable.objective.mlp import Mlp


class InPlace(NamedTuple):
    """An activation on buffers that it may overwrite; both rules are those of its Function."""

    forward_: Callable[[Tensor], object]  # (x): x becomes output
    backward_: Callable[[Tensor, Tensor], object]  # (output, grad): grad becomes grad_x


IN_PLACE = {
    # tanh x = 2 sigmoid(2x) - 1, because PyTorch's sigmoid is two to four times faster than its
    # tanh; the price is an absolute error of one float32 rounding of 1, also where x is tiny.
    Tanh: InPlace(
        lambda x: x.mul_(2).sigmoid_().mul_(2).sub_(1),
        lambda output, grad: grad.addcmul_(grad, output.square_(), value=-1),
    ),
    ReLU: InPlace(
        lambda x: x.relu_(),
        lambda output, grad: grad.mul_(output.sign_()),
    ),
}


class FeaturesMajor(Objective):
    """MSE of a multi-layer perceptron on x (N, D), y (N, K), summed over the K columns.

    Supports Linear layers with activations of `IN_PLACE` between them.
    Raises SettingError for any other network or loss.
    """

    name = "features-major"

    @staticmethod
    def supports(network: Network, loss: type[Function]) -> bool:
        """Whether it can stand for this network and loss."""
        mlp = Mlp.of(network, loss)
        return mlp is not None and all(activation in IN_PLACE for activation in mlp.activations)

    def __init__(self, network: Network, loss: type[Function], x: Tensor, y: Tensor) -> None:
        mlp = Mlp.require(network, loss, self.name)
        if not self.supports(network, loss):
            raise SettingError(
                f"the {self.name} objective knows the activations "
                f"{' and '.join(function.__name__ for function in IN_PLACE)}; the objective by "
                "hand runs any network"
            )
        self.dtype, self.block = x.dtype, steps_per_block(len(x))
        self._by_hand = ByHand(network, loss, x, y)
        self.activations = [IN_PLACE[activation] for activation in mlp.activations]
        self.shapes = [p.shape for p in network.parameters()]
        self.x = x.t().contiguous()  # (D, N)
        self.y = y.t().contiguous()  # (K, N)
        self.hidden = [x.new_empty(width, x.size(0)) for width in mlp.sizes[1:-1]]  # (H, N) each
        self.grad_hidden = [torch.empty_like(units) for units in self.hidden]
        self.error = torch.empty_like(self.y)  # (K, N)
        self.gradient = torch.empty_like(network.theta)  # (P,)
        self.gradients = unflatten(self.gradient, self.shapes)  # views into it

    def value_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The loss () and its gradient (P,) at `theta` (P,); the gradient is a reused buffer."""
        parameters = unflatten(theta, self.shapes)
        weights, biases = parameters[::2], parameters[1::2]
        loss = self._forward(weights, biases)
        self._backward(weights)
        return loss, self.gradient

    def curvature(self, theta: Tensor, direction: Tensor) -> Tensor:
        """The Hessian (P, P) at `theta` (P,) times `direction` (P,), by autograd."""
        return self._by_hand.curvature(theta, direction)

    def _forward(self, weights: tuple[Tensor, ...], biases: tuple[Tensor, ...]) -> Tensor:
        """Fill the hidden units and the error; return the loss."""
        units = self.x  # (D, N)
        outputs = [*self.hidden, self.error]
        for i, (w, b, output) in enumerate(zip(weights, biases, outputs, strict=True)):
            torch.addmm(b.view(-1, 1), w.t(), units, out=output)  # (H, N)
            if i < len(self.activations):
                self.activations[i].forward_(output)
            units = output
        self.error -= self.y
        flat = self.error.view(-1)
        return torch.dot(flat, flat) / self.y.size(1)

    def _backward(self, weights: tuple[Tensor, ...]) -> None:
        """Fill the gradient from the error; consumes the error and the hidden units."""
        grad = self.error.mul_(2 / self.y.size(1))  # (K, N)
        for i in reversed(range(len(weights))):
            units = self.hidden[i - 1] if i else self.x
            torch.mm(units, grad.t(), out=self.gradients[2 * i])  # (D, H)
            torch.sum(grad, 1, out=self.gradients[2 * i + 1])  # (H,)
            if i:
                grad = torch.mm(weights[i], grad, out=self.grad_hidden[i - 1])  # (H, N)
                self.activations[i - 1].backward_(units, grad)
