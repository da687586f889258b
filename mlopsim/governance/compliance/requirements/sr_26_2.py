"""SR 26-2 of the Federal Reserve, which supersedes SR 11-7: model risk."""

from __future__ import annotations

from typing import Any

from mlopsim.core.errors import ConfigError
from mlopsim.governance.compliance.case import Case
from mlopsim.governance.compliance.decisions import decisions_of
from mlopsim.governance.compliance.requirement import (
    Outcome,
    Requirement,
    failed,
    judged,
    not_applicable,
    passed,
    plural,
)
from mlopsim.governance.compliance.requirements.ai_act import reads_record
from mlopsim.governance.compliance.told import landings

#: what the inventory must say of a version that was trained
_ENTRY = ("version", "trained_on", "rows", "parent")


def _new_ones(case: Case) -> set[int]:
    return {int(v) for v in (*case.served, *case.candidate) if v >= 0} - {case.first - 1}


@reads_record
def inventory(case: Case) -> Outcome:
    """Is each version that served in the record, with what it was trained on and its parent?"""
    if case.whole_from >= case.first:
        return not_applicable("payloads of the record are gone by policy")
    if not _new_ones(case):
        return not_applicable("no new version served")
    told = [line["content"] for line in case.lines if line is not None and line["kind"] == "retrain"]
    entered = {entry["version"]: entry for entry in told if all(name in entry for name in _ENTRY)}
    missing = sorted(_new_ones(case) - set(entered))
    if missing:
        return failed(f"version {missing[0]} served and is not in the inventory")
    trained = landings(case)
    for version in sorted(_new_ones(case)):
        if version not in trained:
            return failed(f"version {version} served, and was never trained")
        true, entry = _entry_of(case, version), entered[version]
        unlike = [name for name, value in true.items() if entry[name] != value]
        if unlike:
            name = unlike[0]
            return failed(
                f"the inventory says {entry[name]} of {name} of version {version}, which is {true[name]}"
            )
    return passed(
        f"{plural(len(_new_ones(case)), 'new version')} served, on record with rows, windows and parent"
    )


def _entry_of(case: Case, version: int) -> dict[str, Any]:
    """Return what the inventory must say of a version, by World and roll-out."""
    pool, world = case.deployed.pool, case.deployed.world
    start, bounds = int(pool.start[world, version]), pool.bounds[world]
    decided = version + int(case.deployed.deployment.label_delay)
    return {
        "version": version,
        "trained_on": [start, version],
        "rows": int(bounds[version + 1] - bounds[start]),
        "parent": int(case.history.serving[decided - case.first + 1]),
    }


@reads_record
def validation(case: Case) -> Outcome:
    """Has each new version that served passed a test that could have failed, on rows that are new to it?"""
    used = _new_ones(case)
    if not used:
        return not_applicable("no new version served")
    if case.whole_from >= case.first:
        return not_applicable("payloads of the record are gone by policy")
    gates = [line["content"] for line in case.lines if line is not None and line["kind"] == "gate"]
    tested = {entry["version"] for entry in gates if entry["verdict"] == "passed"}
    tested -= {entry["version"] for entry in gates if entry["verdict"] != "passed"}
    missing = sorted(used - tested)
    if missing:
        why = "" if gates else ": there are no release gates or audits"
        return failed(
            f"{len(missing)} of {plural(len(used), 'new version')} served without having passed a test{why}"
        )
    known = case.lineage.passages
    untested = [
        v for v in sorted(used) if v not in known or not any(j.tested for j in case.lineage.judged(v))
    ]
    if untested:
        return failed(
            f"{len(untested)} of {plural(len(used), 'new version')} served after no test that could have "
            f"failed, first version {untested[0]}{_why_not(case, untested[0])}"
        )
    return passed(f"{plural(len(used), 'new version')} served, after tests on rows that were not trained on")


def _why_not(case: Case, version: int) -> str:
    """Return why no test of a version could fail, in the words of the tests."""
    if version not in case.lineage.passages:
        return ""
    tests = [test for judged in case.lineage.judged(version) for test in judged.tests]
    reasons = dict.fromkeys(f"{test['name']}: {test['reason']}" for test in tests)
    return f" ({'; '.join(reasons)})" if reasons else ""


def outcomes(case: Case) -> Outcome:
    """Were the limits of the task kept, by the truth?"""
    if not case.constraints:
        return failed("the task sets no limit")
    broken = [c.name for c in case.constraints if c.violated(case.charged(c.name))]
    kept = len(case.constraints) - len(broken)
    named = f"; broken: {', '.join(broken)}" if broken else ""
    return judged(not broken, f"{kept} of {len(case.constraints)} limits kept over the deployment{named}")


@reads_record
def overrides(case: Case) -> Outcome:
    """Is each override on record, and is it known what followed?"""
    told = [line for line in case.lines if line is not None and line["kind"] == "override"]
    if not told and not case.deployed.overrides:
        return not_applicable("nobody overruled it")
    windows = sorted(line["window"] for line in told)
    if windows != sorted(entry.window for entry in case.deployed.overrides):
        return failed(f"overrides on record are of the windows {windows}, carried out were others")
    texts = ("decision", "by", "reason")
    said = {line["window"]: tuple(line["content"].get(text) for text in texts) for line in told}
    for entry in case.deployed.overrides:
        true = (entry.decision, entry.by, entry.reason)
        if said[entry.window] != true:
            return failed(f"the override at window {entry.window} is on record as another one")
    try:
        followed = {entry.window: entry.followed for entry in decisions_of(case)}
    except ConfigError as error:
        return failed(error.message)
    sums = [f"window {window}: {followed[window]:+.4g}" for window in windows]
    return passed(
        f"{plural(len(windows), 'override')}; worth against the method's answer, in hindsight: "
        f"{', '.join(sums)}"
    )


REQUIREMENTS = [
    Requirement(
        source="SR 26-2",
        asks="models are in an inventory",
        stands="each new version that served is on record with its true windows, rows and parent",
        check=inventory,
    ),
    Requirement(
        source="SR 26-2",
        asks="models are validated before use",
        stands="each new version that served passed a release gate or audit that could have stopped it",
        check=validation,
    ),
    Requirement(
        source="SR 26-2",
        asks="outcomes are analysed against what was declared",
        stands="each limit of the task was kept over the deployment, by the truth",
        check=outcomes,
    ),
    Requirement(
        source="SR 26-2",
        asks="overrides are tracked with what followed",
        stands="overrides on record = overrides carried out: window, decision, who, why; each with its worth",
        check=overrides,
    ),
]
