"""`Adapter`: one interface to run any target: a Function, a callable, a value with gradient.

A Function is run by hand, so that what its backward returns is compared before autograd sums,
casts or drops any of it. `callables.py` has the adapter of a callable, which autograd runs.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from derivable.errors import InputError
from derivable.examiner.measure.budget import Budget
from derivable.examiner.measure.space import size, unreal
from derivable.examiner.messages import error_of
from derivable.examiner.targets.applying import forwards_alone
from derivable.examiner.targets.placement import Placed, Placement
from derivable.examiner.targets.random_state import seeded
from derivable.examiner.targets.recorder import Recorder
from derivable.function.gradients import as_tuple

Inputs = Sequence[Any]
SEED = 20_260


class Form(Protocol):
    """A conversion of an argument before forward, such as from values to a sparse tensor.

    Derivatives are measured and compared for x, a strided tensor; `given` is differentiable, and
    `twice` states whether it is twice differentiable.
    """

    @property
    def twice(self) -> bool:
        """Whether autograd follows `given` into the second derivative."""

    def given(self, x: Tensor) -> Tensor:
        """What forward receives for `x`."""

    def back(self, x: Tensor, gradient: Tensor) -> Tensor:
        """The gradient for `x`, from that for what forward received."""


class Run:
    """One forward, and any number of backwards through it.

    `outputs` are what forward returned, and `differentiable` the positions of those that have a
    gradient. This base class itself is used where only outputs are needed, as for second order.
    """

    forms: Mapping[int, Form] = {}  # of the arguments that forward received in another form
    given: Inputs = ()  # the inputs before they were brought into these forms

    def __init__(
        self, outputs: tuple[Any, ...], differentiable: Sequence[int], inputs: Inputs
    ) -> None:
        self.outputs = outputs
        self.differentiable = list(differentiable)
        self.inputs = inputs  # the copies that forward was given

    def vjp(self, grad_outputs: Sequence[Tensor | None]) -> tuple[Any, ...]:
        """What backward returns for one `grad_output` per differentiable output.

        Unchanged, except that the gradient of an argument with a form is that of its given value.
        """
        returned = list(self._vjp(grad_outputs))
        for i, form in self.forms.items():
            if i < len(returned) and isinstance(returned[i], Tensor):
                returned[i] = form.back(self.given[i], returned[i])
        return tuple(returned)

    def _vjp(self, grad_outputs: Sequence[Tensor | None]) -> tuple[Any, ...]:
        raise NotImplementedError("a run of outputs alone has no backward")

    def spread(self, grad_outputs: Sequence[Tensor | None]) -> list[Tensor | None]:
        """One `grad_output` per output: None where an output has none."""
        given = iter(grad_outputs)
        return [next(given) if i in self.differentiable else None for i in range(len(self.outputs))]


class Adapter:
    """A target behind one interface: its name, the names of its inputs, and how to run it once.

    random        whether forward draws random numbers: then every run starts from the same seed,
                  so that there is one function to differentiate
    batchable     whether forward keeps no state, which vmap would fill with its own tensors
    require_grad  positions of inputs that require grad even where only values are needed, because
                  forward depends on whether they do
    forms         conversions of arguments before forward, by position
    placement     where the arguments lie when the target runs; everything here is on the CPU
    """

    work = 0.0  # a lower bound for the operations of one call, where PyTorch cannot count them
    by_hand = False  # whether backward is called directly, without autograd
    value_only = False  # whether the target is a value with a gradient, and has no backward
    parameters: Mapping[str, Tensor] = {}  # of a module; they follow its inputs

    def __init__(self, name: str, target: Any) -> None:
        self.name = name
        self.target = target
        self.random = False
        self.batchable = False  # whether many forwards may run at once under vmap
        self.budget = Budget()
        self.require_grad: tuple[int, ...] = ()
        self.forms: dict[int, Form] = {}
        self.placement = Placement()
        self.surrogate_of: Callable[..., Any] | None = None  # whose derivative backward is to be

    @property
    def rule(self) -> Any:
        """The function in which the author's backward is written; None if there is none."""
        return None

    def names(self, count: int) -> list[str]:
        """The names of `count` inputs."""
        raise NotImplementedError(f"{self.name} is measured alone, and its inputs are never named")

    def run(self, inputs: Inputs, wanted: Sequence[int]) -> Run:
        """One forward on copies of `inputs`, those at `wanted` requiring grad."""
        handed = self.given(inputs)
        with seeded(SEED) if self.random else contextlib.nullcontext():
            copies = [copied(value, i in wanted) for i, value in enumerate(handed)]
            return self._brought_back(self._run(copies, wanted), inputs)

    def run_on(self, inputs: Inputs, wanted: Sequence[int]) -> Run:
        """One forward on the given tensors themselves, without copies."""
        return self._brought_back(self._run(self.given(inputs), wanted), inputs)

    def _brought_back(self, run: Run, inputs: Inputs) -> Run:
        run.forms, run.given = self.forms, inputs
        return run

    def given(self, inputs: Inputs) -> list[Any]:
        """What forward receives for `inputs`."""
        return [
            self.forms[i].given(value) if i in self.forms else value
            for i, value in enumerate(inputs)
        ]

    def outputs(self, inputs: Inputs) -> tuple[Any, ...]:
        """The outputs of forward alone."""
        return self.run(inputs, self.require_grad).outputs

    def value(self, inputs: Inputs) -> tuple[Any, ...]:
        """What is measured: forward's outputs, or those of `surrogate_of`."""
        if self.surrogate_of is None:
            return self.outputs(inputs)
        with torch.no_grad():
            placed = self.placement.there(self.given(inputs))
            return as_tuple(self.placement.here(self.surrogate_of(*placed)))

    def values_at(
        self, inputs: Inputs, arguments: Sequence[int], points: Tensor
    ) -> tuple[Tensor, ...]:
        """What is measured with the entries of `arguments` at each of `points` (p, n): (p, ...).

        One call under vmap; raises what forward raises under vmap.
        """

        def values(point: Tensor) -> tuple[Any, ...]:
            placed = self.value(with_entries(inputs, arguments, point))
            return tuple(v for v in placed if isinstance(v, Tensor))

        with forwards_alone():
            found: tuple[Tensor, ...] = torch.func.vmap(values)(points)
        return found

    def recorded(self, inputs: Inputs) -> Any:
        """The outputs as autograd records them."""
        with seeded(SEED) if self.random else contextlib.nullcontext():
            return self._on_device(self.given(inputs))

    def _on_device(self, inputs: Inputs) -> Any:
        placed = self.placement.there(inputs)
        return self.placement.here(self._recorded(placed))

    def _recorded(self, inputs: Inputs) -> Any:
        raise NotImplementedError(f"{self.name} has a value alone, which nothing records")

    def _run(self, inputs: list[Any], wanted: Sequence[int]) -> Run:
        raise NotImplementedError(f"{self.name} has a `run` of its own")


