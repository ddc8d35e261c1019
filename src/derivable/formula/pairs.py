"""The kernel of a loss of pairs, derived from the rules of its author."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, NamedTuple

import torch
from torch import Tensor

from derivable.formula.agreement import DTYPES, disagreement, in_dtype, points, run_by_hand
from derivable.formula.expression import Expression, evaluate
from derivable.formula.kernels import once_per_class
from derivable.formula.messages import say
from derivable.formula.refusal import NotPointwiseError
from derivable.formula.rules import TARGET, Formulas, X, trace
from derivable.formula.spelling import compiled, spell
from derivable.function import Function

_SHAPES = ((11, 3), (5, 7))


class Scale(Enum):
    """What the sum of a loss over N rows and K columns is divided by."""

    SUM = "1"
    ROWS = "N"
    COLUMNS = "K"
    ENTRIES = "N K"

    def factor(self, rows: int, columns: int) -> float:
        """The factor of the sum over all entries."""
        divisors = {
            Scale.SUM: 1, Scale.ROWS: rows, Scale.COLUMNS: columns, Scale.ENTRIES: rows * columns,
        }  # fmt: skip
        return 1 / divisors[self]

    @property
    def is_mean_over_rows(self) -> bool:
        """Whether it divides by the number of rows."""
        return self in (Scale.ROWS, Scale.ENTRIES)


class PairKernel(NamedTuple):
    """A loss of pairs: scale.factor(N, K) times the sum of value(prediction, target) over all.

    Where the loss has an entry for each row or column, the sum of them is meant.
    """

    value: Callable[[Any, Any], Any]  # (prediction, target)
    slope: Callable[[Any, Any], Any]  # its derivative along the prediction, the author's
    second_derivative: Callable[[Any, Any], Any]  # the derivative of that
    scale: Scale
    formula: Expression  # that of `value`, for tensors: of x, the prediction, and target


@once_per_class
def pair_kernel_of(loss: type[Function], **constants: Any) -> PairKernel:
    """The kernel of a loss of prediction and target (N, K), with constants for its forward.

    A Refusal, which states why, where the loss is no sum or mean of a function of pairs.
    """
    # Of one pair every sum and mean is the pair's own loss; how they scale is compared afterwards.
    pair = (torch.full((1, 1), value, dtype=torch.float64) for value in (0.7, 0.4))
    options = in_dtype(constants, torch.float64)
    formulas = trace(loss, dict(zip((X, TARGET), pair, strict=True)), options)
    scales = set(Scale)
    for dtype in DTYPES:
        for shape in _SHAPES:
            scales &= _scales(loss, formulas, _pair(shape, dtype), constants)
    if not scales:
        one, other = (str(shape) for shape in _SHAPES[:2])
        raise NotPointwiseError(say("no_sum", loss=loss.__name__, one=one, other=other))
    (scale,) = scales
    for target in (0.0, 1.0, -1.0, 0.3, 7.0):
        _require_agreement(loss, formulas, target, scale, constants)
    value, slope, second_derivative = formulas
    arguments = ["x", "target"]
    return PairKernel(
        compiled(spell("value", arguments, value)),
        compiled(spell("slope", arguments, slope)),
        compiled(spell("second_derivative", arguments, second_derivative)),
        scale,
        value,
    )


def _pair(shape: tuple[int, int], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    size = shape[0] * shape[1]
    prediction = torch.linspace(-2.3, 2.9, size, dtype=dtype).view(shape)
    target = torch.linspace(0.05, 0.95, size, dtype=dtype).flip(0).view(shape)
    return prediction, target.roll(1, 0)


def _scales(
    loss: type[Function],
    formulas: Formulas,
    pair: tuple[Tensor, Tensor],
    constants: Mapping[str, Any],
) -> set[Scale]:
    """The scales that give the author's loss and gradient at this pair of tables."""
    x, target = pair
    theirs, grad_output, gradient = run_by_hand(loss, pair, constants)
    value, slope, second_derivative = evaluate(formulas, {"x": x, "target": target})
    try:
        weight = _spread(grad_output, x.shape)
    except RuntimeError:
        return set()
    found = set()
    for scale in Scale:
        factor = scale.factor(*x.shape)
        total, terms = factor * value.sum(), (factor * value).abs().sum()
        ours = weight * slope * factor
        if (
            disagreement(total, theirs.sum(), terms) is None
            and disagreement(ours, gradient, weight * factor * x * second_derivative) is None
        ):
            found.add(scale)
    return found


def _spread(grad_output: Tensor, shape: torch.Size) -> Tensor:
    """The grad_output of each entry."""
    if grad_output.shape == shape[:1]:
        grad_output = grad_output.unsqueeze(1)
    return grad_output.expand(shape)


def _require_agreement(
    loss: type[Function],
    formulas: Formulas,
    target: float,
    scale: Scale,
    constants: Mapping[str, Any],
) -> None:
    """The slope at predictions of all sizes, for one target."""
    for dtype in DTYPES:
        x = points(dtype, constants).view(-1, 1)
        targets = torch.full_like(x, target)
        _, grad_output, gradient = run_by_hand(loss, (x, targets), constants)
        _, slope, second_derivative = evaluate(formulas, {"x": x, "target": targets})
        weight = _spread(grad_output, x.shape) * scale.factor(*x.shape)
        index = disagreement(weight * slope, gradient, weight * x * second_derivative)
        if index is not None:
            gaps = {"prediction": f"{float(x[index]):.7g}", "target": target}
            raise NotPointwiseError(say("other_gradient", loss=loss.__name__, **gaps))
