"""`Drawn`: the charts of a comparison by name, each drawn once, at its first use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from pathlib import Path

from matplotlib.figure import Figure

from derivable.comparison import Comparison
from derivable.display.chart import Chart
from derivable.report.charts import loss_curves, test_loss_bars
from derivable.report.class_panels import (
    MOST_CLASSES,
    calibration,
    confusion,
    precision_recall,
)
from derivable.report.influence import Dependence, Importance, Influence, influence_of
from derivable.report.influence_charts import dependence_panels, importance_bars
from derivable.report.panels import (
    drawn_targets,
    linear_weights,
    predicted,
    residuals,
    weight_bars,
)

DEPENDENCES = 3  # of the most important columns


class Drawn:
    """The charts of a comparison: losses, test_loss, importance, dependence, and those of its task.

    Of numbers these are predictions, residuals and weights, of one target each; those of the second
    end in -2, and so on. Of classes they are confusion, calibration and precision_recall.
    """

    def __init__(self, comparison: Comparison, lang: str | None = None) -> None:
        self._comparison, self._lang = comparison, lang
        self._charts = dict[str, Chart]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._draw)

    def __contains__(self, name: str) -> bool:
        return name in self._draw

    def __getitem__(self, name: str) -> Chart:
        if name not in self._charts:
            self._charts[name] = Chart(self._draw[name]())
        return self._charts[name]

    def write(self, folder: Path) -> None:
        """Write all as PNG and SVG."""
        for name in self:
            self[name].write(folder, name)

    @cached_property
    def importances(self) -> list[Importance]:
        """The importance of each column for the best model, the largest first."""
        return self._influence.importances

    @cached_property
    def dependences(self) -> list[Dependence]:
        """The dependence of the best model's predictions on its most important columns."""
        found: list[Dependence] = []
        for one in self.importances:
            if len(found) < DEPENDENCES and one.mean > 2 * one.deviation:
                dependence = self._influence.dependence(one.column)
                found += [dependence] if dependence else []
        return found

    @cached_property
    def _influence(self) -> Influence:
        return influence_of(self._comparison)

    @cached_property
    def _draw(self) -> dict[str, Callable[[], Figure]]:
        comparison, lang = self._comparison, self._lang
        draw: dict[str, Callable[[], Figure]] = {
            "losses": partial(loss_curves, comparison, lang, test=True),
            "test_loss": partial(test_loss_bars, comparison, lang),
        }
        if len(self.importances) > 1:
            draw["importance"] = partial(importance_bars, comparison, self.importances, lang)
        if self.dependences:
            draw["dependence"] = partial(dependence_panels, comparison, self.dependences, lang)
        if comparison.facts.classes:
            if len(comparison.facts.classes) <= MOST_CLASSES:
                draw["confusion"] = partial(confusion, comparison, lang)
            draw["calibration"] = partial(calibration, comparison, lang)
            draw["precision_recall"] = partial(precision_recall, comparison, lang)
            return draw
        linear = linear_weights(comparison) is not None
        for target in drawn_targets(comparison):
            draw[named("predictions", target)] = partial(predicted, comparison, lang, target=target)
            draw[named("residuals", target)] = partial(residuals, comparison, lang, target=target)
            if linear:
                draw[named("weights", target)] = partial(
                    weight_bars, comparison, lang, target=target
                )
        return draw


def named(kind: str, target: int) -> str:
    """The name of a chart of one target."""
    return f"{kind}-{target + 1}" if target else kind
