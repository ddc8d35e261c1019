"""Layers: what they take, what they keep, and their two modes."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from derivable import MSE, Context, Elementwise, Function, Layer, Linear, Network, functions
from derivable.errors import GradientError, InputError, SettingError

WEIGHT = torch.linspace(0.5, 2.0, 7, dtype=torch.float64)
X = torch.randn(11, 7, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


class Noise(Function):
    """The input with normal noise; it draws in both modes, because it knows of none."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, *, size: float, generator: Any = None) -> Tensor:
        return x + size * torch.randn(x.shape, generator=generator, dtype=x.dtype)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None, None]:
        return grad_output, None, None


def norm(**options: Any) -> Layer:
    return Layer(functions.LayerNorm, normalized_shape=(7,), weight=WEIGHT, **options)


def batch_norm(**options: Any) -> Layer:
    statistics = {"running_mean": torch.zeros(7).double(), "running_var": torch.ones(7).double()}
    return Layer(functions.BatchNorm, **statistics, weight=WEIGHT, bias=-WEIGHT, **options)


def test_constants_are_given_by_keyword_and_reach_forward() -> None:
    expected = nn.functional.layer_norm(X, (7,), WEIGHT, eps=0.5)
    torch.testing.assert_close(norm(eps=0.5)(X), expected)
    assert not torch.allclose(norm()(X), expected)


def test_a_buffer_that_no_forward_changes_stays() -> None:
    class Shifted(functions.Add):
        buffers = ("other",)

    layer = Layer(Shifted, other=WEIGHT.clone())
    for _ in range(2):  # in training
        torch.testing.assert_close(layer(X), X + WEIGHT)
    torch.testing.assert_close(layer.get_buffer("other"), WEIGHT, rtol=0, atol=0)
    assert layer.changing == ("other",)


def test_the_order_of_keywords_is_that_of_forward() -> None:
    one = Layer(functions.LayerNorm, bias=WEIGHT, weight=-WEIGHT, normalized_shape=(7,))
    assert [name for name, _ in one.named_parameters()] == ["weight", "bias"]


def test_tensors_are_parameters_and_others_are_buffers() -> None:
    mask = torch.ones(5, 5, dtype=torch.bool)
    attention = Layer(
        functions.ScaledDotProductAttention, ("query", "key", "value"), attn_mask=mask
    )
    assert [name for name, _ in attention.named_buffers()] == ["attn_mask"]
    assert not list(attention.parameters())
    fixed = Layer(functions.Multiply, other=nn.Buffer(WEIGHT))
    assert torch.equal(fixed(X), X * WEIGHT)
    assert not list(fixed.parameters())
    assert {name for name, _ in batch_norm().named_buffers()} == {"running_mean", "running_var"}


def test_one_input_may_be_several() -> None:
    square = Layer(functions.Multiply, ("input", "other"))
    ctx = Context()
    output = square.forward_by_hand(ctx, X, {})
    grad_output = torch.randn_like(X)
    grad_x, own = square.backward_by_hand(ctx, grad_output)
    assert torch.equal(output, X * X)
    torch.testing.assert_close(grad_x, 2 * X * grad_output)
    assert own == []
    assert repr(Layer(functions.Exp, "input")) == "Layer(Exp, x = input)"


