"""What limits were asked to do, and what they do on fresh signals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section
from mlopsim.tracks.drift.sections._shared import asked_of, calibration_of


@register("section", "drift-calibrations")
@dataclass(kw_only=True)
class Calibrations(SectionMaker):
    """False-alarm rate asked and attained, for each method and law."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "False alarms asked and attained"
    order: ClassVar[float] = 50.0
    needs: ClassVar[tuple[str, ...]] = ("role", "target", "share")

    def make(self, results: Results) -> Section:
        """List them.

        Raises
        ------
        Unavailable
            If no limit was found or checked.
        """
        import polars as pl

        from mlopsim.tracks.drift.analysis import calibrations, first_reason

        calibration = calibration_of(results)
        rows = calibrations(results.cells)
        if not len(rows):
            raise Unavailable("no method of these results has a limit that was found or checked")
        kept = ["method", "task", "target", "share", "share_low", "share_high", "met", "exact"]
        more = [f"{name}{end}" for name in ("rate", "hazard") for end in ("", "_low", "_high")]
        kept += [name for name in more if name in rows.columns]
        frame = rows.select(*kept, "restricted_mean", "censored", "early")
        frame = frame.with_columns(
            share_n=pl.when(pl.col("share").is_finite()).then(calibration.checks).otherwise(0),
            reason=pl.Series([first_reason(rows[i], "share") for i in range(len(rows))]),
        )
        missed = rows.filter(pl.col("met").not_()).height
        undefined = int(rows["share"].is_nan().sum())
        exact = int(rows["exact"].sum())
        text = (
            f"{asked_of(results)} {len(rows)} calibrations, {exact} of them by the exact law of the "
            "run length, the others with "
            f"{calibration.runs} drift-free signals each, checked on "
            f"{calibration.checks} fresh ones (95 % Clopper-Pearson intervals). {missed} missed what was "
            f"asked by more than three standard errors; for {undefined} there is no limit that gives it, and "
            "why. `early`: alarm within the first 1000 rows; `restricted_mean`: of min(run length, H), in "
            "rows, whatever a tick of the detector is; the task is the first that uses the law."
        )
        unknown = rows.filter(
            pl.col("exact").is_null() | (pl.col("share").is_finite() & pl.col("met").is_null())
        )
        if len(unknown):
            text += (
                f" For {len(unknown)} it is not known whether they are exact or whether what was asked is "
                "met, since an earlier version made them: they count as neither."
            )
        return Section(title=self.title, text=text, table=frame)
