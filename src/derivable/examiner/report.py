"""`Report`: what one examination found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from torch import Tensor

from derivable.errors import WrongGradientError
from derivable.examiner.finding import Finding, Section, Verdict
from derivable.examiner.message import Message
from derivable.examiner.render import as_json, notebook, show
from derivable.examiner.settings import Settings

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Gradient:
    """One argument's gradient at the given inputs, for one random grad_output.

    Each of the argument's shape, in float64 (complex128).
    """

    returned: Tensor | None
    measured: Tensor
    error: Tensor  # of the measurement; absolute


@dataclass(frozen=True, repr=False)
class Report:
    """The verdict on one Function, with every finding and what was checked.

    print(report) shows it in at most a dozen lines, in the language of DERIVABLE_LANG; rich shows
    the same in colours, and a notebook adds a map of where the gradients are off.
    """

    function: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    notes: tuple[Message, ...]  # what is worth knowing and no mistake
    sections: Mapping[Section, Verdict]
    checks: Mapping[str, int]  # check -> number of comparisons made
    inputs: Mapping[str, str]  # argument -> "float64 (13, 5)", or the value of what is no tensor
    gradients: Mapping[str, Gradient] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    seconds: float = 0.0
    calls: int = 0  # of forward and backward; many forwards in one batch count as a few
    example: Sequence[Any] = ()  # the inputs themselves, for the reproduction
    target: Any = None

    @classmethod
    def merged(cls, reports: Sequence[Report]) -> Report:
        """One report on several examples of one target: every finding once."""
        findings: dict[tuple[str, str | None], Finding] = {}
        notes: dict[str, Message] = {}
        checks: dict[str, int] = {}
        for report in reports:
            for finding in report.findings:
                findings.setdefault((finding.cause, finding.argument), finding)
            notes |= {note.key: note for note in report.notes if note.key not in notes}
            for check, count in report.checks.items():
                checks[check] = checks.get(check, 0) + count
        verdict = _worst(report.verdict for report in reports)
        shown = next((r for r in reports if r.verdict is verdict), reports[0])
        return replace(
            shown, findings=tuple(findings.values()), notes=tuple(notes.values()), checks=checks,
            sections={s: _worst(r.sections[s] for r in reports) for s in shown.sections},
            seconds=sum(report.seconds for report in reports),
            calls=sum(report.calls for report in reports),
        )  # fmt: skip

    @property
    def ok(self) -> bool:
        """Whether nothing wrong was found; an inconclusive report is not ok."""
        return self.verdict is Verdict.RIGHT

    @property
    def wrong_sections(self) -> tuple[Section, ...]:
        """The sections with errors."""
        return tuple(s for s, verdict in self.sections.items() if verdict is Verdict.WRONG)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        return show.plain(show.summary(self))

    __repr__ = __str__  # what an interactive session and `assert report` show

    def __rich__(self) -> RenderableType:
        return show.coloured(show.summary(self))

    def _repr_html_(self) -> str:
        return notebook.to_html(self)

    def details(self, lang: str | None = None) -> str:
        """The full report as text: findings with a reproduction each, notes, inputs, seed."""
        return show.plain(show.details(self, lang))

    def to_json(self, arrays: bool = False) -> str:
        """One JSON document; `arrays` adds the returned and measured gradients."""
        return as_json.to_json(self, arrays)

    def raise_if_wrong(self) -> None:
        """Raise WrongGradientError, with the text of print(report), if something is wrong.

        An inconclusive report shows nothing wrong and passes; `assert report` is the strict way.
        """
        if self.verdict is Verdict.WRONG:
            raise WrongGradientError(str(self))


def _worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The one that matters most among several."""
    order = (Verdict.WRONG, Verdict.INCONCLUSIVE, Verdict.RIGHT, Verdict.NOT_APPLICABLE)
    return min(verdicts, key=order.index)
