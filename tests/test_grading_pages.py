"""The pages of a grading: what is on them, in both languages, and how they look in a browser."""

from __future__ import annotations

import dataclasses
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from derivable.labs import Sheet, load
from derivable.labs.feedback import Curve, Feedback, Status
from derivable.labs.grading import class_page as class_module
from derivable.labs.grading import copy_page as copy_module
from derivable.labs.grading import words
from derivable.labs.grading.class_page import class_page, mistakes_of
from derivable.labs.grading.copies import Student
from derivable.labs.grading.copy_page import copy_page
from derivable.labs.grading.drawing import bars_svg, curve_svg
from derivable.labs.grading.incidents import Incident, Kind
from derivable.labs.grading.marked import Class, Marked
from derivable.labs.grading.runner import Outcome
from derivable.labs.grading.scale import Scale, sheet_scale
from derivable.labs.grading.similar import Pair, Part
from derivable.labs.typography import decimal, set_in
from derivable.messages import Text
from tests.chromium import CHROMIUM, chromium
from tests.grading import write_sheet

INJECTION = '<script>alert("1")</script>&amp;\' onload="x'
FALLING = Curve(range(60), [5 * 0.9**n for n in range(60)], [4 * 0.9**n for n in range(60)],
                [6 * 0.9**n for n in range(60)])  # fmt: skip


@pytest.fixture
def sheet(tmp_path: Path) -> Sheet:
    return load(str(write_sheet(tmp_path)))


def a_class(sheet: Sheet, lang: str) -> Class:
    """Copies of every kind, with names and texts that must be escaped."""
    right = Feedback("square", Status.RIGHT, ("right",), ("a remark",), 1.0)
    fell = Feedback("curve", Status.RIGHT, ("right",), (), 1.0, "", FALLING)
    sign = Feedback("square", Status.WRONG, (INJECTION, "why : the sign"), (), 0.5, "sign")
    failed = Feedback(
        "square", Status.FAILED, ("stopped", f"TypeError: {INJECTION}"), (), 0, "TypeError"
    )
    blank = Feedback("curve", Status.TO_DO, ("to be done",), mistake="missing")
    manual = Feedback("curve", Status.MANUAL, ("read by a person",))
    every = tuple(Incident(kind, 3, 5, INJECTION, 7, "signal 9") for kind in Kind)
    rows = [
        ("Ada", right, fell, ()), ("Émilie", sign, blank, ()), (INJECTION, sign, manual, every),
        ("Sophie", failed, fell, (Incident(Kind.CUT, 1, 2, amount=500),)),
    ]  # fmt: skip
    marked: list[Marked] = []
    for name, square, curve, incidents in rows:
        feedback = {"square": square, "curve": curve}
        scale = sheet_scale(sheet)
        points = {key: scale.earned(one) for key, one in feedback.items()}
        outcome, file = Outcome(feedback, incidents), f"{INJECTION}.ipynb"
        page = f"copies/{len(marked)}.html"
        marked.append(Marked(Student(name, "1"), file, outcome, points, scale.mark(feedback), page))
    pairs = [Pair(0, 2, 0.83, (Part(1, 3, 9),), (Part(0, 4, 4), Part(0, 8, 20)))]
    return Class(sheet, sheet_scale(sheet), lang, marked, pairs)


def pages_of(done: Class) -> dict[str, str]:
    found = {one.page: copy_page(one, done) for one in done.marked}
    return {"index.html": class_page(done), **found}


