"""What the words of a kernel become when Numba compiles them: vector arithmetic.

A call to the C library for each number would keep the loop around it from being vectorised, so
every function is arithmetic without a branch, accurate to a few units in the last place. Only
`power` and `atan` are left to the C library.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload, register_jitable

from derivable.function import kernel
from derivable.objective import vector_series as series
from derivable.objective.vector_series import EXACT

_intrinsic: Any = intrinsic  # whose types say that nothing can be done with what it returns
_LARGE_ANGLE = 1.6e6  # beyond, sine and cosine are NaN: the parts of pi / 2 below do not suffice


@_intrinsic
def _select(context: Any, condition: Any, a: Any, b: Any) -> Any:
    """`a` where the condition holds, else `b`, without a branch."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(*arguments)

    return a(types.boolean, a, a), generate


@_intrinsic
def _root(context: Any, x: Any) -> Any:
    """The square root as one instruction; `math.sqrt` would call the C library."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        root = builder.module.declare_intrinsic("llvm.sqrt", [arguments[0].type])
        return builder.call(root, arguments)

    return x(x), generate


@_intrinsic
def _power_of_two(context: Any, k: Any) -> Any:
    """2^k for a whole float k: its biased exponent, put above the bits of the mantissa."""
    bits, bias, mantissa = _layout(k)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        integer = ir.IntType(bits)
        whole = builder.fptosi(arguments[0], ir.IntType(32))
        exponent = builder.add(builder.sext(whole, integer) if bits > 32 else whole, integer(bias))
        return builder.bitcast(builder.shl(exponent, integer(mantissa)), arguments[0].type)

    return k(k), generate


@_intrinsic
def _split(context: Any, x: Any) -> Any:
    """(k, m) with x = 2^k m and m from sqrt(1/2) to sqrt(2), for a normal number above 0."""
    bits, bias, mantissa = _layout(x)
    number, whole = (np.float32, np.int32) if bits == 32 else (np.float64, np.int64)
    one, root = (int(number(value).view(whole)) for value in (1.0, math.sqrt(0.5)))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        integer, kind = ir.IntType(bits), arguments[0].type
        pattern = builder.bitcast(arguments[0], integer)
        above = builder.ashr(builder.add(pattern, integer(one - root)), integer(mantissa))
        k = builder.sub(above, integer(bias))
        m = builder.bitcast(builder.sub(pattern, builder.shl(k, integer(mantissa))), kind)
        short = builder.trunc(k, ir.IntType(32)) if bits > 32 else k
        return context.make_tuple(builder, signature.return_type, [builder.sitofp(short, kind), m])

    return types.UniTuple(x, 2)(x), generate


def _layout(x: Any) -> tuple[int, int, int]:
    """Bits, bias of the exponent, and bits of the mantissa."""
    return (32, 127, 23) if x == types.float32 else (64, 1023, 52)


def _meaning(word: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Decorates what gives `word` its compiled meaning for a type of number."""
    return overload(word, jit_options=EXACT, strict=False, **options)  # type: ignore[no-any-return]  # Numba: no type


@overload(kernel.like, strict=False)
def _like(x: Any, constant: Any) -> Any:
    if x == types.float32:
        return lambda x, constant: np.float32(constant)
    return lambda x, constant: np.float64(constant)


@overload(kernel.where, strict=False)
def _where(condition: Any, a: Any, b: Any) -> Any:
    return lambda condition, a, b: _select(condition, a, b)


# exp x = 2^k exp r with r = x - k log 2 and |r| <= log(2) / 2. log 2 is in two parts, of which the
# first ends in zeros, so that k times it is exact. What follows has half of 2^k, which does not
# overflow before exp x does; below the bound 2^k would leave the normal numbers.


@njit(**EXACT)
def _reduced_32(x: Any) -> Any:
    """(exp r - 1, 2^k / 2) of a float32."""
    x = min(max(x, np.float32(-86.98)), np.float32(89))
    k = np.floor(x * np.float32(1 / math.log(2)) + np.float32(0.5))
    r = x - k * np.float32(0.693359375) - k * np.float32(-2.12194440e-4)
    return r * series.EXP_32(r), _power_of_two(k - np.float32(1))


@njit(**EXACT)
def _reduced_64(x: Any) -> Any:
    """(exp r - 1, 2^k / 2) of a float64."""
    x = min(max(x, -708.0), 710.0)
    k = np.floor(x * (1 / math.log(2)) + 0.5)
    r = x - k * 0.693147180369123816490 - k * 1.90821492927058770002e-10
    return r * series.EXP_64(r), _power_of_two(k - 1.0)


@_meaning(kernel.exp)
def _exp(x: Any) -> Any:
    reduced = _reduced_32 if x == types.float32 else _reduced_64

    def exp(x: Any) -> Any:
        part, power = reduced(x)
        half = power * part + power
        return half + half

    return exp


