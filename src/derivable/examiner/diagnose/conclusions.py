"""From everything that was seen to findings: one per mistake, the most telling first."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from derivable.examiner.checks.returned import EXAMPLE, Problem
from derivable.examiner.checks.values import GIVEN, Evaluation, Examined, Sample
from derivable.examiner.diagnose.evidence import Case, Fit
from derivable.examiner.diagnose.hypotheses import conclude
from derivable.examiner.diagnose.purpose import contract_to_declare
from derivable.examiner.finding import Finding, Message, Source, Worst
from derivable.examiner.targets.target import FunctionSubject, Inputs

ORDINARY = ("where.example", "where.again", "where.sizes", "where.untied", "where.tied")
OTHER_SIZES = ("where.sizes", "where.untied")
LONE = ("where.batch_of_one", "where.size_one", "where.pairs", "where.scalar")
ORDER = (
    "changed_after_saving", "count", "shape", "missing_sum", "dtype", "random", "state", "in_place",
    "ignores_grad_output", "not_linear", "values", "raises", "layout", "needs_input_grad", "sizes",
    "not_finite", "precision", "second_order", "jvp", "way",
)  # fmt: skip

# What follows from a mistake, and is not said beside it.
SHAKEN = ("not_linear", "ignores_grad_output", "layout", "needs_input_grad", "second_order", "way",
          "dtype", "precision", "values")  # fmt: skip
FOLLOWS = {
    "state": SHAKEN, "random": SHAKEN, "in_place": ("layout", "second_order", "way", "state"),
    "count": ("sizes", "needs_input_grad", "way", "layout"), "raises": ("sizes", "way", "layout"),
    "values": ("second_order", "way"), "not_linear": ("second_order", "way"),
    "ignores_grad_output": ("second_order", "way"), "changed_after_saving": ("second_order", "way"),
}  # fmt: skip


def conclusions(
    examined: Examined, inputs: Inputs, looks: Sequence[Evaluation], problems: Sequence[Problem]
) -> list[Finding]:
    """The findings, ordered from what explains most to what may follow from it."""
    source = source_of(examined)
    found: list[tuple[int, Finding]] = []
    told: set[tuple[str, int | None]] = set()
    crooked = {p.argument for p in problems if p.cause in ("not_linear", "ignores_grad_output")}
    unmeasured = any(p.cause in ("random",) for p in problems)
    values: dict[int, Finding] = {}
    at_large = {p.argument for p in problems if p.evidence[0].key == "evidence.direction"}
    raising = any(p.cause == "raises" and p.where == EXAMPLE for p in problems)
    for argument in examined.wanted:
        if argument in crooked or unmeasured:
            continue
        finding = _values(examined, argument, looks, problems, source)
        if finding is not None:
            if argument in at_large:  # too large to be looked at whole: the cause was found nearby
                near = Message("evidence.found_at", {"where": finding.where})
                finding = replace(finding, where=EXAMPLE, evidence=(*finding.evidence, near))
            values[argument] = finding
            place = "not_finite" if finding.cause == "not_finite" else "values"
            place = finding.cause if finding.cause in ORDER else place
            found.append((ORDER.index(place), finding))
    for problem in problems:
        finding = _problem(examined, inputs, problem, looks, source, values)
        if finding is None or (finding.cause, problem.argument) in told:
            continue
        if raising and problem.where != EXAMPLE:
            continue  # it raises already where it should run
        told.add((finding.cause, problem.argument))
        place = finding.cause if finding.cause in ORDER else "values"
        elsewhere = problem.where.key != "where.example"
        late = elsewhere and finding.cause in ("sizes", "dtype", "raises", "shape", "missing_sum")
        first = problem.cause == "raises" and not elsewhere
        found.append((len(ORDER) if late else 0 if first else ORDER.index(place), finding))
    if examined.coarse:  # the inputs were given in a smaller dtype, and its rounding is their own
        found = [
            (place, finding)
            for place, finding in found
            if not _of_the_inputs(examined, finding, looks)
        ]
    found.sort(key=lambda pair: pair[0])
    return _merged([finding for _, finding in found])


def _of_the_inputs(examined: Examined, finding: Finding, looks: Sequence[Evaluation]) -> bool:
    """Whether it is no more than the rounding of inputs given in float32."""
    if finding.cause != "precision" or finding.where != EXAMPLE:
        return finding.cause == "dtype" and finding.where == EXAMPLE
    if finding.worst is None:  # seen in how the gradients add up
        return finding.evidence[0].fields.get("dtype") not in ("float16", "bfloat16")
    samples = [s for look in looks for s in look.samples if s.where == EXAMPLE]
    return all(
        sample.off <= GIVEN
        for sample in samples
        if examined.name(sample.argument, sample.inputs) == finding.argument
    )


def _merged(findings: list[Finding]) -> list[Finding]:
    """Without what is said already: the same cause of the same argument, or follow-ups."""
    kept: list[Finding] = []
    for finding in findings:
        if any(f.cause == finding.cause and f.argument == finding.argument for f in kept):
            continue
        kind = finding.cause if finding.cause in ORDER else "values"
        before = {f.cause if f.cause in ORDER else "values" for f in kept}
        if any(kind in FOLLOWS.get(cause, ()) for cause in before):
            continue
        kept.append(finding)
    return kept


def _values(
    examined: Examined, argument: int, looks: Sequence[Evaluation], problems: Sequence[Problem],
    source: Source | None,
) -> Finding | None:  # fmt: skip
    """The finding for the values of one argument's gradient, if they are wrong anywhere."""
    samples = [s for look in looks for s in look.samples if s.argument == argument and s.count]
    if not samples:
        return None
    if examined.coarse:  # the rounding of the inputs says nothing beside what is really off
        samples = [s for s in samples if s.off > GIVEN] or samples
    ordinary = [s for s in samples if s.where.key in ORDINARY]
    wide = [s for s in samples if s.where.key in ("where.wide", "where.signed", "where.crooked",
                                                  "where.longer")]  # fmt: skip
    lone = [s for s in samples if s.where.key in LONE]
    case = Case(examined, argument, ordinary or lone or wide or samples, list(looks))
    if not ordinary:
        bare = not_finite(case.wrong) if not lone else None
        if bare is not None:
            return _finding(case, [bare], source)
    fits = conclude(case)
    if not any(bool(torch.isfinite(s.returned[s.wrong]).any()) for s in case.wrong):
        bare = not_finite(case.wrong)
        fits = [bare] if bare is not None else fits
    if ordinary and (not fits or fits[0].rank > 3.45):
        fits = [*_square_only(problems), *fits]
    if ordinary and _some_sizes_right(argument, ordinary, looks, fits[0].cause if fits else ""):
        fits = [Fit("sizes", 0, fits[0].evidence if fits else ()), *fits]
    if not fits:
        fits = probably(case)
    if not ordinary and lone:
        said = tuple(e for fit in fits[:1] for e in fit.evidence)
        rest = [f for f in fits if f.cause in ("factor", "missing_sum")]
        fits = [*[Fit("sizes", 0, said)], *rest]
    elif not fits and not any(s.where.key in ("where.example", "where.again") for s in ordinary):
        fits = [Fit("sizes", 9, ())] if ordinary else []
    return _finding(case, fits, source)


