"""docs/extending.md: a method, a stepper and a callback from outside of the package."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch

from derivable import MSE, Network, descend
from derivable.descent import Checkpoint
from derivable.errors import SettingError
from tests.conftest import ROOT
from tests.problems import problem


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What the page defines."""
    text = (ROOT / "docs/extending.md").read_text("utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    names: dict[str, Any] = {"__name__": "extending"}
    exec(compile(code, "docs/extending.md", "exec"), names)
    return names


def test_a_method_from_outside_goes_on_from_its_checkpoint(names: dict[str, Any]) -> None:
    network, x, y = problem(3, 5, 1, rows=61)
    method = names["SignDescent"](batch_size=7)
    whole = descend(network, MSE, x, y, lr=1e-3, steps=90, method=method)
    part = descend(network, MSE, x, y, lr=1e-3, steps=50, method=method)
    rest = descend(network, MSE, x, y, lr=1e-3, steps=90, method=method, start=part.checkpoint)
    assert torch.equal(rest.network.theta, whole.network.theta)
    start = Checkpoint.unpack(*part.checkpoint.pack())
    with pytest.raises(SettingError, match="'sign', which is none of the library's; give the meth"):
        descend(network, MSE, x, y, lr=1e-3, steps=90, start=start)


def test_a_stepper_from_outside_refuses_by_its_reason(names: dict[str, Any]) -> None:
    x = torch.randn(11, 5)
    with pytest.raises(SettingError, match="gram runs one Linear layer and MSE, not weighted"):
        descend(
            Network.mlp(5, 3, 1), MSE, x, x[:, :1], lr=0.1, steps=3, objective=names["GramSteps"]
        )
