"""`coef_` and `intercept_` of an estimator that is a linear model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from derivable.ensemble.folds import Array
from derivable.estimator.messages import say
from derivable.estimator.rows import Units
from derivable.network import Network


class HasLine(ABC):
    """What reads the line off an estimator whose network is one Linear layer."""

    network_: Network
    _units: Units

    @property
    def coef_(self) -> Array:
        """The weights of a linear model, `hidden=()`, of features and targets in their own units.

        (D,) for y (N,), (K, D) for y (N, K). A classifier has (C, D), and for two classes (1, D),
        as LogisticRegression. Raises AttributeError where there are hidden layers.
        """
        return self._line()[0]

    @property
    def intercept_(self) -> Any:
        """The constants beside `coef_`: a number for y (N,), else (K,) or (C,)."""
        return self._line()[1]

    def _line(self) -> tuple[Array, Any]:
        """Weights (K, D) and constants (K,) in own units, in the form that the estimator has."""
        network = self.__dict__.get("network_")
        if network is None or len(network.layers) > 1:
            name = type(self).__name__
            key = "not_fitted" if network is None else "hidden_layers"
            raise AttributeError(say(key, name=name))
        w, b = (parameter.detach().numpy() for parameter in network.parameters())
        return self._shaped(*self._units.line(w, b))

    @abstractmethod
    def _shaped(self, weights: Array, constants: Array) -> tuple[Array, Any]:
        """Weights (K, D) and constants (K,) as scikit-learn's linear models have them."""
