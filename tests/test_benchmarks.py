"""Benchmarks run, tiny, so that they cannot rot: a third of them for each commit, all every night.

Which third is stated by DERIVABLE_CORPUS, as for the examiner's corpus (`tests/corpus/part.py`).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.corpus.part import part

SCRIPTS = part(sorted((ROOT / "benchmarks").glob("[!_]*.py")), 6)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_it_runs_with_quick(script: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(script), "--quick"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("|")
    if "set_num_threads(1)" in script.read_text(encoding="utf-8") and "fused" in done.stdout:
        assert ", 1 thread;" in done.stdout  # Numba's threads leave PyTorch's number alone
