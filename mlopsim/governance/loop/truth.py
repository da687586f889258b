"""What versions really do to groups in each window, beside what a deployment measures of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.spec import make
from mlopsim.streams.course import Course, Law
from mlopsim.streams.sources.population import Population

if TYPE_CHECKING:
    from mlopsim.world.world import World

#: log2 of the people of each group that stand for a population
POINTS = 13
#: windows before and after a window that are pooled with it where no law is known
REACH = 2


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Rates of every version in every window; NaN where there is no row that counts, rows below v0 are NaN.

    Parameters
    ----------
    accuracy : ndarray of float64, shape (T, T)
        Share of right answers.
    by_group : ndarray of float64, shape (T, T, G)
        The same in each group.
    accepted : ndarray of float64, shape (T, T, G)
        Share of answers of class 1; NaN with more than two classes.
    hit : ndarray of float64, shape (T, T, G)
        The same of the rows whose label is 1: the true-positive rate.
    unapproved : ndarray of float64, shape (T,)
        Share of the rows that a version was trained on that are wrong.
    approved_base : float
        The same of all rows of the warm-up, as they come.
    """

    accuracy: np.ndarray
    by_group: np.ndarray
    accepted: np.ndarray
    hit: np.ndarray
    unapproved: np.ndarray
    approved_base: float


def rates_of(counts: np.ndarray, v0: int) -> Rates:
    """Return rates from confusion counts; of training rows nothing is known.

    Parameters
    ----------
    counts : ndarray of int, shape (T, T, G, C, C)
        ``[v, t, group, y, yhat]``.
    v0 : int
        First version.

    Examples
    --------
    >>> counts = np.array([[[[[6, 2], [1, 3]], [[2, 2], [1, 1]]]]])
    >>> found = rates_of(counts, 0)
    >>> found.accuracy[0, 0].round(3), found.accepted[0, 0].round(3), found.hit[0, 0]
    (np.float64(0.667), array([0.417, 0.5  ]), array([0.75, 0.5 ]))
    """
    windows, _, groups, classes, _ = counts.shape
    right = np.trace(counts, axis1=3, axis2=4).astype(np.float64)
    rows = counts.sum(axis=(3, 4)).astype(np.float64)
    accepted = hit = np.full((windows, windows, groups), np.nan)
    if classes == 2:
        accepted = _ratio(counts[..., 1].sum(axis=3), rows)
        hit = _ratio(counts[..., 1, 1], counts[..., 1, :].sum(axis=3))
    found = Rates(
        accuracy=_ratio(right.sum(axis=2), rows.sum(axis=2)),
        by_group=_ratio(right, rows),
        accepted=accepted,
        hit=hit,
        unapproved=np.zeros(windows),
        approved_base=0.0,
    )
    for name in ("accuracy", "by_group", "accepted", "hit"):
        getattr(found, name)[:v0] = np.nan
    return found


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    above, below = np.broadcast_arrays(above, np.asarray(below, dtype=np.float64))
    found: np.ndarray = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return found


def measured(world: World) -> Rates:
    """Return what a deployment measures: the rates among the rows of each window."""
    return rates_of(np.asarray(world.counts), world.v0)


def law_of(world: World) -> Rates:
    """Return the truth: of a population from its law, else from pooled windows.

    Populations (also with errors put into what is trained on, and those that a seed draws) are stood for by
    ``2**13`` people of each group (:class:`mlopsim.fairness.norm_violations.Truth`), with the bias as strong
    as in the window, rule and merits as they are then (where rows follow one of two, both, in their shares)
    and the labels as they should be. Elsewhere the counts of a window are pooled with those of the two before
    and after it that the version was not trained on.

    Parameters
    ----------
    world : World
        Its stream is drawn again; it is let go afterwards.

    Returns
    -------
    Rates
    """
    cells = cells_of(world)
    found = _of_pooled(world) if cells is None else _of_cells(cells, world.v0)
    unapproved, base = wrong_shares(world)
    return Rates(
        accuracy=found.accuracy,
        by_group=found.by_group,
        accepted=found.accepted,
        hit=found.hit,
        unapproved=unapproved,
        approved_base=base,
    )


def _population(source: Any, seed: np.random.SeedSequence) -> Population | None:
    """Return the population behind a stream, where there is one."""
    while not isinstance(source, Population):
        if hasattr(source, "drawn"):
            source = source.drawn(seed)
        elif hasattr(source, "innermost"):
            source = source.innermost
        else:
            return None
    return source


