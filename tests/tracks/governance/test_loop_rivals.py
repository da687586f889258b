"""Parts beside their rivals: differences from a table whose answers are known."""

import math

import polars as pl
import pytest
from loop_kit import ADDS, SAVES, SEEDS, curves, table

from mlopsim.tracks.governance.analysis import families, pool, reviewer_groups
from mlopsim.tracks.governance.rivals import EVERY, NO_ARM, contests, rivals_table
from mlopsim.tracks.governance.worth import SAME

GATED = pl.col("gate").fill_null(False)


def rival(cells, task, label, part, less):
    """Cells of the arms with a gate, played where something stands in its place that earns less."""
    return cells.filter(GATED & (pl.col("task") == task)).with_columns(
        pl.col("return") - less,
        task=pl.lit(f"{task} / {label}"),
        key=pl.lit(f"{label} ") + pl.col("key"),
        fitted=pl.lit(task),
        rival=pl.lit(part),
    )


def own(cells):
    return cells.with_columns(*(pl.lit(None, dtype=pl.String).alias(name) for name in ("fitted", "rival")))


def test_part_rival_and_gap_add_up_and_rivals_are_not_pooled():
    base = own(table(("drift",)))
    two = own(table(("drift",), worth=None)).with_columns(
        task=pl.lit("task other"), key=pl.lit("other ") + pl.col("key")
    )
    some = [
        rival(base, "task drift", "random", "gate", 0.004),
        rival(two, "task other", "random", "gate", 0.0),
    ]
    cells = pl.concat([base, two, *some])
    found = rivals_table(cells)
    rows = {(row["stream"], row["method"]): row for row in found.filter(part="gate").to_dicts()}
    # of each stream, and over both: 16 arms have a gate
    assert len(rows) == 3 * 16 and {stream for stream, _ in rows} == {"task drift", "task other", EVERY}
    first, second, every = (rows[stream, "gate+audits"] for stream in ("task drift", "task other", EVERY))
    assert first["return_part"] == pytest.approx(ADDS["drift"]["gate"])
    assert first["return_rival"] == pytest.approx(ADDS["drift"]["gate"] - 0.004)
    assert [row["return_gap"] for row in (first, every)] == pytest.approx([0.004, 0.002])
    assert first["cost_part"] == pytest.approx(-SAVES["gate"]) and first["return_gap_n"] == SEEDS
    assert second["return_gap"] == 0.0 and second["return_gap_reason"] == SAME
    assert pool(cells) == ["task drift", "task other"] and list(families(cells)) == ["drift"]


def test_a_rival_without_an_arm_to_compare_says_so():
    base = own(table(("drift",)))
    cells = pl.concat([base.filter(GATED), rival(base, "task drift", "oracle", "gate", 0.0)])
    (row,) = rivals_table(cells).filter(part="gate", method="all").to_dicts()
    assert math.isnan(row["return_part"]) and row["return_part_reason"] == NO_ARM
    assert math.isfinite(row["return_gap"])


def test_rivals_of_what_learns_are_the_other_methods_of_its_task():
    cells = own(table(("drift",)))
    found = [one for one in contests(cells) if one.part == "learned"]
    assert [(one.rival, one.method) for one in found] == [("never", "all"), ("traditional", "all")]
    row = rivals_table(cells, curves).filter(rival="traditional").row(0, named=True)
    assert row["return_gap"] == pytest.approx(sum(ADDS["drift"].values()) - 0.05)
    assert row["return_part"] == pytest.approx(ADDS["drift"]["learned"])
    assert math.isfinite(row["front_gap"])
    # where nobody else decides there is no rival
    alone = cells.filter(pl.col("method") != "traditional")
    assert rivals_table(alone).height == 0


def test_reviewers_with_fits_of_another_task_are_told_apart():
    first = own(table(("drift",)))
    later = first.with_columns(task=pl.lit("late"), conditions=pl.lit("task drift"), review=pl.lit("delayed"))
    fitted = later.with_columns(task=pl.lit("played"), fitted=pl.lit("task drift"), rival=pl.lit("reviewer"))
    (groups,) = reviewer_groups(pl.concat([first, later, fitted])).values()
    assert groups == {
        "nobody": "task drift", "delayed": "late", "delayed (fits of task drift)": "played",
    }  # fmt: skip
