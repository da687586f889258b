"""More missing values than before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.registry import register
from mlopsim.quality.batch_gate import BatchGate
from mlopsim.quality.gate import Rows


@register("gate", "missing_rate")
@dataclass(kw_only=True)
class MissingRate(BatchGate):
    r"""Fisher's exact test of each feature's missing values: are there more than in the reference?

    One-sided and exact at any size: given how many values are missing in both together, those in the batch
    are hypergeometric if the rate is the same. The reference's rate is not taken for the true one.

    With a missing values among n reference rows and b among m of the batch, of one feature,

    .. math:: p = \sum_{k \ge b} \binom{m}{k} \binom{n}{a + b - k} \bigg/ \binom{n + m}{a + b}

    and the batch's p-value is :math:`\min(1, d \min_f p_f)` over the d features.

    Parameters
    ----------
    alpha : float, default 0.05
        Level, Bonferroni over the features.
    action : Action or None
        What is done with a flagged batch; None: ``hold``.

    Notes
    -----
    Use it for values that go missing more often; not for values that go missing elsewhere at the same rate,
    which no test of rates sees.

    References
    ----------
    .. [1] R. A. Fisher, "The logic of inductive inference", Journal of the Royal Statistical Society 98,
       1935, 39-82. doi:10.2307/2342435

    Examples
    --------
    >>> X = np.zeros((500, 2)); X[::50, 0] = np.nan
    >>> rows = Rows(X=X, Z=np.zeros((500, 2)), y=np.zeros(500, np.int64), n_classes=2, features=("a", "b"))
    >>> gate = MissingRate()
    >>> learned = gate.learn(rows.take(slice(400)), np.random.default_rng(0))
    >>> batch = rows.take(slice(400, 500))
    >>> float(gate.score(learned, batch).round(2))
    0.0
    >>> batch.X[:5, 1] = np.nan
    >>> float(gate.score(learned, batch).round(2))
    3.23
    """

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        """Return the number of rows and the missing values of each feature."""
        self.check_reference(reference)
        return len(reference), np.isnan(reference.X).sum(axis=0)

    def pvalues(self, learned: Any, rows: Rows) -> np.ndarray:
        """Return p-values of the features."""
        from scipy.special import gammaln

        n, before = learned
        m = len(rows)
        self.check_width(len(before), rows)
        if not m:
            return np.full(len(before), np.nan)

        def log_choose(total: int, count: np.ndarray) -> np.ndarray:
            found: np.ndarray = gammaln(total + 1) - gammaln(count + 1) - gammaln(total - count + 1)
            return found

        found = np.ones(len(before))
        for j, now in enumerate(np.isnan(rows.X).sum(axis=0).tolist()):
            together = now + int(before[j])
            if now:
                count = np.arange(now, min(together, m) + 1)
                ways = log_choose(m, count) + log_choose(n, together - count)
                found[j] = min(1.0, np.exp(ways - log_choose(n + m, np.array(together))).sum())
        return found
