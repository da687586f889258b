"""Domain classifier: can rows of the window be distinguished from those of the reference?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import Spec, check_range, make, part
from mlopsim.drift.windowed import Windowed
from mlopsim.numerics.scaling import Scaling


@register("detector", "domain_classifier", version=2)
@dataclass(kw_only=True)
class DomainClassifier(Windowed):
    r"""Classifier two-sample test: how well a classifier tells a window's rows from the reference's.

    The classifier is cross-fitted: the rows of each fold are ranked by the one that was trained on the other
    folds. The score is the AUC, pairs of rows of one fold added up, standardised by its variance under equal
    laws. A negative score means worse than guessing.

    By default the classifier is a ridge regression of the label on the standardised features and their
    squares, in closed form (its direction is that of a regularised linear discriminant), so that shifts of
    mean and spread are seen, but not of correlations.

    With Mann and Whitney's statistic :math:`U_k` of fold k with :math:`n_k` reference rows and :math:`r_k` of
    the window, and the scatter S within both samples of the q features of the training folds, divided by
    their rows,

    .. math::

        z = \frac{\sum_k (U_k - n_k r_k / 2)}{\sqrt{\sum_k \mathrm{var}\, U_k}}, \qquad
        w = (S + \alpha I)^{-1} (\bar x_{\mathrm{window}} - \bar x_{\mathrm{reference}})

    where :math:`U_k` ranks rows by :math:`w^\top x`.

    Parameters
    ----------
    z : float, default 3.0
        Limit of the score.
    folds : int, default 5
        Number of folds; row i of the reference and of a window belongs to fold ``i % folds``.
    alpha : float, default 0.001
        Penalty of the ridge regression for each row (``alpha * n`` in scikit-learn's ``Ridge``).
    squares : bool, default True
        Whether the ridge regression also gets the squares of the features.
    learner : learner, optional
        A learner to use in place of the ridge regression, on standardised features; it is trained ``folds``
        times a window, each fold with a seed of its own, the same in all windows.
    reference
        See :class:`mlopsim.drift.windowed.Windowed`.

    Notes
    -----
    The score is NaN for windows and references of a single row, and 0 where all rows are ranked alike.

    Under equal laws z has mean 0, but a standard deviation above 1 (about 1.4 with 1000 reference rows and
    windows of 100 rows with 10 features): the classifiers of the folds share rows.

    Use it for changes that are spread over many features. Not for a p-value: z is wider than normal, so set
    the limit by calibration.

    References
    ----------
    .. [1] D. Lopez-Paz and M. Oquab, "Revisiting classifier two-sample tests", ICLR, 2017. arXiv:1610.06545
    .. [2] H. B. Mann and D. R. Whitney, "On a test of whether one of two random variables is stochastically
       larger than the other", Annals of Mathematical Statistics 18, 1947, 50-60.
       doi:10.1214/aoms/1177730491

    Examples
    --------
    >>> import numpy as np
    >>> windows = np.random.default_rng(0).normal(size=(20, 50, 3))
    >>> windows[15:] += 1.0
    >>> DomainClassifier(z=6.0).alarms(windows)
    array([15])
    """

    family: ClassVar[str] = "learned score"
    limit: ClassVar[str] = "z"

    z: float = 3.0
    folds: int = 5
    alpha: float = 0.001
    squares: bool = True
    learner: Spec = part("learner", None)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("detector/domain_classifier.z", self.z, 0.0, np.inf)
        check_range("detector/domain_classifier.folds", self.folds, 2, 1000)
        check_range("detector/domain_classifier.alpha", self.alpha, 1e-12, 1e12)
        if self.learner is not None:
            make("learner", self.learner)

    def learn(self, rows: np.ndarray) -> Any:
        """Return the scaling, the features of the reference, and their moments."""
        from mlopsim.drift.kernels.domain_classifier import moments

        scaling = Scaling.standard(rows)
        features = self._features_of(scaling, rows)
        q = features.shape[1]
        counts, means = np.empty(self.folds), np.empty((self.folds, q))
        scatters = np.empty((self.folds, q, q))
        moments(features, counts, means, scatters)
        return scaling, features, (counts, means, scatters)

    def compare(self, reference: Any, windows: np.ndarray) -> np.ndarray:
        """Return the scores of windows."""
        from mlopsim.drift.kernels.domain_classifier import compare

        scaling, rows, moments = reference
        features = self._features_of(scaling, windows)
        if self.learner is not None:
            return np.array([self._trained(rows, window) for window in features], dtype=np.float64)
        score = np.empty(len(windows))
        compare(rows, *moments, features, self.alpha, score)
        return score

    def _features_of(self, scaling: Scaling, rows: np.ndarray) -> np.ndarray:
        scaled = scaling.apply(rows)
        return (
            np.concatenate([scaled, scaled**2], axis=-1) if self.squares and self.learner is None else scaled
        )

    def _trained(self, reference: np.ndarray, window: np.ndarray) -> float:
        """Return the score of a window by the given learner."""
        from mlopsim.drift.kernels.rank_sums import rank_sum

        if len(window) < 2 or len(reference) < 2:
            return float("nan")
        learner = make("learner", self.learner)
        rows = np.concatenate([reference, window])
        label = np.repeat([0, 1], [len(reference), len(window)])
        fold = np.concatenate([np.arange(len(part)) % self.folds for part in (reference, window)])
        gap, variance = 0.0, 0.0
        for number in range(self.folds):
            out = fold == number
            if len(np.unique(label[out])) < 2:
                continue
            model = learner.fit(rows[~out], label[~out], 2, np.random.SeedSequence(number))
            found = model.scores(rows[out])[:, 1]
            more, spread = rank_sum(np.sort(found[label[out] == 0]), np.sort(found[label[out] == 1]))
            gap, variance = gap + more, variance + spread
        return gap / float(np.sqrt(variance)) if variance > 1e-9 else 0.0
