"""Are the numbers of two versions the same, cell by cell?

Compares results folders that an old version and this one made of the same suites in one sitting, joined by
task, method and seed through the renames of `renames.csv`. Every metric that existed is equal to the bit, or
a fact now (an attribute, whose values are matched as the renames say), or the rename says why it differs. The
old folders come from a checkout of the old commit: `mlopsim bench suite=NAME results=OLD/NAME` there, and
`mlopsim bench suite=NAME results=NEW/NAME` here.

    python experiments/same_numbers.py old=OLD new=NEW
"""

from __future__ import annotations

import _common  # isort: skip

import csv
import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

JOINED = ["task", "method", "seed"]


def cells(folder: Path) -> tuple[pl.DataFrame, list[str]]:
    """Return the table of a results folder, and the names of its metrics."""
    from mlopsim.bench.ledger import Ledger
    from mlopsim.bench.table import table

    with Ledger.read(folder) as ledger:
        return table(ledger), [metric.name for metric in ledger.grid(None)["metrics"]]


class Renames:
    """The committed table of renames.

    Each row: suite (or ``*``), kind (task, method, metric), old and new name, and ``why``. A metric whose new
    name begins with ``attribute:`` has become a fact, ``values`` being a JSON mapping from the old number to
    it, or to a list of what it may be (``"undefined"`` stands for no number); without a new name it is gone,
    and ``why`` says for what reason. Tasks and methods without a new name have other numbers, for the reason
    that ``why`` gives, and are counted apart.
    """

    def __init__(self, file: Path) -> None:
        with file.open(encoding="utf-8", newline="") as stream:
            self._rows = list(csv.DictReader(stream))

    def of(self, suite: str, kind: str) -> dict[str, dict[str, str]]:
        """Return the rows of a kind by old name; those of the suite win."""
        rows = [row for row in self._rows if row["kind"] == kind]
        chosen = [row for row in rows if row["suite"] == "*"] + [row for row in rows if row["suite"] == suite]
        return {row["old"]: row for row in chosen}


def renamed(frame: pl.DataFrame, suite: str, renames: Renames) -> pl.DataFrame:
    """Return old cells under the new names of their tasks and methods, without those that have none."""
    import polars as pl

    for kind in ("task", "method"):
        names = {old: row["new"] for old, row in renames.of(suite, kind).items()}
        frame = frame.with_columns(pl.col(kind).replace(names)).filter(pl.col(kind) != "")
    return frame


def equal(old: pl.Series, new: pl.Series) -> pl.Series:
    """Return where two columns are the same to the bit; undefined is the same as undefined."""
    return old.eq_missing(new)


def as_attribute(old: pl.Series, new: pl.Series, values: Mapping[str, Any] | str) -> pl.Series:
    """Return where an old number stands for the new fact; ``partition``: only what is one must stay one.

    Of a partition the rows count whose number was defined; the others say nothing against the new fact.
    """
    import polars as pl

    if values == "partition":
        pairs = pl.DataFrame({"old": old.fill_nan(None), "new": new})
        said = pl.col("old").is_not_null()
        others = pl.col("old").filter(said).n_unique().over("new")
        one_to_one = (pl.col("new").n_unique().over("old") == 1) & (others == 1)
        return pairs.select(same=~said | one_to_one)["same"]
    if isinstance(values, str):
        raise SystemExit(f'values of a rename are a JSON mapping or "partition", not {values!r}')
    listed = {number: fact if isinstance(fact, list) else [fact] for number, fact in values.items()}
    undefined = listed.pop("undefined", [None])
    known = {float(number): fact for number, fact in listed.items()}
    # undefined was NaN and is null
    numbers = [None if value is None or math.isnan(value) else value for value in old.to_list()]
    facts = [undefined if number is None else known.get(number, [number]) for number in numbers]
    same = [fact in allowed for allowed, fact in zip(facts, new.to_list(), strict=True)]
    return pl.Series(same, dtype=pl.Boolean)


def compare(suite: str, old: Path, new: Path, renames: Renames) -> list[dict[str, Any]]:
    """Return one row a metric of the old cells: joined, equal, different, and what became of it."""
    everything, measured = cells(old)
    after, _ = cells(new)
    before = renamed(everything, suite, renames)
    apart = len(everything) - len(before)
    both = before.join(after, on=JOINED, how="inner", suffix=" (new)", nulls_equal=True)
    found: list[dict[str, Any]] = []
    for name in measured:
        row = renames.of(suite, "metric").get(name, {})
        now = row.get("new", name) if row else name
        line = {"suite": suite, "metric": name, "now": now, "apart": apart}
        line |= {"cells": len(before), "joined": len(both)}
        column = now.removeprefix("attribute:")
        there = f"{column} (new)" if column in before.columns else column
        if not now or there not in both.columns:
            found.append({**line, "equal": 0, "different": 0, "why": row.get("why", "") or "MISSING"})
            continue
        if now.startswith("attribute:"):
            same = as_attribute(both[name], both[there], json.loads(row.get("values") or "{}"))
        else:
            same = equal(both[name], both[there])
        right = int(same.sum())
        found.append({**line, "equal": right, "different": len(both) - right, "why": row.get("why", "")})
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the experiment."""
    experiment = _common.start("same_numbers", __doc__, arguments)
    settings = experiment.settings
    renames = Renames(_common.below_root(settings["renames"]))
    rows: list[dict[str, Any]] = []
    for suite in settings["suites"]:
        rows += compare(suite, Path(settings["old"]) / suite, Path(settings["new"]) / suite, renames)
    _common.write_config(experiment)
    _common.write_table(experiment.folder, rows)
    short = [row for row in rows if row["different"] or row["joined"] < row["cells"] or row["why"]]
    _common.show(short or rows, "metrics that are not simply equal" if short else "every metric is equal")
    unexplained = [row for row in rows if (row["different"] or not row["equal"]) and not row["why"]]
    unexplained += [row for row in rows if row["why"] == "MISSING" or row["joined"] < row["cells"]]
    print(f"written to {experiment.folder}")
    if unexplained:
        raise SystemExit(f"{len(unexplained)} metrics differ or lack cells, and nothing says why")


if __name__ == "__main__":
    main(sys.argv[1:])
