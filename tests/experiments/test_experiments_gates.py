"""What the throughput experiment measures of gates: all of them, and the same thing on both sides."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import _common  # noqa: E402
import _gate_measurements as measured  # noqa: E402
import throughput  # noqa: E402
from _measurements import Contest, Work  # noqa: E402

from mlopsim.core.errors import ConfigError, MissingExtraError, MlopsimError  # noqa: E402
from mlopsim.core.registry import names  # noqa: E402
from mlopsim.core.spec import make  # noqa: E402
from mlopsim.quality.release_gate import ReleaseGate  # noqa: E402

SMALL: dict[str, Any] = {"reference": 300, "rows": 90, "window": 30, "d": 4, "missing": 0.05, "compared": 40}


def settings() -> dict[str, Any]:
    return _common.read_settings(ROOT / "conf" / "experiment" / "throughput.yaml")


def contests(**changed: Any) -> dict[str, Contest]:
    given = {**settings()["row_gates"], **SMALL, **changed}
    return {contest.name.partition(",")[0]: contest for contest in measured.row_gates(**given)}


def test_rows_have_labels_to_be_learnt_and_their_missing_cells_are_encoded() -> None:
    rows = measured.drawn(5000, 6, 0.1, 3)
    missing = np.isnan(rows.X)
    assert 0.09 < missing.mean() < 0.11
    assert (rows.Z[missing] == 0.0).all() and (rows.Z[~missing] == rows.X[~missing]).all()
    assert rows.Z.std(axis=0) == pytest.approx(np.full(6, 0.95), abs=0.05)
    assert 0.45 < rows.y.mean() < 0.55
    assert (rows.y == (rows.Z[:, 0] + rows.Z[:, 1] > 0)).mean() > 0.85
    assert not np.array_equal(measured.drawn(9, 6, 0.0, 1).X, measured.drawn(9, 6, 0.0, 2).X)


def test_every_gate_is_measured_once() -> None:
    pytest.importorskip("pyod")
    pytest.importorskip("cleanlab")
    shapes: dict[str, dict[str, Any]] = {
        "row_gates": SMALL,
        "batch_gates": {"reference": 50, "windows": 2, "window": 20},
        "train_gates": {"rows": 50, "new": 8, "trusted": 30},
        "release_gates": {"rows": 60},
    }
    found: list[str] = []
    for section, small in shapes.items():
        made = list(getattr(measured, section)(**{**settings()[section], **small}))
        found += [contest.name.partition(",")[0] for contest in made]
        for contest in made:
            contest.ours.run()
    assert sorted(found) == [f"gate/{name}" for name in names("gate")]


def test_both_sides_score_the_same_rows() -> None:
    pytest.importorskip("pyod")
    found = contests()
    assert {name.removeprefix("gate/") for name, contest in found.items() if contest.reference} == set(
        measured.PYOD
    )
    for contest in found.values():
        if contest.reference is not None:
            assert contest.ours.amount == contest.reference.amount == 90
    knn = found["gate/knn"]
    assert knn.reference is not None
    ours, theirs = np.asarray(knn.ours.run()), np.asarray(knn.reference.run())
    assert ours == pytest.approx(theirs, rel=1e-12) and len(ours) == 90
    assert {name for name, contest in found.items() if contest.ratio is not None} == {
        "gate/ecod",
        "gate/hbos",
        "gate/knn",
    }


def test_rows_judged_within_their_window_are_scored_window_by_window() -> None:
    rows = measured.drawn(90, 3, 0.0, 1)
    gate = make("gate", "near_duplicate")
    parts = measured.scoring(gate, gate.learn(rows, np.random.default_rng(0)), rows, 40)()
    assert isinstance(parts, list) and [len(part) for part in parts] == [40, 40, 10]
    whole = measured.scoring(make("gate", "none"), None, rows, 40)()
    assert isinstance(whole, np.ndarray) and whole.shape == (90,)
    told = measured.scoring(make("gate", "oracle"), None, measured.drawn(90, 3, 0.2, 1), 40)()
    assert isinstance(told, np.ndarray) and 0 < told.sum() < 90


def test_scores_of_other_ranks_are_an_error_instead_of_a_number() -> None:
    scores = np.arange(20.0)
    measured.check_ranks("one", scores, np.exp(scores), 1.0)
    for other in (scores[::-1], np.random.default_rng(0).permutation(scores), np.full(20, np.nan)):
        with pytest.raises(MlopsimError, match="scores of one differ"):
            measured.check_ranks("one", scores, other, 0.99)


def test_scores_that_differ_are_found_before_anything_is_timed() -> None:
    pytest.importorskip("pyod")
    with pytest.raises(MlopsimError, match="scores of ocsvm differ"):
        contests(least_correlation={"ocsvm": 1.0})


def test_a_gate_that_pyod_has_not_is_named() -> None:
    with pytest.raises(ConfigError, match=r"PyOD has no gate 'ecodd'; did you mean 'ecod'"):
        contests(asked_ratio={"ecodd": 1.0})


def test_without_pyod_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyod", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'mlopsim\[quality\]'"):
        contests()


def test_a_speed_that_is_compared_with_nothing_has_a_row_of_its_own() -> None:
    alone = Contest(name="alone, small", unit="rows/s", ours=Work(lambda: sum(range(1000)), 1000))
    (row,) = throughput.compare(alone, repeats=3, seconds=0.0)
    assert row["name"] == "alone, small" and row["compared"] == "speed" and row["met"] == ""
    assert np.isnan(row["asked"]) and np.isnan(row["reference"]) and np.isnan(row["ratio"])
    assert 0 < row["low"] <= row["ours"] <= row["high"] and row["n"] == 3


def test_a_section_that_asks_for_nothing_can_be_measured_alone(tmp_path: Path) -> None:
    arguments = ["only=[release_gates]", "repeats=1", "seconds=0", "release_gates.rows=50"]
    throughput.main([*arguments, "--results", str(tmp_path)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml", "table.csv"]
    # the head, and a line for each gate that judges versions
    judges = [name for name in names("gate") if isinstance(make("gate", name), ReleaseGate)]
    assert len((tmp_path / "table.csv").read_text().splitlines()) == 1 + len(judges)
