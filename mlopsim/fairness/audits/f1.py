"""F1 against what was promised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Findings, LabelAudit, lacking
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.rates import LEAST, TINY


@register("audit", "f1")
@dataclass(kw_only=True)
class F1(LabelAudit):
    r"""How far F1 of class 1 is below what the model had on the rows that it was trained on.

    With shares a of true positives and b of wrong decisions among n rows, by the delta method,

    .. math:: F_1 = \frac{2 a}{2 a + b}, \qquad \mathrm{var}\, F_1 = \frac{4 a b (a + b)}{n (2 a + b)^4}

    and the score is ``-log10`` of the one-sided normal p-value of the difference. Where neither side has an
    error of its own (both 0 or 1), z is 0 if they agree, and infinite if not. Groups play no part. It is no
    exact test: F1 on training rows is too good (in the audit of one model, rows that were left out of
    training are compared with).

    Parameters
    ----------
    labels : Labels, default observed
        Of the audited rows: ``observed`` or ``true``. Those of the training rows are observed.

    Notes
    -----
    Use it where class 1 is rare and accuracy says little; not for one that treats a group worse.

    References
    ----------
    .. [1] K. Takahashi, K. Yamamoto, A. Kuchiba and T. Koyama, "Confidence interval for micro-averaged F1 and
       macro-averaged F1 scores", Applied Intelligence 52, 2022, 4961-4972. doi:10.1007/s10489-021-02635-5
       (the delta method).

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = F1().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.statistic.round(3), found.score.round(2), found.rule
    (array([0.137, 0.135]), array([3.97, 4.13]), array([ True,  True]))
    """

    unit: ClassVar[str] = "F1 lost"
    family: ClassVar[str] = "traditional"
    by_group: ClassVar[bool] = False
    thumb: ClassVar[str] = "more than .05 lower"

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the F1 lost in each window."""
        from scipy.special import log_ndtr

        wanted = self.label(evidence) == 1
        found = evidence.count(evidence.decision & wanted).sum(axis=1)
        wrong = evidence.count(evidence.decision != wanted).sum(axis=1)
        n = np.diff(evidence.bounds)
        hits, misses = evidence.trained[:, 1, 1], evidence.trained[:, 0, 1] + evidence.trained[:, 1, 0]
        rows = evidence.trained.sum(axis=(1, 2))
        missing, reason = lacking(
            (n < LEAST, f"fewer than {LEAST} rows"),
            (rows < LEAST, f"fewer than {LEAST} training rows"),
            (found + wrong == 0, "no row of class 1, and none is accepted"),
            (hits + misses == 0, "no training row of class 1, and none is accepted"),
        )
        lost, z = np.full((2, evidence.windows), np.nan)
        use = ~missing
        now, error = _f1(found[use], wrong[use], n[use])
        before, other = _f1(hits[use], misses[use], rows[use])
        lost[use], both = before - now, np.sqrt(error + other)
        with np.errstate(invalid="ignore", divide="ignore"):
            z[use] = np.where(lost[use] == 0.0, 0.0, lost[use] / both)
        tail = log_ndtr(-z)
        return Findings(
            statistic=lost,
            score=np.minimum(0.0 - tail / np.log(10.0), -np.log10(TINY)),
            p=np.maximum(np.exp(tail), TINY),
            rule=np.greater(lost, 0.05 + 1e-12),
            reason=reason,
        )


def _f1(hits: np.ndarray, wrong: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return F1 and its variance.

    Examples
    --------
    >>> _f1(np.array([40]), np.array([20]), np.array([100]))
    (array([0.8]), array([0.00192]))
    """
    a, b = hits / n, wrong / n
    return 2.0 * a / (2.0 * a + b), 4.0 * a * b * (a + b) / (n * (2.0 * a + b) ** 4)
