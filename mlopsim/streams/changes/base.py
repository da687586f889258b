"""The contract of changes that are put into given rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.streams.stream import DriftKind, Stream


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What a change makes of rows.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
    y, g : ndarray of int64, shape (n,)
        Rows; those that are not ``moved`` are as they were, to the bit.
    magnitude : float
        Size of the change, in what ``detail`` names.
    detail : str
        What changed.
    """

    X: np.ndarray
    y: np.ndarray
    g: np.ndarray
    magnitude: float
    detail: str


@dataclass(kw_only=True)
class Change:
    """Base of all changes (kind ``change``).

    Attributes
    ----------
    moves : DriftKind
        What changes: the labels given the inputs (``concept``), the inputs (``covariate``), the base rate
        (``prior``).
    """

    moves: ClassVar[DriftKind] = DriftKind.CONCEPT
    full_name: ClassVar[str]

    def apply(self, stream: Stream, moved: np.ndarray, rng: np.random.Generator) -> Changed:
        """Return the rows with those that are ``moved`` following the other law.

        Parameters
        ----------
        stream : Stream
            Rows as they are; not changed.
        moved : ndarray of bool, shape (n,)
            Rows that follow the law after the change; none of the warm-up.
        rng : Generator
            For all that is drawn.

        Raises
        ------
        DataError
            If the rows do not allow this change.
        """
        raise NotImplementedError


def redrawn(
    stream: Stream, moved: np.ndarray, weights: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw each moved row anew from the rows of its own window, with probabilities in ratio of weights.

    Drawing within the window keeps whatever else the stream does over time. Rows are drawn with
    replacement.

    Parameters
    ----------
    stream : Stream
    moved : ndarray of bool, shape (n,)
    weights : ndarray of float64, shape (n,)
        Not negative.
    rng : Generator

    Returns
    -------
    rows : ndarray of int64, shape (n,)
        Which row stands in each place.
    empty : ndarray of int64, shape (k,)
        Windows with moved rows and without a weight above 0: their rows stay.
    """
    rows = np.arange(len(stream.y), dtype=np.int64)
    empty = []
    for t in range(stream.windows):
        start, stop = int(stream.bounds[t]), int(stream.bounds[t + 1])
        places = start + np.flatnonzero(moved[start:stop])
        if not len(places):
            continue
        total = np.cumsum(weights[start:stop])
        if total[-1] <= 0.0:
            empty.append(t)
            continue
        drawn = np.searchsorted(total, rng.random(len(places)) * total[-1], side="right")
        rows[places] = start + drawn
    return rows, np.array(empty, dtype=np.int64)
