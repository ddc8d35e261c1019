"""Build wheel and sdist, install each in an empty environment, and run it there.

    python tools/try_install.py

The files stay in dist/. Installing uses the network and takes minutes: `tests/test_distribution.py`
does what can be done without. Everything runs in a temporary folder, so that nothing of the
checkout can be imported.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
CUBE = """
import torch
from derivable import Function, check

class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * grad_output

if __name__ == "__main__":
    assert check(Cube, torch.randn(4, 3)).verdict == "right"
"""
TABLE = "a,b,y\n" + "".join(f"{i},{i * i % 7},{i * i % 5}\n" for i in range(60))
# Commands, and how they end: without extras, and with all of them.
BASE = (
    ("python cube.py", 0),
    ("derivable check cube.py --input x:4x3", 0),
    ("derivable doctor", 0),
    ("derivable lab list", 0),
    ("derivable compare", 4),
)
ALL = (
    ("derivable doctor", 0),
    ("derivable fit t.csv --target y --model tanh:3 --steps 50 --export m.onnx --quiet", 0),
    ("derivable compare --data diabetes --models linear --steps 50 --quiet", 0),
    ("derivable lab new tp1", 0),
)


def run(*words: object, cwd: Path, code: int = 0) -> None:
    """Run a command; end with its output where it ends otherwise."""
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode != code:
        sys.exit(f"{' '.join(map(str, words))}: exit code {done.returncode}, not {code}\n"
                 f"{done.stdout}{done.stderr}")  # fmt: skip


def try_in(folder: Path, what: str, commands: tuple[tuple[str, int], ...]) -> None:
    """Install `what` in a new environment in `folder`, and run commands there."""
    venv.create(folder / "venv", with_pip=True, clear=True)
    binaries = folder / "venv" / "bin"
    constraints = ["--quiet", "--constraint", ROOT / "constraints.txt"]
    run(binaries / "python", "-m", "pip", "install", *constraints, what, cwd=folder)
    run(binaries / "python", "-m", "pip", "check", cwd=folder)
    (folder / "cube.py").write_text(CUBE, "utf-8")
    (folder / "t.csv").write_text(TABLE, "utf-8")
    for command, code in commands:
        program, *words = command.split()
        run(binaries / program, *words, cwd=folder, code=code)
        print(f"{what.rpartition('/')[2]}: {command}: exit code {code}", flush=True)


def main() -> None:
    """Build, install, run."""
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", DIST, ".", cwd=ROOT)
    (wheel,), (sdist,) = DIST.glob("*.whl"), DIST.glob("*.tar.gz")
    for what, commands in ((f"{wheel}", BASE), (f"{sdist}", BASE), (f"{wheel}[all]", ALL)):
        with tempfile.TemporaryDirectory() as folder:
            try_in(Path(folder), what, commands)


if __name__ == "__main__":
    main()
