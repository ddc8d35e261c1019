"""Recognition of contracts that are not declared.

The given value must fulfil the contract, and the source must state it or forward must make sense
there only: see `REASONS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch

from derivable.examiner.inputs.contract_statements import (
    comments,
    documentation,
    stated,
    stated_of_the_matrix,
)
from derivable.examiner.inputs.contract_trials import (
    reads_one_of_each_pair,
    reads_one_triangle,
    refuses,
    returns_symmetric_part,
)
from derivable.examiner.inputs.contracts import Contract, Symmetric, structure
from derivable.examiner.message import Message
from derivable.examiner.targets.target import Adapter, Inputs, is_float


@dataclass(frozen=True)
class _Candidate:
    """An argument whose given value fulfils a contract; `contracts` has those of all such."""

    adapter: Adapter
    inputs: Inputs
    position: int
    contracts: dict[int, Contract]

    @property
    def contract(self) -> Contract:
        """What the given value fulfils."""
        return self.contracts[self.position]

    @cached_property
    def names(self) -> list[str]:
        """The names of all arguments."""
        return self.adapter.names(len(self.inputs))

    def in_text(self, text: str) -> bool:
        """Whether a text states the contract of the argument, or of the only such matrix."""
        name = self.names[self.position]
        if stated(self.contract, name, text):
            return True
        alone = sum(isinstance(c, Symmetric) for c in self.contracts.values()) == 1
        others = [other for other in self.names if other != name]
        return alone and stated_of_the_matrix(self.contract, others, text)

    def tried(self, trial: Callable[[Adapter, Inputs, int, Contract], bool]) -> bool:
        """What a trial of contract_trials.py finds."""
        return trial(self.adapter, self.inputs, self.position, self.contract)


# Why a contract is recognised, the first that applies: key of the message -> test.
REASONS: dict[str, Callable[[_Candidate], bool]] = {
    "docstring": lambda c: c.in_text(documentation(c.adapter.target)),
    "comment": lambda c: c.in_text(comments(c.adapter.target)),
    "refuses": lambda c: c.tried(refuses),
    "triangle": lambda c: c.tried(reads_one_triangle),
    "pairs": lambda c: c.tried(reads_one_of_each_pair),
    "part": lambda c: c.tried(returns_symmetric_part),
}


def recognised(adapter: Adapter, inputs: Inputs) -> dict[int, tuple[Contract, str]]:
    """Position -> contract, and a key of `REASONS`: why."""
    contracts: dict[int, Contract] = {}
    for i, value in enumerate(inputs):
        if is_float(value) and value.layout == torch.strided:
            contract = structure(value)
            if contract is not None and not contract.discrete:
                contracts[i] = contract
    found: dict[int, tuple[Contract, str]] = {}
    for i, contract in contracts.items():
        candidate = _Candidate(adapter, inputs, i, contracts)
        why = next((key for key, applies in REASONS.items() if applies(candidate)), "")
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
