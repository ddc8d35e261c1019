"""What the benchmarks of descent share: where they run, empty caches, tables, and their page."""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
import time
from pathlib import Path

import torch


def empty_caches():
    """Let Numba and torch.compile find nothing on the disk, so that compile times are real."""
    folder = tempfile.TemporaryDirectory(prefix="benchmark-caches-")
    os.environ["NUMBA_CACHE_DIR"] = folder.name
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(Path(folder.name) / "inductor")
    return folder  # to be kept while the caches are needed


def machine():
    """One line about what it ran on."""
    versions = [f"Python {platform.python_version()}", f"PyTorch {torch.__version__}"]
    for name in ("numba", "jax", "sklearn"):
        try:
            module = __import__(name)
        except ImportError:
            continue
        versions.append(f"{name} {module.__version__}")
    threads = torch.get_num_threads()
    return f"{_processor()}, {threads} thread{'s' * (threads > 1)}; {', '.join(versions)}."


def seconds(work):
    """The time of one call, and what it returned."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def cell(value):
    """A number with three digits, or a text, for a table."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


class Page:
    """Lines that are printed as they come, and can be written into a document in the end."""

    def __init__(self):
        self.lines = []

    def say(self, line=""):
        """One line of text."""
        print(line, flush=True)
        self.lines.append(line)

    def head(self, *columns):
        """The head of a table."""
        self.say("| " + " | ".join(columns) + " |")
        self.say("|---" + "|---:" * (len(columns) - 1) + "|")

    def row(self, *cells):
        """A row of a table."""
        self.say("| " + " | ".join(map(cell, cells)) + " |")

    def write(self, file, name):
        """Put the lines between the marks of section `name` of a Markdown file."""
        text = Path(file).read_text(encoding="utf-8")
        begin, end = (
            f"<!-- begin {name}: written by benchmarks/{name}.py -->",
            f"<!-- end {name} -->",
        )
        section = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        if not section.search(text):
            raise SystemExit(f"{file} has no lines {begin} and {end} to write between")
        content = "\n".join([begin, "", *self.lines, "", end])
        Path(file).write_text(section.sub(lambda _: content, text), encoding="utf-8")


def _processor():
    """The name of the processor and its widest vectors, where the system tells them."""
    try:
        known = Path("/proc/cpuinfo").read_text()
    except OSError:
        known = ""
    names = re.findall(r"model name\s*: (.*)", known)
    wide = " with AVX-512" if "avx512f" in known else " with AVX2" if "avx2" in known else ""
    return (names[0] if names else platform.processor() or platform.machine()) + wide


def note(*words):
    """A remark for whoever watches, which is no part of the page."""
    print(*words, file=sys.stderr, flush=True)
