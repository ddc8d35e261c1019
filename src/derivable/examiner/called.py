"""`examine`: examines every Function that a block of code or a decorated function calls."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from derivable.errors import InputError, WrongGradientError
from derivable.examiner.capture import by_hand
from derivable.examiner.capture.calls import Call, Calls
from derivable.examiner.capture.closures import with_shared
from derivable.examiner.capture.found import called, name_of
from derivable.examiner.capture.locations import is_the_users
from derivable.examiner.capture.recording import Recording
from derivable.examiner.capture.smaller import smaller
from derivable.examiner.check import check, check_along_directions
from derivable.examiner.checks.check import entries
from derivable.examiner.message import Message
from derivable.examiner.messages import error_of, say
from derivable.examiner.render import show
from derivable.examiner.report import Report
from derivable.examiner.settings import USUAL, Settings
from derivable.examiner.targets.adapters import adapter_of
from derivable.examiner.targets.target import Adapter, FunctionAdapter, copied, is_float

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST = 3  # kinds of calls at which one target is examined
WHOLE_CALLS, WHOLE_SECONDS = 400, 3.0  # for the inputs of a call as they were recorded


class examine(contextlib.ContextDecorator):  # noqa: N801 - called as a function is
    """Examines every Function that the code inside calls, at the inputs of these calls.

        with examine() as examined:
            train_step()
        print(examined.report())

        @examine()
        def train_step(): ...  # train_step.examined.report()

    installed  also Functions that installed packages define; by default only the user's own
    settings   those of `check`, as an object or by name: examine(level="lab")

    Inside, a few small copies of inputs are kept for each Function, each operator with a
    registered backward, and each class whose forward(ctx, ...) is called by hand. The examination
    runs when `reports` or `report()` is first used, so that the code inside runs unchanged.
    """

    def __init__(
        self, *, installed: bool = False, settings: Settings = USUAL, **options: Any
    ) -> None:
        self.installed, self.settings = installed, settings.changed(options)
        self.recording = Recording()
        self._reports: Reports | None = None

    def __enter__(self) -> examine:
        self._reports = None
        self.recording.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.recording.__exit__(*error)

    def _recreate_cm(self) -> examine:
        return self  # one object records all calls of a decorated function

    def __call__(self, function: Any) -> Any:
        """`function` with its calls of Functions recorded; its attribute `examined` is self."""
        decorated = super().__call__(function)
        decorated.examined = self
        return decorated

    @property
    def reports(self) -> Reports:
        """One Report for each called target, in the order of their definitions.

        `refused` has the error message, by name, of each target that could not be examined.
        """
        if self._reports is None:
            reports, refused = [], {}
            for one in called(self.recording):
                if one.calls is not None and (self.installed or is_the_users(one.target)):
                    try:
                        reports.append(examine_calls(one.calls, settings=self.settings))
                    except InputError as error:
                        refused[one.name] = str(error)
            self._reports = Reports(reports, refused)
        return self._reports

    def report(self) -> Reports:
        """The same as `reports`, to print them or to show them in a notebook."""
        return self.reports


class Reports(Sequence[Report]):
    """Reports on several targets, and one message for each target that could not be examined."""

    def __init__(self, reports: Sequence[Report], refused: dict[str, str]) -> None:
        self._reports, self.refused = tuple(reports), refused

    def __getitem__(self, position: Any) -> Any:
        return self._reports[position]

    def __len__(self) -> int:
        return len(self._reports)

    @property
    def verdict(self) -> Literal["right", "wrong", "inconclusive"]:
        """`wrong` if any is, else `right` if all are; `inconclusive` where there is none."""
        verdicts = {report.verdict for report in self}
        if "wrong" in verdicts:
            return "wrong"
        return "right" if verdicts == {"right"} and not self.refused else "inconclusive"

    @property
    def ok(self) -> bool:
        """Whether there is at least one report and all are right."""
        return self.verdict == "right"

    def __bool__(self) -> bool:
        return self.ok

    def raise_if_wrong(self) -> None:
        """Raise WrongGradientError with the text of every report that is wrong."""
        wrong = [str(report) for report in self if report.verdict == "wrong"]
        if wrong:
            raise WrongGradientError("\n\n".join(wrong))

    def _lines(self) -> list[show.Line]:
        if not self._reports and not self.refused:
            return [show.Line(say(Message("cli.nothing_called")))]
        lines: list[show.Line] = []
        for report in self._reports:
            whole = show.summary(report)
            lines += [whole[0]] if report.ok else [*whole, show.Line("")]
        refused = [f"{name}: {text}" for name, text in self.refused.items()]
        lines += [show.Line(text, 0, "bold magenta") for text in refused]
        return lines[:-1] if lines[-1].text == "" else lines

    def __str__(self) -> str:
        return show.plain(self._lines())

    __repr__ = __str__

    def __rich__(self) -> RenderableType:
        return show.coloured(self._lines())

    def _repr_html_(self) -> str:
        from derivable.examiner.render.notebook import parts

        statements = [f"{name}: {text}" for name, text in self.refused.items()]
        if not self._reports and not statements:
            statements = [str(self)]
        return parts.reports([report._repr_html_() for report in self._reports], statements)


def examine_calls(calls: Calls, *, target: Any = None, settings: Settings = USUAL) -> Report:
    """The report on a target at the inputs of its recorded calls, reduced where they are large.

    `target` replaces the recorded target, such as by a later definition of the same name. Raises
    InputError if no recorded call can be examined.
    """
    target = calls.target if target is None else target
    reports: list[Report] = []
    refused = error_of(InputError, "error.no_call_kept", name=name_of(target))
    before = torch.get_default_dtype()
    for call in chosen(calls):
        if len(reports) == MOST:
            break
        torch.set_default_dtype(call.dtype)
        try:
            reports.append(_examine(target, call, calls.wanted, settings))
        except InputError as error:
            refused = error
        finally:
            torch.set_default_dtype(before)
    if not reports:
        raise refused
    return dataclasses.replace(merged(reports), function=name_of(target))


def merged(reports: Sequence[Report]) -> Report:
    """One report that combines those on several calls of one target.

    If an argument is wrong at several calls, the findings of the first are kept: at special inputs
    the same mistake may have other symptoms.
    """
    if len(reports) == 1:
        return reports[0]
    known: set[str | None] = set()
    kept = []
    for report in reports:
        new = tuple(f for f in report.findings if f.argument not in known)
        known |= {finding.argument for finding in report.findings}
        kept.append(dataclasses.replace(report, findings=new))
    return Report.merged(kept)


def chosen(calls: Calls) -> list[Call]:
    """The calls at which a target is examined: of calls that differ in dtype only, the float64 one.

    Calls with infinite inputs are used only if there are no others.
    """
    different: dict[object, Call] = {}
    for call in calls:
        like = tuple(map(_but_for_dtype, (*call.inputs, *call.options.values())))
        other = different.get(like)
        if other is None or _double(call) > _double(other):
            different[like] = call
    kept = list(different.values())
    return [call for call in kept if call.finite] or kept


def _but_for_dtype(value: Any) -> object:
    """What is equal for two inputs that differ in values and in a floating-point dtype only."""
    if is_float(value):
        return value.ndim, value.layout
    return value.dtype if isinstance(value, Tensor) else repr(value)[:80]


def _double(call: Call) -> bool:
    return all(v.dtype.itemsize >= 8 for v in call.inputs if is_float(v))


def _examine(target: Any, call: Call, wanted: set[int], settings: Settings) -> Report:
    """The report at one call."""
    target, inputs, options = _runnable(target, call)
    adapter = adapter_of(target, options)
    if isinstance(adapter, FunctionAdapter):
        if call.context is None:  # `.apply`, recorded with every input, in forward's order
            inputs, options = _by_name(target, inputs)
        inputs, options = adapter.bind(inputs, options), {}
    whole = [_leaf(v) for v in inputs]
    inputs = smaller(adapter.value, whole)
    given = wanted | set(_returned(adapter, inputs))
    for i, value in enumerate(inputs):
        if is_float(value) and i in given:
            inputs[i] = (_varied(value) if i in wanted else value).requires_grad_()
    if isinstance(target, type):
        inputs, options = _by_name(target, inputs)
    with _without_vmap_warnings():
        report = check(target, *inputs, settings=settings, **options)
        if not report.ok or entries(whole) == entries(inputs):
            return report
        at_whole = _along_directions(target, adapter, whole, given, settings)
        return report if at_whole is None or at_whole.ok else at_whole


def _along_directions(
    target: Any, adapter: Adapter, inputs: list[Any], wanted: set[int], settings: Settings
) -> Report | None:
    """The report at the recorded inputs, along random directions; None if forward raises there.

    A mistake at some entries of a large tensor, such as padding, may be absent in a reduced one.
    """
    leaves = [copied(value, is_float(value) and i in wanted) for i, value in enumerate(inputs)]
    few = dataclasses.replace(
        settings, budget=WHOLE_CALLS, timeout=min(settings.timeout, WHOLE_SECONDS)
    )
    try:
        return check_along_directions(target, adapter, leaves, few)
    except Exception:  # forward ran at these inputs, but may not run in float64
        return None


@contextlib.contextmanager
def _without_vmap_warnings() -> Iterator[None]:
    """Inside, PyTorch does not warn at each call that an operator has no rule for vmap."""
    enable: Any = getattr(torch._C._functorch, "_set_vmap_fallback_warning_enabled")  # noqa: B009  # it has no type
    enable(False)
    try:
        yield
    finally:
        enable(True)  # PyTorch's default; there is no function that reads the setting


def _runnable(target: Any, call: Call) -> tuple[Any, list[Any], dict[str, Any]]:
    """A target that `check` can run, with its inputs and options.

    A class that is no Function, or whose forward needs attributes that PyTorch's ctx lacks, becomes
    a Function that runs it with a ctx like the recorded one. A target with inputs that are
    functions of other inputs becomes one that calls them with the examined values.
    """
    inputs, options = list(call.inputs), dict(call.options)
    if call.shared and call.context is None and isinstance(target, type) and not options:
        return with_shared(target, call.shared), inputs, options
    if call.context is None or not isinstance(target, type):
        return target, inputs, options
    if not by_hand.takes_self(target):  # an object may hold parameters
        with contextlib.suppress(Exception):
            adapter = adapter_of(target)
            assert isinstance(adapter, FunctionAdapter)
            adapter.value(adapter.bind(inputs, options))
            return target, inputs, options
    return by_hand.as_function(target, call.context), inputs, options


def _returned(adapter: Adapter, inputs: list[Any]) -> Iterator[int]:
    """The positions of inputs for which backward returns a gradient; none if it cannot be run."""
    floats = [i for i, v in enumerate(inputs) if is_float(v)]
    if not adapter.by_hand:
        return
    with contextlib.suppress(Exception):  # whatever the user's rules raise: `check` reports it
        run = adapter.run(inputs, floats)
        gradients = run.vjp([torch.ones_like(run.outputs[i]) for i in run.differentiable])
        yield from (i for i in floats if i < len(gradients) and gradients[i] is not None)


def _varied(x: Tensor) -> Tensor:
    """`x`; a constant tensor, such as ones, with each entry reduced by up to a third."""
    if x.numel() < 2 or x.is_complex() or x.layout is not torch.strided:
        return x
    if not bool((x == x.reshape(-1)[0]).all()):
        return x
    shares = torch.rand(x.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return (x * (1 - shares / 3)).to(x.dtype)


def _leaf(value: Any) -> Any:
    """`value`, detached if it is a tensor."""
    return value.detach() if isinstance(value, Tensor) else value


def _by_name(target: Any, inputs: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """Bound inputs as positional inputs and keywords, for forwards with keyword-only inputs."""
    rules = getattr(target, "_rules", None)
    if rules is None or not rules.signature.keyword_only:
        return inputs, {}
    names = list(rules.signature.names(len(inputs)))
    pairs = list(zip(names, inputs, strict=True))
    keywords = set(rules.signature.keyword_only)
    return [v for n, v in pairs if n not in keywords], {n: v for n, v in pairs if n in keywords}
