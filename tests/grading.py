"""A small sheet and copies of it, for the tests of grading."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from derivable.labs.grading.copies import Copy, Student
from derivable.labs.grading.incidents import Incident
from derivable.labs.grading.job import feedback_of_json, feedback_to_json
from derivable.labs.grading.limits import MB, Limits
from derivable.labs.grading.runner import Outcome, Runner

SMALL = Limits(
    cell=2.5, cells=12, question=3, memory=200 * MB, file=1 * MB, folder=8 * MB, output=1 * MB,
    processes=8,
)  # fmt: skip

SHEET = '''\
# %% [sheet]
from dataclasses import dataclass
from typing import Any

from derivable.labs import Curve, Draw, Feedback, Question, Sheet, Status, Text


@dataclass(frozen=True, kw_only=True)
class Square(Question):
    """square(x) is x * x."""

    def judge(self, *answers: Any, draw: Draw, lang: str) -> Feedback:
        (square,) = answers
        if square is ...:
            return self.to_do(lang)
        x = draw.normal(3)
        got = square(x)
        if (got - x * x).abs().max() < 1e-9:
            return self.right(lang, (f"x[0] = {float(x[0]):.6f}",))
        if (got + x * x).abs().max() < 1e-9:
            line = {"en": "square: wrong sign.", "fr": "square : signe faux."}[lang]
            return self.wrong("sign", line, share=0.5)
        return self.wrong("value", "square: <b>wrong</b> value")


@dataclass(frozen=True, kw_only=True)
class Falling(Question):
    """The losses fall."""

    def judge(self, *answers: Any, draw: Draw, lang: str) -> Feedback:
        losses = [float(v) for v in answers[0]]
        low, high = [0.9 * v for v in losses], [1.1 * v + 0.01 for v in losses]
        curve = Curve(list(range(len(losses))), losses, low, high)
        if losses[-1] < losses[0]:
            return self.right(lang, curve=curve)
        return Feedback(self.key, Status.WRONG, ("The loss rises.",), mistake="rises", curve=curve)


sheet = Sheet(title=Text("Squares & curves", "Carrés & courbes"), minutes=(5, 10), loop_limit=50)
sheet.add(
    Square(key="square", title=Text("The square", "Le carré"), answers=("square",), points=2.0),
    Falling(key="curve", title=Text("The curve", "La courbe"), answers=("losses",), points=1.0),
)
# %%
import torch
# %% question="square"
def square(x):
    # BEGIN SOLUTION
    return x * x
    # END SOLUTION
# %% question="curve"
# BEGIN SOLUTION
losses = [1.0 / (1 + n) for n in range(30)]
# END SOLUTION
'''
RIGHT = """\
def square(x):
    return x * x
losses = []
loss = 1.0
for n in range(80000):
    loss *= 0.99
    losses.append(loss)
"""


def write_sheet(folder: Path) -> Path:
    """The file of the small sheet."""
    path = folder / "squares.py"
    path.write_text(SHEET, "utf-8")
    return path


def notebook(*cells: str) -> str:
    """A notebook with these cells of code."""
    made: list[dict[str, object]] = [
        {"cell_type": "code", "source": cell.splitlines(keepends=True), "outputs": [],
         "execution_count": None, "metadata": {}}
        for cell in cells
    ]  # fmt: skip
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def run_all(
    folder: Path, contents: Mapping[str, str | bytes], limits: Limits = SMALL, lang: str = "en"
) -> dict[str, Outcome]:
    """The outcome of each copy, by the name of its file; two run at a time."""
    sheet = write_sheet(folder)
    runner = Runner(str(sheet), ["square", "curve"], lang, limits)

    def one(name: str) -> Outcome:
        path = folder / "copies" / name / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = contents[name]
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return runner.run(Copy(Student(name), path, path.parent), 7, threading.Event())

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(contents, pool.map(one, contents), strict=True))


def once(
    factory: pytest.TempPathFactory, worker: str, name: str, make: Callable[[], dict[str, Outcome]]
) -> dict[str, Outcome]:
    """What `make` returns, made by the first of pytest-xdist's workers that asks, for all."""
    if worker == "master":
        return make()
    file = factory.getbasetemp().parent / f"{name}.json"
    with FileLock(f"{file}.lock"):
        if not file.exists():
            made = make()
            values = {
                key: [
                    [feedback_to_json(one) for one in outcome.feedback.values()],
                    [one.to_json() for one in outcome.incidents],
                ]
                for key, outcome in made.items()
            }
            file.write_text(json.dumps(values))
            return made
    found = {}
    for key, (feedback, incidents) in json.loads(file.read_text()).items():
        every = [feedback_of_json(one) for one in feedback]
        found[key] = Outcome(
            {one.question: one for one in every}, tuple(Incident.of_json(one) for one in incidents)
        )
    return found
