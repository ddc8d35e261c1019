"""Wheel and sdist, built and run outside of the checkout; `make test-install` installs them."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from derivable.extras import EXTRAS
from tests.conftest import ROOT

pytest.importorskip("hatchling", reason="needs the extra dev")

OUTSIDE = """
import contextlib, io, runpy, sys
sys.path.insert(0, sys.argv[1])
import torch
import derivable
from derivable import functional
from derivable.cli.main import main
assert derivable.__file__.startswith(sys.argv[1]), derivable.__file__
functions = runpy.run_path("cube.py")
assert derivable.check(functions["Cube"], torch.randn(2, 3)).verdict == "right"
assert functional.relu(torch.ones(2)).sum() == 2
for words, code in ((["--version"], 0), (["lab", "list"], 0), (["check", "nonesuch.py"], 2)):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            main(words)
        except SystemExit as end:
            assert (end.code or 0) == code, (words, end.code)
print("ran")
"""
CUBE = """
from derivable import Function

class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * grad_output
"""


def build(source: Path, out: Path, *kinds: str) -> Path:
    """Build in `out` without the network, and return the wheel."""
    words = [word for kind in kinds for word in ("-t", kind)]
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(out), *words]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = out.glob("*.whl")
    return wheel


def test_wheel_and_sdist_hold_the_package_and_run_without_the_checkout(tmp_path: Path) -> None:
    wheel = build(ROOT, tmp_path / "dist", "sdist", "wheel")
    with zipfile.ZipFile(wheel) as content:
        files = {name: content.read(name) for name in content.namelist()}
        content.extractall(tmp_path / "installed")
    source = ROOT / "src"
    wanted = [
        path
        for path in (source / "derivable").rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".nbi", ".nbc")
    ]
    assert {path.name for path in wanted} >= {"py.typed", "functional.pyi", "page.css"}
    for path in wanted:
        assert files[path.relative_to(source).as_posix()] == path.read_bytes()
    (described,) = (name for name in files if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(files[described].decode())
    assert {*EXTRAS, "all", "dev"} <= set(metadata.get_all("Provides-Extra", []))
    assert metadata["Author"] == "The derivable developers"

    (tmp_path / "cube.py").write_text(CUBE, "utf-8")
    command = [sys.executable, "-I", "-c", OUTSIDE, str(tmp_path / "installed")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "ran\n", done.stderr

    (sdist,) = (tmp_path / "dist").glob("*.tar.gz")
    with tarfile.open(sdist) as content_of_sdist:
        content_of_sdist.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert (unpacked / "tests" / "test_distribution.py").is_file(), "who packages it runs the tests"
    with zipfile.ZipFile(build(unpacked, tmp_path / "again", "wheel")) as content:
        assert {name: content.read(name) for name in content.namelist()} == files
