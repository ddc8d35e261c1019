"""Networks: a chain of Functions with their parameters, run by hand or as a torch module."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import pairwise
from numbers import Integral
from typing import Self, cast

import torch
from torch import Tensor, nn

from derivable.errors import SettingError, ShapeError
from derivable.function import Function
from derivable.function.context import Context
from derivable.function.gradients import as_tuple
from derivable.functions import Linear, Tanh, elementwise

# By the names that commands and estimators take: "tanh", "leakyrelu".
ACTIVATIONS: dict[str, type[Function]] = {
    name.lower(): getattr(elementwise, name) for name in elementwise.__all__
}
INITIAL_SCALE = 0.01  # the lab sheet's: weights 0.01 * randn, biases 0


class Layer(nn.Module):
    """One Function and the parameters that it is applied with, in the order of its arguments."""

    def __init__(self, function: type[Function], **parameters: Tensor) -> None:
        super().__init__()
        self.function = function
        for name, value in parameters.items():
            self.register_parameter(name, nn.Parameter(value))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the Function under autograd."""
        output: Tensor = self.function.apply(x, *self.parameters())
        return output

    def extra_repr(self) -> str:
        """The Function and the shapes of its parameters, for `print(network)`."""
        shapes = (f"{name} {tuple(p.shape)}" for name, p in self.named_parameters())
        return ", ".join([self.function.__name__, *shapes])


class Network(nn.Module):
    """A chain of layers, x -> layer 1 -> layer 2 -> ... -> yhat.

    There are two ways through it, with the same Functions and so the same gradients: by hand,
    `forward_by_hand` then `backward_by_hand` with one Context per layer and no autograd; and as
    a `torch.nn.Module`, `network(x)` then `.backward()`.

    `parameters()` come in the order w1, b1, w2, b2, ...; weights are laid out (in, out).
    `theta` is all of them in one flat vector of shape (P,), in the same order.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self.layers = cast("list[Layer]", nn.ModuleList(layers))  # torch's list has no item type

    @classmethod
    def linear(
        cls, inputs: int, outputs: int = 1, *, seed: int = 0, dtype: torch.dtype = torch.float32
    ) -> Self:
        """The linear model x w + b, from (N, inputs) to (N, outputs)."""
        return cls.mlp(inputs, outputs, seed=seed, dtype=dtype)

    @classmethod
    def mlp(
        cls,
        *sizes: int,
        activation: type[Function] = Tanh,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
    ) -> Self:
        """A multi-layer perceptron: `mlp(8, 10, 1)` has 8 inputs, 10 hidden units, 1 output.

        `activation` stands after every layer but the last. The weights are the lab sheet's,
        0.01 * randn, from a generator of their own seeded with `seed`; the biases are 0. They
        are drawn in float32 and then cast, so that a seed means the same network in any dtype.

        Raises SettingError for sizes that are not positive integers, or fewer than two, for an
        activation that is no Function, and for a seed that no generator takes.
        """
        _check_mlp(sizes, activation, seed)
        generator = torch.Generator().manual_seed(seed)
        layers: list[Layer] = []
        for inputs, outputs in pairwise(sizes):
            if layers:
                layers.append(Layer(activation))
            w = INITIAL_SCALE * torch.randn(inputs, outputs, generator=generator)
            layers.append(Layer(Linear, w=w.to(dtype), b=torch.zeros(outputs, dtype=dtype)))
        return cls(layers)

    def forward(self, x: Tensor) -> Tensor:
        """The prediction, recorded by autograd; x (N, in) -> (N, out)."""
        for layer in self.layers:
            x = layer(x)
        return x

    def forward_by_hand(
        self, x: Tensor, parameters: Sequence[Tensor] | None = None
    ) -> tuple[Tensor, list[Context]]:
        """The prediction and one Context per layer, without autograd; x (N, in) -> (N, out).

        `parameters` replaces the network's own, in the order of `parameters()`.

        Raises SettingError if they are too few or too many.
        """
        own = [p.detach() for p in self.parameters()]
        if parameters is not None and len(parameters) != len(own):
            raise SettingError(
                f"parameters must hold {len(own)} tensors, one per parameter of the network in "
                f"the order w1, b1, w2, b2, ...; got {len(parameters)}"
            )
        remaining = iter(own if parameters is None else parameters)
        contexts = [Context() for _ in self.layers]
        for layer, ctx in zip(self.layers, contexts, strict=True):
            weights = [next(remaining) for _ in layer.parameters()]
            x = layer.function.forward(ctx, x, *weights)
        return x, contexts

    def backward_by_hand(self, contexts: list[Context], grad_output: Tensor) -> tuple[Tensor, ...]:
        """The gradient of each parameter, in the order of `parameters()`.

        `contexts` are those of one `forward_by_hand`; `grad_output` (N, out) is the gradient of
        the loss with respect to the prediction.
        """
        gradients: list[Tensor] = []
        for layer, ctx in zip(reversed(self.layers), reversed(contexts), strict=True):
            grad_output, *others = as_tuple(layer.function.backward(ctx, grad_output))
            count = sum(1 for _ in layer.parameters())  # what follows belongs to options, as None
            gradients = others[:count] + gradients
        return tuple(gradients)

    @property
    def theta(self) -> Tensor:
        """A copy of all parameters as one flat vector (P,)."""
        return flatten([p.detach() for p in self.parameters()])

    def unflatten(self, theta: Tensor) -> tuple[Tensor, ...]:
        """Views into `theta` (P,) with the shapes of `parameters()`."""
        return unflatten(theta, [p.shape for p in self.parameters()])

    def with_theta(self, theta: Tensor) -> Self:
        """A copy of this network that has the parameters `theta` (P,)."""
        twin = copy.deepcopy(self)
        with torch.no_grad():
            for parameter, value in zip(twin.parameters(), self.unflatten(theta), strict=True):
                parameter.copy_(value)
        return twin


def flatten(tensors: Sequence[Tensor]) -> Tensor:
    """All entries of `tensors`, in order, in one new flat vector."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


def unflatten(theta: Tensor, shapes: Sequence[torch.Size]) -> tuple[Tensor, ...]:
    """Views into the flat vector `theta` (P,), one per shape, in order: undoes `flatten`."""
    sizes = [shape.numel() for shape in shapes]
    if tuple(theta.shape) != (sum(sizes),):
        raise ShapeError(
            f"theta must have shape ({sum(sizes)},), one number per parameter of the network, "
            f"got {tuple(theta.shape)}"
        )
    return tuple(v.view(s) for v, s in zip(torch.split(theta, sizes), shapes, strict=True))


def _check_mlp(sizes: tuple[int, ...], activation: type[Function], seed: int) -> None:
    if len(sizes) < 2 or not all(isinstance(size, int) and size > 0 for size in sizes):
        raise SettingError(
            "a network needs at least two sizes, inputs first and outputs last, all positive "
            f"integers; got {sizes}; for example Network.mlp(8, 10, 1)"
        )
    if not (isinstance(activation, type) and issubclass(activation, Function)):
        raise SettingError(
            f"activation must be a Function class such as Tanh or ReLU, got {activation!r}"
        )
    if not (isinstance(seed, Integral) and 0 <= int(seed) < 2**64):
        raise SettingError(f"seed must be a whole number, 0 or more and below 2**64, got {seed!r}")
