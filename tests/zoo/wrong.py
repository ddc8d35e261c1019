"""Every wrong backward of the zoo, with the cause that it must produce."""

from __future__ import annotations

from tests.zoo import (
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
from tests.zoo.entry import Wrong

WRONG: list[Wrong] = [
    *formulas_elementwise.ANIMALS,
    *formulas_algebra.ANIMALS,
    *formulas_losses.ANIMALS,
    *formulas_layers.ANIMALS,
    *engineering_shapes.ANIMALS,
    *engineering_layout.ANIMALS,
    *engineering_float32.ANIMALS,
    *engineering_extremes.ANIMALS,
    *engineering_state.ANIMALS,
    *engineering_orders.ANIMALS,
    *engineering_contracts.ANIMALS,
    *packages.ANIMALS,
    *students_formulas.ANIMALS,
    *students_tensors.ANIMALS,
]
