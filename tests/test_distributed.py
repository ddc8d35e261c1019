"""One table in many processes: the same bits whatever their number, and what ends all of them."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from derivable import MSE, Function, Layer, Network, descend, functions
from derivable.distributed import Group, Shard
from derivable.distributed import group as group_module
from derivable.errors import DataError, LostProcessError, SettingError
from derivable.objective import ByHand
from derivable.objective.tasks import Tasks
from derivable.partition import TASKS, Partition
from derivable.problem import Problem
from tests.corpus.part import part
from tests.problems import Length
from tests.processes import answers_of, group, outcome, wait_for
from tests.shards import CASES, Case, all_bits, bits, run, table

EACH_CASE = """
from tests.shards import all_bits
tell(**dict(all_bits(rank, size)))
"""


@cache
def alone() -> dict[str, str]:
    """The bits of one process, without a group."""
    return dict(all_bits(0, 1))


@pytest.mark.parametrize("size", part([2, 3, 4], 3))
def test_every_number_of_processes_gives_the_same_bits(size: int, tmp_path: Path) -> None:
    for ((found,),) in zip(answers_of(EACH_CASE, size, tmp_path), strict=True):
        assert found == alone()


@pytest.mark.parametrize(
    "case", [c for c in CASES if "by hand" not in c.name], ids=lambda case: case.name
)
def test_they_are_the_bits_of_a_descent_without_shards(case: Case) -> None:
    network = case.network().to(case.dtype)
    given = {"method": "steps", "steps": 12, "lr": 1e-2, **case.settings}
    whole = descend(network, case.loss, **table(case), **given)
    if whole.method == "spectral":  # whose triangle is made in one go
        found = run(case, 0, 1)
        torch.testing.assert_close(whole.losses, found.losses, rtol=1e-12, atol=0)
    else:
        assert bits(whole) == alone()[case.name]


@pytest.mark.parametrize(
    "case", [c for c in CASES if "by hand" in c.name], ids=lambda case: case.name
)
def test_by_hand_is_that_of_all_rows_to_rounding(case: Case) -> None:
    network = case.network().to(case.dtype)
    given = {"method": "steps", "lr": 1e-2, **case.settings}
    whole, found = descend(network, case.loss, **table(case), **given), run(case, 0, 1)
    rtol = 1e-13 if case.dtype == torch.float64 else 1e-5
    torch.testing.assert_close(whole.losses, found.losses, rtol=rtol, atol=0)
    torch.testing.assert_close(whole.network.theta, found.network.theta, rtol=rtol, atol=rtol / 10)


def test_a_hessian_vector_product_of_shards_is_that_of_all_rows() -> None:
    from derivable.objective import ByHand, Fused

    data = table(CASES[1])
    network = CASES[1].network().double()
    problem = Problem.of_shard(Group(), network, MSE, data["x"], data["y"])
    whole = Problem.of(network, MSE, data["x"], data["y"])
    direction = torch.randn(problem.theta.shape, dtype=torch.float64)
    expected = ByHand(whole).hvp(whole.theta, direction)
    for kind in (ByHand, Fused):
        torch.testing.assert_close(kind(problem).hvp(problem.theta, direction), expected)


@pytest.mark.parametrize("rows", [1, 255, 256, 257, 511, 513, 4201, 16_384, 16_385, 1_000_003])
def test_a_partition_covers_every_row_once(rows: int) -> None:
    whole = Partition(rows)
    ends = [whole.first_row(block) for block in range(whole.blocks + 1)]
    assert ends[0] == 0
    assert ends[-1] == rows
    assert all(0 < end - first <= 256 for first, end in pairwise(ends))
    assert 1 <= whole.tasks <= TASKS
    for size in range(1, whole.tasks + 1):
        parts = [whole.rows_of(whole.tasks_of(rank, size)) for rank in range(size)]
        assert [row for part in parts for row in (part.start, part.stop)][1:-1] == [
            row for part in parts[1:] for row in (part.start, part.start)
        ]
        assert (parts[0].start, parts[-1].stop) == (0, rows)
        assert all(parts)


CHECKPOINT = """
from tests.shards import CASES, bits, run
from derivable import Checkpoint
tell(bits=bits(run(CASES[0], rank, size, start=Checkpoint.load({file!r}))))
"""


def test_a_checkpoint_of_one_process_goes_on_with_three(tmp_path: Path) -> None:
    file = tmp_path / "half.safetensors"
    run(CASES[0], 0, 1, steps=5).checkpoint.save(file)
    for found in answers_of(CHECKPOINT.format(file=str(file)), 3, tmp_path / "group"):
        assert found == [{"bits": alone()["tanh"]}]


KILLED = """
from pathlib import Path
from tests.shards import CASES, run
from derivable.errors import LostProcessError
def on_block(state):
    Path({folder!r}, f"running{{rank}}").touch()
