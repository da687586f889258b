"""Several policies of one training, of which every deployment gets one: a mixture of iterates.

What a Lagrangian method guarantees holds for the mean over its iterates; the last one may be on either side
of the limit (arXiv:2605.11694).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import CacheError
from mlopsim.delivery.agents.network import Network


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """S networks with the same inputs and outputs.

    Parameters
    ----------
    networks : sequence of Network
        At least one.

    Examples
    --------
    >>> net = Network(names=("a",), shift=np.zeros(1), scale=np.ones(1), weights=[np.array([[1., -1.]])],
    ...               biases=[np.zeros(2)], activation="tanh")
    >>> both = Mixture(networks=[net, net])
    >>> both.forward(np.array([[2.], [1.]], np.float32), np.array([0, 1]))
    array([[ 2., -2.],
           [ 1., -1.]])
    """

    networks: Sequence[Network]

    def __post_init__(self) -> None:
        if len(self.networks) == 0:
            raise CacheError("a mixture needs at least one network", remedy="train the agent again")
        first = self.networks[0]
        for other in self.networks[1:]:
            if other.names != first.names or other.outputs != first.outputs:
                raise CacheError(
                    "the networks of a mixture differ in inputs or outputs", remedy="train it again"
                )

    def __len__(self) -> int:
        return len(self.networks)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return self.networks[0].names

    @property
    def outputs(self) -> int:
        """Number of outputs A."""
        return self.networks[0].outputs

    def forward(self, obs: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Return the outputs, each row by its own network.

        Parameters
        ----------
        obs : ndarray of float, shape (N, F)
            Inputs as the environment gives them.
        which : ndarray of int64, shape (N,)
            Number of each row's network.

        Returns
        -------
        ndarray of float64, shape (N, A)
            A row does not depend on the others, to the bit.
        """
        out = np.empty((len(obs), self.outputs))
        for number in np.unique(which):
            rows = which == number
            out[rows] = self.networks[number].forward(obs[rows])
        return out

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything numeric by name: what :class:`Network` gives, stacked (S, ...)."""
        each = [network.arrays() for network in self.networks]
        return {name: np.stack([one[name] for one in each]) for name in each[0]}

    def info(self) -> dict[str, Any]:
        """Return the rest as JSON types."""
        return {**self.networks[0].info(), "snapshots": len(self.networks)}

    @classmethod
    def read(cls, arrays: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> Mixture:
        """Read what :meth:`arrays` and :meth:`info` gave.

        Raises
        ------
        CacheError
            If something is missing or does not fit together.
        """
        if "snapshots" not in info:
            raise CacheError("the stored agent is no mixture", remedy="train it again")
        count = int(info["snapshots"])
        if any(len(values) != count for values in arrays.values()):
            raise CacheError(f"the stored agent has not {count} networks", remedy="train it again")
        return cls(
            networks=[
                Network.read({name: values[i] for name, values in arrays.items()}, info) for i in range(count)
            ]
        )
