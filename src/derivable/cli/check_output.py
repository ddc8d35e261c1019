"""The output of `derivable check`: text, one JSON document, or GitHub's annotations."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from derivable.examiner.finding import Finding
from derivable.examiner.message import Message
from derivable.examiner.messages import say
from derivable.examiner.render import show
from derivable.examiner.render.as_json import as_data, dump
from derivable.language import language

if TYPE_CHECKING:
    from derivable.examiner.report import Report
    from derivable.examiner.settings import Level

VERDICTS = ("right", "wrong", "inconclusive", "not_examined")
STYLES = {**show.STYLES, "not_examined": "bold magenta"}


@dataclass(frozen=True)
class Result:
    """One line of the result: a target with its report, or why there is none.

    `inputs` states where its inputs come from; empty for those that were given, or are examples().
    """

    name: str
    report: Report | None
    path: str
    line: int  # counted from 1
    reason: str = ""
    inputs: str = ""

    @property
    def verdict(self) -> str:
        """right, wrong, inconclusive or not_examined."""
        return self.report.verdict if self.report is not None else "not_examined"


class Output:
    """The base of outputs: `begin` with all names, `line` for each result, and `end`."""

    def __init__(self, details: bool, lang: str | None) -> None:
        self.details = details
        self.lang = language(lang)

    def running(self, name: str, seconds: float) -> None:
        """Before the code of a target is run: a line on stderr if this is a terminal."""
        console = Console(stderr=True, highlight=False)
        if console.is_terminal:
            text = self.say("running", name=name, seconds=f"{seconds:g}")
            console.print(Text(text, style="dim"))

    def begin(self, names: Sequence[str], notes: Sequence[Message]) -> None:
        """Before the first: the names of all that will come, and what of the code did not run."""
        self.notes = [say(note, self.lang) for note in notes]

    def waiting(self, name: str, number: int, count: int) -> AbstractContextManager[object]:
        """While one is examined, the `number`-th of so many: shown on a terminal only."""
        console = Console(stderr=True)
        if count < 2 or not console.is_terminal:
            return nullcontext()
        return console.status(Text(f"{number + 1}/{count} {name}", style="dim"))

    def line(self, result: Result) -> None:
        """As soon as one is examined."""

    def end(self, results: Sequence[Result], code: int) -> None:
        """After the last, with the exit code."""

    def say(self, key: str, **gaps: object) -> str:
        """A message of the command."""
        return say(Message(f"cli.{key}", gaps), self.lang)

    def words(self, message: Message | str | None) -> str:
        """A message in the language of the output; what is a text already stays as it is."""
        return say(message, self.lang) if isinstance(message, Message) else message or ""

    def counts(self, results: Sequence[Result]) -> str:
        """`2 right, 1 wrong`."""
        if not results:
            return self.say("no_functions")
        counted = [(v, sum(result.verdict == v for result in results)) for v in VERDICTS]
        return ", ".join(self.say(f"count_{v}", count=n) for v, n in counted if n)

    def body(self, result: Result) -> list[show.Line]:
        """The lines of a report, with the inputs below the first one."""
        report = result.report
        assert report is not None
        first, *rest = (
            show.details(report, self.lang)
            if self.details
            else show.summary(report, self.lang, "cli.more")
        )
        inputs = [show.Line(result.inputs, 2, "dim")] if result.inputs else []
        return [first, *inputs, *rest]


class TextOutput(Output):
    """One verdict line each, aligned; below, the reports of what is not right."""

    def begin(self, names: Sequence[str], notes: Sequence[Message]) -> None:
        """What did not run; the columns are as wide as the widest name and verdict."""
        super().begin(names, notes)
        self.console = Console(highlight=False)
        for note in self.notes:
            self.console.print(Text(note, style="yellow"), soft_wrap=not self.console.is_terminal)
        if self.notes and names:
            print()
        self.widths = (
            max(map(len, names), default=0),
            max(len(self.say(verdict)) for verdict in VERDICTS),
        )

    def line(self, result: Result) -> None:
        """The verdict, and beside it the seconds and the causes, or why there is none."""
        first, rest = result.reason, ""
        if result.report is not None:
            first = f"{result.report.seconds:.2f} s"
            level = result.report.settings.level
            found = show.alike(result.report.findings, self.lang)
            rest = show.AND.join(show.heading(f, self.lang, names, level) for f, names in found)
        verdict = self.say(result.verdict)
        if not self.console.is_terminal:
            name, word = result.name.ljust(self.widths[0]), verdict.ljust(self.widths[1])
            print("  ".join(part for part in (name, word, first, rest) if part).rstrip())
            return
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=min(self.widths[0], self.console.width // 3), overflow="fold")
        table.add_column(width=self.widths[1], no_wrap=True, style=STYLES[result.verdict])
        if result.report is not None:
            table.add_column(no_wrap=True, justify="right", style="dim")
        table.add_column()
        cells = (result.name, verdict, first, *((rest,) if result.report is not None else ()))
        table.add_row(*map(Text, cells))
        self.console.print(table)

    def end(self, results: Sequence[Result], code: int) -> None:
        """The reports, and the counts."""
        for result in results:
            report = result.report
            if report is not None and (self.details or report.findings or not report.ok):
                self.show(self.body(result))
        counts = show.Line(self.counts(results), 0, "bold")
        self.show([counts], apart=bool(results or self.notes))

    def show(self, lines: Sequence[show.Line], apart: bool = True) -> None:
        """Colours and a hanging indent on a terminal, whole lines elsewhere; `apart` by a line."""
        if self.console.is_terminal:
            body: RenderableType = show.coloured(lines)
            self.console.print(Padding(body, (int(apart), 0, 0, 0)))
        else:
            print(f"{chr(10) * apart}{show.plain(lines)}")


class JsonOutput(Output):
    """One document on stdout."""

    def end(self, results: Sequence[Result], code: int) -> None:
        """All of it."""
        functions = [
            {**as_data(r.report, lang=self.lang), **_whose(r)}
            for r in results
            if r.report is not None
        ]
        others = [{**_whose(r), "reason": r.reason} for r in results if r.report is None]
        counts = {v: sum(result.verdict == v for result in results) for v in VERDICTS}
        document = {
            "functions": functions,
            "not_examined": others,
            "notes": self.notes,
            "counts": counts,
            "exit_code": code,
        }
        print(dump(document))


class GithubOutput(Output):
    """Annotations: an error on the line of the return, a warning where there is no verdict."""

    def begin(self, names: Sequence[str], notes: Sequence[Message]) -> None:
        """A warning for each line at which the code stopped or failed."""
        super().begin(names, notes)
        for note, text in zip(notes, self.notes, strict=True):
            path, _, line = str(note.fields.get("location", "")).rpartition(":")
            location = (
                f" file={_escaped(path, True)},line={line}" if path and line.isdigit() else ""
            )
            print(f"::warning{location}::{_escaped(text)}")

    def line(self, result: Result) -> None:
        """One annotation per finding."""
        path = show.short(result.path)
        if result.report is None:
            self._annotate("warning", path, result.line, result, result.reason)
        elif result.verdict == "inconclusive":
            text = show.plain(self.body(result))
            self._annotate("warning", path, result.line, result, text)
        if result.report is None:
            return
        level = result.report.settings.level
        for finding in result.report.findings:
            source = finding.source
            file, line = (show.short(source.path), source.line) if source else (path, result.line)
            kind = "error" if level.fails(finding) else "warning"
            self._annotate(kind, file, line, result, self._text(finding, level))

    def end(self, results: Sequence[Result], code: int) -> None:
        """The counts, for the log."""
        print(self.counts(results))

    def _text(self, finding: Finding, level: Level) -> str:
        lines = show.finding_lines(finding, self.lang, "", level)
        return show.plain(line._replace(indent=0) for line in lines)

    def _annotate(self, kind: str, path: str, line: int, result: Result, text: str) -> None:
        title = f"{result.name}: {self.say(result.verdict)}"
        print(f"::{kind} file={_escaped(path, True)},line={line},title={_escaped(title, True)}"
              f"::{_escaped(text)}")  # fmt: skip


def choose(as_json: bool, form: str, details: bool, lang: str | None) -> Output:
    """The output for the options of the command."""
    kind = JsonOutput if as_json else GithubOutput if form == "github" else TextOutput
    return kind(details, lang)


def _whose(result: Result) -> dict[str, object]:
    whose: dict[str, object] = {
        "function": result.name, "path": result.path, "line": result.line
    }  # fmt: skip
    return whose | ({"inputs_from": result.inputs} if result.inputs else {})


def _escaped(text: str, in_property: bool = False) -> str:
    """As GitHub's workflow commands want it."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if in_property else text
