"""The API reference: one page for each part of what is public, written when the site is built."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import derivable

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = Path(__file__).parents[1] / "api"
PARTS: dict[str, tuple[str, str, list[str]]] = {  # file -> title, what it is, modules or names
    "function": (
        "Functions and Contexts",
        "Differentiable functions written by hand.",
        ["derivable.function", "derivable.function.examples"],
    ),
    "networks": (
        "Networks, layers, losses, problems",
        "What a descent minimises.",
        ["Network", "Layer", "Loss", "Problem"],
    ),
    "descent": (
        "Descent",
        "How parameters move: methods, callbacks, results.",
        ["derivable.descent", "derivable.loggers", "ProgressBar"],
    ),
    "engines": (
        "Objectives and steppers",
        "How losses, gradients and steps are computed.",
        ["derivable.objective", "derivable.stepper"],
    ),
    "formula": (
        "Functions as formulas",
        "What an author's rules compute for each entry, as expressions.",
        ["derivable.formula"],
    ),
    "examiner": (
        "The examiner",
        "Checks of hand-written gradients.",
        ["check", "check_gradient", "examine", "declare", "Report", "Finding"],
    ),
    "contracts": (
        "Contracts",
        "What an argument always is.",
        ["derivable.contracts"],
    ),
    "measure": (
        "Numerical differentiation",
        "Derivatives from values, each with an error bound.",
        ["derivable.examiner.measure"],
    ),
    "estimators": (
        "Estimators for scikit-learn",
        "Tables and labels in, predictions out.",
        ["derivable.estimator"],
    ),
    "comparison": (
        "Comparisons, runs and saved models",
        "Several models on one table, and what is kept in files.",
        ["Comparison", "Training", "compare", "load_run", "SavedModel"],
    ),
    "data": (
        "Tables",
        "Tables, files as tables, and how tables are split.",
        ["derivable.data", "load_california"],
    ),
    "labs": (
        "Lab sheets",
        "Questions, checks and sheets.",
        ["derivable.labs"],
    ),
    "errors": (
        "Errors",
        "Every exception of the package; each is also the builtin that callers already catch.",
        ["derivable.errors"],
    ),
}


def public(module: Any) -> list[str]:
    """The public names of a module."""
    listed = getattr(module, "__all__", None)
    if listed is None:
        listed = [
            name
            for name, value in vars(module).items()
            if not name.startswith("_")
            and (inspect.isclass(value) or inspect.isfunction(value))
            and (value.__module__ == module.__name__ or module.__name__ == "derivable.contracts")
        ]
    return [name for name in listed if not name.startswith("_")]


def targets(entry: str) -> list[tuple[str, Any]]:
    """The objects behind an entry of a part: (full name, object)."""
    if not entry.startswith("derivable."):
        return [(f"derivable.{entry}", getattr(derivable, entry))]
    module = importlib.import_module(entry)
    return [(f"{entry}.{name}", getattr(module, name)) for name in public(module)]


def page(part: str) -> str:
    """One page of the reference."""
    title, words, entries = PARTS[part]
    lines = [f"# {title}\n", words + "\n"]
    for entry in entries:
        found = targets(entry)
        if entry.startswith("derivable.") and len(entries) > 1:
            lines.append(f"## `{entry}`\n")
        for name, value in found:
            lines += _directive(name, value)
    return "\n".join(lines)


def _directive(name: str, value: Any) -> list[str]:
    if inspect.isclass(value):
        kind = "autoexception" if issubclass(value, BaseException) else "autoclass"
        options = [":members:"] if kind == "autoclass" else []
        if fields := getattr(value, "_fields", None):  # of a NamedTuple: there are no words on them
            options.append(f":exclude-members: {', '.join(fields)}")
        if value.__bases__ != (object,):
            options.append(":show-inheritance:")
    elif callable(value):
        kind, options = "autofunction", []
    else:
        return []
    body = "\n".join(f"   {line}" for line in options)
    return [f"```{{eval-rst}}\n.. {kind}:: {name}\n{body}\n```\n"]


def command_line() -> str:
    """Every command with its options, as `--help` states them."""
    import click

    from derivable.cli.main import cli

    lines = ["# Command line\n", "What `--help` states of each command.\n"]

    def add(command: click.Command, name: str, depth: int) -> None:
        context = click.Context(command, info_name=name, max_content_width=84, terminal_width=84)
        lines.extend([f"{'#' * depth} `{name}`\n", f"```text\n{command.get_help(context)}\n```\n"])
        for each in getattr(command, "commands", {}).values():
            add(each, f"{name} {each.name}", min(depth + 1, 3))

    add(cli, "derivable", 2)
    return "\n".join(lines)


def index() -> str:
    """The list of the reference."""
    lines = [
        "# API reference\n",
        "Everything that is public, from the docstrings and types of the package. The names in "
        "the table are imported from `derivable` itself.\n",
        "| from | |\n|---|---|",
    ]
    lines += [f"| [{title}]({part}.md) | {words} |" for part, (title, words, _) in PARTS.items()]
    lines += [
        "| [Command line](command_line.md) | every command with its options |",
        "| [The library](../gallery/index.md) | `derivable.functions`, and in lower case "
        "`derivable.functional`; a page for each. |\n",
        "```{toctree}\n:hidden:\n",
        *PARTS,
        "command_line",
        "```\n",
    ]
    return "\n".join(lines)


def write() -> None:
    """Write the pages; those that have not changed keep their time."""
    FOLDER.mkdir(exist_ok=True)
    texts = {part: page(part) for part in PARTS}
    texts |= {"index": index(), "command_line": command_line()}
    for name, text in texts.items():
        path = FOLDER / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def as_rst(lines: list[str]) -> list[str]:
    """A docstring, which is plain text with `code`, as reStructuredText.

    An indented block after a blank line is code, and two columns are a list of fields. What
    reStructuredText would read as a role, a
    substitution or emphasis is escaped.
    """
    found: list[str] = []
    literal = fields = False
    for i, line in enumerate(lines):
        before = lines[i - 1] if i else ""
        indented = line.startswith("    ")
        if literal and (indented or not line.strip()):
            found.append(line)
            continue
        literal = False
        column = re.match(r"(\w+) {2,}(?=\S)", line)
        if column and (fields or not before.strip()):
            fields = True
            found.append(f":{column[1]}: {_escaped(line[column.end() :])}")
        elif fields and line.strip():
            found.append("   " + _escaped(line.strip()))
        elif indented and not before.strip():
            found += ["::", "", line]
            literal = True
        else:
            fields = False
            if line.startswith("- ") and before.strip() and not before.startswith(("- ", "  ")):
                found.append("")
            found.append(_escaped(line))
    return found


def _escaped(line: str) -> str:
    parts = re.split(r"(`+[^`]+`+)", line)
    for i, part in enumerate(parts):
        if i % 2:
            parts[i] = f"``{part.strip('`')}``"
        else:
            parts[i] = re.sub(r"(?<![\w\\])([*|])|([*|])|(?<=\w)(_)(?=\W|$)", r"\\\g<0>", part)
    return _spaces("".join(parts))


def _spaces(text: str) -> str:
    """Blanks around literals where reStructuredText needs them."""
    out, inside, at = "", False, 0
    while at < len(text):
        if text.startswith("``", at):
            if not inside and out and out[-1].isalnum():
                out += "\\ "
            out += "``"
            at += 2
            inside = not inside
            if not inside and at < len(text) and text[at].isalnum():
                out += "\\ "
            continue
        out += text[at]
        at += 1
    return out


def _docstring(
    app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    if inspect.isclass(value) and value.__module__.startswith("derivable.functions."):
        lines[:] = []  # the page is the docstring, typeset
    else:
        lines[:] = as_rst(lines)


def _signature(
    app: Sphinx, what: str, name: str, value: Any, options: Any, signature: str | None, *rest: Any
) -> Any:
    """No arguments behind a Function, which is called as `.apply`."""
    if signature and "<factory>" in signature:  # no Python, so that it would be one long line
        return signature.replace("<factory>", "..."), None
    if inspect.isclass(value) and issubclass(value, derivable.Function):
        return "", None
    return None


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the reference before Sphinx looks for pages, and read our docstrings as they are."""
    app.connect("config-inited", lambda app, config: write())
    app.connect("autodoc-process-docstring", _docstring)
    app.connect("autodoc-process-signature", _signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
