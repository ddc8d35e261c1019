"""`Chart`: a figure that is drawn once, for files and for pages."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path
from xml.etree import ElementTree

from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from derivable.display import style
from derivable.files import write_whole

Box = tuple[float, float, float, float]  # left and top, from the upper left corner; width; height

SVG = "{http://www.w3.org/2000/svg}"
POINTS = 72.0  # an inch
PIXELS = 96.0  # of a page, an inch
TITLE = "title"  # the identifier of what a page leaves out
UNTITLED = 8.0  # points above the axes that stay

ElementTree.register_namespace("", SVG.strip("{}"))
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")


class Chart:
    """A figure that is drawn once: as files, as part of a page, and panel by panel."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        engine = figure.get_layout_engine()
        if engine is not None:  # laid out once, and not twice for each file
            with style.drawing():
                engine.execute(figure)
            figure.set_layout_engine(None)

    @cached_property
    def svg(self) -> bytes:
        """The whole figure."""
        content = io.BytesIO()
        self.figure.set_facecolor(style.PAPER)
        style.save(self.figure, content, "svg")
        return content.getvalue()

    def write(self, folder: Path, name: str) -> None:
        """Write `name`.png and `name`.svg, each whole or not at all."""
        png = partial(style.save, self.figure, kind="png")
        write_whole(folder / f"{name}.png", png, sync=False)
        write_whole(folder / f"{name}.svg", self.svg, sync=False)

    def inline(self, label: str) -> Markup:
        """The figure without its title, as wide as there is room, in the colours of the page.

        `label` describes what is to be seen.
        """
        root = self._tree()
        titled = _remove(root, lambda element: element.get("id") == TITLE)
        width, height = map(float, self.figure.get_size_inches() * POINTS)
        above = (1 - self.figure.axes[0].get_position().y1) * height - UNTITLED if titled else 0.0
        return _part(root, (0.0, above, width, height - above), label)

    def inline_panel(self, number: int, box: Box, label: str) -> Markup:
        """The axes of that number alone, which lie within `box`, in inches."""
        root, others = self._tree(), {f"axes_{i + 1}" for i in range(len(self.figure.axes))}
        others.remove(f"axes_{number + 1}")
        defined = {e.get("id"): e for defs in root.iter(f"{SVG}defs") for e in defs}
        _remove(root, lambda element: element.get("id") in others)
        _define(root, defined)
        left, top, width, height = (POINTS * length for length in box)
        return _part(root, (left, top, width, height), label)

    def _tree(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.svg)


def title(axes: Axes, text: str) -> None:
    """Give a chart a title, which a page leaves out because it has headings."""
    axes.set_title(text).set_gid(TITLE)


def _remove(root: ElementTree.Element, unwanted: Callable[[ElementTree.Element], bool]) -> bool:
    """Remove elements from a tree; whether there was one."""
    pairs = [(parent, child) for parent in root.iter() for child in parent if unwanted(child)]
    for parent, child in pairs:
        parent.remove(child)
    return bool(pairs)


def _define(root: ElementTree.Element, defined: Mapping[str | None, ElementTree.Element]) -> None:
    """Give a drawing what it refers to and was defined in a part that is gone.

    matplotlib defines a marker or a tick where it is first drawn.
    """
    there = {element.get("id") for element in root.iter()}
    text = ElementTree.tostring(root, encoding="unicode")
    wanted = dict.fromkeys(re.findall(r"(?:href=\"#|url\(#)([\w.]+)", text))
    missing = [defined[name] for name in wanted if name not in there and name in defined]
    if missing:
        ElementTree.SubElement(root, f"{SVG}defs").extend(missing)


def _part(root: ElementTree.Element, box: Box, label: str) -> Markup:
    """What of a drawing lies within a box, in points, as part of a page.

    Identifiers carry a hash of the part, so that several on one page do not meet.
    """
    _remove(root, lambda element: element.tag in (f"{SVG}metadata", f"{SVG}style"))
    svg = ElementTree.tostring(root, encoding="unicode")
    svg = svg[svg.index(">") + 1 :]
    name = "c" + hashlib.sha256(f"{box}{svg}".encode()).hexdigest()[:8]
    svg = re.sub(r"<[^>]*>", lambda tag: _on_page(tag[0], name), svg)  # and no text between
    svg = re.sub(r"\s*\n\s*", " ", svg)
    view = " ".join(f"{length:g}" for length in box)
    width, height = (f"{length * PIXELS / POINTS:.0f}" for length in box[2:])
    return Markup(
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{view}" role="img" aria-label="{escape(label)}" '
        f'style="width:100%;max-width:{width}px;height:auto;aspect-ratio:{width}/{height}">{svg}'
    )


def _on_page(tag: str, name: str) -> str:
    """A tag with shorter numbers, identifiers of its own, and the colours of the page."""
    tag = re.sub(r"-?\d+\.\d{3,}", lambda match: f"{float(match[0]):.1f}".removesuffix(".0"), tag)
    tag = re.sub(r' id="([\w.]+)"', rf' id="{name}-\1"', tag)
    tag = re.sub(r'(href="#|url\(#)', rf"\1{name}-", tag)
    return re.sub(r"#[0-9a-f]{6}\b", lambda match: style.on_page(match[0]), tag)
