"""Tabular LIME: local linear models fitted to a model's output at perturbed rows.

For a row x, perturbed rows z_i with the weights ``w_i = exp(-|u_i|^2 / (2 width^2))`` and the row itself with
weight 1, where u_i is the distance in interpretable features (below) and ``width`` is ``.75 sqrt(d)`` by
default::

    minimise over b0, b:   sum_i w_i (f(z_i) - b0 - b u_i)^2 + alpha |b|^2

(the intercept is not penalised). ``b`` are the attributions. Two forms:

continuous
    ``z = mean + sd e`` with standard normal e (or ``x + sd e``), mean and sd those of the background;
    ``u = (z - x) / sd``. For a linear f with ``alpha = 0`` the attributions are ``coef sd`` exactly; a ridge
    shrinks them: ``b = (G + alpha I)^-1 G (coef sd)`` with the weighted, centred second moments G of u.
quartiles
    Every feature is cut at the background's quartiles. A perturbed feature falls into a bin as often as the
    background does; its value is drawn from a normal law with the mean and sd of the bin's background rows,
    cut off at the bin's ends. ``u_j = 0`` if z_j lies in x_j's bin and -1 if not, so ``b_j`` is what being in
    that bin adds.

Differences from the package ``lime``: perturbed rows are shared by all rows that are explained together
(unless ``shared=False``), which then share the model's answers, too; all columns count as numbers, indicators
included; a feature that is constant in the background stays at that constant and gets 0; no features are
selected.

References
----------
Ribeiro, Singh and Guestrin (2016), *"Why should I trust you?"*, KDD.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import DataError

Function = Callable[[np.ndarray], np.ndarray]

#: numbers in the rows that a model is asked about at a time (32 MB)
BLOCK = 1 << 22
#: numbers worked on at a time: what a processor's cache holds
CACHE = 1 << 16
#: without a ridge, second moments with a smaller ratio of their extreme eigenvalues than this have no
#: solution
SINGULAR = 1e-12


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Local models of n rows.

    Parameters
    ----------
    coef : ndarray of float64, shape (n, d)
    at_row : ndarray of float64, shape (n,)
        The local model's answer at the row itself.
    stderr : ndarray of float64, shape (n, d)
        Of ``coef``, from the perturbations that were drawn (sandwich estimate).
    """

    coef: np.ndarray
    at_row: np.ndarray
    stderr: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Scales:
    """Where the background lies, feature by feature.

    Parameters
    ----------
    mean, deviation : ndarray of float64, shape (d,)
        The standard deviation counts as 1 where a feature is constant.
    fixed : ndarray of bool, shape (d,)
        Whether a feature is constant.
    """

    mean: np.ndarray
    deviation: np.ndarray
    fixed: np.ndarray

    @classmethod
    def of(cls, background: np.ndarray) -> Scales:
        """Return those of background rows (m, d).

        Examples
        --------
        >>> Scales.of(np.array([[1.0, 0.1], [5.0, 0.1]]))
        Scales(mean=array([3. , 0.1]), deviation=array([2., 1.]), fixed=array([False,  True]))
        """
        fixed = (background == background[0]).all(axis=0)
        mean = np.where(fixed, background[0], background.mean(axis=0))
        deviation = np.sqrt(((background - mean) ** 2).mean(axis=0))
        fixed |= deviation == 0.0
        return cls(mean=mean, deviation=np.where(fixed, 1.0, deviation), fixed=fixed)

    def units(self, X: np.ndarray) -> np.ndarray:
        """Return rows (n, d) in standard deviations from the mean, 0 where a feature is constant."""
        found: np.ndarray = np.where(self.fixed, 0.0, (X - self.mean) / self.deviation)
        return found


def kernel_width(d: int) -> float:
    """Return the usual width ``.75 sqrt(d)``.

    Examples
    --------
    >>> kernel_width(4)
    1.5
    """
    return 0.75 * math.sqrt(d)


