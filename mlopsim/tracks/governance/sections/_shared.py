"""What sections of the governance track share."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mlopsim.core.section import Results
from mlopsim.core.text import code_span
from mlopsim.tracks.cell_table import facts
from mlopsim.tracks.claims import not_for_claims

if TYPE_CHECKING:
    from mlopsim.tracks.governance.track import GovernanceTrack


def settings(results: Results) -> GovernanceTrack:
    """Return the track with its settings."""
    return cast("GovernanceTrack", results.track)


def warning(results: Results) -> str:
    """Warn of agents that were trained too shortly for claims; empty if there are none."""
    return not_for_claims(facts(results.cells, "family"), settings(results).steps, code_span)
