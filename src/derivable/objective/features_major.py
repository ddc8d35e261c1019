"""The same loss and gradient with the table turned on its side, in place: PyTorch without waste.

It is the rule of `by_hand.py` with nothing changed but the memory. Features lie along rows and
the examples along columns, so that the long dimension is the contiguous one and the matrix
products are short and wide; and nothing of the table's length is allocated after the first line,
because the hidden units are overwritten by their slopes and the prediction by its gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from derivable.formula import Refusal, Scale
from derivable.function import Function
from derivable.functions import MSE, ReLU, Tanh
from derivable.functions.losses import CrossEntropy
from derivable.loss import Loss
from derivable.messages import joined
from derivable.network import unflatten
from derivable.objective.base import Objective
from derivable.objective.by_hand import ByHand
from derivable.objective.messages import say
from derivable.objective.mlp import Mlp, no_mlp
from derivable.problem import Problem
from derivable.row_losses import class_shares, scale_of


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


def _squares(yhat: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
    """MSE (), summed over the outputs; yhat (K, N) becomes its gradient."""
    error = yhat.sub_(y)
    grad = error if weight is None else error * weight
    loss = torch.dot(grad.view(-1), error.view(-1)) / y.size(1)
    torch.mul(grad, 2 / y.size(1), out=error)
    return loss


def _cross_entropy(yhat: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
    """CrossEntropy () of probabilities y; yhat (K, N) becomes its gradient."""
    log_p = yhat.sub_(yhat.logsumexp(0))
    wanted = y if weight is None else y * weight
    loss = -torch.dot(wanted.view(-1), log_p.view(-1)) / y.size(1)
    log_p.exp_().mul_(wanted.sum(0)).sub_(wanted).div_(y.size(1))
    return loss


LOSSES: dict[type[Function], Callable[..., Tensor]] = {MSE: _squares, CrossEntropy: _cross_entropy}


class FeaturesMajor(Objective):
    """MSE or CrossEntropy of a multi-layer perceptron on x (N, D), y (N, K), over all K columns.

    Supports Linear layers with activations of `IN_PLACE` between them. Labels of CrossEntropy
    become probabilities, N K numbers.
    """

    name = "features-major"

    @classmethod
    def refusal(cls, problem: Problem) -> str:
        """Why it cannot have this problem; empty where it can."""
        mlp = Mlp.of(problem, tuple(LOSSES))
        if mlp is None:
            return no_mlp(cls.name, tuple(LOSSES))
        scale = scale_of(problem.loss)
        if scale is not Scale.ROWS:
            why = scale.text if isinstance(scale, Refusal) else say("mean_over_rows")
            return say("no_such_loss", name=cls.name, loss=Loss.of(problem.loss).name, why=why)
        if not all(activation.function in IN_PLACE for activation in mlp.activations):
            known = joined((function.__name__ for function in IN_PLACE), say("and"))
            return say("known_activations", name=cls.name, known=known)
        return ""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        mlp = Mlp.of(problem, tuple(LOSSES))
        assert mlp is not None  # `refusal` has checked it
        x, y, network = problem.x, problem.y, problem.network
        self._by_hand = ByHand(problem)
        loss = Loss.of(problem.loss).function
        self.loss_ = LOSSES[loss]
        self.weight = problem.weight  # (N,)
        self.activations = [IN_PLACE[activation.function] for activation in mlp.activations]
        self.shapes = [p.shape for p in network.parameters()]
        self.x = x.t().contiguous()  # (D, N)
        if loss is CrossEntropy:
            y = class_shares(problem.loss, y, x, mlp.sizes[-1])  # (N, K)
        self.y = y.t().contiguous()  # (K, N)
        self.hidden = [x.new_empty(width, x.size(0)) for width in mlp.sizes[1:-1]]  # (H, N) each
        self.grad_hidden = [torch.empty_like(units) for units in self.hidden]
        self.yhat = torch.empty_like(self.y)  # (K, N)
        self.gradient = torch.empty_like(network.theta)  # (P,)
        self.gradients = unflatten(self.gradient, self.shapes)  # views into it

    def data_value_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The loss () and its gradient (P,) at `theta` (P,); the gradient is a reused buffer."""
        parameters = unflatten(theta, self.shapes)
        weights, biases = parameters[::2], parameters[1::2]
        self._forward(weights, biases)
        loss = self.loss_(self.yhat, self.y, self.weight)
        self._backward(weights)
        return loss, self.gradient

    def data_hvp(self, theta: Tensor, direction: Tensor) -> Tensor:
        """The Hessian (P, P) at `theta` (P,) times `direction` (P,), by autograd."""
        return self._by_hand.data_hvp(theta, direction)

    def _forward(self, weights: tuple[Tensor, ...], biases: tuple[Tensor, ...]) -> None:
        """Fill the hidden units and the prediction."""
        units = self.x  # (D, N)
        outputs = [*self.hidden, self.yhat]
        for i, (w, b, output) in enumerate(zip(weights, biases, outputs, strict=True)):
            torch.addmm(b.view(-1, 1), w.t(), units, out=output)  # (H, N)
            if i < len(self.activations):
                self.activations[i].forward_(output)
            units = output

    def _backward(self, weights: tuple[Tensor, ...]) -> None:
        """Fill the gradient from that of the prediction; consumes it and the hidden units."""
        grad = self.yhat  # (K, N)
        for i in reversed(range(len(weights))):
            units = self.hidden[i - 1] if i else self.x
            torch.mm(units, grad.t(), out=self.gradients[2 * i])  # (D, H)
            torch.sum(grad, 1, out=self.gradients[2 * i + 1])  # (H,)
            if i:
                grad = torch.mm(weights[i], grad, out=self.grad_hidden[i - 1])  # (H, N)
                self.activations[i - 1].backward_(units, grad)
