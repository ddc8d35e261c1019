"""Sections of a report page: predictions, influence of columns, worst rows and linear weights."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from derivable.comparison import Comparison
from derivable.display import style
from derivable.display.words import Words
from derivable.report.class_panels import (
    accuracy_text,
    calibration_of,
    drawn_classes,
    most_confused,
    precision_of,
)
from derivable.report.drawn import Drawn, named
from derivable.report.influence_charts import MOST_BARS, drawn_lines, growth_key
from derivable.report.layout import panel_box
from derivable.report.panels import (
    MOST_TARGETS,
    drawn_rows,
    drawn_targets,
    linear_weights,
    r2_text,
)
from derivable.report.parts import STACKED, legend, panels, parts, table
from derivable.report.quality import root_mean_square
from derivable.report.worst import shown_columns, worst_rows


def of_predictions(comparison: Comparison, drawn: Drawn, words: Words) -> Iterator[Markup]:
    """The sections of predictions and residuals; for classes those of `_of_classes`."""
    if comparison.facts.classes:
        yield from _of_classes(comparison, drawn, words)
        return
    rows, dots = comparison.facts.test_rows, len(drawn_rows(comparison))
    caption = words(
        "predictions_caption" if dots < rows else "predictions_caption_all",
        dots=words.count(dots),
        rows=words.count(rows),
    )
    for kind, below in (("predictions", caption), ("residuals", words("residuals_caption"))):
        groups = []
        for target in drawn_targets(comparison):
            name = comparison.facts.targets[target]
            drawings = []
            for i, result in enumerate(comparison.results):
                label = words(
                    f"{kind}_alt",
                    model=result.model.name,
                    target=name,
                    quality=r2_text(comparison, result, target, words),
                    error=words.short(root_mean_square(comparison, result, target)),
                )
                drawings.append(drawn[named(kind, target)].inline_panel(i, panel_box(i), label))
            groups.append((name if len(comparison.facts.targets) > 1 else "", drawings))
        figures = parts.panels(groups, below)
        yield parts.section(words(kind), figures + _note_of_other_targets(comparison, words))


def _of_classes(comparison: Comparison, drawn: Drawn, words: Words) -> Iterator[Markup]:
    """The sections of confusion, calibration, and precision against recall."""
    two = len(comparison.facts.classes) == 2
    if "confusion" in drawn:
        drawings = []
        for i, result in enumerate(comparison.results):
            quality = accuracy_text(comparison, result, words)
            label = words("confusion_alt", model=result.model.name, quality=quality)
            drawings.append(drawn["confusion"].inline_panel(i, panel_box(i), label))
        yield parts.section(words("confusion"), panels(drawings, words("confusion_caption")))
    else:
        yield from _most_confused(comparison, words)
    drawings = []
    for i, result in enumerate(comparison.results):
        found = calibration_of(comparison, result)
        pairs = ", ".join(
            f"{words.percent(predicted)} → {words.percent(observed)}"
            for predicted, observed in zip(found.predicted, found.observed, strict=True)
        )
        label = words("calibration_alt", model=result.model.name, pairs=pairs)
        drawings.append(drawn["calibration"].inline_panel(i, panel_box(i), label))
    value = comparison.facts.classes[1]
    caption = words("calibration_caption_two", value=value) if two else words("calibration_caption")
    yield parts.section(words("calibration"), panels(drawings, caption))
    drawings = []
    for i, place in enumerate(drawn_classes(comparison)):
        areas = ", ".join(
            f"{result.model.name} {words.short(precision_of(comparison, result, place).area)}"
            for result in comparison.results
        )
        label = words("precision_alt", value=comparison.facts.classes[place], areas=areas)
        drawings.append(drawn["precision_recall"].inline_panel(i, panel_box(i), label))
    names = legend([result.model.name for result in comparison.results])
    count = 1 if two else len(comparison.facts.classes)  # for two classes, one curve is enough
    note = _note_of_others(count, len(drawn_classes(comparison)), words)
    yield parts.section(
        words("precision_recall"), names + panels(drawings, words("precision_caption")) + note
    )


def _most_confused(comparison: Comparison, words: Words) -> Iterator[Markup]:
    """The section of the pairs of classes that the best model confuses most often."""
    best = comparison.best
    pairs = most_confused(comparison, best)
    if not pairs:
        return
    heads = [
        words(key) for key in ("class_of_row", "class_predicted", "test_rows", "share_of_class")
    ]
    cells = [
        [
            style.shortened(pair.true),
            style.shortened(pair.predicted),
            words.count(pair.rows),
            words.percent(pair.rows / pair.of),
        ]
        for pair in pairs
    ]
    content = table(heads, cells, words("confusion"))
    gaps = {"model": best.model.name, "classes": words.count(len(comparison.facts.classes))}
    note = words("most_confused_note", **gaps)
    yield parts.section(words("confusion"), content + parts.note(note))


def of_columns(comparison: Comparison, drawn: Drawn, words: Words) -> Iterator[Markup]:
    """The sections of the influence of columns on the best model, and of its worst rows."""
    found = drawn.importances
    model = comparison.best.model.name
    if "importance" in drawn:
        caption = words("importance_caption", model=model, growth=words(growth_key(comparison)))
        if len(found) > MOST_BARS:
            caption += words("importance_rest")
        ends = ", ".join(f"{one.column} {words.short(one.mean)}" for one in found[:5])
        svg = drawn["importance"].inline(words("importance_alt", ends=ends))
        yield parts.section(words("importance"), parts.chart(svg, words("importance"), caption))
    if "dependence" in drawn:
        drawings = [
            drawn["dependence"].inline_panel(
                i, panel_box(i), words("dependence_alt", column=one.column, model=model)
            )
            for i, one in enumerate(drawn.dependences)
        ]
        content = panels(drawings, words("dependence_caption", model=model))
        names = drawn_lines(comparison)
        if len(names) > 1:
            count = len(comparison.facts.classes or comparison.facts.targets)
            content = legend(names) + content + _note_of_others(count, len(names), words)
        yield parts.section(words("dependence"), content)
    yield from _worst(comparison, drawn, words)


def _note_of_others(count: int, shown: int, words: Words) -> Markup:
    """A note that only `shown` of `count` lines or panels are drawn; empty if all are."""
    if shown == count:
        return Markup()
    note = words("lines_left", n=words.count(count), shown=words.count(shown))
    return parts.note(note)


def _worst(comparison: Comparison, drawn: Drawn, words: Words) -> Iterator[Markup]:
    """The section of the test rows that the best model predicts worst, if there are any."""
    columns = shown_columns(comparison, [one.column for one in drawn.importances])
    rows = worst_rows(comparison, columns, words)
    if not rows:
        return
    target = comparison.facts.targets[0]
    off = words("probability_of_true" if comparison.facts.classes else "residual")
    heads = [words("line"), words("true", target=target), words("predicted"), off, *columns]
    cells = [[words.count(row.line), *map(style.shortened, row.texts)] for row in rows]
    content = table(heads, cells, words("worst"), kind=STACKED)
    note = words("worst_note", model=comparison.best.model.name)
    yield parts.section(words("worst"), content + parts.note(note))


def of_weights(comparison: Comparison, drawn: Drawn, words: Words) -> Iterator[Markup]:
    """The section of the weights of the linear model, where there is one."""
    if comparison.facts.classes or linear_weights(comparison) is None:
        return
    charts = []
    for target in drawn_targets(comparison):
        name = comparison.facts.targets[target]
        found = linear_weights(comparison, target)
        assert found is not None
        caption = words("weights_caption")
        if found.left:
            caption += words(
                "weights_rest",
                shown=words.count(len(found.values)),
                n=words.count(len(found.values) + len(found.left)),
                most=words.short(max(map(abs, found.left))),
            )
        ends = ", ".join(
            f"{feature} {words.short(value)}"
            for feature, value in zip(found.names[:5], found.values[:5], strict=True)
        )
        label = words("weights_alt", target=name, ends=ends)
        svg = drawn[named("weights", target)].inline(label)
        charts.append(parts.chart(svg, words("weights"), caption))
    yield parts.section(
        words("weights"), Markup().join(charts) + _note_of_other_targets(comparison, words)
    )


def _note_of_other_targets(comparison: Comparison, words: Words) -> Markup:
    """A note that not all targets are drawn; empty if they are."""
    count = len(comparison.facts.targets)
    if count <= MOST_TARGETS:
        return Markup()
    note = words("targets_left", n=words.count(count), shown=words.count(MOST_TARGETS))
    return parts.note(note)
