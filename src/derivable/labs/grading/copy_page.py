"""The page of one copy: feedback on its answers, and how the copy was run."""

from __future__ import annotations

from derivable.labs.feedback import Feedback
from derivable.labs.grading.drawing import curve_svg
from derivable.labs.grading.incidents import Incident, Kind
from derivable.labs.grading.marked import Class, Marked
from derivable.labs.grading.page import GradingTexts, css_class, symbol
from derivable.labs.page import page, section

_GROUPS = {
    "errors": {Kind.SYNTAX, Kind.ERROR, Kind.MISSING},
    "cuts": {Kind.CUT, Kind.TIME, Kind.ALL_TIME},
}


def copy_page(one: Marked, done: Class) -> str:
    """The page as one string of HTML."""
    words = GradingTexts(done.lang)
    title = words.html(f"{done.sheet.title.to(done.lang)} – {one.student.name}")
    parts = [_head(one, done, words), _overview(one, done, words)]
    parts += [_question(one, key, done, words) for key in one.feedback]
    parts += [_run(one, words), _how(done, words)]
    return page(title, done.lang, "\n".join(parts))


def _head(one: Marked, done: Class, words: GradingTexts) -> str:
    file = f" · <code>{words.html(one.file)}</code>" if one.file else ""
    unread = [done.sheet.questions[key].title.to(done.lang) for key in one.to_be_read]
    note = f'<p class="soft">{words("unread", names=", ".join(unread))}</p>' if unread else ""
    return (
        f"<header>\n<p class=soft>{words.html(done.sheet.title.to(done.lang))}</p>\n"
        f"<h1>{words.html(one.student.name)}</h1>\n"
        f'<p class="soft">{_number(one, words)}{file}</p>\n'
        f'<p class="mark"><strong>{words.out_of(one.mark, done.scale.out_of)}</strong></p>{note}'
        "\n</header>"
    )


def _number(one: Marked, words: GradingTexts) -> str:
    number = one.student.number
    return words("participant", number=number) if number else words("copy")


def _overview(one: Marked, done: Class, words: GradingTexts) -> str:
    """The questions with their points, each a link to its part of the page."""
    rows = []
    for number, (key, feedback) in enumerate(one.feedback.items(), 1):
        title = words.html(done.sheet.questions[key].title.to(done.lang))
        points = words.out_of(one.points[key], done.scale.points[key])
        rows.append(
            f'<tr><td><a href="#q{number}">{title}</a></td>'
            f'<td class="{css_class(feedback)}">{_sign(feedback)} '
            f'<span class="word">{words.status(feedback)}</span></td>'
            f"<td>{points}</td></tr>"
        )
    heads = "".join(f'<th scope="col">{words(key)}</th>' for key in ("question", "found", "points"))
    return (
        f'<table class="overview"><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody>'
        "</table>"
    )


def _sign(feedback: Feedback) -> str:
    return f'<span aria-hidden="true">{symbol(feedback)}</span>'


def _question(one: Marked, key: str, done: Class, words: GradingTexts) -> str:
    """The feedback on a question, with the curve if there is one."""
    feedback = one.feedback[key]
    number = list(one.feedback).index(key) + 1
    head, *rest = feedback.lines
    points = words.out_of(one.points[key], done.scale.points[key])
    lines = "".join(f'<p class="more">{words.html(line)}</p>' for line in rest)
    remarks = "".join(f'<p class="soft">{words.html(line)}</p>' for line in feedback.remarks)
    title = words.html(done.sheet.questions[key].title.to(done.lang))
    return (
        f'<section class="question {css_class(feedback)}" id="q{number}">\n'
        f'<h2>{title}</h2>\n<p class="state">{_sign(feedback)} {words.status(feedback)} · '
        f'<span class="points">{points}</span></p>\n'
        f"<p>{words.html(head)}</p>{lines}{remarks}{_curve(feedback, title, words)}\n</section>"
    )


def _curve(feedback: Feedback, title: str, words: GradingTexts) -> str:
    """The losses of the copy beside those of other seeds."""
    curve = feedback.curve
    if curve is None:
        return ""
    steps, losses = curve.steps, curve.losses
    if not len(steps):
        return ""
    label = words.text(
        "curve_alt",
        first=words.number(losses[0]),
        last=words.number(losses[-1]),
        steps=steps[-1],
    )
    svg = curve_svg(curve, label, words.lang)
    if not svg:
        return ""
    key = f'<span class="key line" aria-hidden="true"></span>{words("curve_yours")}'
    if len(curve.low):
        key += f' <span class="key band" aria-hidden="true"></span>{words("curve_range")}'
    return f"<figure>{svg}<figcaption>{key}. {words('curve_axes')}</figcaption></figure>"


def _run(one: Marked, words: GradingTexts) -> str:
    """The incidents while the copy was run."""
    groups: dict[str, list[Incident]] = {"errors": [], "cuts": [], "others": []}
    for incident in one.outcome.incidents:
        name = next((n for n, kinds in _GROUPS.items() if incident.kind in kinds), "others")
        groups[name].append(incident)
    parts = [f"<p>{words('run')}</p>"]
    for name, found in groups.items():
        if found:
            found = sorted(found, key=lambda i: (i.cell, i.line))
            items = "".join(f"<li>{words.incident(one)}</li>" for one in found)
            parts.append(f'<h3>{words(name)}</h3><ul class="incidents">{items}</ul>')
    if groups["errors"] and groups["cuts"]:
        parts.append(f'<p class="soft">{words("after_a_cut")}</p>')
    if not one.outcome.incidents:
        parts.append(f"<p>{words('no_incidents')}</p>")
    return section(words("run_title"), "".join(parts))


def _how(done: Class, words: GradingTexts) -> str:
    scale = done.scale
    text = words(
        "how_rounded" if scale.rounding else "how",
        total=words.number(scale.total),
        out_of=words.number(scale.out_of),
        rounding=words.number(scale.rounding),
    )
    return f"<footer><p class=soft>{text}</p></footer>"
