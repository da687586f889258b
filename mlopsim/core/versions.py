"""Versions of what computes numbers and is no component: it has no registering decorator to hold one.

They enter keys beside the versions of the components. Whoever changes numbers raises the version here (a
test of golden numbers fails otherwise), and stored results are recomputed instead of mixed with new ones.
"""

from __future__ import annotations

from collections.abc import Mapping

#: name to version
VERSIONS: dict[str, int] = {
    # arrays of a World from stream, learner and training policy
    "world": 1,
    # what a decision does: arrivals, evictions, costs, masks
    "dynamics": 2,
    # columns of the observation and the scaling of an agent's input
    "features": 3,
    # search of a rule's free parameters
    "tuning": 3,
    # training of agents
    "training": 2,
    # from a roll-out to metrics and curves
    "outcome": 3,
    # from arms of the closed loop to what is rolled out, and to metrics
    "governance": 4,
    # ticks of a signal from stream and learner
    "signal": 2,
    # limits from drift-free signals
    "calibration": 6,
    # how long a retrain waits after an alarm
    "drift_wait": 1,
    # from alarms to metrics
    "drift_outcome": 5,
    # from errors and gates to what serves, and metrics
    "quality": 3,
    # from models to evidence, limits of audits, and metrics
    "fairness": 3,
    # the references with hindsight
    "control/oracle": 2,
    "control/latest-oracle": 1,
    "control/knows-changes": 1,
    "control/hindsight-period": 1,
    "control/optimum": 1,
}


def versions(*names: str) -> dict[str, int]:
    """Return the versions of these parts, for a key.

    Parameters
    ----------
    *names : str
        Names in :data:`VERSIONS`.

    Raises
    ------
    KeyError
        If a name is unknown.

    Examples
    --------
    >>> sorted(versions("world", "dynamics"))
    ['dynamics', 'world']
    """
    return {name: VERSIONS[name] for name in names}


def changed_versions(stored: Mapping[str, int]) -> list[str]:
    """Name the parts whose version is another one now.

    Parameters
    ----------
    stored : mapping of str to int
        What :func:`versions` gave when the numbers were made.

    Examples
    --------
    >>> changed_versions({"world": 0, "gone": 3})
    ['gone version 3 -> (gone)', 'world version 0 -> 1']
    """
    return sorted(
        f"{name} version {version} -> {VERSIONS.get(name, '(gone)')}"
        for name, version in stored.items()
        if VERSIONS.get(name) != version
    )
