"""`TrainingQuestion`: a loop of gradient descent, compared with the true one step by step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from derivable.labs.draw import Draw
from derivable.labs.feedback import Feedback, Status
from derivable.labs.ownership import blank_line, is_unwritten, watched
from derivable.labs.questions.base import Question
from derivable.labs.questions.training_messages import MESSAGES
from derivable.labs.text import after_colon, colon
from derivable.labs.typography import number
from derivable.labs.words import say

STEPS = 4
CLOSE = 1e-6  # of a parameter's change, relative to its largest entry
SHARE = 0.4  # of the points, for a loop whose first step is right


@dataclass(frozen=True)
class Variant:
    """The same function with another option: a call by keyword, and the loss that it minimises."""

    name: str
    options: Mapping[str, Any]
    loss: Callable[..., Tensor]


@dataclass(frozen=True, kw_only=True)
class TrainingQuestion(Question):
    """A function `train(x, y, *parameters, epochs, eps)` that returns them and the losses.

    A loop that is not right with the student's own functions is tried with the right ones: then it
    is right by itself, and the feedback states it.

    loss        (x, y, *parameters) -> the loss in plain PyTorch, a number
    start       makes x (N, D), y (N, 1) and the parameters from a Draw
    parameters  their names, in their order
    history     what the list of losses is called
    pairs       whether the losses are kept as [step, loss], as the sheet's charts want them
    autograd    whether it may ask autograd for the gradients
    definitions  right ones of what the loop calls, by name
    variants    other options of the function, which are tried as well
    """

    loss: Callable[..., Tensor]
    start: Callable[[Draw], tuple[Tensor, Tensor, Sequence[Tensor]]]
    parameters: tuple[str, ...]
    history: str = "cost_history"
    pairs: bool = False
    autograd: bool = False
    definitions: Mapping[str, Any] = field(default_factory=dict)
    variants: tuple[Variant, ...] = ()

    def judge(self, *answers: Any, draw: Draw, lang: str) -> Feedback:
        """One step, then several, then the losses."""
        (train,) = answers
        stop = self.refused_function(train, lang)
        if stop is not None:
            return stop
        trials = [_Trial(self, draw, lang, variant) for variant in (None, *self.variants)]
        with watched() as calls:
            feedback = self._tried(train, trials, lang)
        if calls.descend:
            return self.declined("descend", "derivable", lang)
        if calls.autograd and not self.autograd:
            line = say("trains_by_autograd", lang, name=self.names)
            return self.wrong("borrowed", line, status=Status.DECLINED)
        if feedback.right:
            return feedback
        if blank_line(train):
            return self.to_do(lang)
        return self._by_itself(train, trials, lang) or feedback

    def _tried(self, train: Callable[..., Any], trials: Sequence[_Trial], lang: str) -> Feedback:
        """What is wrong in the first trial that is not right."""
        feedback = self.to_do(lang)
        for trial in trials:
            try:
                feedback = trial.feedback(train)
            except Exception as error:
                if is_unwritten(error):
                    return self.to_do(lang)
                return self.failed(error, lang, self.names)
            if not feedback.right:
                return trial.as_variant(feedback)
        return feedback

    def _by_itself(
        self, train: Callable[..., Any], trials: Sequence[_Trial], lang: str
    ) -> Feedback | None:
        """The feedback on a loop that is right with right functions."""
        own = getattr(train, "__globals__", {})
        replaced = [name for name in self.definitions if name in own]
        if not replaced:
            return None
        with _with_right(train, self.definitions):
            feedback = self._tried(train, trials, lang)
        if not feedback.right:
            return None
        line = MESSAGES.text("own", lang, names=", ".join(replaced))
        return replace(feedback, lines=(f"{self.names}{colon(lang)}{line}",), mistake="own")


@contextmanager
def _with_right(train: Any, right: Mapping[str, Any]) -> Iterator[None]:
    """Inside, what a function finds under these names, also as a default, is the right one."""
    names, defaults = train.__globals__, train.__defaults__
    own = {name: names[name] for name in right if name in names}
    exchanged = {id(value): right[name] for name, value in own.items()}
    names.update({name: right[name] for name in own})
    if defaults is not None:
        train.__defaults__ = tuple(exchanged.get(id(value), value) for value in defaults)
    try:
        yield
    finally:
        names.update(own)
        train.__defaults__ = defaults


class _Trial:
    """One comparison of a training with the true one."""

    def __init__(
        self, question: TrainingQuestion, draw: Draw, lang: str, variant: Variant | None
    ) -> None:
        self.question, self.lang, self.variant = question, lang, variant
        self.options = {} if variant is None else variant.options
        self.loss = question.loss if variant is None else variant.loss
        self.x, self.y, start = question.start(draw)
        self.start = [parameter.double() for parameter in start]
        self.eps = draw.uniform(0.03, 0.09)
        self.true, self.losses = self._descended()
        self.overwritten = False  # whether the last run changed its start values in place

    def _descended(self) -> tuple[list[list[Tensor]], list[float]]:
        """The parameters after each of STEPS true steps, the start included, and the losses."""
        theta, every, losses = self.start, [self.start], []
        for _ in range(STEPS + 1):
            leaves = [p.clone().requires_grad_() for p in theta]
            loss = self.loss(self.x, self.y, *leaves)
            losses.append(loss.item())
            slopes = torch.autograd.grad(loss, leaves)
            theta = [p - self.eps * slope for p, slope in zip(theta, slopes, strict=True)]
            every.append(theta)
        return every, losses

    def feedback(self, train: Callable[..., Any]) -> Feedback:
        """What is wrong first, or that all is right."""
        returned = self._run(train, 1)
        wrong = self._returned(returned) or self._turns(returned[-1])
        for i, name in enumerate(self.question.parameters):
            wrong = wrong or self._after_one(name, returned[i], self.start[i], self.true[1][i])
        if wrong is not None:
            return wrong
        *theta, history = self._run(train, STEPS)
        for i, name in enumerate(self.question.parameters):
            change = (self.true[STEPS][i] - self.start[i]).abs().max()
            error = (torch.as_tensor(theta[i]) - self.true[STEPS][i]).abs().max()
            if not error <= CLOSE * change:  # also where it is NaN
                stopped = len(losses_of(history) or ()) == 1
                return self._wrong("stopped" if stopped else "later", SHARE, step=2, parameter=name)
        return self._history(history) or self.question.right(self.lang, self._remarks())

    def _remarks(self) -> tuple[str, ...]:
        """That the start values are overwritten, if they are."""
        if not self.overwritten:
            return ()
        name = self.question.parameters[0]
        return (
            say("remark", self.lang, text=MESSAGES.text("in_place", self.lang, parameter=name)),
        )

    def _run(self, train: Callable[..., Any], epochs: int) -> Any:
        given = [p.clone() for p in self.start]
        returned = train(self.x.clone(), self.y.clone(), *given, epochs, self.eps, **self.options)
        pairs = zip(given, self.start, strict=True)
        self.overwritten = any(not torch.equal(one, own) for one, own in pairs)
        return returned

    def as_variant(self, feedback: Feedback) -> Feedback:
        """The feedback, which states the option where it is that of another one."""
        if self.variant is None:
            return feedback
        return self._wrong("variant", SHARE, variant=self.variant.name)

    def _returned(self, returned: Any) -> Feedback | None:
        names = (*self.question.parameters, self.question.history)
        if isinstance(returned, tuple | list) and len(returned) == len(names):
            return None
        several = isinstance(returned, tuple)
        got = str(len(returned)) if several else type(returned).__name__
        return self._wrong("returns", got=got, count=len(names), names=", ".join(names))

    def _turns(self, history: Any) -> Feedback | None:
        """What is wrong where the loop takes other turns than those that are asked for."""
        losses = losses_of(history)
        if losses is None or len(losses) < 2:
            return None
        return self._wrong("turns", turns=len(losses))

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
        if not (moved - ratio * true).abs().max() <= CLOSE * moved.abs().max():
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
        if self.question.pairs and not _is_pair(next(iter(history))):
            return self._wrong("pairs", 0.8, history=name)
        if _alike(losses, true[:STEPS]):
            return None
        if _alike(losses, true[1 : STEPS + 1]):
            return self._wrong("history_after", 0.8, history=name)
        gaps = {"got": number(losses[0], self.lang), "expected": number(true[0], self.lang)}
        return self._wrong("history", 0.8, history=name, **gaps)

    def _wrong(self, key: str, share: float = 0.0, **gaps: Any) -> Feedback:
        name = self.question.names
        line = MESSAGES.text(key, self.lang, **{"name": name, **gaps})
        where = gaps.get("parameter") or gaps.get("variant")
        text = line if line.startswith(name) else f"{name}{colon(self.lang)}{after_colon(line)}"
        return self.question.wrong(f"{key}.{where}" if where else key, text, share=share)


def steps_of(history: Any, count: int) -> list[float]:
    """The steps of a history of pairs, where they rise from 0; else 0, 1, 2, ..."""
    with suppress(TypeError, ValueError, IndexError):
        steps = [float(row[0]) for row in history]
        if steps[0] == 0 and all(a < b for a, b in pairwise(steps)):
            return steps
    return [float(step) for step in range(count)]


def losses_of(history: Any) -> list[float] | None:
    """The losses of a history: numbers, or pairs of a step and a loss; None for anything else."""
    try:
        numbers = torch.as_tensor(
            [[float(v) for v in row] if _is_pair(row) else float(row) for row in history]
        )
    except (TypeError, ValueError, RuntimeError):
        return None
    if numbers.dim() == 2:
        numbers = numbers[:, -1]
    return [float(v) for v in numbers] if numbers.dim() == 1 else None


def _is_pair(row: Any) -> bool:
    """Whether an entry of a history has several numbers; a tensor of one number has none."""
    return hasattr(row, "__len__") and getattr(row, "ndim", 1) > 0


def _alike(got: Sequence[float], true: Sequence[float]) -> bool:
    return all(math.isclose(a, b, rel_tol=1e-5) for a, b in zip(got, true, strict=True))
