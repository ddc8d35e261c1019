"""`reproduction`: a short script that shows a finding without the examiner."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from derivable.examiner.finding import Finding
from derivable.examiner.inputs.probes import unit_of
from derivable.examiner.message import Message
from derivable.examiner.messages import say
from derivable.examiner.points import Kind, Point, kind
from derivable.examiner.render.jax_script import jax_script
from derivable.examiner.render.written import imports, written
from derivable.examiner.targets.jax_functions import is_jax
from derivable.examiner.targets.plain import by_hand, is_plain_function_class
from derivable.examiner.targets.random_state import unchanged_random_state
from derivable.examiner.targets.target import copied, is_float
from derivable.function.gradients import as_tuple

if TYPE_CHECKING:
    from derivable.examiner.report import Report

T = TypeVar("T")

STEP = 1e-6  # cube root of the rounding of float64: the best step of a central difference
# Names that the script itself uses; arguments with these names are renamed.
RESERVED = ("torch", "target", "run", "step", "parts", "output", "outputs", "grad_output", "vjp",
         "first", "fixed", "s", "o", "i")  # fmt: skip

NOT_RUNNABLE = ("no_ctx", "no_backward", "backward_signature")

# The end of a script, after `run`, `x` and `grad_output`; {x} is the argument, {at} the entry.
_MEASURE = """\
step = torch.zeros_like({x})
step[{at}] = {step}
print("returned", torch.autograd.grad(run({x}), {x}, grad_output{unused})[0]{shown})
print("measured", ((run({ahead}) - run({behind})) * {weight}.item() / {width})"""
_MEASURE_COMPLEX = """\
step = torch.zeros_like({x})
step[{at}] = {step}
print("returned", torch.autograd.grad(run({x}), {x}, grad_output{unused})[0]{shown})
parts = [((run({x} + s) - run({x} - s)) * {weight}.item() for s in (step, 1j * step)]
print("measured", complex(*parts) / {width})"""
_VJP = """\
output = run({x})
def vjp(grad_output):
    return torch.autograd.grad(output, {x}, grad_output, retain_graph=True)[0]
"""
_ENDINGS = {
    "count": "torch.autograd.grad(run({x}), {x}, grad_output)",
    "raises": "torch.autograd.grad(run({x}), {x}, grad_output)",
    "in_place": """\
tensors = [{tensors}]
before = [t.detach().clone() for t in tensors]
output = run({x})
grad_output = torch.randn_like(output)
tensors += [output, grad_output]
before += [output.detach().clone(), grad_output.clone()]
torch.autograd.grad(output, {x}, grad_output)
print("unchanged:", [torch.equal(t, b) for t, b in zip(tensors, before, strict=True)])""",
    "random": _VJP
    + """\
print("once ", vjp(grad_output)[{at}].item())
print("again", vjp(grad_output)[{at}].item())""",
    "state": _VJP
    + """\
print("alone               ", vjp(grad_output)[{at}].item())
run(2 * {x})
print("after another forward", vjp(grad_output)[{at}].item())""",
    "not_linear": _VJP
    + """\
print("-1000 * vjp(g)", (-1000 * vjp(grad_output))[{at}].item())
print("vjp(-1000 * g)", vjp(-1000 * grad_output)[{at}].item())""",
    "way": """\
(returned,) = torch.autograd.grad(run({x}), {x}, grad_output)
(functional,) = torch.func.vjp(run, {x}.detach())[1](grad_output)
print("torch.autograd", returned[{at}].item())
print("torch.func    ", functional[{at}].item())""",
    "layout": _VJP
    + """\
spread = torch.stack([grad_output, grad_output], -1)[..., 0]  # the same numbers, not contiguous
one = torch.ones((), dtype=output.dtype).expand(output.shape)
print("contiguous", vjp(grad_output)[{at}].item(), vjp(one.contiguous())[{at}].item())
print("strided   ", vjp(spread)[{at}].item(), vjp(one)[{at}].item())""",
}
# Causes that only a call by hand shows, because autograd sums to the argument's shape.
BY_HAND = ("shape", "keepdim", "missing_sum")
_BY_HAND = """\
ctx = Context()
{run}
grad_output = torch.randn_like(output)
gradients = {named}.backward(ctx, grad_output)
gradients = gradients if isinstance(gradients, tuple) else (gradients,)
print("shape of {x}          ", tuple({x}.shape))
print("shape of its gradient", tuple(gradients[{position}].shape))"""
# Second order is first order of the gradient, which `run` returns from then on. The term 0 * x
# keeps a detached gradient in the graph.
_GRADIENT = """\
fixed = torch.randn_like(run({x}))
first = run
def run({x}):  # the gradient, whose own gradient is examined
    {x} = {x} if {x}.requires_grad else {x}.clone().requires_grad_()
    return torch.autograd.grad(first({x}), {x}, fixed, create_graph=True)[0] + 0 * {x}
"""
# The same with a loss, whose grad_output depends on the output.
_GRADIENT_OF_SQUARES = _GRADIENT.replace("grad(first({x}), {x}, fixed,",
                                         "grad((fixed * first({x}) ** 2).sum(), {x},")  # fmt: skip


def reproduction(report: Report, finding: Finding, lang: str | None = None) -> str:
    """The script, at inputs where it shows; its first lines state what is wrong, and where.

    Tensors are drawn from the seed where any values will do, and written out where there are few
    of them or where they matter. Everything is in double precision. Empty for what cannot run at
    all.
    """
    if finding.cause in NOT_RUNNABLE:
        return ""
    names = {name: re.sub(r"\W+|^(?=\d)", "_", name).rstrip("_") for name in report.inputs}
    names = {name: f"{known}_" if known in RESERVED else known for name, known in names.items()}
    values = dict(zip(report.inputs, finding.inputs or report.example, strict=False))
    title = _title(report, finding, lang)
    if isinstance(report.target, tuple):
        return "\n".join([*title, *_pair(report, finding)])
    if is_jax(report.target):
        return "\n".join([*title, *jax_script(report, finding)])
    argument = _argument(finding, values)
    head, named = imports(report.target)
    if is_plain_function_class(report.target):
        head = [*head, "from derivable.examiner.targets.plain import by_hand"]
    lines = [*title, *head, ""]
    if argument is None:
        return "\n".join([*lines, "# the inputs were not kept: call check(...) again"])
    if values[argument].layout != torch.strided:
        return "\n".join([*lines, f"# {argument} is sparse: step through one of its stored values"])
    drawn = [f"{names[n]} = {written(v, n == argument)}" for n, v in values.items()]
    floats = [names[name] for name, value in values.items() if is_float(value)]
    drawn += _in_dtype(finding, floats, names[argument])
    x, outputs = names[argument], _outputs(report, values)
    is_complex = any(isinstance(o, Tensor) and o.is_complex() for o in outputs or ())
    at = ", ".join(map(str, _spot(finding, values[argument]))) or "()"
    step = STEP * unit_of(values[argument].detach().abs())
    side = finding.evidence[0].key if finding.evidence else ""  # on which forward goes on
    ahead, behind = side != "evidence.edge_below", side != "evidence.edge_above"
    gaps = {
        "x": x,
        "ahead": f"{x} + step" if ahead else x,
        "behind": f"{x} - step" if behind else x,
        "at": at,
        "shown": "" if finding.cause == "none" else f"[{at}].item()",
        "unused": ", allow_unused=True" if finding.cause == "none" else "",
        "step": f"{step:.0e}",
        "width": f"{(ahead + behind) * step:.0e}",
        "weight": "grad_output.conj()).sum().real" if is_complex else "grad_output).sum()",
        "tensors": ", ".join(names[n] for n, v in values.items() if isinstance(v, Tensor)),
    }
    measure = _MEASURE_COMPLEX if values[argument].is_complex() else _MEASURE
    body = textwrap.indent(_call(report, named, names, outputs), "    ")
    seed = f"torch.manual_seed({report.settings.seed})"
    if _by_hand(report, finding):
        position = list(values).index(argument)
        hand = _hand(report, named, names, x, position)
        return "\n".join([*title, *_with_context(head), "", seed, *drawn, *hand])
    lines += [seed, *drawn, f"def run({x}):", body]
    if finding.cause == "second_order":
        behind_a_loss = any(e.key == "evidence.second_grad_output" for e in finding.evidence)
        gradient = _GRADIENT_OF_SQUARES if behind_a_loss else _GRADIENT
        lines += gradient.format_map(gaps).splitlines()
    if finding.cause != "in_place":  # where the first forward must be kept
        lines.append(f"grad_output = torch.randn_like(run({x}))")
    return "\n".join([*lines, *_ENDINGS.get(finding.cause, measure).format_map(gaps).splitlines()])


def _by_hand(report: Report, finding: Finding) -> bool:
    """Whether the mistake shows only where backward is called by hand."""
    return finding.cause in BY_HAND and finding.worst is None and _is_function(report.target)


def _with_context(head: Sequence[str]) -> list[str]:
    """The imports, and that of Context after those of one word."""
    last = max(i for i, line in enumerate(head) if line.startswith("import "))
    return [*head[: last + 1], "from derivable import Context", *head[last + 1 :]]


def _hand(report: Report, named: str, names: dict[str, str], x: str, position: int) -> list[str]:
    """The lines that run forward and backward by hand, in the style of the Function."""
    given = ", ".join(names.values())
    run = f"output = {named}.forward(ctx, {given})"
    style = getattr(report.target, "setup_context", None)
    if style is not torch.autograd.Function.setup_context and not hasattr(report.target, "_rules"):
        run = f"output = {named}.forward({given})\n{named}.setup_context(ctx, ({given},), output)"
    gaps = {"run": run, "named": named, "x": x, "position": position}
    return _BY_HAND.format_map(gaps).splitlines()


def _in_dtype(finding: Finding, floats: Sequence[str], x: str) -> list[str]:
    """The lines that convert the inputs to the dtype that shows the mistake, if not float64."""
    point = Point.of(finding.point)
    if point.kind is not Kind.DTYPE:
        return []
    dtype = point.fields["dtype"]
    wanted = {name: ".requires_grad_()" if name == x else "" for name in floats}
    return [f"{n} = {n}.detach().to(torch.{dtype}){more}" for n, more in wanted.items()]


def _title(report: Report, finding: Finding, lang: str | None) -> list[str]:
    """The first lines: what is wrong, and where it shows if that is not at the given inputs."""
    first = f"# {report.function}: {say(Message('cause.' + finding.cause), lang)}"
    if kind(finding) is Kind.EXAMPLE:
        return [first]
    shown = finding.inputs or kind(finding) is Kind.DTYPE
    if shown and not isinstance(report.target, tuple):
        return [f"{first}, {say(finding.point, lang)}"]
    return [first, f"# {say(Message('show.elsewhere', {'point': finding.point}), lang)}"]


def _pair(report: Report, finding: Finding) -> list[str]:
    """The script for a value with a gradient beside it: `target` is both, `example` is theta."""
    value, gradient = report.target
    (theta,) = report.example
    parts: dict[Any, Any] = {None: theta}
    if type(theta) in (dict, list, tuple):
        parts = dict(theta if type(theta) is dict else enumerate(theta))
    if not all(isinstance(part, Tensor | np.ndarray) for part in parts.values()):
        return ["# theta holds more than arrays: step through one entry of it by hand"]
    key = next((k for k in parts if finding.argument in (k, f"theta[{k}]")), next(iter(parts)))
    head, named = imports(value)
    more, beside = ([], named) if gradient is None else imports(gradient)
    at = ", ".join(map(str, _spot(finding, torch.as_tensor(parts[key])))) or "()"
    place = "" if key is None else f"[{key!r}]"
    arrays = [p for p in parts.values() if isinstance(p, np.ndarray)]
    return [
        "import copy",
        *(["import numpy as np"] if arrays else []),
        *dict.fromkeys([*head, *more]),
        "",
        f"torch.manual_seed({report.settings.seed})",
        *_theta(theta, parts),
        "up, down = copy.deepcopy(theta), copy.deepcopy(theta)",
        f"up{place}[{at}] += {STEP:.0e}",
        f"down{place}[{at}] -= {STEP:.0e}",
        f"up, down = {named}(up), {named}(down)",
        *(["up, down = up[0], down[0]"] if gradient is None else []),
        f'print("returned", {beside}(theta){"[1]" if gradient is None else ""}{place}[{at}])',
        f'print("measured", (up - down) / {2 * STEP:.0e})',
    ]


def _theta(theta: Any, parts: dict[Any, Any]) -> list[str]:
    """The lines that make theta again: an array, or some in a dictionary, a list or a tuple."""
    made = {
        key: written(torch.as_tensor(part), False)
        if isinstance(part, Tensor)
        else f"({written(torch.as_tensor(part), False)}).numpy()"
        for key, part in parts.items()
    }
    if type(theta) is dict:
        return ["theta = {", *(f"    {key!r}: {text}," for key, text in made.items()), "}"]
    if type(theta) in (list, tuple):
        opened, closed = "[]" if type(theta) is list else "()"
        return [f"theta = {opened}", *(f"    {text}," for text in made.values()), closed]
    return [f"theta = {made[None]}"]


def _argument(finding: Finding, values: dict[str, Any]) -> str | None:
    """The argument whose gradient is shown: the finding's, else the first with a gradient."""
    differentiable = [name for name, value in values.items() if is_float(value)]
    if finding.argument in differentiable:
        return finding.argument
    wanted = [name for name in differentiable if values[name].requires_grad]
    return next(iter(wanted or differentiable), None)


def _spot(finding: Finding, value: Tensor) -> tuple[int, ...]:
    """The worst entry, or the first where that one belongs to inputs of another shape."""
    index = finding.worst.index if finding.worst is not None else ()
    inside = len(index) == value.ndim and all(
        i < size for i, size in zip(index, value.shape, strict=True)
    )
    return tuple(index) if inside else (0,) * value.ndim


def _call(report: Report, named: str, names: dict[str, str], outputs: Sequence[Any] | None) -> str:
    """The body of `run`: one floating-point tensor, whatever the target returns."""
    own, parameters = _own(report.target, names)
    keywords = _keywords(report.target)
    words = ", ".join(f"{name}={v}" if name in keywords else v for name, v in own.items())
    called = f"by_hand({named})" if is_plain_function_class(report.target) else named
    applied = called != named or _is_function(report.target)
    call = f"{called}{'.apply' if applied else ''}({words})"
    if parameters:
        state = ", ".join(f"{name!r}: {v}" for name, v in parameters.items())
        call = f"torch.func.functional_call({named}, {{{state}}}, ({words},))"
    if outputs is None or len(outputs) == 1:
        return f"return {call}"
    differentiable = [i for i, o in enumerate(outputs) if is_float(o)]
    if len(differentiable) == len(outputs):
        return f"return torch.cat([o.flatten() for o in {call}])"
    return f"outputs = {call}\nreturn torch.cat([outputs[i].flatten() for i in {differentiable}])"


def _outputs(report: Report, values: dict[str, Any]) -> Sequence[Any] | None:
    """What the target returns at `values`; None where it fails."""
    given = {name: copied(v, False) for name, v in _own(report.target, values)[0].items()}
    options = {name: given.pop(name) for name in _keywords(report.target) if name in given}
    run = report.target.apply if _is_function(report.target) else report.target
    run = by_hand(run).apply if is_plain_function_class(run) else run
    try:
        with unchanged_random_state(), torch.no_grad():
            return as_tuple(run(*given.values(), **options))
    except Exception:  # a reproduction is written for what fails, too
        return None


def _own(target: Any, named: dict[str, T]) -> tuple[dict[str, T], dict[str, T]]:
    """What forward is called with, and beside it the parameters of a module."""
    held = dict(target.named_parameters()) if isinstance(target, nn.Module) else {}
    inputs = {name: value for name, value in named.items() if name not in held}
    return inputs, {name: value for name, value in named.items() if name in held}


def _keywords(target: Any) -> list[str]:
    rules = getattr(target, "_rules", None)
    return rules.signature.keyword_only if rules else []


def _is_function(target: Any) -> bool:
    return isinstance(target, type) and issubclass(target, torch.autograd.Function)
