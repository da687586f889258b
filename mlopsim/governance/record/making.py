"""From a deployment that was computed again to its record."""

from __future__ import annotations

from mlopsim.governance.record.deployed import Deployed
from mlopsim.governance.record.derived import events_of
from mlopsim.governance.record.heads import Heads, heads_of
from mlopsim.governance.record.log import Record, record_of


def make_record(deployed: Deployed) -> Record:
    """Return the record of a deployment.

    Parameters
    ----------
    deployed : Deployed
        Computed again, see :class:`mlopsim.core.track.Redeploys`.
    """
    return record_of(deployed.cell, events_of(deployed))


def heads_of_deployed(deployed: Deployed) -> Heads:
    """Return the heads of the record of a deployment: all that a ledger stores of it."""
    return heads_of(make_record(deployed))