def _some_sizes_right(
    argument: int, wrong: Sequence[Sample], looks: Sequence[Evaluation], cause: str
) -> bool:
    """Whether it is right at the given sizes, and wrong at some others: not where a cause says why.

    That nothing is returned is said of all sizes only.
    """
    bad = {s.where.key for s in wrong}
    if bad & {"where.example", "where.again"}:
        return False
    seen = [s for k in looks for s in k.samples
            if s.argument == argument and s.where.key == "where.sizes"]  # fmt: skip
    tied = bad & {"where.untied", "where.tied"}
    return cause == "none" or (not tied and any(not s.count for s in seen))


def probably(case: Case) -> list[Fit]:
    """No cause fits exactly, but most of the derivative is there: a part of it is lost or wrong."""
    sample = case.first
    known = sample.sure
    measured, returned = sample.measured.value[known], sample.returned[known]
    size = float(measured.norm())
    if not size or not float(returned.norm()):
        return []
    missing = float((measured - returned).norm()) / size
    alike = float(measured @ returned) / (size * float(returned.norm()))
    if missing > 0.75 or alike < 0.7:
        return []
    said = Message("evidence.residual", {"size": f"{100 * missing:.3g}"})
    if missing < 0.05 and sample.where.key in ORDINARY:
        return [Fit("constant", 20, (said,)), Fit("missing_term", 21, (said,))]
    return [Fit("missing_term", 20, (said,))]


def _square_only(problems: Sequence[Problem]) -> list[Fit]:
    """A backward that raises as soon as equal sizes differ: a matrix that is not transposed."""
    text = " ".join(str(p.evidence[0].fields.get("text", "")) for p in problems
                    if p.cause == "raises" and p.where.key == "where.untied")  # fmt: skip
    clash = any(word in text for word in ("shapes cannot be multiplied", "must match", "mismatch",
                                          "Expected size", "einsum"))  # fmt: skip
    return [Fit("transposed", 3.45, (Message("evidence.square_only"),))] if clash else []


def not_finite(samples: Sequence[Sample]) -> Fit | None:
    """NaN or infinity was returned where a finite derivative was measured."""
    for sample in samples:
        bad = sample.wrong & ~torch.isfinite(sample.returned)
        lost = sample.wrong & (sample.returned == 0)
        if bool(bad.any()):
            fields = {"count": int(bad.sum()), "all": bad.numel()}
            return Fit("not_finite", 0, (Message("evidence.not_finite", fields),))
        if (
            sample.where.key == "where.large"
            and bool(lost.any())
            and not bool((sample.wrong & ~lost).any())
        ):
            return Fit(
                "not_finite", 0, (Message("evidence.underflow", {"count": int(lost.sum())}),)
            )
    return None


