"""Inputs as text: `x:13x5 w:5x7 b:7 alpha=0.1` becomes tensors, bound to a forward by name."""

from __future__ import annotations

import ast
import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from derivable.errors import InputError, SettingError
from derivable.examiner.inputs.found_names import MASKS, integer_role, option_values, role_of
from derivable.examiner.message import Message
from derivable.examiner.messages import error_of
from derivable.examiner.targets.adapters import adapter_of
from derivable.examiner.targets.random_state import seeded
from derivable.examiner.targets.target import FunctionAdapter

Made = Callable[[], Any]

DTYPES = {
    "float": torch.float64,
    "complex": torch.complex128,
    "int": torch.int64,
    "bool": torch.bool,
    **{
        str(dtype).removeprefix("torch."): dtype
        for dtype in (
            torch.float64, torch.float32, torch.float16, torch.bfloat16,
            torch.complex128, torch.complex64, torch.int64, torch.int32, torch.uint8,
        )
    },
}  # fmt: skip
_TENSOR = re.compile(
    r"(?P<name>\w+):(?P<shape>\d+(x\d+)*)?"
    r"(:(?P<dtype>[a-z]+\d*))?(<(?P<below>\d+))?(:(?P<low>[^:]+)\.\.(?P<high>[^:]+))?"
)
FORM = Message("error.input_form")


def parse_inputs(text: str) -> dict[str, list[Made]]:
    """What makes each input, by name; a name given more than once belongs to *name.

    `x:13x5` is a tensor of normal numbers in double precision, `x:13x5:float32` in another dtype,
    `x:13x5:0.1..0.9` of numbers in between, `labels:13:int<7` of integers from 0 to 6, `m:13:bool`
    of either, `s:` of no dimensions, and `alpha=0.1` a value. Raises SettingError.
    """
    words = text.split()
    if not words:
        raise error_of(SettingError, "error.input_empty", form=FORM)
    made: dict[str, list[Made]] = {}
    for word in words:
        name, maker = _value(word) if "=" in word.partition(":")[0] else _tensor(word)
        made.setdefault(name, []).append(maker)
    return made


def _value(word: str) -> tuple[str, Made]:
    """`alpha=0.1`; a word that is no Python literal is a string."""
    name, _, text = word.partition("=")
    if not name.isidentifier() or not text:
        raise error_of(SettingError, "error.input_unreadable", word=word, form=FORM)
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        if not text.isidentifier():
            raise error_of(SettingError, "error.input_value", name=name, word=word) from None
        value = text
    return name, lambda: value


def _tensor(word: str) -> tuple[str, Made]:
    found = _TENSOR.fullmatch(word)
    if found is None:
        raise error_of(SettingError, "error.input_unreadable", word=word, form=FORM)
    part = found.groupdict()
    dtype = DTYPES.get(part["dtype"] or "float64")
    if dtype is None:
        raise error_of(
            SettingError, "error.input_dtype", got=part["dtype"], word=word, names=list(DTYPES)
        )
    shape = tuple(map(int, part["shape"].split("x"))) if part["shape"] else ()
    differentiable = dtype.is_floating_point or dtype.is_complex
    if not differentiable and dtype is not torch.bool and part["below"] is None:
        raise error_of(SettingError, "error.input_limit", word=word, name=part["name"])
    if differentiable and part["below"] is not None:
        right = f"{part['name']}:{part['shape'] or ''}:0..{part['below']}"
        raise error_of(SettingError, "error.input_below", right=right)
    if part["low"] is None:
        below = int(part["below"] or 2)
        return part["name"], lambda: _draw(shape, dtype, below)
    try:
        low, high = float(part["low"]), float(part["high"])
    except ValueError:
        low, high = math.nan, math.nan
    if not (low < high and dtype.is_floating_point):
        raise error_of(SettingError, "error.input_range", word=word)
    drawn = torch.float64  # first in double precision, so that a dtype only rounds
    return part["name"], lambda: torch.empty(shape, dtype=drawn).uniform_(low, high).to(dtype)


def _draw(shape: tuple[int, ...], dtype: torch.dtype, below: int) -> Tensor:
    if dtype.is_complex:
        return torch.randn(shape, dtype=torch.complex128).to(dtype)
    if dtype.is_floating_point:
        return torch.randn(shape, dtype=torch.float64).to(dtype)
    return torch.randint(0, below, shape).to(dtype)


def bind(
    target: Any, made: Mapping[str, Sequence[Made]], seed: int
) -> tuple[list[Any], dict[str, Any]]:
    """The inputs of `target` by position and by keyword, drawn from `seed`.

    Raises InputError if one that it needs is missing, or one is given that it does not take.
    """
    parameters = takes(target)
    for name in made:
        if name not in parameters:
            raise error_of(InputError, "error.input_unknown", name=name, names=list(parameters))
    with seeded(seed):
        values = {name: [make() for make in makers] for name, makers in made.items()}
    inputs: list[Any] = []
    options: dict[str, Any] = {}
    last = max((i for i, name in enumerate(parameters) if name in values), default=-1)
    for position, (name, parameter) in enumerate(parameters.items()):
        given = values.get(name, [])
        if parameter.kind is parameter.VAR_POSITIONAL:
            inputs += given
        elif len(given) > 1:
            raise error_of(InputError, "error.input_repeated", name=name, count=len(given))
        elif not given and parameter.default is parameter.empty:
            raise error_of(
                InputError, "error.input_left_out", names=list(parameters), given=list(made)
            )
        elif parameter.kind is parameter.KEYWORD_ONLY:
            options |= dict.fromkeys([name], given[0]) if given else {}
        elif given or position < last:
            inputs.append(given[0] if given else parameter.default)
    return inputs, options


def suggestion(target: Any) -> str:
    """An --input for `target`, to be filled in: `x:13x5 alpha=0.5`; shapes are an example.

    Names that usually are options get a value, labels and indices a limit, and each of *args a
    word of its own.
    """
    words = []
    for parameter in takes(target).values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            words += [f"{parameter.name}:4x3"] * 2
        elif parameter.default is parameter.empty:
            words.append(_suggested(parameter.name))
    return " ".join(words)


def _suggested(name: str) -> str:
    """The word for one input, by what its name usually means."""
    values = option_values(name)
    written = [v for v in values if isinstance(v, bool | int | float | str | None)]
    if (integer_role(name) and role_of(name) != "y") or name.lower() in ("label", "labels"):
        return f"{name}:13:int<5"
    if name in MASKS:
        return f"{name}:13x5:bool"
    if written and role_of(name) in ("", "scale"):
        return f"{name}={written[0]}"
    one = {"b": "7", "w": "5x7"}.get(role_of(name), "13x5")
    return f"{name}:{one}"


def takes(target: Any) -> dict[str, inspect.Parameter]:
    """The inputs of a Function or a plain class (without ctx) or of a callable, by name."""
    adapter = adapter_of(target)
    if isinstance(adapter, FunctionAdapter):
        parameters = list(inspect.signature(inspect.unwrap(adapter.forward)).parameters.values())
        parameters = parameters if adapter.split else parameters[1:]
    else:
        rule = target.forward if isinstance(target, nn.Module) else target
        parameters = list(inspect.signature(rule).parameters.values())
    return {p.name: p for p in parameters if p.kind is not p.VAR_KEYWORD}
