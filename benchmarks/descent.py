"""One exact step of gradient descent in every way we know, and the whole lab by `descend`.

    python benchmarks/descent.py                            the lab's sizes; some minutes
    python benchmarks/descent.py --seeds 10                 checks every loss of ten seeds too
    python benchmarks/descent.py --write docs/benchmarks.md writes tables and chart into the docs
    python benchmarks/descent.py --quick                    tiny, to see that it runs

Full batch, 16,512 rows and 8 features of California Housing where scikit-learn's cache has it
(random numbers of that size where not), float32, the lab's initial parameters and learning rates.
Every way starts from the same parameters, keeps the loss of every step, and must arrive at the
same loss. They take turns in rounds, so that a machine that slows down slows all of them; the
median over the rounds is shown. Caches of compiled code start empty. What a way needs before its
first step (building and compiling) is in a column of its own: its first call, less the median.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import replace
from functools import partial
from pathlib import Path

import _common
import torch
from _peers import OURS, PEERS, QUICK, SHEET, CannotRunError, Problem

from derivable import MSE, descend, descend_many
from derivable.data import lab_split, load_california
from derivable.protocol import LAB_MODELS, parse_models

LAB_ROWS, LAB_FEATURES = 16_512, 8
SAME = 2e-5  # relative difference of final losses that float32 sums in another order may show
# The quick ones take more steps, so that a turn of each is long enough to be timed; `piecewise`
# counts the sides of its units only once for many steps.
MORE = {"JAX scan, by rows": 5, "JAX scan, by columns": 5, "fused": 5, "piecewise": 100}


def table(rows):
    """The lab's training rows; random numbers where there is no cache, or other rows are asked."""
    if rows == LAB_ROWS:
        loaded = load_california(wait=0)
        if loaded.name == "california":
            split = lab_split(loaded)
            return split.x_train, split.y_train, "California Housing"
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, LAB_FEATURES, generator=generator)
    return x, x[:, :1].sin() - 0.5 * x[:, 1:2] ** 2 + 2, "random numbers"


def prepare(problem, peers, steps):
    """`train` of each peer that takes part, the seconds of its first call, and why others do not.

    All of them must have descended to the same loss.
    """
    trains, first, missing, losses = {}, {}, {}, {}
    for name, peer in peers.items():
        many = steps * MORE.get(name, 1)
        try:
            building, train = _common.seconds(partial(peer, problem))
            running, losses[name] = _common.seconds(partial(train, many))
        except CannotRunError as reason:
            missing[name] = str(reason)
            continue
        trains[name], first[name] = train, building + running
    right = torch.tensor(losses[SHEET], dtype=torch.float64)
    assert right[-1] < (1 - 10 * SAME) * right[0], "too few steps to tell one way from another"
    for name, values in losses.items():
        off = (torch.tensor(values[:steps], dtype=torch.float64) / right - 1).abs().max()
        assert off < SAME, f"{problem.model.name}: the losses of {name} are off by {off:.1e}"
    return trains, first, missing


def measure(trains, steps, rounds):
    """Median seconds of one step of each peer; they take turns."""
    times = {name: [] for name in trains}
    for _ in range(rounds):
        for name, train in trains.items():
            many = steps * MORE.get(name, 1)
            times[name].append(_common.seconds(partial(train, many))[0] / many)
    return {name: statistics.median(values) for name, values in times.items()}


def one_step(page, problem, peers, steps, rounds):
    """Rows of the table of exact steps; returns the medians."""
    trains, first, missing = prepare(problem, peers, steps)
    medians = measure(trains, steps, rounds)
    best = min(t for name, t in medians.items() if name not in (SHEET, *OURS))
    for name in peers:
        if name in missing:
            page.row(problem.model.name, name, f"not run: {missing[name]}", "", "", "")
            continue
        many = steps * MORE.get(name, 1)
        spent, ready = medians[name], max(0.0, first[name] - many * medians[name])
        beside = best / spent if name in OURS else ""
        ratio = medians[SHEET] / spent
        page.row(problem.model.name, name, spent * 1e6, ratio, beside, f"{ready:.1f}")
    return medians


def whole_lab(page, problems, per_step, steps, rounds):
    """The table of `descend(method="auto")` against the sheet's loop, every loss included."""
    page.head(
        f"{steps:,} steps", "method", "error estimate", "gradients", "seconds", "the sheet's loop",
        "times faster", "compiling",
    )  # fmt: skip
    total = slowest = 0.0
    for problem in problems:
        runs = [auto(problem, steps) for _ in range(rounds)]
        run, spent = runs[0], statistics.median(run.seconds for run in runs)
        by_sheet = per_step[problem.model.name][SHEET] * steps
        total, slowest = total + spent, slowest + by_sheet
        how = "exact" if run.error_estimate.exact else f"{run.error_estimate.deviation:.0e}"
        page.row(
            problem.model.name, f"{run.method}, {run.objective}", how,
            f"{run.gradient_evaluations:,}", spent, by_sheet, by_sheet / spent,
            f"{run.compile_seconds:.1f}",
        )  # fmt: skip
    page.row("all three", "", "", "", total, slowest, slowest / total, "")


def auto(problem, steps):
    """`descend` as anybody calls it."""
    return descend(problem.network, MSE, problem.x, problem.y, lr=problem.model.lr, steps=steps)


