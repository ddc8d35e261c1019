"""Options of activations and of losses: compiled with them, equal to by hand, refused truly."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from derivable import MSE, Function, Layer, Linear, Loss, Network, descend, descend_many, functions
from derivable.descent import Checkpoint, GradientDescent, State
from derivable.errors import DataError, InputError, SettingError
from derivable.formula import PairKernel, Refusal, kernel_of, pair_kernel_of
from derivable.function.kernel import Kernel
from derivable.functions import CrossEntropy, Huber, elementwise, losses
from derivable.functions.losses import BinaryCrossEntropyWithLogits
from derivable.objective import ByHand, FeaturesMajor, Fused
from derivable.objective.chain import Chain
from derivable.objective.mlp import Mlp
from derivable.problem import Problem
from derivable.row_losses import scale_of
from derivable.stepper import PiecewiseSteps, ahead
from derivable.stepper.ahead import Demand
from tests.problems import problem
from tests.test_fused_losses import TOLERANCE, agree, close, weights

DTYPES = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)

# Every elementwise Function of the library that has options, and some of two operands.
ACTIVATIONS: list[tuple[type[Function], dict[str, Any]]] = [
    (functions.ELU, {"alpha": 0.5}),
    (functions.GELU, {"approximate": "tanh"}),
    (functions.Hardtanh, {"min_val": -0.3, "max_val": 0.7}),
    (functions.LeakyReLU, {"negative_slope": 0.2}),
    (functions.Softplus, {"beta": 2.0, "threshold": 5.0}),
    (functions.Power, {"exponent": 3}),
    (functions.Multiply, {"other": 0.3}),
    (functions.Subtract, {"other": 1.0, "alpha": 0.5}),
]
HAVE_DEFAULTS = [one for one, _ in ACTIVATIONS[:5]]
WITH_OPTIONS = pytest.mark.parametrize(
    ("function", "options"), ACTIVATIONS, ids=lambda one: getattr(one, "__name__", "")
)


def with_activation(
    function: type[Function], options: dict[str, Any], *sizes: int, rows: int, dtype: Any
) -> Problem:
    """MSE of a network of these sizes with that activation."""
    network, x, y = problem(*sizes, rows=rows, dtype=dtype)
    layers = [
        one if one.function is Linear else Layer(function, **options) for one in network.layers
    ]
    return Problem(Network(layers), MSE, x, y)


def of_classes(loss: Any, *, rows: int, labels: bool = True, dtype: Any = torch.float64) -> Problem:
    """Cross-entropy of three classes."""
    network, x, y = problem(5, 7, 3, rows=rows, dtype=dtype)
    return Problem(network, loss, x, y.argmax(1) if labels else (3 * y).softmax(1))


def test_every_elementwise_function_with_options_is_here() -> None:
    classes = [getattr(elementwise, name) for name in elementwise.__all__]
    have = {one for one in classes if len(one._rules.signature.positional) > 1}
    assert have == {one for one, _ in ACTIVATIONS} & set(classes)


@DTYPES
@WITH_OPTIONS
def test_an_activation_with_options_is_compiled(
    function: type[Function], options: dict[str, Any], dtype: torch.dtype
) -> None:
    given = with_activation(function, options, 5, 7, 3, rows=131, dtype=dtype)
    assert not Fused.refusal(given)
    agree(given)
    if function in HAVE_DEFAULTS:  # with others than those, it is another loss
        layers = [Layer(function) if i % 2 else one for i, one in enumerate(given.network.layers)]
        other = Problem(Network(layers), MSE, given.x, given.y)
        assert Fused(other).value(other.theta) != Fused(given).value(given.theta)


def test_the_slope_of_a_leaky_relu_goes_into_piecewise_steps() -> None:
    given = with_activation(
        functions.LeakyReLU, {"negative_slope": 0.2}, 3, 4, 1, rows=997, dtype=torch.float64
    )
    assert not PiecewiseSteps.refusal(given)
    found = descend(given.network, MSE, given.x, given.y, lr=1e-2, steps=1500)
    expected = descend(
        given.network, MSE, given.x, given.y, lr=1e-2, steps=1500, objective="by hand"
    )
    assert found.objective == "piecewise"
    torch.testing.assert_close(found.losses, expected.losses, rtol=1e-10, atol=0)


def test_kernels_are_told_apart_by_all_digits_of_their_constants() -> None:
    one, other = (kernel_of(functions.ELU, alpha=alpha) for alpha in (0.5, 0.5 + 2**-52))
    assert isinstance(one, Kernel)
    assert isinstance(other, Kernel)
    assert one.value is not other.value
    near = torch.tensor(2.0, dtype=torch.float64), torch.tensor(2.0 + 2**-40, dtype=torch.float64)
    kernels = [pair_kernel_of(BinaryCrossEntropyWithLogits, pos_weight=one) for one in near]
    assert all(isinstance(one, PairKernel) for one in kernels)
    assert kernels[0] != kernels[1]


def test_two_activations_with_other_options_are_two_kinds() -> None:
    network, x, y = problem(5, 7, 7, 3, rows=31)
    for alphas, kinds in (((0.5, 0.5), 1), ((0.5, 0.25), 2)):
        alpha = iter(alphas)
        layers = [
            one if one.function is Linear else Layer(functions.ELU, alpha=next(alpha))
            for one in network.layers
        ]
        given = Problem(Network(layers), MSE, x, y)
        assert Fused.supports(given) == (kinds == 1)


def test_options_that_are_not_pointwise_have_a_true_reason() -> None:
    for function, options, reason in (
        (functions.Softmax, {"dim": 1}, "`softmax` is not pointwise"),
        (functions.Flatten, {"start_dim": 0}, "not pointwise"),
    ):
        found = kernel_of(function, **options)
        assert isinstance(found, Refusal)
        assert reason in found.text
    odd = kernel_of(functions.Multiply, other=[[2.0]])
    assert "other is of type list, and the constants of a compiled loop are single" in str(odd)
    given = with_activation(functions.Softmax, {"dim": 1}, 5, 7, 3, rows=11, dtype=torch.float64)
    assert "softmax" in Fused.refusal(given)
    run = descend(given.network, MSE, given.x, given.y, lr=1e-2, steps=2)
    assert run.objective == "by hand"
    assert "softmax" in run.not_compiled


# Losses.

PAIRS: list[tuple[type[Function], dict[str, Any]]] = [
    (losses.Huber, {"delta": 0.5}),
    (losses.Huber, {"delta": 0.25, "reduction": "sum"}),
    (losses.L1, {"reduction": "none"}),
    (losses.LogCosh, {"reduction": "sum"}),
    (losses.Hinge, {"margin": 0.5}),
    (losses.PoissonNLL, {"full": True}),
    (losses.KLDivergence, {"reduction": "batchmean"}),
    (losses.BinaryCrossEntropyWithLogits, {"pos_weight": torch.tensor(2.5)}),
]


def of_pairs(loss: Loss, *, rows: int, weighted: bool, dtype: Any) -> Problem:
    """A problem whose targets the loss can have."""
    network, x, y = problem(5, 7, 3, rows=rows, dtype=dtype)
    if loss.function is losses.Hinge:
        y = y.sign()
    elif loss.function not in (losses.Huber, losses.L1, losses.LogCosh):
        y = y.sigmoid()
    return Problem(network, loss, x, y, weights(rows).to(dtype) if weighted else None)


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@DTYPES
@pytest.mark.parametrize(("function", "options"), PAIRS, ids=lambda one: str(one)[-20:])
def test_a_loss_of_pairs_is_compiled_with_its_options(
    function: type[Function], options: dict[str, Any], dtype: torch.dtype, weighted: bool
) -> None:
    given = of_pairs(Loss(function, **options), rows=131, weighted=weighted, dtype=dtype)
    assert not Fused.refusal(given)
    agree(given)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("labels", [True, False], ids=["labels", "probabilities"])
@DTYPES
def test_smoothed_cross_entropy_is_compiled(
    dtype: torch.dtype, labels: bool, reduction: str
) -> None:
    loss = Loss(CrossEntropy, label_smoothing=0.1, reduction=reduction)
    given = of_classes(loss, rows=131, labels=labels, dtype=dtype)
    heavy = Problem(given.network, loss, given.x, given.y, weights(131).to(dtype))
    for one in (given, heavy):
        agree(one)
        if reduction == "mean":
            agree(one, FeaturesMajor)
    # by hand against PyTorch
    yhat = given.network(given.x)
    expected = F.cross_entropy(yhat, given.y, label_smoothing=0.1, reduction=reduction)
    close(ByHand(given).value(given.theta), expected.detach(), TOLERANCE[dtype])


def test_rows_of_the_ignored_label_are_left_out() -> None:
    network, x, y = problem(5, 7, 3, rows=31)
    labels = y.argmax(1)
    for ignored in (-100, 7, 1):
        marked = labels.clone()
        marked[::3] = ignored
        given = Problem(network, Loss(CrossEntropy, ignore_index=ignored), x, marked)
        assert given.rows == int((marked != ignored).sum())
        expected = F.cross_entropy(network(x), marked, ignore_index=ignored)
        for kind in (ByHand, FeaturesMajor, Fused):
            torch.testing.assert_close(kind(given).value(given.theta), expected.detach())
    labels[0] = -100
    with pytest.raises(DataError, match="got -100"):
        Problem(network, Loss(CrossEntropy, ignore_index=7), x, labels)
    marked = labels.roll(5)
    with pytest.raises(DataError, match=r"labels from 0 to 2.*or 7 for a row.*got -100 in row 5"):
        Problem(network, Loss(CrossEntropy, ignore_index=7), x, marked)


def test_weights_of_classes_run_by_hand_and_say_why() -> None:
    weight = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)
    given = of_classes(Loss(CrossEntropy, weight=weight), rows=31)
    for kind in (Fused, FeaturesMajor):
        assert "divides by the weights of the labels" in kind.refusal(given)
    expected = F.cross_entropy(given.network(given.x), given.y, weight)
    torch.testing.assert_close(ByHand(given).value(given.theta), expected.detach())
    # what the reason advises is the same loss
    rows = Problem(given.network, CrossEntropy, given.x, given.y, weight[given.y])
    torch.testing.assert_close(Fused(rows).value(rows.theta), expected.detach())
    with pytest.raises(SettingError, match="weight goes with losses that are a sum or mean"):
        Problem(given.network, given.loss, given.x, given.y, weight[given.y])


def test_a_tensor_of_several_numbers_runs_by_hand_and_says_why() -> None:
    pos_weight = torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)
    loss = Loss(BinaryCrossEntropyWithLogits, pos_weight=pos_weight)
    given = of_pairs(loss, rows=31, weighted=False, dtype=torch.float64)
    assert "pos_weight is a tensor of shape (3,)" in Fused.refusal(given)
    expected = F.binary_cross_entropy_with_logits(
        given.network(given.x), given.y, pos_weight=pos_weight
    )
    torch.testing.assert_close(ByHand(given).value(given.theta), expected.detach())


def test_options_are_checked_by_name() -> None:
    with pytest.raises(InputError, match=r"Huber has no option 'detla'; its options are reduction"):
        Loss(Huber, detla=0.5)
    with pytest.raises(InputError, match=r"MSE has no option 'delta'; it has none"):
        Loss(MSE, delta=0.5)
    with pytest.raises(InputError, match=r"Huber has no option 'target'"):
        Loss(Huber, target=torch.zeros(3))
    with pytest.raises(SettingError, match=r"such as Loss\(Huber, delta=0.5\), got 'huber'"):
        Loss("huber")  # type: ignore[arg-type]
    network, x, y = problem(3, 1, rows=5)
    with pytest.raises(SettingError, match=r"Huber\(delta=-1\).*delta must be positive, got -1"):
        descend(network, Loss(Huber, delta=-1), x, y, lr=1e-2, steps=1)
    with pytest.raises(SettingError, match="loss must be a Function class such as MSE"):
        descend(network, 3, x, y, lr=1e-2, steps=1)  # type: ignore[arg-type]


def test_a_loss_has_a_name_and_equals_its_like() -> None:
    assert Loss(Huber, delta=0.5).name == "Huber(delta=0.5)"
    assert repr(Loss(Huber, delta=0.5)) == "Loss(Huber, delta=0.5)"
    assert Loss(MSE).name == "MSE"
    one, same, other = (
        Loss(CrossEntropy, weight=torch.tensor(weight))
        for weight in ([1.0, 2.0], [1.0, 2.0], [1.0, 2.0000002])
    )
    assert one == same == copy.deepcopy(one)
    assert hash(one) == hash(same)
    assert one != other
    assert Loss(Huber) != Loss(losses.L1)
    assert Loss.of(one) is one


@pytest.mark.parametrize("method", ["auto", "momentum", "lbfgs", GradientDescent(batch_size=16)])
def test_every_method_descends_it(method: Any) -> None:
    network, x, y = problem(5, 7, 1, rows=101)
    settings = {"lr": None if method == "lbfgs" else 1e-2, "steps": 40, "method": method}
    run = descend(network, Loss(Huber, delta=0.5), x, y, **settings)
    expected = F.huber_loss(run.network(x), y, delta=0.5).detach()
    if not isinstance(method, GradientDescent):
        torch.testing.assert_close(run.losses[-1], expected.double())
        assert run.losses[-1] < run.losses[0]
    both = descend_many([network, network], Loss(Huber, delta=0.5), x, y, **settings)
    assert all(torch.equal(one.losses, run.losses) for one in both)


def test_a_checkpoint_goes_on_with_its_own_loss_only(tmp_path: Path) -> None:
    network, x, y = problem(5, 7, 1, rows=101)
    loss, kept = Loss(Huber, delta=0.5), []

    def keep(state: State) -> None:
        kept.append(state.checkpoint())

    whole = descend(network, loss, x, y, lr=1e-2, steps=1100, on_block=keep, method="steps")
    kept[0].save(tmp_path / "half.safetensors")
    half = Checkpoint.load(tmp_path / "half.safetensors")
    assert half.loss == "Huber(delta=0.5)"
    again = descend(network, Loss(Huber, delta=0.5), x, y, lr=1e-2, steps=1100, start=half)
    assert torch.equal(again.losses, whole.losses)
    for other in (Huber, Loss(Huber, delta=0.25), MSE):
        with pytest.raises(SettingError, match=r"the checkpoint is of the loss Huber\(delta=0.5\)"):
            descend(network, other, x, y, lr=1e-2, steps=1100, start=half)


def test_another_process_compiles_the_same_options() -> None:
    network = [
        one if one.function is Linear else Layer(functions.ELU, alpha=0.5)
        for one in problem(5, 7, 1, rows=11)[0].layers
    ]
    _, x, y = problem(5, 7, 1, rows=11)
    given = Problem(Network(network), Loss(Huber, delta=0.5), x, y)
    demand = Demand.of(Fused, given, torch.float64, hvp=True)
    assert demand is not None
    assert demand.routines() == Fused(given).routines(hvp=True)
    with_tensor = Loss(BinaryCrossEntropyWithLogits, pos_weight=torch.tensor(2.0))
    given = Problem(Network(network), with_tensor, x, y.sigmoid())
    assert Demand.of(Fused, given, torch.float64, hvp=True) is None


def test_scales_of_reductions() -> None:
    assert scale_of(Loss(CrossEntropy, reduction="sum")).name == "SUM"  # type: ignore[union-attr]
    assert scale_of(CrossEntropy).name == "ROWS"  # type: ignore[union-attr]


def test_a_loss_of_ones_own_has_options() -> None:
    class Quantile(Function):
        @staticmethod
        def forward(ctx: Any, yhat: Tensor, y: Tensor, level: float = 0.5) -> Tensor:
            ctx.save_for_backward(yhat, y)
            ctx.level = level
            d = y - yhat
            return torch.maximum(level * d, (level - 1) * d).mean()

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None, None]:
            yhat, y = ctx.saved_tensors
            slope = torch.where(y > yhat, -ctx.level, torch.full_like(y, 1 - ctx.level))
            return slope * grad_output / y.numel(), None, None

    network, x, y = problem(5, 7, 1, rows=101)
    given = Problem(network, Loss(Quantile, level=0.9), x, y)
    assert not Fused.refusal(given)
    agree(given)


def test_what_another_process_could_not_make_is_not_compiled_ahead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, x, y = problem(5, 7, 1, rows=11)
    demand = Demand.of(Fused, Problem(network, MSE, x, y), torch.float64, hvp=True)
    assert demand is not None
    no_mlp = Problem(Network([network.layers[0], network.layers[2]]), MSE, x, y)
    assert Demand.of(Fused, no_mlp, torch.float64, hvp=True) is None
    monkeypatch.setattr(ahead, "is_installed", lambda name: False)
    monkeypatch.setattr(Demand, "routines", None)  # nothing is compiled without Numba
    ahead.compile_ahead([demand])


class First(Function):
    """A loss of as many outputs as there are targets."""

    @staticmethod
    def forward(ctx: Any, yhat: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(yhat, y)
        return (yhat[:, : y.size(1)] - y).square().sum()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        yhat, y = ctx.saved_tensors
        grad = torch.zeros_like(yhat)
        grad[:, : y.size(1)] = 2 * grad_output * (yhat[:, : y.size(1)] - y)
        return grad, None


@pytest.mark.parametrize("kind", [Mlp, Chain])
def test_targets_that_a_loss_reads_in_its_own_way_are_no_perceptrons(kind: Any) -> None:
    network, x, y = problem(5, 7, 3, rows=11)
    assert kind.of(Problem(network, First, x, y)) is not None
    assert kind.of(Problem(network, First, x, y[:, :1])) is None
