"""One examination: every check, collecting; then the conclusions."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from derivable.errors import InputError
from derivable.examiner.checks import large, orders
from derivable.examiner.checks.calls import cotangent, hygiene
from derivable.examiner.checks.edges import edges
from derivable.examiner.checks.linearity import layout, linearity, subsets, unused
from derivable.examiner.checks.returned import (
    EXAMPLE,
    Problem,
    contract,
    fit,
    nothing,
    raised,
    short,
)
from derivable.examiner.checks.units import units
from derivable.examiner.checks.values import (
    GROSS,
    MOST_COLUMNS,
    STRICT,
    WIDE,
    Evaluation,
    Examined,
    Sample,
)
from derivable.examiner.checks.ways import ways
from derivable.examiner.checks.zeros import counted_at_zero
from derivable.examiner.diagnose.conclusions import conclusions
from derivable.examiner.finding import Finding, Message
from derivable.examiner.inputs.meant import Meant
from derivable.examiner.inputs.probes import Probes, describe
from derivable.examiner.measure.derivatives import EPS
from derivable.examiner.measure.space import joined, unreal
from derivable.examiner.report import Gradient, Report, Verdict
from derivable.examiner.targets.target import Inputs, Subject, is_float
from derivable.function.gradients import as_tuple

SIZES, UNTIED = 2, 3  # how many inputs of other sizes are looked at
SLOW = 4.0  # seconds for one Jacobian, forward by forward, from which the ladder is cut short


class Examination:
    """The state of one examination: its looks, problems and notes so far."""

    def __init__(
        self, subject: Subject, inputs: Inputs, *, surrogate: str | None, reference: Any,
        compile: bool, seed: int,
    ) -> None:  # fmt: skip
        self.subject, self.seed, self.compile = subject, seed, compile
        self.surrogate = surrogate
        self.given = list(inputs)
        wanted = [i for i, v in enumerate(inputs) if is_float(v) and v.requires_grad]
        wanted = wanted or [i for i, v in enumerate(inputs) if is_float(v)]
        self.examined = Examined(subject, wanted, values=surrogate is None)
        self.examined.reference = reference
        self.examined.coarse = all(torch.finfo(inputs[i].dtype).eps > EPS for i in wanted)
        self.inputs = [v.detach() if isinstance(v, Tensor) else v for v in inputs]
        self.meant = Meant(subject, self.inputs)
        self.probes = Probes(self.inputs, wanted, seed, len(inputs) - len(subject.parameters))
        self.slow = False
        self.looks: list[Evaluation] = []
        self.problems: list[Problem] = []
        self.notes: list[Message] = []
        self.rungs: dict[str, int] = {}

    def report(self) -> Report:
        """Climb the ladder and conclude."""
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the user's code warns at its own calls
            self._prepare()
            self._climb()
        findings = conclusions(self.examined, self.inputs, self.looks, self.problems)
        return Report(
            function=self.subject.name,
            verdict=self._verdict(findings),
            findings=tuple(findings),
            notes=tuple(self.notes),
            rungs=dict(self.rungs),
            inputs=self._described(),
            gradients=self._gradients(),
            seed=self.seed,
            seconds=time.perf_counter() - start,
            example=tuple(self.given),
            target=self.subject.target,
        )

    def _prepare(self) -> None:
        """Take the inputs to float64; raise a sentence if forward refuses the given ones."""
        if not self.examined.wanted:
            raise InputError(
                f"{self.subject.name}: none of the inputs is a floating-point tensor, so there is "
                "no gradient to examine; give at least one, for example torch.randn(4, 3)"
            )
        try:
            self.subject.value(self.inputs)
        except Exception as error:  # whatever the user's forward raises
            raise InputError(
                f"{self.subject.name}.forward raises {type(error).__name__} at the given inputs: "
                f"{' '.join(str(error).split())[:200]}; give inputs at which it runs"
            ) from error
        exact = orders.cast(self.inputs, torch.float64)
        try:
            self._once(exact)
        except Exception:  # numbers of a fixed dtype inside, unless it raises anyway
            self._own_dtype(exact)
        else:
            self._take(exact)
        if self.examined.reference is not None:
            self._compare_reference()
        start = time.perf_counter()
        self.subject.value(self.inputs)
        entries = sum(self.inputs[i].numel() for i in self.examined.wanted)
        self.slow = (time.perf_counter() - start) * 8 * min(entries, MOST_COLUMNS) > SLOW
        if self.surrogate is not None:
            self.notes.append(Message("note.surrogate", {"why": self.surrogate}))

    def _compare_reference(self) -> None:
        """Raise a sentence if the reference is not the same function at the given inputs."""
        try:
            outputs = as_tuple(self.examined.reference(*self.inputs))
            theirs = joined([o for o in outputs if is_float(o)])
        except Exception as error:
            raise InputError(
                f"the reference raises {type(error).__name__} at the inputs of "
                f"{self.subject.name}: "
                f"{' '.join(str(error).split())[:160]}; it must take the same inputs"
            ) from error
        ours = joined([o for o in self.subject.value(self.inputs) if is_float(o)])
        if ours.shape != theirs.shape or not torch.allclose(
            ours, theirs, rtol=1e-6, atol=1e-9, equal_nan=True
        ):
            raise InputError(
                f"the reference computes something else than {self.subject.name}.forward at the "
                "given inputs; give the same function in plain PyTorch"
            )

    def _once(self, inputs: list[Any]) -> None:
        """One forward and one backward, which raise what they raise."""
        run = self.examined.run(inputs)
        if run.smooth:
            self.examined.pull(run, inputs, cotangent(run))

    def _take(self, inputs: list[Any]) -> None:
        self.inputs = self.probes.inputs = inputs
        self.meant = Meant(self.subject, inputs)
        floats = [v for v in inputs if is_float(v)]
        self.examined.eps = max([EPS, *(float(torch.finfo(v.dtype).eps) for v in floats)])

    def _own_dtype(self, exact: list[Any]) -> None:
        """Stay with the dtype of the given inputs, if it is only there that it runs."""
        given = self.inputs
        try:
            self._once(given)
        except Exception:  # it raises anyway, and the ladder will say so
            self._take(exact)
            try:
                self.subject.value(exact)
            except Exception:  # forward runs in its own dtype only
                self._take(given)
            return
        self._take(given)
        if self.examined.eps > EPS:
            self.notes.append(Message("note.own_dtype"))

    def _climb(self) -> None:
        """Every check."""
        self._rung("calls", lambda: hygiene(self.examined, self.inputs, self.probes.again()))
        if any(p.cause == "random" and p.argument is None for p in self.problems):
            return  # there is no one function to differentiate
        base = self._look(self.inputs, EXAMPLE, "values")
        if base is not None and not base.whole:
            self._rung("directions", lambda: large.directions(self.examined, self.inputs))
        broken = {p.cause for p in self.problems} & {"count", "raises"}
        self._other_places()
        if broken or self.subject.value_only:
            return
        self._rung("special values", lambda: counted_at_zero(self.examined, self.inputs))
        if self.surrogate is None:  # a clipped gradient is not linear, on purpose
            self._rung("linearity", lambda: linearity(self.examined, self.inputs))
        if self.examined.eps == EPS and not self.problems:
            self._rung("units", lambda: units(self.examined, self.inputs))
        self._rung("layout", lambda: layout(self.examined, self.inputs))
        self._rung("unused outputs", lambda: unused(self.examined, self.inputs))
        self._rung("subsets", lambda: subsets(self.examined, self.inputs))
        handy = self.inputs if base is None or base.whole else self._small()
        self._rung("second order", lambda: self._second_order(handy))
        extremes = [look for look in self.looks if look.where.key == "where.large"]
        base = next((look for look in self.looks if look.whole and look.samples), None)
        if base is not None and self.examined.eps == EPS:
            self._rung("float32", lambda: orders.float32(self.examined, base, extremes))
            self._rung("half precision", lambda: orders.half(self.examined, base))
        self._rung("ways to run", lambda: ways(self.examined, self.inputs, self.compile))

    def _rung(self, name: str, rung: Callable[[], list[Problem]]) -> None:
        before = self.examined.comparisons
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the user's code was heard at the first call
            try:
                self.problems += rung()
            except Exception as error:  # the user's backward, in a situation that it refuses
                fields = {"rung": name, "text": raised(error)}
                self.notes.append(Message("note.rung_stopped", fields))
        self.rungs[name] = self.rungs.get(name, 0) + self.examined.comparisons - before

    def _second_order(self, inputs: list[Any]) -> list[Problem]:
        problems, notes = orders.second_order(self.examined, inputs)
        self.notes += notes
        return problems

    def _look(
        self, inputs: Inputs, where: Message, rung: str, tolerance: float = STRICT
    ) -> Evaluation | None:
        """Evaluation at one place and keep what was seen; None if forward does not go there."""
        before = self.examined.comparisons
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if rung == "sizes" and not self.meant.for_sizes(inputs):
                    return None
                look = self.examined.look(inputs, where, tolerance)
        except Exception:  # forward refuses these inputs, which it may
            look = None
        self.rungs[rung] = self.rungs.get(rung, 0) + self.examined.comparisons - before
        if look is None:
            return None
        unheard = ("values", "special values", *(("sizes",) if self.subject.value_only else ()))
        for problem in look.problems:
            problem.where, problem.inputs = where, () if where is EXAMPLE else inputs
            if problem.cause == "raises" and self._odd(problem, where):
                lone = where.key == "where.batch_of_one"  # but it is no batch
                fields = {
                    "where": Message("where.size_one", where.fields) if lone else where,
                    "text": problem.evidence[0],
                }
                self.notes.append(Message("note.raises", fields))
            elif where is EXAMPLE or rung not in unheard:
                self.problems.append(problem)
        self.looks.append(look)
        self.examined.known |= {sample.argument for sample in look.wrong}
        return look

    def _odd(self, problem: Problem, where: Message) -> bool:
        """Whether backward may raise there: a place that nobody asked for and few will meet."""
        singular = "LinAlgError" in str(problem.evidence[0].fields.get("kind"))
        if where.key == "where.batch_of_one" and not singular:
            return not self.meant.a_batch(where.fields["size"])
        odd = ("where.scalar", "where.size_one", "where.pairs")
        return where.key in odd or (singular and where is not EXAMPLE)

    def _other_places(self) -> None:
        names = self.subject.names(len(self.inputs))
        example = Message("where.again")
        self._look(self.probes.again(), example, "values")
        if not self.subject.value_only or any(look.wrong for look in self.looks):
            self._some(self.probes.other_sizes(), SIZES, "where.sizes", names)
            self._some(self.probes.untied(), UNTIED, "where.untied", names)
        if self.slow:
            self.notes.append(Message("note.slow"))
            return
        if not self.subject.value_only:  # theta has the sizes of data that is not seen here
            self._special_sizes()
        for inputs, where in self.probes.wide():
            self._look(inputs, self._spoken(where, names), "values at large", WIDE)
            if self.examined.unfinished:
                self.notes.append(Message("note.unfinished"))
                break
        for inputs, where in (*self.probes.signed(), *self.probes.crooked()):
            self._look(inputs, self._spoken(where, names), "values at large", WIDE)
        positive = self.probes.positive
        self.probes.crossing = {i for i in positive if self.meant.through_zero(i)}
        for inputs, where in self.probes.at(self._small()).extreme():
            self._look(inputs, self._spoken(where, names), "special values", GROSS)
        if self.examined.eps == EPS and self.surrogate is None:
            self._rung("edges", self._edges)

    def _edges(self) -> list[Problem]:
        problems, notes = edges(self.examined, self._small())
        self.notes += notes
        return problems

    def _special_sizes(self) -> None:
        """All sizes equal, each size 1, all sizes 2, no dimensions, an empty batch."""
        for inputs in self.probes.tied():
            self._look(inputs, Message("where.tied"), "sizes")
        for inputs, where in self.probes.lone():
            self._look(inputs, where, "sizes")
        for inputs in self.probes.scalar():
            self._look(inputs, Message("where.scalar"), "sizes")
        for inputs, batch in self.probes.empty():
            self._empty(inputs, batch)

    def _small(self) -> list[Any]:
        """The smallest inputs that were looked at: special values need no others."""
        ordinary = ("where.example", "where.sizes")
        sized = [k.inputs for k in self.looks if k.where.key in ordinary and k.samples]
        return min(sized, key=_entries, default=self.inputs)

    def _spoken(self, where: Message, names: Sequence[str]) -> Message:
        fields = dict(where.fields)
        if "argument" in fields:
            fields["argument"] = names[fields["argument"]]
        return Message(where.key, fields)

    def _some(
        self,
        candidates: Iterator[tuple[set[int], list[Any]]],
        count: int,
        key: str,
        names: Sequence[str],
    ) -> None:
        """Evaluation at the first `count` of the candidates that forward accepts.

        And at further ones in which a size is another one that was the same in all of these.
        """
        seen: set[str] = set()
        varied: set[int] = set()
        for sizes, inputs in candidates:
            shapes = describe(inputs, names)
            if shapes in seen or (len(seen) >= count and sizes <= varied):
                continue
            look = self._look(inputs, Message(key, {"shapes": shapes}), "sizes")
            if look is not None and (look.whole or look.problems):
                seen.add(shapes)
                varied |= sizes

    def _empty(self, inputs: list[Any], batch: int) -> None:
        """Backward runs for an empty batch, and returns gradients of the right shape.

        It counts only where the rows are examples of a batch, each for itself.
        """
        where = Message("where.empty")
        try:
            run = self.examined.run(inputs)
            finite = all(bool(torch.isfinite(run.outputs[i]).all()) for i in run.smooth)
        except Exception:  # forward refuses an empty batch, which it may
            return
        meant = finite and bool(run.smooth) and self.meant.for_empty(run, batch)
        if not meant or not self.meant.rowwise(batch):
            return
        try:
            found = contract(self.examined, self.examined.pull(run, inputs, cotangent(run)), inputs)
        except Exception as error:  # such as torch.stack of the gradients of no rows
            self.notes.append(Message("note.raises", {"where": where, "text": raised(error)}))
            return
        # Nothing in another shape is nothing; PyTorch's own pixel_unshuffle returns such.
        found = [p for p in found if p.cause != "shape" or not nothing(p, inputs)]
        for problem in found:
            problem.where, problem.inputs = where, inputs
        self.rungs["sizes"] = self.rungs.get("sizes", 0) + 1
        self.problems += found

    def _verdict(self, findings: Sequence[Finding]) -> Verdict:
        if findings:
            return "wrong"
        whole = [look for look in self.looks if look.whole and look.samples]
        if self.surrogate is not None:
            return "right"
        if not whole and self.rungs.get("directions"):
            return "right"
        if not whole:
            self.notes.append(Message("note.nothing_measured"))
            return "inconclusive"
        for sample in whole[0].samples:
            share = float(sample.unsettled.double().mean()) if sample.unsettled.numel() else 0.0
            if share > 0.5:
                name = self.examined.name(sample.argument, self.inputs)
                fields = {"name": name, "share": f"{share:.0%}"}
                self.notes.append(Message("note.unsettled", fields))
                return "inconclusive"
        self._say_what_was_not_compared(whole[0].samples)
        return "right"

    def _say_what_was_not_compared(self, samples: Sequence[Sample]) -> None:
        """Entries at kinks, without a derivative, or too hard to measure, at the given inputs."""
        nowhere = sum(int(s.measured.nowhere.sum()) for s in samples)
        kinks = sum(int(s.measured.kinks.sum()) for s in samples) - nowhere
        unknown = sum(int((s.unsettled & ~s.measured.nowhere).sum()) for s in samples)
        everything = sum(s.unsettled.numel() for s in samples)
        for key, count in (("kinks", kinks), ("nowhere", nowhere), ("unmeasured", unknown)):
            if count:
                self.notes.append(Message(f"note.{key}", {"count": count, "all": everything}))

    def _described(self) -> dict[str, str]:
        names = self.subject.names(len(self.given))
        return {
            name: f"{short(v.dtype)} {tuple(v.shape)}" if isinstance(v, Tensor) else repr(v)[:40]
            for name, v in zip(names, self.given, strict=False)
        }

    def _gradients(self) -> dict[str, Gradient]:
        """One vector-Jacobian product per argument at the given inputs, for pictures."""
        found: dict[str, Gradient] = {}
        for look in self.looks[:1]:
            try:
                run = self.examined.run(look.inputs)
                u = cotangent(run)
                pulled = self.examined.pull(run, look.inputs, u)
            except Exception:  # said already
                return {}
            for sample in look.samples:
                like = sample.x.to(torch.complex128 if sample.x.is_complex() else torch.float64)
                name = self.examined.name(sample.argument, self.inputs)
                found[name] = Gradient(
                    fit(pulled, sample.argument, sample.x),
                    unreal(u @ sample.measured.value, like),
                    unreal(u.abs() @ sample.measured.error.nan_to_num(0.0, 0.0), like).abs(),
                )
        return found


def _entries(inputs: Inputs) -> int:
    return sum(v.numel() for v in inputs if isinstance(v, Tensor))
