"""The coverage of the error bounds of numerical differentiation, against 50 digits.

    python benchmarks/measure.py            150 random functions of each family
    python benchmarks/measure.py --quick    a few, to see that it runs

The families are those of tests/measured_functions.py. An entry is settled if five times its error
is below a thousandth of the largest derivative of its output, or if it is called a kink; it is
outside if the true derivative is further than five errors from the numerical one, or from what lies
between the one-sided ones.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.measured_coverage import coverage  # noqa: E402
from tests.measured_functions import FAMILIES, cases  # noqa: E402


def main():
    """Print one row per family."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few functions, to see that it runs")
    parser.add_argument("--count", type=int, default=150, help="functions of each family")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(
        "| functions | entries | settled | outside 5 errors | called kinks | called jumps "
        "| median relative error bound | median evaluations |"
    )
    print("|---" * 8 + "|")
    settled = outside = 0
    for family, function in FAMILIES.items():
        found = coverage(cases(family, 3 if options.quick else options.count))
        settled, outside = settled + found.settled, outside + found.outside
        share = 100 * found.settled / found.entries
        relative = "-" if math.isnan(found.relative) else f"{found.relative:.1e}"
        print(
            f"| {function.__doc__.rstrip('.')} | {found.entries} | {share:.1f}% | {found.outside} "
            f"| {found.kinks} | {found.nowhere} | {relative} | {found.calls:.0f} |",
            flush=True,
        )
    print(
        f"| together, settled | | {settled} | {outside} ({100 * outside / settled:.2f}%) | | | | |"
    )


if __name__ == "__main__":
    main()
