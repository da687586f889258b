"""Detectors that read the same, on all tasks that they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section
from mlopsim.tracks.drift.realised_alarms import WORDS


@register("section", "drift-by-signal")
@dataclass(kw_only=True)
class BySignal(SectionMaker):
    """One leaderboard for each channel that is read: errors, outputs, inputs."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "By what is read"
    order: ClassVar[float] = 20.0
    needs: ClassVar[tuple[str, ...]] = ("role", "known", "limit", "channel", "restricted_delay")

    def make(self, results: Results) -> Section | None:
        """Compare within the groups; nothing where there is one only."""
        from mlopsim.tracks.drift.analysis import by_channel

        frame = by_channel(results.cells)
        if not len(frame) or frame["reads"].n_unique() < 2:
            return None
        text = (
            "Calibrated detectors that know nothing beforehand, grouped by the signal that they **read** and "
            "by what it **needs**: errors need the labels of the rows, outputs and inputs need none. Each "
            "group is averaged over all tasks in which every one of its methods can be run (`tasks`), which "
            "are not those of another group: compare within a group only. A method that reads errors in some "
            "tasks and outputs in others stands in both groups. Delays and ranks are of rises of the "
            "error.\n\n"
            f"{WORDS}"
        )
        return Section(title=self.title, text=text, table=frame)
