"""Resampling kernels and the ways from a bootstrap distribution to an interval."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.stats.interval import check_level

Kind = Literal["expanded", "percentile", "bca", "t"]
# rows of a resampling block: bounds the memory to about 2 M numbers per temporary
_BLOCK_NUMBERS = 2_000_000


def check_kind(kind: str, level: float, resamples: int) -> None:
    """Raise ConfigError for an unknown kind of interval, a bad level or too few resamples.

    Examples
    --------
    >>> check_kind("expanded", .95, 1000)
    """
    check_level(level)
    if kind not in get_args(Kind):
        raise ConfigError(f"unknown kind of interval '{kind}'", remedy=f"one of: {', '.join(get_args(Kind))}")
    if resamples < 100:
        raise ConfigError(f"{resamples} resamples are too few for an interval", remedy="use at least 100")


def blocks(resamples: int, width: int) -> list[int]:
    """Cut a number of resamples into block sizes that bound the memory.

    Examples
    --------
    >>> blocks(5, 10)
    [5]
    """
    size = max(1, min(resamples, _BLOCK_NUMBERS // max(width, 1)))
    full, rest = divmod(resamples, size)
    return [size] * full + ([rest] if rest else [])


class _Draws:
    """Clusters as they were drawn once; thousands of intervals of a report start from the same generator."""

    def __init__(self, index: np.ndarray, after: Mapping[str, Any]) -> None:
        self.index = index
        self.after = after
        self._counts: np.ndarray | None = None

    def sums(self, part: np.ndarray) -> np.ndarray:
        """Return the sum of each draw, to the bit as if added up in the order of the draw."""
        # whole numbers add up to the same in any order, so how often each was drawn is enough
        whole = bool(
            (part == np.rint(part)).all()
            and float(np.abs(part).sum()) * len(part) < 2.0**53
            and not (np.signbit(part) & (part == 0.0)).any()
        )
        if not whole:
            added: np.ndarray = part[self.index].sum(axis=1)
            return added
        if self._counts is None:
            rows, size = self.index.shape
            flat = (self.index + size * np.arange(rows)[:, None]).ravel()
            self._counts = np.bincount(flat, minlength=rows * size).reshape(rows, size).astype(np.float64)
        counted: np.ndarray = self._counts @ part
        return counted


#: the last draws, by what they were drawn from; each is of a single block and so of bounded memory
_DRAWS: OrderedDict[tuple[str, int, int], _Draws] = OrderedDict()
_KEPT = 8


def _draws_of(rng: np.random.Generator, size: int, resamples: int) -> _Draws:
    """Draw, or look up what this very state of the generator gives; it moves on as if it had drawn."""
    key = repr(rng.bit_generator.state), size, resamples
    draws = _DRAWS.get(key)
    if draws is None:
        index = rng.integers(0, size, size=(resamples, size))
        draws = _DRAWS[key] = _Draws(index, rng.bit_generator.state)
        if len(_DRAWS) > _KEPT:
            _DRAWS.popitem(last=False)
    else:
        _DRAWS.move_to_end(key)
        rng.bit_generator.state = dict(draws.after)
    return draws


def resample_sums(parts: Sequence[np.ndarray], rng: np.random.Generator, resamples: int) -> list[np.ndarray]:
    """Sums over jointly resampled clusters.

    Parameters
    ----------
    parts : sequence of ndarray, each of shape (S,)
        Per-cluster sums.
    rng : Generator
    resamples : int

    Returns
    -------
    list of ndarray, each of shape (resamples,)
        The same clusters are drawn for all parts.

    Examples
    --------
    >>> a = np.array([1., 2., 4.])
    >>> x, y = resample_sums([a, 2 * a], np.random.default_rng(0), 50)
    >>> bool((y == 2 * x).all())
    True
    """
    size = len(parts[0])
    out: list[list[np.ndarray]] = [[] for _ in parts]
    if len(blocks(resamples, size)) == 1 and isinstance(rng.bit_generator, np.random.PCG64):
        draws = _draws_of(rng, size, resamples)
        return [draws.sums(part) for part in parts]
    for block in blocks(resamples, size):
        index = rng.integers(0, size, size=(block, size))
        for sums, part in zip(out, parts, strict=True):
            sums.append(part[index].sum(axis=1))
    return [np.concatenate(sums) for sums in out]


def resample_counts(size: int, rng: np.random.Generator, resamples: int) -> np.ndarray:
    """Return how often each of S clusters is in each resample, float64 (resamples, S).

    The draws are those of :func:`resample_sums` from the same state of the generator.

    Examples
    --------
    >>> counts = resample_counts(3, np.random.default_rng(0), 50)
    >>> (one,) = resample_sums([np.array([1., 2., 4.])], np.random.default_rng(0), 50)
    >>> bool((counts @ np.array([1., 2., 4.]) == one).all())
    True
    """
    index = np.concatenate([rng.integers(0, size, size=(block, size)) for block in blocks(resamples, size)])
    flat = (index + size * np.arange(resamples)[:, None]).ravel()
    return np.bincount(flat, minlength=resamples * size).reshape(resamples, size).astype(np.float64)


def resample_two_level(
    grids: Sequence[np.ndarray], denominator: np.ndarray, rng: np.random.Generator, resamples: int
) -> tuple[list[np.ndarray], np.ndarray]:
    """Sums with training seeds and scenario clusters resampled independently of each other.

    Parameters
    ----------
    grids : sequence of ndarray, each of shape (repetitions, S)
        Per-cluster sums by training seed; each grid draws its own training seeds, all share the clusters.
    denominator : ndarray, shape (S,)
    rng : Generator
    resamples : int

    Returns
    -------
    tuple of (list of ndarray, ndarray), each of shape (resamples,)
        Sums of each grid, averaged over its drawn training seeds, and sums of the denominator.

    Notes
    -----
    The two-way ("pigeonhole") bootstrap of Owen 2007: slightly conservative where the interaction of
    training seed and scenario dominates.

    Examples
    --------
    >>> (num,), den = resample_two_level([np.ones((3, 4))], np.ones(4), np.random.default_rng(0), 10)
    >>> float(num[0]), float(den[0])
    (4.0, 4.0)
    """
    size = len(denominator)
    sums: list[list[np.ndarray]] = [[] for _ in grids]
    below = []
    width = size * max(len(grid) for grid in grids)
    for block in blocks(resamples, width):
        index = rng.integers(0, size, size=(block, size))
        below.append(denominator[index].sum(axis=1))
        for out, grid in zip(sums, grids, strict=True):
            reps = len(grid)
            if reps == 1:
                out.append(grid[0][index].sum(axis=1))
                continue
            mean = grid[rng.integers(0, reps, size=(block, reps))].mean(axis=1)
            out.append(np.take_along_axis(mean, index, axis=1).sum(axis=1))
    return [np.concatenate(out) for out in sums], np.concatenate(below)


def student_half_width(level: float, components: Sequence[tuple[float, int]]) -> float:
    """Half width of Student's t interval from bootstrap variances; arguments as in `expanded_tail`.

    Examples
    --------
    >>> round(student_half_width(.95, [(4., 5)]), 4)
    6.2083
    """
    from scipy.special import stdtrit

    total, freedom = _mended(components)
    return math.sqrt(total) * float(stdtrit(freedom, 0.5 + level / 2)) if total > 0.0 else 0.0


def _mended(components: Sequence[tuple[float, int]]) -> tuple[float, float]:
    """Unbiased total variance and Satterthwaite's degrees of freedom."""
    mended = [(v * n / (n - 1), n) for v, n in components]
    total = math.fsum(v for v, _ in mended)
    if total <= 0.0:
        return 0.0, math.inf
    return total, total**2 / math.fsum(v**2 / (n - 1) for v, n in mended)


