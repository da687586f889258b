"""The contract of gates at training: which rows hurt the model that is trained on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import Spec, make
from mlopsim.core.track import Attribute
from mlopsim.learners.folds import stratified_folds
from mlopsim.learners.models import probabilities
from mlopsim.quality.gate import Gate, Rows, Stage

#: a probability below this counts as this, so that a log loss is finite
LEAST = float(np.finfo(np.float64).eps)


@dataclass(kw_only=True)
class TrainGate(Gate):
    """Base of gates that say how much each of some training rows hurts.

    A gate defines :meth:`measure`. It has no score of rows alone: what a row does depends on the others.

    Parameters
    ----------
    alpha, action
        See :class:`mlopsim.quality.gate.Gate`.

    Attributes
    ----------
    trusts : bool
        Whether it looks at the trusted rows.
    """

    stages: ClassVar[tuple[Stage, ...]] = (Stage.TRAIN,)
    by_window: ClassVar[bool] = True
    uses_labels: ClassVar[bool] = True
    trusts: ClassVar[bool] = False
    family: ClassVar[str] = "label check"

    def measure(
        self, train: Rows, new: np.ndarray, trusted: Rows, learner: Any, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the harm of distinct rising places ``new``; ``learner`` is built; all is checked."""
        raise NotImplementedError

    @property
    def own_rule(self) -> bool:
        """Whether a rule of its own says which rows are flagged, without a limit and without alpha."""
        return False

    def flagged(
        self, train: Rows, new: np.ndarray, trusted: Rows, learner: Any, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the harm of distinct rising places ``new``, and which of them a rule of its own flags."""
        raise NotImplementedError

    def facts(self) -> dict[str, Attribute]:
        """Return its attributes; the limit may be a rule of its own."""
        found: dict[str, Attribute] = super().facts()
        return {**found, "limit": "own rule", "asked_rate": None} if self.own_rule else found

    def check_learner(self, learner: Spec) -> None:
        """Raise unless the gate can work with this learner.

        Raises
        ------
        ConfigError
            Names what it needs.
        """
        make("learner", learner)

    def harm(
        self, train: Rows, new: np.ndarray, trusted: Rows, learner: Spec, rng: np.random.Generator
    ) -> np.ndarray:
        """Return how much rows hurt a model that is trained on them and on others.

        Parameters
        ----------
        train : Rows
            All rows that the model would be trained on, at least 2.
        new : ndarray of int64, shape (k,)
            Places in ``train`` of the rows in question.
        trusted : Rows
            Clean rows that are not trained on, at least 1; where harm is measured.
        learner : spec of a learner
            What is trained.
        rng : Generator
            For all that is drawn.

        Returns
        -------
        ndarray of float64, shape (k,)
            Larger means more harmful; above 0 where the row makes things worse, for gates that measure so.

        Raises
        ------
        ConfigError
            If the gate cannot work with the learner.
        DataError
            If rows are too few or do not fit together.
        """
        places, back = self._checked(train, new, trusted, learner)
        if not len(places):
            return np.zeros(0)
        found: np.ndarray = self.measure(train, places, trusted, make("learner", learner), rng)
        return np.asarray(found[back])

    def judge(
        self, train: Rows, new: np.ndarray, trusted: Rows, learner: Spec, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what :meth:`harm` does, and which rows a rule of the gate's own flags, bool (k,).

        For gates with :attr:`own_rule`.
        """
        places, back = self._checked(train, new, trusted, learner)
        if not len(places):
            return np.zeros(0), np.zeros(0, dtype=np.bool_)
        found, flagged = self.flagged(train, places, trusted, make("learner", learner), rng)
        return found[back], flagged[back]

    def _checked(
        self, train: Rows, new: np.ndarray, trusted: Rows, learner: Spec
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the distinct places, rising, and the place of each row among them; raise as harm() says."""
        self.check_learner(learner)
        if len(train) < 2:
            raise DataError(
                f"{self.full_name}: {len(train)} training row(s), what one does needs another",
                remedy="train on more windows",
            )
        if self.trusts and not len(trusted):
            raise DataError(f"{self.full_name}: there are no trusted rows", remedy="use a longer warm-up")
        if train.Z.shape[1] != trusted.Z.shape[1] or train.n_classes != trusted.n_classes:
            raise DataError(
                f"{self.full_name}: training rows have {train.Z.shape[1]} columns and {train.n_classes} "
                f"classes, trusted rows {trusted.Z.shape[1]} and {trusted.n_classes}"
            )
        for what, rows in (("training", train), ("trusted", trusted)):
            if len(rows) and not 0 <= rows.y.min() <= rows.y.max() < rows.n_classes:
                raise DataError(
                    f"{self.full_name}: labels of {what} rows must lie in 0..{rows.n_classes - 1}, "
                    f"got {rows.y.min()}..{rows.y.max()}"
                )
        places, back = np.unique(np.asarray(new), return_inverse=True)
        if not len(places):
            return places, back
        if places.dtype.kind not in "iu" or places[0] < 0 or places[-1] >= len(train):
            raise DataError(
                f"{self.full_name}: new rows are places 0..{len(train) - 1} of the training rows, "
                f"got {places[0]}..{places[-1]} ({places.dtype})"
            )
        return places.astype(np.int64), np.asarray(back)

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        """Refuse: nothing is learnt before training."""
        raise self._alone()

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        """Refuse: rows alone have no score."""
        raise self._alone()

    def _alone(self) -> ConfigError:
        return ConfigError(
            f"{self.full_name} stands at training: it has no score of rows alone",
            remedy="use its method harm(), or stages=[train]",
        )


def log_loss(chances: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return ``-log`` of the probability (n, C) of each row's label, at most that of 2.2e-16.

    Examples
    --------
    >>> log_loss(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0, 1])).round(3)
    array([ 0.693, 36.044])
    """
    found: np.ndarray = -np.log(np.maximum(chances[np.arange(len(y)), y], LEAST))
    return found


def learner_seed(rng: np.random.Generator) -> np.random.SeedSequence:
    """Return the seed of a learner, drawn."""
    return np.random.SeedSequence(int(rng.integers(2**63)))


def cross_fitted(learner: Any, rows: Rows, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Return class probabilities (n, C) of each row by a model that was not trained on it.

    Parameters
    ----------
    learner : Learner
        Built.
    rows : Rows
        At least 2.
    folds : int
        At least 2; as many as there are rows, if those are fewer. Every class is spread evenly over them.
    rng : Generator
        Draws the folds and the learner's seeds.
    """
    n = len(rows)
    fold = stratified_folds(rows.y, folds, rng)
    found = np.empty((n, rows.n_classes))
    for k, seed in enumerate(learner_seed(rng).spawn(min(folds, n))):
        held = fold == k
        model = learner.fit(rows.Z[~held], rows.y[~held], rows.n_classes, seed)
        found[held] = probabilities(model.scores(rows.Z[held]))
    return found
