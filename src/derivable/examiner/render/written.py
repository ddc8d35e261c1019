"""Python source of a target and its inputs: how to import it, and how to make them."""

from __future__ import annotations

import inspect
import math
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.inputs.probes import unit_of
from derivable.examiner.targets.target import is_float

LITERAL, MANY = 24, 400  # up to so many entries are written as numbers; if they matter


def imports(target: Any) -> tuple[list[str], str]:
    """The lines that import PyTorch and the target, wherever it is defined; and its name then."""
    module = sys.modules.get(getattr(target, "__module__", None) or "")
    named = getattr(target, "__qualname__", "").rpartition("<locals>.")[2]
    first = named.partition(".")[0]
    file = getattr(module, "__file__", None)
    if module is None and named == getattr(target, "__qualname__", ""):
        return _from_file(target, first) or _source(target, named)
    if module is None or file is None or not hasattr(module, first):
        return _source(target, named)
    path = Path(file).resolve()
    root = path.parents[module.__name__.count(".") + (path.name == "__init__.py")]
    known = {Path(entry).resolve() for entry in sys.path}
    alone = "." not in module.__name__ and path.name != "__init__.py"
    if alone and (root not in known or module.__name__ != path.stem):
        return ["import runpy, torch", _run_path(path, first)], named
    lines = ["import torch", f"from {module.__name__} import {first}"]
    if "site-packages" not in path.parts:
        lines = ["import sys, torch", f"sys.path.insert(0, {str(root)!r})", lines[1]]
    return lines, named


def _from_file(target: Any, name: str) -> tuple[list[str], str] | None:
    """The lines that run the file of what was defined at its top, in a module that is gone."""
    try:
        file = inspect.getsourcefile(inspect.unwrap(target))
    except TypeError:
        return None
    if file is None or not Path(file).is_file():
        return None
    return ["import runpy, torch", _run_path(Path(file).resolve(), name)], name


def _run_path(path: Path, name: str) -> str:
    return f"{name} = runpy.run_path({str(path)!r})[{name!r}]"


def _source(target: Any, named: str) -> tuple[list[str], str]:
    """The source of a target that cannot be imported; a placeholder if it is not available."""
    try:
        if not named.isidentifier():
            raise TypeError  # a lambda, or an object without a name
        text = textwrap.dedent(inspect.getsource(target)).rstrip()
    except (OSError, TypeError):
        return ["import torch", "# and here: target, the object that was examined"], "target"
    bases = ["from derivable import Elementwise, Function"] if hasattr(target, "_rules") else []
    if not bases and re.match(r"class \w+\(Function\)", text):
        bases = ["from torch.autograd import Function"]
    return ["import torch", *bases, "", "", *text.splitlines(), ""], named


def written(value: Any, wanted: bool) -> str:
    """The expression that makes `value`: a tensor of the same shape, or the value itself."""
    if isinstance(value, torch.Generator):
        return f"torch.Generator().manual_seed({value.initial_seed()})"
    if not isinstance(value, Tensor):
        return repr(value)
    if value.layout != torch.strided:
        dense = f"{written(value.to_dense(), False)}.to_sparse(layout={value.layout})"
        return f"{dense}.requires_grad_()" if wanted else dense
    dtype = value.dtype
    if is_float(value):
        dtype = torch.complex128 if value.is_complex() else torch.float64
    plain = value.detach().to("cpu", dtype)
    place = "" if value.is_cpu else f", device={str(value.device)!r}"
    kind = f"dtype={dtype}{place}"
    tail = f"{kind}{', requires_grad=True' if wanted else ''}"
    if value.numel() <= (MANY if _matters(plain) else LITERAL):
        digits = 17 if _matters(plain) else 6
        return f"torch.tensor({_literal(plain.tolist(), digits)}, {tail})"
    shape = ", ".join(map(str, value.shape))
    real = plain.real if value.is_complex() else plain
    low, high = real.min().item(), real.max().item()
    if not is_float(value):
        return f"torch.randint({int(low)}, {int(high) + 1}, ({shape},){place}).to({dtype})"
    both, unit = value.is_complex() or low < 0 < high, unit_of(plain.abs())
    if both and unit == 1:
        return f"torch.randn({shape}, {tail})"
    drawn = f"{low:.6g} + {high - low:.6g} * torch.rand({shape}, {kind})"
    if both:
        drawn = f"{unit:g} * torch.randn({shape}, {kind})"
    return f"({drawn}).requires_grad_()" if wanted else drawn


def _matters(value: Tensor) -> bool:
    """Whether the numbers matter: integers, ties, nan, inf, a symmetric matrix."""
    if not is_float(value) or not bool(value.isfinite().all()):
        return True
    ties = not value.is_complex() and value.unique().numel() < value.numel()
    square = value.ndim >= 2 and value.shape[-1] == value.shape[-2]
    return ties or (square and bool(torch.allclose(value, value.mT)))


def _literal(values: Any, digits: int) -> str:
    """Numbers as Python reads them: nan and inf by name."""
    if isinstance(values, list):
        return f"[{', '.join(_literal(value, digits) for value in values)}]"
    if isinstance(values, complex):
        real, imag = _literal(values.real, digits), _literal(values.imag, digits)
        return f"complex({real}, {imag})"
    if not isinstance(values, float):
        return repr(values)
    return repr(float(f"{values:.{digits}g}")) if math.isfinite(values) else f"float('{values}')"
