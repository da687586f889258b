"""What served when equals the roll-out, and what was not approved never serves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from lineage_kit import RESTLESS, STREAM, deploy

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.core.track import Cell
from mlopsim.delivery.mechanisms import FALLBACK, Switch
from mlopsim.delivery.walk import walk
from mlopsim.governance.lineage.lineage import lineage_of
from mlopsim.governance.lineage.traffic import traffic_of

#: deployments of every sort: registry alone, canaries, everything that guards
SORTS: list[dict[str, Any]] = [
    {"kind": "standard", "slots": 2},
    {"kind": "standard", "slots": 3, "latency": 2, "canary_share": 0.3, "canary_windows": 2},
    {"kind": "standard", "slots": 3, "deploy_on_arrival": False},
    {
        "kind": "governed",
        "slots": 3,
        "latency": 1,
        "fallback": 0.6,
        "reviewer": {"fallible": {"sensitivity": 0.5, "specificity": 0.6, "delay": 1}},
        "audits": ["demographic_parity"],
        "release": [{"accuracy_drop": {"alpha": 0.5}}],
    },
    {
        "kind": "governed",
        "slots": 4,
        "fallback": 0.6,
        "resume_on_arrival": False,
        "reviewer": {"rubber_stamp": {"delay": 2}},
        "canary_share": 0.3,
        "canary_windows": 2,
    },
]


class Anything:
    """Any action that is possible, by the draws of its deployment: suspensions, too."""

    full_name = "selector/anything"
    can_suspend = True

    def reset(self, n: int, interface: Any, seeds: Any) -> None:
        self.rngs = [np.random.default_rng(seed) for seed in seeds]

    def act(self, view: Any) -> np.ndarray:
        possible = [np.flatnonzero(row) for row in view.mask]
        return np.array([rng.choice(one) for rng, one in zip(self.rngs, possible, strict=True)])


def restless(number: int) -> Any:
    """Deployment number so-and-so; where it can be suspended everything possible is done."""
    sort = SORTS[number % len(SORTS)]
    found = deploy(seed=number, **sort)
    if sort.get("fallback") is None:
        return found
    trajectory = walk(Anything(), found.pool, found.deployment, [0], [found.seed])
    return replace(found, trajectory=trajectory)


def check_serving(number: int) -> set[int]:
    deployed = restless(number)
    lineage, trajectory = lineage_of(deployed), deployed.trajectory
    served, candidate = lineage.traffic.arrays(deployed.pool.windows)
    assert served.tolist() == trajectory.served[0].tolist()
    assert candidate.tolist() == trajectory.candidate[0].tolist()
    table = lineage.history()
    assert table["windows"].sum() == deployed.pool.steps
    for window in range(deployed.pool.warmup, deployed.pool.windows):
        version = int(trajectory.served[0, window])
        assert lineage.traffic.at(window).version == version
        for role, number_of in (("served", version), ("canary", int(trajectory.candidate[0, window]))):
            spans = {
                v: [s for s in getattr(p, role) if s.first <= window <= s.last]
                for v, p in lineage.passages.items()
            }
            assert [v for v, s in spans.items() if s] == ([number_of] if number_of >= 0 else [])
    reviewer = getattr(deployed.deployment, "reviewer", None)
    for number_of, passage in lineage.passages.items():
        if passage.served or passage.canary:
            assert passage.arrived is not None
            approved = passage.review is not None and passage.review.verdict == "approved"
            assert approved or reviewer is None or number_of == lineage.initial
    return set(served.tolist())


def test_serving_equals_the_roll_out() -> None:
    served = [check_serving(number) for number in range(len(SORTS))]
    assert sum(len(one) > 3 for one in served) >= 3 and any(FALLBACK in one for one in served)


@pytest.mark.slow
def test_serving_equals_the_roll_out_in_100_deployments() -> None:
    served = [check_serving(number) for number in range(60)]
    assert sum(FALLBACK in one for one in served) >= 15
    # what the track's own roll-outs stored, and the deployments that it computes again
    track = make("track", "delivery", steps=0)
    entries = [
        {"stream": STREAM, "learner": learner, "deployment": {"standard": {"latency": 1, **more}}}
        for learner in ("ridge", "naive_bayes")
        for more in ({"slots": 2}, {"canary_share": 0.3, "canary_windows": 2})
    ]
    tasks = track.tasks(entries)
    wanted = (RESTLESS, "ks", {"periodic": {"every": 3}}, "best_in_registry", "error_threshold")
    methods = [m for m in track.methods(list(wanted)) if m.name not in ("never", "oracle")]
    count = 0
    for task in tasks:
        for method in methods:
            for seed in range(2):
                cell = Cell(track="delivery/1", task=task, method=method, seed=seed)
                stored = track.run([cell], {})[0].curves["served"]
                deployed = track.redeploy(cell, {})
                served_then, _ = lineage_of(deployed).traffic.arrays(deployed.pool.windows)
                assert served_then[deployed.pool.warmup :].tolist() == stored.tolist()
                count += 1
    assert count >= 40


def test_a_move_that_is_not_on_record_is_seen() -> None:
    deployed = restless(3)
    lineage = lineage_of(deployed)
    moves = [event for event in lineage.events if event.kind == "switch"]
    assert len(moves) > 2
    for gone in moves:
        rest = [event for event in lineage.events if event is not gone]
        pool = deployed.pool
        told = traffic_of(rest, first=pool.warmup, last=pool.windows - 1, initial=lineage.initial)
        assert told.arrays(pool.windows)[0].tolist() != deployed.trajectory.served[0].tolist()


def test_windows_that_nothing_served() -> None:
    lineage = lineage_of(restless(0))
    for window in (-1, 4, 24):
        with pytest.raises(ConfigError, match=r"windows 5 to 23 were served"):
            lineage.traffic.at(window)
    with pytest.raises(ConfigError, match=f"its versions: {lineage.initial}"):
        lineage.version(1)


def test_an_unapproved_version_never_serves() -> None:
    """Negative test: half of all versions are denied, and whatever is asked none of them gets traffic."""
    denied_ones = would_have_served = 0
    for seed in range(8):
        reviewer = {"fallible": {"sensitivity": 0.5, "specificity": 0.5, "delay": seed % 3}}
        found = deploy(seed=seed, kind="governed", slots=3, fallback=0.6, reviewer=reviewer)
        guards = found.deployment.mechanisms(found.pool)
        # the initial version was there before anybody was asked
        denied = {int(v) for v in np.flatnonzero(guards.denied[0]) if v >= found.pool.warmup}
        for selector in (Anything(), make("selector", RESTLESS)):
            shared = (selector, found.pool, found.deployment, [0], [found.seed])
            trajectory = walk(*shared)
            given = {*trajectory.served[0].tolist(), *trajectory.candidate[0].tolist()}
            assert not given & denied
            lineage = lineage_of(replace(found, trajectory=trajectory))
            for number in denied & set(lineage.passages):
                passage = lineage.passages[number]
                # unless the deployment ended before anybody answered
                assert passage.state in ("denied", "in the pipeline") and passage.arrived is None
                denied_ones += passage.state == "denied"
            # the same without the reviewer: the test could fail
            off = int(guards.switches) & ~int(Switch.REVIEW)
            free = walk(*shared, switches=np.array([off], dtype=np.int64))
            would_have_served += len(set(free.served[0].tolist()) & denied)
    assert denied_ones >= 10 and would_have_served >= 10
