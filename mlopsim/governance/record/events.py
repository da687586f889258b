"""What is recorded of a deployment: its events, derived from a replay, never logged while it is computed.

An event holds nothing that was not known at its window's end, so the record of a deployment up to a window is the
beginning of its whole record. Time is simulated: windows, no clock. What was decided (integers and texts, the same
on every platform) and what it was decided on (floats) are kept apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.errors import ConfigError, nearest

if TYPE_CHECKING:
    from mlopsim.governance.record.deployed import Deployed

#: What an event is recorded for (AI Act, Art. 12(2)): to find risks and substantial modifications, to monitor
#: after the release, to monitor the operation.
RISK, MONITORING, OPERATION = "risk", "monitoring", "operation"
#: what events there are, and what each is recorded for
KINDS: Mapping[str, str] = {
    "begin": OPERATION,
    "arrival": RISK,
    "gate": RISK,
    "approval": RISK,
    "evict": OPERATION,
    "switch": RISK,
    "suspend": RISK,
    "resume": RISK,
    "violation_begin": RISK,
    "violation_end": RISK,
    "alarm": MONITORING,
    "override": RISK,
    "impossible": OPERATION,
    "retrain": RISK,
    "deploy": RISK,
    "rollback": RISK,
    "window": OPERATION,
    "end": OPERATION,
}
#: who gave rise to what no method decided
DEPLOYMENT, OVERSIGHT = "deployment", "oversight"


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened in a deployment.

    Parameters
    ----------
    window : int
        When; decisions are taken at the end of their window, traffic moves at the start of its.
    kind : str
        One of :data:`KINDS`.
    trigger : str
        Who or what gave rise to it: a method, the deployment's own rules, oversight.
    served : int or None
        Version that served the window (the base of a canary); None before anything did, -2 while suspended.
    since : int or None
        First window of the interval in which it has served, up to this one.
    content : mapping
        What happened: integers, texts, truth values, None.
    evidence : mapping
        What was known: floats, too. Statistics of windows, never rows.

    Examples
    --------
    >>> Event(window=3, kind="alarm", trigger="selector/ks", served=2, since=1).context
    'monitoring'
    """

    window: int
    kind: str
    trigger: str
    served: int | None
    since: int | None
    content: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check kind and content."""
        if self.kind not in KINDS:
            raise ConfigError(
                f"unknown kind of event '{self.kind}'{nearest(self.kind, KINDS)}",
                remedy=f"one of: {', '.join(KINDS)}",
            )
        _check_exact(self.content, self.kind)

    @property
    def context(self) -> str:
        """What it is recorded for."""
        return KINDS[self.kind]


def _check_exact(value: Any, where: str) -> None:
    """Raise if a content holds floats: they differ between platforms, so they are evidence."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            _check_exact(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for item in value:
            _check_exact(item, where)
    elif not (value is None or isinstance(value, bool | int | str)):
        raise ConfigError(
            f"the content of an event holds {type(value).__name__} ({where})",
            remedy="floats belong into its evidence",
        )


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
    history = deployed.history
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
        for kind, trigger, content, evidence in decision.events if decision is not None else ():
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
