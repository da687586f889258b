"""Numbers of committed results by their names."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mlopsim.compose.named_numbers import look_up, read_published
from mlopsim.core.errors import ConfigError

RESULTS = Path(__file__).resolve().parents[2] / "results"


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in RESULTS.glob("*/leaderboard.csv")))
def test_every_committed_number_has_a_name(folder: str) -> None:
    board = read_published(RESULTS / folder)
    with (RESULTS / folder / "leaderboard.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    numbers = board.numbers()
    assert len(numbers) == len(rows) * len(board.intervals)
    for row in rows:
        for column in board.intervals:
            found = numbers[f"{board.suite}/{row['method']}/{column}"]
            assert repr(found.value) == repr(float(row[column])) and found.n == int(row[f"{column}_n"])


def test_a_number_is_looked_up_with_and_without_a_version() -> None:
    title = read_published(RESULTS / "quick").title
    assert look_up(RESULTS, "quick/never/ns") == look_up(RESULTS, f"{title}/never/ns")
    assert look_up(RESULTS, "quick/never/ns").text(1) == "0.0 [0.0, 0.0]"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("quick/never", "is no name of a number"),
        ("quicc/never/ns", "no committed result 'quicc'"),
        ("quick-v0/never/ns", "what is committed of quick is quick-v"),
        ("quick/nevr/ns", "has no method 'nevr', did you mean 'never'?"),
        ("quick/never/nss", "has no number 'nss'"),
        ("quick/never/ns_low", "has no number 'ns_low'"),
    ],
)
def test_a_name_that_is_not_there_is_refused(name: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        look_up(RESULTS, name)
    assert says.split(", did")[0] in caught.value.message and caught.value.remedy
