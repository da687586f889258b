"""What the detector-triggered rules share: which rows a detector reads, and when it starts afresh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.trigger import Trigger


@dataclass(kw_only=True)
class Detection(Trigger):
    """Base of the rules that run a detector over the stitched errors of what served.

    Rows come in as their labels become known. A detector reads only rows of the version that serves
    now, and starts afresh when another one takes over: errors of a model that is gone say nothing
    about the one that came. An alarm is remembered until a retrain is possible.
    """

    holds: ClassVar[bool] = True

    def alarm(self, view: View) -> np.ndarray:
        """Feed the new rows to the detectors."""
        if self.changed.any():
            self.restart(self.changed)
        return self.feed(view.errors, self.fresh)

    def restart(self, which: np.ndarray) -> None:
        """Start the detectors of the walks ``which`` (bool, (n,)) afresh."""
        raise NotImplementedError

    def feed(self, errors: np.ndarray, use: np.ndarray) -> np.ndarray:
        """Read one window of rows (n, R) of the walks ``use``; return where there was an alarm."""
        raise NotImplementedError
