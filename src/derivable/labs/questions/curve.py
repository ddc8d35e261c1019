"""`CurveQuestion`: compares the losses of a training with the range of other seeds.

With the sheet's small learning rates a descent follows the gradient flow, so its losses depend on
time t = steps x learning rate only. The ranges are kept over t, and a curve that is right but for
its rate is the same curve in another time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from derivable.display.numbers import count
from derivable.labs.draw import Draw
from derivable.labs.feedback import Curve, Feedback
from derivable.labs.questions.base import Question
from derivable.labs.questions.training import losses_of, steps_of
from derivable.labs.tables import used
from derivable.labs.text import after_colon, colon
from derivable.labs.typography import number
from derivable.labs.words import say
from derivable.messages import Catalogue

RANGES = Path(__file__).parents[1] / "curves.json"  # written by tools/write_lab_curves.py
WIDER, ROUNDING = 0.5, 0.002  # how much wider than the range of the seeds; relative
SAMPLES = 60  # points of a curve that are compared
FACTORS = np.geomspace(1 / 2000, 2000, 1201)  # rates that are tried, relative to the right one
TINY = 1e-9  # a first loss that is not smaller, so that others can be relative to it
ROWS = {"california": 16_512, "diabetes": 353}  # that train
SLOW = 0.05  # a parameter that never moves is likelier than a rate so much smaller
FEWEST = 8  # samples that are compared
ANOTHER = 1.2  # factor from which on a rate counts as another one
SNAP = 0.06  # relative: how near a round factor is named instead
NEAR_ONE = 0.06  # of the first loss of a standardised target
ROUND = sorted(k * 10.0**e for k in (1, 2, 5) for e in range(-3, 4))

_TEXTS = {
    "diverged": (
        "The loss is no longer a number after {step} steps. The learning rate is too large for "
        "these inputs: are they standardised (mean 0, deviation 1)?",
        "La perte n'est plus un nombre après {step} pas. Le pas d'apprentissage est trop grand "
        "pour ces entrées : sont-elles centrées et réduites (moyenne 0, écart-type 1) ?",
    ),
    "sum": (
        "The first loss is {got}, about {expected} for each of the {rows} rows: the loss is a sum "
        "over the rows and not their mean.",
        "La première perte vaut {got}, soit environ {expected} pour chacune des {rows} lignes : "
        "la perte est une somme sur les lignes et non leur moyenne.",
    ),
    "target": (
        "The first loss is {got}, expected {low} to {high}: the target is standardised; in the "
        "sheet it stays as it is.",
        "La première perte vaut {got}, attendu {low} à {high} : la cible est centrée et réduite ; "
        "dans la feuille, elle reste telle quelle.",
    ),
    "start": (
        "The first loss is {got}, expected {low} to {high}: look at the target (it stays as it "
        "is), the first 80% of the rows, and the initial weights.",
        "La première perte vaut {got}, attendu {low} à {high} : regarder la cible (elle reste "
        "telle quelle), les premiers 80 % des lignes et les poids initiaux.",
    ),
    "rises": (
        "The loss rises: a step goes against the gradient, w - EPS * grad_w.",
        "La perte augmente : un pas va contre le gradient, w - EPS * grad_w.",
    ),
    "rate": (
        "The curve is the right one for a learning rate {factor} times as large. Look at EPS "
        "({rate} in the sheet), and at a factor in the gradient or in the update.",
        "La courbe est la bonne pour un pas d'apprentissage {factor} fois celui de la feuille. "
        "Regarder EPS ({rate} dans la feuille), et un facteur dans le gradient ou la mise à jour.",
    ),
    "frozen": (
        "The curve is that of a training in which {names} does not change, or hardly.",
        "La courbe est celle d'un apprentissage où {names} ne change pas, ou presque.",
    ),
    "off": (
        "Up to step {before} the losses are right; at step {step} the loss is {got}, and other "
        "seeds have {low} to {high}.",
        "Jusqu'au pas {before} les pertes sont justes ; au pas {step} la perte vaut {got}, et les "
        "autres graines donnent {low} à {high}.",
    ),
    "test": (
        "The training is right. The test loss is {got}, and other seeds have {low} to {high}: is "
        "it computed on the last 20% of the rows, with the trained parameters?",
        "L'apprentissage est juste. La perte de test vaut {got}, et les autres graines donnent "
        "{low} à {high} : est-elle calculée sur les derniers 20 % des lignes, avec les paramètres "
        "appris ?",
    ),
    "short": ("{steps} of {all} steps were taken.", "{steps} pas sur {all} ont été faits."),
    "end": (
        "The last loss is {got}; other seeds have {low} to {high}.",
        "La dernière perte vaut {got} ; les autres graines donnent {low} à {high}.",
    ),
}
_WORDS = Catalogue(_TEXTS)


@dataclass(frozen=True)
class Range:
    """The smallest and the largest loss of many seeds, over time.

    time       (n,): steps x learning rate
    low, high  (n,) each: losses, or losses relative to the first one
    """

    time: np.ndarray[Any, Any]
    low: np.ndarray[Any, Any]
    high: np.ndarray[Any, Any]

    @classmethod
    def of(cls, rows: Sequence[Sequence[float]]) -> Range:
        """From rows of time, low and high."""
        time, low, high = np.array(rows, dtype=float).T
        return cls(time, low, high)

    def at(self, time: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The range at these times, somewhat wider than that of the seeds."""
        low = np.interp(time, self.time, self.low)
        high = np.interp(time, self.time, self.high)
        wider = WIDER * (high - low) + ROUNDING * high
        return low - wider, high + wider

    def misfit(self, time: np.ndarray[Any, Any], losses: np.ndarray[Any, Any]) -> float:
        """How far the losses are outside, relative to the range; 0 where all are inside."""
        known = time <= 1.2 * self.time[-1]
        if known.sum() < min(FEWEST, len(time)):
            return math.inf
        low, high = self.at(time[known])
        outside = np.maximum(np.maximum(low - losses[known], losses[known] - high), 0)
        return float(np.max(outside / np.abs(losses[known])))


