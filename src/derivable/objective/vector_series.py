"""The polynomials of `vector_math`, in float32 and float64, compiled.

Unless stated otherwise a polynomial interpolates its function at the zeros of a Chebyshev
polynomial on the interval on which it is used, computed to 60 digits, with as many terms as leave
an error below a rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import njit

# No sums in another order, unlike in the loops: log 2 in two parts must not become one again.
EXACT: dict[str, Any] = {"fastmath": {"contract"}, "error_model": "numpy", "forceinline": True}


def polynomial(coefficients: Sequence[float], number: type[np.floating[Any]]) -> Callable[..., Any]:
    """The compiled c[0] + x (c[1] + x (c[2] + ...)) for numbers of that type."""
    names: dict[str, Any] = {f"c{i}": number(c) for i, c in enumerate(coefficients)}
    names["__name__"] = __name__  # what Numba keeps on disk must be of a module
    body = f"c{len(coefficients) - 1}"
    for i in reversed(range(len(coefficients) - 1)):
        body = f"c{i} + x * ({body})"
    exec(compile(f"def series(x):\n    return {body}\n", "<polynomial>", "exec"), names)
    compiled: Callable[..., Any] = njit(**EXACT)(names["series"])
    return compiled


# (exp r - 1) / r for |r| <= log(2) / 2: its power series, until the first term left out is below a
# rounding.
EXP_32 = polynomial([1 / math.factorial(n) for n in range(1, 8)], np.float32)
EXP_64 = polynomial([1 / math.factorial(n) for n in range(1, 14)], np.float64)

# tanh x = x P(x^2) / Q(x^2) for |x| <= 9.1: the rational function of smallest relative error
# (2e-8), fitted by reweighted least squares on Chebyshev points.
TANH_P_32 = polynomial(
    [0.9999999773, 0.13374483156, 3.4878200933e-3, 2.0481321219e-5, 1.3177684301e-8], np.float32
)
TANH_Q_32 = polynomial(
    [1.0, 0.46707796973, 2.5847424024e-2, 3.2729343399e-4, 7.7041174613e-7], np.float32
)

# (2 atanh(s) / s - 2) / z with z = s^2, for (1 + s) / (1 - s) from sqrt(1/2) to sqrt(2).
LOG_32 = polynomial(
    [0.66666666553784054, 0.40000122277368274, 0.28550781106736644, 0.23331367483766567],
    np.float32,
)
LOG_64 = polynomial(
    [0.66666666666666697, 0.39999999999899007, 0.28571428626173057, 0.2222221110612709,
     0.18182891005049771, 0.15331664799306262, 0.14617093237558203], np.float64,
)  # fmt: skip

# 2 atanh(s) / s in z = s^2, for s from 0 to 1/3.
ATANH_32 = polynomial(
    [2.000000008, 0.6666631594, 0.4002485372, 0.2796141884, 0.2817465726], np.float32
)
ATANH_64 = polynomial(
    [2.0, 0.66666666666666138, 0.40000000000189313, 0.28571428545041908, 0.22222224104933035,
     0.18181740017812254, 0.15386630743249173, 0.13300162200565394, 0.12111792015820002,
     0.083176209404291532, 0.17056574502947029], np.float64,
)  # fmt: skip

# erf(x) / x in z = x^2, for |x| <= 1/2.
ERF_32 = polynomial(
    [1.1283791656147942, -0.37612609173340625, 0.11282834739151421, -0.026757944332645791,
     0.0047195053543597736], np.float32,
)  # fmt: skip
ERF_64 = polynomial(
    [1.1283791670955126, -0.37612638903183475, 0.11283791670925457, -0.026866170632921086,
     0.0052239773735421826, -0.0008548297798086192, 0.00012053337222877718,
     -1.4845900896375834e-5, 1.4726381680017031e-6], np.float64,
)  # fmt: skip

# (1 + 2 t) exp(t^2) erfc(t) in u = (t - c) / (t + c), for t from 0 to the bound, beyond which
# erfc(t) leaves the normal numbers.
ERFC_32, ERFC_CENTRE_32, ERFC_BOUND_32 = polynomial(
    [1.264838168, -0.122356849, -0.09902311267, 0.1576322698, -0.1029860293, 0.03273894156,
     0.001018281315, -0.004289421233, 0.0003381113228, 0.000460500126], np.float32,
), 2.5, 9.1  # fmt: skip
ERFC_64, ERFC_CENTRE_64, ERFC_BOUND_64 = polynomial(
    [1.253008058269729791, -0.135621106124577328, -0.04756229435349245946, 0.1296451587023631723,
     -0.1192736634132875282, 0.06830802735631892504, -0.02377051495579560233,
     0.002529391637120208827, 0.001888690695571812073, -0.0007798308221026884087,
     -0.0001051614638942504422, 0.0001250921859016009555, 4.954010086598543083e-6,
     -0.00002007807126084178847, -7.371452869823228779e-7, 3.427221815838596045e-6,
     3.550781158751335144e-7, -5.600430830395254468e-7, -1.266358723620503627e-7,
     6.09587583800140953e-8, 2.354672016260523861e-8, 6.313406544247439263e-10], np.float64,
), 3.0, 26.5  # fmt: skip

# (sin(r) / r - 1) / z and (cos r - 1 + z / 2) / z^2 with z = r^2, for |r| <= pi / 4.
SIN_32 = polynomial(
    [-0.16666666663858068, 0.0083333318755207137, -0.00019840087085697617, 2.7249963658800812e-6],
    np.float32,
)
COS_32 = polynomial(
    [0.04166666666432319, -0.0013888887672596337, 2.4800600627652243e-5, -2.7300986273536178e-7],
    np.float32,
)
SIN_64 = polynomial(
    [-0.16666666666666665, 0.0083333333333309494, -0.00019841269836759792, 2.7557316103105013e-6,
     -2.5051131947374595e-8, 1.5918135932869774e-10], np.float64,
)  # fmt: skip
COS_64 = polynomial(
    [0.041666666666666665, -0.0013888888888887398, 2.4801587298766365e-5, -2.7557317272036996e-7,
     2.0876146325316768e-9, -1.138263611596406e-11], np.float64,
)  # fmt: skip
