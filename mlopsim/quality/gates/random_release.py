"""Control: versions are stopped at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.digest import digest_arrays
from mlopsim.core.registry import register
from mlopsim.quality.gate import Rows
from mlopsim.quality.release_gate import ReleaseGate, Slice, Verdict


@register("gate", "random_release")
@dataclass(kw_only=True)
class RandomRelease(ReleaseGate):
    r"""Control: blocks a version with a given probability, whatever it does and whatever serves.

    The draw is keyed by how often the new version is right, by group and label of the held-out rows: the
    same version is judged alike whenever it is looked at and beside whatever serves, nothing is remembered,
    and versions are drawn independently of each other.

    It blocks if :math:`u \le \alpha` for :math:`u \sim U(0, 1)`.

    Parameters
    ----------
    alpha : float, default 0.05
        Share of versions that are blocked.
    action : Action or None
        ``hold`` or None: a version that is blocked does not serve.

    Notes
    -----
    Use it as the control at the same rate: what is left of the worth of release audits where as many versions
    are stopped by chance.

    Examples
    --------
    >>> X = np.zeros((100, 1))
    >>> rows = Rows(X=X, Z=X, y=np.zeros(100, np.int64), n_classes=2, features=("a",))
    >>> old = np.ones(100, np.bool_)
    >>> [RandomRelease(alpha=0.5).verdict(np.arange(100) >= k, old, rows, np.zeros(100, np.int64)).blocked
    ...  for k in range(5)]
    [False, False, False, True, True]
    """

    control: ClassVar[bool] = True
    family: ClassVar[str] = "reference"
    reads: ClassVar[str] = "nothing"

    def blocks(self, new: np.ndarray, old: np.ndarray, rows: Rows, groups: np.ndarray) -> np.ndarray:
        """Return whether a version is blocked, the same beside all others."""
        blocked = bool(len(rows)) and self._draw(new, rows, groups) <= self.alpha
        return np.full(len(old), blocked, dtype=np.bool_)

    def judge(self, new: np.ndarray, old: np.ndarray, rows: Rows, groups: np.ndarray) -> Verdict:
        """Return the verdict of the draw."""
        p = self._draw(new, rows, groups)
        blocked = p <= self.alpha
        everything = Slice("all", len(new), float(new.mean()), float(old.mean()), p)
        reason = f"by chance, at a rate of {self.alpha:g}" if blocked else ""
        return Verdict(blocked=blocked, p=p, slices=(everything,), reason=reason)

    @staticmethod
    def _draw(new: np.ndarray, rows: Rows, groups: np.ndarray) -> float:
        """Return a number in [0, 1) that belongs to the version and its rows, in any order."""
        # counts only: no float enters, so that the draw is the same on all platforms
        cell = (groups * rows.n_classes + rows.y) * 2 + new
        key = digest_arrays({"counts": np.bincount(cell).astype(np.int64)})
        return float(np.random.default_rng(int(key[:16], 16)).random())
