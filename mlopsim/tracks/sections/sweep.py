"""How the score of each method changes along the values of a sweep."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.text import code_span
from mlopsim.core.track import Attribute, Metric, Scored, Section, sum_up

if TYPE_CHECKING:
    import polars as pl

#: heat maps that are drawn at most, those of the best methods
MAPS = 6
#: values of a key from this ratio on are drawn on a logarithmic axis
WIDE = 20.0
#: what a leaderboard may tell beside a score
ENDS = ("_low", "_high", "_n", "_reason")


@register("section", "sweep")
@dataclass(kw_only=True)
class Sweep(SectionMaker):
    """A curve of every method along one swept key or pairs of values, a heat map of each along two keys.

    Examples
    --------
    >>> Sweep().track
    ''
    """

    title: ClassVar[str] = "Sweep"
    order: ClassVar[float] = 15.0

    def make(self, results: Results) -> Section | None:
        """Sum the cells of each point up as the leaderboard does, and draw the score."""
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
        points = results.sweep_points
        table = _table(results, track, points)
        together = len(keys) > 1 and len(points) == len(next(iter(keys.values())))
        text = (
            f"The leaderboard's score (**{score.text or score.name}**) of each method at each value of "
            f"{' and '.join(map(code_span, keys))}: the same seeds at every value. The other "
            "sections pool all values. A method that a value does not change is the same at each."
        )
        figures: dict[str, Any] = {}
        if len(keys) == 1 or together:
            figures = _lines(table, points, score)
        elif len(keys) == 2:
            figures = _maps(table, keys, score)
        else:
            text += " More than two keys: see the table."
        if together:
            text += " The values of the keys go in pairs, one of each."
        return Section(title=self.title, text=text, table=table, figures=figures)


def _table(results: Results, track: Scored, points: Sequence[Mapping[str, Attribute]]) -> pl.DataFrame:
    """Return one row a point and method: the score with what the track's leaderboard tells beside it."""
    import polars as pl

    name = track.score.name
    names = bases(results.cells)
    boards: list[tuple[Mapping[str, Attribute], pl.DataFrame, pl.DataFrame]] = []
    for point in points:
        cells = at(results.cells, point)
        if cells.height:
            boards.append((point, cells, sum_up(results.track, cells, results.curves)))
    scored = [board for _, _, board in boards if name in board.columns]
    if not scored:
        raise Unavailable(f"no leaderboard of these tasks has the score '{name}'")
    # a track of somebody else may give the score alone
    ends = [end for end in ENDS if any(name + end in board.columns for board in scored)]
    if len(scored) < len(boards) and "_reason" not in ends:
        ends.append("_reason")
    rows: list[dict[str, Any]] = []
    for point, cells, board in boards:
        if name in board.columns:
            found = [
                {
                    "method": row["method"],
                    name: row[name],
                    **{name + end: row.get(name + end) for end in ends},
                }
                for row in board.iter_rows(named=True)
            ]
        else:
            absent = {**dict.fromkeys(name + end for end in ends), name + "_reason": f"no '{name}' here"}
            listed = cells["method"].unique(maintain_order=True)
            found = [{"method": method, name: math.nan, **absent} for method in listed]
        rows += [{**point, **row, "method": names.get(row["method"], row["method"])} for row in found]
    return pl.DataFrame(rows, infer_schema_length=None)


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
    """Return how many seeds the scores are of, empty where the leaderboard does not say."""
    if f"{score.name}_n" not in table.columns:
        return ""
    counts = sorted({int(n) for n in table[f"{score.name}_n"].drop_nulls() if n})
    found = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}" if counts else "0"
    return f"n = {found} seeds"


def _lines(table: pl.DataFrame, points: Sequence[Mapping[str, Attribute]], score: Metric) -> dict[str, Any]:
    import numpy as np
    import polars as pl

    from mlopsim.plots.curves import Curve, curves

    keys = list(points[0])
    order = [tuple(point.values()) for point in points]
    single = len(keys) == 1 and all(
        isinstance(value, int | float) and not isinstance(value, bool) for (value,) in order
    )
    # pairs and words stand side by side in their order, numbers where they are
    order = sorted(order) if single else order
    places = np.array([value for (value,) in order] if single else range(len(order)), dtype=float)
    banded = {f"{score.name}_low", f"{score.name}_high"} <= set(table.columns)
    lines = {}
    for method in _methods(table, score):
        own = {
            tuple(row[key] for key in keys): row
            for row in table.filter(pl.col("method") == method).iter_rows(named=True)
        }
        y, low, high = (
            np.array([own.get(values, {}).get(score.name + end, math.nan) for values in order], dtype=float)
            for end in ("", "_low", "_high")
        )
        lines[method] = Curve(x=places, y=y, low=low, high=high) if banded else Curve(x=places, y=y)
    if not lines:
        return {}
    wide = single and places.min() > 0 and places.max() / places.min() >= WIDE
    seeds = _seeds(table, score)
    notes = ["bands: 95 % intervals, pointwise"] if banded else []
    notes += [f"{seeds}, the same at every value"] if seeds else []
    along = ", ".join(keys)
    figure = curves(
        lines,
        xlabel=along,
        ylabel=score.text or score.name,
        xscale="log" if wide else "linear",
        note="; ".join(notes),
        legend=True,
    )
    # a value between two undefined ones has no line to be seen by
    middles = [curve.y for curve in lines.values()]
    for line in figure.axes[0].lines:
        if any(np.array_equal(line.get_ydata(), y, equal_nan=True) for y in middles):
            line.set(marker="o", markersize=3.0)
    if not wide:
        ticks = [f"{places[i]:g}" if single else ", ".join(map(str, order[i])) for i in range(len(order))]
        figure.axes[0].set_xticks(places, ticks)
    return {f"{score.text or score.name} along {along}": figure}


def _maps(table: pl.DataFrame, keys: Mapping[str, Sequence[Any]], score: Metric) -> dict[str, Any]:
    import numpy as np
    import polars as pl

    from mlopsim.plots.heatmap import heatmap

    (down, rows), (across, columns) = keys.items()
    finite = table.filter(pl.col(score.name).is_finite())[score.name]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)  # type: ignore[arg-type]
    if not low < high:
        low, high = low - 0.5, high + 0.5
    where = "intervals: see the table" if f"{score.name}_low" in table.columns else ""
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
            note="; ".join(filter(None, [score.text or score.name, _seeds(table, score), where])),
        )
    return figures
