"""The family-wise study tabulates what it says: shares with intervals, and conditional ones."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import _common  # noqa: E402
import family_wise as study  # noqa: E402

from mlopsim.plots.style import to_svg  # noqa: E402

SMALL = [
    "bank={bank: {monitors: [{p_chart: {by: both}}, gap_exact]}}",
    "deployments=40",
    "runs=200",
    "windows=10",
    "learn=[5]",
    "sample=2000",
    "guarantee.deployments=2",
    "guarantee.bootstraps=5",
    "guarantee.sample=500",
]


def settings() -> dict[str, object]:
    return _common.read_settings(ROOT / "conf" / "experiment" / "family_wise.yaml", SMALL)


@pytest.mark.parametrize("null", ["binomial", "overdispersed"])
def test_a_null_has_its_rows_and_repeats(null: str) -> None:
    shares, given, every = study.of_null(settings(), null)
    assert [(row["limit"], row["learn"]) for row in shares] == [
        *((limit, "told") for limit in ("naive", "conservative", "simulated")),
        *((limit, 5) for limit in ("naive", "simulated", "with phase I")),
    ]
    assert all(row["low"] <= row["share"] <= row["high"] and row["n"] == 40 for row in shares)
    assert [row["limit"] for row in given] == ["simulated", "with phase I", "guaranteed"]
    assert [row["n"] for row in given] == [40, 40, 2]
    shown = every[f"{null}, with phase I, 5"]
    assert given[1]["above"] == pytest.approx(float((shown > 0.05).mean()))
    # four charts at 3 sigma, if they were independent; correlated windows have no closed form
    expected = 1 - (1 - 0.0026998) ** 40
    assert (
        np.isnan(shares[0]["expected"])
        if null != "binomial"
        else shares[0]["expected"] == pytest.approx(expected, rel=1e-4)
    )
    again = study.of_null(settings(), null)
    assert repr(again[:2]) == repr((shares, given))
    assert all(np.array_equal(again[2][key], value) for key, value in every.items())


def test_the_distance_from_alpha_is_in_standard_errors() -> None:
    row = study.unconditional("binomial", "simulated", 10, 144, 2000, 0.05)
    assert row["share"] == 0.072 and row["errors_from_alpha"] == pytest.approx(4.514, abs=1e-3)
    assert row["within_3"] == "no" and row["learn"] == 10
    assert study.unconditional("binomial", "simulated", 0, 129, 2000, 0.05)["within_3"] == "yes"


def test_what_is_committed_is_a_whole_run() -> None:
    """The committed answer is of the committed settings, and meets 5 % within three standard errors."""
    folder = ROOT / "results" / "family_wise"
    if not folder.is_dir():
        pytest.skip("no results/family_wise: python experiments/family_wise.py makes them")
    plain = _common.read_settings(ROOT / "conf" / "experiment" / "family_wise.yaml")
    assert _common.read_settings(folder / "config.yaml") == plain
    table = pl.read_csv(folder / "table.csv")
    told = table.filter((pl.col("limit") == "simulated") & (pl.col("learn") == "told"))
    assert told["null"].to_list() == ["binomial", "overdispersed"] and (told["within_3"] == "yes").all()
    assert (told["n"] == 2000).all()
    given = pl.read_csv(folder / "conditional.csv")
    assert len(given) == 18 and set(given["learn"]) == {10, 30, 100}


def test_the_picture_is_drawn_small() -> None:
    every = {
        f"{null}, {limit}, {learn}": np.linspace(0.0, 0.2, 2000)
        for null in ("binomial", "overdispersed")
        for limit in ("simulated", "with phase I", "guaranteed")
        for learn in (10, 30, 100)
    }
    plain = _common.read_settings(ROOT / "conf" / "experiment" / "family_wise.yaml")
    figure = study.draw(plain, every)
    assert [axes.get_title(loc="left") or axes.get_title() for axes in figure.axes] == [
        "binomial",
        "overdispersed",
    ]
    assert all(len(axes.get_lines()) == 10 for axes in figure.axes)
    # what is committed of figures is small
    assert len(to_svg(figure)) < 150_000
