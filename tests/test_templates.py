"""The templates of pages: what is filled in is escaped, nothing is missing, no text is in them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from derivable.templates import Macros, shared
from tests.conftest import ROOT

SOURCE = ROOT / "src" / "derivable"
TEMPLATES = sorted(SOURCE.rglob("*.html"))
MACRO = re.compile(r"{% macro (\w+)")
# Drawings are SVG, which is written where it is drawn; Moodle's comments are lines.
DRAWN = {"display/chart.py", "examiner/render/notebook.py", "labs/grading/drawing.py",
         "labs/grading/moodle.py"}  # fmt: skip


def test_what_is_filled_in_is_escaped() -> None:
    name = "<b>a & 'b'"
    table = shared.table([name], [[name], [Markup("<i>c</i>")]], label=name)
    assert name not in table
    assert table.count("&lt;b&gt;a &amp; &#39;b&#39;") == 3
    assert "<td><i>c</i></td>" in table
    assert isinstance(table, Markup)


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="parameter 'colour' was not provided"):
        shared.model("linear")


def test_a_macro_that_there_is_not_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no_such_part"):
        _ = Macros("shared.html").no_such_part


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_macro_is_used(path: Path) -> None:
    calls = "".join(p.read_text("utf-8") for p in SOURCE.rglob("*.py"))
    for name in MACRO.findall(text := path.read_text("utf-8")):
        inside = len(re.findall(rf"\b{name}\(", text)) - 1  # all but where it is defined
        assert inside or re.search(rf"\.{name}\(", calls), name


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_texts_come_from_catalogues(path: Path) -> None:
    text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}|<[^>]*>", " ", path.read_text("utf-8"), flags=re.DOTALL)
    assert not re.findall(r"[^\W\d_]{2,}", text)


TAG = re.compile(r"</?(?:b|br|code|dd|div|dl|dt|figure|h\d|li|p|pre|span|svg|table|td|th|tr|ul)\b")


def test_tags_are_in_templates_alone() -> None:
    for path in SOURCE.rglob("*.py"):
        if str(path.relative_to(SOURCE)) in DRAWN or path.parent.name == "sheets":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not TAG.search(node.value), f"{path}:{node.lineno}"
