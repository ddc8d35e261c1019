"""Mistakes in public packages: what is examined, at which inputs, and the cause to be found.

Each is a function that imports its package and returns a target and its inputs, for `check`.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

DOUBLE = torch.float64


@dataclass(frozen=True)
class Package:
    """A package of a registry, with the packages that it imports here."""

    name: str
    version: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mistake:
    """One mistake: `target` returns what is examined, and its inputs."""

    package: str
    what: str
    cause: str
    target: Callable[[], tuple[Any, tuple[Any, ...]]]
    options: dict[str, Any] = field(default_factory=dict)


OPERATORS = ("linear_operator==0.6.1", "jaxtyping", "wadler-lindig")
SPEECH = ("torchaudio==2.11.0", "hyperpyyaml", "ruamel.yaml", "PyYAML", "huggingface_hub", "tqdm")
PACKAGES = {
    one.name: one
    for one in (
        Package("entmax", "1.3"),
        Package("gpytorch", "1.15.2", OPERATORS),
        Package("kornia", "0.9.0", ("kornia-rs",)),
        Package("linear_operator", "0.6.1", OPERATORS[1:]),
        Package("pypose", "0.9.5"),
        Package("pytorch-tabnet", "4.1.0", ("tqdm",)),
        Package("pytorch-wavelets", "1.3.0", ("PyWavelets", "six", "setuptools<81")),
        Package("snntorch", "1.0.0"),
        Package("speechbrain", "1.1.2", SPEECH),
        Package("torch-struct", "0.5"),
        Package("torchaudio", "2.11.0"),
        Package("torchsparsegradutils", "0.2.7"),
        Package("xitorch", "0.5.1"),
        Package("zuko", "1.6.0"),
    )
}
MISTAKES: list[Mistake] = []


def mistake(package: str, what: str, cause: str, **options: Any) -> Callable[[Any], Any]:
    """Adds what the decorated function returns to the list."""

    def added(target: Any) -> Any:
        MISTAKES.append(Mistake(package, what, cause, target, options))
        return target

    return added


def draw(*shape: int, grad: bool = True, seed: int = 0) -> torch.Tensor:
    """Normal numbers in float64."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, dtype=DOUBLE, generator=generator)
    return x.requires_grad_(grad)


# --- entmax --------------------------------------------------------------------------------------


@mistake("entmax", "budget_bisect, shape (B, 1, n)", "unrecognised")
def budget_bisect() -> Any:
    from entmax.root_finding import BudgetBisectFunction

    return BudgetBisectFunction, (draw(2, 1, 5), 2, -1)


@mistake("entmax", "entmax15, second derivative", "second_order")
def entmax15() -> Any:
    from entmax.activations import Entmax15Function

    return Entmax15Function, (draw(3, 5), -1)


@mistake("entmax", "Entmax15Loss, second derivative", "second_order")
def entmax15_loss() -> Any:
    from entmax.losses import Entmax15LossFunction

    return Entmax15LossFunction, (draw(3, 5), torch.tensor([0, 1, 2]))


# --- pytorch-tabnet ------------------------------------------------------------------------------


@mistake("pytorch-tabnet", "sparsemax overwrites its input", "in_place")
def tabnet_in_place() -> Any:
    from pytorch_tabnet.sparsemax import SparsemaxFunction

    return SparsemaxFunction, (draw(2, 5), -1)


@mistake("pytorch-tabnet", "sparsemax, shape (B, 1, n)", "unrecognised")
def tabnet_sizes() -> Any:
    from pytorch_tabnet.sparsemax import sparsemax

    def sparsemax_of_a_copy(x: torch.Tensor) -> torch.Tensor:
        return sparsemax(x.clone(), -1)

    return sparsemax_of_a_copy, (draw(2, 1, 5),)


# --- pytorch-wavelets ----------------------------------------------------------------------------


def analysis(mode: int, length: int) -> Any:
    """The Function of DWT1DForward with db2, in a mode of padding, as its number."""
    import pywt
    from pytorch_wavelets.dwt.lowlevel import AFB1D

    wave = pywt.Wavelet("db2")
    h0, h1 = (
        torch.tensor(h[::-1], dtype=DOUBLE).reshape(1, 1, -1) for h in (wave.dec_lo, wave.dec_hi)
    )
    return AFB1D, (draw(1, 1, length), h0, h1, mode)


@mistake("pytorch-wavelets", "DWT1DForward, mode symmetric", "constant")
def dwt_symmetric() -> Any:
    return analysis(1, 8)