def expanded_tail(level: float, components: Sequence[tuple[float, int]]) -> float:
    """Tail probability that makes a percentile interval as wide as Student's t would be.

    Parameters
    ----------
    level : float
        Nominal coverage.
    components : sequence of (variance, n)
        Bootstrap variance that each resampled axis contributes, and its number of units (at least 2).

    Returns
    -------
    float
        To be cut from each side; smaller than ``(1 - level) / 2``.

    Notes
    -----
    A bootstrap of n units is too narrow by sqrt((n - 1) / n) and ignores that the spread itself is
    estimated; the expanded percentile interval (Hesterberg 2015, "What teachers should know about the
    bootstrap", section 5.3) corrects both. For several axes the degrees of freedom are Satterthwaite's.

    Examples
    --------
    >>> round(expanded_tail(.95, [(1., 5)]), 5), round(expanded_tail(.95, [(1., 1000)]), 5)
    (0.00095, 0.0248)
    """
    from scipy.special import ndtr, stdtrit

    plain = math.fsum(v for v, _ in components)
    total, freedom = _mended(components)
    if plain <= 0.0:
        return (1 - level) / 2
    return float(ndtr(-math.sqrt(total / plain) * stdtrit(freedom, 0.5 + level / 2)))


def ends(
    draws: np.ndarray,
    value: float,
    level: float,
    kind: Kind,
    *,
    components: Sequence[tuple[float, int]],
    jackknife: Callable[[], np.ndarray] | None = None,
) -> tuple[float, float]:
    """Interval ends from a bootstrap distribution.

    Parameters
    ----------
    draws : ndarray, shape (resamples,)
        Resampled statistics, all finite.
    value : float
        The statistic of the data.
    level : float
    kind : {"expanded", "percentile", "bca", "t"}
    components : sequence of (variance, n)
        For ``expanded`` and ``t``, see `expanded_tail`.
    jackknife : callable, optional
        Leave-one-cluster-out statistics for ``bca`` (Efron 1987).

    Examples
    --------
    >>> ends(np.arange(101.), 50., .5, "percentile", components=[])
    (25.0, 75.0)
    """
    tail = (1 - level) / 2
    if kind == "t":
        half = student_half_width(level, components)
        return value - half, value + half
    if kind == "expanded":
        tail = expanded_tail(level, components)
    low, high = tail, 1 - tail
    if kind == "bca":
        if jackknife is None:
            raise ConfigError(
                "a BCa interval needs one resampled axis", remedy="use kind='expanded' or kind='percentile'"
            )
        low, high = _bca_levels(draws, value, jackknife(), tail)
    a, b = np.quantile(draws, [low, high])
    return float(a), float(b)


def _bca_levels(draws: np.ndarray, value: float, left_out: np.ndarray, tail: float) -> tuple[float, float]:
    from scipy.special import ndtr, ndtri

    # ties count half: a constant statistic has no bias; the bounds keep z0 finite
    below = float(np.mean((draws < value) + 0.5 * (draws == value)))
    edge = 0.5 / len(draws)
    z0 = float(ndtri(min(max(below, edge), 1 - edge)))
    spread = left_out.mean() - left_out
    scale = float(np.sum(spread**2)) ** 1.5
    a = float(np.sum(spread**3)) / (6 * scale) if scale > 0.0 else 0.0
    z = float(ndtri(tail))

    def level_at(z_tail: float) -> float:
        return float(ndtr(z0 + (z0 + z_tail) / (1 - a * (z0 + z_tail))))

    return level_at(z), level_at(-z)
