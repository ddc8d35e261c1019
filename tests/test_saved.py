"""Saved models: predictions on new tables, and the same elsewhere."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from derivable import Comparison, compare
from derivable.cli.main import main
from derivable.data import Table, load_diabetes, read_sheet, read_table
from derivable.errors import DataError, MissingExtraError, SettingError
from derivable.network import ACTIVATIONS
from derivable.protocol import parse_models
from derivable.run.export import MOST_NUMBERS, as_onnx, as_python, export
from derivable.run.saved import SavedModel

MODELS = "linear,tanh:5,relu:7x3"


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table as a French spreadsheet writes it, with a column of text and one with holes."""
    file = tmp_path_factory.mktemp("houses") / "houses.csv"
    generator = np.random.default_rng(0)
    rows = []
    for i in range(97):
        rooms, surface = generator.integers(1, 7), generator.uniform(20, 150)
        town = ("Lyon", "Paris", "Nice")[i % 3]
        price = 1e4 * rooms + 2000 * surface * (1 + (town == "Paris")) + generator.normal(0, 3e3)
        hole = "" if i % 10 == 4 else f"{surface:.2f}".replace(".", ",")
        rows.append([str(rooms), town, hole, f"{price:.2f}".replace(".", ","), str(rooms % 3)])
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, delimiter=";")
        writer.writerow(["rooms", "town", "surface", "price", "stars"])
        writer.writerows(rows)
    return file


@pytest.fixture(scope="module")
def table(houses: Path) -> Table:
    """As it is read."""
    return read_table(houses, target="price,stars", one_hot=True, missing="median")


@pytest.fixture(scope="module")
def comparison(table: Table) -> Comparison:
    """Three models on it."""
    return compare(table, parse_models(MODELS), protocol="sound", steps=300)


@pytest.fixture(scope="module", params=[0, 1, 2], ids=MODELS.split(","))
def saved(comparison: Comparison, request: pytest.FixtureRequest) -> SavedModel:
    """Each of them."""
    return SavedModel.of(comparison.results[request.param], comparison.facts)


def test_a_file_gives_back_the_model(saved: SavedModel, table: Table, tmp_path: Path) -> None:
    saved.save(tmp_path / "model")
    loaded = SavedModel.load(tmp_path / "model")
    assert (loaded.model, loaded.columns, loaded.about) == (saved.model, saved.columns, saved.about)
    assert torch.equal(loaded.predictions(table.x), saved.predictions(table.x))


def test_predictions_are_those_of_the_comparison(comparison: Comparison) -> None:
    facts, (result, *_) = comparison.facts, comparison.results
    raw = facts.x_test.double() * facts.scaler.std + facts.scaler.mean
    ours = SavedModel.of(result, facts).predictions(raw)
    torch.testing.assert_close(ours, result.predictions, rtol=1e-5, atol=1e-2)


def test_columns_are_found_by_name(
    saved: SavedModel, table: Table, houses: Path, tmp_path: Path
) -> None:
    sheet = read_sheet(houses)
    names = ["town", "surface", "stars", "rooms"]
    sheet.frame.select(names).reverse().write_csv(tmp_path / "new.csv")
    ours = saved.predict(read_sheet(tmp_path / "new.csv"), fill=True)
    assert torch.equal(ours, saved.predictions(table.x).flip(0))


def test_what_cannot_be_predicted_is_named(saved: SavedModel, tmp_path: Path) -> None:
    for text, message in {
        "rooms,surface\n3,50": "has no column 'town', which is needed",
        "rooms,town,surface\n3,Brest,50": r"line 2, column 'town': 'Brest' is none of the values",
        "rooms,town,surface\n3,Lyon,50\n4,Lyon,": r"line 3, column 'surface' has no value; --miss",
        "rooms,town,surface\n3,,50": r"line 2, column 'town' has no value; --missing median",
        "rooms,town,surface\nthree,Lyon,50": r"line 2, column 'rooms': 'three' is not a number",
    }.items():
        (tmp_path / "new.csv").write_text(text)
        with pytest.raises(DataError, match=message):
            saved.predict(read_sheet(tmp_path / "new.csv"))


