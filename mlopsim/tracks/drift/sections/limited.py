"""Methods that have no limit on some laws, beside the others on the laws that are left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section


@register("section", "drift-limited")
@dataclass(kw_only=True)
class Limited(SectionMaker):
    """A leaderboard on the tasks in which every method of a group has a limit."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "Where all have limits"
    order: ClassVar[float] = 25.0
    needs: ClassVar[tuple[str, ...]] = ("role", "known", "limit", "channel", "restricted_delay")

    def make(self, results: Results) -> Section | None:
        """Compare them; nothing where every method has a limit everywhere.

        Raises
        ------
        Unavailable
            If there is no task in which all have one.
        """
        from mlopsim.tracks.drift.analysis import lacking_limits, where_all_have_limits

        lacking = lacking_limits(results.cells)
        if not lacking:
            return None
        frame = where_all_have_limits(results.cells)
        if not len(frame):
            names = "; ".join(f"{channel}: {', '.join(methods)}" for channel, methods in lacking.items())
            raise Unavailable(f"no task has limits of all methods of a group; without some are: {names}")
        text = (
            "Of some methods no limit gives what is asked on some laws (`without`). A mean over the laws "
            "that suit them is no rival of means over all, so they have none in the leaderboard; here all "
            "methods that read the same stand on the tasks in which each of them has a limit (`tasks`)."
        )
        return Section(title=self.title, text=text, table=frame)
