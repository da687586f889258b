"""What must be on record, by what happened, and what is: two ways to the same list."""

from __future__ import annotations

from collections import Counter

import numpy as np

from mlopsim.delivery.mechanisms import Switch
from mlopsim.governance.compliance.breaches import runs
from mlopsim.governance.compliance.case import Case

#: kinds of events that are compared
COMPARED = (
    "retrain", "suspend", "impossible", "override", "switch", "alarm", "violation_begin", "violation_end",
    "verdict",
)  # fmt: skip
#: events by which a version leaves the pipeline
_VERDICTS = ("arrival", "approval", "gate")


def happened(case: Case) -> Counter[tuple[str, int]]:
    """Return kind and window of all that must be on record, by the arrays of the roll-out.

    ``verdict``: a version left the pipeline, whatever was said of it.
    """
    trajectory, row, history = case.deployed.trajectory, case.deployed.row, case.history
    first = case.first - 1
    found: list[tuple[str, int]] = []

    def at_decisions(kind: str, which: np.ndarray) -> None:
        found.extend((kind, first + int(s)) for s in np.flatnonzero(which))

    at_decisions("retrain", trajectory.retrained[row])
    at_decisions("suspend", trajectory.executed[row] == history.slots + 2)
    at_decisions("impossible", trajectory.invalid[row])
    found += [("override", entry.window) for entry in case.deployed.overrides]
    if case.deployed.alarms is not None:
        at_decisions("alarm", case.deployed.alarms)
    at_decisions("alarm", input_alarms(case))
    both = np.stack([case.served, case.candidate], axis=1)
    before = np.concatenate([[[first, -1]], both[:-1]])
    found += [("switch", case.first + int(s)) for s in np.flatnonzero((both != before).any(axis=1))]
    end = case.first + case.steps
    for out in case.out.values():
        for a, b in runs(out):
            found.append(("violation_begin", case.first + a))
            if case.first + b + 1 < end:
                found.append(("violation_end", case.first + b + 1))
    found += [("verdict", window) for window in landings(case).values() if window < end]
    return Counter(found)


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
    left = set()
    for line in case.lines:
        if line is None:
            continue
        kind, window = line["kind"], line["window"]
        if kind in _VERDICTS:
            left.add((line["content"]["version"], window))
        elif kind in COMPARED:
            found.append((kind, window))
    found += [("verdict", window) for _, window in left]
    return Counter(found)
