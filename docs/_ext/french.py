"""Pages below fr/ are French as a whole: their language, and the words of the theme around them."""

from __future__ import annotations

import gettext
from functools import cache
from typing import Any

from docutils import nodes
from sphinx import package_dir
from sphinx.application import Sphinx

WORDS = {  # what Sphinx's own French catalogue lacks, or says otherwise
    "Back to top": "Haut de page",
    "Contents": "Sur cette page",
    "Home": "Accueil",
    "Next": "Suivant",
    "On this page": "Sur cette page",
    "Previous": "Précédent",
    "Search": "Rechercher",
    "Skip to content": "Aller au contenu",
    "Toggle Light / Dark / Auto color theme": "Clair, sombre ou comme le système",
    "Toggle site navigation sidebar": "Afficher la navigation",
    "Toggle table of contents sidebar": "Afficher le sommaire",
}


@cache
def _catalogue() -> gettext.NullTranslations:
    return gettext.translation("sphinx", package_dir / "locale", ["fr"], fallback=True)


def _french(text: str) -> str:
    return WORDS.get(text) or _catalogue().gettext(text)


def _translate(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.Node | None
) -> None:
    if page.startswith("fr/"):
        context.update(language="fr", _=_french, gettext=_french)


def setup(app: Sphinx) -> dict[str, bool]:
    """Look at each page before it is written."""
    app.connect("html-page-context", _translate)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