@_meaning(kernel.expm1)
def _expm1(x: Any) -> Any:
    reduced = _reduced_32 if x == types.float32 else _reduced_64

    def expm1(x: Any) -> Any:
        part, power = reduced(x)
        half = power * part + (power - kernel.like(x, 0.5))
        return half + half

    return expm1


@_meaning(kernel.tanh)
def _tanh(x: Any) -> Any:
    def tanh_32(x: Any) -> Any:
        bounded = min(max(x, np.float32(-9.1)), np.float32(9.1))
        u = bounded * bounded
        inner = bounded * series.TANH_P_32(u) / series.TANH_Q_32(u)
        # From 9.02 tanh x is 1 to rounding, and 1 - tanh(x)^2, which may meet a large factor, 0.
        one = np.float32(1)
        outer = _select(x > np.float32(9.02), one, inner)
        return _select(x < np.float32(-9.02), -one, outer)

    def tanh_64(x: Any) -> Any:
        # With m = exp(2x) - 1, tanh x = m / (m + 2), which is accurate where x is tiny, too.
        x = min(max(x, -20.0), 20.0)  # where tanh x is 1 to rounding
        part, power = _reduced_64(x + x)
        half = power * part + (power - 0.5)
        return half / (half + 1.0)

    return tanh_32 if x == types.float32 else tanh_64


# log x = k log 2 + log m with x = 2^k m, and with f = m - 1, s = f / (2 + f), z = s^2
# log m = f - (f^2 / 2 - s (f^2 / 2 + z R(z))): what is largest is added last.


@njit(**EXACT)
def _log_32(x: Any) -> Any:
    """Log of a float32 above 0."""
    tiny = x < np.float32(1.1754944e-38)
    k, m = _split(_select(tiny, x * np.float32(2**25), x))
    k = _select(tiny, k - np.float32(25), k)
    f = m - np.float32(1)
    s = f / (np.float32(2) + f)
    z, square = s * s, np.float32(0.5) * f * f
    rest = s * (square + z * series.LOG_32(z)) + k * np.float32(-2.12194440e-4)
    return k * np.float32(0.693359375) - ((square - rest) - f)


@njit(**EXACT)
def _log_64(x: Any) -> Any:
    """Log of a float64 above 0."""
    tiny = x < 2.2250738585072014e-308
    k, m = _split(_select(tiny, x * 2.0**54, x))
    k = _select(tiny, k - 54.0, k)
    f = m - 1.0
    s = f / (2.0 + f)
    z, square = s * s, 0.5 * f * f
    rest = s * (square + z * series.LOG_64(z)) + k * 1.90821492927058770002e-10
    return k * 0.693147180369123816490 - ((square - rest) - f)


@register_jitable(**EXACT)
def _at_the_ends(x: Any, inner: Any) -> Any:
    """The logarithm of x, which is `inner` where x is above 0 and finite."""
    infinity, zero = kernel.like(x, np.inf), kernel.like(x, 0)
    outer = _select(x == zero, -infinity, kernel.like(x, np.nan))
    return _select(x > zero, _select(x < infinity, inner, x), outer)


@_meaning(kernel.log)
def _log(x: Any) -> Any:
    inner = _log_32 if x == types.float32 else _log_64
    return lambda x: _at_the_ends(x, inner(x))


@_meaning(kernel.log1p)
def _log1p(x: Any) -> Any:
    inner = _log_32 if x == types.float32 else _log_64

    def log1p(x: Any) -> Any:
        # What 1 + x has lost, divided by it, is the derivative times the loss.
        one = kernel.like(x, 1)
        above = one + x
        lost = x - (above - one)
        return _at_the_ends(above, inner(above) + lost / above)

    return log1p


@_meaning(kernel.softplus)
def _softplus(x: Any) -> Any:
    inner = series.ATANH_32 if x == types.float32 else series.ATANH_64

    def softplus(x: Any) -> Any:
        # max(x, 0) + log(1 + t) with t = exp(-|x|), and log(1 + t) = 2 atanh(t / (2 + t))
        t = kernel.exp(-abs(x))
        s = t / (kernel.like(x, 2) + t)
        zero = kernel.like(x, 0)
        return _select(zero > x, zero, x) + s * inner(s * s)

    return softplus


@njit(error_model="numpy", forceinline=True)
def _square_32(x: Any) -> Any:
    """x^2 and what rounding has taken from it."""
    wide = np.float64(x) * np.float64(x)
    square = np.float32(wide)
    return square, np.float32(wide - np.float64(square))


@njit(error_model="numpy", forceinline=True)
def _square_64(x: Any) -> Any:
    """x^2 and what rounding has taken from it: x in two parts of half as many digits."""
    scaled = x * 134217729.0
    high = scaled - (scaled - x)
    low = x - high
    square = x * x
    return square, ((high * high - square) + 2.0 * high * low) + low * low


