"""Conversion of an estimator's parameters to losses, methods, rates and penalties."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from derivable.descent import Auto, Flow, choose_rate
from derivable.descent.checks import check_count
from derivable.descent.method import Method
from derivable.descent.methods import METHODS
from derivable.ensemble.folds import Array
from derivable.ensemble.penalties import alpha_of_networks, penalty_of
from derivable.errors import SettingError
from derivable.estimator.messages import say
from derivable.loss import CLASS_LOSSES, LOSSES, Loss
from derivable.named import loss_of
from derivable.problem import Problem, check_not_negative

VALIDATION = 0.1  # of the rows, where early stopping is asked for and no share is named
ADAM_LR = 1e-3  # PyTorch's own; Adam's steps do not grow with the gradient


def loss_for(loss: Any) -> Loss:
    """The loss of a regressor for its parameter `loss`."""
    if isinstance(loss, str) and loss.partition(":")[0] not in LOSSES:
        raise SettingError(say("loss", names=list(LOSSES), got=loss))
    return loss_of(loss)


def loss_for_classes(loss: Any) -> Loss:
    """The loss of a classifier for its parameter `loss`: CrossEntropy, perhaps with options."""
    if not isinstance(loss, str) or loss.partition(":")[0] in CLASS_LOSSES:
        meant = loss_of(loss, CLASS_LOSSES)
        if meant.function in CLASS_LOSSES.values():
            return meant
    raise SettingError(say("class_loss", got=loss))


def seed_of(random_state: Any) -> int:
    """A seed: the number itself, or one drawn from a generator."""
    try:
        seed = operator.index(random_state)
    except TypeError:
        return int(check_random_state(random_state).randint(2**31 - 1))
    if not 0 <= seed < 2**64:
        raise SettingError(say("random_state", got=random_state))
    return seed


def method_for(method: Any, tolerance: Any) -> Any:
    """The method of `descend` for the parameter `method`, with its tolerance if it has one."""
    for kind in (Auto, Flow):
        if method == kind.name:
            return kind(tolerance)
    return method


def check_counted(method: Any) -> None:
    """Refuse a method that counts no steps where a fit ends at the best one.

    That is with several folds, and with early stopping.
    """
    kind = type(method) if isinstance(method, Method) else METHODS.get(method)
    if kind is None or kind is Auto or kind.step_by_step or kind.reports_all:
        return
    known = [name for name, one in METHODS.items() if one.step_by_step or one.reports_all]
    raise SettingError(say("counted", method=kind.name, known=known))


def rate_for(lr: Any, method: str, problem: Problem) -> tuple[Any, str]:
    """The learning rate that was given or one that suits the table, and why it is this one."""
    if isinstance(lr, str) and lr != "auto":
        raise SettingError(say("lr", got=lr))
    if lr != "auto":
        return lr, say("as_given", lr=lr)
    if method == "lbfgs":
        return None, say("no_rate")
    if method == "adam":
        return ADAM_LR, say("usual_rate", lr=ADAM_LR)
    rate = choose_rate(problem)
    return rate.lr, rate.reason


def check_fraction(validation_fraction: Any) -> None:
    """Refuse a share of the rows that leaves none on one side."""
    if validation_fraction is None:
        return
    if not (isinstance(validation_fraction, Real) and 0 < float(validation_fraction) < 1):
        raise SettingError(say("validation_fraction", got=validation_fraction))


def checked_folds(folds: Any, validation_fraction: Any) -> int:
    """The number of folds that is asked for. Raises SettingError where it is none."""
    count = check_count("folds", folds, 1)
    if count > 1 and validation_fraction is not None:
        raise SettingError(say("validation_folds", folds=count))
    return count


def penalty_for(alpha: Any, loss: Loss, rows: float) -> tuple[float, float]:
    """The alpha that was given, or that of a single network, and what it adds to the mean loss.

    Raises SettingError where it is none.
    """
    if isinstance(alpha, str):
        if alpha != "auto":
            raise SettingError(say("alpha", got=alpha))
        return alpha_of_networks(loss), penalty_of(alpha_of_networks(loss), loss, rows)
    check_not_negative("alpha", alpha)
    return float(alpha), penalty_of(alpha, loss, rows)


def class_weights(class_weight: Any, classes: Array, labels: Array, weight: Array) -> Array:
    """How much each class counts, (C,); labels (N,) are numbers of classes, weight (N,) of rows.

    Raises SettingError for what are no weights of classes.
    """
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = np.bincount(labels, weight, len(classes))
        shares = counts / counts.sum() * np.count_nonzero(counts)
        balanced: Array = 1 / np.where(shares > 0, shares, 1.0)
        return balanced
    if not isinstance(class_weight, Mapping):
        raise SettingError(say("class_weight", got=class_weight))
    known = classes.tolist()
    for label, value in class_weight.items():
        if label not in known:
            names = ", ".join(map(repr, known))
            raise SettingError(say("weight_of_none", label=label, classes=names))
        check_not_negative(f"class_weight of {label!r}", value)
    return np.array([float(class_weight.get(label, 1.0)) for label in known])
