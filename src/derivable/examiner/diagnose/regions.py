"""Causes of a region: a gradient that is wrong in one part only."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import torch

from derivable.examiner.diagnose.case import Block, Case, blocks, once
from derivable.examiner.diagnose.evidence import (
    EvidenceWithFields,
    Fact,
    Found,
    OutputsOnly,
)
from derivable.examiner.points import Kind

VAGUE = {"some": 2, "one": 1}  # of several descriptions of a part, these come last


@dataclass(frozen=True)
class Part(EvidenceWithFields):
    """Wrong in one part along an axis only: the first, the last, from an index on, ..."""

    key = "evidence.part_{kind}"
    kind: str
    axis: str
    index: str = ""
    count: int = 0
    all: int = 0


@dataclass(frozen=True)
class NotAllSummed(EvidenceWithFields):
    """Backward has to sum over this axis and takes a part of it."""

    key = "evidence.part_sum"
    axis: str


class Region(NamedTuple):
    """The part of a gradient that is wrong, and whether it is zero there."""

    outputs: tuple[int, ...]  # the only outputs with wrong entries; empty if all have some
    kind: str  # of a part along an axis, such as "first"; empty if there is none
    axis: str
    at: str  # the index, for parts that begin or end at one
    lost: bool


@once
def region(case: Case) -> Region:
    """What the wrong entries have in common, at all wrong samples."""
    shared: set[tuple[str, str]] | None = None
    outputs: set[int] = set()
    count = len(blocks(case.first))
    tall = [s for s in case.wrong if max((*s.x.shape, 0)) > 3] or case.wrong
    for sample in tall:  # in tiny ones nearly everything is first or last
        for i, block in enumerate(blocks(sample, case.name)):
            if not bool(block.wrong.any()):
                continue
            outputs.add(i)
            here = set(_parts(block))
            shared = here if shared is None else shared & here
    lost = all(bool((s.returned[s.wrong & s.sure] == 0).all()) for s in case.wrong)
    used = [i for i in range(count) if bool(blocks(case.first)[i].relevant.any())]
    if len(outputs) < count and any(i not in outputs for i in used):
        return Region(tuple(sorted(outputs)), "", "", "", lost)
    if not shared:
        return Region((), "", "", "", lost)
    part, name = sorted(shared, key=lambda pair: (VAGUE.get(pair[0], 0), pair))[0]
    kind, _, index = part.partition(" ")
    return Region((), kind, name, index, lost)


def _part(case: Case) -> Part:
    """The region as evidence."""
    found = region(case)
    kind = "some" if found.kind == "one" else found.kind
    return Part(kind, found.axis, found.at, **_counted(case, found.axis))


def not_all_summed(case: Case) -> Found:
    """Backward sums over a part of an axis only."""
    found = region(case)
    whole = found.kind in ("", "some") or not found.lost or not found.axis.startswith("output")
    if whole or not _summed(case, found.axis):
        return None
    return (NotAllSummed(found.axis), _part(case))


def not_carried(case: Case) -> Found:
    """Wrong from one index on, or until one: a recurrence is interrupted there."""
    found = region(case)
    onward = found.kind in ("from", "until") and not found.lost
    return (_part(case), Fact.CARRIED) if onward else None


def part(case: Case) -> Found:
    """Wrong in a part that an index describes: the first, the last, a diagonal."""
    if region(case).kind in ("", "some", "one") or case.kinds <= {Kind.WIDE, Kind.SIGNED}:
        return None
    return (_part(case),)


def part_beyond(case: Case) -> Found:
    """Wrong in a part that an index describes, at other values than the given ones only."""
    return (_part(case),) if region(case).kind not in ("", "some") else None


def one_index(case: Case) -> Found:
    """Wrong at one index of an axis."""
    return (_part(case),) if region(case).kind == "one" else None


def some_indices(case: Case) -> Found:
    """Wrong at some indices of an axis."""
    return (_part(case),) if region(case).kind == "some" else None


def some_outputs(case: Case) -> Found:
    """Wrong for some of the outputs."""
    outputs = region(case).outputs
    return (OutputsOnly(", ".join(map(str, outputs))),) if outputs else None


def _counted(case: Case, name: str) -> dict[str, int]:
    """At how many indices of an axis it is wrong, of those that were measured."""
    for block in blocks(case.first, case.name):
        if name in block.names:
            axis = block.names.index(name)
            rest = [i for i in range(block.wrong.ndim) if i != axis]
            bad, known = (m.any(dim=rest) if rest else m for m in (block.wrong, block.relevant))
            return {"count": int(bad.sum()), "all": int((bad | known).sum())}
    return {}


def _other_support(case: Case) -> Fact | None:
    """Whether entries are wrongly 0 or wrongly not 0, and the others are right."""
    facts: set[Fact | None] = set()
    for sample in case.wrong:
        wrong = sample.wrong & sample.sure
        right = sample.sure & ~sample.wrong & (sample.measured.value != 0)
        if not bool(wrong.any()) or int(right.sum()) < int(wrong.sum()) / 4:
            return None
        measured, returned = sample.measured.value[wrong].abs(), sample.returned[wrong].abs()
        nothing = bool((measured <= 1e-9 * returned + 20 * sample.measured.error[wrong]).all())
        lost = bool((returned == 0).all())
        facts.add(Fact.LOST if lost else Fact.SUPERFLUOUS if nothing else None)
    return facts.pop() if len(facts) == 1 else None


def other_support(case: Case) -> Found:
    """Something is returned where the derivative is 0, or 0 where it is not."""
    fact = _other_support(case)
    return (fact,) if fact else None


def _parts(block: Block) -> list[tuple[str, str]]:
    """The descriptions of which relevant entries are wrong: (kind of part, axis)."""
    wrong, right = block.wrong & block.relevant, block.relevant & ~block.wrong
    if not bool(right.any()) or int(wrong.sum()) < 1:
        return []
    found = []
    for axis, name in enumerate(block.names):
        rest = [i for i in range(wrong.ndim) if i != axis]
        bad = wrong.any(dim=rest) if rest else wrong
        good = right.any(dim=rest) if rest else right
        indices, length = bad.nonzero().flatten().tolist(), wrong.shape[axis]
        edges = {"first": [0], "last": [length - 1], "border": [0, length - 1]}
        found += [(kind, name) for kind, at in edges.items() if indices == at and length > 2]
        if bool((bad & good).any()):
            continue
        fine = good.nonzero().flatten().tolist()
        kinds = {
            "first": indices == [0], "last": indices == [length - 1],
            "all_but_first": fine == [0], "all_but_last": fine == [length - 1],
            "even": bool(indices) and all(i % 2 == 0 for i in indices) and all(i % 2 for i in fine),
            "odd": bool(indices) and all(i % 2 for i in indices) and all(i % 2 == 0 for i in fine),
            "one": len(indices) == 1 and length > 2 and int(wrong.sum()) > 1,
            "imaginary": length == 2 and axis == len(block.names) - 1 and indices == [1],
            "some": True,
        }  # fmt: skip
        if name.startswith("output") and len(indices) > 1 and fine:
            first, last = indices[0], indices[-1] + 1
            kinds[f"from {first}"] = indices == [*range(first, length)] and fine[-1] < first
            kinds[f"until {last}"] = indices == [*range(last)] and fine[0] >= last
        found += [(kind, name) for kind, holds in kinds.items() if holds]
    for a, b in itertools.combinations(range(wrong.ndim), 2):
        if min(wrong.shape[a], wrong.shape[b]) < 2:
            continue
        if a < block.axes <= b:
            continue  # between output and argument: that is coupling, see sums.py
        i, j = torch.arange(wrong.shape[a])[:, None], torch.arange(wrong.shape[b])
        grid = {"diagonal": i == j, "above": i < j, "below": i > j, "off_diagonal": i != j}
        shape = [1] * wrong.ndim
        shape[a], shape[b] = wrong.shape[a], wrong.shape[b]
        for kind, mask in grid.items():
            inside = mask.view(shape)
            if not bool((wrong & ~inside).any()) and not bool((right & inside).any()):
                found.append((kind, f"{block.names[a]}, {block.names[b]}"))
    return found


def _summed(case: Case, name: str) -> bool:
    """Whether backward has to sum over this axis of the output: the argument does not have it."""
    for block in blocks(case.first, case.name):
        if name not in block.names:
            continue
        axis = block.names.index(name)
        relevant = block.relevant.movedim(axis, 0).reshape(block.relevant.shape[axis], -1)
        rest = block.relevant.shape
        arg = tuple(rest[block.axes :])
        support = relevant.reshape(rest[axis], -1, int(torch.Size(arg).numel())).any(1)
        return bool((support.sum(0) == rest[axis]).all())
    return False
