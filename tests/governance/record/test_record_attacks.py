"""The tamper matrix: what every level reports is what the committed table says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import _common
import pytest
import tamper_matrix

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = _common.read_settings(ROOT / "conf/experiment/tamper_matrix.yaml")


def test_which_level_finds_which_attack() -> None:
    table = tamper_matrix.matrix(SETTINGS, list(tamper_matrix.targets(2)))
    assert len(SETTINGS["attacks"]) == 16
    assert {row["attack"] for row in table} == {*SETTINGS["attacks"], *SETTINGS["beyond"]}
    wrong = [row for row in table if not row["as_expected"]]
    assert len(table) == 18 * 3 - 2 and not wrong, wrong


def test_a_table_that_is_wrong_is_noticed(tmp_path: Path) -> None:
    """Negative: another table, and the comparison fails."""
    attacks: dict[str, Any] = {"drop_tail": {**SETTINGS["attacks"]["drop_tail"], "log_head": [1, 1, 1, 1]}}
    settings = {**SETTINGS, "attacks": attacks, "beyond": {}}
    rows = tamper_matrix.matrix(settings, list(tamper_matrix.targets(1)))
    assert [row["as_expected"] for row in rows] == [True, False, True]


HEADS = ROOT / "results/tamper_matrix/heads.csv"


def test_the_committed_heads_are_those_of_today() -> None:
    """A second trust domain, across machines: decisions taken here have the roots that git knows."""
    from mlopsim.governance.record.heads import heads_of, read_heads
    from mlopsim.governance.record.making import make_record

    if not HEADS.is_file():
        pytest.skip("no heads are committed yet: experiments/tamper_matrix.py writes them")
    known = {entry.cell: entry for entry in read_heads(HEADS)}
    made = tamper_matrix.study(1)
    some = tamper_matrix.cells(made, 4)
    if not any(cell.key in known for cell in some):
        pytest.skip(
            "the committed heads are of other versions of components: run experiments/tamper_matrix.py"
        )
    for cell in some:
        found = heads_of(make_record(made.track.redeploy(cell, {})))
        assert (found.records, found.decisions) == (known[cell.key].records, known[cell.key].decisions)


@pytest.mark.slow
def test_the_same_roots_in_another_process(tmp_path: Path) -> None:
    tamper_matrix.main(["records=3", "deployments=12", "--results", str(tmp_path)])
    assert (tmp_path / "roots.csv").read_text().splitlines()[1].startswith("12,")
