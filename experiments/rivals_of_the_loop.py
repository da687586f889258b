"""What does something simpler do in the place of a part of the closed loop?

Runs the suite `loop-rivals` with the fits of `loop-core` (what is done is cached). The data gate stands
beside one that drops as many rows at random and one that knows the wrong rows, by stream of the family; the
trigger beside alarms at random, an alarm that knows the changes, and none (with the statistics of shift
still observed); release audits beside each of their two halves and refusals at random; the learned selector
beside rules that never suspend, the traditional pipeline and never.

    python experiments/rivals_of_the_loop.py
    python experiments/rivals_of_the_loop.py fits=results/local/loop-core seeds=10

table.csv has, by family and stream, differences in return and cost with intervals: the part less without it,
the rival less without it, the part less the rival; and how often both acted. shares.csv says which share of
the rows each data gate dropped. There is no alarm without the statistics of shift: a learned selector is
shown both or neither, or the statistics alone.
"""

from __future__ import annotations

import _common  # isort: skip

from collections.abc import Sequence
from typing import Any

import numpy as np
from _governance_suite import opened

from mlopsim.core.track import Cell
from mlopsim.tracks.governance.arms import arm_of
from mlopsim.tracks.governance.fitted import FITTED, RIVAL
from mlopsim.tracks.governance.rivals import rivals_table
from mlopsim.tracks.governance.rolling import spec_of
from mlopsim.world.cache import default_cache


def shares(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Return which share of the rows after the warm-up was not trained on, by task: one row each.

    Of tasks with a rival of the gate, and those that these are compared with.
    """
    rivals = [cell.task for cell in cells if cell.task.attributes.get(RIVAL) == "gate"]
    names = {task.name for task in rivals} | {str(task.attributes[FITTED]) for task in rivals}
    found: dict[str, dict[int, float]] = {}
    for cell in cells:
        task = found.setdefault(cell.task.name, {}) if cell.task.name in names else None
        if task is None or cell.seed in task or "arm" not in cell.method.part:
            continue
        if not arm_of(cell.method.part).gate:
            continue
        world = default_cache().open(spec_of(cell))
        fed = world.source.fed
        assert fed is not None
        task[cell.seed] = 1.0 - float(fed.keep[int(world.bounds[world.warmup]) :].mean())
        world.forget()
    return [
        {"task": name, "dropped": float(np.mean(list(by_seed.values()))), "n": len(by_seed)}
        for name, by_seed in found.items()
        if by_seed
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, tabulate."""
    experiment = _common.start("rivals_of_the_loop", __doc__, arguments)
    settings = experiment.settings
    study, ledger = opened(experiment)
    fits = None if settings["fits"] is None else _common.below_root(settings["fits"])
    cells, curves = _common.run_suite(study.suite, study.track, ledger, settings["workers"], fits)
    rows = rivals_table(cells, curves).to_dicts()
    _common.write_table(experiment.folder, rows)
    _common.write_table(experiment.folder, shares(study.grid.cells), "shares")
    shown = ("family", "stream", "part", "rival", "method")
    numbers = [f"{name}_{end}" for name in ("return", "cost") for end in ("part", "rival", "gap")]
    _common.show([{key: row[key] for key in (*shown, *numbers)} for row in rows], "parts and their rivals")
    _common.write_config(experiment)


if __name__ == "__main__":
    main()
