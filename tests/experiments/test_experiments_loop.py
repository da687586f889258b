"""The studies of the closed loop: what parts add, and what approval costs, from cells with known answers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "experiments"))
sys.path.insert(0, str(ROOT / "tests" / "tracks" / "governance"))

import _common  # noqa: E402
import price_of_oversight as oversight  # noqa: E402
import what_earns_its_keep as keep  # noqa: E402
from loop_kit import ADDS, GAIN, curves, table  # noqa: E402

from mlopsim.core.errors import ConfigError  # noqa: E402
from mlopsim.core.track import Outcome  # noqa: E402


def settings(**more: Any) -> dict[str, Any]:
    found = _common.read_settings(ROOT / "conf" / "experiment" / "price_of_oversight.yaml")
    return {**found, "families": ["drift"], **more}


def test_parts_that_add_and_take_are_told_apart_and_sums_hold() -> None:
    cells = table()
    found = keep.rows_of(keep.worth_table(keep.families(cells), cells))
    said = keep.verdicts(found)
    assert said[0].startswith("drift: adds gate, trigger, learned, rollback")
    assert said[1].startswith("nothing: takes gate, audits, learned; neither shown")
    for family, adds in ADDS.items():
        (total,) = (row for row in found if row["family"] == family and row["part"] == keep.SUM)
        assert total["return"] == pytest.approx(sum(adds.values()), abs=1e-12)
    few = cells.filter(pl.col("task") == "task nothing")
    tables = keep.tables(few, curves)
    assert [len(tables[name]) for name in ("table", "together", "places")] == [6, 10, 36]


def test_every_family_meets_every_reviewer_once() -> None:
    names = oversight.reviewers(settings())
    specs = [str(spec) for spec in names.values()]
    assert len(set(specs)) == len(specs) and len(names) == 1 + 2 * 7 + 8 + 1
    entry = {
        "name": "drift",
        "stream": "population",
        "deployment": {"governed": {"fallback": 0.5, "reviewer": "none"}},
    }
    found = oversight.tasks([entry], settings())
    assert [one["deployment"]["governed"]["reviewer"] for one in found] == list(names.values())
    assert {one["scenario"] for one in found} == {"drift"} and found[0]["deployment"]["governed"][
        "fallback"
    ] == 0.5
    with pytest.raises(ConfigError, match="has no task 'drift'"):
        oversight.tasks([{**entry, "name": "other"}], settings())


def test_every_method_meets_every_reviewer_with_a_fit_of_its_own() -> None:
    """As the settings stand, whatever the suite combines of its own tasks."""
    given = settings(families=["all at once"], seeds=1, delays=[2], sensitivities=[], specificities=[])
    study = oversight.study_of(given)
    names = [f"all at once | {name}" for name in ("nobody", "delayed 2", "fallible 2", "two persons")]
    assert {(cell.task.name, cell.method.name) for cell in study.grid.cells} == {
        (task, method) for task in names for method in ("suspend_always", *given["methods"])
    }
    learned = [job for job in study.grid.fits if job.part["method"]["name"] == "ppo_lagrangian"]
    assert len(learned) == 4 and {len(job.part["arms"]) for job in learned} == {1}
    assert len({job.part["steps"] for job in study.grid.fits}) == 1


def test_what_fits_took_is_told_once_for_all_families() -> None:
    row = {"review": "nobody", "method": "all", "fit": "x", "fit_steps": 90, "fit_seconds": 1.26}
    cells = pl.DataFrame([row, row, {**row, "review": "delayed", "fit": "y"}, {**row, "fit": None}])
    assert oversight.took(cells) == [
        {"review": review, "method": "all", "steps": 90, "cpu_seconds": 1.3}
        for review in ("nobody", "delayed")
    ]


def under(reviewer: str, less: float = 0.0, **more: Any) -> pl.DataFrame:
    """Cells of the family under a reviewer whom everybody but never pays for."""
    paid = pl.when(pl.col("method") == "never").then(0.0).otherwise(less)
    return table(("drift",), review=reviewer, **more).with_columns(
        pl.col("return") - paid, task=pl.lit(f"drift | {reviewer}"), key=reviewer + ":" + pl.col("key")
    )


def test_the_price_is_in_units_of_what_could_be_gained_without_a_reviewer() -> None:
    cells = pl.concat([under("nobody"), under("delayed 2", 0.05)])
    here, base = ["drift | delayed 2"], ["drift | nobody"]
    free, late = (oversight.share(cells, "all", tasks, base) for tasks in (base, here))
    assert free.value - late.value == pytest.approx(0.05 / GAIN["drift"], abs=1e-12)
    # what nobody could gain has no unit
    few = cells.with_columns(pl.col("upper") - GAIN["drift"])
    assert np.isnan(oversight.share(few, "all", here, base).value)


def test_a_rubber_stamp_decides_as_the_delayed_approval_and_one_bit_would_be_found() -> None:
    late = {
        "name": "drift | delayed 2",
        "deployment": {"governed": {"fallback": 0.5, "reviewer": {"delayed": {}}}},
    }
    found = oversight.stamps([late, {**late, "name": "drift | fallible 2"}], settings())
    assert list(found) == ["drift | delayed 2"]
    assert found["drift | delayed 2"]["deployment"]["governed"] == {
        "fallback": 0.5,
        "reviewer": {"rubber_stamp": {"delay": 2}},
    }
    row, series = {"return": 0.5, "upper": None}, {"quality": np.array([0.5, 0.25])}
    same = Outcome(metrics={"return": 0.5, "upper": float("nan")}, curves={"quality": np.array([0.5, 0.25])})
    assert oversight.identical(row, series, same)
    for metrics, curve in (
        ({"return": np.nextafter(0.5, 1), "upper": float("nan")}, [0.5, 0.25]),
        ({"return": 0.5, "upper": 0.0}, [0.5, 0.25]),
        ({"return": 0.5, "upper": float("nan")}, [0.5, np.nextafter(0.25, 0)]),
    ):
        assert not oversight.identical(
            row, series, Outcome(metrics=metrics, curves={"quality": np.array(curve)})
        )
    assert not oversight.identical(row, series, Outcome(metrics=same.metrics))


TINY = """# @package _global_
suite_version: 1
track: governance
tasks:
  - &loop
    name: real
    scenario: family
    stream: {population: {windows: 16, warmup: 4, per_group: 40}}
    gate: iqr
    deployment:
      governed: &governed {fallback: 0.6, release: [accuracy_drop], trigger: ks}
  - {<<: *loop, name: real / random gate, fitted: real, gate: {random: {alpha: 0.3}}}
  - <<: *loop
    name: real / random alarm
    fitted: real
    deployment: {governed: {<<: *governed, trigger: {random: {rate: 0.5}}}}
