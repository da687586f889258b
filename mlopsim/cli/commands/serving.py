"""``mlopsim serving``: what served at a time, who approved it, what it was trained on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, secho
from mlopsim.core.errors import ConfigError
from mlopsim.core.text import literal

if TYPE_CHECKING:
    from mlopsim.compose.lineage import CellLineage
    from mlopsim.governance.lineage.version import VersionRecord


@click.command("serving", cls=Once)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("key")
@click.option("--at", type=int, metavar="WINDOW", help="What served this window; without it all of them.")
@click.option("--rebuild", is_flag=True, help="Train that version again from its record: is it the same?")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--plugin", "plugins", multiple=True, help="A .py file with components of your own, or a folder of them."
)
@click.option("--trust-plugins", is_flag=True, help="Load plug-ins that the folder names, if unchanged.")
def command(
    folder: Path,
    key: str,
    at: int | None,
    rebuild: bool,
    as_json: bool,
    plugins: tuple[str, ...],
    trust_plugins: bool,
) -> None:
    """Tell what served when in the deployment that the cell KEY in DIR is.

    With --at: what served that window, who approved it, on which rows it was trained, what gates said of it,
    how good it was when it could be approved. Without: the whole history, canaries and the fallback with it,
    and what became of every version. The deployment is computed again for that and must give the return that
    the ledger holds; overrides on the record in DIR/records are honoured.

    \b
    Examples:
      mlopsim serving results/local/quick 3fa9
      mlopsim serving results/local/quick 3fa9 --at 41
      mlopsim serving results/local/quick 3fa9 --at 41 --rebuild
      mlopsim serving results/local/quick 3fa9 --at 41 --json
    """
    from mlopsim.compose.lineage import open_lineage

    if rebuild and at is None:
        raise ConfigError("--rebuild is of one version", remedy="name a window that it served: --at WINDOW")
    opened = open_lineage(folder, key, plugins=plugins, trust=trust_plugins)
    if at is None:
        _history(opened, as_json)
        return
    interval = opened.lineage.traffic.at(at)
    record = opened.lineage.serving_at(at)
    if rebuild and record is None:
        raise ConfigError(f"the fallback served window {at}: it is not trained", remedy="name another window")
    rebuilt = record is not None and rebuild and _rebuild(record)
    if as_json:
        from mlopsim.governance.lineage.plain_json import to_plain

        found = {
            **_cell(opened),
            "window": at,
            "serving": to_plain(interval),
            "version": None if record is None else to_plain(record),
        }
        echo(json.dumps({**found, "rebuilt": True} if rebuilt else found, allow_nan=False))
        return
    _head(opened)
    for name, text in _told(opened, at, record):
        secho(f"{name:<12}", dim=True, nl=False)
        echo(text)
    if rebuilt:
        secho("rebuilt     ", dim=True, nl=False)
        secho("trained again from its record: the same rows, answers and scores, bit by bit", fg="green")


def _rebuild(record: VersionRecord) -> bool:
    from mlopsim.governance.lineage.rebuild import rebuild
    from mlopsim.governance.lineage.version import read_version

    # from what is written, not from what is at hand
    rebuild(read_version(record.line()))
    return True


def _cell(opened: CellLineage) -> dict[str, Any]:
    from mlopsim.governance.lineage.plain_json import to_plain

    return {
        "key": opened.key,
        "cell": opened.label,
        "overrides": [to_plain(entry) for entry in opened.overrides],
    }


def _head(opened: CellLineage) -> None:
    secho(opened.label, bold=True)
    for entry in opened.overrides:
        said = f"override on record, honoured: window {entry.window}, {entry.decision}, by {entry.by}"
        secho(said, fg="yellow")


def _told(opened: CellLineage, at: int, record: VersionRecord | None) -> list[tuple[str, str]]:
    """Return what is said of a window, by name."""
    from mlopsim.governance.lineage.mlflow_registry import spans

    interval = opened.lineage.traffic.at(at)
    since = f"windows {interval.first} to {interval.last}, moved there by {interval.moved_by}"
    if record is None:
        return [(f"window {at}", "the fallback served: the deployment was suspended"), ("in", since)]
    training = record.training
    rows = f"windows {training.first} to {training.last}, {training.rows} rows, digest {training.digest}"
    found = [(f"window {at}", f"version {record.number} served"), ("in", since)]
    if interval.canary is not None:
        found.append(("canary", f"version {interval.canary} beside it"))
    found.append(("approved by", _approval(record)))
    found.append(("trained on", rows))
    found += [
        ("kept away", f"{part.rows} rows by {part.by}, digest {part.digest}") for part in training.removed
    ]
    if record.decided is None:
        found.append(("decided", "before the deployment: the initial version"))
    else:
        parent = f"while version {record.parent} served or had served last"
        found.append(("decided", f"at the end of window {record.decided} by {record.decided_by}, {parent}"))
    for one in record.judged:
        beside = "" if one.against is None else f" beside version {one.against}"
        tests = "; ".join(_test(test) for test in one.tests)
        found.append(("gate", f"{one.gate}{beside}: {one.verdict}" + (f" ({tests})" if tests else "")))
    measured = [one for one in record.measured if one.on == "held out"]
    found += [("held out", _measured(one)) for one in measured]
    found.append(("served", spans(record.served)))
    left = "" if record.left is None else f" at window {record.left.window}: {record.left.why}"
    found.append(("at the end", f"{record.state}{left}"))
    return found


def _approval(record: VersionRecord) -> str:
    if record.review is not None:
        review = record.review
        return f"{review.by}, {review.verdict} at window {review.window}, windows waited: {review.waited}"
    return "nobody: it served from the start" if record.decided is None else "nobody: no reviewer was asked"


def _test(test: Any) -> str:
    p = "no p" if test["p"] is None else f"p = {test['p']:.3g}"
    reason = f", {test['reason']}" if test["reason"] else ""
    return f"{test['name']}: {p}, limit {test['limit']}{reason}"


def _measured(one: Any) -> str:
    who = "everybody" if one.group is None else f"group {one.group}"
    if one.accuracy is None:
        return f"{who}: {one.reason}"
    from mlopsim.stats.proportions import clopper_pearson

    ends = clopper_pearson(round(one.accuracy * one.n), one.n)
    text = f"{who}, windows {one.first} to {one.last}: accuracy {one.accuracy:.3f} "
    return f"{text}[{ends.low:.3f}, {ends.high:.3f}], n = {one.n}"


def _history(opened: CellLineage, as_json: bool) -> None:
    from mlopsim.governance.lineage.lineage import approver
    from mlopsim.governance.lineage.mlflow_registry import spans
    from mlopsim.governance.lineage.plain_json import to_plain
    from mlopsim.governance.record.events import FALLBACK

    lineage = opened.lineage
    table = lineage.history()
    if as_json:
        found = {
            **_cell(opened),
            "serving": table.to_dicts(),
            "versions": [to_plain(passage) for passage in lineage.passages.values()],
        }
        echo(json.dumps(found, allow_nan=False))
        return
    _head(opened)
    names = ["windows", "n", "served", "canary", "moved by", "approved by", "trained on"]
    _table(
        "what served when",
        names,
        [
            [
                f"{row['first']}-{row['last']}",
                row["windows"],
                row["served"],
                row["canary"],
                row["moved_by"],
                row["approved_by"],
                None if row["trained_first"] is None else f"{row['trained_first']}-{row['trained_last']}",
            ]
            for row in table.iter_rows(named=True)
        ],
    )
    echo()
    _table(
        "what became of each version",
        [
            "version",
            "parent",
            "decided",
            "by",
            "approved by",
            "arrived",
            "served",
            "canary",
            "at the end",
            "",
        ],
        [
            [
                passage.number,
                passage.parent,
                passage.decided,
                passage.decided_by,
                approver(passage),
                passage.arrived,
                spans(tuple(passage.served)) or None,
                spans(tuple(passage.canary)) or None,
                passage.state,
                None if passage.left is None else f"{passage.left.window}: {passage.left.why}",
            ]
            for passage in lineage.passages.values()
        ],
    )
    intervals = lineage.traffic.intervals
    canary = sum(one.windows for one in intervals if one.canary is not None)
    away = sum(one.windows for one in intervals if one.version == FALLBACK)
    windows = sum(one.windows for one in intervals)
    echo(f"{windows} windows, {canary} with a canary, {away} suspended")


def _table(title: str, names: list[str], rows: list[list[Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console() if Console().is_terminal else Console(width=200)
    grid = Table(header_style="bold", box=None, pad_edge=False)
    for i, name in enumerate(names):
        numeric = any(isinstance(row[i], int) for row in rows)
        grid.add_column(literal(name), justify="right" if numeric else "left")
    for row in rows:
        grid.add_row(*(literal("–" if item is None else item) for item in row))
    console.print(literal(title, "italic"))
    console.print(grid)
