"""The teacher's page: marks of the class, its mistakes, and copies to be reviewed."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from itertools import pairwise
from urllib.parse import quote

from markupsafe import Markup

from derivable.labs.feedback import Status
from derivable.labs.grading.drawing import bars_svg
from derivable.labs.grading.guard import unprotected
from derivable.labs.grading.marked import Class, Marked
from derivable.labs.grading.page import GradingTexts, copy_parts, css_class, symbol
from derivable.labs.grading.similar import groups_of
from derivable.labs.grading.words import UNPROTECTED
from derivable.labs.page import page
from derivable.labs.typography import decimal
from derivable.report.parts import parts
from derivable.templates import Macros

BARS = 10
GROUPS = 20  # of copies that are listed
FEW = 5  # names of students in a row of the mistakes
class_parts = Macros("labs/grading/class.html")


@dataclass
class Mistakes:
    """Those of one kind: who made them, and what the feedback on one of them is."""

    question: str
    lines: tuple[str, ...]
    made_by: list[Marked] = field(default_factory=list)


@dataclass(frozen=True)
class Cell:
    """What the table shows of the answer to one question."""

    css: str  # the class of the stylesheet
    label: str
    symbol: str
    points: str


@dataclass(frozen=True)
class Row:
    """What the table shows of one copy."""

    link: Markup
    serious: bool  # whether it should be reviewed
    mark: str
    cells: list[Cell]


def class_page(done: Class) -> str:
    """The page as one string of HTML."""
    words = GradingTexts(done.lang)
    sections = [
        _head(done, words),
        _problems(done, words),
        parts.section(words("table_title"), _table(done, words)),
        parts.section(words("distribution"), _distribution(done, words)),
        parts.section(words("mistakes_title"), _mistakes(done, words)),
        parts.section(words("similar_title"), _similar(done, words)),
        copy_parts.foot(_foot(words)),
    ]
    return page(words.of(done.sheet.title), done.lang, filter(None, sections))


def _foot(words: GradingTexts) -> str:
    """What protects the machine of the marker, and what does not."""
    notes = [words.of(UNPROTECTED[key]) for key in unprotected()]
    return " ".join([words("no_sandbox"), *notes])


def mistakes_of(done: Class) -> list[Mistakes]:
    """The mistakes of a class, the most frequent first."""
    found: dict[tuple[str, str], Mistakes] = {}
    for one in done.marked:
        for key, feedback in one.feedback.items():
            if feedback.mistake and feedback.status is not Status.TO_DO:
                kind, lines = (key, feedback.mistake), feedback.lines[:2]
                found.setdefault(kind, Mistakes(key, lines)).made_by.append(one)
    return sorted(found.values(), key=lambda mistake: -len(mistake.made_by))


def _head(done: Class, words: GradingTexts) -> Markup:
    marks = [one.mark for one in done.marked]
    facts = {
        "copies": str(len(marks)),
        "mean": words.out_of(round(statistics.fmean(marks), 2), done.scale.out_of),
        "median": words.out_of(statistics.median(marks), done.scale.out_of),
        "extremes": f"{words.number(min(marks))} – {words.number(max(marks))}",
    }
    named = [(words(key), value) for key, value in facts.items()]
    return class_parts.head(words.of(done.sheet.title), named, words("files"))


def _problems(done: Class, words: GradingTexts) -> Markup:
    """The copies that should be reviewed, and why; empty where there are none."""
    copies = []
    for one in done.marked:
        reasons: list[str] = [words.incident(incident) for incident in one.serious]
        unread = [done.sheet.questions[key].title.to(done.lang) for key in one.to_be_read]
        if unread:
            reasons.append(words("to_be_read", names=", ".join(unread)))
        if reasons:
            copies.append((_link(one, words), reasons))
    if not copies:
        return Markup()
    return parts.section(words("problems_title"), class_parts.problems(copies), "verdict")


def _table(done: Class, words: GradingTexts) -> Markup:
    """Copies and questions, with points."""
    questions = done.sheet.questions
    titles = [words.of(question.title) for question in questions.values()]
    rows = [_row(one, done, words) for one in done.marked]
    shares = [_share(done, key, words) for key in questions]
    points = [words.number(done.scale.points[key]) for key in questions]
    table = parts.scrolling(class_parts.table(words, titles, rows, shares), words("table_title"))
    return table + class_parts.legend(words("signs"), zip(titles, points, strict=True))


def _row(one: Marked, done: Class, words: GradingTexts) -> Row:
    cells = []
    for key, feedback in one.feedback.items():
        title = words.of(done.sheet.questions[key].title)
        label = f"{title}: {words.status(feedback)}"
        points = words.number(one.points[key])
        cells.append(Cell(css_class(feedback), label, symbol(feedback), points))
    return Row(_link(one, words), bool(one.serious), words.number(one.mark), cells)


def _share(done: Class, key: str, words: GradingTexts) -> str:
    """The share of the points of a question that the class has."""
    worth = done.scale.points[key]
    if not worth:
        return "–"
    return words.percent(statistics.fmean(one.points[key] for one in done.marked) / worth)


def _distribution(done: Class, words: GradingTexts) -> Markup:
    """How many marks there are in each tenth of the scale."""
    out_of = done.scale.out_of
    counts = [0] * BARS
    for one in done.marked:
        counts[min(BARS - 1, int(one.mark / out_of * BARS))] += 1
    edges = [decimal(i * out_of / BARS, done.lang) for i in range(BARS + 1)]
    names = [f"{a}–{b}" for a, b in pairwise(edges)]
    label = ", ".join(f"{name}: {n}" for name, n in zip(names, counts, strict=True) if n)
    svg = bars_svg(counts, edges, words("distribution_alt", counts=label))
    return class_parts.figure(svg, words("distribution_caption"))


def _mistakes(done: Class, words: GradingTexts) -> Markup:
    found = mistakes_of(done)
    if not found:
        return parts.paragraphs([words("no_mistakes")])
    rows = []
    for mistake in found:
        title = words.of(done.sheet.questions[mistake.question].title)
        links = [_link(one, words) for one in mistake.made_by[:FEW]]
        left = len(mistake.made_by) - FEW
        more = words("more", count=left) if left > 0 else ""
        lines = map(words.of, mistake.lines)
        rows.append((len(mistake.made_by), title, lines, links, more))
    return class_parts.mistakes(map(words, ("how_often", "mistake")), rows)


def _similar(done: Class, words: GradingTexts) -> Markup:
    if not done.pairs:
        return parts.paragraphs([words("no_pairs")])
    groups = groups_of(done.pairs)
    shown = []
    for group in groups[:GROUPS]:
        shares = dict.fromkeys(words.percent(share) for share in (group.least, group.most))
        copies = [
            (_link(done.marked[place], words), "; ".join(map(words.part, lines)))
            for place, lines in zip(group.members, group.parts, strict=True)
        ]
        shown.append((" – ".join(shares), copies))
    left = len(groups) - GROUPS
    more = words("more_groups", count=left) if left > 0 else ""
    return class_parts.similar(words("similar"), shown, more)


def _link(one: Marked, words: GradingTexts) -> Markup:
    return class_parts.link(quote(one.page), words.of(one.student.name))
