"""How a descent shows itself in a notebook: its losses and a row of figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from derivable.extras import is_installed, needed
from derivable.templates import shared

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from derivable.display.curves import Curves


class ShownDescent:
    """The face of a `Descent`, which is what it reads; matplotlib is imported when it is shown."""

    losses: Tensor
    lr: Any  # a number, a schedule or None
    steps: int
    method: str
    objective: str
    error_estimate: Any  # with `exact`, `deviation` and `note`
    seconds: float
    interrupted: bool
    stopped: str
    not_compiled: str

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the loss curve, both axes logarithmic, into `ax` or a new figure."""
        with needed("losses_chart"):
            from derivable.display.notebook import plot_losses

        return plot_losses([self._curves()], ax)

    def _curves(self) -> Curves:
        from derivable.display.curves import Curves

        return Curves(self.method, self.losses.numpy()[None])

    def _repr_html_(self) -> str:
        if not is_installed("matplotlib"):
            return shared.plain(repr(self))
        from derivable.display.notebook import card
        from derivable.display.words import Words
        from derivable.messages import SEMICOLON

        words, estimate = Words(), self.error_estimate
        first, last = (words.number(self.losses[k].item()) for k in (0, -1))
        deviation = words.deviation(estimate.deviation, exact=estimate.exact)
        note = words.of(estimate.note)
        row = {
            words("loss"): f"{first} → {last}",
            words("n_steps"): words.count(self.steps),
            words("rate"): words.rate(self.lr),
            words("method"): f"{self.method}, {self.objective}",
            words("error_estimate"): words.of(SEMICOLON).join(filter(None, [deviation, note])),
            words("seconds"): words.short(self.seconds),
        }
        return card(list(row), [list(row.values())], [self._curves()])

    def __repr__(self) -> str:
        rate = f" of lr={self.lr:g}" if isinstance(self.lr, float) else f" of lr={self.lr}"
        rate = "" if self.lr is None else rate
        early = ", interrupted" if self.interrupted else ""
        early = f", stopped: {self.stopped}" if self.stopped else early
        return (
            f"Descent(loss {self.losses[0].item():.6g} -> {self.losses[-1].item():.6g} in "
            f"{self.steps:,} steps{rate}, method {self.method}, {self.objective} objective, "
            f"{self.seconds:.2f} s, {self.error_estimate}{early}"
            + (f"; not compiled: {self.not_compiled})" if self.not_compiled else ")")
        )
