"""A version that is less accurate than it must be, whatever serves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.quality.gate import Rows
from mlopsim.quality.release_gate import ReleaseGate, Slice, Verdict


@register("gate", "least_accuracy")
@dataclass(kw_only=True)
class LeastAccuracy(ReleaseGate):
    r"""Blocks a version whose held-out accuracy is below a floor by more than chance explains.

    The exact one-sided binomial test of "at least ``floor``". It does not look at what serves: where every
    release loses a little, a gate that compares it with the one before sees that little only, this one all
    that was lost since the first.

    With r of n held-out rows right, it blocks if :math:`P(\mathrm{Bin}(n, \mathrm{floor}) \le r) \le \alpha`.

    Parameters
    ----------
    alpha : float, default 0.05
        Level: how often a version with exactly the lowest accuracy is blocked, at most.
    action : Action or None
        ``hold`` or None: a version that fails does not serve.
    floor : float, default 0.7
        The lowest accuracy that is allowed.

    Notes
    -----
    Use it beside ``accuracy_drop`` where a lowest accuracy is agreed; not alone where a fall from a good
    version must be seen.

    References
    ----------
    .. [1] C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case
       of the binomial", Biometrika 26, 1934, 404-413. doi:10.1093/biomet/26.4.404

    Examples
    --------
    >>> X = np.zeros((100, 1))
    >>> rows = Rows(X=X, Z=X, y=np.zeros(100, np.int64), n_classes=2, features=("a",))
    >>> old = new = np.arange(100) >= 30
    >>> LeastAccuracy(floor=0.8).verdict(new, old, rows, np.zeros(100, np.int64))
    Verdict(blocked=True, p=0.0112489...,
            slices=(Slice(name='all', n=100, new=0.7, old=0.7, p=0.0112489..., column=None),),
            reason='accuracy 0.7, floor 0.8 (n = 100)')
    """

    floor: float = 0.7

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gate/least_accuracy.floor", self.floor, 0.0, 1.0)

    def blocks(self, new: np.ndarray, old: np.ndarray, rows: Rows, groups: np.ndarray) -> np.ndarray:
        """Return whether a version is blocked, the same beside all others."""
        return np.full(len(old), bool(len(rows)) and self._p(new) <= self.alpha, dtype=np.bool_)

    def judge(self, new: np.ndarray, old: np.ndarray, rows: Rows, groups: np.ndarray) -> Verdict:
        """Return the verdict on all rows together."""
        p = self._p(new)
        everything = Slice("all", len(new), float(new.mean()), float(old.mean()), p)
        blocked = p <= self.alpha
        reason = f"accuracy {everything.new:.3g}, floor {self.floor:g} (n = {len(new)})" if blocked else ""
        if not blocked and (1.0 - self.floor) ** len(new) > self.alpha:
            reason = f"{len(new)} row(s), all of them wrong, would not show an accuracy below {self.floor:g}"
        return Verdict(blocked=blocked, p=p, slices=(everything,), reason=reason)

    def _p(self, new: np.ndarray) -> float:
        """Return the probability of so few right answers, or fewer, at the floor."""
        from scipy.special import bdtr

        return float(bdtr(int(new.sum()), len(new), self.floor))
