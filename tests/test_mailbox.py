"""What processes of one machine exchange through shared memory."""

from __future__ import annotations

import io
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from derivable.distributed import mailbox
from tests.processes import answers_of, group, outcome

EXCHANGE = """
from derivable.distributed import Group
from derivable.distributed.mailbox import CAPACITY, Mailbox
os.cpu_count = lambda: 8
box = Mailbox.of(Group())
draw = torch.Generator().manual_seed(rank)
right = 0
for k in range(1000):
    sizes = (1, 7, 500, CAPACITY if k % 100 == 0 else 3)
    length = sizes[k % 4]
    every = [torch.full((length,), 10.0 * r + k, dtype=torch.float64) for r in range(size)]
    right += bool(torch.equal(box.gather(every[rank]), torch.stack(every)))
bits = torch.tensor([float("nan"), -0.0, float("inf"), 5e-324], dtype=torch.float64)
same = box.gather(bits)[size - 1].numpy().tobytes() == bits.numpy().tobytes()
left = [name for name in os.listdir("/dev/shm") if name.startswith("derivable-")]
tell(right=right, same=same, left=left)
"""


@pytest.mark.parametrize("size", [2, 3])
def test_every_message_arrives_whole_and_no_file_is_left(size: int, tmp_path: Path) -> None:
    for (found,) in answers_of(EXCHANGE, size, tmp_path):
        assert found == {"right": 1000, "same": True, "left": []}


TORN = """
import threading
import numpy as np
from derivable.distributed import Group
from derivable.distributed.mailbox import Mailbox
os.cpu_count = lambda: 8
box = Mailbox.of(Group())
mine = torch.arange(100.0, dtype=torch.float64) + rank
if rank:
    # What another processor may see: the number and the end of a message before its beginning.
    words = mine.numpy().view(np.int64)
    place = box._places[1, rank]
    place[1], place[0] = box._digest(words) ^ 1, 1
    place[52:102] = words[50:]
    time.sleep(0.3)
start = time.monotonic()
found = box.gather(mine)
right = bool(torch.equal(found, torch.stack([mine - rank, mine - rank + 1])))
tell(right=right, waited=time.monotonic() - start)
""".replace("import threading", "import time")


def test_a_message_that_is_half_written_is_not_read(tmp_path: Path) -> None:
    (first,), (second,) = answers_of(TORN, 2, tmp_path)
    assert first["right"]
    assert second["right"]
    assert first["waited"] > 0.2


LOST = """
import time
from derivable.distributed import Group
from derivable.distributed.mailbox import Mailbox
from derivable.errors import LostProcessError
os.cpu_count = lambda: 8
box = Mailbox.of(Group())
box.gather(torch.zeros(3, dtype=torch.float64))
tell(ready=True)
if rank == 1:
    time.sleep(60)
try:
    box.gather(torch.zeros(3, dtype=torch.float64))
except LostProcessError as error:
    print(error, flush=True)
    os._exit(7)
"""


def test_a_process_that_is_killed_is_named(tmp_path: Path) -> None:
    with group(LOST, 2, tmp_path) as (first, second):
        for process in (first, second):
            assert process.stdout is not None
            assert "ready" in process.stdout.readline()
        second.send_signal(signal.SIGKILL)
        start = time.monotonic()
        code, out, _ = outcome(first)
        assert (code, "process 1 of 2 has ended" in out) == (7, True)
        assert time.monotonic() - start < 10


NONE = """
from derivable.distributed import Group
from derivable.distributed.mailbox import Mailbox
import derivable.distributed.mailbox as mailbox
import socket, pathlib
group = Group()
found = {}
os.cpu_count = lambda: 1
found["few cores"] = Mailbox.of(group) is None
os.cpu_count = lambda: 8
name = socket.gethostname()
socket.gethostname = lambda: f"{name}{rank}"
found["other machines"] = Mailbox.of(group) is None
socket.gethostname = lambda: name
def full(length):
    raise OSError("no space left")
made, mailbox._made = mailbox._made, full
found["no space"] = Mailbox.of(group) is None
mailbox._made = made
found["otherwise"] = Mailbox.of(group) is not None
tell(**found)
"""


def test_where_there_is_none_messages_go_by_pytorch(tmp_path: Path) -> None:
    for (found,) in answers_of(NONE, 2, tmp_path):
        assert found == dict.fromkeys(
            ("few cores", "other machines", "no space", "otherwise"), True
        )


def test_a_file_that_cannot_be_filled_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.FileIO):
        def write(self, content: Any) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(mailbox, "MEMORY", tmp_path)
    monkeypatch.setattr(mailbox, "open", Full, raising=False)
    with pytest.raises(OSError, match="No space left"):
        mailbox._made(100)
    assert not list(tmp_path.iterdir())


def test_the_folder_in_memory_is_there_on_linux() -> None:
    assert os.path.isdir("/dev/shm")  # else the first test finds no file that is left
