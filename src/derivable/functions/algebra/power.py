"""Power: one tensor to the power of another."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from derivable.function import Function
from derivable.function.examples import normal, uniform
from derivable.functions.algebra._operands import (
    Operand,
    check_operands,
    conj,
    fit,
    keep_operands,
    kept_operands,
)


class Power(Function):
    """Power of each entry, with broadcasting of base and exponent.

    Forward   output = input^exponent                                                   (...)
    Backward  d loss / d input    = grad_output conj(exponent input^(exponent - 1))     input
              d loss / d exponent = grad_output conj(output log(input))                 exponent
              each summed to the shape of its operand
    Shapes    input and exponent broadcast to (...); either may be a number
    Kinks     exponent = 0: d output / d input is 0 at every input, 0 and inf included;
              input = 0, exponent >= 0: d output / d exponent is 0, as in torch.pow;
              input = 0, exponent < 1: the slope in input is infinite (exponent not 0)
    Saves     input, exponent, output
    Raises    ShapeError if the shapes do not broadcast, NotATensorError
    Source    output = exp(exponent log(input)), whose slope is output times that of its exponent:
              output exponent / input, and output log(input). As input goes to 0, the second goes
              to 0 where exponent > 0. A negative input has no real log: NaN, if it is wanted.
    """

    @staticmethod
    def forward(ctx: Any, input: Operand, exponent: Operand) -> Tensor:
        check_operands("Power", input=input, exponent=exponent)
        output = torch.pow(input, exponent)  # type: ignore[arg-type]  # (...)
        keep_operands(ctx, input, exponent, output=output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, Tensor | None]:
        input, exponent, output = kept_operands(ctx)
        grad_input = grad_exponent = None
        if ctx.needs_input_grad[0]:
            # 0 * input^-1 is 0 but where the reciprocal is no number: there the base is set to 1.
            flat = (exponent == 0) & ~torch.isfinite(input.reciprocal())  # (...)
            slope = exponent * torch.where(flat, 1, input) ** (exponent - 1)  # (...)
            grad_input = fit(grad_output * conj(slope), input)  # input
        if ctx.needs_input_grad[1]:
            if not isinstance(input, Tensor):
                input = torch.scalar_tensor(input, dtype=output.dtype, device=output.device)  # ()
            # log(1) = 0 stands in for log(0), so that neither this nor its derivative is NaN.
            flat = (input == 0) & (torch.real(exponent) >= 0)  # (...)
            log = torch.where(flat, 1, input.to(output.dtype)).log()  # (...)
            grad_exponent = fit(grad_output * conj(output * log), exponent)  # exponent
        return grad_input, grad_exponent

    @staticmethod
    def examples() -> list[tuple[Any, ...]]:
        return [(uniform(0.5, 2, 4, 3), normal(3)), (normal(4, 3), 3)]
