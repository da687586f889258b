"""What the leaderboard looks like in a terminal, and in a pipe."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from mlopsim.cli.terminal_tables import print_leaderboard
from mlopsim.compose.report_page import read_board
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import interval_columns

METHODS = ["error_threshold", "never"]


def board() -> pl.DataFrame:
    columns: dict[str, object] = {"method": METHODS}
    for name in ("ns", "regret", "p_improvement", "accuracy"):
        whole = Interval(value=0.625, low=0.5, high=0.75, n=10)
        empty = Interval(value=float("nan"), n=0, reason=f"why {name} is undefined")
        columns |= interval_columns(name, [whole, empty])
    columns["p_improvement_cells"] = [30, 0]
    columns["p_improvement_reference"] = ["never"] * 2
    return pl.DataFrame(columns)


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    print_leaderboard(board(), "tiny-v1")
    return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()


def test_a_pipe_gets_every_column_and_the_reference(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys)
    assert lines[1].split() == ["method", "ns", "n", "regret", "p_improvement", "accuracy"]
    values = ["0.625", "[0.500,", "0.750]", "10", "0.625", "[0.500,", "0.750]", "0.625", "0.625"]
    assert lines[2].split() == ["error_threshold", *values]
    assert "p_improvement: against never" in lines
    assert "– : why accuracy is undefined" in lines
    assert not any("too wide" in line for line in lines)


def test_attributes_that_tell_nothing_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    facts = {"family": ["rule", "control"], "reads": ["errors"] * 2, "stage": [None, None]}
    frame = board().with_columns(pl.Series(name, values) for name, values in facts.items())
    print_leaderboard(frame, "tiny-v1")
    head = capsys.readouterr().out.splitlines()[1].split()
    assert head[-1] == "family" and not {"reads", "stage"} & set(head)


@pytest.mark.parametrize("width", [45, 70, 84, 200])
def test_a_terminal_never_cuts_a_number(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    lines = printed(capsys)
    assert all(len(line) <= width for line in lines)
    heads = lines[1].split()
    every = ["method", "ns", "n", "regret", "p_improvement", "accuracy"]
    assert heads == every[: len(heads)]
    assert len(heads) == {45: 3, 70: 4, 84: 5, 200: 6}[width]
    assert (
        lines[2].split()[: len(heads)]
        == ["error_threshold", "0.625", "[0.500,", "0.750]", "10", "0.625"][: len(heads)]
    )
    assert "…" not in "".join(lines)
    text = " ".join(" ".join(lines).split())
    left_out = every[len(heads) :]
    if left_out:
        assert f"too wide for this terminal: {', '.join(left_out)}; see leaderboard.csv" in text
    assert ("against never" in text) == ("p_improvement" in heads)
    assert ("why accuracy" in text) == ("accuracy" in heads)


def test_a_leaderboard_that_is_read_again_is_the_same(tmp_path: Path) -> None:
    names = ["1", "007"]
    frame = board().with_columns(method=pl.Series(names), ns_reason=pl.Series(["", "1.0"]))
    frame.write_csv(tmp_path / "leaderboard.csv")
    read = read_board(tmp_path / "leaderboard.csv")
    assert read["method"].to_list() == names and read["ns_reason"].to_list() == ["", "1.0"]
    assert read.schema == frame.schema and read.drop("ns_reason").equals(frame.drop("ns_reason"))
