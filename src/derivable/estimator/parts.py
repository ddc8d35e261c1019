"""`Part`: the attributes and methods that the parts of an estimator share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor

from derivable.descent import Checkpoint, Descent
from derivable.ensemble import Ensemble
from derivable.ensemble.folds import Array, Table
from derivable.estimator.first_rows import FirstRows
from derivable.estimator.rows import Rows, Units
from derivable.loss import Loss
from derivable.network import Network


class Part(ABC):
    """The parameters, the fitted attributes and the methods that more than one part uses."""

    hidden: Any
    activation: Any
    lr: Any
    method: str
    alpha: Any
    random_state: Any
    network_: Network
    n_iter_: int
    lr_: Any
    lr_reason_: str
    alpha_: float
    penalty_: float
    _seed: int
    _loss: Loss  # of the fit underway
    _units: Units
    _checkpoint: Checkpoint | None
    _first: FirstRows | None  # of a fit by `partial_fit`
    _model: Ensemble | None  # of the last fit by folds

    @abstractmethod
    def _read(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array, Array]:
        """X (N, D), y as it is, and the targets of the network: (N, K), or labels (N,)."""

    @abstractmethod
    def _read_weight(self, sample_weight: Any, X: Array, targets: Array) -> Array | None:
        """How much each row counts, (N,); None where all count alike."""

    @abstractmethod
    def _parsed_loss(self) -> Loss:
        """The loss that the parameter `loss` names."""

    @abstractmethod
    def _width(self, targets: Tensor) -> int:
        """How many outputs the network needs for these targets."""

    @abstractmethod
    def _score_of(self, outputs: Array, targets: Array, weight: Array | None) -> float:
        """The `score` of the network's outputs (N, K), in its own units."""

    @abstractmethod
    def _hidden(self, *, unsplit: bool) -> tuple[int, ...]:
        """The hidden layers of a single network; a linear model where no row can be held out."""

    @abstractmethod
    def _network(self, table: Table, hidden: tuple[int, ...], number: int = 0) -> Network:
        """A network at the start; `number` is that of its fold."""

    @abstractmethod
    def _begin(self, rows: Rows) -> None:
        """Nothing fitted yet: units, and empty curves."""

    @abstractmethod
    def _rate(self, network: Network, table: Table, method: str) -> None:
        """The learning rate; an automatic one stays, unless it is for another method or loss."""

    @abstractmethod
    def _run(
        self, network: Network, table: Table, penalty: float, steps: int, method: str, **more: Any
    ) -> Descent:
        """The descent of a network."""

    @abstractmethod
    def _descend(self, network: Network, table: Table, held: Any, steps: int, method: str) -> None:
        """So many steps more; all fitted attributes are those after them."""

    @abstractmethod
    def _keep(self, network: Network, runs: list[Descent], before: int) -> None:
        """The fitted attributes: what comes of these descents, after so many earlier steps."""
