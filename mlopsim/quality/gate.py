"""The contract of gates: what looks at rows before, during and after training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import check_range
from mlopsim.core.track import Attribute
from mlopsim.quality.input_checks import check_numbers
from mlopsim.streams.stream import Received

#: what gates know that a deployment does not show
NOTHING = "nothing"


class Level(Enum):
    """What a gate tells apart: rows, cells, or batches as a whole."""

    ROW = "row"
    CELL = "cell"
    BATCH = "batch"

    @property
    def plural(self) -> str:
        """What it tells apart, in words.

        Examples
        --------
        >>> [level.plural for level in Level]
        ['rows', 'cells', 'batches']
        """
        return f"{self.value}es" if self is Level.BATCH else f"{self.value}s"


class Stage(Enum):
    """Where a gate stands: before training, at training, or after it."""

    PREPROCESS = "preprocess"
    TRAIN = "train"
    TEST = "test"


class Action(Enum):
    """What is done with what a gate flags.

    ``drop``: flagged rows are not trained on. ``impute``: flagged cells count as missing. ``winsorize``: the
    numeric cells that are flagged (all of a row, where no cells are told apart) are moved to the nearest end
    of the reference's middle 98 %. ``rescale``: the numeric columns of a flagged batch are brought to the
    reference's median and interquartile range. ``hold``: the batch is not trained on. ``weight``: flagged
    rows count a tenth of the others in training.
    """

    DROP = "drop"
    IMPUTE = "impute"
    WINSORIZE = "winsorize"
    RESCALE = "rescale"
    HOLD = "hold"
    WEIGHT = "weight"


#: what can be done at each level; the first is the default
ACTIONS: Mapping[Level, tuple[Action, ...]] = {
    Level.ROW: (Action.DROP, Action.WEIGHT, Action.WINSORIZE, Action.HOLD),
    Level.CELL: (Action.DROP, Action.WEIGHT, Action.IMPUTE, Action.WINSORIZE, Action.HOLD),
    Level.BATCH: (Action.HOLD, Action.RESCALE, Action.WINSORIZE),
}


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What a gate sees of rows: as they were received, and no truth.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
        Features as received; categorical ones as codes, NaN where missing.
    Z : ndarray of float64, shape (n, q)
        The same encoded and standardised on the warm-up (see :class:`mlopsim.learners.encode.Encoder`):
        finite, a missing value is the median there.
    y : ndarray of int64, shape (n,)
        Labels as received.
    n_classes : int
    features : tuple of str
        Names of the d agreed features.
    categorical : tuple of int
        Which of them are categories.
    received : Received or None
        Columns of the batch where they are not those that were agreed; None: they are.
    """

    X: np.ndarray
    Z: np.ndarray
    y: np.ndarray
    n_classes: int
    features: tuple[str, ...]
    categorical: tuple[int, ...] = ()
    received: Received | None = None

    def __post_init__(self) -> None:
        check_numbers(self.X, self.features)
        if self.Z.dtype != np.float64 or self.y.dtype.kind not in "iu":
            raise DataError(f"Z must be float64 and y whole numbers, got {self.Z.dtype} and {self.y.dtype}")
        n = len(self.y)
        if self.X.shape != (n, len(self.features)) or self.Z.ndim != 2 or len(self.Z) != n:
            raise DataError(
                f"shapes disagree: X {self.X.shape}, Z {self.Z.shape}, y {self.y.shape}, "
                f"{len(self.features)} features"
            )

    def __len__(self) -> int:
        return len(self.y)

    def take(self, places: np.ndarray | slice) -> Rows:
        """Return some of the rows."""
        return Rows(
            X=self.X[places],
            Z=self.Z[places],
            y=self.y[places],
            n_classes=self.n_classes,
            features=self.features,
            categorical=self.categorical,
            received=self.received,
        )

    def joined(self, other: Rows) -> Rows:
        """Return these rows and those of another batch of the same columns, in one batch."""
        return Rows(
            X=np.concatenate([self.X, other.X]),
            Z=np.concatenate([self.Z, other.Z]),
            y=np.concatenate([self.y, other.y]),
            n_classes=self.n_classes,
            features=self.features,
            categorical=self.categorical,
        )

    @property
    def numeric(self) -> np.ndarray:
        """Numbers of the numeric features, int64."""
        return np.array([j for j in range(len(self.features)) if j not in self.categorical], dtype=np.int64)


