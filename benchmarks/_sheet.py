"""The lab sheet's own way: its classes and its training loops, in our words, as a yardstick.

What costs time is kept as the sheet has it: eager PyTorch, a new Context for every call, both
gradients of MSE and of the first Linear computed though they are not used, tanh computed twice, and
`loss.item()` at every step.
"""

from __future__ import annotations

import torch
from torch.autograd import Function


class Context:
    """A place for tensors."""

    def __init__(self):
        self._saved_tensors = ()

    def save_for_backward(self, *tensors):
        """Keep them."""
        self._saved_tensors = tensors

    @property
    def saved_tensors(self):
        """What was kept."""
        return self._saved_tensors


class MSE(Function):
    """Mean over the batch."""

    @staticmethod
    def forward(ctx, yhat, y):
        """One loss per column."""
        ctx.save_for_backward(yhat, y)
        return ((yhat - y) ** 2).mean(0)

    @staticmethod
    def backward(ctx, grad_output):
        """Of both inputs."""
        yhat, y = ctx.saved_tensors
        rows = yhat.size(0)
        return grad_output * (2 / rows * (yhat - y)), grad_output * (-2 / rows * (yhat - y))


class Linear(Function):
    """X w + b."""

    @staticmethod
    def forward(ctx, x, w, b):
        """The affine map."""
        ctx.save_for_backward(x, w, b)
        return torch.mm(x, w) + b

    @staticmethod
    def backward(ctx, grad_output):
        """Of all three inputs."""
        x, w, _ = ctx.saved_tensors
        return torch.mm(grad_output, w.t()), torch.mm(x.t(), grad_output), grad_output.sum(0)


class Tanh(Function):
    """Saves its input, and so computes tanh twice."""

    @staticmethod
    def forward(ctx, x):
        """Of each entry."""
        ctx.save_for_backward(x)
        return torch.tanh(x)

    @staticmethod
    def backward(ctx, grad_output):
        """1 - tanh^2."""
        (x,) = ctx.saved_tensors
        return grad_output * (1 - torch.tanh(x) ** 2)


class ReLU(Function):
    """0 or x."""

    @staticmethod
    def forward(ctx, x):
        """Of each entry."""
        ctx.save_for_backward(x)
        return torch.relu(x)

    @staticmethod
    def backward(ctx, grad_output):
        """0 or 1."""
        (x,) = ctx.saved_tensors
        return grad_output * (x > 0).float()


def linear_loop(x, y, w, b, lr, steps):
    """The sheet's first loop; returns the loss before each step."""
    losses = []
    for _ in range(steps):
        ctx_linear, ctx_mse = Context(), Context()
        yhat = Linear.forward(ctx_linear, x, w, b)
        loss = MSE.forward(ctx_mse, yhat, y)
        losses.append(loss.item())
        grad_yhat, _ = MSE.backward(ctx_mse, torch.tensor(1.0))
        _, grad_w, grad_b = Linear.backward(ctx_linear, grad_yhat)
        w = w - lr * grad_w
        b = b - lr * grad_b
    return losses


def network_loop(activation, x, y, w1, b1, w2, b2, lr, steps):
    """The sheet's second and third loops, with one hidden layer; consumes the parameters."""
    losses = []
    for _ in range(steps):
        ctx_linear1, ctx_act = Context(), Context()
        ctx_linear2, ctx_mse = Context(), Context()
        h_pre = Linear.forward(ctx_linear1, x, w1, b1)
        h = activation.forward(ctx_act, h_pre)
        yhat = Linear.forward(ctx_linear2, h, w2, b2)
        loss = MSE.forward(ctx_mse, yhat, y)
        losses.append(loss.item())
        grad_yhat, _ = MSE.backward(ctx_mse, torch.tensor(1.0))
        grad_h, grad_w2, grad_b2 = Linear.backward(ctx_linear2, grad_yhat)
        grad_h_pre = activation.backward(ctx_act, grad_h)
        _, grad_w1, grad_b1 = Linear.backward(ctx_linear1, grad_h_pre)
        w1 -= lr * grad_w1
        b1 -= lr * grad_b1
        w2 -= lr * grad_w2
        b2 -= lr * grad_b2
    return losses
