"""Two-sided CUSUM as one Markov chain of both sums."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from mlopsim.drift._chains import Chain, cdf, density
from mlopsim.drift.law import Normal

#: most weights between states: more take minutes
WEIGHTS = 40_000_000
#: two points closer than this share of the limit are one
SAME = 1e-9


@dataclass(frozen=True, kw_only=True)
class Axis:
    """Nodes on (0, h) for functions that are smooth but at some breaks.

    Parameters
    ----------
    x, w : ndarray of float64, shape (N,)
        Nodes and weights of the whole integral.
    panel : ndarray of int64, shape (N,)
        Which panel a node is in.
    breaks : ndarray of float64, shape (P + 1,)
        Ends of the panels.
    """

    x: np.ndarray
    w: np.ndarray
    panel: np.ndarray
    breaks: np.ndarray

    def weights(self, low: float) -> np.ndarray:
        """Return the weights of the integral from ``low`` to h."""
        found = np.where(self.breaks[self.panel] >= low, self.w, 0.0)
        cut = int(np.searchsorted(self.breaks, low, side="right")) - 1
        if self.breaks[cut] == low or cut >= len(self.breaks) - 1:
            return found
        own = self.panel == cut
        x, end = self.x[own], self.breaks[cut + 1]
        unit, weight = np.polynomial.legendre.leggauss(len(x))
        half = 0.5 * (end - low)
        t = low + half * (unit + 1.0)
        # the polynomial through the nodes of the panel, over the part above the cut
        gaps = x[:, None] - x[None, :]
        np.fill_diagonal(gaps, 1.0)
        base = 1.0 / gaps.prod(axis=1)
        away = t[:, None] - x[None, :]
        away[away == 0.0] = 1e-300
        basis = base / away
        basis /= basis.sum(axis=1, keepdims=True)
        found[own] = half * weight @ basis
        return found


def axis(k: float, h: float, sd: float) -> Axis | None:
    """Return nodes with breaks that a move by 2 k maps onto each other; None if they are too many."""
    if k <= 0.0 or h / (2.0 * k) > 200.0:
        return None
    steps = np.arange(math.floor(h / (2.0 * k)) + 1) * 2.0 * k
    ends = np.sort(np.concatenate([[0.0, h], steps, h - steps]))
    ends = ends[(ends >= 0.0) & (ends <= h)]
    breaks = ends[np.concatenate([[True], np.diff(ends) > SAME * h])]
    breaks[-1] = h
    x, w, panel = [], [], []
    for i, (low, high) in enumerate(pairwise(breaks)):
        unit, weight = np.polynomial.legendre.leggauss(4 + math.ceil(4.0 * (high - low) / sd))
        half = 0.5 * (high - low)
        x.append(low + half * (unit + 1.0))
        w.append(half * weight)
        panel.append(np.full(len(unit), i))
    return Axis(x=np.concatenate(x), w=np.concatenate(w), panel=np.concatenate(panel), breaks=breaks)


def two_sided(k: float, h: float, z: Normal, *, fold: bool = False) -> Chain | None:
    """Return the chain of a two-sided CUSUM, None if it has too many states.

    Parameters
    ----------
    k, h : float
        Allowance and limit.
    z : Normal
        Law of a tick.
    fold : bool, default False
        Take a state and its mirror image, the sums exchanged, for one where the mean of z is 0.

    Notes
    -----
    While both sums are positive their sum falls by 2 k a tick: such states lie on lines ``S+ + S- = c``, and
    a line leads to the line c - 2 k, to one of the axes at or beyond c - 2 k, or to (0, 0). So the chain in
    two dimensions is a few integral equations in one, on nodes of the axes that a move by 2 k maps onto each
    other. States: (0, 0), the upper axis, the lower axis, the lines.
    """
    from scipy.sparse import csr_matrix

    nodes = axis(k, h, z.sd)
    if nodes is None:
        return None
    x, count = nodes.x, len(nodes.x)
    lined = np.flatnonzero(x < h - 2.0 * k)
    size = 8 + math.ceil(3.0 * max(h - 2.0 * k, 0.0) / z.sd)
    total = 1 + 2 * count + size * len(lined)
    if total * (2 * count + size) > WEIGHTS:
        return None
    unit, weight = np.polynomial.legendre.leggauss(size)
    first = {int(i): 1 + 2 * count + size * place for place, i in enumerate(lined)}
    rows, columns, values = [], [], []

    def add(at: np.ndarray, to: np.ndarray, mass: np.ndarray) -> None:
        keep = mass != 0.0
        rows.append(np.broadcast_to(at[:, None], mass.shape)[keep])
        columns.append(np.broadcast_to(to[None, :], mass.shape)[keep])
        values.append(mass[keep])

    def leave(at: np.ndarray, upper: np.ndarray, lower: np.ndarray, c: float) -> None:
        """Add the moves from states (upper, lower) on the line c."""
        a, b = upper[:, None], lower[:, None]
        w = nodes.weights(max(0.0, c - 2.0 * k))
        add(at, 1 + np.arange(count), w * density(x[None, :] - a + k, z))
        add(at, 1 + count + np.arange(count), w * density(b - k - x[None, :], z))
        if c <= 2.0 * k:
            add(at, np.zeros(1, dtype=np.int64), np.asarray(cdf(k - a, z) - cdf(b - k, z)))
            return
        near = int(np.argmin(np.abs(x - (c - 2.0 * k))))
        half = 0.5 * x[near]
        to = half * (unit + 1.0)
        add(at, first[near] + np.arange(size), half * weight * density(to[None, :] - a + k, z))

    leave(np.zeros(1, dtype=np.int64), np.zeros(1), np.zeros(1), 0.0)
    for i, c in enumerate(x):
        at, upper = np.array([1 + i, 1 + count + i]), np.array([c, 0.0])
        if i in first:
            at = np.concatenate([at, first[i] + np.arange(size)])
            upper = np.concatenate([upper, 0.5 * c * (unit + 1.0)])
        leave(at, upper, c - upper, float(c))
    parts: Any = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    Q = csr_matrix(parts, shape=(total, total))
    if not fold or z.mean != 0.0:
        return Chain(Q=Q, start=0)
    mirror = np.arange(total)
    mirror[1 : 1 + count] += count
    mirror[1 + count : 1 + 2 * count] -= count
    mirror[1 + 2 * count :] = mirror[1 + 2 * count :].reshape(-1, size)[:, ::-1].ravel()
    kept, which = np.unique(np.minimum(np.arange(total), mirror), return_inverse=True)
    fold_up = csr_matrix((np.ones(total), (np.arange(total), which)), shape=(total, len(kept)))
    return Chain(Q=Q[kept] @ fold_up, start=0)
