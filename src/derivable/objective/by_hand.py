"""The objective by hand: Functions and Contexts, as on the blackboard. The plain reference."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.func import functional_call

from derivable.errors import SettingError
from derivable.function.context import Context
from derivable.network import flatten
from derivable.objective.base import Objective
from derivable.objective.messages import say
from derivable.objective.tasks import Tasks
from derivable.problem import Problem
from derivable.row_losses import weighted_loss


class ByHand(Objective):
    """Loss and gradient of any network and loss, through Contexts.

    In training, what changes as the network runs (a generator, running statistics) changes with
    each `value_and_gradient`; `value` and `hvp` are those that it would have next.

    A loss of several numbers, such as MSE with one per output column, is summed: the descended
    loss is their sum, and the incoming gradient of each of them is 1.
    """

    name = "by hand"
    takes_shards = True

    @classmethod
    def refusal(cls, problem: Problem) -> str:
        """Why the rows of this problem cannot lie in several processes, where they do."""
        return "" if problem.shard is None else Tasks.refusal(problem)

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._tasks = None if problem.shard is None else Tasks(problem, problem.shard)
        self.network, self.loss, self.x = problem.network, problem.loss, problem.x
        self.y, self.weight = problem.y, problem.weight  # (N, ...), (N,)

    def data_value(self, theta: Tensor) -> Tensor:
        """The loss () at `theta` (P,), from a forward pass alone."""
        if self._tasks is not None:
            return self._tasks.added(lambda part: ByHand(part).data_value(theta)[None])[0]
        with self.network.unchanged():
            yhat, _ = self.network.forward_by_hand(self.x, self.network.unflatten(theta))
        return self._sum(self.loss.forward(Context(), yhat, self.y), yhat)

    def data_value_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The loss () and its gradient (P,) at `theta` (P,)."""
        if self._tasks is not None:
            found = self._tasks.added(lambda part: _together(ByHand(part), theta))
            return found[0], found[1:]
        ctx = Context()
        parameters = self.network.unflatten(theta)
        yhat, contexts = self.network.forward_by_hand(self.x, parameters)
        loss = self.loss.forward(ctx, yhat, self.y)  # (K,) or ()
        grad_yhat, *_ = self.loss.backward(ctx, torch.ones_like(loss))
        gradients = self.network.backward_by_hand(contexts, self._weighted(grad_yhat))
        return self._sum(loss, yhat), flatten(gradients)

    def data_hvp(self, theta: Tensor, direction: Tensor) -> Tensor:
        """The Hessian (P, P) at `theta` (P,) times `direction` (P,), by autograd, twice.

        Raises SettingError where a backward is none that autograd can differentiate.
        """
        if self._tasks is not None:
            return self._tasks.added(lambda part: ByHand(part).data_hvp(theta, direction))
        try:
            with torch.enable_grad(), self.network.unchanged():
                return self._differentiated_twice(theta, direction)
        except RuntimeError as error:
            raise SettingError(say("no_second_derivatives", error=error)) from error

    def _differentiated_twice(self, theta: Tensor, direction: Tensor) -> Tensor:
        theta = theta.detach().requires_grad_()
        names = [name for name, _ in self.network.named_parameters()]
        parameters = dict(zip(names, self.network.unflatten(theta), strict=True))
        yhat = functional_call(self.network, parameters, self.x)
        loss = self.loss.apply(yhat, self.y).sum()
        (grad_yhat,) = torch.autograd.grad(loss, yhat, create_graph=True)  # (N, ...)
        grad_yhat = self._weighted(grad_yhat)
        (gradient,) = torch.autograd.grad(yhat, theta, grad_yhat, create_graph=True)
        # a gradient that does not depend on theta has no second derivative, and no graph
        if not gradient.requires_grad:
            return torch.zeros_like(direction)
        product: Tensor
        (product,) = torch.autograd.grad(
            gradient, theta, direction, allow_unused=True, materialize_grads=True
        )
        return product

    def _sum(self, loss: Tensor, yhat: Tensor) -> Tensor:
        """The loss (), of which the author's own rule knows no weights."""
        if self.weight is None:
            return loss.sum()
        return weighted_loss(self.loss, yhat, self.y, self.weight)

    def _weighted(self, rows: Tensor) -> Tensor:
        """Gradients (N, ...), each row times its weight."""
        if self.weight is None:
            return rows
        return rows * self.weight.view(-1, *(1,) * (rows.ndim - 1))


def _together(objective: ByHand, theta: Tensor) -> Tensor:
    """The loss and its gradient as one vector (1 + P,)."""
    loss, gradient = objective.data_value_and_gradient(theta)
    return torch.cat([loss[None], gradient])
