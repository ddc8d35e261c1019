"""`Run`: a folder that can be read at every moment, and the comparison that is kept in it.

run.toml                    the settings and versions, written first
tanh-10.safetensors         a finished model, to predict with (`saved.py`)
metrics.json, *.csv, *.png  written at the end (`report/run_folder.py`)
kept/facts.safetensors      what is known of the table
kept/tanh-10.safetensors    a finished model, with all that was found on its way
kept/tanh-10.seed-0...      the descents of the model that is underway
kept/tanh-10.rate.json      its learning rate
kept/lock                   held by the process that writes
"""

from __future__ import annotations

import json
import shlex
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from derivable.comparison import Comparison, DescentOrCheckpoint, Facts, Keeper, Trained, Training
from derivable.comparison.steps import Steps
from derivable.comparison.training import WORDS
from derivable.core_messages import reason_of
from derivable.descent import Descent, Rate
from derivable.errors import DataError, FileError, SettingError
from derivable.files import remove_parts, write_whole
from derivable.messages import Message, packed, unpacked
from derivable.named import split_file
from derivable.protocol import Model, parse_models
from derivable.run.lock import Lock
from derivable.run.messages import say
from derivable.run.record import (
    load_descent,
    load_facts,
    load_trained,
    save_descent,
    save_facts,
    save_trained,
)
from derivable.run.saved import SavedModel
from derivable.run.settings import (
    FILE,
    Settings,
    loss_here,
    refuse_other,
    refuse_other_loss,
    versions_here,
)

KEPT = "kept"
SECONDS = 3.0  # between two checkpoints of one descent, at least
SHARE = 0.05  # of the time that may go into writing checkpoints


