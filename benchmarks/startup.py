"""From Enter to the prompt: whole commands, beside the imports that they cannot do without.

    python benchmarks/startup.py                            a few minutes
    python benchmarks/startup.py --write docs/benchmarks.md writes the tables into the docs
    python benchmarks/startup.py --quick                    tiny, to see that it runs

Every command is a process of its own, and so are the imports beside it: what the command needs of
other packages, imported and nothing else. They take turns, and the medians count. `own` is the
work that was asked for: the descents, or the examination, as the command itself reports them.
`ratio` is (seconds - own) / imports. A cold `compare` finds no compiled code, and its ratio is to
the warm one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import _common

from derivable.data import load_california, write_table

ROUNDS = 5
FIT = (
    "fit houses.csv --target y --model tanh:10 --quiet --steps 2000 --lr 0.01 --out RUN "
    "--export RUN.safetensors"
)
LAB = "torch, scipy.integrate, matplotlib.figure, numba"
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


@dataclass
class Command:
    """Words for `derivable`, and the imports beside it."""

    words: str
    imports: str
    asked: float | None = None  # the ratio that is asked for
    own: str = ""  # how its JSON reports the seconds of its own work: "compare" or "check"

    def run(self, folder, name):
        """Seconds of the whole process, and those of its own work."""
        words = self.words.replace("RUN", f"run-{name}").split()
        command = [sys.executable, "-m", "derivable", *words, *(["--json"] if self.own else [])]
        seconds, done = _common.seconds(lambda: started(command, folder))
        return seconds, own_seconds(self.own, done.stdout)


def started(command, folder):
    """A process that must end well, and may keep the bytecode of what it imports, as usual."""
    environment = dict(os.environ)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done


def own_seconds(kind, output):
    """What a command reports of its own work."""
    if kind == "compare":
        return sum(model["seconds"] for model in json.loads(output)["models"])
    if kind == "check":
        return sum(one["seconds"] for one in json.loads(output)["functions"])
    return 0.0


def imported(names, folder):
    """Seconds of a process that imports these packages."""
    return _common.seconds(lambda: started([sys.executable, "-c", f"import {names}"], folder))[0]


def measure(command, folder, rounds, name):
    """Medians over the rounds: seconds, own work, imports."""
    measured = []
    for number in range(rounds):
        seconds, own = command.run(folder, f"{name}-{number}")
        measured.append((seconds, own, imported(command.imports, folder)))
    return [statistics.median(values) for values in zip(*measured, strict=True)]


def measure_cold(command, folder, rounds):
    """The median over the rounds, each without any compiled code."""
    seconds = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as empty, cached_in(empty):
            seconds.append(command.run(folder, f"cold-{number}")[0])
    return statistics.median(seconds)


@contextmanager
def cached_in(folder):
    """Compiled code is kept in this folder."""
    before = os.environ.get("NUMBA_CACHE_DIR")
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["NUMBA_CACHE_DIR"]
        else:
            os.environ["NUMBA_CACHE_DIR"] = before


def slowest(words, folder):
    """The packages whose modules take longest to import, in milliseconds."""
    command = [sys.executable, "-X", "importtime", "-m", "derivable", *words.split()]
    lines = re.findall(r"import time:\s+(\d+) \|\s+\d+ \| +(\S+)", started(command, folder).stderr)
    spent = Counter()
    for own, module in lines:
        spent[module.partition(".")[0]] += int(own) / 1000
    return spent.most_common(10)


def table(page, folder, rounds, steps, warm_cache):
    """Measure every command, and print a table; the cold one if there is a `warm_cache`."""
    fit = Command(FIT, f"{LAB}, polars", own="compare")
    compare = Command(f"compare --quiet --out RUN{steps}", LAB, 1.5, own="compare")
    commands = {
        "--help": Command("--help", "click"),
        "doctor": Command("doctor", "torch, numba"),
        "check FILE": Command("check cubes.py --input x:4x3", "torch", 1.3, own="check"),
        "compare": compare,
        "fit": fit,
        "predict": Command(
            "predict run-first.safetensors houses.csv --out RUN.csv", "torch, polars"
        ),
    }
    if not warm_cache:  # tiny
        commands = {name: commands[name] for name in ("--help", "check FILE", "compare")}
    with cached_in(warm_cache) if warm_cache else nullcontext():
        if warm_cache:
            fit.run(folder, "first")  # compiles, as the next
            compare.run(folder, "second")
        warm = 0.0
        page.head("command", "seconds", "own", "the imports beside it", "seconds", "ratio", "asked")
        for number, (name, command) in enumerate(commands.items()):
            seconds, own, imports = measure(command, folder, rounds, number)
            ratio = (seconds - own) / imports
            beside = f"`{command.imports}`"
            page.row(f"`{name}`", seconds, own, beside, imports, ratio, command.asked or "")
            if command is compare:
                warm = seconds
        listed = slowest(compare.words.replace("RUN", "imports"), folder)
    if warm_cache:
        cold = measure_cold(compare, folder, rounds)
        page.row("`compare`, cold", cold, "", "`compare`, warm", warm, cold / warm, 3.0)
    page.say()
    text = ", ".join(f"{name} {spent:,.0f} ms" for name, spent in listed)
    page.say(f"The ten packages that take longest to import in a warm `compare`: {text}.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="tiny, to see that it runs")
    parser.add_argument("--write", metavar="FILE", help="write the tables into this document")
    arguments = parser.parse_args()
    page = _common.Page()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "cubes.py").write_text(CUBE, encoding="utf-8")
        write_table(replace(load_california(), targets=("y",)), folder / "houses.csv")
        if arguments.quick:
            table(page, folder, 1, " --steps 20 --data diabetes --models linear", None)
        else:
            table(page, folder, ROUNDS, "", folder / "warm")
    page.say()
    page.say(_common.machine())
    if arguments.write:
        page.write(arguments.write, "startup")


if __name__ == "__main__":
    main()
