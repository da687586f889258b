"""An audit of one's own: `mlopsim bench suite=fairness-core --plugin audit.py methods=[pooled_z,flip]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import mlopsim
from mlopsim.fairness import Audit, Evidence, Findings
from mlopsim.fairness.naming import Named, entry, worst_place

#: rows that each side of a comparison must have
LEAST = 30


@mlopsim.register("audit", "pooled_z")
@dataclass(kw_only=True)
class PooledZ(Audit):
    """The z-test of two proportions: acceptance of a group against that of all others.

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> PooledZ().examine(sample(shift=1.0), np.random.default_rng(0)).score.round(1)
    array([4.7, 4.2])
    """

    unit: ClassVar[str] = "acceptance rate"
    family: ClassVar[str] = "fairness metric"

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return gap and score of each window, of the group with the largest score."""
        n, k = evidence.rows, evidence.count(evidence.decision)  # (windows, groups)
        rest, others = n.sum(axis=1, keepdims=True) - n, k.sum(axis=1, keepdims=True) - k
        rate = (k + others) / np.maximum(n + rest, 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            gap = k / n - others / rest
            z = np.abs(gap) / np.sqrt(rate * (1.0 - rate) * (1.0 / n + 1.0 / rest))
        # undefined is NaN with a reason, never 0
        z = np.where((n >= LEAST) & (rest >= LEAST) & (rate > 0.0) & (rate < 1.0), z, np.nan)
        place = worst_place(z, gap)
        few = bool((place < 0).any())
        return Findings(
            statistic=entry(gap, place),
            score=entry(z, place),
            named=Named(group=place, counts=entry(np.stack([k, n, others, rest], axis=2), place)),
            reason=f"fewer than {LEAST} rows in a group, or all decisions alike" if few else "",
        )
