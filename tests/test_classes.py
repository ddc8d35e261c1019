"""Targets of classes: how they are found, split, trained on, scored, kept and predicted."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from derivable import Comparison, Function, Network, compare, descend
from derivable.cli.main import main
from derivable.comparison import Training
from derivable.comparison.scores import of_classes, of_numbers
from derivable.data import Columns, Table, read_table, sound_split, write_table
from derivable.data.kinds import Classes, Number, Text, Truth
from derivable.display.words import Words
from derivable.errors import DataError, DerivableError, SettingError
from derivable.functions import CrossEntropy
from derivable.problem import Problem
from derivable.report import quality
from derivable.report.class_panels import most_confused
from derivable.report.page import page
from derivable.report.verdict import verdict
from derivable.run.folder import load_run
from derivable.run.saved import SavedModel

KINDS = ("setosa", "versicolor", "virginica")


def flowers(rows: int = 150) -> str:
    """Three kinds that overlap, each third row one of them."""
    draw = np.random.default_rng(0)
    kind = np.arange(rows) % 3
    x = draw.normal(size=(rows, 2)) * 0.7 + np.stack([kind, -kind], 1)
    lines = [f"{a:.3f},{b:.3f},{KINDS[k]}" for (a, b), k in zip(x, kind, strict=True)]
    return "\n".join(["a,b,kind", *lines]) + "\n"


def written(folder: Path, content: str) -> Path:
    file = folder / "t.csv"
    file.write_text(content, encoding="utf-8")
    return file


def column(values: list[Any], rows: int = 60) -> str:
    """A feature and a target that takes these values in turn."""
    return "a,y\n" + "".join(f"{i * i % 37},{values[i % len(values)]}\n" for i in range(rows))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("flowers"), flowers())


@pytest.fixture(scope="module")
def comparison(file: Path) -> Comparison:
    return compare(file, "linear,tanh:5", target="kind", steps=400)


@pytest.mark.parametrize(
    ("values", "options", "classes", "of"),
    [
        (["b", "a", "c"], {}, ("a", "b", "c"), Text),
        (["Oui", "Non"], {}, ("Non", "Oui"), Truth),
        (["true", "false"], {}, ("false", "true"), Truth),
        ([1, 0], {}, ("0", "1"), Number),
        ([2, 0, 1], {}, ("0", "1", "2"), Number),
        ([1, -1], {}, ("-1", "1"), Number),
        ([10, 9, 8], {"task": "classification"}, ("8", "9", "10"), Number),
        ([0.5, 1.5], {"task": "classification"}, ("0.5", "1.5"), Number),
        (["low", 1, 2], {"task": "classification"}, ("1", "2", "low"), Text),
        (["A", "a "], {"merge_spellings": True, "task": "classification"}, None, Text),
        ([0, 10, 1000], {}, (), Number),  # far apart: amounts
        ([3, 4, 5], {}, (), Number),  # no label begins at 3
        ([0.5, 1.5], {}, (), Number),
        (list(range(12)), {}, (), Number),  # many
        ([1, 0], {"task": "regression"}, (), Number),
        (["yes", "no"], {"task": "regression"}, (), Truth),
        (["1 €", "2 €"], {}, (), Number),  # amounts of money
    ],
    ids=str,
)
def test_which_targets_are_classes(
    values: list[Any],
    options: dict[str, Any],
    classes: tuple[str, ...] | None,
    of: type,
    tmp_path: Path,
) -> None:
    file = written(tmp_path, column(values))
    if classes is None:  # merged, there is one class only
        with pytest.raises(DataError, match="is a in every row, so there is nothing to learn"):
            read_table(file, target="y", **options)
        return
    table = read_table(file, target="y", **options)
    assert table.classes == classes
    assert table.columns is not None
    assert table.width == (len(classes) or 1)
    reading = table.columns.outputs[0].reading
    if not classes:
        assert isinstance(reading, of)
        return
    assert isinstance(reading, Classes)
    assert isinstance(reading.of, of)
    stripped = [str(value).strip() for value in values]
    expected = [classes.index(stripped[i % len(values)]) for i in range(60)]
    assert table.y[:, 0].tolist() == expected
    assert Columns.from_dict(json.loads(json.dumps(table.columns.to_dict()))) == table.columns
    assert ("--task regression takes them for numbers" in table.note) == (
        of is Number and not options
    )


@pytest.mark.parametrize(
    ("content", "options", "error_message"),
    [
        (column([f"w{i}x" for i in range(50)]), {}, "50 different values in 60 rows, too many for"),
        (column(["a"]), {}, "the target 'y' is a in every row, so there is nothing to learn"),
        (column(["a", "b"]), {"task": "regression"}, "is text, and --task regression needs num"),
        (column([1.5, 2.5, "x"]), {}, "'x' is not a number; .* or --na 'x' takes it for missing"),
        (column(["2024-01-02", "2024-05-06"]), {}, "is a date or a time, not a number; correct"),
        (flowers(), {"target": "kind,a"}, "is text, and several targets must be numbers"),
        (flowers(), {"target": "kind,a", "task": "classification"}, "goes with one --target"),
        (column([1, 2]), {"task": "classes"}, "task must be one of regression, classification; go"),
        (column([i / 7 for i in range(50)]), {"task": "classification"}, "too many for classes"),
    ],
    ids=str,
)
def test_targets_that_cannot_be_used(
    content: str, options: dict[str, Any], error_message: str, tmp_path: Path
) -> None:
    with pytest.raises((DataError, SettingError), match=error_message) as error:
        read_table(written(tmp_path, content), **{"target": "y", **options})
    assert "\n" not in str(error.value)


def test_rare_classes_are_named(tmp_path: Path) -> None:
    content = column(["a", "b"]) + "3,c\n4,c\n"
    assert (
        "Fewer than 5 rows of 'y' are 'c'"
        in read_table(written(tmp_path, content), target="y").note
    )


def test_a_table_shows_and_writes_its_classes(file: Path, tmp_path: Path) -> None:
    table = read_table(file, target="kind")
    assert "versicolor" in repr(table)
    again = read_table(write_table(table, tmp_path / "again.csv"), target="kind")
    assert again.classes == KINDS
    assert torch.equal(again.y, table.y)
    assert again.digest() == table.digest()
    renamed = replace(table, classes=("one", "two", "three"))
    assert renamed.digest() != table.digest()


@pytest.mark.parametrize("sizes", [(100, 20, 5), (60, 2, 1)], ids=str)
def test_each_class_has_its_share_of_the_training_rows(sizes: tuple[int, ...]) -> None:
    labels = torch.cat([torch.full((n,), float(i)) for i, n in enumerate(sizes)]).double()[:, None]
    x = torch.arange(len(labels), dtype=torch.float64)[:, None]
    table = Table("t", x, labels, ("x",), ("y",), classes=("a", "b", "c"))
    split = sound_split(table, seed=3)
    assert split.protocol == "sound_stratified"
    assert split.y_train.dtype == torch.int64
    train = split.y_train.bincount(minlength=3).tolist()
    test = split.y_test.bincount(minlength=3).tolist()
    assert [a + b for a, b in zip(train, test, strict=True)] == list(sizes)
    for all_rows, of_train in zip(sizes, train, strict=True):
        assert of_train == (1 if all_rows <= 2 else round(0.8 * all_rows))
    own = split.x_test[:, 0].double() * split.scaler.std + split.scaler.mean
    assert own.round().long().tolist() == (split.lines - 1).tolist(), "the lines are those of rows"
    assert not torch.equal(split.lines, sound_split(table, seed=4).lines)
    assert torch.equal(split.lines, sound_split(table, seed=3).lines)
    last = sound_split(replace(table, split="last"))
    assert last.y_test.tolist() == labels[int(0.8 * len(labels)) :, 0].long().tolist()


def test_scores_are_scikit_learns() -> None:
    draw = np.random.default_rng(0)
    for classes in (2, 4):
        labels = draw.integers(0, classes, 200)
        p = draw.dirichlet(np.ones(classes), 200).round(2)  # some are equal
        found = of_classes(torch.tensor(labels), torch.tensor(p))
        assert found["accuracy"] == pytest.approx(metrics.accuracy_score(labels, p.argmax(1)))
        expected = metrics.balanced_accuracy_score(labels, p.argmax(1))
        assert found["balanced_accuracy"] == pytest.approx(expected)
        own = np.clip(p[np.arange(200), labels], 1e-15, 1)
        assert found["log_loss"] == pytest.approx(-np.log(own).mean())
        area = metrics.roc_auc_score(labels, p[:, 1]) if classes == 2 else None
        assert found["roc_auc"] == (pytest.approx(area) if area else None)
    true, predicted = draw.normal(size=(2, 101))
    numbers = of_numbers(torch.tensor(true), torch.tensor(predicted))
    assert numbers["r2"] == pytest.approx(metrics.r2_score(true, predicted))
    assert numbers["rmse"] == pytest.approx(metrics.mean_squared_error(true, predicted) ** 0.5)
    assert numbers["mae"] == pytest.approx(metrics.mean_absolute_error(true, predicted))
    assert numbers["median_ae"] == pytest.approx(metrics.median_absolute_error(true, predicted))
    even = of_numbers(torch.tensor(true[:100]), torch.tensor(predicted[:100]))
    expected = metrics.median_absolute_error(true[:100], predicted[:100])
    assert even["median_ae"] == pytest.approx(expected)
    assert of_numbers(torch.ones(3), torch.zeros(3))["r2"] is None


def test_a_comparison_minimises_the_cross_entropy(comparison: Comparison, file: Path) -> None:
    table = read_table(file, target="kind")
    split = sound_split(table)
    result = comparison.results[0]
    network = Network.linear(2, 3, seed=0)
    run = descend(
        network, CrossEntropy, split.x_train, split.y_train, lr=result.lr or 0, steps=400,
        method="steps", objective="by hand",
    )  # fmt: skip
    assert result.train_loss == pytest.approx(run.train_loss, rel=1e-5)
    outputs, _ = run.network.forward_by_hand(split.x_test)
    assert result.predictions == pytest.approx(outputs.double().softmax(1), abs=1e-4)
    expected = metrics.log_loss(split.y_test.numpy(), result.predictions.numpy())
    assert result.test_loss == pytest.approx(expected, rel=1e-5)
    found = comparison.to_dict()
    assert found["task"] == "classification"
    assert found["classes"] == list(KINDS)
    assert found["naive_scores"]["kind"]["accuracy"] == pytest.approx(1 / 3, abs=0.02)
    assert found["models"][0]["scores"]["kind"]["log_loss"] == pytest.approx(expected, rel=1e-5)


def test_many_steps_reach_logistic_regression(file: Path) -> None:
    comparison = compare(file, "linear", target="kind", steps=20_000, lr=0.3, method="steps")
    split = sound_split(read_table(file, target="kind"))
    logistic = LogisticRegression(C=np.inf, tol=1e-8, max_iter=10_000)
    logistic.fit(split.x_train.double().numpy(), split.y_train.numpy())
    expected = logistic.predict_proba(split.x_test.double().numpy())
    np.testing.assert_allclose(comparison.best.predictions.numpy(), expected, atol=2e-3)


def test_balanced_classes_count_the_same(tmp_path: Path) -> None:
    lines = flowers().splitlines()
    kept = [lines[0], *(line for i, line in enumerate(lines[1:]) if i % 3 == 0 or i % 9 < 3)]
    file = written(tmp_path, "\n".join(kept) + "\n")
    table = read_table(file, target="kind")
    training = Training(class_weight="balanced")
    found = compare(table, "linear", training=training, steps=50, lr=0.1, method="steps")
    split = sound_split(table)
    sizes = split.y_train.bincount()
    weight = (len(split.y_train) / (3 * sizes.double()))[split.y_train]
    network = Network.linear(2, 3, seed=0)
    problem = Problem(network, CrossEntropy, split.x_train, split.y_train, weight)
    run = descend(
        network, CrossEntropy, split.x_train, split.y_train, weight=weight, lr=0.1, steps=50,
        method="steps", objective="by hand",
    )  # fmt: skip
    assert found.best.train_loss == pytest.approx(run.train_loss, rel=1e-5)
    assert problem.weight is not None
    test = (len(split.y_train) / (3 * sizes.double()))[split.y_test]
    own = found.best.predictions.gather(1, split.y_test[:, None])[:, 0].log()
    assert found.best.test_loss == pytest.approx(
        (-(test * own).sum() / test.sum()).item(), rel=1e-5
    )
    plain = compare(table, "linear", steps=50, lr=0.1, method="steps")
    assert found.best.test_loss != plain.best.test_loss


@pytest.mark.parametrize(
    ("options", "error_message"),
    [
        (
            {"target": "kind", "loss": "mse"},
            "'kind' is of 3 classes, and MSE does not take outputs",
        ),
        (
            {"target": "a", "ignore": "kind", "loss": "crossentropy"},
            "goes with a target of classes",
        ),
        (
            {"target": "a", "ignore": "kind", "training": Training(class_weight="balanced")},
            "class_weight goes with a target of classes, and 'a' is numbers",
        ),
    ],
    ids=["mse", "crossentropy", "weight"],
)
def test_settings_of_the_other_task(
    options: dict[str, Any], error_message: str, file: Path
) -> None:
    with pytest.raises(SettingError, match=error_message):
        compare(file, "linear", steps=1, **options)


def test_a_loss_of_pairs_is_refused_for_classes(file: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.py"
    own.write_text(
        "from derivable import Function\n\n\nclass Gap(Function):\n"
        "    @staticmethod\n    def forward(ctx, yhat, y):\n"
        "        ctx.save_for_backward(yhat, y)\n        return ((yhat - y) ** 2).mean()\n\n"
        "    @staticmethod\n    def backward(ctx, grad_output):\n"
        "        yhat, y = ctx.saved_tensors\n"
        "        grad = grad_output * 2 * (yhat - y) / yhat.numel()\n"
        "        return grad, -grad\n"
    )
    with pytest.raises(SettingError, match=r"'kind' is of 3 classes, and Gap does not take out"):
        compare(file, "linear", target="kind", loss=f"{own}:Gap", steps=1)


def test_label_smoothing_and_early_stopping(file: Path) -> None:
    training = Training(loss="crossentropy:label_smoothing=0.2", patience=2)
    found = compare(file, "tanh:20", target="kind", training=training, steps=20_000, lr=1.0)
    assert found.best.descent.stopped
    assert found.facts.measure == "CrossEntropy(label_smoothing=0.2)"
    assert found.best.predictions.max() < 0.97, "smoothed labels are never certain"


def said_by(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command prints; it must end well."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as left:
        main(words)
    printed = capsys.readouterr()
    assert not left.value.code, printed.err
    return printed.out


def test_from_the_shell_to_predictions(
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [tmp_path / f"m.{ending}" for ending in ("safetensors", "py")]
    words = [word for name in names for word in ("--export", str(name))]
    table = ["--target", "kind", "--steps", "300", "--model", "tanh:4", "--quiet"]
    message = said_by(capsys, "fit", str(file), *table, *words)
    assert "accuracy" in message
    assert "always “setosa”" in message
    found = load_run(tmp_path / "runs" / "t-1")
    assert found.facts.classes == KINDS
    assert {p.name for p in (tmp_path / "runs" / "t-1").iterdir()} >= {
        "confusion.png", "calibration.svg", "precision_recall.png", "importance.png",
    }  # fmt: skip
    page = (tmp_path / "runs" / "t-1" / "report.html").read_text(encoding="utf-8")
    assert "gives the right kind for" in page
    assert "Calibration of probabilities" in page
    out = json.loads(said_by(capsys, "predict", str(names[0]), str(file), "--json", "--quiet"))
    assert out["classes"] == list(KINDS)
    probabilities = np.array(out["probabilities"])
    np.testing.assert_allclose(probabilities.sum(1), 1)
    assert [row[0] for row in out["predictions"]] == [KINDS[k] for k in probabilities.argmax(1)]
    text = said_by(capsys, "predict", str(names[0]), str(file), "--quiet").splitlines()
    assert text[0].endswith("kind=setosa,kind=versicolor,kind=virginica")
    scope: dict[str, Any] = {"__name__": "page"}
    exec(compile(names[1].read_text(encoding="utf-8"), "m.py", "exec"), scope)
    table_x = read_table(file, target="kind").x
    torch.testing.assert_close(
        scope["predict"](table_x), torch.tensor(probabilities), rtol=1e-5, atol=1e-7
    )
    again = SavedModel.load(names[0])
    assert again.columns.classes == KINDS


def test_of_many_classes_the_page_lists_those_taken_for_each_other() -> None:
    draw = np.random.default_rng(0)
    kinds = draw.integers(0, 14, 600)
    frame = {"a": kinds + draw.normal(size=600), "b": draw.normal(size=600)}
    table = {**frame, "kind": [f"k{kind:02d}" for kind in kinds]}
    found = compare(table, "linear", target="kind", steps=50)
    facts, result = found.facts, found.best
    predicted = result.predictions.argmax(1).tolist()
    wrong = Counter(
        (facts.classes[true], facts.classes[other])
        for true, other in zip(facts.y_test.tolist(), predicted, strict=True)
        if true != other
    )
    sizes = Counter(facts.classes[true] for true in facts.y_test.tolist())
    pairs = most_confused(found, result)
    assert [pair.rows for pair in pairs] == [n for _, n in wrong.most_common(10)]
    for pair in pairs:
        assert wrong[pair.true, pair.predicted] == pair.rows
        assert sizes[pair.true] == pair.of
    text = page(found, lang="en")
    assert "Which classes are taken for which" in text
    assert "of 14 classes; the share is that of the test rows" in text


def test_onnx_gives_the_same_probabilities(comparison: Comparison, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="needs the extra onnx")
    reference = pytest.importorskip("onnx.reference", reason="needs the extra onnx")
    from derivable.run.export import as_onnx

    model = SavedModel.of(comparison.results[1], comparison.facts)
    x = torch.randn(7, 2, dtype=torch.float64)
    (found,) = reference.ReferenceEvaluator(_parsed(as_onnx(model))).run(None, {"x": x.numpy()})
    np.testing.assert_allclose(found, model.predictions(x).numpy(), rtol=1e-5)


def _parsed(content: bytes) -> Any:
    import onnx

    return onnx.load_model_from_string(content)


def test_an_interrupted_run_goes_on(
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--target", "kind", "--steps", "200", "--models", "linear,tanh:3", "--quiet", "--json"]
    whole = json.loads(said_by(capsys, "compare", str(file), *words, "--class-weight", "balanced"))
    kept = tmp_path / "runs" / "t-1" / "kept" / "tanh-3.safetensors"
    kept.unlink()
    again = json.loads(said_by(capsys, "compare", "--resume", "runs/t-1", "--quiet", "--json"))
    for one in (whole, again):
        for model in one["models"]:
            del model["seconds"], model["compile_seconds"]
    assert again == whole
    assert whole["class_weight"] == "balanced"


def test_spellings_of_classes_are_noted_and_merged(tmp_path: Path) -> None:
    file = written(tmp_path, column(["high", "HIGH", "low"]))
    table = read_table(file, target="y")
    assert "'HIGH', 'high' in 'y' differ in case or blanks only" in table.note
    merged = read_table(file, target="y", merge_spellings=True)
    assert merged.classes == ("high", "low")
    assert "changed nothing" not in merged.note


def test_classes_that_only_the_last_rows_have(tmp_path: Path) -> None:
    lines = column(["a", "b"], 50).splitlines()
    file = written(tmp_path, "\n".join([*lines, *[f"{i},new" for i in range(6)]]) + "\n")
    table = read_table(file, target="y", split="last")
    assert "No row that trains is 'new' in 'y'" in table.note
    assert "another --seed" not in table.note
    assert "No row that trains" not in read_table(file, target="y").note
    early = written(tmp_path, "\n".join([*lines, *["3,b", "5,a"] * 3]) + "\n")
    assert "No row that trains" not in read_table(early, target="y", split="last").note
    same = [f"{i},a" for i in range(50)]
    file = written(tmp_path, "\n".join(["x,y", *same, *[f"{i},b" for i in range(6)]]) + "\n")
    with pytest.raises(DataError, match="the rows that train are all 'a' in 'y'"):
        read_table(file, target="y", split="last")


def test_a_missing_target_is_left_out_or_nothing(tmp_path: Path) -> None:
    file = written(tmp_path, column(["a", "b", ""]))
    with pytest.raises(DataError, match="--missing drop leaves such rows out") as error:
        read_table(file, target="y")
    assert "median" not in str(error.value)
    assert len(read_table(file, target="y", missing="drop").x) == 40


def test_values_that_classification_would_take(tmp_path: Path) -> None:
    file = written(tmp_path, column(["1,5", "<b>", "2x"]).replace("1,5", '"1,5"'))
    with pytest.raises(DataError, match="--task classification takes its values for classes"):
        read_table(file, target="y")
    assert read_table(file, target="y", task="classification").classes == ("1,5", "2x", "<b>")


def test_settings_of_a_training_are_keywords(file: Path) -> None:
    found = compare(file, "linear", target="kind", steps=5, class_weight="balanced", penalty=0.1)
    assert found.training.class_weight == "balanced"
    assert found.training.penalty == 0.1
    with pytest.raises(SettingError, match="penalty is one of a training"):
        compare(file, "linear", target="kind", steps=5, penalty=0.1, training=Training())
    with pytest.raises(DerivableError, match="label_smoothing") as error:
        compare(file, "linear", target="kind", loss="crossentropy:label_smoothing=2")
    assert "--task" not in str(error.value)


def test_a_lead_is_measured_as_the_loss_counts_rows(file: Path) -> None:
    found = compare(file, "linear,tanh:3", target="kind", steps=50, class_weight="balanced")
    one, other = found.results
    gap, reach = quality.lead(found, one, other)
    assert gap == pytest.approx(other.test_loss - one.test_loss, rel=1e-4)
    assert reach > 0
    skewed = replace(found.facts, naive=torch.tensor([0.8, 0.1, 0.1], dtype=torch.float64))
    weight = quality.row_weights(replace(found, facts=skewed))
    labels = found.facts.y_test
    assert weight.mean().item() == pytest.approx(1)
    assert weight[labels == 1][0].item() == pytest.approx(8 * weight[labels == 0][0].item())


def two_classes(rows: int = 200) -> Table:
    """One row in ten is "yes", and nothing tells which."""
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(rows, 2, generator=draw, dtype=torch.float64)
    y = (torch.arange(rows) % 10 == 0).double()[:, None]
    return Table("t", x, y, ("a", "b"), ("churn",), classes=("no", "yes"))


def test_the_verdict_on_what_cannot_be_learned() -> None:
    found = compare(two_classes(), "linear", steps=100)
    message = " ".join(verdict(found, Words("en")))
    assert "which is no better than always saying “no”: 90%" in message
    assert "Of 4 test rows that are “yes” it finds 0, and takes 0 others for it." in message
    assert "(ROC AUC)" in message


def test_each_panel_has_the_markers_that_it_refers_to(comparison: Comparison) -> None:
    content = page(comparison, lang="en")
    known = set(re.findall(r' id="([^"]+)"', content))
    wanted = re.findall(r'(?:href="#|url\(#)([\w.-]+)', content)
    assert wanted
    assert not [name for name in wanted if name not in known]
    assert len(known) == len(re.findall(r' id="([^"]+)"', content)), "identifiers meet"


class Margin(Function):
    """A loss of one's own, of outputs (N, C) and labels (N,): the mean of 1 - the right output."""

    @staticmethod
    def forward(ctx: Any, yhat: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(yhat, y)
        return 1 - yhat.gather(1, y[:, None]).mean()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        yhat, y = ctx.saved_tensors
        grad = torch.zeros_like(yhat).scatter(1, y[:, None], -grad_output / len(y))
        return grad, None


def test_a_loss_of_ones_own_that_takes_labels_goes_with_classes() -> None:
    training = Training(Margin)
    assert training.of_targets(("kind",), ("a", "b", "c")) is training
