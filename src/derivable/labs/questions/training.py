"""`TrainingQuestion`: a loop of gradient descent, compared with the true one step by step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from derivable.labs.draw import Draw
from derivable.labs.explained import explained
from derivable.labs.feedback import Feedback, Status
from derivable.labs.ownership import blank_line
from derivable.labs.questions.base import Question
from derivable.labs.questions.compared import number
from derivable.labs.text import Text
from derivable.labs.words import say

STEPS = 4
CLOSE = 1e-6  # of a parameter's change, relative to its largest entry
SHARE = 0.4  # of the points, for a loop whose first step is right

_WORDS = {
    "returns": Text(
        "{name} returns {got}, expected {count} values: {names}.",
        "{name} renvoie {got}, attendu {count} valeurs\u00a0: {names}.",
    ),
    "unchanged": Text(
        "After one step {parameter} has not changed: it is not updated, or the new value is not "
        "returned.",
        "Après un pas, {parameter} n'a pas changé\u00a0: la mise à jour manque, ou la nouvelle "
        "valeur n'est pas renvoyée.",
    ),
    "sign": Text(
        "After one step {parameter} has moved to the opposite side: a step goes against the "
        "gradient, {parameter} - EPS * grad.",
        "Après un pas, {parameter} est parti dans le sens opposé\u00a0: un pas va contre le "
        "gradient, {parameter} - EPS * grad.",
    ),
    "no_rate": Text(
        "{parameter} moves by the whole gradient: the learning rate EPS is missing in the update.",
        "{parameter} est déplacé du gradient entier\u00a0: le pas d'apprentissage EPS manque dans "
        "la mise à jour.",
    ),
    "own_rate": Text(
        "{parameter} moves by {ratio} times the step of EPS = {eps}: use the EPS that is given to "
        "the function, and not a global one.",
        "{parameter} est déplacé de {ratio} fois le pas pour EPS = {eps}\u00a0: utiliser le EPS "
        "donné à la fonction, et non une variable globale.",
    ),
    "normalisation": Text(
        "{parameter} moves {ratio} times as far as it should, and there are {rows} rows: a sum in "
        "the place of the mean over the rows, in the gradient of the loss.",
        "{parameter} se déplace {ratio} fois trop loin, et il y a {rows} lignes\u00a0: une somme "
        "au lieu de la moyenne sur les lignes, dans le gradient de la perte.",
    ),
    "divided": Text(
        "{parameter} moves {rows} times too little, and there are {rows} rows: the mean over the "
        "rows is taken twice.",
        "{parameter} se déplace {rows} fois trop peu, et il y a {rows} lignes\u00a0: la moyenne "
        "sur les lignes est prise deux fois.",
    ),
    "factor": Text(
        "{parameter} moves {ratio} times as far as it should: a factor in the gradient.",
        "{parameter} se déplace de {ratio} fois la bonne longueur\u00a0: un facteur dans le "
        "gradient.",
    ),
    "gradient": Text(
        "After one step {parameter} is not where the gradient leads: check the chain of the "
        "backward calls, and which grad goes to which parameter.",
        "Après un pas, {parameter} n'est pas là où mène le gradient\u00a0: vérifier "
        "l'enchaînement des backward, et quel grad va à quel paramètre.",
    ),
    "shape": Text(
        "{parameter} has shape {got} after one step, expected {expected}.",
        "{parameter} est de forme {got} après un pas, attendu {expected}.",
    ),
    "later": Text(
        "The first step is right, and step {step} is not: forward and backward are computed again "
        "in each turn of the loop, with new Contexts and the new parameters.",
        "Le premier pas est juste, le pas {step} ne l'est pas\u00a0: forward et backward se "
        "recalculent à chaque tour de boucle, avec de nouveaux Contexts et les nouveaux "
        "paramètres.",
    ),
    "history_length": Text(
        "The parameters are right. {history} has {got} losses, expected one for each of the "
        "{count} steps.",
        "Les paramètres sont justes. {history} contient {got} pertes, attendu une pour chacun des "
        "{count} pas.",
    ),
    "history_after": Text(
        "The parameters are right. {history} has the loss after each update; the sheet keeps the "
        "one before it.",
        "Les paramètres sont justes. {history} contient la perte après chaque mise à jour\u00a0; "
        "la feuille garde celle d'avant.",
    ),
    "history": Text(
        "The parameters are right. {history}[0] is {got}, expected {expected}.",
        "Les paramètres sont justes. {history}[0] vaut {got}, attendu {expected}.",
    ),
}


@dataclass(frozen=True, kw_only=True)
class TrainingQuestion(Question):
    """A function `train(x, y, *parameters, epochs, eps)` that returns them and the losses.

    loss        (x, y, *parameters) -> the loss in plain PyTorch, a number
    start       makes x (N, D), y (N, 1) and the parameters from a Draw
    parameters  their names, in their order
    history     what the list of losses is called
    """

    loss: Callable[..., Tensor]
    start: Callable[[Draw], tuple[Tensor, Tensor, Sequence[Tensor]]]
    parameters: tuple[str, ...]
    history: str = "cost_history"

    def judge(self, *answers: Any, draw: Draw, lang: str) -> Feedback:
        """One step, then several, then the losses."""
        (train,) = answers
        if train is ... or train is None:
            return self.to_do(lang)
        if not callable(train):
            got = type(train).__name__
            return self.wrong("type", say("no_function", lang, name=self.names, got=got))
        trial = _Trial(self, draw, lang)
        try:
            feedback = trial.feedback(train)
        except Exception as error:
            if blank_line(train) or isinstance(error, NotImplementedError):
                return self.to_do(lang)
            head = say("failed", lang, name=self.names, where=self.names)
            lines = (head, *explained(error, lang))
            return self.wrong(type(error).__name__, *lines, status=Status.FAILED)
        return self.to_do(lang) if not feedback.right and blank_line(train) else feedback


class _Trial:
    """One comparison of a training with the true one."""

    def __init__(self, question: TrainingQuestion, draw: Draw, lang: str) -> None:
        self.question, self.lang = question, lang
        self.x, self.y, start = question.start(draw)
        self.start = [parameter.double() for parameter in start]
        self.eps = draw.uniform(0.03, 0.09)
        self.true, self.losses = self._descended()

    def _descended(self) -> tuple[list[list[Tensor]], list[float]]:
        """The parameters after each of STEPS true steps, the start included, and the losses."""
        theta, every, losses = self.start, [self.start], []
        for _ in range(STEPS + 1):
            leaves = [p.clone().requires_grad_() for p in theta]
            loss = self.question.loss(self.x, self.y, *leaves)
            losses.append(loss.item())
            slopes = torch.autograd.grad(loss, leaves)
            theta = [p - self.eps * slope for p, slope in zip(theta, slopes, strict=True)]
            every.append(theta)
        return every, losses

    def feedback(self, train: Callable[..., Any]) -> Feedback:
        """What is wrong first, or that all is right."""
        returned = self._run(train, 1)
        wrong = self._returned(returned)
        for i, name in enumerate(self.question.parameters):
            wrong = wrong or self._after_one(name, returned[i], self.start[i], self.true[1][i])
        if wrong is not None:
            return wrong
        *theta, history = self._run(train, STEPS)
        for i, name in enumerate(self.question.parameters):
            change = (self.true[STEPS][i] - self.start[i]).abs().max()
            if (torch.as_tensor(theta[i]) - self.true[STEPS][i]).abs().max() > CLOSE * change:
                return self._wrong("later", SHARE, step=2, parameter=name)
        return self._history(history) or self.question.right(self.lang)

    def _run(self, train: Callable[..., Any], epochs: int) -> Any:
        return train(
            self.x.clone(), self.y.clone(), *(p.clone() for p in self.start), epochs, self.eps
        )

    def _returned(self, returned: Any) -> Feedback | None:
        names = (*self.question.parameters, self.question.history)
        if isinstance(returned, tuple | list) and len(returned) == len(names):
            return None
        several = isinstance(returned, tuple)
        got = str(len(returned)) if several else type(returned).__name__
        return self._wrong("returns", got=got, count=len(names), names=", ".join(names))

    def _after_one(self, name: str, got: Any, before: Tensor, after: Tensor) -> Feedback | None:
        """What is wrong with a parameter after one step."""
        got = torch.as_tensor(got).detach().double()
        if got.shape != after.shape:
            return self._wrong(
                "shape", parameter=name, got=tuple(got.shape), expected=tuple(after.shape)
            )
        moved, true = got - before, after - before
        size = true.abs().max()
        if (moved - true).abs().max() <= CLOSE * size:
            return None
        if not moved.any():
            return self._wrong("unchanged", parameter=name)
        ratio = float((moved * true).sum() / (true * true).sum())
        if (moved - ratio * true).abs().max() > CLOSE * moved.abs().max():
            return self._wrong("gradient", parameter=name)
        return self._by_ratio(name, ratio)

    def _by_ratio(self, name: str, ratio: float) -> Feedback:
        """A step of the right direction and the wrong length."""
        rows = len(self.x)
        kinds = (
            ("sign", -1.0), ("no_rate", 1 / self.eps), ("normalisation", rows),
            ("divided", 1 / rows), ("own_rate", 1e-5 / self.eps), ("own_rate", 1e-4 / self.eps),
        )  # fmt: skip
        key = next((k for k, value in kinds if math.isclose(ratio, value, rel_tol=1e-4)), "factor")
        shown, eps = number(ratio, self.lang), number(self.eps, self.lang)
        return self._wrong(key, parameter=name, rows=rows, ratio=shown, eps=eps)

    def _history(self, history: Any) -> Feedback | None:
        """What is wrong with the list of losses."""
        losses = losses_of(history)
        name = self.question.history
        if losses is None or len(losses) != STEPS:
            got = "0" if losses is None else len(losses)
            return self._wrong("history_length", 0.8, history=name, got=got, count=STEPS)
        true = self.losses
        if _alike(losses, true[:STEPS]):
            return None
        if _alike(losses, true[1 : STEPS + 1]):
            return self._wrong("history_after", 0.8, history=name)
        gaps = {"got": number(losses[0], self.lang), "expected": number(true[0], self.lang)}
        return self._wrong("history", 0.8, history=name, **gaps)

    def _wrong(self, key: str, share: float = 0.0, **gaps: Any) -> Feedback:
        name = self.question.names
        line = _WORDS[key].to(self.lang, **{"name": name, **gaps})
        parameter = f".{gaps['parameter']}" if "parameter" in gaps else ""
        text = line if line.startswith(name) else f"{name}: {line}"
        if self.lang == "fr":
            text = text.replace(f"{name}: ", f"{name}\u00a0: ", 1)
        return self.question.wrong(f"{key}{parameter}", text, share=share)


def losses_of(history: Any) -> list[float] | None:
    """The losses of a history: numbers, or pairs of a step and a loss; None for anything else."""
    try:
        numbers = torch.as_tensor(
            [[float(v) for v in row] if hasattr(row, "__len__") else float(row) for row in history]
        )
    except (TypeError, ValueError, RuntimeError):
        return None
    if numbers.dim() == 2:
        numbers = numbers[:, -1]
    return [float(v) for v in numbers] if numbers.dim() == 1 else None


def _alike(got: Sequence[float], true: Sequence[float]) -> bool:
    return all(math.isclose(a, b, rel_tol=1e-5) for a, b in zip(got, true, strict=True))
