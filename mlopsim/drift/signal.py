"""What a detector reads: a signal, its kind and its direction."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from mlopsim.core.errors import DataError


class SignalKind(Enum):
    """What the ticks of a signal are.

    ``errors``: one number a labelled row, 1 = the model was wrong, 0 = it was right. ``correct``: the
    opposite, which no detector reads. ``values``: one real number a row (a model's output, a feature).
    ``inputs``: a window of rows a tick.
    """

    ERRORS = "errors"
    CORRECT = "correct"
    VALUES = "values"
    INPUTS = "inputs"


class Side(Enum):
    """Which changes a detector looks for: a rise, a fall, or both."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


class Known(Enum):
    """What a detector knows beforehand.

    ``nothing``: it estimates what it needs from the first ticks, again after each alarm. ``p0``: the law
    before the change. ``p0p1``: the laws before and after it.
    """

    NOTHING = "nothing"
    P0 = "p0"
    P0P1 = "p0p1"

    @property
    def text(self) -> str:
        """What is known, as tables say it.

        Examples
        --------
        >>> Known.P0P1.text
        'p0 and p1'
        """
        return "p0 and p1" if self is Known.P0P1 else self.value


#: dimensions of a signal's data
DIMENSIONS: dict[SignalKind, int] = {
    SignalKind.ERRORS: 1,
    SignalKind.CORRECT: 1,
    SignalKind.VALUES: 1,
    SignalKind.INPUTS: 3,
}
#: what detectors of a kind can read
READABLE: dict[SignalKind, tuple[SignalKind, ...]] = {
    SignalKind.ERRORS: (SignalKind.ERRORS,),
    SignalKind.VALUES: (SignalKind.VALUES, SignalKind.ERRORS),
    SignalKind.INPUTS: (SignalKind.INPUTS,),
}


class BadTickError(Exception):
    """A tick that a compiled step does not read; nothing was changed. Users meet a DataError instead."""


@dataclass(frozen=True, kw_only=True)
class Signal:
    """A signal with its kind, so that nobody feeds accuracy to a detector of errors.

    Parameters
    ----------
    kind : SignalKind
        What a tick is.
    data : ndarray of float64
        Shape (n,); of ``inputs``: (T, r, d), T windows of r rows with d features.

    Raises
    ------
    DataError
        If the shape does not fit the kind or a value is not finite.

    Examples
    --------
    >>> Signal(kind=SignalKind.ERRORS, data=np.array([0.0, 1.0])).ticks
    2
    """

    kind: SignalKind
    data: np.ndarray

    def __post_init__(self) -> None:
        wanted = DIMENSIONS[self.kind]
        if np.ndim(self.data) != wanted:
            raise DataError(
                f"a signal of {self.kind.value} has {wanted} dimension(s), got {np.ndim(self.data)}",
                remedy="(n,) for rows, (windows, rows, features) for inputs",
            )
        check_ticks(self.data, self.kind)

    @property
    def ticks(self) -> int:
        """Number of ticks: rows, or windows of inputs."""
        return len(self.data)

    @property
    def unit(self) -> str:
        """Name of a tick: ``rows`` or ``windows``."""
        return "windows" if self.kind is SignalKind.INPUTS else "rows"


def output_of(scores: np.ndarray) -> np.ndarray:
    """Return a model's output for each row: its score of class 1, or of the likeliest of several classes.

    Examples
    --------
    >>> output_of(np.array([[0.9, 0.1], [0.25, 0.75]])), output_of(np.array([[0.2, 0.5, 0.3]]))
    (array([0.1 , 0.75]), array([0.5]))
    """
    chosen = scores[:, 1] if scores.shape[1] == 2 else scores.max(axis=1)
    return np.ascontiguousarray(chosen, dtype=np.float64)


def check_ticks(data: np.ndarray, kind: SignalKind) -> None:
    """Raise DataError unless all values are finite and, of errors, 0 or 1.

    Parameters
    ----------
    data : ndarray
        Ticks.
    kind : SignalKind
        What they are said to be.

    Raises
    ------
    DataError
        Naming the first tick that is wrong, and the remedy.

    Examples
    --------
    >>> check_ticks(np.array([0.0, 0.5]), SignalKind.ERRORS)
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.DataError: tick 1 of the errors is 0.5, not 0 or 1 ...
    """
    finite = np.isfinite(data)
    if not finite.all():
        place = int(np.argwhere(~finite)[0][0])
        raise DataError(
            f"tick {place} of the {kind.value} is not finite",
            remedy="impute or drop what is missing before the detector reads it",
        )
    if kind in (SignalKind.ERRORS, SignalKind.CORRECT):
        wrong = (data != 0) & (data != 1)
        if wrong.any():
            place = int(np.argmax(wrong))
            raise DataError(
                f"tick {place} of the {kind.value} is {data[place]:g}, not 0 or 1",
                remedy="errors are 1 where the model was wrong, 0 where it was right",
            )
