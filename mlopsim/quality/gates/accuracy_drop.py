"""A version that is less accurate than the one that serves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.quality.gate import Rows
from mlopsim.quality.release_gate import ReleaseGate, Slice, Verdict, least_discordant, sign_test


@register("gate", "accuracy_drop")
@dataclass(kw_only=True)
class AccuracyDrop(ReleaseGate):
    r"""Blocks a version that gets more held-out rows wrong than the one that serves than chance explains.

    McNemar's test in its exact one-sided form: of the rows on which one version alone is right each is a fair
    coin if they are equally accurate. Too few of those rows for the level block nothing, and the reason says
    so.

    With w rows that the new version alone gets wrong and b that it alone gets right, it blocks if

    .. math:: P\left(\mathrm{Bin}(w + b, \tfrac{1}{2}) \ge w\right) \le \alpha

    Parameters
    ----------
    alpha : float, default 0.05
        Level.
    action : Action or None
        ``hold`` or None: a version that fails does not serve.

    Notes
    -----
    Use it to hold a release that is worse than what serves. Not to keep a floor: releases that each lose a
    little pass one after the other (``least_accuracy``).

    References
    ----------
    .. [1] T. G. Dietterich, "Approximate statistical tests for comparing supervised classification learning
       algorithms", Neural Computation 10, 1998, 1895-1923. doi:10.1162/089976698300017197
    .. [2] Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
       percentages", Psychometrika 12, 1947, 153-157. doi:10.1007/BF02295996

    Examples
    --------
    >>> X = np.zeros((100, 1))
    >>> rows = Rows(X=X, Z=X, y=np.zeros(100, np.int64), n_classes=2, features=("a",))
    >>> old = np.ones(100, np.bool_); new = np.arange(100) >= 8
    >>> AccuracyDrop().verdict(new, old, rows, np.zeros(100, np.int64))
    Verdict(blocked=True, p=0.00390625,
            slices=(Slice(name='all', n=100, new=0.92, old=1.0, p=0.00390625, column=None),),
            reason='accuracy 0.92 after 1 (n = 100)')
    """

    def blocks(self, new: np.ndarray, old: np.ndarray, rows: Rows, groups: np.ndarray) -> np.ndarray:
        """Return whether a version is blocked beside each of several others, all at once."""
        worse, better = (old & ~new).sum(axis=1), (new & ~old).sum(axis=1)
        blocked: np.ndarray = sign_test(worse, better) <= self.alpha
        return blocked if len(rows) else np.zeros(len(old), dtype=np.bool_)

    def judge(self, new: np.ndarray, old: np.ndarray, rows: Rows, groups: np.ndarray) -> Verdict:
        """Return the verdict on all rows together."""
        worse, better = int((old & ~new).sum()), int((new & ~old).sum())
        p = float(sign_test(np.array([worse]), np.array([better]))[0])
        everything = Slice("all", len(new), float(new.mean()), float(old.mean()), p)
        blocked, needed = p <= self.alpha, least_discordant(self.alpha)
        reason = ""
        if blocked:
            reason = f"accuracy {everything.new:.3g} after {everything.old:.3g} (n = {everything.n})"
        elif worse + better < needed:
            few = f"the versions differ on {worse + better} row(s)"
            reason = f"{few}, alpha = {self.alpha:g} needs at least {needed}"
        return Verdict(blocked=blocked, p=p, slices=(everything,), reason=reason)
