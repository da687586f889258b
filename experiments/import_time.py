"""How long does `import mlopsim` take beside `import gymnasium`, on which it builds?

Both are imported in fresh processes, in turns, so that a busy machine slows both; `seconds` is the median of
the processor time that the import itself took, `low` and `high` the extremes. `more` is what mlopsim takes
beyond gymnasium, from the same turns, and `met` says whether that is within what the settings ask for.
"""

from __future__ import annotations

import _common  # isort: skip

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

MODULES = ("gymnasium", "mlopsim")


def seconds(module: str) -> float:
    """Return the processor time of an import in a fresh process."""
    code = f"import time; began = time.process_time(); import {module}; print(time.process_time() - began)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def run(experiment: _common.Experiment) -> list[dict[str, Any]]:
    """Measure and write the results."""
    repeats, asked = experiment.settings["repeats"], experiment.settings["asked_more"]
    for module in MODULES:
        seconds(module)  # compiles to bytecode, fills the page cache
    taken = np.array([[seconds(module) for module in MODULES] for _ in range(repeats)])
    columns = {**dict(zip(MODULES, taken.T, strict=True)), "more": taken[:, 1] - taken[:, 0]}
    rows = []
    for name, values in columns.items():
        middle = float(np.median(values))
        row = {
            "name": name,
            "seconds": middle,
            "low": float(values.min()),
            "high": float(values.max()),
            "n": repeats,
        }
        limit = asked if name == "more" else None
        rows.append({**row, "asked": limit, "met": None if limit is None else middle <= limit})
    _common.write_config(experiment)
    _common.write_table(experiment.folder, rows)
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    experiment = _common.start("import_time", __doc__, arguments)
    _common.show(run(experiment), "seconds of an import")
    print(f"written to {experiment.folder}")


if __name__ == "__main__":
    main()
