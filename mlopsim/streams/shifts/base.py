"""The contract of shifts: changes beside the concept."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import check_range
from mlopsim.streams.concepts.base import Concept, Law
from mlopsim.streams.layout import Layout
from mlopsim.streams.stream import DriftEvent, DriftKind


@dataclass(kw_only=True)
class Shift:
    """Base of all shifts: when it comes and goes; subclasses say what it does.

    A source calls :meth:`reset` once and then, for rows that it draws, the hooks :meth:`concepts`,
    :meth:`wanted`, :meth:`move` and :meth:`keep`. A hook that a shift does not need changes nothing.

    Parameters
    ----------
    at : int or None
        Window in which it begins; 0: there from the first row on, without an event; None: drawn
        uniformly from the deployed windows, the first and last tenth left out.
    width : float, default 0.0
        Windows until it is fully there; 0 is abrupt.
    until : int or None
        Window in which it ends as it came; None: it stays.
    """

    at: int | None = None
    width: float = 0.0
    until: int | None = None
    strength: np.ndarray = field(init=False, repr=False, compare=False, default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        check_range("shift.width", self.width, 0.0, 1e6)
        if self.at is not None and not self.at >= 0:
            raise ConfigError(f"shift.at must be at least 0, got {self.at}")
        if self.until is not None and not self.until > (self.at or 0):
            raise ConfigError(f"shift.until must come after shift.at, got {self.until}")
        for name in ("feature", "label"):
            value = getattr(self, name, None)
            if value is not None and not value >= 0:
                raise ConfigError(f"shift.{name} must be at least 0, got {value}", remedy="count from 0")

    def reset(
        self, concept: Concept, layout: Layout, groups: int, rng: np.random.Generator
    ) -> tuple[DriftEvent, ...]:
        """Draw what is random about it and return its events.

        Parameters
        ----------
        concept : Concept
            Reset already.
        layout : Layout
            Size of the stream.
        groups : int
            Number of protected groups.
        rng : numpy.random.Generator
            Source of randomness.

        Raises
        ------
        ConfigError
            If it begins in the warm-up (other than at 0) or after the end.
        """
        low = layout.warmup + max(1, round(0.1 * (layout.windows - layout.warmup)))
        drawn = int(rng.integers(low, max(low + 1, layout.windows - (low - layout.warmup))))
        at = drawn if self.at is None else self.at
        if (0 < at < layout.warmup) or at >= layout.windows:
            raise ConfigError(
                f"a shift cannot begin in window {at}: deployed are {layout.warmup}..{layout.windows - 1}",
                remedy="choose shift.at in the deployment, or 0 for a shift that is always there",
            )
        rows = round(self.width * layout.rows)
        spans: list[tuple[int, int, bool]] = []
        self.strength = np.ones(layout.n)
        if at > 0:
            start = at * layout.rows
            self.strength = layout.ramp(start, start + rows)
            spans.append((start, min(start + rows, layout.n), True))
        if self.until is not None and self.until < layout.windows:
            start = self.until * layout.rows
            if start < at * layout.rows + rows or start < layout.first:
                raise ConfigError(
                    f"a shift from window {at} on, {self.width} wide, cannot end in {self.until}",
                    remedy="choose a later shift.until",
                )
            self.strength = self.strength * (1.0 - layout.ramp(start, start + rows))
            spans.append((start, min(start + rows, layout.n), False))
        self.prepare(concept, layout, groups, rng)
        kind, magnitude, detail = self.describe()
        return tuple(
            DriftEvent(
                kind=kind, start=a, end=b, magnitude=magnitude, detail=detail if comes else f"back: {detail}"
            )
            for a, b, comes in spans
        )

    def check(self, concept: Concept) -> None:
        """Raise ConfigError if it cannot be applied to a concept; nothing is drawn."""

    def prepare(self, concept: Concept, layout: Layout, groups: int, rng: np.random.Generator) -> None:
        """Draw what is random about it and check it against the concept."""

    def describe(self) -> tuple[DriftKind, float, str]:
        """Return kind, magnitude and detail of its events."""
        raise NotImplementedError

    def concepts(self, law: Law, rows: np.ndarray, g: np.ndarray, rng: np.random.Generator) -> Law:
        """Return the law that rows follow, given that of the schedule."""
        return law

    def wanted(self, rows: np.ndarray, g: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
        """Return the label that each row must get by resampling, int64 of shape (m,), -1: any; or None."""
        return None

    def move(self, X: np.ndarray, rows: np.ndarray, g: np.ndarray) -> np.ndarray | None:
        """Return moved inputs, before labels are drawn, or None if nothing moves."""
        return None

    def keep(self, X: np.ndarray, rows: np.ndarray, g: np.ndarray) -> np.ndarray | None:
        """Return the probability with which a drawn row is kept (else drawn again), shape (m,), or None."""
        return None


def movable(concept: Concept, feature: int | None) -> list[int]:
    """Return the numeric features of a concept.

    Raises
    ------
    ConfigError
        If there is none, or ``feature`` is not one of them.
    """
    numeric = [i for i in range(len(concept.features)) if i not in concept.categories]
    if feature is not None and feature not in numeric:
        raise ConfigError(
            f"feature {feature} of {concept.full_name} is not numeric",
            remedy=f"one of {numeric}" if numeric else "use the shift covariate with mode=resample",
        )
    if not numeric:
        raise ConfigError(
            f"{concept.full_name} has no numeric feature that could move",
            remedy="use the shift covariate with mode=resample",
        )
    return numeric


class Mover:
    """A displacement of numeric inputs in units of their standard deviation."""

    def __init__(
        self, concept: Concept, feature: int | None, magnitude: float, scale: float, rng: np.random.Generator
    ) -> None:
        numeric = movable(concept, feature)
        variants = np.arange(2000) % concept.count
        X = concept.inputs(Law.of(variants), rng)
        self.mean, self.sd = X.mean(axis=0), X.std(axis=0)
        self.direction = np.zeros(X.shape[1])
        if feature is None:
            raw = rng.standard_normal(len(numeric))
            self.direction[numeric] = raw / np.sqrt((raw * raw).sum())
        else:
            self.direction[feature] = 1.0
        self.numeric = np.isin(np.arange(X.shape[1]), numeric if feature is None else [feature])
        self.magnitude, self.scale = magnitude, scale

    def __call__(self, X: np.ndarray, strength: np.ndarray) -> np.ndarray:
        """Return X displaced by ``strength`` times the whole displacement."""
        s = strength[:, None]
        factor = np.where(self.numeric, 1.0 + s * (self.scale - 1.0), 1.0)
        moved = self.mean + (X - self.mean) * factor + s * (self.magnitude * self.sd * self.direction)
        return np.where(self.numeric & (s > 0.0), moved, X)
