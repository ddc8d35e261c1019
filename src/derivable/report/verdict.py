"""`verdict`: the result of a comparison in a few sentences."""

from __future__ import annotations

from derivable.comparison import Comparison, Trained
from derivable.display.words import Words
from derivable.messages import NB
from derivable.report.quality import (
    RISE,
    lead,
    mean_r2,
    root_mean_square,
    spread,
    still_falling,
    turned,
)
from derivable.report.results import score_text


def verdict(comparison: Comparison, words: Words) -> list[str]:
    """Sentences on the best model, its lead, its accuracy, and models that overfit."""
    order = sorted(comparison.results, key=lambda result: result.test_loss)
    return [
        *_good(comparison, order[0], words),
        _best(comparison, order, words),
        *_sure(comparison, order, words),
        *_overfitting(comparison, words),
    ]


def _best(comparison: Comparison, order: list[Trained], words: Words) -> str:
    best = order[0]
    gaps = {"best": best.model.name, "loss": words.number(best.test_loss)}
    if len(order) == 1:
        return words("only", **gaps)
    second = order[1]
    gap, reach = lead(comparison, best, second)
    if gap <= reach:
        return words(
            "first", **gaps, second=second.model.name, other=words.number(second.test_loss)
        )
    share = 1 - best.test_loss / second.test_loss if second.test_loss else 0.0
    return words(
        "best",
        **gaps,
        percent=words.percent(share),
        second=second.model.name,
        other=words.number(second.test_loss),
    )


def _sure(comparison: Comparison, order: list[Trained], words: Words) -> list[str]:
    """Whether the lead is larger than what other initial weights would change."""
    if len(order) == 1:
        return []
    best, second = order[:2]
    reach = spread(best, second)
    if reach is None:
        return [words("one_draw")]
    gap = second.test_loss - best.test_loss
    return [
        words(
            "larger" if gap > reach else "not_larger",
            gap=words.short(gap),
            n=words.count(len(comparison.seeds)),
            reach=words.short(reach),
        )
    ]


def _good(comparison: Comparison, best: Trained, words: Words) -> list[str]:
    """Sentences on the accuracy of the best model, compared with a prediction without a model."""
    if comparison.facts.classes:
        return _good_classes(comparison, best, words)
    explained, targets = mean_r2(comparison, best), comparison.facts.targets
    sentences = [] if len(targets) > 1 else [_off(comparison, best, words)]
    if explained is None:
        return sentences
    if explained <= 0:
        return [*sentences, words("explains_nothing")]
    share = words.percent(explained)
    if len(targets) > 1:
        return [words("explains_several", share=share, n=words.count(len(targets)))]
    error = words.short(root_mean_square(comparison, best, 0))
    return [*sentences, words("explains", share=share, error=error)]


def _off(comparison: Comparison, best: Trained, words: Words) -> str:
    """A sentence on the error of the predictions of a single target, in its unit."""
    (scores,) = comparison.facts.scores(best.predictions).values()
    (naive,) = comparison.facts.naive_scores.values()
    sign = comparison.facts.sign
    after = f"{NB}{sign}" if sign else ""
    return words(
        "off_signed" if sign else "off",
        best=best.model.name,
        target=comparison.facts.targets[0],
        mae=score_text("mae", scores["mae"], words) + after,
        median=score_text("mae", scores["median_ae"], words) + after,
        naive=score_text("mae", naive["mae"], words) + after,
    )


def _good_classes(comparison: Comparison, best: Trained, words: Words) -> list[str]:
    """Sentences on the share of rows that are classified correctly."""
    facts = comparison.facts
    (scores,), (naive,) = facts.scores(best.predictions).values(), facts.naive_scores.values()
    accuracy, always = scores["accuracy"] or 0.0, naive["accuracy"] or 0.0
    gaps = {
        "best": best.model.name,
        "target": facts.targets[0],
        "accuracy": score_text("accuracy", accuracy, words),
        "value": facts.classes[int(facts.naive.argmax())],
        "naive": score_text("accuracy", always, words),
    }
    sentences = [words("recognises" if accuracy > always else "recognises_no_better", **gaps)]
    if len(facts.classes) == 2:
        sentences += _found(comparison, best, words)
    else:
        tested = len(facts.y_test.unique())
        balanced = score_text("balanced_accuracy", scores["balanced_accuracy"], words)
        sentences.append(words("balanced", balanced=balanced, n=words.count(tested)))
    if (scores["log_loss"] or 0) >= (naive["log_loss"] or 0):
        sentences.append(words("shares_better"))
    return sentences


def _found(comparison: Comparison, best: Trained, words: Words) -> list[str]:
    """How many rows of the rarer of two classes are found, and how they are ordered."""
    facts = comparison.facts
    rarer = int(facts.naive.argmin())
    there, taken = facts.y_test == rarer, best.predictions.argmax(1) == rarer
    (scores,) = facts.scores(best.predictions).values()
    found = words(
        "finds",
        value=facts.classes[rarer],
        found=words.count(int((there & taken).sum())),
        there=words.count(int(there.sum())),
        wrongly=words.count(int((taken & ~there).sum())),
    )
    area = scores["roc_auc"]
    if area is None:
        return [found]
    return [found, words("orders", area=score_text("roc_auc", area, words))]


def _overfitting(comparison: Comparison, words: Words) -> list[str]:
    """Sentences on models that overfit, and models whose loss was still falling."""
    sentences = []
    for result in comparison.results:
        if turn := turned(result):
            sentences.append(
                words(
                    "overfits",
                    model=result.model.name,
                    loss=words.number(turn.loss),
                    step=words.count(turn.step),
                    percent=words.percent(turn.rise),
                )
            )
    falling = [r.model.name for r in comparison.results if still_falling(r) and not turned(r)]
    if not sentences:
        sentences.append(words("overfits_none", percent=words.percent(RISE)))
    if falling:
        sentences.append(words("falling", models=words.together(falling)))
    return sentences
