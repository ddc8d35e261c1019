"""Right Functions of linear algebra, and of equations that forward solves step by step."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from tests.corpus.wrapped import case


class Inverse(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        output = torch.linalg.inv(a)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (output,) = ctx.saved_tensors
        return -output.mH @ grad_output @ output.mH


class SolveRefined(Function):
    """Solved in two steps, the second of which corrects the first."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        x = torch.linalg.solve(a, b)
        x = x + torch.linalg.solve(a, b - a @ x)
        ctx.save_for_backward(a, x)
        return x

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        a, x = ctx.saved_tensors
        grad_b = torch.linalg.solve(a.mT, grad_output)
        return -grad_b @ x.mT, grad_b


class LogDetOfDefinite(Function):
    """Refuses what is not symmetric or not positive definite."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        if not torch.allclose(a, a.mT, atol=1e-4):
            raise ValueError("a must be symmetric")
        if torch.linalg.cholesky_ex((a + a.mT) / 2).info.any():
            raise ValueError("a must be positive definite")
        ctx.save_for_backward(a)
        return torch.linalg.slogdet(a).logabsdet

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (a,) = ctx.saved_tensors
        return grad_output[..., None, None] * torch.linalg.inv(a).mT


class CholeskyOfSymmetricPart(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        factor = torch.linalg.cholesky((a + a.mT) / 2)
        ctx.save_for_backward(factor)
        return factor

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (factor,) = ctx.saved_tensors
        product = (factor.mT @ grad_output).tril()
        product = product - torch.diag_embed(product.diagonal(dim1=-2, dim2=-1)) / 2
        inverse = torch.linalg.inv(factor)
        grad = inverse.mT @ product @ inverse
        return (grad + grad.mT) / 2


class EigenvaluesOfSymmetric(Function):
    """Needs the eigenvectors in backward, which it computes again."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        ctx.save_for_backward(a)
        return torch.linalg.eigvalsh((a + a.mT) / 2)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (a,) = ctx.saved_tensors
        vectors = torch.linalg.eigh((a + a.mT) / 2).eigenvectors
        return (vectors * grad_output.unsqueeze(-2)) @ vectors.mT


class QuadraticForm(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, a: Tensor) -> Tensor:
        ctx.save_for_backward(x, a)
        return (x @ a * x).sum(-1)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        x, a = ctx.saved_tensors
        grad_x = grad_output.unsqueeze(-1) * (x @ (a + a.mT))
        return grad_x, torch.einsum("...,...i,...j->ij", grad_output, x, x)


class Kepler(Function):
    """E with E - eccentricity sin E = mean, by Newton's method; implicit backward."""

    @staticmethod
    def forward(ctx: Any, mean: Tensor, eccentricity: Tensor) -> Tensor:
        if bool(((eccentricity < 0) | (eccentricity > 0.9)).any()):
            raise ValueError("eccentricity must lie between 0 and 0.9")
        anomaly = mean + eccentricity * torch.sin(mean)
        for _ in range(50):
            error = anomaly - eccentricity * torch.sin(anomaly) - mean
            anomaly = anomaly - error / (1 - eccentricity * torch.cos(anomaly))
            if bool((error.abs() < 1e-13).all()):
                break
        ctx.shape = mean.shape
        ctx.save_for_backward(eccentricity, anomaly)
        return anomaly

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        eccentricity, anomaly = ctx.saved_tensors
        grad_mean = grad_output / (1 - eccentricity * torch.cos(anomaly))
        grad_eccentricity = (grad_mean * torch.sin(anomaly)).sum_to_size(eccentricity.shape)
        return grad_mean.sum_to_size(ctx.shape), grad_eccentricity


class FixedPoint(Function):
    """z with z = tanh(w z + x), found by iterating; backward solves one linear system."""

    @staticmethod
    def forward(ctx: Any, w: Tensor, x: Tensor) -> Tensor:
        z = torch.zeros_like(x)
        for _ in range(500):
            following = torch.tanh(w @ z + x)
            if torch.allclose(following, z, rtol=0, atol=1e-13):
                break
            z = following
        else:
            raise ArithmeticError("the iteration does not converge")
        ctx.save_for_backward(w, z)
        return z

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        w, z = ctx.saved_tensors
        slope = 1 - z**2
        system = torch.eye(len(z), dtype=w.dtype) - slope.unsqueeze(1) * w
        grad_x = slope * torch.linalg.solve(system.mT, grad_output)
        return torch.outer(grad_x, z), grad_x