def shared_continuous(
    f: Function,
    own: np.ndarray,
    Z: np.ndarray,
    scales: Scales,
    samples: int,
    rng: np.random.Generator,
    width: float,
    alpha: float,
) -> Fit:
    """Return local models from perturbations around the background's mean that all rows share.

    Parameters
    ----------
    f : callable
        Rows (k, d) to finite float64 (k,). It is called once, with ``samples - 1`` rows.
    own : ndarray of float64, shape (n,)
        Its values at the rows to explain.
    Z : ndarray of float64, shape (n, d)
        These rows, by :meth:`Scales.units`.
    scales : Scales
    samples : int
        Perturbed rows, the row itself included.
    rng : Generator
        Draws ``(samples - 1, d)`` normal numbers.
    width, alpha : float

    Raises
    ------
    DataError
        Without a ridge, if the perturbations near a row do not tell the features apart.
    """
    n, d = Z.shape
    E = np.where(scales.fixed, 0.0, rng.standard_normal((samples - 1, d)))
    y = f(scales.mean + scales.deviation * E)
    # all sums over perturbations are products of the weights with this: 1, e, pairs of e; y, e y
    upper = np.triu_indices(d)
    table = np.concatenate(
        [np.ones((len(E), 1)), E, E[:, upper[0]] * E[:, upper[1]], y[:, None], E * y[:, None]], axis=1
    )
    place = np.zeros((d, d), dtype=np.int64)
    place[upper] = place.T[upper] = np.arange(len(upper[0]))
    Et = np.ascontiguousarray(E.T)
    parts = [
        _far(Z[some], own[some], Et, y, table, place, width, alpha, some.start)
        for some in _slices(0, n, CACHE // samples)
    ]
    return _joined(parts)


def _far(
    Z: np.ndarray,
    own: np.ndarray,
    Et: np.ndarray,
    y: np.ndarray,
    table: np.ndarray,
    place: np.ndarray,
    width: float,
    alpha: float,
    first: int,
) -> Fit:
    """Fit local models of rows Z (n, d) from shared perturbations Et (d, s), both in standard deviations."""
    d = Z.shape[1]
    narrow = 1.0 / width**2
    weight = Z @ (Et * narrow)
    weight -= (0.5 * narrow) * np.einsum("js,js->s", Et, Et)
    weight -= (0.5 * narrow) * np.einsum("nj,nj->n", Z, Z)[:, None]
    np.exp(np.minimum(weight, 0.0, out=weight), out=weight)
    last = 1 + d + d * (d + 1) // 2
    sums = weight @ table
    a, b = sums[:, 0], sums[:, 1 : d + 1]
    second = np.take(sums[:, d + 1 : last], place, axis=1)
    # the row itself, of weight 1, at the distance c from the mean of the others; y relative to the row's
    share = 1.0 / (a + 1.0)
    middle = b / np.where(a > 0.0, a, 1.0)[:, None]
    c = middle - Z
    t0 = sums[:, last] - own * a
    t1 = sums[:, last + 1 :] - own[:, None] * b
    G = second - b[:, :, None] * middle[:, None, :] + (a * share)[:, None, None] * _outer(c, c)
    right = t1 - middle * t0[:, None] + c * (share * t0)[:, None]
    coef, inverse = _solved(G, right, a > 0.0, alpha, first)
    mean = c * (a * share)[:, None]
    at_row = t0 * share - np.einsum("nj,nj->n", mean, coef)
    # errors of the local model times the weights, squared
    wrong = coef @ Et
    wrong += (own + at_row - np.einsum("nj,nj->n", coef, Z))[:, None]
    wrong -= y
    wrong *= weight
    np.square(wrong, out=wrong)
    q = wrong @ table[:, :last]
    spread = _sandwich(inverse, q[:, 0], q[:, 1 : d + 1], np.take(q[:, d + 1 :], place, axis=1), Z + mean)
    return Fit(coef=coef, at_row=own + at_row, stderr=spread)


def per_row(
    f: Function,
    own: np.ndarray,
    perturb: Callable[[slice], tuple[np.ndarray, np.ndarray]],
    relative: Callable[[slice, np.ndarray], np.ndarray],
    width: float,
    alpha: float,
    numbers: int,
) -> Fit:
    """Return local models from each row's own perturbations.

    Parameters
    ----------
    f : callable
        Rows (k, d) to finite float64 (k,).
    own : ndarray of float64, shape (n,)
        Its values at the rows to explain.
    perturb : callable
        A slice of the rows to what is drawn for them, and to the perturbed rows: (k, s, d) each, or (s, d) if
        all rows share it. Called for rising slices.
    relative : callable
        A slice of the rows, and what was drawn for them, to the interpretable features relative to the row:
        (k, s, d), or (s, d) if all rows share them.
    width, alpha : float
    numbers : int
        How many a row takes: s times d.

    Raises
    ------
    DataError
        Without a ridge, if the perturbations near a row do not tell the features apart.
    """
    parts: list[Fit] = []
    y: np.ndarray = np.empty(0)
    for block in _slices(0, len(own), BLOCK // numbers):
        drawn, rows = perturb(block)
        if block.start == 0 or rows.ndim == 3:
            y = f(rows.reshape(-1, rows.shape[-1])).reshape(rows.shape[:-1])
        for some in _slices(block.start, block.stop, CACHE // numbers):
            inside = slice(some.start - block.start, some.stop - block.start)
            U = relative(some, drawn if drawn.ndim == 2 else drawn[inside])
            parts.append(_near(U, y if y.ndim == 1 else y[inside], own[some], width, alpha, some.start))
    return _joined(parts)


def _near(U: np.ndarray, y: np.ndarray, own: np.ndarray, width: float, alpha: float, first: int) -> Fit:
    """Fit local models of n rows from features (n, s, d) or (s, d) and outputs (n, s) or (s,)."""
    n, d = len(own), U.shape[-1]
    y = y - own[:, None]
    weight = np.exp(np.einsum("...j,...j->...", U, U) * (-0.5 / width**2))
    # a column of ones last: sums of w, w u and w u u' are one product then
    table = np.concatenate([U, np.ones((*U.shape[:-1], 1))], axis=-1)
    sides = (table * weight[..., None]).swapaxes(-1, -2)
    both = np.broadcast_to(np.matmul(sides, table), (n, d + 1, d + 1))
    response = np.matmul(sides, y[:, :, None])[:, :, 0]
    a, b, t0 = both[:, d, d], both[:, d, :d], response[:, d]
    # the row itself, of weight 1, adds nothing to the other sums: u = 0, y = 0
    mean = b / (a + 1.0)[:, None]
    G = both[:, :d, :d] - _outer(b, mean)
    coef, inverse = _solved(G, response[:, :d] - mean * t0[:, None], a > 0.0, alpha, first)
    at_row = (t0 - np.einsum("nj,nj->n", b, coef)) / (a + 1.0)
    local = np.matmul(table, np.concatenate([coef, at_row[:, None]], axis=1)[:, :, None])[:, :, 0]
    wrong = (weight * (y - local)) ** 2
    q = np.matmul((table * wrong[:, :, None]).swapaxes(-1, -2), table)
    spread = _sandwich(inverse, q[:, d, d], q[:, d, :d], q[:, :d, :d], mean)
    return Fit(coef=coef, at_row=own + at_row, stderr=spread)


def _solved(
    G: np.ndarray, right: np.ndarray, near: np.ndarray, alpha: float, first: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return coefficients (n, d) and inverses (n, d, d) of centred second moments G, which it changes.

    ``near`` (n,) says whether a row has perturbations near it at all; ``first`` is its number in messages.
    """
    d = G.shape[1]
    diagonal = np.einsum("njj->nj", G)
    # what is the same in all perturbations gets 0
    still = diagonal <= 0.0
    G[:, np.arange(d), np.arange(d)] += np.where(still, 1.0, alpha)
    if alpha == 0.0:
        scale = np.sqrt(np.einsum("njj->nj", G))
        ends = np.linalg.eigvalsh(G / scale[:, :, None] / scale[:, None, :])
        bad = ~(ends[:, 0] > SINGULAR * ends[:, -1]) | ~near
        if bad.any():
            row = first + int(np.argmax(bad))
            raise DataError(
                f"the perturbations near row {row} do not tell its {d} features apart",
                remedy="alpha above 0, more samples, or a wider kernel",
            )
    inverse = np.linalg.inv(G)
    return np.einsum("njk,nk->nj", inverse, right), inverse


def _sandwich(
    inverse: np.ndarray, q0: np.ndarray, q1: np.ndarray, q2: np.ndarray, middle: np.ndarray
) -> np.ndarray:
    """Return standard errors from sums of (w e)^2, (w e)^2 u and (w e)^2 u u', e being the local errors.

    Only perturbations are random, the row itself is always there. ``middle`` is the weighted mean of u.
    """
    meat = q2 - _outer(q1 - q0[:, None] * middle, middle) - _outer(middle, q1)
    variance = (np.matmul(inverse, meat) * inverse).sum(axis=2)
    result: np.ndarray = np.sqrt(np.maximum(variance, 0.0))
    return result


def _outer(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return products (n, d, d) of rows (n, d)."""
    product: np.ndarray = one[:, :, None] * other[:, None, :]
    return product


def _slices(start: int, stop: int, step: int) -> Iterator[slice]:
    for first in range(start, stop, max(1, step)):
        yield slice(first, min(first + max(1, step), stop))


def _joined(parts: list[Fit]) -> Fit:
    if len(parts) == 1:
        return parts[0]
    return Fit(
        coef=np.concatenate([part.coef for part in parts]),
        at_row=np.concatenate([part.at_row for part in parts]),
        stderr=np.concatenate([part.stderr for part in parts]),
    )
