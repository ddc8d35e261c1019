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
from derivable.examiner.messages import error_of

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+|inf)(?:e[-+]?\d+)?"
RANGE = re.compile(rf"({NUMBER})?\.\.({NUMBER})?")
CALLED = re.compile(r"(index|fixed)\(([-\d, ]+)\)")
WORDS: dict[str, Contract] = {
    **{contract.word: contract for contract in STRUCTURES},
    "distinct": Distinct(), "probability": Probability(), "integer": Integer(),
    "nonzero": Nonzero(), "fixed": FixedSize(),
}  # fmt: skip


def contract_of(value: Any, argument: str) -> Contract:
    """The contract that `value` is or describes: a Contract, a text, or a sequence of them.

    Raises SettingError, which names the argument, for what is no contract.
    """
    if isinstance(value, Contract):
        return value
    if isinstance(value, str):
        parts: Sequence[Any] = [
            _contract_of_word(part.strip(), argument) for part in value.split("+")
        ]
    elif isinstance(value, list | tuple) and value:
        parts = [contract_of(part, argument) for part in value]
    else:
        raise _unknown(argument, value)
    return parts[0] if len(parts) == 1 else Several(tuple(parts))


def parse_contract(text: str) -> tuple[str, Contract]:
    """The argument and its contract of a text such as `A=symmetric`.

    Raises SettingError for a text of another form.
    """
    argument, equals, contract_text = text.partition("=")
    if not equals or not argument.strip():
        raise error_of(SettingError, "error.contract_form", got=text)
    return argument.strip(), contract_of(contract_text.strip(), argument.strip())


def _contract_of_word(text: str, argument: str) -> Contract:
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
    raise _unknown(argument, text)


def _unknown(argument: str, got: Any) -> SettingError:
    return error_of(
        SettingError, "error.contract_unknown", argument=argument, got=got, names=list(WORDS)
    )


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
            raise error_of(
                InputError, "error.contract_argument",
                function=function, argument=argument, names=list(names),
            )  # fmt: skip
        position = names.index(argument)
        contract, given = contract_of(value, argument), inputs[position]
        if not isinstance(given, Tensor):
            raise error_of(
                InputError, "error.contract_type",
                function=function, argument=argument, kind=type(given).__name__,
            )  # fmt: skip
        if not contract.holds(given.detach()):
            raise error_of(
                InputError, "error.contract_broken",
                function=function, argument=argument, contract=contract.text,
            )  # fmt: skip
        found[position] = contract
    return found
