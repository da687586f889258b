"""How wide is the bracket of the constrained optimum, at full size and where scenarios are solved exactly?

The scenarios of a task share one limit on their mean cost. table.csv: at limits between the least cost and
that of the unconstrained optimum, both ends of the clairvoyant's return, the price, and the width in units of
NS, beside the width of the unconstrained bracket with the same solver; `pure` is the width where each
scenario follows one plan, without a lot. Tasks with one slot, or where only the newest
version can serve, are solved exactly (`solver`), for growing numbers of scenarios: what is left of `pure` is
what whole plans cannot share. `left` and `right` are the
difference quotients of the upper end about the limit, `left_found` and `right_found` those of what plans
earn. The price lies between them (`between`, `between_found`; of the latter but for the width of the bracket
over their step). The unit of NS is `room`; below a floor widths are undefined.
deployments.csv: the bracket of a limit that each deployment has to keep alone. front_*.csv and figure_*.svg:
the front at full size, with the mixtures of never acting and suspending. Times are those of the machine in
config.yaml, idle or not, without the Worlds.

    python experiments/constrained_front.py

Each task is kept in results/local/constrained_front by settings and code as it ends.
"""

from __future__ import annotations

import _common  # isort: skip

import re
from collections.abc import Sequence
from typing import Any

import _front_measurements
from _jobs import Job, do, state

from mlopsim.core.digest import digest


def jobs_of(experiment: _common.Experiment) -> list[Job]:
    """Return a job a task."""
    settings = experiment.settings
    code = state(_front_measurements.__file__)
    # the number of workers changes no number, other tasks do not either
    shared = {name: value for name, value in settings.items() if name not in ("workers", "tasks")}
    return [
        Job(
            kind="exact tasks" if task.get("exact") else "tasks",
            label=task["name"],
            path=experiment.local / f"{digest([code, shared, task])[:24]}.json",
            call=_front_measurements.measure,
            arguments=(shared, task),
        )
        for task in settings["tasks"]
    ]


def run(experiment: _common.Experiment) -> dict[str, list[dict[str, Any]]]:
    """Measure everything, write tables and figures."""
    from mlopsim.plots.cost_front import cost_front

    settings = experiment.settings
    jobs = jobs_of(experiment)
    do(jobs, settings["workers"])
    found: dict[str, list[dict[str, Any]]] = {"table": [], "deployments": []}
    for task, job in zip(settings["tasks"], jobs, strict=True):
        answer = job.read()
        found["table"] += answer["table"]
        found["deployments"] += answer["deployments"]
        if not task.get("exact"):
            name = re.sub(r"\W+", "_", task["name"])
            _common.write_table(experiment.folder, answer["front"], f"front_{name}")
            figure = cost_front(answer["front"], title=task["name"])
            _common.write_figure(experiment.folder, figure, f"figure_{name}")
    _common.write_config(experiment)
    for name, rows in found.items():
        if rows:
            _common.write_table(experiment.folder, rows, name)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the tables."""
    experiment = _common.start("constrained_front", __doc__, arguments)
    for name, rows in run(experiment).items():
        if rows:
            _common.show(rows, name)
    print(f"written to {experiment.folder}")


if __name__ == "__main__":
    main()
