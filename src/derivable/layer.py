"""`Layer`: one Function with its parameters, constants and buffers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from derivable.errors import GradientError, InputError, SettingError
from derivable.function import Function
from derivable.function.context import Context
from derivable.function.given import is_ours, shown_function
from derivable.function.gradients import as_tuple
from derivable.network_messages import say

TRAINING, GENERATOR = "training", "generator"  # inputs that a layer gives by itself


class Layer(nn.Module):
    """A Function of one tensor: all inputs of its `forward` but x are given when it is made.

        Layer(Linear, w=torch.randn(8, 5), b=torch.zeros(5))
        Layer(LayerNorm, normalized_shape=(5,), weight=torch.ones(5), eps=1e-6)
        Layer(ScaledDotProductAttention, ("query", "key", "value"), is_causal=True)

    `x` names the inputs that are given what the layer before returns; without it, that is the first
    one. The others are given by keyword, in any order:

    - a tensor of floating-point numbers is a parameter;
    - a tensor of integers or booleans, a `torch.nn.Buffer`, and what the Function lists in
      `buffers`, such as the running statistics of BatchNorm, is a buffer;
    - all else is a constant.

    Two names have a meaning. `training` is not given: it is True after `train()`, as at first, and
    False after `eval()`. `generator` is a random generator of the layer's own. It begins in the
    state of the one that is given, or is seeded from PyTorch's default generator; its state is a
    buffer. So `state_dict()` holds all that changes as a layer runs.

    Raises SettingError for what is no Function, InputError for an input that is unknown, missing or
    given twice.
    """

    def __init__(self, function: type[Function], x: Sequence[str] = (), /, **inputs: Any) -> None:
        super().__init__()
        if not is_ours(function):
            raise SettingError(say("layer_function", got=shown_function(function)))
        if TRAINING in inputs:
            raise InputError(say("training_given", function=function.__name__))
        self.function, self.takes = function, (x,) if isinstance(x, str) else tuple(x)
        self.constants: dict[str, Any] = {}
        signature = function._rules.signature
        for name in self.takes:
            if name in inputs:
                raise InputError(say("given_twice", function=function.__name__, name=name))
        given = dict.fromkeys(self.takes) | inputs
        # All inputs in the order of forward, with None where a tensor goes.
        self._inputs = list(signature.bind(() if self.takes else (None,), given))
        # Facts about the Function, read here, because TorchDynamo reads none off the class.
        self._by_name = tuple(signature.keyword_only)
        self._follows = bool(function.buffers)
        names = signature.names(len(self._inputs))
        self._at = {name: position for position, name in enumerate(names)}
        self._x_at = [self._at[name] for name in self.takes] or [0]
        for name in names:
            if name in inputs and not (name == GENERATOR and inputs[name] is None):
                self._register(name, inputs[name])
        if GENERATOR in self._at and GENERATOR not in self._buffers:
            seed = int(torch.randint(2**62, ()).item())
            self._register(GENERATOR, torch.Generator().manual_seed(seed))

    def _register(self, name: str, value: Any) -> None:
        """Keep an input as what it is: a parameter, a buffer or a constant."""
        if isinstance(value, torch.Generator):
            value = nn.Buffer(value.get_state())
        if not isinstance(value, Tensor):
            self.constants[name] = value
            return
        self._inputs[self._at[name]] = None
        exact = not (value.is_floating_point() or value.is_complex())
        if exact or isinstance(value, nn.Buffer) or name in self.function.buffers:
            self.register_buffer(name, value.detach())
        else:
            self.register_parameter(name, nn.Parameter(value))

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The inputs that are parameters, in the order of forward."""
        return tuple(self._parameters)

    @property
    def is_stateless(self) -> bool:
        """Whether x, which comes first, parameters and constants are all that it is given."""
        return not self.takes and not self._buffers and not self.has_modes

    @property
    def is_plain(self) -> bool:
        """Whether x and parameters are all that it is given; x comes first."""
        return self.is_stateless and not self.constants

    @property
    def has_modes(self) -> bool:
        """Whether `train()` and `eval()` make a difference."""
        return TRAINING in self._at

    @property
    def draws(self) -> bool:
        """Whether it has a random generator, which is one of the CPU."""
        return GENERATOR in self._buffers

    @property
    def changing(self) -> tuple[str, ...]:
        """The buffers that change as it runs in training."""
        return tuple(n for n in self._buffers if n == GENERATOR or n in self.function.buffers)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the Function under autograd; torch.compile leaves one that draws as it is."""
        run = self._run
        if GENERATOR in self._at and torch.compiler.is_compiling():
            run = torch.compiler.disable(run)  # TorchDynamo cannot trace generators
        return run(self.function.apply, x, dict(self.named_parameters()))

    def forward_by_hand(self, ctx: Context, x: Tensor, parameters: Mapping[str, Tensor]) -> Tensor:
        """Call the Function's forward with `parameters` by name in the place of its own."""
        return self._run(partial(self.function.forward, ctx), x, parameters)

    def backward_by_hand(
        self, ctx: Context, grad_output: Tensor
    ) -> tuple[Tensor | None, list[Tensor]]:
        """The gradient of x, None where x has none, and those of the parameters in their order.

        Raises GradientError for a parameter without a gradient.
        """
        gradients = as_tuple(self.function.backward(ctx, grad_output))
        of_x = [gradients[i] for i in self._x_at if gradients[i] is not None]
        own = []
        for name in self._parameters:
            gradient = gradients[self._at[name]]
            if gradient is None:
                function = self.function.__name__
                raise GradientError(say("parameter_gradient", function=function, name=name))
            own.append(gradient)
        return (sum(of_x[1:], of_x[0]) if of_x else None), own

    def _run(self, call: Callable[..., Any], x: Tensor, parameters: Mapping[str, Tensor]) -> Tensor:
        """Call the Function with all its inputs, and keep what has changed in training."""
        values = self._inputs.copy()
        for position in self._x_at:
            values[position] = x
        for name, value in (*self._buffers.items(), *parameters.items()):
            values[self._at[name]] = value
        if self.has_modes:
            values[self._at[TRAINING]] = self.training
        generator = None
        if GENERATOR in self._at:
            if self.training or not self.has_modes:
                generator = torch.Generator()
                generator.set_state(self.get_buffer(GENERATOR))
            values[self._at[GENERATOR]] = generator
        cut = len(values) - len(self._by_name)
        inputs, options = values[:cut], dict(zip(self._by_name, values[cut:], strict=True))
        output = call(*inputs, **options)
        if not isinstance(output, Tensor):
            function, count = self.function.__name__, len(as_tuple(output))
            raise SettingError(say("one_output", function=function, count=count))
        # Buffers are replaced and not overwritten: autograd may have saved them.
        if generator is not None:
            self.register_buffer(GENERATOR, generator.get_state())
        if self.training and self._follows:
            with torch.no_grad():
                for name, value in self.function.new_buffers(*inputs, **options).items():
                    self.register_buffer(name, value)
        return output

    def extra_repr(self) -> str:
        """The Function, its constants and the shapes of its tensors, for `print(network)`."""
        words = [self.function.__name__]
        words += [f"x = {' = '.join(self.takes)}"] if self.takes else []
        words += [f"{name}={value!r}" for name, value in self.constants.items()]
        words += [f"{name} {tuple(p.shape)}" for name, p in self.named_parameters()]
        buffers = [name for name in self._buffers if name != GENERATOR]
        words += [f"{name} {tuple(self.get_buffer(name).shape)} (buffer)" for name in buffers]
        return ", ".join(words)
