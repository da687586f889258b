"""What a model really does to groups: how far it violates each norm, without sampling error."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlopsim.core.spec import make
from mlopsim.core.threads import one_thread
from mlopsim.learners.base import Model
from mlopsim.streams.biases.base import Bias, People
from mlopsim.streams.course import Law
from mlopsim.streams.sources.population import Population
from mlopsim.streams.stream import Norm

#: log2 of the people of each group
POINTS = 14
#: rule and merits as they are where they do not change
UNCHANGED = Law()


@dataclass(frozen=True, kw_only=True)
class Violation:
    """How far a model is from each norm.

    Parameters
    ----------
    treatment : float
        Share of people whose decision changes if they belong to the other group of the first attribute, their
        merit being the same.
    impact : float
        1 less the ratio of the lowest to the highest acceptance rate of groups.
    errors : float
        The larger of the spreads (largest less smallest rate of a group) of true-positive and of
        false-positive rates, by true labels.
    accuracy : float
        By true labels.
    """

    treatment: float
    impact: float
    errors: float
    accuracy: float

    def of(self, norm: Norm) -> float:
        """Return the violation of a norm; 0 for none."""
        found = {Norm.TREATMENT: self.treatment, Norm.IMPACT: self.impact, Norm.ERRORS: self.errors}
        return found.get(norm, 0.0)


@dataclass(kw_only=True)
class Truth:
    """A population as points that fill it evenly, the same for every group.

    Rates are means over ``2**14`` points of a Sobol sequence a group, transformed to the law of the
    population; they differ from the exact ones by a few thousandths at most, and without any bias groups
    are exactly equal.

    Parameters
    ----------
    source : Population
    encode : callable
        Features (n, d) to rows as models take them.

    References
    ----------
    Sobol (1967), USSR Comput. Math. Math. Phys. 7, 86-112; Owen (1998), *Scrambling Sobol' and
    Niederreiter-Xing points*, J. Complexity 14, 466-489.
    """

    source: Population
    encode: Callable[[np.ndarray], np.ndarray]

    @cached_property
    def _people(self) -> tuple[People, np.ndarray]:
        from scipy.special import ndtri
        from scipy.stats import qmc

        d, cells = self.source.d, 2 * self.source.attributes
        points = qmc.Sobol(d + 4, scramble=True, rng=np.random.default_rng(0)).random_base2(POINTS)
        # scrambled points lie in [0, 1): keep the normal ones finite
        normal = ndtri(np.clip(points[:, : d + 2], 2.0**-40, 1.0 - 2.0**-40))
        points, normal = np.tile(points, (cells, 1)), np.tile(normal, (cells, 1))
        who = np.repeat(np.arange(cells), 1 << POINTS)
        first, second = (who, np.zeros_like(who)) if cells == 2 else np.divmod(who, 2)
        people = People(
            first=first,
            second=second,
            merit=normal[:, :d],
            noise=normal[:, d],
            strength=np.zeros(len(who)),
            u=points[:, d + 2],
            v=points[:, d + 3],
        )
        return people, normal[:, d + 1]

    def points(
        self, strength: float, log2: int = POINTS, law: Law = UNCHANGED
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return people while the bias has some strength, as many of each group.

        Parameters
        ----------
        strength : float
        log2 : int, default 14
            Of the people of each group; fewer are the first ones of the sequence.
        law : Law, optional
            Of rule and merits; by default that of the warm-up where nothing says otherwise.

        Returns
        -------
        rows : ndarray of float64, shape (n, D)
            As models take them.
        true : ndarray of int64, shape (n,)
            Labels as they should be.
        group : ndarray of int64, shape (n,)
        """
        everyone, place = self._people
        cells = 2 * self.source.attributes
        chosen = np.arange(len(place)).reshape(cells, -1)[:, : 1 << log2].ravel()
        people = People(**{f.name: getattr(everyone, f.name)[chosen] for f in dataclasses.fields(everyone)})
        people = dataclasses.replace(people, strength=np.full(len(chosen), strength))
        if law.move:
            merit = people.merit.copy()
            merit[:, 0] += law.move
            people = dataclasses.replace(people, merit=merit)
        turn = np.full(len(chosen), law.turn) if law.turn else None
        found = self.source.measured(people, place[chosen], turn=turn)
        return self.encode(found.X), found.true, np.repeat(np.arange(cells), len(chosen) // cells)

    def violation(self, model: Model, strength: float) -> Violation:
        """Return how far a model is from each norm while the bias has some strength."""
        everyone, place = self._people
        bias: Bias = make("bias", self.source.bias)
        people = dataclasses.replace(everyone, strength=np.full(len(everyone), strength))
        found = self.source.measured(people, place)
        merit = bias.move(people)
        # the same merits, belonging to the other group
        others = dataclasses.replace(people, first=1 - people.first, merit=merit)
        flipped = self.source.measured(others, place, moves=False)
        with one_thread():
            says = model.predict(self.encode(found.X)) == 1
            would = model.predict(self.encode(flipped.X)) == 1
        cells = 2 * self.source.attributes
        accepted = says.reshape(cells, -1)
        wanted = (found.true == 1).reshape(cells, -1)
        rates = accepted.mean(axis=1)
        spreads = []
        for rows in (wanted, ~wanted):
            count = rows.sum(axis=1)
            if (count > 0).all():
                rate = (accepted & rows).sum(axis=1) / count
                spreads.append(float(np.ptp(rate)))
        return Violation(
            treatment=float((says != would).mean()),
            impact=float(1.0 - rates.min() / rates.max()) if rates.max() > 0.0 else 0.0,
            errors=max(spreads, default=0.0),
            accuracy=float((says == (found.true == 1)).mean()),
        )
