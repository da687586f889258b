"""The claim's comparison is computed from the right rows."""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import rl_vs_rules  # noqa: E402

from mlopsim.core.registry import find  # noqa: E402
from mlopsim.tracks.delivery.analysis import Arena  # noqa: E402
from mlopsim.tracks.delivery.track import DeliveryTrack  # noqa: E402

METHODS: list[Any] = [
    "linear",
    {"periodic": {"every": 7}},
    {"ppo": {"train_seed": 0}},
    {"ppo": {"train_seed": 1}},
    {"ppo": {"train_seed": 0, "gamma": 0.0}},
    {"ppo": {"train_seed": 1, "gamma": 0.0}},
]
#: mean return by group; the upper bound is 1, never is 0
LEVEL = {
    "never": 0.0,
    "linear": 0.5,
    "periodic(every=7)": 0.2,
    "ppo": 0.8,
    "ppo (gamma=0)": 0.1,
    "oracle": 0.95,
}


def made_up(ppo: float = 0.8) -> tuple[Arena, dict[str, Any]]:
    known = rl_vs_rules.groups(DeliveryTrack(steps=1000).methods(METHODS))
    rng = np.random.default_rng(0)
    rows = []
    for name, group in known.items():
        for seed in range(40):
            level = {**LEVEL, "ppo": ppo}[group.name]
            value = 0.0 if name == "never" else level + 0.05 * rng.normal()
            rows.append(
                {
                    "task": "claim",
                    "method": name,
                    "seed": seed,
                    "status": "done",
                    "return": value,
                    "upper": 1.0 if name == "oracle" else float("nan"),
                    "stream_id": f"rows {seed}",
                }
            )
    return Arena.of(pl.DataFrame(rows)), known


def test_training_seeds_are_one_agent_and_settings_are_others() -> None:
    _, known = made_up()
    names = {name: (group.name, group.role) for name, group in known.items()}
    agents = [group for name, group in names.items() if name.startswith("ppo")]
    assert agents == [("ppo", "agent")] * 2 + [("ppo (gamma=0)", "agent")] * 2
    assert names["linear"] == ("linear", "rule")
    assert names["periodic(every=7)"] == ("periodic(every=7)", "rule")
    assert names["oracle"] == ("oracle", "reference")
    assert getattr(find("selector", "ppo"), "agent", False)


@pytest.mark.parametrize(("ppo", "word"), [(0.8, "holds"), (0.48, "does not hold"), (0.5, "does not hold")])
def test_the_verdict_follows_the_numbers(ppo: float, word: str) -> None:
    arena, known = made_up(ppo)
    rows = {row["method"]: row for row in rl_vs_rules.compare(arena, 0, known, 0.95, 400, "t")}
    assert set(rows) == {"never", "linear", "periodic(every=7)", "ppo", "ppo (gamma=0)", "oracle"}
    assert rows["ppo"]["ns"] == pytest.approx(ppo, abs=0.03)
    assert rows["ppo"]["train_seeds"] == 2 and rows["linear"]["train_seeds"] == 0
    assert rows["linear"]["diff_to_ppo"] == pytest.approx(ppo - 0.5, abs=0.03)
    assert np.isnan(rows["ppo"]["diff_to_ppo"])
    # the oracle's plan earns .95 of the bound
    for row in rows.values():
        assert row["bracket"] == pytest.approx(1.0 - rows["oracle"]["ns"])
        assert row["bracket_low"] < row["bracket"] < row["bracket_high"]
    text = rl_vs_rules.verdict(list(rows.values()), known)
    assert text.startswith("best rule: linear at NS") and f" {word}." in text


def test_the_committed_verdict_follows_from_the_committed_table() -> None:
    with (ROOT / "results/rl_vs_rules/table.csv").open() as file:
        rows = [
            {k: v if k in ("method", "reason") else float(v or "nan") for k, v in row.items()}
            for row in csv.DictReader(file)
        ]
    references = {"oracle", "latest-oracle", "knows-changes", "hindsight-period"}
    known = {}
    for row in rows:
        role = (
            "reference"
            if row["method"] in references
            else "agent"
            if row["method"].startswith("ppo")
            else "rule"
        )
        known[row["method"]] = rl_vs_rules.Group(name=row["method"], role=role)
    text = rl_vs_rules.verdict(rows, known)
    assert "best rule: linear at NS 0.733" in text and "0.020 [0.005, 0.034]" in text and " holds." in text
    page = (ROOT / "docs/findings/learned-selector.md").read_text(encoding="utf-8")
    assert page.splitlines()[2].startswith("**Yes where it was trained, by little: .020 [.005, .034] in NS")


def test_what_is_committed_gives_the_tables_and_replays_to_the_bit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a suite of a few cells: rules that are tuned twice, an agent, references."""
    from mlopsim.compose import load_suite

    stream = {"synthetic": {"windows": 16, "rows": 20, "warmup": 4, "schedule": "abrupt"}}
    small = load_suite(
        "rl-vs-rules",
        tasks=[{"name": "procedural", "stream": stream}],
        methods=["periodic", {"ppo": {"n_envs": 4, "n_steps": 8, "batch_size": 32, "hidden": [8]}}],
        seeds=3,
        overrides={
            "delivery.steps": 600,
            "delivery.scenarios": 4,
            "delivery.tunings": 2,
            "delivery.ladder": False,
            "delivery.train_stream": stream,
        },
    )
    monkeypatch.setattr(rl_vs_rules, "load_suite", lambda name: small)
    # the claim is about ppo as it is by default, which so few steps cannot train
    named = rl_vs_rules.groups(small.suite.methods)
    named |= {name: replace(group, name="ppo") for name, group in named.items() if group.role == "agent"}
    monkeypatch.setattr(rl_vs_rules, "groups", lambda methods: named)
    words = [
        "workers=1",
        "frozen=null",
        f"ledger={tmp_path / 'ledger'}",
        "replayed=8",
        "--results",
        str(tmp_path),
    ]
    rl_vs_rules.main(words)
    with (tmp_path / "table.csv").open() as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert rows["periodic"]["train_seeds"] == "2" and rows["never"]["steps"] == "0"
    assert 0 < float(rows["periodic"]["steps"]) <= 600 and float(rows["periodic"]["cpu_seconds"]) > 0
    capsys.readouterr()
    rl_vs_rules.main([*words, "--from-committed"])
    told = capsys.readouterr().out
    assert "table.csv: computed again, equal" in told and "8 of 8 cells replayed to the bit" in told
    # one digit that no table shows is found
    cells = pl.read_parquet(tmp_path / "cells.parquet")
    first = cells["return"].to_numpy().copy()
    first *= 1 + 1e-15
    cells.with_columns(pl.Series("return", first)).write_parquet(tmp_path / "cells.parquet")
    with pytest.raises(SystemExit):
        rl_vs_rules.main([*words, "--from-committed"])
    assert "8 of 8" not in capsys.readouterr().out
