"""How long does a sweep of 100,000 cheap cells take in 8 shards, and merging them, and does it grow in line?

A sweep of the toy track of the tests is dealt to shards, each run in a process and a folder of its
own with the fits of one folder; then they are merged, merged again, and the numbers are exported. The same
sweep is run by one process, and its numbers must be the same bytes. All of it at two sizes: what is in line
with the number of cells takes equally long for each. Seconds are those of the processor (added up over
shards, and the longest of them), which other work on the machine in config.yaml changes little; gigabytes are
the most of a process.
"""

from __future__ import annotations

import _common  # isort: skip

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from _alone import Work, each_alone, measured

METHODS = ("a", "b", "c", "d", "fit-e")


def sweep(settings: Mapping[str, Any], folder: Path, **options: Any) -> str:
    """Run the sweep, or a part of it."""
    sys.path.insert(0, str(_common.ROOT / "tests" / "bench"))
    from bench_kit import go, toy  # type: ignore[import-not-found]

    track = toy(size=settings["size"])
    done = go(folder, METHODS, track=track, seeds=settings["seeds"], executor="serial", **options)
    if not (done.complete and not done.counts.fits_failed):
        raise AssertionError(done.counts.line())
    return f"{done.counts.total} cells, {done.counts.fits_done} fits"


def fits(settings: Mapping[str, Any], folder: Path) -> str:
    """Make the fits once."""
    return sweep(settings, folder / "fits", fits_only=True)


def shard(settings: Mapping[str, Any], folder: Path) -> str:
    """Run one shard."""
    name = settings["shard"]
    return sweep(settings, folder / name.partition("/")[0], shard=name, fits=folder / "fits")


def merge(settings: Mapping[str, Any], folder: Path) -> str:
    """Merge all shards."""
    from mlopsim.bench.merge import merge as put_together

    parts = [folder / str(number) for number in range(1, settings["shards"] + 1)]
    merged = put_together(parts, folder / "all")
    if not merged.complete:
        raise AssertionError(f"{merged.missing} cells are missing")
    return f"{merged.added} new; {'written' if merged.changed else 'nothing changed'}"


def export(settings: Mapping[str, Any], folder: Path) -> str:
    """Export the numbers of the merged folder."""
    return f"{numbers(folder / 'all', folder / 'all.csv').stat().st_size / 1e6:.1f} MB"


def numbers(folder: Path, target: Path) -> Path:
    """Write the numbers of a folder."""
    from mlopsim.bench.ledger import Ledger
    from mlopsim.bench.numbers import numbers as read
    from mlopsim.bench.table import write_table

    with Ledger.read(folder) as ledger:
        return write_table(read(ledger), target)


def whole(settings: Mapping[str, Any], folder: Path) -> str:
    """Run the sweep in one process."""
    return sweep(settings, folder / "whole")


def one_size(settings: Mapping[str, Any], folder: Path) -> list[dict[str, Any]]:
    """Measure every step at one size."""
    cells = 2 * len(METHODS) * settings["seeds"]
    rows: list[dict[str, Any]] = []

    def add(what: str, found: Sequence[tuple[float, float, str]], note: str = "") -> None:
        seconds = sum(row[0] for row in found)
        row = {
            "cells": cells,
            "what": what,
            "cpu_seconds": seconds,
            "longest": max(row[0] for row in found),
            "milliseconds_a_cell": seconds / cells * 1e3,
            "gigabytes": max(row[1] for row in found),
            "note": note or found[0][2],
        }
        rows.append(row)

    def took(work: Work, several: Sequence[Mapping[str, Any]], at_once: int = 1) -> list[Any]:
        return each_alone(measured, [(work, one, folder, time.process_time) for one in several], at_once)

    add("fits, made once", took(fits, [settings]))
    count = settings["shards"]
    parts = [{**settings, "shard": f"{number}/{count}"} for number in range(1, count + 1)]
    ran = took(shard, parts, settings["at_once"])
    held = [int(note.split()[0]) for _, _, note in ran]
    add(f"{count} shards", ran, f"{min(held)} to {max(held)} cells each")
    add("merge", took(merge, [settings]))
    add("merge again", took(merge, [settings]))
    add("export the numbers", took(export, [settings]))
    add("one process instead", took(whole, [settings]))
    same = numbers(folder / "whole", folder / "whole.csv").read_bytes() == (folder / "all.csv").read_bytes()
    if not same:
        raise AssertionError("the merged numbers are not those of one process")
    rows[-1]["note"] += "; its numbers are the same bytes"
    return rows


def run(experiment: _common.Experiment) -> list[dict[str, Any]]:
    """Measure everything and write the table."""
    settings = experiment.settings
    rows: list[dict[str, Any]] = []
    for seeds in settings["seeds"]:
        with tempfile.TemporaryDirectory() as name:
            rows += one_size({**settings, "seeds": seeds}, Path(name))
    smallest = {row["what"]: row["milliseconds_a_cell"] for row in rows if row["cells"] == rows[0]["cells"]}
    for row in rows:
        row["ratio"] = row["milliseconds_a_cell"] / smallest[row["what"]]
        row["met"] = (
            row["ratio"] <= settings["asked_ratio"] and row["gigabytes"] <= settings["asked_gigabytes"]
        )
    _common.write_config(experiment)
    _common.write_table(experiment.folder, rows)
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    experiment = _common.start("many_machines", __doc__, arguments)
    _common.show(run(experiment), "a sweep on many machines")
    print(f"written to {experiment.folder}")


if __name__ == "__main__":
    main()
