"""A selector of one's own: `mlopsim bench suite=quick --plugin selector.py "methods=[never,shifted]"`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import mlopsim
from mlopsim.delivery import Interface, Range, View


@mlopsim.register("selector", "shifted")
@dataclass(kw_only=True)
class Shifted:
    """Retrain when the inputs have moved away from what serves.

    Parameters
    ----------
    threshold : float
        Mean binned KS distance that triggers a retrain.

    Examples
    --------
    >>> mlopsim.checks.play(Shifted(threshold=0.3), 6, shift=[0.0, 0.0, 0.0, 0.5])
    'kkkRRR'
    """

    #: free parameters are tuned with the budget that every other method gets
    space: ClassVar[dict[str, Range]] = {"threshold": Range(0.01, 0.9, log=True)}

    threshold: float = 0.2

    def reset(self, n: int, interface: Interface, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Begin n deployments."""
        self.interface = interface

    def act(self, view: View) -> np.ndarray:
        """Return an action for each deployment."""
        shifted = view["serving_ks"] > self.threshold
        possible = view.mask[:, self.interface.retrain]
        return np.where(shifted & possible, self.interface.retrain, 0).astype(np.int64)
