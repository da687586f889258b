"""Which prices hold in the episodes of a training: those of their contexts, or one drawn for each episode."""

from __future__ import annotations

import numpy as np

from mlopsim.governance.agents.prices import Prices


class ByContext:
    """Every episode at the prices of its context; a policy does not see them.

    Parameters
    ----------
    rule : Prices
        What the prices follow.
    n : int
        Number of environments.

    Examples
    --------
    >>> from mlopsim.governance.agents.prices import Fixed
    >>> ByContext(Fixed(value=np.array([[0.1], [0.5]])), 3).prices(np.array([1, 0, 1])).ravel()
    array([0.5, 0.1, 0.5])
    """

    def __init__(self, rule: Prices, n: int) -> None:
        self.rule = rule
        self._nothing = np.zeros((n, 0))
        self._value = rule.value

    def begin(self, rows: np.ndarray, context: np.ndarray) -> None:
        """Episodes begin: nothing to do."""

    def prices(self, context: np.ndarray) -> np.ndarray:
        """Return the prices of every environment's episode now, float64 of shape (N, C)."""
        found: np.ndarray = self._value[context]
        return found

    def seen(self) -> np.ndarray:
        """Return what a policy sees of them: nothing, (N, 0)."""
        return self._nothing

    def update(self, excess: np.ndarray) -> None:
        """Let the prices follow the episodes that ended."""
        self.rule.update(excess)
        self._value = self.rule.value


class PerEpisode:
    """Every episode at prices of its own, uniform on ``0..highest``; a policy sees them.

    So it learns the best answer to every price, and prices can keep running when it is deployed.

    Parameters
    ----------
    n, constraints : int
        Environments, constraints.
    highest : float
        Largest price.
    rng : numpy.random.Generator
        Of the draws.

    References
    ----------
    Calvo-Fullana, Paternain, Chamon and Ribeiro (2021), *State augmented constrained reinforcement learning:
    overcoming the limitations of learning with rewards*, arXiv:2102.11941.

    Examples
    --------
    >>> drawn = PerEpisode(2, 1, 1.0, np.random.default_rng(0))
    >>> drawn.begin(np.array([1]), np.array([0]))
    >>> drawn.seen().ravel().round(2)
    array([0.  , 0.64])
    """

    def __init__(self, n: int, constraints: int, highest: float, rng: np.random.Generator) -> None:
        self._price, self._highest, self._rng = np.zeros((n, constraints)), highest, rng

    def begin(self, rows: np.ndarray, context: np.ndarray) -> None:
        """Draw the prices of the episodes that begin."""
        self._price[rows] = self._highest * self._rng.random((len(rows), self._price.shape[1]))

    def prices(self, context: np.ndarray) -> np.ndarray:
        """Return the prices of every environment's episode now, float64 of shape (N, C)."""
        return self._price.copy()

    def seen(self) -> np.ndarray:
        """Return what a policy sees of them: all, (N, C)."""
        return self._price.copy()

    def update(self, excess: np.ndarray) -> None:
        """Nothing: the prices run when the policy is deployed."""
