"""Scikit-learn's `alpha` as a penalty on a mean loss."""

from __future__ import annotations

from derivable.functions.losses import MSE
from derivable.loss import Loss


def penalty_of(alpha: float, loss: Loss, rows: float) -> float:
    """What an alpha of scikit-learn's is as a penalty on a mean loss of so many rows.

    Their losses are sums over rows, and their squared error is halved, which the Function MSE
    is not.
    """
    return (2.0 if loss.function is MSE else 1.0) * alpha / rows


def alpha_of_networks(loss: Loss) -> float:
    """The alpha of networks where none is given: a penalty of 1 / N."""
    return 1 / penalty_of(1.0, loss, 1.0)
