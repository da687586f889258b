"""Worth of the parts: additive games, parts that stand in for each other, undefined shares, missing arms."""

import math

import numpy as np
import polars as pl
import pytest
from loop_kit import ADDS, GAIN, SAVES, SEEDS, table

from mlopsim.core.errors import ConfigError
from mlopsim.tracks.governance.analysis import families
from mlopsim.tracks.governance.arms import PARTS
from mlopsim.tracks.governance.worth import (
    FLOOR,
    NO_GAIN,
    SAME,
    SUM,
    CoalitionalGame,
    against_never,
    decider_table,
    pair_table,
    without_gain,
    worth_table,
    worths_of,
)


def test_an_additive_loop_gives_each_part_what_it_adds_paired_over_scenarios():
    cells = table()
    found = worth_table(families(cells), cells)
    assert found.height == 2 * (len(PARTS) + 1)
    for family, adds in ADDS.items():
        for part in PARTS:
            (row,) = found.filter(family=family, part=part).iter_rows(named=True)
            # noise is the same in all arms: no width is left, and no interval where nothing differs at all
            for name in ("return", "alone", "last"):
                ends = [row[name], row[f"{name}_low"], row[f"{name}_high"]]
                if row[f"{name}_reason"]:
                    assert row[f"{name}_reason"] == SAME and row[name] == adds[part] == 0.0
                    assert math.isnan(row[f"{name}_low"])
                else:
                    assert ends == pytest.approx([adds[part]] * 3, abs=1e-12)
            assert row["cost"] == pytest.approx(-SAVES[part], abs=1e-12)
            assert row["return_n"] == SEEDS
            if family == "drift":
                assert row["share"] == pytest.approx(adds[part] / GAIN[family], abs=1e-12)
            else:
                assert math.isnan(row["share"]) and row["share_reason"] == NO_GAIN and GAIN[family] < FLOOR
        parts = found.filter((pl.col("family") == family) & (pl.col("part") != SUM))
        (total,) = found.filter(family=family, part=SUM).iter_rows(named=True)
        for name in ("return", "cost"):
            assert parts[name].sum() == pytest.approx(total[name], abs=1e-12)
    pairs = pair_table(families(cells), cells)
    assert pairs.height == 2 * 10
    assert np.abs(pairs["return"].to_numpy()).max() < 1e-12


def test_values_add_up_in_any_game_and_substitutes_share():
    draws = np.random.default_rng(3)
    known: dict[tuple, float] = {}

    def random(family, parts):
        return known.setdefault((family, *parts.values()), float(draws.normal(0, 0.1)))

    cells = table(("drift",), worth=random)
    found = worths_of(cells, ["task drift"])
    assert sum(one.returns.value for one in found.parts.values()) == pytest.approx(
        known["drift", True, True, True, True, True] - known["drift", False, False, False, False, False],
        abs=1e-12,
    )
    assert sum(one.share.value for one in found.parts.values()) == pytest.approx(
        found.total.share.value, abs=1e-12
    )

    cells = table(("drift",), worth=lambda _, parts: 0.1 * (parts["trigger"] or parts["learned"]))
    found = worths_of(cells, ["task drift"])
    values = {part: one.returns.value for part, one in found.parts.items()}
    assert values == pytest.approx({**dict.fromkeys(PARTS, 0.0), "trigger": 0.05, "learned": 0.05}, abs=1e-12)
    assert found.pairs["trigger", "learned"].returns.value == pytest.approx(-0.1, abs=1e-12)
    # each alone is worth all of it, and left out alone nothing
    assert found.alone["trigger"].value == pytest.approx(0.1, abs=1e-12)
    assert found.last["trigger"].value == pytest.approx(0.0, abs=1e-12)


def test_a_scenario_in_which_one_arm_failed_counts_for_no_part_and_missing_arms_are_named():
    cells = table(("drift",))
    failed = pl.when((pl.col("method") == "gate+learned") & (pl.col("seed") == 2)).then(pl.lit("failed"))
    some = cells.with_columns(failed.otherwise(pl.col("status")).alias("status"))
    found = worths_of(some, ["task drift"])
    assert (
        {one.returns.n for one in found.parts.values()} == {SEEDS - 1} == {found.total.cost.n, found.gain.n}
    )
    with pytest.raises(ConfigError, match=r"1 of 32 arms are missing, such as gate\+learned"):
        CoalitionalGame.of(cells.filter(pl.col("method") != "gate+learned"))
    with pytest.raises(ConfigError, match="no arm has a part on"):
        CoalitionalGame.of(cells.filter(~pl.col("role").eq("method") | pl.col("method").eq("none")))
    twice = pl.concat([cells, cells.filter(pl.col("method") == "all").with_columns(method=pl.lit("mine"))])
    with pytest.raises(ConfigError, match="all and mine are the same arm"):
        CoalitionalGame.of(twice)
    # a loop without data gate has 16 arms
    assert len(CoalitionalGame.of(cells.filter(~pl.col("gate").fill_null(False))).arms) == 16


