"""Intervals that resample training seeds and scenarios independently of each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.core.errors import ConfigError
from mlopsim.stats.interval import NAN, NOTHING, Interval
from mlopsim.stats.resampling import Kind, check_kind, ends, resample_two_level

NO_GAIN = "the upper bound gains nothing over never in these scenarios"


def as_grid(values: ArrayLike, name: str) -> np.ndarray:
    """Return (seeds, tasks); one axis counts as one task.

    Examples
    --------
    >>> as_grid([1., 2.], "R").shape
    (2, 1)
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise ConfigError(f"{name} must have the shape (seeds, tasks), got {array.shape}")
    return array


def _repeated(values: ArrayLike, name: str) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    return array if array.ndim == 3 else as_grid(array, name)[None]


def too_few(n: int, what: str = "seed") -> str:
    """Reason for a missing interval; empty if there are enough units.

    Examples
    --------
    >>> too_few(1), too_few(2)
    ('1 seed: an interval needs at least 2', '')
    """
    return "" if n >= 2 else f"{n} {what}{'' if n == 1 else 's'}: an interval needs at least 2"


def same_scenarios(shape: tuple[int, ...], *others: np.ndarray) -> None:
    """Raise ConfigError unless all arrays have the same last two axes."""
    for other in others:
        if other.shape[-2:] != shape[-2:]:
            raise ConfigError(
                f"paired arrays differ in (seeds, tasks): {shape[-2:]} and {other.shape[-2:]}",
                remedy="give one entry per scenario in the same order, NaN where a cell failed",
            )


def two_level(
    terms: list[tuple[np.ndarray, float]],
    never: np.ndarray,
    upper: np.ndarray,
    rng: np.random.Generator,
    level: float,
    kind: Kind,
    resamples: int,
) -> Interval:
    """Interval of the signed sum of normalised scores, training seeds and scenarios resampled.

    Parameters
    ----------
    terms : list of (ndarray, sign)
        Returns of shape (repetitions, seeds, tasks), or (seeds, tasks) for a method without training seeds.
    never, upper : ndarray, shape (seeds, tasks)
    rng, level, kind, resamples
        As in `bootstrap.ns_interval`.

    Examples
    --------
    >>> R = np.arange(24.).reshape(3, 8, 1)
    >>> two_level([(R, 1.)], np.zeros((8, 1)), np.full((8, 1), 23.), np.random.default_rng(0), .95, "t", 100)
    Interval(0.5 [-0.325, 1.33], n=8)
    """
    check_kind(kind, level, resamples)
    if kind == "bca":
        raise ConfigError(
            "a BCa interval needs one resampled axis", remedy="use kind='expanded' or kind='percentile'"
        )
    arrays = [(_repeated(x, "returns"), sign, x.ndim == 3) for x, sign in terms]
    ok = np.isfinite(never) & np.isfinite(upper)
    for x, _, _ in arrays:
        same_scenarios(x.shape, never, upper)
        ok &= np.isfinite(x).all(axis=0)
    cells, excluded = int(ok.sum()), int((~ok).sum())
    used = ok.any(axis=1)
    n = int(used.sum())
    below = np.where(ok, upper - never, 0.0).sum(axis=1)[used]
    # for a difference the returns of never cancel; for one term they are subtracted
    shift = never if len(arrays) == 1 else np.zeros_like(never)
    grids = [sign * np.where(ok, x - shift, 0.0).sum(axis=2)[:, used] for x, sign, _ in arrays]
    repeated = [len(g) for g, (_, _, three) in zip(grids, arrays, strict=True) if three]
    repetitions = min(repeated, default=0)

    def result(value: float, low: float = NAN, high: float = NAN, reason: str = "") -> Interval:
        return Interval(
            value=value,
            low=low,
            high=high,
            n=n,
            level=level,
            reason=reason,
            cells=cells * sum(len(g) for g in grids),
            excluded=excluded * sum(len(g) for g in grids),
            repetitions=repetitions,
        )

    if n == 0:
        return result(NAN, reason="no seed with all values defined")
    total = float(below.sum())
    floor = NOTHING * cells
    if total <= floor:
        return result(NAN, reason=NO_GAIN)
    above = np.sum([g.mean(axis=0) for g in grids], axis=0)
    value = float(above.sum()) / total
    if reason := too_few(n) or too_few(repetitions, "training seed"):
        return result(value, reason=reason)
    sums, bottom = resample_two_level(grids, below, rng, resamples)
    bad = int((bottom <= floor).sum())
    if bad:
        return result(value, reason=f"undefined in {bad} of {resamples} resamples: {NO_GAIN}")
    influence = (above - value * below) / total
    components = [(float(np.sum(influence**2)), n)]
    for grid, (_, _, three) in zip(grids, arrays, strict=True):
        if three:
            by_seed = grid.sum(axis=1) / total
            components.append((float(np.var(by_seed)) / len(grid), len(grid)))
    low, high = ends(np.sum(sums, axis=0) / bottom, value, level, kind, components=components)
    return result(value, low, high)
