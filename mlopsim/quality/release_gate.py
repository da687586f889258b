"""The contract of gates after training: may a new version replace the one that serves?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.quality.gate import Action, Gate, Level, Rows, Stage


class Slice(NamedTuple):
    """Some of the held-out rows, with the accuracies of both versions on them.

    Parameters
    ----------
    name : str
    n : int
        Rows.
    new, old : float
        Accuracy of the new version and of the one that serves; NaN without rows.
    p : float
        Of "the new version is no worse here", corrected for the number of slices where there are several.
    column : int or None
        Feature that it is cut by; None for a group or all rows.
    """

    name: str
    n: int
    new: float
    old: float
    p: float
    column: int | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a release gate says about a version.

    Parameters
    ----------
    blocked : bool
        Whether the version is not to serve.
    p : float
        What it was decided by: at most alpha where blocked. NaN where nothing could be tested.
    slices : tuple of Slice
        What was tested, the smallest p first.
    reason : str
        Why, or why nothing could be decided; empty where the version passed a test that could have failed.
    """

    blocked: bool
    p: float
    slices: tuple[Slice, ...] = ()
    reason: str = ""


@dataclass(kw_only=True)
class ReleaseGate(Gate):
    """Base of gates that compare a new version with the one that serves, on held-out labelled rows.

    A gate defines :meth:`judge`. Its verdict depends on what serves, so it belongs to the roll-out.

    Parameters
    ----------
    alpha : float, default 0.05
        Level: how often a version that is no worse is blocked, at most.
    action : Action or None
        ``hold`` or None: a version that fails does not serve.
    """

    level: ClassVar[Level] = Level.BATCH
    limit_from: ClassVar[str] = "given"
    stages: ClassVar[tuple[Stage, ...]] = (Stage.TEST,)
    by_window: ClassVar[bool] = True
    uses_labels: ClassVar[bool] = True
    family: ClassVar[str] = "release test"
    reads: ClassVar[str] = "errors"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.action not in (None, Action.HOLD):
            raise ConfigError(
                f"{self.full_name} judges versions: action '{self.action.value}' is not possible",
                remedy="action=hold, or none given",
            )

    def judge(self, new: np.ndarray, old: np.ndarray, rows: Rows, groups: np.ndarray) -> Verdict:
        """Return the verdict from where the new and the old version are right, bool (m,); m is at least 1."""
        raise NotImplementedError

    def blocks(self, new: np.ndarray, old: np.ndarray, rows: Rows, groups: np.ndarray) -> np.ndarray:
        """Return whether a version is blocked beside each of several others, as :meth:`verdict` says it.

        Parameters
        ----------
        new : ndarray of bool, shape (m,)
            Where the new version is right.
        old : ndarray of bool, shape (k, m)
            Where those that may serve are.
        rows : Rows
        groups : ndarray of int64, shape (m,)

        Returns
        -------
        ndarray of bool, shape (k,)
        """
        return np.array([self.verdict(new, one, rows, groups).blocked for one in old], dtype=np.bool_)

    def verdict(
        self, new_correct: np.ndarray, old_correct: np.ndarray, rows: Rows, groups: np.ndarray
    ) -> Verdict:
        """Return whether the new version is blocked.

        Parameters
        ----------
        new_correct, old_correct : ndarray of bool, shape (m,)
            Where the new version and the one that serves are right.
        rows : Rows
            The m held-out rows, which neither version was trained on.
        groups : ndarray of int64, shape (m,)
            Protected group of each row.

        Raises
        ------
        DataError
            If shapes or types disagree.
        """
        shape = (len(rows),)
        if not new_correct.shape == old_correct.shape == groups.shape == shape:
            raise DataError(
                f"{self.full_name}: {len(rows)} rows, but correctness of shapes {new_correct.shape} and "
                f"{old_correct.shape}, groups {groups.shape}"
            )
        if new_correct.dtype != np.bool_ or old_correct.dtype != np.bool_:
            raise DataError(
                f"{self.full_name}: correctness must be bool, got {new_correct.dtype} and {old_correct.dtype}"
            )
        if not len(rows):
            return Verdict(blocked=False, p=math.nan, reason="no held-out rows")
        return self.judge(new_correct, old_correct, rows, groups)

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        """Refuse: there is nothing to learn."""
        raise self._versions_only()

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        """Refuse: rows have no score."""
        raise self._versions_only()

    def _versions_only(self) -> ConfigError:
        return ConfigError(
            f"{self.full_name} judges versions, it has no score of rows", remedy="use its method verdict()"
        )


def sign_test(worse: np.ndarray, better: np.ndarray) -> np.ndarray:
    """Return exact one-sided p-values of McNemar's test: P(at least ``worse`` of ``worse + better`` coins).

    Parameters
    ----------
    worse, better : ndarray of int64, shape (k,)
        Rows on which the new version alone is wrong, and alone is right. Where both are 0, p is 1.

    References
    ----------
    McNemar (1947), *Note on the sampling error of the difference between correlated proportions or
    percentages*, Psychometrika 12, 153-157; exact: the sign test.

    Examples
    --------
    >>> sign_test(np.array([5, 0, 3]), np.array([0, 0, 3])).tolist()
    [0.03125, 1.0, 0.65625]
    """
    from scipy.special import betainc

    found: np.ndarray = np.where(worse > 0, betainc(np.maximum(worse, 1), better + 1.0, 0.5), 1.0)
    return found


def least_discordant(alpha: float) -> int:
    """Return how many rows the versions must disagree on before p can be at most alpha.

    Examples
    --------
    >>> least_discordant(0.05), least_discordant(1.0)
    (5, 0)
    """
    count = 0
    while 0.5**count > alpha:
        count += 1
    return count