@mistake("pytorch-wavelets", "DWT1DForward, mode reflect", "constant")
def dwt_reflect() -> Any:
    return analysis(4, 8)


@mistake("pytorch-wavelets", "DWT1DForward, mode periodic", "constant")
def dwt_periodic() -> Any:
    return analysis(6, 8)


@mistake("pytorch-wavelets", "DWT1DForward, periodization, odd length", "missing_term")
def dwt_periodization() -> Any:
    return analysis(2, 9)


@mistake("pytorch-wavelets", "DWT1DInverse, only the highpass requires grad", "needs_input_grad")
def dwt_inverse() -> Any:
    import pywt
    from pytorch_wavelets.dwt.lowlevel import SFB1D

    wave = pywt.Wavelet("db2")
    g0, g1 = (torch.tensor(g, dtype=DOUBLE).reshape(1, 1, -1) for g in (wave.rec_lo, wave.rec_hi))
    return SFB1D, (draw(1, 1, 5), draw(1, 1, 5, seed=1), g0, g1, 0)


@mistake("pytorch-wavelets", "SmoothMagFn, only y requires grad", "needs_input_grad")
def smooth_magnitude() -> Any:
    from pytorch_wavelets.scatternet.lowlevel import SmoothMagFn

    return SmoothMagFn, (draw(3), draw(3, seed=1), 0.1)


# --- gpytorch and linear_operator ----------------------------------------------------------------


@mistake("gpytorch", "log_normal_cdf near -1", "one_side")
def log_normal_cdf() -> Any:
    from gpytorch.functions._log_normal_cdf import LogNormalCDF

    return LogNormalCDF, (torch.linspace(-1.9, 1.1, 7, dtype=DOUBLE).requires_grad_(),)


def kernel(name: str, *options: Any) -> Any:
    """The Function of a kernel, at inputs and a lengthscale that requires grad."""
    import gpytorch
    from gpytorch.functions import matern_covariance, rbf_covariance

    gpytorch.settings.lazily_evaluate_kernels._set_state(False)
    module = {"RBFCovariance": rbf_covariance, "MaternCovariance": matern_covariance}[name]
    function = getattr(module, name)
    x, y = draw(4, 2, grad=False), draw(3, 2, grad=False, seed=1)
    lengthscale = torch.tensor([[0.7]], dtype=DOUBLE, requires_grad=True)
    return function, (x, y, lengthscale, *options)


