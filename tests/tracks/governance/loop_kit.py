"""A made-up cell table of the governance track whose games, fronts and limits are known."""

from __future__ import annotations

import itertools
import json

import numpy as np
import polars as pl

from mlopsim.tracks.governance.analysis import FAMILY, MEANS
from mlopsim.tracks.governance.arms import PARTS

SEEDS = 8
PRICES = np.array([0.0, 0.1, 0.5, 2.0])
#: what each part adds to the return in each family, and takes off the cost
ADDS = {
    "drift": {"gate": 0.01, "trigger": 0.04, "audits": 0.0, "learned": 0.06, "rollback": 0.02},
    "nothing": {"gate": -0.01, "trigger": 0.0, "audits": -0.02, "learned": -0.005, "rollback": 0.0},
}
SAVES = {"gate": 0.02, "trigger": 0.03, "audits": 0.1, "learned": 0.05, "rollback": 0.0}
#: return and cost of never, return of the fallback, and how much there is to gain
NEVER, FALLBACK, GAIN = (0.6, 0.4), 0.5, {"drift": 0.25, "nothing": 0.01}
LIMIT = 0.25


def noise(family: str, seed: int) -> float:
    """The same for all methods of a scenario: pairing takes it away."""
    return float(np.random.default_rng([seed, len(family)]).normal(0, 0.05))


def row(task: str, family: str, method: str, seed: int, returns: float, cost: float, **more) -> dict:
    cell = {
        "key": f"{task}/{method}/{seed}", "task": task, "method": method, "seed": seed, "status": "done",
        "reasons": json.dumps({}), FAMILY: family, "role": "control", "return": returns, "cost": cost,
        "upper": None, **dict.fromkeys(MEANS, 0.5), **dict.fromkeys(PARTS),
        "limit_parity": LIMIT, "limit_on_parity": "mean", "weight_parity": 1.0,
        "conditions": task, "review": "nobody", "out": cost, "longest": 10 * cost,
    }  # fmt: skip
    return cell | more


def table(families=("drift", "nothing"), *, worth=None, **more) -> pl.DataFrame:
    """Cells of all 32 arms and the controls; ``worth(family, on)`` replaces the additive return."""
    rows = []
    for family, seed in itertools.product(families, range(SEEDS)):
        shift = noise(family, seed)
        base, cost = NEVER
        task = f"task {family}"
        for method, value, spent in (
            ("never", base, cost),
            ("suspend_always", FALLBACK, 0.0),
            ("traditional", base + 0.05, 0.3),
            ("optimum", base + GAIN[family], 0.2),
        ):
            upper = base + GAIN[family] + shift if method == "optimum" else None
            rows.append(row(task, family, method, seed, value + shift, spent, upper=upper, **more))
        for on in itertools.product([False, True], repeat=len(PARTS)):
            parts = dict(zip(PARTS, on, strict=True))
            added = sum(ADDS[family][p] for p in PARTS if parts[p]) if worth is None else worth(family, parts)
            spent = cost - sum(SAVES[p] for p in PARTS if parts[p])
            name = {0: "none", len(PARTS): "all"}.get(sum(on), "+".join(p for p in PARTS if parts[p]))
            rows.append(
                row(task, family, name, seed, base + added + shift, spent, role="method", **parts, **more)
            )
    return pl.DataFrame(rows, infer_schema_length=None)


def curves(key: str) -> dict[str, np.ndarray]:
    """Series of a cell: of the optimum its bounds, of all the cost of the constraint by window."""
    task, method, seed = key.split("/")
    family = task.removeprefix("task ")
    found = {"cost_parity": np.full(10, 0.3, dtype=np.float32)}
    if method == "optimum":
        # best plans cost .3 .2 .1 0, each cheaper one earns less by a little more than its price
        cost = np.array([0.3, 0.2, 0.1, 0.0])
        lost = np.array([0.0, 0.01, 0.05, 0.15])
        plan = NEVER[0] + GAIN[family] - lost + noise(family, int(seed))
        worth = (plan - PRICES[:, None] * cost).max(axis=1)
        found |= {"price": PRICES, "bound": worth + 0.001, "plan_return": plan, "plan_cost": cost}
    return found
