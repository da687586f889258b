"""How a population changes with time: its rule and its merits, the same for everybody, window by window."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.spec import make
from mlopsim.streams.layout import Layout
from mlopsim.streams.schedules.base import Plan, Schedule
from mlopsim.streams.stream import DriftEvent, DriftKind

#: nodes of an integral over a standard normal variable, on each side of where it is not smooth, and its ends
QUADRATURE, TAIL = 128, 9.0


@dataclass(frozen=True, kw_only=True)
class Law:
    """What holds for everybody, whatever their group.

    Parameters
    ----------
    turn : float, default 0.0
        Degrees by which the rule is turned, from the weights of labels towards ``m2 - m3``.
    move : float, default 0.0
        Mean of the first merit.
    """

    turn: float = 0.0
    move: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Path:
    """The value of something in each window: one of two, each row having the second with a probability.

    Parameters
    ----------
    a, b : ndarray of float64, shape (T,)
        Both values; equal where there is one.
    weight : ndarray of float64, shape (T,)
        Share of the rows with the second one.
    variant : ndarray of int64, shape (2, T)
        Numbers of the variants that these values are of, or nearest to.
    values : tuple of float
        Of all variants.
    plan : Plan
        What it is made from, one row a window.
    """

    a: np.ndarray
    b: np.ndarray
    weight: np.ndarray
    variant: np.ndarray
    values: tuple[float, ...]
    plan: Plan

    @classmethod
    def drawn(
        cls, schedule: Any, values: list[float], windows: int, warmup: int, seed: np.random.SeedSequence
    ) -> Path:
        """Draw the path of a schedule through the values of its variants.

        Examples
        --------
        >>> gradual = {"duration": {"fixed": {"mean": 2}}, "width": 3, "order": [0, 1], "limit": 1}
        >>> path = Path.drawn({"gradual": gradual}, [0.0, 30.0], 8, 1, np.random.SeedSequence(0))
        >>> path.a.tolist(), path.b.tolist(), path.weight.tolist()
        ([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 30.0, 30.0], [0.0, 0.0, 0.0, 30.0, 30.0, 30.0, 30.0, 30.0],
         [0.0, 0.0, 0.0, 0.25, 0.5, 0.75, 0.0, 0.0])
        """
        built: Schedule = make("schedule", schedule)
        layout = Layout(windows=windows, rows=1, warmup=warmup)
        plan = built.plan(layout, len(values), np.random.default_rng(seed))
        known = np.asarray(values, dtype=np.float64)
        a, b = known[plan.a], known[plan.b]
        variant = np.stack([plan.a, plan.b])
        if not plan.blend:
            return cls(a=a, b=b, weight=plan.weight, variant=variant, values=tuple(values), plan=plan)
        # between two variants all rows of a window have the same value
        between = np.where(plan.weight > 0.0, (1.0 - plan.weight) * a + plan.weight * b, a)
        nearest = np.where(plan.weight > 0.5, plan.b, plan.a)
        nothing = np.zeros(windows)
        return cls(
            a=between, b=between, weight=nothing, variant=np.stack([nearest, nearest]),
            values=tuple(values), plan=plan,
        )  # fmt: skip

    def second(self, u: np.ndarray, rows: int) -> np.ndarray:
        """Return which rows have the second value, bool (n,), given uniform numbers (n,)."""
        found: np.ndarray = u < np.repeat(self.weight, rows)
        return found

    def of(self, window: int) -> list[tuple[float, float]]:
        """Return the values of a window, with the share of rows that have them."""
        share = float(self.weight[window])
        values = [(1.0 - share, float(self.a[window])), (share, float(self.b[window]))]
        return [(part, value) for part, value in values if part > 0.0]


@dataclass(frozen=True, kw_only=True)
class Course:
    """Rule and merits in each window of one scenario.

    Parameters
    ----------
    rule : Path
        Degrees by which the rule is turned.
    merits : Path
        Mean of the first merit.
    """

    rule: Path
    merits: Path

    def laws(self, window: int) -> list[tuple[float, Law]]:
        """Return the laws of a window, with the share of its rows that follow them; shares add up to 1.

        Examples
        --------
        >>> from mlopsim.core.spec import make
        >>> source = make("stream", "population", rule={"abrupt": {"order": [0, 1], "limit": 1}})
        >>> course = source.course(np.random.SeedSequence(3))
        >>> course.laws(0), course.laws(source.windows - 1)
        ([(1.0, Law(turn=0.0, move=0.0))], [(1.0, Law(turn=60.0, move=0.0))])
        """
        return [
            (p * q, Law(turn=turn, move=move))
            for p, turn in self.rule.of(window)
            for q, move in self.merits.of(window)
        ]

    def events(
        self, rows: int, bar: float, fold: float | None = None, weight: float = 0.0
    ) -> tuple[DriftEvent, ...]:
        """Return what changes, in rows, windows having ``rows`` each; the rest as of :func:`disagreement`."""
        found = []
        for path, kind, what in (
            (
                self.rule,
                DriftKind.CONCEPT,
                "degrees of the rule: {} to {}; share of likeliest labels that change",
            ),
            (
                self.merits,
                DriftKind.COVARIATE,
                "mean of the first merit: {} to {}; in its standard deviations",
            ),
        ):
            for change in path.plan.changes:
                before, after = path.values[change.before], path.values[change.after]
                moved = abs(after - before)
                size = disagreement(moved, bar, fold, weight) if kind is DriftKind.CONCEPT else moved
                found.append(
                    DriftEvent(
                        kind=kind,
                        start=change.start * rows,
                        end=change.end * rows,
                        magnitude=size,
                        detail=what.format(f"{before:g}", f"{after:g}"),
                    )
                )
        return tuple(sorted(found, key=lambda event: (event.start, event.end, event.kind.value)))


def disagreement(degrees: float, bar: float, fold: float | None = None, weight: float = 0.0) -> float:
    """Return the share of people to whom two rules give other likeliest labels.

    Parameters
    ----------
    degrees : float
        Angle between the weights, merits being independent standard normal.
    bar : float
        What weighted merits must exceed.
    fold : float, optional
        Where the first merit folds (:class:`mlopsim.streams.sources.population.Population`).
    weight : float, default 0.0
        Of the first merit, less than 1; read with a fold.

    References
    ----------
    Owen (1956), *Tables for computing bivariate normal probabilities*, Annals of Mathematical Statistics 27:
    ``P(Z1 > h, Z2 <= h) = 2 T(h, tan(angle / 2))``; with a fold the same probability given the first merit,
    integrated over it.

    Examples
    --------
    >>> round(disagreement(60.0, 0.0), 6), disagreement(0.0, 0.5), round(disagreement(60.0, 0.5), 3)
    (0.333333, 0.0, 0.29)
    >>> round(disagreement(60.0, 0.5, fold=0.75, weight=0.6), 3)
    0.276
    """
    from scipy.special import owens_t

    angle = math.radians(abs(degrees))
    if fold is None:
        return float(4.0 * owens_t(bar, math.tan(angle / 2.0)))
    return _folded(angle, bar, fold, weight)


def _folded(angle: float, bar: float, fold: float, weight: float) -> float:
    """Return the share of people to whom a rule that is turned gives another label, the first merit folding.

    Their score is ``weight (fold - |x - fold|) + r`` before the turn, and that times the cosine plus ``s``
    times the sine after it; x, s are standard normal, r has what is left of the variance.
    """
    from scipy.special import ndtr

    if math.sin(angle) == 0.0 and math.cos(angle) > 0.0:
        return 0.0
    nodes, shares = np.polynomial.legendre.leggauss(QUADRATURE)

    def pieces(cut: np.ndarray, half: float) -> tuple[np.ndarray, np.ndarray]:
        """Return places and weights (..., 2 nodes) of integrals of what is smooth but at a cut."""
        cut = np.clip(cut, -half, half)[..., None]
        below, above = (cut + half) / 2.0, (half - cut) / 2.0
        return (
            np.concatenate([below * (nodes + 1.0) - half, above * (nodes + 1.0) + cut], axis=-1),
            np.concatenate([below * shares, above * shares], axis=-1),
        )

    def density(z: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
        return found

    x, of_x = pieces(np.array(fold), TAIL)
    first = weight * (fold - np.abs(x - fold))
    left = math.sqrt(1.0 - weight * weight)
    z, of_z = pieces((bar - first) / left, TAIL)
    score = first[:, None] + left * z
    above = ndtr((math.cos(angle) * score - bar) / math.sin(angle))
    other = np.where(score > bar, 1.0 - above, above)
    return float((of_x * density(x)) @ (of_z * density(z) * other).sum(axis=1))
