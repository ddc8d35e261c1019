"""What a comparison minimises and how: losses, penalty, schedules and early stopping."""

from __future__ import annotations

import json
import re
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from derivable import (
    Adam,
    Comparison,
    Cosine,
    Loss,
    Network,
    StepDecay,
    Tanh,
    WarmUp,
    compare,
    descend,
)
from derivable.cli.main import main
from derivable.comparison import Training
from derivable.comparison.training import PATIENCE, parse_schedule
from derivable.data import SPLITS, Table, load_diabetes
from derivable.display.words import Words
from derivable.errors import DataError, DerivableError, InputError, SettingError
from derivable.function.context import Context
from derivable.functions import L1, MSE, Huber, LogCosh
from derivable.named import parse_loss
from derivable.protocol import parse_models
from derivable.report import charts
from derivable.report.page import page
from derivable.run.folder import load_run, load_settings, training_of
from derivable.run.saved import SavedModel

QUICK = ("--data", "diabetes", "--quiet", "--steps", "60", "--models", "linear,tanh:3")
STOPPED = {"early_stopping": True, "patience": 2, "validation": 0.3}


def left(*words: str) -> int:
    """The exit code of a command in this process."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    return int(ended.value.code or 0)


def table(rows: int = 60, targets: int = 1) -> Table:
    """Targets whose deviation is far from 1."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(rows, 5, generator=generator, dtype=torch.float64)
    y = 40 * (x[:, :targets] + 0.3 * torch.randn(rows, targets, generator=generator)) + 7
    names = tuple(f"t{k}" for k in range(targets))
    return Table("drawn", x, y, tuple("abcde"), names)


