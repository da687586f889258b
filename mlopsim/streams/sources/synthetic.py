"""Synthetic streams: a concept, a schedule, shifts, label noise and protected groups."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range, make, part
from mlopsim.core.track import Attribute
from mlopsim.streams.concepts.base import Concept, Law
from mlopsim.streams.layout import Layout, branch
from mlopsim.streams.schedules.base import Plan, Schedule
from mlopsim.streams.shifts.base import Shift
from mlopsim.streams.stream import DriftEvent, DriftKind, Stream

#: rounds of resampling after which a shift counts as impossible
ROUNDS = 20_000


@register("stream", "synthetic")
@dataclass(kw_only=True)
class Synthetic:
    r"""A stream of known law.

    The parameters of the concept, the schedule, each shift, the rows and the label noise have random
    streams of their own: with the same seed, the drift-free version of a task (``schedule=none``) has
    the same concept, and a noisy version the same rows.

    With label noise :math:`\nu` and C classes, :math:`P(\tilde y = k \mid y) = \nu / (C - 1)` for
    :math:`k \ne y`.

    Parameters
    ----------
    windows, rows, warmup : int
        Number of windows T, rows a window, windows of history.
    concept : spec of a concept
        The family of laws.
    schedule : spec of a schedule
        Which of its variants is active when.
    shifts : list of specs of shifts
        Changes beside the concept, applied in this order.
    noise : float, default 0.0
        Probability that a label is replaced by another one, drawn uniformly; ``biased`` says which.
    groups : list of float
        Shares of the protected groups, adding up to 1; one entry: no groups.
    group_feature : bool, default False
        Whether the group is also the last feature (categorical).
    bayes : bool, default True
        Whether to compute the Bayes accuracy of each row.

    Notes
    -----
    Use it where the law must be known: delays, false alarms and the best possible accuracy are then exact.

    Examples
    --------
    >>> source = Synthetic(concept="sea", schedule={"abrupt": {"duration": {"fixed": {"mean": 50}}}})
    >>> stream = source.generate(np.random.SeedSequence(1))
    >>> stream.X.shape, stream.windows, [event.start for event in stream.events]
    ((12000, 3), 120, [6000, 11000])
    """

    windows: int = 120
    rows: int = 100
    warmup: int = 10
    concept: object = part("concept", "linear_gaussian")
    schedule: object = part("schedule", "abrupt")
    shifts: list[object] = part("shift", [], many=True)
    noise: float = 0.0
    groups: list[float] = field(default_factory=lambda: [1.0])
    group_feature: bool = False
    bayes: bool = True

    def __post_init__(self) -> None:
        self.layout = Layout(windows=self.windows, rows=self.rows, warmup=self.warmup)
        check_range("synthetic.noise", self.noise, 0.0, 1.0)
        if not self.groups or min(self.groups) <= 0 or not math.isclose(sum(self.groups), 1.0, abs_tol=1e-9):
            raise ConfigError(
                f"synthetic.groups are shares above 0 that add up to 1, got {self.groups}",
                remedy="e.g. groups=[0.7,0.3]",
            )
        make("concept", self.concept)
        make("schedule", self.schedule)
        for shift in self.shifts:
            make("shift", shift)

    def facts(self) -> dict[str, Attribute]:
        """Return how its concept changes: the name of its schedule."""
        return {"scenario": make("schedule", self.schedule).name}

    def drift_free(self, rows: int) -> Synthetic:
        """Return the stream of the same law without any change, with at least so many deployed rows.

        Examples
        --------
        >>> quiet = Synthetic(schedule={"abrupt": {"order": [2, 0]}}, shifts=["covariate"]).drift_free(250)
        >>> quiet.schedule, quiet.shifts, quiet.windows
        ({'none': {'order': [2]}}, [], 13)
        """
        order = make("schedule", self.schedule).order
        return dataclasses.replace(
            self,
            windows=self.warmup + max(1, -(-rows // self.rows)),
            schedule={"none": {"order": None if order is None else order[:1]}},
            shifts=[],
        )

    def generate(self, seed: np.random.SeedSequence) -> Stream:
        """Draw the stream.

        Parameters
        ----------
        seed : numpy.random.SeedSequence
            Of the scenario; the same seed gives the same stream, to the bit.

        Returns
        -------
        Stream
            With events, concept, Bayes accuracy and changed labels as truth. The Bayes accuracy of a
            row is max_c P(c | x) under the law that it was drawn from; NaN where a prior shift leaves
            it without a closed form.

        Raises
        ------
        ConfigError
            If concept, schedule and shifts do not fit together.
        DataError
            If a shift asks for rows that the concept practically never produces.
        """
        layout = self.layout
        concept: Concept = make("concept", self.concept)
        concept.reset(np.random.default_rng(branch(seed, 0)))
        schedule: Schedule = make("schedule", self.schedule)
        plan = schedule.plan(layout, concept.count, np.random.default_rng(branch(seed, 1)))
        rng = np.random.default_rng(branch(seed, 2))
        g = _groups(self.groups, layout.n, np.random.default_rng(branch(seed, 6)))
        law = _law(plan, concept, np.random.default_rng(branch(seed, 7)))
        shifts: list[Shift] = [make("shift", shift) for shift in self.shifts]
        events = _concept_events(plan, concept, np.random.default_rng(branch(seed, 4)))
        every = np.arange(layout.n)
        for i, shift in enumerate(shifts):
            own = np.random.default_rng(branch(seed, 5, i))
            events.extend(shift.reset(concept, layout, len(self.groups), own))
            law = shift.concepts(law, every, g, own)
        X, y, resampled = _draw(concept, law, g, shifts, rng)
        biased, noisy = _noise(y, len(concept.classes), self.noise, np.random.default_rng(branch(seed, 3)))
        return Stream(
            X=np.column_stack([X, g]) if self.group_feature else X,
            y=noisy,
            bounds=layout.bounds,
            warmup=self.warmup,
            classes=concept.classes,
            features=(*concept.features, "group") if self.group_feature else concept.features,
            g=g,
            groups=self._group_names(),
            categories=self._categories(concept),
            events=tuple(sorted(events, key=lambda event: (event.start, event.end, event.kind.value))),
            concept=law.nearest,
            bayes=_bayes(concept, X, law, resampled, self.noise) if self.bayes else None,
            biased=biased,
            true_y=y,
        )

    def _group_names(self) -> tuple[str, ...]:
        if len(self.groups) == 1:
            return ("all",)
        return tuple(f"g{i}" for i in range(len(self.groups)))

    def _categories(self, concept: Concept) -> dict[int, tuple[str, ...]]:
        categories = dict(concept.categories)
        if self.group_feature:
            categories[len(concept.features)] = self._group_names()
        return categories


def _groups(shares: list[float], n: int, rng: np.random.Generator) -> np.ndarray:
    if len(shares) == 1:
        return np.zeros(n, dtype=np.int64)
    inner = np.cumsum(shares)[:-1]
    return np.asarray(np.searchsorted(inner, rng.random(n), side="right"), dtype=np.int64)


def _law(plan: Plan, concept: Concept, rng: np.random.Generator) -> Law:
    """Turn the plan into the law of each row: blended parameters, or one concept drawn per row."""
    if plan.blend:
        law = Law(plan.a, plan.b, plan.weight)
    elif plan.weight.any():
        law = Law.of(np.where(rng.random(len(plan.a)) < plan.weight, plan.b, plan.a))
    else:
        law = Law.of(plan.a)
    concept.check(law)
    return law


def _concept_events(plan: Plan, concept: Concept, rng: np.random.Generator) -> list[DriftEvent]:
    sizes: dict[tuple[int, int], float] = {}
    events: list[DriftEvent] = []
    for change in plan.changes:
        low, high = sorted((change.before, change.after))
        if (low, high) not in sizes:
            sizes[low, high] = concept.distance(low, high, rng)
        events.append(
            DriftEvent(
                kind=DriftKind.CONCEPT,
                start=change.start,
                end=change.end,
                magnitude=sizes[low, high],
                detail=f"variant {change.before} to {change.after}; share of likeliest labels that change",
            )
        )
    return events


def _draw(
    concept: Concept, law: Law, g: np.ndarray, shifts: list[Shift], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw all rows; rows that a shift rejects are drawn again until it keeps them.

    Returns inputs, labels, and which rows had to get a label that a prior shift chose.
    """
    n = len(law)
    every = np.arange(n)
    wanted = np.full(n, -1, dtype=np.int64)
    for shift in shifts:
        label = shift.wanted(every, g, rng)
        if label is not None:
            wanted = np.where(label >= 0, label, wanted)
    X, y = concept.sample(law, rng)
    y = y.astype(np.int64, copy=False)
    pending = _settle(concept, law, g, shifts, wanted, every, X, y, rng)
    for _ in range(ROUNDS):
        if not len(pending):
            return X, y, wanted >= 0
        fresh_X, fresh_y = concept.sample(law.take(pending), rng)
        X[pending], y[pending] = fresh_X, fresh_y
        pending = _settle(concept, law, g, shifts, wanted, pending, X, y, rng)
    raise DataError(
        f"{concept.full_name} did not produce {len(pending)} of the rows that the shifts ask for",
        remedy="use a weaker shift, or another concept",
    )


