"""What the fast objectives can run: Linear layers with activations between them, and a loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
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
    def of(
        cls, network: Network, loss: type[Function], losses: Sequence[type[Function]] = (MSE,)
    ) -> Self | None:
        """The perceptron that `network` is; None if it is none, or the loss none of `losses`."""
        functions = [layer.function for layer in network.layers]
        if (
            loss not in losses
            or len(functions) % 2 == 0
            or any(function is not Linear for function in functions[::2])
            or any(list(layer.parameters()) for layer in network.layers[1::2])
        ):
            return None
        shapes = [tuple(p.shape) for p in network.parameters()]
        sizes = (shapes[0][0], *(shape[-1] for shape in shapes[1::2]))
        if shapes != [shape for pair in pairwise(sizes) for shape in (pair, pair[1:])]:
            return None  # by hand, a layer that does not meet the next one is named
        return cls(sizes, tuple(functions[1::2]))

    @classmethod
    def require(
        cls,
        network: Network,
        loss: type[Function],
        who: str,
        losses: Sequence[type[Function]] = (MSE,),
    ) -> Self:
        """The same, with a SettingError instead of None."""
        mlp = cls.of(network, loss, losses)
        if mlp is None:
            raise SettingError(
                f"the {who} objective runs Linear layers with activations between them and "
                f"{' or '.join(one.__name__ for one in losses)} at the end; the objective by hand "
                "runs any network"
            )
        return mlp
