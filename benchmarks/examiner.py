"""The examiner beside `torch.autograd.gradcheck`: what they find and miss, and their time.

    python benchmarks/examiner.py                   all test cases of tests/corpus
    python benchmarks/examiner.py --wrong           only the wrong backwards; --right: the others
    python benchmarks/examiner.py --only softmax    only the test cases with this in their name
    python benchmarks/examiner.py --list-missed     names all misses and false positives
    python benchmarks/examiner.py --quick           a few test cases, to see that it runs

Each peer gets its fairest chance: float64 (complex128) copies of the inputs, those that require
grad in the example (else all floating-point ones), a module's parameters besides, its own default
tolerances, the forward in the example's dtype where it refuses float64, and copies where it works
in place. An exception from the backward counts as found. gradgradcheck is not put to what
refuses, in so many words, to be differentiated twice, and neither is put to a Function that
declares itself a surrogate, which they have no way to know. Each examiner is given test cases of
its own, imported afresh, so that state which one of them keeps from one call to the next cannot
help or hurt another examiner. Seconds are those of one core (CPU time), so that a busy machine
does not change them.
"""

from __future__ import annotations

import argparse
import copy
import functools
import importlib
import statistics
import sys
import time
import warnings
from pathlib import Path

import torch
from torch.autograd import gradcheck, gradgradcheck

from derivable import functions
from derivable.examiner import check, settings

FOR_CHECK = settings.NAMES  # options of check, not of the target
ROOT = Path(__file__).resolve().parents[1]
KINDS = {
    "wrong": ("tests.corpus.wrong", "WRONG"),
    "right": ("tests.corpus.right", "RIGHT"),
    "operations": ("tests.corpus.operations", "OPERATIONS"),
}


