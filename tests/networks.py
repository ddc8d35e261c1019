"""A small network with each Function of the library, and with each of its losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from derivable import MSE, Function, Layer, Linear, Network, Problem, functions
from derivable.functions import elementwise, losses
from tests.cases.case import Make

ROWS = 11


@dataclass(frozen=True)
class Example:
    """A network of `layers`, a table `x` and, by default, a target drawn for MSE."""

    name: str
    layers: Callable[[Make], list[Layer]]
    x: Callable[[Make], Tensor] = lambda make: make(ROWS, 5)
    loss: type[Function] = MSE
    y: Callable[[Make], Tensor] | None = None

    @property
    def draws(self) -> bool:
        """Whether a step draws random numbers."""
        return self.name == "Dropout"

    def problem(self) -> Problem:
        """The problem, the same at each call."""
        make = Make()
        torch.manual_seed(5)  # of the generators of layers
        network, x = Network(self.layers(make)), self.x(make)
        if self.y is not None:
            return Problem(network, self.loss, x, self.y(make))
        with torch.no_grad():
            shape = network.train(False)(x).shape
        return Problem(network.train(), self.loss, x, make(*shape))


def linear(make: Make, inputs: int, outputs: int) -> Layer:
    """A Linear layer with weights of size 0.5."""
    return Layer(Linear, w=0.5 * make(inputs, outputs), b=0.1 * make(outputs))


def _inside(function: type[Function], **inputs: Callable[[Make], Any]) -> Example:
    """An example with the Function between two Linear layers, (N, 7) -> (N, 7)."""

    def layers(make: Make) -> list[Layer]:
        positive = [Layer(functions.Sigmoid)] if function.__name__ in ("Log", "Sqrt") else []
        drawn = {name: draw(make) for name, draw in inputs.items()}
        middle = Layer(function, **drawn)
        return [linear(make, 5, 7), *positive, middle, linear(make, 7, 3)]

    return Example(function.__name__, layers)


def _reducing(function: type[Function]) -> Example:
    """An example with a Function that reduces a dimension, (N, 7) -> (N, 1)."""

    def layers(make: Make) -> list[Layer]:
        return [linear(make, 5, 7), Layer(function, dim=1, keepdim=True), linear(make, 1, 2)]

    return Example(function.__name__, layers)


def _image(make: Make) -> Tensor:
    return make(ROWS, 2, 6, 5)


def _conv(make: Make) -> Layer:
    return Layer(functions.Conv2d, weight=0.3 * make(3, 2, 3, 3), bias=make(3), padding=1)


def _images(name: str, *after: Callable[[Make], Layer], size: int) -> Example:
    """An example of a convolution, what comes after it, and a Linear layer of `size` inputs."""

    def layers(make: Make) -> list[Layer]:
        last = [Layer(functions.Flatten), linear(make, size, 2)]
        return [_conv(make), *(one(make) for one in after), *last]

    return Example(name, layers, _image)


def _squares(make: Make) -> Tensor:
    """Matrices (N, 3, 3) near three times the unit matrix."""
    return 3 * torch.eye(3, dtype=make.dtype) + 0.3 * make(ROWS, 3, 3)


def _mixing(make: Make) -> Layer:
    other = torch.eye(3, dtype=make.dtype) + 0.1 * make(3, 3)
    return Layer(functions.MatMul, other=other)


def _attention(make: Make) -> list[Layer]:
    mine = Layer(functions.ScaledDotProductAttention, ("query", "key", "value"), is_causal=True)
    return [linear(make, 5, 7), mine, Layer(functions.Flatten), linear(make, 28, 3)]


def _gru(make: Make) -> list[Layer]:
    weights = {name: 0.4 * make(21, 7) for name in ("w_ih", "w_hh")}
    biases = {name: 0.1 * make(21) for name in ("b_ih", "b_hh")}
    cell = Layer(functions.GRUCell, ("input", "hx"), **weights, **biases)
    return [linear(make, 5, 7), cell, linear(make, 7, 3)]


def _scores(make: Make) -> list[Layer]:
    return [linear(make, 5, 7), Layer(functions.Tanh), linear(make, 7, 3)]


def _log_scores(make: Make) -> list[Layer]:
    return [*_scores(make), Layer(functions.LogSoftmax, dim=1)]


def _labels(make: Make) -> Tensor:
    return make.integers(3, ROWS)


def _signs(make: Make) -> Tensor:
    return 2.0 * make.integers(2, ROWS, 3).to(make.dtype) - 1


def _shares(make: Make) -> Tensor:
    return make(ROWS, 3).softmax(1)


def _with_loss(
    loss: type[Function],
    y: Callable[[Make], Tensor],
    layers: Callable[[Make], list[Layer]] = _scores,
) -> Example:
    return Example(loss.__name__, layers, loss=loss, y=y)


NORMALISED = {"weight": lambda make: make.positive(7), "bias": lambda make: make(7)}

BY_LAYER = [
    *(_inside(getattr(elementwise, name)) for name in elementwise.__all__),
    _inside(functions.Add, other=lambda make: make(7), alpha=lambda make: -0.7),
    _inside(functions.Subtract, other=lambda make: make(7)),
    _inside(functions.Multiply, other=lambda make: make(7)),
    _inside(functions.Divide, other=lambda make: make.positive(7)),
    _inside(functions.Power, exponent=lambda make: 2),
    _inside(functions.MatMul, other=lambda make: 0.4 * make(7, 7)),
    _inside(functions.Linear, w=lambda make: 0.4 * make(7, 7), b=lambda make: make(7)),
    _inside(functions.Softmax, dim=lambda make: 1),
    _inside(functions.LogSoftmax, dim=lambda make: 1),
    *map(_reducing, (functions.Max, functions.Mean, functions.Norm, functions.Sum)),
    _reducing(functions.LogSumExp),
    _images("Conv2d", size=90),
    _images("Flatten", lambda make: Layer(functions.Flatten, start_dim=2), size=90),
    _images("MaxPool2d", lambda make: Layer(functions.MaxPool2d, kernel_size=2), size=18),
    _images(
        "AvgPool2d",
        lambda make: Layer(functions.AvgPool2d, kernel_size=(3, 2), stride=2, padding=1),
        size=27,
    ),
    Example(
        "Conv1d",
        lambda make: [
            Layer(functions.Conv1d, weight=make(3, 2, 2), bias=make(3), stride=2),
            Layer(functions.Flatten),
            linear(make, 9, 2),
        ],
        lambda make: make(ROWS, 2, 7),
    ),
    _inside(
        functions.BatchNorm,
        running_mean=lambda make: torch.zeros(7, dtype=make.dtype),
        running_var=lambda make: torch.ones(7, dtype=make.dtype),
        momentum=lambda make: 0.3,
        **NORMALISED,
    ),
    _inside(functions.GroupNorm, num_groups=lambda make: 7, bias=lambda make: make(7)),
    _inside(functions.LayerNorm, normalized_shape=lambda make: (7,), **NORMALISED),
    _inside(functions.RMSNorm, normalized_shape=lambda make: (7,), weight=NORMALISED["weight"]),
    _inside(functions.Dropout, p=lambda make: 0.3),
    Example(
        "Embedding",
        lambda make: [
            Layer(functions.Embedding, weight=make(13, 5)),
            Layer(functions.Flatten),
            linear(make, 20, 3),
        ],
        lambda make: make.integers(13, ROWS, 4),
    ),
    Example("ScaledDotProductAttention", _attention, lambda make: make(ROWS, 4, 5)),
    Example("GRUCell", _gru),
    Example(
        "Cholesky",
        lambda make: [
            Layer(functions.Multiply, other=torch.tensor([1.5], dtype=make.dtype)),
            Layer(functions.Cholesky),
            Layer(functions.Flatten),
            linear(make, 9, 2),
        ],
        lambda make: _squares(make) @ _squares(make).mT,
    ),
    Example(
        "Inverse",
        lambda make: [
            _mixing(make),
            Layer(functions.Inverse),
            Layer(functions.Flatten),
            linear(make, 9, 2),
        ],
        _squares,
    ),
    Example("LogDet", lambda make: [_mixing(make), Layer(functions.LogDet)], _squares),
    Example("Solve", lambda make: [_mixing(make), Layer(functions.Solve, B=make(3, 2))], _squares),
]
BY_LOSS = [
    _with_loss(losses.BinaryCrossEntropyWithLogits, lambda make: (_signs(make) + 1) / 2),
    _with_loss(losses.CrossEntropy, _labels),
    _with_loss(losses.CrossEntropy, _shares),
    _with_loss(losses.Hinge, _signs),
    _with_loss(losses.Huber, lambda make: make(ROWS, 3)),
    _with_loss(losses.KLDivergence, _shares, _log_scores),
    _with_loss(losses.L1, lambda make: make(ROWS, 3)),
    _with_loss(losses.LogCosh, lambda make: make(ROWS, 3)),
    _with_loss(losses.MSE, lambda make: make(ROWS, 3)),
    _with_loss(losses.NLL, _labels, _log_scores),
    _with_loss(losses.PoissonNLL, lambda make: make.integers(4, ROWS, 3).to(make.dtype)),
]
NO_LAYER = {"LSTMCell": "it returns two tensors"}
