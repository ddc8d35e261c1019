"""Ways to take exact steps of full-batch gradient descent, all behind one call.

A peer is a function of a `Problem` that returns `train(steps)`, which starts from the problem's
parameters and returns the loss before each of its steps; it raises CannotRunError where it cannot
run.
"""

from __future__ import annotations

import importlib.util
import shutil
import warnings
from dataclasses import dataclass
from functools import partial

import _sheet
import torch
from torch import Tensor, nn

from derivable import MSE, Network
from derivable.errors import SettingError
from derivable.problem import Problem as Minimised
from derivable.protocol import Model
from derivable.stepper import choose_stepper


class CannotRunError(Exception):
    """Why a peer does not take part."""


@dataclass(frozen=True)
class Problem:
    """A model of the lab, its table x (N, D), y (N, 1), and its parameters w1, b1, w2, b2."""

    model: Model
    x: Tensor
    y: Tensor
    seed: int = 0

    @property
    def network(self) -> Network:
        """The network, as it is drawn."""
        return self.model.network(self.x.size(1), self.y.size(1), self.seed)

    @property
    def parameters(self):
        """A copy of the parameters; biases are flat."""
        return [p.detach().clone() for p in self.network.parameters()]


def sheet(problem):
    """The lab sheet's own loop."""
    x, y, lr = problem.x, problem.y, problem.model.lr
    if not problem.model.hidden:
        return lambda steps: _sheet.linear_loop(x, y, *_rows(problem.parameters), lr, steps)
    activation = {"tanh": _sheet.Tanh, "relu": _sheet.ReLU}[problem.model.activation]
    return lambda steps: _sheet.network_loop(
        activation, x, y, *_rows(problem.parameters), lr, steps
    )


def autograd(problem):
    """PyTorch as most people write it: modules, backward(), SGD."""
    activation = {"tanh": nn.Tanh, "relu": nn.ReLU}.get(problem.model.activation)

    def train(steps):
        parameters = problem.parameters
        layers = []
        for w, b in zip(parameters[::2], parameters[1::2], strict=True):
            layer = nn.Linear(*w.shape)
            layer.weight.data, layer.bias.data = w.t().contiguous(), b
            layers += [activation(), layer] if layers else [layer]
        network = nn.Sequential(*layers)
        optimiser = torch.optim.SGD(network.parameters(), lr=problem.model.lr)
        losses = []
        with torch.enable_grad():
            for _ in range(steps):
                optimiser.zero_grad()
                loss = nn.functional.mse_loss(network(problem.x), problem.y)
                loss.backward()
                optimiser.step()
                losses.append(loss.item())
        return losses

    return train


def compiled(problem, features_major):
    """`torch.compile` of one step written by hand; examples along rows or along columns."""
    if not (shutil.which("g++") or shutil.which("clang++")):
        raise CannotRunError("torch.compile needs a C++ compiler, and none was found")
    torch._dynamo.reset()
    step = torch.compile(_step_by_columns if features_major else _step_by_rows, fullgraph=True)
    x, y = (t.t().contiguous() if features_major else t for t in (problem.x, problem.y))
    activation = {"tanh": _tanh, "relu": _relu}.get(problem.model.activation)

    def train(steps):
        parameters, losses = problem.parameters, []
        for _ in range(steps):
            loss, parameters = step(parameters, x, y, problem.model.lr, activation)
            losses.append(loss.item())
        return losses

    return train


def jax_scan(problem, features_major):
    """JAX: `value_and_grad` in a `lax.scan` under `jit`, so that Python is not in the loop."""
    if not importlib.util.find_spec("jax"):
        raise CannotRunError("JAX is not installed: pip install -e '.[jax]'")
    import jax
    import jax.numpy as jnp

    activation = {"tanh": jnp.tanh, "relu": jax.nn.relu}.get(problem.model.activation)
    x, y = (jnp.asarray(t.T if features_major else t) for t in map(Tensor.numpy, _table(problem)))
    start = [jnp.asarray(p.numpy()) for p in problem.parameters]

    def predict(parameters):
        units = x
        for i in range(0, len(parameters), 2):
            w, b = parameters[i : i + 2]
            units = activation(units) if i else units
            units = w.T @ units + b[:, None] if features_major else units @ w + b
        return units

    @partial(jax.value_and_grad)
    def loss_and_gradient(parameters):
        return jnp.mean((predict(parameters) - y) ** 2)

    def step(parameters, _):
        loss, gradient = loss_and_gradient(parameters)
        move = partial(jax.tree.map, lambda p, g: p - problem.model.lr * g)
        return move(parameters, gradient), loss

    @partial(jax.jit, static_argnums=1)
    def scan(parameters, steps):
        return jax.lax.scan(step, parameters, None, length=steps)[1]

    return lambda steps: scan(start, steps).block_until_ready().tolist()


