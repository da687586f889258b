"""The cells and fits of a baseline, taken into the ledger of those who compare with it."""

from __future__ import annotations

from collections.abc import Container

from mlopsim.bench.baseline import REMEDY
from mlopsim.bench.baseline_match import Joined
from mlopsim.bench.ledger import Ledger, Provenance
from mlopsim.core.errors import ConfigError


def adopt(joined: Joined, ledger: Ledger, mine: Container[str] | None = None) -> int:
    """Store the baseline's cells that a ledger has not finished, with their fits, in one commit.

    Parameters
    ----------
    joined : Joined
        From :func:`mlopsim.bench.baseline_match.join`; its grid is registered.
    ledger : Ledger
        Open for writing.
    mine : container of str, optional
        Keys of those cells that are a shard's own; others are not taken.

    Returns
    -------
    int
        How many cells were taken. Their origin is the digest of the baseline file.

    Raises
    ------
    ConfigError
        If a fit of the baseline has no recorded place where it was made; then nothing is stored.
    """
    baseline = joined.baseline
    states = ledger.statuses(joined.places)
    wanted = [
        place
        for key, place in joined.places.items()
        if states.get(key) != "done" and (mine is None or key in mine)
    ]
    jobs = {job.key: job for job in joined.grid.fits}
    named: set[str] = set()
    stack = [cell.fit for cell in joined.grid.cells if cell.fit and (mine is None or cell.key in mine)]
    while stack:
        if (key := stack.pop()) not in named:
            named.add(key)
            stack.extend(jobs[key].needs)
    have = {key for key, status in ledger.fit_statuses().items() if status == "done"}
    if not wanted and not {fit.job.key for fit in baseline.fits} & (named - have):
        return 0
    with ledger.at_once():
        for run, record in baseline.header["runs"].items():
            # of no grid here: nobody ran this one there
            ledger.adopt_run(run, baseline.digest, record)
        for fit in baseline.fits:
            if fit.job.key in named and fit.job.key not in have:
                if not fit.run:
                    raise ConfigError(
                        f"the baseline does not say where the fit {fit.job.label} was made", remedy=REMEDY
                    )
                where = Provenance(run=fit.run, seconds=fit.seconds, fingerprint=fit.fingerprint)
                ledger.record_fit(fit.job, "done", fit.result, None, where)
        for place, outcome, where_made in baseline.outcomes(wanted):
            ledger.record_cell(
                baseline.cells[place].key,
                outcome,
                Provenance(
                    run=where_made["run"],
                    seconds=where_made["seconds"] or 0.0,
                    fingerprint=where_made["fingerprint"] or "",
                    origin=baseline.digest,
                ),
            )
    return len(wanted)