def many(page, problem, by_sheet, count, steps):
    """The table of `descend_many`: one model from so many seeds, every loss of each."""
    page.head(
        f"{steps:,} steps, many seeds", "seeds", "seconds", "seconds per seed",
        "the sheet's loop", "times faster", "largest error estimate",
    )  # fmt: skip
    networks = [replace(problem, seed=seed).network for seed in range(count)]
    settings = {"lr": problem.model.lr, "steps": steps}
    spent, runs = _common.seconds(
        partial(descend_many, networks, MSE, problem.x, problem.y, **settings)
    )
    slowest = by_sheet * steps * count
    worst = max(run.error_estimate.deviation for run in runs)
    page.row(
        problem.model.name, count, spent, spent / count, slowest, slowest / spent, f"{worst:.0e}"
    )


def seeds(page, problems, count, steps):
    """The largest relative deviation of any loss of `auto` from exact steps in float64."""
    page.head(
        f"{steps:,} steps", "seeds", "largest deviation of any loss", "largest error estimate"
    )
    for problem in problems:
        deviations, estimates = [], []
        for seed in range(count):
            drawn = replace(problem, seed=seed)
            run = auto(drawn, steps)
            true = descend(
                drawn.network.double(), MSE, drawn.x.double(), drawn.y.double(),
                lr=drawn.model.lr, steps=steps, method="steps", objective="fused",
            )  # fmt: skip
            deviations.append((run.losses / true.losses - 1).abs().max().item())
            estimates.append(run.error_estimate.deviation)
        largest = [f"{max(values):.0e}" for values in (deviations, estimates)]
        page.row(problem.model.name, count, *largest)


def chart(per_step):
    """The time of one step on a logarithmic axis, one panel per model."""
    from derivable.display import style  # drawing is not for every run

    names = [name for name in PEERS if any(name in medians for medians in per_step.values())]
    everything = [spent * 1e6 for medians in per_step.values() for spent in medians.values()]
    with style.chart(width=11, height=1.2 + 0.36 * len(names)) as figure:
        figure.suptitle("One exact step: microseconds, and times faster than the sheet's own loop")
        panels = figure.subplots(1, len(per_step), sharex=True, sharey=True)
        for axes, (model, medians) in zip(panels, per_step.items(), strict=True):
            for name in medians:
                place, spent = names.index(name), medians[name] * 1e6
                colour = style.COLOURS[0] if name in OURS else style.GREY
                axes.plot(spent, place, "o", color=colour, markersize=8)
                ratio = medians[SHEET] / medians[name]
                text = f"{ratio:.1f}x" if ratio < 10 else f"{ratio:.0f}x"
                axes.annotate(
                    f"{spent:.0f} us" if name == SHEET else text, (spent, place), va="center",
                    xytext=(8, 0), textcoords="offset points", fontsize=9, color=colour,
                )  # fmt: skip
            axes.set_xscale("log")
            axes.set_title(model)
            axes.set_xlabel("microseconds")
            axes.grid(axis="both")
            axes.tick_params(axis="both", length=0, which="both")
        panels[0].set_xlim(0.6 * min(everything), 6 * max(everything))  # room for the texts
        panels[0].set_yticks(range(len(names)), names)
        panels[0].invert_yaxis()
        return figure


def main():
    """Print the tables; write them and the chart where that is asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--seeds", type=int, default=0, help="check every loss of so many seeds")
    parser.add_argument("--rounds", type=int, default=9, help="how many rounds of every way")
    parser.add_argument("--write", type=Path, help="a Markdown file to write into")
    options = parser.parse_args()
    if options.quick:
        torch.set_num_threads(1)
        rows, peers, steps, rounds, lab_steps = 300, QUICK, 50, 1, 2000
    else:
        caches = _common.empty_caches()  # noqa: F841  they go when it does
        rows, peers, steps, rounds, lab_steps = LAB_ROWS, PEERS, 200, options.rounds, 80_000
    x, y, source = table(rows)
    problems = [Problem(model, x, y) for model in parse_models(LAB_MODELS)]
    page, per_step = _common.Page(), {}
    with torch.no_grad():
        page.head(
            "one exact step", "by", "microseconds", "times faster than the sheet",
            "than the best other peer", "seconds before the first step",
        )  # fmt: skip
        for problem in problems:
            per_step[problem.model.name] = one_step(page, problem, peers, steps, rounds)
        page.say()
        whole_lab(page, problems, per_step, lab_steps, 1 if options.quick else 3)
        page.say()
        tanh = problems[1]
        by_sheet = per_step[tanh.model.name][SHEET]
        many(page, tanh, by_sheet, 3 if options.quick else 100, lab_steps)
        if options.seeds:
            page.say()
            seeds(page, problems, options.seeds, lab_steps)
    page.say()
    page.say(f"{len(x):,} rows, {x.size(1)} features, float32, {source}. {_common.machine()}")
    figure = chart(per_step) if options.write or options.quick else None
    if options.write:
        name = options.write.stem.replace("benchmarks", "descent")
        page.lines += ["", f"![Microseconds per exact step of every way](images/{name}.svg)"]
        page.write(options.write, "descent")
        for kind in ("png", "svg"):
            figure.savefig(options.write.parent / "images" / f"{name}.{kind}")


if __name__ == "__main__":
    main()
