"""The slow simulator with every mechanism, written from "Governed deployments" in docs/ARCHITECTURE.md."""

from __future__ import annotations

import re
from typing import Any

from delivery_reference import Reference

from mlopsim.delivery.mechanisms import FALLBACK, Mechanisms, Switch


class GuardedReference(Reference):
    """One deployment with mechanisms over World ``m`` of a pool."""

    def __init__(self, pool: Any, m: int, deployment: Any, mechanisms: Mechanisms, switches: int) -> None:
        super().__init__(pool.worlds[m], deployment, int(pool.seeds[m]))
        self.pool, self.m, self.mech, self.on = pool, m, mechanisms, Switch(switches)
        self.suspended: int | None = None
        self.charged: dict[str, dict[int, float]] = {cost.name: {} for cost in mechanisms.costs}
        self.measured: dict[str, dict[int, float]] = {cost.name: {} for cost in mechanisms.costs}

    def of(self, name: str, *place: int) -> Any:
        table = getattr(self.mech, name)
        return table[(self.m, *place)] if table.size else None

    # what is possible

    def possible(self, action: int) -> bool:
        dep, K = self.dep, self.dep.slots
        if action == K + 2:
            lands = self.job is not None and self.job[1] > self.t + 1 and self.mech.resume_on_arrival
            later = self.reserved_job() if lands else 0.0
            return Switch.SUSPEND in self.on and self.suspended is None and self.pays(dep.switch_cost + later)
        if 0 < action <= K:
            if action > len(self.registry) or self.arrival_deploys_next():
                return False
            version = self.registry[action - 1]
            if Switch.ROLLBACK not in self.on and action > 1 and version != self.base:
                return False
            if self.suspended is not None:
                return self.pays(dep.switch_cost + self.reserved_job())
        return super().possible(action)

    def mask(self) -> list[bool]:
        return [self.possible(a) for a in range(self.dep.slots + 2 + self.mech.suspends)]

    # what happens

    def deploy(self, version: int, w: int) -> float:
        if self.suspended is None:
            return super().deploy(version, w)
        self.base, self.suspended = version, None
        return 1.0

    def stopped(self, version: int) -> bool:
        audits = bool(self.of("blocked", version)) or bool(self.of("refused", version, self.base))
        return (Switch.AUDITS in self.on and audits) or (
            Switch.REVIEW in self.on and bool(self.of("denied", version))
        )

    def suspend(self, w: int) -> float:
        self.suspended, self.candidate = w, None
        return 1.0

    def review(self, version: int) -> int:
        delay = self.of("delay", version)
        return 0 if delay is None or Switch.REVIEW not in self.on else int(delay)

    def lands(self, w: int) -> bool:
        """One that arrives as a suspension begins waits; one that arrives later as the deployment says."""
        waits = self.suspended is not None and (self.suspended == w or not self.mech.resume_on_arrival)
        return super().lands(w) and not waits

    def serving(self, w: int) -> tuple[dict[int, float], Any]:
        return ({}, self.of("fallback", w)) if self.suspended is not None else super().serving(w)

    def step(self, action: int) -> tuple[dict[str, float], int]:
        before, w = (self.base, self.candidate), self.t + 1
        found = super().step(action)
        if self.suspended is not None:
            self.bases[w] = FALLBACK
        self.charge(w, before)
        return found

    def charge(self, w: int, before: tuple[int, int | None]) -> None:
        for cost in self.mech.costs:
            true, seen = 0.0, 0.0
            for v, share in self.traffic[w].items():
                cell = int(self.pool.cell(v, w))
                if not cost.at_switch:
                    true += share * cost.true[self.m, cell]
                    seen += share * float(cost.seen[self.m, cell])
            if cost.at_switch and self.traffic[w]:
                now = self.base if self.candidate is None else self.candidate
                one = self.flips(before[0] if before[1] is None else before[1], now, w)
                rest = self.flips(before[0], self.base, w)
                true = seen = self.c * one + (1.0 - self.c) * rest if self.canary_on else one
            self.charged[cost.name][w], self.measured[cost.name][w] = true, seen

    def flips(self, one: int, other: int, w: int) -> float:
        rows = range(self.world.bounds[w], self.world.bounds[w + 1])
        answers = self.world.answers
        return sum(answers[one, r] != answers[other, r] for r in rows) / len(rows)

    # what is seen

    def errors(self) -> list[int]:
        u = self.t - self.dep.label_delay
        return [] if u in self.traffic and not self.traffic[u] else super().errors()

    def observe(self) -> dict[str, float]:
        obs, t, dep = super().observe(), self.t, self.dep
        steps = self.T - self.W

        def windows(n: float) -> float:
            return min(n / 10, 5.0)

        obs["suspended"] = float(self.suspended is not None)
        obs["suspended_for"] = 0.0 if self.suspended is None else windows(t + 1 - self.suspended)
        if self.suspended is not None:
            obs |= {f"slot{i}_serving": 0.0 for i in range(dep.slots)}
        obs["can_suspend"] = float(self.mech.suspends and self.possible(dep.slots + 2))
        obs["in_review"] = obs["review_age"] = 0.0
        if self.job is not None and Switch.REVIEW in self.on and self.mech.delay.size:
            trained = self.retrains[-1] + 1 + dep.latency
            if self.job[1] != t + 1:
                obs["arrives_in"] = windows(max(trained - t, 0))
            if trained <= t:
                obs["in_review"], obs["review_age"] = 1.0, windows(t + 1 - trained)
        alarm = self.mech.alarm[self.m, int(self.pool.cell(self.base, t))] if self.mech.alarm.size else False
        obs["alarm"] = float(bool(alarm) and Switch.TRIGGER in self.on)
        if self.mech.alarm.size and Switch.TRIGGER not in self.on:
            shift = re.compile(r"(serving|newest|flight|slot\d+)_(ks|psi|mean|ks_past)")
            obs |= {name: 0.0 for name in obs if shift.fullmatch(name)}
        obs["windows_left"] = (self.T - 1 - t) / steps
        for switch in ("audits", "review", "rollback", "suspend", "trigger"):
            obs[f"has_{switch}"] = float(Switch[switch.upper()] in self.on)
        obs["has_data_gate"] = float(bool(self.mech.guarded.size and self.mech.guarded[self.m]))
        for cost in self.mech.costs:
            known = [self.measured[cost.name][u] for u in range(self.W, t - cost.lag + 1)]
            total = 0.0
            for value in known:
                total += value
            obs[f"cost_{cost.name}_seen"] = total / steps
            obs[f"cost_{cost.name}_last"] = known[-1] if known else 0.0
            obs[f"cost_{cost.name}_limit"] = cost.limit
            obs[f"cost_{cost.name}_left"] = max(cost.limit - total / steps, -1.0)
        return obs
