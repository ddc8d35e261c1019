"""The report of a comparison: one HTML file that needs no network and prints well."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from importlib.resources import files
from pathlib import Path

from derivable.comparison import Comparison, Trained
from derivable.comparison.training import EVERY
from derivable.display import style
from derivable.display.html import document, swatch, table
from derivable.display.words import Words
from derivable.files import write_whole
from derivable.report.drawn import Drawn, named
from derivable.report.panels import (
    MOST_TARGETS,
    drawn_rows,
    drawn_targets,
    linear_weights,
    panel_box,
    r2_text,
)
from derivable.report.quality import mean_r2, root_mean_square
from derivable.report.verdict import verdict
from derivable.run.settings import versions_here

MOST_NAMES = 24  # of features, in the sentence that lists them


def write_page(
    comparison: Comparison,
    folder: Path,
    *,
    command: str = "",
    versions: Mapping[str, str] | None = None,
    lang: str | None = None,
) -> Path:
    """Write `report.html` into `folder`, whole or not at all, and return its path.

    All its charts are written beside it, as PNG and SVG.
    `command` repeats the run; `versions` are those that it ran with, these here if left out.
    `lang` is "en" or "fr", DERIVABLE_LANG if left out.
    """
    drawn = Drawn(comparison, lang)
    drawn.write(folder)
    path = folder / "report.html"
    write_whole(path, page(comparison, command, versions, lang, drawn=drawn), sync=False)
    return path


def page(
    comparison: Comparison,
    command: str = "",
    versions: Mapping[str, str] | None = None,
    lang: str | None = None,
    *,
    drawn: Drawn | None = None,
) -> str:
    """The page as one string, with charts that were `drawn` before or are drawn now."""
    words = Words(lang)
    drawn = drawn or Drawn(comparison, lang)
    parts = [
        _head(comparison, words),
        _verdict(comparison, words),
        _results(comparison, words),
        _curves(comparison, drawn, words),
        _bars(comparison, drawn, words),
        *_panels(comparison, drawn, words),
        *_weights(comparison, drawn, words),
        _how(comparison, words),
        _protocol(comparison, words),
        _again(comparison, command, versions or versions_here(), words),
    ]
    css = files("derivable.report").joinpath("page.css").read_text("utf-8")
    title, body = escape(_title(comparison, words)), "\n".join(parts)
    return document(title, words.lang, css, body)


def _title(comparison: Comparison, words: Words) -> str:
    results = comparison.results
    return words(
        "title",
        data=comparison.facts.name,
        n=words.count(len(results)),
        model=results[0].model.name,
    )


def _head(comparison: Comparison, words: Words) -> str:
    facts, seeds = comparison.facts, comparison.seeds
    first, last = words.count(seeds[0]), words.count(seeds[-1])
    subtitle = words(
        "subtitle",
        targets=words.together(facts.targets),
        train=words.count(facts.train_rows),
        test=words.count(facts.test_rows),
        features=words.count(len(facts.features)),
        steps=words.count(comparison.steps),
        seeds=words("one_seed" if len(seeds) == 1 else "seeds", first=first, last=last),
    )
    note = f'<p class="note">{_foreign(facts.note, words)}</p>' if facts.note else ""
    return (
        f"<header>\n<h1>{escape(_title(comparison, words))}</h1>\n"
        f'<p class="soft">{escape(subtitle)}</p>\n{note}</header>'
    )


def _verdict(comparison: Comparison, words: Words) -> str:
    said = "\n".join(f"<p>{_with_code(sentence)}</p>" for sentence in verdict(comparison, words))
    return f'<section class="verdict">\n<h2>{words("verdict")}</h2>\n{said}\n</section>'


def _results(comparison: Comparison, words: Words) -> str:
    several = len(comparison.seeds) > 1
    sheet = any(result.sheet for result in comparison.results)
    heads = ["model", "parameters", "train_loss", "test_loss", "R²", "seconds"]
    if sheet:
        heads += ["sheet", "within"] if several else ["sheet", "spread", "within"]
    rows = [_result(comparison, i, sheet, several, words) for i in range(len(comparison.results))]
    best = next(i for i, r in enumerate(comparison.results) if r is comparison.best)
    notes = [words("measure", measure=_foreign(comparison.facts.in_words, words)), words("r2_note")]
    if several:
        notes.append(words("seeds_note", n=words.count(len(comparison.seeds))))
    if sheet:
        notes.append(words("sheet_note_seeds" if several else "sheet_note"))
    content = table(
        [head if head == "R²" else words(head) for head in heads],
        rows,
        best=best,
        label=words("results"),
    )
    return _section(
        words("results"),
        f"{_scrolling(content, words('results'))}<p class=soft>{' '.join(notes)}</p>",
    )


def _result(
    comparison: Comparison, place: int, sheet: bool, several: bool, words: Words
) -> list[str]:
    result = comparison.results[place]
    score = mean_r2(comparison, result)
    row = [
        swatch(place) + escape(result.model.name),
        words.count(result.descent.network.theta.numel()),
        words.number(result.train_loss),
        words.number(result.test_loss, result.deviation),
        "–" if score is None else words.short(round(score, 3)),
        words.short(result.seconds, 2),
    ]
    if sheet and result.sheet:
        figure = result.sheet
        within = result.holds_sheet_figure if several else result.in_sheet_spread
        row.append(words.number(figure.test_loss))
        if not several:
            low, high = words.number(figure.lowest), words.number(figure.highest)
            row.append(words("to", low=low, high=high))
        row.append(words("yes" if within else "no"))
    elif sheet:
        row += [""] * (2 if several else 3)
    return row


def _curves(comparison: Comparison, drawn: Drawn, words: Words) -> str:
    caption = words("losses_caption")
    if len(comparison.seeds) > 1:
        caption += words("losses_caption_seeds", n=words.count(len(comparison.seeds)))
    ends = _ends(words, {r.model.name: r.train_loss for r in comparison.results})
    svg = drawn["losses"].inline(words("losses_alt", ends=ends))
    return _section(words("losses"), _chart(svg, words("losses"), caption))


def _bars(comparison: Comparison, drawn: Drawn, words: Words) -> str:
    ends = _ends(words, {r.model.name: r.test_loss for r in comparison.results})
    several = len(comparison.seeds) > 1
    caption = words("bars_caption", n=words.count(len(comparison.seeds))) if several else ""
    svg = drawn["test_loss"].inline(words("bars_alt", ends=ends))
    return _section(words("bars"), _chart(svg, words("bars"), caption))


def _panels(comparison: Comparison, drawn: Drawn, words: Words) -> Iterator[str]:
    """Predictions and residuals, one small chart for each model and target."""
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
            panels = []
            for i, result in enumerate(comparison.results):
                label = words(
                    f"{kind}_alt",
                    model=result.model.name,
                    target=name,
                    quality=r2_text(comparison, result, target, words),
                    error=words.short(root_mean_square(comparison, result, target)),
                )
                panels.append(drawn[named(kind, target)].inline_panel(i, panel_box(i), label))
            parts.append(f'<div class="panels">{"".join(panels)}</div>')
        figures = f"<figure>{''.join(parts)}<figcaption>{below}</figcaption></figure>"
        yield _section(words(kind), figures + _targets_left(comparison, words))


def _weights(comparison: Comparison, drawn: Drawn, words: Words) -> Iterator[str]:
    """The weights of the linear model, where there is one."""
    if linear_weights(comparison) is None:
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
        parts.append(_chart(svg, words("weights"), caption))
    yield _section(words("weights"), "".join(parts) + _targets_left(comparison, words))


def _how(comparison: Comparison, words: Words) -> str:
    heads = ["model", "method", "error_estimate", "gradients", "rate"]
    rows = [_descended(result, words) for result in comparison.results]
    content = table([words(head) for head in heads], rows, kind="words", label=words("how"))
    return _section(
        words("how"),
        _scrolling(content, words("how")) + _rates(comparison, words) + _stopped(comparison, words),
    )


def _descended(result: Trained, words: Words) -> list[str]:
    descent = result.descent
    worst = max((run.error_estimate for run in result.descents), key=lambda one: one.deviation)
    method = f"<code>{escape(descent.method)}</code>"
    if descent.method in {"steps", "spectral", "flow"}:
        way = "steps" if descent.method == "flow" and worst.exact else descent.method
        method += f" ({words(f'method_{way}')}; {escape(descent.objective)})"
    accuracy = words.deviation(worst.deviation, exact=worst.exact)
    if worst.note:
        accuracy += f"; {_foreign(worst.note, words)}"
    return [
        escape(result.model.name),
        f'<div class="wide">{method}</div>',
        f'<div class="wide">{accuracy}</div>',
        words.count(sum(run.gradient_evaluations for run in result.descents)),
        escape(words.rate(descent.lr)),
    ]


def _stopped(comparison: Comparison, words: Words) -> str:
    """Which models were stopped early, and after how many steps; of several seeds, the first."""
    return "".join(
        f"<p>{escape(words('stopped', model=result.model.name, steps=steps))}</p>"
        for result in comparison.results
        if result.descent.stopped and (steps := words.count(result.descent.steps))
    )


def _rates(comparison: Comparison, words: Words) -> str:
    """Why each learning rate is what it is; once where several have the same reason."""
    models: dict[str, list[str]] = {}
    for result in comparison.results:
        if result.descent.lr is not None:
            models.setdefault(result.lr_reason, []).append(escape(result.model.name))
    return "".join(
        f"<p>{words('reason', models=words.together(names), reason=_foreign(reason, words))}</p>"
        for reason, names in models.items()
    )


def _protocol(comparison: Comparison, words: Words) -> str:
    facts = comparison.facts
    known = {
        "lab": "protocol_lab",
        "sound": "protocol_sound",
        "sound_last": "protocol_sound_last",
    }
    split = words(
        known.get(facts.protocol, "protocol_other"),
        name=facts.protocol,
        train=words.count(facts.train_rows),
        test=words.count(facts.test_rows),
        seed=words.count(comparison.seeds[0]),
    )
    features = ", ".join(style.shortened(name, 40) for name in facts.features[:MOST_NAMES])
    if len(facts.features) > MOST_NAMES:
        more = words.count(len(facts.features) - MOST_NAMES)
        features = words("columns_more", names=features, n=more)
    columns = words("columns", features=features)
    descent = words(
        "protocol_descent",
        steps=words.count(comparison.steps),
        measure=words.measure(facts.measure),
    )
    sentences = (split, descent, *_training(comparison, words), columns)
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return _section(words("protocol"), said)


def _training(comparison: Comparison, words: Words) -> Iterator[str]:
    """The penalty and the early stopping, where there are such."""
    training = comparison.training
    if training.penalty:
        yield words("protocol_penalty", penalty=words.short(training.penalty))
    if training.patience is not None:
        yield words(
            "protocol_stopping",
            share=words.percent(training.validation),
            n=words.count(training.patience),
            every=words.count(EVERY),
        )


def _again(comparison: Comparison, command: str, versions: Mapping[str, str], words: Words) -> str:
    rows = {
        words("data"): escape(comparison.facts.name),
        words("sha"): f"<code>{comparison.facts.digest}</code>",
        words("versions"): escape(", ".join(f"{name} {v}" for name, v in versions.items())),
    }
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows.items())
    code = f"<pre><code>{escape(command)}</code></pre>" if command else ""
    return _section(
        words("again"), f"{code}<dl>{listed}</dl><p class=soft>{escape(words('files'))}</p>"
    )


def _targets_left(comparison: Comparison, words: Words) -> str:
    count = len(comparison.facts.targets)
    if count <= MOST_TARGETS:
        return ""
    said = words("targets_left", n=words.count(count), shown=words.count(MOST_TARGETS))
    return f'<p class="soft">{said}</p>'


def _section(title: str, content: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{content}\n</section>"


def _chart(svg: str, label: str, caption: str) -> str:
    """A chart that scrolls where the page is too narrow for it."""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    chart = f'<div class="chart">{svg}</div>'
    return f"<figure>{_scrolling(chart, label)}{below}</figure>"


def _scrolling(content: str, label: str) -> str:
    """Something wide, in a frame of its own that the keyboard can reach."""
    reachable = f'tabindex="0" role="region" aria-label="{escape(label)}"'
    return f'<div class="scroll" {reachable}>{content}</div>'


def _ends(words: Words, losses: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {words.number(loss)}" for name, loss in losses.items())


def _with_code(sentence: str) -> str:
    """A sentence whose options are set as code, which does not break after its dashes."""
    return re.sub(r"--[a-z]+ \d+", r"<code>\g<0></code>", escape(sentence))


def _foreign(text: str, words: Words) -> str:
    """What a lower room says in English; marked as such where it cannot be translated."""
    known = words.translated(text)
    return f'<span lang="en">{escape(text)}</span>' if known is None else escape(known)
