"""Run folders: nothing is lost, and what goes on has the bits of what was never stopped."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from derivable import MSE, Checkpoint, Comparison, Descent, compare, descend
from derivable.cli.main import main
from derivable.comparison import DescentOrCheckpoint, Trained, Training
from derivable.data import load_diabetes
from derivable.descent import State
from derivable.errors import DataError, FileError, SettingError
from derivable.files import write_whole
from derivable.protocol import parse_models
from derivable.run import folder as run_folder
from derivable.run.folder import Run, load_run, open_run
from derivable.run.lock import Lock
from derivable.run.settings import Settings
from derivable.stepper import PiecewiseSteps
from tests.problems import problem

QUICK = ("compare", "--data", "diabetes", "--quiet", "--method", "steps", "--steps", "130")


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 50 steps, each of which is kept."""
    for module in ("plain", "fused"):
        monkeypatch.setattr(f"derivable.stepper.{module}.steps_per_block", lambda rows: 50)
    monkeypatch.setattr(PiecewiseSteps, "block", 50)
    monkeypatch.setattr(run_folder, "SECONDS", 0.0)
    monkeypatch.setattr(run_folder, "SHARE", 1e9)
    monkeypatch.setattr("derivable.report.run_folder.write_page", lambda *_, **__: None)


# What else is the same for each model: another loss, a schedule, and early stopping.
HOW = {
    "loss": "huber:delta=0.5", "penalty": 0.01, "schedule": "cosine:warm_up=10",
    "early_stopping": True, "patience": 2,
}  # fmt: skip


class Stopping:
    """Interrupts a run where it keeps something for the n-th time."""

    def __init__(self, n: int) -> None:
        self.left = n

    def __call__(self, found: DescentOrCheckpoint) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def nothing(found: DescentOrCheckpoint) -> None:
    """Not interrupted."""


def go(
    folder: Path,
    between: Callable[[DescentOrCheckpoint], None] = nothing,
    *,
    models: str = "tanh:3,relu:5",
    resume: bool = False,
    **settings: Any,
) -> Comparison:
    """A comparison that is kept in `folder`."""
    how = settings.pop("how", {})
    options = {"models": models, "steps": 130, "seed": 4, "method": "steps", **settings}
    place: dict[str, Any] = (
        {"out": None, "resume": str(folder)} if resume else {"out": str(folder), "resume": None}
    )
    kept = options | {name.replace("_", "-"): value for name, value in how.items()}
    run = open_run("compare", kept, name="diabetes", between=between, **place)
    try:
        chosen = parse_models(options.pop("models"))
        training = Training.of_words(**how)
        return compare(load_diabetes(), chosen, keeper=run, training=training, **options)
    finally:
        run.close()


def same(one: Comparison, other: Comparison) -> None:
    """In every bit, but for how long it took."""
    assert (one.steps, one.seeds) == (other.steps, other.seeds)
    for field in ("name", "features", "targets", "protocol", "train_rows", "digest", "columns"):
        assert getattr(one.facts, field) == getattr(other.facts, field)
    assert torch.equal(one.facts.x_test, other.facts.x_test)
    assert torch.equal(one.facts.y_test, other.facts.y_test)
    for ours, theirs in zip(
        asdict(one.facts.scaler).values(), asdict(other.facts.scaler).values(), strict=True
    ):
        assert torch.equal(ours, theirs)
    for a, b in zip(one.results, other.results, strict=True):
        same_model(a, b)


def same_model(one: Trained, other: Trained) -> None:
    """In every bit, but for how long it took."""
    for field in ("model", "test_losses", "unit", "lr_reason", "sheet"):
        assert getattr(one, field) == getattr(other, field)
    assert torch.equal(one.predictions, other.predictions)
    assert torch.equal(one.test_curve.steps, other.test_curve.steps)
    assert torch.equal(one.test_curve.losses, other.test_curve.losses)
    for a, b in zip(one.descents, other.descents, strict=True):
        assert torch.equal(a.losses, b.losses)
        assert torch.equal(a.network.theta, b.network.theta)
        assert torch.equal(a.snapshots.thetas, b.snapshots.thetas)
        assert a.snapshots.at == b.snapshots.at
        assert torch.equal(a.checkpoint.theta, b.checkpoint.theta)
        assert a.checkpoint.memory.keys() == b.checkpoint.memory.keys()
        for name, value in a.checkpoint.memory.items():
            assert torch.equal(value, b.checkpoint.memory[name])
        for field in ("lr", "steps", "method", "objective", "error_estimate", "interrupted"):
            assert getattr(a, field) == getattr(b, field)


