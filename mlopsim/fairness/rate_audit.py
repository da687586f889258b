"""What audits share that compare rates of groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.fairness.audit import Findings, lacking
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.naming import SPREAD, Named, entry
from mlopsim.fairness.rates import LEAST, Compared, compare, left_out, surprise

#: largest less smallest rate: above this it is unfair by the customary rule
TOLERATED = 0.1
#: that rule in words
THUMB = f"{SPREAD} above .1"


@dataclass(frozen=True, kw_only=True)
class Rate:
    """What is counted.

    Parameters
    ----------
    hits, among : ndarray of bool, shape (n,)
        Rows that succeed, and rows that are counted.
    rows : str
        What the latter are called.
    alike : str
        What they have in common where nothing can be compared.
    """

    hits: np.ndarray
    among: np.ndarray
    rows: str
    alike: str

    def compared(self, evidence: Evidence, u: np.ndarray) -> tuple[Compared, np.ndarray]:
        """Return the comparison of groups and the rows of each, int64 (T, G)."""
        n = evidence.count(self.among)
        return compare(evidence.count(self.hits & self.among), n, u), n

    def causes(self, found: Compared) -> list[tuple[np.ndarray, str]]:
        """Return why windows are without a verdict."""
        return [(found.few, f"fewer than {LEAST} {self.rows} in a group"), (found.alike, self.alike)]


def findings(evidence: Evidence, rate: Rate, u: np.ndarray, *, ruled: bool) -> Findings:
    """Return what the comparison of one rate says.

    Parameters
    ----------
    evidence : Evidence
    rate : Rate
    u : ndarray of float64, shape (T,)
        Uniform in [0, 1).
    ruled : bool
        Whether the customary rule (largest less smallest rate above .1) is applied.
    """
    found, n = rate.compared(evidence, u)
    missing, reason = lacking(*rate.causes(found))
    place = np.where(missing, -1, found.place)
    spread = np.where(missing, np.nan, found.spread)
    return Findings(
        statistic=entry(found.gaps, place),
        score=surprise(found.p),
        p=found.p,
        rule=broken(spread) if ruled else None,
        gaps=np.where(missing[:, None], np.nan, found.gaps),
        reason=noted(reason, left_out(n, evidence.groups, rate.rows)),
        named=Named(group=place, counts=entry(found.counts, place)),
        asked=spread if ruled else None,
    )


def broken(spread: np.ndarray) -> np.ndarray:
    """Return where the customary rule is broken, bool (T,); NaN is no breach.

    Examples
    --------
    >>> broken(np.array([0.4 - 0.3, 0.11, np.nan])).tolist()  # a tenth is not more than a tenth
    [False, True, False]
    """
    found: np.ndarray = np.greater(spread, TOLERATED + 1e-12)
    return found


def noted(*parts: str) -> str:
    """Join reasons; empty ones are left out.

    Examples
    --------
    >>> noted("no rows", "", "one label")
    'no rows; one label'
    """
    return "; ".join(part for part in parts if part)
