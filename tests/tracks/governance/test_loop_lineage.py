"""What served when in cells of the loop: equal to what their own roll-outs counted."""

import pytest
from governance_kit import cells_of, make_track, small_run, task

from mlopsim.governance.lineage.lineage import lineage_of
from mlopsim.governance.lineage.rebuild import rebuild
from mlopsim.governance.lineage.version import read_version
from mlopsim.governance.record.events import FALLBACK


def check_lineage(track, cell, outcome):
    """Compare the lineage of a cell with its metrics, and return it."""
    deployed = track.redeploy(cell, {})
    lineage = lineage_of(deployed)
    served, canary = lineage.traffic.arrays(deployed.pool.windows)
    assert served.tolist() == deployed.trajectory.served[0].tolist()
    assert canary.tolist() == deployed.trajectory.candidate[0].tolist()
    steps = deployed.pool.steps
    away = sum(one.windows for one in lineage.traffic.intervals if one.version == FALLBACK)
    assert outcome.metrics["suspended"] == away / steps
    assert outcome.metrics["retrains"] == len(lineage.passages) - 1
    return lineage


@pytest.mark.slow
def test_serving_of_arms_and_references():
    track, run = small_run()
    for name in ("none", "gate+trigger+audits+rollback", "never", "suspend_always"):
        cell, outcome = run[name]
        lineage = check_lineage(track, cell, outcome)
        judged = [one for passage in lineage.passages.values() for one in passage.gates]
        # only where the arm has release audits was anybody asked
        assert bool(judged) == ("audits" in name), name
    # a version that was trained behind the gate, from its record alone
    lineage = lineage_of(track.redeploy(run["gate+trigger+audits+rollback"][0], {}))
    record = lineage.versions()[-1]
    assert record.training.gate is not None
    rebuild(read_version(record.line()))


@pytest.mark.slow
def test_a_reviewer_of_the_task_decides_in_every_arm():
    reviewer = {"fallible": {"sensitivity": 0.5, "specificity": 0.5, "delay": 1}}
    track = make_track()
    governed = {**task()["deployment"]["governed"], "reviewer": reviewer}
    wanted = ["none", "gate", "trigger", "audits", "rollback", "gate+trigger+audits+rollback"]
    cells = cells_of(track, wanted, [task(deployment={"governed": governed})], seeds=range(4))
    denied = 0
    for cell, outcome in zip(cells, track.run(cells, {}), strict=True):
        if cell.method.part["kind"] == "control":
            continue
        lineage = check_lineage(track, cell, outcome)
        for number, passage in lineage.passages.items():
            if passage.served or passage.canary:
                assert number == lineage.initial or passage.review.verdict == "approved"
            denied += passage.state == "denied"
    assert denied > 10
