"""Errors from a window on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.streams.timings.base import Timing


@register("timing", "step")
@dataclass(kw_only=True)
class Step(Timing):
    r"""The whole rate from one window to the end.

    The strength in window t is :math:`1[t \ge \mathrm{at}]`.

    Parameters
    ----------
    at : int, default 20
        Window in which errors begin.

    Notes
    -----
    Use it by default: delays are counted from one window.

    Examples
    --------
    >>> Step(at=2).strength(5, 1).tolist()
    [0.0, 0.0, 1.0, 1.0, 1.0]
    """

    def course(self, since: np.ndarray) -> np.ndarray:
        """Return ones."""
        return np.ones(len(since))
