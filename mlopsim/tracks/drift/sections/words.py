"""What the words of a report of the drift track mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section
from mlopsim.tracks.drift.sections._shared import asked_of, calibration_of, tolerance_of


@register("section", "drift-words")
@dataclass(kw_only=True)
class Words(SectionMaker):
    """The terms of the tables, with the settings of this run."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "Words"
    order: ClassVar[float] = 140.0

    def make(self, results: Results) -> Section:
        """Define them."""
        calibration = calibration_of(results)
        text = (
            f"- **in time**: an alarm from the start of a change to {tolerance_of(results)} rows after its "
            "end.\n"
            "- **rise**, **fall**: a change after which the model that was trained on the warm-up, and is "
            "left "
            "alone, is wrong more or less often than before it, by more than 1.96 standard errors; "
            "measured on "
            "all rows between the changes. Of ticks without a model: which way their mean goes.\n"
            "- **restricted delay**: mean over all rises of min(delay, length of the window), in rows; of "
            "falls "
            "in Falls.\n"
            "- **rank**: mean rank of that delay within each task and seed, among those that read the same.\n"
            "- **sides**: whether a detector looks for rises (up), falls (down) or both.\n"
            "- **false alarms**: alarms outside all windows of changes; their rate is per 1000 such rows.\n"
            "- **extra**: further alarms within one change's window.\n"
            "- **chance recall**: share of the changes that alarms at random rows would find, as many as "
            "there are outside the windows of changes.\n"
            f"- **asked**: {asked_of(results)}\n"
            f"- **share**, **rate**, **hazard**: P(first alarm within H), H = {calibration.horizon} rows; "
            "alarms "
            f"in 1,000 rows over {calibration.rate_rows:,} rows with resets; P(first alarm in the last "
            "fifth of H | "
            "none before): on fresh drift-free signals.\n"
            "- **reads**: errors of the model (1 = it was wrong), its outputs, or windows of its inputs; "
            "**needs**: labels for errors, none for the others.\n"
            "- **known**: what a detector knows beforehand: nothing (it estimates what it needs), its "
            "in-control parameters, the law before the change (p0), or both laws (p0 and p1).\n"
            "- **limit**: calibrated to what is asked, given by the user, or none to set.\n"
            "- **control**: ignores the signal. `random` and `periodic` alarm at the asked rate; "
            "`clairvoyant` knows the changes.\n"
            "- A window of inputs is known when its last row is; delayed labels arrive late: both count as "
            "delay."
        )
        return Section(title=self.title, text=text)