try:
    run(CASES[0], rank, size, steps=10**8, on_block=on_block)
except LostProcessError as error:
    sys.exit(f"refused: {{error}}")
"""


def test_a_process_that_is_killed_ends_the_others_by_name(tmp_path: Path) -> None:
    with group(KILLED.format(folder=str(tmp_path)), 3, tmp_path / "group") as processes:
        for rank in range(3):
            wait_for(tmp_path / f"running{rank}")
        processes[1].send_signal(signal.SIGKILL)
        killed = time.monotonic()
        for rank in (0, 2):
            code, _, err = outcome(processes[rank], 20)
            assert code == 1
            assert err.strip().splitlines()[-1] == (
                "refused: process 1 of 3 has ended, and the others cannot go on without it; start "
                "all of them again, from the last checkpoint if there is one"
            )
        assert time.monotonic() - killed < 10


INTERRUPTED = """
from pathlib import Path
from tests.shards import CASES, run
def on_block(state):
    Path({folder!r}, f"running{{rank}}").touch()
found = run(CASES[0], rank, size, steps=10**8, on_block=on_block)
tell(interrupted=found.interrupted, steps=found.steps, losses=len(found.losses))
"""


def test_ctrl_c_in_one_process_ends_all_after_the_same_step(tmp_path: Path) -> None:
    with group(INTERRUPTED.format(folder=str(tmp_path)), 2, tmp_path / "group") as processes:
        for rank in range(2):
            wait_for(tmp_path / f"running{rank}")
        processes[1].send_signal(signal.SIGINT)
        found = [outcome(process) for process in processes]
    assert [code for code, _, _ in found] == [0, 0], found
    assert len({out for _, out, _ in found}) == 1
    assert '"interrupted": true' in found[0][1]


REFUSED = """
from derivable import MSE, Network, descend
from derivable.errors import DerivableError
for what in {cases!r}:
    torch.manual_seed(rank)
    x, y = torch.randn(600, 3 + (what == "columns") * rank), torch.randn(600, 1)
    if what == "a bad row" and rank == 1:
        x[17, 1] = torch.nan
    if what == "few rows":
        x, y = x[:100], y[:100]
    def on_block(state):
        if what == "a callback" and rank == 1:
            state.stop("enough")
    try:
        network = Network.mlp(x.size(1), 4, 1, seed=rank if what == "a seed" else 0)
        descend(
            network, MSE, x, y, steps=3, lr=0.1, method="steps", shard=True, on_block=on_block
        )
    except DerivableError as error:
        tell(what=what, kind=type(error).__name__, text=str(error))