@dataclass(kw_only=True)
class Gate:
    """Base of gates that score rows, cells or batches against a reference (kind ``gate``).

    Parameters
    ----------
    alpha : float, default 0.05
        False-alarm rate: share of clean rows (batches) that are flagged, 0..1. The limit is conformal: with
        n calibration rows the rate is ``floor(alpha (n + 1)) / (n + 1)`` exactly.
    action : Action or None
        What is done with what is flagged; None: ``drop``, or ``hold`` for batches.

    Attributes
    ----------
    level : Level
        What the scores are of.
    stages : tuple of Stage
        Where it can stand.
    by_window : bool
        Whether a row's score depends on the other rows of its window: it is scored in the company of clean
        rows, from which the limit comes (see :meth:`beside`).
    by_order : bool
        Whether a row's score depends on the rows before it; the same.
    uses_labels : bool
        Whether it looks at labels.
    known : str
        What it knows that a deployment does not show: nothing, or the truth (controls only).
    limit_from : str
        Where the limit of its scores comes from: ``calibrated`` on the warm-up, ``given`` as the level of a
        test, or ``none``: :meth:`marks` says what is flagged.
    control : bool
        Whether it is a control, which need not react to errors.
    always_listed : bool
        Whether it stands in every table; not inherited.
    family : str
        What it is like, in two words or one.
    reads : str
        What it looks at: rows, errors (of versions on held-out rows), the truth, nothing.
    """

    level: ClassVar[Level] = Level.ROW
    stages: ClassVar[tuple[Stage, ...]] = (Stage.PREPROCESS, Stage.TEST)
    by_window: ClassVar[bool] = False
    by_order: ClassVar[bool] = False
    uses_labels: ClassVar[bool] = False
    known: ClassVar[str] = NOTHING
    limit_from: ClassVar[str] = "calibrated"
    control: ClassVar[bool] = False
    always_listed: ClassVar[bool] = False
    family: ClassVar[str] = "gate"
    reads: ClassVar[str] = "rows"
    full_name: ClassVar[str]
    name: ClassVar[str]

    alpha: float = 0.05
    action: Action | None = None

    def __post_init__(self) -> None:
        check_range(f"{self.full_name}.alpha", self.alpha, 0.0, 1.0, open_low=True)
        if self.action is not None:
            # its name will do
            self.action = Action(self.action)
        if self.action is not None and self.action not in ACTIONS[self.level]:
            possible = ", ".join(action.value for action in ACTIONS[self.level])
            raise ConfigError(
                f"{self.full_name} tells {self.level.plural} apart: action '{self.action.value}' is "
                f"not possible",
                remedy=f"one of: {possible}",
            )

    @property
    def does(self) -> Action:
        """What is done with what is flagged."""
        return ACTIONS[self.level][0] if self.action is None else self.action

    def marks(self, wrong: np.ndarray) -> np.ndarray | None:
        """Return the rows that a control flags without scoring any, bool (n,); None: this gate scores rows.

        Parameters
        ----------
        wrong : ndarray of bool, shape (n,)
            The truth: rows with an error.
        """
        return None

    def facts(self) -> dict[str, Attribute]:
        """Return its attributes: family, role, reads, needs, known, limit, asked rate, level and action.

        Examples
        --------
        >>> from mlopsim.core.spec import make
        >>> found = make("gate", {"zscore": {"action": "impute"}}).facts()
        >>> found["family"], found["needs"], found["level"], found["action"]
        ('outlier detector', 'none', 'cell', 'impute')
        """
        return {
            "family": self.family,
            "role": "control" if self.control else "method",
            "reads": self.reads,
            "needs": "labels" if self.uses_labels else "none",
            "known": self.known,
            "limit": self.limit_from,
            "asked_rate": None if self.limit_from == "none" else self.alpha,
            "level": self.level.value,
            "action": self.does.value,
        }

    def check_warmup(self, warmup: Rows) -> None:
        """Raise unless clean rows can be a reference; half of them may still lack a value of some feature.

        Raises
        ------
        DataError
            If there are fewer than two rows, or a feature has no value in them.
        """
        if len(warmup) < 2:
            raise DataError(
                f"{self.full_name}: {len(warmup)} reference row(s), at least 2 are needed",
                remedy="use a longer warm-up",
            )
        empty = np.flatnonzero(np.isnan(warmup.X).all(axis=0))
        if len(empty):
            raise DataError(
                f"{self.full_name}: feature '{warmup.features[empty[0]]}' has no value in the {len(warmup)} "
                "reference rows",
                remedy="leave it out, or use a longer warm-up",
            )

    def check_width(self, expected: int, rows: Rows) -> None:
        """Raise :class:`DataError` unless rows have as many features as the reference."""
        if rows.X.shape[1] != expected:
            seen = "the batch has" if self.level is Level.BATCH else "the rows have"
            raise DataError(
                f"{self.full_name}: {seen} {rows.X.shape[1]} features, the reference {expected}",
                remedy="score rows with the features that were learnt",
            )

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        """Return what is learnt from clean reference rows; nothing is kept in the gate itself.

        Parameters
        ----------
        reference : Rows
            At least one; disjoint from the rows that the limit comes from.
        rng : Generator
            For all that is drawn.

        Raises
        ------
        DataError
            If they do not suffice.
        """
        raise NotImplementedError

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        """Return scores, larger means more anomalous; NaN where there is nothing to score.

        Returns
        -------
        ndarray of float64
            Of shape (n,) for rows, (n, d) for cells. Gates of batches give ``-log10 p`` of shape ().

        Raises
        ------
        DataError
            If the rows have other columns than those that were learnt from.
        """
        raise NotImplementedError

    def beside(self, learned: Any, rows: Rows, held: Rows, before: Rows) -> tuple[np.ndarray, np.ndarray]:
        """Return the scores of rows, and those that clean rows held back have in their company.

        For gates by window or by order. Were the rows as clean, those of both kinds should be exchangeable,
        so that the scores of the rows held back give an exact limit. By default both are scored in one call:
        by window alone, by order after the rows before, each kind by itself.

        Parameters
        ----------
        learned : object
            What :meth:`learn` gave.
        rows : Rows
            The m rows of a window.
        held : Rows
            c clean rows that were not learnt from.
        before : Rows
            Rows before the window, without those that are held back; none for gates by window.

        Returns
        -------
        score : ndarray of float64, shape (m,) or (m, d)
        held : ndarray of float64, shape (c,) or (m, c)
            Of whole rows; one line for each of the m rows where their company differs.
        """
        if self.by_order:
            score, aside = (self.score(learned, before.joined(some))[len(before) :] for some in (rows, held))
            return score, row_scores(aside)
        both = self.score(learned, rows.joined(held))
        return both[: len(rows)], row_scores(both[len(rows) :])


