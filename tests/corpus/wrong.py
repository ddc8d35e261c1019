"""Every wrong backward of the corpus, with the cause that it must produce."""

from __future__ import annotations

from tests.corpus import (
    engineering_contracts,
    engineering_extremes,
    engineering_float32,
    engineering_layout,
    engineering_orders,
    engineering_shapes,
    engineering_state,
    formulas_algebra,
    formulas_elementwise,
    formulas_layers,
    formulas_losses,
    packages,
    students_formulas,
    students_tensors,
)
from tests.corpus.entry import Wrong

WRONG: list[Wrong] = [
    *formulas_elementwise.CASES,
    *formulas_algebra.CASES,
    *formulas_losses.CASES,
    *formulas_layers.CASES,
    *engineering_shapes.CASES,
    *engineering_layout.CASES,
    *engineering_float32.CASES,
    *engineering_extremes.CASES,
    *engineering_state.CASES,
    *engineering_orders.CASES,
    *engineering_contracts.CASES,
    *packages.CASES,
    *students_formulas.CASES,
    *students_tensors.CASES,
]