class FunctionRun(Run):
    """A forward by hand, with its ctx.

    `placed` are inputs and outputs where forward had them, whose memory saved tensors may share.
    """

    def __init__(
        self,
        backward: Callable[..., Any],
        ctx: Recorder,
        call: Placed,
        placement: Placement,
    ) -> None:
        outputs = as_tuple(call.returned)
        self.placed = (*call.placed, *outputs)
        self._placement, self._of_outputs = placement, Placement.of(outputs)
        ctx._dirty = tuple(map(call.given_for, ctx._dirty))
        hidden = ctx._non_differentiable
        differentiable = [
            i
            for i, output in enumerate(outputs)
            if is_float(output) and not any(output is other for other in hidden)
        ]
        super().__init__(placement.here(outputs), differentiable, call.given)
        self.ctx, self._backward = ctx, backward

    def _vjp(self, grad_outputs: Sequence[Tensor | None]) -> tuple[Any, ...]:
        return self.vjp_of_all(self.spread(grad_outputs))

    def vjp_of_all(self, grads: Sequence[Tensor | None]) -> tuple[Any, ...]:
        """What backward returns for one `grad_output` per output, also not differentiable ones."""
        if self.ctx._materialize:
            grads = [
                torch.zeros_like(output) if grad is None and isinstance(output, Tensor) else grad
                for grad, output in zip(grads, self.outputs, strict=True)
            ]
        with torch.no_grad():
            call = self._of_outputs.called(lambda grads: self._backward(self.ctx, *grads), grads)
        found = as_tuple(call.returned)
        self._placement.check_gradients(found)
        returned: tuple[Any, ...] = self._placement.here(found)
        return returned


