"""The compiled words of kernels: accurate to a few units in the last place, and vectorised."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest

from derivable.function import kernel

numba = pytest.importorskip("numba")
pytest.importorskip("derivable.objective.vector_math")

Array = np.ndarray[Any, Any]
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda kind: kind.__name__)
TINY = np.logspace(-37, 0, 203)
NEAR_0 = np.concatenate([TINY, -TINY])


def around(low: float, high: float) -> Array:
    return np.concatenate([np.linspace(low, high, 709), NEAR_0])


# Where each is compared in both dtypes, where in float64 besides, and its largest error in ulps.
WORDS: dict[str, tuple[Array, Array, float]] = {
    "exp": (around(-86.9, 88.7), np.linspace(-707.9, 709.7, 709), 2),
    "expm1": (around(-20.0, 88.7), np.linspace(-40.0, 709.7, 709), 2.5),
    "log": (np.concatenate([np.logspace(-44, 38, 709), np.linspace(0.6, 1.6, 307)]),
            np.logspace(-320, 308, 307), 1.5),
    "log1p": (np.concatenate([NEAR_0[:-1], np.linspace(-0.99, 3, 509), np.logspace(0, 38, 203)]),
              np.logspace(38, 308, 203), 2),
    "softplus": (around(-86.0, 88.7), np.linspace(-700.0, 709.7, 509), 3),
    "tanh": (around(-12.0, 12.0), around(-23.0, 23.0), 4.5),
    "erf": (around(-7.0, 7.0), np.array([]), 3),
    "erfc": (around(-7.0, 9.0), np.linspace(9.0, 26.4, 307), 6),
    "sin": (around(-40.0, 40.0), np.concatenate([math.pi * np.arange(1, 60), [1.1e6, -1.5e6]]), 2),
    "cos": (around(-40.0, 40.0), np.concatenate([math.pi * np.arange(1, 60), [1.1e6, -1.5e6]]), 2),
    "sqrt": (np.logspace(-37, 38, 509), np.logspace(-307, 308, 509), 0.5),
    "atan": (around(-50.0, 50.0), np.logspace(10, 300, 101), 1.5),
    "floor": (around(-50.0, 50.0), np.array([]), 0),
}  # fmt: skip
TRUTHS: dict[str, Any] = {word: getattr(mpmath, word, None) for word in WORDS}
TRUTHS["softplus"] = lambda x: mpmath.log1p(mpmath.exp(x))
ALL = pytest.mark.parametrize("word", WORDS)


@cache
def loop(word: str) -> Any:
    """The word over arrays, with the options that our loops have."""
    from derivable.compiler.jit import FAST

    function: Callable[[Any], Any] = getattr(kernel, word)

    @numba.njit(**FAST)  # type: ignore[untyped-decorator]
    def run(x: Any, y: Any) -> None:
        for i in range(x.size):
            y[i] = function(x[i])

    return run


def applied(word: str, x: Any, dtype: type[np.floating[Any]]) -> Array:
    given = np.asarray(x, dtype)
    y = np.empty_like(given)
    loop(word)(given, y)
    return y


def error(ours: np.floating[Any], exact: Any) -> float:
    """In units of the last place of the number that is nearest to the exact one."""
    near = type(ours)(exact)
    if not np.isfinite(near):
        return 0.0 if ours == near else math.inf
    gap = np.nextafter(abs(near), type(ours)(np.inf)) - abs(near)
    return float(abs(mpmath.mpf(float(ours)) - exact) / mpmath.mpf(float(gap)))


@DTYPES
@ALL
def test_it_is_accurate_to_a_few_units_in_the_last_place(
    word: str, dtype: type[np.floating[Any]]
) -> None:
    both, wide, bound = WORDS[word]
    x = (np.concatenate([both, wide]) if dtype is np.float64 else both).astype(dtype)
    with mpmath.workdps(50):
        exact = [TRUTHS[word](mpmath.mpf(float(n))) for n in x]
        errors = [error(*pair) for pair in zip(applied(word, x, dtype), exact, strict=True)]
    assert max(errors) <= bound, x[int(np.argmax(errors))]


ENDS: dict[str, list[float]] = {  # at -inf, inf, nan, 0 and -0
    "exp": [0, math.inf, math.nan, 1, 1],
    "expm1": [-1, math.inf, math.nan, 0, 0],
    "log": [math.nan, math.inf, math.nan, -math.inf, -math.inf],
    "log1p": [math.nan, math.inf, math.nan, 0, 0],
    "softplus": [0, math.inf, math.nan, math.log(2), math.log(2)],
    "tanh": [-1, 1, math.nan, 0, 0],
    "erf": [-1, 1, math.nan, 0, 0],
    "erfc": [2, 0, math.nan, 1, 1],
    "sin": [math.nan, math.nan, math.nan, 0, 0],
    "cos": [math.nan, math.nan, math.nan, 1, 1],
    "sqrt": [math.nan, math.inf, math.nan, 0, 0],
    "atan": [-math.pi / 2, math.pi / 2, math.nan, 0, 0],
    "floor": [-math.inf, math.inf, math.nan, 0, 0],
}


@DTYPES
@ALL
def test_the_ends(word: str, dtype: type[np.floating[Any]]) -> None:
    # More than one vector of numbers. What is nearly 0 is the smallest of the normal numbers.
    ours = applied(word, [-math.inf, math.inf, math.nan, 0.0, -0.0] * 7, dtype)
    np.testing.assert_allclose(ours, np.array(ENDS[word] * 7, dtype), rtol=1e-6, atol=1e-37)


@DTYPES
def test_outside_of_their_domains(dtype: type[np.floating[Any]]) -> None:
    assert np.isnan(applied("log", [-1.0, -1e30], dtype)).all()
    assert np.isnan(applied("log1p", [-1.5, -1e30], dtype)).all()
    assert applied("log1p", [-1.0], dtype) == [-math.inf]
    assert np.isnan(applied("sin", [1e7, -1e30], dtype)).all()  # rather than a wrong digit
    assert np.isnan(applied("cos", [1e7, -1e30], dtype)).all()
    assert (applied("exp", [90.0 if dtype is np.float32 else 710.0], dtype) == math.inf).all()


@DTYPES
@ALL
def test_the_loop_around_it_is_vectorised(word: str, dtype: type[np.floating[Any]]) -> None:
    if word == "atan":
        pytest.skip("left to the C library")
    applied(word, [0.5], dtype)
    number = numba.from_dtype(np.dtype(dtype))
    code = loop(word).inspect_llvm((number[::1], number[::1]))
    assert f"x {'float' if dtype is np.float32 else 'double'}>" in code
    assert f"@{word}" not in code  # no call to the C library


@DTYPES
def test_power_is_that_of_the_c_library(dtype: type[np.floating[Any]]) -> None:
    @numba.njit  # type: ignore[untyped-decorator]
    def run(x: Any, exponent: Any) -> Any:
        return kernel.power(x, kernel.like(x, exponent))

    ours = float(run(dtype(1.7), 0.3))
    assert ours == pytest.approx(1.7**0.3, rel=4 * float(np.finfo(dtype).eps))


def test_where_takes_either_without_a_branch() -> None:
    @numba.njit  # type: ignore[untyped-decorator]
    def run(x: Any) -> Any:
        return kernel.where(x > kernel.like(x, 0.0), kernel.log(x), -x)

    assert run(-3.0) == 3.0
    assert run(math.e) == pytest.approx(1.0)