methods: [none, gate, trigger]
seeds: 3
governance: {steps: 0, prices: [0.0, 0.2]}
"""


@pytest.mark.slow
def test_rivals_are_run_and_tabulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import rivals_of_the_loop as rivals

    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "tiny.yaml").write_text(TINY, encoding="utf-8")
    monkeypatch.setenv("MLOPSIM_CACHE", str(tmp_path / "cache"))
    written: dict[str, list[dict[str, Any]]] = {}
    monkeypatch.setattr(
        _common, "write_table", lambda folder, rows, name="table": written.__setitem__(name, rows)
    )
    monkeypatch.setattr(_common, "write_config", lambda experiment: None)
    monkeypatch.setattr(_common, "ROOT", tmp_path)
    own = ["--conf", str(ROOT / "conf" / "experiment" / "rivals_of_the_loop.yaml")]
    given = [*own, "suite=tiny", f"conf=[{tmp_path}]", "fits=null", "ledger=ledger", "workers=1"]
    rivals.main(given)
    keys = {(row["part"], row["rival"], row["method"]) for row in written["table"]}
    assert keys == {("gate", "random gate", "gate"), ("trigger", "random alarm", "trigger")}
    dropped = {row["task"]: row["dropped"] for row in written["shares"]}
    assert dropped["real"] < 0.1 and 0.2 < dropped["real / random gate"] < 0.4
    assert {row["n"] for row in written["shares"]} == {3}
