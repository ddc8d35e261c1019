"""What the fast objectives can run: Linear layers with activations between them, and MSE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from derivable.errors import SettingError
from derivable.function import Function
from derivable.functions import MSE, Linear
from derivable.network import Network


@dataclass(frozen=True)
class Mlp:
    """A multi-layer perceptron: `sizes` from inputs to outputs, `activations` between them."""

    sizes: tuple[int, ...]
    activations: tuple[type[Function], ...]

    @classmethod
    def of(cls, network: Network, loss: type[Function]) -> Self | None:
        """The perceptron that `network` is; None if it is none, or the loss is not MSE."""
        functions = [layer.function for layer in network.layers]
        if (
            loss is not MSE
            or len(functions) % 2 == 0
            or any(function is not Linear for function in functions[::2])
            or any(list(layer.parameters()) for layer in network.layers[1::2])
        ):
            return None
        weights = [next(layer.parameters()) for layer in network.layers[::2]]
        sizes = (weights[0].size(0), *(w.size(1) for w in weights))
        return cls(sizes, tuple(functions[1::2]))

    @classmethod
    def require(cls, network: Network, loss: type[Function], who: str) -> Self:
        """The same, with a SettingError instead of None."""
        mlp = cls.of(network, loss)
        if mlp is None:
            raise SettingError(
                f"the {who} objective runs Linear layers with activations between them and MSE at "
                "the end; the objective by hand runs any network"
            )
        return mlp
