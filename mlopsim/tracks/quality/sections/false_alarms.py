"""How often what is right is flagged, and whether that is as often as was asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section

if TYPE_CHECKING:
    from mlopsim.stats.interval import Interval


@register("section", "quality-false-alarms")
@dataclass(kw_only=True)
class QualityFalseAlarms(SectionMaker):
    """Attained rates beside those that were asked for, and false alarms of rows and windows."""

    track: ClassVar[str] = "quality"
    title: ClassVar[str] = "False alarms"
    order: ClassVar[float] = 80
    needs: ClassVar[tuple[str, ...]] = (
        *("attained", "at_limit", "false_alarm", "batch_false_alarm", "asked_rate", "level", "role", "stage"),
    )

    def make(self, results: Results) -> Section:
        """Tabulate the rates."""
        import polars as pl

        from mlopsim.stats.table import interval_columns
        from mlopsim.tracks.cell_table import axes_of, done, facts, mean_of
        from mlopsim.tracks.quality.analysis import with_errors
        from mlopsim.tracks.quality.sections._shared import board_methods

        table = results.cells
        tasks = axes_of(table)[1]
        wrong = set(with_errors(table))
        quiet = [task for task in tasks if task not in wrong]
        # elsewhere a gate looks at the same rows with the same limit
        rows = done(table).filter(
            pl.col("attained").is_finite() & pl.col("stage").is_in(["entry", "training"])
        )
        flagged = set(rows["method"].to_list())
        methods = [method for method in board_methods(results) if method in flagged]
        if not methods:
            raise Unavailable("no gate flags rows here")
        found = {
            name: [mean_of(table, m, name, over) for m in methods]
            for name, over in (
                ("attained", quiet or tasks),
                ("at_limit", quiet or tasks),
                ("false_alarm", tasks),
                ("batch_false_alarm", tasks),
            )
        }
        asked, level = facts(table, "asked_rate"), facts(table, "level")
        why = [
            reason(asked[m], attained, at.value, level[m] == "batch", bool(quiet))
            for m, attained, at in zip(methods, found["attained"], found["at_limit"], strict=True)
        ]
        columns = {"method": methods, "asked": pl.Series([asked[m] for m in methods], dtype=pl.Float64)}
        columns["asked_reason"] = ["no rate is asked for" if asked[m] is None else "" for m in methods]
        columns |= interval_columns("attained", found["attained"])
        columns |= {"why": why, "at_limit": [each.value for each in found["at_limit"]]}
        for name in ("false_alarm", "batch_false_alarm"):
            columns |= interval_columns(name, found[name])
        where = (
            f"the {len(quiet)} task(s) in which nothing is wrong"
            if quiet
            else "all tasks, as there is none in which nothing is wrong"
        )
        text = (
            f"**attained**: rows like those of the warm-up that are flagged, on {where}; **asked**: the rate "
            "that the limit is for; **why**: where the interval of the one does not hold the other (of "
            "20 such intervals one misses by chance); **at limit**: of these rows, those whose score is the "
            "limit's, which are not flagged. Limits are "
            "conformal: exact without ties for rows of the warm-up's law; where a score depends on other "
            "rows, it is compared with those of clean rows in the same company.\n\n"
            "**false alarm** and **batch false alarm**: right rows, and windows without any wrong row, that "
            "are flagged, on all tasks, those with errors and drift among them. Labels that the stream's own "
            "noise made wrong are no right rows: who flags them raises no false alarm. Windows of gates of "
            "rows are flagged at 1 %."
        )
        return Section(title=self.title, text=text, table=pl.DataFrame(columns))


def reason(asked: float | None, attained: Interval, at_limit: float, batch: bool, quiet: bool) -> str:
    """Say why an attained rate is not the one that was asked for; empty where its interval holds it.

    Examples
    --------
    >>> from mlopsim.stats.interval import Interval
    >>> low = Interval(value=0.01, low=0.0, high=0.02, n=9)
    >>> reason(0.05, low, 0.3, False, True), reason(0.05, low, 0.0, False, True)
    ('ties: 30 % of the rows are at the limit', 'not explained')
    >>> reason(0.015, low, 0.0, False, True)
    ''
    """
    if asked is None:
        return "no rate is asked for"
    if not math.isfinite(attained.value):
        return attained.reason
    if attained.low <= asked <= attained.high:
        return ""
    below = attained.value < asked
    if batch:
        return "a test of a window, conservative" if below else "windows of one run are few"
    if below and attained.value + at_limit >= asked:
        return f"ties: {at_limit:.0%} of the rows are at the limit".replace("%", " %")
    return "not explained" if quiet else "errors or drift in the tasks"
