"""The cells and fits of a baseline, taken into the ledger of those who compare with it."""

from __future__ import annotations

from mlopsim.bench.baseline_match import Joined
from mlopsim.bench.ledger import Ledger, Provenance
from mlopsim.core.errors import ConfigError


def adopt(joined: Joined, ledger: Ledger) -> int:
    """Store the baseline's cells that a ledger has not finished, with their fits, in one commit.

    Parameters
    ----------
    joined : Joined
        From :func:`mlopsim.bench.baseline_match.join`; its grid is registered.
    ledger : Ledger
        Open for writing.

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
    wanted = [place for key, place in joined.places.items() if states.get(key) != "done"]
    if not wanted:
        return 0
    named = {job.key for job in joined.grid.fits}
    have = {key for key, status in ledger.fit_statuses().items() if status == "done"}
    with ledger.at_once():
        for run, record in baseline.header["runs"].items():
            # of no grid here: nobody ran this one there
            ledger.adopt_run(run, baseline.digest, record)
        for fit in baseline.fits:
            if fit.job.key in named and fit.job.key not in have:
                if not fit.run:
                    raise ConfigError(f"the baseline does not say where the fit {fit.job.label} was made")
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
