"""Whether an answer is the student's own code: not imported, and not a call of the solution."""

from __future__ import annotations

import ast
import inspect
import os
import sys
import textwrap
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

import derivable

_DERIVABLE, _PYTORCH = Path(derivable.__file__).parent, Path(torch.__file__).parent
_OURS, _TORCH = f"{_DERIVABLE}{os.sep}", f"{_PYTORCH}{os.sep}"  # how names of their files begin
_SOLUTIONS = (f"{_DERIVABLE / 'functions'}{os.sep}", str(_DERIVABLE / "functional.py"))
_DESCEND = str(_DERIVABLE / "descent" / "driver.py")
_ASKING = {  # functions of PyTorch that ask autograd for a derivative, by their files
    str(_PYTORCH / "autograd" / "__init__.py"): ("grad", "backward"),
    str(_PYTORCH / "autograd" / "forward_ad.py"): ("make_dual",),
}
_GRADCHECK = str(_PYTORCH / "autograd" / "gradcheck.py")


def package_of(answer: Any) -> str:
    """The package whose code the answer is; empty for the student's own."""
    methods = [getattr(answer, name, None) for name in ("forward", "backward")]
    wanted = [m for m in methods if m is not None] if isinstance(answer, type) else [answer]
    for one in wanted:
        code = getattr(inspect.unwrap(one), "__code__", None)
        if code is None:
            if isinstance(answer, type):
                continue
            module = str(getattr(one, "__module__", None) or "")
            return "torch" if module.startswith("torch") else ""
        for package, folder in (("derivable", _OURS), ("torch", _TORCH)):
            if code.co_filename.startswith(folder) and not _is_check(code):
                return package
    return ""


def _is_check(code: CodeType) -> bool:
    """Whether the code is a check that derivable.Function puts around an author's method."""
    return Path(code.co_filename).parent == _DERIVABLE / "function"


class Calls:
    """The library functions that an answer called inside `watched`."""

    def __init__(self) -> None:
        self.solution = ""  # the first function that is the answer itself, and whose it is
        self.package = ""
        self.autograd = False
        self.gradchecks: list[str] = []  # `gradcheck` or `gradgradcheck`, one for each call
        self.codes: set[CodeType] = set()  # of functions outside of PyTorch and derivable
        self.descend = False

    def found(self, function: str, package: str) -> None:
        """Keep the first one."""
        if not self.solution:
            self.solution, self.package = function, package


@contextmanager
def watched(forbidden: Collection[str] = ()) -> Iterator[Calls]:
    """Inside, calls of derivable's functions, of `descend` and of autograd are recorded.

    `forbidden` are functions of PyTorch by their names, such as "logsumexp".
    """
    calls = Calls()

    def notice(frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call":
            if getattr(called, "__name__", "") in forbidden and _is_torch(called):
                calls.found(called.__name__, "torch")
            return
        if event != "call":
            return
        file, name = frame.f_code.co_filename, frame.f_code.co_name
        if file == _DESCEND:
            calls.descend = True
        elif file.startswith(_SOLUTIONS):
            kind = Path(file).stem
            calls.found(name if kind == "functional" else kind, "derivable")
        elif file.startswith(_TORCH):
            if name in forbidden:
                calls.found(name, "torch")
            elif name in _ASKING.get(file, ()):
                calls.autograd = True
            elif file == _GRADCHECK and name in ("gradcheck", "gradgradcheck"):
                calls.gradchecks.append(name)
        else:
            calls.codes.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(notice)
    try:
        yield calls
    finally:
        sys.setprofile(before)


class _Shapes(TorchFunctionMode):
    """Keeps the shapes of all tensors that functions of PyTorch return while it is open."""

    def __init__(self) -> None:
        super().__init__()
        self.made: set[tuple[int, ...]] = set()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for one in made if isinstance(made, tuple | list) else (made,):
            if isinstance(one, torch.Tensor):
                self.made.add(tuple(one.shape))
        return made


@contextmanager
def shapes_made() -> Iterator[set[tuple[int, ...]]]:
    """Inside, the shapes of all tensors that functions of PyTorch return are collected."""
    with _Shapes() as shapes:
        yield shapes.made


def _is_torch(function: Any) -> bool:
    """Whether a builtin is one of PyTorch's, or a method of a tensor."""
    owner = getattr(function, "__self__", None)
    module = str(getattr(function, "__module__", None) or getattr(owner, "__name__", "") or "")
    return isinstance(owner, torch.Tensor) or "torch" in module or "torch" in type(owner).__module__


def is_unwritten(error: BaseException) -> bool:
    """Whether an error is a NotImplementedError of the student's code, and not of PyTorch."""
    return isinstance(error, NotImplementedError) and "not implemented for" not in str(error)


def blank_line(function: Callable[..., Any] | None) -> int:
    """The line of a `...` that is left in a function or class, from its first line; 0 for none."""
    if function is None:
        return 0
    try:
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
        tree = ast.parse(source)
    except (OSError, TypeError, SyntaxError, ValueError):
        return 0
    for node in ast.walk(tree):
        value = getattr(node, "value", None)
        if (
            isinstance(node, ast.Expr | ast.Assign | ast.Return)
            and isinstance(value, ast.Constant)
            and value.value is ...
        ):
            return node.lineno
    return 0
