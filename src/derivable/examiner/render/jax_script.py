"""The script that shows a finding about a function of JAX, without the examiner and PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from derivable.examiner.finding import Finding
from derivable.examiner.render.written import imports

if TYPE_CHECKING:
    from derivable.examiner.report import Report

STEP = 1e-6


def jax_script(report: Report, finding: Finding) -> list[str]:
    """A script that prints one entry of the gradient, by the author's rule and by differences."""
    head, named = imports(report.target)
    values = dict(zip(report.inputs, finding.inputs or report.example, strict=False))
    names = list(values)
    argument = finding.argument if finding.argument in values else names[0]
    index = finding.worst.index if finding.worst is not None else (0,) * values[argument].ndim
    at, position = ", ".join(map(str, index)) or "()", names.index(argument)
    moved = [
        ", ".join(f"{n} {sign} step" if n == argument else n for n in names) for sign in ("+", "-")
    ]
    return [
        head[0].replace("torch", "jax"),
        "import jax.numpy as jnp",
        'jax.config.update("jax_enable_x64", True)',
        *head[1:],
        "",
        *(f"{name} = {_written(value)}" for name, value in values.items()),
        f"output, vjp = jax.vjp({named}, {', '.join(names)})",
        "grad_output = jnp.cos(jnp.arange(output.size)).reshape(output.shape)",
        f"step = jnp.zeros_like({argument}).at[{at}].set({STEP:.0e})",
        f'print("returned", vjp(grad_output)[{position}][{at}])',
        f"change = {named}({moved[0]}) - {named}({moved[1]})",
        f'print("measured", (change * grad_output).sum() / {2 * STEP:.0e})',
    ]


def _written(value: Any) -> str:
    if not isinstance(value, Tensor):
        return repr(value)
    exact = value.detach().double() if value.is_floating_point() else value
    return f"jnp.array({exact.tolist()})"
