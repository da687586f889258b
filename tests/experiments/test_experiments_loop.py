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
    assert [len(tables[name]) for name in ("table", "together", "places", "leaderboard")] == [6, 10, 36, 36]


def test_every_family_meets_every_reviewer_once() -> None:
    names = oversight.reviewers(settings())
    specs = [str(spec) for spec in names.values()]
    assert len(set(specs)) == len(specs) and len(names) == 1 + 3 * 7 + 8 + 1
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


def test_a_rubber_stamp_that_differs_in_one_bit_is_found() -> None:
    cells = pl.concat([under("delayed 2", 0.05), under("rubber stamp 2", 0.05)])
    changed = {"series": np.zeros(3)}

    def read(key: str) -> dict[str, np.ndarray]:
        return changed if key == "rubber stamp 2:task drift/all/3" else {"series": np.full(3, 1e-300)}

    rows = oversight.stamped(cells, lambda key: {"series": np.zeros(3)}, settings(delays=[2]))
    assert len(rows) == 36 and all(row["same"] == row["cells"] == 8 for row in rows)
    rows = oversight.stamped(cells, read, settings(delays=[2]))
    assert [row["same"] for row in rows if row["method"] == "all"] == [7]
    one = cells.with_columns(
        pl.when(pl.col("key") == "rubber stamp 2:task drift/none/1")
        .then(pl.col("cost") + 1e-16 + pl.col("cost") * 2e-16)
        .otherwise(pl.col("cost"))
        .alias("cost")
    )
    rows = oversight.stamped(one, lambda key: {}, settings(delays=[2]))
    assert [row["same"] for row in rows if row["method"] == "none"] == [7]
