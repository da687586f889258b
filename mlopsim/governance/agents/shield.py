"""A mask by what is left of the limits: suspend before they can be broken.

The simplest rival of learning under a price: no price, but no action that could break a limit either. What is
measured of the costs so far is known up to the label delay; every window since, and the next one, may cost 1.
While what is left of some limit over the whole deployment would not cover that, the fallback serves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.delivery.selector import KEEP, Interface


@dataclass(frozen=True, kw_only=True)
class Shield:
    """Which actions are left.

    Parameters
    ----------
    left, suspended : ndarray of int64 and int
        Columns of the observation: what is left of each limit, and whether the fallback serves.
    reserve : float
        What must be left.
    suspend : int
        Number of the action.

    Examples
    --------
    >>> shield = Shield(left=np.array([1]), suspended=0, reserve=0.1, suspend=3)
    >>> mask = np.array([[True, True, True, True], [True, True, True, True], [True, True, True, False]])
    >>> shield.masked(mask, np.array([[0., .3], [0., .05], [1., .05]])).astype(int)
    array([[1, 1, 1, 1],
           [0, 0, 0, 1],
           [1, 0, 0, 0]])
    """

    left: np.ndarray
    suspended: int
    reserve: float
    suspend: int

    @classmethod
    def of(cls, interface: Interface, constraints: Sequence[str]) -> Shield:
        """Build the shield of a deployment.

        Raises
        ------
        ConfigError
            If it has no fallback or no constraint.
        """
        if not interface.suspends or not constraints:
            raise ConfigError(
                "a shield needs a constraint, and a fallback to suspend to",
                remedy="give the deployment both, or shield=false",
            )
        return cls(
            left=np.array([interface.column(f"cost_{name}_left") for name in constraints]),
            suspended=interface.column("suspended"),
            # those that are not known yet, the next one, and one in which an arrival ends the suspension
            reserve=(interface.deployment.label_delay + 2) / interface.horizon,
            suspend=interface.suspend,
        )

    def masked(self, mask: np.ndarray, obs: np.ndarray) -> np.ndarray:
        """Return the actions that are left, bool of shape (N, A).

        Parameters
        ----------
        mask : ndarray of bool, shape (N, A)
            Possible actions.
        obs : ndarray of float32, shape (N, F)
            Observations.
        """
        short = (obs[:, self.left] < self.reserve).any(axis=1)
        out = mask.copy()
        out[short] = False
        # where it is suspended already, or cannot be now, nothing is done
        now = short & mask[:, self.suspend] & (obs[:, self.suspended] == 0.0)
        out[now, self.suspend] = True
        out[short & ~now, KEEP] = True
        return out
