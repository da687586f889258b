"""The cells of a stored grid, read in pieces and checked by their seals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from mlopsim.bench.ledger import Ledger
from mlopsim.bench.ledgerfile import damaged
from mlopsim.bench.members import PAIR, chunks
from mlopsim.bench.schema import MemberDigest, is_sealed

QUERY = """
SELECT m.position, m.key, m.pair, m.seed, m.fit,
       CASE WHEN c.curves IS NULL OR c.curves = '[]' THEN 0
       ELSE json_array_length(c.curves) - (SELECT count(*) FROM curve WHERE cell = c.key) END, c.*
FROM member m LEFT JOIN cell c ON c.key = m.key WHERE m.grid = ? ORDER BY m.position
"""


class Row(NamedTuple):
    """One member of a grid and its cell; the columns of a cell that has not run yet are None."""

    position: int
    member: str
    pair: int
    seed: int
    fit: str | None
    lacking: int
    key: str | None
    status: str | None
    curves: str | None
    attributes: str | None
    metrics: str | None
    reasons: str | None
    error: str | None
    origin: str | None
    seconds: float | None
    bundle: int | None
    host: str | None
    fingerprint: str | None
    run: str | None
    finished: str | None
    attempts: int | None
    seal: str | None


def read_pairs(ledger: Ledger, entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the pairs of task and method of a stored grid in order of their number."""
    rows = ledger.sealed_rows("pair", "WHERE grid=? ORDER BY number", (entry["id"],))
    if [row[1] for row in rows] != list(range(len(rows))):
        raise damaged(ledger.folder, f"pairs of grid {entry['digest'][:12]} are missing")
    return [dict(zip(PAIR, row[2:], strict=True)) for row in rows]


def read_cells(ledger: Ledger, entry: dict[str, Any]) -> Iterator[list[Row]]:
    """Yield the cells of a stored grid in its order, in pieces, each row checked.

    Parameters
    ----------
    ledger : Ledger
        An open ledger.
    entry : dict
        From :meth:`mlopsim.bench.ledger.Ledger.grid`.

    Raises
    ------
    LedgerError
        If a row has changed, a done cell has lost curves, or the members are not those that were stored;
        the last is known when all were read.
    """
    pairs = read_pairs(ledger, entry)
    state = MemberDigest((number, *pair.values()) for number, pair in enumerate(pairs))
    count = 0
    for raw in chunks(ledger.stream(QUERY, (entry["id"],))):
        rows = [Row._make(row) for row in raw]
        for row in rows:
            if row.key is not None and not is_sealed("cell", row[6:]):
                raise damaged(ledger.folder, f"the stored row of cell {row.key} has changed")
            if row.lacking:
                raise damaged(ledger.folder, f"curves of cell {row.key} are missing")
            # their seal is known at the end only, and until then nothing may trip over another type
            typed = type(row.pair) is int and type(row.seed) is int and isinstance(row.fit, str | None)
            if row.position != count or not typed or not 0 <= row.pair < len(pairs):
                raise damaged(ledger.folder, f"the members of grid {entry['digest'][:12]} have changed")
            count += 1
        state.add((row.member, row.pair, row.seed, row.fit) for row in rows)
        yield rows
    if count != entry["cells"] or state.result() != entry["members"]:
        raise damaged(ledger.folder, f"the members of grid {entry['digest'][:12]} have changed")
