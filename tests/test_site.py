"""The site, as far as it can be checked without building it; `make docs` checks the rest."""

from __future__ import annotations

import ast
import importlib.util
import re
import runpy
import subprocess
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


# The French pages.


def test_french_pages_name_english_pages_that_exist() -> None:
    named = {
        page: found[1]
        for page, text in sources().items()
        if (found := re.match(r"---\n(?:.+\n)*?english: (.+)\n(?:.+\n)*?---\n", text))
    }
    assert named["fr/ecrire.md"] == "tutorials/write"
    assert all(page.startswith("fr/") for page in named)
    assert {f"{english}.md" for english in named.values()} <= set(sources())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of the home page and the French pages, in which the other pages are empty."""
    if importlib.util.find_spec("furo") is None:
        pytest.skip("Sphinx is not installed: make docs")
    pages, site = tmp_path_factory.mktemp("pages"), tmp_path_factory.mktemp("site")
    whole = {name: t for name, t in sources().items() if name == "index.md" or name[:3] == "fr/"}
    empty = {f"{name}/index.md" for name in WRITTEN} | set(sources()) - set(whole)
    for name, text in ({name: f"# Title of {name}\n" for name in empty} | whole).items():
        (pages / name).parent.mkdir(exist_ok=True)
        (pages / name).write_text(text, encoding="utf-8")
    options = ["-c", str(DOCS), "-D", "extensions=myst_parser,mathml,french", "-b", "html", "-q"]
    command = [sys.executable, "-m", "sphinx", *options, str(pages), str(site)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return site


def test_the_navigation_of_a_french_page_is_of_the_french_pages(built: Path) -> None:
    page = (built / "fr/ecrire.html").read_text("utf-8")
    found = re.search(r'<div class="sidebar-tree">(.*?)</div>', page, re.DOTALL)
    assert found
    assert re.findall(r">([^<>\n]+)<", found[1]) == [
        "Travaux pratiques", "Pour les étudiants",
        "Tutoriels", "Écrire une fonction", "Vérifier une fonction", "Descente de gradient",
    ]  # fmt: skip
    assert '<a class="sidebar-brand" href="index.html">' in page
    assert "<title>derivable en français - derivable " in (built / "fr/index.html").read_text(
        "utf-8"
    )


@pytest.mark.parametrize(
    ("page", "other"),
    [
        ("index", "fr/index.html"),
        ("tutorials/write", "../fr/ecrire.html"),
        ("tutorials/teach", "../fr/index.html"),
        ("fr/index", "../index.html"),
        ("fr/ecrire", "../tutorials/write.html"),
        ("fr/search", "../index.html"),
    ],
)
def test_each_page_has_a_link_to_the_other_language(built: Path, page: str, other: str) -> None:
    code, text = (
        ("en", "Documentation en anglais")
        if page[:3] == "fr/"
        else ("fr", "Documentation en français")
    )
    link = f'<a href="{other}" hreflang="{code}" lang="fr">{text}</a>'
    assert link in (built / f"{page}.html").read_text("utf-8")


def test_nothing_around_a_french_page_is_english(built: Path, checker: dict[str, Any]) -> None:
    assert list(checker["mixed"](checker["read"](built))) == []
    page = (built / "fr/etudiants.html").read_text("utf-8")
    for words in (
        'placeholder="Rechercher"', 'aria-label="Afficher la navigation"', ">Aller au contenu<",
        'aria-label="Clair, sombre ou comme le système"', "Sur cette page", "<span>Précédent<",
        '<div class="title">Accueil<', "<span>Suivant<", 'title="Lien vers cette rubrique"',
        "les auteurs de derivable", '<script src="../_static/sphinx.js',
    ):  # fmt: skip
        assert words in page


@pytest.mark.parametrize(
    ("page", "neighbours"),
    [("cite", ["prev"]), ("fr/index", ["next"]), ("fr/descendre", ["prev"]), ("index", ["next"])],
)
def test_previous_and_next_are_in_the_same_language(
    built: Path, page: str, neighbours: list[str]
) -> None:
    text = (built / f"{page}.html").read_text("utf-8")
    assert re.findall(r'<a class="(next|prev)-page"', text) == neighbours
    assert re.findall(r'<link rel="(next|prev)"', text) == neighbours


def test_a_search_on_a_french_page_is_answered_in_french(built: Path) -> None:
    assert 'action="search.html"' in (built / "fr/ecrire.html").read_text("utf-8")
    page = (built / "fr/search.html").read_text("utf-8")
    assert "<title>Rechercher - derivable " in page
    assert '<script src="../searchindex.js">' in page
    assert "Activez JavaScript pour que la recherche fonctionne." in page


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


def test_the_checker_finds_what_is_in_the_wrong_language(checker: dict[str, Any]) -> None:
    around = '<a href="{}">{}</a><input placeholder="{}"><a href="x.html">derivable 0.1.0</a>'
    texts = {
        "index.html": '<html lang="en">' + around.format("fr/a.html", "En français", "Search"),
        "b.html": '<html lang="en"><nav>Softmax</nav>',
        "fr/a.html": '<html lang="fr"><article>Softmax</article>'
        + around.format("../index.html", "En anglais", "Rechercher"),
        "fr/b.html": '<html lang="en"><nav>Softmax</nav><article title="Search"></article>',
    }
    assert list(
        checker["mixed"]({name: checker["Page"](text) for name, text in texts.items()})
    ) == [
        "b.html: there is no link to the other language",
        "fr/b.html: its language is 'en' instead of 'fr'",
        "fr/b.html: 'Search' is English",
        "fr/b.html: 'Softmax' is English",
        "fr/b.html: there is no link to the other language",
    ]


@pytest.mark.skipif(not (BUILT / "index.html").exists(), reason="the site is not built: make docs")
def test_the_built_site_has_no_problems(checker: dict[str, Any]) -> None:
    assert checker["problems"](BUILT) == []
