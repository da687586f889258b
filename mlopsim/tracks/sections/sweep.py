"""How the score of each method changes along the values of a sweep."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.text import code_span
from mlopsim.core.track import Metric, Scored, Section

if TYPE_CHECKING:
    import polars as pl

#: heat maps that are drawn at most, those of the best methods
MAPS = 6
#: values of a key from this ratio on are drawn on a logarithmic axis
WIDE = 20.0


@register("section", "sweep")
@dataclass(kw_only=True)
class Sweep(SectionMaker):
    """A curve of every method along one swept key, a heat map of each along two.

    Examples
    --------
    >>> Sweep().track
    ''
    """

    title: ClassVar[str] = "Sweep"
    order: ClassVar[float] = 15.0

    def make(self, results: Results) -> Section | None:
        """Sum the cells of each point up as the leaderboard does, and draw the score."""
        import polars as pl

        keys = dict(results.sweep)
        if not keys:
            return None
        track = results.track
        if not isinstance(track, Scored):
            raise Unavailable(f"{track.full_name} has no score that could be drawn along {', '.join(keys)}")
        score = track.score
        missing = [key for key in keys if key not in results.cells.columns]
        if missing:
            raise Unavailable(f"the cells have no column '{missing[0]}'")
        rows = []
        for point in points(results.cells, list(keys)):
            board = track.leaderboard(at(results.cells, point))
            if score.name not in board.columns:
                continue
            names = bases(results.cells)
            for row in board.iter_rows(named=True):
                found = {
                    score.name + end: row[score.name + end] for end in ("", "_low", "_high", "_n", "_reason")
                }
                rows.append({**point, "method": names.get(row["method"], row["method"]), **found})
        if not rows:
            raise Unavailable(f"no leaderboard of these tasks has the score '{score.name}'")
        table = pl.DataFrame(rows, infer_schema_length=None)
        text = (
            f"The leaderboard's score (**{score.text or score.name}**) of each method at each value of "
            f"{' and '.join(map(code_span, keys))}: the same seeds at every value. The other "
            "sections pool all values. A method that a value does not change is the same at each."
        )
        draw = _maps if len(keys) == 2 else _lines if len(keys) == 1 else None
        if draw is None:
            text += " More than two keys: see the table."
        figures: dict[str, Any] = draw(table, keys, score) if draw else {}
        return Section(title=self.title, text=text, table=table, figures=figures)


def points(cells: pl.DataFrame, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Return the points of a sweep that a table of cells holds, in its order."""
    whole = cells.select(keys).drop_nulls().unique(maintain_order=True)
    if whole.height:
        return list(whole.iter_rows(named=True))
    # no cell has a value of every key: each key stands in cells of its own
    import itertools

    values = [cells[key].drop_nulls().unique(maintain_order=True).to_list() for key in keys]
    return [dict(zip(keys, found, strict=True)) for found in itertools.product(*values)]


def at(cells: pl.DataFrame, point: Mapping[str, Any]) -> pl.DataFrame:
    """Return the cells of a point, and those that its keys do not change."""
    import polars as pl

    found = cells
    for key, value in point.items():
        found = found.filter(pl.col(key).is_null() | (pl.col(key) == value))
    return found


def bases(cells: pl.DataFrame) -> dict[str, str]:
    """Map methods to their names without the swept values."""
    if "swept_from" not in cells.columns:
        return {}
    known = cells.select("method", "swept_from").unique().iter_rows()
    return {method: base for method, base in known if base is not None}


def _methods(table: pl.DataFrame, score: Metric) -> list[str]:
    """Return the methods that have a score anywhere, the best mean first."""
    import polars as pl

    means = (
        table.filter(pl.col(score.name).is_finite())
        .group_by("method", maintain_order=True)
        .agg(pl.col(score.name).mean())
        .sort(score.name, descending=score.direction == "max", maintain_order=True)
    )
    return [str(name) for name in means["method"]]


def _seeds(table: pl.DataFrame, score: Metric) -> str:
    counts = sorted({int(n) for n in table[f"{score.name}_n"].drop_nulls() if n})
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}" if counts else "0"


def _lines(table: pl.DataFrame, keys: Mapping[str, Sequence[Any]], score: Metric) -> dict[str, Any]:
    import numpy as np
    import polars as pl

    from mlopsim.plots.curves import Curve, curves

    ((key, values),) = keys.items()
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    order = sorted(values) if numeric else list(values)
    places = np.array(order if numeric else range(len(order)), dtype=float)
    lines = {}
    for method in _methods(table, score):
        own = {row[key]: row for row in table.filter(pl.col("method") == method).iter_rows(named=True)}
        ends = [
            np.array([own.get(value, {}).get(score.name + end, math.nan) for value in order], dtype=float)
            for end in ("", "_low", "_high")
        ]
        lines[method] = Curve(x=places, y=ends[0], low=ends[1], high=ends[2])
    if not lines:
        return {}
    wide = numeric and min(order) > 0 and max(order) / min(order) >= WIDE
    figure = curves(
        lines,
        xlabel=key,
        ylabel=score.text or score.name,
        xscale="log" if wide else "linear",
        note=f"bands: 95 % intervals, pointwise; n = {_seeds(table, score)} seeds, the same at every value",
        legend=True,
    )
    if not wide:
        figure.axes[0].set_xticks(places, [f"{value:g}" if numeric else str(value) for value in order])
    return {f"{score.text or score.name} along {key}": figure}


def _maps(table: pl.DataFrame, keys: Mapping[str, Sequence[Any]], score: Metric) -> dict[str, Any]:
    import numpy as np
    import polars as pl

    from mlopsim.plots.heatmap import heatmap

    (down, rows), (across, columns) = keys.items()
    finite = table.filter(pl.col(score.name).is_finite())[score.name]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)  # type: ignore[arg-type]
    if not low < high:
        low, high = low - 0.5, high + 0.5
    figures = {}
    for method in _methods(table, score)[:MAPS]:
        own = {
            (r[down], r[across]): r[score.name] for r in table.filter(pl.col("method") == method).to_dicts()
        }
        values = np.array([[own.get((a, b), math.nan) for b in columns] for a in rows], dtype=float)
        figures[f"{method}: {score.text or score.name}"] = heatmap(
            [f"{down.split('.')[-1]} = {value}" for value in rows],
            [f"{across.split('.')[-1]} = {value}" for value in columns],
            values,
            low=low,
            high=high,
            title=method,
            note=f"{score.text or score.name}; n = {_seeds(table, score)} seeds; intervals: see the table",
        )
    return figures
