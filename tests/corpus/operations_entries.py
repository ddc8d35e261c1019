"""Operations of single entries, reductions, scans and complex numbers."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from tests.corpus.drawing import Draw, numbers
from tests.corpus.entry import Right
from tests.corpus.wrapped import named, operation

f32, f64 = torch.float32, torch.float64


def _unary(name: str, low: float, high: float, where: Any = torch) -> Right:
    return named(name, lambda d: [d.between(low, high, 3, 4)], where)


def _matrix(d: Draw) -> list[Any]:
    return [d.normal(3, 4)]


def _two(d: Draw) -> list[Any]:
    return [d.normal(3, 4), d.normal(3, 4)]


def _row(d: Draw) -> list[Any]:
    return [d.normal(3, 4), d.normal(4)]


SMOOTH = [
    _unary("sin", -4, 4),
    _unary("cos", -4, 4),
    _unary("tan", -1.4, 1.4),
    _unary("asin", -0.95, 0.95),
    _unary("acos", -0.95, 0.95),
    _unary("atan", -4, 4),
    _unary("sinh", -3, 3),
    _unary("cosh", -3, 3),
    _unary("tanh", -3, 3),
    _unary("asinh", -4, 4),
    _unary("acosh", 1.1, 4),
    _unary("atanh", -0.95, 0.95),
    _unary("exp", -3, 3),
    _unary("exp2", -3, 3),
    _unary("expm1", -2, 2),
    _unary("log", 0.1, 5),
    _unary("log2", 0.1, 5),
    _unary("log10", 0.1, 5),
    _unary("log1p", -0.9, 3),
    _unary("sqrt", 0.1, 5),
    _unary("rsqrt", 0.1, 5),
    _unary("reciprocal", 0.2, 3),
    _unary("square", -3, 3),
    _unary("neg", -3, 3),
    _unary("positive", -3, 3),
    _unary("sigmoid", -5, 5),
    _unary("logit", 0.05, 0.95),
    _unary("erf", -2, 2),
    _unary("erfc", -2, 2),
    _unary("erfinv", -0.95, 0.95),
    _unary("lgamma", 0.2, 5),
    _unary("digamma", 0.2, 5),
    _unary("sinc", 0.2, 3),
    _unary("deg2rad", -180, 180),
    _unary("rad2deg", -3, 3),
    _unary("i0", -3, 3),
    _unary("i0e", 0.2, 3, torch.special),
    _unary("i1", 0.2, 3, torch.special),
    _unary("ndtr", -2, 2, torch.special),
    _unary("ndtri", 0.05, 0.95, torch.special),
    _unary("log_ndtr", -4, 2, torch.special),
    _unary("entr", 0.1, 3, torch.special),
    _unary("erfcx", -1, 3, torch.special),
    operation("polygamma", lambda x: x.polygamma(1), lambda d: [d.positive(3, 4)]),
]

ON_EDGES = [
    operation("sqrt_near_0", torch.sqrt, lambda d: [numbers([1e-8, 1e-4, 0.5, 2, 1e8])]),
    operation("log_near_0", torch.log, lambda d: [numbers([1e-8, 1e-4, 0.5, 2, 1e8])]),
    operation("asin_near_1", torch.asin, lambda d: [numbers([-1 + 1e-8, -0.3, 0.5, 1 - 1e-6])]),
    operation("acosh_near_1", torch.acosh, lambda d: [numbers([1 + 1e-6, 1.5, 3, 1e4])]),
    operation("atanh_near_1", torch.atanh, lambda d: [numbers([-1 + 1e-6, 0, 0.5, 1 - 1e-8])]),
    operation("reciprocal_near_0", torch.reciprocal, lambda d: [numbers([-1e-6, 1e-4, 2, 1e6])]),
    operation("log1p_of_little", torch.log1p, lambda d: [numbers([1e-12, -1e-9, 0, 1e-3])]),
    operation("expm1_of_little", torch.expm1, lambda d: [numbers([1e-12, -1e-9, 0, 1e-3])]),
    operation("tan_near_pole", torch.tan, lambda d: [numbers([1.57, -1.57, 0, 4.7])]),
    operation("sigmoid_saturated", torch.sigmoid, lambda d: [numbers([-60, -30, 0, 30, 60])]),
    operation("tanh_saturated", torch.tanh, lambda d: [numbers([-30, -10, 0, 10, 30])]),
    operation("sin_far_out", torch.sin, lambda d: [d.normal(5) + 1e6]),
    operation("square_far_out", torch.square, lambda d: [d.normal(3, 4) + 1e6]),
    operation("abs_at_0", torch.abs, lambda d: [numbers([0, -0.0, 1e-9, -1e-9, 1, -2])]),
    operation("relu_at_0", torch.relu, lambda d: [numbers([[0, 0, 1e-9], [-1e-9, 1, -2]])]),
    operation("sign", torch.sign, _matrix),
    operation("sign_at_0", torch.sign, lambda d: [numbers([0, 1e-9, -1e-9, 3, -2])]),
    operation("floor", torch.floor, lambda d: [numbers([0.5, 2, -1.3, 3 - 1e-9, 1e6])]),
    operation("ceil", torch.ceil, _matrix),
    operation("trunc", torch.trunc, _matrix),
    operation("round", torch.round, lambda d: [numbers([0.5, 1.5, -0.2, 2.5 + 1e-9, 7])]),
    operation("frac", torch.frac, lambda d: [numbers([0.5, 2, -1.3, 3 - 1e-9])]),
    operation("step", lambda x: torch.where(x > 0, torch.ones_like(x), 0 * x), _matrix),
    operation("nan_to_num", torch.nan_to_num, _matrix),
    operation("nan_to_num_of_nan", torch.nan_to_num, lambda d: [numbers([1, torch.nan, 2])]),
    operation("clamp", lambda x: x.clamp(-0.5, 0.5), _matrix),
    operation("clamp_at_bounds", lambda x: x.clamp(-1, 1), lambda d: [numbers([-1, 1, 0, 2, -3])]),
    operation("clamp_min", torch.clamp_min, lambda d: [d.normal(3, 4), 0.2]),
    operation("clamp_by_tensors", torch.clamp, lambda d: [*_row(d), d.positive(4) + 2]),
]

OF_TWO = [
    named("add", _row),
    named("sub", _row),
    named("mul", _row),
    named("div", lambda d: [d.normal(3, 4), d.positive(3, 1)]),
    named("pow", lambda d: [d.positive(3, 4), d.normal(4)]),
    operation("pow_by_number", torch.pow, lambda d: [d.normal(3, 4), 3]),
    operation("pow_of_number", torch.pow, lambda d: [2.5, d.normal(3, 4)]),
    operation("pow_0", torch.pow, lambda d: [numbers([0, 1, -2, 3]), 0]),
    named("float_power", lambda d: [d.positive(3, 4), d.normal(4)]),
    named("atan2", _two),
    named("hypot", _two),
    named("fmod", lambda d: [d.between(-5, 5, 3, 4), d.positive(4)]),
    named("remainder", lambda d: [d.between(-5, 5, 3, 4), d.positive(4)]),
    named("copysign", _two),
    named("xlogy", lambda d: [d.normal(3, 4), d.positive(4)]),
    operation("xlogy_of_0", torch.xlogy, lambda d: [numbers([0, 1, 2]), numbers([0.5, 1, 2])]),
    named("xlog1py", lambda d: [d.normal(3, 4), d.positive(4)], torch.special),
    named("logaddexp", _row),
    named("logaddexp2", _row),
    named("maximum", _two),
    named("minimum", _two),
    named("fmax", _two),
    operation("maximum_tied", torch.maximum, lambda d: [numbers([1, 2, 3]), numbers([1, 3, 3])]),
    named("lerp", lambda d: [*_row(d), d.between(0, 1, 3, 1)]),
    operation("lerp_by_number", torch.lerp, lambda d: [*_two(d), 0.3]),
    operation(
        "addcmul", lambda x, y, z: x.addcmul(y, z, value=0.5), lambda d: [*_row(d), *_row(d)[:1]]
    ),
    operation(
        "addcdiv", lambda x, y, z: x.addcdiv(y, z, value=2), lambda d: [*_two(d), d.positive(4)]
    ),
    operation("where", torch.where, lambda d: [d.normal(3, 4) > 0, *_two(d)]),
    operation("where_of_row", torch.where, lambda d: [d.normal(3, 1) > 0, *_row(d)]),
    operation("mul_of_two_dtypes", torch.mul, lambda d: [d.normal(3, 4, dtype=f32), d.normal(4)]),
    operation("div_of_two_dtypes", torch.div, lambda d: [d.normal(3), d.positive(3, dtype=f32)]),
    operation("mul_by_integers", torch.mul, lambda d: [d.normal(3, 4), d.integers(-3, 4, 4)]),
    operation("sin_float32", torch.sin, lambda d: [d.normal(3, 4, dtype=f32)]),
    operation("exp_float32", torch.exp, lambda d: [d.normal(3, 4, dtype=f32)]),
    operation("to_float64", lambda x: x.to(f64), lambda d: [d.normal(3, 4, dtype=f32)]),
]

REDUCTIONS = [
    named("sum", _matrix),
    operation("sum_dim", torch.sum, lambda d: [d.normal(3, 4, 2), 1]),
    operation("sum_keepdim", torch.sum, lambda d: [d.normal(3, 4), 0, True]),
    named("mean", _matrix),
    operation("mean_dims", torch.mean, lambda d: [d.normal(3, 4, 2), (0, 2)]),
    operation("nansum", torch.nansum, lambda d: [numbers([[1, torch.nan], [2, 3]])]),
    operation("var", torch.var, lambda d: [d.normal(3, 4), 1]),
    operation("var_correction_0", lambda x: x.var(0, correction=0), _matrix),
    operation("var_far_out", torch.var, lambda d: [d.normal(3, 4) + 1e6, 1]),
    operation("std", torch.std, lambda d: [d.normal(3, 4), 1]),
    operation("std_far_out", torch.std, lambda d: [d.normal(5) + 1e6]),
    operation("var_mean", torch.var_mean, lambda d: [d.normal(3, 4), 1]),
    operation("prod", torch.prod, lambda d: [d.normal(3, 4), 1]),
    operation("prod_with_0", torch.prod, lambda d: [numbers([[1, 0, 3], [0, 2, 0], [1, 2, 3]]), 1]),
    operation("norm_2", torch.linalg.vector_norm, _matrix),
    operation("norm_1", lambda x: torch.linalg.vector_norm(x, 1, dim=1), _matrix),
    operation("norm_3", lambda x: torch.linalg.vector_norm(x, 3, dim=0), _matrix),
    operation("norm_half", lambda x: torch.linalg.vector_norm(x, 0.5, dim=0), _matrix),
    operation("norm_inf", lambda x: torch.linalg.vector_norm(x, torch.inf, dim=1), _matrix),
    operation("norm_of_0", torch.linalg.vector_norm, lambda d: [numbers([0, 0, 0])]),
    operation("frobenius", torch.linalg.matrix_norm, lambda d: [d.normal(2, 3, 4)]),
    operation("amax", torch.amax, lambda d: [d.normal(3, 4), 1]),
    operation("amin_tied", torch.amin, lambda d: [numbers([[1, 1, 2], [3, 0, 0]]), 1]),
    operation("max_dim", torch.max, lambda d: [d.distinct(3, 4), 1]),
    operation("max_all", torch.max, _matrix),
    operation("max_tied", torch.max, lambda d: [numbers([[1, 2, 2], [3, 3, 3]]), 1]),
    operation("min_dim", torch.min, lambda d: [d.distinct(3, 4), 0]),
    operation("median", torch.median, lambda d: [d.distinct(3, 5), 1]),
    operation("median_of_even", torch.median, lambda d: [d.distinct(4)]),
    operation("kthvalue", torch.kthvalue, lambda d: [d.distinct(3, 5), 2]),
    operation("quantile", lambda x: x.quantile(0.3, dim=1), lambda d: [d.distinct(3, 5)]),
    operation("logsumexp", torch.logsumexp, lambda d: [d.normal(3, 4), 1]),
    operation("logsumexp_far_out", torch.logsumexp, lambda d: [d.normal(3, 4) + 1e6, 1]),
    operation("cumsum", torch.cumsum, lambda d: [d.normal(3, 4), 1]),
    operation("cumprod", torch.cumprod, lambda d: [d.normal(3, 4), 1]),
    operation("cumprod_with_0", torch.cumprod, lambda d: [numbers([[1, 0, 3], [2, 0, 0]]), 1]),
    operation("logcumsumexp", torch.logcumsumexp, lambda d: [d.normal(3, 4), 1]),
    operation("cummax", torch.cummax, lambda d: [d.distinct(3, 4), 1]),
    operation("diff", torch.diff, _matrix),
    operation("trapezoid", torch.trapezoid, lambda d: [d.normal(3, 4), d.distinct(4)]),
    operation("renorm", lambda x: x.renorm(2, 0, 1.0), _matrix),
]

COMPLEX = [
    operation("complex_mul", torch.mul, lambda d: [d.complex(3, 4), d.complex(4)]),
    operation("complex_div", torch.div, lambda d: [d.complex(3, 4), d.complex(4)]),
    operation("complex_by_real", torch.mul, lambda d: [d.complex(3, 4), d.normal(4)]),
    operation("complex_exp", torch.exp, lambda d: [d.complex(3, 4)]),
    operation("complex_tanh", torch.tanh, lambda d: [d.complex(3, 4)]),
    operation("complex_abs", torch.abs, lambda d: [d.complex(3, 4)]),
    operation("complex_angle", torch.angle, lambda d: [d.complex(3, 4)]),
    operation("complex_matmul", torch.matmul, lambda d: [d.complex(3, 4), d.complex(4, 2)]),
    operation("complex_mean", torch.mean, lambda d: [d.complex(3, 4), 0]),
    operation("conj", lambda x: x.conj().resolve_conj(), lambda d: [d.complex(3, 4)]),
    operation("real", torch.real, lambda d: [d.complex(3, 4)]),
    operation("imag", torch.imag, lambda d: [d.complex(3, 4)]),
    operation("sgn", torch.sgn, lambda d: [d.complex(3, 4)]),
    operation("complex", torch.complex, _two),
    operation("view_as_real", torch.view_as_real, lambda d: [d.complex(3, 4)]),
    operation("view_as_complex", torch.view_as_complex, lambda d: [d.normal(3, 2)]),
    operation("fft", torch.fft.fft, lambda d: [d.complex(3, 4)]),
    operation("fft_of_real", torch.fft.fft, _matrix),
    operation("ifft", torch.fft.ifft, lambda d: [d.complex(3, 5)]),
    operation("rfft", torch.fft.rfft, lambda d: [d.normal(3, 6)]),
    operation("rfft_odd", torch.fft.rfft, lambda d: [d.normal(3, 5)]),
    operation("irfft", torch.fft.irfft, lambda d: [d.complex(3, 4)]),
    operation("fft2", torch.fft.fft2, lambda d: [d.complex(3, 4)]),
    operation("fftshift", torch.fft.fftshift, lambda d: [d.complex(5)]),
]

ACTIVATIONS = [
    named(name, _matrix, F, suffix="_activation")
    for name in (
        *("relu", "relu6", "elu", "selu", "celu", "leaky_relu", "gelu", "silu", "mish"),
        *("softplus", "softsign", "logsigmoid", "hardtanh", "hardswish"),
        *("hardshrink", "softshrink", "tanhshrink"),
    )
] + [
    operation("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), _matrix),
    operation("relu_float16", F.relu, lambda d: [d.normal(3, 4, dtype=torch.float32).half()]),
    operation("threshold", F.threshold, lambda d: [d.normal(3, 4), 0.1, 5.0]),
    operation("softplus_beta", F.softplus, lambda d: [10 * d.normal(3, 4), 2.0, 5.0]),
    operation("rrelu_eval", F.rrelu, _matrix),
]

ENTRIES = [*SMOOTH, *ON_EDGES, *OF_TWO, *REDUCTIONS, *COMPLEX, *ACTIVATIONS]