@pytest.mark.parametrize(
    ("models", "settings"),
    [
        ("linear,tanh:3x2", {"method": "auto", "protocol": "sound", "lr": None, "steps": 2500}),
        ("relu:5", {"method": "adam", "seeds": 3}),
        ("linear", {"method": "lbfgs"}),
    ],
    ids=str,
)
def test_a_run_folder_gives_back_the_comparison(
    models: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    comparison = go(tmp_path / "run", models=models, **settings)
    loaded = load_run(tmp_path / "run")
    same(loaded, comparison)
    assert loaded.to_dict() == comparison.to_dict()
    for result in comparison.results:
        twin = result.model.network(10, 1, seed=99)
        twin.load_state_dict(
            load_file(tmp_path / f"run/{run_folder.file_name(result.model)}.safetensors")
        )
        assert torch.equal(twin.theta, result.descent.network.theta)
    names = {file.name for file in (tmp_path / "run/kept").iterdir()}
    files = {f"{run_folder.file_name(result.model)}.safetensors" for result in comparison.results}
    assert names == files | {"facts.safetensors", "lock"}, "what was underway is tidied away"


@pytest.mark.parametrize(
    ("settings", "every"),
    [
        ({}, 1),
        ({"method": "adam"}, 5),
        ({"seeds": 3}, 6),
        ({"lr": "auto", "protocol": "sound"}, 5),
        ({"how": HOW, "protocol": "sound", "lr": 0.5, "steps": 900, "seeds": 2}, 7),
        ({"how": HOW, "protocol": "sound", "lr": 0.1, "steps": 900, "method": "adam"}, 7),
    ],
    ids=str,
)
def test_what_goes_on_has_the_bits_of_what_was_never_stopped(
    settings: dict[str, Any], every: int, tmp_path: Path
) -> None:
    whole = go(tmp_path / "whole", **settings)
    for n in range(1, 100, every):
        folder = tmp_path / f"stopped-{n}"
        stopping = Stopping(n)
        try:
            go(folder, stopping, **settings)
            break  # there are fewer than n
        except KeyboardInterrupt:
            pass
        same(go(folder, resume=True, **settings), whole)
        same(load_run(folder), whole)
    assert n > 6, "it was stopped in the last model, too"


def test_a_run_that_is_stopped_again_and_again(tmp_path: Path) -> None:
    whole = go(tmp_path / "whole")
    resume = False
    for _ in range(20):
        try:
            again = go(tmp_path / "run", Stopping(2), resume=resume)
            break
        except KeyboardInterrupt:
            resume = True
    same(again, whole)


def test_finished_models_are_kept_and_not_run_again(tmp_path: Path) -> None:
    ended: list[str] = []

    def stop_in_second(found: DescentOrCheckpoint) -> None:
        if isinstance(found, Descent) and not found.interrupted:
            ended.append(found.method)
        elif ended:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "run", stop_in_second)
    (kept,) = load_run(tmp_path / "run").results
    assert kept.model.name == "tanh(3)"
    whole = go(tmp_path / "run", resume=True)
    same_model(whole.results[0], kept)
    assert whole.results[0].seconds == kept.seconds, "it was not run again"
    assert [result.model.name for result in whole.results] == ["tanh(3)", "relu(5)"]


def test_a_flow_that_was_given_up_goes_on_by_steps(tmp_path: Path) -> None:
    network, x, y = problem(3, 5, 1, rows=43, dtype=torch.float32)
    kept: list[Checkpoint] = []
    settings: dict[str, Any] = {"lr": 0.5, "steps": 230, "method": "flow"}

    def keep(state: State) -> None:
        if state.resumable:
            kept.append(state.checkpoint())

    whole = descend(network, MSE, x, y, on_block=keep, **settings)
    assert len(kept) > 2
    assert whole.error_estimate.note.startswith(
        "all steps were taken one by one, without the flow: lr * lambda_max is"
    )
    for checkpoint in kept[:-1]:
        checkpoint.save(tmp_path / "descent")
        loaded = Checkpoint.load(tmp_path / "descent")
        assert loaded.exact
        again = descend(network, MSE, x, y, start=loaded, **settings)
        assert torch.equal(again.losses, whole.losses)
        assert torch.equal(again.network.theta, whole.network.theta)
        assert again.error_estimate == whole.error_estimate
        assert again.gradient_evaluations == whole.gradient_evaluations
        assert again.seconds > loaded.seconds


