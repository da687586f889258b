"""Agrawal: loan applications and ten rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.streams.concepts.base import Concept, Law


@register("concept", "agrawal")
@dataclass(kw_only=True)
class Agrawal(Concept):
    r"""Agrawal concepts: nine features of a loan application, ten rules (the variants).

    Salary U(20k, 150k); commission 0 from a salary of 75k on, else U(10k, 85k); age 20..80; education
    0..4; car 1..20 (codes 0..19); zip code 0..8; house value (8 - zip) 100k U(.5, 1.5); years owned
    1..30; loan U(0, 500k).

    The rules are river's to the letter, also where river's function 4 reads the salary instead of the loan.
    Perturbation of the inputs, there a parameter, is a matter of injectors here.

    Rules 6 to 9 are linear but for the equity q of rule 9,
    :math:`q = \mathrm{hvalue} \cdot \max(0, \mathrm{hyears} - 20) / 10`: class 1 where

    .. math::

        \tfrac{2}{3} (\mathrm{salary} + \mathrm{commission}) - 5000 a \cdot \mathrm{elevel}
        - b \cdot \mathrm{loan} / 5 + c \cdot q / 5 - k \le 1

    with (a, b, c, k) = (0, 1, 0, 20000), (1, 0, 0, 20000), (1, 1, 0, 10000) and (1, 0, 1, 10000).

    Notes
    -----
    Use it for mixed columns and rules that differ much; its labels have no noise of their own.

    References
    ----------
    .. [1] R. Agrawal, T. Imielinski and A. Swami, "Database mining: a performance perspective", IEEE
       Transactions on Knowledge and Data Engineering 5, 1993, 914-925. doi:10.1109/69.250074

    Examples
    --------
    >>> concept = Agrawal()
    >>> X, y = concept.sample(Law.of(0, 1000), np.random.default_rng(1))
    >>> X.shape, bool(np.array_equal(y, (X[:, 2] < 40) | (X[:, 2] >= 60)))
    ((1000, 9), True)
    """

    @property
    def count(self) -> int:
        """Number of variants."""
        return 10

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return ("salary", "commission", "age", "elevel", "car", "zipcode", "hvalue", "hyears", "loan")

    @property
    def categories(self) -> Mapping[int, tuple[str, ...]]:
        """Category names of the categorical features."""
        return {
            3: tuple(str(i) for i in range(5)),
            4: tuple(str(i + 1) for i in range(20)),
            5: tuple(str(i) for i in range(9)),
        }

    def inputs(self, law: Law, rng: np.random.Generator) -> np.ndarray:
        """Draw inputs, float64 of shape (n, d)."""
        n = len(law)
        X = np.empty((n, 9))
        salary = 20_000.0 + 130_000.0 * rng.random(n)
        X[:, 0] = salary
        X[:, 1] = np.where(salary >= 75_000.0, 0.0, 10_000.0 + 75_000.0 * rng.random(n))
        X[:, 2] = rng.integers(20, 81, size=n)
        X[:, 3] = rng.integers(0, 5, size=n)
        X[:, 4] = rng.integers(0, 20, size=n)
        zipcode = rng.integers(0, 9, size=n)
        X[:, 5] = zipcode
        X[:, 6] = (8 - zipcode) * 100_000.0 * (0.5 + rng.random(n))
        X[:, 7] = rng.integers(1, 31, size=n)
        X[:, 8] = rng.random(n) * 500_000.0
        return X

    def rule(self, X: np.ndarray, law: Law) -> np.ndarray:
        """Return the likeliest label of each row, int64 of shape (n,)."""
        y = np.zeros(len(X), dtype=np.int64)
        runs = law.runs()
        if runs is None:
            for variant in np.unique(law.a):
                mixed = np.flatnonzero(law.a == variant)
                y[mixed] = RULES[variant](X[mixed])
            return y
        for rows, variant in runs:
            y[rows] = RULES[variant](X[rows])
        return y


def _between(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.asarray((low <= values) & (values <= high))


def _by_age(X: np.ndarray, young: np.ndarray, middle: np.ndarray, old: np.ndarray) -> np.ndarray:
    age = X[:, 2]
    return np.asarray(np.where(age < 40, young, np.where(age < 60, middle, old)))


def _rule0(X: np.ndarray) -> np.ndarray:
    return np.asarray((X[:, 2] < 40) | (X[:, 2] >= 60))


def _income(X: np.ndarray, income: np.ndarray) -> np.ndarray:
    return _by_age(
        X,
        _between(income, 50_000, 100_000),
        _between(income, 75_000, 125_000),
        _between(income, 25_000, 75_000),
    )


def _rule1(X: np.ndarray) -> np.ndarray:
    return _income(X, X[:, 0])


def _rule2(X: np.ndarray) -> np.ndarray:
    elevel = X[:, 3]
    return _by_age(X, elevel <= 1, _between(elevel, 1, 3), elevel >= 2)


def _rule3(X: np.ndarray) -> np.ndarray:
    salary, elevel = X[:, 0], X[:, 3]
    low, mid, high = (_between(salary, start, start + 50_000) for start in (25_000, 50_000, 75_000))
    return _by_age(
        X,
        np.where(elevel <= 1, low, mid),
        np.where(_between(elevel, 1, 3), mid, high),
        np.where(elevel >= 2, mid, low),
    )


def _rule4(X: np.ndarray) -> np.ndarray:
    salary, loan = X[:, 0], X[:, 8]
    return _by_age(
        X,
        np.where(
            _between(salary, 50_000, 100_000),
            _between(loan, 100_000, 300_000),
            _between(salary, 200_000, 400_000),
        ),
        np.where(
            _between(salary, 75_000, 125_000),
            (salary >= 200_000) & (loan <= 400_000),
            _between(salary, 300_000, 500_000),
        ),
        np.where(
            _between(salary, 25_000, 75_000),
            _between(loan, 300_000, 500_000),
            _between(loan, 75_000, 300_000),
        ),
    )


def _rule5(X: np.ndarray) -> np.ndarray:
    return _income(X, X[:, 0] + X[:, 1])


def _rule6(X: np.ndarray) -> np.ndarray:
    return np.asarray(2.0 * (X[:, 0] + X[:, 1]) / 3.0 - X[:, 8] / 5.0 - 20_000.0 <= 1.0)


def _rule7(X: np.ndarray) -> np.ndarray:
    return np.asarray(2.0 * (X[:, 0] + X[:, 1]) / 3.0 - 5_000.0 * X[:, 3] - 20_000.0 <= 1.0)


def _rule8(X: np.ndarray) -> np.ndarray:
    return np.asarray(2.0 * (X[:, 0] + X[:, 1]) / 3.0 - 5_000.0 * X[:, 3] - X[:, 8] / 5.0 - 10_000.0 <= 1.0)


def _rule9(X: np.ndarray) -> np.ndarray:
    equity = np.where(X[:, 7] >= 20.0, X[:, 6] * (X[:, 7] - 20.0) / 10.0, 0.0)
    return np.asarray(2.0 * (X[:, 0] + X[:, 1]) / 3.0 - 5_000.0 * X[:, 3] + equity / 5.0 - 10_000.0 <= 1.0)


RULES: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
    _rule0, _rule1, _rule2, _rule3, _rule4, _rule5, _rule6, _rule7, _rule8, _rule9,
)  # fmt: skip
