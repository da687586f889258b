"""How long does `on_alarm` take, and how long did the selectors that had detectors of their own?

The old selectors run in a checkout of the commit that still had them, the new ones in this one: a process
each with one thread, and the same Worlds. After a warm-up (which compiles, and draws the rows of the Worlds
where inputs are read) both walk through all scenarios in turns; times are medians, `low` and `high` the
extremes of the ratios of neighbours. The old `ks` looked distances up that each World holds; the detector
tests windows against training rows.
"""

from __future__ import annotations

import _common  # isort: skip

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

#: runs in the old checkout and in this one
WALKS = """
import json, sys, time
from mlopsim.core.spec import make
from mlopsim.core.threads import one_thread
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.walk import walk
from mlopsim.world.build import build_world
from mlopsim.world.spec import WorldSpec
base = WorldSpec.of({stream!r}, {learner!r}, "last", split="train")
pool = WorldPool([build_world(base.at(i)) for i in range({scenarios})])
deployment = make("deployment", "standard")
for line in sys.stdin:
    selector = make("selector", json.loads(line))
    with one_thread():
        began = time.perf_counter()
        path = walk(selector, pool, deployment)
        seconds = time.perf_counter() - began
    print(json.dumps([seconds, float(path.retrained.sum(axis=1).mean())]), flush=True)
"""


class Walker:
    """A process that walks where a checkout says."""

    def __init__(self, checkout: Path, settings: Mapping[str, Any]) -> None:
        names = ("stream", "learner", "scenarios")
        code = WALKS.format(**{name: settings[name] for name in names})
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def walk(self, selector: Any) -> tuple[float, float]:
        """Return the seconds and the retrains in a World that a selector takes."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(selector) + "\n")
        self._process.stdin.flush()
        seconds, retrains = json.loads(self._process.stdout.readline())
        return seconds, retrains

    def end(self) -> None:
        """Let the process end."""
        self._process.communicate()


def compare(old: Walker, new: Walker, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return one row of the table."""
    rule = {"on_alarm": {"detector": name}}
    (_, before), (_, after) = old.walk(name), new.walk(rule)
    pairs = np.array([(new.walk(rule)[0], old.walk(name)[0]) for _ in range(settings["repeats"])])
    now, then = np.median(pairs, axis=0)
    asked = settings["asked_ratio"].get(name)
    ratios = pairs[:, 0] / pairs[:, 1]
    return {
        "detector": name,
        "on_alarm_seconds": float(now),
        "old_seconds": float(then),
        "ratio": float(now / then),
        "asked": float("nan") if asked is None else asked,
        "met": "" if asked is None else "yes" if now / then <= asked else "no",
        "low": float(ratios.min()),
        "high": float(ratios.max()),
        "n": settings["repeats"],
        "retrains": after,
        "old_retrains": before,
    }


def run(experiment: _common.Experiment) -> list[dict[str, Any]]:
    """Measure and write the results."""
    settings = experiment.settings
    git = ["git", "-C", str(_common.ROOT), "worktree"]
    with tempfile.TemporaryDirectory() as folder:
        checkout = Path(folder) / "old"
        subprocess.run([*git, "add", "-q", "--detach", str(checkout), settings["commit"]], check=True)
        try:
            old, new = Walker(checkout, settings), Walker(_common.ROOT, settings)
            try:
                rows = [compare(old, new, name, settings) for name in settings["selectors"]]
            finally:
                old.end()
                new.end()
        finally:
            subprocess.run([*git, "remove", "--force", str(checkout)], check=True)
    _common.write_config(experiment)
    _common.write_table(experiment.folder, rows)
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    experiment = _common.start("speed_of_on_alarm", __doc__, arguments)
    _common.show(run(experiment), "walks through all scenarios, one thread")
    print(f"written to {experiment.folder}")


if __name__ == "__main__":
    main()
