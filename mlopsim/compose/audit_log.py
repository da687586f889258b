"""The records of the deployments in a results folder: written by replay, verified, proved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mlopsim.bench.identity import current, foreign_parts
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.plugins import explained, load_stored
from mlopsim.core.errors import ConfigError, DataError, LedgerError, MlopsimError
from mlopsim.core.spec import make
from mlopsim.core.threads import one_thread
from mlopsim.core.track import Attribute, Cell, FitResult, Redeploys
from mlopsim.governance.record.anchored import Anchor
from mlopsim.governance.record.checkpoint import Checkpoint, read_checkpoint
from mlopsim.governance.record.deployed import Deployed
from mlopsim.governance.record.heads import Heads, heads_from_facts, heads_of, read_heads
from mlopsim.governance.record.internal import check_internal
from mlopsim.governance.record.log import TREES, Record, leaf_of, pruned
from mlopsim.governance.record.making import make_record
from mlopsim.governance.record.overrides import Override
from mlopsim.governance.record.replayed import overrides_of
from mlopsim.governance.record.store import Stored, place_of, read_record, write_record
from mlopsim.governance.record.verdict import Verification
from mlopsim.governance.record.verify import verify

#: a file of heads beside the ledger that `verify` reads unless others are named
HEADS = "heads.csv"
#: what the ledger is called where heads are told
LEDGER = "the ledger"
_MOVE = "verify it (mlopsim audit-log verify), and move it away to write the record anew"


@dataclass(frozen=True, kw_only=True)
class CellRecord:
    """A done cell of a results folder, with what its deployment is computed again from.

    Parameters
    ----------
    folder : Path
        The results folder.
    cell : Cell
    track : Track
        Of today, with the settings of the grid.
    fits : mapping of str to FitResult
        What the cell needs.
    facts : mapping
        What the ledger holds of the cell.
    changed : list of str
        Components that have another version today: then a replay promises nothing.
    """

    folder: Path
    cell: Cell
    track: Any
    fits: Mapping[str, FitResult]
    facts: Mapping[str, Attribute]
    changed: Sequence[str]

    @property
    def place(self) -> Path:
        """Folder of its record."""
        return place_of(self.folder, self.cell.key)

    @cached_property
    def stored(self) -> Stored:
        """What lies there."""
        return read_record(self.place)

    def redeployed(
        self, overrides: Sequence[Override] = (), taken: Mapping[int, int] | None = None
    ) -> Deployed:
        """Compute the deployment again.

        Raises
        ------
        ConfigError
            If components have other versions today.
        """
        if self.changed:
            raise ConfigError(
                f"components have other versions today: {', '.join(self.changed)}",
                remedy="install the versions that the cell was made with",
            )
        return self.deployed_today(overrides, taken)

    def deployed_today(
        self, overrides: Sequence[Override] = (), taken: Mapping[int, int] | None = None
    ) -> Deployed:
        """Compute the deployment with the components of today, whichever it was made with."""
        with one_thread():
            found: Deployed = self.track.redeploy(self.cell, self.fits, overrides=overrides, taken=taken)
        return found

    def again(self, overrides: Sequence[Override] = (), taken: Mapping[int, int] | None = None) -> Record:
        """Take the decisions again, and return their record."""
        deployed = self.redeployed(overrides, taken)
        with one_thread():
            return make_record(deployed)

    def overrides(self) -> list[Override]:
        """Return the overrides of the record that lies in the folder; none without one.

        Raises
        ------
        DataError
            If what lies there is no sound record of the cell.
        """
        if not self.stored.there:
            return []
        return overrides_of(self.sound())

    def heads(self) -> Heads | None:
        """Return the heads that the ledger holds; None: it holds none."""
        return heads_from_facts(self.cell.key, self.facts)

    def written(self) -> Record:
        """Return the record as it lies there, whatever is left of it.

        Raises
        ------
        DataError
            If nothing lies there: a log that is gone from beside its head is for :meth:`verify` to say.
        """
        if not self.stored.there:
            raise DataError(
                f"there is no record of cell {self.cell.key} in {self.folder}",
                remedy=f"mlopsim audit-log write {self.folder} {self.cell.key[:8]}",
            )
        return self.stored.record(self.cell.key)

    def sound(self) -> Record:
        """Return the record as it lies there, if log and head are sound and of each other.

        Raises
        ------
        DataError
            If there is none, or they are not.
        """
        record = self.written()
        self.verify(level="internal", keep=1).check()
        return record

    def write(self, *, overrides: Sequence[Override] = (), until: int | None = None) -> Record:
        """Derive the record by replay, and write it; what was written before stays as it is.

        Parameters
        ----------
        overrides : sequence of Override
            Beside those that are on record.
        until : int, optional
            The window up to which it is written.

        Returns
        -------
        Record

        Raises
        ------
        DataError
            If another record lies there, which this one does not go on from, or one that is not sound.
        """
        self._check_before()
        before = self.stored.record(self.cell.key)
        known = overrides_of(before)
        made = self.again([*known, *(entry for entry in overrides if entry not in known)])
        made = made if until is None else made.until(until)
        write_record(self.place, _after(before, made, self.place))
        return made

    def _check_before(self) -> None:
        """Refuse to write over what is not sound: it may be all that is left of a tampering."""
        if not self.stored.there:
            return
        level = check_internal(self.stored, self.cell.key, keep=1)
        if not level.passed:
            raise DataError(
                f"what lies in {self.place} is no sound record of the cell: {level.findings[0].message}",
                remedy=_MOVE,
            )

    def verify(
        self,
        *,
        level: str = "replayed",
        heads: Sequence[str | Path] = (),
        checkpoints: Sequence[str | Path] = (),
        keep: int | None = None,
        until: int | None = None,
    ) -> Verification:
        """Verify what lies there (see :func:`mlopsim.governance.record.verify.verify`).

        Parameters
        ----------
        level : str
        heads : sequence of paths
            Files of published heads; by default ``heads.csv`` of the folder, if it is there.
        checkpoints : sequence of paths
            Published checkpoints, as files.
        keep, until : int, optional
        """
        return verify(
            self.stored,
            self.cell.key,
            level=level,
            anchors=self.anchors(heads, checkpoints),
            # its task says that the heads of its record were stored
            expected=[LEDGER] if self.cell.task.part.get("record") else [],
            again=self.again,
            keep=keep,
            until=until,
        )

    def anchors(
        self, heads: Sequence[str | Path] = (), checkpoints: Sequence[str | Path] = ()
    ) -> list[Anchor]:
        """Return the published heads of the cell: of the ledger, of files of heads, of checkpoints."""
        found = self.heads()
        anchors = [] if found is None else found.anchors(LEDGER)
        beside = self.folder / HEADS
        for path in [*heads] or ([beside] if beside.is_file() else []):
            for entry in read_heads(path):
                if entry.cell == self.cell.key:
                    anchors += entry.anchors(str(Path(path).name))
        for path in checkpoints:
            head = read_head(path)
            anchors.append(Anchor(head=head, source=Path(path).name))
        return anchors


def read_head(path: str | Path) -> Checkpoint:
    """Read a file with one checkpoint.

    Raises
    ------
    DataError
        If it is not there, or none.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"no head at {path}", remedy="name a file with a checkpoint of three lines")
    try:
        return read_checkpoint(path.read_bytes().decode("utf-8"), f"the head {path.name}")
    except UnicodeDecodeError as error:
        raise DataError(
            f"the head {path.name} is no text", remedy="take the head as it was published"
        ) from error