@cache
def ranges() -> dict[str, dict[str, dict[str, Range]]]:
    """The ranges by table, model and what they are of.

    `first` is the first loss and `test` the test loss; `train` is the loss relative to the first
    one, which the seeds differ less in, and `without b1` the same where b1 never changes.
    """
    document = json.loads(RANGES.read_text(encoding="utf-8"))
    return {
        table: {
            model: {name: Range.of(rows) for name, rows in kinds.items()}
            for model, kinds in models.items()
        }
        for table, models in document.items()
    }


@dataclass(frozen=True, kw_only=True)
class CurveQuestion(Question):
    """The losses of a training on California Housing, and then perhaps its test loss.

    model  whose ranges are compared: `linear`, `tanh` or `relu`
    rate   the learning rate of the sheet
    steps  the steps of the sheet
    """

    model: str
    rate: float
    steps: int = 80_000

    def judge(self, *answers: Any, draw: Draw, lang: str) -> Feedback:
        """The feedback, with the mistake that the shape of the curve shows."""
        history, *rest = answers
        if history is ... or history is None:
            return self.to_do(lang)
        losses = losses_of(history)
        if losses is None:
            got = type(history).__name__
            gaps = {"got": got, "expected": "[[0, 5.6], [1, 5.5], ...]"}
            return self.wrong("type", say("wrong_type", lang, name=self.answers[0], **gaps))
        if not losses:
            return self.to_do(lang)
        taken = History(np.array(losses), np.array(steps_of(history, len(losses))))
        return _Reading(self, taken, lang).feedback(*rest)


@dataclass(frozen=True)
class History:
    """The losses of a training, (n,), and the steps after which they were measured, (n,)."""

    losses: np.ndarray[Any, Any]
    steps: np.ndarray[Any, Any]


