"""`Drawn`: the charts of a comparison by name, each drawn once, when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from derivable.comparison import Comparison
from derivable.display.chart import Chart
from derivable.report.charts import loss_curves, test_loss_bars
from derivable.report.panels import (
    drawn_targets,
    linear_weights,
    predicted,
    residuals,
    weight_bars,
)


class Drawn:
    """The charts of a comparison: losses, test_loss, predictions, residuals and weights.

    The last three are of one target each; those of the second end in -2, and so on.
    """

    def __init__(self, comparison: Comparison, lang: str | None = None) -> None:
        draw = {
            "losses": partial(loss_curves, comparison, lang, test=True),
            "test_loss": partial(test_loss_bars, comparison, lang),
        }
        linear = linear_weights(comparison) is not None
        for target in drawn_targets(comparison):
            draw[named("predictions", target)] = partial(predicted, comparison, lang, target=target)
            draw[named("residuals", target)] = partial(residuals, comparison, lang, target=target)
            if linear:
                draw[named("weights", target)] = partial(
                    weight_bars, comparison, lang, target=target
                )
        self._draw, self._charts = draw, dict[str, Chart]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._draw)

    def __getitem__(self, name: str) -> Chart:
        if name not in self._charts:
            self._charts[name] = Chart(self._draw[name]())
        return self._charts[name]

    def write(self, folder: Path) -> None:
        """Write all as PNG and SVG."""
        for name in self:
            self[name].write(folder, name)


def named(kind: str, target: int) -> str:
    """The name of a chart of one target."""
    return f"{kind}-{target + 1}" if target else kind