def _after(before: Record, made: Record, place: Path) -> Record:
    """Return what is written: a log only grows, and pruned payloads stay away."""
    for tree in TREES:
        old, new = before.lines(tree), made.lines(tree)
        at = next(
            (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if leaf_of(a) != leaf_of(b)), None
        )
        if at is None and len(old) > len(new):
            at = len(new)
        if at is not None:
            raise DataError(
                f"another record lies in {place}: its {tree} differ from record {at} on",
                remedy=_MOVE,
            )
    lines = {
        tree: [
            old if pruned(old) is not None else new
            for old, new in zip(before.lines(tree), made.lines(tree), strict=False)
        ]
        + list(made.lines(tree)[len(before.lines(tree)) :])
        for tree in TREES
    }
    return Record(cell=made.cell, **lines)


def open_cell(
    folder: str | Path, key: str, *, plugins: Sequence[str | Path] = (), trust: bool = False
) -> CellRecord:
    """Open a done cell of a results folder, which is only read.

    Parameters
    ----------
    folder : str or Path
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
        If the cells of its track are no deployments.
    """
    folder = Path(folder)
    with Ledger.read(folder) as ledger:
        cell = ledger.find_cell(key)
        facts = ledger.outcome(cell.key).attributes
        entry = ledger.grid_of(cell.key)
        loaded = load_stored(entry["plugins"], plugins, trust=trust)
        with explained(loaded):
            track = make("track", current(entry["track"]))
            changed = foreign_parts([entry["track"], cell.task.part, cell.method.part])
        if not isinstance(track, Redeploys):
            raise ConfigError(
                f"cells of {cell.track} are no deployments, so they have no record",
                remedy="name a cell of a track of deployments, e.g. delivery",
            )
        fits = {} if cell.fit is None else {cell.fit: _fit(ledger, cell)}
    return CellRecord(folder=folder, cell=cell, track=track, fits=fits, facts=facts, changed=changed)


def _fit(ledger: Ledger, cell: Cell) -> FitResult:
    assert cell.fit is not None
    try:
        return ledger.fit_result(cell.fit)
    except LedgerError as error:
        raise LedgerError(
            f"the fit of cell {cell.key} is not here: {error.message}",
            remedy="compute the cell in a folder of its own: results=DIR",
        ) from error


def heads_of_grid(folder: str | Path, grid: str | None = None) -> list[Heads]:
    """Return the heads of all cells of a grid that have some: in the ledger, or a record that lies there.

    Parameters
    ----------
    folder : str or Path
    grid : str, optional
        (Beginning of) its digest; the last used by default.

    Raises
    ------
    MlopsimError
        If no cell has any.
    """
    folder = Path(folder)
    found: list[Heads] = []
    with Ledger.read(folder) as ledger:
        number = ledger.grid(grid)["id"]
        keys = ledger.rows(
            "SELECT m.key FROM member m JOIN cell c ON c.key = m.key WHERE m.grid=? AND c.status='done'",
            (number,),
        )
        for (key,) in keys:
            heads = heads_from_facts(key, ledger.outcome(key).attributes)
            found += [] if heads is None else [heads]
            if place_of(folder, key).is_dir():
                stored = read_record(place_of(folder, key))
                level = check_internal(stored, key, keep=1)
                if not level.passed:
                    raise DataError(
                        f"the record of cell {key} is not sound: {level.findings[0].message}", remedy=_MOVE
                    )
                found.append(heads_of(stored.record(key)))
    if not found:
        raise MlopsimError(
            f"no cell in {folder} has heads",
            remedy="run with delivery.record=true (governed deployments: governance.record=true), or write a "
            "record: mlopsim audit-log write DIR KEY",
        )
    return found
