"""The lineage of a cell of a results folder: what served when, and from where it came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlopsim.bench.grid import describe
from mlopsim.compose.audit_log import open_cell
from mlopsim.compose.explanation import check_return
from mlopsim.core.threads import one_thread
from mlopsim.governance.lineage.lineage import Lineage, lineage_of
from mlopsim.governance.record.overrides import Override


@dataclass(frozen=True, kw_only=True)
class CellLineage:
    """The lineage of a done cell.

    Parameters
    ----------
    key, label : str
        Of the cell: address, and task, method and seed in words.
    lineage : Lineage
    overrides : sequence of Override
        Decisions of people that are on the record in the folder: they are honoured.
    """

    key: str
    label: str
    lineage: Lineage
    overrides: Sequence[Override]


def open_lineage(
    folder: str | Path, key: str, *, plugins: Sequence[str | Path] = (), trust: bool = False
) -> CellLineage:
    """Compute a done cell again, and derive its lineage.

    Parameters
    ----------
    folder : str or Path
        A results folder; it is only read.
    key : str
        (Beginning of) the cell's key.
    plugins : sequence of paths
        Plug-in files to load; those that the folder names are not loaded for being named.
    trust : bool, default False
        Consent to load plug-ins that lie where the folder says and have the digest that it says.

    Raises
    ------
    LedgerError
        If the cell is unknown or not done.
    ConfigError
        If it is no deployment, or components have other versions today.
    DataError
        If a record lies in the folder that is not sound.
    MlopsimError
        If the deployment gives another return than the ledger holds.
    """
    opened = open_cell(folder, key, plugins=plugins, trust=trust)
    overrides = opened.overrides()
    deployed = opened.redeployed(overrides)
    if not overrides:
        check_return(folder, opened.cell, deployed)
    with one_thread():
        lineage = lineage_of(deployed)
    return CellLineage(key=opened.cell.key, label=describe(opened.cell), lineage=lineage, overrides=overrides)
