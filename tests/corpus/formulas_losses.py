"""Wrong formulas of losses."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function

import derivable
from tests.corpus.draw import draw, fixed, integers, zero_or_one
from tests.corpus.entry import Wrong


class MSEColumns(derivable.Function):
    """The lab's MSE: the mean over the batch, one loss per column; the gradient divides by both."""

    @staticmethod
    def forward(ctx: Any, yhat: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(yhat, y)
        return ((yhat - y) ** 2).mean(0)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        yhat, y = ctx.saved_tensors
        grad = 2 * (yhat - y) / yhat.numel() * grad_output
        return grad, -grad


class MSEColumnsMeanGrad(MSEColumns):
    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        yhat, y = ctx.saved_tensors
        grad = 2 * (yhat - y) / len(yhat) * grad_output.mean()
        return grad, -grad


class MSEAll(Function):
    @staticmethod
    def forward(ctx: Any, yhat: Any, y: Any) -> Any:
        ctx.d = yhat - y
        return torch.mean(ctx.d**2)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        gx = g * 2 * ctx.d / ctx.d.shape[0]
        return gx, -gx


class MSESameSign(MSEAll):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        gx = g * 2 * ctx.d / ctx.d.numel()
        return gx, gx


class MSEGradOne(MSEAll):
    """The loss is last, so its gradient is one: true until somebody weights it."""

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        gx = 2 * ctx.d / ctx.d.numel()
        return gx, -gx


class RMSE(Function):
    @staticmethod
    def forward(ctx: Any, yhat: Any, y: Any) -> Any:
        ctx.save_for_backward(yhat, y)
        return ((yhat - y) ** 2).mean().sqrt()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        yhat, y = ctx.saved_tensors
        return g * 2 * (yhat - y) / yhat.numel(), None


class CrossEntropySum(Function):
    @staticmethod
    def forward(ctx: Any, logits: Any, labels: Any) -> Any:
        p = torch.softmax(logits, dim=1)
        ctx.save_for_backward(p, labels)
        return -torch.log(p[torch.arange(len(labels)), labels]).mean()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        p, labels = ctx.saved_tensors
        return g * (p - F.one_hot(labels, p.shape[1])), None


class CrossEntropyNoOneHot(CrossEntropySum):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        p, _ = ctx.saved_tensors
        return g * p / len(p), None


class CrossEntropyAxis(Function):
    @staticmethod
    def forward(logits: Any, labels: Any) -> Any:
        return F.nll_loss(torch.log_softmax(logits, 1), labels)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        logits, labels = inputs
        ctx.save_for_backward(logits, labels)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        logits, labels = ctx.saved_tensors
        grad = torch.softmax(logits, 0)
        grad[torch.arange(len(labels)), labels] -= 1
        return g * grad / len(labels), None


class CrossEntropyOptions(derivable.Function):
    """Smoothing and reduction are options of forward; backward knows their defaults alone."""

    @staticmethod
    def forward(
        ctx: Any,
        logits: Tensor,
        labels: Tensor,
        smoothing: float = 0.0,
        reduction: str = "mean",
    ) -> Tensor:
        ctx.save_for_backward(logits, labels)
        return F.cross_entropy(logits, labels, label_smoothing=smoothing, reduction=reduction)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        logits, labels = ctx.saved_tensors
        onehot = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
        grad_logits = (torch.softmax(logits, 1) - onehot) / logits.shape[0]
        return grad_output * grad_logits, None, None, None


class CrossEntropyIgnore(Function):
    """Rows of label -1 do not count; their gradient does."""

    @staticmethod
    def forward(ctx: Any, logits: Any, labels: Any) -> Any:
        ctx.kept = (labels >= 0).sum()
        ctx.save_for_backward(logits, labels)
        return F.cross_entropy(logits, labels, ignore_index=-1)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        logits, labels = ctx.saved_tensors
        grad = torch.softmax(logits, 1)
        grad[torch.arange(len(labels)), labels] -= 1
        return g * grad / ctx.kept, None


class BCELogits(Function):
    @staticmethod
    def forward(ctx: Any, z: Any, t: Any) -> Any:
        ctx.save_for_backward(z, t)
        return (z.clamp(min=0) - z * t + torch.log1p(torch.exp(-z.abs()))).mean()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        z, t = ctx.saved_tensors
        return g * (torch.sigmoid(z) - t), None


class BCEProbabilities(Function):
    """The gradient with respect to the logits, where the input is a probability."""

    @staticmethod
    def forward(ctx: Any, p: Any, t: Any) -> Any:
        ctx.save_for_backward(p, t)
        return -(t * p.log() + (1 - t) * (1 - p).log()).mean()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        p, t = ctx.saved_tensors
        return g * (p - t) / p.numel(), None


class HuberDelta(Function):
    @staticmethod
    def forward(ctx: Any, pred: Any, target: Any, delta: float = 1.0) -> Any:
        d = pred - target
        ctx.save_for_backward(d)
        return torch.where(d.abs() <= delta, 0.5 * d**2, delta * (d.abs() - 0.5 * delta)).sum()

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (d,) = ctx.saved_tensors
        grad = grad_output * d.clamp(-1, 1)
        return grad, -grad if ctx.needs_input_grad[1] else None, None


class SmoothL1Unsigned(Function):
    @staticmethod
    def forward(ctx: Any, pred: Any, target: Any) -> Any:
        d = pred - target
        ctx.save_for_backward(d)
        return F.smooth_l1_loss(pred, target, reduction="none")

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (d,) = ctx.saved_tensors
        grad = g * torch.where(d.abs() < 1, d, torch.ones_like(d))
        return grad, -grad


class KLPlusOne(Function):
    @staticmethod
    def forward(ctx: Any, logq: Any, p: Any) -> Any:
        ctx.save_for_backward(logq, p)
        return (p * (p.log() - logq)).sum() / logq.shape[0]

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        logq, p = ctx.saved_tensors
        return -g * p / len(logq), g * (p.log() - logq) / len(logq)


class Hinge(Function):
    @staticmethod
    def forward(ctx: Any, score: Any, sign: Any) -> Any:
        ctx.save_for_backward(score, sign)
        return torch.clamp(1 - sign * score, min=0).mean()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        score, sign = ctx.saved_tensors
        wrong = (sign * score < 0).to(score.dtype)
        return -g * wrong * sign / score.numel(), None


class CosineLoss(Function):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        na, nb = a.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True)
        ctx.save_for_backward(a, b, na, nb)
        return 1 - (a * b).sum(1) / (na * nb).squeeze(1)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        a, b, na, nb = ctx.saved_tensors
        g = g.unsqueeze(1)
        return -g * b / (na * nb), -g * a / (na * nb)


