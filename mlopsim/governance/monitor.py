"""The contract of a monitor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.governance.monitoring.reference import Reference


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One line on the wall.

    Parameters
    ----------
    name : str
        ``recall of women``.
    labels : bool
        Whether it takes labels: its points come as late as these do.
    """

    name: str
    labels: bool


class Monitor:
    """Turns confusion counts of what serves, by window and group, into scores of one or more charts.

    A component derives from it and writes :meth:`charts` and :meth:`scores`. Nothing is random, nothing is
    kept between calls, and a score depends on its window and earlier ones only, so that a deployment may read
    window by window what a study reads at once. There is no limit on a monitor: alarms of several charts are
    counted together, by :mod:`mlopsim.governance.monitoring.limits`.

    Class attributes: ``normal`` (True: in control a score is, or is no larger than, that of a standard normal
    number, so that the conservative limit of many charts holds), ``memory`` (True: a score depends on earlier
    windows, too), ``absolute`` (True: the level that it compares with is its own, whatever the reference is).
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    version: ClassVar[str]
    full_name: ClassVar[str]
    normal: ClassVar[bool] = True
    memory: ClassVar[bool] = False
    absolute: ClassVar[bool] = False

    @property
    def is_normal(self) -> bool:
        """Whether the conservative limit holds for it (of a bank: for all in it)."""
        return self.normal

    @property
    def remembers(self) -> bool:
        """Whether any score depends on earlier windows."""
        return self.memory

    def charts(self, groups: tuple[str, ...]) -> list[Chart]:
        """Return its charts for these groups.

        Raises
        ------
        DataError
            If it takes more groups than there are.
        """
        raise NotImplementedError

    def on(self, counts: np.ndarray) -> Callable[[Reference], np.ndarray]:
        """Return what gives the scores on these counts for any reference.

        What does not depend on the reference is done once.

        Parameters
        ----------
        counts : ndarray of int64, shape (N, T, G, C, C)
            See :meth:`scores`.
        """
        return lambda reference: self.scores(counts, reference)

    def scores(self, counts: np.ndarray, reference: Reference) -> np.ndarray:
        """Return the scores of its charts; higher means further from what is in control.

        Parameters
        ----------
        counts : ndarray of int64, shape (N, T, G, C, C)
            Confusion counts ``[deployment, window, group, y, yhat]`` of what served.
        reference : Reference
            What is in control.

        Returns
        -------
        ndarray of float64, shape (N, K, T)
            NaN where a window has too few rows that count (fewer than 5, as everywhere), or there is nothing
            to compare with.
        """
        raise NotImplementedError


def group_names(groups: int) -> tuple[str, ...]:
    """Return names of groups that have none.

    Examples
    --------
    >>> group_names(2)
    ('group 0', 'group 1')
    """
    return tuple(f"group {g}" for g in range(groups))


def read_counts(counts: np.ndarray) -> np.ndarray:
    """Return checked confusion counts as int64 (N, T, G, C, C).

    Raises
    ------
    DataError
        If they have another shape, are no whole numbers or are negative.

    Examples
    --------
    >>> read_counts(np.ones((1, 2, 1, 2, 2))).dtype
    dtype('int64')
    """
    found = np.asarray(counts)
    if found.ndim != 5 or found.shape[-1] != found.shape[-2] or found.shape[-1] < 2 or found.shape[2] < 1:
        raise DataError(
            f"counts must have the shape (N, T, G, C, C), got {found.shape}",
            remedy="[deployment, window, group, y, yhat]; of one deployment: counts[None]",
        )
    if found.dtype.kind not in "iu":
        whole = found.dtype.kind == "f" and bool((np.floor(found) == found).all())
        if not whole:
            raise DataError("counts must be whole numbers", remedy="count rows")
    found = found.astype(np.int64)
    if (found < 0).any():
        raise DataError("counts must not be negative", remedy="count rows")
    return found