"""
REFUSALS = {
    "a bad row": ("DataError", ["process 1 of 2: x is not finite", "row 17"]),
    "columns": ("SettingError", ["must be the same in all 2 processes", "process 1 has"]),
    "a seed": ("SettingError", ["network, loss and penalty must be the same", "one seed"]),
    "few rows": ("SettingError", ["200 rows are work for 1 process, got 2"]),
    "a callback": ("SettingError", ["what callbacks decide", "process 1 has enough"]),
}


def test_what_one_process_cannot_have_every_process_refuses(tmp_path: Path) -> None:
    for answers in answers_of(REFUSED.format(cases=list(REFUSALS)), 2, tmp_path):
        assert [one["what"] for one in answers] == list(REFUSALS)
        for one in answers:
            kind, texts = REFUSALS[one["what"]]
            assert one["kind"] == kind
            if one["what"] == "a bad row" and "process" not in one["text"]:
                texts = texts[1:]  # the process that has the row
            for text in texts:
                assert text in one["text"]


def _problem(network: Network, loss: object = MSE) -> Problem:
    x = torch.randn(600, 3, generator=torch.Generator().manual_seed(1))
    return Problem.of_shard(Group(), network, loss, x, x[:, :1])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["features-major", "piecewise"])
def test_what_needs_all_rows_in_one_process_says_so(name: str) -> None:
    problem = _problem(Network.mlp(3, 4, 1))
    with pytest.raises(SettingError, match="needs all rows in one process"):
        descend_shard(problem, name)


def descend_shard(problem: Problem, objective: str) -> None:
    from derivable.descent.driver import descend_problem

    descend_problem(problem, steps=3, lr=0.1, method="steps", objective=objective)


RATES = """
import derivable.descent.rate as rate
from derivable import Loss, Network
from derivable.distributed import Group
from derivable.functions import MSE
from derivable.problem import Problem
rate.TRIAL_ROWS = 300
g = torch.Generator().manual_seed(0)
x, y = torch.randn(1000, 3, generator=g), torch.randn(1000, 1, generator=g)
weight = torch.rand(1000, generator=g)
mine = slice(1000 * rank // size, 1000 * (rank + 1) // size)
for own in (None, weight[mine]):
    network = Network.mlp(3, 4, 1)
    problem = Problem.of_shard(Group(), network, MSE, x[mine], y[mine], own)
    found = rate.choose_rate(problem)
    all_rows = Problem(network, MSE, x, y, None if own is None else weight)
    tell(lr=found.lr, alone=rate.choose_rate(all_rows).lr, reason=str(found.reason))
"""


def test_a_learning_rate_is_tried_on_the_same_rows_in_all_processes(tmp_path: Path) -> None:
    first, second = answers_of(RATES, 2, tmp_path)
    assert first == second
    for found in first:
        assert found["lr"] == found["alone"]
        assert "on 300 rows" in found["reason"]


def test_mini_batches_need_all_rows_in_one_process() -> None:
    from derivable import GradientDescent
    from derivable.descent.driver import descend_problem

    with pytest.raises(SettingError, match="needs all rows in one process"):
        descend_problem(
            _problem(Network.mlp(3, 4, 1)), steps=3, lr=0.1, method=GradientDescent(batch_size=20)
        )


LARGE = """
import resource, tempfile
from pathlib import Path
import numpy as np
from derivable import MSE, Network, descend
from derivable.system import PROCESS, sizes

rows, limit = 4_000_000, 40_000_000
folder = Path({folder!r})
x = np.memmap(folder / "x", np.float32, "w+", shape=(rows, 9))
y = np.memmap(folder / "y", np.float32, "w+", shape=(rows, 1))
draw = np.random.default_rng(0)
for first in range(0, rows, 100_000):
    part = x[first : first + 100_000]
    part[:] = draw.standard_normal(part.shape, np.float32)
    y[first : first + 100_000, 0] = part.sum(1) + np.sin(part[:, 0])
network, line = Network.mlp(9, 4, 1), Network.mlp(9, 1)
for one in (network, line):  # compiles, and allocates what does not depend on the rows
    descend(one, MSE, x[:200_000], y[:200_000], steps=1, lr=1e-3)
assert x.nbytes + y.nbytes >= 4 * limit
used = sizes(PROCESS)["VmData"]
resource.setrlimit(resource.RLIMIT_DATA, (used + limit, used + limit))
run = descend(network, MSE, x, y, steps=3, lr=1e-3, method="steps")
flat = descend(line, MSE, x, y, steps=1000, lr=1e-3)
tell(losses=run.losses.tolist(), line=flat.losses[-1].item(), method=flat.method)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the limit is one of Linux")
def test_a_table_of_four_times_the_memory(tmp_path: Path) -> None:
    """Exact steps from a copy in a mapped file, and spectral from the table where it lies."""
    (((found,)),) = answers_of(LARGE.format(folder=str(tmp_path)), 1, tmp_path / "group")
    rows = 4_000_000
    x = torch.from_numpy(np.fromfile(tmp_path / "x", np.float32).reshape(rows, 9))
    y = torch.from_numpy(np.fromfile(tmp_path / "y", np.float32).reshape(rows, 1))
    run = descend(Network.mlp(9, 4, 1), MSE, x, y, steps=3, lr=1e-3, method="steps")
    assert found["losses"] == run.losses.tolist()
    assert found["method"] == "spectral"
    flat = descend(Network.mlp(9, 1), MSE, x, y, steps=1000, lr=1e-3)
    assert found["line"] == pytest.approx(flat.losses[-1].item(), rel=1e-9)


def test_a_mapped_file_of_another_dtype_is_refused(tmp_path: Path) -> None:
    x = np.memmap(tmp_path / "x", np.float64, "w+", shape=(50, 3))
    with pytest.raises(DataError, match="memory-mapped array must have the network's dtype"):
        descend(Network.mlp(3, 1), MSE, x, x[:, :1], steps=1, lr=0.1)


def of_two() -> Group:
    """The group of two processes, of which this is the first, without the other."""
    group = Group.alone()
    group.size = 2
    return group


@pytest.mark.parametrize(
    ("shows", "who", "rank"),
    [(True, "process 1 of 2 has ended", 1), (False, "a process has", None)],
)
def test_the_end_of_a_process_may_show_later_than_what_it_breaks(
    monkeypatch: pytest.MonkeyPatch, *, shows: bool, who: str, rank: int | None
) -> None:
    found = iter([None, None, 1, 1] if shows else [])
    lost = of_two()
    monkeypatch.setattr(lost, "_lost", lambda: next(found, None))
    monkeypatch.setattr(group_module, "NOTICED", 20.0 if shows else 0.0)
    with pytest.raises(LostProcessError, match=who) as raised, lost._watched():
        raise RuntimeError("Connection closed by peer")
    assert raised.value.rank == rank


def test_a_process_that_may_not_be_looked_at_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as without:
        without.setattr(group_module, "open", refused, raising=False)  # no table of processes
        assert group_module._is_running(os.getpid())
    monkeypatch.setattr(os, "kill", refused)  # it is another user's
    assert group_module._is_running(os.getpid())


def test_a_signal_without_a_handler_is_noted_and_ends_nothing() -> None:
    group, before = of_two(), signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with group.interruptible():
            noted = signal.getsignal(signal.SIGTERM)
            assert callable(noted)
            assert not group.take_interruption()
            noted(signal.SIGTERM, None)
            assert group.take_interruption()
            assert not group.take_interruption(), "once"
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_shard_of_one_process_has_all_rows() -> None:
    shard = _problem(Network.mlp(3, 4, 1)).shard
    assert isinstance(shard, Shard)
    assert shard.rows == range(600)


class Rowwise(Function):
    """An activation that takes the mean of all rows from each."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x - x.mean(0)

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:
        return grad_output - grad_output.mean(0)


LINE = Network.mlp(3, 1).layers


@pytest.mark.parametrize(
    ("network", "loss", "message"),
    [
        (Network(LINE), Length, "losses that are a sum or mean over rows, and Length is not known"),
        (
            Network([*LINE, Layer(functions.Dropout, p=0.5)]),
            MSE,
            "networks that stay as they are, and Dropout",
        ),
        (Network([*LINE, Layer(Rowwise)]), MSE, "networks that predict each row by itself"),
        (Network(LINE), MSE, ""),
    ],
)
def test_what_is_no_sum_over_rows_is_not_shared(network: Network, loss: Any, message: str) -> None:
    problem = _problem(network, loss)
    refusal = Tasks.refusal(problem)
    assert message in refusal if message else refusal == ""
    if message:
        with pytest.raises(SettingError, match="shard=True goes with"):
            ByHand(problem)
    one_row = replace(problem, x=problem.x[:1], y=problem.y[:1])
    if "by itself" in message:  # which one row does not show
        assert Tasks.refusal(one_row) == ""
