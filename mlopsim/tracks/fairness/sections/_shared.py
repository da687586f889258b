"""What sections of the fairness track share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mlopsim.core.section import Results
from mlopsim.plots.leaderboard import leaderboard
from mlopsim.stats.interval import Interval
from mlopsim.tracks.cell_table import facts
from mlopsim.tracks.fairness.analysis import CONDITIONS
from mlopsim.tracks.fairness.track import FairnessTrack

if TYPE_CHECKING:
    import polars as pl


def settings_of(results: Results) -> FairnessTrack:
    """Return the track with its settings."""
    track = results.track
    assert isinstance(track, FairnessTrack), track.full_name
    return track


def under(table: pl.DataFrame, tasks: Sequence[str]) -> str:
    """Say how late labels are in some tasks, and how many rows LIME explains.

    Examples
    --------
    >>> import polars as pl
    >>> table = pl.DataFrame({"task": ["a"], "label_delay": [0], "lime_rows": [50], "role": ["method"]})
    >>> under(table, ["a"])
    ' In these tasks labels are there at once, and LIME explains 50 rows a window.'
    """
    late, rows = (facts(table, name, of="task") for name in CONDITIONS)
    delays = sorted({late[task] for task in tasks} - {None})
    counts = sorted({rows[task] for task in tasks} - {None})
    if not delays or not counts:
        return ""
    when = "at once" if delays == [0] else f"{', '.join(map(str, delays))} windows late"
    explained = ", ".join(map(str, counts))
    text = f" In these tasks labels are there {when}, and LIME explains {explained} rows a window."
    if (max(late.values()), max(rows.values())) != (delays[-1], counts[-1]):
        text += " The same deployments under other conditions have sections of their own."
    return text


def seeds_text(values: Iterable[Interval]) -> str:
    """Say how many seeds estimates come from.

    Examples
    --------
    >>> seeds_text([Interval(value=0.5, low=0.0, high=1.0, n=n) for n in (20, 100)])
    '20 to 100 seeds'
    """
    counts = {value.n for value in values}
    return f"{max(counts)} seeds" if len(counts) == 1 else f"{min(counts)} to {max(counts)} seeds"


def ranking(
    methods: Sequence[str], values: Sequence[Interval], *, xlabel: str, references: Mapping[str, float]
) -> object:
    """Draw one interval a method."""
    return leaderboard(
        methods,
        [v.value for v in values],
        [v.low for v in values],
        [v.high for v in values],
        [v.n for v in values],
        xlabel=xlabel,
        references=references,
        note=f"95 % intervals over {seeds_text(values)}",
    )
