"""A saved model for elsewhere: as a page of plain PyTorch, or as ONNX; scaling included."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import derivable
from derivable.errors import SettingError
from derivable.extras import needed
from derivable.files import write_whole
from derivable.run.messages import say
from derivable.run.saved import SavedModel
from derivable.run.spelling import ONNX, TORCH

MOST_NUMBERS = 100_000  # in a page of Python
OPSET, IR_VERSION = 17, 8


def export(model: SavedModel, file: Path | str) -> None:
    """Write it as the ending of `file` says: .safetensors, .py or .onnx.

    Raises what `check_export` does, and FileError where the file cannot be written.
    """
    check_export(file)
    FORMATS[Path(file).suffix.lower()](model, Path(file))


def check_export(file: Path | str) -> None:
    """Before a long training: whether a model can be written as `file`.

    Raises SettingError for another ending or no folder, and MissingExtraError without ONNX.
    """
    file = Path(file)
    if file.suffix.lower() not in FORMATS:
        raise SettingError(say("ending", file=file, endings=list(FORMATS)))
    if not file.parent.is_dir():
        raise SettingError(say("no_folder", file=file, folder=file.parent))
    if file.suffix.lower() == ".onnx":
        _onnx()


def as_python(model: SavedModel) -> str:
    """A page of plain PyTorch that predicts what the model predicts."""
    size = sum(value.numel() for value in model.network.parameters())
    if size > MOST_NUMBERS:
        gaps = {"size": size, "most": MOST_NUMBERS}
        raise SettingError(say("too_large", model=model.model.name, **gaps))
    scaler, layers, columns = model.scaler, _layers(model), model.columns
    numbers = [("MEDIAN", scaler.median), ("MEAN", scaler.mean), ("STD", scaler.std)]
    if columns.classes:
        what, names = "probabilities of the classes", {"CLASSES": columns.classes}
        units, returned = "in their own units", "x.double().softmax(1)"
    else:
        what, names = "targets", {}
        units, returned = "both in their own units", "x.double() * Y_STD + Y_MEAN"
        numbers += [("Y_MEAN", scaler.y_mean), ("Y_STD", scaler.y_std)]
    numbers += [(f"{name}{i}", value) for i, pair in enumerate(layers, 1) for name, value in pair]
    names = {"FEATURES": columns.features, "TARGETS": columns.targets, **names}
    return "\n".join(
        [
            f'"""{_plain(_title(model))}"""',
            "import torch",
            "",
            *(f"{name} = {list(words)!r}" for name, words in names.items()),
            "",
            "",
            "def predict(x):",
            f'    """The {what} (N, {columns.width}) of features x (N, {len(columns.features)}), '
            f'float64, {units}."""',
            "    x = (torch.where(x.isnan(), MEDIAN, x) - MEAN) / STD",
            f"    x = x.to({model.network.theta.dtype})",
            *_chain(model, len(layers)),
            f"    return {returned}",
            "",
            "",
            *(f"{name} = {_literal(value)}" for name, value in numbers),
            "",
            'if __name__ == "__main__":  # an example: a row of medians',
            f"    print(dict(zip({'CLASSES' if columns.classes else 'TARGETS'}, "
            "predict(MEDIAN[None])[0].tolist())))",
            "",
        ]
    )


def _chain(model: SavedModel, layers: int) -> list[str]:
    """The lines of the page that go through the layers."""
    activation = TORCH.get(model.model.activation, "")
    steps = [f"x @ W{i} + B{i}" for i in range(1, layers + 1)]
    return [f"    x = {activation}({step})" for step in steps[:-1]] + [f"    x = {steps[-1]}"]


