"""Charts as Markov chains: transition matrices of exact lattices and of integral equations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from mlopsim.drift.detector import Detector
from mlopsim.drift.forms import Cusum, ErrorSum, Ewma, Individual, LogShiryaevRoberts
from mlopsim.drift.law import Bernoulli, Law, NoExactLaw, Normal
from mlopsim.drift.signal import Known, Side

#: fewest Gauss-Legendre nodes of an integral equation, and most
NODES, MOST = 96, 2000
#: nodes for each standard deviation of the kernel: quadrature of a normal density is exact to rounding then
DENSE = 3.0
#: widest lattice of a chain
STATES = 4000
#: a statistic without a floor of its own is followed down to so many standard deviations
DEPTH = 12.0
#: of a quasi-stationary law, between two steps
SETTLED = 1e-14
#: change of the law of the state in one tick, in total variation, below which it stays as it is
STILL = 1e-15


@dataclass(frozen=True, kw_only=True)
class Chain:
    """A chart that is a Markov chain: transition weights among the states without an alarm.

    Parameters
    ----------
    Q : ndarray or sparse matrix of float64, shape (m, m)
        Probability (or quadrature weight times density) of going from state i to j without an alarm.
    start : int
        State before the first tick.
    """

    Q: Any
    start: int

    @property
    def size(self) -> int:
        """Number of states."""
        return int(self.Q.shape[0])

    @cached_property
    def _factors(self) -> Any:
        from scipy.linalg import lu_factor

        dense = self.Q if isinstance(self.Q, np.ndarray) else self.Q.toarray()
        return lu_factor(np.eye(self.size) - dense)

    @cached_property
    def remaining(self) -> np.ndarray:
        """Mean number of ticks to the alarm from each state: ``(I - Q)^-1 1``."""
        from scipy.linalg import lu_solve

        found: np.ndarray = lu_solve(self._factors, np.ones(self.size))
        return found

    @property
    def mean(self) -> float:
        """Mean run length."""
        return float(self.remaining[self.start])

    @property
    def visits(self) -> np.ndarray:
        """Mean number of ticks spent in each state before the alarm: row ``start`` of ``(I - Q)^-1``."""
        from scipy.linalg import lu_solve

        unit = np.zeros(self.size)
        unit[self.start] = 1.0
        found: np.ndarray = lu_solve(self._factors, unit, trans=1)
        return found

    @property
    def settled(self) -> np.ndarray:
        """Quasi-stationary law: of the state, given no alarm for long.

        Left eigenvector of the largest eigenvalue of Q, by inverse iteration: that eigenvalue is close to 1.
        """
        from scipy.linalg import lu_solve

        law: np.ndarray = self.visits / self.visits.sum()
        for _ in range(10_000):
            step: np.ndarray = lu_solve(self._factors, law, trans=1)
            step /= step.sum()
            change, law = float(np.abs(step - law).sum()), step
            if change < SETTLED * len(law):
                break
        return law

    @cached_property
    def _followed(self) -> _Followed:
        return _Followed(Q=self.Q, start=self.start)

    def after(self, n: int) -> np.ndarray:
        """Return P(no alarm in the first n ticks, and then in state j)."""
        return self._followed.after(n)

    def survival(self, n: int) -> float:
        """P(no alarm in the first n ticks)."""
        return self._followed.total(n)


class _Followed:
    """A chain that is followed tick by tick, once: what was found for few ticks serves for more.

    It goes on until only the total still falls, by the same factor at every tick.
    """

    def __init__(self, *, Q: Any, start: int) -> None:
        self.Q, self.start = Q, start
        self.row = np.zeros(int(Q.shape[0]))
        self.row[start] = 1.0
        self.totals = [1.0]
        self.factor: float | None = None
        # powers Q^(2^i), squared when they are first needed
        self.powers: list[np.ndarray] = []

    @property
    def done(self) -> int:
        """Ticks followed so far."""
        return len(self.totals) - 1

    def _patience(self, n: int) -> int:
        if not isinstance(self.Q, np.ndarray):
            return n
        return min(n, 2 * len(self.row) * max(n, 1).bit_length())

    def _follow(self, n: int) -> None:
        for done in range(self.done, self._patience(n)):
            if self.factor is not None or self.totals[-1] <= 0.0:
                return
            before, self.row = self.row, self.row @ self.Q
            total = float(self.row.sum())
            self.totals.append(total)
            if (
                done % 32 == 0
                and total > 0.0
                and np.abs(self.row / total - before / self.totals[-2]).sum() < STILL
            ):
                self.factor = total / self.totals[-2]

    def _beyond(self, n: int) -> np.ndarray:
        row: np.ndarray = self.row
        if self.totals[-1] <= 0.0:
            return np.zeros(len(row))
        left = n - self.done
        if self.factor is not None:
            return row * self.factor**left
        for i in range(left.bit_length()):
            if len(self.powers) <= i:
                self.powers.append(self.powers[-1] @ self.powers[-1] if i else self.Q)
            if left >> i & 1:
                row = row @ self.powers[i]
        return row

    def total(self, n: int) -> float:
        """Return P(no alarm in the first n ticks)."""
        self._follow(n)
        return self.totals[n] if n <= self.done else float(self._beyond(n).sum())

    def after(self, n: int) -> np.ndarray:
        """Return the chances of the states after n ticks."""
        if n < self.done:
            # the rows of earlier ticks are not kept
            return _Followed(Q=self.Q, start=self.start).after(n)
        self._follow(n)
        return self.row.copy() if n == self.done else self._beyond(n)


def chains(detector: Detector, law: Law, shifts: Sequence[float]) -> list[Chain]:
    """Return a chart's chain under each shift of the law, all on the same states.

    Parameters
    ----------
    detector : Detector
        One with a :mod:`form <mlopsim.drift.forms>`: individual ticks, a CUSUM (two-sided: if its states are
        few enough), EWMA or Shiryaev-Roberts of normal ticks, a sum of errors.
    law : Law
        Before the change.
    shifts : sequence of float
        See :meth:`mlopsim.drift.law.Normal.shifted`.

    Raises
    ------
    ConfigError
        If it is no such chain.
    """
    form = detector.form()
    if isinstance(law, Normal) and is_chart(detector):
        seen = [standard(detector, law, shift) for shift in shifts]
        if isinstance(form, Individual):
            return [Chain(Q=np.array([[1.0 - tail(form.width, z, form.side)]]), start=0) for z in seen]
        if isinstance(form, Cusum) and form.side is Side.BOTH:
            both = [two_sided(form.k, form.h, z) for z in seen]
            found = [chain for chain in both if chain is not None and chain.size <= STATES]
            if len(found) == len(seen):
                return found
        elif isinstance(form, Cusum):
            sign = 1.0 if form.side is Side.UP else -1.0
            return [cusum_side(form.k, form.h, Normal(mean=sign * z.mean, sd=z.sd)) for z in seen]
        if isinstance(form, Ewma):
            return _ewma(form, seen)
        if isinstance(form, LogShiryaevRoberts):
            return _shiryaev_roberts(form, seen)
    if isinstance(law, Bernoulli) and isinstance(form, ErrorSum):
        up, down, flip = form.steps
        rates = [law.shifted(shift).p for shift in shifts]
        return [lattice(up, down, form.h, 1.0 - p if flip else p) for p in rates]
    kind = type(law).__name__.lower()
    raise NoExactLaw(
        f"there is no exact run length of {detector.full_name} on {kind} ticks", remedy="simulate it"
    )


def is_chart(detector: Detector) -> bool:
    """Return whether it standardises ticks by a known mean and spread."""
    return "mean" in detector.known_by and detector.known is not Known.NOTHING


def standard(chart: Any, law: Normal, shift: float) -> Normal:
    """Return the law of z = (x - mean) / sd as the chart sees it; mean and sd are the law's if not given."""
    mean = law.mean if chart.mean is None else chart.mean
    sd = law.sd if chart.sd is None else chart.sd
    return Normal(mean=(law.mean - mean) / sd + shift * law.sd / sd, sd=law.sd / sd)


