"""Events of what guards a deployment: release gates, review, drift alarms, limits on costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.core.spec import make
from mlopsim.governance.record.deployed import Deployed
from mlopsim.governance.record.events import DEPLOYMENT

#: kind, trigger, content
Moved = tuple[str, str, dict[str, Any]]
#: kind, trigger, content, evidence
Noticed = tuple[str, str, dict[str, Any], dict[str, Any]]


def verdicts(
    deployed: Deployed, mechanisms: Any, switches: int | None, version: int, served_last: int, entered: bool
) -> list[Moved]:
    """Return what was said of a version that has left the pipeline.

    Parameters
    ----------
    deployed : Deployed
    mechanisms : Mechanisms
        Of the deployment.
    switches : int or None
        Which of them are on.
    version : int
    served_last : int
        What served when it arrived: the one that relative gates compare it with.
    entered : bool
        Whether it is in the registry now.
    """
    from mlopsim.delivery.mechanisms import Switch

    on, world, events = Switch(switches or 0), deployed.world, list[Moved]()
    reviewer = _name(getattr(deployed.deployment, "reviewer", None), "reviewer")
    approved: str | None = None
    if Switch.REVIEW in on and (mechanisms.delay.size or mechanisms.denied.size):
        denied = bool(mechanisms.denied.size and mechanisms.denied[world, version])
        waited = int(mechanisms.delay[world, version]) if mechanisms.delay.size else 0
        verdict = "denied" if denied else "approved"
        content = {"version": version, "verdict": verdict, "by": reviewer, "waited": waited}
        events.append(("approval", reviewer or DEPLOYMENT, content))
        approved = None if denied else reviewer
    if Switch.AUDITS in on:
        for kind, table, at in (
            ("absolute", mechanisms.blocked, (world, version)),
            ("relative", mechanisms.refused, (world, version, served_last)),
        ):
            if table.size:
                content = {"version": version, "gate": kind, "verdict": "blocked" if table[at] else "passed"}
                if kind == "relative":
                    content["against"] = served_last
                events.append(("gate", DEPLOYMENT, content))
    if entered:
        events.append(("arrival", DEPLOYMENT, {"version": version, "approved_by": approved}))
    return events


def noticed(deployed: Deployed, mechanisms: Any, switches: int | None, serving: int, s: int) -> list[Noticed]:
    """Return what is noticed at the end of the window before decision s: limits that are broken, alarms.

    A window is out of compliance by the truth (:meth:`mlopsim.delivery.mechanisms.Costs.out`); that begins
    and ends. Whether a limit on the mean, on every window or on a run of them is broken is the task's to say.

    Parameters
    ----------
    deployed, mechanisms, switches
        See :func:`verdicts`.
    serving : int
        What serves.
    s : int
        Number of the decision, 0..S.
    """
    from mlopsim.delivery.mechanisms import Switch

    trajectory, row, pool = deployed.trajectory, deployed.row, deployed.pool
    events: list[Noticed] = []
    asked = {cost.name: cost for cost in mechanisms.costs}
    for name, cost in trajectory.costs.items():
        above = np.concatenate([[False], asked[name].out(cost[row])])
        if s > 0 and above[s] != above[s - 1]:
            kind = "violation_begin" if above[s] else "violation_end"
            evidence = {"cost": float(cost[row, s - 1]), "limit": float(asked[name].limit)}
            events.append((kind, f"constraint/{name}", {"constraint": name}, evidence))
    t = pool.warmup - 1 + s
    if Switch.TRIGGER in Switch(switches or 0) and mechanisms.alarm.size and s < pool.steps and serving >= 0:
        if bool(mechanisms.alarm[deployed.world, int(pool.cell(serving, t))]):
            trigger = _name(getattr(deployed.deployment, "trigger", None), "detector")
            events.append(("alarm", trigger or DEPLOYMENT, {"of": "inputs"}, {}))
    return events


def _name(spec: Any, kind: str) -> str | None:
    """Return the full name of a part, None where there is none."""
    if spec is None:
        return None
    return str(make(kind, spec).full_name)
