"""The site, as far as it can be checked without building it; `make docs` checks the rest."""

from __future__ import annotations

import ast
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import derivable
from derivable import Function, functions
from derivable.pages import lower_case_name, read_lines
from tests.conftest import ROOT

DOCS, BUILT = ROOT / "docs", ROOT / "build" / "site"
LIBRARY: list[type[Function]] = [getattr(functions, name) for name in functions.__all__]
every_function = pytest.mark.parametrize("function", LIBRARY, ids=lambda f: f.__name__)


@pytest.fixture(scope="module")
def extension() -> Iterator[Any]:
    """A module of docs/_ext by its name."""
    before = list(sys.path)
    sys.path.insert(0, str(DOCS / "_ext"))
    yield lambda name: runpy.run_path(str(DOCS / "_ext" / f"{name}.py"))
    sys.path[:] = before


@pytest.fixture(scope="module")
def checker() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "tools" / "check_site.py"))


@pytest.fixture(scope="module")
def gallery(extension: Any) -> dict[str, Any]:
    found: dict[str, Any] = extension("gallery")
    return found


# The gallery.


@every_function
def test_every_function_has_a_page_in_the_gallery(
    function: type[Function], gallery: dict[str, Any]
) -> None:
    page = gallery["page"](function, pictures=False)
    for heading in ("Formulas", "Derivation", "Kinks, memory, errors", "Source", "Examples"):
        assert f"\n## {heading}\n" in page
    assert "```text" not in page, "a formula is not typeset: docs/_ext/typeset.py cannot read it"
    assert "$$\n" in page
    blocks = re.findall(r"(?<!run: skip -->\n\n)```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) >= 3
    for block in blocks:
        ast.parse(block)


@every_function
def test_brackets_of_its_formulas_are_closed(
    function: type[Function], gallery: dict[str, Any]
) -> None:
    page = gallery["page"](function, pictures=False)
    for formula in re.findall(r"\$\$\n(.*?)\n\$\$", page, re.DOTALL):
        assert formula.count(r"\left") == formula.count(r"\right"), formula
        assert formula.count("{") == formula.count("}"), formula


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("output = input / (1 + |input|)", r"output = \frac{input}{1 + \lvert input \rvert}"),
        ("a / W^2", r"\frac{a}{W^{2}}"),
        ("d loss / d w = x^T g", r"\frac{\partial loss}{\partial w} = x^{\mathsf{T}} \, g"),
        ("sum_k x_k^2 / N", r"\sum_{k} \frac{x_{k}^{2}}{N}"),
        ("sqrt(2 / pi) x", r"\sqrt{\frac{2}{\pi}} \, x"),
        ("exp(x) / sum over dim of exp(x)", r"\frac{\exp( x )}{\sum_{\text{dim}} \exp( x )}"),
        ("x^ weight", r"\hat{x} \, weight"),
        ("x where x > 0, else 0", r"x \;\text{where}\; x > 0 ,\; \;\text{else}\; 0"),
    ],
)
def test_formulas_of_a_page_become_latex(extension: Any, text: str, latex: str) -> None:
    setter = extension("typeset")["Setter"](["input", "x", "w", "weight"])
    found = re.sub(r"\\left|\\right", "", setter.latex(text))
    assert re.sub(r"\\mathrm\{(\w+)\}", r"\1", found) == latex


def test_sentences_keep_their_words(extension: Any) -> None:
    setter = extension("typeset")["Setter"](["input"])
    assert setter.prose("the slope of x^2 is 2 x, as in torch.square") == (
        "the slope of $x^{2}$ is $2 \\, x$, as in `torch.square`"
    )


def test_shapes_at_the_end_of_a_line_are_kept(extension: Any) -> None:
    typeset = extension("typeset")
    lines = read_lines(functions.Linear)["Backward"]
    rows = typeset["rows"](lines, typeset["Setter"](["x", "w", "b"]))
    assert rows[0] == ("d loss / d x = grad_output w^T", "(..., D)")


def test_curves_show_the_kinks(extension: Any) -> None:
    pictures = extension("pictures")
    assert [kink.at for kink in pictures["Curves"](functions.ReLU).kinks] == [0.0]
    assert 'role="img"' in pictures["plot"](functions.ReLU)
    assert 'role="img"' in pictures["shapes"](functions.Softmax)


# The reference.


def test_the_reference_has_every_public_name(extension: Any) -> None:
    reference = extension("reference")
    texts = [reference["page"](part) for part in reference["PARTS"]]
    documented = set(re.findall(r"\.\. auto\w+:: ([\w.]+)", "".join(texts)))
    documented = {name.rsplit(".", 1)[-1] for name in documented}
    library = {*functions.__all__, "functions", "functional", "contracts", "__version__"}
    missing = [n for n in derivable.__all__ if n not in documented | library]
    assert not missing, f"name them in PARTS of docs/_ext/reference.py: {missing}"


