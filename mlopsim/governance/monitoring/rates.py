"""What is charted: rates of confusion counts, each binomial given its denominator."""

from __future__ import annotations

from enum import Enum

import numpy as np

from mlopsim.core.errors import DataError


class Rate(Enum):
    """A rate of confusion counts ``[y, yhat]``; class 1 is the positive one.

    ``accuracy``: right of all rows (any number of classes); ``acceptance``: answered 1 of all rows;
    ``precision``: right of those answered 1; ``recall`` and ``false_positive_rate``: answered 1 of those that
    are 1, and of those that are 0. ``f1`` counts true positives among the rows that are 1 or answered 1:
    given these the count is binomial, with rate J, and F1 = 2 J / (1 + J) rises with J.
    """

    ACCURACY = "accuracy"
    ACCEPTANCE = "acceptance"
    PRECISION = "precision"
    RECALL = "recall"
    FALSE_POSITIVE_RATE = "false_positive_rate"
    F1 = "f1"

    @property
    def labels(self) -> bool:
        """Whether it takes labels, which may come late."""
        return self is not Rate.ACCEPTANCE

    def counted(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return successes and rows.

        Parameters
        ----------
        counts : ndarray, shape (..., C, C)
            Confusion counts (or sums of probabilities) ``[y, yhat]``; C = 2 for all but the accuracy.

        Returns
        -------
        k, n : ndarray, shape (...)
            Of the type of ``counts``.

        Raises
        ------
        DataError
            If there are more than two classes and the rate is not the accuracy.

        Examples
        --------
        >>> table = np.array([[50, 10], [20, 20]])
        >>> [tuple(map(int, rate.counted(table))) for rate in Rate]
        [(70, 100), (30, 100), (20, 30), (20, 40), (10, 60), (20, 50)]
        """
        if counts.ndim < 2 or counts.shape[-1] != counts.shape[-2] or counts.shape[-1] < 2:
            raise DataError(
                f"confusion counts have the shape (..., C, C), got {counts.shape}", remedy="[y, yhat] last"
            )
        if self is Rate.ACCURACY:
            right: np.ndarray = np.trace(counts, axis1=-2, axis2=-1)
            return right, counts.sum(axis=(-2, -1))
        if counts.shape[-1] != 2:
            raise DataError(
                f"the {self.value} is of two classes, the counts are of {counts.shape[-1]}",
                remedy="chart the accuracy, or count one class against all others",
            )
        tn, fp, fn, tp = counts[..., 0, 0], counts[..., 0, 1], counts[..., 1, 0], counts[..., 1, 1]
        if self is Rate.ACCEPTANCE:
            return tp + fp, tn + fp + fn + tp
        if self is Rate.PRECISION:
            return tp + 0, tp + fp
        if self is Rate.RECALL:
            return tp + 0, tp + fn
        if self is Rate.FALSE_POSITIVE_RATE:
            return fp + 0, tn + fp
        return tp + 0, tp + fp + fn

    def shown(self, share: np.ndarray) -> np.ndarray:
        """Return the rate as people know it: F1 of J, all others as they are.

        Examples
        --------
        >>> float(Rate.F1.shown(np.array(0.5)).round(4))
        0.6667
        """
        found: np.ndarray = 2.0 * share / (1.0 + share) if self is Rate.F1 else share
        return found

    def share(self, shown: float) -> float:
        """Return the share of successes behind a rate as people know it.

        Examples
        --------
        >>> round(Rate.F1.share(2 / 3), 4), Rate.RECALL.share(0.7)
        (0.5, 0.7)
        """
        return shown / (2.0 - shown) if self is Rate.F1 else shown


class By(Enum):
    """For whom there is a chart: ``all`` rows together, each ``group``, or ``both``."""

    ALL = "all"
    GROUP = "group"
    BOTH = "both"

    def of(self, whole: np.ndarray, groups: np.ndarray) -> np.ndarray:
        """Join what holds for all (...) and for groups (..., G) to the charts asked for, last axis."""
        together = np.asarray(whole)[..., None]
        if self is By.ALL:
            return together
        return np.asarray(groups) if self is By.GROUP else np.concatenate([together, groups], axis=-1)

    def names(self, what: str, groups: tuple[str, ...]) -> list[str]:
        """Return the charts' names.

        Examples
        --------
        >>> By.BOTH.names("recall", ("a", "b"))
        ['recall', 'recall of a', 'recall of b']
        """
        each = [f"{what} of {group}" for group in groups]
        return [what] if self is By.ALL else each if self is By.GROUP else [what, *each]


def share(k: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return ``k / n``, NaN where there are no rows.

    Examples
    --------
    >>> share(np.array([1, 0]), np.array([4, 0]))
    array([0.25,  nan])
    """
    found = np.full(np.broadcast(k, n).shape, np.nan)
    np.divide(k, n, out=found, where=n > 0)
    return found
