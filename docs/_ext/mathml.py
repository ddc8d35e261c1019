"""Formulas as MathML, made when the site is built: a reader's browser fetches nothing for them."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx


def mathml(latex: str, display: str) -> str:
    """The MathML of a formula of LaTeX; a name of several letters is one word."""
    words = re.sub(
        r"\\mathrm\{([A-Za-z](?:\w|\\_)+)\}",
        lambda match: rf"\text{{{match[1].replace(chr(92), '')}}}",
        latex,
    )
    return convert(words, display=display)


def _inline(self: Any, node: nodes.math) -> None:
    self.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def _block(self: Any, node: nodes.math_block) -> None:
    formula = mathml(node.astext(), "block")
    self.body.append(f'<div class="formula" tabindex="0">{formula}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer, which conf.py chooses by name."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