def test_another_table_or_version_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "run", Stopping(2))
    table = load_diabetes()
    changed = replace(table, y=table.y + 1)
    monkeypatch.setattr(sys.modules[__name__], "load_diabetes", lambda: changed)
    with pytest.raises(DataError, match=r"not that of the run: sha256 was \w+ and is \w+; bring"):
        go(tmp_path / "run", resume=True)
    monkeypatch.setattr(sys.modules[__name__], "load_diabetes", lambda: table)
    monkeypatch.setattr("derivable.__version__", "9.9")
    with pytest.raises(
        SettingError, match=r"of another version: derivable was .* and is 9.9; inst"
    ):
        go(tmp_path / "run", resume=True)


def left(*words: str) -> Any:
    """The code with which the command leaves."""
    with pytest.raises(SystemExit) as error:
        main(words)
    return error.value.code


def test_other_options_beside_resume_are_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(tmp_path / "run")
    assert left(*QUICK, "--models", "linear", "--out", run) == 0
    assert left("compare", "--resume", run, "--steps", "130", "--quiet") == 0, "nothing changed"
    capsys.readouterr()
    for words, error_message in {
        ("--steps", "9"): "begun with other settings: steps was 130 and is 9; leave",
        ("--lr", "0.1"): "begun with other settings: lr was null and is 0.1; leave",
        ("--out", "x"): "leave out --out",
        ("--config", f"{run}/run.toml"): "leave out --config",
    }.items():
        assert left("compare", "--resume", run, *words) == 2
        assert error_message in capsys.readouterr().err
    assert left("fit", "--resume", run) == 2
    assert "is of derivable compare, not of derivable fit" in capsys.readouterr().err
    assert left("compare", "--resume", str(tmp_path)) == 2
    assert "is no run folder: it holds no run.toml" in capsys.readouterr().err


def test_a_table_may_have_moved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here, there, run = tmp_path / "here.csv", tmp_path / "there.csv", str(tmp_path / "run")
    here.write_text("a,b\n" + "".join(f"{i},{i * i % 7}\n" for i in range(29)))
    words = ("compare", str(here), "--target", "b", "--models", "linear", "--steps", "3")
    assert left(*words, "--out", run) == 0
    here.rename(there)
    assert left("compare", "--resume", run) == 3, "it is not where it was"
    assert left("compare", str(there), "--resume", run) == 0
    there.write_text(there.read_text().replace("3,2", "3,3"))
    capsys.readouterr()
    assert left("compare", str(there), "--resume", run) == 3
    assert "the table is not that of the run: sha256 was" in capsys.readouterr().err


def test_the_settings_of_a_run_are_a_configuration_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two, three = (str(tmp_path / name) for name in ("one", "two", "three"))
    assert left(*QUICK, "--models", "tanh:3", "--seed", "7", "--out", one) == 0
    assert left("compare", "--config", f"{one}/run.toml", "--out", two) == 0
    same(load_run(one), load_run(two))
    words = ("--steps", "9", "--out", three)
    assert left("compare", "--config", f"{one}/run.toml", *words) == 0
    assert load_run(three).steps == 9, "the command line counts more"
    file = tmp_path / "mine.toml"
    file.write_text('data = "diabetes"\nmodels = ["linear", "tanh:2"]\nsteps = 3\nquiet = true\n')
    capsys.readouterr()
    assert left("compare", "--config", str(file), "--json", "--out", str(tmp_path / "four")) == 0
    assert len(json.loads(capsys.readouterr().out)["models"]) == 2
    file.write_text('data = "diabetes"\nmodel = "tanh:2"\nsteps = 3\n')
    assert left("fit", "--config", str(file), "--out", str(tmp_path / "five")) == 0
    for text, error_message in {
        'stepz = 3\ndata = "diabetes"': "sets 'stepz', which is no option of compare; did you mean",
        "steps = 1.5": "Invalid value for '--steps': '1.5' is not a valid integer",
        "steps = [": "is no TOML",
        'command = "fit"': "is of derivable fit, not of derivable compare",
        "settings = 3": "settings a table",
        'models = "\\u0000"': "holds a NUL character",
    }.items():
        file.write_text(text)
        assert left("compare", "--config", str(file)) == 2
        assert error_message in capsys.readouterr().err
    assert left("compare", "\0", "--json") == 2
    assert "a NUL character" in json.loads(capsys.readouterr().out)["error"]
    assert left("compare", "--config", str(tmp_path / "none.toml"), "--json") == 2
    assert "none.toml cannot be read" in json.loads(capsys.readouterr().out)["error"]


