"""The report as text: a summary of at most twelve lines, and the details."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from derivable.examiner.finding import Finding, Section, Source, Verdict, Worst
from derivable.examiner.message import Message
from derivable.examiner.messages import say
from derivable.examiner.points import Kind, kind
from derivable.examiner.render.reproduction import reproduction
from derivable.examiner.settings import Level
from derivable.language import language

if TYPE_CHECKING:
    from rich.console import RenderableType

    from derivable.examiner.report import Report

DOZEN = 12
REASONS = 2  # notes that are shown beside findings where nothing is decided: the last ones
ANY = {"count": 0, "all": 0}  # what two findings may differ in and be one
AND = " · "  # between messages on one line, in any language
STYLES = {"right": "bold green", "wrong": "bold red", "inconclusive": "bold yellow"}


class Line(NamedTuple):
    """One line, how far it is indented, how it is coloured, and how soon it is left out."""

    text: str
    indent: int = 0
    style: str = ""
    rank: int = 0  # the highest goes first


def summary(report: Report, lang: str | None = None, more: str = "show.more") -> list[Line]:
    """At most twelve lines; `more` is the key of the message that states where the rest is.

    Every finding gets the same number of lines, and the first ones the remaining lines. If there
    are more findings than lines, the message `more` + "_findings" counts the last ones.
    """
    spoken = language(lang)
    top = verdict(report, spoken)
    if not report.findings:
        below = [*_sections(report, spoken), *_notes(report, spoken)]
        if report.verdict is Verdict.INCONCLUSIVE:
            below = [*_notes(report, spoken), *_sections(report, spoken)]
        return [top, *below[: DOZEN - 1]]
    level = report.settings.level
    grouped = alike(report.findings, spoken)
    blocks = [finding_lines(f, spoken, names, level) for f, names in grouped]
    undecided = report.verdict is Verdict.INCONCLUSIVE
    reasons = _notes(report, spoken)[-REASONS:] if undecided else []
    room = DOZEN - 3 - len(reasons)
    hidden = len(blocks) - room
    if hidden > 0:
        heads = [block[0] for block in blocks[:room]]
        counted = _message_line(Message(f"{more}_findings", {"count": hidden}), spoken)
        return [top, *reasons, *heads, *_sections(report, spoken), counted]
    share = max(n for n in range(1, room + 1) if sum(min(n, len(b)) for b in blocks) <= room)
    sizes = [min(share, len(block)) for block in blocks]
    for i, block in enumerate(blocks):
        sizes[i] += min(len(block) - sizes[i], room - sum(sizes))
    body = [line for block, size in zip(blocks, sizes, strict=True) for line in _cut(block, size)]
    rest = [] if len(body) == sum(map(len, blocks)) else [_message_line(Message(more), spoken)]
    return [top, *reasons, *body, *_sections(report, spoken), *rest]


def alike(findings: Sequence[Finding], lang: str) -> list[tuple[Finding, str]]:
    """The findings with their arguments, those that differ in the argument only as one."""
    groups: dict[object, list[Finding]] = {}
    for finding in findings:
        first = [say(e._replace(fields={**e.fields, **ANY}), lang) for e in finding.evidence[:1]]
        key = (finding.cause, say(finding.point, lang), *first)
        groups.setdefault(key if finding.argument else id(finding), []).append(finding)
    return [(g[0], ", ".join(f.argument for f in g if f.argument)) for g in groups.values()]


def details(report: Report, lang: str | None = None) -> list[Line]:
    """All lines: findings with their reproductions, notes, and the checks."""
    spoken = language(lang)
    lines = [verdict(report, spoken)]
    printed: set[str] = set()
    for finding in report.findings:
        lines += [Line(""), *finding_lines(finding, spoken, "", report.settings.level)]
        code = reproduction(report, finding, spoken)
        body = "\n".join(text for text in code.splitlines() if text[:2] != "# ")
        if code and body not in printed:
            lines.append(_message_line(Message("show.reproduction"), spoken, 4))
            lines += [Line(text, 8 if text else 0, "cyan") for text in code.splitlines()]
        printed.add(body)
    inputs = ", ".join(f"{name} {what}" for name, what in report.inputs.items())
    return [
        *lines,
        *([Line("")] if report.findings else []),
        *_notes(report, spoken),
        *_sections(report, spoken),
        _checks(report, spoken),
        _message_line(Message("show.inputs", {"inputs": inputs}), spoken),
        _message_line(Message("show.seed", {"seed": report.settings.seed}), spoken),
    ]


def verdict(report: Report, lang: str | None = None) -> Line:
    """The first line: `Cube: wrong (1 finding, 0.05 s)`; it is about first order."""
    gaps = {
        "function": report.function,
        "seconds": report.seconds,
        "count": len(alike(report.findings, language(lang))),
        "sections": [Message(f"section.{s.value}") for s in report.wrong_sections],
        "dtype": _rounded_to(report),
    }
    return Line(say(Message(f"show.{_headline(report)}", gaps), lang), 0, STYLES[report.verdict])


def _headline(report: Report) -> str:
    """The key of the first line."""
    first = report.sections.get(Section.FIRST_ORDER)
    if report.wrong_sections == (Section.SECOND_ORDER,) and first is not Verdict.INCONCLUSIVE:
        return "right_first_order"
    if report.verdict is Verdict.WRONG and report.wrong_sections == (Section.PRECISION,):
        return _precision(report)
    if report.verdict is Verdict.WRONG and first is Verdict.RIGHT and report.wrong_sections:
        return "wrong_elsewhere"
    if report.verdict is Verdict.WRONG:
        return "wrong"
    if report.verdict is Verdict.RIGHT and report.findings:
        return "right_warnings"
    return report.verdict.value


def _precision(report: Report) -> str:
    """The key of the first line where only precision is wrong: in smaller dtypes, or in any."""
    if all(kind(finding) is Kind.DTYPE for finding in _imprecise(report)):
        return "wrong_precision"
    return "wrong_rounded" if _rounded_to(report) else "wrong_imprecise"


def _imprecise(report: Report) -> list[Finding]:
    """The findings about precision."""
    return [finding for finding in report.findings if finding.section is Section.PRECISION]


def _rounded_to(report: Report) -> str:
    """The dtype of which the wrong numbers are; "" where the findings state none."""
    messages = [m for f in _imprecise(report) if kind(f) is not Kind.DTYPE for m in f.evidence]
    return next((str(m.fields["dtype"]) for m in messages if "dtype" in m.fields), "")


def heading(
    finding: Finding, lang: str | None = None, names: str = "", level: Level = Level.STANDARD
) -> str:
    """The cause, with the argument by name, and where it shows if that is not at the inputs.

    `names` are those of several arguments with the same finding. What does not fail at `level` is
    a warning.
    """
    gaps = {
        "argument": names or finding.argument,
        "cause": Message("cause." + finding.cause),
        "point": finding.point,
    }
    argument = "_argument" if finding.argument else ""
    point = "" if kind(finding) is Kind.EXAMPLE else "_point"
    title = Message(f"show.heading{argument}{point}", gaps)
    if not level.fails(finding):
        title = Message("show.warning", {"finding": title})
    return say(title, lang)


def place(source: Source) -> str:
    """`cube.py:14`."""
    return f"{short(source.path)}:{source.line}"


def short(path: str) -> str:
    """A path as seen from the working directory, if it is below it."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def numbers(worst: Worst) -> dict[str, str]:
    """The worst entry's numbers, with as many digits as distinguish them."""
    returned, measured = worst.returned, worst.measured
    apart, size = abs(returned - measured), max(abs(returned), abs(measured))
    digits = 6
    if 0 < apart < size < math.inf:
        digits = min(17, max(6, 2 - math.floor(math.log10(apart / size))))
    return {
        "returned": f"{returned:.{digits}g}",
        "measured": f"{measured:.{digits}g}",
        "error": f"{worst.error:.0e}" if worst.error else "0",
    }


