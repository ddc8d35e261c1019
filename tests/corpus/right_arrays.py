"""Right Functions of rows, windows and indices, and such as work for some sizes or values only."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from tests.corpus.drawing import numbers
from tests.corpus.wrapped import case


class LogSumExp(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        largest = x.amax(-1, keepdim=True)
        output = (x - largest).exp().sum(-1).log() + largest.squeeze(-1)
        ctx.save_for_backward(x, output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        x, output = ctx.saved_tensors
        return grad_output.unsqueeze(-1) * torch.exp(x - output.unsqueeze(-1))


class Softmax(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, dim: int = -1) -> Tensor:
        output = torch.exp(x - x.amax(dim, keepdim=True))
        output = output / output.sum(dim, keepdim=True)
        ctx.save_for_backward(output)
        ctx.dim = dim
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        (output,) = ctx.saved_tensors
        along = (grad_output * output).sum(ctx.dim, keepdim=True)
        return output * (grad_output - along), None


class MaxSharesTies(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        output = x.amax(-1)
        ctx.save_for_backward(x, output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        x, output = ctx.saved_tensors
        mask = (x == output.unsqueeze(-1)).to(grad_output.dtype)
        return grad_output.unsqueeze(-1) * mask / mask.sum(-1, keepdim=True)


class MaxTakesLast(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        place = x.shape[-1] - 1 - x.flip(-1).argmax(-1, keepdim=True)
        ctx.save_for_backward(place)
        ctx.shape = x.shape
        return x.gather(-1, place).squeeze(-1)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (place,) = ctx.saved_tensors
        zeros = grad_output.new_zeros(ctx.shape)
        return zeros.scatter(-1, place, grad_output.unsqueeze(-1))


class Standardise(Function):
    """Two passes, so that a large offset costs no digits."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, eps: float) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        scale = torch.rsqrt(centred.square().mean(-1, keepdim=True) + eps)
        ctx.save_for_backward(x)
        ctx.eps = eps
        return centred * scale

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        centred = x - x.mean(-1, keepdim=True)
        scale = torch.rsqrt(centred.square().mean(-1, keepdim=True) + ctx.eps)
        normal = centred * scale
        along = (grad_output * normal).mean(-1, keepdim=True)
        return scale * (grad_output - grad_output.mean(-1, keepdim=True) - normal * along), None


