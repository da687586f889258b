"""What the page says is what happened: versions, time out of compliance, drills, decisions, truth apart."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from compliance_kit import RANDOM, case_of, deployed

from mlopsim.governance.compliance import page
from mlopsim.governance.compliance.assessed import REQUIREMENTS, assess
from mlopsim.governance.compliance.breaches import breaches_of, time_out
from mlopsim.governance.compliance.decisions import decisions_of
from mlopsim.governance.compliance.drills import suspend_drill
from mlopsim.governance.compliance.reviews import reviews_of
from mlopsim.governance.compliance.told import happened, on_record
from mlopsim.governance.compliance.versions import version_histories
from mlopsim.governance.constraint import runs
from mlopsim.governance.record.events import FALLBACK
from mlopsim.governance.record.overrides import Override
from mlopsim.report.page import render

SUSPEND = Override(window=13, decision="suspend", by="Ann", reason="complaints")


def test_a_suspension_at_any_window_reaches_the_fallback_in_the_next_one() -> None:
    for made in (case_of(), case_of(overrides=[SUSPEND]), case_of(canary_share=0.3, canary_windows=2)):
        drill = suspend_drill(made)
        assert drill is not None and len(drill.windows) == made.steps and not len(drill.failed)
    # one of them for real
    drilled = deployed(RANDOM, [Override(window=20, decision="suspend", by="Ann", reason="drill")])
    assert drilled.trajectory.served[0, 21] == FALLBACK


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "canary", [{}, {"canary_share": 0.3, "canary_windows": 2}, {"deploy_on_arrival": False}]
)
def test_what_must_be_on_record_is_what_replay_records(seed: int, canary: dict[str, float]) -> None:
    case = case_of(seed=seed, **canary)
    assert happened(case) == on_record(case) and len(happened(case)) > 10
    histories = version_histories(case)
    used = {int(v) for v in (*case.served, *case.candidate) if v >= 0}
    assert {history.version for history in histories if history.traffic} == used
    traffic = np.zeros(case.steps, dtype=int)
    for history in histories:
        for a, b in history.traffic:
            traffic[a - case.first : b - case.first + 1] += 1
    assert (traffic == (case.served >= 0).astype(int) + (case.candidate >= 0)).all()
    for history in histories[1:]:
        stopped = any(word.startswith("denied") or word.endswith("blocked") for word in history.verdicts)
        assert history.out is None or stopped == (history.passage.arrived is None)


def test_time_out_of_compliance_is_that_of_the_truth() -> None:
    case = case_of("never", [SUSPEND], constraints=[{"demographic_parity": {"tolerance": 0.1}}])
    # the bias sets in at 12, and the fallback serves from 14 on
    assert [(b.begin, b.last, b.open) for b in breaches_of(case)] == [(12, 13, False)]
    found = time_out(case)
    assert (found.windows, found.of, found.longest, found.runs, found.open) == (2, 25, 2, 1, 0)
    assert found.to_safety == 2.0 and found.share == 2 / 25
    still = time_out(case_of("never", constraints=[{"demographic_parity": {"tolerance": 0.1}}]))
    assert (still.windows, still.open) == (18, 1) and np.isnan(still.to_safety)
    # a limit on runs counts windows, and a window is out of compliance from any cost on
    over = case_of(
        "never", constraints=[{"demographic_parity": {"tolerance": 0.1, "over": "run", "limit": 3}}]
    )
    assert time_out(over).windows == 18
    assert {e.window for e in over.events if e.kind == "violation_begin"} == {12}
    assert runs(np.zeros(3, dtype=bool)) == []


def test_what_is_measured_never_stands_for_the_truth() -> None:
    case = case_of("never")
    cost = case.costs[1]
    assert cost.name == "accuracy_floor" and (case.measured(cost) != case.charged(cost.name)).any()
    true, seen = (case.at(rates.by_group) for rates in (case.truth, case.seen))
    # the law moves with the bias only, samples in every window
    assert len({tuple(row) for row in true.round(12)}) == 2 < len({tuple(row) for row in seen.round(12)})
    blind = replace(case.deployed.trajectory, served=np.full((1, 30), FALLBACK))
    assert np.isnan(
        replace(case, deployed=replace(case.deployed, trajectory=blind)).at(case.truth.by_group)
    ).all()


def test_decisions_have_exact_reasons_and_overrides_what_followed() -> None:
    keep = Override(window=9, decision="keep", by="Ann", reason="wait")
    plain, case = case_of(), case_of(overrides=[keep])
    found = {entry.window: entry for entry in decisions_of(case)}
    assert found[9].by == "Ann" and found[9].done == "keep" and found[9].said == "retrain"
    for entry in found.values():
        assert entry.why is None or sum(entry.why.parts.values()) == entry.why.total
    # the method decides alone before and after, so that is the difference of the two deployments
    gain = case.deployed.trajectory.returns[0] - plain.deployed.trajectory.returns[0]
    assert found[9].followed == pytest.approx(gain, abs=1e-9) and found[9].followed != 0.0
    assert all(entry.followed == 0.0 for entry in found.values() if entry.window != 9)


def test_reviews_are_counted_against_the_truth() -> None:
    case = case_of()
    found = reviews_of(case)
    told = {s.version: s.verdicts[0] for s in version_histories(case) if s.verdicts}
    assert {v for v, said in told.items() if said == "approved by fallible"} == set(found.approved)
    assert found.reviewed == len(told) and found.bad and found.agreement.n == found.reviewed
    assert found.agreement.value == len(found.approved) / found.reviewed
    stamped = reviews_of(case_of(reviewer="rubber_stamp"))
    assert stamped.agreement.value == 1.0 and stamped.caught.value == 0.0


@pytest.mark.parametrize(
    "changed",
    [
        {
            "overrides": [SUSPEND],
            "canary_share": 0.3,
            "canary_windows": 2,
            "constraints": ["churn", "approved_data"],
        },
        {"method": "never", "constraints": [], "fallback": None, "reviewer": None, "stored": False},
    ],
)
def test_the_page_is_whole_and_reads_nothing_from_elsewhere(changed: dict[str, object]) -> None:
    case = case_of(**changed)  # type: ignore[arg-type]
    assessed = assess(case)
    meta = {"lead": page.lead(case, assessed), "summary": page.summary(case, assessed)}
    html = render("Compliance", page.sections(case, assessed), meta)
    assert not re.search(r'(src|href)="https?:', html) and html.count('<svg role="img"') == 4
    for words in ("no legal advice", "By group: the truth", "By group: what the deployment measured"):
        assert words in html
    assert html.count("✓ passed</td>") + html.count("✗ failed</td>") + html.count(
        "– not applicable</td>"
    ) == len(REQUIREMENTS)
    failed = sum(outcome.says.value == "failed" for _, outcome in assessed)
    assert (f"{failed} of {len(assessed)} checks failed" if failed else "No check failed.") in html