def test_fits_are_a_level_of_the_intervals():
    """Three agents that differ by .03 from one to the next: the mean of the worths, and a width."""
    alone = table(("drift",))
    learned = pl.col("learned").fill_null(False)
    several = pl.concat(
        [alone.filter(~learned).with_columns(fit_seed=pl.lit(None, dtype=pl.Int64))]
        + [
            alone.filter(learned).with_columns(
                pl.col("return") + 0.03 * (number - 1),
                method=pl.col("method") + f" #{number}",
                fit_seed=pl.lit(number, dtype=pl.Int64),
            )
            for number in range(3)
        ]
    )
    assert CoalitionalGame.of(several).fits == 3
    one, three = (worths_of(cells, ["task drift"]) for cells in (alone, several))
    for part in PARTS:
        assert three.parts[part].returns.value == pytest.approx(one.parts[part].returns.value, abs=1e-12)
        assert three.parts[part].share.value == pytest.approx(one.parts[part].share.value, abs=1e-12)
    fixed, drawn = one.parts["learned"].returns, three.parts["learned"].returns
    assert fixed.high - fixed.low < 1e-9 < 0.05 < drawn.high - drawn.low
    assert (drawn.repetitions, drawn.n) == (3, SEEDS)
    # what all agents share has no more width than before: the gate adds the same to each
    gate = three.parts["gate"].returns
    assert gate.high - gate.low < 1e-9
    total = sum(one.returns.value for one in three.parts.values())
    assert total == pytest.approx(three.total.returns.value, abs=1e-12)
    with pytest.raises(ConfigError, match="arms have 2 and 3 fits"):
        CoalitionalGame.of(several.filter(pl.col("method") != "all #1"))


def test_the_worth_of_a_part_hangs_on_who_decides():
    """Audits take .04 where a rule decides and add .02 where an agent does: the mean is of nobody."""

    def worth(family, on):
        return ADDS[family]["gate"] * on["gate"] + on["audits"] * (0.02 if on["learned"] else -0.04)

    cells = table(("drift",), worth=worth)
    rows = {(row["decider"], row["part"]): row for row in decider_table(families(cells), cells).to_dicts()}
    assert rows["rule", "audits"]["return"] == pytest.approx(-0.04)
    assert rows["learned", "audits"]["return"] == pytest.approx(0.02)
    assert {part for _, part in rows} == {*PARTS, SUM} - {"learned"}
    for decider in ("rule", "learned"):
        assert rows[decider, "gate"]["return"] == pytest.approx(ADDS["drift"]["gate"])
        assert rows[decider, "audits"]["cost"] == pytest.approx(-SAVES["audits"])
    (pooled,) = worth_table(families(cells), cells).filter(part="audits").to_dicts()
    assert pooled["return"] == pytest.approx(-0.01)


def test_where_there_is_nothing_to_gain_arms_stand_against_never():
    cells = table()
    some = without_gain(families(cells), cells)
    assert list(some) == ["nothing"]
    rows = {row["arm"]: row for row in against_never(some, cells).to_dicts()}
    assert len(rows) == 32
    assert rows["none"]["return"] == 0.0 and rows["none"]["return_reason"] == SAME
    assert rows["learned"]["return"] == pytest.approx(ADDS["nothing"]["learned"])
    assert rows["all"]["cost"] == pytest.approx(-sum(SAVES.values()))


def test_intervals_that_hold_together_are_wider():
    rng = np.random.default_rng(3)
    cells = table().with_columns(pl.col("return") + pl.Series(rng.normal(0, 0.01, table().height)))
    one, all_of_them = (worth_table(families(cells), cells, level) for level in (0.95, 0.9986))
    width = [board["return_high"] - board["return_low"] for board in (one, all_of_them)]
    assert (width[1] > 1.3 * width[0]).all() and one["return"].equals(all_of_them["return"])
