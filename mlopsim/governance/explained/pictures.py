"""Pictures of one decision: what came of each alternative, and what the answer hangs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlopsim.governance.explained.attribution import ordered
from mlopsim.governance.explained.decision import Explained
from mlopsim.governance.explained.exact_sums import on_grid
from mlopsim.plots.labels import label_ends
from mlopsim.plots.style import INK, MUTED, Mark, caption, dress, marks_for, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def futures(explained: Explained) -> Figure:
    """Draw quality by window with what was done, and what each alternative earned more, added up.

    Parameters
    ----------
    explained : Explained
    """
    first, step, unit = explained.scene.first, explained.step, explained.forks.unit
    windows = np.arange(first + 1, first + 1 + explained.scene.steps)
    walks, done = explained.walks, explained.followed[explained.chosen]
    shown = sorted(explained.followed)
    names = {action: explained.actions[action] for action in shown}
    looks = marks_for(
        [names[action] for action in shown],
        {names[explained.chosen]: Mark(colour=INK)},
    )
    figure = new_figure(8.4, 5.4)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1.0, 1.3])
    for action in shown:
        if action != explained.chosen:
            look = looks[names[action]]
            row = explained.followed[action]
            above.plot(
                windows[step:],
                walks.parts["quality"][row, step:],
                color=look.colour,
                linestyle=look.dash,
                linewidth=1.0,
                alpha=0.8,
            )
    above.plot(windows, walks.parts["quality"][done], color=INK, linewidth=1.5)
    retrains = windows[walks.retrained[done]] - 1
    low = above.get_ylim()[0]
    above.plot(retrains, np.full(len(retrains), low), "^", color=MUTED, markersize=4, clip_on=False)
    dress(above, ylabel="quality", title="What served, and what would have")
    ends = []
    for action in shown:
        row, look = explained.followed[action], looks[names[action]]
        more = sum(
            on_grid(part[row, step:], unit) - on_grid(part[done, step:], unit)
            for part in walks.parts.values()
        )
        total = np.concatenate([[0.0], np.cumsum(more)])
        own = action == explained.chosen
        below.plot(
            np.concatenate([[explained.window], windows[step:]]),
            total,
            color=look.colour,
            linestyle=look.dash,
            linewidth=1.5 if own else 1.2,
        )
        ends.append((float(total[-1]), f"{names[action]}{': done' if own else ''}", look.colour))
    for axes in (above, below):
        axes.axvline(explained.window, color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
    above.set_xlim(windows[0] - 1, windows[-1])
    dress(below, xlabel="window", ylabel="earned more than what was done, added up", title="In hindsight")
    label_ends(
        below,
        np.full(len(ends), windows[-1]),
        np.array([value for value, _, _ in ends]),
        [text for _, text, _ in ends],
        [colour for _, _, colour in ends],
    )
    caption(
        figure,
        f"dotted: the decision after window {explained.window}; triangles: retrains of what was done; "
        "one scenario, exact",
    )
    return figure


def hangs_on(explained: Explained) -> Figure:
    """Draw the Shapley values of the groups of features."""
    found = ordered(explained.attribution)[::-1]
    figure = new_figure(7.2, 0.6 + 0.3 * len(found))
    axes = figure.add_subplot()
    values = [value for _, value in found]
    axes.barh(range(len(found)), values, color=INK, height=0.62)
    axes.set_yticks(range(len(found)), [name for name, _ in found])
    axes.axvline(0.0, color=MUTED, linewidth=0.8)
    dress(axes, xlabel="share of agreement with the answer that a group brings (Shapley value)", grid="x")
    return figure
