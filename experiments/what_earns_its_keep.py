"""What does each part of the closed loop add: data gate, drift trigger, release audits, learned selector,
rollback?

Runs the suite `loop-core` (what is done is cached) and tabulates exact Shapley values of the five parts
over all 32 combinations, by family of streams, paired over scenarios: in the return, in the cost of
breaking limits, and as a share of what there is to gain. They add up to what the loop with all parts has
more than the loop with none. Where nothing happens the worth of gate, trigger, audits and rollback is the
price of the part; that of the learned selector is the difference of two deciders, so never.csv has every arm
less never.

    python experiments/what_earns_its_keep.py
    python experiments/what_earns_its_keep.py suite=loop-paper ledger=results/local/loop-paper

table.csv has the parts by family, deciders.csv the same where a rule decides and where a learned selector
does (the two may differ in sign: then the mean over both is of nobody), simultaneous.csv the parts with
intervals that hold 95 % together, which the verdicts go by; rivals.csv (and
experiments/rivals_of_the_loop.py) what something simpler does in the place of a part. together.csv the pairs
(which stand in for each other, which need each other), places.csv every method's place below the front of
return against cost; figure shows the worth in the return, figure_cost in the cost.
"""

from __future__ import annotations

import _common  # isort: skip

from collections.abc import Mapping, Sequence
from typing import Any

from _governance_suite import opened

from mlopsim.core.track import Curves
from mlopsim.tracks.governance.analysis import families, places
from mlopsim.tracks.governance.pictures import worth_figure
from mlopsim.tracks.governance.rivals import rivals_table
from mlopsim.tracks.governance.worth import (
    SUM,
    CoalitionalGame,
    against_never,
    decider_table,
    pair_table,
    simultaneous,
    worth_table,
)


def rows_of(frame: Any) -> list[dict[str, Any]]:
    """Return a table of polars as rows, without the columns of reasons where nothing is undefined."""
    silent = [
        name
        for name in frame.columns
        if name.endswith("_reason") and not any(frame[name].fill_null("").to_list())
    ]
    found: list[dict[str, Any]] = frame.drop(silent).to_dicts()
    return found


def verdicts(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Say of each family which parts add to the return, which take from it, and of which neither is shown.

    ``rows`` are of a table whose intervals hold together, as so many are looked at.
    """
    said = []
    for family in dict.fromkeys(row["family"] for row in rows):
        parts = [row for row in rows if row["family"] == family and row["part"] != SUM]
        adds = [row["part"] for row in parts if row["return_low"] > 0.0]
        takes = [row["part"] for row in parts if row["return_high"] < 0.0]
        neither = [row["part"] for row in parts if row["part"] not in (*adds, *takes)]
        words = (("adds", adds), ("takes", takes), ("neither shown", neither))
        said.append(f"{family}: " + "; ".join(f"{word} {', '.join(some)}" for word, some in words if some))
    return said


def together(of: Mapping[str, Sequence[str]], cells: Any) -> float:
    """Return the level of each interval of a part in a family, so that all hold 95 % together."""
    return simultaneous(len(of) * len(CoalitionalGame.of(cells).parts))


def tables(cells: Any, curves: Curves) -> dict[str, list[dict[str, Any]]]:
    """Return all tables by name, from the cells of a suite of the governance track."""
    of = families(cells)
    return {
        "table": rows_of(worth_table(of, cells)),
        "simultaneous": rows_of(worth_table(of, cells, together(of, cells))),
        "deciders": rows_of(decider_table(of, cells)),
        "never": rows_of(against_never(of, cells)),
        "rivals": rows_of(rivals_table(cells, curves)),
        "together": rows_of(pair_table(of, cells)),
        "places": rows_of(places(cells, curves)),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, tabulate, draw."""
    experiment = _common.start("what_earns_its_keep", __doc__, arguments)
    settings = experiment.settings
    study, ledger = opened(experiment)
    cells, curves = _common.run_suite(study.suite, study.track, ledger, settings["workers"])
    found = tables(cells, curves)
    for name, rows in found.items():
        _common.write_table(experiment.folder, rows, name)
    board = worth_table(families(cells), cells)
    for name, file in (("return", "figure"), ("cost", "figure_cost")):
        _common.write_figure(experiment.folder, worth_figure(board, name, f"{name} a window"), file)
    shown = (
        "family",
        "part",
        "share",
        "return",
        "return_low",
        "return_high",
        "cost",
        "cost_low",
        "cost_high",
    )
    _common.show(
        [{key: row[key] for key in (*shown, "return_n")} for row in found["table"]], "worth of the parts"
    )
    level = together(families(cells), cells)
    print(f"In the return, by intervals that hold 95 % together ({level:.2%} each, Bonferroni):")
    for line in verdicts(found["simultaneous"]):
        print(f"- {line}")
    _common.write_config(experiment)


if __name__ == "__main__":
    main()
