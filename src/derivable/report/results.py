"""The table of results: each model's scores and losses, beside a prediction without a model."""

from __future__ import annotations

from markupsafe import Markup

from derivable.comparison import Comparison, Trained
from derivable.comparison.scores import Scores
from derivable.display import style
from derivable.display.words import Words
from derivable.report.parts import STACKED, parts, table
from derivable.report.quality import mean_r2
from derivable.templates import shared

NONE = "–"
OF_ONE = ("mae", "rmse", "r2")
OF_SEVERAL = ("r2",)
OF_CLASSES = ("accuracy", "balanced_accuracy", "roc_auc")
SHARES = ("accuracy", "balanced_accuracy")


def results(comparison: Comparison, words: Words) -> Markup:
    """The section with the table of results."""
    several = len(comparison.seeds) > 1
    sheet = any(result.sheet for result in comparison.results)
    names = score_names(comparison)
    heads = [words("model"), *(words(name) for name in names)]
    heads += [words(name) for name in ("test_loss", "train_loss", "seconds")]
    if sheet:
        heads += [words(name) for name in (("sheet",) if several else ("sheet", "spread"))]
        heads.append(words("within"))
    rows = [
        [
            shared.model(result.model.name, style.page_colour(i)),
            *score_cells(scores_of(comparison, result), names, words),
            *_losses(result, words),
            *(_sheet(result, several, words) if sheet else []),
        ]
        for i, result in enumerate(comparison.results)
    ]
    best = comparison.results.index(comparison.best)
    rows.append(_naive(comparison, names, len(heads), words))
    content = table(heads, rows, words("results"), best=best, kind=STACKED)
    note = parts.note(" ".join(_notes(comparison, words)))
    return parts.section(words("results"), content + note)


def score_names(comparison: Comparison) -> tuple[str, ...]:
    """The scores that the table shows."""
    facts = comparison.facts
    if not facts.classes:
        return OF_ONE if len(facts.targets) == 1 else OF_SEVERAL
    return tuple(name for name in OF_CLASSES if name != "roc_auc" or len(facts.classes) == 2)


def score_cells(scores: Scores, names: tuple[str, ...], words: Words) -> list[str]:
    """Scores as text."""
    return [score_text(name, scores[name], words) for name in names]


def score_text(name: str, value: float | None, words: Words) -> str:
    """One score: a share in percent, R² and areas in three digits, an error in its unit."""
    if value is None:
        return NONE
    if name in SHARES:
        return words.percent(value)
    if name in ("r2", "roc_auc"):
        near_one = 0.9995 <= value < 1  # which is not 1
        return words.short(min(value, 0.9999) if near_one else round(value, 3), 4)
    return words.short(value)


def scores_of(comparison: Comparison, result: Trained) -> Scores:
    """The scores of the target; of several, the mean R²."""
    scores = comparison.facts.scores(result.predictions)
    if len(scores) > 1:
        return {"r2": mean_r2(comparison, result)}
    return next(iter(scores.values()))


def _losses(result: Trained, words: Words) -> list[str]:
    return [
        words.number(result.test_loss, result.deviation),
        words.number(result.train_loss),
        words.short(result.seconds, 2),
    ]


def _sheet(result: Trained, several: bool, words: Words) -> list[str]:
    """The lab sheet's own figure, beside."""
    if result.sheet is None:
        return [""] * (2 if several else 3)
    figure = result.sheet
    cells = [words.number(figure.test_loss)]
    if not several:
        low, high = words.number(figure.lowest), words.number(figure.highest)
        cells.append(words("to", low=low, high=high))
    within = result.holds_sheet_figure if several else result.in_sheet_spread
    return [*cells, words("yes" if within else "no")]


def _naive(comparison: Comparison, names: tuple[str, ...], width: int, words: Words) -> list[str]:
    """The row of the prediction without a model."""
    scores = score_cells(naive_scores(comparison), names, words)
    cells = [parts.faint(naive_name(comparison, words)), *scores]
    return cells + [NONE] * (width - len(cells))


def naive_scores(comparison: Comparison) -> Scores:
    """The scores of the prediction without a model; of several targets, the mean R²."""
    scores = list(comparison.facts.naive_scores.values())
    if len(scores) == 1:
        return scores[0]
    known = [one["r2"] for one in scores if one["r2"] is not None]
    return {"r2": sum(known) / len(known) if known else None}


def naive_name(comparison: Comparison, words: Words) -> str:
    """The name of the prediction without a model: the mean, or the most frequent class."""
    facts = comparison.facts
    if facts.classes:
        return words("always", value=facts.classes[int(facts.naive.argmax())])
    return words("always_mean")


def _notes(comparison: Comparison, words: Words) -> list[str]:
    """Notes that explain the columns."""
    several = len(comparison.seeds) > 1
    notes = [words("measure", measure=words.of(comparison.facts.in_words))]
    if comparison.facts.classes:
        two = len(comparison.facts.classes) == 2
        notes.append(words("classes_note_two" if two else "classes_note"))
    else:
        one = len(comparison.facts.targets) == 1
        notes.append(words("errors_note") if one else words("r2_note"))
    if comparison.training.class_weight is not None:
        notes.append(words("protocol_balanced"))
    if several:
        notes.append(words("seeds_note_scores", n=words.count(len(comparison.seeds))))
    if any(result.sheet for result in comparison.results):
        notes.append(words("sheet_note_seeds" if several else "sheet_note"))
    return notes
