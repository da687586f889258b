"""The contract of reviewers: people who approve a version before it may serve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Review:
    """What becomes of each version of M Worlds.

    Parameters
    ----------
    delay : ndarray of int64, shape (M, T)
        Windows from the end of its training to the verdict.
    denied : ndarray of bool, shape (M, T)
        Whether it may not serve.
    """

    delay: np.ndarray
    denied: np.ndarray


@dataclass(kw_only=True)
class Reviewer:
    """Base of reviewers (kind ``reviewer``). A reviewer defines :meth:`review`.

    The draws for version v of a scenario depend on the scenario and v only: not on what serves, on the
    method, or on how many versions or scenarios there are.
    """

    def review(self, bad: np.ndarray, seeds: np.ndarray) -> Review:
        """Return the verdicts.

        Parameters
        ----------
        bad : ndarray of bool, shape (M, T)
            The truth: versions that should be denied.
        seeds : ndarray of uint64, shape (M,)
            One a scenario.

        Returns
        -------
        Review
        """
        raise NotImplementedError


def uniforms(seeds: np.ndarray, versions: int, draws: int) -> np.ndarray:
    """Return uniform numbers by (scenario, version), float64 of shape (M, versions, draws).

    Row v of a scenario is the same however many versions there are.

    Parameters
    ----------
    seeds : ndarray of uint64, shape (M,)
    versions, draws : int

    Examples
    --------
    >>> one = uniforms(np.array([7, 8], dtype=np.uint64), 4, 2)
    >>> bool((one[:, :3] == uniforms(np.array([7, 8], dtype=np.uint64), 3, 2)).all())
    True
    """
    found = np.empty((len(seeds), versions, draws))
    for i, seed in enumerate(seeds.tolist()):
        # the second word keeps these draws apart from those of a canary
        found[i] = np.random.default_rng(np.random.SeedSequence([seed, 1])).random((versions, draws))
    return found