def as_onnx(model: SavedModel) -> bytes:
    """A graph from `x` (N, D), float64 as in the table, to `y` (N, K) in the targets' units.

    Of a target of classes, `y` (N, C) are their probabilities.
    """
    onnx = _onnx()
    make, numbers = onnx.helper, onnx.numpy_helper
    kinds = {torch.float32: onnx.TensorProto.FLOAT, torch.float64: onnx.TensorProto.DOUBLE}
    scaler, inputs, outputs = model.scaler, model.columns.features, model.columns.targets
    constants: dict[str, Tensor] = {
        "median": scaler.median,
        "mean": scaler.mean,
        "std": scaler.std,
        "y_mean": scaler.y_mean,
        "y_std": scaler.y_std,
    }
    nodes = [
        make.make_node("IsNaN", ["x"], ["missing"]),
        make.make_node("Where", ["missing", "median", "x"], ["filled"]),
        make.make_node("Sub", ["filled", "mean"], ["centred"]),
        make.make_node("Div", ["centred", "std"], ["standardised"]),
        make.make_node("Cast", ["standardised"], ["h0"], to=kinds[model.network.theta.dtype]),
    ]
    layers = _layers(model)
    for i, ((_, w), (_, b)) in enumerate(layers, 1):
        constants |= {f"w{i}": w, f"b{i}": b}
        last = i == len(layers)
        nodes += [
            make.make_node("MatMul", [f"h{i - 1}", f"w{i}"], [f"product{i}"]),
            make.make_node("Add", [f"product{i}", f"b{i}"], ["yhat" if last else f"sum{i}"]),
        ]
        if not last:
            nodes += _activation(model.model.activation, f"sum{i}", f"h{i}", constants)
    nodes.append(make.make_node("Cast", ["yhat"], ["wide"], to=onnx.TensorProto.DOUBLE))
    if model.columns.classes:
        nodes.append(make.make_node("Softmax", ["wide"], ["y"], axis=1))
        del constants["y_mean"], constants["y_std"]
    else:
        nodes += [
            make.make_node("Mul", ["wide", "y_std"], ["scaled"]),
            make.make_node("Add", ["scaled", "y_mean"], ["y"]),
        ]
    double = onnx.TensorProto.DOUBLE
    graph = make.make_graph(
        nodes,
        model.model.name,
        [make.make_tensor_value_info("x", double, ["rows", len(inputs)])],
        [make.make_tensor_value_info("y", double, ["rows", model.columns.width])],
        [numbers.from_array(value.numpy(), name) for name, value in constants.items()],
    )
    document = make.make_model(
        graph,
        opset_imports=[make.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="derivable",
        producer_version=derivable.__version__,
        doc_string=_title(model),
    )
    names = {"features": inputs, "targets": outputs, "classes": model.columns.classes}
    make.set_model_props(document, {k: "\n".join(words) for k, words in names.items() if words})
    onnx.checker.check_model(document)
    content: bytes = document.SerializeToString()
    return content


FORMATS: dict[str, Callable[[SavedModel, Path], None]] = {
    ".safetensors": lambda model, file: model.save(file),
    ".py": lambda model, file: write_whole(file, as_python(model)),
    ".onnx": lambda model, file: write_whole(file, as_onnx(model)),
}


def _activation(name: str, x: str, y: str, constants: dict[str, Tensor]) -> list[Any]:
    """The nodes from x to y; numbers that they need become `constants`, of the weights' dtype."""
    steps, nodes = ONNX[name], []
    for k, (operator, *operands) in enumerate(steps):
        inputs = []
        for operand in operands:
            if operand == "x":
                inputs.append(x)
            elif isinstance(operand, int):
                inputs.append(f"{y}.{operand}")
            else:
                inputs.append(f"number {operand}")
                constants[inputs[-1]] = torch.tensor(operand, dtype=constants["w1"].dtype)
        output = y if k == len(steps) - 1 else f"{y}.{k}"
        nodes.append(_onnx().helper.make_node(operator, inputs, [output]))
    return nodes


def _layers(model: SavedModel) -> list[tuple[tuple[str, Tensor], tuple[str, Tensor]]]:
    """W and b of each layer."""
    values = [value.detach() for value in model.network.parameters()]
    return [(("W", w), ("B", b)) for w, b in zip(values[::2], values[1::2], strict=True)]


def _literal(value: Tensor) -> str:
    """A tensor as one writes it down; its numbers come back in every bit."""
    dtype = "" if value.dtype == torch.float32 else f", dtype={value.dtype}"
    numbers = str(value.numpy().astype(str).tolist()).replace("'", "")
    return f"torch.tensor({numbers}{dtype})"


def _title(model: SavedModel) -> str:
    about = model.about
    return (
        f"{model.model.name}, trained on {about['data']} by derivable {derivable.__version__}: "
        f"predicts {', '.join(model.columns.targets)}."
    )


def _plain(text: str) -> str:
    """Text inside of a docstring."""
    return text.replace("\\", "\\\\").replace('"', "'")


def _onnx() -> Any:
    """The package, with the parts that are used; MissingExtraError where it is not installed."""
    with needed("onnx_model"):
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    return onnx
