"""The files of a run folder: what is missing, of another version, locked, or shared."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from derivable import Checkpoint, Comparison, compare
from derivable.comparison import DescentOrCheckpoint, Facts, Keeper
from derivable.comparison.steps import Steps
from derivable.data import load_diabetes
from derivable.distributed import Group
from derivable.errors import DataError, FileError, SettingError
from derivable.protocol import Model, parse_models
from derivable.run import settings
from derivable.run.folder import Run, open_run, saved_model
from derivable.run.lock import NAME, Lock
from derivable.run.record import load_facts, save_facts
from derivable.run.shared import SharedRun
from derivable.tensors import load_tensors, save_tensors


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(load_diabetes(), parse_models("linear"), steps=30)


def new_run(folder: Path) -> Run:
    options: dict[str, object] = {"models": "linear", "steps": 30}
    return open_run(
        "compare", options, out=str(folder), resume=None, name="", between=lambda found: None
    )


def test_facts_of_an_earlier_version(comparison: Comparison, tmp_path: Path) -> None:
    file = tmp_path / "my run" / "kept" / "facts.safetensors"
    file.parent.mkdir(parents=True)
    save_facts(comparison.facts, file)
    assert load_facts(file).digest == comparison.facts.digest
    tensors, words = load_tensors(file)
    del tensors["naive"]
    save_tensors(file, tensors, words)
    command = f"derivable compare --config '{tmp_path / 'my run' / 'run.toml'}'"
    with pytest.raises(DataError) as raised:
        load_facts(file)
    assert command in str(raised.value)


def test_a_model_that_is_not_finished(tmp_path: Path) -> None:
    (model,) = parse_models("tanh:3")
    with pytest.raises(DataError, match=r"tanh\(3\).*tanh-3\.safetensors"):
        saved_model(tmp_path, model)


def test_a_run_whose_folder_is_removed(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    assert run.is_bare
    shutil.rmtree(tmp_path / "run")
    assert not run.is_bare
    run.close()
    assert not (tmp_path / "run").exists()


def test_the_versions_are_those_of_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    here = settings.versions_here()
    assert (
        here["torch"] == torch.__version__.partition("+")[0] or here["torch"] == torch.__version__
    )
    packages = ("derivable", "no-such-package", "torch")
    monkeypatch.setattr(settings, "PACKAGES", packages)
    assert settings.versions_here() == {name: here[name] for name in ("python", *packages[::2])}


def test_the_file_of_a_loss_must_be_there(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    with pytest.raises(SettingError, match=r"mine\.py cannot be read \(No such file"):
        settings.loss_here({"loss": f"{file}:Mine"})
    file.write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert settings.loss_here({"loss": f"{file}:Mine:scale=2"}) == {"sha256": empty}
    assert settings.loss_here({"loss": "mse"}) == {}


def test_a_lock_of_windows_is_on_the_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[int, int, int]] = []

    def locking(file: int, mode: int, count: int) -> None:
        taken.append((os.lseek(file, 0, os.SEEK_CUR), mode, count))
        if len(taken) > 1:
            raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(LK_NBLCK=2, locking=locking))
    (tmp_path / NAME).write_bytes(b" 123\n")
    lock = Lock(tmp_path)
    assert (tmp_path / NAME).read_text() == f" {os.getpid()}\n"
    with pytest.raises(FileError, match=rf"another process \(id {os.getpid()}\) is writing"):
        Lock(tmp_path)
    assert taken == [(0, 2, 1), (0, 2, 1)]
    lock.release()


class Kept(Keeper):
    """What the first process of a group has found before, and keeps now."""

    seeds = (0,)

    def __init__(self, found: DescentOrCheckpoint | None, error: Exception | None = None) -> None:
        self.known, self.error, self.steps = found, error, 0

    def keep_steps(self, steps: Steps) -> None:
        if self.error:
            raise self.error
        self.steps = steps.count

    def found(self, model: Model, seed: int) -> DescentOrCheckpoint | None:
        return self.known


def test_what_the_first_process_keeps_is_known_to_all(comparison: Comparison) -> None:
    facts: Facts = comparison.facts
    result = comparison.results[0]
    (model,) = parse_models("linear")
    for known in (result.descent, result.descent.checkpoint, None):
        own = Kept(known)
        run = SharedRun(Group.alone(), own)  # type: ignore[arg-type]
        run.begin(facts)
        run.keep_steps(Steps(130))
        assert own.steps == 130
        found = run.found(model, 0)
        assert type(found) is type(known)
        if isinstance(known, Checkpoint):
            assert isinstance(found, Checkpoint)
            assert (found.step, torch.equal(found.theta, known.theta)) == (known.step, True)
        elif known is not None:
            assert found is not None
            assert not isinstance(found, Checkpoint)
            assert torch.equal(found.network.theta, known.network.theta)
            assert torch.equal(found.losses, known.losses)
    others = SharedRun(Group.alone(), None)  # they keep nothing
    others.begin(replace(facts))
    others.keep_steps(Steps(130))
    assert others.found(model, 0) is None


def test_what_the_first_process_cannot_keep_is_an_error() -> None:
    run = SharedRun(Group.alone(), Kept(None, FileError("the disk is full")))  # type: ignore[arg-type]
    with pytest.raises(FileError, match="the disk is full"):
        run.keep_steps(Steps(130))
