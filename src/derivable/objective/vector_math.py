"""What `like`, `exp` and `tanh` of a kernel become when Numba compiles it: vector arithmetic.

A call to the C library for each number would keep the loop around it from being vectorised.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload

from derivable.function import kernel

# No sums in another order, unlike in the loops: log 2 in two parts must not become one again.
_EXACT: dict[str, Any] = {"fastmath": {"contract"}, "error_model": "numpy", "forceinline": True}

# tanh x = x P(x^2) / Q(x^2) for |x| <= 9.1, and its value there beyond: the rational function of
# smallest relative error (2e-8), fitted by reweighted least squares on Chebyshev points. It is
# within 7 float32 ulps of tanh everywhere.
_CLAMP = np.float32(9.1)
_P = tuple(
    np.float32(c)
    for c in (0.9999999773, 0.13374483156, 3.4878200933e-3, 2.0481321219e-5, 1.3177684301e-8)
)
_Q = tuple(
    np.float32(c) for c in (1.0, 0.46707796973, 2.5847424024e-2, 3.2729343399e-4, 7.7041174613e-7)
)

# exp x = 2^k exp r with r = x - k log 2 and |r| <= log(2) / 2, where the series of exp r - 1 needs
# so many terms until the first one left out is below a rounding. log 2 is in two parts, of which
# the first ends in zeros, so that k times it is exact.
_C32 = tuple(np.float32(1 / math.factorial(n)) for n in range(1, 8))
_C64 = tuple(1 / math.factorial(n) for n in range(1, 14))
_LOG2_32 = np.float32(0.693359375), np.float32(-2.12194440e-4)
_LOG2_64 = 0.693147180369123816490, 1.90821492927058770002e-10
_PER_LOG2 = 1 / math.log(2)
_BOUND_32, _BOUND_64 = np.float32(87), 708.0  # beyond, exp leaves the normal numbers


@intrinsic
def _power_of_two(context: Any, k: Any) -> Any:
    """2^k for a whole float k: its biased exponent, put above the bits of the mantissa."""
    bits, bias, mantissa = (32, 127, 23) if k == types.float32 else (64, 1023, 52)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        integer = ir.IntType(bits)
        whole = builder.fptosi(arguments[0], ir.IntType(32))
        exponent = builder.add(builder.sext(whole, integer) if bits > 32 else whole, integer(bias))
        return builder.bitcast(builder.shl(exponent, integer(mantissa)), arguments[0].type)

    return k(k), generate


@njit(**_EXACT)
def _reduced_32(x: Any) -> Any:
    """(exp r - 1, 2^k) of a float32."""
    x = min(max(x, -_BOUND_32), _BOUND_32)
    k = np.floor(x * np.float32(_PER_LOG2) + np.float32(0.5))
    r = x - k * _LOG2_32[0] - k * _LOG2_32[1]
    c = _C32
    series = c[0] + r * (c[1] + r * (c[2] + r * (c[3] + r * (c[4] + r * (c[5] + r * c[6])))))
    return r * series, _power_of_two(k)


@njit(**_EXACT)
def _reduced_64(x: Any) -> Any:
    """(exp r - 1, 2^k) of a float64."""
    x = min(max(x, -_BOUND_64), _BOUND_64)
    k = np.floor(x * _PER_LOG2 + 0.5)
    r = x - k * _LOG2_64[0] - k * _LOG2_64[1]
    c = _C64
    tail = c[7] + r * (c[8] + r * (c[9] + r * (c[10] + r * (c[11] + r * c[12]))))
    series = c[0] + r * (c[1] + r * (c[2] + r * (c[3] + r * (c[4] + r * (c[5] + r * c[6])))))
    r7 = r * r * r * (r * r) * (r * r)
    return r * (series + r7 * tail), _power_of_two(k)


@njit(**_EXACT)
def _tanh_32(x: Any) -> Any:
    x = min(max(x, -_CLAMP), _CLAMP)
    u = x * x
    p = _P[0] + u * (_P[1] + u * (_P[2] + u * (_P[3] + u * _P[4])))
    q = _Q[0] + u * (_Q[1] + u * (_Q[2] + u * (_Q[3] + u * _Q[4])))
    return x * p / q


@njit(**_EXACT)
def _tanh_64(x: Any) -> Any:
    # With m = exp(2x) - 1, tanh x = m / (m + 2), which is accurate where x is tiny, too.
    x = min(max(x, -20.0), 20.0)  # where tanh x is 1 to rounding
    part, power = _reduced_64(x + x)
    m = power * part + (power - 1.0)
    return m / (m + 2.0)


@overload(kernel.like, strict=False)
def _like(x: Any, constant: Any) -> Any:
    if x == types.float32:
        return lambda x, constant: np.float32(constant)
    return lambda x, constant: np.float64(constant)


@overload(kernel.exp, jit_options=_EXACT, strict=False)
def _exp(x: Any) -> Any:
    reduced = _reduced_32 if x == types.float32 else _reduced_64

    def exp(x: Any) -> Any:
        part, power = reduced(x)
        return power * part + power

    return exp


@overload(kernel.tanh, jit_options=_EXACT, strict=False)
def _tanh(x: Any) -> Any:
    rational = _tanh_32 if x == types.float32 else _tanh_64
    return lambda x: rational(x)
