"""What sections of the governance track share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from mlopsim.core.section import Results
from mlopsim.core.text import code_span
from mlopsim.tracks.cell_table import facts
from mlopsim.tracks.claims import not_for_claims

if TYPE_CHECKING:
    from mlopsim.tracks.governance.track import GovernanceTrack


def named(tasks: Mapping[str, str]) -> str:
    """Name tasks with what is said of each.

    Examples
    --------
    >>> named({"a": "no room", "b": "no room", "c": "not done"})
    '`a`, `b` (no room); `c` (not done)'
    """
    groups: dict[str, list[str]] = {}
    for task, reason in tasks.items():
        groups.setdefault(reason, []).append(code_span(task))
    return "; ".join(f"{', '.join(names)} ({reason})" for reason, names in groups.items())


def settings(results: Results) -> GovernanceTrack:
    """Return the track with its settings."""
    return cast("GovernanceTrack", results.track)


def warning(results: Results) -> str:
    """Warn of agents that were trained too shortly for claims; empty if there are none."""
    return not_for_claims(facts(results.cells, "family"), settings(results).steps, code_span)