def entry(argument: str | None, index: Sequence[int]) -> str:
    """`x[3, 1]`, or `x` where it has no dimensions."""
    return (argument or "") + (f"[{', '.join(map(str, index))}]" if index else "")


def plain(lines: Iterable[Line]) -> str:
    """The lines as text, as they are printed where there are no colours."""
    return "\n".join(" " * line.indent + line.text for line in lines)


def coloured(lines: Iterable[Line]) -> RenderableType:
    """The lines for rich: a long one continues below its own beginning."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    return Group(*(Padding(Text(t or " ", style), (0, 0, 0, i)) for t, i, style, _ in lines))


def finding_lines(finding: Finding, lang: str, names: str, level: Level) -> list[Line]:
    """All lines of one finding; its heading first."""
    lines = [Line(heading(finding, lang, names, level), 2, "bold")]
    for number, evidence in enumerate(finding.evidence):
        lines.append(Line(say(evidence, lang), 4, "", 1 if number == 0 else 6))
    if finding.worst is not None:
        spot = {"entry": entry(finding.argument, finding.worst.index), **numbers(finding.worst)}
        lines.append(Line(say(Message("show.worst", spot), lang), 4, "", 3))
    if finding.source is not None:
        line = f"{place(finding.source)}: {finding.source.text.strip()}"
        lines.append(Line(line, 4, "magenta", 2))
    advice = Message("show.advice", {"advice": Message("advice." + finding.cause)})
    lines.append(Line(say(advice, lang), 4, "green", 4))
    if finding.rivals:
        rivals = AND.join(say(Message("cause." + rival), lang) for rival in finding.rivals)
        lines.append(Line(say(Message("show.rivals", {"rivals": rivals}), lang), 4, "dim", 5))
    return lines


def _cut(block: Sequence[Line], count: int) -> list[Line]:
    """The `count` most important lines of a block, in their order."""
    kept = sorted(range(len(block)), key=lambda i: block[i].rank)[:count]
    return [block[i] for i in sorted(kept)]


def _sections(report: Report, lang: str) -> list[Line]:
    """The verdict on each section, in one line, if there is one."""
    parts = (
        Message("show.section", {"section": Message(f"section.{s.value}"),
                                 "verdict": Message(f"verdict.{v.value}")})
        for s, v in report.sections.items()
        if v is not Verdict.NOT_APPLICABLE
    )  # fmt: skip
    text = AND.join(say(part, lang) for part in parts)
    return [Line(text, 2, "dim")] if text else []


def _checks(report: Report, lang: str) -> Line:
    """Every check with its number of comparisons, and the calls in all."""
    named = [f"{say(Message(f'check.{c}'), lang)} {n}" for c, n in report.checks.items() if n]
    total = sum(report.checks.values())
    gaps = {"checks": ", ".join(named), "total": total, "calls": report.calls}
    return _message_line(Message("show.checks", gaps), lang)


def _notes(report: Report, lang: str) -> list[Line]:
    style = "" if report.verdict is Verdict.INCONCLUSIVE else "dim"
    return [Line(say(Message("show.note", {"note": n}), lang), 2, style) for n in report.notes]


def _message_line(message: Message, lang: str, indent: int = 2) -> Line:
    return Line(say(message, lang), indent, "dim")
