"""Explaining the decisions of a cell of a results folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mlopsim.bench.grid import describe
from mlopsim.bench.ledger import Ledger
from mlopsim.compose.audit_log import open_cell
from mlopsim.core.errors import ConfigError, MlopsimError
from mlopsim.core.threads import one_thread
from mlopsim.core.track import Cell
from mlopsim.governance.explained.decision import Decided, Explained, decided, explain
from mlopsim.governance.explained.scene import Scene
from mlopsim.governance.record.deployed import Deployed

#: what is promised of a return between machines that differ
TOLERANCE = 1e-9


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A done cell whose deployment can be walked again.

    Parameters
    ----------
    key, label : str
        Of the cell: address, and task, method and seed in words.
    scene : Scene
        Its one deployment.
    policy : Selector
        Who decided, ready to walk.
    changed : sequence of str
        Components that have another version today: it is today's deployment that is explained.
    """

    key: str
    label: str
    scene: Scene
    policy: Any
    changed: Sequence[str]

    def explain(self, window: int) -> Explained:
        """Explain the decision after a window (see :func:`mlopsim.governance.explained.decision.explain`)."""
        with one_thread():
            return explain(self.scene, self.policy, window)

    def decided(self) -> list[Decided]:
        """Return the decisions that were not to keep (see :func:`decided`)."""
        with one_thread():
            return decided(self.scene, self.policy)


def check_return(folder: str | Path, cell: Cell, deployed: Deployed) -> None:
    """Raise unless a deployment that was computed again has the return that the ledger holds.

    Raises
    ------
    MlopsimError
        If it has another one.
    """
    with Ledger.read(folder) as ledger:
        stored = ledger.outcome(cell.key).metrics.get("return")
    again = float(np.mean(deployed.trajectory.reward[deployed.row]))
    if stored is not None and abs(again - stored) > TOLERANCE * max(1.0, abs(stored)):
        raise MlopsimError(
            f"{describe(cell)} has the return {again!r} now, and {stored!r} in the ledger",
            remedy=f"mlopsim rerun {folder} {cell.key[:8]} says what differs",
        )


def open_subject(
    folder: str | Path, key: str, *, plugins: Sequence[str | Path] = (), trust: bool = False
) -> Subject:
    """Open a done cell and walk its deployment again.

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

    Returns
    -------
    Subject

    Raises
    ------
    LedgerError
        If the cell is unknown or not done.
    ConfigError
        If it is no deployment, or its method decides without an observation.
    MlopsimError
        If the deployment gives another return than the ledger holds, though no version has changed.
    """
    opened = open_cell(folder, key, plugins=plugins, trust=trust)
    deployed = opened.deployed_today()
    label = describe(opened.cell)
    if deployed.policy is None or deployed.seed is None:
        raise ConfigError(
            f"{opened.cell.method.name} follows a plan with hindsight: it decided on no observation",
            remedy="name a cell of a method that decides window by window",
        )
    if not opened.changed:
        check_return(folder, opened.cell, deployed)
    scene = Scene(
        pool=deployed.pool,
        deployment=deployed.deployment,
        which=np.array([deployed.world]),
        seeds=[deployed.seed],
        options={} if deployed.blocked is None else {"blocked": deployed.blocked},
        each={} if deployed.switches is None else {"switches": np.array([deployed.switches], np.int64)},
    )
    return Subject(
        key=opened.cell.key, label=label, scene=scene, policy=deployed.policy, changed=opened.changed
    )
