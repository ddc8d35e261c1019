"""The inputs that the examiner draws keep what the example's forward may rely on."""

from __future__ import annotations

import pytest
import torch

from derivable.examiner.inputs.contracts import Definite, structure
from derivable.examiner.inputs.probes import Draw
from tests.corpus.draw import draw


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", range(2, 20))
def test_definite_matrices_are_exactly_symmetric(size: int, dtype: torch.dtype) -> None:
    x = draw(3, 3).detach()
    example = (torch.eye(3).double() + torch.tril(x) @ torch.tril(x).mT).to(dtype)
    example = (example + example.mT) / 2
    assert isinstance(structure(example), Definite)
    drawn = Draw(0).like(example, (2, size, size), {3: size})
    assert torch.equal(drawn, drawn.mT)
    assert isinstance(structure(drawn), Definite)
