"""What people publish tells neither machine nor places; the ledger alone knows them."""

from __future__ import annotations

import getpass
import socket
from pathlib import Path
from typing import Any

from cli_kit import Bench, mlopsim

from mlopsim.bench.ledger import Ledger
from mlopsim.compose.report_page import PRIVATE, report_meta
from mlopsim.report.datatables import bundle


def test_a_report_and_its_config_name_no_machine_and_no_place(
    done: Bench,
) -> None:
    assert mlopsim("report", done.results).code == 0
    with Ledger.read(done.results) as ledger:
        record = ledger.runs()[-1]["record"]
    assert record["host"] == socket.gethostname() and "command" in record
    for name in ("report.html", "config.yaml"):
        text = (done.results / name).read_text(encoding="utf-8")
        # what is said of the machine; not what a library is made of
        text = text.replace(bundle().script, "").replace(bundle().style, "")
        for secret in (str(done.results), str(Path.home()) + "/", record["command"], ">host<", "host:"):
            assert secret not in text, (name, secret)


def test_places_in_config_notes_and_tracebacks_are_base_names(done: Bench) -> None:
    from mlopsim.bench.table import table

    with Ledger.read(done.results) as ledger:
        entry: dict[str, Any] = {**ledger.grid(None)}
        cells = table(ledger, entry["digest"])
        entry["config"] = {"stream": {"file": {"path": "/home/ann/secret/rows.csv"}}, "x": "${oc.env:HOME}"}
        entry["notes"] = ["read from /home/ann/secret/rows.csv"]
        meta = report_meta(ledger, entry, cells)
    shown = repr(meta)
    assert "rows.csv" in shown and "/home/ann" not in shown and "${oc.env:HOME}" in shown
    assert not set(PRIVATE) & set(meta["provenance"])


def test_the_environment_is_not_read_into_a_config(bench: Bench) -> None:
    ended = bench("stream.seed=${oc.env:USER}", "--print-config")
    assert ended.code != 0 and "${" in ended.err + ended.out
    assert f"seed: {getpass.getuser()}" not in ended.out
    assert mlopsim("list", "suites").code == 0