def _finding(case: Case, fits: Sequence[Fit], source: Source | None) -> Finding:
    sample = case.first
    total, wrong = int((sample.wrong | sample.sure).sum()), sample.count
    count = Message("evidence.count_wrong", {"count": wrong, "all": total})
    best = fits[0] if fits else Fit("unrecognised", 99, ())
    proposal = contract_to_declare(case)
    rivals = tuple(fit.cause for fit in fits[1:3] if fit.rank < best.rank + 2)
    return Finding(
        case.examined.subject.name, best.cause, case.name, sample.where,
        (*best.evidence, count, *proposal), worst_of(sample), rivals, source, tuple(sample.inputs),
    )  # fmt: skip


def worst_of(sample: Sample) -> Worst:
    """The wrong entry that is furthest off, relative to its own size."""
    off = (sample.returned - sample.measured.value).abs().nan_to_num(torch.inf, torch.inf)
    off = torch.where(sample.wrong, off, -1.0)
    place = int(off.argmax())
    row, column = divmod(place, sample.returned.shape[1])
    entry = column // 2 if sample.x.is_complex() else column
    shape = tuple(sample.x.shape)
    index = torch.unravel_index(torch.tensor(entry), shape) if shape else ()
    return Worst(
        tuple(int(i) for i in index),
        float(sample.returned[row, column]),
        float(sample.measured.value[row, column]),
        float(sample.measured.error[row, column]),
    )


def _problem(
    examined: Examined, inputs: Inputs, problem: Problem, looks: Sequence[Evaluation],
    source: Source | None, values: dict[int, Finding],
) -> Finding | None:  # fmt: skip
    """The finding for something that is no matter of values."""
    cause, evidence = problem.cause, problem.evidence
    elsewhere = problem.where.key in (*LONE, *OTHER_SIZES, "where.empty", "where.units")
    if problem.argument in values and (cause in ("shape", "unrecognised") or elsewhere):
        return None  # the values say more
    if elsewhere and cause == "raises" and values:
        return None
    if cause == "shape" and elsewhere and isinstance(problem.raw, Tensor):
        given = inputs[problem.argument] if problem.argument is not None else None
        if isinstance(given, Tensor) and 1 in given.shape and problem.raw.shape == given.shape:
            return None  # what is of size 1 by nature, such as an intercept, was made larger
    odd = problem.where.key not in ("where.example", "where.sizes", "where.untied")
    if cause == "shape" and problem.argument is not None and not odd:
        better = _reshaped(examined, problem, looks)
        if better is not None:
            cause, evidence = better.cause, (*better.evidence, *evidence)
    if elsewhere and cause in ("raises", "shape", "count", "dtype"):
        cause = "sizes"
    name = None
    if problem.argument is not None:
        name = examined.name(problem.argument, inputs)
    return Finding(
        examined.subject.name, cause, name, problem.where, evidence, problem.worst,
        source=problem.source or (source if problem.rule == "backward" else
                                  source_of(examined, problem.rule)),
        inputs=problem.inputs,
    )  # fmt: skip


def _reshaped(examined: Examined, problem: Problem, looks: Sequence[Evaluation]) -> Fit | None:
    """What a gradient of the wrong shape would have been: not summed, transposed, another's."""
    raw, argument = problem.raw, problem.argument
    look = next((one for one in looks if one.where is problem.where), None)
    if not isinstance(raw, Tensor) or look is None or argument is None:
        return None
    shape = tuple(look.inputs[argument].shape)
    if raw.ndim >= len(shape):
        try:
            raw.sum_to_size(shape)
        except RuntimeError:
            pass
        else:
            return Fit("missing_sum", 0, ())
    for i, other in enumerate(look.inputs):
        if i != argument and isinstance(other, Tensor) and other.shape == raw.shape:
            fields = {"name": examined.name(argument, look.inputs),
                      "other": examined.name(i, look.inputs)}  # fmt: skip
            return Fit("swapped", 0, (Message("evidence.shape_of", fields),))
    if raw.ndim == len(shape) and sorted(raw.shape) == sorted(shape):
        return Fit("transposed", 0, ())
    return None


def source_of(examined: Examined, name: str = "backward") -> Source | None:
    """The last `return` of the backward that is examined, or of another of its rules."""
    subject: Any = examined.subject
    if not isinstance(subject, FunctionSubject):
        return None
    rule = subject.backward if name == "backward" else getattr(subject.target, name, None)
    slope = subject.target.__dict__.get("slope")
    rule = slope.__func__ if isinstance(slope, staticmethod) and name == "backward" else rule
    if not callable(rule):
        return None
    rule = inspect.unwrap(rule)
    try:
        lines, start = inspect.getsourcelines(rule)
        path = inspect.getsourcefile(rule) or ""
        if getattr(rule, "__name__", "") == "<lambda>":
            return Source(path, start, lines[0].strip())
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):  # written in an interactive session
        return None
    returns = [node for node in ast.walk(tree) if isinstance(node, ast.Return)]
    if not returns:
        return None
    line = max(node.lineno for node in returns)
    return Source(path, start + line - 1, lines[line - 1].strip())
