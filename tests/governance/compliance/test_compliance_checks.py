"""Checks that stand for requirements: each passes one deployment, and fails one without what it asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from compliance_kit import CELL, GUARDED, case_of, deployed, pool

from mlopsim.core.errors import ConfigError
from mlopsim.delivery.mechanisms import Switch
from mlopsim.governance.compliance.assessed import REQUIREMENTS, assess
from mlopsim.governance.compliance.case import Case
from mlopsim.governance.compliance.requirement import Outcome, Says
from mlopsim.governance.compliance.requirements import ai_act, nist, sr_26_2
from mlopsim.governance.record.derived import events_of
from mlopsim.governance.record.events import Event
from mlopsim.governance.record.log import prune, record_of
from mlopsim.governance.record.making import make_record
from mlopsim.governance.record.overrides import Override

SUSPEND = Override(window=13, decision="suspend", by="Ann", reason="complaints")
#: after the bias has set in the accuracy is below, before it is above
FLOOR = [{"accuracy_floor": {"floor": 0.84}}]
EASY = [{"accuracy_floor": {"floor": 0.5}}]
BUSY: dict[str, Any] = {
    "method": {"random": {"retrain": 0.3, "deploy": 0.6}}, "audits": [], "release": [], "reviewer": None,
}  # fmt: skip
OPEN: dict[str, Any] = {"audits": [], "release": [], "reviewer": None}
RETRAIN = Override(window=12, decision="retrain", by="Ann", reason="complaints")
SIGNED = Override(window=12, decision="keep", by="Ann", reason="wait")
NOTHING: dict[str, Any] = {"audits": [], "release": [], "reviewer": None, "trigger": None, "constraints": []}


def told(
    change: Callable[[list[Event]], list[Event]], overrides: Sequence[Override] = (), **more: Any
) -> Case:
    """Return a deployment beside which lies a well-formed record of other events."""
    events = change(events_of(deployed(overrides=overrides, **more)))
    return case_of(overrides=overrides, record=record_of(CELL, events), **more)


def without(kind: str, which: int = 0) -> Callable[[list[Event]], list[Event]]:
    """Leave out one event of a kind."""

    def change(events: list[Event]) -> list[Event]:
        out = [event for event in events if event.kind == kind][which]
        return [event for event in events if event is not out]

    return change


def other(**fields: Any) -> Callable[[list[Event]], list[Event]]:
    """Tell something else of the last windows."""

    def change(events: list[Event]) -> list[Event]:
        return [replace(e, **fields) if e.kind in ("window", "end") and e.window > 25 else e for e in events]

    return change


def content(kind: str, **fields: Any) -> Callable[[list[Event]], list[Event]]:
    """Tell something else in the content of the events of a kind that have it."""

    def change(events: list[Event]) -> list[Event]:
        return [
            replace(e, content={**e.content, **fields})
            if e.kind == kind and set(fields) <= set(e.content)
            else e
            for e in events
        ]

    return change


def served_at(version: int, window: int, case: Case) -> Case:
    """Return a deployment in which another version served a window, which it did not ask for."""
    walked = case.deployed.trajectory
    served = walked.served.copy()
    served[0, window] = version
    return replace(case, deployed=replace(case.deployed, trajectory=replace(walked, served=served)))


def served_denied() -> Case:
    """Return a deployment in which a version served that had been denied."""
    case = case_of()
    denied = next(e.content["version"] for e in case.events if e.content.get("verdict") == "denied")
    return served_at(denied, -1, case)


def served_too_soon() -> Case:
    """Return a deployment in which a version served one window before it had been judged."""
    case = case_of()
    arrival = next(e for e in case.events if e.kind == "arrival")
    return served_at(arrival.content["version"], arrival.window - 1, case)


def served_refused() -> Case:
    """Return a deployment with relative gates only, which should have refused a version that served."""
    case = case_of(audits=[], reviewer=None)
    made = case.mechanisms
    assert made is not None and not made.blocked.size and not made.denied.size
    arrival = next(e for e in case.events if e.kind == "arrival" and e.content["version"] in case.served)
    version = arrival.content["version"]
    against = next(
        e.content["against"] for e in case.events if e.kind == "gate" and e.content["version"] == version
    )
    refused = made.refused.copy()
    refused[0, version, against] = True
    # the roll-out stays as it was: what the gate says was not heard
    return replace(case, deployed=replace(case.deployed, mechanisms=replace(made, refused=refused)))


def with_policy(policy: Any) -> Case:
    case = case_of()
    return replace(case, deployed=replace(case.deployed, policy=policy))


def deaf() -> Case:
    """Return a deployment that does what its method says, whoever says otherwise."""
    case = case_of()
    return replace(case, again=lambda _: case.deployed)


def of_a_plan() -> Case:
    def again(_: Any) -> Any:
        raise ConfigError("a plan with hindsight cannot be overruled")

    return replace(case_of(), again=again)


def without_switch(switch: Switch) -> Case:
    """Return a deployment that has a mechanism which is off."""
    case = case_of()
    assert case.mechanisms is not None
    return replace(case, deployed=replace(case.deployed, switches=int(case.mechanisms.switches & ~switch)))


def pruned(kept: int, keep: int) -> Case:
    return case_of(record=prune(make_record(deployed()), kept), keep=keep)


CASES: dict[
    Callable[[Case], Outcome], tuple[list[Callable[[], Case]], list[tuple[Callable[[], Case], str]]]
] = {
    ai_act.events_recorded: (
        [case_of, lambda: case_of(overrides=[SUSPEND], **BUSY), lambda: pruned(10, 10)],
        [
            (lambda: told(without("alarm")), "alarm at window 12 is on record 0 of 1 times"),
            (lambda: told(without("switch")), "switch at window"),
            (lambda: told(without("violation_begin")), "violation_begin at window 12"),
            (lambda: told(without("suspend"), [SUSPEND]), "suspend at window 13"),
            (lambda: told(lambda events: [events[0], events[0], *events[1:]]), "not sound"),
            (
                lambda: told(lambda es: [*es[:-2], replace(es[-2], kind="alarm"), *es[-2:]]),
                "alarm at window 29 is on record and did not happen",
            ),
            # what was said of a version stands beside its arrival, and is asked for by itself
            (lambda: told(without("gate")), "gate absolute passed at window"),
            (lambda: told(without("approval")), "approval "),
            (lambda: told(without("arrival")), "arrival at window"),
            (lambda: told(content("gate", verdict="passed")), "blocked at window"),
            (lambda: told(without("rollback"), **BUSY), "rollback at window"),
            (lambda: told(without("deploy"), **BUSY), "deploy at window"),
            (lambda: told(without("evict"), **BUSY), "evict at window"),
            (lambda: told(without("resume"), [SUSPEND], **BUSY), "resume at window"),
        ],
    ),
    ai_act.rebuilt: (
        [case_of],
        [(lambda: told(other(served=3)), "tells what served differently from window 26 on")],
    ),
    ai_act.replayed: (
        [case_of],
        [(lambda: told(other(served=3)), "anchored: "), (lambda: told(without("alarm")), "anchored: ")],
    ),
    ai_act.intervals: (
        [case_of],
        [
            (lambda: told(other(since=9)), "the interval at window 26 is another one"),
            (lambda: told(other(served=3)), "window 26 was served by another version"),
        ],
    ),
    ai_act.approved_by: (
        [case_of],
        [
            (lambda: case_of(reviewer=None, audits=[]), "were approved by nobody: nobody reviews here"),
            (
                lambda: told(content("arrival", approved_by="reviewer/ann")),
                "was not approved by reviewer/ann",
            ),
        ],
    ),
    ai_act.noticed: (
        [case_of],
        [
            (lambda: case_of(**NOTHING), "nothing watches it"),
            (
                lambda: case_of("never", [SUSPEND], label_delay=8, trigger=None, constraints=FLOOR),
                "0 of 1 run out of compliance noticed",
            ),
        ],
    ),
    ai_act.automation_bias: (
        [case_of],
        [
            (lambda: case_of(reviewer=None), "nobody reviews"),
            (lambda: case_of(reviewer="rubber_stamp"), "denied 0 of "),
        ],
    ),
    ai_act.interpreted: ([case_of], [(lambda: with_policy(None), "follows a plan with hindsight")]),
    ai_act.overruled: (
        [case_of, lambda: case_of("never")],
        [(deaf, "and it is not done"), (of_a_plan, "cannot be overruled")],
    ),
    ai_act.stopped: (
        [
            case_of,
            lambda: case_of(overrides=[SUSPEND]),
            lambda: case_of("never", [RETRAIN, SUSPEND], latency=2, resume_on_arrival=False, **OPEN),
        ],
        [
            (lambda: case_of(fallback=None), "there is no fallback"),
            (lambda: without_switch(Switch.SUSPEND), "0 times, first not after window 4"),
            (lambda: case_of("never", budget=0.0), "first not after window 4"),
            # it is suspended, somebody suspends again, and what arrives serves all the same
            (
                lambda: case_of("never", [RETRAIN, SUSPEND], latency=2, **OPEN),
                "24 times, first not after window 14; 1 time it served already, and a version that arrived",
            ),
        ],
    ),
    ai_act.logs_kept: (
        [case_of, lambda: pruned(10, 10)],
        [
            (lambda: case_of(stored=False), "no record lies beside the ledger"),
            (lambda: pruned(5, 10), "missing"),
            (
                lambda: case_of(record=make_record(deployed()).until(20)),
                "ends with window 20, the deployment with window 29",
            ),
        ],
    ),
    ai_act.answered: (
        [case_of],
        [
            (lambda: case_of("never"), "1 of 1 noticed run out of compliance had no answer"),
            (
                lambda: case_of("never", **{**NOTHING, "constraints": FLOOR, "label_delay": 20}),
                "1 run out of compliance, none of which was noticed",
            ),
            # an answer before the notice is none: the bias sets in at 12, is known at 13
            (
                lambda: case_of("never", [SIGNED], trigger=None, constraints=FLOOR),
                "had no answer from its notice",
            ),
        ],
    ),
    nist.superseded: (
        [case_of],
        [(lambda: case_of(rollback=False, audits=[], reviewer=None), "what served was not replaced")],
    ),
    nist.incidents: (
        [lambda: case_of("never", [SUSPEND])],
        [
            (lambda: case_of("never"), "0 of 1 run out of compliance ended"),
            (lambda: case_of(constraints=[]), "no constraint says"),
        ],
    ),
    nist.changes: (
        [case_of],
        [
            (lambda: case_of(**NOTHING), "nothing stands between"),
            (served_denied, "served, though the reviewer had denied it"),
            (served_refused, "served, though a release gate had refused it beside version"),
            (served_too_soon, "before gates and review had spoken"),
            (lambda: served_at(28, -1, case_of()), "and was never trained"),
        ],
    ),
    sr_26_2.inventory: (
        [case_of],
        [
            (lambda: told(without("retrain")), "served and is not in the inventory"),
            (lambda: told(content("retrain", rows=7)), "the inventory says 7 of rows of version"),
            (lambda: told(content("retrain", parent=0)), "the inventory says 0 of parent of version"),
        ],
    ),
    sr_26_2.validation: (
        [case_of],
        [
            (
                lambda: case_of(audits=[], release=[], reviewer=None),
                "without having passed a test: there are no",
            ),
            # its release gate passed it without a single row: labels come as late as the training ends
            (lambda: case_of(audits=[], reviewer=None, latency=0), "(accuracy_drop: no held-out rows)"),
            # audits that see too few rows of a group
            (lambda: case_of(release=[], reviewer=None, over=pool(per_group=2)), "too few rows"),
            (lambda: told(content("gate", verdict="blocked")), "without having passed a test"),
        ],
    ),
    sr_26_2.outcomes: (
        [lambda: case_of(constraints=EASY)],
        [
            (case_of, "broken: demographic_parity"),
            (lambda: case_of(constraints=[]), "the task sets no limit"),
        ],
    ),
    sr_26_2.overrides: (
        [lambda: case_of(overrides=[SUSPEND])],
        [
            (lambda: told(without("override"), [SUSPEND]), "overrides on record are of the windows []"),
            (
                lambda: told(content("override", by="Bob"), [SUSPEND]),
                "at window 13 is on record as another one",
            ),
        ],
    ),
}


def test_every_requirement_has_a_deployment_that_fails_it() -> None:
    checks = {requirement.check for requirement in REQUIREMENTS}
    assert set(CASES) == checks and all(good and bad for good, bad in CASES.values())


@pytest.mark.parametrize("check", CASES, ids=lambda check: check.__name__)
def test_a_check_passes_and_fails(check: Callable[[Case], Outcome]) -> None:
    good, bad = CASES[check]
    for i, make in enumerate(good):
        found = check(make())
        assert found.says is Says.PASSED, (i, found)
    for make, words in bad:
        found = check(make())
        assert found.says is Says.FAILED and words in found.reason, found


@pytest.mark.parametrize(
    ("check", "case", "words"),
    [
        (ai_act.noticed, lambda: case_of(constraints=[]), "sets no limit"),
        (ai_act.answered, lambda: case_of(constraints=[]), "sets no limit"),
        (ai_act.answered, lambda: case_of("never", constraints=EASY), "never out of compliance"),
        (ai_act.approved_by, lambda: case_of("never"), "only the version of the warm-up served"),
        (ai_act.automation_bias, lambda: case_of("never"), "no version came to review"),
        (ai_act.rebuilt, lambda: pruned(10, 10), "payloads"),
        (ai_act.replayed, lambda: case_of(stored=False), "no record lies there"),
        (ai_act.interpreted, lambda: case_of("never"), "keep after every window"),
        (nist.superseded, lambda: case_of("never"), "no other version was held"),
        (sr_26_2.overrides, case_of, "nobody overruled it"),
    ],
)
def test_a_check_that_nothing_can_be_tried_on(check: Any, case: Any, words: str) -> None:
    found = check(case())
    assert found.says is Says.NOT_APPLICABLE and words in found.reason, found


def test_a_deployment_with_nothing_on_is_assessed() -> None:
    found = assess(case_of(**NOTHING, fallback=None, stored=False))
    failures = {r.check for r, outcome in found if outcome.says is Says.FAILED}
    assert failures >= {ai_act.stopped, ai_act.logs_kept, nist.changes, sr_26_2.validation, sr_26_2.outcomes}
    assert len(found) == len(REQUIREMENTS) and all(outcome.reason for _, outcome in found)


def test_the_kit_is_what_it_says() -> None:
    case = case_of()
    assert (
        case.kept is not None
        and case.kept.passed
        and set(case.out)
        == {make if isinstance(make, str) else next(iter(make)) for make in GUARDED["constraints"]}
    )
    assert case.any_out.any() and not case.any_out.all() and np.isfinite(case.measured(case.costs[1])).all()
