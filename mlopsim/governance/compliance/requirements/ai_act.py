"""AI Act, Articles 12 (records), 14 (oversight), 19 and 26 (logs kept, use monitored)."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.delivery.mechanisms import Switch
from mlopsim.governance.compliance.breaches import breaches_of
from mlopsim.governance.compliance.case import Case
from mlopsim.governance.compliance.decisions import decisions_of
from mlopsim.governance.compliance.drills import override_drill, suspend_drill
from mlopsim.governance.compliance.requirement import (
    Outcome,
    Requirement,
    failed,
    judged,
    not_applicable,
    passed,
    plural,
)
from mlopsim.governance.compliance.reviews import reviews_of
from mlopsim.governance.compliance.told import happened, on_record
from mlopsim.governance.lineage.lineage import approver
from mlopsim.governance.record.told import Told, tell


def reads_record(check: Callable[[Case], Outcome]) -> Callable[[Case], Outcome]:
    """Let a check fail where the record cannot be read: it says nothing then."""

    @functools.wraps(check)
    def guarded(case: Case) -> Outcome:
        if case.unsound:
            return failed(f"the record is not sound: {case.unsound}")
        return check(case)

    return guarded


def told_by(case: Case) -> Told | Outcome:
    """Return what the record tells by itself, or why it cannot."""
    try:
        found = tell(case.record)
    except DataError as error:
        return not_applicable(error.message)
    missing = case.steps + 1 - len(found.served)
    if missing:
        return failed(f"the record ends {missing} windows before the deployment does")
    return found


@reads_record
def events_recorded(case: Case) -> Outcome:
    """Is all that happened on record, and nothing else?"""
    since = case.whole_from
    wanted, found = (
        {place: n for place, n in tally.items() if place[1] >= since}
        for tally in (happened(case), on_record(case))
    )
    number = sum(wanted.values())
    for (kind, window), n in sorted(wanted.items(), key=lambda entry: entry[0][1]):
        if found.get((kind, window), 0) != n:
            return failed(
                f"{kind} at window {window} is on record {found.get((kind, window), 0)} of {n} times"
            )
    extra = sorted(set(found) - set(wanted), key=lambda place: place[1])
    if extra:
        return failed(f"{extra[0][0]} at window {extra[0][1]} is on record and did not happen")
    gone = "" if since < case.first else f"; payloads before window {since} are gone by policy"
    if not number:
        return passed(f"nothing happened in the windows on record, and nothing else is told{gone}")
    return passed(f"{number} events, each found in the roll-out and on record{gone}")


@reads_record
def rebuilt(case: Case) -> Outcome:
    """Is what served rebuilt from the record alone?"""
    found = told_by(case)
    if isinstance(found, Outcome):
        return found
    trajectory, row, at = case.deployed.trajectory, case.deployed.row, case.first - 1
    pairs = {
        "what served": (found.served, trajectory.served[row, at:]),
        "the canary": (found.candidate, trajectory.candidate[row, at:]),
        "what was asked for": (found.action[:-1], trajectory.asked[row]),
    }
    for name, (told, true) in pairs.items():
        unlike = np.flatnonzero(told != true)
        if len(unlike):
            return failed(f"the record tells {name} differently from window {at + int(unlike[0])} on")
    return passed(
        f"what served in {case.steps} windows and {case.steps} decisions follow from the record alone"
    )


def replayed(case: Case) -> Outcome:
    """Is the record that lies there anchored in published heads, and what a replay gives?"""
    if case.kept is None:
        return not_applicable("no record lies there: this page is of one that was derived just now")
    for name, level in case.kept.levels.items():
        for finding in level.findings:
            return failed(f"{name}: {finding.message}")
    notes = [note for name in ("anchored", "replayed") for note in case.kept.levels[name].notes]
    return passed("; ".join(notes))


@reads_record
def intervals(case: Case) -> Outcome:
    """Does each record of a window name what served and since when?"""
    found = told_by(case)
    if isinstance(found, Outcome):
        return found
    unlike = np.flatnonzero(found.served[1:] != case.served)
    if len(unlike):
        return failed(f"window {case.first + int(unlike[0])} was served by another version")
    since = np.zeros(case.steps, dtype=np.int64)
    for s in range(case.steps):
        same = s > 0 and case.served[s] == case.served[s - 1]
        since[s] = since[s - 1] if same else case.first + s
    unlike = np.flatnonzero(found.since[1:] != since)
    if len(unlike):
        return failed(f"the interval at window {case.first + int(unlike[0])} is another one")
    return passed(f"{plural(len(np.unique(since)), 'interval')} of use, each with its first and last window")


@reads_record
def approved_by(case: Case) -> Outcome:
    """Is it on record who approved each version that served?"""
    found = told_by(case)
    if isinstance(found, Outcome):
        return found
    used = {int(v) for v in (*case.served, *case.candidate) if v >= 0} - {case.first - 1}
    if not used:
        return not_applicable("only the version of the warm-up served: it was there before the record began")
    unnamed = sorted(used - set(found.approved_by))
    if unnamed:
        who = "nobody reviews here" if Switch.REVIEW not in case.on else "no approval is on record"
        return failed(f"{len(unnamed)} of {len(used)} versions that served were approved by nobody: {who}")
    passages = case.lineage.passages
    others = sorted(v for v in used if v not in passages or found.approved_by[v] != approver(passages[v]))
    if others:
        return failed(f"version {others[0]} was not approved by {found.approved_by[others[0]]}")
    return passed(
        f"{plural(len(used), 'version')}, approved by {', '.join(sorted(set(found.approved_by.values())))}"
    )


def noticed(case: Case) -> Outcome:
    """Was each run out of compliance noticed while it lasted?"""
    made = case.mechanisms
    watches = case.deployed.alarms is not None or (
        made is not None and bool((made.alarm.size and Switch.TRIGGER in case.on) or made.costs)
    )
    if not watches:
        return failed("nothing watches it: no alarm, no cost that is measured")
    if not case.costs:
        return not_applicable("the task sets no limit, so nothing is out of compliance")
    found = breaches_of(case)
    if not found:
        return not_applicable("it was never out of compliance, so there was nothing to notice")
    seen = [b.noticed - b.begin for b in found if b.noticed is not None]
    delay = f", after {np.mean(seen):.1f} windows on average" if seen else ""
    return judged(
        len(seen) == len(found),
        f"{len(seen)} of {plural(len(found), 'run')} out of compliance noticed while it lasted{delay}"
        f"{_false_alarms(case)}",
    )


def _false_alarms(case: Case) -> str:
    """Say how many windows in compliance had an alarm: one that is always on notices everything."""
    inside = {int(window) for window in case.windows[~case.any_out]}
    false = inside & {event.window for event in case.events if event.kind == "alarm"}
    return f"; alarms in {len(false)} of {plural(len(inside), 'window')} in compliance" if inside else ""


def automation_bias(case: Case) -> Outcome:
    """Does a reviewer disagree where they should?"""
    if Switch.REVIEW not in case.on or case.mechanisms is None or not case.mechanisms.denied.size:
        return failed("nobody reviews")
    found = reviews_of(case)
    if not found.reviewed:
        return not_applicable("no version came to review")
    rate = f"agreed with {len(found.approved)} of {plural(found.reviewed, 'version')}"
    if not found.bad:
        return not_applicable(f"{rate}; none of them should have been denied, so the rate tells nothing")
    caught = len(found.bad & set(found.denied))
    others = f"{len(set(found.denied) - found.bad)} of {found.reviewed - len(found.bad)} others"
    return judged(
        caught > 0, f"{rate}; denied {caught} of {len(found.bad)} that should have been denied, and {others}"
    )


def interpreted(case: Case) -> Outcome:
    """Has each decision its reasons?"""
    try:
        found = decisions_of(case)
    except ConfigError as error:
        return failed(error.message)
    if not found:
        return not_applicable("it decided to keep after every window")
    alone = sum(entry.why is None for entry in found)
    besides = f"; after {plural(alone, 'window')} nothing else was possible" if alone else ""
    return passed(f"{plural(len(found), 'decision')}, each with its alternatives and reasons{besides}")


def overruled(case: Case) -> Outcome:
    """Can a decision be replaced, and is that on record as somebody's?"""
    try:
        drill = override_drill(case)
    except ConfigError as error:
        return failed(error.message)
    said = f"drill: after window {drill.window} somebody decides {drill.decision} instead"
    if not drill.done:
        return failed(f"{said}, and it is not done")
    return judged(drill.recorded, f"{said}: it is done, and {'on' if drill.recorded else 'not on'} record")