class FunctionAdapter(Adapter):
    """The adapter of a torch.autograd.Function, derivable's or PyTorch's, in either style."""

    by_hand = True
    recordable = True  # whether autograd runs it too

    def __init__(self, function: type[torch.autograd.Function]) -> None:
        super().__init__(function.__name__, function)
        rules = getattr(function, "_rules", None)
        self.ours = rules is not None
        self.forward = rules.forward if rules else function.forward
        self.backward = rules.backward if rules else function.backward
        if self.backward is torch.autograd.Function.backward:
            self.backward = function.vjp  # the other name that PyTorch allows
        self.setup_context = function.setup_context
        split = self.setup_context is not torch.autograd.Function.setup_context
        self.split = split and not self.ours
        self.signature = rules.signature if rules else None
        self.protect = False  # an experiment, see Recorder

    @property
    def rule(self) -> Any:
        """The author's backward; the slope of an Elementwise."""
        slope = self.target.__dict__.get("slope")
        return slope.__func__ if isinstance(slope, staticmethod) else self.backward

    def bind(self, inputs: Inputs, options: dict[str, Any]) -> list[Any]:
        """The inputs in forward's order; `options` are inputs given by keyword."""
        if self.signature is not None:
            return list(self.signature.bind(tuple(inputs), options))
        if not options and not self.split:
            return list(inputs)
        parameters = self._positional()
        names = [p.name for p in parameters]
        for name in options:
            if name not in names:
                raise error_of(
                    InputError, "error.no_such_input",
                    function=self.name, argument=name, names=names,
                )  # fmt: skip
            if names.index(name) < len(inputs):
                raise error_of(InputError, "error.input_repeated", name=name, count=2)
        # PyTorch fills in the defaults of a forward without ctx.
        last = len(names) if self.split else 1 + max(map(names.index, options))
        rest = [options.get(p.name, p.default) for p in parameters[len(inputs) : last]]
        for name, value in zip(names[len(inputs) :], rest, strict=False):
            if value is inspect.Parameter.empty:
                raise error_of(InputError, "error.input_missing", function=self.name, argument=name)
        return [*inputs, *rest]

    def _positional(self) -> list[inspect.Parameter]:
        """The parameters of forward that are given by position, without ctx and *xs."""
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        named = [p for p in inspect.signature(self.forward).parameters.values() if p.kind in kinds]
        return named if self.split else named[1:]

    def names(self, count: int) -> list[str]:
        """The names of forward's inputs; *xs is xs[0], xs[1], ..."""
        if self.signature is not None:
            return list(self.signature.names(count))
        names = [p.name for p in self._positional()][:count]
        parameters = inspect.signature(self.forward).parameters.values()
        star = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
        return names + ([f"{star}[{i}]" for i in range(count - len(names))] if star else [])

    @property
    def apply(self) -> Callable[..., Any]:
        """The `apply` of the Function."""
        apply: Callable[..., Any] = self.target.apply
        return apply

    def _recorded(self, inputs: Inputs) -> Any:
        return self.apply(*inputs)

    def traced(self, inputs: list[Any]) -> list[Tensor]:
        """The differentiable outputs, with forward's own operations recorded by autograd."""
        ctx = self._ctx((True,) * len(inputs))
        run = self._called(ctx, self.given(inputs))
        return [run.outputs[i] for i in run.differentiable]

    def _ctx(self, needs: tuple[bool, ...]) -> Recorder:
        """The ctx of one forward and its backwards."""
        return Recorder(needs, self.protect)

    def _forward(self, ctx: Recorder, inputs: list[Any]) -> Any:
        """What forward returns, in any of the styles."""
        if self.split:
            returned = self.forward(*inputs)
            self.setup_context(ctx, tuple(inputs), returned)
            return returned
        if self.signature is not None:
            return self.signature.call(self.forward, ctx, tuple(inputs))
        return self.forward(ctx, *inputs)

    def _run(self, inputs: list[Any], wanted: Sequence[int]) -> FunctionRun:
        ctx = self._ctx(tuple(i in wanted for i in range(len(inputs))))
        with torch.no_grad():
            return self._called(ctx, inputs)

    def _called(self, ctx: Recorder, inputs: list[Any]) -> FunctionRun:
        call = self.placement.called(lambda placed: self._forward(ctx, placed), inputs)
        return FunctionRun(self.backward, ctx, call, self.placement)


def with_entries(inputs: Inputs, arguments: Sequence[int], point: Tensor) -> list[Any]:
    """The inputs with the entries of `arguments` taken from the vector `point` (n,)."""
    whole = list(inputs)
    pieces = point.split([size(inputs[i]) for i in arguments])
    for i, piece in zip(arguments, pieces, strict=True):
        whole[i] = _shaped(piece, inputs[i])
    return whole


def _shaped(point: Tensor, like: Tensor) -> Tensor:
    """A real vector in the shape and dtype of `like`; a point of a complex step in its shape.

    Raises TypeError for a complex step of a complex argument.
    """
    if not point.is_complex():
        return unreal(point, like)
    if like.is_complex():
        raise TypeError("a complex step needs a real argument")
    return point.reshape(like.shape)


def copied(value: Any, wanted: bool) -> Any:
    """A copy that a run may change: a tensor's, or a random generator's."""
    if isinstance(value, Tensor):
        copy = value.detach().clone()
        return copy.requires_grad_() if wanted else copy
    return value.clone_state() if isinstance(value, torch.Generator) else value


def is_float(value: Any) -> bool:
    """Whether it is a tensor that can have a gradient."""
    return isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex())