def squared_distances(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Between the rows of x and of y."""
    return (x[:, None] - y[None]).square().sum(-1)


@mistake("gpytorch", "RBF kernel, second derivative in the lengthscale", "second_order")
def rbf() -> Any:
    return kernel("RBFCovariance", squared_distances)


@mistake("gpytorch", "Matern kernel, second derivative in the lengthscale", "second_order")
def matern() -> Any:
    return kernel("MaternCovariance", 2.5, lambda x, y: squared_distances(x, y).sqrt())


def of_matrix(call: Callable[[Any], Any]) -> Any:
    """A function of a square matrix A, through the positive definite A A' + 4."""
    from linear_operator import to_linear_operator

    def of_a(a: torch.Tensor) -> torch.Tensor:
        return call(to_linear_operator(a @ a.mT + 4 * torch.eye(len(a), dtype=a.dtype)))

    return of_a, (draw(4, 4),)


@mistake("linear_operator", "sqrt_inv_matmul, second derivative", "second_order")
def sqrt_inv_matmul() -> Any:
    import linear_operator

    b = draw(4, 2, grad=False, seed=1)
    return of_matrix(lambda a: linear_operator.sqrt_inv_matmul(a, b))


@mistake("linear_operator", "pivoted_cholesky, second derivative", "second_order")
def pivoted_cholesky() -> Any:
    import linear_operator

    return of_matrix(lambda a: linear_operator.pivoted_cholesky(a, 3))


@mistake("linear_operator", "inv_quad by conjugate gradients, second derivative", "second_order")
def inv_quad() -> Any:
    import linear_operator

    b = draw(4, 2, grad=False, seed=1)

    def by_conjugate_gradients(a: Any) -> torch.Tensor:
        with linear_operator.settings.max_cholesky_size(0):
            return linear_operator.inv_quad(a, b)

    return of_matrix(by_conjugate_gradients)


# --- pypose --------------------------------------------------------------------------------------


def adjoint(group: str, size: int) -> Any:
    """Ad(Exp(x))' a of a group, as a function of x and a: coordinates of the tangent space."""
    from pypose.lietensor import operation

    exp = getattr(operation, f"{group.lower()}_Exp").apply
    transposed = getattr(operation, f"{group}_AdjTXa").apply

    def adjoint_transposed(x: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
        return transposed(exp(x), a)

    x = (0.1 * draw(2, size)).detach().requires_grad_()
    return adjoint_transposed, (x, draw(2, size, seed=1))


@mistake("pypose", "SE3_AdjTXa", "unrecognised")
def se3() -> Any:
    return adjoint("SE3", 6)


@mistake("pypose", "Sim3_AdjTXa", "unrecognised")
def sim3() -> Any:
    return adjoint("Sim3", 7)


# --- others --------------------------------------------------------------------------------------


@mistake("snntorch", "LeakySpikeOperator", "count")
def leaky_spike() -> Any:
    from snntorch.surrogate import LeakySpikeOperator

    return LeakySpikeOperator, (draw(2, 5), 0.1)


@mistake("torch-struct", "SparseMaxSemiring.sum", "missing_term")
def sparse_max() -> Any:
    from torch_struct.semirings.sparse_max import SparseMaxSemiring

    return SparseMaxSemiring.sum, (draw(4, 5),)


@mistake("zuko", "bisection with frozen parameters", "needs_input_grad")
def zuko_bisection() -> Any:
    from zuko.utils import bisection

    def inverse(y: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
        return bisection(lambda x: x * slope, y, -10.0, 10.0, 60, (slope,))

    return inverse, (draw(3), torch.tensor(2.0, dtype=DOUBLE, requires_grad=True))


@mistake("zuko", "gauss_legendre with frozen parameters", "needs_input_grad")
def zuko_quadrature() -> Any:
    from zuko.utils import gauss_legendre

    def area(b: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
        return gauss_legendre(lambda x: x * slope, torch.zeros_like(b), b, 5, (slope,))

    return area, (draw(3), torch.tensor(2.0, dtype=DOUBLE, requires_grad=True))


@mistake("xitorch", "quad with only some inputs requiring grad", "needs_input_grad")
def xitorch_quad() -> Any:
    from xitorch.integrate import quad

    def area(upper: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
        return quad(lambda x, s: x * s, torch.zeros_like(upper), upper, params=(slope,))

    one = torch.tensor(1.3, dtype=DOUBLE, requires_grad=True)
    return area, (one, torch.tensor(2.0, dtype=DOUBLE, requires_grad=True))


def torchaudio_in_python() -> None:
    """Import torchaudio without its compiled part, which is made for one version of PyTorch."""
    name = "torchaudio._extension"
    sys.modules.setdefault(name, types.ModuleType(name))
    vars(sys.modules[name]).update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False, fail_if_no_align=lambda function: function
    )


@mistake("speechbrain", "quaternion linear, only some inputs require grad", "needs_input_grad")
def quaternion() -> Any:
    torchaudio_in_python()
    from speechbrain.nnet.quaternion_networks.q_ops import QuaternionLinearCustomBackward

    weights = [draw(2, 3, seed=i) for i in range(4)]
    return QuaternionLinearCustomBackward, (draw(5, 8, seed=5), *weights, draw(12, seed=6))


@mistake("torchaudio", "FIR filter: permuted grad_output", "layout")
def fir() -> Any:
    torchaudio_in_python()
    from torchaudio.functional.filtering import DifferentiableFIR

    return DifferentiableFIR, (draw(2, 3, 8), draw(3, 4, seed=1))


@mistake("kornia", "null space of the essential matrix, second derivative", "second_order")
def null_space() -> Any:
    from kornia.geometry.epipolar.essential import _NullSpaceBasis

    def projector(x: torch.Tensor) -> torch.Tensor:
        basis = _NullSpaceBasis.apply(x)[0]
        return basis @ basis.mT

    return projector, (draw(1, 5, 9),)


@mistake("torchsparsegradutils", "sparse_mm, second derivative", "second_order")
def sparse_product() -> Any:
    import torchsparsegradutils

    places = torch.tensor([[0, 1, 2, 3, 1], [0, 1, 2, 3, 4]])
    b = draw(5, 3, grad=False, seed=1)

    def product(values: torch.Tensor) -> torch.Tensor:
        a = torch.sparse_coo_tensor(places, values, (4, 5)).coalesce()
        return torchsparsegradutils.sparse_mm(a, b)

    return product, (draw(5),)
