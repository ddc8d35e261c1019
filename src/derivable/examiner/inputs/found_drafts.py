"""Candidates for the inputs of a forward, in the order of their cost."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from derivable.examiner.inputs import found_names as names
from derivable.examiner.inputs import found_shapes as shapes
from derivable.examiner.inputs.found_documented import fulfilled
from derivable.examiner.inputs.found_slots import Slot
from derivable.examiner.inputs.found_specs import Spec, shape_of

KINDS = 48  # how many ways to choose what each argument is are tried
STARS = 3  # how many tensors *args gets


class Draft(NamedTuple):
    """One candidate: its cost, the kind of each argument, and their Specs."""

    cost: float
    kinds: tuple[str, ...]
    specs: tuple[Spec, ...]


def drafts(slots: Sequence[Slot], probabilities: bool) -> Iterator[Draft]:
    """Every candidate for `slots`, in the order of cost.

    `probabilities`: whether targets are probabilities, because the source takes a softmax.
    """
    choices = itertools.islice(product([slot.kinds for slot in slots]), KINDS)
    streams = [_of_kinds(slots, kinds, cost, probabilities) for cost, kinds in choices]
    yield from heapq.merge(*streams, key=lambda draft: draft.cost)


def product(lists: Sequence[Sequence[tuple[float, object]]]) -> Iterator[tuple[float, tuple]]:  # type: ignore[type-arg]
    """The combinations of one item per list, in the order of the sum of their costs.

    Each list is ordered by cost.
    """
    if not all(lists):
        return
    start = (0,) * len(lists)
    heap = [(sum(items[0][0] for items in lists), start)]
    seen = {start}
    while heap:
        cost, places = heapq.heappop(heap)
        yield cost, tuple(items[i][1] for items, i in zip(lists, places, strict=True))
        for axis, place in enumerate(places):
            after = (*places[:axis], place + 1, *places[axis + 1 :])
            if place + 1 < len(lists[axis]) and after not in seen:
                seen.add(after)
                gap = lists[axis][place + 1][0] - lists[axis][place][0]
                heapq.heappush(heap, (cost + gap, after))


def _of_kinds(
    slots: Sequence[Slot], kinds: tuple[str, ...], cost: float, probabilities: bool
) -> Iterator[Draft]:
    """The candidates in which each argument is of the given kind."""
    floats = [i for i, kind in enumerate(kinds) if kind == "float"]
    if not floats:
        return
    joints = _joint(slots, floats, probabilities)
    options: list[list[tuple[float, object]]] = [
        [(0.12 * i, Spec("value", value=v)) for i, v in enumerate(slots[k].values)]
        if kinds[k] == "value"
        else [(0.35 * i, i) for i in range(8)]
        for k in range(len(slots))
        if kinds[k] != "float"
    ]
    for more, (joint, *others) in product([joints, *options]):
        specs: list[Spec | None] = [None] * len(slots)
        for position, spec in zip(floats, joint, strict=True):
            specs[position] = spec
        rest = iter(others)
        for position, kind in enumerate(kinds):
            if kind == "float":
                continue
            item = next(rest)
            if not isinstance(item, Spec):
                item = _derived(slots[position], kind, item, joint)
            specs[position] = item
        if all(spec is not None for spec in specs):
            yield Draft(cost + more, kinds, tuple(s for s in specs if s is not None))


def _joint(
    slots: Sequence[Slot], floats: Sequence[int], probabilities: bool
) -> list[tuple[float, list[Spec]]]:
    """Shapes for the floating-point arguments together."""
    stated = [slots[i].dims for i in floats]
    if any(dims is not None for dims in stated):
        return list(_annotated(stated))
    tensors = [slots[i] for i in floats]
    documented = [slot.documented for slot in tensors]
    roles = shapes.roles_together(
        [s.name for s in tensors], [s.role for s in tensors], [s.factor for s in tensors]
    )
    others = {slot.name.lower() for slot in slots}
    if roles == ["x"] or (len(roles) == 1 and not roles[0]):
        roles = ["divided"] if others & names.DIVIDING else roles
        roles = ["pooled"] if others & names.POOLING else roles
    found = [*_for_module(tensors), *shapes.joint_shapes(tuple(roles))]
    if "y" in roles[1:] and probabilities:
        found = list(_with_domain(found, roles.index("y", 1), "one_hot"))
    if 1 < len(roles) < 5:
        singles = [[(0.4 * i, shape_of(t)) for i, t in enumerate(shapes.SINGLE)]] * len(roles)
        found += [
            (6 + cost, list(joint)) for cost, joint in itertools.islice(product(singles), 200)
        ]
    found += list(_with_vectors(found, tensors, roles))
    found = [
        (cost - fulfilled(documented, [spec.shape for spec in joint]), joint)
        for cost, joint in found
    ]
    if None not in documented:
        found += [(cost - 1.5, joint) for cost, joint in _annotated(documented)]
    for place, slot in enumerate(tensors):
        if slot.domain:
            found = list(_with_domain(found, place, slot.domain))
    return sorted(found, key=lambda pair: pair[0])


def _with_vectors(
    joints: Iterable[tuple[float, list[Spec]]], tensors: Sequence[Slot], roles: Sequence[str]
) -> Iterator[tuple[float, list[Spec]]]:
    """Shapes beyond the usual ones in which a bias beside a matrix product is a vector.

    They come just before those in which it is a matrix, which would hide a missing sum.
    """
    biases = {i for i, role in enumerate(roles) if role == "b" and not tensors[i].factor}
    if not biases or not any(slot.factor for slot in tensors):
        return
    for cost, joint in joints:
        if cost >= 3 and any(len(joint[i].shape) > 1 for i in biases):
            pairs = enumerate(joint)
            yield (
                cost - 0.01,
                [s._replace(shape=s.shape[-1:]) if i in biases else s for i, s in pairs],
            )


def _for_module(tensors: Sequence[Slot]) -> Iterator[tuple[float, list[Spec]]]:
    """Shapes in which a size is one of a module's parameters; the same for all its inputs."""
    for i, size in enumerate(tensors[0].sizes):
        for k, text in enumerate((f"4 {size}", f"2 4 {size}", f"2 {size} 6 4", f"2 {size} 6")):
            yield 0.1 * (4 * i + k), [shape_of(text)] * len(tensors)