def cells_of(world: World) -> np.ndarray | None:
    """Return what every version really does to each group in each window: probabilities by the law.

    Parameters
    ----------
    world : World
        Its stream is drawn again.

    Returns
    -------
    ndarray of float64, shape (T, T, G, 2, 2), or None
        ``[v, t, group, y, yhat]``, y being the label as it should be; the cells of a group add up to 1, rows
        below v0 are NaN. None where no law is known: it is known of populations (:func:`law_of`).
    """
    if world.spec is None:
        return None
    seed = world.spec.scenario_seed
    source = _population(make("stream", world.spec.stream), seed)
    return None if source is None else _population_cells(world, source, source.course(seed))


def _population_cells(world: World, source: Population, course: Course) -> np.ndarray:
    from mlopsim.fairness.norm_violations import Truth

    people = Truth(source=source, encode=world.source.encoder.transform)
    strengths = source.strengths()
    T, v0, groups = world.windows, world.v0, 2 * source.attributes
    cells = np.zeros((T, T, groups, 2, 2))
    cells[:v0] = np.nan
    # windows by law: each law is looked at once
    places: dict[tuple[float, Law], list[tuple[int, float]]] = {}
    for t in range(T):
        for share, law in course.laws(t):
            places.setdefault((float(strengths[t]), law), []).append((t, share))
    for (strength, law), windows in places.items():
        rows, true, _ = people.points(strength, POINTS, law)
        says = (world.source.answers(rows) == 1).reshape(T - v0, groups, -1)
        positive = (true == 1).reshape(groups, -1)
        hits = (says & positive).mean(axis=2)
        accepted, deserving = says.mean(axis=2), positive.mean(axis=1)
        known = np.stack([1.0 - accepted - deserving + hits, accepted - hits, deserving - hits, hits], axis=2)
        for t, share in windows:
            cells[v0:, t] += share * known.reshape(*hits.shape, 2, 2)
    return cells


def _of_cells(cells: np.ndarray, v0: int) -> Rates:
    """Return the rates of probabilities, groups being equally large."""
    right = cells[..., 0, 0] + cells[..., 1, 1]
    found = Rates(
        accuracy=right.mean(axis=2),
        by_group=right,
        accepted=cells[..., 1].sum(axis=3),
        hit=_ratio(cells[..., 1, 1], cells[..., 1, :].sum(axis=3)),
        unapproved=np.zeros(len(cells)),
        approved_base=0.0,
    )
    for name in ("accuracy", "by_group", "accepted", "hit"):
        getattr(found, name)[:v0] = np.nan
    return found


def _of_pooled(world: World) -> Rates:
    counts = np.asarray(world.counts).astype(np.int64)
    T = world.windows
    total = np.concatenate([np.zeros_like(counts[:, :1]), counts.cumsum(axis=1)], axis=1)
    pooled = counts.copy()
    window = np.arange(T)
    for v in range(world.v0, T):
        # what a version was trained on flatters it; what it was trained on it never serves
        later = window[v + 1 :]
        low, high = np.maximum(later - REACH, v + 1), np.minimum(later + REACH, T - 1)
        pooled[v, later] = total[v, high + 1] - total[v, low]
    return rates_of(pooled, world.v0)


def wrong_shares(world: World) -> tuple[np.ndarray, float]:
    """Return the share of wrong rows among those that each version was trained on, and in the warm-up.

    Wrong are rows with a cell or label that the truth about the stream marks as changed; where it marks
    nothing none is. Rows that a data gate has dropped were not trained on.

    Returns
    -------
    shares : ndarray of float64, shape (T,)
        0 below v0.
    warmup : float
    """
    source = world.source
    stream, fed = source.stream, source.fed
    wrong = np.zeros(len(stream.y), dtype=np.bool_)
    if stream.corrupted is not None:
        wrong |= stream.corrupted.any(axis=1)
    if stream.biased is not None:
        wrong |= stream.biased
    keep = np.ones(len(wrong), dtype=np.bool_) if fed is None else fed.keep
    bounds, T = world.bounds, world.windows

    def by_window(which: np.ndarray) -> np.ndarray:
        inside = np.add.reduceat(which[: bounds[T]].astype(np.float64), bounds[:T])
        return np.concatenate([[0.0], inside.cumsum()])

    bad, rows = by_window(wrong & keep), by_window(keep)
    v = np.arange(world.v0, T)
    shares = np.zeros(T)
    number = rows[v + 1] - rows[world.start[v]]
    shares[v] = np.divide(bad[v + 1] - bad[world.start[v]], number, out=np.zeros(len(v)), where=number > 0)
    first = int(bounds[world.warmup])
    return shares, float(wrong[:first].mean())
