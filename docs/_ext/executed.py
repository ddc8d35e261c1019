"""Examples that run when the site is built, with what they print below them.

A page with `execute: true` in its front matter has its blocks run from top to bottom, in one
temporary folder: `python` blocks in one namespace, as the cells of a notebook, and `sh` blocks
command by command. A comment above a block, `<!-- run: quiet file=tp.py -->`, has options:

- `fails`: the block must fail, which otherwise fails the build;
- `quiet` hides what it prints;
- `file=NAME` keeps the block as a file of the folder, and `write` with it does no more than that;
- `skip` leaves it out.
"""

from __future__ import annotations

import ast
import hashlib
import io
import os
import re
import subprocess
import sys
import tempfile
import traceback
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

import derivable
from derivable.messages import Text

logger = logging.getLogger(__name__)
SECONDS = 120.0  # for one command
CHART = Text("The chart that the example draws", "Le graphique que trace l'exemple")


class Execute(SphinxTransform):
    """Runs the blocks of a page and puts their output below them."""

    default_priority = 400

    def apply(self, **kwargs: Any) -> None:
        """Run the page, if its front matter asks for that."""
        if not self.env.metadata.get(self.env.docname, {}).get("execute"):
            return
        before = dict(os.environ)
        with tempfile.TemporaryDirectory(prefix="derivable-site-") as folder, chdir(folder):
            french = self.env.docname.startswith("fr/")
            os.environ["DERIVABLE_LANG"] = "fr" if french else "en"
            names: dict[str, Any] = {"__name__": "__main__"}
            for block in list(self.document.findall(nodes.literal_block)):
                language, options = block.get("language", ""), _options(block)
                if "skip" in options:
                    continue
                if language == "python":
                    out = run_python(block.astext(), names, options)
                elif language == "sh":
                    out = run_commands(block.astext(), options)
                else:
                    continue
                if isinstance(out, Failed):
                    logger.warning("an example fails:\n%s", out.text, location=block)
                elif "quiet" not in options:
                    place = block.parent.index(block) + 1
                    block.parent[place:place] = out
        os.environ.clear()
        os.environ.update(before)


class Failed:
    """What a failing example printed."""

    def __init__(self, text: str) -> None:
        self.text = text


def run_python(code: str, names: dict[str, Any], options: list[str]) -> list[nodes.Node] | Failed:
    """Run a block as a notebook runs a cell: the value of a last expression is shown."""
    for option in options:
        if option.startswith("file="):
            Path(option.removeprefix("file=")).write_text(code + "\n", encoding="utf-8")
    if "write" in options:
        return []
    filename = next((o[5:] for o in options if o.startswith("file=")), "example.py")
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, shown = io.StringIO(), []
    with redirect_stdout(printed), redirect_stderr(io.StringIO()):
        try:
            exec(compile(tree, filename, "exec"), names)
            if last:
                value = eval(compile(ast.Expression(last.value), filename, "eval"), names)
                shown = _shown(value)
            if "fails" in options:
                return Failed("it should fail, and does not")
        except Exception:
            if "fails" not in options:
                return Failed(traceback.format_exc())
            printed.write("".join(traceback.format_exception_only(*sys.exc_info()[:2])))
    return [*_output(printed.getvalue()), *shown]


def run_commands(code: str, options: list[str]) -> list[nodes.Node] | Failed:
    """Run each command of a block by the shell; one that ends in a backslash goes on."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(str(Path(p).resolve()) for p in sys.path if p),
        "COLUMNS": "84",
        "NO_COLOR": "1",
        "PYTHONWARNINGS": "ignore",
    }
    text = ""
    for line in filter(str.strip, code.replace("\\\n", " ").splitlines()):
        command = re.sub(r"^derivable\b", f"{sys.executable} -m derivable", line)
        done = subprocess.run(
            command, shell=True, capture_output=True, text=True, timeout=SECONDS, env=environment
        )
        if bool(done.returncode) != ("fails" in options):
            return Failed(f"{line}\n{done.stdout}{done.stderr}")
        text += done.stderr + done.stdout
    return _output(text)


def _output(text: str) -> list[nodes.Node]:
    text = re.sub(r"\S*/derivable-site-\w+/", "", text).replace(f"{os.getcwd()}/", "").rstrip()
    if not text:
        return []
    return [nodes.literal_block(text, text, language="text", classes=["output"])]


def _shown(value: Any) -> list[nodes.Node]:
    """A value as a notebook shows it: a chart, or its text."""
    from matplotlib.axes import Axes

    if value is None:
        return []
    if isinstance(value, Axes):
        from derivable.display.chart import Chart

        value.figure.set_size_inches(7.2, 3.8)  # type: ignore[union-attr]
        svg = Chart(value.figure).inline(CHART.to())  # type: ignore[arg-type]
        return [nodes.raw("", f'<div class="plot">{svg}</div>', format="html")]
    return _output(str(value) if type(value).__module__ == "builtins" else repr(value))


def _options(block: nodes.literal_block) -> list[str]:
    """The words of the comment `<!-- run: ... -->` above a block."""
    position = block.parent.index(block)
    before = block.parent[position - 1] if position else None
    match = re.fullmatch(r"<!-- run: (.*) -->", before.astext().strip()) if before else None
    return match[1].split() if match else []


def _outdated(app: Sphinx, env: Any, added: Any, changed: Any, removed: Any) -> list[str]:
    """The pages to be run again: all that run, where the package or this folder has changed."""
    digest = hashlib.sha256()
    for folder in (Path(derivable.__file__).parent, Path(__file__).parent):
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.read_bytes())
    before, env.executed_with = getattr(env, "executed_with", ""), digest.hexdigest()
    if before == env.executed_with:
        return []
    return [page for page, found in env.metadata.items() if found.get("execute")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform."""
    app.add_transform(Execute)
    app.connect("env-get-outdated", _outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
