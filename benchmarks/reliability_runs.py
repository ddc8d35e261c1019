"""How reliable run folders and the command line are: kills at random moments, random arguments.

    python benchmarks/reliability_runs.py [--quick] [--kills N] [--fuzz N] [--write docs/runs.md]

**Kills.** A short run is started and gets SIGKILL at a random moment, again and again, up to three
times, then it goes on to its end. After each kill the folder must be readable and hold every model
that was finished before, in its bits; at the end all of it must have the bits of a run that was
never stopped. Each process is a fork of this one, which has everything imported and compiled, so
that its time is spent in the run.

**Arguments.** Random lists of commands, options, values, good and bad, are run in this process;
each must leave with a documented exit code, without a traceback, and with one JSON document on
stdout where --json is among them.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

os.environ.update(NUMBA_THREADING_LAYER="workqueue", NUMBA_NUM_THREADS="1")  # which may be forked

import torch
from _common import Page, machine

import derivable.data
from derivable.cli.main import cli, main
from derivable.errors import DataError
from derivable.report import run_folder as report
from derivable.run import folder as run_folder
from derivable.run.folder import load_run
from derivable.run.settings import FILE

CODES = {0, 1, 2, 3, 4, 5, 130}
RUN = ["compare", "--data", "diabetes", "--method", "steps", "--quiet"]
SETTINGS = {
    "1 seed": ["--models", "linear,tanh:3,relu:5,tanh:4x3", "--steps", "9000"],
    "3 seeds": ["--models", "linear,tanh:3,relu:5", "--steps", "4000", "--seeds", "3"],
}
CHAIN = 3  # kills of one run at most


def forked(words, folder):
    """Start `derivable ...` in a fork; its process id."""
    child = os.fork()
    if child:
        return child
    os.chdir(folder)
    quiet = os.open(folder / "errors.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    run_folder.SECONDS, run_folder.SHARE = 0.02, 1.0  # so that many checkpoints are written
    try:
        main(words)
    except SystemExit as left:
        sys.stdout.flush()
        os._exit(int(left.code or 0))
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(99)


def finish(words, folder):
    """Run to the end; the seconds it took."""
    begin = time.perf_counter()
    _, status = os.waitpid(forked(words, folder), 0)
    code = os.waitstatus_to_exitcode(status)
    if code:
        raise SystemExit(f"{words} left with {code}: {(folder / 'errors.txt').read_text()}")
    return time.perf_counter() - begin


def kill(words, folder, seconds):
    """Run for so many seconds, then SIGKILL; whether it was still running."""
    child = forked(words, folder)
    time.sleep(seconds)
    ended, _ = os.waitpid(child, os.WNOHANG)
    if ended:
        return False
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def bits(result):
    """All of a finished model that does not depend on the clock."""
    runs = [
        (d.losses, d.network.theta, d.snapshots.thetas, str(d.error_estimate))
        for d in result.descents
    ]
    return result.model, result.test_losses, result.predictions, runs


def same(one, other):
    """Whether two such trees are equal in every bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def finished(run):
    """The models of a folder that are finished, by name; a run that has just begun has none."""
    if not (run / FILE).exists():
        return {}
    try:
        return {result.model.name: bits(result) for result in load_run(run).results}
    except DataError as error:
        if "is finished yet" in str(error):
            return {}
        raise


def next_words(words, run):
    """What begins a run, or goes on with it."""
    begun = (run / FILE).exists()
    return ["compare", "--resume", run.name, "--quiet"] if begun else [*words, run.name]


def killed_runs(page, settings, kills, draw):
    """Kill and go on; one row for each of the settings."""
    page.head("kills -9", "kills", "during a write", "models kept", "runs ended with the same bits")
    lost = 0
    with tempfile.TemporaryDirectory() as place:  # imports, compiles, and warms the disk
        for options in settings.values():
            words = [*RUN, *options, "--out", f"{place}/{len(options)}"]
            assert call(words)[0] == 0
    for name, options in settings.items():
        done = during = kept = ended = right = 0
        with tempfile.TemporaryDirectory() as place:
            home = Path(place)
            words = [*RUN, *options, "--out"]
            seconds = finish([*words, "whole"], home)
            whole = finished(home / "whole")
            while done < kills:
                run = home / f"run-{ended}"
                before, killed = {}, True
                for _ in range(CHAIN):
                    killed = kill(next_words(words, run), home, draw.uniform(0.0, 1.1 * seconds))
                    if not killed:
                        break
                    done += 1
                    during += any(run.rglob("*.part"))
                    now = finished(run)  # raises where it cannot be read
                    kept += len(now)
                    fine = all(same(value, whole[model]) for model, value in now.items())
                    lost += not (fine and before.keys() <= now.keys())
                    before = now
                if killed:
                    finish(next_words(words, run), home)
                tidy = not list(run.rglob("*.part")) and (run / "metrics.json").exists()
                right += tidy and same(list(finished(run).values()), list(whole.values()))
                ended += 1
        page.row(name, done, during, kept, f"{right} of {ended}")
        lost += ended - right
    return lost


WORDS = (
    "linear", "tanh:2", "tanh:0", "relu:3x2", "linear,linear", "0", "1", "3", "-1", "2.5", "1e-3",
    "nan", "auto", "adam", "flow", "steps", "lab", "diabetes", "california", "price", "no such",
    "", "é☃", "\x00", "a" * 300, "--", "-x", "table.csv", "broken.csv", "out", "full", "run",
    "run/run.toml", "broken.toml", "model.safetensors", "model.py", "model.onnx", "x.pkl", "/",
    "my.py", "[", "{}", "%s", "$HOME", "*", "..", "error", "median", "drop", ",", ".", ";",
)  # fmt: skip


