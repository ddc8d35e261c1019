"""The parts of a comparison as safetensors files with JSON texts, and back, bit for bit."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from derivable.comparison import Curve, DescentOrCheckpoint, Facts, Trained
from derivable.comparison.result import Choice
from derivable.data import Columns, Scaler
from derivable.descent import Checkpoint, Descent
from derivable.descent.checkpoint import group
from derivable.errors import DataError
from derivable.messages import packed, unpacked
from derivable.network import Network
from derivable.protocol import Model, SheetFigure
from derivable.run.messages import say
from derivable.tensors import Packed, load_tensors, save_tensors

MakeNetwork = Callable[[], Network]

SCALER = ("median", "mean", "std", "y_mean", "y_std")


def save_facts(facts: Facts, file: Path) -> None:
    """Write the facts of a comparison about its table."""
    tensors = {"x_test": facts.x_test, "y_test": facts.y_test}
    tensors |= {"lines": facts.lines, "naive": facts.naive, **asdict(facts.scaler)}
    words = {
        "name": facts.name,
        "note": packed(facts.note),
        "features": facts.features,
        "targets": facts.targets,
        "protocol": facts.protocol,
        "train_rows": facts.train_rows,
        "digest": facts.digest,
        "loss": facts.loss,
        "classes": facts.classes,
        "columns": facts.columns and facts.columns.to_dict(),
    }
    save_tensors(file, tensors, {"facts": json.dumps(words)})


def load_facts(file: Path) -> Facts:
    """What `save_facts` wrote. Raises DataError where it is damaged or of an earlier version."""
    tensors, words = load_tensors(file)
    if "naive" not in tensors:
        again = f"derivable compare --config {shlex.quote(str(file.parents[1] / 'run.toml'))}"
        raise DataError(say("earlier", file=file, command=again))
    with _damage(file):
        known = json.loads(words["facts"])
        columns, note = known.pop("columns"), unpacked(known.pop("note"))
        known |= {name: tuple(known.get(name, ())) for name in ("features", "targets", "classes")}
        return Facts(
            **known,
            note=note,
            columns=columns and Columns.from_dict(columns),
            scaler=Scaler(*(tensors[name] for name in SCALER)),
            x_test=tensors["x_test"],
            y_test=tensors["y_test"],
            lines=tensors["lines"],
            naive=tensors["naive"],
        )


def save_descent(found: DescentOrCheckpoint, file: Path) -> None:
    """Write a descent that has ended, or the checkpoint of one that is under way."""
    save_tensors(file, *found.pack())


def load_descent(file: Path, network: MakeNetwork) -> DescentOrCheckpoint:
    """What `save_descent` wrote; `network()` makes the network. Raises DataError if damaged."""
    tensors, words = load_tensors(file)
    with _damage(file):
        return unpack_descent(tensors, words, network)


def unpack_descent(
    tensors: dict[str, Tensor], words: dict[str, str], network: MakeNetwork
) -> DescentOrCheckpoint:
    """What `pack` made of a descent that has ended, or of a checkpoint."""
    if "descent" in words:
        return Descent.unpack(tensors, words, network())
    return Checkpoint.unpack(tensors, words)


def save_trained(result: Trained, seeds: tuple[int, ...], file: Path) -> None:
    """Write the result of a model, with the descents from all seeds."""
    save_tensors(file, *pack_trained(result, seeds))


def pack_trained(result: Trained, seeds: tuple[int, ...]) -> Packed:
    """The result of a model as tensors and texts."""
    tensors = {
        "test_curve.steps": result.test_curve.steps,
        "test_curve.losses": result.test_curve.losses,
        "predictions": result.predictions,
    }
    words: dict[str, Any] = {
        "model": asdict(result.model),
        "seeds": seeds,
        "test_losses": result.test_losses,
        "unit": result.unit,
        "lr_reason": packed(result.lr_reason),
        "sheet": result.sheet and asdict(result.sheet),
        "choice": {**asdict(result.choice), "reason": packed(result.choice.reason)},
        "descents": [],
    }
    for seed, run in zip(seeds, result.descents, strict=True):
        own, about = run.pack()
        tensors |= {f"{seed}.{name}": value for name, value in own.items()}
        words["descents"].append(about | {"model": asdict(result.model.found(run.network))})
    return tensors, {"trained": json.dumps(words)}


def load_trained(file: Path, facts: Facts) -> Trained:
    """What `save_trained` wrote. Raises DataError where it is damaged."""
    tensors, words = load_tensors(file)
    with _damage(file):
        return unpack_trained(tensors, words, facts)


def unpack_trained(tensors: dict[str, Tensor], words: dict[str, str], facts: Facts) -> Trained:
    """The result that `pack_trained` packed. Raises KeyError, ValueError or TypeError otherwise."""
    known = json.loads(words["trained"])
    choice = known.get("choice") or {"model": "", "reason": "", "tried": ()}
    runs = []
    for seed, about in zip(known["seeds"], known["descents"], strict=True):
        own = group(f"{seed}.", tensors)
        made = _model(about.pop("model", known["model"]))
        network = made.network(len(facts.features), facts.width, seed)
        runs.append(Descent.unpack(own, about, network))
    return Trained(
        model=_model(known["model"]),
        descents=tuple(runs),
        test_losses=tuple(known["test_losses"]),
        test_curve=Curve(tensors["test_curve.steps"], tensors["test_curve.losses"]),
        predictions=tensors["predictions"],
        unit=known["unit"],
        lr_reason=unpacked(known["lr_reason"]),
        sheet=known["sheet"] and SheetFigure(**known["sheet"]),
        choice=Choice(choice["model"], unpacked(choice["reason"]), tuple(choice["tried"])),
    )


def _model(words: dict[str, Any]) -> Model:
    return Model(words["activation"], tuple(words["hidden"]), words.get("automatic", False))


@contextmanager
def _damage(file: Path) -> Iterator[None]:
    """Raise DataError where the contents of a file are not what was written."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, AssertionError) as error:
        kind = type(error).__name__
        raise DataError(say("damaged", file=file, kind=kind, error=error)) from None
