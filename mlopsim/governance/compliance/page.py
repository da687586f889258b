"""The compliance page of one deployment: sections, tables, and what stands at its top."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import polars as pl

from mlopsim.core.errors import ConfigError
from mlopsim.core.text import code_span
from mlopsim.core.track import Section
from mlopsim.governance.compliance.breaches import breaches_of, time_out
from mlopsim.governance.compliance.case import Case
from mlopsim.governance.compliance.decisions import Reasoned, decisions_of
from mlopsim.governance.compliance.pictures import lineage, rates, time_line
from mlopsim.governance.compliance.requirement import Outcome, Requirement, Says, plural
from mlopsim.governance.compliance.reviews import reviews_of
from mlopsim.governance.compliance.versions import VersionHistory, version_histories
from mlopsim.governance.constraint import Over, Shown
from mlopsim.stats.table import interval_columns

#: beside its words, so that no colour is needed to tell results apart
MARKS = {Says.PASSED: "✓ passed", Says.FAILED: "✗ failed", Says.NOT_APPLICABLE: "– not applicable"}
NO_ADVICE = (
    "This is no legal advice. A check is a stand-in for what a text asks, computed on a simulated "
    "deployment; that it passes is no proof that the requirement is met, and that it fails none that it is "
    "not."
)

Assessed = Sequence[tuple[Requirement, Outcome]]


def lead(case: Case, assessed: Assessed) -> str:
    """Say in a few sentences what the page says."""
    found = time_out(case)
    last = case.first + case.steps - 1
    words = [
        f"One deployment of {code_span(case.deployed.method)} that served the windows {case.first} to "
        f"{last}, computed again from its cell: what served, who let it in, whether it stayed within its "
        "limits, and which checks that stand for requirements it passes."
    ]
    if not case.constraints:
        words.append("Its task sets no limits.")
    elif not found.runs:
        words.append("It was never out of compliance.")
    else:
        state = "; the last time had not ended when the deployment did" if found.open else ""
        words.append(
            f"It was out of compliance in {found.windows} of {found.of} windows, {_times(found.runs)}, at "
            f"most {found.longest} windows in a row{state}."
        )
    failures = sum(outcome.says is Says.FAILED for _, outcome in assessed)
    words.append(f"{failures} of {len(assessed)} checks failed." if failures else "No check failed.")
    return " ".join(words)


def summary(case: Case, assessed: Assessed) -> dict[str, str]:
    """Return the figures at the top."""
    found, histories, reviews = time_out(case), version_histories(case), reviews_of(case)
    says = [outcome.says for _, outcome in assessed]
    return {
        "checks passed": str(says.count(Says.PASSED)),
        "failed": str(says.count(Says.FAILED)),
        "not applicable": str(says.count(Says.NOT_APPLICABLE)),
        "out of compliance": f"{100 * found.share:.0f} % of windows" if case.constraints else "no limits",
        "longest run": f"{found.longest} windows",
        "onset to safe state": "–" if math.isnan(found.to_safety) else f"{found.to_safety:.1f} windows",
        "versions trained": str(sum(history.new for history in histories)),
        "of them served": str(sum(history.new and bool(history.traffic) for history in histories)),
        "reviewer agreed": f"{len(reviews.approved)} of {reviews.reviewed}"
        if reviews.reviewed
        else "no review",
    }


def sections(case: Case, assessed: Assessed) -> list[Section]:
    """Make the sections of the page."""
    histories = version_histories(case)
    return [
        Section(
            title="What happened",
            text=_happened_text(case),
            figures={"Time line": time_line(case, histories)},
        ),
        _requirements(assessed),
        _time_out(case),
        _versions(case, histories),
        *_rates(case),
        _decisions(case),
        _reviews(case),
        _words(case),
    ]


def requirement_rows(assessed: Assessed) -> pl.DataFrame:
    """Return one row a requirement."""
    return pl.DataFrame(
        {
            "source": [requirement.source for requirement, _ in assessed],
            "result": [MARKS[outcome.says] for _, outcome in assessed],
            "asks, and its check": [
                f"{requirement.asks}. Check: {requirement.stands}" for requirement, _ in assessed
            ],
            "what was found": [outcome.reason for _, outcome in assessed],
        }
    )


def _requirements(assessed: Assessed) -> Section:
    text = (
        f"{NO_ADVICE} Every check was computed on this very deployment, and each can fail. **not "
        "applicable**: nothing happened here on which it could be tried. Drills are walked through the "
        "deployment as it was up to each window; what really happened is untouched by them."
    )
    return Section(title="Requirements", text=text, table=requirement_rows(assessed))


def _happened_text(case: Case) -> str:
    words = [
        "A decision is taken at the end of a window, traffic moves at the start of the next one. A version "
        "that was trained waits for its training, its review and its gates; until then the old one serves."
    ]
    if case.mechanisms is not None and case.mechanisms.suspends:
        words.append(
            "The fallback answers without a model; it breaks no limit, and is worth its fixed quality."
        )
    return " ".join(words)


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"


def _over(over: Over, limit: float) -> str:
    if over is Over.MEAN:
        return f"mean at most {limit:g}"
    if over is Over.WINDOW:
        return f"each window at most {limit:g}"
    return f"run at most {limit:g}"


def time_out_rows(case: Case) -> pl.DataFrame:
    """Return one row a constraint, and one for any of them."""
    asked = {constraint.name: constraint for constraint in case.constraints}
    names = [*[cost.name for cost in case.costs], *(["any"] if case.costs else [])]
    rows: list[dict[str, Any]] = []
    for name in names:
        found = time_out(case, name)
        one = asked.get(name)
        mean = float(case.charged(name).mean()) if name != "any" else None
        kept = "" if one is None else (": broken" if one.violated(case.charged(name)) else ": kept")
        rows.append(
            {
                "constraint": name,
                "limit": "–" if one is None else f"{_over(one.over, one.limit)}{kept}",
                "mean cost": mean,
                "mean cost_reason": "costs of several constraints are not added up here"
                if mean is None
                else "",
                "windows out": f"{found.windows} of {found.of}",
                "longest": found.longest,
                "runs": f"{found.runs} ({found.open} open)" if found.open else str(found.runs),
                "to safety": None if math.isnan(found.to_safety) else found.to_safety,
                "to safety_reason": "no run ended" if math.isnan(found.to_safety) else "",
            }
        )
    schema = None if rows else {"constraint": pl.String, "limit": pl.String}
    return pl.DataFrame(rows, schema=schema)


def breach_rows(case: Case) -> pl.DataFrame:
    """Return one row a run out of compliance with any constraint."""
    rows = [
        {
            "since": breach.begin,
            "until": "open" if breach.open else str(breach.last),
            "windows": breach.length,
            "noticed": "never" if breach.noticed is None else f"window {breach.noticed}: {breach.noticed_by}",
            "answered": "never"
            if breach.answered is None
            else f"window {breach.answered}: {breach.answered_by}",
        }
        for breach in breaches_of(case)
    ]
    schema = dict.fromkeys(("since", "until", "windows", "noticed", "answered"), pl.String)
    return pl.DataFrame(rows) if rows else pl.DataFrame(schema=schema)


def _time_out(case: Case) -> Section:
    if not case.costs:
        return Section(
            title="Out of compliance", text="The task sets no limits, so nothing is out of compliance."
        )
    lines = []
    for breach in breaches_of(case)[:12]:
        until = "the end, still open" if breach.open else f"window {breach.last}"
        seen = (
            "never noticed"
            if breach.noticed is None
            else f"noticed at {breach.noticed} ({breach.noticed_by})"
        )
        done = (
            "no answer"
            if breach.answered is None
            else f"answered at {breach.answered} ({breach.answered_by})"
        )
        lines.append(f"- window {breach.begin} to {until}: {seen}, {done}")
    more = len(breaches_of(case)) - 12
    text = (
        "By the truth, which the deployment does not see: a window is out of compliance if what served it "
        "has a cost, since what is tolerated costs nothing; by churn, and where the limit is on each "
        "window, a cost above it. **Mean cost** is that of a window, 0 to 1, which a limit on the mean is "
        "about; **longest** run of windows out; **to safety**: mean windows from onset to a safe state, of "
        "the runs that ended. **Noticed**: an alarm was on, or a window of it had become known to be out as "
        "measured, while it lasted. **Answered**: from then on, while it lasted, somebody retrained, "
        "deployed, rolled back, suspended or overruled.\n\n"
        + "\n".join(lines)
        + (f"\n\nAnd {more} runs more." if more > 0 else "")
    )
    return Section(title="Out of compliance", text=text, table=time_out_rows(case))


def version_rows(histories: Sequence[VersionHistory]) -> pl.DataFrame:
    """Return one row a version."""

    def said(value: int | None, otherwise: str) -> str:
        return otherwise if value is None else str(value)

    return pl.DataFrame(
        {
            "version": [str(history.version) for history in histories],
            "parent": [said(history.passage.parent, "–") for history in histories],
            "decided": [said(history.passage.decided, "at the start") for history in histories],
            "trained on": [history.trained_on for history in histories],
            "said of it": [", ".join(history.verdicts) or "–" for history in histories],
            "served": [", ".join(f"{a} to {b}" for a, b in history.traffic) or "–" for history in histories],
            "then": [history.then for history in histories],
        }
    )


def _versions(case: Case, histories: Sequence[VersionHistory]) -> Section:
    text = (
        "A version is named by the last window of its rows; its parent is what served when it was decided. "
        "**removed**: rows that a data gate, or the bias, kept away from it. `mlopsim serving` and `mlopsim "
        "export-registry` have the whole record of each."
    )
    return Section(
        title="Versions and lineage",
        text=text,
        table=version_rows(histories),
        figures={"Versions and lineage": lineage(case, histories)},
    )


def _rates(case: Case) -> list[Section]:
    groups = case.deployed.pool.world(case.deployed.world).groups
    true: dict[str, Shown] = {"accuracy": Shown(name="accuracy", values=case.truth.by_group)}
    seen: dict[str, Shown] = {"accuracy": Shown(name="accuracy", values=case.seen.by_group)}
    unseen = []
    for constraint in case.constraints:
        if constraint.at_switch:
            continue
        if constraint.name == "group_accuracy_floor":
            true.pop("accuracy", None)
            seen.pop("accuracy", None)
        true[constraint.name] = constraint.shown(case.truth)
        if constraint.observable:
            seen[constraint.name] = constraint.shown(case.seen)
        else:
            unseen.append(constraint.name)
    measured_out = {cost.name: cost.out(case.measured(cost)) for cost in case.costs}
    delay = int(case.deployed.deployment.label_delay)
    known = f"with labels known {plural(delay, 'window')} later" if delay else "with labels known at once"
    hidden = f" It does not see {', '.join(unseen)}." if unseen else ""
    return [
        Section(
            title="By group: the truth",
            text="What really served, of the population or, where its law is not known, of pooled windows. "
            "Nobody in the deployment sees this; limits are judged by it.",
            figures={"The truth, by group and window": rates(case, true, case.out, groups)},
        ),
        Section(
            title="By group: what the deployment measured",
            text=f"The same of the rows of each window alone, {known}: a sample, and late. It feeds alarms "
            f"and decisions, never the limits.{hidden} Where the two pictures differ it is chance, or labels "
            "that are not as they should be.",
            figures={"What was measured, by group and window": rates(case, seen, measured_out, groups)},
        ),
    ]


def decision_rows(found: Sequence[Reasoned]) -> pl.DataFrame:
    """Return one row a decision; who decided only where somebody overruled the method."""
    overruled = any(entry.said != entry.done or entry.by != found[0].by for entry in found)
    rows = []
    for entry in found:
        why = entry.why
        who = {"by": entry.by, "method's answer": entry.said} if overruled else {}
        rows.append(
            {
                "after window": entry.window,
                "done": entry.done,
                **who,
                "best other": entry.rival or "–",
                "worth more": None if why is None else why.total,
                "worth more_reason": "nothing else was possible" if why is None else "",
                "reasons for the better": "–" if why is None else " and ".join(why.sufficient) or "equal",
                "against": "–" if why is None else " and ".join(why.against) or "–",
            }
        )
    return pl.DataFrame(rows)


def _decisions(case: Case) -> Section:
    title = "Decisions and their reasons"
    try:
        found = decisions_of(case)
    except ConfigError as error:
        return Section(title=title, text=f"None can be given: {error.message}.")
    if not found:
        return Section(title=title, text="It decided to keep after every window.")
    text = (
        "Every decision but to keep, and every one that somebody overruled. **Worth more**: reward of all "
        "windows that follow, less that of the best other action, with the same method deciding afterwards; "
        "exact, in **hindsight**, of one future that nobody knew. **Reasons**: the fewest parts of the "
        "reward that suffice for the better of the two, and all that speaks against it. `mlopsim explain` "
        "says more of each: what the method went by, and what would have changed its answer."
    )
    return Section(title=title, text=text, table=decision_rows(found))


def _reviews(case: Case) -> Section:
    found = reviews_of(case)
    title = "Review"
    if not found.reviewed:
        return Section(title=title, text="No version was reviewed.")
    text = (
        "How often the reviewer agrees with the automation, and whether they should have: by the truth a "
        "version should be denied if it breaks a limit in the first window that it could serve, or if an "
        "older one would earn clearly more there. A reviewer who always agrees adds a delay and no "
        "oversight. 95 % intervals of Wilson."
    )
    names = ("agreed with the automation", "denied what should be denied", "approved what should be approved")
    values = [found.agreement, found.caught, found.spared]
    frame = pl.DataFrame({"rate": list(names), **interval_columns("share", values)})
    return Section(title=title, text=text, table=frame)


def _words(case: Case) -> Section:
    kept = case.kept
    if kept is None:
        record = (
            "No record lies beside the ledger: what is said of the record is said of one derived just now."
        )
    else:
        states = ", ".join(
            f"{name} {'passed' if level.passed else 'failed'}" for name, level in kept.levels.items()
        )
        record = f"The record that lies beside the ledger was read and verified: {states}."
    text = (
        f"- **Record**: {record} `mlopsim audit-log` writes, verifies and proves it.\n- **Safe state**: a "
        "window in which no limit is broken, by the fallback or by what serves.\n- **Release audits** look "
        "at a version alone, **release gates** compare it with what serves; both use rows that it was not "
        "trained on.\n- **AI Act**: the duties of high-risk systems (Annex III) apply from 2027-12-02. **SR "
        "26-2** supersedes SR 11-7."
    )
    return Section(title="About this page", text=text)