class Run(Keeper):
    """A run underway, and all that it finds, in a folder that it alone writes into.

    `between` is called between two blocks of steps, after what must be kept is kept; it may raise
    KeyboardInterrupt. `on_steps` is called with a number of steps that was not asked for.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        between: Callable[[DescentOrCheckpoint], None],
        on_steps: Callable[[Steps], None] = lambda steps: None,
    ) -> None:
        self.folder, self.settings = folder, settings
        self._between, self._on_steps = between, on_steps
        self._is_new = not (folder / FILE).exists()
        self._at: str | None = None  # how far the model underway is kept
        self._written: dict[tuple[Model, int], tuple[float, float]] = {}  # when, and for how long
        try:
            self._kept.mkdir(parents=True, exist_ok=True)
            self._lock = Lock(self._kept)
        except FileError:
            raise
        except OSError as error:
            file = error.filename or folder
            raise FileError(say("not_written", file=file, reason=reason_of(error))) from None
        for place in (folder, self._kept):
            remove_parts(place)

    @property
    def _kept(self) -> Path:
        return self.folder / KEPT

    @property
    def resume(self) -> str:
        """The command that goes on with it."""
        return _resuming(self.settings.command, self.folder)

    @property
    def is_bare(self) -> bool:
        """Whether it is new and nothing has been found in it yet."""
        own = {"lock", "facts.safetensors"}
        if not self._kept.is_dir():  # somebody has removed it
            return False
        names = {file.name for file in self._kept.iterdir() if not file.match("*.rate.json")}
        return self._is_new and names <= own

    @property
    def in_words(self) -> Message:
        """How far it came, and how to go on."""
        models = models_of(self.settings)
        done = sum(self._file(model).exists() for model in models)
        gaps = {"all": len(models), "at": self._at, "command": self.resume}
        return say("finished" if self._at is None else "finished_and", n=done, **gaps)

    def close(self) -> None:
        """Let others write; a folder that this made and in which nothing is found goes away."""
        bare = self.is_bare
        self._lock.release()
        if bare:
            shutil.rmtree(self.folder, ignore_errors=True)

    def begin(self, facts: Facts) -> None:
        """Keep the settings and what is known of the table; refuse another one than before."""
        table = {"name": facts.name, "sha256": facts.digest, "train_rows": facts.train_rows}
        now = replace(self.settings, table=table, versions=versions_here())
        if not self._is_new:
            refuse_other(Settings.load(self.folder / FILE), now)
        else:
            write_whole(self.folder / FILE, now.to_toml())
        self.facts = facts
        save_facts(facts, self._kept / "facts.safetensors")

    def trained(self, model: Model) -> Trained | None:
        """The model, if it was finished before."""
        file = self._file(model)
        return load_trained(file, self.facts) if file.exists() else None

    def finish(self, result: Trained) -> None:
        """Keep a finished model, and a file to predict with; forget how far it came before."""
        saved = SavedModel.of(result, self.facts)
        saved.save(self.folder / f"{file_name(result.model)}.safetensors")
        save_trained(result, self.seeds, self._file(result.model))
        for seed in self.seeds:
            self._file(result.model, f".seed-{seed}").unlink(missing_ok=True)
        self._rate_file(result.model).unlink(missing_ok=True)
        self._at = None

    def rate(self, model: Model) -> Rate | None:
        """The learning rate that was chosen before."""
        file = self._rate_file(model)
        if not file.exists():
            return None
        lr, reason = json.loads(file.read_text(encoding="utf-8"))
        return Rate(lr, unpacked(reason))

    def keep_rate(self, model: Model, rate: Rate) -> None:
        """Keep the learning rate that was chosen now."""
        text = json.dumps([rate.lr, packed(rate.reason)], ensure_ascii=False)
        write_whole(self._rate_file(model), text)

    def keep_steps(self, steps: Steps) -> None:
        """Make the number of steps one of the settings, with which the run goes on."""
        file = self.folder / FILE
        options = {**self.settings.options, "steps": steps.count}
        self.settings = replace(self.settings, options=options)
        write_whole(file, replace(Settings.load(file), options=options).to_toml())
        self._on_steps(steps)

    def found(self, model: Model, seed: int) -> DescentOrCheckpoint | None:
        """How far the descent from this seed came before."""
        file = self._file(model, f".seed-{seed}")
        sizes = len(self.facts.features), self.facts.width
        return load_descent(file, lambda: model.network(*sizes, seed)) if file.exists() else None

    def keep(self, model: Model, seed: int, found: DescentOrCheckpoint) -> None:
        """Keep each end, and a checkpoint every few seconds."""
        if self._is_due(model, seed, found):
            kept = found.checkpoint if isinstance(found, Descent) and found.interrupted else found
            begin = time.monotonic()
            save_descent(kept, self._file(model, f".seed-{seed}"))
            self._written[model, seed] = begin, time.monotonic() - begin
            key = "kept_at_seed" if len(self.seeds) > 1 else "kept_at"
            step = kept.steps if isinstance(kept, Descent) else kept.step
            self._at = say(key, model=model.name, seed=seed, step=step)
        self._between(found)

    def _is_due(self, model: Model, seed: int, found: DescentOrCheckpoint) -> bool:
        """Whether to write: each end, and a checkpoint only every few seconds."""
        if isinstance(found, Descent):
            at = found.checkpoint
            return not found.interrupted or (at.exact and at.step > 0)
        now = time.monotonic()
        since, took = self._written.setdefault((model, seed), (now, 0.0))
        return now - since >= max(SECONDS, took / SHARE)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Those from which each model is trained."""
        return seeds_of(self.settings)

    def _file(self, model: Model, of: str = "") -> Path:
        return self._kept / f"{file_name(model)}{of}.safetensors"

    def _rate_file(self, model: Model) -> Path:
        return self._kept / f"{file_name(model)}.rate.json"


