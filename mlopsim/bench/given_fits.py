"""Fits that were made once, in a folder of their own, and are taken by the runs of many machines."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mlopsim.bench.ledger import Ledger
from mlopsim.bench.made_by import check_makers, maker_here, makers_of_runs
from mlopsim.core.errors import ConfigError
from mlopsim.core.track import FitJob

#: what makes them
REMEDY = "make them first: the same command with --fits-only, without shard= and fits=, and results={}"


class GivenFits:
    """The fits of a results folder; only read.

    Parameters
    ----------
    ledger : Ledger
        An open ledger.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._statuses = ledger.fit_statuses()

    def take(self, named: Collection[str], jobs: Mapping[str, FitJob], into: Ledger) -> set[str]:
        """Copy fits, with those that they stand on, into a ledger that has not finished them.

        Parameters
        ----------
        named : collection of str
            Keys of the fits that cells name.
        jobs : mapping of str to FitJob
            All fits of the grid.
        into : Ledger
            Open for writing.

        Returns
        -------
        set of str
            Those that failed there: they are not tried again here.

        Raises
        ------
        ConfigError
            If the folder lacks one, or other code made it; then nothing is copied.
        """
        have = {key for key, status in into.fit_statuses().items() if status == "done"}
        wanted: dict[str, None] = {}
        stack = sorted(set(named) - have)
        lacking = [key for key in stack if key not in self._statuses]
        if lacking:
            folder = self._ledger.folder
            raise ConfigError(
                f"{folder} lacks {len(lacking)} of the {len(stack)} fits that are needed, "
                f"first: {jobs[lacking[0]].label}",
                remedy=REMEDY.format(folder),
            )
        while stack:
            key = stack.pop()
            if key not in wanted and key not in have and key in self._statuses:
                wanted[key] = None
                stack.extend(jobs[key].needs)
        self._check(wanted)
        for key in wanted:
            into.adopt_fit(self._ledger, key)
        return {key for key in wanted if self._statuses[key] != "done"}

    def _check(self, wanted: Collection[str]) -> None:
        """Raise unless what made them is what runs here."""
        runs = dict(self._ledger.rows("SELECT key, run FROM fit WHERE status = 'done'"))
        named = (runs[key] for key in wanted if key in runs)
        check_makers([("what runs here", maker_here()), *makers_of_runs(self._ledger, named)])


@contextmanager
def given_fits(folder: str | Path | None, results: str | Path) -> Iterator[GivenFits | None]:
    """Open a folder of fits, if there is one.

    Raises
    ------
    ConfigError
        If it is the results folder itself.
    LedgerError
        If it holds no ledger, or a damaged one.
    """
    if folder is None:
        yield None
        return
    if Path(folder).resolve() == Path(results).resolve():
        raise ConfigError(
            f"fits={folder} is the results folder itself, whose fits are found anyway",
            remedy="leave fits= out",
        )
    with Ledger.read(folder) as ledger:
        yield GivenFits(ledger)
