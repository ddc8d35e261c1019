"""Right Functions with several inputs and outputs, random numbers, state, or odd sizes."""

# mypy: disable-error-code="no-untyped-call"
# PyTorch does not type apply.

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function

from tests.corpus.drawing import numbers
from tests.corpus.wrapped import case


class Affine(Function):
    """Computes just the gradients that are needed, and sums what was broadcast."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        if bias is not None and len(bias) != len(weight):
            raise ValueError("one bias for each row of weight")
        ctx.save_for_backward(x, weight)
        ctx.bias_shape = None if bias is None else bias.shape
        return x @ weight.mT + (0 if bias is None else bias)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        x, weight = ctx.saved_tensors
        grad_x = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_x = grad_output @ weight
        if ctx.needs_input_grad[1]:
            grad_weight = grad_output.mT @ x
        if ctx.bias_shape is not None and ctx.needs_input_grad[2]:
            grad_bias = grad_output.sum_to_size(ctx.bias_shape)
        return grad_x, grad_weight, grad_bias


class Broadcast(Function):
    """x * y + z of any shapes that broadcast; one gradient object serves two inputs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
        ctx.save_for_backward(x, y)
        ctx.shape = z.shape
        return x * y + z

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        x, y = ctx.saved_tensors
        grad_x = (grad_output * y).sum_to_size(x.shape)
        grad_y = (grad_output * x).sum_to_size(y.shape)
        return grad_x, grad_y, grad_output.sum_to_size(ctx.shape)


