"""The command, as its user runs it."""

from __future__ import annotations

import csv
import json
import math
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from derivable import Checkpoint, Comparison
from derivable.cli.main import main
from derivable.cli.training import METHODS
from derivable.descent import methods
from derivable.errors import DataError, DivergedError
from tests.conftest import ROOT, Command

QUICK = ("compare", "--data", "diabetes", "--steps", "30")


def test_a_comparison_prints_a_table_and_where_the_charts_are(
    command_here: Command, tmp_path: Path
) -> None:
    done = command_here(*QUICK)
    assert done.returncode == 0, done.stderr
    for word in ("model", "train loss", "test loss", "seconds", "linear", "tanh(10)", "relu(10)"):
        assert word in done.stdout
    assert "chart   runs/diabetes-1/losses.png" in done.stdout
    assert (tmp_path / "runs/diabetes-1/test_loss.png").stat().st_size > 10_000
    message = [line for line in done.stderr.splitlines() if not line.startswith("compiling the ")]
    assert message == [], "no progress where stderr is no terminal"
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_json_is_one_document_and_nothing_else(command_here: Command, tmp_path: Path) -> None:
    done = command_here(*QUICK, "--json", "--models", "relu:3", "--seed", "4", "--out", "here")
    document = json.loads(done.stdout)
    assert document == json.loads((tmp_path / "here/metrics.json").read_text())
    assert document["seed"] == 4
    (model,) = document["models"]
    assert {"model", "train_loss", "test_loss", "method", "seconds"} <= set(model)


def test_the_same_seed_gives_the_same_losses(command_here: Command) -> None:
    one, two, other = (
        json.loads(command_here(*QUICK, "--json", "--seed", seed).stdout)["models"]
        for seed in ("1", "1", "2")
    )
    assert [m["train_loss"] for m in one] == [m["train_loss"] for m in two]
    assert [m["train_loss"] for m in one] != [m["train_loss"] for m in other]


def test_the_stand_in_is_announced_even_when_quiet(command_here: Command, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    # scikit-learn's loader is told that it is offline by a proxy that nobody answers
    done = command_here(
        "compare", "--steps", "3", "--quiet",
        SCIKIT_LEARN_DATA=str(cache), https_proxy="http://127.0.0.1:9", HTTPS_PROXY="http://127.0.0.1:9",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "California Housing could not be loaded" in done.stderr
    assert "diabetes table is used instead" in " ".join(done.stderr.split())
    assert "of diabetes" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "code", "error_message"),
    [
        (
            ("compare", "--models", "sigmod:3"),
            2,
            "'sigmod:3' names no model: expected auto, linear",
        ),
        (("compare", "--steps", "-1"), 2, "Invalid value for '--steps': -1 is not in the range"),
        (("compare", "--data", "diabetes", "--seed", str(2**64)), 2, "seed must be a whole number"),
        (("compare", "--data", "houses"), 2, "'houses' is not one of 'california', 'diabetes'"),
        (("compare", "--stepz", "3"), 2, "No such option '--stepz'"),
        (("comparr",), 2, "There is no command 'comparr'. Did you mean compare?"),
        (("xyz",), 2, "There is no command 'xyz'. Try derivable --help."),
    ],
)
def test_mistakes_get_one_sentence_and_a_code(
    command_here: Command, words: tuple[str, ...], code: int, error_message: str
) -> None:
    done = command_here(*words)
    assert done.returncode == code
    assert error_message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    failed = command_here(*words, "--json")
    assert failed.returncode == code
    assert error_message in json.loads(failed.stdout)["error"]


def test_a_language_that_is_not_spoken_is_refused_before_the_work(
    command_here: Command, tmp_path: Path
) -> None:
    done = command_here("compare", "--data", "diabetes", "--steps", "1", DERIVABLE_LANG="de")
    assert done.returncode == 2
    assert "the language must be en or fr, got 'de'" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_folder_with_files_is_not_overwritten(command_here: Command, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.tex").write_text("years of work")
    done = command_here(*QUICK, "--out", "full")
    assert done.returncode == 2
    assert "the folder full already holds files" in done.stderr
    assert (tmp_path / "full/thesis.tex").read_text() == "years of work"
    assert len(list((tmp_path / "full").iterdir())) == 1


def test_the_methods_of_the_command_are_those_of_descend() -> None:
    assert tuple(methods.METHODS) == METHODS  # written twice: help must not import PyTorch


@pytest.mark.parametrize("seeds", ["1", "2"])
def test_lbfgs_that_ends_early(seeds: str, tmp_path: Path, command_here: Command) -> None:
    done = command_here(
        "compare", "--data", "diabetes", "--models", "linear,tanh:5", "--method", "lbfgs",
        "--steps", "200", "--seeds", seeds, "--out", "run", "--quiet",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "steps of its own, not of gradient descent" in done.stdout
    with (tmp_path / "run/history.csv").open() as file:
        rows = list(csv.reader(file))
    assert 10 < len(rows) <= 202
    assert math.isfinite(float(rows[1][1]))
    assert rows[-1][1] == "nan"
    assert math.isfinite(float(rows[-1][-1])), "it ends with the longest descent"


def test_an_interrupted_run_says_so_and_is_kept(tmp_path: Path) -> None:
    words = ["compare", "--data", "diabetes", "--out", "run", "--models", "linear,tanh:10"]
    # What a shell starts in the background ignores interruptions, and so would its children. The
    # child restores the handler itself: a `preexec_fn` forks, which warns where JAX is loaded.
    start = (
        "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "runpy.run_module('derivable', run_name='__main__', alter_sys=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", start, *words, "--method", "steps", "--steps", "20000000"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        for _ in range(600):
            if any((tmp_path / "run/kept").glob("linear.*.safetensors")):
                break  # the first checkpoint
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.search(
        r"derivable: interrupted; 0 of 2 models are finished, linear is kept at step [\d,]+; "
        r"to go on: derivable compare --resume run\n$",
        error,
    )
    (kept,) = (tmp_path / "run/kept").glob("linear.*.safetensors")
    assert Checkpoint.load(kept).step > 0


@pytest.mark.parametrize(("error", "code"), [(DivergedError, 5), (DataError, 3)])
def test_a_run_that_fails_has_its_own_code(
    error: type[Exception],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails(*_: object, **__: object) -> Comparison:
        raise error("what happened, and what to do")

    monkeypatch.setattr("derivable.comparison.compare_table", fails)
    with pytest.raises(SystemExit) as left:
        main([*QUICK, "--json", "--out", str(tmp_path / "run")])
    assert left.value.code == code
    printed = capsys.readouterr()
    expected = {"error": "what happened, and what to do", "exit_code": code}
    assert json.loads(printed.out) == expected
    assert printed.err == "derivable: what happened, and what to do\n"
    assert not (tmp_path / "run").exists()


def test_help_answers_without_torch(command: Command, tmp_path: Path) -> None:
    for name in ("torch", "polars"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('it was imported')")
    for words in (
        *((name, "--help") for name in ("compare", "fit", "predict", "report", "data", "doctor")),
        ("data", "export", "--help"),
        ("--version",),
        ("--help",),
    ):
        done = command(*words, PYTHONPATH=f"{tmp_path}:{ROOT / 'src'}")
        assert done.returncode == 0, done.stderr
    assert "..." not in done.stdout.split("Commands:")[1], "no command's sentence is cut off"
    assert command().returncode == 2