def test_docstrings_are_read_as_plain_text(extension: Any) -> None:
    as_rst = extension("reference")["as_rst"]
    assert as_rst(["|x| of `x`"]) == [r"\|x\| of ``x``"]
    assert as_rst(["", "name  what", "      it is"])[1:] == [":name: what", "   it is"]


# The pages.


def sources() -> dict[str, str]:
    """The pages of the site that are kept, without those that are written when it is built."""
    paths = [p for p in DOCS.rglob("*.md") if p.relative_to(DOCS).parts[0] not in APART]
    return {p.relative_to(DOCS).as_posix(): p.read_text("utf-8") for p in paths}


WRITTEN = {"gallery", "api"}  # when it is built
APART = WRITTEN | {"derivations", "functions.md"}  # in the gallery; for readers of the repository


def links(page: str, text: str, built: set[str]) -> set[str]:
    """The pages that a page leads to, by its links and its lists of pages."""
    found = re.findall(r"\]\(([^)#:]+\.md)(?:#[^)]*)?\)", text)
    for block in re.findall(r"```\{toctree\}\n(.*?)```", text, re.DOTALL):
        found += [f"{line}.md" for line in block.split("\n") if line and line[0] != ":"]
    base = (DOCS / page).parent
    paths = {(base / link).resolve() for link in found}
    return {p.relative_to(DOCS).as_posix() for p in paths if p.is_relative_to(DOCS)} & built


def test_every_page_is_reached_and_the_five_destinations_within_three_clicks(
    checker: dict[str, Any], gallery: dict[str, Any]
) -> None:
    pages = sources()
    members = [lower_case_name(function) for function in LIBRARY]
    pages["gallery/index.md"] = "```{toctree}\n" + "\n".join(members) + "\n```"
    pages |= {f"gallery/{name}.md": "" for name in members} | {"api/index.md": ""}
    distance, border = {"index.md": 0}, ["index.md"]
    while border:
        following = []
        for page in border:
            for other in links(page, pages[page], set(pages)):
                if other not in distance:
                    distance[other] = distance[page] + 1
                    following.append(other)
        border = following
    assert not [page for page in pages if page not in distance]
    listed = "\n".join(
        re.findall(r"```\{toctree\}\n(.*?)```", "\n".join(pages.values()), re.DOTALL)
    )
    names = {line.rsplit("/", 1)[-1] for line in listed.split("\n")}
    unlisted = [p for p in pages if Path(p).stem not in names and Path(p).stem != "index"]
    assert not unlisted, "name them in a toctree, such as that of docs/howto/index.md"
    for what, (path, _) in checker["DESTINATIONS"].items():
        assert distance[path.replace(".html", ".md")] <= 3, what


@pytest.mark.parametrize("page", sorted(sources()))
def test_links_between_pages_lead_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", sources()[page]):
        path = (DOCS / page).parent / link
        written = path.resolve().relative_to(ROOT).parts[1:2]
        assert (written and written[0] in WRITTEN) or path.exists(), link


@pytest.mark.parametrize("page", [p for p, t in sources().items() if "execute: true" in t])
def test_executed_examples_are_python(page: str) -> None:
    for block in re.findall(r"```python\n(.*?)```", sources()[page], re.DOTALL):
        ast.parse(block)


# The checker, and the site itself where it is built.


def test_the_checker_finds_what_is_broken(checker: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<a href="a.html#there">a</a><a href="b.html">b</a><a href="a.html#not">c</a>'
        '<script src="https://elsewhere.org/x.js"></script>'
    )
    (tmp_path / "a.html").write_text('<p id="there">here</p><img src="no.png">')
    found = list(checker["broken"](tmp_path, checker["read"](tmp_path)))
    assert [text.split(": ", 1)[1] for text in found] == [
        "no.png is no file",
        "b.html leads to no file",
        "a.html#not leads to no place of a.html",
        "https://elsewhere.org/x.js is fetched from elsewhere",
    ]
    assert any("within 3 clicks" in text for text in checker["problems"](tmp_path))
    assert checker["problems"](tmp_path / "nothing")[0].endswith("make docs")


@pytest.mark.skipif(not (BUILT / "index.html").exists(), reason="the site is not built: make docs")
def test_the_built_site_has_no_problems(checker: dict[str, Any]) -> None:
    assert checker["problems"](BUILT) == []
