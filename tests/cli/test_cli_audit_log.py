"""``mlopsim audit-log``: written, verified, proved; what cannot be is one message with a remedy."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Bench, mlopsim


@pytest.fixture
def key(done: Bench) -> str:
    return str(done.cells().filter(method="periodic", seed=0)["key"][0])


def log(*words: object, code: int = 0) -> str:
    """Run the command; return what it printed, or the one message that it ended with."""
    ended = mlopsim("audit-log", *words)
    assert ended.code == code, ended.err + ended.out
    if code == 2:
        assert ended.err.count("error: ") == 1 and ended.err.count("remedy: ") == 1, ended.err
        assert "Traceback" not in ended.err
    return ended.err if code == 2 else ended.out


def test_written_verified_and_proved(done: Bench, key: str, tmp_path: Path) -> None:
    place = done.results / "records" / key
    # first as it stood after window 9, then whole
    log("write", done.results, key[:8], "--until", 9)
    head = tmp_path / "old.head"
    shutil.copy(place / "decisions.head", head)
    text = log("verify", done.results, key, "--until", 9, code=1)
    assert "the decisions are truncated" in text and "replayed: passed" in text
    assert "internal: passed" in text and "the deployment goes on after it" in text
    assert "35 records" not in log("write", done.results, key)
    text = log("verify", done.results, key, "--head", head)
    assert text.count(": passed") == 3 and "anchored up to record" in text and "old.head" in text
    # the heads are those of the ledger
    log("heads", done.results)
    rows = (done.results / "heads.csv").read_text().splitlines()
    assert rows[0] == "cell,records,decisions,evidence" and len(rows) == 1 + 6
    assert "heads.csv" in log("verify", done.results, key, "--level", "anchored")
    proof = tmp_path / "a.tlog-proof"
    assert "holds: record" in log("prove", done.results, key, "--window", 9, "--out", proof)
    assert '"kind":"window"' in log("check", proof, "--head", place / "decisions.head")
    log("check", proof, "--head", head, code=1)
    log("prove", done.results, key, "--since", head)
    growth = next(place.glob("*.consistency"))
    assert "begins with the" in log("check", growth, "--head", head)
    # a proof of something else
    other = proof.read_text().replace("index ", "index 1", 1)
    proof.write_text(other)
    log("check", proof, code=1)


def test_overrides_stay_on_record(done: Bench, key: str) -> None:
    say = ["--by", "Ann [/red]", "--reason", "\x1b[31m<b>complaints</b>"]
    log("write", done.results, key, "--override", "9=retrain", *say)
    text = log("verify", done.results, key, code=1)
    # anybody could have made it up: only what was published can tell
    assert "replayed: passed" in text and "anchored: FAILED" in text
    assert "override honoured: window 9, retrain, by Ann [/red]: \\x1b[31m<b>complaints</b>" in text
    # written again, it is still there
    log("write", done.results, key)
    assert "override honoured" in log("verify", done.results, key, code=1)


def test_pruned_payloads(done: Bench, key: str) -> None:
    log("write", done.results, key)
    assert "their leaves are there" in log("prune", done.results, key, "--keep", 4)
    assert "by policy, which keeps the last 4 windows" in log("verify", done.results, key, "--keep", 4)
    assert "no retention was given" in log("verify", done.results, key, code=1)
    # nothing comes back by writing the record again
    log("write", done.results, key)
    assert "no retention was given" in log("verify", done.results, key, code=1)


def test_what_was_tampered_with_is_told(done: Bench, key: str) -> None:
    log("write", done.results, key)
    path = done.results / "records" / key / "decisions.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-3]))
    text = log("verify", done.results, key, code=1)
    assert text.count("FAILED") == 3 and text.count("remedy: ") >= 3
    # it is not written over, but kept as it is for who wants to know
    assert "is no sound record of the cell" in log("write", done.results, key, code=2)
    assert len(path.read_text().splitlines()) == len(lines) - 3
    # sound in itself, but another one
    shutil.rmtree(path.parent)
    log("write", done.results, key, "--override", "9=retrain", "--by", "a", "--reason", "b")
    text = (path.parent / "decisions.jsonl").read_text()
    assert '"override"' in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["write", "DIR", "zzzz"], "no cell begins with 'zzzz'"),
        (["write", "DIR", "KEY", "--until", 99], "no window 99"),
        (
            ["write", "DIR", "KEY", "--override", "99=keep", "--by", "a", "--reason", "b"],
            "no decision at window 99",
        ),
        (["write", "DIR", "KEY", "--override", "9=keep"], "who decided and why"),
        (["write", "DIR", "KEY", "--by", "a"], "of an override"),
        (["write", "nowhere", "KEY"], "no ledger in"),
        (["verify", "DIR", "KEY", "--heads", "none.csv"], "no heads at"),
        (["verify", "DIR", "KEY", "--head", "none.head"], "no head at"),
        (["verify", "DIR", "OTHER"], "there is no record of cell"),
        (["prove", "DIR", "KEY", "--window", 99], "no window 99"),
        (["prove", "DIR", "KEY", "--record", 999], "no record 999"),
        (["prove", "DIR", "KEY"], "say what to prove"),
        (["prove", "DIR", "KEY", "--window", 9, "--record", 3], "say what to prove"),
        (["prove", "DIR", "KEY", "--since", "cut.head"], "truncated: 2 of its 3 lines"),
        (["check", "nowhere.tlog-proof"], "no proof at"),
        (["check", "cut.head"], "this is no proof"),
        (["heads", "nowhere"], "no ledger in"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_errors_are_one_message_with_a_remedy(words: list[Any], said: str, done: Bench, key: str) -> None:
    log("write", done.results, key)
    Path("cut.head").write_text("mlopsim/x/decisions\n3\n")
    other = str(done.cells().filter(method="never", seed=0)["key"][0])
    named = {"DIR": done.results, "KEY": key, "OTHER": other}
    assert said in log(*(named.get(str(word), word) for word in words), code=2)


@pytest.mark.parametrize("gone", ["decisions.jsonl", "evidence.jsonl", "decisions.head", "all emptied"])
def test_what_is_gone_from_a_record_is_a_finding(done: Bench, key: str, gone: str) -> None:
    log("write", done.results, key)
    place = done.results / "records" / key
    for path in place.iterdir() if gone == "all emptied" else [place / gone]:
        path.write_bytes(b"") if gone == "all emptied" else path.unlink()
    text = log("verify", done.results, key, "--level", "anchored", code=1)
    assert "internal: FAILED" in text and ("not there" in text or "truncated" in text)
    # whatever reads the record goes no further, and writes nothing over what is left
    for words in (["audit-log", "write"], ["audit-log", "prune", "--keep", "3"], ["serving"]):
        ended = mlopsim(*words[:2], done.results, key, *words[2:])
        assert ended.code == 2 and ended.err.count("remedy: ") == 1, ended.err + ended.out


def test_a_record_of_another_cell_and_a_truncated_head(done: Bench, key: str) -> None:
    other = str(done.cells().filter(method="never", seed=0)["key"][0])
    log("write", done.results, other)
    records = done.results / "records"
    shutil.copytree(records / other, records / key)
    text = log("verify", done.results, key, code=1)
    assert text.count(f"the log is of another cell ({other})") == 2
    assert "decisions.head is of another cell or log" in text and "under its own key" in text
    assert "is of another cell" in log("write", done.results, key, code=2)
    shutil.rmtree(records / key)
    log("write", done.results, key)
    head = records / key / "decisions.head"
    head.write_text(head.read_text()[:-10])
    text = log("verify", done.results, key, "--level", "internal", code=1)
    assert re.search(r"decisions.head is truncated.*\n    remedy: ", text), text
    head.write_bytes(b"\xff\xfe")
    assert "is no text" in log("verify", done.results, key, code=2)


def test_cells_without_heads_are_not_anchored_and_other_tracks_have_no_record(bench: Bench) -> None:
    assert bench("--no-report", "tasks=small", "seeds=1", "delivery.record=false").code == 0
    key = str(bench.cells().filter(method="periodic")["key"][0])
    log("write", bench.results, key)
    text = log("verify", bench.results, key, code=1)
    assert "no head of the decisions" in text and "delivery.record=true" in text
    assert "replayed: passed" in text
    # what was written can be published
    log("heads", bench.results, "--out", "heads.csv")
    assert log("verify", bench.results, key, "--heads", "heads.csv").count("passed") == 3
    shutil.rmtree(bench.results / "records")
    assert "no cell in" in log("heads", bench.results, code=2)


def test_heads_that_somebody_took_out_of_the_ledger_are_missed(done: Bench, key: str) -> None:
    from mlopsim.bench.ledger import Ledger, Provenance

    log("write", done.results, key)
    log("heads", done.results)
    with Ledger.open(done.results) as ledger:
        stored = ledger.outcome(key)
        ledger._db.execute("DELETE FROM cell WHERE key=?", (key,))
        stored.attributes = {name: v for name, v in stored.attributes.items() if "root" not in name}
        del stored.attributes["record_size"]
        ledger.record_cell(key, stored, Provenance(run="r"))
    text = log("verify", done.results, key, "--level", "anchored", code=1)
    assert "the ledger has no head of the decisions" in text and "must have had one" in text
    assert "anchored up to record" in text


def test_the_report_shows_the_heads(done: Bench, key: str) -> None:
    from mlopsim.compose.results import open_results
    from mlopsim.core.spec import make

    section = make("section", "delivery-records").make(open_results(done.results))
    table = section.table
    assert table.columns[4:] == ["record_size", "decisions_root", "evidence_root"]
    assert len(table) == 6 and key in table["key"].to_list()


def test_a_pruned_record_proves_its_leaf_only(done: Bench, key: str) -> None:
    log("write", done.results, key)
    log("prune", done.results, key, "--keep", 2)
    assert "its payload is gone" in log("prove", done.results, key, "--record", 2)
    assert "it holds windows" in log("prove", done.results, key, "--window", 5, code=2)


def test_nothing_that_a_folder_holds_is_run(done: Bench, key: str) -> None:
    """Records are JSON and text; what is no record is told, not read as anything else."""
    log("write", done.results, key)
    path = done.results / "records" / key / "evidence.jsonl"
    path.write_bytes(b"\x80\x04cos\nsystem\n(S'touch hacked'\ntR.\n")
    text = log("verify", done.results, key, code=1)
    assert "it is no JSON" in text and not Path("hacked").exists()
    path.write_text(json.dumps({"kind": "\x1b[2J", "seq": 0}) + "\n")
    assert "\x1b" not in log("verify", done.results, key, code=1)