class Balanced(HTMLParser):
    """Notes tags that are not closed in their order, and which there are."""

    VOID = frozenset({"meta", "link", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.wrong: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        self.wrong += [name for name, _ in attrs if name.startswith("on")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_pages_are_whole_escaped_and_need_nothing(lang: str, sheet: Sheet) -> None:
    for page in pages_of(a_class(sheet, lang)).values():
        parsed = Balanced(page)
        assert parsed.wrong == []
        assert parsed.open == []
        assert not parsed.tags & {"script", "img", "iframe", "object"}
        assert "http" not in page.replace("http://www.w3.org", "")
        assert f'<html lang="{lang}">' in page
        assert "{" not in re.sub(r"<style>.*?</style>", "", page, flags=re.S)


def test_the_page_of_a_copy(sheet: Sheet) -> None:
    done = a_class(sheet, "en")
    text = " ".join(Balanced(copy_page(done.marked[1], done)).text)
    for part in (
        "Émilie",
        "Participant 1",
        "6.75\u00a0/\u00a020",
        "± ",
        "right in part",
        "why : the",
    ):
        assert part in text
    assert "Ada" not in text
    svg = copy_page(done.marked[0], done)
    assert svg.count('<polyline class="line"') == svg.count('<polygon class="band"') == 1


def test_every_incident_is_in_words(sheet: Sheet) -> None:
    assert set(words.INCIDENTS) == set(Kind)
    for lang, place in (("en", "cell 3, line 5"), ("fr", "cellule 3, ligne 5")):
        done = a_class(sheet, lang)
        page = copy_page(done.marked[2], done)
        assert page.count(f"<b>{place}</b>") == len(Kind)


@pytest.mark.parametrize(
    ("incident", "lang", "line"),
    [
        (Incident(Kind.ERROR, 3, 5, "KeyError: 'a'"), "en", "cell 3, line 5: KeyError: 'a'"),
        (Incident(Kind.ERROR, text="KeyError"), "en", "KeyError"),
        (
            Incident(Kind.ENDED, 0, 5, reason="signal 9"),
            "en",
            "line 5: The process ended here (signal 9); this statement was skipped.",
        ),
        (
            Incident(Kind.ENDED, 3),
            "fr",
            "cellule 3\u00a0: Cette instruction a été sautée, car le processus s'y est arrêté.",
        ),
    ],
)
def test_why_an_answer_is_missing_is_one_line(incident: Incident, lang: str, line: str) -> None:
    assert words.in_words_of(incident, lang) == line


def test_an_error_after_a_cut_is_explained(sheet: Sheet) -> None:
    done = a_class(sheet, "en")
    both = "can be a consequence"
    assert both in copy_page(done.marked[2], done)
    assert both not in copy_page(done.marked[3], done)


def test_the_page_of_the_class(sheet: Sheet) -> None:
    done = a_class(sheet, "fr")
    page = class_page(done)
    for part in (
        "moyenne",
        "à lire",
        "83\u202f%",
        "cellule 1, lignes 3–9",
        "±",
        "✎",
        "bac à sable",
    ):
        assert part in page, part
    assert page.count("⚠</span>") == 1  # one copy has something serious
    assert [(m.question, len(m.made_by)) for m in mistakes_of(done)] == [
        ("square", 2),
        ("square", 1),
    ]


@pytest.mark.parametrize(("lang", "shares"), [("en", "50% – 83%"), ("fr", "50\u202f% – 83\u202f%")])
def test_copies_that_pairs_connect_are_one_line(sheet: Sheet, lang: str, shares: str) -> None:
    done = a_class(sheet, lang)
    some = (Part(0, 1, 2),)
    more = [Pair(0, 3, 0.5, some, some), Pair(2, 3, 0.5, some, some)]
    page = class_page(dataclasses.replace(done, pairs=[*done.pairs, *more]))
    (line,) = re.findall(r"<li><b>[^<]*%</b>.*?</li>", page, re.DOTALL)
    assert shares in line
    assert line.count("<a href") == 3


def test_only_so_many_names_and_groups_are_listed(sheet: Sheet) -> None:
    done = a_class(sheet, "en")
    one = done.marked[1]  # with a mistake
    many = [
        dataclasses.replace(one, student=Student(f"Ada {n}"), page=f"{n}.html") for n in range(8)
    ]
    some = (Part(0, 1, 2),)
    pairs = [Pair(0, 1, 0.5, some, some), Pair(2, 3, 0.5, some, some), Pair(4, 5, 0.5, some, some)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(class_module, "GROUPS", 2)
        page = class_page(dataclasses.replace(done, marked=many, pairs=pairs))
    mistakes = page.partition("sign")[2]
    assert "and 3 more" in mistakes
    assert "Further groups: 1" in mistakes
    assert page.count("<li><b>50%</b>") == 2


def test_a_question_without_points_has_no_mean(sheet: Sheet) -> None:
    done = dataclasses.replace(a_class(sheet, "en"), scale=Scale({"square": 2, "curve": 0}))
    assert re.findall(r"<td>(–|\d+%)</td>", class_page(done)) == ["50%", "–"]


@pytest.mark.parametrize(
    ("curve", "words"),
    [
        (Curve([], []), None),
        (Curve([0, 1], [math.nan, math.nan]), None),
        (Curve([0, 1], [2.0, 1.0]), False),
        (FALLING, True),
    ],
)
def test_a_curve_has_a_key_where_there_is_one(
    sheet: Sheet, curve: Curve, words: bool | None
) -> None:
    done = a_class(sheet, "en")
    one = done.marked[0]
    feedback = one.feedback | {"curve": dataclasses.replace(one.feedback["curve"], curve=curve)}
    outcome = dataclasses.replace(one.outcome, feedback=feedback)
    page = copy_page(dataclasses.replace(one, outcome=outcome), done)
    assert page.count("<figure>") == (words is not None)
    assert ('class="key band"' in page) is bool(words)


def test_a_class_without_mistakes(sheet: Sheet) -> None:
    done = a_class(sheet, "en")
    page = class_page(dataclasses.replace(done, marked=done.marked[:1], pairs=[]))
    for part in ("No mistake was found.", "No two copies", "1"):
        assert part in page
    assert "To be looked at" not in page


def test_all_texts_are_in_both_languages() -> None:
    texts = [*words.INCIDENTS.values(), *words.REASONS.values()]
    texts += [*words.UNPROTECTED.values(), *words.SCALE.values(), *words.PAGES.values()]
    texts += [value for value in vars(words).values() if isinstance(value, Text)]
    for text in texts:
        assert text.en
        assert text.fr
        gaps = [set(re.findall(r"(?<!{){(\w+)}", one)) for one in text]
        assert gaps[0] == gaps[1], text
        assert not re.search(r" [:;?!%]", text.fr), text.fr
        assert "{NB}" not in text.fr


def test_every_text_of_pages_is_used() -> None:
    folder = Path(copy_module.__file__).parent
    code = "".join(f.read_text("utf-8") for f in folder.glob("*.[ph]*") if f.name != "words.py")
    code += (folder / "words.py").read_text("utf-8").partition("PAGES = {")[0]
    for key in words.PAGES:
        assert f'"{key}"' in code or f"'{key}'" in code, key


@pytest.mark.parametrize(
    ("text", "set_text"),
    [
        ("a : b", "a\u00a0: b"), ("vrai ? oui !", "vrai\u00a0? oui\u00a0!"), ("80 %", "80\u00a0%"),
        ("« x »", "«\u00a0x\u00a0»"), ("x[1 :2]", "x[1 :2]"), ("a: b", "a: b"),
    ],
)  # fmt: skip
def test_french_spaces(text: str, set_text: str) -> None:
    assert set_in("fr", text) == set_text
    assert set_in("en", text) == text


def test_decimals() -> None:
    assert [decimal(v, "fr") for v in (12.5, 20.0, 1 / 3)] == ["12,5", "20", "0,33"]
    assert decimal(7, "en", 2) == "7.00"


@pytest.mark.parametrize(
    "curve",
    [
        Curve([0, 1], [1.0, 1.0]),
        Curve([0, 1, 2, 3], [1.0, float("nan"), 3.0, float("inf")]),
        Curve([0, 1, 2, 3, 4], [math.nan, math.nan, 3.0, math.inf, -math.inf]),
        Curve(range(80000), [1 / (1 + n) for n in range(80000)]),
        Curve([5, 10], [-1.0, -2.0], [-3.0, -3.0], [0.0, 0.0]),
        Curve([0, 1], [1e-300, 1e300]),
        FALLING,
    ],
)
def test_curves_of_any_kind_are_drawn_inside(curve: Curve) -> None:
    svg = curve_svg(curve, "label", "fr")
    assert Balanced(svg).open == []
    assert "nan" not in svg
    assert "inf" not in svg
    assert len(svg) < 40_000
    points = re.findall(r"([\d.-]+),([\d.-]+)", " ".join(re.findall(r'points="([^"]*)"', svg)))
    assert points
    assert all(0 <= float(x) <= 560 and 0 <= float(y) <= 280 for x, y in points)


def test_no_curve_is_no_drawing() -> None:
    assert curve_svg(Curve([0, 1], [float("nan")] * 2), "", "en") == ""
    assert curve_svg(Curve([0], [1.0]), "", "en") == ""
    assert 'aria-label="&lt;x"' in bars_svg([1, 0], ["0", "1", "2"], "<x")


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_pages_fit_a_telephone_and_ask_for_nothing(sheet: Sheet, tmp_path: Path) -> None:
    with chromium(tmp_path / "profile") as tab:
        for name, page in pages_of(a_class(sheet, "fr")).items():
            file = tmp_path / Path(name).name
            file.write_text(page, "utf-8")
            for width, dark in ((360, False), (360, True), (1200, False)):
                tab.open(file.as_uri(), width=width, dark=dark)
                assert tab.evaluate("document.documentElement.scrollWidth") <= width, name
                colour = tab.evaluate("getComputedStyle(document.body).backgroundColor")
                assert (colour == "rgb(255, 255, 255)") is not dark
        assert tab.complaints == []
        assert [r for r in tab.requests if not r.startswith(("file:", "data:"))] == []
        assert tab.pdf().startswith(b"%PDF")
