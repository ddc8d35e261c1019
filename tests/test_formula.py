"""Expressions: simplified soundly, differentiated as autograd does, and spelled as Python."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from derivable.formula.derivative import differentiate
from derivable.formula.expression import (
    OPERATIONS,
    Expression,
    apply,
    constant,
    evaluate,
    ordered,
    power,
    substitute,
    variable,
)
from derivable.formula.recognition import candidates
from derivable.formula.rules import OUTPUT, Formulas, X
from derivable.formula.spelling import compiled, spell
from tests.conftest import ROOT

Y = variable("y")

# A number is a quarter of a small whole number, so that what follows is computed exactly.
QUARTERS = st.integers(-12, 12).map(lambda n: n / 4)
ARITHMETIC = {"neg": 1, "abs": 1, "add": 2, "sub": 2, "mul": 2, "minimum": 2, "maximum": 2}
COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")


def grown(trees: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    truths = st.tuples(st.sampled_from(COMPARISONS), trees, trees)
    truths |= st.tuples(st.sampled_from(["and", "or"]), truths, truths)
    truths |= st.tuples(st.just("not"), truths)
    one = [op for op, count in ARITHMETIC.items() if count == 1]
    two = [op for op, count in ARITHMETIC.items() if count == 2]
    return (
        st.tuples(st.sampled_from(one), trees)
        | st.tuples(st.sampled_from(two), trees, trees)
        | st.tuples(st.just("where"), truths, trees, trees)
    )


TREES = st.recursive(QUARTERS | st.sampled_from(["x", "y"]), grown, max_leaves=12)
POINTS = torch.tensor([-3.0, -1.25, -1.0, 0.0, 0.5, 1.0, 2.75], dtype=torch.float64)
VALUES = {"x": POINTS.repeat(7), "y": POINTS.repeat_interleave(7)}


def as_it_is(tree: Any) -> Tensor:
    """The tree on tensors, nothing simplified."""
    if isinstance(tree, float):
        return torch.full_like(VALUES["x"], tree)
    if isinstance(tree, str):
        return VALUES[tree]
    return OPERATIONS[tree[0]].on_tensors(*map(as_it_is, tree[1:]))


def built(tree: Any) -> Expression:
    if isinstance(tree, float):
        return constant(tree)
    if isinstance(tree, str):
        return variable(tree)
    return apply(tree[0], *map(built, tree[1:]))


@given(TREES)
def test_what_is_simplified_has_the_same_value(tree: Any) -> None:
    (ours,) = evaluate([built(tree)], VALUES)
    assert torch.equal(ours + 0.0, as_it_is(tree) + 0.0)


@given(TREES)
def test_an_expression_is_one_object_and_survives_being_built_again(tree: Any) -> None:
    root = built(tree)
    assert built(tree) is root
    assert substitute(root, {}) is root


@given(TREES)
def test_its_spelling_computes_the_same(tree: Any) -> None:
    function = compiled(spell("f", ["x", "y"], built(tree)))
    pairs = zip(VALUES["x"].tolist(), VALUES["y"].tolist(), strict=True)
    ours = torch.tensor([function(x, y) for x, y in pairs], dtype=torch.float64)
    assert torch.equal(ours, as_it_is(tree))


@pytest.mark.parametrize(
    ("built", "simpler"),
    [
        (1.0 * X + 0.0, X),
        (X / 1.0 - 0.0, X),
        (apply("neg", -X), X),
        (X * -1.0, -X),
        (X + -Y, X - Y),
        (-X + Y, Y - X),
        (0.0 - X, -X),
        (X / -1.0, -X),
        (-X / Y, -(X / Y)),
        (2.0 * (X * 0.5), X),
        (X / 4.0, 0.25 * X),
        (1.0 / (1.0 + apply("exp", -X)), apply("sigmoid", X)),
        (apply("exp", X) / (1.0 + apply("exp", X)), apply("sigmoid", X)),
        (apply("log", 1.0 + apply("exp", X)), apply("softplus", X)),
        (apply("log1p", apply("exp", -apply("abs", X))) + apply("maximum", X, 0.0),
         apply("softplus", X)),
        (apply("tanh", -X), -apply("tanh", X)),
        (apply("cos", -X), apply("cos", X)),
        (power(X, 3), X * (X * X)),
        (power(X, -0.5), 1.0 / apply("sqrt", X)),
        (power(X, 0), constant(1.0)),
        (apply("exp", constant(0.0)), constant(1.0)),
        (apply("where", apply("not", apply("lt", X, Y)), X, Y),
         apply("where", apply("lt", X, Y), Y, X)),
    ],
)  # fmt: skip
def test_simplifications(built: Expression, simpler: Expression) -> None:
    assert built is simpler


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (apply("maximum", X, 0.0), apply("softplus", -apply("abs", Y))),
        (apply("maximum", X, 0.5), apply("softplus", -apply("abs", X))),
    ],
)
def test_what_only_looks_like_a_softplus_is_none(one: Expression, other: Expression) -> None:
    for root in (one + other, other + one):
        assert root.operation == "add"
        assert set(root.arguments) == {one, other}


def test_what_only_looks_like_a_sigmoid_is_none() -> None:
    product = apply("exp", X) * apply("sigmoid", X)  # of X, where it would have to be of -X
    assert product.operation == "mul"


def test_an_expression_shows_itself() -> None:
    root = apply("where", apply("gt", X, 0.5), X, apply("neg", Y))
    assert repr(root) == "where(gt(x, 0.5), x, neg(y))"


def test_a_zero_factor_keeps_infinity_and_nan() -> None:
    (product,) = evaluate([0.0 * X], {"x": torch.tensor([torch.inf, torch.nan, 1.0])})
    assert product.isnan().tolist() == [True, True, False]


def unary(operation: str) -> Expression:
    return apply(operation, apply("abs", X) + 0.3) if operation in POSITIVE else apply(operation, X)


POSITIVE = {"log", "log1p", "sqrt"}
SMOOTH = ["abs", "sqrt", "exp", "expm1", "log", "log1p", "softplus", "tanh", "sigmoid", "erf",
          "erfc", "sin", "cos", "atan", "neg", "sign", "floor"]  # fmt: skip
COMPOSED = {
    "product": X * apply("sin", X),
    "quotient": X / (1.0 + apply("exp", X)),
    "constant over": 2.0 / (3.0 + X * X),
    "root": power(1.0 + X * X, -1.5),
    "power": power(1.0 + X * X, 0.3),
    "power of itself": power(1.0 + X * X, X),
    "exponential": power(1.7, X),
    "clamped": apply("tanh", apply("minimum", apply("maximum", X, -0.5), 0.5)) * 2.0,
    "outside too": X * apply("exp", apply("minimum", X, 0.5)),
    "pieces": apply("where", apply("gt", X, 0.2), X * X, apply("expm1", X)),
    "extremes": apply("maximum", X * X, apply("minimum", X, apply("sin", X))),
    "reused": (t := apply("tanh", X)) * t * t - t / (t + 3.0),
}
ROOTS = {**{name: unary(name) for name in SMOOTH}, **COMPOSED}


@pytest.mark.parametrize("name", ROOTS)
def test_derivatives_are_those_of_autograd(name: str) -> None:
    x = torch.linspace(-2.31, 2.17, 43, dtype=torch.float64).requires_grad_()
    root = ROOTS[name]
    for order in range(3):
        (value,) = evaluate([root], {"x": x})
        expected = torch.zeros_like(x)
        if value.requires_grad:
            (expected,) = torch.autograd.grad(value.sum(), x)
        root = differentiate(root, {X: 1.0})
        (ours,) = evaluate([root], {"x": x})
        torch.testing.assert_close(ours, expected, rtol=1e-11, atol=1e-12, msg=f"order {order + 1}")


def test_every_operation_that_has_a_slope_is_differentiated_above() -> None:
    tested = {node.operation for root in ROOTS.values() for node in ordered(root)}
    truths = {name for name, operation in OPERATIONS.items() if operation.truth}
    assert tested - {"variable", "constant"} >= set(OPERATIONS) - truths


def test_the_derivative_along_an_output_is_the_slope_given() -> None:
    slope = 1.0 - OUTPUT * OUTPUT
    assert differentiate(slope, {OUTPUT: slope}) is -(2.0 * OUTPUT * slope)


EXP, EXPM1, SIN = apply("exp", X), apply("expm1", X), apply("sin", X)
POSITIVE_X, AT_MOST_0 = apply("gt", X, 0.0), apply("le", X, 0.0)


@pytest.mark.parametrize(
    ("value", "slope", "recognised"),
    [
        (apply("tanh", X), 1.0 - power(apply("tanh", X), 2), 1.0 - OUTPUT * OUTPUT),
        (-EXP, -EXP, OUTPUT),
        (3.0 * apply("tanh", X), 1.0 - apply("tanh", X), 1.0 - OUTPUT * (1 / 3)),
        (EXP - 1.0, EXP, OUTPUT + 1.0),
        (0.5 * EXPM1, 0.5 * EXP, 0.5 * (OUTPUT * 2.0 + 1.0)),
        (EXP + 100.0, EXP, EXP),  # two digits of exp x would be lost
        (1.0 - EXP, EXP, 1.0 - OUTPUT),
        (X * X + 1.0, X * X, X * X),  # it costs nothing, and would lose digits
        (X * 2.0, X * 3.0, X * 3.0),
        (
            apply("where", POSITIVE_X, X, EXPM1),
            apply("where", AT_MOST_0, apply("exp", apply("minimum", X, 0.0)), 1.0),
            apply("where", AT_MOST_0, OUTPUT + 1.0, 1.0),
        ),
        (
            apply("where", POSITIVE_X, X, EXPM1),
            apply("where", apply("lt", X, 5.0), EXP, 1.0),
            apply("where", apply("lt", X, 5.0), EXP, 1.0),
        ),
        (  # X > sin X decides nothing about X > 0
            apply("where", apply("gt", X, SIN), X, EXP),
            apply("where", apply("gt", X, SIN), apply("where", POSITIVE_X, 1.0, EXP), EXP),
            apply("where", apply("gt", X, SIN), apply("where", POSITIVE_X, 1.0, EXP), OUTPUT),
        ),
    ],
)
def test_what_forward_has_computed_is_recognised(
    value: Expression, slope: Expression, recognised: Expression
) -> None:
    assert candidates(Formulas(value, slope, slope))[0] == (value, recognised, recognised)


def test_the_last_candidate_is_what_was_traced() -> None:
    formulas = Formulas(X * apply("sigmoid", X), apply("sigmoid", X), constant(0.0))
    cheapest, *_, last = candidates(formulas)
    assert last is formulas
    x = torch.tensor([-40.0, -0.3, 0.0, 1e-35, 2.0], dtype=torch.float64)
    (output,) = evaluate(formulas[:1], {"x": x})
    (ours,) = evaluate([cheapest.slope], {"x": x, "output": output})
    assert "sigmoid" not in {node.operation for node in ordered(cheapest.slope)}
    torch.testing.assert_close(ours, torch.sigmoid(x), rtol=1e-15, atol=0)


def test_a_product_of_many_factors_is_not_taken_apart() -> None:
    value = apply("tanh", X)
    for _ in range(200):  # 2^200 factors
        value = value * value
    formulas = Formulas(value, value * 2.0, constant(0.0))
    assert candidates(formulas)[0].slope is OUTPUT * 2.0


def test_numbers_are_spelled_in_full() -> None:
    root = apply("where", apply("lt", X, 0.1), constant(torch.inf), apply("maximum", X, -1e300))
    function = compiled(spell("f", ["x"], root))
    assert function.source == spell("f", ["x"], root)  # type: ignore[attr-defined]
    assert [function(x) for x in (0.0, 0.1, 2.0)] == [torch.inf, 0.1, 2.0]
    nan = compiled(spell("f", ["x"], constant(torch.nan)))
    assert nan(1.0) != nan(1.0)


SOURCES = """
from derivable.formula import kernel_of
from derivable.functions import ELU, GELU, Mish
print([function.source for kind in {order} for function in kernel_of(kind)[:3]])
"""


def test_the_source_is_the_same_in_every_process() -> None:
    def sources(order: str, seed: str) -> list[str]:
        run = subprocess.run(
            [sys.executable, "-c", SOURCES.format(order=order)],
            capture_output=True, text=True, check=True, cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
        )  # fmt: skip
        return sorted(eval(run.stdout))

    assert sources("(ELU, GELU, Mish)", "1") == sources("(Mish, GELU, ELU)", "2")
