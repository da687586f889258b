"""The best within limits: by what methods that could keep them are chosen, rules as well as policies.

The highest mean return among those whose costs are within the limits. A limit on the mean is kept where the
one-sided upper confidence limit of the mean cost is at most the limit, one on windows or runs where no
deployment broke it. So a rule that could suspend is not tuned into one that does not because that earns more.

Where none keeps them, the one that is the least above them: of a mean its upper confidence limit, as above,
and each in shares of its limit, as means of windows and lengths of runs have no common unit. Such a choice is
another one than the best within the limits; whoever chooses says so (``met``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.spec import make
from mlopsim.governance.agents.choice import upper_limit
from mlopsim.governance.constraint import Over, kept, spent

#: of the upper limits of mean costs, one-sided; as agents choose their snapshots
LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """One limit.

    Parameters
    ----------
    name : str
        Of the constraint.
    limit : float
        What is allowed.
    over : Over
        Of what.
    """

    name: str
    limit: float
    over: Over = Over.MEAN

    def spent(self, costs: np.ndarray) -> np.ndarray:
        """Return what the limit is on, of n deployments with costs (n, T): float64 (n,)."""
        return spent(costs, self.over)

    def kept(self, spent: np.ndarray, level: float) -> bool:
        """Say whether n deployments show that it is kept.

        Examples
        --------
        >>> cost = np.array([0.1, 0.3, 0.2])
        >>> Allowed(name="a", limit=0.3).kept(cost, 0.95), Allowed(name="a", limit=0.4).kept(cost, 0.95)
        (False, True)
        """
        if self.over is Over.MEAN:
            return bool(kept(upper_limit(spent, level), self.limit))
        return bool(kept(spent, self.limit).all())

    def excess(self, spent: np.ndarray, level: float) -> float:
        """Return by what share of the limit n deployments are above it; of a limit of 0, by how much.

        Above a limit on the mean is the upper limit that :meth:`kept` looks at; with one deployment, where
        there is none, the mean. Of windows and runs it is the mean of what is above.

        Examples
        --------
        >>> cost = np.array([0.1, 0.3, 0.2])
        >>> [round(Allowed(name="a", limit=limit).excess(cost, 0.95), 3) for limit in (0.2, 0.4)]
        [0.843, 0.0]
        >>> Allowed(name="a", limit=2, over=Over.RUN).excess(np.array([4.0, 1.0]), 0.95)
        0.5
        """
        if self.over is Over.MEAN:
            bound = upper_limit(spent, level) if len(spent) > 1 else spent.mean()
            above = max(float(bound) - self.limit, 0.0)
        else:
            above = float(np.maximum(spent - self.limit, 0.0).mean())
        return above / self.limit if self.limit > 0.0 else above


@dataclass(frozen=True, kw_only=True)
class Within:
    """Ranks methods by what they earned and spent in the same n deployments.

    Parameters
    ----------
    limits : sequence of Allowed
        All of them count.
    level : float, default 0.95
        Of the upper limits of means.

    Examples
    --------
    >>> within = Within(limits=[Allowed(name="parity", limit=0.2)])
    >>> cheap, dear = np.full((3, 1), 0.1), np.full((3, 1), 0.3)
    >>> within.rank(np.full(3, 0.5), cheap) > within.rank(np.full(3, 0.9), dear)
    True
    >>> within.rank(np.full(3, 0.6), cheap) > within.rank(np.full(3, 0.5), cheap)
    True
    """

    limits: Sequence[Allowed]
    level: float = LEVEL

    @classmethod
    def of(cls, deployment: Any) -> Within | None:
        """Return the limits of a deployment; None: it has none."""
        built = [make("constraint", spec) for spec in getattr(deployment, "constraints", ())]
        limits = [Allowed(name=one.name, limit=float(one.limit), over=one.over) for one in built]
        return cls(limits=limits) if limits else None

    def spent(self, costs: Mapping[str, np.ndarray], n: int) -> np.ndarray:
        """Return what the limits are on: float64 (n, limits), of costs (n, T) by constraint."""
        spent = np.zeros((n, len(self.limits)))
        for k, one in enumerate(self.limits):
            spent[:, k] = one.spent(costs[one.name])
        return spent

    def met(self, spent: np.ndarray) -> bool:
        """Say whether all limits are kept."""
        return all(one.kept(spent[:, k], self.level) for k, one in enumerate(self.limits))

    def rank(self, returns: np.ndarray, spent: np.ndarray) -> tuple[float, ...]:
        """Return what is greater for the better of two methods; its first entry is 1 where limits are kept.

        Parameters
        ----------
        returns : ndarray of float64, shape (n,)
            Of the deployments.
        spent : ndarray of float64, shape (n, limits)
            What :meth:`spent` gives.
        """
        if self.met(spent):
            return (1.0, float(returns.mean()), 0.0)
        over = sum(one.excess(spent[:, k], self.level) for k, one in enumerate(self.limits))
        return (0.0, -over, float(returns.mean()))
