"""What must be on record, by what happened, and what is: two ways to the same list."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from mlopsim.delivery.mechanisms import Switch
from mlopsim.governance.compliance.case import Case
from mlopsim.governance.constraint import runs
from mlopsim.governance.record.events import FALLBACK

#: kinds of events that are compared; of gates and approvals with their verdict
COMPARED = (
    "retrain", "deploy", "rollback", "suspend", "impossible", "override", "switch", "resume", "evict",
    "alarm", "violation_begin", "violation_end", "arrival", "approval", "gate",
)  # fmt: skip


def happened(case: Case) -> Counter[tuple[str, int]]:
    """Return kind and window of all that must be on record, by the arrays of the roll-out."""
    trajectory, row, history = case.deployed.trajectory, case.deployed.row, case.history
    first = case.first - 1
    executed = trajectory.executed[row]
    found: list[tuple[str, int]] = []

    def at_decisions(kind: str, which: np.ndarray) -> None:
        found.extend((kind, first + int(s)) for s in np.flatnonzero(which))

    at_decisions("retrain", trajectory.retrained[row])
    at_decisions("suspend", executed == history.slots + 2)
    at_decisions("impossible", trajectory.invalid[row])
    slot = (executed > 0) & (executed <= history.slots)
    back = slot & _goes_back(case)
    at_decisions("rollback", back)
    at_decisions("deploy", slot & ~back)
    found += [("override", entry.window) for entry in case.deployed.overrides]
    if case.deployed.alarms is not None:
        at_decisions("alarm", case.deployed.alarms)
    at_decisions("alarm", input_alarms(case))
    both = np.stack([case.served, case.candidate], axis=1)
    before = np.concatenate([[[first, -1]], both[:-1]])
    found += [("switch", case.first + int(s)) for s in np.flatnonzero((both != before).any(axis=1))]
    resumed = (before[:, 0] == FALLBACK) & (both[:, 0] != FALLBACK)
    found += [("resume", case.first + int(s)) for s in np.flatnonzero(resumed)]
    for s in range(case.steps):
        gone = set(history.versions[s].tolist()) - set(history.versions[s + 1].tolist()) - {-1}
        found += [("evict", case.first + s)] * len(gone)
    end = case.first + case.steps
    for out in case.out.values():
        for a, b in runs(out):
            found.append(("violation_begin", case.first + a))
            if case.first + b + 1 < end:
                found.append(("violation_end", case.first + b + 1))
    for version, window in landings(case).items():
        if window < end:
            found += [(verdict, window) for verdict in _verdicts(case, version, window)]
    return Counter(found)


def _goes_back(case: Case) -> np.ndarray:
    """Return at which decisions a slot holds an older version than the one that serves alone, bool (S,)."""
    history, steps = case.history, np.arange(case.steps)
    slot = np.clip(case.deployed.trajectory.executed[case.deployed.row] - 1, 0, history.slots - 1)
    alone = ~history.suspended[:-1] & (history.candidate_of[:-1] < 0)
    older: np.ndarray = alone & (history.versions[steps, slot] < history.serving[:-1])
    return older


def compared_with(case: Case, version: int, window: int) -> int:
    """Return what relative gates compare a version with that leaves the pipeline at the start of a window.

    That is what serves then, or served last, what was deployed by hand in the same step included.
    """
    serving, s = case.history.serving, window - case.first + 1
    return int(serving[s] if serving[s] != version else serving[s - 1])


@dataclass(frozen=True, kw_only=True)
class Ruled:
    """What gates and review had to say of a version; None: that one was not asked.

    Parameters
    ----------
    denied : bool or None
        By the reviewer.
    blocked, refused : bool or None
        By gates that look at the version alone, and by those that compare it with another.
    against : int
        The version that it was compared with.
    """

    denied: bool | None
    blocked: bool | None
    refused: bool | None
    against: int


def ruled(case: Case, version: int, window: int) -> Ruled:
    """Return what was said of a version that leaves the pipeline at the start of a window.

    By the tables of gates and review, not by the record.
    """
    made, world, against = case.mechanisms, case.deployed.world, compared_with(case, version, window)
    denied = blocked = refused = None
    if made is not None and Switch.REVIEW in case.on and (made.delay.size or made.denied.size):
        denied = bool(made.denied.size and made.denied[world, version])
    if made is not None and Switch.AUDITS in case.on:
        blocked = bool(made.blocked[world, version]) if made.blocked.size else None
        refused = bool(made.refused[world, version, against]) if made.refused.size else None
    return Ruled(denied=denied, blocked=blocked, refused=refused, against=against)


def _verdicts(case: Case, version: int, window: int) -> list[str]:
    """Return what must be said of a version that leaves the pipeline."""
    entered = version in case.history.versions[window - case.first + 1]
    if case.mechanisms is None:
        return ["arrival" if entered else "gate absolute blocked"]
    said = ruled(case, version, window)
    found = ["arrival"] if entered else []
    if said.denied is not None:
        found.append(f"approval {'denied' if said.denied else 'approved'}")
    for gate, stopped in (("absolute", said.blocked), ("relative", said.refused)):
        if stopped is not None:
            found.append(f"gate {gate} {'blocked' if stopped else 'passed'}")
    return found


def input_alarms(case: Case) -> np.ndarray:
    """Return after which windows the deployment's own drift alarm was on, bool (S,)."""
    made = case.mechanisms
    if made is None or not made.alarm.size or Switch.TRIGGER not in case.on:
        return np.zeros(case.steps, dtype=bool)
    pool, serving = case.deployed.pool, case.history.serving
    cells = [int(pool.cell(int(serving[s]), case.first - 1 + s)) for s in range(case.steps)]
    return np.asarray(made.alarm[case.deployed.world, cells])


def landings(case: Case) -> dict[int, int]:
    """Return the window at whose start each version that was trained leaves the pipeline, by version."""
    deployment, world = case.deployed.deployment, case.deployed.world
    made = case.mechanisms
    found = {}
    for s in np.flatnonzero(case.deployed.trajectory.retrained[case.deployed.row]).tolist():
        window = case.first - 1 + s
        version = window - int(deployment.label_delay)
        waits = 0
        if made is not None and made.delay.size and Switch.REVIEW in case.on:
            waits = int(made.delay[world, version])
        found[version] = window + 1 + int(deployment.latency) + waits
    return found


def on_record(case: Case) -> Counter[tuple[str, int]]:
    """Return kind and window of what is on record, of the kinds that :func:`happened` knows."""
    found: list[tuple[str, int]] = []
    for line in case.lines:
        if line is None or line["kind"] not in COMPARED:
            continue
        words = [line["kind"]]
        if line["kind"] in ("approval", "gate"):
            words += [
                str(line["content"].get(name)) for name in ("gate", "verdict") if name in line["content"]
            ]
        found.append((" ".join(words), line["window"]))
    return Counter(found)