def cdf(x: Any, z: Normal) -> Any:
    """Return the distribution function of z at x."""
    from scipy.special import ndtr

    return ndtr((x - z.mean) / z.sd)


def density(x: np.ndarray, z: Normal) -> np.ndarray:
    """Return the density of z at x."""
    u = (x - z.mean) / z.sd
    found: np.ndarray = np.exp(-0.5 * u * u) / (math.sqrt(2.0 * math.pi) * z.sd)
    return found


def tail(width: float, z: Normal, side: Side) -> float:
    """Return P(z beyond the limits)."""
    above, below = float(cdf(-width, Normal(mean=-z.mean, sd=z.sd))), float(cdf(-width, z))
    return {Side.UP: above, Side.DOWN: below, Side.BOTH: above + below}[side]


def nodes(low: float, high: float, sd: float) -> tuple[np.ndarray, np.ndarray]:
    """Return Gauss-Legendre nodes and weights for a kernel of this standard deviation."""
    count = max(NODES, math.ceil(DENSE * (high - low) / sd))
    if count > MOST:
        raise NoExactLaw(
            f"there is no exact run length with {count} nodes, more than {MOST}", remedy="simulate it"
        )
    x, w = np.polynomial.legendre.leggauss(count)
    half = 0.5 * (high - low)
    return low + half * (x + 1.0), half * w


