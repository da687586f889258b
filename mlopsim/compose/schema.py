"""The root keys of a bench config and the groups that pin a part of every task."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

#: groups on the command line that pin a part of every task
PARTS = ("signal", "stream", "learner", "training", "deployment")
#: keys that do not change any number, so overriding them leaves a suite as it is
HARMLESS = frozenset(
    {
        *("workers", "executor", "results", "shard", "fits", "baseline"),
        *("timeout", "fit_timeout", "on_error", "retry_failed", "about"),
    }
)
#: keys whose values are lists: ``key=a,b`` is read as ``key=[a,b]``
LISTS = frozenset({"methods", "tasks", "cells"})


@dataclass(kw_only=True)
class BenchConfig:
    """Root keys of ``mlopsim bench`` (beside the groups and the settings of each track).

    Parameters
    ----------
    about : str
        One line about the suite.
    suite_version : int
        Version of the suite; raise it when its grid changes.
    track : str
        Which track runs it.
    tasks : list
        Entries ``{name, stream, learner, training, deployment}`` (omitted parts come from the
        groups), or names of the suite's own tasks, or ``{zip: ...}`` entries.
    methods : list
        ``name`` or ``{name: {param: value}}``.
    seeds : int or list of int
        Number of paired seeds 0..n-1, or the seeds themselves.
    split : str
        ``test``, ``validation`` or ``train``.
    root : int
        Root entropy of all seeds.
    cells : list
        Which combinations are cells, e.g. ``{zip: {task: [a, b], method: [x, y]}}``; empty: all of them.
    sweep : dict
        Keys of which several values are compared, e.g. ``{deployment.latency: [1, 2, 4]}``; ``zip: true``
        pairs the values of several keys.
    workers : int or None
        Worker processes; default: the processors that may be used.
    executor : str
        ``pool`` (our process pool), ``serial``, ``dask`` (a local cluster) or ``tcp://address`` of one.
    results : str or None
        Folder of ledger and report; default ``results/local/<suite>``, of a shard
        ``results/local/<suite>.shards/3-of-16``.
    shard : str or None
        ``3/16`` runs the third of sixteen parts of the cells: a job of an array.
    fits : str or None
        Folder whose finished fits are taken.
    baseline : str or None
        ``published``, or the path of a baseline file: its cells stand beside those that are run.
    timeout, fit_timeout : float or None
        Seconds that one cell and one fit may take.
    on_error : str
        ``continue`` or ``stop``.
    retry_failed : bool
        Whether cells that failed earlier are tried again.
    """

    about: str = ""
    suite_version: int = 1
    track: str = "delivery"
    tasks: list[Any] = field(default_factory=list)
    methods: list[Any] = field(default_factory=list)
    seeds: int | list[int] = 10
    split: str = "test"
    root: int = 0
    cells: list[Any] = field(default_factory=list)
    sweep: dict[str, Any] = field(default_factory=dict)
    workers: int | None = None
    executor: str = "pool"
    results: str | None = None
    shard: str | None = None
    fits: str | None = None
    baseline: str | None = None
    timeout: float | None = None
    fit_timeout: float | None = None
    on_error: str = "continue"
    retry_failed: bool = True


def root_keys() -> list[str]:
    """Return the names of the root keys.

    Examples
    --------
    >>> "methods" in root_keys()
    True
    """
    return [entry.name for entry in dataclasses.fields(BenchConfig)]
