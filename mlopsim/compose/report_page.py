"""The page of a results folder: what stands around its sections, and when it need not be made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlopsim import __version__
from mlopsim.compose.from_baseline import baseline_notes
from mlopsim.compose.missing import missing_notes
from mlopsim.core.digest import digest, digest_bytes, digest_file
from mlopsim.core.section import Unmade, makers
from mlopsim.core.text import published

if TYPE_CHECKING:
    import polars as pl

    from mlopsim.bench.ledger import Ledger
    from mlopsim.bench.plugins import Loaded

#: provenance that stays in the ledger
PRIVATE = ("platform", "host", "pid", "command", "code", "dealt")
#: beside the page: the leaderboard as a table, and what the page was drawn from
PAGE, BOARD, STAMP = "report.html", "leaderboard.csv", ".report-stamp"


def read_board(path: Path) -> pl.DataFrame:
    """Read a leaderboard that was written: names, reasons and references are texts whatever they are."""
    import polars as pl

    names = pl.read_csv(path, n_rows=0).columns
    texts = [name for name in names if name == "method" or name.endswith(("_reason", "_reference"))]
    # a number may be the first with a point in a thousand rows
    return pl.read_csv(path, schema_overrides=dict.fromkeys(texts, pl.String), infer_schema_length=None)


def config_text(ledger: Ledger, entry: dict[str, Any]) -> str:
    """Return the resolved config, and when, where and for how long it was run, as YAML."""
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


def stamp_of(entry: dict[str, Any], cells: pl.DataFrame, loaded: Loaded) -> str:
    """Return the content address of what a report shows: it is drawn again only when this changes.

    Parameters
    ----------
    entry : dict
        The stored grid.
    cells : polars.DataFrame
        Its cells.
    loaded : Loaded
        The plug-ins that were loaded, whose sections are drawn, and those that were not, which it names.
    """
    # as one text: a digest of a list would look at each of a million rows for itself
    rows = digest_bytes(cells.select("key", "status", "error").write_csv().encode())
    track = str(entry["track"]["name"])
    sections = [[cls.full_name, cls.version] for cls in makers(track)]
    plugins = [sorted(loaded.files.values()), sorted(named.path for named in loaded.missing)]
    return digest([__version__, entry["title"], entry["digest"], entry["config"], rows, sections, plugins])


def not_loaded(loaded: Loaded) -> list[Unmade]:
    """Return what a page says of plug-ins that made the results and were not loaded to draw them.

    Examples
    --------
    >>> from mlopsim.bench.plugins import Loaded, Named
    >>> [entry.title for entry in not_loaded(Loaded(files={}, missing=(Named(path="/a/b.py", digest="1"),)))]
    ['b.py']
    """
    reason = (
        "this plug-in, which these results were made with, was not loaded: its sections are not here; look "
        "at the file, then make the report with --plugin FILE, or with --trust-plugins if it is unchanged"
    )
    return [Unmade(title=Path(named.path).name, reason=reason) for named in loaded.missing]


def drawn(stamp: str, folder: Path) -> str:
    """Return what the stamp file says: what was shown, and the bytes of page and table, which people edit."""
    return f"{stamp}\n{digest_file(folder / PAGE)}\n{digest_file(folder / BOARD)}\n"


def is_drawn(stamp: str, folder: Path) -> bool:
    """Tell whether page and leaderboard of a folder show just this, as they were written."""
    if not all((folder / name).is_file() for name in (PAGE, BOARD, STAMP)):
        return False
    return (folder / STAMP).read_text(encoding="utf-8") == drawn(stamp, folder)


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
    runs = [run for run in ledger.runs() if run["grid"] == entry["digest"]]
    notes = [*missing_notes(cells, runs, entry["digest"]), *baseline_notes(cells)]
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
