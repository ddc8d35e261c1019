"""The test rows that a model predicts worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from derivable.comparison import Comparison
from derivable.data.kinds import Date, Text
from derivable.display.words import Words

ROWS = 10
COLUMNS = 4  # of the table that are shown beside


@dataclass(frozen=True)
class Worst:
    """A test row: its line in the file, its true and predicted value, and some cells."""

    line: int
    true: str
    predicted: str
    off: str  # how far the prediction is off; of classes, the probability of the true one
    cells: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """All that is shown of it but its line."""
        return self.true, self.predicted, self.off, *self.cells


def worst_rows(comparison: Comparison, columns: Sequence[str], words: Words) -> list[Worst]:
    """The rows that the best model predicts worst, with their cells of these columns.

    Of numbers, those whose first target is farthest off; of classes, those to whose class the
    model gives the lowest probability.
    """
    facts, predictions = comparison.facts, comparison.best.predictions
    if facts.classes:
        own = predictions.gather(1, facts.y_test[:, None])[:, 0]
        order = own.argsort()[:ROWS].tolist()
        return [
            Worst(
                int(facts.lines[i]),
                facts.classes[int(facts.y_test[i])],
                facts.classes[int(predictions[i].argmax())],
                words.percent(own[i].item()),
                tuple(_cell(comparison, i, name, words) for name in columns),
            )
            for i in order
            if predictions[i].argmax() != facts.y_test[i]
        ]
    true, predicted = facts.y_test[:, 0], predictions[:, 0]
    off = predicted - true
    order = off.abs().argsort(descending=True)[:ROWS].tolist()
    return [
        Worst(
            int(facts.lines[i]),
            words.short(true[i].item(), 4),
            words.short(predicted[i].item(), 4),
            ("+" if off[i] > 0 else "") + words.short(off[i].item()),
            tuple(_cell(comparison, i, name, words) for name in columns),
        )
        for i in order
    ]


def shown_columns(comparison: Comparison, wanted: Sequence[str]) -> list[str]:
    """The first of these columns that have one cell to show."""
    inputs = comparison.facts.columns.inputs if comparison.facts.columns else ()
    dates = {column.name for column in inputs if isinstance(column.reading, Date)}
    return [name for name in wanted if name not in dates][:COLUMNS]


def _cell(comparison: Comparison, row: int, column: str, words: Words) -> str:
    """A cell of a test row, from its features."""
    facts = comparison.facts
    places = facts.places[column]
    own = facts.x_test[row, places].double() * facts.scaler.std[places] + facts.scaler.mean[places]
    inputs = facts.columns.inputs if facts.columns else ()
    reading = next((one.reading for one in inputs if one.name == column), None)
    if not isinstance(reading, Text):
        return words.cell(own[0].item())
    if own.max() < 0.5:
        return "–"
    return facts.features[places[int(own.argmax())]].removeprefix(f"{column}=")
