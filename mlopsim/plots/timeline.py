"""A deployment over time, one panel a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.plots.style import INK, SHADE, SMALL, TEXT, Mark, caption, dress, marks_for, new_figure, room
from mlopsim.plots.told import amount, tell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ORACLE_DASH = (0, (2.5, 1.5))
# kind of action -> (marker, colour, height in the strip, singular)
ACTIONS: dict[str, tuple[str, str, int, str]] = {
    "alarms": ("|", "#b3261e", 0, "alarm"),
    "retrains": ("^", "#0072b2", 1, "retrain"),
    "switches": ("o", "#1f2328", 2, "switch"),
    "rollbacks": ("v", "#d55e00", 3, "rollback"),
}


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """What a method did in one deployment.

    Parameters
    ----------
    name : str
    quality : ndarray of float64, shape (w,)
        Quality of what served, one entry per window of ``Timeline.windows``.
    alarms, retrains, switches, rollbacks : sequence of int
        Windows in which they happened; a rollback should not be listed as a switch, too.
    """

    name: str
    quality: np.ndarray
    alarms: Sequence[int] = ()
    retrains: Sequence[int] = ()
    switches: Sequence[int] = ()
    rollbacks: Sequence[int] = ()


@dataclass(frozen=True, kw_only=True)
class Span:
    """A drift event in windows: shaded from ``start`` to ``end``, a line where both are equal."""

    start: float
    end: float
    label: str = ""


@dataclass(kw_only=True)
class Timeline:
    """What the panels of a time line share.

    Parameters
    ----------
    windows : ndarray of int64, shape (w,)
    rollouts : sequence of Rollout
    oracle : ndarray of float64, shape (w,), optional
        Quality of what the clairvoyant optimum served.
    drifts : sequence of Span
    """

    windows: np.ndarray
    rollouts: Sequence[Rollout]
    oracle: np.ndarray | None = None
    drifts: Sequence[Span] = field(default_factory=tuple)


def timeline(
    line: Timeline,
    *,
    ylabel: str = "accuracy",
    title: str = "",
    note: str = "",
    marks: Mapping[str, Mark] | None = None,
) -> Figure:
    """Draw the quality of what served, one panel a method, with drift events and actions.

    Parameters
    ----------
    line : Timeline
    ylabel, title, note : str
    marks : mapping of str to Mark, optional
        From `marks_for`.

    Returns
    -------
    Figure
        Each panel: the method's line, the oracle's behind it, drift events shaded, and a strip below
        with one row each for alarms, retrains, switches and rollbacks.

    Examples
    --------
    >>> rollout = Rollout(name="never", quality=np.array([.9, .6, .6]))
    >>> len(timeline(Timeline(windows=np.arange(3), rollouts=[rollout])).axes)
    2
    """
    w = len(line.windows)
    series = [rollout.quality for rollout in line.rollouts] + ([] if line.oracle is None else [line.oracle])
    if not line.rollouts or any(np.shape(s) != (w,) for s in series):
        raise ConfigError(f"a time line needs at least one roll-out, and {w} numbers for each")
    looks = marks or marks_for([rollout.name for rollout in line.rollouts])
    k = len(line.rollouts)
    figure = new_figure(7.6 + room([rollout.name for rollout in line.rollouts], 32), 0.95 + 1.12 * k)
    ratios = [r for _ in range(k) for r in (3.0, 1.0)]
    panels: list[Axes] = list(
        np.ravel(figure.subplots(2 * k, 1, sharex=True, gridspec_kw={"height_ratios": ratios}))
    )
    figure.set_layout_engine("constrained", h_pad=0.03, hspace=0.0)
    values = np.concatenate(series)
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    pad = 0.06 * max(high - low, 0.02)
    present = [kind for kind in ACTIONS if any(len(getattr(rollout, kind)) for rollout in line.rollouts)]
    for number, rollout in enumerate(line.rollouts):
        top, strip = panels[2 * number], panels[2 * number + 1]
        for axes in (top, strip):
            _shade(axes, line.drifts)
        if line.oracle is not None:
            top.plot(line.windows, line.oracle, color=INK, linewidth=0.9, linestyle=ORACLE_DASH, zorder=4)
        look = looks[rollout.name]
        done: dict[int, list[str]] = {}
        for kind, (_, _, _, singular) in ACTIONS.items():
            for window in getattr(rollout, kind):
                done.setdefault(int(window), []).append(singular)
        told = [
            "\n".join([rollout.name, f"window {window}: {amount(value)}", *done.get(window, [])])
            for window, value in zip(line.windows.tolist(), rollout.quality.tolist(), strict=True)
        ]
        tell(top, line.windows, rollout.quality, told)
        top.plot(line.windows, rollout.quality, color=look.colour, linewidth=1.6, zorder=3)
        top.set_ylim(low - pad, high + pad)
        dress(top, grid="y", text=TEXT)
        top.tick_params(labelbottom=False)
        top.set_ylabel(rollout.name, rotation=0, ha="right", va="center", fontsize=TEXT, color=look.colour)
        top.yaxis.get_label().set_fontweight("bold")
        _strip(strip, rollout)
    last = panels[-1]
    last.set_xlim(float(line.windows[0]) - 0.5, float(line.windows[-1]) + 0.5)
    last.tick_params(labelbottom=True)
    last.set_xlabel("window", fontsize=TEXT, color=INK)
    _legend(panels[0], line, present, ylabel)
    if title:
        figure.suptitle(title, fontsize=TEXT + 1.5, color=INK, x=0.01, ha="left", fontweight="bold")
    caption(figure, note)
    return figure


def _shade(axes: Axes, drifts: Sequence[Span]) -> None:
    for drift in drifts:
        if drift.end > drift.start:
            axes.axvspan(drift.start, drift.end, color="#e4e0ee", linewidth=0, zorder=0)
        axes.axvline(drift.start, color="#8f83b5", linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)


def _strip(axes: Axes, rollout: Rollout) -> None:
    for kind, (marker, colour, height, _) in ACTIONS.items():
        at = np.asarray(getattr(rollout, kind), dtype=np.float64)
        if len(at):
            size = 5.0 if marker == "|" else 3.6
            axes.plot(
                at,
                np.full(len(at), -height),
                marker,
                color=colour,
                markersize=size,
                markeredgewidth=1.1 if marker == "|" else 0.0,
                linestyle="none",
                zorder=3,
                clip_on=False,
            )
    axes.set_ylim(-3.7, 0.7)
    dress(axes, grid="none")
    axes.set_facecolor(SHADE + "80")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.tick_params(labelbottom=False)


def _legend(axes: Axes, line: Timeline, present: Sequence[str], ylabel: str) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Line2D([], [], color=INK, linewidth=1.6, label=f"{ylabel} of what served")]
    if line.oracle is not None:
        handles.append(Line2D([], [], color=INK, linewidth=0.9, linestyle=ORACLE_DASH, label="the oracle's"))
    if line.drifts:
        handles.append(Patch(facecolor="#e4e0ee", edgecolor="#8f83b5", linewidth=0.6, label="drift"))
    for kind in present:
        marker, colour, _, singular = ACTIONS[kind]
        handles.append(
            Line2D([], [], color=colour, marker=marker, markersize=5, linestyle="none", label=singular)
        )
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.02),
        borderaxespad=0.0,
        labelcolor=INK,
        ncols=len(handles),
        frameon=False,
        fontsize=SMALL,
        handlelength=1.6,
        columnspacing=1.1,
        handletextpad=0.5,
    )
