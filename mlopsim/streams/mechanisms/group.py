"""Errors that depend on the protected group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.streams.mechanisms.base import Mechanism
from mlopsim.streams.stream import Stream


@register("mechanism", "group")
@dataclass(kw_only=True)
class Group(Mechanism):
    r"""Rows of one group first; others only where the rate asks for more rows than it has.

    In each window the rows with the largest drive are hit, equal ones in a random order; the drive is
    :math:`1[g_i = \mathrm{value}]`.

    Parameters
    ----------
    value : str
        Name of the group; empty: the last one.

    Notes
    -----
    Use it for errors that hit one group; others are its control.

    Examples
    --------
    >>> from mlopsim.streams.stream import Stream
    >>> stream = Stream(X=np.zeros((4, 1)), y=np.zeros(4, np.int64), bounds=np.array([0, 2, 4]), warmup=1,
    ...                 classes=("no", "yes"), features=("x",), g=np.array([0, 1, 0, 1]), groups=("a", "b"))
    >>> Group(value="a").drive(stream, 0, np.random.default_rng(0)).tolist()
    [1.0, 0.0, 1.0, 0.0]
    """

    value: str = ""

    def drive(self, stream: Stream, column: int | None, rng: np.random.Generator) -> np.ndarray:
        """Return 1 for rows of the group."""
        name = self.value or stream.groups[-1]
        if name not in stream.groups:
            raise ConfigError(
                f"mechanism/group.value: the stream has no group '{name}'",
                remedy=f"it has: {', '.join(stream.groups)}",
            )
        drive: np.ndarray = (stream.g == stream.groups.index(name)).astype(np.float64)
        return drive
