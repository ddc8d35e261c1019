"""The model `auto`: chosen by rows held out, as the estimators choose, and kept like any other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.metrics import log_loss, mean_squared_error

from derivable import Comparison, Training, compare
from derivable.cli.main import main
from derivable.comparison import automatic
from derivable.comparison.automatic import fit_automatically
from derivable.data import Table, sound_split
from derivable.protocol import Model, parse_models
from derivable.report.page import page
from derivable.run.folder import load_run
from derivable.run.saved import SavedModel


def table(*, bent: bool, classes: bool = False, rows: int = 300) -> Table:
    """Four features of which a straight line, or a bent one, makes the target."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(rows, 4, generator=draw, dtype=torch.float64)
    noise = torch.randn(rows, generator=draw, dtype=torch.float64)
    y = 2 * x[:, 0] - x[:, 1] + 0.5 * noise
    if bent:
        y = 3 * torch.sin(2 * x[:, 0]) * x[:, 1] + 0.2 * noise
    y = 1000 + 100 * y
    names = tuple("abcd")
    if classes:
        labels = (y > y.median()).double()
        return Table("t", x, labels[:, None], names, ("y",), classes=("low", "high"))
    return Table("t", x, y[:, None], names, ("y",))


@pytest.fixture(scope="module")
def bent() -> Comparison:
    return compare(table(bent=True), "linear,auto", steps=500)


def test_a_straight_line_gets_a_linear_model() -> None:
    data = table(bent=False)
    result = compare(data, "auto").best
    assert result.model == Model(automatic=True)
    assert result.model.name == "auto"
    assert len(result.descent.network.layers) == 1
    assert result.choice.model.startswith("linear, alpha=")
    alpha = next(one["alpha"] for one in result.choice.tried if one["chosen"])
    split = sound_split(data)
    ridge = Ridge(alpha).fit(split.x_train.double().numpy(), split.y_train.double().numpy())
    expected = ridge.predict(split.x_test.double().numpy()).reshape(-1, 1)
    own = split.scaler.predictions(torch.tensor(expected))
    np.testing.assert_allclose(result.predictions.numpy(), own.numpy(), rtol=1e-3)


def test_what_is_bent_gets_networks(bent: Comparison) -> None:
    linear, auto = bent.results
    assert auto.model.hidden
    assert auto.test_loss < 0.3 * linear.test_loss
    split = sound_split(table(bent=True))
    outputs, _ = auto.descent.network.forward_by_hand(split.x_test)
    true = bent.facts.y_test.numpy()
    predictions = split.scaler.predictions(outputs)
    torch.testing.assert_close(predictions, auto.predictions)
    assert auto.test_loss == pytest.approx(mean_squared_error(true, predictions.numpy()), rel=1e-4)
    trained, _ = auto.descent.network.forward_by_hand(split.x_train)
    own = (trained - split.y_train).square().mean().item() * auto.unit
    assert auto.train_loss == pytest.approx(own, rel=1e-4)
    assert bent.counts_steps
    assert "on rows held out, and" in auto.choice.reason
    losses = [one["loss"] for one in auto.choice.tried]
    assert losses == sorted(losses)
    assert sum(one["chosen"] for one in auto.choice.tried) == 1


def test_the_page_says_what_was_chosen(bent: Comparison) -> None:
    english, french = page(bent, lang="en"), page(bent, lang="fr")
    assert bent.results[1].choice.model in english
    assert "What was tried" in english
    assert "Ce qui a été essayé" in french
    assert "sur les lignes mises de côté, et" in french
    assert '<span lang="en">' not in french


def test_classes_and_balanced_classes() -> None:
    found = compare(table(bent=True, classes=True), "linear,auto", steps=300)
    linear, auto = found.results
    assert auto.test_loss < linear.test_loss
    split = sound_split(table(bent=True, classes=True))
    expected = log_loss(split.y_test.numpy(), auto.predictions.numpy())
    assert auto.test_loss == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("rows", [10, 12])
