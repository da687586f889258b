"""Pictures of one deployment: what happened when, its versions, and rates by group with their limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlopsim.governance.compliance.case import Case
from mlopsim.governance.compliance.versions import VersionHistory
from mlopsim.governance.constraint import Shown, runs
from mlopsim.plots.style import (
    DASHES,
    INK,
    MUTED,
    PALETTE,
    RULE,
    SHADE,
    SMALL,
    WARN,
    caption,
    dress,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: behind windows out of compliance
BLUSH = "#f7d9d6"
#: most versions that are drawn
MOST = 40
#: kinds of events in the lanes below: label, marker, colour
LANES: dict[str, tuple[str, str, str]] = {
    "alarm": ("alarm", "|", WARN),
    "retrain": ("retrain decided", "^", "#0072b2"),
    "stopped": ("version stopped", "x", WARN),
    "arrival": ("version let in", "o", "#009e73"),
    "rollback": ("rollback", "v", "#d55e00"),
    "suspend": ("suspended", "s", INK),
    "override": ("override", "D", "#6a3d9a"),
    "impossible": ("impossible action", ".", MUTED),
}


def colours_of(histories: Sequence[VersionHistory]) -> dict[int, str]:
    """Give each version that served its colour; neighbours in time differ."""
    used = [history.version for history in histories if history.traffic]
    return {version: PALETTE[i % len(PALETTE)] for i, version in enumerate(used)}


def time_line(case: Case, histories: Sequence[VersionHistory]) -> Figure:
    """Draw what served, how good it was, when it was out of compliance, and what happened."""
    lanes = _lanes(case, histories)
    constraints = [cost.name for cost in case.costs]
    heights = [0.55, 1.6, 0.3 * max(1, len(constraints)), 0.24 * max(1, len(lanes))]
    figure = new_figure(9.2, 1.3 + sum(heights))
    served, quality, out, events = figure.subplots(4, 1, sharex=True, height_ratios=heights)
    _traffic(served, case, colours_of(histories))
    x = case.windows
    level = case.deployed.trajectory.parts["quality"][case.deployed.row]
    for axes in (quality, events):
        _behind(axes, case, case.any_out)
    quality.step(x, level, where="mid", color=INK, linewidth=1.3)
    dress(quality, ylabel="quality", grid="y")
    for i, name in enumerate(constraints[::-1]):
        spans = [(case.first + a - 0.5, b - a + 1) for a, b in runs(case.out[name])]
        out.broken_barh(spans, (i - 0.36, 0.72), color=WARN, linewidth=0)
    _named(out, constraints[::-1] or ["no constraint"])
    dress(out, title="Out of compliance, by the truth", grid="y")
    for i, (kind, windows) in enumerate(lanes[::-1]):
        label, marker, colour = LANES[kind]
        # decided at the end of a window, or at the start of one
        shift = -0.45 if kind in ("stopped", "arrival") else 0.45
        events.plot(
            np.array(windows) + shift, np.full(len(windows), i), marker, color=colour, markersize=4.5,
            markeredgewidth=1.3,
        )  # fmt: skip
        lanes[len(lanes) - 1 - i] = (label, windows)
    _named(events, [label for label, _ in lanes[::-1]] or ["nothing happened"])
    dress(events, xlabel="window", title="Events", grid="y")
    events.set_xlim(case.first - 0.6, case.first + case.steps - 0.4)
    note = "numbers: versions" + (
        "; shaded: out of compliance with any constraint" if case.any_out.any() else ""
    )
    caption(figure, note + ("; hatched: the fallback serves" if (case.served < 0).any() else ""))
    return figure


def _lanes(case: Case, histories: Sequence[VersionHistory]) -> list[tuple[str, list[int]]]:
    stopped = [s.out for s in histories if s.out is not None and s.passage.arrived is None]
    found: dict[str, list[int]] = {"stopped": stopped}
    for event in case.events:
        if event.kind in LANES:
            found.setdefault(event.kind, []).append(event.window)
    return [(kind, found[kind]) for kind in LANES if found.get(kind)]


def _named(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.set_ylim(-0.6, len(names) - 0.4)


def _behind(axes: Axes, case: Case, which: np.ndarray, colour: str = BLUSH) -> None:
    for a, b in runs(which):
        axes.axvspan(case.first + a - 0.5, case.first + b + 0.5, color=colour, linewidth=0, zorder=0)


def _traffic(axes: Axes, case: Case, colours: Mapping[int, str]) -> None:
    """Draw what served as bars with numbers, a canary as a thin one below."""
    starts = np.flatnonzero(np.diff(case.served, prepend=-9))
    ends = np.append(starts[1:], case.steps)
    for a, b in zip(starts.tolist(), ends.tolist(), strict=True):
        version, x = int(case.served[a]), case.first + a - 0.5
        if version < 0:
            axes.broken_barh(
                [(x, b - a)], (0.3, 0.7), facecolor=SHADE, edgecolor=MUTED, hatch="////", linewidth=0
            )
            continue
        axes.broken_barh([(x, b - a)], (0.3, 0.7), color=colours[version], linewidth=0)
        if (b - a) / case.steps > 0.018:
            axes.text(
                x + (b - a) / 2, 0.64, str(version), ha="center", va="center", fontsize=SMALL, color="white",
                fontweight="bold",
            )  # fmt: skip
    for version in sorted({int(v) for v in case.candidate if v >= 0}):
        spans = [(case.first + a - 0.5, b - a + 1) for a, b in runs(case.candidate == version)]
        axes.broken_barh(spans, (0.0, 0.24), color=colours[version], linewidth=0)
    axes.set_ylim(-0.05, 1.05)
    axes.set_yticks([0.64], ["serves"])
    dress(axes, title="What served", grid="none")


def lineage(case: Case, histories: Sequence[VersionHistory]) -> Figure:
    """Draw each version: trained on which windows, decided when, its parent, let in or stopped, served."""
    shown = list(histories)
    if len(shown) > MOST:
        shown = [history for history in histories if history.traffic][-MOST:]
    colours, place = colours_of(histories), {history.version: i for i, history in enumerate(shown)}
    figure = new_figure(9.2, 1.3 + 0.29 * len(shown))
    axes = figure.add_subplot()
    end = case.first + case.steps - 1
    for history in shown:
        y = place[history.version]
        first, last = history.training.first, history.training.last
        axes.broken_barh([(first - 0.5, last - first + 1)], (y - 0.12, 0.24), color="#c4c9d1", linewidth=0)
        if history.passage.decided is not None:
            if history.passage.parent in place:
                x = history.passage.decided + 0.5
                axes.plot([x, x], [place[history.passage.parent], y], color=RULE, linewidth=1.0, zorder=1)
            ready = end + 0.5 if history.out is None else history.out - 0.5
            axes.plot([history.passage.decided + 0.5, ready], [y, y], ":", color=MUTED, linewidth=1.2)
            axes.plot(history.passage.decided + 0.5, y, "^", color="#0072b2", markersize=4)
            if history.out is not None:
                good = history.passage.arrived is not None
                axes.plot(
                    ready, y, "o" if good else "x", color="#009e73" if good else WARN, markersize=5,
                    markeredgewidth=1.6, zorder=4,
                )  # fmt: skip
        for a, b in history.traffic:
            axes.broken_barh(
                [(a - 0.5, b - a + 1)], (y - 0.34, 0.68), color=colours[history.version], linewidth=0
            )
        axes.annotate(
            history.short, (1.01, y), xycoords=("axes fraction", "data"), fontsize=SMALL, va="center",
            color=INK if history.traffic else MUTED, annotation_clip=False,
        )  # fmt: skip
    axes.set_yticks(range(len(shown)), [f"version {history.version}" for history in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(-0.6, end + 0.6)
    axes.axvline(case.first - 0.5, color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
    dress(axes, xlabel="window", grid="x")
    left_out = len(histories) - len(shown)
    more = f"; {left_out} versions that are not shown are in the table" if left_out else ""
    caption(
        figure,
        "grey: windows that it was trained on; triangle: decided, below its parent; dots: training and "
        f"review; circle: let in, cross: stopped; bar: served{more}",
    )
    return figure


def rates(
    case: Case, shown: Mapping[str, Shown], out: Mapping[str, np.ndarray], groups: Sequence[str]
) -> Figure:
    """Draw what each constraint looks at in each window, of what served, with its limit.

    Parameters
    ----------
    case : Case
    shown : mapping of str to Shown
        By constraint: the truth, or what is measured.
    out : mapping of str to ndarray of bool, shape (S,)
        Which windows are out of compliance by these.
    groups : sequence of str
        Names.
    """
    figure = new_figure(9.2, 0.7 + 1.75 * len(shown))
    panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    x = case.windows
    for axes, (name, one) in zip(panels, shown.items(), strict=True):
        values = case.at(one.values)
        _behind(axes, case, out.get(name, np.zeros(case.steps, dtype=bool)))
        _behind(axes, case, case.served < 0, SHADE)
        alone = values.shape[1] == 1
        for g in range(values.shape[1]):
            label = None if alone else (groups[g] if values.shape[1] == len(groups) else str(g))
            axes.plot(
                x, values[:, g], marker=".", markersize=4, linewidth=1.1, label=label,
                linestyle=DASHES[g % len(DASHES)], color=INK if alone else PALETTE[g % len(PALETTE)],
            )  # fmt: skip
        for limit in (one.low, one.high):
            if limit is not None:
                axes.axhline(limit, color=WARN, linewidth=1.0, linestyle=(0, (4, 2)))
        dress(axes, title=_title(name, one), grid="y")
        if not alone:
            axes.legend(
                fontsize=SMALL, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), title="group",
                title_fontsize=SMALL,
            )  # fmt: skip
    panels[-1].set_xlabel("window", fontsize=8.5, color=INK)
    panels[-1].set_xlim(case.first - 0.6, case.first + case.steps - 0.4)
    notes = ["shaded red: out of compliance"] if any(which.any() for which in out.values()) else []
    if any(one.low is not None or one.high is not None for one in shown.values()):
        notes.append("dashed: what is allowed")
    if (case.served < 0).any():
        notes.append("grey: the fallback serves")
    caption(figure, "; ".join(notes))
    return figure


def _title(name: str, one: Shown) -> str:
    words = name.replace("_", " ")
    if one.name not in words:
        words += f": {one.name}"
    if one.gap is not None:
        return f"{words}, groups at most {one.gap:g} apart"
    if one.low is not None:
        return f"{words}, at least {one.low:g}"
    return f"{words}, at most {one.high:g}" if one.high is not None else words
