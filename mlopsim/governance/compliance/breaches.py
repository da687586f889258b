"""Runs of windows out of compliance: when they began, were noticed, were answered, and ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlopsim.governance.compliance.case import Case
from mlopsim.governance.constraint import runs

#: kinds of events by which somebody, or a rule, does something about what serves
ANSWERS = ("retrain", "deploy", "rollback", "suspend", "override")


@dataclass(frozen=True, kw_only=True)
class Breach:
    """A run of windows out of compliance, by the truth.

    Parameters
    ----------
    constraint : str
        Which one; ``any`` of several.
    begin, last : int
        Its first and last window.
    open : bool
        Whether it lasted until the deployment ended: then nothing is known of its length but that.
    noticed : int or None
        First window at whose end an alarm was on, or the cost of a window of the run as measured was known to
        be out of compliance; None: never while it lasted.
    noticed_by : str
        By what.
    answered : int or None
        First window of the run, from the one that it was noticed in on, at whose end something was decided:
        retrain, deploy, rollback, suspend, override. What was decided before was no answer to it.
    answered_by : str
        What.
    """

    constraint: str
    begin: int
    last: int
    open: bool
    noticed: int | None
    noticed_by: str
    answered: int | None
    answered_by: str

    @property
    def length(self) -> int:
        """Windows from its onset to a safe state; of an open one windows so far."""
        return self.last - self.begin + 1


def breaches_of(case: Case, constraint: str = "any") -> list[Breach]:
    """Return the runs of windows out of compliance.

    Parameters
    ----------
    case : Case
    constraint : str, default "any"
        Which one.
    """
    out = case.any_out if constraint == "any" else case.out[constraint]
    alarms = {event.window: event.trigger for event in reversed(case.events) if event.kind == "alarm"}
    answers = {event.window: event.kind for event in reversed(case.events) if event.kind in ANSWERS}
    names = [cost.name for cost in case.costs] if constraint == "any" else [constraint]
    known = _known(case, names)
    found = []
    for a, b in runs(out):
        begin, last = case.first + a, case.first + b
        noticed = [(t, f"alarm of {alarms[t]}") for t in range(begin, last + 1) if t in alarms]
        noticed += [(t, f"measured {name}") for w, t, name in known if begin <= w and t <= last]
        when, what = min(noticed, default=(None, ""))
        since = last + 1 if when is None else when
        answered = [(t, answers[t]) for t in range(since, last + 1) if t in answers]
        then, which = min(answered, default=(None, ""))
        found.append(
            Breach(
                constraint=constraint,
                begin=begin,
                last=last,
                open=b == case.steps - 1,
                noticed=when,
                noticed_by=what,
                answered=then,
                answered_by=which,
            )
        )
    return found


def _known(case: Case, names: Sequence[str]) -> list[tuple[int, int, str]]:
    """Return windows that were measured to be out of compliance, and when that was known."""
    return [
        (case.first + int(s), case.first + int(s) + cost.lag, cost.name)
        for cost in case.costs
        if cost.name in names
        for s in np.flatnonzero(cost.out(case.measured(cost)))
    ]


@dataclass(frozen=True, kw_only=True)
class TimeOut:
    """Time out of compliance.

    Parameters
    ----------
    windows : int
        Windows out of compliance.
    of : int
        Windows that were served.
    longest : int
        Longest run, an open one included.
    runs, open : int
        How many runs, and how many of them (0 or 1) had not ended.
    to_safety : float
        Mean windows from onset to a safe state over the runs that ended; NaN if none did.
    """

    windows: int
    of: int
    longest: int
    runs: int
    open: int
    to_safety: float

    @property
    def share(self) -> float:
        """Share of the windows out of compliance."""
        return self.windows / self.of


def time_out(case: Case, constraint: str = "any") -> TimeOut:
    """Return the time out of compliance, with one constraint or any."""
    found = breaches_of(case, constraint)
    ended = [breach.length for breach in found if not breach.open]
    return TimeOut(
        windows=sum(breach.length for breach in found),
        of=case.steps,
        longest=max((breach.length for breach in found), default=0),
        runs=len(found),
        open=sum(breach.open for breach in found),
        to_safety=float(np.mean(ended)) if ended else float("nan"),
    )
