"""What an audit sees: rows of many windows, what a model makes of them, and how that is explained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mlopsim.core.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Explained:
    """Attributions of some of the rows.

    Parameters
    ----------
    rows : ndarray of int64, shape (m,)
        Which rows, rising.
    values : ndarray of float64, shape (m, d)
        What each feature adds to the model's output for the row.
    """

    rows: np.ndarray
    values: np.ndarray


@dataclass(kw_only=True)
class Evidence:
    """The rows of T windows, and the model (one a window, or one for all) that is audited on them.

    Parameters
    ----------
    window : ndarray of int64, shape (n,)
        Window of each row, 0..T-1, never falling.
    windows : int
        T. A window may be without rows.
    group : ndarray of int64, shape (n,)
        Protected group 0..G-1 of each row.
    groups : tuple of str
        Names of the G groups.
    decision : ndarray of bool, shape (n,)
        Whether the model says class 1.
    score : ndarray of float64, shape (n,)
        The output that is explained (margin or probability of class 1).
    X : ndarray of float64, shape (n, d)
        Features as the model takes them: finite.
    features : tuple of str
        Names of the d columns.
    observed : ndarray of int64, shape (n,)
        Labels as they are written down, 0 or 1.
    true : ndarray of int64, shape (n,), or None
        Labels as they should be, where that is known (simulations only).
    trained : ndarray of int64, shape (T, 2, 2)
        Rows that each window's model was trained on, counted by observed label and by what it says of them:
        what it promised before it was released. In an audit of one model what is said of each row by a model
        that was not trained on it.
    explain : callable, optional
        Gives attributions: ``explain(name, repeat)`` for ``"shap"`` or ``"lime"``; ``repeat`` 0, 1, ... asks
        for the same once more with other draws.
    flip : callable, optional
        Gives decision and score of the same rows as if they belonged to another group: of all that the
        model knows only the column, or feature, that tells the group best is changed.
    known : ndarray of float64, shape (T, d), optional
        Mean absolute attribution of each feature in the rows that each model was trained on.
    """

    window: np.ndarray
    windows: int
    group: np.ndarray
    groups: tuple[str, ...]
    decision: np.ndarray
    score: np.ndarray
    X: np.ndarray
    features: tuple[str, ...]
    observed: np.ndarray
    trained: np.ndarray
    true: np.ndarray | None = None
    explain: Callable[[str, int], Explained] | None = None
    flip: Callable[[], tuple[np.ndarray, np.ndarray]] | None = None
    known: np.ndarray | None = None
    _explained: dict[tuple[str, int], Explained] = field(default_factory=dict, repr=False)
    _flipped: tuple[np.ndarray, np.ndarray] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        n = len(self.window)
        if self.X.shape != (n, len(self.features)) or self.trained.shape != (self.windows, 2, 2):
            raise DataError(
                f"shapes disagree: {n} rows, {len(self.features)} features and {self.windows} windows, "
                f"X {self.X.shape}, trained {self.trained.shape}"
            )
        for name in ("group", "decision", "score", "observed", "true"):
            found = getattr(self, name)
            if found is not None and found.shape != (n,):
                raise DataError(f"{name} has the shape {found.shape}, expected ({n},)")
        if self.decision.dtype != np.bool_:
            raise DataError(f"decision must be bool, got {self.decision.dtype}")
        for name, size in (("group", self.n_groups), ("observed", 2), ("true", 2)):
            found = getattr(self, name)
            if found is not None and n and not 0 <= found.min() <= found.max() < size:
                raise DataError(f"{name} holds {found.min()} to {found.max()}, expected 0 to {size - 1}")
        if self.known is not None and self.known.shape != (self.windows, len(self.features)):
            raise DataError(
                f"known has the shape {self.known.shape}, expected ({self.windows}, {len(self.features)})"
            )
        if n and ((np.diff(self.window) < 0).any() or self.window[0] < 0 or self.window[-1] >= self.windows):
            raise DataError("the rows are not in the order of their windows")

    @property
    def n_groups(self) -> int:
        """Number of groups G."""
        return len(self.groups)

    @cached_property
    def place(self) -> np.ndarray:
        """Number of the (window, group) of each row, int64 (n,)."""
        found: np.ndarray = self.window * self.n_groups + self.group
        return found

    @cached_property
    def bounds(self) -> np.ndarray:
        """First row of each window, and the number of rows, int64 (T + 1,)."""
        found: np.ndarray = np.searchsorted(self.window, np.arange(self.windows + 1)).astype(np.int64)
        return found

    @cached_property
    def rows(self) -> np.ndarray:
        """Number of rows by window and group, int64 (T, G)."""
        return self.count()

    @cached_property
    def spread(self) -> np.ndarray:
        """Standard deviation of the score in each window, float64 (T,); NaN where it does not vary."""
        n = np.maximum(np.diff(self.bounds), 1)
        mean = np.bincount(self.window, weights=self.score, minlength=self.windows) / n
        gap = self.score - mean[self.window]
        variance = np.bincount(self.window, weights=gap * gap, minlength=self.windows) / n
        # what rounding leaves of a constant is no spread
        return np.where(variance > (1e-12 * mean) ** 2, np.sqrt(variance), np.nan)

    def count(self, which: np.ndarray | None = None) -> np.ndarray:
        """Return how many rows, or rows of a mask (n,), there are, int64 (T, G)."""
        place = self.place if which is None else self.place[which]
        found = np.bincount(place, minlength=self.windows * self.n_groups)
        return found.reshape(self.windows, self.n_groups).astype(np.int64)

    def total(self, values: np.ndarray) -> np.ndarray:
        """Return sums of values (n,) by window and group, float64 (T, G)."""
        found = np.bincount(self.place, weights=values, minlength=self.windows * self.n_groups)
        return found.reshape(self.windows, self.n_groups)

    def explained(self, name: str, repeat: int = 0) -> Explained:
        """Return attributions; each is computed once.

        Raises
        ------
        DataError
            If there is no explanation, or not one of these features.
        """
        if self.explain is None:
            raise DataError(
                "an audit of explanations needs the model, not only its decisions",
                remedy="pass explain=, or choose audits of decisions",
            )
        if (name, repeat) not in self._explained:
            found = self.explain(name, repeat)
            if found.values.shape != (len(found.rows), len(self.features)):
                raise DataError(
                    f"{name} gives attributions of the shape {found.values.shape}, expected "
                    f"({len(found.rows)}, {len(self.features)})"
                )
            if (np.diff(found.rows) <= 0).any():
                raise DataError(f"{name}: the rows that are explained must rise")
            self._explained[name, repeat] = found
        return self._explained[name, repeat]

    def flipped(self) -> tuple[np.ndarray, np.ndarray]:
        """Return decision and score of the rows as if they belonged to another group; computed once.

        Raises
        ------
        DataError
            If nobody can say.
        """
        if self.flip is None:
            raise DataError(
                "an audit that moves rows to another group needs the model, not only its decisions",
                remedy="pass flip=, or choose other audits",
            )
        if self._flipped is None:
            self._flipped = self.flip()
        return self._flipped

    def known_attributions(self) -> np.ndarray:
        """Return mean absolute attributions in the rows that each model was trained on, float64 (T, d).

        Raises
        ------
        DataError
            If they are not known.
        """
        if self.known is None:
            raise DataError(
                "an audit that looks for unexpected influence needs attributions of training rows",
                remedy="pass known=, or choose other audits",
            )
        return self.known