@njit(**EXACT)
def _erfc_32(t: Any) -> Any:
    """Erfc of a float32 from 0."""
    c, one = np.float32(series.ERFC_CENTRE_32), np.float32(1)
    t = min(t, np.float32(series.ERFC_BOUND_32))
    square, rest = _square_32(t)
    part, power = _reduced_32(-square)
    bell = (power * part + power) * (one - rest)  # exp(-t^2) / 2
    return bell * (series.ERFC_32((t - c) / (t + c)) / (np.float32(0.5) + t))


@njit(**EXACT)
def _erfc_64(t: Any) -> Any:
    """Erfc of a float64 from 0."""
    c = series.ERFC_CENTRE_64
    t = min(t, series.ERFC_BOUND_64)
    square, rest = _square_64(t)
    part, power = _reduced_64(-square)
    bell = (power * part + power) * (1.0 - rest)  # exp(-t^2) / 2
    return bell * (series.ERFC_64((t - c) / (t + c)) / (0.5 + t))


@_meaning(kernel.erfc)
def _erfc(x: Any) -> Any:
    positive = _erfc_32 if x == types.float32 else _erfc_64

    def erfc(x: Any) -> Any:
        tail = positive(abs(x))
        return _select(x < kernel.like(x, 0), kernel.like(x, 2) - tail, tail)

    return erfc


@_meaning(kernel.erf)
def _erf(x: Any) -> Any:
    positive, inner = (_erfc_32, series.ERF_32) if x == types.float32 else (_erfc_64, series.ERF_64)

    def erf(x: Any) -> Any:
        size = abs(x)
        outer = kernel.like(x, 1) - positive(size)
        signed = _select(x < kernel.like(x, 0), -outer, outer)
        # bounded, because what is not taken must not overflow
        small = min(size, kernel.like(x, 0.5))
        return _select(size < kernel.like(x, 0.5), x * inner(small * small), signed)

    return erf


# x = k pi / 2 + r with |r| <= pi / 4, in float64 for float32, too. pi / 2 is in three parts, of
# which the first two have 33 digits, so that k times them is exact. The quarter turn k decides
# between sine and cosine of r, and about the sign.


@njit(**EXACT)
def _turned(x: Any) -> Any:
    """(k mod 4, r) of a float64; r is NaN where x is too large."""
    k = np.floor(x * (2 / math.pi) + 0.5)
    r = x - k * 1.5707963267341256 - k * 6.077100506303966e-11 - k * 2.0222662487959506e-21
    return k - 4.0 * np.floor(k * 0.25), _select(abs(x) <= _LARGE_ANGLE, r, np.nan)


@register_jitable(**EXACT)
def _wave_32(turn: Any, r: Any) -> Any:
    """The sine of r and so many quarter turns, in float32."""
    r = np.float32(r)
    z, one = r * r, np.float32(1)
    sine = r + r * z * series.SIN_32(z)
    cosine = one - (np.float32(0.5) * z - z * z * series.COS_32(z))
    return _quarter(turn, sine, cosine)


@register_jitable(**EXACT)
def _wave_64(turn: Any, r: Any) -> Any:
    """The sine of r and so many quarter turns, in float64."""
    z = r * r
    sine = r + r * z * series.SIN_64(z)
    cosine = 1.0 - (0.5 * z - z * z * series.COS_64(z))
    return _quarter(turn, sine, cosine)


@register_jitable(**EXACT)
def _quarter(turn: Any, sine: Any, cosine: Any) -> Any:
    odd = (turn == 1.0) | (turn == 3.0)
    wave = _select(odd, cosine, sine)
    return _select((turn == 2.0) | (turn == 3.0), -wave, wave)


@_meaning(kernel.sin)
def _sin(x: Any) -> Any:
    wave = _wave_32 if x == types.float32 else _wave_64

    def sin(x: Any) -> Any:
        turn, r = _turned(np.float64(x))
        return wave(turn, r)

    return sin


@_meaning(kernel.cos)
def _cos(x: Any) -> Any:
    wave = _wave_32 if x == types.float32 else _wave_64

    def cos(x: Any) -> Any:
        turn, r = _turned(np.float64(x))
        return wave(_select(turn == 3.0, 0.0, turn + 1.0), r)

    return cos


@overload(kernel.sqrt, strict=False)
def _sqrt(x: Any) -> Any:
    return lambda x: _root(x)


@overload(kernel.floor, strict=False)
def _floor(x: Any) -> Any:
    return lambda x: np.floor(x)


@overload(kernel.atan, strict=False)
def _atan(x: Any) -> Any:
    return lambda x: math.atan(x)


@overload(kernel.power, strict=False)
def _power(x: Any, exponent: Any) -> Any:
    return lambda x, exponent: x**exponent
