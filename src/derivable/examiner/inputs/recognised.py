"""Recognition of contracts that are not declared.

The given value must fulfil the contract, and one of three conditions must hold: the docstring
states it, forward raises for other values, or forward reads only one triangle of the matrix.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.inputs.contracts import (
    Contract,
    Definite,
    LogSimplex,
    Lower,
    Rotation,
    Simplex,
    Sorted,
    Symmetric,
    Unit,
    Upper,
    structure,
)
from derivable.examiner.message import Message
from derivable.examiner.targets.target import Adapter, Inputs, is_float

ASIDE = 1e-3  # of an argument's size: how far it leaves its contract to see what forward does
# How docstrings name a contract.
WORDS: dict[type[Contract], str] = {
    Symmetric: r"symmetric", Definite: r"symmetric|positive[- ]definite|SPD",
    Lower: r"lower[- ]triangular", Upper: r"upper[- ]triangular",
    Rotation: r"orthogonal|orthonormal|rotation", Unit: r"unit",
    Simplex: r"probabilit|distribution|simplex",
    LogSimplex: r"log[- ]?probabilit|log[- ]distribution",
    Sorted: r"sorted|increasing|ascending",
}  # fmt: skip
BETWEEN = r"(?:[\w-]+\s+){0,3}"  # such as "real" and "positive definite matrix"


def recognised(adapter: Adapter, inputs: Inputs) -> dict[int, tuple[Contract, str]]:
    """Position -> contract and why: "docstring", "refuses" or "triangle"."""
    names = adapter.names(len(inputs))
    text = _documentation(adapter.target)
    found: dict[int, tuple[Contract, str]] = {}
    for i, value in enumerate(inputs):
        if not is_float(value) or value.layout != torch.strided:
            continue
        contract = structure(value)
        if contract is None or contract.discrete:
            continue
        why = (
            "docstring" if stated(contract, names[i], text)
            else "refuses" if _refuses(adapter, inputs, i, contract)
            else "triangle" if _reads_one_triangle(adapter, inputs, i, contract) else ""
        )  # fmt: skip
        if why:
            found[i] = contract, why
    return found


def settled(adapter: Adapter, contracts: dict[int, Contract], inputs: Inputs) -> list[Message]:
    """Notes on what is examined: contracts, which recognised ones are added to, and a surrogate."""
    names, forms = adapter.names(len(inputs)), adapter.forms
    reasons = {i: "declared" for i, contract in contracts.items() if forms.get(i) is contract}
    for i, (contract, why) in recognised(adapter, inputs).items():
        if i not in forms:
            contracts[i] = forms[i] = contract
            reasons[i] = why
    notes = []
    for i, why in reasons.items():
        fields = {"name": names[i], "contract": contracts[i].message}
        notes.append(Message("note.contract", {**fields, "why": Message(f"contract.why_{why}")}))
    if adapter.surrogate_of is not None:
        name = getattr(adapter.surrogate_of, "__name__", "surrogate_of")
        notes.append(Message("note.surrogate_of", {"name": name}))
    return notes


def _documentation(target: Any) -> str:
    """The docstrings of a target and of its forward, their white space as single spaces."""
    rules = (target, getattr(target, "forward", None))
    texts = [rule.__doc__ for rule in rules if isinstance(getattr(rule, "__doc__", None), str)]
    inherited = (torch.autograd.Function.__doc__, torch.autograd.Function.forward.__doc__)
    return " ".join(inspect.cleandoc(t) for t in texts if t and t not in inherited)


def stated(contract: Contract, name: str, text: str) -> bool:
    """Whether a docstring states it of an argument: "A is symmetric", "of a symmetric matrix A"."""
    word = WORDS.get(type(contract))
    if word is None:
        return False
    stated, named = rf"(?<![\w-])(?:{word})\w*", rf"(?<![\w.])[`'*]*{re.escape(name)}[`'*]*(?!\w)"
    forms = (
        rf"{named}\s+(?:is|are|has to be|have to be|must be)\s+(?:an?\s+|of\s+)?{BETWEEN}{stated}",
        rf"{named}\s*(?:\([^)]*\))?\s*[:,]\s*(?:an?\s+)?{BETWEEN}{stated}",
        rf"{stated}\s+{BETWEEN}{named}",
    )
    sentences = re.split(r"(?<=[.;])\s+|\n", text)
    return any(
        re.search(form, sentence)
        and not re.search(r"\b(?:not|no|need\w*|any|right for|non-?symmetric)\b", sentence)
        for sentence in sentences
        for form in forms
    )


def _refuses(adapter: Adapter, inputs: Inputs, position: int, contract: Contract) -> bool:
    """Whether forward raises a little beside the contract, and not as far along it."""
    x = inputs[position]
    generator = torch.Generator().manual_seed(29)
    aside = torch.randn(x.shape, generator=generator, dtype=torch.float64).to(x.dtype)
    moved = x + ASIDE * x.abs().max() * aside
    along = contract.restore(contract.nearest(moved)) if not isinstance(contract, Definite) else (
        contract.nearest(moved)
    )  # fmt: skip
    if contract.holds(moved) or not contract.holds(along):
        return False
    return _runs(adapter, inputs, position, along) and not _runs(adapter, inputs, position, moved)


def _runs(adapter: Adapter, inputs: Inputs, position: int, value: Tensor) -> bool:
    changed = list(inputs)
    changed[position] = value
    try:
        adapter.value(changed)
    except Exception:  # whatever forward raises for what it does not take
        return False
    return True


def _reads_one_triangle(
    adapter: Adapter, inputs: Inputs, position: int, contract: Contract
) -> bool:
    """Whether one triangle of a symmetric matrix changes nothing, and the other does."""
    if not isinstance(contract, Symmetric):
        return False
    x = inputs[position]
    aside = 0.1 * x.abs().max() * torch.ones_like(x)
    try:
        at = adapter.value(inputs)
        above, below = (
            _same(at, adapter.value([*inputs[:position], moved, *inputs[position + 1 :]]))
            for moved in (x + aside.triu(1), x + aside.tril(-1))
        )
    except Exception:  # forward may refuse either
        return False
    return above != below


def _same(first: tuple[Any, ...], second: tuple[Any, ...]) -> bool:
    return all(
        a.shape == b.shape and bool(torch.equal(a, b))
        for a, b in zip(first, second, strict=True)
        if isinstance(a, Tensor) and isinstance(b, Tensor)
    )
