"""What is it worth that the labels which train versions also score the stored ones?

The suite `quick` with more methods that read scores of versions, and more seeds: each method is tuned or
trained under the feedback that it is rolled out with. table.csv has NS under either and the paired difference
on the tasks that the suite has under both.

    python experiments/feedback.py
"""

from __future__ import annotations

import _common
import polars as pl

from mlopsim.compose import load_suite
from mlopsim.tracks.delivery.analysis import feedback_table


def main() -> None:
    """Run, compare, write."""
    experiment = _common.start("feedback", __doc__)
    settings = experiment.settings
    study = load_suite(settings["suite"], methods=settings["methods"], seeds=settings["seeds"])
    folder = _common.below_root(settings["ledger"])
    for into in (folder, experiment.folder):
        into.mkdir(parents=True, exist_ok=True)
    cells: pl.DataFrame = _common.run_cells(study.suite, study.track, folder, settings["workers"])
    board = feedback_table(cells)
    reads = cells.select("method", "family", "reads").unique(maintain_order=True)
    rows = board.join(reads, on="method", how="left", maintain_order="left").to_dicts()
    _common.show([{k: v for k, v in row.items() if not k.endswith("reason")} for row in rows], "feedback")
    _common.write_config(experiment)
    _common.write_table(experiment.folder, rows)


if __name__ == "__main__":
    main()
