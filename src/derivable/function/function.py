"""`Function`: a differentiable function, written once as a forward and a backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor
from torch._functorch.utils import unwrap_dead_wrappers

from derivable.errors import DefinitionError, InputError
from derivable.function.bridge import explain, make_bridge
from derivable.function.by_hand import as_written, backward_by_hand, forward_by_hand
from derivable.function.call_record import CallRecord, Rules
from derivable.function.compiled import allow_in_graph, own_apply
from derivable.function.held import CONTAINERS, tensors_in
from derivable.function.messages import say
from derivable.function.once import is_once_differentiable
from derivable.function.signature import Signature


class Function(torch.autograd.Function):
    """A differentiable function: static `forward(ctx, *inputs)` and `backward(ctx, *grad_outputs)`.

        class Cube(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x**3

            @staticmethod
            def backward(ctx, grad_output):
                (x,) = ctx.saved_tensors
                return 3 * x**2 * grad_output

    From these two alone it runs by hand with a `Context`, and with `.apply` under autograd,
    `torch.func` (grad, vjp, jvp, vmap, jacrev, jacfwd, hessian, nested), forward-mode AD, to
    second and higher order, under `torch.compile` and `torch.utils.checkpoint`:

        ctx = Context()
        y = Cube.forward(ctx, x)
        grad_x = Cube.backward(ctx, torch.ones_like(y))

        y = Cube.apply(x)
        torch.func.hessian(lambda x: Cube.apply(x).sum())(x)

    Either way each gradient is checked to have the shape and dtype of its input. A tensor that
    `forward` saves may be an input, an output or an intermediate; for second order, intermediates
    are computed again by calling `forward` again, which must then give the same values. Where
    higher order or forward mode is used, `backward` must be made of PyTorch operations.

    Defining a subclass that cannot run raises DefinitionError. A backward that returns the wrong
    number of gradients, or one of the wrong shape or dtype, raises GradientError.
    """

    # Names of inputs that a forward in training replaces, and that have no gradient.
    buffers: ClassVar[tuple[str, ...]] = ()

    _rules: ClassVar[Rules]
    _bridge: ClassVar[type[torch.autograd.Function]]
    _autograd_apply: ClassVar[Callable[..., Any]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, checked in (("forward", forward_by_hand), ("backward", backward_by_hand)):
            rule = cls.__dict__.get(name)
            if rule is None:
                continue
            if not isinstance(rule, staticmethod):
                raise DefinitionError(say("static", function=cls.__name__, name=name))
            setattr(cls, name, staticmethod(checked(cls, rule.__func__)))
        for name in ("setup_context", "jvp", "vjp", "vmap"):
            if name in cls.__dict__:
                raise DefinitionError(say("made", function=cls.__name__, name=name))
        if cls.forward is torch.autograd.Function.forward:
            return  # a base class, such as Elementwise
        forward, backward = as_written(cls.forward), as_written(cls.backward)
        signature = Signature(cls.__name__, forward)
        cls._rules = Rules(
            cls.__name__, signature, forward, backward, is_once_differentiable(backward)
        )
        cls._bridge = make_bridge(cls._rules)
        # The C++ apply, because torch's Python one inspects the signature at every call; mypy does
        # not know that the bridge is a subclass of torch's Function.
        cls._autograd_apply = super(torch.autograd.Function, cls._bridge).apply  # type: ignore[misc]
        if "apply" not in cls.__dict__:
            setattr(cls, "apply", own_apply(cls, signature))  # noqa: B010 - a classmethod, seen by no checker
        allow_in_graph(cls)

    @staticmethod
    def new_buffers(*inputs: Any, **options: Any) -> dict[str, Tensor]:
        """The new values of the `buffers` that a forward in training with these inputs changes."""
        return {}

    @classmethod
    def apply(cls, *inputs: Any, **options: Any) -> Any:
        """The output of forward, recorded by autograd, torch.func or torch.compile.

        Inputs may be given by keyword, as in a call of `forward`. Raises InputError if one is
        missing or unknown, and TransformError if the Function cannot run under a transform.
        """
        if torch.compiler.is_dynamo_compiling():
            # TorchDynamo traces this frame for torch.compile(Cube.apply); the call from within it
            # goes into the graph as one node.
            return cls.apply(*inputs, **options)
        values = cls._rules.signature.bind(inputs, options)
        transformed = torch._C._are_functorch_transforms_active()
        for position, value in enumerate(values):
            if isinstance(value, CONTAINERS):
                _require_constants(cls, position, value, transformed)
        record = CallRecord(cls._rules, values, transformed)
        if not transformed:
            return record.unpack(cls._autograd_apply(record, *unwrap_dead_wrappers(values)))
        try:
            return record.unpack(cls._bridge.apply(record, *values))
        except RuntimeError as error:
            explain(cls.__name__, error)
            raise


def _require_constants(
    function: type[Function], position: int, value: Any, transformed: bool
) -> None:
    """Raise InputError for a container of tensors that require grad: they would get no gradient."""
    for tensor in tensors_in(value):
        if tensor.requires_grad or (transformed and is_functorch_wrapped_tensor(tensor)):
            name = function._rules.signature.names(position + 1)[position]
            gaps = {"name": name, "kind": type(value).__name__}
            raise InputError(say("nested_input", function=function.__name__, **gaps))