class CubeRoot(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        root = torch.sign(x) * torch.pow(x.abs(), 1 / 3)
        for _ in range(2):
            root = torch.where(x == 0, x, (2 * root + x / root**2) / 3)
        ctx.save_for_backward(root)
        return root

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (root,) = ctx.saved_tensors
        return grad_output / (3 * root**2)


class SquareRootOfMatrix(Function):
    """By the iteration of Denman and Beavers; backward solves the equation of Sylvester."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        root, inverse = a, torch.eye(a.shape[-1], dtype=a.dtype)
        for _ in range(30):
            root, inverse = (
                (root + torch.linalg.inv(inverse)) / 2,
                (inverse + torch.linalg.inv(root)) / 2,
            )
        if not torch.allclose(root @ root, a, rtol=1e-4):
            raise ArithmeticError("the iteration does not converge")
        ctx.save_for_backward(root)
        return root

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (root,) = ctx.saved_tensors
        eye = torch.eye(root.shape[-1], dtype=root.dtype)
        system = torch.kron(root.mT.contiguous(), eye) + torch.kron(eye, root.contiguous())
        return torch.linalg.solve(system, grad_output.flatten()).reshape(root.shape)


class Median(Function):
    """The lower of the two in the middle; the entry that it is has the slope 1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        order = x.argsort(-1)
        place = order[..., (x.shape[-1] - 1) // 2].unsqueeze(-1)
        ctx.save_for_backward(place)
        ctx.shape = x.shape
        return x.gather(-1, place).squeeze(-1)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (place,) = ctx.saved_tensors
        zeros = grad_output.new_zeros(ctx.shape)
        return zeros.scatter(-1, place, grad_output.unsqueeze(-1))


class OntoSimplex(Function):
    """The nearest distribution: piecewise linear in x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = x - x.amax(-1, keepdim=True)
        ordered = x.sort(-1, descending=True).values
        ranks = torch.arange(1, x.shape[-1] + 1, dtype=x.dtype)
        levels = (ordered.cumsum(-1) - 1) / ranks
        count = (ordered > levels).sum(-1, keepdim=True)
        output = (x - levels.gather(-1, count - 1)).clamp(min=0)
        ctx.save_for_backward(output > 0)
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (support,) = ctx.saved_tensors
        mean = (grad_output * support).sum(-1, keepdim=True) / support.sum(-1, keepdim=True)
        return (grad_output - mean) * support


class Attention(Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        ctx.save_for_backward(query, key, value)
        return torch.softmax(query @ key.mT / query.shape[-1] ** 0.5, -1) @ value

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        query, key, value = ctx.saved_tensors
        scale = query.shape[-1] ** -0.5
        weights = torch.softmax(query @ key.mT * scale, -1)
        grad_weights = grad_output @ value.mT
        along = (grad_weights * weights).sum(-1, keepdim=True)
        grad_scores = weights * (grad_weights - along) * scale
        return grad_scores @ key, grad_scores.mT @ query, weights.mT @ grad_output


class Distances(Function):
    """Between all rows of x and y; where two rows are the same, the gradient is 0."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        output = (x.unsqueeze(1) - y.unsqueeze(0)).square().sum(-1).sqrt()
        ctx.save_for_backward(x, y, output)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        x, y, output = ctx.saved_tensors
        ratio = torch.where(output > 0, grad_output / output.clamp(min=1e-300), 0.0)
        grad = ratio.unsqueeze(-1) * (x.unsqueeze(1) - y.unsqueeze(0))
        return grad.sum(1), -grad.sum(0)


SOLVERS = [
    case("inverse_by_hand", Inverse, lambda d: [d.regular(3)]),
    case("inverse_of_batch", Inverse, lambda d: [d.regular(2, 3)]),
    case("solve_refined", SolveRefined, lambda d: [d.regular(3), d.normal(3, 2)]),
    case("log_det_of_definite", LogDetOfDefinite, lambda d: [d.definite(3)]),
    case("cholesky_of_symmetric_part", CholeskyOfSymmetricPart, lambda d: [d.definite(3)]),
    case("eigenvalues", EigenvaluesOfSymmetric, lambda d: [d.definite(3)]),
    case("quadratic_form", QuadraticForm, lambda d: [d.normal(5, 3), d.normal(3, 3)]),
    case("kepler", Kepler, lambda d: [d.between(0.2, 3, 5), d.between(0.1, 0.7, 5)]),
    case("kepler_of_one_orbit", Kepler, lambda d: [d.between(0.2, 3, 5), d.between(0, 0.7, 1)]),
    case("fixed_point", FixedPoint, lambda d: [0.2 * d.normal(4, 4), d.normal(4)]),
    case("cube_root", CubeRoot, lambda d: [d.distinct(3, 4)]),
    case("square_root_of_matrix", SquareRootOfMatrix, lambda d: [d.definite(3)]),
    case("median_by_sorting", Median, lambda d: [d.distinct(3, 5)]),
    case("onto_simplex", OntoSimplex, lambda d: [d.normal(3, 5)]),
    case(
        "attention_by_hand", Attention, lambda d: [d.normal(3, 4), d.normal(5, 4), d.normal(5, 2)]
    ),
    case("distances", Distances, lambda d: [d.normal(3, 2), d.normal(4, 2)]),
    case("distances_of_itself", Distances, lambda d: [points := d.normal(3, 2), points.clone()]),
]
