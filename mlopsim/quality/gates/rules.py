"""Rules for cells, learnt from what the reference never does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.quality.gate import Gate, Level, Rows


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a column of the reference keeps to.

    Parameters
    ----------
    complete : bool
        No value is missing.
    whole : bool
        All values are whole numbers.
    low, high : float
        Allowed range of a numeric column.
    width : float
        Range of the reference, the unit for what is outside.
    codes : ndarray of float64, or None
        Categories; None for numeric columns.
    """

    complete: bool
    whole: bool = False
    low: float = 0.0
    high: float = 0.0
    width: float = 1.0
    codes: np.ndarray | None = None


@register("gate", "rules")
@dataclass(kw_only=True)
class Rules(Gate):
    r"""Rules that the reference keeps to: ranges, categories, completeness and whole numbers, cell by cell.

    Each broken rule adds to the score of a cell: 1 for a missing value where the reference has all, 1 for a
    category that it lacks, 1 for a fraction where it has whole numbers only, and ``e / (1 + e)`` for a number
    that is e ranges of the reference outside of what is allowed: a clean value just outside counts for
    little, so that a limit above it still flags the other rules. Everything else is 0. A column without a
    value in the reference has no rules and no scores.

    Of a number x where the reference has values from a to b, with
    :math:`\varepsilon = \mathrm{margin} \cdot (b - a)`, the range adds

    .. math:: \frac{e}{1 + e}, \qquad e = \frac{\max(0, a - \varepsilon - x, x - b - \varepsilon)}{b - a}

    Parameters
    ----------
    margin : float, default 0.1
        What is allowed beyond the least and largest reference value, in ranges of the reference.
    alpha : float, default 0.05
        Share of clean rows that are flagged, at most (clean rows rarely break a rule): the limit is one for
        the largest score of a row.
    action : Action or None
        What is done with flagged cells; None: ``drop`` their rows.

    Notes
    -----
    Use it first: broken rules are cheap to find and can be explained. Not for values that are wrong within
    what is allowed.

    References
    ----------
    .. [1] S. Schelter, D. Lange, P. Schmidt, M. Celikel, F. Biessmann and A. Grafberger, "Automating
       large-scale data quality verification", PVLDB 11(12), 2018, 1781-1794. doi:10.14778/3229863.3229867

    Examples
    --------
    >>> X = np.array([[0.0, 1.0], [1.0, 2.0], [0.0, 5.0]])
    >>> rows = Rows(X=X, Z=X, y=np.zeros(3, np.int64), n_classes=2, features=("job", "age"), categorical=(0,))
    >>> gate = Rules(margin=0.0)
    >>> learned = gate.learn(rows, np.random.default_rng(0))
    >>> X = np.array([[1.0, 3.0], [2.0, np.nan], [0.0, 9.0], [np.nan, 4.5]])
    >>> bad = Rows(X=X, Z=np.zeros((4, 2)), y=np.zeros(4, np.int64), n_classes=2, features=("job", "age"),
    ...            categorical=(0,))
    >>> gate.score(learned, bad)
    array([[0. , 0. ],
           [1. , 1. ],
           [0. , 0.5],
           [1. , 1. ]])
    """

    level: ClassVar[Level] = Level.CELL
    family: ClassVar[str] = "rule"

    margin: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gate/rules.margin", self.margin, 0.0, 1e6)

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        """Return a rule a column, None where there is no value."""
        return [self._rule(column, j in reference.categorical) for j, column in enumerate(reference.X.T)]

    def _rule(self, column: np.ndarray, category: bool) -> Rule | None:
        known = column[~np.isnan(column)]
        if not len(known):
            return None
        complete = len(known) == len(column)
        if category:
            return Rule(complete=complete, codes=np.unique(known))
        low, high = float(known.min()), float(known.max())
        # of a constant: its last digits
        width = max(high - low, 1e-12 * max(abs(low), abs(high), 1.0))
        beyond = self.margin * (high - low)
        whole = bool((known == np.rint(known)).all())
        return Rule(complete=complete, whole=whole, low=low - beyond, high=high + beyond, width=width)

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        """Return how much of the rules each cell breaks."""
        self.check_width(len(learned), rows)
        found = np.full(rows.X.shape, np.nan)
        for j, rule in enumerate(learned):
            if rule is None:
                continue
            value = rows.X[:, j]
            missing = np.isnan(value)
            broken = np.zeros(len(rows))
            if rule.codes is not None:
                broken[~missing & ~np.isin(value, rule.codes)] = 1.0
            else:
                outside = np.maximum(np.maximum(rule.low - value, value - rule.high), 0.0) / rule.width
                broken = np.where(missing, 0.0, 1.0 - 1.0 / (1.0 + outside))
                if rule.whole:
                    broken += ~missing & (value != np.rint(value))
            if rule.complete:
                broken += missing
            found[:, j] = broken
        return found
