"""By what numbers were computed: the code and the libraries of the runs that a ledger names.

Results of several machines are put together only if they were computed by the same. Their processors may
differ: each cell names its platform, and what is promised between platforms is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mlopsim.bench.identity import CODE, SHOWN, proof
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.schema import COMPUTED, ELSEWHERE
from mlopsim.core.errors import ConfigError
from mlopsim.core.fingerprint import library_versions

#: rooms above the tracks: nothing that computes a cell can import them (tests/test_rooms.py)
ABOVE = ("checks", "cli", "compose", "report")
#: what stands for the code of a run that does not tell it
UNKNOWN = "code of mlopsim"


def code_of_here() -> dict[str, str]:
    """Return what a run stores of its code: a digest of each room that can compute."""
    found = {name.removeprefix(CODE): value for name, value in proof().items() if name.startswith(CODE)}
    return {room: value for room, value in found.items() if room not in ABOVE}


def maker_of(record: Mapping[str, Any]) -> dict[str, str]:
    """Return what stands for the code and the libraries of a run.

    Parameters
    ----------
    record : mapping
        As stored with the run; one of an older mlopsim does not tell its code.

    Examples
    --------
    >>> maker_of({"code": {"drift": "0f"}, "versions": {"numpy": "2.4"}})
    {'code of mlopsim/drift': '0f', 'numpy': '2.4'}
    >>> maker_of({})
    {'code of mlopsim': 'not recorded'}
    """
    if not record.get("code"):
        return {UNKNOWN: "not recorded"}
    found = {f"{CODE}{room}": str(value) for room, value in record["code"].items()}
    return {**found, **{name: str(value) for name, value in record.get("versions", {}).items()}}


def maker_here() -> dict[str, str]:
    """Return what stands for the code and the libraries of this process."""
    return maker_of({"code": code_of_here(), "versions": library_versions()})


def makers_of(ledger: Ledger, grid: str, *, here: bool = False) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield what computed the finished cells of a stored grid and the fits that they name.

    Parameters
    ----------
    ledger : Ledger
        An open ledger.
    grid : str
        Digest of the grid.
    here : bool, default False
        Whether this process comes first, as ``what runs here``.

    Yields
    ------
    str, dict
        The folder, and :func:`maker_of` of each of the runs.
    """
    if here:
        yield "what runs here", maker_here()
    number = ledger.grid(grid)["id"]
    cells = (
        "SELECT DISTINCT c.run FROM member m JOIN cell c ON c.key = m.key "
        f"WHERE m.grid = ? AND c.status = 'done' AND c.origin = '{COMPUTED}'"
    )
    fits = "SELECT run FROM fit WHERE status = 'done' AND key IN (SELECT fit FROM member WHERE grid = ?)"
    named = {row[0] for query in (cells, fits) for row in ledger.rows(query, (number,))}
    yield from makers_of_runs(ledger, named)


def makers_of_runs(ledger: Ledger, named: Iterable[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield folder and maker of each of some runs of a ledger, as :func:`makers_of` does.

    Runs of a baseline took place elsewhere, before: what they made is compared by the versions of components
    (:mod:`mlopsim.bench.baseline_match`), and not by its code.
    """
    runs = ledger.runs()
    records = {run["id"]: run["record"] for run in runs}
    elsewhere = {run["id"] for run in runs if run["status"] == ELSEWHERE}
    for run in sorted(set(named) - elsewhere):
        yield str(ledger.folder), maker_of(records.get(run, {}))


def differing(there: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """Say what differs between two makers, both values of each, or nothing.

    Examples
    --------
    >>> differing({"numpy": "2.3"}, {"numpy": "2.4", "river": "0.23"})
    'numpy is 2.3, not 2.4; river is missing, not 0.23'
    """
    lacking = "missing"
    names = [name for name in sorted({*there, *wanted}) if there.get(name) != wanted.get(name)]
    said = [f"{name} is {there.get(name, lacking)}, not {wanted.get(name, lacking)}" for name in names]
    more = f"; and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return "; ".join(said[:SHOWN]) + more


def check_makers(makers: Iterable[tuple[str, Mapping[str, str]]]) -> None:
    """Raise unless all results were computed by the same code and libraries, and it is known by which.

    Parameters
    ----------
    makers : iterable of (str, mapping)
        Where results lie, and what :func:`maker_of` says of a run that they come from.

    Raises
    ------
    ConfigError
        Names the places and what differs.
    """
    first: tuple[str, Mapping[str, str]] | None = None
    for where, maker in makers:
        if UNKNOWN in maker:
            raise ConfigError(
                f"{where} does not say by which code it was computed",
                remedy="compute it again with this mlopsim, in a new folder: results=DIR",
            )
        if first is None:
            first = (where, maker)
        elif found := differing(maker, first[1]):
            raise ConfigError(
                f"{where} was computed by two states of the code: {found}"
                if where == first[0]
                else f"{where} was computed by other code than {first[0]}: {found}",
                remedy="install the same mlopsim and libraries everywhere, and compute the odd one again in "
                "a new folder: results=DIR",
            )
