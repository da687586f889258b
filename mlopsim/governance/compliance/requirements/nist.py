"""NIST AI Risk Management Framework, MANAGE 2.4 and 4.1."""

from __future__ import annotations

from mlopsim.delivery.mechanisms import Switch
from mlopsim.governance.compliance.breaches import breaches_of, time_out
from mlopsim.governance.compliance.case import Case
from mlopsim.governance.compliance.drills import supersede_drill
from mlopsim.governance.compliance.requirement import (
    Outcome,
    Requirement,
    failed,
    not_applicable,
    passed,
    plural,
)
from mlopsim.governance.compliance.requirements.ai_act import stopped


def superseded(case: Case) -> Outcome:
    """Can what serves be replaced by another version that is held, whenever there is one?"""
    drill = supersede_drill(case)
    tried = len(drill.windows)
    if not tried:
        return not_applicable("no other version was held at any window")
    said = f"drill: another version deployed after each of {tried} windows at which one was held"
    slow = int((drill.took == 2).sum())
    if not len(drill.failed):
        besides = f", {slow} times of these within two" if slow else ""
        return passed(f"{said}: it replaced what served within one window{besides}")
    return failed(
        f"{said}; what served was not replaced after window {int(drill.failed[0])}, {len(drill.failed)} times"
    )


def incidents(case: Case) -> Outcome:
    """Did each run out of compliance reach a safe state?"""
    if not case.constraints:
        return failed("no constraint says what an incident is")
    found = time_out(case)
    if not found.runs:
        return not_applicable("it was never out of compliance")
    ended = found.runs - found.open
    mean = f"; {found.to_safety:.1f} windows from onset to a safe state on average" if ended else ""
    if found.open:
        last = breaches_of(case)[-1]
        return failed(
            f"{ended} of {plural(found.runs, 'run')} out of compliance ended{mean}; the last one, since "
            f"window {last.begin}, had not when the deployment ended"
        )
    return passed(f"{plural(found.runs, 'run')} out of compliance, each of which ended{mean}")


def changes(case: Case) -> Outcome:
    """Did nothing serve that gates or review had stopped, by what they say, not by the record?"""
    made, world = case.mechanisms, case.deployed.world
    gated = case.deployed.blocked is not None or (
        made is not None
        and (
            (Switch.AUDITS in case.on and bool(made.blocked.size or made.refused.size))
            or (Switch.REVIEW in case.on and bool(made.denied.size))
        )
    )
    if not gated:
        return failed("nothing stands between training and serving: no gate, no review")
    used = {int(v) for v in (*case.served, *case.candidate) if v >= 0} - {case.first - 1}
    if not used:
        return not_applicable("no new version served")
    stopped_ones: set[int] = set()
    if case.deployed.blocked is not None:
        stopped_ones |= {v for v in used if case.deployed.blocked[world, v]}
    if made is not None and Switch.AUDITS in case.on and made.blocked.size:
        stopped_ones |= {v for v in used if made.blocked[world, v]}
    if made is not None and Switch.REVIEW in case.on and made.denied.size:
        stopped_ones |= {v for v in used if made.denied[world, v]}
    passages = case.lineage.passages
    unknown = used - {number for number, one in passages.items() if one.arrived is not None}
    if stopped_ones or unknown:
        return failed(f"version {min(stopped_ones | unknown)} served, though it was stopped or never arrived")
    return passed(f"{plural(len(used), 'new version')} served, let through by all that is on")


REQUIREMENTS = [
    Requirement(
        source="NIST MANAGE 2.4",
        asks="systems can be disengaged and deactivated, with drills",
        stands="suspend drill after every window: the fallback serves the next one",
        check=stopped,
    ),
    Requirement(
        source="NIST MANAGE 2.4",
        asks="systems can be superseded",
        stands="drill after every window: another version replaces what serves within two windows",
        check=superseded,
    ),
    Requirement(
        source="NIST MANAGE 4.1",
        asks="incidents are responded to and recovered from",
        stands="each run out of compliance ended in a safe state",
        check=incidents,
    ),
    Requirement(
        source="NIST MANAGE 4.1",
        asks="changes are managed",
        stands="no version served that gates or review had stopped",
        check=changes,
    ),
]
