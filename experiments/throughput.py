"""How fast are environments, Worlds, streams, detectors, gates, explainers, and how much faster than usual?

Everything is measured in one process with one thread. After a warm-up (which compiles), ours and the
reference are timed in turns, so that a busy machine slows both; speeds are medians over the repeats, ratios
those of the medians, `low` and `high` the extremes over the repeats. `met` says whether the speed or the
ratio that the settings ask for was reached. What is measured is in _measurements.py,
_loop_measurements.py, _detector_measurements.py, _gate_measurements.py and _explain_measurements.py.
"""

from __future__ import annotations

import _common  # isort: skip

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import _detector_measurements  # noqa: F401  # registers its measurements
import _explain_measurements  # noqa: F401  # registers its measurements
import _gate_measurements  # noqa: F401  # registers its measurements
import _loop_measurements  # noqa: F401  # registers its measurements
import numpy as np
from _measurements import MEASUREMENTS, Contest, Work

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def rate(work: Work, times: int = 1) -> float:
    """Do it some times and return the speed, by the clock on the wall."""
    began = time.perf_counter()
    for _ in range(times):
        work.run()
    return times * work.amount / (time.perf_counter() - began)


def compare(contest: Contest, repeats: int, seconds: float) -> list[dict[str, Any]]:
    """Time ours and the reference in turns, and return the contest's rows of the table.

    Each timing lasts about ``seconds`` at least: what is shorter is done several times.
    """
    n = contest.repeats or repeats
    works = [contest.ours] + ([contest.reference] if contest.reference else [])
    times = []
    for work in works:
        first = work.amount / rate(work)
        # the first call may have compiled something; what lasts long is not done twice
        once = first if work is contest.reference and first > seconds else work.amount / rate(work)
        times.append(max(1, round(seconds / once)))
    speeds = np.array([[rate(*pair) for pair in zip(works, times, strict=True)] for _ in range(n)])
    middle = np.median(speeds, axis=0)
    both = len(works) == 2
    ratio = float(middle[0] / middle[1]) if both else float("nan")
    rows = []
    asks: list[tuple[str, float | None]] = []
    if contest.speed is not None or not both:
        asks.append(("speed", contest.speed))
    if contest.ratio is not None or not asks:
        asks.append(("ratio", contest.ratio))
    for compared, asked in asks:
        values = speeds[:, 0] if compared == "speed" else speeds[:, 0] / speeds[:, 1]
        value = float(middle[0]) if compared == "speed" else ratio
        rows.append(
            {
                "name": contest.name if compared == "ratio" else contest.name.partition(", against")[0],
                "ours": float(middle[0]),
                "reference": float(middle[1]) if both and compared == "ratio" else float("nan"),
                "ratio": ratio if compared == "ratio" else float("nan"),
                "asked": float("nan") if asked is None else float(asked),
                "unit": contest.unit,
                "compared": compared,
                "met": "" if asked is None else "yes" if value >= asked else "no",
                "low": float(values.min()),
                "high": float(values.max()),
                "n": n,
            }
        )
    return rows


def draw(rows: Sequence[dict[str, Any]]) -> Figure:
    """Draw how many times what was asked each row reached, on a logarithmic scale."""
    from mlopsim.plots.style import MUTED, PALETTE, SMALL, TEXT, WARN, caption, dress, new_figure

    asked = [row for row in rows if row["met"]]
    figure = new_figure(7.6, 1.2 + 0.34 * len(asked))
    axes = figure.add_subplot()
    axes.set_xscale("log")
    for place, row in enumerate(asked):
        value = row["ours"] if row["compared"] == "speed" else row["ratio"]
        colour = PALETTE[0] if row["met"] == "yes" else WARN
        axes.plot(
            [row["low"] / row["asked"], row["high"] / row["asked"]], [place, place], color=colour, alpha=0.5
        )
        axes.plot(value / row["asked"], place, "o", color=colour, markersize=5)
        text = (
            f"{value:,.{0 if value >= 100 else 1}f} x (asked {row['asked']:g})"
            if row["compared"] == "ratio"
            else f"{value:,.0f} {row['unit']} (asked {row['asked']:,.0f})"
        )
        axes.annotate(
            text,
            (max(row["high"], value) / row["asked"], place),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
            color=MUTED,
        )
    axes.axvline(1.0, color=MUTED, linewidth=0.8, linestyle=(0, (3, 2)))
    axes.set_yticks(range(len(asked)), [row["name"] for row in asked])
    axes.set_ylim(len(asked) - 0.5, -0.5)
    low, high = min(r["low"] / r["asked"] for r in asked), max(r["high"] / r["asked"] for r in asked)
    axes.set_xlim(min(low, 1.0) / 1.15, max(high, 1.0) * (max(high, 1.0) / min(low, 1.0)) ** 0.75 * 1.3)
    dress(axes, xlabel="times what was asked", grid="x", text=TEXT)
    caption(figure, "median of alternating repeats, line: smallest to largest; one thread")
    return figure


def run(experiment: _common.Experiment) -> list[dict[str, Any]]:
    """Measure everything and write the results."""
    from mlopsim.core.errors import ConfigError, nearest
    from mlopsim.core.threads import one_thread

    settings = experiment.settings
    chosen = settings["only"] or list(MEASUREMENTS)
    for name in chosen:
        if name not in MEASUREMENTS:
            raise ConfigError(f"no measurement '{name}'{nearest(name, MEASUREMENTS)}")
    rows: list[dict[str, Any]] = []
    with one_thread():
        for name in chosen:
            for contest in MEASUREMENTS[name](**settings[name]):
                rows += compare(contest, settings["repeats"], settings["seconds"])
    _common.write_config(experiment)
    _common.write_table(experiment.folder, rows)
    # without anything asked there is nothing to draw
    if any(row["met"] for row in rows):
        _common.write_figure(experiment.folder, draw(rows))
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    experiment = _common.start("throughput", __doc__, arguments)
    began = time.perf_counter()
    _common.show(run(experiment), "throughput, one thread")
    print(f"{time.perf_counter() - began:.0f} s; written to {experiment.folder}")


if __name__ == "__main__":
    main()
