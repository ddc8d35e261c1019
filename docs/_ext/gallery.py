"""The gallery: one page for each Function of the library, written from its own source page.

The pages are written into docs/gallery/ when the site is built, and are not kept.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from symbols import UnreadableError
from typeset import Setter, rows

from derivable import Context, Function, functions
from derivable.pages import lower_case_name, read_lines, read_page

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
FOLDER = DOCS / "gallery"
DERIVATIONS = DOCS / "derivations"
TIMES = DOCS / "times.json"
SHAPE = re.compile(r"(?<!\w)(\((?:\.\.\.|[A-Z0-9*'/, .hwl]|d_?\d)*\))")  # such as (N, C, *L)
WORDS = 45  # letters of words from which a statement is a sentence with formulas in it
WHY_FROM = 3.0  # ratio from which a page says why
GROUPS = {  # folder of the library -> title, what they are
    "elementwise": ("Entry by entry", "Functions of each entry by itself: activations and others."),
    "algebra": ("Algebra", "Sums, products and their relatives, with broadcasting."),
    "losses": ("Losses", "How far a prediction is from its target."),
    "layers": ("Layers", "Normalisation, convolution, pooling, attention and recurrent cells."),
    "linalg": ("Linear algebra", "On square matrices, in batches."),
}
LIBRARY: list[type[Function]] = [getattr(functions, name) for name in functions.__all__]


def group(function: type[Function]) -> str:
    """The folder of the library in which a Function is."""
    return function.__module__.split(".")[2]


def page(function: type[Function], pictures: bool = True) -> str:
    """The page of a Function, as Markdown."""
    writer = _Writer(function)
    parts = [
        "---\nexecute: true\n---\n",
        f"# {function.__name__}\n",
        writer.prose(writer.summary) + "\n",
        writer.facts(),
    ]
    if pictures:
        parts += [writer.picture()]
    parts += [
        writer.formulas(),
        writer.derivation(),
        writer.kinks_and_saved(),
        writer.code(),
        writer.examples(),
        writer.time(),
    ]
    return "\n".join(part for part in parts if part)


class _Writer:
    """Writes the parts of one page."""

    def __init__(self, function: type[Function]) -> None:
        self.function = function
        self.name, self.lower = function.__name__, lower_case_name(function)
        self.lines, self.parts = read_lines(function), read_page(function)
        self.summary = self.parts["Summary"]
        self.arguments = list(inspect.signature(function.forward).parameters)[1:]
        self.setter = Setter(self.arguments, inspect.cleandoc(function.__doc__ or ""))

    def prose(self, text: str) -> str:
        """A sentence with its formulas set."""
        return self.setter.prose(text)

    def facts(self) -> str:
        """How it is called."""
        signature = ", ".join(self._parameter(p) for p in self._parameters())
        return (
            f"Called as `{self.name}.apply({signature})`, as `functional.{self.lower}(...)`, "
            f"or by hand as `{self.name}.forward(ctx, ...)` and `{self.name}.backward(ctx, ...)`.\n"
        )

    def _parameters(self) -> list[inspect.Parameter]:
        return list(inspect.signature(self.function.forward).parameters.values())[1:]

    def _parameter(self, parameter: inspect.Parameter) -> str:
        if parameter.default is inspect.Parameter.empty:
            return parameter.name
        return f"{parameter.name}={parameter.default!r}"

    def picture(self) -> str:
        """Curves of an elementwise Function, shapes of another."""
        from pictures import plot, shapes

        if group(self.function) == "elementwise":
            words = "Value, slope (first derivative) and second derivative, computed by the "
            words += "Function itself and by differentiating its backward."
            if self.parts["Kinks"] != "none":
                words += " A dotted line marks a kink, the dot on it the slope that is chosen, and "
                words += "the bar the slopes that are allowed."
            return f'<div class="plot">{plot(self.function)}</div>\n\n*{words}*\n'
        words = "The shapes of the first example below. At most four matrices of a batch and "
        words += "seven rows and columns of each are drawn."
        return f'<div class="plot">{shapes(self.function)}</div>\n\n*{words}*\n'

    def formulas(self) -> str:
        """What forward and backward compute, typeset."""
        parts = ["## Formulas\n"]
        notes = self._notes()
        if notes:
            parts.append(notes)
        for heading in ("Forward", "Backward"):
            parts.append(f"**{heading}**\n")
            parts += [self._statement(*row) for row in rows(self.lines[heading], self.setter)]
        text = re.sub(r"(\+ 1)\n", r"\1; ", "\n".join(self.lines["Shapes"]))
        parts.append(f"**Shapes**: {self._code_and_words(' '.join(text.split()))}\n")
        return "\n".join(parts)

    def _notes(self) -> str:
        """What a page says between its first sentence and its headings, or below them."""
        found: list[str] = []
        for block in "\n".join(self.lines["Notes"]).split("\n\n"):
            if not block.strip():
                continue
            if block.startswith("    "):
                lines = textwrap.dedent(block).strip("\n").splitlines()
                found += [self._statement(*row) for row in rows(lines, self.setter)]
            else:
                found.append(self.prose(" ".join(block.split())) + "\n")
        return "\n".join(found)

    def _statement(self, text: str, shape: str) -> str:
        text = text.strip().rstrip(";")
        if " = " not in text or not self.setter.begins(text):
            end = f" {shape}" if shape else ""
            return self.prose(text + end) + "\n"
        try:
            latex = self.setter.latex(text.rstrip("."))
        except UnreadableError:
            return f"```text\n{text}   {shape}\n```\n"
        if sum(map(len, re.findall(r"\\text\{([^}]*)\}", latex))) > WORDS:
            return f"{self.prose(text)}{f' `{shape}`' if shape else ''}\n"
        if shape:
            latex += rf"\qquad\text{{{shape}}}"
        return f"$$\n{latex}\n$$\n"

    def _code_and_words(self, text: str) -> str:
        """A sentence in which shapes are code, and formulas are set."""
        return self.prose(SHAPE.sub(r"`\1`", text))

    def derivation(self) -> str:
        """The derivation of backward, a step at a time, and in full where that is written."""
        steps = [self.prose(step) for step in _steps(self.parts["Source"])]
        text = ["## Derivation\n"]
        if len(steps) == 1:
            text.append(_sentence(steps[0]) + "\n")
        else:
            text += [f"{i}. {_sentence(step)}" for i, step in enumerate(steps, 1)] + [""]
        text += self._helpers()
        longer = DERIVATIONS / f"{self.lower}.md"
        if longer.exists():
            text.append("### In full\n")
            text.append(longer.read_text(encoding="utf-8"))
        return "\n".join(text)

    def _helpers(self) -> list[str]:
        """The derivations of shared helpers that the page refers to: "name of _file.py"."""
        found = []
        for name, file in re.findall(r"(\w+) of (_\w+)\.py", self.parts["Source"]):
            module = importlib.import_module(f"derivable.functions.{group(self.function)}.{file}")
            helper = getattr(module, name)
            setter = Setter([*inspect.signature(helper).parameters, "deviation"], helper.__doc__)
            found.append(f"### `{name}`\n")
            for block in inspect.cleandoc(helper.__doc__).split("\n\n"):
                if block.startswith("    "):
                    text = " ".join(block.split())
                    found.append(f"$$\n{setter.latex(text)}\n$$\n")
                else:
                    found.append(setter.prose(" ".join(block.split())) + "\n")
        return found

    def kinks_and_saved(self) -> str:
        """Where there is no derivative, what is kept for backward, what is raised."""
        return "\n".join(
            [
                "## Kinks, memory, errors\n",
                "| | |\n|---|---|",
                f"| Kinks | {_cell(self.prose(self.parts['Kinks']))} |",
                f"| Saved for backward | {_cell(self._code_and_words(self.parts['Saves']))} |",
                f"| Raises | {_cell(self._raises())} |\n",
            ]
        )

    def _raises(self) -> str:
        text = self._code_and_words(self.parts["Raises"])
        return re.sub(r"\b(\w+Error)\b", r"{py:exc}`~derivable.errors.\1`", text)

    def code(self) -> str:
        """The rules themselves."""
        elementwise = "function" in vars(self.function)
        names = ("function", "slope") if elementwise else ("forward", "backward")
        found = []
        for name in names:
            if name in vars(self.function):
                found.append(textwrap.dedent(inspect.getsource(getattr(self.function, name))))
        if elementwise or not found:
            found = [
                textwrap.dedent(inspect.getsource(vars(self.function)[name].__func__))
                for name in names
                if name in vars(self.function)
            ]
        else:
            found = [
                textwrap.dedent(inspect.getsource(inspect.unwrap(getattr(self.function, name))))
                for name in names
            ]
        return "\n".join(
            [
                "## Source\n",
                f"```{{eval-rst}}\n.. autoclass:: derivable.functions.{self.name}\n```\n",
                "<!-- run: skip -->\n",
                "```python\n" + "\n".join(found).rstrip() + "\n```\n",
            ]
        )

    def examples(self) -> str:
        """Examples that run: by hand, recorded, and the examination."""
        return "\n".join(["## Examples\n", *_examples(self)])

    def time(self) -> str:
        """Its time beside PyTorch's, as it was measured."""
        if not TIMES.exists():
            return ""
        times = json.loads(TIMES.read_text(encoding="utf-8"))
        found = times["functions"].get(self.name)
        if not found:
            return ""
        text = (
            f"Forward and backward of float32 tensors of sizes {found['inputs']}, on one thread, "
            f"take **{found['ratio']:.1f} times** as long as `{found['peer']}` with PyTorch's own "
            "backward"
        ).replace("`the same formula in PyTorch's operations`", "the same formula in PyTorch's "
                  "operations, differentiated by autograd,").replace(
            "autograd, with PyTorch's own backward", "autograd"
        )  # fmt: skip
        if found["ratio"] > WHY_FROM:
            text += ": PyTorch has one fused operation where the rules above are several"
        text += (
            f". This is the median of the ratios of {times['turns']} turns in one run "
            f"({times['machine'].rstrip('.')}; `benchmarks/library.py`)."
        )
        if group(self.function) == "elementwise":
            text += (
                " In a descent the rules are compiled, and this price is not paid: "
                "[How the engines work](../explanations/engines.md)."
            )
        return f"## Time beside PyTorch's\n\n{text}\n"