def test_another_file_is_refused_in_one_sentence(saved: SavedModel, tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    save_file({"w": torch.ones(3)}, file)
    with pytest.raises(
        DataError, match=r"is no model that derivable saved \(it says nothing about"
    ):
        SavedModel.load(file)
    with pytest.raises(DataError, match=r"cannot be read: .*; expected a file that fit"):
        SavedModel.load(tmp_path / "none")
    saved.save(file)
    file.write_bytes(file.read_bytes().replace(b"layers.0.w", b"layers.9.w"))
    with pytest.raises(DataError, match=r"no model that derivable saved \(Error.*state_dict"):
        SavedModel.load(file)


def test_a_model_of_a_newer_version_is_refused_by_its_activation(
    comparison: Comparison, tmp_path: Path
) -> None:
    file = tmp_path / "model.safetensors"
    SavedModel.of(comparison.results[1], comparison.facts).save(file)
    file.write_bytes(file.read_bytes().replace(b"tanh", b"tanq"))
    with pytest.raises(DataError, match=r"no model that derivable saved \(.*'tanq'.*\); expected"):
        SavedModel.load(file)


def test_the_page_of_plain_pytorch_predicts_the_same(saved: SavedModel, table: Table) -> None:
    page = as_python(saved)
    names: dict[str, Any] = {"__name__": "model"}
    exec(compile(page, "model.py", "exec"), names)
    assert torch.equal(names["predict"](table.x), saved.predictions(table.x))
    assert (tuple(names["FEATURES"]), tuple(names["TARGETS"])) == (table.features, table.targets)
    assert len(page.splitlines()) < 36
    assert "derivable" not in page.replace("by derivable", ""), "it needs PyTorch alone"


def test_the_page_runs_as_a_script(comparison: Comparison, tmp_path: Path) -> None:
    saved = SavedModel.of(comparison.results[2], comparison.facts)
    export(saved, tmp_path / "model.py")
    done = subprocess.run(
        [sys.executable, "model.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    expected = saved.predictions(saved.scaler.median[None])[0].tolist()
    assert eval(done.stdout) == dict(zip(saved.columns.targets, expected, strict=True))


def test_the_onnx_graph_predicts_the_same(saved: SavedModel, table: Table) -> None:
    onnx = pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator

    document = onnx.load_model_from_string(as_onnx(saved))
    (ours,) = ReferenceEvaluator(document).run(None, {"x": table.x.numpy()})
    expected = saved.predictions(table.x)
    assert isinstance(ours, np.ndarray)
    torch.testing.assert_close(torch.from_numpy(ours), expected, rtol=1e-6, atol=0)
    words = {entry.key: entry.value.split("\n") for entry in document.metadata_props}
    assert words == {"features": list(table.features), "targets": list(table.targets)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_is_the_same_elsewhere(
    activation: str, dtype: torch.dtype, comparison: Comparison
) -> None:
    (model,) = parse_models(f"{activation}:4")
    plain = SavedModel.of(comparison.results[0], comparison.facts)
    features, targets = len(plain.columns.features), len(plain.columns.targets)
    network = model.network(features, targets, 0)
    generator = torch.Generator().manual_seed(0)
    theta = torch.rand(network.theta.shape, generator=generator)  # log and sqrt want positive ones
    saved = replace(plain, model=model, network=network.with_theta(theta).to(dtype))
    x = plain.scaler.mean + plain.scaler.std * torch.rand(
        7, features, generator=generator, dtype=torch.float64
    )
    expected = saved.predictions(x)
    names: dict[str, Any] = {"__name__": "model"}
    exec(compile(as_python(saved), "model.py", "exec"), names)
    torch.testing.assert_close(names["predict"](x), expected, rtol=1e-6, atol=0)
    onnx = pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator

    document = onnx.load_model_from_string(as_onnx(saved))
    (ours,) = ReferenceEvaluator(document).run(None, {"x": x.numpy()})
    torch.testing.assert_close(torch.from_numpy(ours), expected, rtol=1e-6, atol=0)


def test_what_cannot_be_exported(
    saved: SavedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file, message in {
        "model.pkl": r"must end in one of .safetensors, .py, .onnx",
        "none/model.py": "there is no folder none",
    }.items():
        with pytest.raises(SettingError, match=message):
            export(saved, Path(file))
    (large,) = parse_models(f"tanh:{MOST_NUMBERS}")
    with pytest.raises(SettingError, match=r"too many for a page that people read .* \.onnx file"):
        as_python(replace(saved, model=large, network=large.network(5, 2, 0)))
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'derivable\[onnx\]'"):
        export(saved, tmp_path / "model.onnx")


def left(*words: str) -> Any:
    """The code with which the command leaves."""
    with pytest.raises(SystemExit) as error:
        main(words)
    return error.value.code


def test_fit_and_predict(
    houses: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("derivable.report.run_folder.write_page", lambda *_, **__: None)
    reading = ("--target", "price", "--ignore", "stars", "--one-hot", "--missing", "median")
    fit = ("fit", str(houses), *reading, "--model", "tanh:3", "--steps", "200", "--out", "run")
    exports = [word for end in ("safetensors", "py", "onnx") for word in ("--export", f"m.{end}")]
    assert left(*fit, *exports) == 0
    assert "model   m.onnx" in capsys.readouterr().out
    alone = ("--missing", "median", "--alone")
    assert left("predict", "m.safetensors", str(houses), *alone) == 0
    printed = capsys.readouterr()
    assert "cells separated by semicolons" in printed.err
    assert "not used: stars" in printed.err
    header, *rows = csv.reader(io.StringIO(printed.out), delimiter=";")
    assert header == ["price"]
    x = read_table(houses, target="price", ignore="stars", one_hot=True, missing="median").x
    expected = SavedModel.load("m.safetensors").predictions(x)
    ours = torch.tensor(
        [[float(cell.replace(",", ".")) for cell in row] for row in rows], dtype=torch.float64
    )
    torch.testing.assert_close(ours, expected, rtol=1e-8, atol=0)
    for words in (("run", str(houses)), ("run", str(houses), "--model", "tanh(3)")):
        assert left("predict", *words, "--missing", "median", "--json", "--quiet") == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        assert json.loads(printed.out)["predictions"] == expected.tolist()
    assert left("predict", "run", str(houses), "--missing", "median", "--out", "p.csv") == 0
    first = (tmp_path / "p.csv").read_text().splitlines()[0]
    assert first == "rooms;town;surface;price;stars;price (predicted)"
    assert capsys.readouterr().out == "97 predictions in p.csv\n"
    assert left("fit", "--resume", "run", "--export", "again.safetensors") == 0
    twins = [SavedModel.load(name) for name in ("m.safetensors", "again.safetensors")]
    assert torch.equal(twins[0].network.theta, twins[1].network.theta)


def test_what_a_model_needs_cannot_be_left_out(
    comparison: Comparison,
    houses: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    SavedModel.of(comparison.results[0], comparison.facts).save("m.safetensors")
    Path("mixed.csv").write_text(houses.read_text("utf-8").replace(",", ".", 1), "utf-8")
    assert left("predict", "m.safetensors", "mixed.csv") == 3
    assert capsys.readouterr().err.endswith("write all in one way\n")
    options = ("--one-hot", "--missing", "median")
    assert left("compare", "mixed.csv", "--target", "price", *options) == 3
    assert "write all in one way, or leave it out with --ignore" in capsys.readouterr().err


def test_mistakes_of_fit_and_predict(
    houses: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("derivable.report.run_folder.write_page", lambda *_, **__: None)
    monkeypatch.setitem(sys.modules, "onnx", None)
    run = ("compare", "--data", "diabetes", "--models", "linear,tanh:2", "--steps", "3")
    assert left(*run, "--out", "run") == 0
    text = str(houses)
    for words, code, message in (
        (("fit", "--data", "diabetes", "--model", "linear,tanh:2"), 2, "fit trains one model"),
        (("fit", "--data", "diabetes", "--export", "m.pkl"), 2, "must end in one of"),
        (("fit", "--data", "diabetes", "--export", "m.onnx"), 4, "pip install 'derivable[onnx]'"),
        (("fit", "--data", "diabetes", "--exprt", "m.py"), 2, "--separator"),  # is near, too
        (("predict", "run", text), 2, "is a run of linear, tanh(2); name one of them with --model"),
        (("predict", "run", text, "--model", "relu:2"), 2, "is a run of linear, tanh(2); name"),
        (("predict", "run", text, "--model", "linear"), 3, "has no column 'age', which is needed"),
        (("predict", text, text, "--model", "linear"), 2, "--model goes with a run folder"),
        (("predict", text, text), 3, "cannot be read as safetensors"),
        (("predict", "run", text, "--out", text), 2, "would overwrite what is read"),
        (("predict", "none.safetensors", text), 3, "none.safetensors cannot be read"),
        (
            ("fit", text, "--target", "price", "--model", "tan:3"),
            2,
            "activations are abs, cos, elu",
        ),
    ):
        capsys.readouterr()
        assert left(*words, "--json") == code, words
        printed = capsys.readouterr()
        assert message in json.loads(printed.out)["error"]
        assert "Traceback" not in printed.err
    assert not (tmp_path / "runs").exists(), "all of it was refused before a training"


def test_a_table_without_a_file_has_plain_columns() -> None:
    comparison = compare(load_diabetes(), parse_models("linear"), steps=30)
    saved = SavedModel.of(comparison.results[0], comparison.facts)
    assert saved.columns.features == comparison.facts.features
    x: Tensor = load_diabetes().x[-89:]
    torch.testing.assert_close(saved.predictions(x), comparison.results[0].predictions)


def test_classes_of_a_table_without_a_file_are_saved(tmp_path: Path) -> None:
    x = torch.randn(53, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    table = Table("t", x, (x[:, :1] > 0).double(), ("a", "b"), ("y",), classes=("no", "yes"))
    comparison = compare(table, parse_models("linear"), protocol="sound", steps=30)
    saved = SavedModel.of(comparison.results[0], comparison.facts)
    saved.save(tmp_path / "model")
    loaded = SavedModel.load(tmp_path / "model")
    assert loaded.columns.classes == ("no", "yes")
    assert loaded.predictions(x).shape == (53, 2)
    assert torch.equal(loaded.predictions(x), saved.predictions(x))
    assert (loaded.predictions(x).argmax(1) == table.y[:, 0]).double().mean() > 0.9