def test_it_prints_constants_and_shapes() -> None:
    assert repr(norm(eps=0.5)) == "Layer(LayerNorm, normalized_shape=(7,), eps=0.5, weight (7,))"
    assert "Dropout, p=0.3)" in repr(Layer(functions.Dropout, p=0.3))
    assert "weight (7,), bias (7,), running_mean (7,) (buffer)" in repr(batch_norm())


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: norm(epsilon=1.0), InputError, "LayerNorm: got an unexpected .* 'epsilon'; it"),
        (
            lambda: Layer(functions.LayerNorm, weight=WEIGHT),
            InputError,
            r"LayerNorm: missing a required argument: 'normalized_shape'; it takes \(input",
        ),
        (lambda: norm(input=X), InputError, "LayerNorm: multiple values for argument 'input'"),
        (lambda: Layer(functions.Exp, "x"), InputError, "Exp: missing a required .* 'input'; it"),
        (
            lambda: Layer(functions.Multiply, ("input", "other"), other=WEIGHT),
            InputError,
            "Multiply: other is what the layer before returns, and given as well",
        ),
        (
            lambda: Layer(functions.Dropout, training=False),
            InputError,
            r"Dropout: training is what train\(\) and eval\(\) of a layer or network set",
        ),
        (
            lambda: Layer(object),  # type: ignore[arg-type]  # the mistake under test
            SettingError,
            "a Layer needs a Function class such as Linear",
        ),
        (lambda: Layer(Elementwise), SettingError, "a Layer needs a Function class such as"),
    ],
)
def test_what_is_no_layer(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_a_parameter_without_a_gradient_is_named() -> None:
    class Scaled(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, scale: Tensor) -> Tensor:
            ctx.save_for_backward(scale)
            return x * scale

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
            return grad_output * ctx.saved_tensors[0], None

    network = Network([Layer(Scaled, scale=WEIGHT)])
    yhat, contexts = network.forward_by_hand(X)
    with pytest.raises(GradientError, match=r"None for scale, .* scale=torch.nn.Buffer\(...\)"):
        network.backward_by_hand(contexts, torch.ones_like(yhat))


def test_a_layer_whose_input_has_no_gradient_comes_first() -> None:
    class Rank(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x.argsort(1).to(x.dtype)

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> None:
            return None

    linear = Layer(Linear, w=torch.randn(7, 7).double(), b=WEIGHT)
    first = Network([Layer(Rank), linear])
    yhat, contexts = first.forward_by_hand(X)
    assert len(first.backward_by_hand(contexts, torch.randn_like(yhat))) == 2
    later = Network([linear, Layer(Rank)])
    yhat, contexts = later.forward_by_hand(X)
    with pytest.raises(GradientError, match=r"Rank.backward returns no gradient of its input"):
        later.backward_by_hand(contexts, torch.randn_like(yhat))


def test_dropout_drops_in_training_and_not_in_evaluation() -> None:
    network = Network([Layer(functions.Dropout, p=0.4)])
    for forward in (network, lambda x: network.forward_by_hand(x)[0]):
        network.train()
        one, other = forward(torch.ones(101, 7)), forward(torch.ones(101, 7))
        assert one.unique().tolist() == pytest.approx([0.0, 1 / 0.6])
        assert not torch.equal(one, other)
        network.eval()
        assert torch.equal(forward(X), X)


def test_a_generator_is_the_layers_own() -> None:
    generator = torch.Generator().manual_seed(5)
    one, other = (Layer(functions.Dropout, generator=generator) for _ in range(2))
    expected = functions.Dropout.apply(X, generator=torch.Generator().manual_seed(5))
    assert torch.equal(one(X), expected)
    assert torch.equal(other(X), expected)  # from the state that was given, whoever came first
    torch.manual_seed(1)
    drawn = [Layer(functions.Dropout)(X) for _ in range(2)]
    torch.manual_seed(1)
    assert torch.equal(Layer(functions.Dropout)(X), drawn[0])
    assert not torch.equal(*drawn)


def test_a_function_without_modes_draws_in_both() -> None:
    layer = Layer(Noise, size=0.5, generator=torch.Generator().manual_seed(5)).eval()
    first = layer(X)
    assert not torch.equal(layer(X), first)
    ctx = Context()
    again = Layer(Noise, size=0.5, generator=torch.Generator().manual_seed(5))
    assert torch.equal(again.forward_by_hand(ctx, X, {}), first)


def test_running_statistics_are_those_of_pytorch() -> None:
    theirs = nn.BatchNorm1d(7, momentum=0.3).double()
    with torch.no_grad():
        theirs.weight.copy_(WEIGHT), theirs.bias.copy_(-WEIGHT)
    by_hand, module = (Network([batch_norm(momentum=0.3)]) for _ in range(2))
    for k in range(3):
        expected = theirs(X + k)
        torch.testing.assert_close(by_hand.forward_by_hand(X + k)[0], expected)
        torch.testing.assert_close(module(X + k), expected)
    for network in (by_hand.eval(), module.eval()):
        (layer,) = network.layers
        torch.testing.assert_close(layer.get_buffer("running_mean"), theirs.running_mean)
        torch.testing.assert_close(layer.get_buffer("running_var"), theirs.running_var)
        torch.testing.assert_close(network(X), theirs.eval()(X))


def test_the_state_dict_holds_all_that_changes(tmp_path: Any) -> None:
    network = Network([batch_norm(), Layer(functions.Dropout, p=0.5)])
    twin = copy.deepcopy(network)
    network(X)
    save_file(network.state_dict(), tmp_path / "network.safetensors")
    twin.load_state_dict(load_file(tmp_path / "network.safetensors"))
    assert torch.equal(twin(X), network(X))
    assert torch.equal(twin.eval()(X), network.eval()(X))


def test_what_is_evaluated_leaves_no_trace() -> None:
    network = Network([batch_norm(), Layer(functions.Dropout, p=0.5)])
    before = copy.deepcopy(network)
    with network.unchanged():
        first = network(X)
    assert torch.equal(network(X), first)
    assert not torch.equal(before(X), network(X))


def test_second_order_through_dropout_keeps_its_mask() -> None:
    network = Network([Layer(functions.Dropout, p=0.5), Layer(functions.Square)])
    x = X.clone().requires_grad_()
    output = network(x)
    (slope,) = torch.autograd.grad(MSE.apply(output, X).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(slope.sum(), x)
    kept = output.detach() != 0
    assert torch.equal(second != 0, kept)


def test_torch_compile_takes_layers_with_options_in_one_graph() -> None:
    torch.compiler.reset()  # of the graph breaks of the next test
    network = Network([norm(eps=0.5), Layer(functions.Tanh), batch_norm()])
    compiled = torch.compile(copy.deepcopy(network), backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(X), network(X))


# TorchDynamo reads .grad of tensors that it uses after a graph break.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
def test_torch_compile_leaves_a_layer_that_draws_as_it_is() -> None:
    network = Network([norm(), Layer(functions.Dropout, p=0.5), Layer(functions.Tanh)])
    compiled = torch.compile(copy.deepcopy(network), backend="aot_eager")
    for _ in range(2):
        torch.testing.assert_close(compiled(X), network(X))


def test_a_network_is_copied_by_pickle() -> None:
    network = Network([norm(eps=0.5), batch_norm(), Layer(functions.Dropout, p=0.5)])
    twin = pickle.loads(pickle.dumps(network))
    assert str(twin) == str(network)
    assert torch.equal(twin(X), network(X))


def test_gradients_per_example() -> None:
    network = Network([norm(), Layer(Linear, w=torch.randn(7, 2).double(), b=WEIGHT[:2])])
    parameters = {name: p.detach() for name, p in network.named_parameters()}

    def loss(parameters: dict[str, Tensor], row: Tensor) -> Tensor:
        output: Tensor = torch.func.functional_call(network, parameters, row.view(-1, 7))
        return output.square().sum()

    each = torch.func.vmap(torch.func.grad(loss), (None, 0))(parameters, X)
    whole = torch.func.grad(loss)(parameters, X)
    for name, gradient in each.items():
        torch.testing.assert_close(gradient.sum(0), whole[name])
