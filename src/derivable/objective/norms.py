"""LayerNorm's loops on one block of rows: each row is normalised over the units.

A row lies across the stretches of a block, so the loops over rows vectorise, and what is known of
each row (its mean, the root, the averages of backward) is a stretch of `facts`.

With x^ = (x - mean) r and r = 1 / sqrt(var + eps), out = x^ w + b. Backward, with g = grad w and
averages over the units of a row: grad_x = r q with q = g - avg g - x^ avg(g x^). With a dot for the
derivative along a direction, forward: dx^ = r (dx - avg dx) - x^ s with s = r avg(x^ dx), and
dout = dx^ w + x^ dw + db; dr = -r s, and backward: dg = dgrad w + grad dw and
dgrad_x = r (dg - avg dg - dx^ avg(g x^) - x^ avg(dg x^ + g dx^) - s q).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from derivable.compiler.jit import Routine
from derivable.compiler.memory import array, inner, part, routine
from derivable.function.kernel import sqrt
from derivable.objective.activation import VECTORS
from derivable.objective.losses import ROUTINES as BEFORE
from derivable.objective.tiles import padded
from derivable.partition import ROWS

# Places of these loops among the routines of a pass, after the loss.
NORMALISE, NORM_VJP, NORM_JVP, NORM_VJP_TANGENT = range(BEFORE, BEFORE + 4)
ROUTINES = BEFORE + 4
FACTS = 8  # stretches that the loops may overwrite
# Where in them begins what is known of each row: mean, r, avg dx, s, and the averages of g, g x^,
# dg, and dg x^ + g dx^.
MEAN, ROOT, MOVED, SLOPE, LEVEL, OVERLAP, DLEVEL, DOVERLAP = range(0, FACTS * ROWS, ROWS)


@cache
def loops(dtype: np.dtype[Any]) -> tuple[Routine, ...]:
    """The four loops for numbers of that type, in the order of their places."""
    kinds = {
        normalise: "nnXXXXX",
        vjp: "nnnXXXXXSX",
        jvp: "nnXXXXXXX",
        vjp_with_tangent: "nnnXXXXXXXXXSX",
    }
    return tuple(
        routine(loop, kind, dtype, needs=[VECTORS], seconds=0.3) for loop, kind in kinds.items()
    )


def normalise(count: Any, units: Any, x: Any, wb: Any, eps: Any, out: Any, facts: Any) -> None:
    """Fill `out`; `wb` are the weights and then the biases."""
    x, out, wb = array(x, units * ROWS), array(out, units * ROWS), array(wb, 2 * units)
    facts, rows = array(facts, FACTS * ROWS), padded(count)
    _fill_statistics(rows, units, x, array(eps, 1)[0], facts)
    mean, root = part(facts, MEAN, ROWS), part(facts, ROOT, ROWS)
    for u in range(units):
        mine, to, w, b = part(x, u * ROWS, ROWS), part(out, u * ROWS, ROWS), wb[u], wb[units + u]
        for i in range(rows):
            to[i] = (mine[i] - mean[i]) * root[i] * w + b


def vjp(
    count: Any, units: Any, wanted: Any,
    x: Any, wb: Any, eps: Any, grad: Any, to: Any, sums: Any, facts: Any,
) -> None:  # fmt: skip
    """Add to `sums`, the gradients of weights and biases; where `wanted`, fill `to`, that of x."""
    x, grad, to = array(x, units * ROWS), array(grad, units * ROWS), array(to, units * ROWS)
    wb, sums = array(wb, 2 * units), array(sums, 2 * units)
    facts, rows, size = array(facts, FACTS * ROWS), padded(count), x.dtype.type(units)
    _fill_statistics(rows, units, x, array(eps, 1)[0], facts)
    mean, root = part(facts, MEAN, ROWS), part(facts, ROOT, ROWS)
    level, overlap = part(facts, LEVEL, ROWS), part(facts, OVERLAP, ROWS)
    for i in range(rows):
        level[i] = overlap[i] = 0
    for u in range(units):
        mine, above = part(x, u * ROWS, ROWS), part(grad, u * ROWS, ROWS)
        share, of_w, of_b = wb[u] / size, x.dtype.type(0), x.dtype.type(0)
        for i in range(rows):
            product = above[i] * ((mine[i] - mean[i]) * root[i])
            of_w, of_b = of_w + product, of_b + above[i]
            level[i] += share * above[i]
            overlap[i] += share * product
        sums[u] += of_w
        sums[units + u] += of_b
    if wanted:
        for u in range(units):
            mine, above = part(x, u * ROWS, ROWS), part(grad, u * ROWS, ROWS)
            mine_to, w = part(to, u * ROWS, ROWS), wb[u]
            for i in range(rows):
                unit = (mine[i] - mean[i]) * root[i]
                mine_to[i] = root[i] * (above[i] * w - level[i] - unit * overlap[i])


def jvp(
    count: Any, units: Any,
    x: Any, dx: Any, wb: Any, dwb: Any, eps: Any, dout: Any, facts: Any,
) -> None:  # fmt: skip
    """Fill `dout`."""
    x, dx, dout = array(x, units * ROWS), array(dx, units * ROWS), array(dout, units * ROWS)
    wb, dwb = array(wb, 2 * units), array(dwb, 2 * units)
    facts, rows = array(facts, FACTS * ROWS), padded(count)
    _fill_statistics(rows, units, x, array(eps, 1)[0], facts)
    _fill_slopes(rows, units, x, dx, facts)
    mean, root = part(facts, MEAN, ROWS), part(facts, ROOT, ROWS)
    moved, slope = part(facts, MOVED, ROWS), part(facts, SLOPE, ROWS)
    for u in range(units):
        mine, dmine, to = (
            part(x, u * ROWS, ROWS),
            part(dx, u * ROWS, ROWS),
            part(dout, u * ROWS, ROWS),
        )
        w, dw, db = wb[u], dwb[u], dwb[units + u]
        for i in range(rows):
            unit = (mine[i] - mean[i]) * root[i]
            dunit = (dmine[i] - moved[i]) * root[i] - unit * slope[i]
            to[i] = dunit * w + unit * dw + db


def vjp_with_tangent(
    count: Any, units: Any, wanted: Any,
    x: Any, dx: Any, wb: Any, dwb: Any, eps: Any,
    grad: Any, dgrad: Any, to: Any, dto: Any, sums: Any, facts: Any,
) -> None:  # fmt: skip
    """As `vjp`, with `sums` and `dto` for the derivatives of the gradients along the direction."""
    x, dx, dto = array(x, units * ROWS), array(dx, units * ROWS), array(dto, units * ROWS)
    grad, dgrad = array(grad, units * ROWS), array(dgrad, units * ROWS)
    to, sums = array(to, units * ROWS), array(sums, 2 * units)
    wb, dwb = array(wb, 2 * units), array(dwb, 2 * units)
    facts, rows, size = array(facts, FACTS * ROWS), padded(count), x.dtype.type(units)
    _fill_statistics(rows, units, x, array(eps, 1)[0], facts)
    _fill_slopes(rows, units, x, dx, facts)
    mean, root = part(facts, MEAN, ROWS), part(facts, ROOT, ROWS)
    moved, slope = part(facts, MOVED, ROWS), part(facts, SLOPE, ROWS)
    level, overlap = part(facts, LEVEL, ROWS), part(facts, OVERLAP, ROWS)
    dlevel, doverlap = part(facts, DLEVEL, ROWS), part(facts, DOVERLAP, ROWS)
    for i in range(rows):
        level[i] = overlap[i] = dlevel[i] = doverlap[i] = 0
    for u in range(units):
        mine, dmine = part(x, u * ROWS, ROWS), part(dx, u * ROWS, ROWS)
        above, dabove = part(grad, u * ROWS, ROWS), part(dgrad, u * ROWS, ROWS)
        share, dshare = wb[u] / size, dwb[u] / size
        of_w, of_b = x.dtype.type(0), x.dtype.type(0)
        for i in range(rows):
            unit = (mine[i] - mean[i]) * root[i]
            dunit = (dmine[i] - moved[i]) * root[i] - unit * slope[i]
            of_w, of_b = of_w + dabove[i] * unit + above[i] * dunit, of_b + dabove[i]
            g, dg = share * above[i], share * dabove[i] + dshare * above[i]
            level[i] += g
            overlap[i] += g * unit
            dlevel[i] += dg
            doverlap[i] += dg * unit + g * dunit
        sums[u] += of_w
        sums[units + u] += of_b
    if wanted:
        for u in range(units):
            mine, dmine = part(x, u * ROWS, ROWS), part(dx, u * ROWS, ROWS)
            above, dabove = part(grad, u * ROWS, ROWS), part(dgrad, u * ROWS, ROWS)
            mine_to, dmine_to = part(to, u * ROWS, ROWS), part(dto, u * ROWS, ROWS)
            w, dw = wb[u], dwb[u]
            for i in range(rows):
                unit = (mine[i] - mean[i]) * root[i]
                dunit = (dmine[i] - moved[i]) * root[i] - unit * slope[i]
                q = above[i] * w - level[i] - unit * overlap[i]
                dg = dabove[i] * w + above[i] * dw
                dq = dg - dlevel[i] - dunit * overlap[i] - unit * doverlap[i]
                mine_to[i] = root[i] * q
                dmine_to[i] = root[i] * (dq - slope[i] * q)


@inner
def _fill_statistics(rows: int, units: int, x: Any, eps: Any, facts: Any) -> None:
    """The mean of each row, and 1 / sqrt(var + eps)."""
    mean, root, share = part(facts, MEAN, ROWS), part(facts, ROOT, ROWS), 1 / x.dtype.type(units)
    for i in range(rows):
        mean[i] = root[i] = 0
    for u in range(units):
        mine = part(x, u * ROWS, ROWS)
        for i in range(rows):
            mean[i] += mine[i]
    for i in range(rows):
        mean[i] *= share
    for u in range(units):
        mine = part(x, u * ROWS, ROWS)
        for i in range(rows):
            deviation = mine[i] - mean[i]
            root[i] += deviation * deviation
    for i in range(rows):
        root[i] = x.dtype.type(1) / sqrt(root[i] * share + eps)


@inner
def _fill_slopes(rows: int, units: int, x: Any, dx: Any, facts: Any) -> None:
    """The average of dx of each row, and s."""
    mean, root, share = part(facts, MEAN, ROWS), part(facts, ROOT, ROWS), 1 / x.dtype.type(units)
    moved, slope = part(facts, MOVED, ROWS), part(facts, SLOPE, ROWS)
    for i in range(rows):
        moved[i] = slope[i] = 0
    for u in range(units):
        mine, dmine = part(x, u * ROWS, ROWS), part(dx, u * ROWS, ROWS)
        for i in range(rows):
            moved[i] += share * dmine[i]
            slope[i] += (mine[i] - mean[i]) * dmine[i]
    for i in range(rows):
        slope[i] *= share * root[i] * root[i]
