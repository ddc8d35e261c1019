"""Settings of Sphinx: `make docs` builds the site from this folder into build/site."""

from __future__ import annotations

import sys
from pathlib import Path

from derivable import __version__

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "docs" / "_ext"), str(ROOT / "tools"), str(ROOT)]

project = "derivable"
author = "the derivable developers"
copyright = "2026, the derivable developers; BSD 3-Clause licence"
version = release = __version__
language = "en"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.duration",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "mathml",
    "executed",
    "gallery",
    "reference",
    "french",
    "paths",
]
# The gallery has all that functions.md has, which is for readers of the repository.
exclude_patterns = ["_ext", "derivations", "functions.md"]

myst_enable_extensions = ["attrs_inline", "colon_fence", "dollarmath"]
myst_heading_anchors = 4
suppress_warnings = ["misc.highlighting_failure"]  # outputs of programs are set as they are

add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
viewcode_line_numbers = False

copybutton_exclude = ".linenos, .gp, .go"

html_theme = "furo"
templates_path = ["_templates"]
html_sidebars = {  # the theme's, and below them a link to the other language
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
        "language.html",
    ]
}
html_title = f"derivable {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_sourcelink = False
html_math_renderer = "mathml"
pygments_style = "friendly"
pygments_dark_style = "github-dark"
