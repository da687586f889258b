"""The study of detectors tabulates the right cells."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import detectors_at_equal_arl as study  # noqa: E402

from mlopsim.compose import Study  # noqa: E402
from mlopsim.core.spec import make  # noqa: E402

TASKS: list[dict[str, Any]] = [
    {"name": "one", "signal": "iid"},
    {"name": "two", "stream": {"synthetic": {"schedule": "gradual"}}},
    {"name": "three", "stream": "procedural"},
]
METHODS: list[Any] = ["ddm", "hddm_a", {"cusum": {"side": "up"}}, {"fhddm": {"side": "both"}}]
LIMITS = {"ddm": "level", "hddm_a": "delta", "cusum(side=up)": "h", "fhddm(side=both)": "delta"}


def suite() -> tuple[Any, Any]:
    made = Study(track="drift", tasks=TASKS, methods=METHODS, seeds=3, name="small")
    return made.suite, made.track


def test_tasks_say_how_their_change_comes() -> None:
    made, _ = suite()
    found = [task.attributes["scenario"] for task in made.tasks]
    assert found == ["iid", "gradual", "abrupt or gradual or recurring"]


def test_default_limits_are_those_of_the_class_and_are_not_calibrated() -> None:
    made, track = suite()
    other, names = study.with_default_limits(made, track, 2)
    assert list(names) == list(LIMITS) and other.seeds == [0, 1]
    by_name = {method.name: method.part for method in other.methods}
    for name, limit in LIMITS.items():
        part = by_name[names[name]]
        assert part["given"]
        assert part["detector"]["params"][limit] == getattr(make("detector", name.split("(")[0]), limit)
    assert by_name[names["cusum(side=up)"]]["detector"]["params"]["side"] == "up"


def cells(delays: dict[str, tuple[float, float]], share: float, limit: str = "calibrated") -> pl.DataFrame:
    rows = [
        {
            "task": task,
            "method": method,
            "seed": 0,
            "status": "done",
            "reasons": "{}",
            "fit": f"{method} {task}",
            "share": share,
            "role": "method",
            "known": "nothing",
            "limit": limit,
            "channel": "errors",
            "target": 0.2,
            "restricted_delay": delay,
        }
        for method, pair in delays.items()
        for task, delay in zip(("one", "two"), pair, strict=True)
    ]
    return pl.DataFrame(rows)


def test_ranks_and_shares_are_of_the_same_detector() -> None:
    equal = cells({"a": (1.0, 2.0), "b": (3.0, 4.0), "c": (5.0, 6.0)}, 0.2)
    own = cells({"a(h=1)": (9.0, 9.0), "b(h=2)": (3.0, 4.0), "c(h=3)": (1.0, 1.0)}, 0.9, "given")
    names = {"a": "a(h=1)", "b": "b(h=2)", "c": "c(h=3)"}
    rows = study.at_default_limits(equal, own, names)
    assert [row["method"] for row in rows] == ["a", "b", "c"]
    assert [row["rank_default"] for row in rows] == [3.0, 2.0, 1.0]
    assert all(row["share_median"] == pytest.approx(0.9) and row["laws"] == 2 for row in rows)
    assert "tau -1.00" in study.verdict(rows) and "90.0%" in study.verdict(rows)


def test_orders_by_two_matchings_are_compared_on_what_both_have() -> None:
    rows = [
        [{"method": name, "role": "method", "restricted_delay": delay} for name, delay in delays.items()]
        for delays in (
            {"a": 10.0, "b": 20.0, "ddm": 930.0, "c": float("nan")},
            {"a": 10.0, "b": 21.0, "ddm": 15.0, "c": 1.0},
        )
    ]
    text = study.agreement(*rows)
    assert "Of 3 methods" in text and "tau 0.33" in text
    assert "ddm moves most: 930 rows matched by the first alarm, 15 by the rate" in text


def test_delay_and_worth_are_also_compared_without_the_slow() -> None:
    made, _ = suite()
    value = {"ddm": 0.1, "hddm_a": 0.8, "cusum(side=up)": 0.7, "fhddm(side=both)": 0.9}
    delay = {"ddm": 900.0, "hddm_a": 20.0, "cusum(side=up)": 10.0, "fhddm(side=both)": 30.0}
    rows = [
        {
            "task": "two",
            "method": name,
            "seed": seed,
            "status": "done",
            "limit": "calibrated",
            "channel": "errors",
            "role": "method",
            "fit": name,
            "share": 0.2,
            "retrain_cost": 0.2,
            "restricted_delay": delay[name] + seed,
            "return": value[name] + 0.01 * seed,
        }
        for name in delay
        for seed in range(3)
    ]
    (row,) = study.sooner(pl.DataFrame(rows), made, ["ddm"]).to_dicts()
    # of the three that are left the later earn more; the slowest, which earns least, hides that
    assert (row["methods"], row["methods_without_slow"]) == (4, 3)
    assert row["tau"] == pytest.approx(0.0) and row["tau_without_slow"] == pytest.approx(1.0)
    ends = [row[f"tau_without_slow_{end}"] for end in ("low", "high", "n")]
    assert ends == [pytest.approx(1.0), pytest.approx(1.0), 3]
    (row,) = study.sooner(pl.DataFrame(rows), made, ["eddm"]).to_dicts()
    assert math.isnan(row["tau_without_slow"]) and "none of them" in row["tau_without_slow_reason"]
    (row,) = study.sooner(pl.DataFrame(rows), made, ["ddm", "fhddm"]).to_dicts()
    assert math.isnan(row["tau_without_slow"]) and "too few" in row["tau_without_slow_reason"]
