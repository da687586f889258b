"""What the bandits share: versions and "a new one" as arms, with forgetting evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.spec import check_range
from mlopsim.delivery.selector import KEEP, View
from mlopsim.delivery.selectors.base import Rule


@dataclass(kw_only=True)
class Arms(Rule):
    """Base of the bandits: :meth:`index` is the only thing that they add.

    The arms are the versions in the registry, which come and go, and "a new version". Pulling an
    arm means serving it (or retraining); its reward is the accuracy of a window, known after the label
    delay. Evidence on "a new version" are the first ``young`` windows of every version after it took
    over. Arms are only changed ``block`` windows after the last change, and costs count by window over
    ``payoff`` windows, so that the bandit does not flip-flop.

    Parameters
    ----------
    block : int, default 6
        Windows between changes.
    payoff : float, default 15.0
        Windows over which a cost is spread.
    young : int, default 3
        First windows of a version that are evidence on new versions.
    prior : float, default 1.0
        Weight, in windows, of the mean over everything in the mean of an arm.
    """

    block: int = 6
    payoff: float = 15.0
    young: int = 3
    prior: float = 1.0

    family: ClassVar[str] = "bandit"
    believes: ClassVar[str] = "indices of the arms, costs spread over the payoff"

    def __post_init__(self) -> None:
        check_range(f"{self.full_name}.block", self.block, 1, 1_000_000)
        check_range(f"{self.full_name}.payoff", self.payoff, 0.0, 1e9, open_low=True)
        check_range(f"{self.full_name}.young", self.young, 1, 1_000_000)
        check_range(f"{self.full_name}.prior", self.prior, 0.0, 1e6, open_low=True)

    def start(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start without evidence."""
        length = self.interface.horizon + 1
        self._young = np.zeros((self.n, length), bool)
        # by version, counted from the initial one; the last column is "a new version"
        self.weight = np.zeros((self.n, length + 1))
        self.total = np.zeros((self.n, length + 1))
        self._origin = np.zeros(self.n, np.int64)
        self._changed_at = np.zeros(self.n, np.int64)
        self.begin(seeds)

    def begin(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Set the state of a bandit."""

    def forget(self, known: int) -> None:
        """Let old evidence go, before that of step ``known`` is added."""
        raise NotImplementedError

    def index(self, view: View, mean: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Return the index of the arms, float64 (n, K + 1): slots, then "a new version".

        ``mean`` and ``weight`` (with the prior) have that shape, too.
        """
        raise NotImplementedError

    def add(self, step: int, sign: float) -> None:
        """Add the evidence of one served step, or take it away."""
        rate, version = self.rate[:, step], self.served[:, step] - self._origin
        known = (self.rows[:, step] > 0) & (step > 0)
        accuracy = np.where(known, 1.0 - rate, 0.0)
        self.weight[self.walk, version] += sign * known
        self.total[self.walk, version] += sign * accuracy
        young = known & self._young[:, step]
        self.weight[:, -1] += sign * young
        self.total[:, -1] += sign * np.where(young, accuracy, 0.0)

    def decide(self, view: View) -> np.ndarray:
        """Update the evidence, then pull the arm with the highest index."""
        if self.step == 0:
            self._origin = view.versions[:, 0].copy()
        self._young[:, self.step] = self.step - self.since < self.young
        self._changed_at = np.where(self.changed, self.step, self._changed_at)
        known = self.step - self.delay
        if known >= 0:
            self.forget(known)
            self.add(known, 1.0)
        filled = view.versions >= 0
        column = np.where(filled, view.versions - self._origin[:, None], 0)
        weight = np.empty((self.n, self.interface.slots + 1))
        total = np.empty_like(weight)
        for i in range(self.interface.slots):
            weight[:, i] = self.weight[self.walk, column[:, i]]
            total[:, i] = self.total[self.walk, column[:, i]]
        weight[:, -1], total[:, -1] = self.weight[:, -1], self.total[:, -1]
        # slots hold different versions, so this is the mean over what the registry still knows
        seen = np.where(filled, weight[:, :-1], 0.0)
        pooled_weight, pooled = np.zeros(self.n), np.zeros(self.n)
        for i in range(self.interface.slots):
            pooled_weight += seen[:, i]
            pooled += np.where(filled[:, i], total[:, i], 0.0)
        any_evidence = pooled_weight > 1e-9
        base = np.where(any_evidence, pooled / np.where(any_evidence, pooled_weight, 1.0), 0.0)
        weight = np.maximum(weight, 0.0) + self.prior
        mean = (total + self.prior * base[:, None]) / weight
        index = self.index(view, mean, weight)
        return self.pull(view, index, any_evidence)

    def pull(self, view: View, index: np.ndarray, ready: np.ndarray) -> np.ndarray:
        """Return the action for the best arm after costs; *keep* within a block and during a retrain."""
        setting = self.interface.deployment
        scores = np.full((self.n, self.interface.slots + 2), -np.inf)
        scores[:, 1:] = index - setting.switch_cost / self.payoff
        scores[:, -1] -= setting.retrain_cost / self.payoff
        scores[:, KEEP] = index[self.walk, view.serving]
        scores[:, 1:][~view.mask[:, 1:]] = -np.inf
        self.believed = scores
        actions = np.argmax(scores, axis=1)
        busy = (view["in_flight"] > 0.5) | (self.step - self._changed_at < self.block) | ~ready
        return np.where(busy, KEEP, actions)
