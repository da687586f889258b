"""Slices on which a version is less accurate than the one that serves."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.quality.gate import Rows
from mlopsim.quality.release_gate import ReleaseGate, Slice, Verdict, least_discordant, sign_test
from mlopsim.stats.rank_tests import holm


@register("gate", "weak_slices")
@dataclass(kw_only=True)
class WeakSlices(ReleaseGate):
    r"""Blocks a version that is worse than the one that serves on some slice of the held-out rows.

    Slices are each group, each category of a categorical feature, each quarter of a numeric one (cut at the
    quartiles of the held-out rows; fewer where values repeat) and the rows in which a feature is missing; not
    those that hold all rows. Each is tested as by ``accuracy_drop``, with Holm's correction for their number.
    Weak slices are those whose p-value is at most alpha; they come first.

    With S slices, :math:`w_s` rows of slice s that the new version alone gets wrong and :math:`b_s` that it
    alone gets right, and the p-values :math:`p_s = P(\mathrm{Bin}(w_s + b_s, \tfrac{1}{2}) \ge w_s)` sorted,
    it blocks if

    .. math:: \max_{r \le s} (S - r + 1) \, p_{(r)} \le \alpha

    for some s.

    Parameters
    ----------
    least : int, default 10
        Rows that a slice must have to be looked at.
    alpha : float, default 0.05
        Level over all slices together.
    action : Action or None
        ``hold`` or None: a version that fails does not serve.

    Notes
    -----
    Use it where a release may lose a part of the rows while it gains on the whole; not with few held-out
    rows, of which slices have too few to block.

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
       Statistics 6, 1979, 65-70.
    .. [2] Y. Chung, T. Kraska, N. Polyzotis, K. H. Tae and S. E. Whang, "Slice Finder: automated data slicing
       for model validation", ICDE, 2019, 1550-1553. doi:10.1109/ICDE.2019.00139 (slices).

    Examples
    --------
    >>> X = np.arange(100.0)[:, None]
    >>> rows = Rows(X=X, Z=X, y=np.zeros(100, np.int64), n_classes=2, features=("age",))
    >>> old = np.ones(100, np.bool_); new = np.arange(100) >= 12
    >>> verdict = WeakSlices().verdict(new, old, rows, np.arange(100) % 2)
    >>> verdict.blocked, verdict.reason
    (True, 'weak: age <= 24.8')
    >>> verdict.slices[0]
    Slice(name='age <= 24.8', n=25, new=0.52, old=1.0, p=0.0014..., column=0)
    """

    least: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gate/weak_slices.least", self.least, 1, 10**9)

    def judge(self, new: np.ndarray, old: np.ndarray, rows: Rows, groups: np.ndarray) -> Verdict:
        """Return the verdict on the slices."""
        cut = [part for part in slices(rows, groups) if self.least <= part[1].sum() < len(rows)]
        names = [name for name, _, _ in cut]
        if not names:
            reason = f"no slice of at least {self.least} rows in {len(rows)}"
            return Verdict(blocked=False, p=math.nan, reason=reason)
        inside = np.array([member for _, member, _ in cut])
        worse, better = inside[:, old & ~new].sum(axis=1), inside[:, new & ~old].sum(axis=1)
        p = holm(sign_test(worse, better))
        found = tuple(
            Slice(
                names[i],
                int(inside[i].sum()),
                float(new[inside[i]].mean()),
                float(old[inside[i]].mean()),
                float(p[i]),
                cut[i][2],
            )
            for i in np.argsort(p, kind="stable")
        )
        weak = [part.name for part in found if part.p <= self.alpha]
        # the smallest p-value is multiplied by the number of slices
        needed = least_discordant(self.alpha / len(names))
        reason = ""
        if weak:
            reason = f"weak: {', '.join(weak)}"
        elif (most := int((worse + better).max())) < needed:
            reason = (
                f"the versions differ on at most {most} row(s) of a slice, alpha = {self.alpha:g} over "
                f"{len(names)} slices needs at least {needed}"
            )
        return Verdict(blocked=bool(weak), p=found[0].p, slices=found, reason=reason)


def slices(rows: Rows, groups: np.ndarray) -> list[tuple[str, np.ndarray, int | None]]:
    """Return the name, the rows, bool (m,), and the feature of each slice; None: it is a group.

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 1.0], [4.0, np.nan]])
    >>> rows = Rows(X=X, Z=X, y=np.zeros(4, np.int64), n_classes=2, features=("a", "b"), categorical=(1,))
    >>> [(name, np.flatnonzero(member).tolist()) for name, member, _ in slices(rows, np.zeros(4, np.int64))]
    [('group 0', [0, 1, 2, 3]), ('a <= 1.75', [0]), ('a in (1.75, 2.5]', [1]), ('a in (2.5, 3.25]', [2]),
     ('a > 3.25', [3]), ('b = 0', [0, 1]), ('b = 1', [2]), ('b missing', [3])]
    """
    found: list[tuple[str, np.ndarray, int | None]] = [
        (f"group {group}", groups == group, None) for group in np.unique(groups)
    ]
    for j, name in enumerate(rows.features):
        column = rows.X[:, j]
        missing = np.isnan(column)
        known = column[~missing]
        if j in rows.categorical:
            found += [(f"{name} = {code:g}", column == code, j) for code in np.unique(known)]
        elif len(known):
            cuts = np.unique(np.quantile(known, [0.25, 0.5, 0.75]))
            cuts = cuts[cuts < known.max()]
            # a missing value is in no part: comparisons with it are false
            edges = [-np.inf, *cuts.tolist(), np.inf]
            found += [
                (_between(name, low, high), (column > low) & (column <= high), j)
                for low, high in itertools.pairwise(edges)
            ]
        if missing.any():
            found.append((f"{name} missing", missing, j))
    return found


def _between(name: str, low: float, high: float) -> str:
    if low == -math.inf:
        return f"{name} known" if high == math.inf else f"{name} <= {high:.3g}"
    return f"{name} > {low:.3g}" if high == math.inf else f"{name} in ({low:.3g}, {high:.3g}]"