class _Reading:
    """One curve that is compared."""

    def __init__(self, question: CurveQuestion, history: History, lang: str) -> None:
        self.question, self.lang = question, lang
        self.losses, self.rows = history.losses, ROWS[used()]
        self.kinds = ranges()[used()][question.model]
        last = len(self.losses) - 1
        even = np.linspace(0, last, SAMPLES // 2)
        early = np.geomspace(1, max(last, 1), SAMPLES // 2)
        at = np.unique(np.concatenate([[0.0], early, even]).round().astype(int))
        at = at[at <= last]
        self.at = history.steps[at]
        low, high = self.kinds["train"].at(self.at * question.rate)
        self.low, self.high = low * self.losses[0], high * self.losses[0]
        self.seen = self.losses[at]
        self.relative = self.seen / max(self.losses[0], TINY)

    def feedback(self, test_loss: Any = None) -> Feedback:
        """The feedback on the first mistake, or on a right answer; with the curve."""
        return replace(self._judged(test_loss), curve=self._curve())

    def _judged(self, test_loss: Any) -> Feedback:
        finite = np.isfinite(self.losses)
        start = self._start() if finite[0] else None
        if not finite.all() and (start is None or start.mistake == "curve.start"):
            return self._wrong("diverged", step=self._count(int(np.argmin(finite))))
        return start or self._shape() or self._test(test_loss) or self._right()

    def _start(self) -> Feedback | None:
        """The feedback on a wrong first loss."""
        first = float(self.losses[0])
        low, high = (float(end[0]) for end in self.kinds["first"].at(np.zeros(1)))
        if low <= first <= high:
            return None
        if low < first / self.rows < high:
            gaps = {"got": self._number(first), "expected": self._number(high)}
            return self._wrong("sum", rows=self._count(self.rows), **gaps)
        if abs(first - 1) < NEAR_ONE:
            gaps = {"low": self._number(low), "high": self._number(high)}
            return self._wrong("target", got=self._number(first), **gaps)
        gaps = {"low": self._number(low), "high": self._number(high)}
        return self._wrong("start", got=self._number(first), **gaps)

    def _shape(self) -> Feedback | None:
        """The feedback on wrong losses after the first one."""
        outside = (self.seen < self.low) | (self.seen > self.high)
        if not outside.any():
            return None
        if self.losses[-1] > 1.02 * self.losses[0]:
            return self._wrong("rises")
        time = self.at * self.question.rate
        factor, misfit = self._best_factor(time)
        frozen = {n: r for n, r in self.kinds.items() if n.startswith("without ")}
        fits = {name: one.misfit(time, self.relative) for name, one in frozen.items()}
        least = min(fits, key=lambda name: fits[name], default="")
        if least and fits[least] == 0 and (misfit > 0 or factor < SLOW or factor not in ROUND):
            return self._wrong("frozen", names=least.removeprefix("without "))
        if misfit < 0.01 and abs(math.log(factor)) > math.log(ANOTHER):
            rate = number(self.question.rate, self.lang)
            return self._wrong("rate", factor=self._number(factor, 3), rate=rate)
        i = int(np.argmax(outside))
        before = self._count(int(self.at[max(i - 1, 0)]))
        gaps = {"before": before, "step": self._count(int(self.at[i]))}
        return self._wrong("off", got=self._number(self.seen[i]), **gaps, **self._range(i))

    def _best_factor(self, time: np.ndarray[Any, Any]) -> tuple[float, float]:
        """The learning rate, relative to the sheet's, with which the curve fits best."""
        train = self.kinds["train"]
        misfits = [train.misfit(time * factor, self.relative) for factor in FACTORS]
        best = min(misfits)
        fitting = [f for f, m in zip(FACTORS, misfits, strict=True) if m <= best + 1e-4]
        middle = float(np.exp(np.mean(np.log(fitting))))
        near = SNAP * middle
        round_ones = [
            one for one in ROUND if fitting[0] <= one <= fitting[-1] or abs(one - middle) < near
        ]
        return min(round_ones, key=lambda n: abs(math.log(n / middle)), default=middle), best

    def _test(self, test_loss: Any) -> Feedback | None:
        """The feedback on a wrong test loss."""
        if test_loss is None or test_loss is ...:
            return None
        low, high = self.kinds["test"].at(np.array([(self.at[-1] + 1) * self.question.rate]))
        got = float(test_loss)
        if low[0] <= got <= high[0]:
            return None
        gaps = {"low": self._number(low[0]), "high": self._number(high[0])}
        return replace(self._wrong("test", got=self._number(got), **gaps), share=0.7)

    def _right(self) -> Feedback:
        last = _WORDS.text(
            "end", self.lang, got=self._number(float(self.losses[-1])), **self._range(-1)
        )
        taken, all_ = int(self.at[-1]) + 1, self.question.steps
        short = _WORDS.text("short", self.lang, steps=self._count(taken), all=self._count(all_))
        return self.question.right(self.lang, (last, *([short] if taken < all_ else [])))

    def _curve(self) -> Curve:
        steps = [int(step) for step in self.at]
        return Curve(steps, self.seen.tolist(), self.low.tolist(), self.high.tolist())

    def _wrong(self, key: str, **gaps: Any) -> Feedback:
        text = after_colon(_WORDS.text(key, self.lang, **gaps))
        line = f"{self.question.answers[0]}{colon(self.lang)}{text}"
        return self.question.wrong(f"curve.{key}", line)

    def _range(self, i: int) -> dict[str, str]:
        return {"low": self._number(self.low[i]), "high": self._number(self.high[i])}

    def _number(self, value: float, digits: int = 4) -> str:
        return number(float(f"{value:.{digits}g}"), self.lang)

    def _count(self, value: int) -> str:
        return count(value, self.lang)
