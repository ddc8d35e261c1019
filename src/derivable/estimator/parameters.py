"""Parameters of an estimator that there are not: refused by name, with the one that is meant."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from derivable.errors import InputError
from derivable.estimator.messages import say

P = ParamSpec("P")

# What scikit-learn's MLPRegressor and others call them.
ELSEWHERE = {
    "learning_rate": "lr",
    "learning_rate_init": "lr",
    "hidden_layer_sizes": "hidden",
    "solver": "method",
    "optimizer": "method",
    "tol": "tolerance",
    "epochs": "max_iter",
    "n_epochs": "max_iter",
    "steps": "max_iter",
    "penalty": "alpha",
    "weight_decay": "alpha",
    "seed": "random_state",
    "cv": "folds",
    "normalize": "standardize",
}


def named_by_estimator(init: Callable[P, None]) -> Callable[P, None]:
    """The same `__init__`, which refuses an unknown parameter in the name of the estimator."""
    known = [*inspect.signature(init).parameters][1:]

    @wraps(init)
    def checked(*args: P.args, **given: P.kwargs) -> None:
        for name in given:
            if name not in known:
                near = ELSEWHERE.get(name) or next(iter(difflib.get_close_matches(name, known)), "")
                hint = say("did_you_mean", name=near) if near else say("parameters", names=known)
                gaps = {"estimator": type(args[0]).__name__, "name": name, "hint": hint}
                raise InputError(say("no_parameter", **gaps))
        init(*args, **given)

    return checked