def scikit_learn(problem):
    """MLPRegressor by full batches; its loss is half of ours, so its rate is twice ours."""
    from sklearn.neural_network import MLPRegressor

    x, y = problem.x.numpy(), problem.y.numpy().ravel()
    model = problem.model
    settings = {"solver": "sgd", "momentum": 0, "nesterovs_momentum": False, "alpha": 0}
    settings |= {"hidden_layer_sizes": model.hidden, "activation": model.activation or "identity"}
    settings |= {"batch_size": len(x), "shuffle": False, "tol": 0, "warm_start": True}

    def train(steps):
        regressor = MLPRegressor(**settings)
        regressor.partial_fit(x, y)  # makes the arrays that we fill
        parameters = [p.numpy() for p in problem.parameters]
        regressor.coefs_, regressor.intercepts_ = parameters[::2], parameters[1::2]
        regressor.set_params(
            max_iter=steps, n_iter_no_change=steps + 9, learning_rate_init=2 * model.lr
        )
        regressor.loss_curve_ = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has not converged
            regressor.fit(x, y)
        return [2 * loss for loss in regressor.loss_curve_]

    return train


def ours(problem, name):
    """One of our steppers, as `descend(method="steps", objective=name)` runs it."""
    network, lr = problem.network, problem.model.lr
    try:
        stepper = choose_stepper(Minimised(network, MSE, *_table(problem)), name, steps=0)
    except SettingError as error:
        raise CannotRunError(str(error)) from None

    def train(steps):
        losses, theta = torch.empty(steps, dtype=torch.float64), network.theta.to(stepper.dtype)
        stepper.take_steps(theta, lr, losses)
        return losses.tolist()

    return train


SHEET = "the sheet's own loop"
OURS = ("features-major", "fused", "piecewise")
QUICK = {
    SHEET: sheet,
    "autograd, SGD": autograd,
    "MLPRegressor": scikit_learn,
    **{name: partial(ours, name=name) for name in OURS},
}
PEERS = {
    SHEET: sheet,
    "autograd, SGD": autograd,
    "torch.compile, by rows": partial(compiled, features_major=False),
    "torch.compile, by columns": partial(compiled, features_major=True),
    "JAX scan, by rows": partial(jax_scan, features_major=False),
    "JAX scan, by columns": partial(jax_scan, features_major=True),
    "MLPRegressor": scikit_learn,
    **{name: partial(ours, name=name) for name in OURS},
}


def _table(problem):
    return problem.x, problem.y


def _rows(parameters):
    """The sheet's biases are rows."""
    return [p.view(1, -1) if p.dim() == 1 else p for p in parameters]


def _tanh(x):
    output = torch.tanh(x)
    return output, 1 - output * output


def _relu(x):
    return torch.relu(x), (x > 0).to(x.dtype)


def _step_by_rows(parameters, x, y, lr, activation):
    """One step of a network with one hidden layer or none; units are (N, H)."""
    if activation is None:
        w, b = parameters
        error = x @ w + b - y
        grad = error * (2 / len(x))
        return (error * error).mean(), [w - lr * (x.t() @ grad), b - lr * grad.sum(0)]
    w1, b1, w2, b2 = parameters
    h, slope = activation(x @ w1 + b1)
    error = h @ w2 + b2 - y
    grad = error * (2 / len(x))
    grad_h = grad @ w2.t() * slope
    gradients = x.t() @ grad_h, grad_h.sum(0), h.t() @ grad, grad.sum(0)
    moved = [p - lr * g for p, g in zip(parameters, gradients, strict=True)]
    return (error * error).mean(), moved


def _step_by_columns(parameters, x, y, lr, activation):
    """The same with units (H, N)."""
    if activation is None:
        w, b = parameters
        error = w.t() @ x + b[:, None] - y
        grad = error * (2 / x.size(1))
        return (error * error).mean(), [w - lr * (x @ grad.t()), b - lr * grad.sum(1)]
    w1, b1, w2, b2 = parameters
    h, slope = activation(w1.t() @ x + b1[:, None])
    error = w2.t() @ h + b2[:, None] - y
    grad = error * (2 / x.size(1))
    grad_h = w2 @ grad * slope
    gradients = x @ grad_h.t(), grad_h.sum(1), h @ grad.t(), grad.sum(1)
    moved = [p - lr * g for p, g in zip(parameters, gradients, strict=True)]
    return (error * error).mean(), moved
