"""Errors that depend on the label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.streams.mechanisms.base import Mechanism
from mlopsim.streams.stream import Stream


@register("mechanism", "label")
@dataclass(kw_only=True)
class Label(Mechanism):
    r"""Rows of one class first; others only where the rate asks for more rows than it has.

    In each window the rows with the largest drive are hit, equal ones in a random order; the drive is
    :math:`1[y_i = \mathrm{value}]`.

    Parameters
    ----------
    value : str
        Name of the class; empty: the last one.

    Notes
    -----
    Use it for errors that depend on the class; the mask alone then tells about labels.

    Examples
    --------
    >>> from mlopsim.streams.stream import Stream
    >>> stream = Stream(X=np.zeros((4, 1)), y=np.array([0, 1, 1, 0]), bounds=np.array([0, 2, 4]), warmup=1,
    ...                 classes=("no", "yes"), features=("x",), g=np.zeros(4, np.int64))
    >>> Label().drive(stream, 0, np.random.default_rng(0)).tolist()
    [0.0, 1.0, 1.0, 0.0]
    """

    value: str = ""

    def drive(self, stream: Stream, column: int | None, rng: np.random.Generator) -> np.ndarray:
        """Return 1 for rows of the class."""
        name = self.value or stream.classes[-1]
        if name not in stream.classes:
            raise ConfigError(
                f"mechanism/label.value: the stream has no class '{name}'",
                remedy=f"it has: {', '.join(stream.classes)}",
            )
        drive: np.ndarray = (stream.y == stream.classes.index(name)).astype(np.float64)
        return drive
