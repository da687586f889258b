"""Subgroup shift: something changes for one protected group only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.concepts.base import Concept, Law
from mlopsim.streams.layout import Layout
from mlopsim.streams.shifts.base import Mover, Shift, movable
from mlopsim.streams.stream import DriftKind


class SubgroupMode(Enum):
    """What changes for the group."""

    CONCEPT = "concept"
    INPUTS = "inputs"


@register("shift", "subgroup")
@dataclass(kw_only=True)
class Subgroup(Shift):
    r"""One protected group gets another concept or other inputs; all other rows stay as they were.

    ``concept``: the group's rows follow the variant ``step`` after the one of the schedule (while the
    shift comes, each with rising probability). ``inputs``: the group's inputs move, then its labels are
    drawn by the concept's rule, so that its base rate may change fairly; ``at=0`` makes the difference
    permanent.

    ``concept``: rows of the group follow variant :math:`(v + \mathrm{step}) \bmod V` of V in place of v.
    ``inputs``: theirs become :math:`x + s \cdot \mathrm{magnitude} \cdot \sigma u` with standard deviations
    :math:`\sigma`, direction u and strength s.

    Parameters
    ----------
    at, width, until
        When it comes and goes; see the base class: windows, None: drawn, 0 wide: abrupt.
    group : int, default 1
        The group.
    mode : concept or inputs
        What changes.
    step : int, default 1
        How many variants further on (``concept``).
    magnitude : float, default 1.0
        Displacement in standard deviations (``inputs``).
    feature : int or None
        The only feature that moves (``inputs``); None: a random direction.

    Notes
    -----
    Use it for a change that most rows do not show.

    Examples
    --------
    >>> from mlopsim import make
    >>> shift = Subgroup(at=3)
    >>> layout = Layout(windows=5, rows=10, warmup=2)
    >>> events = shift.reset(make("concept", "sea"), layout, 2, np.random.default_rng(1))
    >>> events[0].kind.value, events[0].start, events[0].detail
    ('subgroup', 30, 'concept of group 1')
    """

    group: int = 1
    mode: SubgroupMode = SubgroupMode.CONCEPT
    step: int = 1
    magnitude: float = 1.0
    feature: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("subgroup.group", self.group, 0, 10_000)
        check_range("subgroup.step", self.step, 1, 100_000)
        check_range("subgroup.magnitude", self.magnitude, -100.0, 100.0)

    def check(self, concept: Concept) -> None:
        """Raise ConfigError if nothing could be displaced."""
        if self.mode is SubgroupMode.INPUTS:
            movable(concept, self.feature)

    def prepare(self, concept: Concept, layout: Layout, groups: int, rng: np.random.Generator) -> None:
        """Draw what is random and check it against the concept."""
        if groups < 2 or self.group >= groups:
            raise ConfigError(
                f"there is no group {self.group} that could differ from others: the stream has {groups}",
                remedy="give the stream group shares, e.g. groups=[0.7,0.3]",
            )
        self._size = float("nan")
        if self.mode is SubgroupMode.INPUTS:
            self._mover = Mover(concept, self.feature, self.magnitude, 1.0, rng)
            self._size = self.magnitude
            return
        self._count = concept.count
        if self.step % self._count == 0:
            raise ConfigError(
                f"{concept.full_name} has {self._count} variant(s): a step of {self.step} leads back",
                remedy="raise its number of variants or change subgroup.step",
            )
        # mean over the variants: it is not known here which of them will be active
        pairs = [(k, (k + self.step) % self._count) for k in range(self._count)]
        self._size = float(np.mean([concept.distance(a, b, rng) for a, b in pairs[:10]]))

    def describe(self) -> tuple[DriftKind, float, str]:
        """Return kind, magnitude and detail of its events."""
        return DriftKind.SUBGROUP, self._size, f"{self.mode.value} of group {self.group}"

    def concepts(self, law: Law, rows: np.ndarray, g: np.ndarray, rng: np.random.Generator) -> Law:
        """Return the law that rows follow."""
        strength = self.strength[rows]
        if self.mode is not SubgroupMode.CONCEPT or not strength.any():
            return law
        hit = (rng.random(len(rows)) < strength) & (g == self.group)
        a, b = ((values[hit] + self.step) % self._count for values in (law.a, law.b))
        return law.replace(hit, a, b)

    def move(self, X: np.ndarray, rows: np.ndarray, g: np.ndarray) -> np.ndarray | None:
        """Return moved inputs, or None."""
        if self.mode is not SubgroupMode.INPUTS:
            return None
        strength = self.strength[rows] * (g == self.group)
        return self._mover(X, strength) if strength.any() else None