def row_scores(score: np.ndarray) -> np.ndarray:
    """Return the score of each row: that of its worst cell, -inf where none is scored.

    Examples
    --------
    >>> row_scores(np.array([[1.0, np.nan], [np.nan, np.nan]])).tolist()
    [1.0, -inf]
    """
    if score.ndim == 1:
        return score
    found: np.ndarray = np.where(np.isnan(score), -np.inf, score).max(axis=1)
    return found


@dataclass(frozen=True, kw_only=True)
class Flags:
    """What a gate finds in a stream.

    Parameters
    ----------
    rows : ndarray of bool, shape (n,)
        Flagged rows; all rows of a flagged batch.
    cells : ndarray of bool, shape (n, d), or None
        Flagged cells, for gates that tell cells apart.
    batches : ndarray of bool, shape (T,)
        Flagged windows: for gates of rows those with more flagged rows than chance explains.
    score : ndarray of float64, shape (n,)
        Of the rows; of a batch for all of its rows. Less their limits, where rows have limits of their own.
    cell_score : ndarray of float64, shape (n, d), or None
    at_limit : ndarray of bool, shape (n,), or None
        Rows whose score is the limit's: not flagged, whatever rate was asked for.
    batch_score : ndarray of float64, shape (T,)
        Larger means more anomalous: ``-log10 p``.
    """

    rows: np.ndarray
    batches: np.ndarray
    score: np.ndarray
    batch_score: np.ndarray
    cells: np.ndarray | None = None
    cell_score: np.ndarray | None = field(default=None)
    at_limit: np.ndarray | None = None
