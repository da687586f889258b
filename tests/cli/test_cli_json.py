"""Whatever prints a table prints JSON, too: one text that a program reads, with nothing undefined in it."""

from __future__ import annotations

import json
from typing import Any

import click
from cli_kit import Bench, mlopsim

from mlopsim.cli.main import COMMANDS, group

#: commands without --json, and why
NO_TABLE = {
    "export": "it writes the table itself, as CSV, Parquet or LaTeX",
    "export-registry": "it writes files, and their names",
    "cite": "BibTeX is for programs",
    "new": "it writes files, and their names",
    "completion": "it prints a script",
    "repair": "a sentence or two on what was saved",
    "submit-check": "a line for each thing that is wrong, and a sentence",
    "audit-log write": "it writes a record, and says where",
    "audit-log verify": "a sentence a level",
    "audit-log prove": "it writes a proof, and says where",
    "audit-log check": "a sentence on a proof",
    "audit-log heads": "it writes heads as CSV, and says where",
    "audit-log prune": "a sentence on what is gone",
}


def commands() -> dict[str, click.Command]:
    """Return all commands, those of groups by both words."""
    context, found = click.Context(group), {}
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found |= {f"{name} {inner}": one for inner, one in command.commands.items()}
        else:
            found[name] = command
    return found


def test_every_command_has_json_or_prints_no_table() -> None:
    without = {
        name
        for name, command in commands().items()
        if not any("--json" in parameter.opts for parameter in command.params)
    }
    assert without == set(NO_TABLE) & set(commands())
    assert not set(NO_TABLE) - set(commands()), "a reason for a command that is gone"


def told(*words: object, code: int = 0) -> Any:
    """Run a command with ``--json``; return what it printed."""
    ended = mlopsim(*words, "--json")
    assert ended.code == code, ended.err

    def undefined(text: str) -> None:
        raise AssertionError(f"{text} is no JSON")

    return json.loads(ended.out, parse_constant=undefined)


def test_a_folder_is_told_as_json(done: Bench) -> None:
    status = told("status", done.results)
    assert status["cells"] == 6 and status["by_status"] == {"done": 6}
    page = told("report", done.results)
    rows = {row["method"]: row for row in page["leaderboard"]}
    assert rows["never"]["ns"] == 0.0 and page["report"].endswith("report.html")
    # undefined: null, with its reason
    reasons = [name for name, value in rows["never"].items() if name.endswith("_reason") and value]
    assert reasons and all(rows["never"][name.replace("_reason", "_low")] is None for name in reasons)
    apart = told("compare", done.results, "periodic", "never")
    assert apart["score"] == "ns" and {"difference", "difference_low"} <= set(apart["rows"][0])
    key = done.cells()["key"][0]
    again = told("rerun", done.results, key)
    assert again["identical"] and again["promise"] == "bit-identical"
    merged = told("merge", done.results, "--out", done.folder / "all")
    assert merged["complete"] and merged["by_status"] == {"done": 6}


def test_a_bench_is_told_as_json(done: Bench) -> None:
    ended = done("tasks=small", "--json")
    found = json.loads(ended.out)
    assert ended.code == 0 and found["counts"]["cached"] == 6 and not found["failures"]
    assert {row["method"] for row in found["leaderboard"]} == {"never", "periodic", "oracle"}
    assert "leaderboard" not in json.loads(done("tasks=small", "--json", "--no-report").out)
    plan = json.loads(done("--json", "--dry-run").out)
    assert (plan["cells"], plan["cached"], plan["tasks"]) == (12, 6, ["small", "other"])


def test_what_there_is_is_told_as_json() -> None:
    everything = told("list")
    assert {"selectors", "detectors", "suites"} <= set(everything)
    assert told("list", "suites")["suites"][0].keys() == {"name", "about"}
    periodic = next(row for row in told("list", "selectors")["selectors"] if row["name"] == "periodic")
    assert periodic["full_name"] == "selector/periodic" and "every" in periodic["parameters"]
    (checked,) = told("check", "selector/never")
    assert checked["component"] == "selector/never" and not any(row["problem"] for row in checked["checks"])


def test_an_environment_is_told_as_json() -> None:
    found = told("doctor")
    assert found["well"] and all(check["good"] for check in found["checks"])
    assert {"package", "extra", "version"} == set(found["packages"][0])
