"""``mlopsim serving`` and ``mlopsim export-registry``: from a folder of results to what served when."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from cli_kit import Bench, mlopsim


@pytest.fixture
def key(done: Bench) -> str:
    return str(done.cells().filter(method="periodic", seed=0)["key"][0])


def run(*words: object, code: int = 0) -> str:
    """Run a command; return what it printed, or the one message that it ended with."""
    ended = mlopsim(*words)
    assert ended.code == code, ended.err + ended.out
    if code == 2:
        assert ended.err.count("error: ") == 1 and ended.err.count("remedy: ") == 1, ended.err
        assert "Traceback" not in ended.err
    return ended.err if code == 2 else ended.out


def test_what_served_when_is_what_the_ledger_holds(bench: Bench) -> None:
    from mlopsim.bench.ledger import Ledger

    done = bench
    assert done("--no-report", "tasks=small", "seeds=1", "methods=[{periodic: {every: 3}}]").code == 0
    key = str(done.cells().filter(method="periodic(every=3)")["key"][0])
    with Ledger.read(done.results) as ledger:
        stored = ledger.outcome(key).curves["served"]
    found = json.loads(run("serving", done.results, key[:8], "--json"))
    told = [int(one["served"]) for one in found["serving"] for _ in range(one["windows"])]
    assert told == stored.tolist() and found["key"] == key and len(set(told)) > 1
    first = found["serving"][0]["first"]
    text = run("serving", done.results, key)
    for version in found["versions"]:
        assert f"\n{version['number']} " in text or f" {version['number']} " in text
    window = first + len(stored) - 1
    text = run("serving", done.results, key, "--at", window, "--rebuild")
    assert f"version {stored[-1]} served" in text and "no reviewer was asked" in text
    assert "bit by bit" in text
    one = json.loads(run("serving", done.results, key, "--at", window, "--json"))
    assert one["version"]["number"] == stored[-1] and one["serving"]["last"] == window


def test_overrides_on_record_are_honoured(done: Bench, key: str) -> None:
    say = ["--by", "Ann", "--reason", "complaints"]
    run("audit-log", "write", done.results, key, "--override", "9=retrain", *say)
    found = json.loads(run("serving", done.results, key, "--json"))
    assert found["overrides"][0]["by"] == "Ann"
    decided = [v["decided_by"] for v in found["versions"] if v["decided"] == 9]
    assert decided == ["oversight"]
    assert "override on record, honoured" in run("serving", done.results, key)
    # a record that somebody changed is not gone by
    place = done.results / "records" / key / "decisions.jsonl"
    place.write_bytes(place.read_bytes().replace(b'"retrain"', b'"retrair"', 1))
    run("serving", done.results, key, code=2)


def test_exports_to_files(done: Bench, key: str, tmp_path: Path) -> None:
    from mlopsim.governance.lineage.rebuild import rebuild
    from mlopsim.governance.lineage.version import read_versions

    path = tmp_path / "versions.jsonl"
    assert "version records in" in run("export-registry", done.results, key, "--to", f"versions:{path}")
    records = read_versions(path)
    assert len(records) > 1 and {record.cell for record in records} == {key}
    rebuild(records[-1])
    lines = tmp_path / "lineage.jsonl"
    run("export-registry", done.results, key, "--to", f"openlineage:{lines}")
    assert {json.loads(line)["job"]["name"] for line in lines.read_text().splitlines()} >= {"train", "serve"}
    card = tmp_path / "card.md"
    run("export-registry", done.results, key, "--to", f"card:{card}", "--at", 4)
    assert yaml.safe_load(card.read_text().split("---\n")[1])["library_name"] == "mlopsim"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["serving", "--at", 99], "nothing served window 99"),
        (["serving", "--rebuild"], "--rebuild is of one version"),
        (["export-registry", "--to", "sqlite:///{there}"], "no SQLite database"),
        (["export-registry", "--to", "mlruns"], "its address must begin with sqlite:"),
        (["export-registry", "--to", "versions:{there}"], "cannot write to"),
        (["export-registry", "--to", "versions:{there}.jsonl"], "exists"),
        (["export-registry", "--to", "versions:a.jsonl", "--at", 5], "holds the whole deployment"),
        (["export-registry", "--to", "card:a.md", "--name", "x"], "--name is of a registry"),
        (["export-registry", "--to", "card:a.md", "--at", 99], "nothing served window 99"),
    ],
)
def test_what_cannot_be_is_one_message(
    words: list[object], message: str, done: Bench, key: str, tmp_path: Path
) -> None:
    there = tmp_path / "there.txt"
    there.write_text("here before me")
    (tmp_path / "there.txt.jsonl").write_text("here before me")
    command, *rest = words
    rest = [word.format(there=there) if isinstance(word, str) else word for word in rest]
    assert message in run(command, done.results, key, *rest, code=2)
    assert there.read_text() == "here before me"


def test_an_oracle_has_a_history_and_other_tracks_have_none(done: Bench) -> None:
    key = str(done.cells().filter(method="oracle", seed=0)["key"][0])
    found = json.loads(run("serving", done.results, key, "--json"))
    assert sum(one["windows"] for one in found["serving"]) == 12
