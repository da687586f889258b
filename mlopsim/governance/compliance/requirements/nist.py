"""NIST AI Risk Management Framework, MANAGE 2.4 and 4.1."""

from __future__ import annotations

import numpy as np

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
from mlopsim.governance.compliance.told import landings, ruled


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
        return passed(f"{said}: it took over, or a part of the traffic, within one window{besides}")
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
    made = case.mechanisms
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
    landed = landings(case)
    for version in sorted(used):
        first = case.first + int(np.flatnonzero((case.served == version) | (case.candidate == version))[0])
        if version not in landed:
            return failed(f"version {version} served in window {first}, and was never trained")
        if first < landed[version]:
            return failed(f"version {version} served in window {first}, before gates and review had spoken")
        why = _stopped_by(case, version, landed[version])
        if why or case.lineage.passages[version].arrived is None:
            return failed(f"version {version} served, though {why or 'it never arrived'}")
    return passed(f"{plural(len(used), 'new version')} served, let through by all that is on")


def _stopped_by(case: Case, version: int, landed: int) -> str:
    """Return what stopped a version, by the tables of gates and review, not by the record; empty: nothing."""
    blocked = case.deployed.blocked
    if blocked is not None and blocked.size and blocked[case.deployed.world, version]:
        return "a release gate had blocked it"
    said = ruled(case, version, landed)
    if said.denied:
        return "the reviewer had denied it"
    if said.blocked:
        return "a release audit had blocked it"
    return f"a release gate had refused it beside version {said.against}" if said.refused else ""


REQUIREMENTS = [
    Requirement(
        source="NIST MANAGE 2.4",
        asks="systems can be disengaged and deactivated",
        stands="suspend drill after every window: the fallback serves the next one",
        check=stopped,
    ),
    Requirement(
        source="NIST MANAGE 2.4",
        asks="systems can be superseded",
        stands="drill where another version is held: it gets traffic, all or its share, within two windows",
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
        stands="no version served that gates or review had stopped, or before they had spoken",
        check=changes,
    ),
]
