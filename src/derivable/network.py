"""Networks: a chain of Functions with their parameters, run by hand or as a torch module."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from numbers import Integral
from typing import Any, Self, cast

import torch
from torch import Tensor, nn

from derivable.errors import GradientError, SettingError, ShapeError
from derivable.function import Function
from derivable.function.context import Context
from derivable.function.given import shown_function
from derivable.functions import Linear, Tanh, elementwise
from derivable.layer import Layer
from derivable.network_messages import say

# By the names that commands and estimators take: "tanh", "leakyrelu".
ACTIVATIONS: dict[str, type[Function]] = {
    name.lower(): getattr(elementwise, name) for name in elementwise.__all__
}
INITIAL_SCALE = 0.01  # the lab sheet's: weights 0.01 * randn, biases 0


class Network(nn.Module):
    """A chain of layers, x -> layer 1 -> layer 2 -> ... -> yhat.

    There are two ways through it, with the same Functions and so the same gradients: by hand,
    `forward_by_hand` then `backward_by_hand` with one Context per layer and no autograd; and as
    a `torch.nn.Module`, `network(x)` then `.backward()`.

    x (N, ...) holds one example per row, in whatever shape and dtype the first layer takes, and
    yhat (N, ...) one prediction per row.

    `parameters()` come in the order w1, b1, w2, b2, ...; weights are laid out (in, out).
    `theta` is all of them in one flat vector of shape (P,), in the same order.

    `train()` and `eval()` mean what they mean in PyTorch, both ways: in training, which is the mode
    of a new network, Dropout drops and BatchNorm normalises by the batch. What changes on the way,
    generators and running statistics, are buffers.

    Raises SettingError for what is no list of layers, and for layers that share a parameter.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        _check_layers(layers)
        self.layers = cast("list[Layer]", nn.ModuleList(layers))  # torch's list has no item type
        if len(list(self.parameters())) < sum(len(list(one.parameters())) for one in self.layers):
            raise SettingError(say("shared_parameter"))

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
        """The prediction, recorded by autograd; x (N, ...) -> (N, ...)."""
        for layer in self.layers:
            x = layer(x)
        return x

    def forward_by_hand(
        self, x: Tensor, parameters: Sequence[Tensor] | None = None
    ) -> tuple[Tensor, list[Context]]:
        """The prediction and one Context per layer, without autograd; x (N, ...) -> (N, ...).

        `parameters` replaces the network's own, in the order of `parameters()`.

        Raises SettingError if they are too few or too many.
        """
        contexts = []
        for output, ctx in self.layer_by_layer(x, parameters):
            x = output
            contexts.append(ctx)
        return x, contexts

    def layer_by_layer(
        self, x: Tensor, parameters: Sequence[Tensor] | None = None
    ) -> Iterator[tuple[Tensor, Context]]:
        """What each layer returns, and its Context: the steps of `forward_by_hand`."""
        if parameters is None:
            parameters = [p.detach() for p in self.parameters()]
        names = [layer.parameter_names for layer in self.layers]
        count = sum(map(len, names))
        if len(parameters) != count:
            raise SettingError(say("parameters", count=count, got=len(parameters)))
        remaining = iter(parameters)
        for layer, own in zip(self.layers, names, strict=True):
            ctx = Context()
            mine = {name: next(remaining) for name in own}
            x = layer.forward_by_hand(ctx, x, mine)
            yield x, ctx

    def backward_by_hand(self, contexts: list[Context], grad_output: Tensor) -> tuple[Tensor, ...]:
        """The gradient of each parameter, in the order of `parameters()`.

        `contexts` are those of one `forward_by_hand`; `grad_output` (N, ...) is the gradient of
        the loss with respect to the prediction.

        Raises GradientError where a layer returns no gradient that the layers before it need.
        """
        gradients: list[Tensor] = []
        for layer, ctx in zip(reversed(self.layers), reversed(contexts), strict=True):
            grad_x, own = layer.backward_by_hand(ctx, grad_output)
            gradients = own + gradients
            if grad_x is None:
                if len(gradients) < sum(1 for _ in self.parameters()):
                    name = layer.function.__name__
                    raise GradientError(say("no_input_gradient", function=name))
                break
            grad_output = grad_x
        return tuple(gradients)

    @property
    def has_modes(self) -> bool:
        """Whether `train()` and `eval()` make a difference."""
        return any(layer.has_modes for layer in self.layers)

    @property
    def changing(self) -> list[str]:
        """The Functions of the layers whose buffers change as they run in training."""
        return [layer.function.__name__ for layer in self.layers if layer.changing]

    def changing_buffers(self) -> dict[str, Tensor]:
        """What changes as the network runs in training: generators and running statistics."""
        return {
            f"layers.{i}.{name}": layer.get_buffer(name)
            for i, layer in enumerate(self.layers)
            for name in layer.changing
        }

    def set_buffers(self, values: Mapping[str, Tensor]) -> None:
        """Put `values` in the place of the buffers of these names."""
        for name, value in values.items():
            path, _, last = name.rpartition(".")
            device = self.get_buffer(name).device
            self.get_submodule(path).register_buffer(last, value.to(device, copy=True))

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """A context that ends with the buffers that it began with."""
        buffers = self.changing_buffers()  # a layer replaces them and does not overwrite them
        try:
            yield
        finally:
            self.set_buffers(buffers)

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

    def trained(self, theta: Tensor, buffers: Mapping[str, Tensor] | None = None) -> Self:
        """A copy for predictions: the parameters `theta` (P,), these buffers, evaluation mode."""
        twin = self.with_theta(theta)
        twin.set_buffers(buffers or {})
        return twin.eval()


def flatten(tensors: Sequence[Tensor]) -> Tensor:
    """All entries of `tensors`, in order, in one new flat vector."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


def unflatten(theta: Tensor, shapes: Sequence[torch.Size]) -> tuple[Tensor, ...]:
    """Views into the flat vector `theta` (P,), one per shape, in order: undoes `flatten`."""
    sizes = [shape.numel() for shape in shapes]
    if tuple(theta.shape) != (sum(sizes),):
        raise ShapeError(say("theta", size=sum(sizes), shape=str(tuple(theta.shape))))
    return tuple(v.view(s) for v, s in zip(torch.split(theta, sizes), shapes, strict=True))


def _check_layers(layers: Any) -> None:
    """Refuse what is no sequence of layers."""
    wrong = layers
    if isinstance(layers, Sequence | nn.ModuleList):
        wrong = next((one for one in layers if not isinstance(one, Layer)), None)
        if wrong is None:
            return
    kind = wrong.__name__ if isinstance(wrong, type) else type(wrong).__name__
    raise SettingError(say("layers", got=kind))


def _check_mlp(sizes: tuple[int, ...], activation: type[Function], seed: int) -> None:
    if len(sizes) < 2 or not all(isinstance(size, int) and size > 0 for size in sizes):
        raise SettingError(say("sizes", got=str(sizes)))
    if not (isinstance(activation, type) and issubclass(activation, Function)):
        raise SettingError(say("activation", got=shown_function(activation)))
    if not (isinstance(seed, Integral) and 0 <= int(seed) < 2**64):
        raise SettingError(say("seed", got=seed))
