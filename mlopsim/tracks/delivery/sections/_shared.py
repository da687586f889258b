"""What sections of the delivery track share: the track's settings, which methods are drawn, notes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from mlopsim.core.section import Results
from mlopsim.tracks.cell_table import facts
from mlopsim.tracks.claims import not_for_claims
from mlopsim.tracks.delivery.analysis import NEVER

if TYPE_CHECKING:
    from mlopsim.tracks.delivery.track import DeliveryTrack

#: methods in a time line or profile, at most
SHOWN = 6


def settings(results: Results) -> DeliveryTrack:
    """Return the track with its settings."""
    return cast("DeliveryTrack", results.track)


def warning(results: Results, named: Callable[[str], str] = str) -> str:
    """Warn of agents that were trained too shortly; empty if there are none."""
    return not_for_claims(facts(results.cells, "family"), settings(results).steps, named)


def best(results: Results) -> list[str]:
    """Return the methods that are drawn: the first of the leaderboard, without hindsight and ``never``."""
    families = facts(results.cells, "family")
    board: list[str] = results.leaderboard["method"].to_list()
    return [name for name in board if families[name] != "reference" and name != NEVER][:SHOWN]


def lines(*texts: str) -> str:
    """Join the lines of a figure's note that say something."""
    return "\n".join(text for text in texts if text)
