"""Contracts as text: `A=symmetric`, `p=0..1`, `x=fixed(0)+nonzero`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from derivable.errors import InputError, SettingError
from derivable.examiner.inputs.contracts import STRUCTURES, Contract
from derivable.examiner.inputs.contracts_of_entries import (
    Between,
    Distinct,
    FixedSize,
    Index,
    Integer,
    Nonzero,
    Probability,
    Several,
)

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+|inf)(?:e[-+]?\d+)?"
RANGE = re.compile(rf"({NUMBER})?\.\.({NUMBER})?")
CALLED = re.compile(r"(index|fixed)\(([-\d, ]+)\)")
WORDS: dict[str, Contract] = {
    **{contract.word: contract for contract in STRUCTURES},
    "distinct": Distinct(), "probability": Probability(), "integer": Integer(),
    "nonzero": Nonzero(), "fixed": FixedSize(),
}  # fmt: skip
EXPECTED = f"one of {', '.join(WORDS)}, index(5), fixed(0), 0..1, or several of them with +"


def contract_of(value: Any, argument: str) -> Contract:
    """The contract that `value` is or says: a Contract, a text, or a sequence of them.

    Raises SettingError, which names the argument, for what is no contract.
    """
    if isinstance(value, Contract):
        return value
    if isinstance(value, str):
        parts: Sequence[Any] = [_said(part.strip(), argument) for part in value.split("+")]
    elif isinstance(value, list | tuple) and value:
        parts = [contract_of(part, argument) for part in value]
    else:
        raise SettingError(f"the contract of {argument} is {value!r}; expected {EXPECTED}")
    return parts[0] if len(parts) == 1 else Several(tuple(parts))


def parse_contract(text: str) -> tuple[str, Contract]:
    """The argument and its contract of a text such as `A=symmetric`.

    Raises SettingError for a text of another form.
    """
    argument, equals, said = text.partition("=")
    if not equals or not argument.strip():
        raise SettingError(f"a contract is ARGUMENT=CONTRACT, such as A=symmetric, got {text!r}")
    return argument.strip(), contract_of(said.strip(), argument.strip())


def _said(text: str, argument: str) -> Contract:
    if text in WORDS:
        return WORDS[text]
    ends = RANGE.fullmatch(text)
    if ends is not None and any(ends.groups()):
        low, high = ends.groups()
        contract = Between(float(low or "-inf"), float(high or "inf"))
        if contract.low < contract.high:
            return contract
    called = CALLED.fullmatch(text)
    if called is not None:
        try:
            numbers = [int(number) for number in called[2].split(",")]
        except ValueError:
            numbers = []
        if called[1] == "fixed" and numbers:
            return FixedSize(tuple(numbers))
        if len(numbers) == 1 and numbers[0] > 0:
            return Index(numbers[0])
    raise SettingError(f"the contract of {argument} is {text!r}; expected {EXPECTED}")


def bound(
    contracts: Mapping[str, Any], names: Sequence[str], inputs: Sequence[Any], function: str
) -> dict[int, Contract]:
    """The contracts by the positions of their arguments, whose given values fulfil them.

    Raises InputError for an unknown argument, one that is no tensor, and a value that does not
    fulfil its contract.
    """
    found: dict[int, Contract] = {}
    for argument, value in contracts.items():
        if argument not in names:
            raise InputError(
                f"{function} has no input {argument!r} that a contract could be of; it takes "
                f"{', '.join(names)}"
            )
        position = names.index(argument)
        contract, given = contract_of(value, argument), inputs[position]
        if not isinstance(given, Tensor):
            raise InputError(
                f"{function}: {argument} has a contract, and is of type {type(given).__name__}; "
                "contracts are of tensors"
            )
        if not contract.holds(given.detach()):
            raise InputError(
                f"{function}: the given {argument} does not fulfil its contract "
                f"({contract.text}); give one that does, or another contract"
            )
        found[position] = contract
    return found
