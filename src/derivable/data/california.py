"""California Housing, through scikit-learn's own loader, with a wait that ends.

The table is 20,640 census block groups of 1990 (Pace and Barry, "Sparse spatial
autoregressions", 1997). scikit-learn keeps it in a cache and downloads it when it is not there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch

from derivable.data.messages import say
from derivable.data.table import Table, load_diabetes
from derivable.errors import DataError
from derivable.extras import needed
from derivable.messages import SEMICOLON, Message, joined, message_of

CACHE_FILE = "cal_housing_py3.pkz"
WAIT_SECONDS = 10.0
FEATURES = (
    "MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude",
    "Longitude",
)  # fmt: skip
VALUE_UNIT = 100_000  # dollars, the unit of the target

# Run in a process of its own: scikit-learn's download has no time-out, but a process can be ended.
_DOWNLOAD = (
    "import sys; from sklearn.datasets import fetch_california_housing as fetch; "
    "fetch(data_home=sys.argv[1], n_retries=1)"
)


def load_california(wait: float = WAIT_SECONDS) -> Table:
    """California Housing, or the bundled diabetes table where `find_california` fails.

    The `note` of the substitute states that it is one, what failed and what to do.
    """
    try:
        return find_california(wait)
    except DataError as error:
        return load_diabetes(note=say("diabetes_instead", error=error))


def find_california(wait: float = WAIT_SECONDS) -> Table:
    """California Housing: from scikit-learn's cache, else downloaded within `wait` seconds.

    Raises DataError, with what failed and what to do.
    """
    home = cache_folder()
    attempts: dict[str, Callable[[], Table]] = {
        "cache_failed": lambda: _read(home),
        "download_failed": lambda: _download(home, wait),
    }
    failures = []
    for attempt, load in attempts.items():
        try:
            return load()
        except Exception as error:  # a broken cache can raise anything
            failures.append(say(attempt, error=_first_line(error)))
    gaps = {"failures": joined(failures, SEMICOLON), "file": CACHE_FILE, "home": home}
    raise DataError(say("no_california", **gaps))


def cache_folder() -> Path:
    """scikit-learn's cache: the folder named by SCIKIT_LEARN_DATA, else ~/scikit_learn_data."""
    return Path(os.environ.get("SCIKIT_LEARN_DATA") or "~/scikit_learn_data").expanduser()


def _read(home: Path) -> Table:
    """The table from the cache in `home`, without touching the network.

    The cache is read as scikit-learn's loader does, by joblib, without importing scikit-learn,
    which takes longer than the lab's trainings. Its columns are the median value of a house, then
    median income, house age, rooms, bedrooms, population, households, latitude and longitude.
    """
    with needed("california"):
        import joblib

    if not (home / CACHE_FILE).is_file():
        raise FileNotFoundError(say("no_cache_file", file=CACHE_FILE, home=home))
    cached = torch.as_tensor(joblib.load(home / CACHE_FILE), dtype=torch.float64)
    if cached.dim() != 2 or cached.size(1) != 1 + len(FEATURES):
        shape = str(tuple(cached.shape))
        raise ValueError(say("cache_shape", file=CACHE_FILE, shape=shape))
    value, income, age, rooms, bedrooms, population, households, *place = cached.unbind(1)
    averages = (rooms / households, bedrooms / households, population, population / households)
    return Table(
        name="california",
        x=torch.stack([income, age, *averages, *place], 1),
        y=(value / VALUE_UNIT).view(-1, 1),
        features=FEATURES,
        targets=("MedHouseVal",),
    )


def _download(home: Path, wait: float) -> Table:
    """Let scikit-learn download the table, then keep it in `home` if that can be written."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _DOWNLOAD, folder]
        try:
            subprocess.run(command, timeout=wait, check=True, capture_output=True, text=True)
        except subprocess.TimeoutExpired:
            raise TimeoutError(say("no_answer", wait=wait)) from None
        except subprocess.CalledProcessError as error:
            reason = (error.stderr or "").strip().splitlines() or [say("no_reason")]
            raise ConnectionError(reason[-1]) from None
        table = _read(Path(folder))
        with suppress(OSError):
            home.mkdir(parents=True, exist_ok=True)
            part = home / f"{CACHE_FILE}.{os.getpid()}.part"
            shutil.copyfile(Path(folder) / CACHE_FILE, part)
            part.replace(home / CACHE_FILE)  # whole or not at all
        return table


def _first_line(error: Exception) -> str:
    text = message_of(error)
    if isinstance(text, Message):
        return text
    lines = str(error).splitlines() or [""]
    return lines[0] or type(error).__name__
