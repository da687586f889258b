"""The example of a track, run by the command with the preset that CONTRIBUTING shows."""

from __future__ import annotations

import re
from pathlib import Path

from cli_kit import Bench, mlopsim

from mlopsim.core.registry import forget_plugins

ROOT = Path(__file__).parents[2]


def test_a_leaderboard_without_intervals_is_printed(bench: Bench) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = re.search(r"```yaml\n(# @package _global_\n.*?)```", text, flags=re.DOTALL)
    assert found is not None
    bench.preset("suite/mine", found.group(1))
    plugin = ROOT / "examples" / "plugins" / "track"
    words = ["suite=mine", "executor=serial", f"results={bench.results}", "--conf", bench.conf]
    try:
        ended = mlopsim("bench", *words, "--plugin", plugin)
    finally:
        forget_plugins()
    assert ended.code == 0, ended.err
    assert "20 of 20 cells done" in ended.out
    head, *rows = ended.out.split("mine-v1")[1].strip().splitlines()[:3]
    assert head.split() == ["method", "distance", "low", "high", "n"]
    assert [row.split()[0] for row in rows] == ["median", "mean"]
    # no interval is named as one, so none is explained
    assert "95 %" not in ended.out