def stopped(case: Case) -> Outcome:
    """Does suspending lead to the fallback within one window, whenever it is done?"""
    drill = suspend_drill(case)
    if drill is None:
        return failed("there is no fallback: what serves cannot be stopped")
    said = f"drill: suspended after each of {len(drill.windows)} windows, the fallback served the next one"
    if not len(drill.failed):
        return passed(f"{said} every time")
    reached = len(drill.windows) - len(drill.failed)
    halted = int(case.history.suspended[drill.failed - case.first + 1].sum())
    again = ""
    if halted:
        again = f"; {plural(halted, 'time')} it served already, and a version that arrived ended that "
        again += "(deployment.governed.resume_on_arrival)"
    return failed(f"{said} {reached} times, first not after window {int(drill.failed[0])}{again}")


def logs_kept(case: Case) -> Outcome:
    """Are the payloads of the windows that must be kept there?"""
    if case.kept is None:
        return failed("no record lies beside the ledger: mlopsim audit-log write DIR KEY")
    if case.unsound:
        return failed(case.unsound)
    gone = sum(line is None for line in case.lines)
    last, end = case.lines[-1], case.first + case.steps - 1
    if last is None or last["kind"] != "end" or last["window"] != end:
        told = "nothing" if last is None else f"window {last['window']}"
        return failed(f"the record ends with {told}, the deployment with window {end}")
    kept = "all windows" if case.keep is None else f"the last {case.keep} windows"
    return passed(f"payloads of {kept} are there; {gone} of {len(case.lines)} records are pruned by policy")