@pytest.mark.parametrize(
    "value", ["plain", 'a"b\\c', "ligne\nnouvelle\x7fé😀", 3, 1e-5, True, ["a", 'b"']], ids=repr
)
def test_settings_survive_their_file(value: Any, tmp_path: Path) -> None:
    settings = Settings("compare", {"option": value}, {"name": "é"}, {"derivable": "1"})
    write_whole(tmp_path / "run.toml", settings.to_toml())
    assert Settings.load(tmp_path / "run.toml") == settings


def test_settings_that_no_file_can_hold() -> None:
    settings = Settings("compare", {"seed": 0, "file": "\udce9t\udce9.csv", "steps": 5})
    with pytest.raises(FileError, match=r"file = .*is no UTF-8, so run\.toml cannot hold it; give"):
        settings.to_toml()


@pytest.mark.parametrize("n", [1, 4, 5, 7, 12, 14])
def test_a_full_disk_loses_nothing(
    n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = go(tmp_path / "whole")
    written = 0

    def full(number: int) -> None:
        nonlocal written
        written += 1
        if written >= n:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    words = (*QUICK, "--models", "tanh:3,relu:5", "--seed", "4", "--out", str(tmp_path / "run"))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        assert left(*words, "--json") == 2
    printed = capsys.readouterr()
    error = json.loads(printed.out)["error"]
    assert "cannot be written (No space left on device)" in error
    assert "Traceback" not in printed.err
    if not (tmp_path / "run").exists():
        assert n <= 4, "only where nothing was found yet"
        return
    assert f"to go on: derivable compare --resume {tmp_path / 'run'}" in error
    assert not list((tmp_path / "run").rglob("*.part"))
    assert left("compare", "--resume", str(tmp_path / "run"), "--quiet") == 0
    same(load_run(tmp_path / "run"), whole)
    assert (tmp_path / "run/metrics.json").exists()


def test_one_process_at_a_time_writes_into_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert left(*QUICK, "--models", "linear", "--out", str(run)) == 0
    code = (
        "import sys; from pathlib import Path; from derivable.run.lock import Lock\n"
        f"lock = Lock(Path({str(run / 'kept')!r})); print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        for words in (("compare", "--resume", str(run)), (*QUICK, "--out", str(run))):
            capsys.readouterr()
            assert left(*words) == 2
        assert "already holds files" in capsys.readouterr().err
        assert left("compare", "--resume", str(run)) == 2
        message = capsys.readouterr().err
        assert f"another process (id {other.pid}) is writing into {run}" in message
        other.kill()
    assert left("compare", "--resume", str(run), "--quiet") == 0, "a dead one does not hold it"


def test_a_lock_that_the_file_system_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def unknown(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unknown)
    Lock(tmp_path).release()


def test_a_folder_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    for place in ("file", "file/run"):
        assert left(*QUICK, "--out", str(tmp_path / place)) == 2
        message = capsys.readouterr().err
        assert "name another with --out" in message or "name another folder with --out" in message
    (tmp_path / "runs").touch()
    monkeypatch.chdir(tmp_path)
    assert left(*QUICK) == 2
    assert "the run folder runs cannot be made (File exists)" in capsys.readouterr().err
    with pytest.raises(FileError, match="No such file"):
        write_whole(tmp_path / "none/x", "")


def test_what_a_killed_process_left_is_tidied_away(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "run", Stopping(2))
    part = tmp_path / "run/kept/.tanh-3.safetensors.77-77.part"
    part.write_bytes(b"half of a fi")
    go(tmp_path / "run", resume=True)
    assert not part.exists()


def test_a_new_run_never_overwrites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runs = [
        open_run("compare", {}, out=None, resume=None, name="diabetes", between=nothing)
        for _ in range(2)
    ]
    assert [run.folder for run in runs] == [Path("runs/diabetes-1"), Path("runs/diabetes-2")]
    for run in runs:
        run.close()
    assert not runs[0].folder.exists(), "nothing was found in it"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/x").touch()
    with pytest.raises(SettingError, match=r"mine already holds files .* --out"):
        open_run("compare", {}, out="mine", resume=None, name="", between=nothing)
    (tmp_path / "my run").mkdir()
    (tmp_path / "my run/run.toml").touch()
    with pytest.raises(SettingError, match=r"; to go on with it: .* compare --resume 'my run'"):
        open_run("compare", {}, out="my run", resume=None, name="", between=nothing)


@pytest.mark.parametrize("name", ["facts", "tanh-3", "relu-5.seed-4"])
@pytest.mark.parametrize(
    "damage", [b"", b"garbage" * 99, "header"], ids=["empty", "garbage", "header"]
)
def test_a_damaged_file_is_named(name: str, damage: bytes | str, tmp_path: Path) -> None:
    def stop_in_second(found: DescentOrCheckpoint) -> None:
        if isinstance(found, Checkpoint) and found.theta.numel() == 61 and found.step == 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "run", stop_in_second)
    file = tmp_path / f"run/kept/{name}.safetensors"
    if isinstance(damage, bytes):
        file.write_bytes(damage)
    else:
        content = file.read_bytes()
        file.write_bytes(content.replace(b'"losses', b'"lasses').replace(b'"y_std"', b'"y_sdt"'))
    if name == "facts":
        with pytest.raises(DataError, match=r"facts.safetensors (is damaged|cannot be read)"):
            load_run(tmp_path / "run")
        go(tmp_path / "run", resume=True)
        load_run(tmp_path / "run")
        return
    if damage == "header" and name == "tanh-3":
        return  # its losses have the seed before them
    with pytest.raises(DataError, match=rf"{name}.safetensors (is damaged|cannot be read)"):
        go(tmp_path / "run", resume=True)


def test_a_run_without_a_finished_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "run", Stopping(2))
    assert left("report", str(tmp_path / "run")) == 3
    message = capsys.readouterr().err
    assert "no model of" in message
    assert f"derivable compare --resume {tmp_path / 'run'} goes on with it" in message


