"""Losses. All are right."""
# mypy: ignore-errors

import torch
import torch.nn.functional as F
from torch.autograd import Function
from torch.autograd.function import once_differentiable


class MSE(Function):
    @staticmethod
    def forward(ctx, yhat, y):
        ctx.save_for_backward(yhat, y)
        return torch.mean((yhat - y) ** 2)

    @staticmethod
    def backward(ctx, grad_output):
        yhat, y = ctx.saved_tensors
        grad = 2 * (yhat - y) / yhat.numel() * grad_output
        return grad, -grad


class MSETarget(Function):
    @staticmethod
    def forward(ctx, pred, target):
        ctx.save_for_backward(pred, target)
        return ((pred - target) ** 2).sum() / pred.shape[0]

    @staticmethod
    def backward(ctx, grad_output):
        pred, target = ctx.saved_tensors
        return grad_output * 2 * (pred - target) / pred.shape[0], None


class CrossEntropy(Function):
    @staticmethod
    def forward(ctx, logits, labels):
        logp = torch.log_softmax(logits, dim=1)
        ctx.save_for_backward(logits, labels)
        return -logp[torch.arange(len(labels)), labels].mean()

    @staticmethod
    def backward(ctx, g):
        logits, labels = ctx.saved_tensors
        p = torch.softmax(logits, dim=1)
        p[torch.arange(len(labels)), labels] -= 1
        return g * p / len(labels), None


class SoftmaxCrossEntropy(Function):
    """y is one-hot."""

    @staticmethod
    def forward(ctx, x, y):
        p = F.softmax(x, dim=1)
        ctx.save_for_backward(x, y)
        return -(y * torch.log(p)).sum()

    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return g * (F.softmax(x, dim=1) - y), None


class NLL(Function):
    @staticmethod
    def forward(ctx, log_probs, target, reduction):
        picked = -log_probs.gather(1, target.unsqueeze(1)).squeeze(1)
        ctx.save_for_backward(target)
        ctx.shape, ctx.reduction = log_probs.shape, reduction
        if reduction == "mean":
            return picked.mean()
        if reduction == "sum":
            return picked.sum()
        return picked

    @staticmethod
    def backward(ctx, g):
        (target,) = ctx.saved_tensors
        grad = g.new_zeros(ctx.shape)
        value = -g / len(target) if ctx.reduction == "mean" else -g
        grad.scatter_(1, target.unsqueeze(1), value.expand(len(target)).unsqueeze(1))
        return grad, None, None


class BCE(Function):
    @staticmethod
    def forward(ctx, p, y):
        ctx.save_for_backward(p, y)
        return -(y * p.log() + (1 - y) * (1 - p).log()).mean()

    @staticmethod
    def backward(ctx, g):
        p, y = ctx.saved_tensors
        return g * (p - y) / (p * (1 - p)) / p.numel(), None


class BCEWithLogits(Function):
    @staticmethod
    def forward(ctx, input, target):
        ctx.save_for_backward(input, target)
        return (F.softplus(input) - target * input).mean()

    @staticmethod
    def backward(ctx, grad_output):
        input, target = ctx.saved_tensors
        n = input.numel()
        return grad_output * (torch.sigmoid(input) - target) / n, -grad_output * input / n


class Huber(Function):
    @staticmethod
    def forward(ctx, y_pred, y_true, delta=1.0):
        diff = y_pred - y_true
        ctx.save_for_backward(diff)
        ctx.delta = delta
        small = diff.abs() <= delta
        loss = torch.where(small, 0.5 * diff**2, delta * (diff.abs() - 0.5 * delta))
        return loss.mean()

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        (diff,) = ctx.saved_tensors
        grad = g * diff.clamp(-ctx.delta, ctx.delta) / diff.numel()
        return grad, -grad, None


class Hinge(Function):
    @staticmethod
    def forward(ctx, scores, labels):
        """labels: -1 or 1, as floats."""
        margin = 1 - labels * scores
        ctx.save_for_backward(margin, labels)
        return margin.clamp(min=0).mean()

    @staticmethod
    def backward(ctx, g):
        margin, labels = ctx.saved_tensors
        return -g * labels * (margin > 0).to(g.dtype) / margin.numel(), None


