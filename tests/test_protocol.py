"""Model names, and the lab's settings that come with them."""

from __future__ import annotations

import pytest

from derivable import ReLU
from derivable.errors import SettingError
from derivable.protocol import LAB_MODELS, SHEET_FIGURES, Model, parse_models


def test_the_labs_models() -> None:
    linear, tanh, relu = parse_models(LAB_MODELS)
    assert [m.name for m in (linear, tanh, relu)] == ["linear", "tanh(10)", "relu(10)"]
    assert [m.lr for m in (linear, tanh, relu)] == [1e-5, 1e-4, 1e-4]
    assert [len(m.network(8, 1, 0).theta) for m in (linear, tanh, relu)] == [9, 101, 101]
    assert relu.network(8, 1, 0).layers[1].function is ReLU


def test_names_can_be_read_back() -> None:
    models = parse_models("relu(32x16), tanh:5, leaky_relu:3, relu6(3)")
    assert models[:2] == (Model("relu", (32, 16)), Model("tanh", (5,)))
    assert [model.name for model in models[2:]] == ["leakyrelu(3)", "relu6(3)"]
    assert parse_models(",".join(m.name for m in models)) == models


@pytest.mark.parametrize(
    "text", ["sigmoyd:3", "tanh", "tanh:", "tanh:0", "tanh:-3", "lin", "relu:3y"]
)
def test_words_that_name_no_model(text: str) -> None:
    with pytest.raises(
        SettingError, match=f"'{text}' names no model: expected auto, linear, or an"
    ):
        parse_models(text)


def test_nothing_and_twice() -> None:
    with pytest.raises(SettingError, match="no model was named"):
        parse_models(" , ")
    with pytest.raises(SettingError, match=r"the model tanh\(10\) is named twice"):
        parse_models("tanh:10,linear,tanh(10)")


def test_the_sheets_own_figures_lie_in_their_spreads() -> None:
    assert all(figure.holds(figure.test_loss) for figure in SHEET_FIGURES.values())
