"""The compiled loop of the piecewise objective: exact steps while hardly a row changes sides.

`piecewise.py` says what the arrays mean. A row may change the side of a unit only when the unit's
weights have moved by its margin |w x| / |x|; so each unit keeps a list of the rows whose margin is
below a radius, sorted, and looks only at those that its movement has reached. When it has moved
by the whole radius the list is made again. Molecular dynamics knows it as a neighbour list
(Verlet, "Computer experiments on classical fluids", 1967).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from derivable.objective.tiles import FAST, INNER

CAPACITY = 8192  # rows in the list of one unit
CHUNK = 512
FIRST_RADIUS = 1e-3
SLACK = 1e-9  # on the margins, for the rounding of float64
SEARCH_SLACK = 1e-5  # on those of the search, in float32
SEARCH_COST = 1.0  # of a row in a search, as a multiple of that of a row in a list


@njit(**FAST)
def take_steps(
    theta: Any,
    lr: float,
    losses: Any,
    table: Any,
    above: Any,
    slopes: Any,
    gram: Any,
    moment: Any,
    squares: float,
    budget: float,
) -> int:
    """Exact steps until `losses` is full or a step's work exceeds `budget`; how many were taken.

    `theta` is (H (D+1) + (H+1) K,), `above` (H, N), `gram` (M+1, M+1) and `moment` (K, M+1), with
    M = H (D+1); `squares` is the mean of y^2, summed over the columns. All but `theta` and
    `losses` is brought up to date as rows change sides.
    """
    x, x32, norms, y = table
    edges = x.shape[0]
    units, outputs = above.shape[0], y.shape[1]
    size = units * edges + 1
    lists = _empty_lists(units, edges)
    a, t = np.empty((outputs, size)), np.empty((outputs, size))
    work = 0.0
    for k in range(losses.size):
        for h in range(units):
            work += _look(theta, h, x, x32, norms, above, slopes, lists, gram, moment, y)
        if work > budget * (k + 100):
            return k
        losses[k] = squares + _quadratic(theta, units, edges, gram, moment, a, t)
        _step(theta, lr, units, edges, t)
        work += size * size * outputs
    return losses.size


@njit(**INNER)
def _quadratic(theta: Any, units: int, edges: int, gram: Any, moment: Any, a: Any, t: Any) -> float:
    """The loss but for its constant; fills t, half its gradient with respect to a."""
    outputs, size = a.shape
    v = theta[units * edges :]
    loss = 0.0
    for k in range(outputs):
        for h in range(units):
            for e in range(edges):
                a[k, h * edges + e] = v[h * outputs + k] * theta[e * units + h]
        a[k, size - 1] = v[units * outputs + k]
        np.dot(gram, a[k], t[k])
        for i in range(size):
            t[k, i] -= moment[k, i]
            loss += a[k, i] * (t[k, i] - moment[k, i])
    return loss


@njit(**INNER)
def _step(theta: Any, lr: float, units: int, edges: int, t: Any) -> None:
    """One step of gradient descent: a = v w, so dw = v da and dv = w da."""
    outputs = t.shape[0]
    v = theta[units * edges :]
    rate = 2 * lr
    for h in range(units):
        for k in range(outputs):
            move = 0.0
            for e in range(edges):
                da = rate * t[k, h * edges + e]
                move += theta[e * units + h] * da
                t[k, h * edges + e] = v[h * outputs + k] * da  # w moves after all of v
            v[h * outputs + k] -= move
        for k in range(outputs):
            for e in range(edges):
                theta[e * units + h] -= t[k, h * edges + e]
    for k in range(outputs):
        v[units * outputs + k] -= rate * t[k, units * edges]


@njit(**INNER)
def _empty_lists(units: int, edges: int) -> Any:
    """Of each unit: rows, sides, margins, features; and its count, radius, age and weights.

    Feature e of the i-th row of a list of `count` rows lies at e * count + i.
    """
    rows = np.empty((units, CAPACITY), np.int64)
    sides = np.empty((units, CAPACITY), np.bool_)
    margins = np.empty((units, CAPACITY))
    features = np.empty((units, edges * CAPACITY))
    state = np.zeros((units, 3))
    state[:, 1] = -FIRST_RADIUS  # no list yet
    weights = np.zeros((units, edges))
    return rows, sides, margins, features, state, weights


@njit(**INNER)
def _look(
    theta: Any,
    h: int,
    x: Any,
    x32: Any,
    norms: Any,
    above: Any,
    slopes: Any,
    lists: Any,
    gram: Any,
    moment: Any,
    y: Any,
) -> float:
    """Bring the sides of unit h up to date; the work that it took, in multiplications."""
    rows, sides, margins, features, state, weights = lists
    edges = x.shape[0]
    units = above.shape[0]
    moved = 0.0
    for e in range(edges):
        moved += (theta[e * units + h] - weights[h, e]) ** 2
    moved = np.sqrt(moved) * (1 + SLACK)
    if not moved < state[h, 1]:
        flips = _search(theta, h, moved, x, x32, norms, above, slopes, lists, gram, moment, y)
        return x.size + flips * 2.0 * units * edges * edges
    state[h, 2] += 1
    count, reached, flips = int(state[h, 0]), 0, 0
    while reached < count and margins[h, reached] <= moved:
        reached += 1
    z = np.zeros(reached)
    for e in range(0, edges - 3, 4):
        _add_four(theta[e * units + h :], units, features[h, e * count :], count, z)
    for e in range(edges - edges % 4, edges):
        weight, feature = theta[e * units + h], features[h, e * count :]
        for i in range(reached):
            z[i] += weight * feature[i]
    if _changed(z, sides[h]) > 0:
        for i in range(reached):
            if (z[i] > 0) != sides[h, i]:
                sides[h, i] = not sides[h, i]
                _flip(rows[h, i], h, x, above, slopes, gram, moment, y)
                flips += 1
    return reached * edges + flips * 2.0 * units * edges * edges


@njit(**INNER)
def _add_four(w: Any, step: int, features: Any, count: int, z: Any) -> None:
    w0, w1, w2, w3 = w[0], w[step], w[2 * step], w[3 * step]
    f0, f1, f2, f3 = features, features[count:], features[2 * count :], features[3 * count :]
    for i in range(z.size):
        z[i] += w0 * f0[i] + w1 * f1[i] + w2 * f2[i] + w3 * f3[i]


@njit(**INNER)
def _changed(z: Any, sides: Any) -> int:
    """How many rows are no longer on their side."""
    changed = 0
    for i in range(z.size):
        changed += (z[i] > 0) != sides[i]
    return changed


@njit(**INNER)
def _search(
    theta: Any,
    h: int,
    moved: float,
    x: Any,
    x32: Any,
    norms: Any,
    above: Any,
    slopes: Any,
    lists: Any,
    gram: Any,
    moment: Any,
    y: Any,
) -> int:
    """Make the list of unit h again and look at every row; how many had changed sides."""
    rows, sides, margins, features, state, weights = lists
    edges, units = x.shape[0], weights.shape[0]
    radius = _best_radius(moved, x.shape[1], state[h])
    for e in range(edges):
        weights[h, e] = theta[e * units + h]
    count, flips, z = 0, 0, np.empty(CHUNK, np.float32)
    exact, near = np.empty(CAPACITY), np.empty(CAPACITY, np.int64)
    for start in range(0, x.shape[1], CHUNK):
        size = min(CHUNK, x.shape[1] - start)
        z[:] = 0
        for e in range(edges):
            weight, feature = np.float32(weights[h, e]), x32[e, start : start + size]
            for i in range(size):
                z[i] += weight * feature[i]
        for n in range(start, start + size):
            if abs(z[n - start]) >= (radius + SEARCH_SLACK) * norms[n]:
                side = z[n - start] > 0
            else:
                z64 = 0.0
                for e in range(edges):
                    z64 += weights[h, e] * x[e, n]
                side = z64 > 0
                if count < CAPACITY:
                    near[count], exact[count] = n, abs(z64) / norms[n] * (1 - SLACK)
                count += 1
            if side != above[h, n]:
                _flip(n, h, x, above, slopes, gram, moment, y)
                flips += 1
    state[h, 2] = 0
    if count > CAPACITY:  # no list this time, and a smaller radius the next
        state[h, 0], state[h, 1] = 0, -radius * 0.5 * CAPACITY / count
        return flips
    order = np.argsort(exact[:count])
    for i in range(count):
        n = near[order[i]]
        rows[h, i], sides[h, i], margins[h, i] = n, above[h, n], exact[order[i]]
        for e in range(edges):
            features[h, e * count + i] = x[e, n]
    state[h, 0], state[h, 1] = count, radius
    return flips


@njit(**INNER)
def _best_radius(moved: float, total: int, state: Any) -> float:
    """The radius of a unit's next list that costs least at its present speed.

    A list of radius r serves r / speed steps, at each of which half of it is read on average;
    `state` is the last list's count, radius and age; where there is none, the radius is negative.
    """
    if state[1] < 0:
        return -state[1]
    speed = moved / max(state[2], 1.0)
    density = max(state[0], 1.0) / state[1]
    return max(np.sqrt(SEARCH_COST * total * speed / density), 2 * speed)


@njit(**INNER)
def _flip(n: int, h: int, x: Any, above: Any, slopes: Any, gram: Any, moment: Any, y: Any) -> None:
    """Row n changes the side of unit h: bring `above`, `gram` and `moment` up to date."""
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
        term = change * x[e, n]
        gram[last, h * edges + e] += term
        gram[h * edges + e, last] += term
        for k in range(outputs):
            moment[k, h * edges + e] += term * y[n, k]
