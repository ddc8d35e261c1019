"""One step of gradient descent with several outputs: DescentRegressor's and MLPRegressor's.

    python examples/descent_regressor.py

A step of gradient descent is the learning rate times the gradient of the loss. Here the gradient is
measured, by differences of the loss alone, and the step that a model took is divided by it: 1 is
right. With K outputs scikit-learn's MLPRegressor takes a step K times as long, because its loss is
averaged over the outputs and its gradient is not (issue 8349; `mlp_regressor.py` examines it).
DescentRegressor's step is the one that its loss says, and its gradient passes the examiner.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import sklearn
import torch
from sklearn.neural_network import MLPRegressor

from derivable import MSE, DescentRegressor, Network
from derivable.examiner import Report, check_gradient
from derivable.network import flatten
from derivable.objective import Objective, fastest
from derivable.problem import Problem

EXAMPLES, FEATURES, HIDDEN, OUTPUTS, LR = 13, 5, 2, 3, 0.01
Array = np.ndarray[Any, np.dtype[np.floating]]
Theta = Mapping[str, Array]

numbers = np.random.default_rng(0)
TABLE = numbers.normal(size=(EXAMPLES, FEATURES))
TARGETS = numbers.normal(size=(EXAMPLES, 50))
Y = TARGETS[:, :OUTPUTS]


def squares(parameters: list[Array]) -> Array:
    """The squared errors (N, K) of the network, in plain NumPy."""
    w1, b1, w2, b2 = parameters
    return (np.tanh(TABLE @ w1 + b1) @ w2 + b2 - Y) ** 2


def measured_gradient(loss: Callable[[list[Array]], float], at: list[Array]) -> Array:
    """By central differences, one parameter after the other."""
    step, slopes = 1e-6, []
    for array in at:
        for i in np.ndindex(array.shape):
            kept = array[i]
            values = []
            for moved in (kept + step, kept - step):
                array[i] = moved
                values.append(loss(at))
            array[i] = kept
            slopes.append((values[0] - values[1]) / (2 * step))
    return np.array(slopes)


def step_by_gradient(
    model: Any, parameters: Callable[[Any], list[Array]], loss: Callable[[list[Array]], float]
) -> float:
    """How long a step of `model` is, in learning rates times the gradient of its loss."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one iteration is not enough, which is true
        before = [array.copy() for array in parameters(model.partial_fit(TABLE, Y))]
        after = parameters(model.partial_fit(TABLE, Y))
    step = np.concatenate([(b - a).ravel() for b, a in zip(before, after, strict=True)])
    slope = LR * measured_gradient(loss, before)
    return float(step @ slope / (slope @ slope))


@cache
def engine(outputs: int, dtype: torch.dtype) -> tuple[Network, Objective]:
    """What DescentRegressor descends with on the table with so many targets."""
    network = Network.mlp(FEATURES, HIDDEN, outputs, dtype=dtype)
    x, y = torch.tensor(TABLE, dtype=dtype), torch.tensor(TARGETS[:, :outputs], dtype=dtype)
    problem = Problem(network, MSE, x, y)
    return network, fastest(problem)(problem)


def value_and_gradient(theta: Theta) -> tuple[float, Theta]:
    """Its loss and its gradient at the weights and biases."""
    arrays = [torch.tensor(array) for array in theta.values()]
    network, objective = engine(len(arrays[-1]), arrays[0].dtype)
    loss, gradient = objective.value_and_gradient(flatten(arrays))
    gradients = [part.numpy() for part in network.unflatten(gradient.clone())]
    return loss.item(), dict(zip(theta, gradients, strict=True))


def examine() -> Report:
    """Both steps, printed; then the gradient of ours, examined."""
    theirs = MLPRegressor(
        hidden_layer_sizes=HIDDEN,
        activation="tanh",
        solver="sgd",
        alpha=0,
        momentum=0,
        batch_size=EXAMPLES,
        learning_rate_init=LR,
        random_state=0,
    )
    ours = DescentRegressor(
        HIDDEN, activation="tanh", lr=LR, method="steps", alpha=0.0, standardize=False
    )
    # scikit-learn's loss is half the mean over rows and outputs, ours the mean over the rows.
    step_of_theirs = step_by_gradient(
        theirs,
        lambda model: [
            a for pair in zip(model.coefs_, model.intercepts_, strict=True) for a in pair
        ],
        lambda parameters: float(squares(parameters).mean() / 2),
    )
    step_of_ours = step_by_gradient(
        ours,
        lambda model: [p.detach().numpy() for p in model.network_.parameters()],
        lambda parameters: float(squares(parameters).mean(0).sum()),
    )
    print(f"a step with {OUTPUTS} outputs, in learning rates times the measured gradient:")
    print(f"  MLPRegressor of scikit-learn {sklearn.__version__}: {step_of_theirs:.4f}")
    print(f"  DescentRegressor: {step_of_ours:.4f}")
    w1, b1, w2, b2 = (p.detach().numpy() for p in ours.network_.parameters())
    return check_gradient(value_and_gradient, at={"w1": w1, "b1": b1, "w2": w2, "b2": b2})


if __name__ == "__main__":
    report = examine()
    print(report)
