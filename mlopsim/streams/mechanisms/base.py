"""The contract of mechanisms: which rows errors prefer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import numpy as np

from mlopsim.streams.stream import Stream


class End(Enum):
    """Which end of a scale."""

    HIGH = "high"
    LOW = "low"


@dataclass(kw_only=True)
class Mechanism:
    """Base of all mechanisms (kind ``mechanism``).

    Attributes
    ----------
    chooses : bool
        Whether some rows come before others: of no use to an injector that says itself which rows it hits.
    """

    full_name: ClassVar[str]
    chooses: ClassVar[bool] = True

    def drive(self, stream: Stream, column: int | None, rng: np.random.Generator) -> np.ndarray:
        """Return what decides which rows are corrupted, float64 (n,): those with the largest first.

        Parameters
        ----------
        stream : Stream
            Clean rows.
        column : int or None
            Feature that is corrupted; None where whole rows or labels are.
        rng : Generator
            For what is drawn; equal values are put in a random order by the caller.
        """
        raise NotImplementedError


def directed(values: np.ndarray, end: End) -> np.ndarray:
    """Return values whose largest are those at that end; missing ones come last."""
    turned = values if end is End.HIGH else -values
    return np.where(np.isnan(turned), -np.inf, turned)