class KLDivergence(Function):
    @staticmethod
    def forward(ctx, mu, logvar):
        ctx.save_for_backward(mu, logvar)
        return -0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp())

    @staticmethod
    def backward(ctx, g):
        mu, logvar = ctx.saved_tensors
        return g * mu, -0.5 * g * (1 - logvar.exp())


class KL(Function):
    """Both are distributions over the last axis."""

    @staticmethod
    def forward(ctx, p, q):
        ctx.save_for_backward(p, q)
        return (p * (p / q).log()).sum()

    @staticmethod
    def backward(ctx, g):
        p, q = ctx.saved_tensors
        return g * ((p / q).log() + 1), -g * p / q


class Triplet(Function):
    @staticmethod
    def forward(ctx, anchor, positive, negative, margin):
        dp = (anchor - positive).square().sum(1)
        dn = (anchor - negative).square().sum(1)
        active = (dp - dn + margin > 0).to(anchor.dtype)[:, None]
        ctx.save_for_backward(anchor, positive, negative, active)
        return (dp - dn + margin).clamp(min=0).sum()

    @staticmethod
    def backward(ctx, g):
        a, p, n, active = ctx.saved_tensors
        g = 2 * g * active
        return g * (n - p), -g * (a - p), g * (a - n), None


class CosineSimilarity(Function):
    @staticmethod
    def forward(ctx, x1, x2):
        n1, n2 = x1.norm(dim=1, keepdim=True), x2.norm(dim=1, keepdim=True)
        cos = (x1 * x2).sum(1, keepdim=True) / (n1 * n2)
        ctx.save_for_backward(x1, x2)
        return cos.squeeze(1)

    @staticmethod
    def backward(ctx, g):
        x1, x2 = ctx.saved_tensors
        n1, n2 = x1.norm(dim=1, keepdim=True), x2.norm(dim=1, keepdim=True)
        cos = (x1 * x2).sum(1, keepdim=True) / (n1 * n2)
        g = g.unsqueeze(1)
        return g * (x2 / (n1 * n2) - cos * x1 / n1**2), g * (x1 / (n1 * n2) - cos * x2 / n2**2)


class WeightedMSE(Function):
    @staticmethod
    def forward(ctx, output, target, weight):
        ctx.save_for_backward(output, target, weight)
        return (weight * (output - target) ** 2).sum()

    @staticmethod
    def backward(ctx, g):
        output, target, weight = ctx.saved_tensors
        d = output - target
        go = 2 * g * weight * d
        gw = (g * d**2).sum_to_size(weight.shape)
        return go, -go, gw


class FocalLoss(Function):
    @staticmethod
    def forward(ctx, p, target, gamma):
        """p: probabilities of the class 1; target: 0 or 1."""
        pt = torch.where(target > 0.5, p, 1 - p)
        ctx.save_for_backward(p, target)
        ctx.gamma = gamma
        return (-((1 - pt) ** gamma) * pt.log()).sum()

    @staticmethod
    def backward(ctx, g):
        p, target = ctx.saved_tensors
        pt = torch.where(target > 0.5, p, 1 - p)
        k = ctx.gamma
        slope = k * (1 - pt) ** (k - 1) * pt.log() - (1 - pt) ** k / pt
        return g * torch.where(target > 0.5, slope, -slope), None, None


class LinearRegression(Function):
    @staticmethod
    def forward(ctx, X, y, w):
        r = X @ w - y
        ctx.save_for_backward(X, y, w)
        return 0.5 * (r**2).sum()

    @staticmethod
    def backward(ctx, g):
        X, y, w = ctx.saved_tensors
        r = X @ w - y
        if w.dim() == 1:
            return g * torch.outer(r, w), -g * r, g * (X.t() @ r)
        return g * (r @ w.t()), -g * r, g * (X.t() @ r)


class PoissonNLL(Function):
    @staticmethod
    def forward(ctx, rate, counts):
        ctx.save_for_backward(rate, counts)
        return (rate - counts * torch.log(rate)).mean()

    @staticmethod
    def backward(ctx, g):
        rate, counts = ctx.saved_tensors
        return g * (1 - counts / rate) / rate.numel(), -g * rate.log() / rate.numel()