class LengthOf0Is0(Function):
    """The 2-norm of rows; the zero row gets the gradient 0."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        output = x.square().sum(-1).sqrt()
        ctx.save_for_backward(x, output)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        x, output = ctx.saved_tensors
        ratio = torch.where(output > 0, grad_output / output, torch.zeros_like(output))
        return ratio.unsqueeze(-1) * x


class ReversedCumulativeSum(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.flip(-1).cumsum(-1).flip(-1)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output.cumsum(-1)


class LinearRecurrence(Function):
    """h_t = a_t h_(t-1) + x_t, run backward in time for the gradient."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, x: Tensor) -> Tensor:
        state, states = torch.zeros_like(x[0]), []
        for factor, term in zip(a, x, strict=True):
            state = factor * state + term
            states.append(state)
        output = torch.stack(states)
        ctx.save_for_backward(a, output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        a, output = ctx.saved_tensors
        grad, grads = torch.zeros_like(grad_output[0]), []
        for t in reversed(range(len(a))):
            grad = grad_output[t] + (a[t + 1] * grad if t + 1 < len(a) else 0)
            grads.append(grad)
        grad_x = torch.stack(grads[::-1])
        before = torch.cat([torch.zeros_like(output[:1]), output[:-1]])
        return grad_x * before, grad_x


class Rows(Function):
    """Rows of a table by index; a row that is picked twice gets both gradients."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, index: Tensor) -> Tensor:
        if int(index.max()) >= len(table):
            raise IndexError(f"row {int(index.max())} of {len(table)}")
        ctx.save_for_backward(index)
        ctx.count = len(table)
        return table[index]

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        (index,) = ctx.saved_tensors
        zeros = grad_output.new_zeros(ctx.count, *grad_output.shape[index.dim() :])
        return zeros.index_put((index,), grad_output, accumulate=True), None


class CrossEntropy(Function):
    """Classes must be fewer than the columns."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, target: Tensor) -> Tensor:
        if len(target) != len(scores):
            raise ValueError("one class for each row of scores")
        if int(target.max()) >= scores.shape[1]:
            raise ValueError(f"class {int(target.max())} of {scores.shape[1]}")
        ctx.save_for_backward(scores, target)
        rows = torch.arange(len(target))
        return -torch.log_softmax(scores, 1)[rows, target].mean()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        scores, target = ctx.saved_tensors
        wanted = torch.nn.functional.one_hot(target, scores.shape[1]).to(scores.dtype)
        return grad_output * (torch.softmax(scores, 1) - wanted) / len(target), None


class SegmentSum(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, segment: Tensor, count: int) -> Tensor:
        ctx.save_for_backward(segment)
        return x.new_zeros(count, *x.shape[1:]).index_add(0, segment, x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        (segment,) = ctx.saved_tensors
        return grad_output[segment], None, None


class MaxPool(Function):
    """Windows that overlap: an entry that is largest in two of them gets two gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, size: int) -> Tensor:
        values, places = x.unfold(-1, size, 1).max(-1)
        ctx.save_for_backward(places + torch.arange(places.shape[-1]))
        ctx.shape = x.shape
        return values

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        (places,) = ctx.saved_tensors
        return grad_output.new_zeros(ctx.shape).scatter_add(-1, places, grad_output), None


class Convolution(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor) -> Tensor:
        ctx.save_for_backward(x, kernel)
        return x.unfold(-1, kernel.shape[-1], 1) @ kernel

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        x, kernel = ctx.saved_tensors
        width = kernel.shape[-1]
        padded = torch.nn.functional.pad(grad_output, (width - 1, width - 1))
        grad_x = padded.unfold(-1, width, 1) @ kernel.flip(0)
        windows = x.unfold(-1, width, 1)
        return grad_x, (windows * grad_output.unsqueeze(-1)).sum(tuple(range(x.dim())))


class CrossProduct(Function):
    """Vectors of three entries; others are refused."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        if x.shape[-1] != 3 or x.shape != y.shape:
            raise ValueError("the cross product is one of vectors of three entries")
        ctx.save_for_backward(x, y)
        return torch.linalg.cross(x, y)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        x, y = ctx.saved_tensors
        return torch.linalg.cross(y, grad_output), torch.linalg.cross(grad_output, x)


class Hadamard(Function):
    """The fast transform of Walsh and Hadamard, for powers of two."""

    @staticmethod
    def transform(x: Tensor) -> Tensor:
        count, width = x.shape[-1], 1
        while width < count:
            one, two = x.reshape(*x.shape[:-1], -1, 2, width).unbind(-2)
            x = torch.stack([one + two, one - two], -2).flatten(-3)
            width *= 2
        return x

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        count = x.shape[-1]
        if count == 0 or count & (count - 1):
            raise ValueError(f"{count} is not a power of two")
        return Hadamard.transform(x)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return Hadamard.transform(grad_output)


class Gated(Function):
    """Half of an even number of channels is gated by the other half."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        if x.shape[-1] % 2:
            raise ValueError("the last dimension must be even")
        ctx.save_for_backward(x)
        value, gate = x.chunk(2, -1)
        return value * torch.sigmoid(gate)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        value, gate = x.chunk(2, -1)
        s = torch.sigmoid(gate)
        return torch.cat([grad_output * s, grad_output * value * s * (1 - s)], -1)


class Fixed(Function):
    """Refuses every size but (2, 3)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        if x.shape != (2, 3):
            raise ValueError(f"expected (2, 3), got {tuple(x.shape)}")
        return x * torch.arange(6, dtype=x.dtype).reshape(2, 3)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return grad_output * torch.arange(6, dtype=grad_output.dtype).reshape(2, 3)


class Divergence(Function):
    """Of two distributions; what does not sum to 1 is refused."""

    @staticmethod
    def forward(ctx: Any, p: Tensor, q: Tensor) -> Tensor:
        for name, value in (("p", p), ("q", q)):
            if not torch.allclose(value.sum(-1), value.new_ones(()), atol=1e-4):
                raise ValueError(f"{name} must sum to 1")
            if (value <= 0).any():
                raise ValueError(f"{name} must be positive")
        ctx.save_for_backward(p, q)
        return (p * (p / q).log()).sum(-1)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        p, q = ctx.saved_tensors
        grad = grad_output.unsqueeze(-1)
        return grad * ((p / q).log() + 1), -grad * p / q


class PixelShuffle(Function):
    """Of an empty batch, PyTorch's own inverse makes an empty tensor of another shape."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: int) -> Tensor:
        ctx.factor = factor
        return torch.nn.functional.pixel_shuffle(x, factor)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        return torch.nn.functional.pixel_unshuffle(grad_output, ctx.factor), None


class Increments(Function):
    """Where a path begins, and the cubes of its steps; backward raises for a lone point."""

    @staticmethod
    def forward(ctx: Any, path: Tensor) -> Tensor:
        ctx.save_for_backward(path)
        return path[0] + (path.diff(dim=0) ** 3).sum(0)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (path,) = ctx.saved_tensors
        steps = torch.stack([3 * grad_output * step**2 for step in path.diff(dim=0)])
        none = torch.zeros_like(steps[:1])
        gradient = torch.cat([none, steps]) - torch.cat([steps, none])
        gradient[0] += grad_output
        return gradient


ROWS = [
    case("pixel_shuffle", PixelShuffle, lambda d: [d.normal(2, 8, 3, 2), 2]),
    case("increments", Increments, lambda d: [d.normal(4, 2)]),
    case("log_sum_exp", LogSumExp, lambda d: [d.normal(3, 4)]),
    case("log_sum_exp_far_out", LogSumExp, lambda d: [1e4 + d.normal(3, 4)]),
    case("log_sum_exp_far_apart", LogSumExp, lambda d: [numbers([[0, 1e3], [-1e3, 1.0]])]),
    case("softmax_by_hand", Softmax, lambda d: [d.normal(3, 4), 0]),
    case("softmax_square", Softmax, lambda d: [d.normal(4, 4)]),
    case("softmax_one_hot", Softmax, lambda d: [numbers([[0, 800, -800], [1, 1, 1]])]),
    case("max_shares_ties", MaxSharesTies, lambda d: [d.distinct(3, 4)]),
    case("max_shares_ties_tied", MaxSharesTies, lambda d: [numbers([[1, 1, 0], [2, 2, 2]])]),
    case("max_takes_last_tied", MaxTakesLast, lambda d: [numbers([[1, 1, 0], [2, 2, 2]])]),
    case("standardise", Standardise, lambda d: [d.normal(3, 5), 1e-5]),
    case("standardise_far_out", Standardise, lambda d: [d.normal(3, 5) + 1e6, 1e-5]),
    case("length_of_0_is_0", LengthOf0Is0, lambda d: [numbers([[0, 0], [3, 4], [1e-9, 0]])]),
    case("reversed_cumulative_sum", ReversedCumulativeSum, lambda d: [d.normal(3, 4)]),
    case("linear_recurrence", LinearRecurrence, lambda d: [d.normal(5, 3), d.normal(5, 3)]),
    case("rows_repeated", Rows, lambda d: [d.normal(4, 3), numbers([1, 1, 3, 0, 1], torch.int64)]),
    case("rows_in_a_grid", Rows, lambda d: [d.normal(4, 3), d.integers(0, 4, 2, 3)]),
    case("cross_entropy_by_hand", CrossEntropy, lambda d: [d.normal(5, 3), d.integers(0, 3, 5)]),
    case("segment_sum", SegmentSum, lambda d: [d.normal(5, 2), d.integers(0, 3, 5), 3]),
    case("max_pool", MaxPool, lambda d: [d.distinct(2, 6), 3]),
    case("convolution", Convolution, lambda d: [d.normal(2, 6), d.normal(3)]),
    case("cross_product", CrossProduct, lambda d: [d.normal(4, 3), d.normal(4, 3)]),
    case("hadamard", Hadamard, lambda d: [d.normal(3, 8)]),
    case("gated", Gated, lambda d: [d.normal(3, 6)]),
    case("fixed", Fixed, lambda d: [d.normal(2, 3)]),
    case("divergence", Divergence, lambda d: [d.probabilities(3, 4), d.probabilities(3, 4)]),
]
