"""What sections of the fairness track share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mlopsim.core.section import Results
from mlopsim.plots.leaderboard import leaderboard
from mlopsim.stats.interval import Interval
from mlopsim.tracks.fairness.track import FairnessTrack


def settings_of(results: Results) -> FairnessTrack:
    """Return the track with its settings."""
    track = results.track
    assert isinstance(track, FairnessTrack), track.full_name
    return track


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
