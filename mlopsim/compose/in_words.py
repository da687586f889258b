"""What a leaderboard says, in a paragraph: who leads, by how much, and what this does not tell."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from mlopsim.core.section import Results
from mlopsim.core.text import code_span
from mlopsim.core.track import Metric, Scored
from mlopsim.report.typeset import digits_for
from mlopsim.stats.table import format_interval
from mlopsim.tracks.comparison import POOLED
from mlopsim.tracks.pooled_sweep import pooled_sweep

if TYPE_CHECKING:
    import polars as pl

#: facts about methods by which numbers of two that differ in them are not like with like
LIKE = ("reads", "needs", "known", "sides")
#: laws by which methods are made comparable: those of another law are in no common order
LAWS = ("limit", "match")
#: of a list of names so many are written out
NAMED = 3


class Compared(Results, Protocol):
    """What a paragraph is made of: the results of one grid, and paired differences of them."""

    def compare(self, a: str, b: str) -> pl.DataFrame:
        """Return the paired difference of two scores, by task and pooled."""
        ...


def in_words(results: Compared) -> str:
    """Return the paragraph, as Markdown of :func:`mlopsim.report.prose.prose`.

    Parameters
    ----------
    results : Compared
        Such as :class:`mlopsim.compose.results.Results`.

    Returns
    -------
    str
        Empty where the track has no score that is better one way, or no leaderboard with its column.
        Controls are in no order. Each number has its interval and n; whether two methods differ is said
        from the paired difference, not from two intervals.
    """
    track, board = results.track, results.leaderboard
    if not isinstance(track, Scored) or track.score.direction == "none":
        return ""
    score = track.score
    if score.name not in board.columns or not len(board):
        return ""
    runs = board.filter(board["role"] != "control") if "role" in board.columns else board
    runs, apart = _one_law(runs, score.name)
    value = runs[score.name].cast(float)
    # a stable order: equal scores stay as the leaderboard has them
    known = runs.filter(value.is_not_null() & value.is_not_nan()).sort(
        score.name, descending=score.direction == "max", maintain_order=True
    )
    said = [_leader(results, score, known, len(runs))]
    said += apart
    said += _without(runs, known, score)
    said.append(pooled_sweep(results.cells, results.sweep, subject="Each value here"))
    said += _failed(results.cells)
    return " ".join(part for part in said if part)


def _one_law(runs: pl.DataFrame, score: str) -> tuple[pl.DataFrame, list[str]]:
    """Keep the methods of the law that leads the leaderboard, and say who stands apart by another one."""
    laws = [name for name in LAWS if name in runs.columns]
    value = runs[score].cast(float)
    valued = runs.filter(value.is_not_null() & value.is_not_nan())
    if not laws or not len(valued):
        return runs, []
    first = valued.row(0, named=True)
    rows = runs.rows(named=True)
    like = [all(row[law] == first[law] for law in laws) for row in rows]
    others = [str(row["method"]) for row, same in zip(rows, like, strict=True) if not same]
    if not others:
        return runs, []
    law = ", ".join(f"{name} {first[name]}" for name in laws if first[name] is not None)
    said = (
        f"This is an order of the methods with {code_span(law)}, which the leaderboard puts first; "
        f"{len(others)} made comparable in another way stand apart: {_names(others)}."
    )
    return runs.filter(like), [said]


def _amount(row: dict[str, object], name: str, unit: str) -> str:
    """Write an estimate of a row with interval, unit and n."""
    value, low, high = (
        math.nan if row.get(name + part) is None else float(str(row[name + part]))
        for part in ("", "_low", "_high")
    )
    # a difference near 0 needs no more digits than its ends
    largest = max((abs(end) for end in (value, low, high) if math.isfinite(end)), default=0.0)
    text = format_interval(value, low, high, digits_for([largest], [high - low]))
    return f"{text}{'' if unit == '1' else f' {unit}'} (n = {row.get(f'{name}_n', 0)})"


def _leader(results: Compared, score: Metric, known: pl.DataFrame, methods: int) -> str:
    what = score.text or score.name.replace("_", " ")
    if not len(known):
        return f"No method has a value of **{what}**, by which the leaderboard is ordered."
    first = known.row(0, named=True)
    better = {"max": "more is better", "min": "less is better"}.get(
        score.direction, "as the table is ordered"
    )
    text = (
        f"Of {methods} methods, controls aside, {code_span(first['method'])} leads by **{what}** ({better}): "
        f"{_amount(first, score.name, score.unit)}."
    )
    if len(known) < 2:
        return f"{text} There is no second one to compare it with."
    second = known.row(1, named=True)
    text += f" {code_span(second['method'])} is second with {_amount(second, score.name, score.unit)};"
    return f"{text} {_gap(results, score, first, second)} {_unlike(first, second)}".rstrip()


def _gap(results: Compared, score: Metric, first: dict[str, object], second: dict[str, object]) -> str:
    """Say by how much the first leads: the row over all tasks, or the only one."""
    found = results.compare(str(first["method"]), str(second["method"]))
    row = found.row(-1, named=True)
    if found.height > 1 and row["task"] != POOLED:
        return "their tasks are not pooled, so there is no paired difference over them."
    ends = [row["difference_low"], row["difference_high"]]
    gap = row["difference"]
    if gap is None or math.isnan(gap):
        return f"their paired difference is undefined: {row['difference_reason'] or 'no reason was given'}."
    # a score may be over fewer tasks than what stands beside it
    tasks = int(str(row.get(f"{score.name}_tasks", row["tasks"])))
    over = f"over {tasks} tasks " if tasks > 1 else ""
    text = f"the paired difference {over}is {_amount(row, 'difference', score.unit)},"
    if any(end is None or math.isnan(end) for end in ends):
        return f"{text} without an interval, so nothing is said of chance."
    if ends[0] <= 0 <= ends[1]:
        return f"{text} an interval that does not exclude 0: **these results do not tell the two apart**."
    if (gap > 0) == (score.direction == "max"):
        return f"{text} an interval that excludes 0 (one comparison, chosen after looking at the order)."
    return f"{text} **against the order of the leaderboard**, which does not pair the two cell by cell."


def _unlike(first: dict[str, object], second: dict[str, object]) -> str:
    """Name facts in which the two differ."""
    facts = [
        f"{name} ({first[name]}; {second[name]})"
        for name in LIKE
        if name in first and name in second and first[name] != second[name]
    ]
    if not facts:
        return ""
    return f"They are not like with like: they differ in {code_span(', '.join(facts))}."


def _names(names: list[str]) -> str:
    """Write out a few names, and how many others there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(code_span(name) for name in names[:NAMED]) + more


