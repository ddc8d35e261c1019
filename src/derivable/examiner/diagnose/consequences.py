"""`ordered`: sorts findings, and removes those that are consequences of another one."""

from __future__ import annotations

from collections.abc import Sequence

from derivable.examiner.finding import Finding
from derivable.examiner.points import Kind, kind

VALUES = "values"  # the class of all causes of wrong values

ORDER = (
    "forward", "changed_after_saving", "count", "in_place", "shape", "keepdim", "missing_sum",
    "dtype", "random", "state", "ignores_grad_output", "not_linear", VALUES, "raises", "layout",
    "needs_input_grad", "sizes", "not_finite", "precision", "second_order", "jvp", "way",
)  # fmt: skip

SHAKEN = ("not_linear", "ignores_grad_output", "layout", "needs_input_grad", "second_order", "way",
          "dtype", "precision", VALUES)  # fmt: skip
FOLLOWS: dict[str, tuple[str, ...]] = {
    "state": SHAKEN, "random": SHAKEN,
    "in_place": ("layout", "second_order", "way", "state", "precision"),
    "count": ("sizes", "needs_input_grad", "way", "layout"),
    "shape": ("sizes", "way"), "keepdim": ("sizes", "way"), "missing_sum": ("sizes", "way"),
    "raises": (VALUES, "sizes", "way", "layout"),
    VALUES: ("second_order", "way"),
    "not_linear": ("second_order", "way"),
    "ignores_grad_output": ("second_order", "way"),
    "changed_after_saving": ("second_order", "way"),
}  # fmt: skip

# Where they are no matter of values, these come last if they show at other inputs only.
LATE = ("sizes", "dtype", "raises", "shape", "keepdim", "missing_sum")


def class_of(cause: str) -> str:
    """The cause by which a finding is ordered: VALUES for all that are a matter of values."""
    return cause if cause in ORDER else VALUES


def ordered(findings: Sequence[Finding]) -> list[Finding]:
    """The findings that explain most first, without their consequences and repetitions."""
    kept: list[Finding] = []
    for finding in sorted(findings, key=_place):
        if any(f.cause == finding.cause and f.argument == finding.argument for f in kept):
            continue
        if not any(class_of(finding.cause) in _consequences(f, finding) for f in kept):
            kept.append(finding)
    return kept


def _place(finding: Finding) -> int:
    """The sort key of a finding; an error at the given inputs comes first."""
    elsewhere = kind(finding) is not Kind.EXAMPLE
    if finding.cause == "raises" and not elsewhere:
        return -1
    if finding.cause in LATE and elsewhere and finding.worst is None:
        return len(ORDER)
    return ORDER.index(class_of(finding.cause))


def _consequences(first: Finding, later: Finding) -> tuple[str, ...]:
    """The findings that are consequences of `first`."""
    own = first.cause in ("shape", "keepdim", "missing_sum")
    if own and later.argument not in (first.argument, None):
        return ()
    return FOLLOWS.get(class_of(first.cause), ())