def _settle(
    concept: Concept,
    law: Law,
    g: np.ndarray,
    shifts: list[Shift],
    wanted: np.ndarray,
    rows: np.ndarray,
    X: np.ndarray,
    y: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Move the inputs of freshly drawn rows, relabel them, and return the rows to be drawn again."""
    if not shifts:
        return rows[:0]
    before = X[rows]
    after = before
    for shift in shifts:
        moved = shift.move(after, rows, g[rows])
        after = after if moved is None else moved
    if after is not before:
        changed = (after != before).any(axis=1)
        hit = rows[changed]
        X[hit] = after[changed]
        y[hit] = concept.labels(X[hit], law.take(hit), rng)
    good = (wanted[rows] < 0) | (y[rows] == wanted[rows])
    for shift in shifts:
        chance = shift.keep(X[rows], rows, g[rows])
        if chance is not None:
            good &= rng.random(len(rows)) < chance
    return np.asarray(rows[~good])


def _noise(
    y: np.ndarray, classes: int, noise: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return which labels change, and the labels after it."""
    if noise == 0.0:
        return np.zeros(len(y), dtype=bool), y
    flip = rng.random(len(y)) < noise
    other = (y + rng.integers(1, classes, size=len(y))) % classes
    return flip, np.where(flip, other, y)


def _bayes(concept: Concept, X: np.ndarray, law: Law, resampled: np.ndarray, noise: float) -> np.ndarray:
    """Return max_c P(c | x) of each row after label noise; NaN where a prior shift makes it unknown."""
    classes = len(concept.classes)
    if not concept.noisy:
        best = np.ones(len(X))
    else:
        best = concept.posterior(X, law).max(axis=1)
        best[resampled] = np.nan
    clean, flipped = 1.0 - noise, noise / (classes - 1)
    if clean >= flipped:
        return np.asarray(best * clean + (1.0 - best) * flipped)
    return np.full(len(X), np.nan) if concept.noisy else np.full(len(X), flipped)