class Add(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        return x + y

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return grad_output, grad_output


class SumOfAny(Function):
    """Any number of inputs."""

    @staticmethod
    def forward(ctx: Any, *terms: Tensor) -> Tensor:
        ctx.count = len(terms)
        return torch.stack(terms).sum(0)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return (grad_output,) * ctx.count


class SquaredError(Function):
    """No gradient for the target, which does not ask for one."""

    @staticmethod
    def forward(ctx: Any, prediction: Tensor, target: Tensor) -> Tensor:
        ctx.save_for_backward(prediction, target)
        return (prediction - target).square().mean()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        prediction, target = ctx.saved_tensors
        error = prediction - target
        return grad_output * 2 * error / error.numel(), None


class TopK(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, k: int) -> Any:
        values, indices = x.topk(k, dim=-1)
        ctx.mark_non_differentiable(indices)
        ctx.save_for_backward(indices)
        ctx.shape = x.shape
        return values, indices

    @staticmethod
    def backward(ctx: Any, grad_values: Tensor, _: Any) -> Any:
        (indices,) = ctx.saved_tensors
        return grad_values.new_zeros(ctx.shape).scatter(-1, indices, grad_values), None


class InPlaceReLU(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.mark_dirty(x)
        x.clamp_(min=0)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (output,) = ctx.saved_tensors
        return grad_output * (output > 0)


def in_place_on_a_copy(x: Tensor) -> Any:
    return InPlaceReLU.apply(x * 1)


class TwoOutputs(Function):
    """Does without zeros for outputs that nobody uses."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x)
        return x.sin(), x.exp()

    @staticmethod
    def backward(ctx: Any, grad_sine: Tensor | None, grad_exp: Tensor | None) -> Tensor | None:
        (x,) = ctx.saved_tensors
        grad = None
        if grad_sine is not None:
            grad = grad_sine * x.cos()
        if grad_exp is not None:
            grad = grad_exp * x.exp() if grad is None else grad + grad_exp * x.exp()
        return grad


def one_of_two(x: Tensor) -> Any:
    return TwoOutputs.apply(x)[1]


class ValueAndCount(Function):
    """One of its outputs is no tensor; trailing None are more than there are inputs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        ctx.save_for_backward(x)
        return x.square(), x.numel()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor, _: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * x * grad_output, None, None


class SumExpands(Function):
    """The gradient is an expanded view, of stride 0."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.shape = x.shape
        return x.sum()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output.expand(ctx.shape)


class Transposed(Function):
    """A view of its input, not contiguous."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.mT

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output.mT


class Identity(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output


class Constant(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.full_like(x, 3.0)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return torch.zeros_like(grad_output)


class OnlyTheShape(Function):
    """Of its second input only the shape matters."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, like: Tensor) -> Tensor:
        ctx.shape = x.shape
        return x.expand_as(like).clone()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return grad_output.sum_to_size(ctx.shape), None


class Dropout(Function):
    """Two outputs; the mask is of floats and has no derivative."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float) -> Any:
        mask = (torch.rand_like(x) >= p).to(x.dtype) / (1 - p)
        ctx.save_for_backward(mask)
        ctx.mark_non_differentiable(mask)
        return x * mask, mask

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor, _: Any) -> Any:
        (mask,) = ctx.saved_tensors
        return grad_output * mask, None


class SeededNoise(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
        ctx.save_for_backward(noise)
        return x * noise

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        (noise,) = ctx.saved_tensors
        return grad_output * noise, None


class DropoutOfGenerator(Function):
    """Draws from a generator that the caller gives, and so moves it on."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float, generator: torch.Generator) -> Tensor:
        ctx.keep = torch.rand(x.shape, generator=generator) >= p
        ctx.scale = 1 / (1 - p)
        return x * ctx.keep * ctx.scale

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return grad_output * ctx.keep * ctx.scale, None, None


class RandomLeaky(Function):
    """The mask is drawn again in backward, from the state that forward started from."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.state = torch.get_rng_state()
        ctx.save_for_backward(x)
        return torch.where(x > 0, x, x * torch.rand_like(x))

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(ctx.state)
            slope = torch.rand_like(x)
        return grad_output * torch.where(x > 0, torch.ones_like(x), slope.detach())


class RunningNorm(Function):
    """In training it normalises by the batch and moves the running statistics."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, mean: Tensor, var: Tensor, training: bool, eps: float = 1e-5
    ) -> Tensor:
        ctx.training = training
        if training:
            now, spread = x.mean(0), x.var(0, unbiased=False)
            mean.lerp_(now.detach().to(mean.dtype), 0.1)
            var.lerp_(spread.detach().to(var.dtype), 0.1)
        else:
            now, spread = mean.clone(), var.clone()
        ctx.eps = eps
        ctx.save_for_backward(x, now, spread)
        return (x - now) * torch.rsqrt(spread + eps)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        x, mean, var = ctx.saved_tensors
        scale = torch.rsqrt(var + ctx.eps)
        grad = grad_output * scale
        if ctx.training:
            normal = (x - mean) * scale
            grad = grad - grad.mean(0) - normal * (grad * normal).mean(0)
        return grad, None, None, None, None


class Norm(nn.Module):
    def __init__(self, training: bool) -> None:
        super().__init__()
        self.register_buffer("mean", torch.linspace(-1, 1, 3, dtype=torch.float64))
        self.register_buffer("var", torch.linspace(0.5, 2, 3, dtype=torch.float64))
        self.train(training)

    def forward(self, x: Tensor) -> Any:
        return RunningNorm.apply(x, self.mean, self.var, self.training)


class Sine(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * x.cos()


OUTPUTS = [
    case("affine", Affine, lambda d: [d.normal(5, 3), d.normal(4, 3), d.normal(4)]),
    case("affine_no_bias", Affine, lambda d: [d.normal(5, 3), d.normal(4, 3)]),
    case(
        "affine_fixed_weight", Affine, lambda d: [d.normal(5, 3).requires_grad_(), d.normal(4, 3)]
    ),
    case("broadcast", Broadcast, lambda d: [d.normal(3, 4), d.normal(4), d.normal(3, 1)]),
    case("broadcast_in_front", Broadcast, lambda d: [d.normal(4), d.normal(2, 3, 1), d.normal()]),
    case("add_by_hand", Add, lambda d: [d.normal(3, 4), d.normal(3, 4)]),
    case("sum_of_any", SumOfAny, lambda d: [d.normal(3), d.normal(3), d.normal(3)]),
    case("squared_error", SquaredError, lambda d: [d.normal(5).requires_grad_(), d.normal(5)]),
    case("top_k", TopK, lambda d: [d.distinct(3, 5), 2]),
    case("top_k_tied", TopK, lambda d: [numbers([[1, 1, 1, 0], [2, 3, 3, 2]]), 1]),
    case("in_place_relu", InPlaceReLU, lambda d: [d.normal(3, 4)]),
    case("in_place_on_a_copy", in_place_on_a_copy, lambda d: [d.normal(3, 4)]),
    case("two_outputs", TwoOutputs, lambda d: [d.normal(3, 4)]),
    case("one_of_two", one_of_two, lambda d: [d.normal(3, 4)]),
    case("value_and_count", ValueAndCount, lambda d: [d.normal(3, 4)]),
    case("sum_expands", SumExpands, lambda d: [d.normal(3, 4)]),
    case("transposed", Transposed, lambda d: [d.normal(3, 4)]),
    case("transposed_square", Transposed, lambda d: [d.normal(3, 3)]),
    case("identity", Identity, lambda d: [d.normal(3, 4)]),
    case("constant", Constant, lambda d: [d.normal(3, 4)]),
    case("only_the_shape", OnlyTheShape, lambda d: [d.normal(4), d.normal(3, 4)]),
    case("dropout", Dropout, lambda d: [d.normal(3, 4), 0.5]),
    case("seeded_noise", SeededNoise, lambda d: [d.normal(3, 4), 7]),
    case("dropout_of_generator", DropoutOfGenerator, lambda d: [d.normal(3, 4), 0.3, d.generator]),
    case("random_leaky", RandomLeaky, lambda d: [d.normal(3, 4)]),
    case(
        "running_norm_eval",
        RunningNorm,
        lambda d: [d.normal(5, 3).requires_grad_(), d.normal(3), d.positive(3), False],
    ),
    case("module_norm_eval", Norm(False), lambda d: [d.normal(5, 3)]),
    case("module_norm_train", Norm(True), lambda d: [d.normal(5, 3)]),
    case("no_entries", Sine, lambda d: [d.normal(0, 3)]),
    case("one_entry", Sine, lambda d: [d.normal(1)]),
    case("no_dimensions", Sine, lambda d: [d.normal()]),
    case("not_contiguous", Sine, lambda d: [d.normal(4, 6)[:, ::2].mT]),
    case("expanded", Sine, lambda d: [d.normal(3, 1).expand(3, 4)]),
    case("views_of_one_storage", Add, lambda d: list(d.normal(2, 3, 4).unbind())),
]
