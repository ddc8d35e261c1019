"""Losses in the compiled pass: cross-entropy beside its peers, and others beside MSE.

    python benchmarks/losses.py                            digits and California Housing
    python benchmarks/losses.py --quick                    tiny, to see that it runs
    python benchmarks/losses.py --write docs/benchmarks.md

Cross-entropy: exact full-batch steps of a network with one hidden layer of 32 tanh units on
scikit-learn's digits (1,797 rows, 64 standardised columns, 10 classes), float32, from the same
parameters, each with its loss; all must have the same losses. Before each turn there is a pause,
after which the threads of the way before sleep, and a few steps that are not timed.

Losses of pairs: exact steps of the lab's tanh(10) on the lab's rows, fused, as medians over turns
of the ratio to MSE.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import shutil
import statistics
import time
import warnings
from pathlib import Path

import _common
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from derivable import MSE, Network, functions
from derivable.data import lab_split, load_california
from derivable.functions import CrossEntropy
from derivable.problem import Problem
from derivable.stepper import choose_stepper

LAB_ROWS = 16_512
LR = 0.1
PAUSE = 0.3  # seconds
PAIRS = [
    functions.L1,
    functions.Huber,
    functions.LogCosh,
    functions.BinaryCrossEntropyWithLogits,
    functions.PoissonNLL,
    functions.Hinge,
]


def digits(rows):
    """A problem of labels."""
    x, labels = load_digits(return_X_y=True)
    x = (x - x.mean(0)) / np.where(x.std(0) == 0, 1, x.std(0))
    network = Network.mlp(64, 32, 10)
    generator = torch.Generator().manual_seed(0)
    network = network.with_theta(0.15 * torch.randn(network.theta.shape, generator=generator))
    x, labels = torch.tensor(x[:rows], dtype=torch.float32), torch.tensor(labels[:rows])
    return Problem(network, CrossEntropy, x, labels)


def ours(problem, name):
    """One of our ways, as `descend(method="steps", objective=name)` runs it."""
    stepper = choose_stepper(problem, name, steps=0)

    def train(steps):
        losses = torch.empty(steps, dtype=torch.float64)
        stepper.take_steps(problem.theta, LR, losses)
        return losses.tolist()

    return train


def compiled(problem, features_major):
    """`torch.compile` of one step written by hand; examples along rows or along columns."""
    if not (shutil.which("g++") or shutil.which("clang++")):
        return None
    shares = torch.nn.functional.one_hot(problem.y, 10).to(problem.dtype)
    x, q = (t.t().contiguous() if features_major else t for t in (problem.x, shares))
    step = torch.compile(_by_columns if features_major else _by_rows, fullgraph=True)

    def train(steps):
        parameters = [p.detach().clone() for p in problem.network.parameters()]
        losses = []
        for _ in range(steps):
            loss, parameters = step(parameters, x, q)
            losses.append(loss.item())
        return losses

    return train


def _by_rows(parameters, x, q):
    w1, b1, w2, b2 = parameters
    h = torch.tanh(x @ w1 + b1)
    log_p = torch.log_softmax(h @ w2 + b2, 1)
    grad = (log_p.exp() - q) / len(x)
    grad_h = grad @ w2.t() * (1 - h * h)
    gradients = x.t() @ grad_h, grad_h.sum(0), h.t() @ grad, grad.sum(0)
    moved = [p - LR * g for p, g in zip(parameters, gradients, strict=True)]
    return -(q * log_p).sum() / len(x), moved


def _by_columns(parameters, x, q):
    w1, b1, w2, b2 = parameters
    h = torch.tanh(w1.t() @ x + b1[:, None])
    log_p = torch.log_softmax(w2.t() @ h + b2[:, None], 0)
    grad = (log_p.exp() - q) / x.size(1)
    grad_h = w2 @ grad * (1 - h * h)
    gradients = x @ grad_h.t(), grad_h.sum(1), h @ grad.t(), grad.sum(1)
    moved = [p - LR * g for p, g in zip(parameters, gradients, strict=True)]
    return -(q * log_p).sum() / x.size(1), moved


def jax_scan(problem, features_major):
    """JAX: `value_and_grad` in a `lax.scan` under `jit`, so that Python is not in the loop."""
    if not importlib.util.find_spec("jax"):
        return None
    import jax
    import jax.numpy as jnp

    x, labels = jnp.asarray(problem.x.numpy()), jnp.asarray(problem.y.numpy())
    x = x.T if features_major else x
    start = [jnp.asarray(p.detach().numpy()) for p in problem.network.parameters()]

    def loss_of(parameters):
        w1, b1, w2, b2 = parameters
        if features_major:
            scores = w2.T @ jnp.tanh(w1.T @ x + b1[:, None]) + b2[:, None]
            log_p = jax.nn.log_softmax(scores, 0)
            return -jnp.mean(jnp.take_along_axis(log_p, labels[None], 0))
        log_p = jax.nn.log_softmax(jnp.tanh(x @ w1 + b1) @ w2 + b2, 1)
        return -jnp.mean(jnp.take_along_axis(log_p, labels[:, None], 1))

    def step(parameters, _):
        loss, gradients = jax.value_and_grad(loss_of)(parameters)
        return [p - LR * g for p, g in zip(parameters, gradients, strict=True)], loss

    scan = jax.jit(lambda p, n: jax.lax.scan(step, p, None, length=n)[1], static_argnums=1)
    return lambda steps: scan(start, steps).block_until_ready().tolist()


def scikit_learn(problem):
    """MLPClassifier by full batches."""
    x, labels = problem.x.numpy(), problem.y.numpy()
    settings = {"solver": "sgd", "momentum": 0, "nesterovs_momentum": False, "alpha": 0}
    settings |= {"hidden_layer_sizes": (32,), "activation": "tanh", "learning_rate_init": LR}
    settings |= {"batch_size": len(x), "shuffle": False, "tol": 0, "warm_start": True}

    def train(steps):
        classifier = MLPClassifier(**settings)
        classifier.partial_fit(x, labels, classes=range(10))  # makes the arrays that we fill
        parameters = [p.detach().numpy().copy() for p in problem.network.parameters()]
        classifier.coefs_, classifier.intercepts_ = parameters[::2], parameters[1::2]
        classifier.set_params(max_iter=steps, n_iter_no_change=steps + 9)
        classifier.loss_curve_ = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has not converged
            classifier.fit(x, labels)
        return classifier.loss_curve_

    return train


def cross_entropy(page, problem, options):
    """The table of the ways to take steps of cross-entropy."""
    ways = {"MLPClassifier": scikit_learn(problem)}
    if not options.quick:
        ways["torch.compile, by rows"] = compiled(problem, features_major=False)
        ways["torch.compile, by columns"] = compiled(problem, features_major=True)
        ways["JAX scan, by rows"] = jax_scan(problem, features_major=False)
        ways["JAX scan, by columns"] = jax_scan(problem, features_major=True)
    peers = [name for name, train in ways.items() if train]
    ways |= {name: ours(problem, name) for name in ("by hand", "features-major", "fused")}
    missing = [name for name, train in ways.items() if not train]
    ways = {name: train for name, train in ways.items() if train}
    expected = ways["by hand"](options.steps)[-1]
    for name, train in ways.items():
        last = train(options.steps)[-1]
        if not math.isclose(last, expected, rel_tol=1e-4):
            raise SystemExit(f"{name}: the last loss is {last}, by hand it is {expected}")
    times = {name: [] for name in ways}
    for _ in range(options.turns):
        for name, train in ways.items():
            time.sleep(options.pause)
            train(options.steps // 5)
            times[name].append(_common.seconds(lambda t=train: t(options.steps))[0] / options.steps)
    medians = {name: statistics.median(found) for name, found in times.items()}
    best = min(medians[name] for name in peers)
    page.head("cross-entropy, one exact step", "microseconds", "times the best other peer's")
    for name, median in medians.items():
        page.row(name, median * 1e6, "" if name in peers else f"{best / median:.2f}")
    for name in missing:
        page.row(name, "not installed", "")


def of_pairs(page, options):
    """The table of losses of pairs beside MSE."""
    x, y, source = table_of(options.rows)
    network = Network.mlp(x.size(1), 10, 1)
    targets = {functions.BinaryCrossEntropyWithLogits: y.sigmoid(), functions.PoissonNLL: y.exp()}
    targets |= {functions.Hinge: torch.where(y > y.mean(), 1.0, -1.0)}

    def step_of(loss):
        problem = Problem(network, loss, x, targets.get(loss, y))
        stepper, losses = (
            choose_stepper(problem, "fused", steps=0),
            torch.empty(options.steps).double(),
        )
        stepper.take_steps(network.theta, 1e-4, losses)  # compiles

        def seconds():
            return _common.seconds(lambda: stepper.take_steps(network.theta, 1e-4, losses))[0]

        return seconds

    plain = step_of(MSE)
    page.head("loss", "microseconds", "times MSE's")
    page.row(
        "MSE", statistics.median(plain() for _ in range(options.turns)) / options.steps * 1e6, "1"
    )
    for loss in PAIRS:
        own = step_of(loss)
        turns = [(own(), plain()) for _ in range(options.turns)]
        ratio = statistics.median(one / other for one, other in turns)
        median = statistics.median(one for one, _ in turns) / options.steps
        page.row(loss.__name__, median * 1e6, f"{ratio:.2f}")
    return source


def table_of(rows):
    """The lab's training rows, or numbers of their size where the table is not to be had."""
    loaded = load_california(wait=0)
    if loaded.name == "california" and rows == LAB_ROWS:
        split = lab_split(loaded)
        return split.x_train, split.y_train, "California Housing"
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, 8, generator=generator)
    return x, x[:, :1].sin() - 0.5 * x[:, 1:2] ** 2 + 2, "random numbers"


def main():
    """Print the tables; write them where that is asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny, to see that it runs")
    parser.add_argument("--write", type=Path, help="a Markdown file to write into")
    options = parser.parse_args()
    options.rows, options.turns, options.steps, options.pause = LAB_ROWS, 9, 1000, PAUSE
    if options.quick:
        options.rows, options.turns, options.steps, options.pause = 300, 2, 10, 0
        torch.set_num_threads(1)
    page, problem = _common.Page(), digits(options.rows)
    with torch.no_grad():
        cross_entropy(page, problem, options)
        page.say()
        source = of_pairs(page, options)
    page.say()
    page.say(
        f"Digits, {problem.rows:,} rows; {source}, {options.rows:,} rows; float32. "
        f"{_common.machine()}"
    )
    if options.write:
        page.write(options.write, "losses")


if __name__ == "__main__":
    main()
