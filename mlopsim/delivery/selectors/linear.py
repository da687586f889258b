"""A tuned linear score of the actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.delivery.search_space import Choice, Weights
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.base import Rule

#: what a retrain is scored by, and what a deploy; in this order in ``weights``
RETRAIN_FEATURES = (
    "one",
    "rise of the newest known error rate over the lowest so far x 10",
    "the same one decision ago x 10",
    "rise of the newest known error rate over the first of this version x 10",
    "serving_ks x 10",
    "(serving_ks - serving_ks_past) x 10",
    "(serving_ks - newest_ks) x 10",
    "serving_psi",
    "since_retrain",
    "1 if nothing is known of the version that serves",
)
DEPLOY_FEATURES = (
    "one",
    "(serving_ks - slot ks) x 10",
    "(slot accuracy - recent_accuracy) x 10, where both are known",
    "(slot best - recent_accuracy) x 10, where both are known",
    "rise of the newest known error rate over the lowest so far x 10",
    "since_switch",
)
#: retrain at a rise of .08 or a shift of .16; go back to a version that is nearer by .2
DEFAULT = [-1.6, 2.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, -2.0, 1.0, 0.0, 0.0, 0.0, 0.0]


@register("selector", "linear")
@dataclass(kw_only=True)
class Linear(Rule):
    r"""Score *retrain* and each *deploy* linearly, *keep* with 0; take the highest possible one.

    What a linear policy can do with the observation: the weights are found by an evolution
    strategy with the same budget as all fits. Rises of the error rate count only where the newest
    known window was served by the version that serves now.

    With weights u and w, the score of *retrain* is :math:`u^\top x` and of *deploy i* :math:`w^\top z_i`; it
    takes :math:`\mathrm{argmax}(0, u^\top x, \max_i w^\top z_i)`, 0 being *keep*.

    Parameters
    ----------
    weights : list of float
        One for each of ``RETRAIN_FEATURES``, then one for each of ``DEPLOY_FEATURES`` of this module.

    Notes
    -----
    Use it to see what of an agent's gain a linear policy has; not without tuning: its defaults are one rule
    among many.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(Linear(), 9, error=lambda version, t: 0.5 if version < 5 <= t else 0.1)
    'kkkkkRkkk'
    """

    weights: list[float] = field(default_factory=lambda: list(DEFAULT))

    space: ClassVar[dict[str, Choice]] = {"weights": Weights(len(DEFAULT))}
    reads: ClassVar[str] = "observation"
    believes: ClassVar[str] = "scores"
    affine: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if len(self.weights) != len(DEFAULT) or not np.isfinite(self.weights).all():
            raise ConfigError(f"selector/linear.weights must be {len(DEFAULT)} finite numbers")
        self._own: np.ndarray | None = None

    def spread(self, weights: np.ndarray) -> None:
        """Give every roll-out weights of its own, float64 (n, weights): tuning rolls many out at once."""
        self._own = weights

    def start(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start without references."""
        shape = (self.n, len(self.weights))
        self._table = np.broadcast_to(np.asarray(self.weights) if self._own is None else self._own, shape)
        self._best = np.full(self.n, np.nan)
        self._first = np.full(self.n, np.nan)
        self._rise = np.zeros(self.n)

    def decide(self, view: View) -> np.ndarray:
        """Compare the scores."""
        rate = np.where(self.fresh, self.newest_rate, np.nan)
        self._best = np.fmin(rate, self._best)
        self._first = np.where(self.changed, np.nan, self._first)
        self._first = np.where(np.isnan(self._first), rate, self._first)
        before = np.where(self.changed, 0.0, self._rise)
        rise = 10.0 * np.nan_to_num(rate - self._best)
        self._rise = rise
        ks = view["serving_ks"].astype(np.float64)
        retrain = (
            np.ones(self.n),
            rise,
            before,
            10.0 * np.nan_to_num(rate - self._first),
            10.0 * ks,
            10.0 * (ks - view["serving_ks_past"]),
            10.0 * (ks - view["newest_ks"]),
            view["serving_psi"],
            view["since_retrain"],
            view["served_seen"] == 0.0,
        )
        recent = view["recent_accuracy"].astype(np.float64)
        both = (view.slots("known") > 0.5) & (view["served_seen"] > 0.0)[:, None]
        deploy = (
            np.ones((self.n, 1)),
            10.0 * (ks[:, None] - view.slots("ks")),
            np.where(both, 10.0 * (view.slots("accuracy") - recent[:, None]), 0.0),
            np.where(both, 10.0 * (view.slots("best") - recent[:, None]), 0.0),
            rise[:, None],
            view["since_switch"][:, None],
        )
        scores = np.zeros((self.n, self.interface.slots + 2))
        # added term by term: a matrix product may round differently for other numbers of roll-outs
        for j, values in enumerate(retrain):
            scores[:, -1] += self._table[:, j] * values
        for j, columns in enumerate(deploy, start=len(retrain)):
            scores[:, 1:-1] += self._table[:, j, None] * columns
        self.believed = scores.copy()
        scores[~view.mask] = -np.inf
        return np.asarray(np.argmax(scores, axis=1))
