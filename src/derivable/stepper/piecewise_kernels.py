"""The compiled loop of the piecewise objective: exact steps while hardly a row changes sides.

`piecewise.py` says what the arrays mean. A row can change the side of a unit only when the unit's
weights w have moved by |w . x| / |x| since that was evaluated. So every unit keeps a list of the
rows that it will reach soon, within a radius, with the length of its path at which each is due. It
evaluates a row again when it is due, and makes the list again after a path as long as the radius.
Molecular dynamics knows it as a neighbour list (Verlet, "Computer experiments on classical fluids",
1967).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from derivable.compiler.jit import Entry
from derivable.compiler.memory import BARE, inner, part, tail

CAPACITY = 8192  # rows in the list of one unit
CHUNK = 512
GROUP = 16  # rows of a list with one common due
PARTS = CAPACITY // GROUP  # of a radius, in each of which a list has a group or less
FIRST_RADIUS = 1e-3
WORK, STEPS = range(2)  # done with the lists
NEAR, ORDER, PART, END = range(4)  # rows of the memory for a search
COUNT, RADIUS, LENGTH, DUE, AGE = range(5)  # of a unit's list and path
SLACK = 1e-9  # on the margins, for the rounding of float64
ROUNDING = 1.2e-7  # of a product in float32, in the search, as a part of |w| |x|
GRACE = 50  # steps' work that the first lists may cost
STEP_COST = 0.25  # of a product in a step, which runs in vectors, as a part of one in an evaluation
SEARCH_COST = 5.0  # of a row in a search, as a multiple of that of a group in a list


def _take_steps(
    theta: Any,
    lr: float,
    losses: Any,
    table: Any,
    counts: Any,
    lists: Any,
    scratch: Any,
    constants: Any,
) -> int:
    """Exact steps until `losses` is full or their work exceeds `budget` for each; how many.

    `theta` is (H (D+1) + (H+1) K,) and `squares` the mean of y^2, summed over the columns. `table`
    is x (D+1, N), x in float32, |x| (N,) and y (N, K). `counts` are the sides above (H, N), the two
    slopes, and the sums gram (M+1, M+1) and moment (K, M+1) with M = H (D+1), which are brought up
    to date as rows change sides; so are the `lists` of `empty_lists`. `scratch` is that of
    `empty_scratch`, and `constants` are `squares`, `budget` and the `penalty`, half of which times
    the squared length of the weights is added to the loss.
    """
    x, _, _, y = table
    above, _, gram, moment = counts
    edges = x.shape[0]
    units, outputs = above.shape[0], y.shape[1]
    size = units * edges + 1
    paths, (spent, _, _, _, a, t, before), (squares, budget, penalty) = (
        lists[-1],
        scratch,
        constants,
    )
    for k in range(losses.size):
        for h in range(units):
            if not paths[h, LENGTH] < paths[h, DUE]:
                spent[WORK] += _evaluate(theta, h, table, counts, lists, scratch)
        if spent[WORK] > budget * (spent[STEPS] + GRACE):
            return k
        losses[k] = squares + _quadratic(theta, units, edges, gram, moment, a, t)
        if penalty != 0:
            for i in range(theta.size):
                before[i] = theta[i]
        _step(theta, lr, units, edges, t, paths)
        if penalty != 0:
            losses[k] += penalty / 2 * _decay(theta, before, lr * penalty, units, edges, paths)
        spent[WORK] += STEP_COST * size * size * outputs
        spent[STEPS] += 1
    return losses.size


def _flat(dtype: Any, dimensions: int = 1) -> Any:
    return types.Array(dtype, dimensions, "C")


_ROW, _ROWS = _flat(types.float64), _flat(types.float64, 2)
_TABLE = types.Tuple([_ROWS, _flat(types.float32, 2), _ROW, _ROWS])
_COUNTS = types.Tuple([_flat(types.boolean, 2), _ROW, _ROWS, _ROWS])
_LISTS = types.Tuple([_flat(types.int64, 2), _ROWS, _ROWS, _ROWS, _ROWS])
_SEARCH = _flat(types.float32), _flat(types.int64, 2), _ROW
_SCRATCH = types.Tuple([_ROW, *_SEARCH, _ROWS, _ROWS, _ROW])
take_steps = Entry(
    _take_steps,
    types.int64(
        _ROW,
        types.float64,
        _ROW,
        _TABLE,
        _COUNTS,
        _LISTS,
        _SCRATCH,
        types.UniTuple(types.float64, 3),
    ),
    seconds=4.0,
    **BARE,
)


@inner
def _quadratic(theta: Any, units: int, edges: int, gram: Any, moment: Any, a: Any, t: Any) -> float:
    """The loss but for its constant; fills t, half its gradient with respect to a."""
    outputs, size = a.shape
    v = tail(theta, units * edges)
    loss = 0.0
    for k in range(outputs):
        for h in range(units):
            for e in range(edges):
                a[k, h * edges + e] = v[h * outputs + k] * theta[e * units + h]
        a[k, size - 1] = v[units * outputs + k]
        _multiply(gram, a[k], t[k])
        for i in range(size):
            t[k, i] -= moment[k, i]
            loss += a[k, i] * (t[k, i] - moment[k, i])
    return loss


@inner
def _multiply(gram: Any, a: Any, t: Any) -> None:
    """Fill t with gram a: four rows at a time, so that each number of a is loaded once for them."""
    size = a.size
    last = size - size % 4
    for i in range(0, last, 4):
        g0, g1, g2, g3 = gram[i], gram[i + 1], gram[i + 2], gram[i + 3]
        s0 = s1 = s2 = s3 = 0.0
        for j in range(size):
            s0, s1 = s0 + g0[j] * a[j], s1 + g1[j] * a[j]
            s2, s3 = s2 + g2[j] * a[j], s3 + g3[j] * a[j]
        t[i], t[i + 1], t[i + 2], t[i + 3] = s0, s1, s2, s3
    for i in range(last, size):
        row, total = gram[i], 0.0
        for j in range(size):
            total += row[j] * a[j]
        t[i] = total


@inner
def _step(theta: Any, lr: float, units: int, edges: int, t: Any, paths: Any) -> None:
    """One step of gradient descent, by a = v w: dw = v da, dv = w da; and how far each w went."""
    outputs = t.shape[0]
    v = tail(theta, units * edges)
    rate = 2 * lr
    for h in range(units):
        for k in range(outputs):
            move = 0.0
            for e in range(edges):
                da = rate * t[k, h * edges + e]
                move += theta[e * units + h] * da
                t[k, h * edges + e] = v[h * outputs + k] * da  # w moves after all of v
            v[h * outputs + k] -= move
        square = 0.0
        for e in range(edges):
            move = 0.0
            for k in range(outputs):
                move += t[k, h * edges + e]
            theta[e * units + h] -= move
            square += move * move
        paths[h, LENGTH] += np.sqrt(square) * (1 + SLACK)
        paths[h, AGE] += 1
    for k in range(outputs):
        v[units * outputs + k] -= rate * t[k, units * edges]


@inner
def _decay(theta: Any, before: Any, shrink: float, units: int, edges: int, paths: Any) -> float:
    """The penalty's share of a step from `before`; the squared length of the weights there.

    The last row of each layer is its biases, which are not weights.
    """
    total = 0.0
    for h in range(units):
        square = 0.0
        for e in range(edges - 1):
            w = before[e * units + h]
            theta[e * units + h] -= shrink * w
            square += w * w
        paths[h, LENGTH] += shrink * np.sqrt(square) * (1 + SLACK)
        total += square
    outputs = (theta.size - units * edges) // (units + 1)
    for i in range(units * edges, units * edges + units * outputs):
        theta[i] -= shrink * before[i]
        total += before[i] * before[i]
    return total


def empty_lists(units: int, edges: int) -> tuple[np.ndarray[Any, Any], ...]:
    """Of each unit: rows, when each is due, and the first of each group; their features; paths.

    Features lie one row after the other. The rows of a list are sorted by when they were due when
    it was made, so that those that are evaluated again and again are in the same few groups.
    """
    rows = np.empty((units, CAPACITY), np.int64)
    due = np.empty((units, CAPACITY))
    first = np.empty((units, CAPACITY // GROUP))
    features = np.empty((units, CAPACITY * edges))
    paths = np.zeros((units, 5))
    paths[:, RADIUS], paths[:, LENGTH] = FIRST_RADIUS, np.inf
    return rows, due, first, features, paths


def empty_scratch(units: int, edges: int, outputs: int) -> tuple[np.ndarray[Any, Any], ...]:
    """The work that was done with the lists, and in how many steps; memory for a search; a and t.

    The latter is half the gradient with respect to a; both are (K, H (D+1) + 1). The last is for
    the parameters before a step.
    """
    chunk, whole = np.empty(CHUNK, np.float32), np.empty((4, CAPACITY), np.int64)
    a, t = np.empty((2, outputs, units * edges + 1))
    before = np.empty(units * edges + (units + 1) * outputs)
    return np.zeros(2), chunk, whole, np.empty(CAPACITY), a, t, before


@inner
def _evaluate(theta: Any, h: int, table: Any, counts: Any, lists: Any, scratch: Any) -> float:
    """Look at the rows of unit h that are due; the work that it took, in multiplications."""
    x, _, norms, _ = table
    above = counts[0]
    rows, due, first, features, paths = lists
    edges, units, path = x.shape[0], above.shape[0], paths[h]
    flip_cost = 2.0 * units * edges * edges
    if not path[LENGTH] < path[RADIUS]:
        return x.size + flip_cost * _search(theta, h, table, counts, lists, scratch)
    evaluated, flips, next_due, count = 0, 0, path[RADIUS], int(path[COUNT])
    for g in range(-(-count // GROUP)):
        if first[h, g] <= path[LENGTH]:
            first[h, g] = np.inf
            for i in range(g * GROUP, min((g + 1) * GROUP, count)):
                if due[h, i] <= path[LENGTH]:
                    z, n = 0.0, rows[h, i]
                    for e in range(edges):
                        z += theta[e * units + h] * features[h, i * edges + e]
                    if (z > 0) != above[h, n]:
                        _flip(n, h, table, counts)
                        flips += 1
                    due[h, i] = path[LENGTH] + abs(z) / norms[n] * (1 - SLACK)
                    evaluated += 1
                first[h, g] = min(first[h, g], due[h, i])
        next_due = min(next_due, first[h, g])
    path[DUE] = next_due
    return count / GROUP + evaluated * edges + flip_cost * flips


@inner
def _search(theta: Any, h: int, table: Any, counts: Any, lists: Any, scratch: Any) -> int:
    """Look at every row of unit h and make its list again; how many had changed sides."""
    x, x32, norms, _ = table
    above = counts[0]
    rows, due, first, features, paths = lists
    _, z, whole, margins, _, _, _ = scratch
    near, order = whole[NEAR], whole[ORDER]
    edges, units, path = x.shape[0], above.shape[0], paths[h]
    radius = _best_radius(path, x.shape[1])
    count, flips = 0, 0
    square = 0.0
    for e in range(edges):
        square += theta[e * units + h] ** 2
    sure = radius + ROUNDING * (edges + 2) * np.sqrt(square)
    for start in range(0, x.shape[1], CHUNK):
        size = min(CHUNK, x.shape[1] - start)
        for i in range(size):
            z[i] = 0
        for e in range(edges):
            weight, feature = np.float32(theta[e * units + h]), part(x32[e], start, size)
            for i in range(size):
                z[i] += weight * feature[i]
        for n in range(start, start + size):
            if abs(z[n - start]) >= sure * norms[n]:
                side = z[n - start] > 0
            else:
                z64 = 0.0
                for e in range(edges):
                    z64 += theta[e * units + h] * x[e, n]
                side = z64 > 0
                if count < CAPACITY:
                    near[count], margins[count] = n, abs(z64) / norms[n] * (1 - SLACK)
                count += 1
            if side != above[h, n]:
                _flip(n, h, table, counts)
                flips += 1
    path[AGE] = path[DUE] = path[LENGTH] = 0
    path[COUNT], path[RADIUS] = count, radius
    if count > CAPACITY:  # no list this time: the next step searches again, in a smaller radius
        path[RADIUS], path[LENGTH] = radius * 0.5 * CAPACITY / count, np.inf
        return flips
    _in_order(part(margins, 0, count), radius, whole)
    for i in range(count):
        n = near[order[i]]
        rows[h, i], due[h, i] = n, margins[order[i]]
        first[h, i // GROUP] = min(first[h, i // GROUP] if i % GROUP else np.inf, due[h, i])
        for e in range(edges):
            features[h, i * edges + e] = x[e, n]
    return flips


@inner
def _in_order(margins: Any, radius: float, whole: Any) -> None:
    """Fill the order of the margins, up to a part of the radius so small that a group covers it.

    Counted out, not sorted: that is quicker, and a sort takes a second to compile.
    """
    order, parts, ends = whole[ORDER], whole[PART], whole[END]
    for p in range(PARTS):
        ends[p] = 0
    for i in range(margins.size):
        inside = margins[i] < radius  # not beyond by a rounding, nor NaN
        parts[i] = int(margins[i] / radius * (PARTS - 1)) if inside else PARTS - 1
        ends[parts[i]] += 1
    for p in range(1, PARTS):
        ends[p] += ends[p - 1]
    for i in range(margins.size - 1, -1, -1):
        ends[parts[i]] -= 1
        order[ends[parts[i]]] = i


@inner
def _best_radius(path: Any, total: int) -> float:
    """The radius of the next list that costs least, if the unit goes on as since the last one.

    A list of radius r serves r / speed steps, and its groups are read through at most of them.
    """
    if path[LENGTH] == np.inf:  # the last search left no list, but the radius to try next
        return path[RADIUS]
    speed = path[LENGTH] / path[AGE]
    density = max(path[COUNT], 1.0) / path[RADIUS]
    return max(np.sqrt(SEARCH_COST * total * speed / density), 2 * speed)


@inner
def _flip(n: int, h: int, table: Any, counts: Any) -> None:
    """Row n changes the side of unit h: bring `above`, `gram` and `moment` up to date."""
    x, _, _, y = table
    above, slopes, gram, moment = counts
    edges, total = x.shape
    units, outputs = above.shape[0], y.shape[1]
    old = slopes[1] if above[h, n] else slopes[0]
    new = slopes[0] if above[h, n] else slopes[1]
    above[h, n] = not above[h, n]
    change = (new - old) / total
    last = units * edges
    for other in range(units):
        if other == h:
            factor = (new * new - old * old) / total
        else:
            factor = change * (slopes[1] if above[other, n] else slopes[0])
        if factor != 0:
            for e in range(edges):
                for f in range(edges):
                    term = factor * x[e, n] * x[f, n]
                    gram[h * edges + e, other * edges + f] += term
                    if other != h:
                        gram[other * edges + f, h * edges + e] += term
    for e in range(edges):
        term = change * x[e, n] * x[edges - 1, n]  # the last feature is 1, times the row's weight
        gram[last, h * edges + e] += term
        gram[h * edges + e, last] += term
        for k in range(outputs):
            moment[k, h * edges + e] += change * x[e, n] * y[n, k]
