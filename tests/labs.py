"""Sheets after their solutions, and students' code, for the tests of lab sheets."""

from __future__ import annotations

import linecache
import textwrap
from typing import Any

import torch

from derivable.labs.feedback import Feedback
from derivable.labs.rehearsal import Rehearsal
from derivable.labs.sheet import load, names
from derivable.labs.tables import small_table

NAMES = names()
SOLVED: dict[tuple[str, str], Rehearsal] = {}


def rehearsed(name: str, lang: str) -> Rehearsal:
    """The sheet after its solutions have run, once for all tests."""
    if (name, lang) not in SOLVED:
        rehearsal = Rehearsal(load(name, lang), lang)
        with small_table():
            rehearsal.run()
        SOLVED[name, lang] = rehearsal
    return SOLVED[name, lang]


def written(code: str, **names: Any) -> dict[str, Any]:
    """The names that a student's cell defines."""
    text = textwrap.dedent(code).strip("\n") + "\n"
    filename = f"cell {abs(hash(text))}"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    found: dict[str, Any] = {"torch": torch, "Function": torch.autograd.Function, **names}
    exec(compile(text, filename, "exec"), found)
    return found


def on(key: str, answer: Any, lang: str = "en", sheet: str = "tp2") -> Feedback:
    return load(sheet, lang).feedback(key, answer, seed=3)


LINEAR = """
class Linear(Function):
    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w, b)
        return x @ w + b

    @staticmethod
    def backward(ctx, grad_output):
        x, w, b = ctx.saved_tensors
        return grad_output @ w.T, x.T @ grad_output, grad_output.sum(0)
"""


def linear(old: str = "", new: str = "") -> Any:
    assert old in LINEAR
    return written(LINEAR.replace(old, new) if old else LINEAR)["Linear"]
