"""`SavedModel`: a trained model in one file, which is all that a prediction needs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor

import derivable
from derivable.comparison import Facts, Trained
from derivable.data import Columns, Scaler
from derivable.data.columns import Column
from derivable.data.kinds import Classes, Text
from derivable.errors import DataError, SettingError
from derivable.messages import Message, message_of
from derivable.network import ACTIVATIONS, Network
from derivable.protocol import Model
from derivable.run.messages import say
from derivable.tensors import load_tensors, save_tensors

if TYPE_CHECKING:
    from derivable.data.sheet import Sheet


@dataclass(frozen=True)
class SavedModel:
    """A network with all that leads from the columns of a table to a prediction."""

    model: Model
    network: Network
    columns: Columns  # from a table to features and targets
    scaler: Scaler
    about: dict[str, Any]  # how it was trained, for people

    def __post_init__(self) -> None:
        """Refuse a network of other layers than those that the model describes."""
        own = self.model.network(len(self.columns.features), self.columns.width, seed=0)
        if str(own) != str(self.network):
            functions = ", ".join(layer.function.__name__ for layer in self.network.layers)
            raise SettingError(say("no_perceptron", model=self.model.name, layers=functions))

    @classmethod
    def of(cls, result: Trained, facts: Facts) -> Self:
        """A trained model; of several seeds, that of the first."""
        run = result.descent
        about = {
            "data": facts.name,
            "sha256": facts.digest,
            "train_rows": facts.train_rows,
            "protocol": facts.protocol,
            "loss": facts.in_words,
            "train_loss": result.unit * run.train_loss,
            "test_loss": result.test_losses[0],
            "method": run.method,
            "lr": result.lr,
            "schedule": result.schedule,
            "steps": run.steps,
            "chosen": result.choice.model or None,
        }
        return cls(result.model, run.network, columns_of(facts), facts.scaler, about)

    def save(self, file: Path | str) -> None:
        """Write it: the network's `state_dict` as safetensors, all else as JSON beside it.

        The tensors go into `Network.load_state_dict`; the words are under `derivable`.
        """
        words = {
            "version": derivable.__version__,
            "model": self.model.name,
            "activation": self.model.activation,
            "hidden": self.model.hidden,
            "automatic": self.model.automatic,
            "columns": self.columns.to_dict(),
            "scaler": {name: value.tolist() for name, value in asdict(self.scaler).items()},
            "about": self.about,
        }
        save_tensors(file, self.network.state_dict(), {"derivable": json.dumps(words)})

    @classmethod
    def load(cls, file: Path | str) -> Self:
        """Read what `save` wrote. Raises DataError for any other file."""
        expected = say("expected")
        try:
            tensors, words = load_tensors(file)
        except DataError as error:
            raise DataError(say("and_expected", error=error, expected=expected)) from None
        try:
            known = json.loads(words["derivable"])
            automatic = bool(known.get("automatic", False))
            model = Model(known["activation"], tuple(known["hidden"]), automatic)
            if model.activation not in ("", *ACTIVATIONS):
                raise ValueError(say("unknown_activation", activation=model.activation))
            columns = Columns.from_dict(known["columns"])
            network = model.network(len(columns.features), columns.width, seed=0)
            network.load_state_dict(tensors)
            scaler = Scaler(
                **{
                    name: torch.tensor(value, dtype=torch.float64)
                    for name, value in known["scaler"].items()
                }
            )
            return cls(model, network, columns, scaler, known["about"])
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            gaps = {"error": _first_line(error), "expected": expected}
            raise DataError(say("no_model", file=file, **gaps)) from None

    def predict(self, sheet: Sheet, *, fill: bool = False) -> Tensor:
        """The targets (N, K) in their own units, of a table that `read_sheet` read.

        Of a target of classes, the probability of each, (N, C). Columns are found by name. `fill`
        puts the training rows' median where a value is missing.
        Raises DataError for a column or, without `fill`, a value that is missing, for a cell that
        cannot be read, and for text that the model has not met.
        """
        from derivable.data import reading

        x = reading.features(sheet, self.columns)
        holes = x.isnan().nonzero()
        if len(holes) and not fill:
            row, feature = holes[0].tolist()
            place = sheet.place(row, self.columns.owners[feature])
            raise DataError(say("no_value", place=place))
        return self.predictions(x)

    def predictions(self, x: Tensor) -> Tensor:
        """The same of features (N, D) as they stand in a table, in float64; NaN is the median."""
        standardised = self.scaler.features(x).to(self.network.theta.dtype)
        yhat, _ = self.network.forward_by_hand(standardised)
        if self.columns.classes:
            return yhat.double().softmax(1)
        return self.scaler.predictions(yhat)


def columns_of(facts: Facts) -> Columns:
    """How columns become features and targets; a table without a file has plain numbers."""
    if facts.columns is not None:
        return facts.columns
    outputs = tuple(map(Column, facts.targets))
    if facts.classes:
        reading = Classes(facts.classes, Text(facts.classes))
        outputs = (Column(facts.targets[0], reading),)
    return Columns(tuple(map(Column, facts.features)), outputs)


def _first_line(error: Exception) -> str:
    """What went wrong; the name of a missing key alone explains nothing."""
    if isinstance(error, KeyError):
        return say("says_nothing", name=str(error))
    if isinstance(message_of(error), Message):
        return message_of(error)
    return (str(error).splitlines() or [type(error).__name__])[0]
