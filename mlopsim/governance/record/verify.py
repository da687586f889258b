"""Verification of a record at up to three levels."""

from __future__ import annotations

from collections.abc import Sequence

from mlopsim.core.errors import ConfigError, nearest
from mlopsim.governance.record.anchored import Anchor, check_anchored
from mlopsim.governance.record.internal import check_internal
from mlopsim.governance.record.replayed import Again, check_replayed
from mlopsim.governance.record.store import Stored
from mlopsim.governance.record.verdict import LEVELS, Level, Verification


def verify(
    stored: Stored,
    cell: str,
    *,
    level: str = "internal",
    anchors: Sequence[Anchor] = (),
    expected: Sequence[str] = (),
    again: Again | None = None,
    keep: int | None = None,
    until: int | None = None,
) -> Verification:
    """Verify what lies in the folder of a record.

    Parameters
    ----------
    stored : Stored
        What lies there.
    cell : str
        Key of the cell that it should be of.
    level : str, default "internal"
        ``internal``: log and head are sound and of each other. ``anchored``: the log also goes on from every
        head that was published of it. ``replayed``: the decisions, taken again, also give the same record.
    anchors : sequence of Anchor
        Published heads.
    expected : sequence of str
        Where heads must have been published.
    again : callable, optional
        Makes the record anew, see :data:`mlopsim.governance.record.replayed.Again`; ``replayed`` needs it.
    keep : int, optional
        Retention in windows: payloads of older ones may be pruned. By default none may be missing.
    until : int, optional
        The window up to which the record was written; by default it is whole.

    Returns
    -------
    Verification
        The level that was asked for, and those that it stands on.

    Raises
    ------
    ConfigError
        For an unknown level.
    """
    if level not in LEVELS:
        raise ConfigError(
            f"unknown level '{level}'{nearest(level, LEVELS)}", remedy=f"one of: {', '.join(LEVELS)}"
        )
    asked = LEVELS[: LEVELS.index(level) + 1]
    levels: dict[str, Level] = {"internal": check_internal(stored, cell, keep)}
    if "anchored" in asked:
        levels["anchored"] = check_anchored(stored, cell, anchors, expected)
    if "replayed" in asked:
        if again is None:
            raise ConfigError("a replay needs what makes the record anew", remedy="pass again=...")
        levels["replayed"] = check_replayed(stored, cell, again, until)
    return Verification(levels=levels)
