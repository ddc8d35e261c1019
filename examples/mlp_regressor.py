"""The gradient of scikit-learn's MLPRegressor for several outputs, examined.

    python examples/mlp_regressor.py

scikit-learn's squared loss is averaged over the examples and over the outputs, but the gradient
that `fit` descends with is divided by the number of examples only. With K outputs it is K times
too large: the step is K times what `learning_rate_init` says, and L-BFGS is given a value and a
gradient that do not belong together. This is issue 8349 of scikit-learn. The weight decay is left
out here (alpha=0), as its gradient is right.

Where the installed scikit-learn has the mistake, its own code is examined. Where it has been
mended, its old gradient is written again here, from its formula, and the program says so.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import sklearn
from sklearn.neural_network import MLPRegressor

from derivable.examiner import Report, check_gradient

EXAMPLES, FEATURES, HIDDEN, OUTPUTS = 13, 5, 2, 3
Array = np.ndarray[Any, np.dtype[np.floating]]
Theta = Mapping[str, Array]

numbers = np.random.default_rng(0)
TABLE = numbers.normal(size=(EXAMPLES, FEATURES))
TARGETS = numbers.normal(size=(EXAMPLES, 50))


def regressor() -> MLPRegressor:
    """An MLPRegressor that has seen the table once, so that all it needs is set up."""
    model = MLPRegressor(
        hidden_layer_sizes=HIDDEN, activation="tanh", alpha=0, max_iter=1, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one iteration is not enough, which is true
        return model.fit(TABLE, TARGETS[:, :OUTPUTS])


MODEL = regressor()


def value_and_gradient(theta: Theta) -> tuple[float, Theta]:
    """What scikit-learn computes: its loss at the weights and biases, and its gradient."""
    arrays = list(theta.values())
    model = copy.copy(MODEL)
    model.coefs_, model.intercepts_ = arrays[:2], arrays[2:]
    rows, outputs = EXAMPLES, arrays[-1].size  # as many outputs as theta has biases for them
    x, y = TABLE.astype(arrays[0].dtype), TARGETS[:, :outputs].astype(arrays[0].dtype)
    shapes = [(rows, bias.size) for bias in arrays[2:]]
    activations, deltas = [x, *map(np.empty, shapes)], [*map(np.empty, shapes)]
    gradients: list[list[Array | None]] = [[None, None], [None, None]]
    loss, of_weights, of_biases = model._backprop(x, y, None, activations, deltas, *gradients)
    return loss, dict(zip(theta, [*of_weights, *of_biases], strict=True))


def mended(theta: Theta) -> bool:
    """Whether the installed scikit-learn's gradient is the derivative: a difference decides."""
    step, (_, gradients) = 1e-6, value_and_gradient(theta)
    *_, name = theta
    low, high = (
        value_and_gradient({**theta, name: theta[name] + moved})[0]
        for moved in np.outer([-step, step], np.eye(OUTPUTS)[0])
    )
    return bool(np.isclose((high - low) / (2 * step), gradients[name][0], rtol=1e-3))


def value_and_old_gradient(theta: Theta) -> tuple[float, Theta]:
    """The same loss with the gradient as it was before the mistake was mended."""
    loss, gradients = value_and_gradient(theta)
    *_, outputs = (bias.size for bias in theta.values())
    return loss, {name: outputs * gradient for name, gradient in gradients.items()}


def examine() -> Report:
    """Examine the gradient at the weights and biases that scikit-learn begins with."""
    parts = {"coefs": MODEL.coefs_, "intercepts": MODEL.intercepts_}
    theta = {f"{name}[{i}]": a for name, arrays in parts.items() for i, a in enumerate(arrays)}
    if mended(theta):
        print(f"scikit-learn {sklearn.__version__} is mended; this is its old gradient, rewritten:")
        return check_gradient(value_and_old_gradient, at=theta)
    print(f"the gradient that scikit-learn {sklearn.__version__} computes for {OUTPUTS} outputs:")
    return check_gradient(value_and_gradient, at=theta)


if __name__ == "__main__":
    report = examine()
    print(report)
