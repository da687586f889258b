"""Where each component stands in the committed leaderboards."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

#: which components a suite compares, by a column that only its leaderboards have, and what is shown of them
TRACKS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "ns": ("selector", {"ns": "NS", "accuracy": "accuracy", "retrains": "retrains"}),
    "restricted_delay": (
        "detector",
        {
            "restricted_delay": "delay of rises, rows",
            "rank": "mean rank",
            "recall": "recall",
            "share": "P of a first alarm",
            "rate": "alarms in 1,000 rows",
        },
    ),
    "recovered": (
        "gate",
        {
            "recovered": "recovered",
            "recall": "recall",
            "false_alarm": "false alarms",
            "dropped": "dropped",
        },
    ),
    "front": (
        "selector",
        {"front": "front score", "return": "return", "cost": "cost", "suspended": "suspended"},
    ),
    "power": ("audit", {"power": "power", "false_block": "false blocks", "lead": "lead, windows"}),
}
#: what stands behind a component's name in that of a method: parameters, the stage, the number of a tuning
BEHIND = re.compile(r"[( #].*$")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One method in one leaderboard.

    Parameters
    ----------
    suite, method : str
    place : str
        Of how many, in the order of the leaderboard.
    methods : int
        Rows of the leaderboard.
    numbers : mapping of str to str
        By heading, with intervals.
    """

    suite: str
    method: str
    place: str
    methods: int
    numbers: Mapping[str, str]


def _number(row: Mapping[str, str], column: str) -> str:
    value = float(row[column] or "nan")
    if math.isnan(value):
        return "–"
    low, high = float(row[f"{column}_low"]), float(row[f"{column}_high"])
    return f"{value:.3g} [{low:.3g}, {high:.3g}]"


def standings(results: Path) -> dict[tuple[str, str], list[Standing]]:
    """Read all leaderboards.

    Parameters
    ----------
    results : Path
        The folder of the committed results.

    Returns
    -------
    dict
        Rows by kind and name of the component.
    """
    found: dict[tuple[str, str], list[Standing]] = {}
    for path in sorted(results.glob("*/leaderboard.csv")):
        with path.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        lead = next((column for column in TRACKS if rows and column in rows[0]), None)
        if lead is None:
            continue
        kind, columns = TRACKS[lead]
        shown = {name: text for name, text in columns.items() if name in rows[0]}
        for number, row in enumerate(rows, start=1):
            name = BEHIND.sub("", row["method"])
            found.setdefault((kind, name), []).append(
                Standing(
                    suite=path.parent.name,
                    method=row["method"],
                    place=str(number),
                    methods=len(rows),
                    numbers={text: _number(row, column) for column, text in shown.items()},
                )
            )
    return found