class CosineExchanged(CosineLoss):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        a, b, na, nb = ctx.saved_tensors
        g = g.unsqueeze(1)
        c = (a * b).sum(1, keepdim=True) / (na * nb)
        grad_a = -g * (b / nb - c * a / na) / na
        grad_b = -g * (a / na - c * b / nb) / nb
        return grad_b, grad_a


class LogCosh(Function):
    """Differentiated once too often."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.log(torch.cosh(x)).sum()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * (1 - torch.tanh(x) ** 2)


class Triplet(Function):
    @staticmethod
    def forward(ctx: Any, anchor: Any, near: Any, far: Any, margin: float) -> Any:
        dn, df = anchor - near, anchor - far
        active = (dn**2).sum(1) - (df**2).sum(1) + margin > 0
        ctx.save_for_backward(dn, df, active)
        return torch.relu((dn**2).sum(1) - (df**2).sum(1) + margin).sum()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        dn, df, active = ctx.saved_tensors
        g = 2 * g * active.to(dn.dtype).unsqueeze(1)
        return g * (dn - df), -g * dn, -g * df, None


class GaussianNLL(Function):
    @staticmethod
    def forward(ctx: Any, mean: Any, var: Any, y: Any) -> Any:
        ctx.save_for_backward(mean, var, y)
        return 0.5 * (torch.log(var) + (y - mean) ** 2 / var).sum()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        mean, var, y = ctx.saved_tensors
        grad_mean = g * (mean - y) / var
        grad_var = 0.5 * g * (1 / var - (y - mean) ** 2 / var)
        return grad_mean, grad_var, None


class HuberModule(nn.Module):
    def __init__(self, delta: float) -> None:
        super().__init__()
        self.delta = delta
        self.function: Any = HuberDelta

    def forward(self, pred: Tensor, target: Tensor) -> Any:
        return self.function.apply(pred, target, self.delta)


def smoothed(logits: Tensor, labels: Tensor) -> Any:
    return CrossEntropyOptions.apply(logits, labels, smoothing=0.1)


def summed(logits: Tensor, labels: Tensor) -> Any:
    return CrossEntropyOptions.apply(logits, labels, reduction="sum")


def _pair() -> Any:
    return [draw(13, 5), draw(13, 5, seed=1)]


def _house() -> Any:
    return [draw(13, 1), fixed(13, 1)]


def _close() -> Any:
    y = fixed(13, 5)
    return [(y + 0.1 * fixed(13, 5, seed=3)).requires_grad_(), y.requires_grad_()]


def _labelled() -> Any:
    return [draw(13, 5), integers(5, 13)]


def _signs() -> Any:
    return [draw(13, 5), 2 * zero_or_one(13, 5) - 1]


def _probabilities() -> Any:
    return [torch.sigmoid(fixed(13, seed=2)).requires_grad_(), zero_or_one(13)]


def _normal() -> Any:
    return [draw(13), torch.ones(13, dtype=torch.float64, requires_grad=True), fixed(13)]


def _distributions() -> Any:
    logq = torch.log_softmax(fixed(13, 5, seed=3), 1).requires_grad_()
    return [logq, torch.softmax(fixed(13, 5, seed=4), 1).requires_grad_()]


CASES: list[Wrong] = [
    Wrong("mse-columns", MSEColumns, _house, ("factor", "sizes"), "yhat"),
    Wrong(
        "mse-columns-mean-grad", MSEColumnsMeanGrad, _house, ("sums_grad_output", "sizes"), "yhat"
    ),
    Wrong("mse-all", MSEAll, _pair, ("factor",)),
    Wrong("mse-same-sign", MSESameSign, _pair, ("sign", "swapped"), "y"),
    Wrong("mse-grad-one", MSEGradOne, _pair, ("ignores_grad_output",)),
    Wrong(
        "rmse", RMSE, lambda: [draw(13), fixed(13)], ("chain_rule", "last_step", "power"), "yhat"
    ),
    Wrong("cross-entropy-sum", CrossEntropySum, _labelled, ("factor",), "logits"),
    Wrong(
        "cross-entropy-batch-of-one",
        CrossEntropySum,
        lambda: [draw(1, 5), integers(5, 1)],
        ("factor", "sizes"),
        "logits",
    ),
    Wrong("cross-entropy-no-onehot", CrossEntropyNoOneHot, _labelled, ("missing_term",), "logits"),
    Wrong("cross-entropy-axis", CrossEntropyAxis, _labelled, ("wrong_axis",), "logits"),
    Wrong("smoothing", smoothed, _labelled, ("constant", "option", "missing_term"), "logits"),
    Wrong("reduction", summed, _labelled, ("factor", "option", "constant"), "logits"),
    Wrong(
        "cross-entropy-ignore",
        CrossEntropyIgnore,
        lambda: [draw(13, 5), integers(6, 13) - 1],
        ("part_only",),
        "logits",
    ),
    Wrong("bce-logits", BCELogits, lambda: [draw(13, 5), zero_or_one(13, 5)], ("factor",), "z"),
    Wrong("bce-probabilities", BCEProbabilities, _probabilities, ("chain_rule",), "p"),
    Wrong("huber-delta", HuberModule(2.0), _pair, ("constant", "one_side", "option")),
    Wrong("smooth-l1-unsigned", SmoothL1Unsigned, _close, ("one_side", "sign")),
    Wrong("kl-plus-one", KLPlusOne, _distributions, ("missing_term",), "p"),
    Wrong("hinge", Hinge, _signs, ("one_side", "constant"), "score"),
    Wrong("cosine-loss", CosineLoss, _pair, ("missing_term",)),
    Wrong("cosine-exchanged", CosineExchanged, _pair, ("swapped",)),
    Wrong("log-cosh", LogCosh, lambda: [draw(13, 5)], ("unrecognised",), "x"),
    Wrong("triplet", Triplet, lambda: [*_pair(), draw(13, 5, seed=2), 1.0], ("sign",), "far"),
    Wrong("gaussian-nll", GaussianNLL, _normal, ("power", "missing_term"), "var"),
]
