"""What is lost when a sweep is killed with -9, again and again, at random moments?

Folders are filled by a coordinator with worker processes of its own, which is killed at random moments and
started again. The cells are those of the toy track of the tests, which logs each cell that is computed. After
each kill the folder is read: what was on record before must be there, byte by byte. What was on record must
not be computed again; cells in flight may be, and are counted beside it. At last the numbers, curves and fits
of each folder are compared with those of a folder that nobody disturbed.
"""

from __future__ import annotations

import _common  # isort: skip

import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import psutil

#: runs in a folder's own place: the log has the same name everywhere, as it is a setting of the track
COORDINATOR = """
import sys
sys.path.insert(0, {kit!r})
from bench_kit import go, toy
track = toy(log="log", sleep={sleep!r})
go("results", ["x", "y", "fit-y"], track=track, seeds={seeds!r}, workers={workers!r})
"""
#: seconds without a new cell after which a sweep counts as stuck
STUCK = 120.0
#: what must be zero
ASKED = ("lost", "computed_twice", "differs", "workers_left")


def coordinator(settings: Mapping[str, Any], place: Path) -> subprocess.Popen[bytes]:
    """Start a sweep, or go on with it."""
    code = COORDINATOR.format(
        kit=str(_common.ROOT / "tests" / "bench"),
        sleep=settings["seconds_of_a_cell"],
        seeds=settings["seeds"],
        workers=settings["workers"],
    )
    with (place / "errors").open("wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-c", code], cwd=place, stdout=subprocess.DEVNULL, stderr=errors
        )


def to_the_end(settings: Mapping[str, Any], place: Path) -> None:
    """Run what is left.

    Raises
    ------
    SystemExit
        If it does not end well.
    """
    if coordinator(settings, place).wait() != 0:
        raise SystemExit((place / "errors").read_text(encoding="utf-8", errors="replace"))


def rows(place: Path, query: str) -> list[tuple[Any, ...]]:
    """Read the ledger; nothing where it has not been made yet."""
    file = place / "results" / "ledger.sqlite"
    if not file.is_file():
        return []
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'cell'").fetchall():
            return []
        return db.execute(query).fetchall()


def recorded(place: Path) -> dict[str, str]:
    """Return the cells on record with their seals, which cover all that is stored of them."""
    return dict(rows(place, "SELECT key, seal FROM cell"))


def computed(place: Path) -> list[str]:
    """Return the cells that were computed, in order, with repetitions."""
    log = place / "log"
    text = log.read_text(encoding="utf-8") if log.is_file() else ""
    return [line.removeprefix("cell ") for line in text.splitlines() if line.startswith("cell ")]


def numbers(place: Path) -> list[list[tuple[Any, ...]]]:
    """Return all numbers of a folder: cells, curves, fits."""
    queries = (
        "SELECT key, status, metrics, reasons FROM cell ORDER BY key",
        "SELECT cell, name, data FROM curve ORDER BY cell, name",
        "SELECT key, status, info, arrays FROM fit ORDER BY key",
    )
    return [rows(place, query) for query in queries]


def kill_once(settings: Mapping[str, Any], place: Path, rng: np.random.Generator) -> int:
    """Start the sweep, kill it at a random moment; return how many of its workers live on.

    Raises
    ------
    SystemExit
        If the sweep ended before, or makes no progress.
    """
    target = len(computed(place)) + int(rng.integers(1, settings["new_cells"] + 1))
    starting = rng.random() < settings["starting"]
    pause = rng.uniform(0, settings["starting_seconds" if starting else "pause_seconds"])
    process = coordinator(settings, place)
    deadline = time.monotonic() + STUCK
    while not starting and len(computed(place)) < target and process.poll() is None:
        if time.monotonic() > deadline:
            process.kill()
            raise SystemExit(f"no new cell within {STUCK:g} s")
        time.sleep(0.01)
    time.sleep(pause)
    if process.poll() is not None:
        text = (place / "errors").read_text(encoding="utf-8", errors="replace")
        raise SystemExit(f"the sweep ended before its last kill: give it more seeds\n{text}")
    workers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=20)
    return len(alive)


def disturbed(settings: Mapping[str, Any], place: Path, number: int) -> dict[str, Any]:
    """Fill a folder under kills; return what went wrong, without the comparison of numbers."""
    place.mkdir()
    rng = np.random.default_rng(np.random.SeedSequence([settings["seed"], number]))
    before: dict[str, str] = {}
    lost: set[str] = set()
    twice: set[str] = set()
    seen = left = 0

    def look() -> None:
        nonlocal before, seen
        now, lines = recorded(place), computed(place)
        # gone, or not what it was
        lost.update(key for key, seal in before.items() if now.get(key) != seal)
        twice.update(before.keys() & set(lines[seen:]))
        before, seen = now, len(lines)

    for _ in range(settings["kills_in_a_folder"]):
        left += kill_once(settings, place, rng)
        look()
    at_last_kill = len(before)
    to_the_end(settings, place)
    look()
    again = sum(count - 1 for count in Counter(computed(place)).values())
    return {
        "folder": number,
        "kills": settings["kills_in_a_folder"],
        "cells": len(before),
        "on_record_at_last_kill": at_last_kill,
        "in_flight_again": again,
        "lost": len(lost),
        "computed_twice": len(twice),
        "workers_left": left,
    }


def run(experiment: _common.Experiment) -> list[dict[str, Any]]:
    """Kill, compare and write the table, the sums last."""
    settings = experiment.settings
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        undisturbed = base / "undisturbed"
        undisturbed.mkdir()
        with ThreadPoolExecutor(settings["at_once"]) as pool:
            reference = pool.submit(to_the_end, settings, undisturbed)
            places = [base / str(number) for number in range(settings["folders"])]
            table = list(pool.map(disturbed, [settings] * len(places), places, range(len(places))))
            reference.result()
        expected = numbers(undisturbed)
        for row, place in zip(table, places, strict=True):
            row["differs"] = int(numbers(place) != expected)
    if len(expected[0]) != 6 * settings["seeds"] or not all(expected):
        raise AssertionError("the undisturbed folder is not complete")
    names = [key for key in table[0] if key != "folder"]
    table.append({"folder": "all", **{key: sum(row[key] for row in table) for key in names}})
    _common.write_config(experiment)
    _common.write_table(experiment.folder, table)
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """Kill, print the table, and fail unless nothing was lost, repeated or changed."""
    experiment = _common.start("kills", __doc__, arguments)
    table = run(experiment)
    _common.show(table, "killed at random moments")
    print(f"written to {experiment.folder}")
    wrong = {key: table[-1][key] for key in ASKED if table[-1][key]}
    if wrong:
        raise SystemExit(f"not zero: {wrong}")


if __name__ == "__main__":
    main()
