"""A user's file, as mypy reads it: `make lint` fails where a type here is not what is stated.

What must be refused has a comment that ignores the error; mypy reports a comment that ignores none.
"""

from __future__ import annotations

from typing import assert_type

import torch
from torch import Tensor

from derivable import functional as F
from tests.conftest import ROOT


def loss(x: Tensor, w: Tensor, b: Tensor, labels: Tensor) -> Tensor:
    hidden = F.linear(x, w, b)
    assert_type(hidden, Tensor)
    probabilities = F.softmax(F.leaky_relu(hidden, negative_slope=0.1), dim=-1)
    assert_type(F.sum(probabilities, dim=(0, 1)), Tensor)
    assert_type(F.multiply(probabilities, 2.0), Tensor)
    return F.cross_entropy(hidden, labels, label_smoothing=0.1)


def mistakes(x: Tensor) -> None:
    F.softmax(x)  # type: ignore[call-arg] # dim is missing
    F.relu("x")  # type: ignore[arg-type]
    F.elu(x, beta=1.0)  # type: ignore[call-arg]
    F.nonesuch(x)  # type: ignore[attr-defined]
    _: float = F.mse(x, x)  # type: ignore[assignment]


def test_the_user_s_file_runs() -> None:
    x, w, b = torch.randn(7, 5), torch.randn(5, 3), torch.randn(3)
    assert loss(x, w, b, torch.arange(7) % 3).isfinite()


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "src" / "derivable" / "py.typed").is_file()
