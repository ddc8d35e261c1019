"""The report of a comparison: one HTML file that needs no network and prints well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup

from derivable.comparison import Comparison, Trained
from derivable.comparison.training import EVERY
from derivable.display import style
from derivable.display.words import Words
from derivable.files import write_whole
from derivable.messages import SEMICOLON
from derivable.report.drawn import Drawn
from derivable.report.parts import ends, filled, foreign, parts, table, with_code
from derivable.report.results import results
from derivable.report.sections import of_columns, of_predictions, of_weights
from derivable.report.verdict import verdict
from derivable.run.settings import versions_here
from derivable.templates import shared

MOST_TRIED = 12  # models that were tried by auto
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
    losses = [_curves(comparison, drawn, words), _bars(comparison, drawn, words)]
    found = [
        *of_predictions(comparison, drawn, words),
        *of_columns(comparison, drawn, words),
        *of_weights(comparison, drawn, words),
    ]
    in_lab = comparison.facts.protocol == "lab"  # whose sheet asks for the losses
    sections = [
        _head(comparison, words),
        _verdict(comparison, words),
        results(comparison, words),
        *(losses + found if in_lab else found + losses),
        _how(comparison, words),
        _protocol(comparison, words),
        _again(comparison, command, versions or versions_here(), words),
    ]
    css = files("derivable.report").joinpath("page.css").read_text("utf-8")
    body = Markup("\n").join(sections)
    return shared.document(_title(comparison, words), words.lang, Markup(css), body)


def _title(comparison: Comparison, words: Words) -> str:
    results = comparison.results
    return words(
        "title",
        data=comparison.facts.name,
        n=words.count(len(results)),
        model=results[0].model.name,
    )


def _head(comparison: Comparison, words: Words) -> Markup:
    facts, seeds = comparison.facts, comparison.seeds
    first, last = words.count(seeds[0]), words.count(seeds[-1])
    how = [words("one_seed" if len(seeds) == 1 else "seeds", first=first, last=last)]
    if comparison.counts_steps:
        how.insert(0, f"{words.count(comparison.steps)} {words('n_steps')}")
    subtitle = words(
        "subtitle",
        targets=words.together(facts.targets),
        train=words.count(facts.train_rows),
        test=words.count(facts.test_rows),
        n=words.count(len(facts.features)),
        how=", ".join(how),
    )
    note = foreign(facts.note, words) if facts.note else ""
    return parts.head(_title(comparison, words), subtitle, note)


def _verdict(comparison: Comparison, words: Words) -> Markup:
    sentences = map(with_code, verdict(comparison, words))
    return parts.section(words("verdict"), parts.paragraphs(sentences), "verdict")


def _curves(comparison: Comparison, drawn: Drawn, words: Words) -> Markup:
    caption = words("losses_caption")
    if len(comparison.seeds) > 1:
        caption += words("losses_caption_seeds", n=words.count(len(comparison.seeds)))
    last_losses = ends(words, {r.model.name: r.train_loss for r in comparison.results})
    svg = drawn["losses"].inline(words("losses_alt", ends=last_losses))
    return parts.section(words("losses"), parts.chart(svg, words("losses"), caption))


def _bars(comparison: Comparison, drawn: Drawn, words: Words) -> Markup:
    last_losses = ends(words, {r.model.name: r.test_loss for r in comparison.results})
    several = len(comparison.seeds) > 1
    caption = words("bars_caption", n=words.count(len(comparison.seeds))) if several else ""
    svg = drawn["test_loss"].inline(words("bars_alt", ends=last_losses))
    return parts.section(words("bars"), parts.chart(svg, words("bars"), caption))


def _how(comparison: Comparison, words: Words) -> Markup:
    heads = ["model", "parameters", "method", "error_estimate", "gradients", "rate"]
    rows = [_descended(result, words) for result in comparison.results]
    content = [
        table([words(head) for head in heads], rows, words("how"), kind="words"),
        parts.paragraphs([*_rates(comparison, words), *_stopped(comparison, words)]),
        *_chosen(comparison, words),
    ]
    return parts.section(words("how"), Markup().join(content))


def _descended(result: Trained, words: Words) -> list[str]:
    descent = result.descent
    worst = max((run.error_estimate for run in result.descents), key=lambda one: one.deviation)
    way = ""
    if descent.method in {"steps", "spectral", "flow"}:
        way = "steps" if descent.method == "flow" and worst.exact else descent.method
        way = words(f"method_{way}") + words.of(SEMICOLON) + descent.objective
    accuracy = words.deviation(worst.deviation, exact=worst.exact)
    if worst.note:
        accuracy = Markup().join([accuracy, words.of(SEMICOLON), foreign(worst.note, words)])
    return [
        result.model.name,
        words.count(descent.network.theta.numel()),
        parts.method(descent.method, way),
        parts.wide(accuracy),
        words.count(sum(run.gradient_evaluations for run in result.descents)),
        words.rate(descent.lr),
    ]


def _chosen(comparison: Comparison, words: Words) -> Iterator[Markup]:
    """What the model auto chose, why, and what else was tried."""
    for result in comparison.results:
        if not result.choice.model:
            continue
        chosen = words("chosen", model=result.model.name, chosen=result.choice.model)
        sentence = Markup().join([chosen, foreign(result.choice.reason, words), "."])
        heads = [words(key) for key in ("model", "held_loss", "held_error", "folds")]
        rows = [
            [_tried(one), words.short(one["loss"], 4), words.short(one["error"], 2),
             words.count(one["folds"])]
            for one in result.choice.tried[:MOST_TRIED]
        ]  # fmt: skip
        best = next((i for i, one in enumerate(result.choice.tried) if one["chosen"]), None)
        yield parts.paragraphs([sentence])
        yield table(heads, rows, words("tried"), best=best)


def _tried(one: Mapping[str, Any]) -> str:
    """A model that was tried, by name and penalty, or its share in a mixture."""
    setting = "" if one["alpha"] is None else f", alpha={one['alpha']:.3g}"
    share = "" if one["share"] is None else f", {one['share']:.2f}"
    return f"{one['model']}{setting}{share}"


def _stopped(comparison: Comparison, words: Words) -> Iterator[str]:
    """Which models were stopped early, and after how many steps; of several seeds, the first."""
    for result in comparison.results:
        if result.descent.stopped:
            steps = words.count(result.descent.steps)
            yield words("stopped", model=result.model.name, steps=steps)


def _rates(comparison: Comparison, words: Words) -> Iterator[str]:
    """The reason for each learning rate; one message for several with the same reason."""
    models: dict[str, list[str]] = {}
    for result in comparison.results:
        if result.descent.lr is not None:
            models.setdefault(result.lr_reason, []).append(result.model.name)
    for reason, names in models.items():
        because = foreign(reason, words)
        yield filled(words, "reason", models=words.together(names), reason=because)


def _protocol(comparison: Comparison, words: Words) -> Markup:
    facts = comparison.facts
    known = {
        "lab": "protocol_lab",
        "sound": "protocol_sound",
        "sound_last": "protocol_sound_last",
        "sound_stratified": "protocol_stratified",
        "sound_drawn": "protocol_drawn",
    }
    if facts.classes:
        known["sound_last"] = "protocol_last_classes"
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
        measure=words.of(facts.measure),
    )
    automatic = [words("protocol_auto")] * any(r.model.automatic for r in comparison.results)
    descents = [descent] * comparison.counts_steps
    sentences = (split, *descents, *automatic, *_training(comparison, words), columns)
    return parts.section(words("protocol"), parts.paragraphs(sentences))


def _training(comparison: Comparison, words: Words) -> Iterator[str]:
    """The penalty and the early stopping, where there are such."""
    training = comparison.training
    if comparison.facts.classes:
        yield words("protocol_classes")
    if training.class_weight is not None:
        yield words("protocol_balanced")
    if training.penalty:
        yield words("protocol_penalty", penalty=words.short(training.penalty))
    if training.patience is not None:
        yield words(
            "protocol_stopping",
            share=words.percent(training.validation),
            n=words.count(training.patience),
            every=words.count(EVERY),
        )


def _again(
    comparison: Comparison, command: str, versions: Mapping[str, str], words: Words
) -> Markup:
    facts = [
        (words("data"), comparison.facts.name),
        (words("sha"), parts.code(comparison.facts.digest)),
        (words("versions"), ", ".join(f"{name} {v}" for name, v in versions.items())),
    ]
    return parts.section(words("again"), parts.again(command, facts, words("files")))
