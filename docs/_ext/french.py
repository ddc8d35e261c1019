"""Pages below fr/ are French as a whole: language, navigation, and the theme's words around them.

The navigation of a French page is the toctrees of the French home page, and its search has a page
of its own. Every page has a link to its counterpart in the other language, which a French page
names in its front matter (`english: tutorials/write`), or else to the home page there.
"""

from __future__ import annotations

import gettext
import html
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from docutils import nodes
from sphinx import addnodes, package_dir
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment.adapters.toctree import TocTree

HOMES = {"en": "index", "fr": "fr/index"}
LINKS = {  # to pages of a language; who looks for either reads French
    "en": "Documentation en anglais",
    "fr": "Documentation en français",
}
OWN = ("index", "search")  # pages of the theme that are below fr/, too
RIGHTS = "2026, les auteurs de derivable ; licence BSD à 3 clauses"
CATALOGUE = package_dir / "locale"
FOR_SCRIPTS = "sphinx.js"  # the part of the catalogue that is read in a browser
WORDS = {  # what Sphinx's own French catalogue lacks, or words otherwise
    "Auto light/dark, in dark mode": "Comme le système (sombre)",
    "Auto light/dark, in light mode": "Comme le système (clair)",
    "Back to top": "Haut de page",
    "Contents": "Sommaire",
    "Dark mode": "Sombre",
    "Expand": "Développer",
    "Home": "Accueil",
    "Light mode": "Clair",
    "Made with ": "Réalisé avec ",
    "Next": "Suivant",
    "On this page": "Sur cette page",
    "Please activate JavaScript to enable the search functionality.": (
        "Activez JavaScript pour que la recherche fonctionne."
    ),
    "Previous": "Précédent",
    "Search": "Rechercher",
    "Skip to content": "Aller au contenu",
    "Toggle Light / Dark / Auto color theme": "Clair, sombre ou comme le système",
    "Toggle site navigation sidebar": "Afficher la navigation",
    "Toggle table of contents sidebar": "Afficher le sommaire",
}
UNFOLD = "Toggle navigation of "  # and the title of a page that has others below it
LABEL = re.compile(r'(?<=\s)((?:aria-label|placeholder|title)=")([^"]+)|(<title>)([^<]+)')


@cache
def _catalogue() -> gettext.NullTranslations:
    return gettext.translation("sphinx", CATALOGUE, ["fr"])


def french(text: str) -> str:
    """A word of the theme in French; any other text as it is."""
    if text.startswith(UNFOLD):
        return f"Afficher les pages de « {text.removeprefix(UNFOLD)} »"
    return WORDS.get(text) or _catalogue().gettext(text)


def translated(page: str) -> str:
    """HTML with its labels in French, as far as they are words of the theme."""

    def label(match: re.Match[str]) -> str:
        before, text = match[1] or match[3], match[2] or match[4]
        return before + html.escape(french(html.unescape(text)))

    return LABEL.sub(label, page)


def language(page: str) -> str:
    """The language of a page, by its name."""
    return "fr" if page.startswith("fr/") else "en"


def _lists(app: Sphinx, page: str) -> Callable[..., str]:
    """The function that makes a page's navigation: the toctrees of its home page."""
    code = language(page)

    def lists(**options: Any) -> str:
        found = []
        for one in app.env.get_doctree(HOMES[code]).findall(addnodes.toctree):
            if all(language(entry) == code for entry in one["includefiles"]):
                resolved = TocTree(app.env).resolve(page, app.builder, one, **options)
                found.append(app.builder.render_partial(resolved)["fragment"])
        return "".join(found)

    return lists


def _counterpart(app: Sphinx, page: str) -> str:
    """The page in the other language that corresponds to a page, or the home page there."""
    pairs = {
        name: given["english"] for name, given in app.env.metadata.items() if "english" in given
    }
    if language(page) == "fr":
        return pairs.get(page, HOMES["en"])
    return {english: name for name, english in pairs.items()}.get(page, HOMES["fr"])


def _language_of(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.Node | None
) -> None:
    """Set what the templates use to what it is in the language of a page."""
    code = language(page)
    other = "en" if code == "fr" else "fr"
    link = app.builder.get_relative_uri(page, _counterpart(app, page))
    context["other_language"] = {"code": other, "link": link, "text": LINKS[other]}
    context.update(toctree=_lists(app, page), translated=str)
    _, *neighbours = app.builder.relations.get(page, (None, None, None))
    for name, neighbour in zip(("prev", "next"), neighbours, strict=True):
        if neighbour and language(neighbour) == other:
            context[name] = None
    if code == "fr":
        to = context["pathto"]
        context.update(
            language="fr",
            _=french,
            gettext=french,
            translated=translated,
            copyright=RIGHTS,
            pathto=lambda name, *rest: to(f"fr/{name}" if name in OWN else name, *rest),
        )
        app.add_js_file(FOR_SCRIPTS)


def _search(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    yield "fr/search", {}, "search.html"


def _files(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(CATALOGUE / "fr" / "LC_MESSAGES" / FOR_SCRIPTS))


def setup(app: Sphinx) -> dict[str, bool]:
    """Set the language of each page before the theme makes the navigation."""
    app.connect("config-inited", _files)
    app.connect("html-collect-pages", _search)
    app.connect("html-page-context", _language_of, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
