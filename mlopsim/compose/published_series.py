"""The series of a cell of a baseline: what its track does not publish is said to be missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from mlopsim.core.section import Unavailable


class PublishedSeries(Mapping[str, np.ndarray]):
    """Series by name, as a baseline holds them.

    One that its track does not publish is not there: whoever asks for it is told so, and does not draw an
    empty figure.

    Parameters
    ----------
    series : mapping
        Those that are there.
    compared : sequence of str
        All that the track publishes (:func:`mlopsim.core.track.compared_curves`).
    cell, origin : str
        What cell they are of, and of which baseline file.

    Raises
    ------
    Unavailable
        If another is looked up or asked for.

    Examples
    --------
    >>> found = PublishedSeries({"a": np.zeros(1)}, ["a", "b"], cell="t / m / seed 0", origin="0f")
    >>> len(found["a"]), found.get("b") is None
    (1, True)
    >>> "c" in found
    Traceback (most recent call last):
    ...
    mlopsim.core.section.Unavailable: t / m / seed 0 is of the baseline 0f, which holds no series 'c'
      remedy: compute the cell: run the suite without baseline=, in a new folder
    """

    def __init__(
        self, series: Mapping[str, np.ndarray], compared: Sequence[str], *, cell: str, origin: str
    ) -> None:
        self._series, self._compared = series, frozenset(compared)
        self._cell, self._origin = cell, origin

    def __getitem__(self, name: str) -> np.ndarray:
        """Return a series."""
        if name not in self._series and name not in self._compared:
            raise Unavailable(
                f"{self._cell} is of the baseline {self._origin}, which holds no series '{name}'",
                remedy="compute the cell: run the suite without baseline=, in a new folder",
            )
        return self._series[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names of those that are there."""
        return iter(self._series)

    def __len__(self) -> int:
        """Return how many are there."""
        return len(self._series)
