"""Small Worlds of random numbers, and random deployments."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.core.spec import make
from mlopsim.delivery.pool import WorldPool
from mlopsim.world.metrics import metric_of


class FakeWorld:
    """What a pool and a roll-out read of a World, filled with random but consistent numbers."""

    def __init__(
        self,
        rng: np.random.Generator,
        windows: int = 14,
        warmup: int = 3,
        n_classes: int = 2,
        rows: tuple[int, int] = (3, 9),
        spec: Any = None,
    ) -> None:
        self.windows, self.warmup, self.n_classes, self.spec = windows, warmup, n_classes, spec
        self.classes = tuple(f"class-{c}" for c in range(n_classes))
        sizes = rng.integers(rows[0], rows[1] + 1, size=windows)
        self.bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        n = int(self.bounds[-1])
        self.y = rng.integers(0, n_classes, size=n).astype(np.int16)
        self.answers = rng.integers(0, n_classes, size=(windows, n))
        self.answers[: warmup - 1] = -1
        self.g = rng.integers(0, 2, size=n)
        self.shift = rng.uniform(0, 1, size=(windows, windows, 3)).astype(np.float32) * [1, 7, 7]
        self.shift = self.shift.astype(np.float32)
        spans = np.random.default_rng(n).integers(1, 6, size=windows)  # `rng` draws what is golden
        self.start = np.maximum(np.arange(windows) - spans + 1, 0)
        self.refresh()

    def refresh(self) -> None:
        """Derive counts and bits from the answers."""
        windows, classes = self.windows, self.n_classes
        counts = np.zeros((windows, windows, 2, classes, classes), dtype=np.uint16)
        for v in range(self.warmup - 1, windows):
            for t in range(windows):
                rows = slice(self.bounds[t], self.bounds[t + 1])
                np.add.at(counts[v, t], (self.g[rows], self.y[rows], self.answers[v, rows]), 1)
        self.counts = counts
        self.bits = np.packbits(self.answers == self.y, axis=1)

    @property
    def confusion(self) -> np.ndarray:
        return self.counts.sum(axis=2, dtype=np.int64)

    def metric(self, metric: Any) -> np.ndarray:
        return metric_of(self.confusion, metric)


def fake_pool(
    seed: int, size: int = 3, metric: Any = "accuracy", canary: bool = True, **kw: Any
) -> WorldPool:
    rng = np.random.default_rng(seed)
    return WorldPool([FakeWorld(rng, **kw) for _ in range(size)], metric, canary=canary)  # type: ignore[misc]


def random_deployment(rng: np.random.Generator, n_classes: int = 2) -> Any:
    """Any combination of switches, all of them often on."""

    def pick(*options: Any) -> Any:
        return options[rng.integers(len(options))]

    on_arrival = bool(rng.random() < 0.7)
    canary = bool(rng.random() < 0.5)
    budget = pick(None, None, 0.0, 0.05, 0.12, 0.3)
    params: dict[str, Any] = {
        "slots": int(rng.integers(1 + (not on_arrival) + canary, 6)),
        "label_delay": int(rng.integers(0, 4)),
        "latency": int(rng.integers(0, 4)),
        "cooldown": int(rng.integers(0, 6)),
        "switch_cost": pick(0.0, 0.01, 0.03),
        "retrain_cost": pick(0.0, 0.02, 0.05),
        "budget": budget,
        "canary_share": float(pick(0.1, 0.3, 0.5, 0.8)) if canary else 1.0,
        "canary_windows": int(rng.integers(1, 4)) if canary else int(rng.integers(0, 2)),
        "feedback": pick("deployed", "shadow", "full"),
        "shadow_cost": pick(0.0, 0.002),
        "deploy_on_arrival": on_arrival,
    }
    if rng.random() < 0.2:
        params["cost_matrix"] = [
            [float(a != b) * (1 + a) for b in range(n_classes)] for a in range(n_classes)
        ]
    return make("deployment", "standard", **params)


class MaskedRandom:
    """Random actions; possible ones only, or any with ``any_action``."""

    full_name = "selector/test-random"

    def __init__(self, any_action: bool = False, retrain: float = 0.3) -> None:
        self.any_action, self.retrain = any_action, retrain

    def reset(self, n: int, interface: Any, seeds: Any) -> None:
        self.rngs = [np.random.default_rng(s) for s in seeds]
        self.views: list[Any] = []

    def act(self, view: Any) -> np.ndarray:
        self.views.append(view)
        answer = np.zeros(len(self.rngs), dtype=np.int64)
        for i, rng in enumerate(self.rngs):
            mask = np.ones_like(view.mask[i]) if self.any_action else view.mask[i]
            if mask[-1] and rng.random() < self.retrain:
                answer[i] = view.interface.retrain
            else:
                answer[i] = rng.choice(np.flatnonzero(mask))
        return answer
