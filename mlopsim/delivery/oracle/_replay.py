"""Compiled replay: the dynamics' own step, without observations. Imported inside functions only."""

from __future__ import annotations

import numpy as np
from numba import njit

from mlopsim.delivery.dynamics import Out, State, Tables, advance, start


@njit(cache=True)
def run(
    actions: np.ndarray, state: State, tab: Tables, p: np.ndarray, q: np.ndarray, out: Out,
    rewards: np.ndarray, invalid: np.ndarray,
) -> None:  # fmt: skip
    """Carry out ``actions`` (N, S) in deployments 0..N-1 of World 0; write rewards and invalid (N, S)."""
    n, steps = actions.shape
    for i in range(n):
        start(i, 0, state, p, p[8])
        for s in range(steps):
            advance(i, actions[i, s], state, tab, p, q, out)
            rewards[i, s] = out.reward[i]
            invalid[i, s] = out.invalid[i]
