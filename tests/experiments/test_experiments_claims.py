"""A claim's suite is frozen with its agents, and what was searched for it is logged."""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import _claims  # noqa: E402
import _common  # noqa: E402

from mlopsim.bench.suite import Suite  # noqa: E402
from mlopsim.compose import load_suite  # noqa: E402
from mlopsim.core.spec import part_of  # noqa: E402
from mlopsim.delivery.selectors.ppo import PPO  # noqa: E402
from mlopsim.tracks.delivery.track import DeliveryTrack  # noqa: E402


def test_the_claims_suite_and_its_agents_are_what_was_frozen() -> None:
    """A failure here: something chosen has changed. Raise the suite's version, freeze it anew, then run."""
    frozen = _common.read_settings(ROOT / "conf/experiment/rl_vs_rules.yaml")["frozen"]
    suite = load_suite("rl-vs-rules").suite
    _claims.check_frozen(suite, frozen)
    # a default that an agent was not given in the suite counts, too
    ppo = next(method for method in suite.methods if method.attributes["family"] == "agent")
    params = {**ppo.part["params"], "learning_rate": 2 * PPO().learning_rate}
    other = replace(ppo, part={**ppo.part, "params": params})
    suite.methods = [other if method is ppo else method for method in suite.methods]
    with pytest.raises(SystemExit, match="raise the suite's version"):
        _claims.check_frozen(suite, frozen)
    assert _claims.chosen(params) == params


def test_the_log_keeps_every_search(tmp_path: Path) -> None:
    from mlopsim.bench.runner import run

    stream = {"synthetic": {"windows": 24, "rows": 10, "warmup": 5}}
    for steps in (1500, 2000):
        track: Any = DeliveryTrack(steps=steps, scenarios=3, train_stream=stream)
        suite = Suite(
            name="claim",
            track=part_of(track),
            tasks=track.tasks([{"name": "t", "stream": stream}]),
            methods=track.methods(["periodic"]),
            seeds=[0],
        )
        folder = tmp_path / f"ledger{steps}"
        assert run(suite, track, folder, workers=1).complete
        path = _claims.write_search_log(folder, tmp_path)
        # writing it again adds nothing
        assert _claims.write_search_log(folder, tmp_path) == path
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    # the search of the first ledger stays when the second one is logged
    assert [int(row["steps"]) for row in rows] == [1500, 2000]
    for row in rows:
        assert row["status"] == "done" and int(row["steps_used"]) <= int(row["steps"])
        assert int(row["tried"]) > 1 and "every" in row["chosen"] and row["suite"] == "claim-v1"
        assert row["fit"].startswith("tune periodic")