def _steps(text: str) -> list[str]:
    """The sentences and clauses of a derivation, one a step."""
    found = re.split(r"(?<=[.;])(?<!\.\.)\s+(?=\S)|(?<=[,:])\s+(?=so |and therefore )", text)
    steps: list[str] = []
    for step in found:
        opened = steps and steps[-1].count("(") > steps[-1].count(")")
        if opened or (steps and steps[-1].endswith(("e.g.", "i.e."))):
            steps[-1] += " " + step
        else:
            steps.append(step)
    return [step.rstrip(",;") for step in steps]


def _sentence(step: str) -> str:
    if step[0].isalpha():
        step = step[0].upper() + step[1:]
    return step if step.endswith((".", ":")) else step + "."


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _examples(writer: _Writer) -> list[str]:
    """The example of a page as blocks of code."""
    function, name = writer.function, writer.name
    torch.manual_seed(0)
    inputs = function.examples()[0]
    given = writer.arguments[: len(inputs)]
    code, needed = _spelled(function)
    output = function.apply(*inputs)
    several = isinstance(output, tuple)
    small = not several and output.numel() <= 20
    imports = [f"from derivable.function.examples import {', '.join(needed)}"] if needed else []
    targets = ", ".join(given) + ("," if len(given) == 1 and code.endswith("[0]") else "")
    result = "outputs" if several else "output"
    sent = "*map(torch.randn_like, outputs)" if several else "torch.randn_like(output)"
    shown = (
        "[tuple(o.shape) for o in outputs]" if several else "output" if small else "output.shape"
    )
    first = [
        "```python",
        "import torch",
        "from derivable import Context, check",
        *imports,
        f"from derivable.functions import {name}",
        "",
        "torch.manual_seed(0)",
        f"{targets} = {code}",
        "ctx = Context()",
        f"{result} = {name}.forward(ctx, {', '.join(given)})",
        shown,
        "```\n",
    ]
    ctx = Context()
    made: Any = function.forward(ctx, *inputs)
    sample = map(torch.ones_like, made) if several else [torch.ones_like(made)]
    gradients = function.backward(ctx, *sample)
    one = not isinstance(gradients, tuple)
    shapes = "[g if g is None else tuple(g.shape) for g in gradients]"
    shapes = "tuple(gradient.shape)" if one else shapes
    back = [
        "`backward` takes the same Context and returns a gradient for each input, or `None`; these "
        "are their shapes:\n"
        if not one
        else "`backward` takes the same Context:\n",
        "```python",
        f"gradient{'' if one else 's'} = {name}.backward(ctx, {sent})",
        "gradient" if one and small else shapes,
        "```\n",
    ]
    third = [
        "The examiner measures the derivative of forward and compares:\n",
        "```python",
        f"print(check({name}))",
        "```\n",
    ]
    return ["\n".join(first), "\n".join(back), "\n".join(third)]


