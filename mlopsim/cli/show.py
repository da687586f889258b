"""What commands print: tables in the terminal, and the report of a results folder."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlopsim import __version__
from mlopsim.bench.identity import current
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.plugins import explained, load_stored
from mlopsim.bench.table import curves_reader, table
from mlopsim.core.digest import digest, digest_bytes, digest_file
from mlopsim.core.files import write_text
from mlopsim.core.section import make_sections
from mlopsim.core.spec import make
from mlopsim.core.text import literal, published, visible
from mlopsim.core.track import Section
from mlopsim.report.build import write_report
from mlopsim.stats.table import format_interval, format_number
from mlopsim.tracks.results import TableResults

if TYPE_CHECKING:
    import polars as pl

#: provenance that stays in the ledger
PRIVATE = ("platform", "host", "pid", "command")
#: beside the page: the leaderboard as a table, and what the page was drawn from
BOARD, STAMP = "leaderboard.csv", ".report-stamp"


#: what stands beside the interval ``x``, as ``x_low``, and gets no column of its own
PARTS = ("low", "high", "reason", "n", "cells", "excluded", "reference")


def print_leaderboard(frame: pl.DataFrame, title: str) -> None:
    """Print a leaderboard: the first two intervals as ``0.83 [0.79, 0.87]``, a dash where undefined.

    Columns that do not fit into a terminal are left out and named below it: numbers are never cut.
    """
    from rich.console import Console
    from rich.table import Table

    names = frame.columns
    intervals = [c for c in names if f"{c}_low" in names and f"{c}_high" in names]
    main = intervals[:2]
    hidden = {f"{c}_{part}" for c in intervals for part in PARTS} - {f"{main[0]}_n"}
    columns = [c for c in names if c not in hidden]
    rows = list(frame.iter_rows(named=True))
    # a pipe has no width of its own
    console = Console() if Console().is_terminal else Console(width=240)
    heads = {c: "n" if c.endswith("_n") else visible(c) for c in columns}
    texts = {c: [_text(row, c, c in main) for row in rows] for c in columns}
    shown: list[str] = []
    width = 0
    for column in columns:
        width += max(map(len, [heads[column], *texts[column]])) + (2 if shown else 0)
        if width > console.width and shown:
            break
        shown.append(column)
    grid = Table(title=literal(title), title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in shown:
        numeric = frame.schema[column].is_numeric()
        grid.add_column(literal(heads[column]), justify="right" if numeric else "left", no_wrap=True)
    for cells in zip(*(texts[column] for column in shown), strict=True):
        grid.add_row(*map(literal, cells))
    console.print(grid)
    found = (row.get(f"{c}_reason") for row in rows for c in shown)
    notes = [f"– : {reason}" for reason in sorted({str(reason) for reason in found if reason})]
    for column in shown:
        references = {str(row.get(f"{column}_reference") or "") for row in rows} - {""}
        notes += [f"{column}: against {name}" for name in sorted(references)]
    if len(shown) < len(columns):
        notes.append(f"too wide for this terminal: {', '.join(columns[len(shown) :])}; see {BOARD}")
    notes.append("n: scenario seeds; 95 % intervals; the report has those of the other columns")
    for note in notes:
        console.print(literal(note, "dim"))


def _text(row: dict[str, Any], column: str, interval: bool) -> str:
    value = row[column]
    if interval:
        value = math.nan if value is None else value
        return format_interval(value, row[f"{column}_low"], row[f"{column}_high"], 3)
    if value is None:
        return "–"
    return format_number(value, 3) if isinstance(value, float) else visible(value)


def summarise(
    folder: Path,
    *,
    grid: str | None = None,
    plugins: tuple[str, ...] = (),
    trust: bool = False,
    reuse: bool = False,
) -> tuple[pl.DataFrame, Path]:
    """Write the report of a grid.

    Parameters
    ----------
    folder : Path
        A results folder.
    grid : str, optional
        (Beginning of) the digest of a grid; the last used by default.
    plugins : tuple of str
        Plug-in files; those that the folder names are not loaded for being named.
    trust : bool, default False
        Consent to load plug-ins that lie where the folder says and have the digest that it says.
    reuse : bool, default False
        Keep the page as it is if it shows the very same cells already.

    Returns
    -------
    polars.DataFrame
        The leaderboard.
    Path
        The page.
    """
    with Ledger.read(folder) as ledger:
        entry = ledger.grid(grid)
        cells = table(ledger, entry["digest"])
        stamp = _stamp(entry, cells)
        page, board_file, stamp_file = (folder / name for name in ("report.html", BOARD, STAMP))
        drawn = page.is_file() and board_file.is_file() and stamp_file.is_file()
        if reuse and drawn and stamp_file.read_text(encoding="utf-8") == _drawn(stamp, page, board_file):
            return _read_board(board_file), page
        loaded = load_stored(entry["plugins"], plugins, trust=trust)
        with explained(loaded):
            track = make("track", current(entry["track"]))
            results = TableResults(track=track, cells=cells, read=curves_reader(ledger))
            board = results.leaderboard
            sections = _sections(results)
        stamp_file.unlink(missing_ok=True)
        meta = report_meta(ledger, entry, cells)
        page = write_report(folder, sections, meta)
        write_text(folder / "config.yaml", _config(ledger, entry))
    write_text(board_file, board.write_csv())
    write_text(stamp_file, _drawn(stamp, page, board_file))
    return board, page


def _sections(results: TableResults) -> list[Section]:
    """Make the sections; one that cannot be made says why in its place."""
    whole = getattr(results.track, "sections", None)
    if whole is not None:  # of tracks whose sections are no components
        found: list[Section] = whole(results.cells, results.curves)
        return found
    made, unmade = make_sections(results)
    reasons = [Section(title=each.title, text=f"Not made: {each.reason}.") for each in unmade]
    return [*made, *reasons]


def _read_board(path: Path) -> pl.DataFrame:
    """Read a leaderboard that was written: names, reasons and references are texts whatever they are."""
    import polars as pl

    names = pl.read_csv(path, n_rows=0).columns
    texts = [name for name in names if name == "method" or name.endswith(("_reason", "_reference"))]
    # a number may be the first with a point in a thousand rows
    return pl.read_csv(path, schema_overrides=dict.fromkeys(texts, pl.String), infer_schema_length=None)


def _config(ledger: Ledger, entry: dict[str, Any]) -> str:
    """The resolved config, and when, where and for how long it was run."""
    from yaml import safe_dump

    runs = [run for run in ledger.runs() if run["grid"] == entry["digest"]]
    times = [{name: run[name] for name in ("started", "ended", "status")} for run in runs]
    record = runs[-1]["record"] if runs else {}
    machine = {name: record[name] for name in ("executor", "workers", "git", "versions") if name in record}
    content = {
        "title": entry["title"],
        "made_with": {"mlopsim": record.get("versions", {}).get("mlopsim", __version__)},
        "grid": entry["digest"],
        "config": entry["config"],
    }
    # written as it is: what looks like a reference to the environment stays one
    whole = published({**content, "runs": times, "machine": machine})
    text: str = safe_dump(whole, sort_keys=False, allow_unicode=True)
    return text


def _stamp(entry: dict[str, Any], cells: pl.DataFrame) -> str:
    """Content address of what a report shows: it is drawn again only when this changes."""
    # as one text: a digest of a list would look at each of a million rows for itself
    rows = digest_bytes(cells.select("key", "status", "error").write_csv().encode())
    return digest([__version__, entry["title"], entry["digest"], entry["config"], rows])


def _drawn(stamp: str, page: Path, board: Path) -> str:
    """What the stamp says: what was shown, and the very bytes of page and table, which anybody may edit."""
    return f"{stamp}\n{digest_file(page)}\n{digest_file(board)}\n"


def report_meta(ledger: Ledger, entry: dict[str, Any], cells: pl.DataFrame) -> dict[str, Any]:
    """Collect title, counts, failures and provenance of a grid for its page."""
    counts = dict(cells["status"].value_counts().iter_rows())
    failures = [
        {
            "status": row["status"],
            "traceback": published(row["error"] or ""),
            **{name: row[name] for name in ("task", "method", "seed", "key")},
        }
        for row in cells.filter(cells["status"].is_in(["failed", "timeout", "crashed"])).iter_rows(named=True)
    ]
    missing = counts.get("missing", 0)
    notes = (
        [f"{missing} of {len(cells)} cells have not run yet: the numbers are preliminary."] if missing else []
    )
    runs = [run for run in ledger.runs() if run["grid"] == entry["digest"]]
    record = runs[-1]["record"] if runs else {}
    fingerprints = sorted(f for f in cells["fingerprint"].unique().to_list() if f)
    seconds = cells["seconds"].drop_nulls()
    return {
        "title": entry["title"],
        "lead": str(entry["config"].get("about", "")) if entry["config"] else "",
        "summary": {
            "cells done": counts.get("done", 0),
            "cells failed": len(failures),
            "methods": cells["method"].n_unique(),
            "tasks": cells["task"].n_unique(),
            "seeds": cells["seed"].n_unique(),
        },
        "notes": published([*notes, *entry["notes"]]),
        "failures": failures,
        "provenance": {
            "grid": entry["digest"],
            "track": f"{entry['track']['name']}/{entry['track']['version']}",
            "platform fingerprints of the cells": ", ".join(fingerprints),
            "seconds over all cells": f"{float(seconds.sum()):.1f}",
            "config": json.dumps(published(entry["config"]), sort_keys=True),
            # who ran it, where and how stays in the ledger: pages are published
            **published({key: value for key, value in record.items() if key not in PRIVATE}),
        },
    }