def corpus(kinds, only, quick):
    """The test cases of some kinds, from modules that are imported afresh."""
    for name in [name for name in sys.modules if name.split(".")[:2] == ["tests", "corpus"]]:
        del sys.modules[name]
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    cases = {}
    for kind in kinds:
        module, name = KINDS[kind]
        chosen = [a for a in getattr(importlib.import_module(module), name) if only in a.name]
        cases[kind] = chosen[:: max(1, len(chosen) // 3)][:3] if quick else chosen
    return cases


# --- the three examiners: a test case -> its verdict and the cause that it names -----------------


def ours(case):
    """The verdict of `check`, and the cause of its first finding."""
    report = check(case.target, *case.inputs(), level="strict", **case.options)
    return report.verdict, report.findings[0].cause if report.findings else None


def theirs(case, twice=False):
    """The verdict of gradcheck, or of gradcheck and gradgradcheck; neither names a cause."""
    if getattr(case.target, "surrogate", None) or "surrogate" in case.options:
        return "not asked", None
    call, inputs = prepared(case)
    try:
        right = gradcheck(call, inputs, raise_exception=False)
        if right and twice and not refuses_twice(call, inputs):
            right = gradgradcheck(call, inputs, raise_exception=False)
    except Exception:  # from the test case's backward
        right = False
    return "right" if right else "wrong", None


REFUSALS = ("is not implemented", "can't call numpy", "not compatible")


def refuses_twice(call, inputs):
    """Whether it raises when it is differentiated twice."""
    wanted = [v for v in inputs if is_float(v) and v.requires_grad]
    try:
        outputs = [o for o in as_tuple(call(*inputs)) if o.requires_grad]
        grads = [torch.ones_like(o).requires_grad_() for o in outputs]
        first = torch.autograd.grad(outputs, wanted, grads, create_graph=True, allow_unused=True)
        first = [g for g in first if g is not None and g.requires_grad]
        if any(type(g.grad_fn).__name__ == "Error" for g in first):  # once_differentiable
            return True
        ones = [torch.ones_like(g) for g in first]
        torch.autograd.grad(first, [*wanted, *grads], ones, allow_unused=True)
    except Exception as error:
        return any(words in str(error).lower() for words in REFUSALS)
    return False


EXAMINERS = {
    "`check`": ours,
    "`gradcheck`": theirs,
    "`gradcheck` and `gradgradcheck`": functools.partial(theirs, twice=True),
}


def prepared(case):
    """A call for gradcheck, and its inputs: in float64, unless forward refuses them."""
    for exact, copied in ((True, False), (True, True), (False, False), (False, True)):
        call, inputs = prepare(case, exact)
        if copied:  # a forward that works in place may not be given leaves
            call = functools.partial(on_copies, call)
        try:
            outputs = as_tuple(call(*inputs))
        except Exception as error:
            reason = error
            continue
        if all(isinstance(output, torch.Tensor) for output in outputs):
            return call, inputs
        return functools.partial(tensors_of, call), inputs
    raise reason


def on_copies(call, *inputs):
    """The call on copies that autograd records."""
    return call(*(v.clone() if isinstance(v, torch.Tensor) else v for v in inputs))


def tensors_of(call, *inputs):
    """The outputs of the call that gradcheck can compare."""
    return tuple(o for o in as_tuple(call(*inputs)) if isinstance(o, torch.Tensor))


def as_tuple(outputs):
    """One output or several, as several."""
    return tuple(outputs) if isinstance(outputs, tuple | list) else (outputs,)


def prepare(case, exact):
    """The target as a call of tensors, and copies of the inputs that require grad."""
    target, inputs = case.target, list(case.inputs())
    given = [is_float(v) and v.requires_grad for v in inputs]
    wanted = given if any(given) else [is_float(v) for v in inputs]
    inputs = [leaf(v, w, exact) for v, w in zip(inputs, wanted, strict=True)]
    if isinstance(target, type):
        target = target.apply
    options = {k: v for k, v in case.options.items() if k not in FOR_CHECK}
    if options:
        target = functools.partial(target, **options)
    if not isinstance(target, torch.nn.Module):
        return target, tuple(inputs)
    module = copy.deepcopy(target).double() if exact else copy.deepcopy(target)
    parameters = dict(module.named_parameters())
    count = len(inputs)

    def call(*values):
        state = dict(zip(parameters, values[count:], strict=True))
        return torch.func.functional_call(module, state, values[:count])

    return call, (*inputs, *(leaf(p, True, exact) for p in parameters.values()))


def is_float(value):
    """Whether it is a tensor that can have a gradient."""
    return isinstance(value, torch.Tensor) and (value.is_floating_point() or value.is_complex())


def leaf(value, wanted, exact):
    """A copy of a tensor, in double precision if `exact`; anything else as it is."""
    if not isinstance(value, torch.Tensor):
        return value
    value = value.detach().clone()
    if exact and is_float(value):
        value = value.to(torch.complex128 if value.is_complex() else torch.float64)
    return value.requires_grad_(wanted)


# --- the tables ----------------------------------------------------------------------------------


def timed(examine, *arguments):
    """What it answers, and its seconds; a failure of the examiner itself is an answer too."""
    torch.manual_seed(0)
    start = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            verdict, cause = examine(*arguments)
    except Exception as error:
        verdict, cause = "failed", type(error).__name__
    return verdict, cause, time.process_time() - start


def share(part, whole):
    """`part` of `whole`, and in percent."""
    return f"{part} of {whole} ({100 * part / whole:.1f}%)" if whole else "-"


def compare(kinds, only, quick):
    """Print one row per examiner, and return the names of what each got wrong."""
    columns = ["wrong found", "cause named", "false positives", "among operations"]
    print("| examiner | " + " | ".join(columns) + " | undecided | median | worst |")
    print("|---" * 8 + "|")
    lists = {}
    for name, examine in EXAMINERS.items():
        answers = {
            kind: [row for a in group if (row := (a, *timed(examine, a)))[1] != "not asked"]
            for kind, group in corpus(kinds, only, quick).items()
        }
        wrong = answers.get("wrong", [])
        found = [(a, cause) for a, verdict, cause, _ in wrong if verdict == "wrong"]
        named = [a for a, cause in found if cause in a.causes]
        false_positives = {
            kind: [
                f"{a.name} ({cause or verdict})"
                for a, verdict, cause, _ in rows
                if verdict in FALSE_POSITIVE
            ]
            for kind, rows in answers.items()
            if kind != "wrong"
        }
        every = [(a.name, verdict, s) for rows in answers.values() for a, verdict, _, s in rows]
        undecided = [n for n, verdict, _ in every if verdict == "inconclusive"]
        lists[name] = {
            "missed": [f"{a.name} ({verdict})" for a, verdict, _, _ in wrong if verdict != "wrong"],
            "misnamed": [
                f"{a.name}: {cause}, expected {' or '.join(a.causes)}"
                for a, cause in found
                if cause and cause not in a.causes
            ],
            "false positives": [name for names in false_positives.values() for name in names],
            "undecided": undecided,
        }
        cells = [
            share(len(found), len(wrong)),
            share(len(named), len(wrong)) if examine is ours else "-",
            *(
                share(len(false_positives.get(k, [])), len(answers.get(k, [])))
                for k in list(KINDS)[1:]
            ),
            str(len(undecided)) if examine is ours else "-",
            f"{statistics.median(s for *_, s in every):.2f} s",
            f"{max(s for *_, s in every):.1f} s",
        ]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    return lists


FALSE_POSITIVE = ("wrong", "failed")


def library(quick):
    """Print how long `check` takes for the Functions of the library, and at a large input."""
    print("\n| examined | verdict | median | worst |\n|---|---|---|---|")
    names = functions.__all__[:3] if quick else functions.__all__
    rows = []
    for name in names:
        function = getattr(functions, name)
        verdict, _, seconds = timed(lambda f=function: (check(f).verdict, None))
        rows.append((seconds / len(function.examples()), name, verdict))
    others = [f"{name} {verdict}" for _, name, verdict in rows if verdict != "right"]
    counts = ", ".join([f"{len(rows) - len(others)} right", *others])
    worst, slowest, _ = max(rows)
    median = statistics.median(seconds for seconds, *_ in rows)
    subject = f"{len(rows)} Functions of the library, per example"
    print(f"| {subject} | {counts} | {median:.2f} s | {worst:.2f} s ({slowest}) |")
    size = 30 if quick else 1000
    x = torch.randn(size, size, dtype=torch.float64)
    verdict, _, seconds = timed(lambda: (check(functions.Tanh, x).verdict, None))
    print(f"| Tanh at ({size}, {size}) | {verdict} | {seconds:.2f} s | |")
    small = 8 if quick else 48
    x = torch.randn(small, small, dtype=torch.float64, requires_grad=True)
    start = time.process_time()
    gradcheck(functions.Tanh.apply, (x,))
    seconds = time.process_time() - start
    print(f"| the same by `gradcheck`, at ({small}, {small}) | | {seconds:.2f} s | |")
    hours = seconds * (size / small) ** 4 / 3600
    scaled = f"scaled from there by the square of the number of entries, to ({size}, {size})"
    print(f"| {scaled} | not run | {hours:,.2g} hours | |")


def main():
    """Print two Markdown tables, then the names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="a few test cases, to see that it runs"
    )
    parser.add_argument("--wrong", action="store_true", help="only the wrong backwards")
    parser.add_argument("--right", action="store_true", help="only the right ones and operations")
    parser.add_argument("--only", default="", help="only test cases with this in their name")
    parser.add_argument("--list-missed", action="store_true", help="name what was got wrong")
    options = parser.parse_args()
    torch.set_num_threads(1)
    kinds = list(KINDS)
    if options.wrong != options.right:
        kinds = kinds[:1] if options.wrong else kinds[1:]
    lists = compare(kinds, options.only, options.quick)
    if not options.only:
        library(options.quick)
    if options.list_missed:
        for name, groups in lists.items():
            for group, names in groups.items():
                print(f"\n{name}, {group}: {'; '.join(names) or 'none'}")


if __name__ == "__main__":
    main()