def _without(runs: pl.DataFrame, known: pl.DataFrame, score: Metric) -> list[str]:
    """Say which methods have no value, by reason."""
    left = runs.filter(~runs["method"].is_in(known["method"].to_list()))
    if not len(left):
        return []
    reasons: dict[str, list[str]] = {}
    for row in left.iter_rows(named=True):
        reason = str(row.get(f"{score.name}_reason") or "no reason was given")
        reasons.setdefault(reason, []).append(row["method"])
    told = "; ".join(f"{_names(names)} ({code_span(reason)})" for reason, names in reasons.items())
    return [f"Not compared, {len(left)}: {told}."]


def _failed(cells: pl.DataFrame) -> list[str]:
    """Say what failed, and what is not there yet."""
    bad = cells.filter(cells["status"].is_in(["failed", "timeout", "crashed"]))
    open_cells = len(cells) - len(bad) - len(cells.filter(cells["status"] == "done"))
    said = []
    if len(bad):
        named = list(dict.fromkeys(bad["method"].to_list()))
        said.append(f"{len(bad)} of {len(cells)} cells failed, of {_names(named)}, and count in no number.")
    else:
        said.append("No cell failed.")
    if open_cells:
        said.append(f"{open_cells} of {len(cells)} cells are not there yet.")
    return said
