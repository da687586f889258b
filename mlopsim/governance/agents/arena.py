"""What constrained training needs of an environment: the closed loop, and a toy, give it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np


class Step(NamedTuple):
    """What one step of N deployments side by side gives.

    Parameters
    ----------
    obs : ndarray of float32, shape (N, F)
        At the next decision; where an episode ended, the first one of the next episode.
    reward : ndarray of float64, shape (N,)
        Of the window, as it is.
    cost : ndarray of float64, shape (N, C)
        By constraint.
    reward_baseline : ndarray of float64, shape (N,)
        A reward of that window that no action changes, a control variate; 0 where there is none.
    cost_baseline : ndarray of float64, shape (N, C)
        The same of the costs.
    ended : ndarray of bool, shape (N,)
        Where this was the last window of its episode.
    last_obs : ndarray of float32, shape (N, F)
        Where an episode ended, its last observation; elsewhere ``obs``.
    """

    obs: np.ndarray
    reward: np.ndarray
    cost: np.ndarray
    reward_baseline: np.ndarray
    cost_baseline: np.ndarray
    ended: np.ndarray
    last_obs: np.ndarray


class Lanes(Protocol):
    """N deployments side by side, each beginning anew when it ends.

    Attributes
    ----------
    num_envs : int
        N.
    """

    num_envs: int

    @property
    def context(self) -> np.ndarray:
        """Context of the episode that each of them is in, int64 of shape (N,)."""
        ...

    def reset(self, seed: int) -> np.ndarray:
        """Begin all episodes; returns the observations (N, F)."""
        ...

    def step(self, actions: np.ndarray) -> Step:
        """Decide and serve the next window everywhere."""
        ...

    def action_masks(self) -> np.ndarray:
        """Return which actions are possible now, bool of shape (N, A)."""
        ...


class Arena(Protocol):
    """A constrained problem: its training deployments, and others for the choice of what is stored.

    A *context* is what holds in an episode beside its scenario: limits, and which mechanisms are on.

    Attributes
    ----------
    names : tuple of str
        Columns of an observation, those of the interface that selectors are told.
    reads : tuple of str
        Columns that a policy sees, some of ``names``.
    actions : int
        Number of actions A.
    constraints : tuple of str
        Names of the C constraints.
    horizon : int
        Decisions of an episode.
    validation : int
        Number of scenarios for the choice.
    """

    names: tuple[str, ...]
    reads: tuple[str, ...]
    actions: int
    constraints: tuple[str, ...]
    horizon: int
    validation: int

    @property
    def limits(self) -> np.ndarray:
        """What is allowed in a window, on the mean over an episode: float64 (contexts, C)."""
        ...

    def lanes(self, n: int, *, stagger: bool) -> Lanes:
        """Return n training deployments; ``stagger`` spreads them over the times of an episode."""
        ...

    def judging(self, n: int) -> int:
        """Return the steps of rolling the first n scenarios for the choice out once in every context."""
        ...

    def evaluate(
        self, selector: Any, context: int, which: np.ndarray, seeds: Sequence[np.random.SeedSequence]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Roll a selector out in scenarios for the choice.

        Parameters
        ----------
        selector : Selector
            Decides.
        context : int
            Of all of them.
        which : ndarray of int64, shape (n,)
            Numbers of the scenarios, below ``validation``.
        seeds : sequence of SeedSequence
            One a scenario, for the selector.

        Returns
        -------
        returns : ndarray of float64, shape (n,)
            Mean reward of a window. Scenarios are independent of one another: where several deployments have
            the same rows, their mean.
        costs : ndarray of float64, shape (n, C)
            Mean cost of a window, likewise.
        """
        ...
