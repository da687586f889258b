"""The study of the two claims tabulates what its deployments are by the truth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import _common  # noqa: E402
import fairness_claims as study  # noqa: E402

from mlopsim.plots.style import to_svg  # noqa: E402

SMALL = ["seeds=2", "learners=[ridge]", "base.per_group=60", "base.windows=36"]


def test_rows_say_what_happened_in_deployments_of_known_truth() -> None:
    path = ROOT / "conf" / "experiment" / "fairness_claims.yaml"
    settings: dict[str, Any] = _common.read_settings(path, SMALL)
    tables: dict[str, list[dict[str, Any]]] = {"retraining": [], "alarms": []}
    every = []
    for scenario in ("nothing", "historical"):
        rows, played = study.of_scenario(settings, scenario)
        tables["retraining"] += rows
        every += played
    quiet, biased = every
    assert np.allclose(quiet.true(study.FROZEN).sum(axis=(-2, -1)), 1.0)
    # the first version never takes on a bias of labels, those that are trained again do
    gaps = {
        how: np.ptp(biased.true(how)[..., 1].sum(axis=-1), axis=-1).mean(axis=0)
        for how in (study.FROZEN, study.RELEASED)
    }
    assert gaps[study.FROZEN].max() < 0.05 and gaps[study.RELEASED][-3:].min() > 0.05
    assert np.array_equal(quiet.true(study.FROZEN), biased.true(study.FROZEN))
    by_drift = {
        (row["scenario"], row["drift"]): row for row in tables["retraining"] if row["gap"] == "acceptance"
    }
    assert ("nothing", "with") not in by_drift
    assert by_drift["nothing", "without"]["restored"] == by_drift["nothing", "without"]["worsened"] == 0.0
    late = by_drift["historical", "with"]
    assert late["gap_new"] > late["gap_old"] and late["n"] == 6 and late["accuracy_change"] < 0.0
    for how in (study.FROZEN, study.RELEASED):
        tables["alarms"] += study.alarms(settings, "all", every, how)
    assert {row["state"] for row in tables["alarms"] if row["serves"] == study.FROZEN} == {"none"}
    assert sum(row["n"] for row in tables["alarms"] if row["serves"] == study.RELEASED) == 4 * 4
    assert len(to_svg(study.draw(settings, tables))) < 200_000
