"""The teacher's page: marks of the class, its mistakes, and copies to be reviewed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from urllib.parse import quote

from derivable.labs.feedback import Status
from derivable.labs.grading.drawing import bars_svg
from derivable.labs.grading.guard import unprotected
from derivable.labs.grading.marked import Class, Marked
from derivable.labs.grading.page import GradingTexts, css_class, symbol
from derivable.labs.grading.similar import Part, groups_of
from derivable.labs.grading.words import UNPROTECTED
from derivable.labs.page import page, scrolling, section
from derivable.labs.typography import decimal

BARS = 10
GROUPS = 20  # of copies that are listed
FEW = 5  # names of students in a row of the mistakes


@dataclass
class Mistakes:
    """Those of one kind: who made them, and what the feedback on one of them is."""

    question: str
    lines: tuple[str, ...]
    made_by: list[Marked] = field(default_factory=list)


def class_page(done: Class) -> str:
    """The page as one string of HTML."""
    words = GradingTexts(done.lang)
    title = words.html(done.sheet.title.to(done.lang))
    parts = [
        _head(done, words),
        _problems(done, words),
        section(words("table_title"), _table(done, words)),
        section(words("distribution"), _distribution(done, words)),
        section(words("mistakes_title"), _mistakes(done, words)),
        section(words("similar_title"), _similar(done, words)),
        _foot(words),
    ]
    return page(title, done.lang, "\n".join(filter(None, parts)))


def _foot(words: GradingTexts) -> str:
    """The section on what protects the machine of the marker, and what does not."""
    notes = [UNPROTECTED[key].to(words.lang) for key in unprotected()]
    more = "".join(f" {words.html(note)}" for note in notes)
    return f"<footer><p class=soft>{words('no_sandbox')}{more}</p></footer>"


def mistakes_of(done: Class) -> list[Mistakes]:
    """The mistakes of a class, the most frequent first."""
    found: dict[tuple[str, str], Mistakes] = {}
    for one in done.marked:
        for key, feedback in one.feedback.items():
            if feedback.mistake and feedback.status is not Status.TO_DO:
                kind, lines = (key, feedback.mistake), feedback.lines[:2]
                found.setdefault(kind, Mistakes(key, lines)).made_by.append(one)
    return sorted(found.values(), key=lambda mistake: -len(mistake.made_by))


def _head(done: Class, words: GradingTexts) -> str:
    marks = [one.mark for one in done.marked]
    facts = {
        "copies": str(len(marks)),
        "mean": words.out_of(round(statistics.fmean(marks), 2), done.scale.out_of),
        "median": words.out_of(statistics.median(marks), done.scale.out_of),
        "extremes": f"{words.number(min(marks))} – {words.number(max(marks))}",
    }
    listed = "".join(f"<div><dt>{words(k)}</dt><dd>{v}</dd></div>" for k, v in facts.items())
    return (
        f"<header>\n<h1>{words.html(done.sheet.title.to(done.lang))}</h1>\n"
        f'<dl class="facts">{listed}</dl>\n<p class="soft">{words("files")}</p>\n</header>'
    )


def _problems(done: Class, words: GradingTexts) -> str:
    """The copies that should be reviewed, and why."""
    rows = []
    for one in done.marked:
        reasons = [words.incident(incident) for incident in one.serious]
        unread = [done.sheet.questions[key].title.to(done.lang) for key in one.to_be_read]
        if unread:
            reasons.append(words("to_be_read", names=", ".join(unread)))
        if reasons:
            rows.append(f"<li>{_link(one, words)}<br>{'<br>'.join(reasons)}</li>")
    if not rows:
        return ""
    return section(
        words("problems_title"), f'<ul class="incidents">{"".join(rows)}</ul>', "verdict"
    )


def _table(done: Class, words: GradingTexts) -> str:
    """Copies and questions, with points."""
    questions = done.sheet.questions
    heads = "".join(
        f'<th scope="col" title="{words.html(q.title.to(done.lang))}">{number}</th>'
        for number, q in enumerate(questions.values(), 1)
    )
    rows = "".join(_row(one, done, words) for one in done.marked)
    means = "".join(f"<td>{_mean(done, key, words)}</td>" for key in questions)
    table = (
        f'<table class="class"><thead><tr><th scope="col">{words("student")}</th>'
        f'<th scope="col">{words("grade")}</th>{heads}</tr></thead><tbody>{rows}</tbody>'
        f'<tfoot><tr><th scope="row">{words("share_of_points")}</th><td></td>{means}</tr></tfoot>'
        "</table>"
    )
    legend = "".join(
        f"<li>{words.html(q.title.to(done.lang))} "
        f'<span class="soft">({words.number(done.scale.points[key])})</span></li>'
        for key, q in questions.items()
    )
    signs = f'<p class="soft">{words("signs")}</p>'
    return f'{scrolling(table, words("table_title"))}{signs}<ol class="legend">{legend}</ol>'


def _row(one: Marked, done: Class, words: GradingTexts) -> str:
    cells = []
    for key, feedback in one.feedback.items():
        title = done.sheet.questions[key].title.to(done.lang)
        label = f"{words.html(title)}: {words.status(feedback)}"
        cells.append(
            f'<td class="{css_class(feedback)}" title="{label}">'
            f'<span aria-hidden="true">{symbol(feedback)}</span> '
            f"{words.number(one.points[key])}</td>"
        )
    flag = f' <span title="{words("problems_title")}">⚠</span>' if one.serious else ""
    return (
        f'<tr><th scope="row">{_link(one, words)}{flag}</th>'
        f"<td><b>{words.number(one.mark)}</b></td>{''.join(cells)}</tr>"
    )


def _mean(done: Class, key: str, words: GradingTexts) -> str:
    worth = done.scale.points[key]
    if not worth:
        return "–"
    share = statistics.fmean(one.points[key] for one in done.marked) / worth
    return words.percent(share)


def _distribution(done: Class, words: GradingTexts) -> str:
    """How many marks there are in each tenth of the scale."""
    out_of = done.scale.out_of
    counts = [0] * BARS
    for one in done.marked:
        counts[min(BARS - 1, int(one.mark / out_of * BARS))] += 1
    edges = [decimal(i * out_of / BARS, done.lang) for i in range(BARS + 1)]
    names = [f"{a}–{b}" for a, b in pairwise(edges)]
    label = ", ".join(f"{name}: {n}" for name, n in zip(names, counts, strict=True) if n)
    svg = bars_svg(counts, edges, words.text("distribution_alt", counts=label))
    return f"<figure>{svg}<figcaption>{words('distribution_caption')}</figcaption></figure>"


def _mistakes(done: Class, words: GradingTexts) -> str:
    found = mistakes_of(done)
    if not found:
        return f"<p>{words('no_mistakes')}</p>"
    rows = []
    for mistake in found:
        title = words.html(done.sheet.questions[mistake.question].title.to(done.lang))
        names = ", ".join(_link(one, words) for one in mistake.made_by[:FEW])
        lines = "<br>".join(words.html(line) for line in mistake.lines)
        more = len(mistake.made_by) - FEW
        if more > 0:
            names += f" {words('more', count=more)}"
        rows.append(
            f"<tr><td><b>{len(mistake.made_by)}</b></td>"
            f'<td class="wide"><b>{title}</b><br>{lines}'
            f'<br><span class="soft">{names}</span></td></tr>'
        )
    heads = f'<th scope="col">{words("how_often")}</th><th scope="col">{words("mistake")}</th>'
    return (
        f'<table class="words mistakes"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _similar(done: Class, words: GradingTexts) -> str:
    if not done.pairs:
        return f"<p>{words('no_pairs')}</p>"
    groups = groups_of(done.pairs)
    rows = []
    for group in groups[:GROUPS]:
        shares = dict.fromkeys(words.percent(share) for share in (group.least, group.most))
        members = " · ".join(
            f'{_link(done.marked[place], words)} <span class="soft">({_parts(parts, words)})</span>'
            for place, parts in zip(group.members, group.parts, strict=True)
        )
        rows.append(f"<li><b>{' – '.join(shares)}</b> {members}</li>")
    more = len(groups) - GROUPS
    if more > 0:
        rows.append(f'<li class="soft">{words("more_groups", count=more)}</li>')
    return f'<p>{words("similar")}</p><ul class="incidents">{"".join(rows)}</ul>'


def _parts(parts: Sequence[Part], words: GradingTexts) -> str:
    return "; ".join(words.part(part) for part in parts)


def _link(one: Marked, words: GradingTexts) -> str:
    return f'<a href="{quote(one.page)}">{words.html(one.student.name)}</a>'