def arguments(draw):
    """A random list of arguments, good ones more often than not."""
    name = draw.choice([*cli.commands, "fit", "predict", "compare", "comparr"])
    command = cli.commands.get(name)
    words = [name] if draw.random() < 0.97 else []
    if hasattr(command, "commands") and draw.random() < 0.9:
        inner = draw.choice(list(command.commands))
        words, command = [*words, inner], command.commands[inner]
    if name in STARTS and draw.random() < 0.8:
        words += draw.choice(STARTS[name])
    for _ in range(draw.randrange(5)):
        words += option(draw, command) if command and draw.random() < 0.8 else [draw.choice(WORDS)]
    if name in ("compare", "fit") and draw.random() < 0.95:
        words += ["--steps", draw.choice(["3", "30"])]  # or else each takes a second
    return words


STARTS = {
    "compare": [["table.csv", "--target", "price"], ["--data", "diabetes"], ["--resume", "run2"]],
    "fit": [
        ["table.csv", "--target", "price"],
        ["--resume", "run"],
        ["--config", "run/run.toml"],
        ["--data", "diabetes", "--model", "linear"],
    ],
    "predict": [["model.safetensors", "table.csv"], ["run", "table.csv"], ["run2", "table.csv"]],
    "report": [["run"], ["run2"]],
    "check": [["my.py"]],
}


def option(draw, command):
    """An option of a command, mostly with a value that it takes."""
    given = [param for param in command.params if param.opts[0].startswith("--")]
    if not given or draw.random() < 0.05:
        return [draw.choice(["--json", "--quiet", "--stepz", "--help"])]
    param = draw.choice(given)
    if param.is_flag:
        return [param.opts[0]]
    good = draw.random() < 0.75
    if good and hasattr(param.type, "choices"):
        return [param.opts[0], draw.choice(list(param.type.choices))]
    if good and param.type.name.startswith("integer"):
        return [param.opts[0], draw.choice(["0", "1", "2", "3"])]
    return [param.opts[0], draw.choice(WORDS)]


def prepare_folder():
    """Files that arguments may name."""
    rows = "\n".join(f"{i},{i % 7},{3 * i + i % 5}" for i in range(60))
    Path("table.csv").write_text(f"a,b,price\n{rows}\n")
    Path("broken.csv").write_text('a,b\n1,"2\n3')
    Path("broken.toml").write_text("steps = [")
    Path("my.py").write_text("import derivable\n")
    Path("full").mkdir()
    Path("full/thesis.tex").write_text("years of work")
    words = ["table.csv", "--target", "price", "--model", "tanh:2", "--steps", "3"]
    assert call(["fit", *words, "--out", "run", "--export", "model.safetensors"])[0] == 0
    words = ["--data", "diabetes", "--models", "linear,tanh:2", "--steps", "3"]
    assert call(["compare", *words, "--out", "run2"])[0] == 0


def call(words):
    """The exit code, stdout and stderr of a list of arguments, in this process."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            main(words)
        except SystemExit as left:
            code = left.code
        except BaseException:
            code = traceback.format_exc()
    return code, out.getvalue(), errors.getvalue()


def draw_nothing():
    """Leave out charts and page, which take seconds."""
    report.write_page = lambda *_, **__: None


def fuzz(page, lists, draw):
    """Random arguments; one row for each exit code, and what went wrong."""
    draw_nothing()
    find = derivable.data.load_diabetes
    derivable.data.load_california = find  # no waiting for a download
    counts, wrong = dict.fromkeys(sorted(CODES), 0), []
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        prepare_folder()
        for _ in range(lists):
            words = arguments(draw)
            code, out, errors = call(words)
            fine = code in CODES and "Traceback" not in errors + out
            helps = "--help" in words or "-h" in words or "--version" in words
            if fine and "--json" in words and not helps:
                try:
                    json.loads(out)
                except ValueError:
                    fine = False
            if fine:
                counts[code] += 1
            else:
                wrong.append((words, code, out[-300:], errors[-300:]))
        untouched = Path("full/thesis.tex").read_text() == "years of work"
        os.chdir(here)
    page.head("random arguments", *(f"exit {code}" for code in counts), "anything else")
    page.row(f"{lists} lists", *counts.values(), len(wrong))
    for words, code, out, errors in wrong:
        print(f"WRONG {words}: {code}\n{out}\n{errors}", file=sys.stderr)
    return len(wrong) + (not untouched)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny, to see that it runs")
    parser.add_argument("--kills", type=int, default=60, help="for each setting")
    parser.add_argument("--fuzz", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", help="a Markdown file to write the figures into")
    given = parser.parse_args()
    torch.set_num_threads(1)
    generator = random.Random(given.seed)
    lines = Page()
    if given.quick:
        draw_nothing()
        given.kills, given.fuzz = 1, 20
        del SETTINGS["3 seeds"]
    failures = killed_runs(lines, SETTINGS, given.kills, generator)
    lines.say()
    failures += fuzz(lines, given.fuzz, generator)
    lines.say()
    lines.say(machine())
    if given.write:
        lines.write(given.write, "reliability_runs")
    sys.exit(bool(failures))
