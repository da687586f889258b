"""The compliance of a deployment in a results folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mlopsim.bench.grid import describe
from mlopsim.compose.audit_log import CellRecord, open_cell
from mlopsim.compose.explanation import check_return
from mlopsim.governance.compliance.case import Case
from mlopsim.governance.record.log import Record
from mlopsim.governance.record.making import make_record
from mlopsim.governance.record.overrides import Override
from mlopsim.governance.record.replayed import overrides_of
from mlopsim.governance.record.verdict import Verification


def open_case(
    folder: str | Path,
    key: str,
    *,
    keep: int | None = None,
    heads: Sequence[str | Path] = (),
    plugins: Sequence[str | Path] = (),
    trust: bool = False,
) -> tuple[Case, CellRecord]:
    """Open a done cell and compute its deployment again, with the overrides that are on record.

    Parameters
    ----------
    folder : str or Path
        A results folder; it is only read.
    key : str
        (Beginning of) the cell's key.
    keep : int, optional
        Windows whose payloads must be in the record; by default all.
    heads : sequence of paths
        Files of published heads; by default ``heads.csv`` of the folder, if it is there.
    plugins : sequence of paths
        Plug-in files to load; those that the folder names are not loaded for being named.
    trust : bool, default False
        Consent to load plug-ins that lie where the folder says and have the digest that it says.

    Returns
    -------
    case : Case
    opened : CellRecord

    Raises
    ------
    LedgerError
        If the cell is unknown or not done.
    ConfigError
        If it is no deployment, or an override on record cannot be carried out.
    MlopsimError
        If the deployment gives another return than the ledger holds, though no version has changed and nobody
        overruled it.
    """
    opened = open_cell(folder, key, plugins=plugins, trust=trust)
    lies = opened.stored.there
    known: list[Override] = []
    kept: Verification | None = None
    if lies:
        kept = opened.verify(level="internal", keep=keep)
        if kept.passed:
            known = overrides_of(opened.stored.record(opened.cell.key))
            kept = opened.verify(level="replayed", keep=keep, heads=heads)

    deployed = opened.deployed_today(known)
    if not known and not opened.changed:
        check_return(folder, opened.cell, deployed)
    record: Record = opened.stored.record(opened.cell.key) if lies else make_record(deployed)
    return Case(deployed=deployed, record=record, again=opened.deployed_today, kept=kept, keep=keep), opened


def provenance(case: Case, opened: CellRecord, version: str) -> Mapping[str, object]:
    """Return what stands at the end of a page."""
    return {
        "cell": opened.cell.key,
        "in words": describe(opened.cell),
        "mlopsim": version,
        "deployment": dict(case.deployed.evidence.get("deployment", {})),
        "heads of the record": {tree: case.record.head(tree).text() for tree in ("decisions", "evidence")},
    }