def test_few_rows_have_a_linear_model(rows: int) -> None:
    found = compare(table(bent=True, rows=rows), "auto")
    assert len(found.best.descent.network.layers) == 1
    assert torch.isfinite(found.best.predictions).all()


def test_more_columns_than_rows() -> None:
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(60, 300, generator=draw, dtype=torch.float64)
    y = x[:, :1] + 0.1 * torch.randn(60, 1, generator=draw, dtype=torch.float64)
    data = Table("wide", x, y, tuple(f"f{i}" for i in range(300)), ("y",))
    found = compare(data, "auto")
    split = sound_split(data)
    ridge = RidgeCV(np.logspace(-3, 4, 15))
    ridge.fit(split.x_train.double().numpy(), split.y_train[:, 0].double().numpy())
    theirs = ridge.score(split.x_test.double().numpy(), split.y_test[:, 0].double().numpy())
    (scores,) = found.facts.scores(found.best.predictions).values()
    assert scores["r2"] is not None
    assert scores["r2"] > theirs - 0.2


def test_the_names_of_models() -> None:
    assert parse_models("auto,linear") == (Model(automatic=True), Model())
    network = Model("relu", (3,)).network(2, 1, seed=0)
    assert Model(automatic=True).found(network) == Model("relu", (3,), automatic=True)
    assert Model("tanh", (3,)).found(network) == Model("tanh", (3,))


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(words)
    return int(left.value.code or 0)


def test_fit_chooses_and_its_files_predict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    data = table(bent=True)
    lines = [",".join(f"{v:.17g}" for v in (*x, *y)) for x, y in zip(data.x, data.y, strict=True)]
    Path("t.csv").write_text("\n".join(["a,b,c,d,y", *lines]) + "\n")
    assert (
        run("fit", "t.csv", "--target", "y", "--export", "m.safetensors", "--export", "m.py") == 0
    )
    message = capsys.readouterr().out
    assert "auto: " in message
    assert "on rows held out" in message
    assert "steps" not in message
    kept = load_run("runs/t-1")
    assert kept.best.choice.tried
    model = SavedModel.load("m.safetensors")
    assert model.model == kept.best.model
    torch.testing.assert_close(
        model.predictions(data.x),
        kept.facts.predictions(
            kept.best.descent.network, (kept.facts.scaler.features(data.x).float())
        ),
    )
    metrics = json.loads(Path("runs/t-1/metrics.json").read_text())
    assert metrics["models"][0]["chosen"] == kept.best.choice.model
    assert run("fit", "--resume", "runs/t-1", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again == metrics
    assert run("fit", "t.csv", "--target", "y", "--steps", "5") == 2
    assert "--steps goes with a model that takes steps" in capsys.readouterr().err


def test_several_seeds_may_choose_differently(tmp_path: Path) -> None:
    from derivable.run.record import load_trained, save_trained

    found = compare(table(bent=True, rows=60), "auto", seeds=3)
    sizes = [run.network.theta.numel() for run in found.best.descents]
    save_trained(found.best, found.seeds, tmp_path / "k.safetensors")
    again = load_trained(tmp_path / "k.safetensors", found.facts)
    assert [run.network.theta.numel() for run in again.descents] == sizes
    assert again.choice == found.best.choice
    assert again.test_losses == found.best.test_losses


def test_an_interruption_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(part: float, loss: float) -> None:
        raise KeyboardInterrupt

    training = Training(loss="mse")
    with pytest.raises(KeyboardInterrupt):
        fit_automatically(sound_split(table(bent=True, rows=60)), training, 0, interrupt)
    task = automatic._task(sound_split(table(bent=True, rows=12)), training, 0)
    interrupted: Any = SimpleNamespace(interrupted=True)
    task = replace(task, descend=lambda *_: interrupted)
    monkeypatch.setattr(automatic, "_task", lambda *_: task)
    with pytest.raises(KeyboardInterrupt):  # of the one linear model where there are few rows
        fit_automatically(sound_split(table(bent=True, rows=12)), training, 0, interrupt)
