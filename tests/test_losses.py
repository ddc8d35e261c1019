"""What the losses promise beyond the matrix: kinks, extremes, ignored targets, and their errors."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, inf, nan
from torch.nn import functional as F

from derivable import MSE, Context, Function
from derivable.errors import DataError, NotATensorError, SettingError, ShapeError
from derivable.functions import (
    L1,
    NLL,
    BinaryCrossEntropyWithLogits,
    CrossEntropy,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    PoissonNLL,
)
from tests.cases import CASES, Case
from tests.test_matrix import EVERY_MODE, Mode, irregular_grad_outputs

PAIRS: list[type[Function]] = [
    L1, Huber, LogCosh, BinaryCrossEntropyWithLogits, KLDivergence, Hinge, PoissonNLL,
]  # fmt: skip


def by_hand(function: type[Function], *inputs: Any, **options: Any) -> tuple[Tensor, Any]:
    """The output, and the gradients for a grad_output of ones."""
    ctx = Context()
    output = function.forward(ctx, *inputs, **options)
    return output, function.backward(ctx, torch.ones_like(output))


def same(ours: Any, theirs: Any, inputs: list[Tensor]) -> None:
    """Values and gradients of two functions of `inputs` agree, NaN with NaN."""
    found = []
    for function in (ours, theirs):
        given = [value.clone().requires_grad_() for value in inputs]
        output: Tensor = function(*given)
        gradients = torch.autograd.grad(output, given, irregular_grad_outputs((output,)))
        found.append([output.detach(), *gradients])
    torch.testing.assert_close(*found, equal_nan=True)


# Values at particular places -------------------------------------------------------------------


def test_l1_has_slope_zero_where_input_meets_target() -> None:
    output, (grad_input, grad_target, _) = by_hand(
        L1, torch.tensor([1.0, 2.0, 3.0]), torch.full((3,), 2.0), reduction="none"
    )
    assert output.tolist() == [1, 0, 1]
    assert grad_input.tolist() == [-1, 0, 1]
    assert grad_target.tolist() == [1, 0, -1]


def test_hinge_has_slope_zero_at_the_margin() -> None:
    input, target = torch.tensor([0.5, 1.0, 2.0, -1.0, 0.0]), torch.tensor([1.0, 1, 1, -1, -1])
    output, (grad_input, grad_target, *_) = by_hand(Hinge, input, target, reduction="none")
    assert output.tolist() == [0.5, 0, 0, 0, 1]
    assert grad_input.tolist() == [-1, 0, 0, 0, 1]
    assert grad_target.tolist() == [-0.5, 0, 0, 0, 0]


def test_hinge_keeps_an_infinite_gradient_out_of_its_flat_side() -> None:
    ctx = Context()
    Hinge.forward(ctx, torch.tensor([3.0, 0.0]), torch.ones(2), 1.0, "none")
    assert Hinge.backward(ctx, torch.full((2,), inf))[0].tolist() == [0, -inf]


def test_huber_and_its_slope_are_continuous_at_delta() -> None:
    output, (grad_input, *_) = by_hand(
        Huber, torch.tensor([-0.5, 0.5, 0.25, 2.0]), torch.zeros(4), "none", 0.5
    )
    assert output.tolist() == [0.125, 0.125, 0.03125, 0.875]
    assert grad_input.tolist() == [-0.5, 0.5, 0.25, 0.5]


def test_poisson_adds_the_term_of_full_above_one_only() -> None:
    target = torch.tensor([0.0, 1.0, 2.0], dtype=torch.float64)
    zero = torch.zeros_like(target)
    output, (_, grad_target, *_) = by_hand(PoissonNLL, zero, target, full=True, reduction="none")
    expected = F.poisson_nll_loss(zero, target, full=True, reduction="none")
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(
        grad_target, torch.tensor([0, 0, torch.log(torch.tensor(2.0).double()) + 0.25]).double()
    )


@pytest.mark.parametrize("log_target", [False, True])
def test_a_probability_of_zero_adds_nothing_to_the_divergence(log_target: bool) -> None:
    input, target = torch.tensor([-1.0, -inf, -0.5]), torch.tensor([0.0, 0.0, 1.0])
    given = target.log() if log_target else target
    output, (grad_input, grad_target, *_) = by_hand(KLDivergence, input, given, "sum", log_target)
    assert output.item() == 0.5
    assert grad_input.tolist() == [0, 0, -1]
    assert grad_target[0].item() == (0 if log_target else -inf)
    assert grad_target[2].item() == 1.5


def test_batchmean_of_the_divergence_divides_by_the_first_size() -> None:
    input, target = torch.randn(5, 3).log_softmax(1), torch.randn(5, 3).softmax(1)
    for given in ([input, target], [input[0, 0], target[0, 0]]):
        same(
            lambda x, t: KLDivergence.apply(x, t, "batchmean"),
            lambda x, t: F.kl_div(x, t, reduction="batchmean"),
            given,
        )


# Ignored targets -------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
def test_all_targets_ignored_gives_what_pytorch_gives(
    smoothing: float, reduction: str, weighted: bool
) -> None:
    input, target = torch.randn(5, 3), torch.full((5,), -100)
    weight = torch.rand(3) if weighted else None
    same(
        lambda x: CrossEntropy.apply(
            x, target, weight, reduction=reduction, label_smoothing=smoothing
        ),
        lambda x: F.cross_entropy(
            x, target, weight, reduction=reduction, label_smoothing=smoothing
        ),
        [input],
    )
    same(
        lambda x: NLL.apply(x, target, weight, reduction=reduction),
        lambda x: F.nll_loss(x, target, weight, reduction=reduction),
        [input],
    )


def test_the_mean_over_ignored_targets_alone_is_nan_and_its_gradient_zero() -> None:
    output, (gradient, *_) = by_hand(CrossEntropy, torch.randn(2, 3), torch.tensor([-100, -100]))
    assert output.isnan()
    assert gradient.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_an_ignored_row_may_hold_infinities() -> None:
    log_p, target = torch.tensor([[-inf, 0.0], [-1.0, -2.0]]), torch.tensor([7, 1])
    output, (gradient, *_) = by_hand(NLL, log_p, target, ignore_index=7)
    assert output.item() == 2
    assert gradient.tolist() == [[0, 0], [0, -1]]


def test_an_ignored_row_of_minus_infinities_leaves_the_gradient_of_the_weights_finite() -> None:
    input, target = torch.tensor([[0.0, -inf], [1.0, 2.0]]), torch.tensor([-100, 1])
    output, (grad_input, _, grad_weight, *_) = by_hand(
        CrossEntropy, input, target, torch.tensor([1.0, 2.0]), label_smoothing=0.1
    )
    assert output.isfinite()
    assert grad_input.isfinite().all()
    assert grad_weight.isfinite().all()


# PyTorch's own weights, which have no gradient there ---------------------------------------------


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_weights_of_classes_mean_what_they_mean_in_pytorch(
    reduction: str, smoothing: float
) -> None:
    input, target = torch.randn(5, 3, 2), torch.tensor([[0, 2], [1, 1], [-100, 0], [2, 2], [0, 1]])
    weight = torch.tensor([0.5, 2.0, 0.0])
    options = {"reduction": reduction, "label_smoothing": smoothing}
    same(
        lambda x: CrossEntropy.apply(x, target, weight, **options),
        lambda x: F.cross_entropy(x, target, weight, **options),  # type: ignore[arg-type]
        [input],
    )
    same(
        lambda x: NLL.apply(x, target, weight, reduction=reduction),
        lambda x: F.nll_loss(x, target, weight, reduction=reduction),
        [input],
    )


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_weights_of_classes_have_the_gradient_of_their_formula(reduction: str) -> None:
    target = torch.tensor([0, 2, 1, 1, -100])
    kept, classes = target >= 0, target.clamp(min=0)

    def formula(input: Tensor, weight: Tensor) -> Tensor:
        own = -input.gather(1, classes[:, None])[:, 0]
        weights = torch.where(kept, weight[classes], 0.0)
        sums = {"mean": (weights * own).sum() / weights.sum(), "sum": (weights * own).sum()}
        return sums.get(reduction, weights * own)

    same(
        lambda x, w: NLL.apply(x, target, w, reduction=reduction),
        formula,
        [torch.randn(5, 3), torch.rand(3) + 0.5],
    )


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_weights_of_binary_cross_entropy_mean_what_they_mean_in_pytorch(reduction: str) -> None:
    weight, pos_weight = torch.rand(5, 1), torch.rand(3)
    same(
        lambda x, t: BinaryCrossEntropyWithLogits.apply(x, t, weight, reduction, pos_weight),
        lambda x, t: F.binary_cross_entropy_with_logits(
            x, t, weight, reduction=reduction, pos_weight=pos_weight
        ),
        [torch.randn(5, 3), torch.rand(5, 3)],
    )


# Extremes ----------------------------------------------------------------------------------------

DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def extreme(dtype: torch.dtype) -> Tensor:
    return torch.tensor([-1e30, -1e4, -30.0, -1e-30, 0.0, 1e-30, 30.0, 1e4, 1e30], dtype=dtype)


@DTYPES
@pytest.mark.parametrize("yes", [0.0, 0.25, 1.0])
def test_extreme_logits_of_binary_cross_entropy(dtype: torch.dtype, yes: float) -> None:
    input = extreme(dtype)
    same(
        lambda x, t: BinaryCrossEntropyWithLogits.apply(x, t, None, "none"),
        lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none"),
        [input, torch.full_like(input, yes)],
    )


def test_a_rare_no_keeps_its_gradient() -> None:
    """In one piece, s(x) - y with s = 1 - s(-x) would be 0 here."""
    output, (gradient, *_) = by_hand(
        BinaryCrossEntropyWithLogits, torch.tensor([-30.0, 30.0]), torch.tensor([0.0, 1.0]),
        reduction="none",
    )  # fmt: skip
    tiny = torch.exp(torch.tensor(-30.0))
    torch.testing.assert_close(output, tiny.expand(2), rtol=1e-5, atol=0)
    torch.testing.assert_close(gradient, torch.stack([tiny, -tiny]), rtol=1e-5, atol=0)


@DTYPES
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_extreme_logits_of_cross_entropy(dtype: torch.dtype, smoothing: float) -> None:
    input = torch.tensor([[1e4, -1e4, 0], [-1e4, -1e4, -1e4], [1e4, 1e4, -1e4]], dtype=dtype)
    for target in (torch.tensor([1, 0, 2]), torch.eye(3, dtype=dtype)):
        same(
            lambda x, t=target: CrossEntropy.apply(x, t, label_smoothing=smoothing),
            lambda x, t=target: F.cross_entropy(x, t, label_smoothing=smoothing),
            [input],
        )


def test_a_class_ruled_out_by_minus_infinity() -> None:
    input = torch.tensor([[0.0, 1.0, -inf]])
    same(
        lambda x: CrossEntropy.apply(x, torch.tensor([1])),
        lambda x: F.cross_entropy(x, torch.tensor([1])),
        [input],
    )
    output, (gradient, *_) = by_hand(CrossEntropy, input, torch.tensor([[0.5, 0.5, 0.0]]))
    torch.testing.assert_close(output, CrossEntropy.apply(input[:, :2], torch.full((1, 2), 0.5)))
    assert gradient.isfinite().all()


@DTYPES
def test_extreme_errors(dtype: torch.dtype) -> None:
    input = torch.cat([extreme(dtype), torch.tensor([inf, -inf], dtype=dtype)])
    inputs = [input, torch.zeros_like(input)]
    same(
        lambda x, t: L1.apply(x, t, "none"), lambda x, t: F.l1_loss(x, t, reduction="none"), inputs
    )
    same(
        lambda x, t: Huber.apply(x, t, "none"),
        lambda x, t: F.huber_loss(x, t, reduction="none"),
        inputs,
    )
    losses, (slope, *_) = by_hand(LogCosh, *inputs, reduction="none")
    far = input.abs() >= 30
    torch.testing.assert_close(
        losses[far], input[far].abs() - torch.log(torch.tensor(2.0, dtype=dtype))
    )
    assert losses[~far].abs().max() < 1e-6
    torch.testing.assert_close(slope, torch.tanh(input))


@DTYPES
@pytest.mark.parametrize("log_input", [True, False])
def test_extreme_rates(dtype: torch.dtype, log_input: bool) -> None:
    input = torch.tensor([-1e4, 0.0, 30.0, 1e4], dtype=dtype)
    input = input if log_input else input.abs()
    same(
        lambda x, t: PoissonNLL.apply(x, t, log_input, reduction="none"),
        lambda x, t: F.poisson_nll_loss(x, t, log_input, reduction="none"),
        [input, torch.tensor([0.0, 1.0, 7.0, 1e4], dtype=dtype)],
    )


@pytest.mark.parametrize("function", [MSE, *PAIRS], ids=lambda f: f.__name__)
def test_the_mean_of_nothing_is_nan(function: type[Function]) -> None:
    output, (gradient, *_) = by_hand(function, torch.ones(0, 3), torch.ones(0, 3))
    assert output.isnan().all()
    assert gradient.shape == (0, 3)


def test_losses_of_a_half_precision_batch_do_not_overflow_in_the_mean() -> None:
    input = torch.full((70_000,), 100.0, dtype=torch.float16)
    assert L1.apply(input, torch.zeros_like(input)).item() == 100


@pytest.mark.parametrize("function", [MSE, *PAIRS], ids=lambda f: f.__name__)
def test_a_target_of_another_precision_is_promoted(function: type[Function]) -> None:
    input, target = torch.rand(3), torch.rand(3).double()
    output, (grad_input, grad_target, *_) = by_hand(function, input, target)
    assert output.dtype == torch.float64
    assert (grad_input.dtype, grad_target.dtype) == (torch.float32, torch.float64)


def test_a_real_input_of_l1_against_a_complex_target_has_a_real_gradient() -> None:
    input, target = torch.randn(3), torch.randn(3, dtype=torch.complex64)
    same(lambda x: L1.apply(x, target), lambda x: F.l1_loss(x, target), [input])


@pytest.mark.parametrize("function", PAIRS, ids=lambda f: f.__name__)
def test_no_gradient_is_made_for_a_target_that_needs_none(function: type[Function]) -> None:
    _, (_, grad_target, *_) = by_hand(function, torch.rand(3), torch.tensor([1, 1, 1]))
    assert grad_target is None


# Every mode for the branches that the matrix runs through a few of them only ---------------------

BRANCHES = [
    "BinaryCrossEntropyWithLogits-plain",
    "CrossEntropy-pixels-weight-mean-smoothing-0.1",
    "CrossEntropy-probabilities-weight-mean-smoothing-0.1",
    "KLDivergence-mean-log-target",
    "NLL-none",
    "PoissonNLL-rate-full-mean",
]


@pytest.mark.parametrize("mode", EVERY_MODE, ids=lambda mode: mode.__name__)
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name in BRANCHES], ids=lambda case: case.name
)
def test_every_branch_in_every_way(case: Case, mode: Mode) -> None:
    mode(case)


def test_the_branches_exist() -> None:
    assert {case.name for case in CASES} >= set(BRANCHES)


# Errors ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", PAIRS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("way", ["by hand", "apply"])
def test_a_column_is_not_compared_with_a_vector(function: Any, way: str) -> None:
    message = r"target must have the shape of \w+, \(5, 1\), got \(5,\); reshape"
    inputs = torch.rand(5, 1), torch.rand(5)
    with pytest.raises(ShapeError, match=f"{function.__name__}: {message}"):
        function.apply(*inputs) if way == "apply" else function.forward(Context(), *inputs)


@pytest.mark.parametrize("function", [*PAIRS, CrossEntropy, NLL], ids=lambda f: f.__name__)
def test_an_unknown_reduction(function: Any) -> None:
    target = torch.tensor([1, 0]) if function in (CrossEntropy, NLL) else torch.rand(2, 3)
    with pytest.raises(SettingError, match=r"reduction must be one of 'mean', .*, got 'average'"):
        function.apply(torch.rand(2, 3), target, reduction="average")


def test_batchmean_belongs_to_the_divergence_alone() -> None:
    message = "L1: reduction must be one of 'mean', 'sum', 'none', got 'batchmean'"
    with pytest.raises(SettingError, match=message):
        L1.apply(torch.rand(3), torch.rand(3), "batchmean")


@pytest.mark.parametrize("function", PAIRS[1:], ids=lambda f: f.__name__)
def test_complex_numbers_have_no_order(function: Any) -> None:
    z = torch.ones(3, dtype=torch.complex64)
    with pytest.raises(SettingError, match=f"{function.__name__}: .* must be real, got torch.com"):
        function.apply(z, z)


@pytest.mark.parametrize("function", [*PAIRS, CrossEntropy, NLL], ids=lambda f: f.__name__)
def test_a_target_that_is_no_tensor(function: Any) -> None:
    with pytest.raises(NotATensorError, match=f"{function.__name__}: target must be a tensor"):
        function.apply(torch.rand(3), [1, 0, 1])


@pytest.mark.parametrize("delta", [0, -1.0, nan])
def test_huber_wants_a_positive_delta(delta: float) -> None:
    with pytest.raises(SettingError, match=f"Huber: delta must be positive, got {delta}"):
        Huber.apply(torch.rand(3), torch.rand(3), "mean", delta)


@pytest.mark.parametrize("smoothing", [-0.1, 1.1, nan])
def test_label_smoothing_is_a_share(smoothing: float) -> None:
    with pytest.raises(SettingError, match=f"label_smoothing .* 0 and 1, got {smoothing}"):
        CrossEntropy.apply(torch.rand(2, 3), torch.tensor([0, 1]), label_smoothing=smoothing)


ROWS, PIXELS = torch.rand(4, 3), torch.rand(4, 3, 2)


@pytest.mark.parametrize(
    ("function", "inputs", "error", "message"),
    [
        (CrossEntropy, (ROWS, torch.zeros(4, 1).long()), ShapeError,
         r"CrossEntropy: target must have shape \(4,\), one class index per row of input \(4, 3\), "
         r"got \(4, 1\); reshape it"),
        (NLL, (PIXELS, torch.zeros(4).long()), ShapeError,
         r"NLL: target must have shape \(4, 2\), .* got \(4,\)"),
        (NLL, (ROWS, torch.zeros(4)), SettingError,
         r"NLL: target must hold class indices, which are integers, got torch.float32; .*long\(\)"),
        (CrossEntropy, (ROWS, torch.zeros(4).bool()), SettingError, "integers, got torch.bool"),
        (CrossEntropy, (ROWS, torch.zeros(4)), ShapeError,
         r"CrossEntropy: target must have the shape of input, \(4, 3\), where it holds "
         r"probabilities \(floats\), got \(4,\); class indices must be integers: target.long\(\)"),
        (CrossEntropy, (ROWS, torch.rand(4, 3), None, 0), SettingError,
         "CrossEntropy: ignore_index must be negative where target holds probabilities, got 0"),
        (NLL, (torch.tensor(1.0), torch.tensor(0)), ShapeError,
         r"NLL: input must have shape \(C,\), \(N, C\) or \(N, C, d1, ...\), got \(\)"),
        (CrossEntropy, (ROWS, torch.zeros(4).long(), torch.rand(4)), ShapeError,
         r"weight must have shape \(3,\) to meet input of shape \(4, 3\), got \(4,\)"),
        (NLL, (ROWS, torch.zeros(4).long(), 2.0), NotATensorError, "NLL: weight must be a tensor"),
        (BinaryCrossEntropyWithLogits, (ROWS, ROWS, torch.rand(4)), ShapeError,
         r"weight must have a shape that broadcasts to that of input, \(4, 3\), got \(4,\)"),
        (BinaryCrossEntropyWithLogits, (ROWS, ROWS, None, "mean", PIXELS), ShapeError,
         r"pos_weight must have a shape that broadcasts .*, got \(4, 3, 2\)"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("way", ["by hand", "apply"])
def test_errors_name_function_argument_expected_and_got(
    function: Any, inputs: tuple[Any, ...], error: type[Exception], message: str, way: str
) -> None:
    with pytest.raises(error, match=message):
        function.apply(*inputs) if way == "apply" else function.forward(Context(), *inputs)


@pytest.mark.parametrize("function", [CrossEntropy, NLL], ids=lambda f: f.__name__)
@pytest.mark.parametrize("wrong", [3, -1, 255])
def test_a_class_index_outside_is_named(function: Any, wrong: int) -> None:
    message = rf"target must hold class indices from 0 to 2, .* got {wrong}; only ignore_index, -10"
    with pytest.raises(DataError, match=message):
        function.apply(ROWS, torch.tensor([0, -100, wrong, 1]))


def test_class_indices_are_not_looked_at_under_transforms_and_compile() -> None:
    target = torch.tensor([0, 2, 1, -100])

    def loss(input: Tensor) -> Tensor:
        output: Tensor = CrossEntropy.apply(input, target)
        return output

    expected = loss(ROWS)
    torch.testing.assert_close(torch.func.vmap(loss)(ROWS[None])[0], expected)
    torch._dynamo.reset()
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(ROWS), expected)
