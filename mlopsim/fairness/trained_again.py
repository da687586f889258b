"""What audits say where the group that a model sees is dealt out by chance and the model trained again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mlopsim.core.threads import one_thread
from mlopsim.fairness.audit import Audit
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.explaining import score_of
from mlopsim.fairness.group_columns import dealt
from mlopsim.learners.base import Model
from mlopsim.streams.layout import branch

#: numbers of all rows together that are looked at in one call
BLOCK = 2_000_000


@dataclass(frozen=True, kw_only=True)
class Again:
    """How a model that sees the group was made, so that it can be made again.

    A model makes something of any column that it sees, of a coin toss, too, by chance of the rows that it is
    trained on. It then treats groups unequally, a little; a test that takes the model as given finds this,
    the more often the more rows are audited. Whether the group matters in the data is another question. If it
    does not, groups and all columns that tell them may be dealt out among the rows, those of the training and
    those of the audit, without a change of any law: what is found then, by a model that was trained on the
    dealt rows, is what is found by chance.

    Parameters
    ----------
    train : callable
        ``train(Z, seed)`` gives a model from training rows (cut, d') and the labels that belong to them.
    known : ndarray of float64, shape (cut, d')
        The rows that the model was trained on.
    held : ndarray of float64, shape (n, d')
        The rows that are audited.
    columns : ndarray of bool, shape (d',)
        Columns that tell the groups: they are dealt out together, in the audit with the groups.
    evidence : Evidence
        One window: what is audited.
    """

    train: Callable[[np.ndarray, np.random.SeedSequence], Model]
    known: np.ndarray
    held: np.ndarray
    columns: np.ndarray
    evidence: Evidence

    def evidences(self, deals: int, seed: np.random.SeedSequence) -> Iterator[Evidence]:
        """Train once on dealt rows; yield audited rows dealt again and again, each deal as a window."""
        rng = np.random.default_rng(branch(seed, 0))
        model = self.train(dealt(self.known, self.columns, rng), branch(seed, 1))
        n, width = self.held.shape
        values, code = np.unique(self.held[:, self.columns], axis=0, return_inverse=True)
        said: tuple[np.ndarray, np.ndarray] | None = None
        if len(values) <= deals:
            # few values: what is said of each row with each of them, once for all deals
            pairs = [self._said(model, self._with(value[None])) for value in values]
            said = np.stack([one for one, _ in pairs]), np.stack([one for _, one in pairs])
        at_once, left = max(BLOCK // max(n * (width if said is None else 1), 1), 1), deals
        while left:
            windows = min(left, at_once)
            orders = np.stack([rng.permutation(n) for _ in range(windows)])
            if said is None:
                rows = [self._with(self.held[order][:, self.columns]) for order in orders]
                decision, score = self._said(model, np.concatenate(rows))
            else:
                place = code.reshape(n)[orders], np.arange(n)
                decision, score = (part[place].ravel() for part in said)
            one = self.evidence
            yield Evidence(
                window=np.repeat(np.arange(windows), n),
                windows=windows,
                group=one.group[orders.ravel()],
                groups=one.groups,
                decision=decision,
                score=score,
                # without slices of features, which dealt groups say nothing about
                X=np.zeros((windows * n, 0)),
                features=(),
                observed=np.tile(one.observed, windows),
                trained=np.repeat(one.trained, windows, axis=0),
            )
            left -= windows

    def _with(self, values: np.ndarray) -> np.ndarray:
        """Return the audited rows with other values in the columns that tell the groups."""
        X = self.held.copy()
        X[:, self.columns] = values
        return X

    @staticmethod
    def _said(model: Model, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return decision and score of rows."""
        return model.predict(X) == 1, score_of(model, X)


def chances(
    again: Again,
    audits: Sequence[tuple[Audit, float]],
    seed: np.random.SeedSequence,
    *,
    models: int,
    deals: int,
) -> list[float]:
    """Return p-values of scores among those of dealt rows of models that were trained on dealt rows.

    ``(1 + number of deals with at least the score) / (1 + number of deals)``, of all models together.

    Parameters
    ----------
    again : Again
    audits : sequence of (Audit, float)
        Audits of groups that read decisions, scores and labels, and the score that each has found.
    seed : numpy.random.SeedSequence
    models : int
        How often the model is trained again.
    deals : int
        Of audited rows, of each model.

    References
    ----------
    Phipson and Smyth (2010), *Permutation p-values should never be zero*, SAGMB 9, 39.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> one = sample(windows=1, shift=1.0)
    >>> coin = np.where(one.group == 1, 1.0, -1.0)
    >>> rows = np.column_stack([one.X[:, 1:], coin])
    >>> ridge, seed = make("learner", "ridge"), np.random.SeedSequence(0)
    >>> again = Again(
    ...     train=lambda Z, seed: ridge.fit(Z, one.observed, 2, seed),
    ...     known=rows,
    ...     held=rows,
    ...     columns=np.array([False, False, False, True]),
    ...     evidence=one,
    ... )
    >>> audit = make("audit", "demographic_parity")
    >>> chances(again, [(audit, 9.0), (audit, 0.0)], seed, models=3, deals=33)
    [0.01, 1.0]
    """
    above = np.zeros(len(audits), dtype=np.int64)
    for k in range(models):
        root = branch(seed, k)
        rng = np.random.default_rng(branch(root, 2))
        with one_thread():
            for evidence in again.evidences(deals, root):
                for j, (audit, score) in enumerate(audits):
                    scores = audit.examine(evidence, rng).score
                    # equal but for rounding is not less; a deal without a score says nothing against chance
                    above[j] += int((~(scores < score - 1e-12 * abs(score))).sum())
    return [(1 + int(count)) / (1 + models * deals) for count in above]
