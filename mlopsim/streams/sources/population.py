"""People of two groups or four, a rule that is the same for all, a bias of known strength, known drift."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import added, canonical, check_range, make, part
from mlopsim.core.track import Attribute
from mlopsim.streams.biases.base import Bias, People, turned
from mlopsim.streams.course import Course, Path
from mlopsim.streams.layout import Layout, branch
from mlopsim.streams.stream import BiasTruth, Norm, Stream
from mlopsim.streams.timings.base import Timing

#: what labels weigh the merits with, before it is scaled to length 1
WEIGHTS = (2.0, 2.0, 1.0, 1.0)
#: separate random streams: merits, noise, who, place, what biases draw
PARTS = 5
#: and behind those: paths of rule and merits, which of two laws a row follows
RULE, MERITS, MIXED = 5, 6, 7
#: nothing changes
FIXED = {"none": {"order": [0]}}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Rows as they come out.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
    y, true : ndarray of int64, shape (n,)
        Labels as they are written down, and as they should be.
    kept : ndarray of bool, shape (n,)
        Rows that can be trained on.
    """

    X: np.ndarray
    y: np.ndarray
    true: np.ndarray
    kept: np.ndarray


@register("stream", "population")
@dataclass(kw_only=True)
class Population:
    r"""A threshold on merit with two equal groups, in which a bias sets in.

    Merits m and the noise e are independent standard normal, and

    .. math:: y = 1 \iff w^\top m + \sigma e > \mathrm{bar}, \qquad \|w\| = 1

    so that base rates are equal, :math:`1 - \Phi(\mathrm{bar} / \sqrt{1 + \sigma^2})`. Every window has
    exactly so many rows of each group. The same seed gives the same people for any bias, strength and timing.

    For everybody alike the rule may change (concept drift: ``w`` turns towards ``m2 - m3``) and merits may
    (covariate shift: the mean of ``m0`` moves, the rule stays; with a ``fold`` the best linear one does
    not). Both follow schedules by whole windows, so that the law of each window is known: one, or a mixture
    of two in known shares.

    Parameters
    ----------
    windows, warmup : int
        Number of windows T, and of those before the deployment.
    per_group : int, default 300
        Rows a window of each value of the first attribute.
    attributes : int, default 1
        Protected attributes: 1 (groups ``a``, ``b``), or 2 (all four combinations, equally often).
    d : int, default 5
        Merits, at least 4; those from the fifth on have no weight.
    bar : float, default 0.5
        Merit that is needed, in standard deviations of ``w m``.
    sigma : float, default 0.5
        Standard deviation of the noise.
    place : float or None, default None
        Distance of the means of a feature ``place`` that tells the first attribute and nothing about labels,
        in its standard deviations; None: there is no such feature.
    total : bool, default False
        Whether a last feature is the sum of all others.
    bias : spec of a bias, default proxy
        What sets in (kind ``bias``).
    strength : float, default 0.0
        Its largest strength; 0: there is none.
    timing : spec of a timing, default step
        When, and how it comes.
    rule : spec of a schedule, default none with the first variant
        When the rule changes; its durations and widths are rounded to whole windows. Without ``order`` the
        variant that comes first is drawn, too.
    turns : list of float, default 0, 60
        Degrees by which the rule is turned in each of its variants.
    merits : spec of a schedule, default none with the first variant
        When the mean of the first merit moves.
    moves : list of float, default 0, 1
        That mean in each of its variants, in standard deviations.
    fold : float or None, default None
        Where the first merit folds: what goes beyond counts as much less as it goes beyond, so no linear rule
        fits everywhere, and a move of the merits has a cost. What is measured of it is not folded. None: more
        is always better.

    Notes
    -----
    Use it to test audits: what is wrong, since when and by how much is known.

    Examples
    --------
    >>> stream = Population().generate(np.random.SeedSequence(0))
    >>> stream.features, np.bincount(stream.g[:600]).tolist(), stream.bias.onset
    (('m0', 'm1', 'm2', 'm3', 'm4'), [300, 300], None)
    >>> drifting = Population(rule={"abrupt": {"duration": {"fixed": {"mean": 20}}, "order": [0, 1]}})
    >>> [(e.kind.value, e.start, round(e.magnitude, 2))
    ...  for e in drifting.generate(np.random.SeedSequence(0)).events]
    [('concept', 15000, 0.29), ('concept', 27000, 0.29)]
    """

    windows: int = 55
    warmup: int = 5
    per_group: int = 300
    attributes: int = 1
    d: int = 5
    bar: float = 0.5
    sigma: float = 0.5
    place: float | None = None
    total: bool = False
    bias: Any = part("bias", "proxy")
    strength: float = 0.0
    timing: Any = part("timing", "step")
    rule: Any = part("schedule", FIXED, added=True)
    turns: list[float] = added([0.0, 60.0])
    merits: Any = part("schedule", FIXED, added=True)
    moves: list[float] = added([0.0, 1.0])
    fold: float | None = added(None)

    def __post_init__(self) -> None:
        check_range("stream/population.per_group", self.per_group, 1, 10**7)
        check_range("stream/population.attributes", self.attributes, 1, 2)
        check_range("stream/population.d", self.d, len(WEIGHTS), 10_000)
        check_range("stream/population.bar", self.bar, -10.0, 10.0)
        check_range("stream/population.sigma", self.sigma, 0.0, 1e6)
        check_range("stream/population.strength", self.strength, 0.0, 1e6)
        if self.place is not None:
            check_range("stream/population.place", self.place, 0.0, 1e6)
        if self.fold is not None:
            check_range("stream/population.fold", self.fold, -10.0, 10.0)
        if self.attributes == 2 and self.per_group % 2:
            raise ConfigError(
                f"stream/population: {self.per_group} rows cannot be halved between two attributes",
                remedy="an even per_group",
            )
        bias: Bias = make("bias", self.bias)
        if bias.two_attributes and self.attributes != 2:
            raise ConfigError(f"{bias.full_name} needs two attributes", remedy="attributes=2")
        bias.check(self.features)
        timing: Timing = make("timing", self.timing)
        self._layout()
        if self.strength:
            timing.strength(self.windows, self.warmup)
        for name, low, high in (("turns", 0.0, 180.0), ("moves", -10.0, 10.0)):
            values = getattr(self, name)
            if not values:
                raise ConfigError(f"stream/population.{name} is empty", remedy="one value for each variant")
            for value in values:
                check_range(f"stream/population.{name}", value, low, high)
        self.course(np.random.SeedSequence(0))

    def _layout(self) -> Layout:
        return Layout(windows=self.windows, rows=2 * self.per_group, warmup=self.warmup)

    @property
    def weights(self) -> np.ndarray:
        """What labels weigh the merits with, float64 (d,), of length 1."""
        w = np.zeros(self.d)
        w[: len(WEIGHTS)] = WEIGHTS
        return w / math.sqrt(float((w * w).sum()))

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        merits = tuple(f"m{j}" for j in range(self.d))
        return merits + ("place",) * (self.place is not None) + ("total",) * self.total

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups."""
        return ("a", "b") if self.attributes == 1 else ("a c", "a d", "b c", "b d")

    @property
    def drifts(self) -> bool:
        """Whether rule or merits follow a schedule, or are others than usual from the start."""
        fixed = canonical("schedule", FIXED)
        both = ((self.rule, self.turns), (self.merits, self.moves))
        return any(canonical("schedule", spec) != fixed or values[0] != 0.0 for spec, values in both)

    def course(self, seed: np.random.SeedSequence) -> Course:
        """Draw how rule and merits change in the scenario of a seed."""
        size = self.windows, self.warmup
        return Course(
            rule=Path.drawn(self.rule, self.turns, *size, branch(seed, RULE)),
            merits=Path.drawn(self.merits, self.moves, *size, branch(seed, MERITS)),
        )

    def strengths(self) -> np.ndarray:
        """Return the strength of the bias in each window, float64 (T,)."""
        if not self.strength:
            return np.zeros(self.windows)
        timing: Timing = make("timing", self.timing)
        found: np.ndarray = self.strength * timing.strength(self.windows, self.warmup)
        return found

    def facts(self) -> dict[str, Attribute]:
        """Return what is wrong in it: the bias, the norm that it violates, and its largest strength.

        Examples
        --------
        >>> Population(strength=0.5).facts(), Population().facts()["norm"]
        ({'bias': 'proxy', 'norm': 'treatment', 'strength': 0.5}, None)
        """
        strength = float(self.strengths().max())
        bias: Bias = make("bias", self.bias)
        norm = bias.norm if strength else Norm.NONE
        changes = {name: make("schedule", getattr(self, name)).name for name in ("rule", "merits")}
        # a table of populations that stay has no such columns
        return {
            "bias": bias.name if strength else None,
            "norm": None if norm is Norm.NONE else norm.name.lower(),
            "strength": strength,
            **{name: how for name, how in changes.items() if how != "none"},
        }

    def people(self, seed: np.random.SeedSequence) -> tuple[People, np.ndarray]:
        """Draw who comes, and what ``place`` adds to the group's mean, float64 (n,)."""
        layout = self._layout()
        rng = [np.random.default_rng(branch(seed, k)) for k in range(PARTS)]
        cells = np.arange(layout.rows, dtype=np.int64) % (2 * self.attributes)
        who = rng[2].permuted(np.tile(cells, (self.windows, 1)), axis=1).ravel()
        first, second = (who, np.zeros_like(who)) if self.attributes == 1 else np.divmod(who, 2)
        uniform = rng[4].random((2, layout.n))
        merit = rng[0].standard_normal((layout.n, self.d))
        if self.drifts:
            merits = self.course(seed).merits
            second_law = merits.second(self._mixed(seed)[1], layout.rows)
            merit[:, 0] += np.where(second_law, *(np.repeat(x, layout.rows) for x in (merits.b, merits.a)))
        people = People(
            first=first,
            second=second,
            merit=merit,
            noise=rng[1].standard_normal(layout.n),
            strength=np.repeat(self.strengths(), layout.rows),
            u=uniform[0],
            v=uniform[1],
        )
        return people, rng[3].standard_normal(layout.n)

    def _mixed(self, seed: np.random.SeedSequence) -> np.ndarray:
        """Draw uniform numbers, float64 (2, n), by which rows follow one of two rules and laws of merits."""
        return np.random.default_rng(branch(seed, MIXED)).random((2, self._layout().n))

    def counted(self, merit: np.ndarray) -> np.ndarray:
        """Return merits as labels count them, float64 (n, d): the first one folded; others as they are.

        Examples
        --------
        >>> Population(fold=1.0).counted(np.array([[0.5, 3.0], [1.5, 3.0]]))
        array([[0.5, 3. ],
               [0.5, 3. ]])
        """
        if self.fold is None:
            return merit
        found = merit.copy()
        found[:, 0] = self.fold - np.abs(merit[:, 0] - self.fold)
        return found

    def measured(
        self, people: People, place: np.ndarray, *, moves: bool = True, turn: np.ndarray | None = None
    ) -> Measured:
        """Return what becomes of people under the bias.

        Parameters
        ----------
        people : People
        place : ndarray of float64, shape (n,)
            What ``place`` has beside the mean of the group.
        moves : bool, default True
            Whether the bias may move merits; False: they are as people have them.
        turn : ndarray of float64, shape (n,), optional
            Degrees by which the rule is turned; by default it is not.
        """
        bias: Bias = make("bias", self.bias)
        merit = bias.move(people) if moves else people.merit
        rule = self.weights if turn is None else turned(self.weights, turn, first=2)
        weights = bias.direction(people, rule)
        counted = self.counted(merit)
        weighed = np.einsum("nd,d->n" if weights.ndim == 1 else "nd,nd->n", counted, weights)
        margin = weighed + self.sigma * people.noise - self.bar
        columns = [bias.measure(people, merit)]
        if self.place is not None:
            columns.append((self.place * (people.first - 0.5) + place)[:, None])
        if self.total:
            columns.append(np.concatenate(columns, axis=1).sum(axis=1)[:, None])
        return Measured(
            X=np.concatenate(columns, axis=1),
            y=bias.record(people, margin),
            true=(margin > 0.0).astype(np.int64),
            kept=bias.kept(people),
        )

    def generate(self, seed: np.random.SeedSequence) -> Stream:
        """Draw the stream.

        Parameters
        ----------
        seed : numpy.random.SeedSequence
            Of the scenario.

        Returns
        -------
        Stream
            With the truth about the bias.
        """
        bias: Bias = make("bias", self.bias)
        people, place = self.people(seed)
        course, layout = self.course(seed), self._layout()
        turn = variant = None
        if self.drifts:
            rule, rows = course.rule, layout.rows
            second_rule = rule.second(self._mixed(seed)[0], rows)
            turn = np.where(second_rule, np.repeat(rule.b, rows), np.repeat(rule.a, rows))
            variant = np.where(second_rule, *(np.repeat(rule.variant[k], rows) for k in (1, 0)))
        found = self.measured(people, place, turn=turn)
        g = people.first if self.attributes == 1 else 2 * people.first + people.second
        truth = BiasTruth(
            kind=bias.name,
            norm=bias.norm,
            strength=self.strengths(),
            groups=tuple(int(k) for k in np.unique(g[bias.hit(people)])),
            features=bias.responsible(self.features),
            y=found.true,
            kept=found.kept,
        )
        return Stream(
            X=found.X,
            y=found.y,
            bounds=layout.bounds,
            warmup=self.warmup,
            classes=("0", "1"),
            features=self.features,
            g=g,
            groups=self.groups,
            events=course.events(layout.rows, self.bar, self.fold, float(self.weights[0])),
            concept=variant,
            biased=found.y != found.true,
            bias=truth,
            true_y=found.true,
        )