def text_of(html: str) -> str:
    """What a reader of the page sees, without charts."""
    bare = re.sub(r"<svg.*?</svg>|<style.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(bare).split())


# Words.


def test_losses_and_schedules_from_words() -> None:
    assert parse_loss("mse") == Loss(MSE)
    assert parse_loss(" Huber:delta=0.5, reduction=sum") == Loss(Huber, delta=0.5, reduction="sum")
    assert parse_schedule("cosine:warm-up=10,least=1e-5")(0.1) == Cosine(0.1, 10, 1e-5)
    assert parse_schedule("step:every=7,factor=0.5")(0.1) == StepDecay(0.1, every=7, factor=0.5)
    assert parse_schedule("warm-up:warm_up=3")(0.1) == WarmUp(0.1, 3)
    found = Training.of_words(early_stopping=True)
    assert found.patience == PATIENCE
    assert found == Training(patience=PATIENCE)
    assert Training.of_words().is_plain
    for other in ({"loss": "l1"}, {"penalty": 0.1}, {"schedule": "cosine"}, STOPPED):
        assert not Training.of_words(**other).is_plain


@pytest.mark.parametrize(
    ("words", "error_message"),
    [
        ({"loss": "hubr"}, "'hubr' names no loss: expected one of mse, .*did you mean huber?"),
        ({"loss": "nll"}, "no loss for a table whose targets are any numbers.* others"),
        ({"loss": "huber:dalta=1"}, "Huber has no option 'dalta'; its options are reduction, del"),
        ({"loss": "mse:delta=1"}, "MSE has no option 'delta'; it has none"),
        ({"loss": "huber:delta"}, "'delta' in 'huber:delta' is no option=value of the loss"),
        ({"loss": "huber:delta=x"}, "delta of huber must be a number, got 'x'"),
        ({"loss": "huber:delta=-1"}, "delta must be positive, got -1"),
        ({"loss": "l1:reduction=max"}, "reduction must be one of 'mean', 'sum', 'none', got 'max'"),
        ({"loss": "huber:delta=1,delta=2"}, "the option delta of the loss .* is given twice"),
        ({"penalty": -1.0}, "penalty must be a number, 0 or more, got -1.0"),
        ({"schedule": "cosin"}, "names no schedule: expected one of cosine, step, warm-up; did"),
        ({"schedule": "cosine:every=3"}, "has no option 'every'; its options are warm_up, least"),
        ({"schedule": "cosine:lr=3"}, "has no option 'lr'"),
        ({"schedule": "step:every=0"}, "every must be a whole number, 1 or more, got 0"),
        ({"schedule": "step:factor=x"}, "factor must be a positive number, got 'x'"),
        ({"patience": 3}, "--patience goes with --early-stopping; give that as well"),
        ({"validation": 0.3}, "--validation goes with --early-stopping"),
        ({"early_stopping": True, "patience": 0}, "patience must be a whole number, 1 or more"),
        ({"early_stopping": True, "validation": 1.0}, "a number between 0 and 1, got 1.0"),
    ],
    ids=str,
)
def test_words_without_a_meaning_get_one_sentence(
    words: dict[str, Any], error_message: str
) -> None:
    with pytest.raises(DerivableError, match=error_message) as error:
        Training.of_words(**words)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("method", ["spectral", "flow", "lbfgs"])
def test_methods_without_single_steps_are_refused_before_the_work(method: str) -> None:
    stopping, scheduled = Training(patience=3), Training(schedule=Cosine)
    for training, what in ((stopping, "early stopping"), (scheduled, "a schedule")):
        with pytest.raises(SettingError, match=f"{what} goes with methods that take every step, "):
            compare(table(), parse_models("linear"), method=method, steps=10, training=training)
    Training().check_method(method)


# What is computed.


@pytest.mark.parametrize("protocol", ["lab", "sound"])
@pytest.mark.parametrize("targets", [1, 2])
@pytest.mark.parametrize(
    ("loss", "theirs", "power"),
    [
        (L1, F.l1_loss, 1),
        (Loss(Huber, delta=0.3), partial(F.huber_loss, delta=0.3), 0),
        (LogCosh, lambda yhat, y: (yhat - y).cosh().log().mean(), 0),
        (MSE, lambda yhat, y: F.mse_loss(yhat, y) * y.size(1), 2),
    ],
    ids=["l1", "huber", "logcosh", "mse"],
)
def test_losses_are_those_of_the_loss(
    loss: Any, theirs: Any, power: int, targets: int, protocol: str
) -> None:
    drawn = table(targets=targets)
    if protocol == "lab":
        drawn = Table("drawn", drawn.x, drawn.y / 40, drawn.features, drawn.targets)
    found = compare(
        drawn, parse_models("tanh:3"), protocol=protocol, lr=1e-2, steps=40, seeds=2,
        training=Training(loss),
    )  # fmt: skip
    split, (result,) = SPLITS[protocol](drawn, 0), found.results
    assert found.facts.loss == Loss.of(loss).name
    unit = split.scaler.y_std.item() ** power if targets == 1 else 1.0
    for run, test_loss in zip(result.descents, result.test_losses, strict=True):
        with torch.no_grad():
            train = theirs(run.network(split.x_train), split.y_train)
            test = theirs(run.network(split.x_test), split.y_test)
        assert run.train_loss == pytest.approx(train.item(), rel=1e-5)
        assert run.losses[-1] < run.losses[0]
        assert test_loss == pytest.approx(unit * test.item(), rel=1e-5)
    assert result.train_loss == pytest.approx(
        unit * sum(run.train_loss for run in result.descents) / 2
    )


def test_a_loss_is_named_with_its_unit() -> None:
    one, two = table(), table(targets=2)

    def words(drawn: Table, loss: Any, protocol: str = "sound") -> str:
        found = compare(
            drawn, parse_models("linear"), protocol=protocol, lr=1e-4, steps=1,
            training=Training(loss),
        )  # fmt: skip
        return found.facts.in_words

    assert words(one, MSE) == "mean squared error of t0"
    assert words(two, MSE) == "mean squared error in standard deviations, summed over 2 targets"
    assert words(one, L1) == "mean absolute error of t0"
    assert words(two, L1) == "mean absolute error of 2 targets in standard deviations"
    french = Words("fr")
    assert french.of(words(two, L1)) == "erreur absolue moyenne de 2 cibles, en écarts-types"
    assert french.of(words(one, L1)) == "erreur absolue moyenne de t0"
    huber = Loss(Huber, delta=0.3)
    assert french.of(words(two, huber)) == "Huber(delta=0.3) de 2 cibles, en écarts-types"
    assert words(one, huber) == "Huber(delta=0.3) of t0 in standard deviations"
    assert words(one, huber, "lab") == "Huber(delta=0.3) of t0"
    assert words(two, huber, "lab") == "Huber(delta=0.3) of 2 targets"


def test_the_penalty_is_ridge_regression() -> None:
    drawn = table()
    found = compare(
        drawn, parse_models("linear"), protocol="sound", lr=0.1, steps=5000,
        training=Training(penalty=0.2),
    )  # fmt: skip
    (result,), split = found.results, SPLITS["sound"](drawn, 0)
    x, y = split.x_train.double(), split.y_train.double()
    x = x - x.mean(0)
    rows = len(x)
    w = torch.linalg.solve(
        x.t() @ x / rows + 0.1 * torch.eye(5, dtype=torch.float64), x.t() @ (y - y.mean(0)) / rows
    )
    torch.testing.assert_close(result.descent.parameters[0].double(), w, rtol=1e-4, atol=1e-5)
    assert found.to_dict()["penalty"] == 0.2


def test_the_schedule_begins_with_the_rate_of_the_model() -> None:
    training = Training(schedule=partial(Cosine, warm_up=5))
    found = compare(table(), parse_models("tanh:3"), lr=3e-3, steps=30, training=training)
    (result,) = found.results
    assert result.descent.lr == Cosine(3e-3, warm_up=5)
    assert result.lr == 3e-3
    (entry,) = found.to_dict()["models"]
    assert (entry["lr"], entry["schedule"]) == (3e-3, "Cosine(lr=0.003, warm_up=5, least=0.0)")
    assert found.to_json()


def test_early_stopping_holds_out_the_last_training_rows() -> None:
    drawn, models = table(), parse_models("tanh:20")
    settings: dict[str, Any] = {"protocol": "sound", "lr": 0.1, "steps": 6000, "seeds": 2}
    found = compare(drawn, models, training=Training(patience=2, validation=0.25), **settings)
    (result,), split = found.results, SPLITS["sound"](drawn, 0)
    assert found.facts.train_rows == 36
    x, y = split.x_train[36:], split.y_train[36:]
    assert len(x) == 12
    for run in result.descents:
        assert run.steps < 6000
        assert run.stopped.startswith(f"the validation loss was least after {run.steps:,} steps")
        value = F.mse_loss(run.network(x), y).item()
        assert float(run.stopped.rsplit(maxsplit=1)[1]) == pytest.approx(value, rel=1e-5)
    assert len({run.steps for run in result.descents}) == 2, "each has its own"
    free = compare(drawn, models, training=Training(), **settings)
    assert free.results[0].test_loss > result.test_loss
    with pytest.raises(DataError, match=r"0\.01 of 48 training rows leaves none for validation"):
        compare(drawn, models, training=Training(patience=2, validation=0.01), **settings)
    with pytest.raises(DataError, match="leaves none to train; choose another"):
        compare(drawn, models, training=Training(patience=2, validation=0.999), **settings)


def test_the_sheets_figures_are_for_the_sheets_training(california: Table) -> None:
    models = parse_models("linear")
    assert compare(california, models).results[0].sheet is not None
    found = compare(california, models, training=Training(penalty=0.1))
    assert found.results[0].sheet is None


# The commands.


def test_a_run_keeps_how_it_was_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = (
        "--loss", "huber:delta=0.5", "--weight-decay", "0.01", "--schedule", "cosine:warm_up=5",
        "--early-stopping", "--patience", "3", "--validation", "0.2", "--protocol", "sound",
    )  # fmt: skip
    assert left("compare", *QUICK, *words, "--out", "one") == 0
    stated = " ".join(capsys.readouterr().out.split())
    assert "loss: Huber(delta=0.5) of progression" in stated
    assert "train loss with an L2 penalty of 0.01" in stated
    assert "Cosine(lr=" in stated
    options = load_settings(Path("one")).options
    assert options["loss"] == "huber:delta=0.5"
    assert options["penalty"] == 0.01
    assert training_of(load_settings(Path("one"))).patience == 3
    loaded, document = load_run("one"), json.loads(Path("one/metrics.json").read_text())
    assert loaded.to_dict() == document
    assert document["loss_function"] == "Huber(delta=0.5)"
    assert document["models"][0]["schedule"].startswith("Cosine(lr=")
    # again, from the file
    assert left("compare", "--config", "one/run.toml", "--quiet", "--out", "two") == 0
    assert Path("one/history.csv").read_text() == Path("two/history.csv").read_text()
    # a finished run reports the same, another loss is refused
    assert left("compare", "--resume", "one", "--quiet") == 0
    capsys.readouterr()
    assert left("compare", "--resume", "one", "--loss", "mse", "--quiet") == 2
    assert "loss was huber:delta=0.5 and is mse" in capsys.readouterr().err
    # the model tells how it was trained
    about = SavedModel.load("one/tanh-3.safetensors").about
    assert about["loss"] == loaded.facts.in_words
    assert about["schedule"] == document["models"][1]["schedule"]
    assert json.loads(json.dumps(about)) == about


def test_they_stand_in_a_configuration_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'data = "diabetes"\nmodel = "tanh:2"\nsteps = 50\nloss = "l1"\nweight-decay = 0.5\n'
        'early-stopping = true\npatience = 2\nschedule = "step:every=10,factor=0.5"\n'
    )
    assert left("fit", "--config", str(file), "--quiet", "--out", str(tmp_path / "run")) == 0
    training = load_run(tmp_path / "run").training
    assert (training.loss, training.penalty, training.patience) == (Loss(L1), 0.5, 2)
    assert load_run(tmp_path / "run").results[0].descent.lr == StepDecay(1e-4, every=10, factor=0.5)
    capsys.readouterr()
    file.write_text('data = "diabetes"\nloss = "l3"\n')
    assert left("fit", "--config", str(file)) == 2
    assert "'l3' names no loss" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "error_message"),
    [
        (("--loss", "poissonnll"), "names no loss for a table whose targets are any numbers"),
        (("--penalty", "-1"), "-1.0 is not in the range x>=0"),
        (("--validation", "1"), "is not in the range 0<x<1"),
        (("--patience", "3"), "--patience goes with --early-stopping"),
        (("--early-stopping", "--method", "flow"), "take every step"),
        (("--schedule", "cosine", "--method", "lbfgs"), "take every step"),
    ],
    ids=str,
)
def test_mistakes_get_one_sentence_before_the_work(
    words: tuple[str, ...], error_message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert left("compare", *QUICK, *words) == 2
    assert error_message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_lbfgs_has_no_rate_to_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--protocol", "sound", "--method", "lbfgs", "--out", str(tmp_path / "run"))
    assert left("compare", *QUICK, *words) == 0
    assert "lbfgs" in capsys.readouterr().out


# The report.


@pytest.fixture(scope="module")
def stopped() -> Comparison:
    """A comparison with all of it."""
    training = Training(Loss(Huber, delta=0.5), 0.01, partial(Cosine, warm_up=5), 2, 0.25)
    return compare(
        table(), parse_models("linear,tanh:20"), protocol="sound", lr=0.3, steps=6000,
        training=training,
    )  # fmt: skip


def test_the_page_says_what_was_minimised(stopped: Comparison) -> None:
    text = text_of(page(stopped, lang="en"))
    assert stopped.results[1].descent.stopped
    steps = stopped.results[1].descent.steps
    for error_message in (
        "Losses are: Huber(delta=0.5) of t0 in standard deviations.",
        "and its Huber(delta=0.5) on all training rows is minimised",
        "0.01 / 2 times the squared length of the weights, without the biases",
        "Early stopping: the last 25% of the training rows are held out for validation; each "
        "descent ends after 2 evaluations, one in 100 steps,",
        f"tanh(20) was stopped early and has the weights after {steps:,} steps.",
        "Cosine(lr=0.3, warm_up=5, least=0.0)",
    ):
        assert error_message in text, error_message
    assert "squared error" not in text


def test_the_page_says_it_in_french(stopped: Comparison) -> None:
    html = page(stopped, lang="fr")
    text = text_of(html).replace("\u00a0", " ")
    for error_message in (
        "Les pertes sont : Huber(delta=0.5) de t0, en écarts-types.",
        "lignes d'apprentissage (Huber(delta=0.5)) est minimisée",
        "Une pénalité L2 est ajoutée à la perte d'apprentissage",
        "Arrêt précoce : les derniers 25 % des lignes d'apprentissage servent à la validation",
        "tanh(20) a été arrêté avant la fin",
    ):
        assert error_message in text, error_message
    assert "standard deviations" not in text


def test_a_page_without_them_does_not_mention_them() -> None:
    found = compare(load_diabetes(), parse_models("linear"), steps=5)
    text = text_of(page(found, lang="en"))
    assert "its mean squared error on all training rows" in text
    for word in ("penalty", "Early stopping", "stopped early"):
        assert word not in text


def test_the_axes_say_the_loss(stopped: Comparison) -> None:
    (axes,) = charts.loss_curves(stopped, "en").axes
    assert axes.get_ylabel() == "training loss (Huber(delta=0.5))"
    (axes,) = charts.test_loss_bars(stopped, "fr").axes
    assert axes.get_ylabel() == "perte de test (Huber(delta=0.5))"
    assert axes.get_title(loc="left").startswith("Perte de test après arrêt précoce")


OWN_LOSS = """
from derivable import Function


class Quartic(Function):
    @staticmethod
    def forward(ctx, yhat, y, scale=1.0):
        ctx.save_for_backward(yhat, y)
        ctx.scale = scale
        return scale * ((yhat - y) ** 4).mean()

    @staticmethod
    def backward(ctx, grad_output):
        yhat, y = ctx.saved_tensors
        grad = 4 * ctx.scale * (yhat - y) ** 3 / yhat.numel() * grad_output
        return grad, -grad, None
"""


def test_a_loss_of_ones_own_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN_LOSS)
    loss = parse_loss(f"{tmp_path / 'mine.py'}:Quartic:scale=0.5")
    yhat, y = torch.tensor([[1.0], [3.0]]), torch.tensor([[0.0], [1.0]])
    assert loss.forward(Context(), yhat, y).item() == pytest.approx(0.25 * (1 + 16))
    assert loss.name == "Quartic(scale=0.5)"


