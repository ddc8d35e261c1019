"""Sections of a report page: predictions, influence of columns, worst rows and linear weights."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from derivable.comparison import Comparison
from derivable.display import style
from derivable.display.html import STACKED, table
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
from derivable.report.parts import chart, legend, panels, scrolling, section
from derivable.report.quality import root_mean_square
from derivable.report.worst import shown_columns, worst_rows


def of_predictions(comparison: Comparison, drawn: Drawn, words: Words) -> Iterator[str]:
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
        parts = []
        for target in drawn_targets(comparison):
            name = comparison.facts.targets[target]
            if len(comparison.facts.targets) > 1:
                parts.append(f"<h3>{escape(name)}</h3>")
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
            parts.append(f'<div class="panels">{"".join(drawings)}</div>')
        figures = f"<figure>{''.join(parts)}<figcaption>{below}</figcaption></figure>"
        yield section(words(kind), figures + _note_of_other_targets(comparison, words))


def _of_classes(comparison: Comparison, drawn: Drawn, words: Words) -> Iterator[str]:
    """The sections of confusion, calibration, and precision against recall."""
    two = len(comparison.facts.classes) == 2
    if "confusion" in drawn:
        parts = []
        for i, result in enumerate(comparison.results):
            quality = accuracy_text(comparison, result, words)
            label = words("confusion_alt", model=result.model.name, quality=quality)
            parts.append(drawn["confusion"].inline_panel(i, panel_box(i), label))
        yield section(words("confusion"), panels(parts, words("confusion_caption")))
    else:
        yield from _most_confused(comparison, words)
    parts = []
    for i, result in enumerate(comparison.results):
        found = calibration_of(comparison, result)
        pairs = ", ".join(
            f"{words.percent(predicted)} → {words.percent(observed)}"
            for predicted, observed in zip(found.predicted, found.observed, strict=True)
        )
        label = words("calibration_alt", model=result.model.name, pairs=pairs)
        parts.append(drawn["calibration"].inline_panel(i, panel_box(i), label))
    value = comparison.facts.classes[1]
    caption = words("calibration_caption_two", value=value) if two else words("calibration_caption")
    yield section(words("calibration"), panels(parts, caption))
    parts = []
    for i, place in enumerate(drawn_classes(comparison)):
        areas = ", ".join(
            f"{result.model.name} {words.short(precision_of(comparison, result, place).area)}"
            for result in comparison.results
        )
        label = words("precision_alt", value=comparison.facts.classes[place], areas=areas)
        parts.append(drawn["precision_recall"].inline_panel(i, panel_box(i), label))
    names = legend([result.model.name for result in comparison.results])
    count = 1 if two else len(comparison.facts.classes)  # for two classes, one curve is enough
    note = _note_of_others(count, len(drawn_classes(comparison)), words)
    yield section(
        words("precision_recall"), names + panels(parts, words("precision_caption")) + note
    )


def _most_confused(comparison: Comparison, words: Words) -> Iterator[str]:
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
            escape(style.shortened(pair.true)),
            escape(style.shortened(pair.predicted)),
            words.count(pair.rows),
            words.percent(pair.rows / pair.of),
        ]
        for pair in pairs
    ]
    content = scrolling(table(heads, cells, label=words("confusion")), words("confusion"))
    gaps = {"model": best.model.name, "classes": words.count(len(comparison.facts.classes))}
    note = words("most_confused_note", **gaps)
    yield section(words("confusion"), f"{content}<p class=soft>{escape(note)}</p>")


def of_columns(comparison: Comparison, drawn: Drawn, words: Words) -> Iterator[str]:
    """The sections of the influence of columns on the best model, and of its worst rows."""
    found = drawn.importances
    model = comparison.best.model.name
    if "importance" in drawn:
        caption = words("importance_caption", model=model, growth=words(growth_key(comparison)))
        if len(found) > MOST_BARS:
            caption += words("importance_rest")
        ends = ", ".join(f"{one.column} {words.short(one.mean)}" for one in found[:5])
        svg = drawn["importance"].inline(words("importance_alt", ends=ends))
        yield section(words("importance"), chart(svg, words("importance"), caption))
    if "dependence" in drawn:
        parts = [
            drawn["dependence"].inline_panel(
                i, panel_box(i), words("dependence_alt", column=one.column, model=model)
            )
            for i, one in enumerate(drawn.dependences)
        ]
        content, lines = panels(parts, words("dependence_caption", model=model)), ""
        names = drawn_lines(comparison)
        if len(names) > 1:
            count = len(comparison.facts.classes or comparison.facts.targets)
            lines, content = legend(names), content + _note_of_others(count, len(names), words)
        yield section(words("dependence"), lines + content)
    yield from _worst(comparison, drawn, words)


def _note_of_others(count: int, shown: int, words: Words) -> str:
    """A note that only `shown` of `count` lines or panels are drawn; empty if all are."""
    if shown == count:
        return ""
    note = words("lines_left", n=words.count(count), shown=words.count(shown))
    return f'<p class="soft">{note}</p>'


def _worst(comparison: Comparison, drawn: Drawn, words: Words) -> Iterator[str]:
    """The section of the test rows that the best model predicts worst, if there are any."""
    columns = shown_columns(comparison, [one.column for one in drawn.importances])
    rows = worst_rows(comparison, columns, words)
    if not rows:
        return
    target = comparison.facts.targets[0]
    off = words("probability_of_true" if comparison.facts.classes else "residual")
    heads = [words("line"), words("true", target=target), words("predicted"), off, *columns]
    cells = [
        [words.count(row.line), *(escape(style.shortened(cell)) for cell in row.texts)]
        for row in rows
    ]
    content = scrolling(table(heads, cells, kind=STACKED, label=words("worst")), words("worst"))
    note = words("worst_note", model=comparison.best.model.name)
    yield section(words("worst"), f"{content}<p class=soft>{escape(note)}</p>")


def of_weights(comparison: Comparison, drawn: Drawn, words: Words) -> Iterator[str]:
    """The section of the weights of the linear model, where there is one."""
    if comparison.facts.classes or linear_weights(comparison) is None:
        return
    parts = []
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
        parts.append(chart(svg, words("weights"), caption))
    yield section(words("weights"), "".join(parts) + _note_of_other_targets(comparison, words))


def _note_of_other_targets(comparison: Comparison, words: Words) -> str:
    """A note that not all targets are drawn; empty if they are."""
    count = len(comparison.facts.targets)
    if count <= MOST_TARGETS:
        return ""
    note = words("targets_left", n=words.count(count), shown=words.count(MOST_TARGETS))
    return f'<p class="soft">{note}</p>'
