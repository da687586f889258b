"""What became of each version: decided, judged, approved, arrived, served, retired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlopsim.governance.lineage.traffic import Traffic
from mlopsim.governance.record.events import Event

#: what a version can be at the end of its deployment
STATES = ("serves", "canary", "stands by", "evicted", "denied", "blocked", "refused", "in the pipeline")


@dataclass(frozen=True, kw_only=True)
class Span:
    """Windows in which a version got traffic, and what ended that.

    Parameters
    ----------
    first, last : int
        Windows, both included.
    ended_by : str or None
        Who or what moved the traffic away; None: the deployment ended.
    ended_for : int or None
        What served then; -2: the fallback.
    """

    first: int
    last: int
    ended_by: str | None = None
    ended_for: int | None = None


@dataclass(frozen=True, kw_only=True)
class Review:
    """What somebody said of a version before it could serve.

    Parameters
    ----------
    by : str
        The reviewer.
    verdict : str
        ``approved`` or ``denied``.
    window : int
        At whose start it was known.
    waited : int
        Windows from the end of the training on.
    """

    by: str
    verdict: str
    window: int
    waited: int


@dataclass(frozen=True, kw_only=True)
class Left:
    """When and why a version left the deployment, or never came into it."""

    window: int
    why: str


@dataclass(kw_only=True)
class Passage:
    """What became of one version.

    Parameters
    ----------
    number : int
        The version.
    parent : int or None
        What served (last) when it was decided; None for the initial version.
    decided, decided_by : int and str, or None
        Window at whose end it was decided, and by whom.
    review : Review or None
        None: nobody was asked, or nobody had answered at the end.
    gates : list of mappings
        Verdicts of release gates: ``window, gate, verdict, against``.
    arrived : int or None
        First window in which it could serve.
    served, canary : list of Span
        When it served, and when it was a canary beside what served.
    left : Left or None
    state : str
        At the end: one of :data:`STATES`.
    """

    number: int
    parent: int | None = None
    decided: int | None = None
    decided_by: str | None = None
    review: Review | None = None
    gates: list[Mapping[str, Any]] = field(default_factory=list)
    arrived: int | None = None
    served: list[Span] = field(default_factory=list)
    canary: list[Span] = field(default_factory=list)
    left: Left | None = None
    state: str = "in the pipeline"


def passages_of(events: Sequence[Event], traffic: Traffic, *, initial: int) -> dict[int, Passage]:
    """Derive what became of each version of a deployment from its record.

    Parameters
    ----------
    events : sequence of Event
    traffic : Traffic
        Of the same deployment.
    initial : int
        The version that serves at the start.

    Returns
    -------
    dict of int to Passage
        By version, in their order.
    """
    found = {initial: Passage(number=initial, arrived=traffic.first, state="stands by")}
    for event in events:
        content = event.content
        if event.kind == "retrain":
            number = int(content["version"])
            found[number] = Passage(
                number=number,
                parent=int(content["parent"]),
                decided=event.window,
                decided_by=event.trigger,
            )
        elif event.kind == "approval":
            _reviewed(found[content["version"]], event)
        elif event.kind == "gate":
            _judged(found[content["version"]], event)
        elif event.kind == "arrival":
            passage = found[content["version"]]
            passage.arrived, passage.state = event.window, "stands by"
        elif event.kind == "evict":
            passage = found[content["version"]]
            newest = max((p.number for p in found.values() if p.arrived == event.window), default=None)
            slot = "its slot was needed" if newest is None else f"its slot went to version {newest}"
            passage.state, passage.left = "evicted", Left(window=event.window, why=slot)
    _spread(found, traffic)
    return dict(sorted(found.items()))


def _reviewed(passage: Passage, event: Event) -> None:
    content = event.content
    passage.review = Review(
        by=str(content["by"]),
        verdict=str(content["verdict"]),
        window=event.window,
        waited=int(content["waited"]),
    )
    if content["verdict"] == "denied":
        passage.state = "denied"
        passage.left = Left(window=event.window, why=f"denied by {content['by']}")


def _judged(passage: Passage, event: Event) -> None:
    content = event.content
    against = content.get("against")
    verdict = {"window": event.window, "gate": content["gate"], "verdict": content["verdict"]}
    passage.gates.append({**verdict, "against": against})
    # who was denied before was not stopped here
    if content["verdict"] == "blocked" and passage.left is None:
        relative = content["gate"] == "relative"
        passage.state = "refused" if relative else "blocked"
        why = (
            f"a release gate found it worse than version {against}" if relative else "blocked at its release"
        )
        passage.left = Left(window=event.window, why=why)


def _spread(found: Mapping[int, Passage], traffic: Traffic) -> None:
    """Give each version its intervals, joined where only the other half of the traffic moved."""
    for role in ("version", "canary"):
        intervals = list(traffic.intervals)
        for i, interval in enumerate(intervals):
            number = getattr(interval, role)
            if number is None or number < 0:
                continue
            spans = found[number].served if role == "version" else found[number].canary
            after = intervals[i + 1] if i + 1 < len(intervals) else None
            going_on = after is not None and getattr(after, role) == number
            ended = None if after is None or going_on else after
            span = Span(
                first=interval.first,
                last=interval.last,
                ended_by=None if ended is None else ended.moved_by,
                ended_for=None if ended is None else ended.version,
            )
            if spans and spans[-1].last == interval.first - 1:
                span = Span(
                    first=spans[-1].first,
                    last=span.last,
                    ended_by=span.ended_by,
                    ended_for=span.ended_for,
                )
                spans[-1] = span
            else:
                spans.append(span)
    end = traffic.intervals[-1]
    if end.version >= 0:
        found[end.version].state = "serves"
    if end.canary is not None:
        found[end.canary].state = "canary"
