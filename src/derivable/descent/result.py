"""`Descent`: what a descent found."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from torch import Tensor

from derivable.descent.path import Certificate, Checkpoint
from derivable.descent.snapshots import Snapshots
from derivable.network import Network

if TYPE_CHECKING:
    import polars
    from matplotlib.axes import Axes

    from derivable.display.curves import Curves


@dataclass(frozen=True)
class Descent:
    """What a descent found."""

    network: Network  # a copy of the one that was given, with the last parameters
    losses: Tensor  # (steps + 1,), float64: losses[k] is the training loss after k steps
    lr: float | None
    steps: int  # that were taken; fewer than asked where it was interrupted
    method: str
    objective: str  # the name of the objective that ran
    gradient_evaluations: int
    certificate: Certificate  # how far from exact steps, measured
    seconds: float  # without compile_seconds
    compile_seconds: float  # before the first step: to lay out the table, and to compile loops
    interrupted: bool
    snapshots: Snapshots  # parameters at some of the steps, first and last included
    checkpoint: Checkpoint  # from where `descend(..., start=...)` goes on

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        """The last parameters, in the order w1, b1, w2, b2, ..."""
        return tuple(p.detach() for p in self.network.parameters())

    @property
    def train_loss(self) -> float:
        """The training loss after the last step."""
        return self.losses[-1].item()

    def to_frame(self) -> polars.DataFrame:
        """The losses as a data frame with the columns step and loss."""
        import polars

        return polars.DataFrame({"step": range(len(self.losses)), "loss": self.losses.numpy()})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the loss curve, both axes logarithmic, into `ax` or a new figure."""
        from derivable.display.notebook import plot_losses

        return plot_losses([self._curves()], ax)

    def _curves(self) -> Curves:
        from derivable.display.curves import Curves  # it takes matplotlib, which takes a while

        return Curves(self.method, self.losses.numpy()[None])

    def _repr_html_(self) -> str:
        from derivable.display.notebook import card
        from derivable.display.words import Words

        words = Words()
        first, last = words.number(self.losses[0].item()), words.number(self.train_loss)
        note = words.translated(self.certificate.note) or self.certificate.note
        row = {
            words("loss"): f"{first} → {last}",
            words("n_steps"): words.count(self.steps),
            words("rate"): "–" if self.lr is None else words.short(self.lr),
            words("method"): f"{self.method}, {self.objective}",
            words("certificate"): "; ".join(filter(None, [self.certificate.said(words), note])),
            words("seconds"): words.short(self.seconds),
        }
        cells = [escape(value) for value in row.values()]
        return card(list(row), [cells], [self._curves()])

    def __repr__(self) -> str:
        rate = "" if self.lr is None else f" of lr={self.lr:g}"
        stopped = ", interrupted" if self.interrupted else ""
        return (
            f"Descent(loss {self.losses[0].item():.6g} -> {self.train_loss:.6g} in "
            f"{self.steps:,} steps{rate}, method {self.method}, {self.objective} objective, "
            f"{self.seconds:.2f} s, {self.certificate}{stopped})"
        )
