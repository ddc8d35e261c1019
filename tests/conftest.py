"""What every test shares: a seed, the real table where it is, and the command in a subprocess."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from derivable.cli.main import main
from derivable.data import Table, load_california
from derivable.data.california import CACHE_FILE
from tests.corpus.part import CHOSEN

ROOT = Path(__file__).parents[1]

settings.register_profile("derivable", deadline=None, max_examples=40)
settings.load_profile("derivable")
# PyTorch gives many warnings once per process, in whichever test comes first; here, every time.
torch.set_warn_always(True)


def pytest_report_header() -> str:
    """The part of the corpus that is examined, to examine the same again."""
    return f"corpus of the examiner: DERIVABLE_CORPUS={CHOSEN}"


@pytest.fixture(autouse=True)
def _one_seed() -> None:
    """The same numbers in any order of the tests; one thread, because two workers share them."""
    torch.manual_seed(0)
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _modules_of_a_test_end_with_it(request: pytest.FixtureRequest) -> Iterator[None]:
    """A file that a test wrote and imported must not answer the next test's import of its name."""
    yield
    if "tmp_path" not in request.fixturenames and "pytester" not in request.fixturenames:
        return
    written = str(request.getfixturevalue("tmp_path_factory").getbasetemp())
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(written):
            del sys.modules[name]


@pytest.fixture(scope="session")
def california_cache() -> Path:
    """The folder of scikit-learn's California cache; skips where this machine has none."""
    named = os.environ.get("SCIKIT_LEARN_DATA")
    places = [Path(named)] if named else [ROOT.parent / "shared" / "scikit_learn_data"]
    places.append(Path("~/scikit_learn_data").expanduser())
    for place in places:
        if (place / CACHE_FILE).is_file():
            return place
    pytest.skip(f"needs the California Housing cache: no {CACHE_FILE} in {places}")


@pytest.fixture
def california(california_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Table:
    """The real table."""
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(california_cache))
    table = load_california()
    assert table.name == "california", table.note
    return table


Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Run `derivable ...` in `tmp_path`, in a process of its own, without a network."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "derivable", *words],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "80", **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def command_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """The same in this process, which has imported and compiled already what a command needs."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        thresholds = gc.get_threshold()
        with monkeypatch.context() as here:
            here.chdir(tmp_path)
            for name, value in {"COLUMNS": "80", **environment}.items():
                here.setenv(name, value)
            capsys.readouterr()
            with pytest.raises(SystemExit) as left:
                main(words)
        gc.set_threshold(*thresholds)  # a command sets its own
        printed = capsys.readouterr()
        code = left.value.code
        assert isinstance(code, int)
        return subprocess.CompletedProcess(words, code, printed.out, printed.err)

    return run
