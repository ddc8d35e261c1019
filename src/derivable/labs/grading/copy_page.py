"""The page of one copy: feedback on its answers, and how the copy was run."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from derivable.labs.feedback import Feedback
from derivable.labs.grading.drawing import curve_svg
from derivable.labs.grading.incidents import Incident, Kind
from derivable.labs.grading.marked import Class, Marked
from derivable.labs.grading.page import GradingTexts, copy_parts, css_class, symbol
from derivable.labs.page import page
from derivable.report.parts import parts

_GROUPS = {
    "errors": {Kind.SYNTAX, Kind.ERROR, Kind.MISSING},
    "cuts": {Kind.CUT, Kind.TIME, Kind.ALL_TIME},
}


@dataclass(frozen=True)
class Answer:
    """What the page shows of the answer to one question."""

    title: str
    status: str  # in a word
    symbol: str
    css: str  # the class of the stylesheet
    points: str
    lines: list[str]
    remarks: list[str]
    curve: Markup  # may be empty


def copy_page(one: Marked, done: Class) -> str:
    """The page as one string of HTML."""
    words = GradingTexts(done.lang)
    answers = [_answer(one, key, done, words) for key in one.feedback]
    sections = [
        _head(one, done, words),
        copy_parts.overview(map(words, ("question", "found", "points")), answers),
        *(copy_parts.question(answer, number) for number, answer in enumerate(answers, 1)),
        _run(one, words),
        copy_parts.foot(_how(done, words)),
    ]
    title = f"{done.sheet.title.to(done.lang)} – {one.student.name}"
    return page(words.of(title), done.lang, sections)


def _head(one: Marked, done: Class, words: GradingTexts) -> Markup:
    unread = [done.sheet.questions[key].title.to(done.lang) for key in one.to_be_read]
    note = words("unread", names=", ".join(unread)) if unread else ""
    number = one.student.number
    which = words("participant", number=number) if number else words("copy")
    mark = words.out_of(one.mark, done.scale.out_of)
    title, name = words.of(done.sheet.title), words.of(one.student.name)
    return copy_parts.head(title, name, which, words.of(one.file or ""), mark, note)


def _answer(one: Marked, key: str, done: Class, words: GradingTexts) -> Answer:
    feedback = one.feedback[key]
    title = words.of(done.sheet.questions[key].title)
    return Answer(
        title,
        words.status(feedback),
        symbol(feedback),
        css_class(feedback),
        words.out_of(one.points[key], done.scale.points[key]),
        [words.of(line) for line in feedback.lines],
        [words.of(line) for line in feedback.remarks],
        _curve(feedback, words),
    )


def _curve(feedback: Feedback, words: GradingTexts) -> Markup:
    """The losses of the copy beside those of other seeds; empty where there are none."""
    curve = feedback.curve
    if curve is None or not len(curve.steps):
        return Markup()
    losses = curve.losses
    first, last = words.number(losses[0]), words.number(losses[-1])
    label = words("curve_alt", first=first, last=last, steps=curve.steps[-1])
    svg = curve_svg(curve, label, words.lang)
    if not svg:
        return Markup()
    known = words("curve_range") if len(curve.low) else ""
    return copy_parts.curve(svg, words("curve_yours"), known, words("curve_axes"))


def _run(one: Marked, words: GradingTexts) -> Markup:
    """The incidents while the copy was run."""
    groups: dict[str, list[Incident]] = {"errors": [], "cuts": [], "others": []}
    for incident in one.outcome.incidents:
        name = next((n for n, kinds in _GROUPS.items() if incident.kind in kinds), "others")
        groups[name].append(incident)
    shown = [
        (words(name), map(words.incident, sorted(found, key=lambda i: (i.cell, i.line))))
        for name, found in groups.items()
        if found
    ]
    note = words("after_a_cut") if groups["errors"] and groups["cuts"] else ""
    none = words("no_incidents") if not one.outcome.incidents else ""
    return parts.section(words("run_title"), copy_parts.run(words("run"), shown, note, none))


def _how(done: Class, words: GradingTexts) -> str:
    scale = done.scale
    return words(
        "how_rounded" if scale.rounding else "how",
        total=words.number(scale.total),
        out_of=words.number(scale.out_of),
        rounding=words.number(scale.rounding),
    )
