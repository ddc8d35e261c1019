"""The lab's protocol: its models, learning rates and steps, and the figures of its sheet."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from derivable.core_messages import say
from derivable.errors import SettingError
from derivable.functions import Tanh
from derivable.network import ACTIVATIONS, Network

AUTO = "auto"  # the model that is chosen by the training rows
LAB_STEPS = 80_000
LAB_REASON = say("lab_rate")  # of a learning rate
LAB_MODELS = "linear,tanh:10,relu:10"


@dataclass(frozen=True)
class Model:
    """A kind of network before it meets a table: the linear model, hidden layers, or `AUTO`."""

    activation: str = ""  # empty for the linear model
    hidden: tuple[int, ...] = ()
    automatic: bool = False  # chosen by the training rows; layers are those that were found

    @property
    def name(self) -> str:
        """As a person reads it: linear, tanh(10), relu(32x16), auto."""
        if self.automatic:
            return AUTO
        return f"{self.activation}({'x'.join(map(str, self.hidden))})" if self.hidden else "linear"

    def found(self, network: Network) -> Model:
        """The same, with the layers of a network that was found, where these are chosen."""
        if not self.automatic:
            return self
        widths = [parameter.size(1) for parameter in network.parameters() if parameter.ndim == 2]
        name = network.layers[1].function.__name__.lower() if widths[1:] else ""
        return replace(self, activation=name, hidden=tuple(widths[:-1]))

    @property
    def lr(self) -> float:
        """The learning rate that the lab sheet gives to this kind of model."""
        return 1e-4 if self.hidden else 1e-5

    def weights(self, inputs: int, outputs: int) -> int:
        """The number of parameters for a table, without a network that may be large."""
        sizes = (inputs, *self.hidden, outputs)
        return sum((below + 1) * width for below, width in pairwise(sizes))

    def network(self, inputs: int, outputs: int, seed: int) -> Network:
        """The network of this kind for a table, with the lab's initialisation from `seed`."""
        activation = ACTIVATIONS[self.activation] if self.hidden else Tanh
        return Network.mlp(inputs, *self.hidden, outputs, activation=activation, seed=seed)


def models_of(models: Any) -> tuple[Model, ...]:
    """The models that are meant: text, as `parse_models` takes it, a Model, or several of both.

    Raises SettingError for what is neither, and for the same model twice.
    """
    several = isinstance(models, (list, tuple))
    words = list(models) if several else [models]
    for word in words:
        if not isinstance(word, (str, Model)):
            raise SettingError(say("models_text", kind=type(word).__name__))
    parsed = [parse_models(one) if isinstance(one, str) else (one,) for one in words]
    return _each_once(tuple(model for some in parsed for model in some))


def parse_models(text: str) -> tuple[Model, ...]:
    """Models from text such as "linear,tanh:10,relu:32x16"; also "tanh(10)", as they are shown.

    An activation is an elementwise Function of the library, by its name in lower case.

    Raises SettingError for a word that names no model, or for the same model twice.
    """
    return _each_once(tuple(_parse_model(word.strip()) for word in text.split(",") if word.strip()))


def _each_once(models: tuple[Model, ...]) -> tuple[Model, ...]:
    if not models:
        raise SettingError(say("no_models", example=LAB_MODELS))
    for model in models:
        if models.count(model) > 1:
            raise SettingError(say("model_twice", name=model.name))
    return models


def _parse_model(word: str) -> Model:
    if word == "linear":
        return Model()
    if word == AUTO:
        return Model(automatic=True)
    match = re.fullmatch(r"([a-z_0-9]+)[:(](\d+(?:x\d+)*)\)?", word)
    sizes = tuple(map(int, match[2].split("x"))) if match else ()
    activation = match[1].replace("_", "") if match else ""
    if activation not in ACTIVATIONS or 0 in sizes:
        raise SettingError(say("no_model", word=word, names=list(ACTIVATIONS)))
    return Model(activation, sizes)


@dataclass(frozen=True)
class SheetFigure:
    """The lab sheet's test loss for one model, and how far seeds spread around it.

    The sheet fixes no seed, so its figure is one draw. `lowest` and `highest` bound the test
    losses of the same training over many seeds; docs/architecture.md says how they were found.
    """

    test_loss: float
    lowest: float
    highest: float

    def holds(self, test_loss: float) -> bool:
        """Whether a test loss lies where seeds of the sheet's own training lie."""
        return self.lowest <= test_loss <= self.highest


SHEET_FIGURES = {
    "linear": SheetFigure(1.3584, 1.340, 1.365),
    "tanh(10)": SheetFigure(0.4777, 0.468, 0.488),
    "relu(10)": SheetFigure(0.5675, 0.535, 0.590),
}