@pytest.mark.parametrize(("word", "expected"), [("true", 17), ("False", 8.5), ("TRUE", 17)])
def test_an_option_that_is_true_or_false(word: str, expected: float, tmp_path: Path) -> None:
    text = OWN_LOSS.replace("scale=1.0", "summed=False")
    text = text.replace("ctx.scale = scale", "ctx.scale = scale = yhat.numel() if summed else 1.0")
    (tmp_path / "mine.py").write_text(text)
    loss = parse_loss(f"{tmp_path / 'mine.py'}:Quartic:summed={word}")
    yhat, y = torch.tensor([[1.0], [3.0]]), torch.tensor([[0.0], [1.0]])
    assert loss.forward(Context(), yhat, y).item() == pytest.approx(expected)
    with pytest.raises(SettingError, match="summed"):
        parse_loss(f"{tmp_path / 'mine.py'}:Quartic:summed=yes")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("mine.py:Cubic", "mine.py defines no 'Cubic'; its Functions are Quartic"),
        ("mine.py:Quartic:power=2", "power"),
        ("mine.py:Quartic:scale", "'scale' in .* is no option=value of the loss"),
        ("mine.py", "mine.py is a file; name the Function in it .*: .*mine.py:MyLoss$"),
        ("mine.py:", "mine.py is a file; name the Function in it"),
        ("none.py:Quartic", "there is no file .*none.py"),
        ("broken.py:Quartic", "cannot be run: .*broken.py:1: NameError"),
        ("plain.py:Quartic", "loss must be a Function class"),
    ],
)
def test_a_file_without_such_a_loss_is_refused(words: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN_LOSS)
    (tmp_path / "broken.py").write_text("x = undefined\n")
    (tmp_path / "plain.py").write_text("class Quartic: pass\n")
    with pytest.raises((SettingError, InputError), match=message):
        parse_loss(f"{tmp_path}/{words}")


