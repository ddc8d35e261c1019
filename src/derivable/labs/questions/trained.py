"""`TrainedQuestion`: compares parameters and losses of a training with the true descent."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from derivable.labs.draw import Draw
from derivable.labs.feedback import Feedback
from derivable.labs.questions.base import Question
from derivable.labs.questions.training import losses_of
from derivable.labs.text import colon
from derivable.labs.typography import number
from derivable.messages import Catalogue

FIRST = 10  # steps that are repeated
CLOSE = 0.01  # relative, of the losses of these steps: a notebook computes in float32
SLACK = 1.05  # of the upper end of the range, for the loss of the parameters
TRAINED = 0.5  # of the points, for a training that ran and is not the one that was asked for
_TEXTS = {
    "size": (
        "{name} has shape {got}, expected {expected}.",
        "{name} est de forme {got}, attendu {expected}.",
    ),
    "count": (
        "{name} has {got} losses, expected {expected}.",
        "{name} contient {got} pertes, attendu {expected}.",
    ),
    "type": (
        "{name} has no losses; keep what the training returns.",
        "{name} ne contient pas de pertes ; garder ce que renvoie l'apprentissage.",
    ),
    "start": (
        "the first loss is {got}, expected {expected}: look at the initial parameters, and at the "
        "rows.",
        "la première perte vaut {got}, attendu {expected} : regarder les paramètres initiaux et "
        "les lignes.",
    ),
    "end": (
        "the loss ends at {got}, expected from {low} to {high}: look at EPS, at the rows and at "
        "your loop.",
        "la perte finit à {got}, attendu de {low} à {high} : regarder EPS, les lignes et votre "
        "boucle.",
    ),
    "steps": (
        "the loss of step {step} is {got}, expected {expected}: these are not the losses of the "
        "steps that were asked for. Look at EPS, and at what is kept in each turn.",
        "la perte du pas {step} vaut {got}, attendu {expected} : ce ne sont pas les pertes des "
        "pas demandés. Regarder EPS, et ce qui est gardé à chaque tour.",
    ),
    "unchanged": (
        "{name} still has its value of the start, while the losses fall: keep the parameters that "
        "the training returns.",
        "{name} a encore sa valeur initiale, alors que les pertes baissent : garder les "
        "paramètres que renvoie l'apprentissage.",
    ),
    "parameters": (
        "with these parameters the loss is {got}, while the losses end at {expected}: they are "
        "not those after the last step.",
        "avec ces paramètres, la perte vaut {got}, alors que les pertes finissent à {expected} : "
        "ce ne sont pas ceux d'après le dernier pas.",
    ),
}
_MESSAGES = Catalogue(_TEXTS)


@dataclass(frozen=True, kw_only=True)
class TrainedQuestion(Question):
    """Parameters, then the list of losses, of a training from a start that the sheet gives.

    The first steps are repeated with the loss in plain PyTorch, and the loss is computed with the
    parameters, so that neither losses nor parameters of another training pass.

    loss   (x, y, *parameters) -> the loss in plain PyTorch, a number
    start  makes x, y and the parameters at the start, as the notebook does
    rate   the learning rate
    steps  how many losses there are
    end    from where to where the last loss lies; with batches, the mean of the last pass
    batch  rows of a step; 0 for all of them
    """

    loss: Callable[..., Tensor]
    start: Callable[[], tuple[Tensor, Tensor, Sequence[Tensor]]]
    rate: float
    steps: int
    end: tuple[float, float]
    batch: int = 0

    def judge(self, *answers: Any, draw: Draw, lang: str) -> Feedback:
        """The sizes, the losses, then the parameters."""
        if any(answer is ... for answer in answers):
            return self.to_do(lang)
        *parameters, history = answers
        losses = losses_of(history)
        if losses is None:
            return self._wrong("type", lang, name=self.answers[-1])
        return (
            self._sizes(parameters, losses, lang)
            or self._losses(losses, lang)
            or self._parameters(parameters, losses, lang)
            or self.right(lang)
        )

    def _sizes(
        self, parameters: Sequence[Any], losses: Sequence[float], lang: str
    ) -> Feedback | None:
        *names, history = self.answers
        for name, one, before in zip(names, parameters, self.start()[2], strict=True):
            got, expected = tuple(getattr(one, "shape", ())), tuple(before.shape)
            if got != expected:
                return self._wrong("size", lang, name=name, got=got, expected=expected)
        if len(losses) == self.steps:
            return None
        return self._wrong("count", lang, name=history, got=len(losses), expected=self.steps)

    def _losses(self, losses: Sequence[float], lang: str) -> Feedback | None:
        true, last = self._first_losses(), self._last(losses)
        low, high = self.end
        if not math.isclose(losses[0], true[0], rel_tol=CLOSE):
            return self._wrong("start", lang, got=losses[0], expected=true[0])
        if not low < last < high:
            return self._wrong("end", lang, TRAINED, got=last, low=low, high=high)
        for step, (one, right) in enumerate(zip(losses, true, strict=False)):
            if not math.isclose(one, right, rel_tol=CLOSE):
                return self._wrong("steps", lang, TRAINED, step=step, got=one, expected=right)
        return None

    def _parameters(
        self, parameters: Sequence[Tensor], losses: Sequence[float], lang: str
    ) -> Feedback | None:
        x, y, start = self.start()
        theta = [
            torch.as_tensor(p).detach().to(before.dtype)
            for p, before in zip(parameters, start, strict=True)
        ]
        for name, one, before in zip(self.answers, theta, start, strict=False):
            if torch.equal(one, before):
                return self._wrong("unchanged", lang, TRAINED, name=name)
        with torch.no_grad():
            loss = float(self.loss(x, y, *theta))
        if loss <= SLACK * self.end[1]:
            return None
        return self._wrong("parameters", lang, TRAINED, got=loss, expected=self._last(losses))

    def _first_losses(self) -> list[float]:
        """The losses of the first steps of the true descent."""
        x, y, theta = self.start()
        rows, losses = self.batch or len(x), []
        for step in range(FIRST):
            begin = step * rows % (len(x) + -len(x) % rows)
            leaves = [p.clone().requires_grad_() for p in theta]
            loss = self.loss(x[begin : begin + rows], y[begin : begin + rows], *leaves)
            losses.append(float(loss.detach()))
            gradients = torch.autograd.grad(loss, leaves)
            theta = [p - self.rate * g for p, g in zip(theta, gradients, strict=True)]
        return losses

    def _last(self, losses: Sequence[float]) -> float:
        """The last loss, or the mean of those of the last pass over the batches."""
        count = math.ceil(len(self.start()[0]) / self.batch) if self.batch else 1
        return sum(losses[-count:]) / count

    def _wrong(self, key: str, lang: str, share: float = 0.0, **gaps: Any) -> Feedback:
        shown = {
            name: number(value, lang) if isinstance(value, float) else value
            for name, value in gaps.items()
        }
        text = _MESSAGES.text(key, lang, **shown)
        named = "name" in gaps
        line = text if named else f"{self.names}{colon(lang)}{text}"
        return self.wrong(f"{key}.{gaps['name']}" if named else key, line, share=share)
