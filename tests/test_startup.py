"""What each command imports: packages that it does not use are not imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from derivable.data import Table
from tests.conftest import ROOT

pytest.importorskip("numba")

# What takes long to import, in ascending order of what a command may need.
HEAVY = (
    "torch", "numpy", "rich", "scipy", "numba", "matplotlib", "polars", "sklearn", "pandas",
    "scipy.stats", "matplotlib.pyplot", "torch._dynamo", "IPython", "jax", "onnx",
)  # fmt: skip
LAB = {"torch", "numpy", "rich", "scipy", "numba", "matplotlib"}
SCRIPT = """
import sys
from derivable.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
print(*[name for name in {heavy} if name in sys.modules], file=sys.stderr)
"""
CUBE = """
import torch

class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * grad_output
"""


def imported(folder: Path, *words: str) -> set[str]:
    """What of the heavy packages a command has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(heavy=HEAVY), *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("commands")
    (folder / "cubes.py").write_text(CUBE, "utf-8")
    rows = "".join(f"{i},{i * i % 7},{i * i % 5}\n" for i in range(60))
    (folder / "table.csv").write_text("a,b,y\n" + rows, "utf-8")
    return folder


def test_help_imports_nothing_heavy(folder: Path) -> None:
    for words in (["--help"], ["compare", "--help"], ["check", "--help"], ["--version"]):
        assert imported(folder, *words) == set()


def test_importing_the_package_imports_nothing_heavy(folder: Path) -> None:
    script = f"import sys, derivable; print([n for n in {HEAVY} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "[]\n"


def test_check_imports_torch_and_what_prints(folder: Path) -> None:
    words = ["check", "cubes.py", "--input", "x:4x3"]
    assert imported(folder, *words) == {"torch", "numpy", "rich"}


def test_compare_of_the_lab_imports_what_descends_and_draws(
    california: Table, folder: Path
) -> None:
    words = ["compare", "--quiet", "--steps", "2500", "--out", "lab"]
    assert imported(folder, *words) == LAB


def test_fit_and_predict_import_polars_and_no_more_than_they_use(folder: Path) -> None:
    table = ["--target", "y", "--quiet"]
    options = ["--model", "tanh:10", "--steps", "20", "--lr", "0.1", "--out", "fit"]
    exported = ["--export", "model.safetensors"]
    found = imported(folder, "fit", "table.csv", *table, *options, *exported)
    found -= {"scipy"}  # Numba looks for it where it compiles
    assert found == LAB - {"scipy"} | {"polars"}
    assert imported(folder, "fit", "table.csv", *table, "--out", "auto") == LAB | {"polars"}
    found = imported(folder, "predict", "model.safetensors", "table.csv", "--out", "p.csv")
    assert found == {"torch", "numpy", "rich", "polars"}
