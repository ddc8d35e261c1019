"""Installs public packages, and examines the Functions in which mistakes were found.

    python benchmarks/wild.py --into FOLDER                  all of them, some minutes
    python benchmarks/wild.py --into FOLDER --only entmax    those of one package
    python benchmarks/wild.py --into FOLDER --details        with the whole reports
    python benchmarks/wild.py --quick                        lists them, installs nothing

The versions are those in which the mistakes were found. They go into FOLDER, without their
dependencies, beside the PyTorch that runs this; FOLDER is used as it is where a package is in it
already. The exit code is 1 if one of the mistakes is no longer found, and 0 if all are; packages
that cannot be installed or imported are stated and not counted.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import subprocess
import sys
import time
import warnings
from pathlib import Path

import torch
from _wild import MISTAKES, PACKAGES

from derivable.examiner import check
from derivable.examiner.render import show

INSTALL = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--upgrade", "--target")


def installed(requirement, folder):
    """Whether the folder has it, in the version that it names."""
    name, _, version = requirement.partition("==")
    found = list(importlib.metadata.distributions(name=name, path=[str(folder)]))
    return any(not version or one.version == version for one in found)


def install(package, folder):
    """Put a package into the folder; returns the reason why it cannot be, else nothing."""
    for requirement in (f"{package.name}=={package.version}", *package.needs):
        if installed(requirement, folder):
            continue
        done = subprocess.run(
            [*INSTALL, str(folder), requirement], capture_output=True, text=True, check=False
        )
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            return f"not installed: {(lines or ['pip failed'])[-1].removeprefix('ERROR: ')}"
    return ""


def examined(mistake):
    """The report on one mistake, the finding of its cause (None without), and the seconds."""
    start = time.process_time()
    target, inputs = mistake.target()
    report = check(target, *inputs, level="strict", **mistake.options)
    seconds = time.process_time() - start
    finding = next((f for f in report.findings if f.cause == mistake.cause), None)
    return report, finding, seconds


def headline(finding):
    """The heading of a finding, in one line without the name of the target."""
    text = show.plain(show.finding_lines(finding, "en", finding.argument or "", finding_level()))
    return text.splitlines()[0].strip().replace("|", "\\|")


def finding_level():
    from derivable.examiner.settings import Level

    return Level.STRICT


def row(mistake, details):
    """A row of the table, and whether the mistake was found; None where it cannot be examined."""
    package = PACKAGES[mistake.package]
    start = [package.name, package.version, mistake.what]
    try:
        report, finding, seconds = examined(mistake)
    except Exception as error:
        return [*start, "-", f"not examined: {type(error).__name__}: {error}"[:150], "-"], None
    if details:
        print(f"\n### {package.name}: {mistake.what}\n\n{report}\n")
    if finding is None:
        others = ", ".join(f.cause for f in report.findings) or report.verdict
        return [*start, f"**not {mistake.cause}**", others, f"{seconds:.1f}"], False
    return [*start, finding.cause, headline(finding), f"{seconds:.1f}"], True


def table(rows):
    """In Markdown."""
    heads = ["package", "version", "what", "found as", "reported", "seconds"]
    for cells in (heads, ["---"] * len(heads), *rows):
        print("| " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--into", type=Path, help="the folder for the packages")
    parser.add_argument("--only", default="", help="only packages with this in their name")
    parser.add_argument("--details", action="store_true", help="print the reports, too")
    parser.add_argument("--quick", action="store_true", help="list them, and install nothing")
    options = parser.parse_args()
    if not options.quick and options.into is None:
        parser.error("--into FOLDER is required: the folder into which packages are installed")
    wanted = [m for m in MISTAKES if options.only in m.package]
    if options.quick:
        versions = {name: one.version for name, one in PACKAGES.items()}
        table([[m.package, versions[m.package], m.what, m.cause, "-", "-"] for m in wanted])
        return 0
    return examine_all(wanted, options.into, options.details)


def examine_all(wanted, folder, details):
    """Install, examine, print; the exit code."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    sys.path.insert(0, str(folder.resolve()))
    names = dict.fromkeys(m.package for m in wanted)
    refusals = {name: install(PACKAGES[name], folder) for name in names}
    rows, found = [], []
    for mistake in wanted:
        if refusals[mistake.package]:
            version, reason = PACKAGES[mistake.package].version, refusals[mistake.package]
            rows.append([mistake.package, version, mistake.what, "-", reason, "-"])
            continue
        cells, whether = row(mistake, details)
        rows.append(cells)
        found.append(whether)
    table(rows)
    counted = [one for one in found if one is not None]
    print(f"\n{sum(counted)} of {len(counted)} found; {len(rows) - len(counted)} not examined.")
    return 0 if all(counted) else 1


if __name__ == "__main__":
    sys.exit(main())