def _spelled(function: type[Function]) -> tuple[str, list[str]]:
    """The inputs of the first example as code, and the helpers that it needs."""
    general = f"{function.__name__}.examples()[0]"
    owner = next(c for c in function.__mro__ if "examples" in vars(c))
    tree = ast.parse(textwrap.dedent(inspect.getsource(vars(owner)["examples"].__func__)))
    body = [n for n in tree.body[0].body if not isinstance(n, ast.Expr)]  # type: ignore[attr-defined]
    if len(body) != 1 or not isinstance(body[0], ast.Return):
        return general, []
    listed = body[0].value
    if not isinstance(listed, ast.List) or not isinstance(listed.elts[0], ast.Tuple):
        return general, []
    values = listed.elts[0].elts
    names = {n.id for v in values for n in ast.walk(v) if isinstance(n, ast.Name)}
    if not names <= {"normal", "uniform", "torch", "float", "None"}:
        return general, []
    code = ", ".join(ast.unparse(value) for value in values)
    return code, sorted(names & {"normal", "uniform"})


def index() -> str:
    """The list of the gallery: small pictures, and what each Function is."""
    from pictures import thumbnail

    parts = [
        "# Gallery\n",
        "Every Function of the library on a page of its own: formulas, the derivation of its "
        "backward, curves or shapes, what is saved, examples that run, and its time beside "
        "PyTorch's. The pages are written from the source files when the site is built. In the "
        "pictures of the first group the solid line is the value, the thin one the slope.\n",
    ]
    for folder, (title, words) in GROUPS.items():
        members = [function for function in LIBRARY if group(function) == folder]
        parts += [f"## {title}\n", words + "\n", '<div class="cards">']
        for function in members:
            summary = re.sub(r"[`*]", "", read_page(function)["Summary"])
            summary = summary.replace("&", "&amp;").replace("<", "&lt;")
            parts.append(
                f'<a class="card" href="{lower_case_name(function)}.html">{thumbnail(function)}'
                f"<b>{function.__name__}</b><span>{summary}</span></a>"
            )
        parts.append("</div>\n")
    ordered = [f for folder in GROUPS for f in LIBRARY if group(f) == folder]
    pages = "\n".join(lower_case_name(function) for function in ordered)
    parts.append(f"```{{toctree}}\n:hidden:\n\n{pages}\n```\n")
    return "\n".join(parts)


def write(app: Any = None) -> None:
    """Write the pages of the gallery; those that have not changed keep their time."""
    FOLDER.mkdir(exist_ok=True)
    texts = {lower_case_name(function): page(function) for function in LIBRARY}
    texts["index"] = index()
    for stale in FOLDER.glob("*.md"):
        if stale.stem not in texts:
            stale.unlink()
    for name, text in texts.items():
        path = FOLDER / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the gallery before Sphinx looks for pages."""
    app.connect("config-inited", lambda app, config: write())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