def test_a_report_is_written_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, drawn = tmp_path / "run", []

    def draw(comparison: Comparison, folder: Path, **_: Any) -> None:
        drawn.append([result.model.name for result in comparison.results])

    monkeypatch.setattr("derivable.report.run_folder.write_page", draw)
    assert left(*QUICK, "--models", "linear,tanh:3", "--out", str(run)) == 0
    before = {name: (run / name).read_text() for name in ("metrics.json", "history.csv")}
    for name in before:
        (run / name).unlink()
    capsys.readouterr()
    assert left("report", str(run), "--json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads(before["metrics.json"])
    assert {name: (run / name).read_text() for name in before} == before
    (run / "kept/tanh-3.safetensors").unlink()
    assert left("report", str(run)) == 0
    assert "1 more of its models is not finished" in capsys.readouterr().err
    assert drawn == [["linear", "tanh(3)"], ["linear", "tanh(3)"], ["linear"]]


def test_an_interruption_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    asked = False

    def keep(self: Run, model: Any, seed: int, found: DescentOrCheckpoint) -> None:
        nonlocal asked
        if model.name == "tanh(3)" and isinstance(found, Checkpoint) and found.step == 50:
            plain(self, model, seed, found)
            asked = True
            signal.raise_signal(signal.SIGTERM)  # inside of the next block
            return
        if asked:
            at = found.checkpoint if isinstance(found, Descent) else found
            assert at.step == 100, "the block is finished, and no other is begun"
        plain(self, model, seed, found)

    plain = Run.keep
    with monkeypatch.context() as patched:
        patched.setattr(Run, "keep", keep)
        patched.setattr(run_folder, "SECONDS", 99.0)
        assert left(*QUICK, "--models", "linear,tanh:3", "--out", str(run), "--json") == 130
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {
        "error": "interrupted; 1 of 2 models is finished, tanh(3) is kept at step 100; "
        f"to go on: derivable compare --resume {run}",
        "exit_code": 130,
    }
    assert "once more to stop now" in printed.err
    assert left("compare", "--resume", str(run), "--quiet") == 0


def test_the_second_signal_stops_at_once() -> None:
    code = (
        "import os, signal, time; from derivable.cli.interrupts import Interrupts\n"
        "interrupts = Interrupts(as_json=True)\n"
        "with interrupts.heard():\n"
        "    interrupts.between(ended=False)\n"
        "    os.kill(os.getpid(), signal.SIGTERM); os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(60)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 130
    assert json.loads(done.stdout)["exit_code"] == 130
    assert "derivable: stopped; what was kept before is in the run folder" in done.stderr
