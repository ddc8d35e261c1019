"""`Recorder`: traces what an author's rule computes for each entry, as expressions.

The rule runs unchanged on a few numbers. Each PyTorch operation that it calls passes a
TorchDispatchMode, which records the expression of the result. A mask that selects entries,
x[x > 0], gives an expression that holds where the mask does, until it is written back.
"""

from __future__ import annotations

import linecache
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor

from derivable.formula.expression import Expression, apply, constant
from derivable.formula.messages import say
from derivable.formula.operations import (
    FILLED,
    FILLED_WITH,
    INDEXED,
    PAIR_RULES,
    RANDOM,
    READS_VALUES,
    REDUCTIONS,
    RULES,
    SAME,
)
from derivable.formula.refusal import NotPointwiseError
from derivable.function.compiled import DispatchMode

_LIBRARY_FOLDERS = (str(Path(torch.__file__).parent), str(Path(__file__).parent))
_LONGEST_LINE = 72  # of the author's, in a reason
_RULE_NAMES = {"forward", "backward", "function", "slope"}


@dataclass
class Cell:
    """The expression of a tensor's entries; a view and its base share one cell."""

    expression: Expression
    mask: Expression | None = None  # which entries were selected; None for all


class Recorder(DispatchMode):
    """Records each tensor as an expression of the tensors that were given to `name`.

    `scalar` states that every tensor has one entry, so that its sum and mean are that entry. An
    operation that is not pointwise raises NotPointwiseError inside the rule.
    """

    def __init__(self, owner: str, scalar: bool = False) -> None:
        super().__init__()
        self.owner, self.scalar = owner, scalar
        self._rules = RULES | (PAIR_RULES if scalar else {})
        self.rule = "forward"
        self._cells: dict[int, Cell] = {}
        self._alive: list[Tensor] = []  # so that an id is not used again

    def name(self, tensor: Tensor, expression: Expression) -> None:
        """Set the expression of a tensor, and of every tensor that shares its memory."""
        cell = self._cells.get(id(tensor))
        if cell is None:
            self._keep(tensor, Cell(expression))
        else:
            cell.expression = expression

    def expression_of(self, tensor: Tensor) -> Expression | None:
        """The expression of all entries of a tensor; None if the rule did not compute it."""
        cell = self._cells.get(id(tensor))
        return None if cell is None or cell.mask is not None else cell.expression

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        options = dict(kwargs or {})
        name = func._schema.name.split("::")[-1]
        if name in READS_VALUES and all(self._is_constant(one) for one in args):
            return func(*args, **options)
        self._refuse_unsupported(func, name)
        target = self._written(func, args, options)
        result = func(*args, **options)
        base = name[:-1] if target is not None and name.endswith("_") else name
        cell = self._cell(base, args, options, result)
        if target is not None:
            self._write(target, cell)
            return result
        self._keep(result[0] if isinstance(result, tuple | list) else result, cell)
        return result

    def _refuse_unsupported(self, func: Any, name: str) -> None:
        base = name.rstrip("_")
        if name in READS_VALUES:
            self.refuse(say("reads_values"))
        if base in RANDOM:
            self.refuse(say("random", name=base))
        known = {*self._rules, *SAME, *FILLED, *FILLED_WITH, *INDEXED}
        known |= REDUCTIONS if self.scalar else set()
        if name not in known and base not in known:
            pointwise = torch.Tag.pointwise in func.tags or name.endswith("_backward")
            key = "no_formula" if pointwise else "name_not_pointwise"
            self.refuse(say(key, name=name.strip("_")))

    def _is_constant(self, argument: Any) -> bool:
        """Whether a value does not depend on the input."""
        cell = self._cells.get(id(argument))
        return cell is None or cell.expression.number is not None

    def _written(self, func: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Tensor | None:
        """The tensor that the operation writes into, if it does."""
        for position, argument in enumerate(func._schema.arguments):
            if argument.alias_info is not None and argument.alias_info.is_write:
                target = args[position] if position < len(args) else options.pop(argument.name)
                if argument.kwarg_only:  # out=
                    options[argument.name] = target
                return target if isinstance(target, Tensor) else None
        return None

    def _cell(self, base: str, args: tuple[Any, ...], options: dict[str, Any], result: Any) -> Cell:
        """What the result of an operation is."""
        if base in FILLED:
            return Cell(constant(FILLED[base]))
        if base in FILLED_WITH:
            return Cell(self._number(args[FILLED_WITH[base]]))
        if base == "copy":
            return self._read(args[1])
        if base in SAME:
            return self._same(base, args[0], result)
        if base == "index":
            return self._selected(args[0], args[1])
        if base == "masked_select":
            return self._selected(args[0], [args[1]])
        if base in {"index_put", "_index_put_impl"}:
            return self._scattered(*args[:4])
        if self.scalar and base in REDUCTIONS:
            return Cell(self._read(args[0]).expression)
        options = {k: v for k, v in options.items() if k not in {"out", "dtype", "layout"}}
        return self._applied(self._rules[base], args, options, result)

    def _applied(
        self, rule: Callable[..., Expression], args: Any, options: Any, result: Any
    ) -> Cell:
        first = result[0] if isinstance(result, tuple | list) else result
        masks: list[Expression | None] = []

        def read(argument: Any) -> Any:
            if not isinstance(argument, Tensor):
                return argument
            cell = self._read(argument)
            if cell.expression.operation != "constant":
                masks.append(cell.mask)
                if not self.scalar and argument.shape != first.shape:
                    self.refuse(say("other_shapes"))
            return cell.expression

        values = [read(a) for a in args]
        named = {key: read(value) for key, value in options.items()}
        if any(mask is not masks[0] for mask in masks):
            self.refuse(say("other_masks"))
        return Cell(rule(*values, **named), masks[0] if masks else None)

    def _same(self, base: str, source: Tensor, result: Tensor) -> Cell:
        cell = self._cells.get(id(source)) or self._read(source)
        variable = cell.expression.operation != "constant"
        if variable and not self.scalar and result.numel() != source.numel():
            self.refuse(say("broadcasts", name=base))
        if result.dtype != source.dtype:
            return Cell(self._cast(cell.expression, source.dtype, result.dtype), cell.mask)
        if base in {"clone", "_to_copy", "contiguous", "lift_fresh", "positive"}:
            return Cell(cell.expression, cell.mask)
        return cell  # a view: what is written into one is written into both

    def _cast(self, expression: Expression, old: torch.dtype, new: torch.dtype) -> Expression:
        if new == torch.bool:
            return apply("ne", expression, 0.0)
        if old == torch.bool:
            return apply("where", expression, 1.0, 0.0)
        if not new.is_floating_point or (
            torch.finfo(new).eps > torch.finfo(torch.float64).eps
            and expression.operation != "where"  # a mask is the same in every dtype
            and expression.operation != "constant"
        ):
            self.refuse(say("casts", dtype=str(new).removeprefix("torch.")))
        return expression

    def _selected(self, source: Tensor, indices: Any) -> Cell:
        cell = self._read(source)
        if cell.mask is not None:
            self.refuse(say("picks_among_picked"))
        return Cell(cell.expression, self._mask(indices))

    def _scattered(
        self, target: Tensor, indices: Any, values: Any, accumulate: bool = False
    ) -> Cell:
        old = self._read(target)
        if old.mask is not None:
            self.refuse(say("picks_among_picked"))
        mask, new = self._mask(indices), self._read(values)
        if new.expression.operation != "constant" and new.mask is not mask:
            self.refuse(say("put_back"))
        value = old.expression + new.expression if accumulate else new.expression
        return Cell(apply("where", mask, value, old.expression))

    def _mask(self, indices: Any) -> Expression:
        if len(indices) == 1 and isinstance(indices[0], Tensor) and indices[0].dtype == torch.bool:
            cell = self._read(indices[0])
            if cell.mask is None:
                return cell.expression
        self.refuse(say("picks_by_position"))

    def _number(self, value: Any) -> Expression:
        return self._read(value).expression if isinstance(value, Tensor) else constant(value)

    def _read(self, tensor: Tensor) -> Cell:
        cell = self._cells.get(id(tensor))
        if cell is not None:
            return cell
        if tensor.numel() != 1 or tensor.is_complex():
            self.refuse(say("several_numbers"))
        return Cell(constant(tensor.item()))

    def _write(self, target: Tensor, cell: Cell) -> None:
        known = self._cells.get(id(target))
        if known is None:
            self.refuse(say("writes"))
        expression = cell.expression
        if target.dtype.is_floating_point and expression.truth:
            expression = apply("where", expression, 1.0, 0.0)
        known.expression = expression
        known.mask = cell.mask if cell.mask is not None else known.mask

    def _keep(self, tensor: Tensor, cell: Cell) -> None:
        self._cells[id(tensor)] = cell
        self._alive.append(tensor)

    def refuse(self, what: str) -> NoReturn:
        """Raise NotPointwiseError with the reason, the author's rule and its line."""
        rule, line = self._where()
        raise NotPointwiseError(say("at", owner=self.owner, rule=rule, line=line, what=what))

    def _where(self) -> tuple[str, str]:
        """The author's rule that is running, and its current line."""
        code, number = next(
            (frame.f_code, number)
            for frame, number in traceback.walk_stack(sys._getframe())
            if not frame.f_code.co_filename.startswith(_LIBRARY_FOLDERS)
        )
        text = linecache.getline(code.co_filename, number).strip()
        text = text if len(text) <= _LONGEST_LINE else f"{text[: _LONGEST_LINE - 3]}..."
        rule = code.co_name if code.co_name in _RULE_NAMES else self.rule
        return rule, say("line", number=number, text=text) if text else ""
