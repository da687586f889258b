"""The contract of schedules: which concept is active when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make, part
from mlopsim.streams.layout import Layout


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of concept: it begins at row ``start`` and is complete at row ``end``."""

    start: int
    end: int
    before: int
    after: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which concept each row follows.

    Parameters
    ----------
    a, b : ndarray of int64, shape (n,)
        The variants between which a row lies.
    weight : ndarray of float64, shape (n,)
        Share of b, 0..1.
    blend : bool
        True: a row's parameters lie between those of a and b. False: a row is drawn from b with
        probability ``weight``, else from a.
    changes : tuple of Change
        The truth.
    """

    a: np.ndarray
    b: np.ndarray
    weight: np.ndarray
    blend: bool
    changes: tuple[Change, ...]


@dataclass(kw_only=True)
class Schedule:
    """Base of all schedules; the subclass says how wide a change is and which concept comes next.

    Parameters
    ----------
    duration : spec of a duration
        Law of the time, in windows, from the beginning of one change to that of the next (the first
        from the end of the warm-up). A duration shorter than a change is lengthened to it, and to one
        row at least.
    order : list of int or None
        Variants in the order in which they come, over and over; None: drawn at random.
    limit : int or None
        Largest number of changes; None: as many as fit.
    """

    duration: object = part("duration", "geometric")
    order: list[int] | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.order is not None and not self.order:
            raise ConfigError("schedule.order is empty", remedy="name at least one variant, or null")
        if self.limit is not None and not self.limit >= 0:
            raise ConfigError(f"schedule.limit must be at least 0, got {self.limit}")
        make("duration", self.duration)

    def plan(self, layout: Layout, count: int, rng: np.random.Generator) -> Plan:
        """Return the plan of a stream.

        Parameters
        ----------
        layout : Layout
            Size of the stream; nothing changes before ``layout.first``.
        count : int
            Number of variants of the concept.
        rng : numpy.random.Generator
            Draws durations and variants.

        Returns
        -------
        Plan
            With arrays of shape (n,).

        Raises
        ------
        ConfigError
            If a change is asked for and the concept has one variant only, or ``order`` names one that
            does not exist.
        """
        raise NotImplementedError

    def visits(self, count: int, size: int, rng: np.random.Generator) -> np.ndarray:
        """Return the first ``size`` variants, neighbours differing, int64 of shape (size,).

        At random: a new concept each time until all have been seen, then in a new random order.
        """
        if self.order is not None:
            if not all(0 <= variant < count for variant in self.order):
                raise ConfigError(f"schedule.order {self.order}: the concept has the variants 0..{count - 1}")
            return np.resize(np.array(self.order, dtype=np.int64), size)
        if count < 2 and size > 1:
            raise ConfigError(
                "the concept has one variant only, so it cannot change",
                remedy="raise its number of variants, or use the schedule none",
            )
        seen: list[int] = []
        while len(seen) < size:
            block = rng.permutation(count)
            if seen and block[0] == seen[-1]:
                block = np.roll(block, 1)
            seen.extend(int(variant) for variant in block)
        return np.array(seen[:size], dtype=np.int64)

    def starts(self, layout: Layout, width: int, rng: np.random.Generator) -> np.ndarray:
        """Return the rows at which changes begin, at least ``max(width, 1)`` apart, int64 of shape (m,)."""
        law = make("duration", self.duration)
        found: list[int] = []
        row = layout.first
        shortest = max(width, 1)
        while self.limit is None or len(found) < self.limit:
            step = round(float(law.draw(1, rng)[0]) * layout.rows)
            row += max(step, 1 if not found else shortest)
            if row >= layout.n:
                break
            found.append(row)
        return np.array(found, dtype=np.int64)

    def steps(self, layout: Layout, count: int, width: float, blend: bool, rng: np.random.Generator) -> Plan:
        """Return a plan of changes that each take ``width`` windows (0: abrupt)."""
        rows = round(width * layout.rows)
        starts = self.starts(layout, rows, rng)
        visits = self.visits(count, len(starts) + 1, rng)
        a = np.full(layout.n, visits[0], dtype=np.int64)
        b = a.copy()
        weight = np.zeros(layout.n)
        changes: list[Change] = []
        for i, start in enumerate(starts):
            before, after = int(visits[i]), int(visits[i + 1])
            if before == after:
                continue
            end = min(int(start) + rows, layout.n)
            a[start:end], b[start:end], a[end:], b[end:] = before, after, after, after
            weight[start:end] = np.arange(1, end - int(start) + 1) / (rows + 1.0)
            changes.append(Change(start=int(start), end=end, before=before, after=after))
        return Plan(a=a, b=b, weight=weight, blend=blend, changes=tuple(changes))
