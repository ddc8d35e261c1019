"""The verdict: what a comparison found, in a few sentences."""

from __future__ import annotations

from derivable.comparison import Comparison, Trained
from derivable.display.words import Words
from derivable.report.quality import (
    RISE,
    mean_r2,
    root_mean_square,
    spread,
    still_falling,
    turned,
)


def verdict(comparison: Comparison, words: Words) -> list[str]:
    """Which model is best, by how much, how surely; how good that is; and who went too far."""
    order = sorted(comparison.results, key=lambda result: result.test_loss)
    return [
        _best(order, words),
        *_sure(comparison, order, words),
        *_good(comparison, order[0], words),
        *_on_the_way(comparison, words),
    ]


def _best(order: list[Trained], words: Words) -> str:
    best = order[0]
    gaps = {"best": best.model.name, "loss": words.number(best.test_loss)}
    if len(order) == 1:
        return words("only", **gaps)
    second = order[1]
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
    """How much of the truth the best model knows."""
    explained, targets = mean_r2(comparison, best), comparison.facts.targets
    if explained is None:
        return []
    if explained <= 0:
        return [words("explains_nothing")]
    share = words.percent(explained)
    if len(targets) > 1:
        return [words("explains_several", share=share, n=words.count(len(targets)))]
    error = words.short(root_mean_square(comparison, best, 0))
    return [words("explains", share=share, error=error, target=targets[0])]


def _on_the_way(comparison: Comparison, words: Words) -> list[str]:
    """Which models overfit, and which were not yet at rest."""
    said = []
    for result in comparison.results:
        if turn := turned(result):
            said.append(
                words(
                    "overfits",
                    model=result.model.name,
                    loss=words.number(turn.loss),
                    step=words.count(turn.step),
                    percent=words.percent(turn.rise),
                )
            )
    falling = [r.model.name for r in comparison.results if still_falling(r) and not turned(r)]
    if not said:
        said.append(words("overfits_none", percent=words.percent(RISE)))
    if falling:
        said.append(words("falling", models=words.together(falling)))
    return said
