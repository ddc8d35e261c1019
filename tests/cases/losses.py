"""Cases of the losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from derivable.functions import (
    L1,
    MSE,
    NLL,
    BinaryCrossEntropyWithLogits,
    CrossEntropy,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    PoissonNLL,
)
from tests.cases.case import Case, Make


def _mse(yhat: Tensor, y: Tensor) -> Tensor:
    return F.mse_loss(yhat, y, reduction="none").mean(0)


def _reduce(losses: Tensor, reduction: str) -> Tensor:
    return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]


def _l1(input: Tensor, target: Tensor, reduction: str) -> Tensor:
    return F.l1_loss(input, target, reduction=reduction)


def _huber(input: Tensor, target: Tensor, reduction: str, delta: float) -> Tensor:
    return F.huber_loss(input, target, reduction=reduction, delta=delta)


def _log_cosh(prediction: Tensor, target: Tensor, reduction: str) -> Tensor:
    return _reduce((prediction - target).cosh().log(), reduction)


def _bce(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, pos_weight: Tensor | None
) -> Tensor:
    # PyTorch gives no gradient for its own weights; multiplied in afterwards, they have one.
    target = target.to(input.dtype)
    if weight is None and pos_weight is None:
        return F.binary_cross_entropy_with_logits(input, target, reduction=reduction)
    yes, no = (
        F.binary_cross_entropy_with_logits(input, answer, reduction="none")
        for answer in (torch.ones_like(input), torch.zeros_like(input))
    )
    losses = target * (yes if pos_weight is None else pos_weight * yes) + (1 - target) * no
    return _reduce(losses if weight is None else losses * weight, reduction)


def _kl(input: Tensor, target: Tensor, reduction: str, log_target: bool) -> Tensor:
    if reduction == "mean":  # PyTorch warns that this mean is not the divergence
        return F.kl_div(input, target, reduction="none", log_target=log_target).mean()
    return F.kl_div(input, target, reduction=reduction, log_target=log_target)


def _hinge(input: Tensor, target: Tensor, margin: float, reduction: str) -> Tensor:
    return _reduce(torch.relu(margin - target * input), reduction)


def _poisson(
    input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: str
) -> Tensor:
    return F.poisson_nll_loss(
        input, target, log_input=log_input, full=full, eps=eps, reduction=reduction
    )


def _nll(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str
) -> Tensor:
    if weight is None:
        return F.nll_loss(input, target, ignore_index=ignore_index, reduction=reduction)
    # PyTorch gives no gradient for weight; tests/test_losses.py compares the values with it.
    kept = target != ignore_index
    weights = torch.where(kept, weight[torch.where(kept, target, 0)], 0.0)
    losses = weights * F.nll_loss(input, target, ignore_index=ignore_index, reduction="none")
    return losses.sum() / weights.sum() if reduction == "mean" else _reduce(losses, reduction)


def _cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
) -> Tensor:
    if weight is None or target.is_floating_point():
        return F.cross_entropy(
            input, target, weight, ignore_index=ignore_index, reduction=reduction,
            label_smoothing=label_smoothing,
        )  # fmt: skip
    kept = target != ignore_index
    weights = torch.where(kept, weight[torch.where(kept, target, 0)], 0.0)
    plain = F.cross_entropy(input, target, ignore_index=ignore_index, reduction="none")
    log_p = F.log_softmax(input, 1).movedim(1, -1)
    even = torch.where(kept, -(log_p * weight).mean(-1), 0.0)
    losses = (1 - label_smoothing) * weights * plain + label_smoothing * even
    return losses.sum() / weights.sum() if reduction == "mean" else _reduce(losses, reduction)


def _signs(make: Make, *shape: int) -> Tensor:
    return torch.where(make.integers(2, *shape) == 0, -1.0, 1.0).to(make.dtype)


def _labels(make: Make, classes: int, *shape: int) -> Tensor:
    """Class indices, of which the first is ignored."""
    labels = make.integers(classes, *shape)
    labels.view(-1)[0] = -100
    return labels


def _scores(make: Make, *shape: int) -> Sequence[Tensor]:
    """Scores and signs, away from the kink of Hinge at margin 1 and 0.5."""
    signs = _signs(make, *shape)
    return make.away([1, 0.5], *shape) * signs, signs


def _moved(make: Make, points: Sequence[float], *shape: int) -> list[Tensor]:
    """Input and target whose difference is away from `points`."""
    target = make(*shape)
    return [target + make.away(points, *shape), target]


def _then(draw: Callable[[Make], Sequence[Any]], *options: Any) -> Callable[[Make], list[Any]]:
    """The inputs that `draw` draws, and then the options."""
    return lambda make: [*draw(make), *options]


LOSSES = [
    Case(MSE, lambda make: [make(5, 3), make(5, 3)], _mse),
    Case(MSE, lambda make: [make(5, 1), make(5, 1)], _mse, "one-column"),
    Case(MSE, lambda make: [make(5), make(5)], _mse, "vector"),
    Case(MSE, lambda make: [make(3, 2, 5), make(3, 2, 5)], _mse, "batches"),
    # L1
    Case(L1, lambda make: [*_moved(make, [0], 5, 3), "mean"], _l1),
    Case(L1, lambda make: [*_moved(make, [0], 5, 3), "sum"], _l1, "sum"),
    Case(L1, lambda make: [*_moved(make, [0], 5, 3), "none"], _l1, "none"),
    Case(L1, lambda make: [*_moved(make, [0]), "mean"], _l1, "0d"),
    Case(L1, lambda make: [make(0, 3), make(0, 3), "sum"], _l1, "empty"),
    Case(L1, lambda make: [make(1, 1), make(1, 1), "mean"], _l1, "one-entry"),
    Case(
        L1,
        lambda make: [torch.complex(make(5), make(5)), torch.complex(make(5), make(5)), "mean"],
        _l1,
        "complex",
    ),
    # Huber
    Case(Huber, lambda make: [*_moved(make, [-1, 1], 5, 3), "mean", 1.0], _huber),
    Case(Huber, lambda make: [*_moved(make, [-1, 1], 5, 3), "sum", 1.0], _huber, "sum"),
    Case(Huber, lambda make: [*_moved(make, [-1, 1], 5, 3), "none", 1.0], _huber, "none"),
    Case(Huber, lambda make: [*_moved(make, [-0.3, 0.3], 5, 3), "mean", 0.3], _huber, "delta"),
    Case(Huber, lambda make: [*_moved(make, [-1, 1]), "none", 1.0], _huber, "0d"),
    Case(Huber, lambda make: [make(0, 3), make(0, 3), "sum", 1.0], _huber, "empty"),
    # LogCosh
    Case(LogCosh, lambda make: [make(5, 3), make(5, 3), "mean"], _log_cosh),
    Case(LogCosh, lambda make: [make(5, 3), make(5, 3), "sum"], _log_cosh, "sum"),
    Case(LogCosh, lambda make: [make(5, 3), make(5, 3), "none"], _log_cosh, "none"),
    Case(LogCosh, lambda make: [make(), make(), "mean"], _log_cosh, "0d"),
    Case(LogCosh, lambda make: [make(0, 3), make(0, 3), "sum"], _log_cosh, "empty"),
    # BinaryCrossEntropyWithLogits
    Case(
        BinaryCrossEntropyWithLogits,
        lambda make: [make(5, 3), make(5, 3).sigmoid(), make.positive(3), "mean", make.positive(3)],
        _bce,
    ),
    Case(
        BinaryCrossEntropyWithLogits,
        lambda make: [make(5, 3), make(5, 3).sigmoid(), None, "mean", None],
        _bce,
        "plain",
    ),
    Case(
        BinaryCrossEntropyWithLogits,
        lambda make: [make(5, 3), make.integers(2, 5, 3), None, "sum", None],
        _bce,
        "integers-sum",
    ),
    Case(
        BinaryCrossEntropyWithLogits,
        lambda make: [make(5, 3), make(5, 3).sigmoid(), make.positive(5, 1), "none", None],
        _bce,
        "row-weight-none",
    ),
    Case(
        BinaryCrossEntropyWithLogits,
        lambda make: [make(5, 3), make(5, 3).sigmoid(), None, "sum", make.positive(5, 3)],
        _bce,
        "pos-weight-sum",
    ),
    Case(
        BinaryCrossEntropyWithLogits,
        lambda make: [make(), make().sigmoid(), make.positive(), "mean", None],
        _bce,
        "0d",
    ),
    Case(
        BinaryCrossEntropyWithLogits,
        lambda make: [make(0, 3), make(0, 3), None, "sum", make.positive(3)],
        _bce,
        "empty",
    ),
    # CrossEntropy
    Case(
        CrossEntropy,
        lambda make: [make(5, 3), make.integers(3, 5), None, -100, "mean", 0.0],
        _cross_entropy,
    ),
    *(
        Case(
            CrossEntropy,
            _then(lambda make: [make(5, 3), _labels(make, 3, 5), None, -100], reduction, smoothing),
            _cross_entropy,
            f"{reduction}-smoothing-{smoothing}",
        )
        for reduction in ("mean", "sum", "none")
        for smoothing in (0.0, 0.1)
    ),
    *(
        Case(
            CrossEntropy,
            _then(
                lambda make: [make(5, 3, 2), _labels(make, 3, 5, 2), make.positive(3), -100],
                reduction,
                smoothing,
            ),
            _cross_entropy,
            f"pixels-weight-{reduction}-smoothing-{smoothing}",
        )
        for reduction in ("mean", "sum", "none")
        for smoothing in (0.0, 0.1)
    ),
    *(
        Case(
            CrossEntropy,
            _then(
                lambda make: [make(5, 3), make(5, 3).softmax(1), make.positive(3), -100],
                reduction,
                smoothing,
            ),
            _cross_entropy,
            f"probabilities-weight-{reduction}-smoothing-{smoothing}",
        )
        for reduction in ("mean", "sum", "none")
        for smoothing in (0.0, 0.1)
    ),
    Case(
        CrossEntropy,
        lambda make: [make(5, 3, 2, 7), make(5, 3, 2, 7).softmax(1), None, -100, "mean", 0.1],
        _cross_entropy,
        "probabilities-images",
    ),
    Case(
        CrossEntropy,
        lambda make: [make(5, 3, 2), make(5, 3, 2).softmax(1), make.positive(3), -100, "none", 0.1],
        _cross_entropy,
        "probabilities-pixels-weight-none",
    ),
    Case(
        CrossEntropy,
        lambda make: [make(5, 3), make.integers(3, 5), None, 1, "mean", 0.2],
        _cross_entropy,
        "ignore-index",
    ),
    Case(
        CrossEntropy,
        lambda make: [make(5), make.integers(5), None, -100, "mean", 0.1],
        _cross_entropy,
        "one-row",
    ),
    Case(
        CrossEntropy,
        lambda make: [make(5), make(5).softmax(0), make.positive(5), -100, "none", 0.1],
        _cross_entropy,
        "one-row-probabilities",
    ),
    Case(
        CrossEntropy,
        lambda make: [make(0, 3), make.integers(3, 0), None, -100, "sum", 0.0],
        _cross_entropy,
        "empty",
    ),
    Case(
        CrossEntropy,
        lambda make: [make(5, 1), torch.zeros(5, dtype=torch.uint8), None, -100, "mean", 0.0],
        _cross_entropy,
        "one-class-bytes",
    ),
    # NLL
    Case(
        NLL,
        lambda make: [make(5, 3), _labels(make, 3, 5), make.positive(3), -100, "mean"],
        _nll,
    ),
    *(
        Case(
            NLL,
            _then(lambda make: [make(5, 3), _labels(make, 3, 5), None, -100], reduction),
            _nll,
            reduction,
        )
        for reduction in ("mean", "sum", "none")
    ),
    *(
        Case(
            NLL,
            _then(
                lambda make: [make(5, 3, 2, 7), make.integers(3, 5, 2, 7), make.positive(3), 1],
                reduction,
            ),
            _nll,
            f"images-weight-{reduction}",
        )
        for reduction in ("mean", "sum", "none")
    ),
    Case(NLL, lambda make: [make(5), make.integers(5), None, -100, "mean"], _nll, "one-row"),
    Case(NLL, lambda make: [make(0, 3), make.integers(3, 0), None, -100, "none"], _nll, "empty"),
    # KLDivergence
    Case(
        KLDivergence,
        lambda make: [make(5, 3).log_softmax(1), make(5, 3).softmax(1), "batchmean", False],
        _kl,
    ),
    *(
        Case(
            KLDivergence,
            _then(lambda make: [make(5, 3), make.positive(5, 3)], reduction, log_target),
            _kl,
            f"{reduction}{'-log-target' if log_target else ''}",
        )
        for reduction in ("mean", "batchmean", "sum", "none")
        for log_target in (False, True)
    ),
    Case(KLDivergence, lambda make: [make(), make.positive(), "batchmean", False], _kl, "0d"),
    Case(KLDivergence, lambda make: [make(0, 3), make(0, 3), "sum", False], _kl, "empty"),
    # Hinge
    Case(Hinge, lambda make: [*_scores(make, 5, 3), 1.0, "mean"], _hinge),
    Case(Hinge, lambda make: [*_scores(make, 5, 3), 1.0, "sum"], _hinge, "sum"),
    Case(Hinge, lambda make: [*_scores(make, 5, 3), 0.5, "none"], _hinge, "margin-none"),
    Case(
        Hinge,
        lambda make: [_scores(make, 5)[0], _signs(make, 5).long(), 0.123, "mean"],
        _hinge,
        "integers",
    ),
    Case(Hinge, lambda make: [*_scores(make), 1.0, "mean"], _hinge, "0d"),
    Case(Hinge, lambda make: [make(0, 3), make(0, 3), 1.0, "sum"], _hinge, "empty"),
    # PoissonNLL
    Case(
        PoissonNLL,
        lambda make: [make(5, 3), make.away([0, 1], 5, 3).abs(), True, True, 1e-8, "mean"],
        _poisson,
    ),
    *(
        Case(
            PoissonNLL,
            _then(
                lambda make: [make.positive(5, 3), 1.1 + make.positive(5, 3)],
                log_input,
                full,
                1e-3,
                reduction,
            ),
            _poisson,
            f"{'log' if log_input else 'rate'}{'-full' if full else ''}-{reduction}",
        )
        for log_input in (True, False)
        for full in (True, False)
        for reduction in ("mean", "sum", "none")
    ),
    Case(
        PoissonNLL,
        lambda make: [make(), make.positive(), True, False, 1e-8, "mean"],
        _poisson,
        "0d",
    ),
    Case(PoissonNLL, lambda make: [make(0), make(0), True, True, 1e-8, "sum"], _poisson, "empty"),
]