def cusum_side(k: float, h: float, z: Normal) -> Chain:
    """Return an upper CUSUM. State 0 is the sum 0, the others are the nodes in (0, h)."""
    x, w = nodes(0.0, h, z.sd)
    at = np.concatenate([[0.0], x])
    Q = np.empty((len(at), len(at)))
    Q[:, 0] = cdf(k - at, z)
    Q[:, 1:] = w * density(x[None, :] - at[:, None] + k, z)
    return Chain(Q=Q, start=0)


def _ewma(chart: Ewma, seen: Sequence[Normal]) -> list[Chain]:
    """Nodes in the band without an alarm; the last state is the start at 0."""
    unit = math.sqrt(chart.lam / (2.0 - chart.lam))
    edge = chart.width * unit
    # a one-sided chart has no other end: its average stays near the means
    depth = DEPTH * unit * max(z.sd for z in seen)
    low = min(0.0, *(z.mean for z in seen)) - depth if chart.side is Side.UP else -edge
    high = max(0.0, *(z.mean for z in seen)) + depth if chart.side is Side.DOWN else edge
    x, w = nodes(low, high, chart.lam * min(z.sd for z in seen))
    at = np.concatenate([x, [0.0]])
    step = (x[None, :] - (1.0 - chart.lam) * at[:, None]) / chart.lam
    found = []
    for z in seen:
        Q = np.zeros((len(at), len(at)))
        Q[:, :-1] = w / chart.lam * density(step, z)
        found.append(Chain(Q=Q, start=len(x)))
    return found


def _shiryaev_roberts(chart: LogShiryaevRoberts, seen: Sequence[Normal]) -> list[Chain]:
    """Nodes of log R below the limit; the last state is the start at R = 0.

    ``log R' = log(1 + R) + shift (z - shift / 2)``, and ``log(1 + R) >= 0`` bounds it below.
    """
    d = float(chart.shift)
    steps = [Normal(mean=d * (z.mean - 0.5 * d), sd=abs(d) * z.sd) for z in seen]
    low = min(chart.h - steps[0].sd, *(s.mean - DEPTH * s.sd for s in steps))
    x, w = nodes(low, chart.h, min(s.sd for s in steps))
    more = np.concatenate([np.logaddexp(0.0, x), [0.0]])
    found = []
    for s in steps:
        Q = np.zeros((len(more), len(more)))
        Q[:, :-1] = w * density(x[None, :] - more[:, None], s)
        found.append(Chain(Q=Q, start=len(x)))
    return found


def whole_steps(up: float, down: float) -> tuple[int, int, float]:
    """Return whole steps in (nearly) the same ratio, and the unit of one."""
    ratio = Fraction(up / down).limit_denominator(60)
    if ratio.numerator == 0:
        ratio = Fraction(1, round(down / up))
    return ratio.numerator, ratio.denominator, down / ratio.denominator


def walk(up: int, down: int, limit: int, p: float) -> Chain:
    """Return the chain of a sum >= 0 with whole steps that alarms at or above ``limit``."""
    if limit > STATES:
        raise NoExactLaw(
            f"there is no exact run length with {limit} states, more than {STATES}", remedy="simulate it"
        )
    Q = np.zeros((limit, limit))
    for s in range(limit):
        if s + up < limit:
            Q[s, s + up] += p
        Q[s, max(0, s - down)] += 1.0 - p
    return Chain(Q=Q, start=0)


def lattice(up: float, down: float, h: float, p: float) -> Chain:
    """Return the chain of a sum >= 0 that rises by ``up`` with probability p, else falls by ``down``."""
    a, b, unit = whole_steps(up, down)
    # alarms are strict: the first whole sum above h; a sum that equals h up to rounding is none
    return walk(a, b, math.floor(h / unit * (1.0 + 1e-12) + 1e-9) + 1, p)


# -- two-sided CUSUM as one chain of both sums ---------------------------------------------------

#: most weights between states: more take minutes
WEIGHTS = 40_000_000
#: weights of less are left out: densities ten standard deviations away
SMALL = 1e-24
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
    """Return nodes with breaks that a move by 2 k maps onto each other; None if they are too many.

    With k = 0 nothing moves, and panels of a standard deviation do: S+ + S- never falls.
    """
    if k < 0.0 or (k > 0.0 and h / (2.0 * k) > 200.0):
        return None
    if k == 0.0:
        # short panels keep their polynomials low
        ends = np.linspace(0.0, h, max(1, math.ceil(h / sd)) + 1)
    else:
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
        # weights of a part of a panel may be negative
        keep = np.abs(mass) > SMALL
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