def open_run(
    command: str,
    options: dict[str, object],
    *,
    out: str | None,
    resume: str | None,
    name: str,
    between: Callable[[DescentOrCheckpoint], None],
    on_steps: Callable[[Steps], None] = lambda steps: None,
) -> Run:
    """A new run, in `out` or the first free folder of runs/<name>-1, -2, ...; or one to go on with.

    Raises FileError where the folder cannot be made or another process writes into it, and
    SettingError if it already holds something, or the loss is out of a file that has changed.
    """
    loss = loss_here(options)
    if resume is not None:
        settings = load_settings(Path(resume))
        refuse_other_loss(settings, loss, options)
        return Run(Path(resume), settings, between, on_steps)
    folder = first_free(Path("runs"), name) if out is None else Path(out)
    ours = {KEPT}  # of another process that has just begun: its lock will say so
    try:
        taken = folder.exists() and {file.name for file in folder.iterdir()} - ours
    except OSError as error:
        raise FileError(say("not_made", folder=folder, reason=reason_of(error))) from None
    if taken:
        way = say("to_go_on", command=_resuming(command, folder))
        raise SettingError(say("holds_files", folder=folder, way=way if FILE in taken else ""))
    return Run(folder, Settings(command, options, loss=loss), between, on_steps)


def _resuming(command: str, folder: Path) -> str:
    """The command line that goes on with the run in a folder."""
    return f"derivable {command} --resume {shlex.quote(str(folder))}"


def first_free(parent: Path, name: str) -> Path:
    """Make the first of parent/name-1, -2, ... that does not exist."""
    number = 1
    try:
        parent.mkdir(parents=True, exist_ok=True)
        while True:
            folder = parent / f"{name}-{number}"
            try:
                folder.mkdir()
            except FileExistsError:
                number += 1
            else:
                return folder
    except OSError as error:
        reason = reason_of(error)
        raise FileError(say("not_made", folder=error.filename, reason=reason)) from None


def load_settings(folder: Path) -> Settings:
    """Those of a run folder. Raises SettingError where it is none."""
    if not (folder / FILE).is_file():
        raise SettingError(say("no_run", folder=folder, file=FILE))
    return Settings.load(folder / FILE)


def load_run(folder: Path | str) -> Comparison:
    """The comparison that is kept in a folder; with those models that are finished.

    The file of a loss of one's own is not needed: `facts.loss` is its name, `training.loss` None.

    Raises SettingError where it is no run folder, and DataError where no model is finished or a
    file is damaged.
    """
    folder = Path(folder)
    settings = load_settings(folder)
    files = [folder / KEPT / f"{file_name(model)}.safetensors" for model in models_of(settings)]
    files = [file for file in files if file.exists()]
    if not files:
        command = _resuming(settings.command, folder)
        raise DataError(say("none_finished", folder=folder, command=command))
    facts = load_facts(folder / KEPT / "facts.safetensors")
    results = tuple(load_trained(file, facts) for file in files)
    steps, training = settings.options["steps"], training_of(settings)
    return Comparison(facts, steps, seeds_of(settings), results, training)


def saved_model(folder: Path, model: Model) -> SavedModel:
    """One model of a run, to predict with. Raises DataError where it is not finished."""
    file = folder / f"{file_name(model)}.safetensors"
    if not file.is_file():
        raise DataError(say("not_finished", model=model.name, folder=folder, file=file.name))
    return SavedModel.load(file)


def models_of(settings: Settings) -> tuple[Model, ...]:
    """The models of a run."""
    return parse_models(settings.options["models"])


def training_of(settings: Settings) -> Training:
    """What is minimised in a run, and how.

    The code of a loss out of a file is not run: `loss` is None there, and `Facts.loss` its name.
    """
    words = {key.replace("-", "_"): value for key, value in settings.options.items()}
    if split_file(words.get("loss") or "")[0]:
        del words["loss"]
    return Training.of_words(**{name: words[name] for name in WORDS if name in words})


def seeds_of(settings: Settings) -> tuple[int, ...]:
    """The seeds of a run."""
    first, count = (
        settings.options.get(name, default) for name, default in (("seed", 0), ("seeds", 1))
    )
    return tuple(range(first, first + count))


def file_name(model: Model) -> str:
    """A model's name as a file name: tanh(10) becomes tanh-10."""
    return model.name.replace("(", "-").replace(")", "")