def test_a_run_goes_on_with_the_loss_that_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By content: its file may move, as the table may."""
    monkeypatch.chdir(tmp_path)
    mine, run = tmp_path / "mine.py", str(tmp_path / "run")
    mine.write_text(OWN_LOSS)
    assert left("compare", *QUICK, "--loss", "mine.py:Quartic:scale=2", "--out", run) == 0
    assert f'loss = "{mine}:Quartic:scale=2"' in Path(run, "run.toml").read_text()
    (tmp_path / "other").mkdir()
    monkeypatch.chdir("other")  # the path is absolute
    assert left("compare", "--resume", run, "--quiet") == 0
    moved = mine.rename(tmp_path / "other" / "mine.py")
    assert left("compare", "--resume", run, "--quiet", "--loss", "mine.py:Quartic:scale=2") == 0
    capsys.readouterr()
    assert left("compare", "--resume", run, "--quiet", "--loss", "mine.py:Quartic:scale=3") == 2
    assert "loss was mine.py:Quartic:scale=2 and is mine.py:Quartic:scale=3" in (
        capsys.readouterr().err
    )
    moved.rename(mine).write_text(OWN_LOSS.replace("** 4", "** 2"))
    assert left("compare", "--resume", run, "--quiet") == 2
    error = capsys.readouterr().err
    assert f"{mine} is not the file that the loss of the run is out of: sha256 was" in error


def test_a_run_is_shown_without_the_file_of_its_loss(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, run = tmp_path / "mine.py", str(tmp_path / "run")
    mine.write_text(OWN_LOSS)
    assert left("compare", *QUICK, "--loss", f"{mine}:Quartic:scale=2", "--out", run) == 0
    mine.unlink()
    capsys.readouterr()
    assert left("report", run) == 0
    assert "Quartic(scale=2)" in capsys.readouterr().out
    found = load_run(run)
    assert (found.facts.loss, found.training.loss) == ("Quartic(scale=2)", None)


@pytest.mark.parametrize(
    ("elsewhere", "ours"),
    [("mae", "l1"), ("rmse", "mse"), ("squared_error", "mse"), ("hubert", "huber")],
)
def test_a_loss_by_the_name_of_another_package(elsewhere: str, ours: str) -> None:
    with pytest.raises(SettingError, match=rf"did you mean {ours}\?"):
        parse_loss(elsewhere)


def test_mini_batches_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def left(*words: str) -> Any:
        with pytest.raises(SystemExit) as error:
            main(words)
        return error.value.code

    run = str(tmp_path / "run")
    words = ("--data", "diabetes", "--steps", "30", "--lr", "0.01", "--quiet", "--batch-size", "53")
    assert left("compare", *words, "--models", "tanh:3", "--method", "adam", "--out", run) == 0
    assert "adam, mini-batches, 31 gradients" in capsys.readouterr().out
    assert "\nbatch-size = 53\n" in (tmp_path / "run" / "run.toml").read_text()
    split = SPLITS["lab"](load_diabetes(), 0)
    network = Network.mlp(10, 3, 1, activation=Tanh, seed=0)
    expected = descend(
        network, MSE, split.x_train, split.y_train, lr=0.01, steps=30, method=Adam(batch_size=53)
    )
    found = load_run(Path(run)).results[0].descent
    assert torch.equal(found.losses, expected.losses)
    again = f"{run}/run.toml"
    assert left("compare", "--config", again, "--out", f"{run}2") == 0
    assert torch.equal(load_run(Path(f"{run}2")).results[0].descent.losses, expected.losses)
    capsys.readouterr()
    assert left("compare", "--resume", run, "--batch-size", "7", "--quiet") == 2
    assert "batch-size was 53 and is 7" in capsys.readouterr().err
    for method in ("auto", "lbfgs", "spectral", "flow"):
        assert left("fit", *words, "--method", method) == 2
        error = capsys.readouterr().err
        assert "steps, momentum, nesterov, adam; got method" in error
        assert repr(method) in error
