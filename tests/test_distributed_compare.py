"""`compare` and `descend_many` in several processes: by torchrun, and inside of a group."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
import torch

from derivable import Checkpoint, Descent, compare, descend_many
from derivable.run.folder import load_run
from tests.conftest import ROOT, Command
from tests.processes import answers_of, wait_for
from tests.shards import CASES, bits, table

MODELS = ("--target", "price", "--models", "linear,tanh:4")


def write(file: Path, rows: int = 4000) -> None:
    draw = np.random.default_rng(0)
    x = draw.standard_normal((rows, 3)).round(3)
    price = np.tanh(x[:, 0]) + 0.5 * x[:, 1] + 0.1 * draw.standard_normal(rows).round(3)
    frame = {f"x{i}": x[:, i] for i in range(3)}
    polars.DataFrame({**frame, "price": price}).write_csv(file)


def launch(size: int, folder: Path, *words: str) -> subprocess.Popen[str]:
    """`torchrun --nproc-per-node SIZE -m derivable ...` in a folder."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return subprocess.Popen(
        [*torchrun, "--nproc-per-node", str(size), "-m", "derivable", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "80",
            "PYTHONPATH": f"{ROOT / 'src'}",
        },
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=180)
    return process.returncode, out, err


def losses(folder: Path) -> list[list[Descent]]:
    return [list(result.descents) for result in load_run(folder).results]


def test_torchrun_gives_the_run_of_one_process(tmp_path: Path, command_here: Command) -> None:
    write(tmp_path / "houses.csv")
    words = ("compare", "houses.csv", *MODELS, "--steps", "300")
    code, out, err = finished(launch(2, tmp_path, *words, "--out", "two"))
    assert code == 0, err
    assert out.count("tanh(4)") == 2, "one process speaks: in the table and on its details"
    assert err.count("houses.csv: UTF-8") == 1
    assert command_here(*words, "--out", "one", "--quiet").returncode == 0
    (line, net), (line_alone, net_alone) = losses(tmp_path / "two"), losses(tmp_path / "one")
    assert bits(net[0]) == bits(net_alone[0])
    torch.testing.assert_close(line[0].losses, line_alone[0].losses, rtol=1e-12, atol=0)
    names = {file.name for file in (tmp_path / "one").iterdir()}
    assert names == {file.name for file in (tmp_path / "two").iterdir()}


def test_torchrun_deals_seeds_out(tmp_path: Path, command_here: Command) -> None:
    write(tmp_path / "houses.csv", 600)
    words = ("compare", "houses.csv", *MODELS, "--steps", "200", "--seeds", "5", "--json")
    code, out, err = finished(launch(2, tmp_path, *words, "--out", "two"))
    assert code == 0, err
    alone = command_here(*words, "--out", "one", "--quiet")
    assert [bits(run) for runs in losses(tmp_path / "two") for run in runs] == [
        bits(run) for runs in losses(tmp_path / "one") for run in runs
    ]
    assert json.loads(out)["seeds"] == json.loads(alone.stdout)["seeds"]


def test_processes_read_a_file_in_parts(tmp_path: Path, command_here: Command) -> None:
    write(tmp_path / "houses.csv")
    words = ("compare", "houses.csv", *MODELS, "--steps", "300", "--parts", "--seeds", "2")
    code, _, err = finished(launch(2, tmp_path, *words, "--out", "two"))
    assert code == 0, err
    assert "4,000 rows of 4 columns; decimal point; each of 2 processes reads its part" in err
    alone = command_here(*words, "--out", "one", "--lang", "fr")
    assert alone.returncode == 0, alone.stderr
    assert "lu par parties" in alone.stderr
    assert [bits(run) for runs in losses(tmp_path / "two") for run in runs] == [
        bits(run) for runs in losses(tmp_path / "one") for run in runs
    ]
    tables = [(tmp_path / name / "history.csv").read_text() for name in ("one", "two")]
    assert tables[0] == tables[1]


def test_a_bad_cell_of_a_part_is_named_with_process_and_line(
    tmp_path: Path, command_here: Command
) -> None:
    write(tmp_path / "houses.csv", 200_000)
    lines = (tmp_path / "houses.csv").read_text().splitlines()
    lines[190_000] = "1,2,much,3"
    (tmp_path / "houses.csv").write_text("\n".join(lines))
    words = ("compare", "houses.csv", *MODELS, "--parts")
    code, _, err = finished(launch(2, tmp_path, *words))
    assert code != 0
    place = "process 1 of 2: houses.csv, line 190001, column 'x2': 'much'"
    assert err.count(f"derivable: {place}") == 1
    for option in (("--early-stopping",), ("--models", "auto"), ("--missing", "median")):
        refused = command_here(*words, *option)
        assert refused.returncode in (2, 3), refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_bad_cell_is_reported_once(tmp_path: Path) -> None:
    write(tmp_path / "houses.csv", 600)
    lines = (tmp_path / "houses.csv").read_text().splitlines()
    lines[400] = "1,2,much,3"
    (tmp_path / "houses.csv").write_text("\n".join(lines))
    code, _, err = finished(launch(2, tmp_path, "compare", "houses.csv", *MODELS))
    assert code != 0
    assert err.count("derivable: houses.csv, line 401, column 'x2': 'much'") == 1
    assert "the same in all" not in err
    assert not (tmp_path / "runs").exists()


def test_a_mistake_in_the_call_is_reported_once(tmp_path: Path) -> None:
    write(tmp_path / "houses.csv", 600)
    words = ("compare", "houses.csv", "--target", "price", "--models", "nonsense:3")
    code, _, err = finished(launch(2, tmp_path, *words))
    assert code != 0
    assert err.count("nonsense") == 1


