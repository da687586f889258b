"""Parts of a grid: how it is dealt, fits that are made once, a shard that goes on."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from bench_kit import frame, go, suite, toy

from mlopsim.bench import made_by
from mlopsim.bench.disks import DiskWarning, network_disk
from mlopsim.bench.grid import expand
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.made_by import ABOVE, code_of_here
from mlopsim.bench.shards import Shard, absent, of_runs, sizes
from mlopsim.core.errors import ConfigError, LedgerError

METHODS = ["x", "y", "fit-z"]


def grid(seeds: int = 12, methods: Any = METHODS) -> Any:
    track = toy()
    return expand(suite(track, methods, seeds=seeds), track), track


@pytest.mark.parametrize("of", [1, 2, 5, 100])
def test_every_cell_is_in_one_shard_and_bundles_stay_whole(of: int) -> None:
    whole, track = grid()
    shards = [Shard(number=number, of=of).deal(whole.cells, track) for number in range(1, of + 1)]
    assert Counter(c.key for part in shards for c in part) == Counter(c.key for c in whole.cells)
    homes: dict[str, set[int]] = {}
    for number, part in enumerate(shards):
        for cell in part:
            homes.setdefault(track.bundle(cell), set()).add(number)
    assert all(len(home) == 1 for home in homes.values())
    assert sizes(whole.cells, track, of) == [len(part) for part in shards]


def test_where_a_bundle_goes_depends_on_nothing_else() -> None:
    few, track = grid(seeds=4, methods=["x"])
    many, _ = grid(seeds=12)
    third = Shard.parse("2/3")
    there = {cell.key for cell in third.deal(many.cells, track)}
    assert {cell.key for cell in third.deal(few.cells, track)} == there & {cell.key for cell in few.cells}
    # dealt evenly enough: 4000 bundles, each shard within five standard deviations of a quarter
    counts = Counter(
        Shard(number=n, of=4).holds(f"bundle {b}") * n for b in range(4000) for n in (1, 2, 3, 4)
    )
    assert all(abs(counts[n] - 1000) < 5 * (4000 * 3 / 16) ** 0.5 for n in (1, 2, 3, 4))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("17/16", "there is no shard 17 of 16"),
        ("0/16", "there is no shard 0 of 16"),
        ("1/0", "cannot be dealt to 0 shards"),
        ("3", "NUMBER/COUNT, got '3'"),
        ("third", "NUMBER/COUNT, got 'third'"),
        ("-1/4", "NUMBER/COUNT"),
        ("1.5/4", "NUMBER/COUNT"),
        ("1/4/2", "NUMBER/COUNT"),
        ("", "NUMBER/COUNT"),
    ],
)
def test_no_such_shard_is_one_message_before_anything_is_made(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)) as caught:
        go(tmp_path / "r", ["x"], executor="serial", shard=text)
    assert caught.value.remedy and not (tmp_path / "r").exists()


def test_a_shard_registers_all_and_runs_its_own(tmp_path: Path) -> None:
    whole, track = grid()
    mine = {cell.key for cell in Shard.parse("2/3").deal(whole.cells, track)}
    summary = go(tmp_path, METHODS, executor="serial", seeds=12, shard="2/3")
    assert summary.complete and summary.counts.total == len(mine) < len(whole.cells)
    table = frame(tmp_path)
    assert len(table) == len(whole.cells)
    assert set(table.filter(table["status"] == "done")["key"].to_list()) == mine
    again = go(tmp_path, METHODS, executor="serial", seeds=12, shard="2/3")
    assert again.counts.cached == len(mine) and not again.run
    with Ledger.read(tmp_path) as ledger:
        (run,) = ledger.runs()
        assert run["record"]["shard"] == "2/3" and run["record"]["dealt"] == len(mine)
        assert run["record"]["code"] == code_of_here() and not set(ABOVE) & set(code_of_here())


def test_a_shard_that_nothing_was_dealt_to_has_been_there(tmp_path: Path) -> None:
    whole, track = grid(seeds=1, methods=["x"])
    empty = sizes(whole.cells, track, 50).index(0) + 1
    for _ in range(2):
        assert go(tmp_path, ["x"], executor="serial", seeds=1, shard=f"{empty}/50").complete
    with Ledger.read(tmp_path) as ledger:
        assert of_runs(ledger.runs(), whole.digest) == [Shard(number=empty, of=50)]
        assert [run["status"] for run in ledger.runs()] == ["finished"]
    assert absent([Shard.parse("2/2")]) == "shard 1 of 2"


def test_fits_are_made_once_and_taken(tmp_path: Path) -> None:
    log = tmp_path / "log"
    track = toy(log=str(log))
    made = go(tmp_path / "fits", METHODS, track=track, executor="serial", fits_only=True)
    assert made.counts.fits_done == 4 and made.counts.total == 0 and made.complete
    again = go(tmp_path / "fits", METHODS, track=track, executor="serial", fits_only=True)
    assert again.counts.fits_cached == again.counts.fits_total and not again.run
    before = log.read_text().count("fit ")
    for number in (1, 2):
        folder = tmp_path / str(number)
        taken = go(
            folder, METHODS, track=track, executor="serial", shard=f"{number}/2", fits=tmp_path / "fits"
        )
        assert taken.complete and taken.counts.fits_done == 0
        with Ledger.read(folder) as ledger, Ledger.read(tmp_path / "fits") as source:
            # with those that they stand on, and the run that made them: `rerun --deep` finds all of it
            rows = "SELECT * FROM fit ORDER BY key"
            assert ledger.rows(rows) == source.rows(rows)
            assert {run["id"] for run in source.runs()} < {run["id"] for run in ledger.runs()}
    assert log.read_text().count("fit ") == before
    alone = go(tmp_path / "alone", METHODS, track=track, executor="serial")
    assert alone.counts.fits_done == made.counts.fits_done


def test_a_fit_that_failed_there_is_not_made_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    track = toy(log=str(log))
    made = go(tmp_path / "fits", ["x", "fit-raise"], track=track, executor="serial", fits_only=True)
    assert made.counts.fits_failed == 4 and not made.counts.fits_done
    before = log.read_text()
    taken = go(tmp_path / "r", ["x", "fit-raise"], track=track, executor="serial", fits=tmp_path / "fits")
    assert taken.counts.done == 6 and taken.counts.failed == 6
    assert log.read_text().count("fit ") == before.count("fit ")
    assert "the fit" in taken.failures[0].error


def test_fits_that_cannot_be_taken_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LedgerError, match="no ledger in"):
        go(tmp_path / "r", METHODS, executor="serial", fits=tmp_path / "nowhere")
    assert not (tmp_path / "r").exists()
    go(tmp_path / "fits", ["x", "fit-a"], executor="serial", fits_only=True)
    with pytest.raises(ConfigError, match=r"lacks 2 of the 2 fits.*first: fit-z") as caught:
        go(tmp_path / "r", METHODS, executor="serial", fits=tmp_path / "fits")
    assert "--fits-only" in (caught.value.remedy or "")
    with pytest.raises(ConfigError, match="is the results folder itself"):
        go(tmp_path / "fits", METHODS, executor="serial", fits=tmp_path / "fits")
    with pytest.raises(ConfigError, match="made once, for all shards"):
        go(tmp_path / "r", METHODS, executor="serial", shard="1/2", fits_only=True)
    with pytest.raises(ConfigError, match="to be made, too"):
        go(tmp_path / "r", METHODS, executor="serial", fits=tmp_path / "fits", fits_only=True)
    other = {**made_by.maker_here(), "code of mlopsim/drift": "0f"}
    monkeypatch.setattr("mlopsim.bench.given_fits.maker_here", lambda: other)
    with pytest.raises(
        ConfigError, match=r"fits was computed by other code than what runs here: code of mlopsim/drift"
    ):
        go(tmp_path / "r", ["x", "fit-a"], executor="serial", fits=tmp_path / "fits")


def test_a_shard_does_not_go_on_with_other_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go(tmp_path, ["x"], executor="serial", shard="1/1", seeds=1)
    before = (tmp_path / "ledger.sqlite").stat().st_size
    other = {**made_by.maker_here(), "numpy": "1.0"}
    monkeypatch.setattr(made_by, "maker_here", lambda: other)
    with pytest.raises(ConfigError, match=r"other code than what runs here: numpy is .*, not 1\.0"):
        go(tmp_path, ["x"], executor="serial", shard="1/1", seeds=1)
    assert (tmp_path / "ledger.sqlite").stat().st_size == before


def test_a_network_disk_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    place = tmp_path / "a b"
    named = str(place).replace(" ", "\\040")
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nfs@tcp:/x {named} lustre rw 0 0\n")
    monkeypatch.setattr("mlopsim.bench.disks.MOUNTS", mounts)
    with pytest.warns(DiskWarning, match=r"network disk \(lustre\)"):
        go(place, ["x"], executor="serial", seeds=1)
    assert network_disk(tmp_path) == "" and network_disk(place / "deep" / "er") == "lustre"
    monkeypatch.setattr("mlopsim.bench.disks.MOUNTS", tmp_path / "nothing")
    assert network_disk(place) == ""
