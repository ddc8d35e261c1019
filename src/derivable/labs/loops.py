"""`Loops`: ends loops of a student's code after a number of iterations, without an error.

A descent of derivable counts as a loop, with one iteration per step.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import derivable
from derivable.descent.driver import descend

FOR, WHILE = "_derivable_turns", "_derivable_counter"  # their names among the builtins


class Loops:
    """Ends every loop of the code that it has rewritten after `limit` iterations.

    Iterations are counted anew each time a loop begins. Comprehensions are not changed. `cut` has
    the file and line of each loop that was ended.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.cut: dict[tuple[str, int], None] = {}

    def rewritten(self, statement: ast.stmt, filename: str) -> ast.Module:
        """The statement with its loops counted, as a module; lines stay where they are."""
        found = _Rewriting(filename).visit(statement)
        module = ast.Module(found if isinstance(found, list) else [found], [])
        return ast.fix_missing_locations(module)

    def install(self) -> None:
        """Let rewritten code find the two functions that count."""
        vars(builtins).update({FOR: self._turns, WHILE: self._counter})

    def _turns(self, values: Iterable[Any], filename: str, line: int) -> Iterator[Any]:
        """The first values; one more is requested, to know whether the loop was cut."""
        left = self.limit
        for value in values:
            if left == 0:
                self.cut[filename, line] = None
                return
            left -= 1
            yield value

    def _counter(self, filename: str, line: int) -> Callable[[], bool]:
        """A function that a `while` calls after its condition; False once the limit is reached."""
        left = self.limit

        def another() -> bool:
            nonlocal left
            left -= 1
            if left < 0:
                self.cut[filename, line] = None
            return left >= 0

        return another


def cut_descents(loops: Loops) -> None:
    """Limit the steps of `derivable.descend` to the iterations of a loop."""

    def shorter(*arguments: Any, steps: int, **options: Any) -> Any:
        if isinstance(steps, int) and steps > loops.limit:
            caller = sys._getframe(1)
            loops.cut[caller.f_code.co_filename, caller.f_lineno] = None
            steps = loops.limit
        return descend(*arguments, steps=steps, **options)

    vars(derivable)["descend"] = shorter


def whole_descents() -> None:
    """Remove the limit of the steps of `derivable.descend`."""
    vars(derivable)["descend"] = descend


class _Rewriting(ast.NodeTransformer):
    """`for x in values` over counted values; `while condition and another()`."""

    def __init__(self, filename: str) -> None:
        self.filename = filename
        self.count = 0

    def visit_For(self, node: ast.For) -> ast.stmt:
        self.generic_visit(node)
        node.iter = self._call(FOR, node.iter, node.iter, node.lineno)
        return node

    def visit_While(self, node: ast.While) -> list[ast.stmt]:
        self.generic_visit(node)
        self.count += 1
        name = f"{WHILE}_{node.lineno}_{self.count}"
        made = self._call(WHILE, node, None, node.lineno)
        before = ast.copy_location(ast.Assign([_name(name, ast.Store())], made), node)
        asked = ast.copy_location(ast.Call(_name(name, ast.Load()), [], []), node.test)
        node.test = ast.copy_location(ast.BoolOp(ast.And(), [node.test, asked]), node.test)
        return [before, node]

    def _call(self, function: str, at: ast.AST, first: ast.expr | None, line: int) -> ast.expr:
        arguments = [*filter(None, [first]), ast.Constant(self.filename), ast.Constant(line)]
        called = ast.Call(_name(function, ast.Load()), arguments, [])
        return ast.copy_location(called, at)


def _name(name: str, context: ast.expr_context) -> ast.Name:
    return ast.Name(name, context)