def test_sigterm_ends_all_after_the_same_step(tmp_path: Path, command_here: Command) -> None:
    write(tmp_path / "houses.csv")
    words = ("compare", "houses.csv", "--target", "price", "--models", "tanh:4", "--parts")
    slowly = ("--method", "steps", "--lr", "0.01", "--steps", "10000000")
    process = launch(2, tmp_path, *words, *slowly, "--out", "kept")
    wait_for(tmp_path / "kept" / "kept" / "tanh-4.seed-0.safetensors")
    process.send_signal(signal.SIGTERM)
    code, _, err = finished(process)
    assert code != 0
    assert "mismatch" not in err
    assert "derivable compare --resume kept" in err
    kept = tmp_path / "kept" / "run.toml"
    assert "parts = true" in kept.read_text()
    checkpoint = Checkpoint.load(tmp_path / "kept" / "kept" / "tanh-4.seed-0.safetensors")
    steps = checkpoint.step + 100
    kept.write_text(kept.read_text().replace("steps = 10000000", f"steps = {steps}"))
    again = command_here("compare", "--resume", "kept", "--quiet")
    assert again.returncode == 0, again.stderr


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def test_a_killed_process_ends_all_and_the_run_goes_on(
    tmp_path: Path, command_here: Command
) -> None:
    write(tmp_path / "houses.csv")
    words = ("compare", "houses.csv", "--target", "price", "--models", "tanh:4")
    process = launch(
        2,
        tmp_path,
        *words,
        "--method",
        "steps",
        "--lr",
        "0.01",
        "--steps",
        "10000000",
        "--out",
        "kept",
    )
    wait_for(tmp_path / "kept" / "kept" / "tanh-4.seed-0.safetensors")
    second = children(process.pid)[-1]
    begin = time.monotonic()
    os.kill(second, signal.SIGKILL)
    code, _, err = finished(process)
    assert time.monotonic() - begin < 10
    assert code != 0
    assert "derivable: process 1 of 2 has ended" in err
    assert "derivable compare --resume kept" in err
    kept = tmp_path / "kept" / "run.toml"
    checkpoint = Checkpoint.load(tmp_path / "kept" / "kept" / "tanh-4.seed-0.safetensors")
    steps = checkpoint.step + 100
    kept.write_text(kept.read_text().replace("steps = 10000000", f"steps = {steps}"))
    again = command_here("compare", "--resume", "kept", "--quiet")
    assert again.returncode == 0, again.stderr
    assert losses(tmp_path / "kept")[0][0].steps == steps


DEALT = """
from derivable import Cosine, descend_many
from tests.shards import CASES, bits, table
networks = [CASES[0].network() for _ in range(5)]
with torch.no_grad():
    for k, network in enumerate(networks):
        next(network.parameters()).mul_(1 + k / 10)
ended = []
runs = descend_many(
    networks, "mse", **table(CASES[0]), steps=30, lr=lambda k, n: 1e-2 / (1 + k), method="steps",
    dealt=True, on_end=lambda i, run: ended.append(i),
)
tell(bits=[bits(run) for run in runs], ended=ended, rates=[run.lr(1, 30) for run in runs])
"""


@pytest.mark.parametrize("size", [1, 3])
def test_descend_many_deals_networks_out(size: int, tmp_path: Path) -> None:
    networks = [CASES[0].network() for _ in range(5)]
    with torch.no_grad():
        for k, network in enumerate(networks):
            next(network.parameters()).mul_(1 + k / 10)
    alone = descend_many(
        networks, "mse", **table(CASES[0]), steps=30, lr=lambda k, n: 1e-2 / (1 + k),
        method="steps",
    )  # fmt: skip
    for ((found,),) in zip(answers_of(DEALT, size, tmp_path), strict=True):
        assert found["bits"] == [bits(run) for run in alone]
        assert found["ended"] == list(range(5))
        assert found["rates"] == [5e-3] * 5


DIFFERENT = """
from derivable import compare
from derivable.errors import SettingError
try:
    compare({files!r}[rank], "linear", target="price", shard=True)
except SettingError as error:
    tell(text=str(error))
"""


def test_processes_that_see_different_tables_are_refused(tmp_path: Path) -> None:
    files = [str(tmp_path / name / "houses.csv") for name in ("here", "there")]
    for k, file in enumerate(files):
        Path(file).parent.mkdir()
        write(Path(file), 600 + k)
    for ((found,),) in zip(answers_of(DIFFERENT.format(files=files), 2, tmp_path), strict=True):
        assert "the table must be the same in all 2 processes" in found["text"]
        assert "process 0 has houses" in found["text"]


SHARED = """
from derivable import compare
found = compare({file!r}, {models!r}, target="price", shard=True, **{options!r})
tell(losses=[result.descent.losses[-1].item().hex() for result in found.results],
     rates=[result.lr for result in found.results], steps=found.steps)
"""


def test_compare_in_a_group_chooses_rate_and_steps_in_all(tmp_path: Path) -> None:
    file = tmp_path / "houses.csv"
    write(file, 1500)
    options: Any = {"early_stopping": True, "patience": 3}
    script = SHARED.format(file=str(file), models="linear,tanh:3,auto", options=options)
    answers = answers_of(script, 2, tmp_path)
    assert answers[0] == answers[1]
    alone = compare(file, "linear,tanh:3,auto", target="price", **options)
    (found,) = answers[0]
    assert found["rates"] == [result.lr for result in alone.results]
    assert found["losses"][1] == alone.results[1].descent.train_loss.hex()
