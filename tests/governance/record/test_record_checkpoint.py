"""Heads are checkpoints of three lines, with signatures or without; proofs are files that hold or not."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from record_kit import again_of

from mlopsim.core.errors import DataError
from mlopsim.governance.record.checkpoint import Checkpoint, read_checkpoint
from mlopsim.governance.record.heads import heads_of, read_heads, write_heads
from mlopsim.governance.record.proofs import prove_growth, prove_record, read_proof

ROOT = bytes(range(32))
HEAD = Checkpoint(origin="mlopsim/3fa9/decisions", size=12, root=ROOT)
SIGNED = (
    HEAD.text()
    + "\n— example.com/a "
    + base64.b64encode(b"\0\0\1\2sig").decode()
    + "\n— b "
    + base64.b64encode(b"\0\0\0\1xyz").decode()
    + "\n"
)


def test_signatures_are_read_and_do_not_change_the_head() -> None:
    found = read_checkpoint(SIGNED)
    assert [(one.name, one.key, one.data) for one in found.signatures] == [
        ("example.com/a", 258, b"sig"),
        ("b", 1, b"xyz"),
    ]
    assert replace(found, signatures=()) == HEAD == read_checkpoint(HEAD.text())
    extended = read_checkpoint(HEAD.text() + "more\n")
    assert extended.extensions == ("more",) and read_checkpoint(extended.text()) == extended


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "truncated: 0 of its 3 lines"),
        ("a\n", "truncated: 1 of its 3"),
        (HEAD.text()[:-1], "truncated"),
        (HEAD.text()[:40], "truncated"),
        (HEAD.text()[:-5] + "\n", "truncated"),
        (HEAD.text().replace("12", "012"), "no size"),
        (HEAD.text().replace("12", "-1"), "no size"),
        (HEAD.text().replace("12", "1" * 40), "no size"),
        (HEAD.text().replace("12", "१२"), "no size"),
        (HEAD.text().replace("\n", "\r\n"), "control characters"),
        ("\n" + HEAD.text(), "empty lines"),
        (SIGNED[:-1], "truncated in its signatures"),
        (SIGNED.replace("— b", "- b"), "no signature"),
        (HEAD.text() + "\n— b AAAA\n", "signature of 3 bytes"),
        # the same bytes, written otherwise
        (HEAD.text().replace("Hh8=", "Hh9="), "base64"),
    ],
)
def test_what_is_no_head(text: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as error:
        read_checkpoint(text)
    assert error.value.remedy


def test_proofs_hold_and_no_changed_one_does() -> None:
    record = again_of({"periodic": {"every": 4}})([], {})
    for tree in ("decisions", "evidence"):
        for index in (0, 7, len(record) - 1):
            proof = prove_record(record, tree, index)
            assert proof.holds and read_proof(proof.text()) == proof
            text = proof.text()
            assert text.startswith("c2sp.org/tlog-proof@v1\nextra ") and text.endswith(
                record.head(tree).text()
            )
            other = replace(proof, line=record.lines(tree)[index - 1])
            assert not other.holds and not replace(proof, index=index + 1).holds
    older = record.until(12)
    proof = prove_growth(record, older.head("decisions"), "decisions")
    assert proof.holds(older.head("decisions")) and read_proof(proof.text()) == proof
    assert not proof.holds(record.until(11).head("decisions"))
    assert not replace(proof, path=proof.path[:-1]).holds(older.head("decisions"))


def test_what_cannot_be_proved_is_an_error() -> None:
    record = again_of({"periodic": {"every": 4}})([], {})
    n = len(record)
    head = record.head("decisions")
    for wrong, said in (
        (lambda: prove_record(record, "decisions", n), f"no record {n}"),
        (lambda: prove_growth(record.until(9), head, "decisions"), "the older head is of"),
        (lambda: prove_growth(record, record.head("evidence"), "decisions"), "another log"),
        (lambda: prove_growth(record, replace(head, size=5), "decisions"), "does not go on"),
        (lambda: record.until(99), "no window 99"),
        (lambda: read_proof("c2sp.org/tlog-proof@v1\nindex 1\n\n" + head.text()), "no proof"),
        (lambda: read_proof("old x\n\n" + head.text()), "no proof"),
        (lambda: read_proof("hello\n\n" + head.text()), "begins with 'hello'"),
    ):
        with pytest.raises(Exception, match=said) as error:
            wrong()
        assert getattr(error.value, "remedy", None), error.value


def test_files_of_heads(tmp_path: Path) -> None:
    record = again_of({"periodic": {"every": 4}})([], {})
    both = [heads_of(record.until(9)), heads_of(record)]
    path = tmp_path / "heads.csv"
    path.write_text(write_heads([*both, *both]))
    assert read_heads(path) == both
    for text, said in (
        ("a,b\n1,2\n", "columns"),
        (path.read_text().replace(",", ",x", 4), "columns"),
        (write_heads([]) + "3fa9,x,AA==,AA==\n", "no number of records"),
        (write_heads([]) + "3fa9,3,AA==,AA==\n", "no hash of 32 bytes"),
        (write_heads([]) + "3fa9,3\n", "another number of values"),
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=said):
            read_heads(path)
    with pytest.raises(DataError, match="no heads at"):
        read_heads(tmp_path / "none.csv")
