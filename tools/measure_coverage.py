"""Measure the branches that the tests run, one test file per core, at the lowest priority.

    python tools/measure_coverage.py                        all test files, more than an hour
    python tools/measure_coverage.py tests/test_flow.py     these
    python tools/measure_coverage.py --report               what was measured so far, by package

What was measured stays in build/coverage, one file of data for each test file, and is not measured
again; `make clean` removes it. Code that Numba compiles does not run in Python, which is why
pyproject.toml leaves it out of the measurement.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build" / "coverage"


def coverage(*words: str, folder: Path = FOLDER, printed: Path | None = None) -> int:
    """Run a command of coverage, with its data in `folder` and its output in `printed`."""
    everything = {"DERIVABLE_CORPUS": "all"}
    environment = everything | os.environ | {"COVERAGE_FILE": str(folder / ".coverage")}
    command = [sys.executable, "-m", "coverage", *words]
    with Path(printed or os.devnull).open("w", encoding="utf-8") as out:
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=out, check=False)
    return done.returncode


def measure(test: Path) -> None:
    """Run one test file, and keep which branches it runs and what pytest printed."""
    data = FOLDER / f"{test.stem}.data"
    if data.exists():
        return
    began = time.monotonic()
    printed = data.with_suffix(".txt")
    with TemporaryDirectory(dir=FOLDER) as made:
        folder = Path(made)
        pytest = ("pytest", "-n0", "-q", "-p", "no:cacheprovider", str(test))
        code = coverage("run", "-m", *pytest, folder=folder, printed=printed)
        parts = [str(path) for path in folder.glob(".coverage.*")]
        coverage("combine", "--quiet", f"--data-file={data}", *parts, folder=folder)
    problem = f", see {printed.relative_to(ROOT)}" if code else ""
    print(f"{test.stem}: {time.monotonic() - began:.0f} s{problem}", flush=True)


def report() -> None:
    """Print the share of branches and lines by package, then all that is not covered."""
    found = [str(path) for path in FOLDER.glob("*.data")]
    coverage("combine", "--quiet", "--keep", *found)
    coverage("json", "-o", str(FOLDER / "coverage.json"))
    coverage("html", "-d", str(FOLDER / "html"))
    content = json.loads((FOLDER / "coverage.json").read_text("utf-8"))
    packages: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for file, measured in content["files"].items():
        summary = measured["summary"]
        keys = ("covered_branches", "num_branches", "covered_lines", "num_statements")
        package = Path(file).parts[2].removesuffix(".py")
        for name in (package, "all"):
            packages[name] = [a + summary[key] for a, key in zip(packages[name], keys, strict=True)]
    print(f"| package | branches | lines |  ({len(found)} test files)\n|---|---|---|")
    for name, (branches, of_branches, lines, of_lines) in sorted(packages.items()):
        shares = (share(branches, of_branches), share(lines, of_lines))
        print(f"| {name} | {shares[0]} | {shares[1]} |")


def share(part: int, whole: int) -> str:
    """A share in percent."""
    return f"{100 * part / whole:.1f}%" if whole else "none"


def main() -> None:
    """Measure what is asked for, and report it."""
    parser = argparse.ArgumentParser(description="Measure the branches that the tests run.")
    parser.add_argument("tests", nargs="*", type=Path)
    parser.add_argument("--report", action="store_true")
    asked = parser.parse_args()
    os.nice(19)
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not asked.report:
        tests = asked.tests or sorted((ROOT / "tests").glob("test_*.py"))
        with ThreadPoolExecutor(os.cpu_count()) as at_once:
            list(at_once.map(measure, tests))
    report()


if __name__ == "__main__":
    main()
