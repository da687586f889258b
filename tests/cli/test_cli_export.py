"""Exports for papers."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from cli_kit import Bench, mlopsim

ROOT = Path(__file__).resolve().parents[2]


def test_the_leaderboard_in_every_format(done: Bench) -> None:
    table = mlopsim("export", done.results, "--format", "latex")
    assert table.code == 0 and r"\begin{tabular}" in table.out and "never & " in table.out
    ended = mlopsim("export", done.results, "numbers.tex", "--format", "macros")
    assert ended.code == 0 and "{tiny-v1-modified/never/ns}" in Path("numbers.tex").read_text()
    assert mlopsim("export", done.results, "board.parquet", "--leaderboard").code == 0
    assert pl.read_parquet("board.parquet")["method"].to_list().count("never") == 1
    assert mlopsim("export", done.results, "--leaderboard").out.startswith("method,")


def test_what_is_committed_needs_no_ledger() -> None:
    ended = mlopsim("export", ROOT / "results" / "quick", "--format", "latex", "--columns", "regret,cells")
    assert ended.code == 0 and r"method & regret & n & cells \\" in ended.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["x.tex", "--format", "latex", "--columns", "nss"], "has no column 'nss'"),
        (["x.csv", "--format", "latex"], "do not agree"),
        (["--columns", "ns"], "are of LaTeX"),
        (["--format", "macros", "--columns", "ns"], "--columns is of a table"),
        (["--format", "latex", "--numbers"], "a leaderboard has no cells"),
        (["--leaderboard", "--format", "parquet"], "parquet is not printed"),
        (["x.json", "--leaderboard"], "cannot export to"),
        (["--format", "latex", "--grid", "ffff"], "not ffff"),
    ],
)
def test_what_does_not_go_together_is_refused(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = mlopsim("export", ROOT / "results" / "quick", *words)
    assert ended.code == 2 and says in ended.err and "remedy: " in ended.err
    assert not list(tmp_path.iterdir())