def _with_domain(
    joints: Iterable[tuple[float, list[Spec]]], place: int, stated: str
) -> Iterator[tuple[float, list[Spec]]]:
    """First numbers of the stated domain for one tensor, then those that it has anyway."""
    for cost, joint in joints:
        for more, domain in ((0.0, stated), (2.0, joint[place].domain)):
            value = joint[place]._replace(domain=domain)
            yield cost + more, [*joint[:place], value, *joint[place + 1 :]]


def _annotated(stated: Sequence[str | None]) -> Iterator[tuple[float, list[Spec]]]:
    """The shapes that annotations state: the same name is the same size everywhere."""
    sizes: dict[str, int] = {}
    spare = iter([13, 5, 7, 4, 3, 6, 8, 9, 10, 11])
    for dims in stated:
        for word in (dims or "").replace("*", "").replace("#", "").split():
            if word.isidentifier() and word not in sizes and word != "_":
                sizes[word] = next(spare, 2)
    small = dict(zip(sizes, (2, 3, 4, 6, 5, 7, 8, 9), strict=False)) if len(sizes) > 3 else sizes
    shapes = [None if d is None else _stated(d, small) for d in stated]
    known = next((s for s in shapes if s is not None), (4, 3))
    for i, other in enumerate((known, known[-1:], (), known[:1])):
        yield 0.2 * i, [Spec("float", other if s is None else s) for s in shapes]
        if None not in shapes:
            return


def _stated(dims: str, sizes: dict[str, int]) -> tuple[int, ...]:
    """The shape that `"batch n"` states; a name that is not known is a size of its own."""
    shape: list[int] = []
    for word in dims.replace("*", "").replace("#", "").split():
        if word == "...":
            continue
        name, offset = word, 0
        if "+" in word:
            name, _, text = word.partition("+")
            offset = int(text) if text.isdigit() else sizes.get(text, 0)
        elif "-" in word:
            name, _, text = word.partition("-")
            offset = -int(text) if text.isdigit() else -sizes.get(text, 0)
        shape.append(int(name) if name.isdigit() else sizes.get(name, 3) + offset)
    return tuple(shape)


def _derived(slot: Slot, kind: str, rank: int, joint: Sequence[Spec]) -> Spec | None:
    """The `rank`-th tensor of integers or of bools that suits the floating-point ones."""
    first = joint[0].shape
    last = first[-1] if first else 2
    heads, lead = first[:1] or (3,), first[0] if first else 3
    if kind == "bool":
        other = joint[1].shape if len(joint) > 1 else first
        scores = (first[-2], other[-2]) if len(first) > 1 and len(other) > 1 else first
        shapes = [first, scores, first[-1:], first[:1], first[:-1], (*first[:-2], *scores)]
        return Spec("bool", shapes[rank]) if rank < len(shapes) else None
    classes = Spec("int", heads, "", first[1] if len(first) > 1 else 2)
    pixels = (first[0], *first[2:]) if len(first) > 2 else heads
    below = min(first) if first else 2
    columns = Spec("int", (lead, 2), "distinct", last)
    rows = Spec("int", (6,), "", below)
    whole = Spec("int", first, "distinct" if slot.integer == "index" else "", last)
    lengths = Spec("int", heads, "", (first[1] if len(first) > 1 else lead) + 1, low=1)
    segments = Spec("int", heads, "", 3)
    deep = classes._replace(shape=pixels)
    binary = Spec("int", first, "", 2)
    listed = {
        "label": [classes, deep, binary, Spec("int", (), "", last), rows],
        "index": [
            rows,
            columns,
            whole,
            segments,
            Spec("int", (2, 3), "", lead),
            Spec("int", (), "", below),
            Spec("int", (2,), "distinct", lead),
            classes,
        ],
        "segment": [segments, Spec("int", heads, "", 2), rows, whole],
        "length": [lengths, segments, rows],
    }
    single = Spec("int", (), "", below)
    anything = [classes, rows, columns, whole, binary, lengths, single]
    choice = listed.get(slot.integer, anything)
    return choice[rank] if rank < len(choice) else None
