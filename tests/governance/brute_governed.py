"""The closed loop once more, in plain Python and from its description: every walk of a tiny World."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mlopsim.core.spec import make
from mlopsim.delivery.mechanisms import EVERY_SWITCH, Costs, Mechanisms, Switch
from mlopsim.delivery.oracle.replay import RewardPool
from mlopsim.governance.optimum.case import Case


@dataclass(frozen=True)
class Rules:
    """What the walk depends on; limits are (kind, table, limit)."""

    reward: Any
    warmup: int
    slots: int
    label_delay: int
    latency: int
    cooldown: int
    switch: float
    retrain: float
    budget: float
    share: float
    canary: int
    on_arrival: bool
    stopped: Any
    refused: Any
    review: Any
    fallback: Any
    resumes: bool
    rollback: bool
    limits: list[Any]


@dataclass(frozen=True)
class Now:
    """A deployment at decision time t: the fallback serves if ``fallback_from`` is a window."""

    t: int
    registry: tuple[int, ...]
    stable: int
    tested: int | None = None
    promoted_in: int = -1
    job: int | None = None
    lands: int = -1
    next_retrain: int = 0
    newest: int = 0
    spent: float = 0.0
    fallback_from: int | None = None
    value: float = 0.0
    cost: float = 0.0
    runs: tuple[int, ...] = field(default_factory=tuple)
    trained: tuple[int, ...] = field(default_factory=tuple)


def possible(rules: Rules, now: Now) -> Iterator[tuple[str, int]]:
    """Yield all that can be decided, as (what, version)."""
    yield "keep", -1
    money = rules.budget + 1e-9 - now.spent
    on_its_way = now.job is not None and rules.on_arrival
    testing, suspended = now.tested is not None, now.fallback_from is not None
    price = (rules.share if testing else 1.0) * rules.switch + (rules.switch if on_its_way else 0.0)
    if price <= money and not (on_its_way and now.lands == now.t + 1):
        for place, version in enumerate(now.registry):
            if place > 0 and not rules.rollback and version != now.stable:
                continue
            # nothing to move to, or an abort of the canary
            if suspended or (version == now.stable) == testing:
                yield "deploy", version
    if rules.fallback is not None and not suspended:
        later = on_its_way and rules.resumes and now.lands != now.t + 1
        if rules.switch * (2 if later else 1) <= money:
            yield "suspend", -1
    if (
        now.job is None
        and not testing
        and now.t >= now.next_retrain
        and now.t - rules.label_delay > now.newest
        and rules.retrain + (rules.switch if rules.on_arrival else 0.0) <= money
    ):
        yield "retrain", now.t - rules.label_delay


def after(rules: Rules, now: Now, what: str, version: int) -> Now | None:
    """Return the next decision time, None where a limit on windows or runs is broken."""
    w, moved, paid = now.t + 1, 0.0, 0.0
    stable, tested, promoted_in = now.stable, now.tested, now.promoted_in
    registry, since = list(now.registry), now.fallback_from
    job, lands, next_retrain, newest = now.job, now.lands, now.next_retrain, now.newest
    if what == "retrain":
        job, newest = version, version
        lands = w + rules.latency + (0 if rules.review is None else int(rules.review[version]))
        next_retrain = now.t + max(1 + rules.latency, rules.cooldown)
        paid = rules.retrain
    if what == "suspend":
        tested, since, moved = None, w, 1.0
    if what == "deploy":
        if since is not None:
            stable, since, moved = version, None, 1.0
        elif tested is not None:
            tested, moved = None, rules.share
        elif rules.canary:
            tested, promoted_in, moved = version, w + rules.canary, rules.share
        else:
            stable, moved = version, 1.0
    if tested is not None and promoted_in == w:
        stable, tested = tested, None
        moved += 1.0 - rules.share
    if job is not None and lands == w:
        arrived, job = job, None
        kept_out = rules.stopped[arrived] or (rules.refused is not None and rules.refused[arrived, stable])
        if not kept_out:
            if rules.on_arrival and since is None:
                if rules.canary:
                    tested, promoted_in = arrived, w + rules.canary
                    moved += rules.share
                else:
                    stable = arrived
                    moved += 1.0
            elif rules.on_arrival and rules.resumes and since is not None and since < w:
                stable, since = arrived, None
                moved += 1.0
            registry.insert(0, arrived)
            if len(registry) > rules.slots:
                idle = [v for v in registry[1:] if v not in (stable, tested)]
                registry.remove(min(idle))
    if since is not None:
        quality, weights = rules.fallback[w], {}
    elif tested is None:
        quality, weights = rules.reward[stable, w], {stable: 1.0}
    else:
        weights = {stable: 1.0 - rules.share, tested: rules.share}
        quality = sum(share * rules.reward[v, w] for v, share in weights.items())
    cost, runs = now.cost, []
    for (kind, table, limit), run in zip(rules.limits, now.runs, strict=True):
        here = sum(share * table[v, w] for v, share in weights.items())
        runs.append(run + 1 if here > 0 else 0)
        if kind == "mean":
            cost += here
        elif (kind == "window" and here > limit + 1e-9) or (kind == "run" and runs[-1] > limit):
            return None
    charge = rules.switch * moved + paid
    return Now(
        t=w, registry=tuple(registry), stable=stable, tested=tested, promoted_in=promoted_in, job=job,
        lands=lands, next_retrain=next_retrain, newest=newest, spent=now.spent + charge, fallback_from=since,
        value=now.value + quality - charge, cost=cost, runs=tuple(runs),
        trained=(*now.trained, version) if what == "retrain" else now.trained,
    )  # fmt: skip


def ends(rules: Rules) -> list[tuple[float, float, tuple[int, ...]]]:
    """Return (cost, value, versions trained) of all walks that keep the limits on windows and runs."""
    first = rules.warmup - 1
    start = Now(
        t=first, registry=(first,), stable=first, next_retrain=first, newest=first,
        runs=(0,) * len(rules.limits),
    )  # fmt: skip
    found, stack, last = [], [start], len(rules.reward) - 1
    while stack:
        now = stack.pop()
        if now.t == last:
            found.append((now.cost, now.value, now.trained))
            continue
        for what, version in possible(rules, now):
            then = after(rules, now, what, version)
            if then is not None:
                stack.append(then)
    return found


def best(walks: list[tuple[float, float, tuple[int, ...]]], allowance: float) -> float:
    """Return the largest return of at most this cost, -inf for none."""
    return max((value for cost, value, _ in walks if cost <= allowance + 1e-9), default=-np.inf)


def tiny(index: int, kinds: tuple[str, ...] = ("mean",)) -> tuple[Rules, Case]:
    """Draw a tiny walk: the bits of ``index`` switch its mechanisms on."""
    rng = np.random.default_rng([17, index])
    bits = [bool((index >> b) & 1) for b in range(9)]
    suspend, by_hand, canary, budget, gate, review, refuse, no_rollback, keeps = bits
    slots = 1 + by_hand + canary + suspend + int(rng.integers(0, 2) and not (canary or suspend))
    slots = max(slots, 2 + canary if suspend else 1)
    steps = {1: 9, 2: 6 if suspend else 7}.get(slots, 5)
    warmup = int(rng.integers(1, 4))
    T = steps + warmup
    concept = np.cumsum(rng.random(T) < 0.4) % 2
    same = concept[:, None] == concept[None, :]
    reward = 0.4 + 0.4 * same + 0.2 * rng.random((T, T))
    # costs: of 0 and 1, or of any size
    cost = (rng.random((T, T)) < np.where(same, 0.25, 0.7)).astype(np.float64)
    if rng.random() < 0.3:
        cost *= rng.random((T, T))
    free = rng.random() < 0.3
    deployment = make(
        "deployment",
        "standard",
        slots=slots,
        label_delay=int(rng.integers(0, 2)),
        latency=int(rng.integers(0, 2)),
        cooldown=int(rng.integers(0, 4)),
        switch_cost=0.0 if free else float(rng.random() * 0.2),
        retrain_cost=0.0 if free else float(rng.random() * 0.2),
        budget=float(rng.random() * 1.0) if budget else None,
        canary_share=float(rng.choice([0.1, 0.3, 0.8])) if canary else 1.0,
        canary_windows=int(rng.integers(1, 4)) if canary else 0,
        deploy_on_arrival=not by_hand,
    )
    blocked = rng.random(T) < (0.3 if gate else 0.0)
    denied = rng.random(T) < (0.2 if review else 0.0)
    delay = rng.integers(0, 3, size=T) if review else None
    refused = rng.random((T, T)) < 0.3 if refuse else None
    fallback = 0.3 + 0.4 * rng.random(T) if suspend else None
    pool = RewardPool(reward, warmup, deployment)
    v, t = np.triu_indices(T - warmup + 1)
    cells = np.ascontiguousarray(cost[v + warmup - 1, t + warmup - 1])[None]
    limits = {"mean": 0.3, "window": 0.6, "run": 2}
    arrays: dict[str, Any] = {
        name: value[None]
        for name, value in {"refused": refused, "delay": delay, "fallback": fallback}.items()
        if value is not None
    }
    mechanisms = Mechanisms(
        blocked=blocked[None],
        denied=denied[None],
        costs=tuple(
            Costs(name=kind, true=cells, seen=cells.astype(np.float32), lag=0, limit=float(limits[kind]))
            for kind in kinds
        ),
        resume_on_arrival=not keeps,
        switches=EVERY_SWITCH & ~Switch.ROLLBACK if no_rollback else EVERY_SWITCH,
        **arrays,
    )
    case = Case(pool=pool, deployment=deployment, mechanisms=mechanisms, over=kinds)
    rules = Rules(
        reward=reward, warmup=warmup, slots=slots, label_delay=deployment.label_delay,
        latency=deployment.latency, cooldown=deployment.cooldown, switch=deployment.switch_cost,
        retrain=deployment.retrain_cost, budget=np.inf if deployment.budget is None else deployment.budget,
        share=deployment.canary_share, canary=deployment.canary_windows, on_arrival=not by_hand,
        stopped=blocked | denied, refused=refused, review=delay, fallback=fallback, resumes=not keeps,
        rollback=not no_rollback, limits=[(kind, cost, limits[kind]) for kind in kinds],
    )  # fmt: skip
    return rules, case
