"""Check the site that `make docs` has built, without a network.

    python tools/check_site.py build/site

Every link leads to a page and a place on it that exist; nothing is fetched from elsewhere when a
page is read; what a newcomer looks for is within three clicks of the home page; and a page is in
one language, with a link to the other.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

CLICKS = 3
DESTINATIONS = {  # what a reader searches -> page, and a text on it
    "how to check a Function in CI": ("howto/ci.html", "pytest --derivable"),
    "the derivation of softmax's backward": ("gallery/softmax.html", "Derivation"),
    "which method to use": ("methods.html", "Which method?"),
    "how to grade a class": ("howto/grade.html", "lab grade"),
    "what the error estimate means": ("explanations/error_estimate.html", "What it means"),
}
FETCHED = {"img": "src", "script": "src", "link": "href", "source": "src", "iframe": "src"}
LABELS = ("aria-label", "placeholder", "title")
APART = {"article", "script", "style"}  # what these hold is not the theme's
SAME = re.compile(r"Furo|Index|Menu|derivable \d\S*")  # the same words in both languages


class Page(HTMLParser):
    """Links, places, language and words of one page, and what it fetches."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.places: set[str] = set()
        self.words: list[str] = []
        self.language = ""
        self.interface: set[str] = set()  # all labels, and what is written around the article
        self._apart = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element refers to."""
        given = dict(attrs)
        if given.get("id"):
            self.places.add(str(given["id"]))
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        address = given.get(FETCHED.get(tag, ""))
        if address and given.get("rel") not in {"canonical", "license"}:
            self.fetched.append(address)
        if tag == "html":
            self.language = given.get("lang") or ""
        self._apart += tag in APART
        self.interface |= {str(given[name]) for name in LABELS if given.get(name)}

    def handle_endtag(self, tag: str) -> None:
        """Note where an article ends."""
        self._apart -= tag in APART

    def handle_data(self, data: str) -> None:
        """Keep what is to be read."""
        self.words.append(data)
        if not self._apart and data.strip():
            self.interface.add(" ".join(data.split()))


def read(site: Path) -> dict[str, Page]:
    """All pages of a site, by their path in it."""
    return {
        path.relative_to(site).as_posix(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(site.rglob("*.html"))
    }


def resolve(page: str, link: str) -> tuple[str, str] | None:
    """The path and the place that a link of a page leads to; None if it leaves the site."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    path = (Path(page).parent / unquote(parts.path)).as_posix() if parts.path else page
    kept: list[str] = []
    for part in path.split("/"):
        if part == ".." and kept:
            kept.pop()
        elif part not in {".", ""}:
            kept.append(part)
    return "/".join(kept), unquote(parts.fragment)


def broken(site: Path, pages: dict[str, Page]) -> Iterator[str]:
    """What is wrong with links and with what is fetched."""
    for name, page in pages.items():
        for link in page.links:
            found = resolve(name, link)
            if found is None:
                continue
            path, place = found
            if not (site / path).is_file():
                yield f"{name}: {link} leads to no file"
            elif place and path in pages and place not in pages[path].places:
                yield f"{name}: {link} leads to no place of {path}"
        for address in page.fetched:
            if address.startswith("data:"):
                continue
            found = resolve(name, address)
            if found is None:
                yield f"{name}: {address} is fetched from elsewhere"
            elif not (site / found[0]).is_file():
                yield f"{name}: {address} is no file"


def clicks(pages: dict[str, Page], home: str = "index.html") -> dict[str, int]:
    """How many links have to be followed from the home page to each other page."""
    distance, border = {home: 0}, [home]
    while border:
        following = []
        for name in border:
            for link in pages[name].links:
                found = resolve(name, link)
                if found and found[0] in pages and found[0] not in distance:
                    distance[found[0]] = distance[name] + 1
                    following.append(found[0])
        border = following
    return distance


def far(pages: dict[str, Page]) -> Iterator[str]:
    """Destinations that are missing, or further than three clicks from the home page."""
    distance = clicks(pages)
    for what, (path, words) in DESTINATIONS.items():
        if distance.get(path, CLICKS + 1) > CLICKS:
            yield f"{what}: {path} is not within {CLICKS} clicks"
        elif words not in " ".join("".join(pages[path].words).split()):
            yield f"{what}: {path} does not contain {words!r}"


def language(page: str) -> str:
    """The language that a page should be in, by its path."""
    return "fr" if page.startswith("fr/") else "en"


def mixed(pages: dict[str, Page]) -> Iterator[str]:
    """Pages that are not in their language, or have no link to the other.

    What is written around a French page is English if it is written around an English page, too.
    """
    around = [page.interface for name, page in pages.items() if language(name) == "en"]
    english = {words for words in set().union(*around) if not SAME.fullmatch(words)}
    for name, page in pages.items():
        code = language(name)
        if page.language != code:
            yield f"{name}: its language is {page.language!r} instead of {code!r}"
        if code == "fr":
            for words in sorted(page.interface & english):
                yield f"{name}: {words!r} is English"
        to = [found[0] for link in page.links if (found := resolve(name, link))]
        if all(language(path) == code for path in to):
            yield f"{name}: there is no link to the other language"


def problems(site: Path) -> list[str]:
    """Everything that is wrong with a built site."""
    pages = read(site)
    if "index.html" not in pages:
        return [f"{site} holds no site; build it by make docs"]
    return [*broken(site, pages), *far(pages), *mixed(pages)]


def main(site: Path) -> int:
    """Print the problems; the exit code is 1 if there are any."""
    found = problems(site)
    for problem in found:
        print(problem, file=sys.stderr)
    pages = read(site)
    links = sum(len(page.links) for page in pages.values())
    print(f"{len(pages)} pages, {links:,} links, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
