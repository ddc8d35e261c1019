"""Findings on forwards and backwards that cannot run, such as one without ctx.

Python raises a TypeError about the number of arguments for these. The findings state which
arguments forward and backward receive.
"""

from __future__ import annotations

import ast
import inspect
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.finding import Finding, Source
from derivable.examiner.inputs.found_names import role_of
from derivable.examiner.inputs.found_trial import quiet
from derivable.examiner.inputs.found_usage import tree_of, usage_of, words_of
from derivable.examiner.message import Message
from derivable.examiner.targets.plain import CONTEXTS
from derivable.examiner.targets.random_state import seeded
from derivable.examiner.targets.target import Adapter, FunctionAdapter, Inputs, Run, is_float

CTX_API = {"save_for_backward", "saved_tensors", "needs_input_grad", "mark_dirty",
           "mark_non_differentiable", "set_materialize_grads", "save_for_forward"}  # fmt: skip
CAUSES = ("no_ctx", "no_backward", "backward_signature")


def not_runnable(adapter: Adapter) -> list[Finding]:
    """Findings from the signatures alone: no backward, or a forward without ctx."""
    if not isinstance(adapter, FunctionAdapter):
        return []
    if adapter.backward is torch.autograd.Function.vjp:
        return [_finding(adapter, "no_backward", Message("evidence.no_backward"), adapter.forward)]
    if not adapter.split and adapter.recordable and _lacks_ctx(adapter.forward):
        names = _names(adapter.forward)
        evidence = Message("evidence.no_ctx", {"first": names[0], "names": ", ".join(names)})
        return [_finding(adapter, "no_ctx", evidence, adapter.forward)]
    return []


def signature_of_backward(adapter: FunctionAdapter, outputs: int) -> list[Finding]:
    """A finding if backward does not take ctx and one grad_output per output of forward."""
    try:
        parameters = list(inspect.signature(inspect.unwrap(adapter.backward)).parameters.values())
    except (TypeError, ValueError):
        return []
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return []
    skipped = 1 if adapter.recordable or not adapter.split else 0
    own = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    if not adapter.recordable and adapter.split and own and own[0].name == "self":
        own = own[1:]
    names = [p.name for p in own[skipped:]]
    needed = sum(p.default is p.empty for p in own[skipped:])
    if len(own) >= skipped and needed <= outputs <= len(names):
        return []
    fields = {"names": ", ".join(p.name for p in own) or "-", "count": outputs}
    inputs = set(_names(adapter.forward))
    key = "evidence.takes_inputs" if inputs & set(names) else "evidence.takes"
    return [_finding(adapter, "backward_signature", Message(key, fields), adapter.backward)]


def first_run(adapter: Adapter, inputs: Inputs) -> tuple[Message | None, list[Finding]]:
    """A note or findings from one forward and one backward.

    The note states that forward or backward is not written yet, because it returns None or raises
    NotImplementedError. Findings concern the arguments of backward. Neither if forward raises
    another error, which the examination reports.
    """
    wanted = [i for i, value in enumerate(inputs) if is_float(value)]
    try:
        with quiet(), seeded(0):
            run = adapter.run(inputs, wanted)
    except NotImplementedError as error:
        return (Message("note.forward_not_implemented") if _stated(error) else None), []
    except Exception:  # whatever the user's forward raises
        return None, []
    if all(output is None for output in run.outputs):
        return Message("note.forward_none"), []
    if not isinstance(adapter, FunctionAdapter) or not run.differentiable:
        return None, []
    found = signature_of_backward(adapter, len(run.outputs))
    return (None, found) if found else (_backward_to_be_written(adapter, run), [])


def _backward_to_be_written(adapter: FunctionAdapter, run: Run) -> Message | None:
    try:
        with quiet(), seeded(0):
            found = run.vjp([torch.ones_like(run.outputs[i]) for i in run.differentiable])
    except NotImplementedError as error:
        return Message("note.backward_not_implemented") if _stated(error) else None
    except Exception:  # a finding of the examination
        return None
    nothing = all(gradient is None for gradient in found) and not _returns(adapter.backward)
    return Message("note.backward_none") if nothing else None


def _stated(error: NotImplementedError) -> bool:
    """Whether a `raise` in Python raised it, and not PyTorch for an operation that it lacks."""
    line = traceback.extract_tb(error.__traceback__)[-1].line
    return not line or line.startswith("raise")


def old_names(adapter: Adapter) -> list[Message]:
    """A note for ctx.saved_variables, which PyTorch calls saved_tensors today."""
    if isinstance(adapter, FunctionAdapter) and "saved_variables" in words_of([adapter.backward]):
        return [Message("note.saved_variables")]
    return []


def described(adapter: Adapter, inputs: Sequence[Any]) -> dict[str, str]:
    """The inputs by name, as a report states them."""
    names = adapter.names(len(inputs))
    return {
        name: f"{str(v.dtype)[6:]} {tuple(v.shape)}" if isinstance(v, Tensor) else repr(v)[:40]
        for name, v in zip(names, inputs, strict=False)
    }


def _lacks_ctx(forward: Callable[..., Any]) -> bool:
    """Whether the first parameter of a forward is an input: by its name, and by its use."""
    names = _names(forward)
    if not names or names[0].lower() in (*CONTEXTS, "self", "_", "c"):
        return False
    if not role_of(names[0]):
        return False
    tags = usage_of([forward], names[:1])[names[0]].tags
    tree = tree_of(forward)
    api = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)
           and getattr(n.value, "id", "") == names[0]} if tree is not None else set()  # fmt: skip
    return not api & CTX_API and bool(tags)


def _returns(rule: Callable[..., Any]) -> bool:
    """Whether a function has a return with a value; True where its source is not known."""
    tree = tree_of(rule)
    if tree is None:
        return True
    return any(isinstance(n, ast.Return) and n.value is not None for n in ast.walk(tree)) or any(
        isinstance(n, ast.Lambda) for n in ast.walk(tree)
    )


def _names(rule: Callable[..., Any]) -> list[str]:
    try:
        return list(inspect.signature(inspect.unwrap(rule)).parameters)
    except (TypeError, ValueError):
        return []


def _finding(adapter: Adapter, cause: str, evidence: Message, rule: Callable[..., Any]) -> Finding:
    return Finding(
        adapter.name, cause, None, Message("point.example"), (evidence,), source=_definition(rule)
    )


def _definition(rule: Callable[..., Any]) -> Source | None:
    """The line on which a function is defined."""
    rule = inspect.unwrap(rule)
    try:
        lines, start = inspect.getsourcelines(rule)
        path = inspect.getsourcefile(rule) or ""
    except (OSError, TypeError):
        return None
    at = next((i for i, line in enumerate(lines) if line.lstrip().startswith("def ")), 0)
    return Source(path, start + at, lines[at].strip())
