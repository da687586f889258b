"""A slow simulator of one deployment, written from "Time, exactly" in docs/ARCHITECTURE.md and nothing else.

It keeps the whole history as sets and dictionaries and derives every observation from it anew.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

MASK64 = (1 << 64) - 1


def splitmix(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK64
    return z ^ (z >> 31)


def seen_rows(seed: int, version: int, window: int, n: int, share: float) -> list[bool]:
    golden = 0x9E3779B97F4A7C15
    key = splitmix((seed + golden * (version + 1)) & MASK64)
    key = splitmix((key + golden * (window + 1)) & MASK64)
    return [(splitmix((key + golden * (k + 1)) & MASK64) >> 11) * 2.0**-53 < share for k in range(n)]


class Reference:
    """One deployment over one (fake) World."""

    def __init__(self, world: Any, deployment: Any, seed: int, blocked: np.ndarray | None = None) -> None:
        self.world, self.dep, self.seed = world, deployment, seed
        self.blocked = set() if blocked is None else set(np.flatnonzero(blocked).tolist())
        self.W, self.T = world.warmup, world.windows
        self.v0 = self.W - 1
        self.metric = world.metric(deployment.objective)
        self.c = deployment.canary_share
        self.canary_on = deployment.canary_windows > 0 and self.c < 1
        self.t = self.W - 1
        self.registry = [self.v0]
        self.entered = {self.v0: self.W}
        self.base, self.candidate, self.promotion = self.v0, None, None
        self.job: tuple[int, int] | None = None
        self.trained = self.v0
        self.retrains: list[int] = []
        self.moves: list[int] = []
        self.spent = 0.0
        self.traffic: dict[int, dict[int, float]] = {}
        self.bases: dict[int, int] = {}
        self.candidates: dict[int, int] = {}
        self.shadowed: dict[int, list[int]] = {}

    # what is possible

    def pays(self, amount: float) -> bool:
        return self.dep.budget is None or self.spent + amount <= self.dep.budget + 1e-9

    def reserved_job(self) -> float:
        return self.dep.switch_cost if self.job is not None and self.dep.deploy_on_arrival else 0.0

    def arrival_deploys_next(self) -> bool:
        return self.job is not None and self.job[1] == self.t + 1 and self.dep.deploy_on_arrival

    def possible(self, action: int) -> bool:
        dep, K = self.dep, self.dep.slots
        if action == 0:
            return True
        if action == K + 1:
            if self.job is not None or self.candidate is not None:
                return False
            if self.retrains and self.t < self.retrains[-1] + max(1 + dep.latency, dep.cooldown):
                return False
            if self.t - dep.label_delay <= self.trained:
                return False
            return self.pays(dep.retrain_cost + (dep.switch_cost if dep.deploy_on_arrival else 0.0))
        if action > len(self.registry) or self.arrival_deploys_next():
            return False
        version = self.registry[action - 1]
        if self.candidate is not None:
            return version == self.base and self.pays(self.c * dep.switch_cost + self.reserved_job())
        return version != self.base and self.pays(dep.switch_cost + self.reserved_job())

    def mask(self) -> list[bool]:
        return [self.possible(a) for a in range(self.dep.slots + 2)]

    # what happens

    def deploy(self, version: int, w: int) -> float:
        if self.canary_on:
            self.candidate, self.promotion = version, w + self.dep.canary_windows
            return self.c
        self.base = version
        return 1.0

    # what deployments with mechanisms do in another way, see guarded_reference.py

    def suspend(self, w: int) -> float:
        raise AssertionError("no fallback")

    def review(self, version: int) -> int:
        return 0

    def stopped(self, version: int) -> bool:
        return version in self.blocked

    def lands(self, w: int) -> bool:
        return bool(self.dep.deploy_on_arrival)

    def serving(self, w: int) -> tuple[dict[int, float], Any]:
        """What answers, by share, and the quality of that."""
        if self.candidate is None:
            return {self.base: 1.0}, self.metric[self.base, w]
        quality = (1.0 - self.c) * self.metric[self.base, w] + self.c * self.metric[self.candidate, w]
        return {self.base: 1.0 - self.c, self.candidate: self.c}, quality

    def step(self, action: int) -> tuple[dict[str, float], int]:
        dep, w = self.dep, self.t + 1
        executed = action if self.possible(action) else 0
        moved, retrain = 0.0, 0.0
        if executed == dep.slots + 1:
            self.trained = self.t - dep.label_delay
            self.job = (self.trained, w + dep.latency + self.review(self.trained))
            self.retrains.append(self.t)
            retrain = dep.retrain_cost
        elif executed == dep.slots + 2:
            moved += self.suspend(w)
        elif executed > 0:
            if self.candidate is not None:
                self.candidate = None
                moved += self.c
            else:
                moved += self.deploy(self.registry[executed - 1], w)
        if self.candidate is not None and self.promotion == w:
            self.base, self.candidate = self.candidate, None
            moved += 1.0 - self.c
        if self.job is not None and self.job[1] == w:
            version = self.job[0]
            self.job = None
            if not self.stopped(version):
                self.registry.insert(0, version)
                self.entered[version] = w
                if self.lands(w):
                    moved += self.deploy(version, w)
                if len(self.registry) > dep.slots:
                    self.registry.remove(
                        min(v for v in self.registry if v not in (self.base, self.candidate))
                    )
        self.traffic[w], quality = self.serving(w)
        if self.candidate is not None:
            self.candidates[w] = self.candidate
        self.bases[w] = self.base
        waiting = [v for v in self.registry if v not in self.traffic[w]]
        self.shadowed[w] = waiting if dep.feedback.value == "shadow" else []
        shadow = dep.shadow_cost * len(waiting) if dep.feedback.value == "shadow" else 0.0
        switch = dep.switch_cost * moved
        if moved > 0:
            self.moves.append(w)
        self.spent += switch + retrain
        self.t = w
        return {"quality": quality, "switch": -switch, "retrain": -retrain, "shadow": -shadow}, executed

    # what is seen

    def thinned(self, version: int, u: int, share: float) -> tuple[np.ndarray, list[int]]:
        """Seen confusion counts, and the errors of the seen rows in order of the rows."""
        world = self.world
        rows = range(world.bounds[u], world.bounds[u + 1])
        answers = world.answers[version]
        counts = np.zeros((world.n_classes, world.n_classes), dtype=int)
        # number the rows: label by label, right answers first, then wrong ones by answer
        order = sorted(rows, key=lambda r: (world.y[r], answers[r] != world.y[r], answers[r], r))
        by_row = sorted(rows, key=lambda r: (world.y[r], answers[r] != world.y[r], r))
        seen = seen_rows(self.seed, version, u, len(order), share)
        for row, shown in zip(order, seen, strict=True):
            if shown:
                counts[world.y[row], answers[row]] += 1
        errors = [(row, int(answers[row] != world.y[row])) for row, s in zip(by_row, seen, strict=True) if s]
        return counts, [error for _, error in sorted(errors)]

    def counts(self, version: int, u: int) -> np.ndarray:
        world = self.world
        rows = slice(world.bounds[u], world.bounds[u + 1])
        counts = np.zeros((world.n_classes, world.n_classes), dtype=int)
        for y, answer in zip(world.y[rows], world.answers[version, rows], strict=True):
            counts[y, answer] += 1
        return counts

    def seen_at(self, u: int) -> dict[int, np.ndarray]:
        """Version to the counts that are seen of window u, where there is any row."""
        if u not in self.traffic:
            return {}
        result = {}
        for version, share in self.traffic[u].items():
            whole = len(self.traffic[u]) == 1
            result[version] = self.counts(version, u) if whole else self.thinned(version, u, share)[0]
        for version in self.shadowed[u]:
            result[version] = self.counts(version, u)
        return {version: counts for version, counts in result.items() if counts.sum() > 0}

    def errors(self) -> list[int]:
        u = self.t - self.dep.label_delay
        if u not in self.traffic:
            return []
        base = self.bases[u]
        if u in self.candidates:
            return self.thinned(base, u, 1.0 - self.c)[1]
        rows = slice(self.world.bounds[u], self.world.bounds[u + 1])
        return [int(a != y) for a, y in zip(self.world.answers[base, rows], self.world.y[rows], strict=True)]

    def seen_quality(self, t: int) -> list[float] | None:
        u = t - self.dep.label_delay
        if u not in self.traffic:
            return None
        known = self.seen_at(u)
        served = [known[v] for v in self.traffic[u] if v in known]
        return quality(sum(served)) if served else None  # type: ignore[arg-type]

    def observe(self) -> dict[str, float]:
        dep, t, world = self.dep, self.t, self.world
        shift = world.shift.astype(float)
        obs: dict[str, float] = {}

        def windows(n: float) -> float:
            return min(n / 10, 5.0)

        def put_shift(prefix: str, v: int | None) -> None:
            for k, name in enumerate(("ks", "psi", "mean")):
                obs[f"{prefix}_{name}"] = 0.0 if v is None else min(shift[v, t, k], 5.0 if k else math.inf)

        def ks_past(v: int) -> float:
            past = [shift[v, u, 0] for u in range(t - 4, t) if u > v or 0 <= u < world.start[v]]
            return sum(past) / len(past) if past else 0.0

        now = self.seen_quality(t)
        obs["seen"] = float(now is not None)
        for k, name in enumerate(("accuracy", "precision", "recall", "f1")):
            value = float("nan") if now is None else now[k]
            obs[f"seen_{name}"] = 0.0 if math.isnan(value) else value
        for back in (1, 2, 3):
            then = self.seen_quality(t - back)
            obs[f"seen_accuracy_{back}"] = 0.0 if then is None else then[0]

        observed: dict[int, list[tuple[int, float]]] = {}
        full = dep.feedback.value == "full"
        for u in range(self.W, t - dep.label_delay + 1):
            tested = {v: self.counts(v, u) for v in self.registry if u > v}
            for v, counts in (tested if full else self.seen_at(u)).items():
                # single precision, as stored in a World
                observed.setdefault(v, []).append((u, float(np.float32(np.trace(counts) / counts.sum()))))

        mine = [a for _, a in observed.get(self.base, [])]
        recent = mean(mine[-3:][::-1])
        obs["recent_accuracy"], obs["early_accuracy"] = recent, mean(mine[:3])
        obs["accuracy_drop"] = obs["early_accuracy"] - recent
        obs["served_seen"] = windows(len(mine))
        obs["serving_age"] = windows(t - self.base)
        put_shift("serving", self.base)
        obs["serving_ks_past"] = ks_past(self.base)

        newest = t - dep.label_delay
        put_shift("newest", newest if newest >= self.v0 else None)
        past = [
            shift[s - dep.label_delay, s, 0]
            for s in range(t - 1, max(t - 5, self.W - 2), -1)
            if s - dep.label_delay >= self.v0
        ]
        obs["newest_ks_past"] = mean(past) if newest >= self.v0 else 0.0

        flying = self.job is not None
        obs["in_flight"] = float(flying)
        obs["arrives_in"] = windows(self.job[1] - t) if self.job else 0.0
        obs["flight_age"] = windows(t - self.job[0]) if self.job else 0.0
        put_shift("flight", self.job[0] if self.job else None)
        wait = self.retrains[-1] + max(1 + dep.latency, dep.cooldown) - t if self.retrains else 0
        obs["cooldown_left"] = windows(max(wait, 0))
        obs["can_retrain"] = float(self.possible(dep.slots + 1))
        left = 1.0
        if dep.budget is not None:
            reserved = self.reserved_job()
            if self.candidate is not None:
                reserved += (1.0 - self.c) * dep.switch_cost
            left = max(dep.budget - self.spent - reserved, 0.0) / dep.budget if dep.budget > 0 else 0.0
        obs["budget_left"] = left
        obs["canary"] = float(self.candidate is not None)
        obs["canary_left"] = windows(self.promotion - t) if self.candidate is not None else 0.0  # type: ignore[operator]
        obs["since_retrain"] = windows(t - (self.retrains[-1] if self.retrains else self.W - 1))
        obs["since_switch"] = windows(t - (self.moves[-1] if self.moves else self.W - 1))

        for i in range(dep.slots):
            v = self.registry[i] if i < len(self.registry) else None
            p = f"slot{i}"
            filled = v is not None
            obs[f"{p}_filled"] = float(filled)
            obs[f"{p}_serving"] = float(filled and v == self.base)
            obs[f"{p}_candidate"] = float(filled and v == self.candidate)
            obs[f"{p}_age"] = windows(t - v) if v is not None else 0.0
            put_shift(p, v)
            obs[f"{p}_ks_past"] = ks_past(v) if v is not None else 0.0
            history = observed.get(v, []) if v is not None else []
            values = [a for _, a in history]
            obs[f"{p}_known"] = float(bool(history))
            obs[f"{p}_accuracy"] = mean(values[-3:][::-1])
            obs[f"{p}_best"] = max(values, default=0.0)
            obs[f"{p}_since_seen"] = windows(t - history[-1][0]) if history else 0.0
            own = self.counts(v, v) if v is not None and full else None
            obs[f"{p}_fit"] = 0.0 if own is None else float(np.float32(np.trace(own) / own.sum()))
        return obs


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def quality(counts: np.ndarray) -> list[float]:
    """Accuracy, precision, recall, F1 by sums over classes; NaN where undefined."""
    classes = [1] if len(counts) == 2 else range(len(counts))

    def ratio(above: float, below: float) -> float:
        return above / below if below else float("nan")

    def average(values: list[float]) -> float:
        known = [v for v in values if not math.isnan(v)]
        return sum(known) / len(known) if known else float("nan")

    precision = average([ratio(counts[c, c], counts[:, c].sum()) for c in classes])
    recall = average([ratio(counts[c, c], counts[c].sum()) for c in classes])
    f1 = average([ratio(2 * counts[c, c], counts[:, c].sum() + counts[c].sum()) for c in classes])
    return [ratio(np.trace(counts), counts.sum()), precision, recall, f1]
