"""`Calls`: a few recorded calls of one target, with their inputs and source locations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from derivable.examiner.capture.locations import Location
from derivable.examiner.inputs.probes import Draw

KINDS = 8  # of calls that are kept for one target
EXACT = 64  # exact shapes that are recognised again at once
WHOLE = 1 << 21  # entries of a call that is kept as it is; a larger one is drawn anew, smaller
TOTAL = 1 << 24  # entries that one recording keeps
SIDE = 64  # the longest side of what is drawn anew
_CONSTANTS = (bool, int, str, type(None), torch.dtype, torch.device)


@dataclass(frozen=True)
class Call:
    """One call: copies of its inputs before it ran.

    `context` makes a new ctx like the one that a forward was given by hand; None under `.apply`.
    `test` is the id of the test that made the call, or empty.
    """

    inputs: tuple[Any, ...]
    options: Mapping[str, Any]
    location: Location | None = None
    test: str = ""
    context: Callable[[], Any] | None = None
    dtype: torch.dtype = torch.float32  # PyTorch's default dtype at the time
    shared: Mapping[int, int] = field(default_factory=dict)  # see `shared_tensors`

    @property
    def entries(self) -> int:
        """How many numbers its tensors hold."""
        return sum(v.numel() for v in tensors(self.inputs))

    @property
    def finite(self) -> bool:
        """Whether no tensor holds an infinite number, such as a mask of -inf."""
        stored = (stored_numbers(t) for t in tensors(self.inputs) if t.is_floating_point())
        return not any(bool(numbers.isinf().any()) for numbers in stored)


@dataclass
class Calls:
    """The calls of one target: one of each kind, the smallest, with the first kinds first."""

    target: Any
    kinds: dict[object, Call] = field(default_factory=dict)
    wanted: set[int] = field(default_factory=set)  # positions that required grad in any call
    backward_called: bool = (
        False  # whether its backward was called by hand with a gradient of its output
    )
    tests: dict[str, None] = field(default_factory=dict)  # the tests that called it, in order
    count: int = 0
    _exact: set[object] = field(default_factory=set)

    def new(self, inputs: Sequence[Any], options: Mapping[str, Any], test: str) -> bool:
        """Whether no call with these shapes was recorded before; counts the call."""
        self.count += 1
        exact = (test, *map(_exact, inputs), *((n, _exact(v)) for n, v in options.items()))
        if exact in self._exact:
            return False
        if len(self._exact) < EXACT:
            self._exact.add(exact)
        return True

    def wants(self, inputs: Sequence[Any], options: Mapping[str, Any], test: str) -> bool:
        """Whether to keep a copy of the call; records its test and which inputs require grad.

        A call is kept if there is none of its kind, or only a much larger one.
        """
        if test:
            self.tests[test] = None
        self.wanted |= {i for i, v in enumerate(inputs) if _requires_grad(v)}
        known = self.kinds.get(kind(inputs, options))
        if known is None:
            return len(self.kinds) < KINDS
        if not known.finite:
            return True  # `keep` decides
        entries = sum(v.numel() for v in tensors(inputs))
        return 0 < 4 * entries <= known.entries

    def forget(self) -> None:
        """Forget all shapes, because the last call could not be copied."""
        self._exact.clear()

    def keep(self, call: Call) -> None:
        """Keep `call`; a larger or infinite one of its kind is replaced if `call` is finite."""
        known = self.kinds.get(kind(call.inputs, call.options))
        masked = known is not None and not call.finite
        stored = (stored_numbers(t) for t in tensors(call.inputs) if t.is_floating_point())
        if not masked and not any(bool(numbers.isnan().any()) for numbers in stored):
            self.kinds[kind(call.inputs, call.options)] = call

    def __iter__(self) -> Iterator[Call]:
        return iter(self.kinds.values())


def kind(inputs: Sequence[Any], options: Mapping[str, Any]) -> object:
    """The kind of a call: dimensions, dtypes, layouts and options, not sizes and values."""
    return (*map(_kind, inputs), *((name, _kind(value)) for name, value in options.items()))


def _kind(value: Any) -> object:
    if isinstance(value, Tensor):
        return value.ndim, value.dtype, value.layout
    if isinstance(value, list | tuple):
        return type(value), *map(_kind, value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 3:
        return int  # such as a size
    return value if isinstance(value, _CONSTANTS) else type(value)


def _exact(value: Any) -> object:
    if isinstance(value, Tensor):
        return value.shape, value.dtype, value.layout, value.requires_grad
    if isinstance(value, list | tuple):
        return type(value), *map(_exact, value)
    return _kind(value)


def _requires_grad(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def tensors(values: Sequence[Any]) -> Iterator[Tensor]:
    """Every tensor, also inside of lists and tuples."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from tensors(value)


def stored_numbers(tensor: Tensor) -> Tensor:
    """The numbers that a tensor stores: isnan and isinf are not defined for every sparse layout."""
    if tensor.layout is torch.strided:
        return tensor
    plain = tensor.detach()
    return plain._values() if plain.layout is torch.sparse_coo else plain.values()


def copied(values: Sequence[Any], whole: int = WHOLE) -> tuple[Any, ...]:
    """Independent copies; tensors of more than `whole` entries are replaced by smaller ones.

    Raises TypeError for tensors whose numbers are not there, such as those that are traced.
    """
    large = sum(v.numel() for v in tensors(values)) > whole
    draw = Draw(0)

    def copy(value: Any) -> Any:
        if isinstance(value, Tensor):
            if type(value) not in (Tensor, nn.Parameter):
                raise TypeError(f"a {type(value).__name__} is not kept")
            with torch.no_grad():
                value = unwrapped(value)
                if large and value.layout is torch.strided:
                    shape = [min(side, SIDE) for side in value.shape]
                    limits = {side: min(side, SIDE) for side in value.shape}
                    return draw.like(value, shape, limits)
                return value.clone()
        if type(value) in (list, tuple):
            return type(value)(map(copy, value))
        return value.clone_state() if isinstance(value, torch.Generator) else value

    return tuple(map(copy, values))


def unwrapped(tensor: Tensor) -> Tensor:
    """A tensor without the levels of torch.func around it: of a batch, the first."""
    functorch = torch._C._functorch
    with torch._C._DisableFuncTorch():
        while functorch.is_functorch_wrapped_tensor(tensor):
            axis = functorch.maybe_get_bdim(tensor) if functorch.is_batchedtensor(tensor) else None
            tensor = functorch.get_unwrapped(tensor)
            tensor = tensor if axis is None else tensor.select(axis, 0)
        return tensor.detach()
