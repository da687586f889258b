"""Real ledgers of earlier schemas (tests/data) open, are shown and migrate."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from pathlib import Path

import polars as pl
import pytest
from bench_kit import frame
from click.testing import CliRunner

from mlopsim.bench.ledger import Ledger
from mlopsim.bench.repair import repair
from mlopsim.bench.table import FIRST

DATA = Path(__file__).parents[1] / "data"
#: a metric that leads, cells and fits of each grid
GRIDS = {"tiny-delivery-v1": ("return", 6, 1), "tiny-drift-v1": ("restricted_delay", 6, 2)}


@pytest.fixture(params=[1, 2])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[int, Path]:
    folder = Path(shutil.copytree(DATA / f"ledger_schema{request.param}", tmp_path / "r"))
    return request.param, folder


def grids(folder: Path) -> dict[str, str]:
    with Ledger.read(folder) as ledger:
        return {entry["title"]: entry["digest"] for entry in ledger.grids()}


def check_contents(folder: Path) -> None:
    """All numbers are those that stand in the old file, as metrics, whatever is an attribute today."""
    source = next(iter(folder.glob("ledger.sqlite.schema-*")), folder / "ledger.sqlite")
    db = sqlite3.connect(source)
    stored = {key: json.loads(text) for key, text in db.execute("SELECT key, metrics FROM cell")}
    curves = dict(db.execute("SELECT cell, count(*) FROM curve GROUP BY cell").fetchall())
    db.close()
    for title, digest in grids(folder).items():
        primary, count, fits = GRIDS[title]
        table = frame(folder, grid=digest)
        assert (
            table.height == count
            and set(table["status"]) == {"done"}
            and set(table["origin"]) == {"computed"}
        )
        metrics = set(stored[table["key"][0]])
        assert primary in metrics
        # no attributes: the metrics follow at once
        assert set(table.columns[len(FIRST) : len(FIRST) + len(metrics)]) == metrics
        for row in table.to_dicts():
            assert {name: repr(row[name]) for name in metrics} == {
                name: repr(float(value)) for name, value in stored[row["key"]].items()
            }
        with Ledger.read(folder) as ledger:
            assert {key: len(ledger.curves(key)) for key in table["key"]} == {
                k: curves.get(k, 0) for k in table["key"]
            }
            named = set(table["fit"].drop_nulls())
            assert len(named) == fits
            for key in named:
                assert ledger.fit_result(key).info and ledger.fit_result(key).attributes == {}


def test_it_is_read_and_left_as_it_is(old: tuple[int, Path]) -> None:
    _, folder = old
    before = (folder / "ledger.sqlite").read_bytes()
    check_contents(folder)
    assert repair(folder).kept_file is None
    assert (folder / "ledger.sqlite").read_bytes() == before


def test_it_migrates_when_it_is_written(old: tuple[int, Path]) -> None:
    version, folder = old
    before = (folder / "ledger.sqlite").read_bytes()
    with Ledger.open(folder) as ledger:
        assert ledger.rows("PRAGMA user_version") == [(3,)]
    assert (folder / f"ledger.sqlite.schema-{version}").read_bytes() == before
    check_contents(folder)
    assert repair(folder).kept_file is None


def test_status_and_export_show_it(old: tuple[int, Path], tmp_path: Path) -> None:
    from mlopsim.cli.commands.export import command as export
    from mlopsim.cli.commands.status import command as status

    _, folder = old
    for title, digest in grids(folder).items():
        said = CliRunner().invoke(status, [str(folder), "--grid", digest], catch_exceptions=False)
        assert said.exit_code == 0 and f"done: {GRIDS[title][1]} of {GRIDS[title][1]} cells" in said.output
        target = tmp_path / f"{title}.parquet"
        done = CliRunner().invoke(
            export, [str(folder), str(target), "--grid", digest], catch_exceptions=False
        )
        assert done.exit_code == 0
        assert pl.read_parquet(target).equals(frame(folder, grid=digest, order="key"))


@pytest.mark.parametrize("title", GRIDS)
@pytest.mark.parametrize("old", [pytest.param(1, marks=pytest.mark.slow), 2], indirect=True)
def test_a_report_is_made_of_it(old: tuple[int, Path], title: str) -> None:
    from mlopsim.cli.commands.report import command as report

    _, folder = old
    said = CliRunner().invoke(report, [str(folder), "--grid", grids(folder)[title]], catch_exceptions=False)
    assert said.exit_code == 0, said.output
    page = (folder / "report.html").read_text()
    assert title in page
    for method in set(frame(folder, grid=grids(folder)[title])["method"]):
        assert method in page


@pytest.mark.parametrize("version", [1, 2])
def test_the_data_name_no_host_path_or_command(version: int) -> None:
    file = DATA / f"ledger_schema{version}" / "ledger.sqlite"
    raw = file.read_bytes()
    assert len(raw) < 100_000
    assert not re.search(rb"/(home|root|tmp|work|usr|Users)\b|\\Users|\"command\"|\"host\":|\"pid\"", raw)
    db = sqlite3.connect(file)
    assert db.execute("SELECT host FROM cell UNION SELECT host FROM fit").fetchall() == [("host",)]
    db.close()