def answered(case: Case) -> Outcome:
    """Was something done about each run out of compliance, after it had been noticed?"""
    if not case.costs:
        return not_applicable("the task sets no limit, so nothing is out of compliance")
    found = breaches_of(case)
    if not found:
        return not_applicable("it was never out of compliance, so there was nothing to answer")
    noticed_ones = [b for b in found if b.noticed is not None]
    if not noticed_ones:
        return failed(f"{plural(len(found), 'run')} out of compliance, none of which was noticed")
    late = [b for b in noticed_ones if b.answered is None]
    of = f"{plural(len(noticed_ones), 'noticed run')} out of compliance"
    if late:
        return failed(
            f"{len(late)} of {of} had no answer from its notice to its end, first the one since window "
            f"{late[0].begin}"
        )
    return passed(f"{of}, each answered after its notice and while it lasted")


REQUIREMENTS = [
    Requirement(
        source="AI Act 12(1)",
        asks="events are recorded automatically over the lifetime",
        stands="events of the roll-out = events on record, by kind, verdict and window",
        check=events_recorded,
    ),
    Requirement(
        source="AI Act 12(2)",
        asks="records are enough to identify risks and modifications",
        stands="the deployment is rebuilt from its record alone",
        check=rebuilt,
    ),
    Requirement(
        source="AI Act 12(2)",
        asks="records allow what happened to be traced (that nobody can change them is not asked by name)",
        stands="the stored record is sound, anchored in published heads, and what a replay gives",
        check=replayed,
    ),
    Requirement(
        source="AI Act 12(3)(a)",
        asks="start and end of each use are recorded (asked of remote biometric identification only)",
        stands="each window names what served, and since when",
        check=intervals,
    ),
    Requirement(
        source="AI Act 12(3)(d)",
        asks="who verified results is recorded (asked of remote biometric identification only)",
        stands="each version that served has an approver on record",
        check=approved_by,
    ),
    Requirement(
        source="AI Act 14(4)(a)",
        asks="anomalies can be detected",
        stands="each run out of compliance, by the truth, was noticed while it lasted",
        check=noticed,
    ),
    Requirement(
        source="AI Act 14(4)(b)",
        asks="overseers stay aware of automation bias",
        stands="the reviewer denied at least one of the versions that should have been denied",
        check=automation_bias,
    ),
    Requirement(
        source="AI Act 14(4)(c)",
        asks="output can be interpreted",
        stands="each decision but to keep has alternatives and reasons",
        check=interpreted,
    ),
    Requirement(
        source="AI Act 14(4)(d)",
        asks="output can be disregarded, overridden, reversed",
        stands="a drill replaces a decision: it is done and on record",
        check=overruled,
    ),
    Requirement(
        source="AI Act 14(4)(e)",
        asks="the system can be stopped into a safe state",
        stands="a drill after every window: the fallback serves the next one",
        check=stopped,
    ),
    Requirement(
        source="AI Act 19(1), 26(6)",
        asks="logs are kept six months at least",
        stands="the record lies there, with the payloads of the windows that must be kept",
        check=logs_kept,
    ),
    Requirement(
        source="AI Act 26(5)",
        asks="operation is monitored, risks are acted on",
        stands="each run out of compliance that was noticed was answered from then on, while it lasted",
        check=answered,
    ),
]
