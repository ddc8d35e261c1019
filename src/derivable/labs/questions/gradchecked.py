"""Functions of a notebook that call PyTorch's `gradcheck` or `gradgradcheck`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from derivable.labs.ownership import watched
from derivable.labs.questions.program import Flaw
from derivable.messages import Text


def gradcheck_flaw(
    name: str, answer: Callable[[], Any], examined: str, *, check: str = "gradcheck"
) -> Flaw | None:
    """What is wrong with a function that is to return what a check of PyTorch returns.

    name      the function's, as students read it
    examined  the class whose backward the check is to call, by its name in the notebook
    check     `gradcheck` or `gradgradcheck`

    Calls the answer, and raises what it raises.
    """
    with watched() as calls:
        got = answer()
    if got is not True:
        return Flaw(f"{name} not true", Text(
            f"{name}() returns {got!r}, expected the True that {check} returns.",
            f"{name}() renvoie {got!r}, attendu le True que renvoie {check}."))  # fmt: skip
    if check not in calls.gradchecks:
        return Flaw(f"{name} not called", Text(
            f"{name}() returns True, and {check} was not called: return what it returns.",
            f"{name}() renvoie True sans que {check} soit appelé : renvoyer ce qu'il "
            "renvoie."))  # fmt: skip
    function = getattr(answer, "__globals__", {}).get(examined)
    code = getattr(getattr(function, "backward", None), "__code__", None)
    if code is not None and code not in calls.codes:
        return Flaw(f"{name} other", Text(
            f"{name}() calls {check} on a function that is not your {examined}.",
            f"{name}() appelle {check} sur une fonction qui n'est pas votre "
            f"{examined}."))  # fmt: skip
    return None
