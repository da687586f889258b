"""The events of a deployment, derived from its replay."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mlopsim.governance.record.deployed import Deployed
from mlopsim.governance.record.events import DEPLOYMENT, Event
from mlopsim.governance.record.history import History


def events_of(deployed: Deployed) -> list[Event]:
    """Return the events of a deployment, in their order.

    Within a window first what moves the traffic at its start (arrival, gate, eviction, switch), then what is
    noticed and decided at its end (alarm, override, retrain, deploy), last the window itself.

    Parameters
    ----------
    deployed : Deployed
        The deployment, computed again.

    Notes
    -----
    A deployment component may have a method ``events(deployed, window)`` with what only it knows of a window
    (verdicts, violations, ...): these stand before what is decided at its end.
    """
    return list(_walk(deployed))


def _walk(deployed: Deployed) -> Iterator[Event]:
    history = History(deployed)
    pool, first, last = deployed.pool, deployed.pool.warmup - 1, deployed.pool.windows - 1
    own = getattr(deployed.deployment, "events", None)
    since: int | None = None
    served: int | None = None
    yield Event(
        window=first,
        kind="begin",
        trigger=DEPLOYMENT,
        served=None,
        since=None,
        content=deployed.facts,
        evidence=deployed.evidence,
    )
    for s in range(pool.steps + 1):
        window = first + s
        if s > 0:
            now = int(deployed.trajectory.served[deployed.row, window])
            if now != served:
                served, since = now, window
            for kind, trigger, content in history.moved(s):
                yield Event(
                    window=window, kind=kind, trigger=trigger, served=served, since=since, content=content
                )
        if own is not None:
            yield from own(deployed, window)
        decision = history.decision(s) if s < pool.steps else None
        decided = decision.events if decision is not None else []
        for kind, trigger, content, evidence in [*history.noticed(s), *decided]:
            yield Event(
                window=window,
                kind=kind,
                trigger=trigger,
                served=served,
                since=since,
                content=content,
                evidence=evidence,
            )
        yield Event(
            window=window,
            kind="window",
            trigger=DEPLOYMENT if decision is None else deployed.method,
            served=served,
            since=since,
            content={
                "candidate": history.candidate(s),
                "action": None if decision is None else decision.action,
                "asked": None if decision is None else decision.asked,
                "done": None if decision is None else decision.done,
            },
            evidence=history.known(s),
        )
    trajectory, row = deployed.trajectory, deployed.row
    yield Event(
        window=last,
        kind="end",
        trigger=DEPLOYMENT,
        served=served,
        since=since,
        content={
            "retrains": int(trajectory.retrained[row].sum()),
            "impossible": int(trajectory.invalid[row].sum()),
            "overrides": len(deployed.overrides),
        },
        evidence={"return": float(np.mean(trajectory.reward[row]))},
    )
