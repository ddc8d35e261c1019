"""The report in words: at most a dozen lines to print, and everything in the details."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from derivable.examiner.finding import Finding, Message, Source, Worst
from derivable.examiner.render.reproduction import reproduction
from derivable.examiner.render.sentences import LANGUAGES, language, say

if TYPE_CHECKING:
    from rich.console import RenderableType

    from derivable.examiner.report import Report

DOZEN = 12
ANY = {"count": 0, "all": 0}  # what two findings may differ in and be one
AND = " · "  # between sentences on one line, in any language
STYLES = {"right": "bold green", "wrong": "bold red", "inconclusive": "bold yellow"}


class Line(NamedTuple):
    """One line, how far it is indented, how it is coloured, and how soon it is left out."""

    text: str
    indent: int = 0
    style: str = ""
    rank: int = 0  # the highest goes first


def summary(report: Report, lang: str | None = None, more: str = "show.more") -> list[Line]:
    """At most a dozen lines; `more` is the sentence that says where the rest is.

    Every finding gets the same number of lines, and the first ones what is left over. Where even
    one line each is too much, the last ones are counted by the sentence `more` + "_findings".
    """
    spoken = language(lang)
    top = verdict(report, spoken)
    if not report.findings:
        below = [_looked_at(report, spoken), *_notes(report, spoken)]
        if report.verdict == "inconclusive":
            below = [*_notes(report, spoken), _looked_at(report, spoken)]
        return [top, *below[: DOZEN - 1]]
    blocks = [finding_lines(f, spoken, names) for f, names in _alike(report.findings, spoken)]
    room = DOZEN - 2
    hidden = len(blocks) - room
    if hidden > 0:
        heads = [block[0] for block in blocks[:room]]
        return [top, *heads, _said(Message(f"{more}_findings", {"count": hidden}), spoken)]
    share = max(n for n in range(1, room + 1) if sum(min(n, len(b)) for b in blocks) <= room)
    sizes = [min(share, len(block)) for block in blocks]
    for i, block in enumerate(blocks):
        sizes[i] += min(len(block) - sizes[i], room - sum(sizes))
    body = [line for block, size in zip(blocks, sizes, strict=True) for line in _cut(block, size)]
    rest = [] if len(body) == sum(map(len, blocks)) else [_said(Message(more), spoken)]
    return [top, *body, *rest]


def _alike(findings: Sequence[Finding], lang: str) -> list[tuple[Finding, str]]:
    """The findings with their arguments, those that differ in the argument only as one."""
    groups: dict[object, list[Finding]] = {}
    for finding in findings:
        first = [say(e._replace(fields={**e.fields, **ANY}), lang) for e in finding.evidence[:1]]
        key = (finding.cause, say(finding.where, lang), *first)
        groups.setdefault(key if finding.argument else id(finding), []).append(finding)
    return [(g[0], ", ".join(f.argument for f in g if f.argument)) for g in groups.values()]


def details(report: Report, lang: str | None = None) -> list[Line]:
    """Everything: whole findings, each with its reproduction, notes, and what was looked at."""
    spoken = language(lang)
    lines = [verdict(report, spoken)]
    told: set[str] = set()
    for finding in report.findings:
        lines += [Line(""), *finding_lines(finding, spoken)]
        code = reproduction(report, finding, spoken)
        body = "\n".join(text for text in code.splitlines() if text[:2] != "# ")
        if code and body not in told:
            lines.append(_said(Message("show.reproduction"), spoken, 4))
            lines += [Line(text, 8 if text else 0, "cyan") for text in code.splitlines()]
        told.add(body)
    inputs = ", ".join(f"{name} {what}" for name, what in report.inputs.items())
    return [
        *lines,
        *([Line("")] if report.findings else []),
        *_notes(report, spoken),
        _looked_at(report, spoken, counts=True),
        _said(Message("show.inputs", {"inputs": inputs}), spoken),
        _said(Message("show.seed", {"seed": report.seed}), spoken),
    ]


def verdict(report: Report, lang: str | None = None) -> Line:
    """The first line: `Cube: wrong (1 finding, 0.05 s)`."""
    count = len(report.findings)
    key: str = report.verdict
    if report.verdict == "wrong":
        key = "wrong_one" if count == 1 else "wrong_many"
    gaps = {"function": report.function, "seconds": report.seconds, "count": count}
    return Line(say(Message(f"show.{key}", gaps), lang), 0, STYLES[report.verdict])


def heading(finding: Finding, lang: str | None = None, names: str = "") -> str:
    """The cause, with the argument by name, and where it shows if that is not at the inputs.

    `names` are those of several arguments with the same finding.
    """
    gaps = {
        "argument": names or finding.argument,
        "cause": Message("cause." + finding.cause),
        "where": finding.where,
    }
    argument = "_argument" if finding.argument else ""
    where = "" if finding.where.key == "where.example" else "_where"
    return say(Message(f"show.heading{argument}{where}", gaps), lang)


def place(source: Source) -> str:
    """`cube.py:14`."""
    return f"{short(source.path)}:{source.line}"


def short(path: str) -> str:
    """A path as seen from the working directory, if it is below it."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def numbers(worst: Worst) -> dict[str, str]:
    """The worst entry's numbers, with as many digits as it takes to tell them apart."""
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


def finding_lines(finding: Finding, lang: str, names: str = "") -> list[Line]:
    """The whole of one finding; its heading first."""
    lines = [Line(heading(finding, lang, names), 2, "bold")]
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
    """The `count` most telling lines of a block, in their order."""
    kept = sorted(range(len(block)), key=lambda i: block[i].rank)[:count]
    return [block[i] for i in sorted(kept)]


def _looked_at(report: Report, lang: str, counts: bool = False) -> Line:
    table = LANGUAGES[lang]
    named = [(table.get(f"rung.{rung}", rung), n) for rung, n in report.rungs.items() if n]
    rungs = ", ".join(f"{name} {n}" if counts else name for name, n in named)
    total = sum(report.rungs.values())
    return _said(Message("show.looked_at", {"rungs": rungs, "total": total}), lang)


def _notes(report: Report, lang: str) -> list[Line]:
    style = "" if report.verdict == "inconclusive" else "dim"
    return [Line(say(Message("show.note", {"note": n}), lang), 2, style) for n in report.notes]


def _said(said: Message, lang: str, indent: int = 2) -> Line:
    return Line(say(said, lang), indent, "dim")
