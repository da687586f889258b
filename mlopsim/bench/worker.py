"""What runs in a worker: fits, or a bundle of cells, in a process with one thread."""

from __future__ import annotations

import math
import os
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

import numpy as np

from mlopsim.bench import worker_process
from mlopsim.bench.attributes import check_attributes
from mlopsim.bench.grid import describe
from mlopsim.bench.identity import check_parts, check_proof
from mlopsim.bench.provenance import host
from mlopsim.core.digest import canonical_json
from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.fingerprint import fingerprint_digest
from mlopsim.core.registry import load_plugins
from mlopsim.core.spec import make, part_of
from mlopsim.core.threads import one_thread
from mlopsim.core.track import BundlesFits, Cell, FitJob, FitResult, Outcome, Track

ERROR_CHARS = 20_000


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a worker needs to rebuild the track: its part and the plug-in files with their digests.

    ``proof`` is the coordinator's (see :func:`mlopsim.bench.identity.proof`); a worker of another refuses.
    """

    track: Mapping[str, Any]
    proof: Mapping[str, str]
    plugins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Job:
    """Either fits of one bundle or a bundle of cells, with the finished fits that they name."""

    make: tuple[FitJob, ...] = ()
    cells: tuple[Cell, ...] = ()
    fits: Mapping[str, FitResult] = field(default_factory=dict)


@dataclass(kw_only=True)
class Reply:
    """What came out: ``error`` is a traceback, or empty. Times and hosts are provenance only.

    ``ended`` is ``crashed`` or ``timeout`` if a nested pool lost its worker, ``refused`` if that is not what
    the coordinator is (see the Dask backend).
    """

    error: str = ""
    ended: str = ""
    remedy: str = ""
    outcomes: list[Outcome] = field(default_factory=list)
    made: list[FitResult] = field(default_factory=list)
    seconds: float = 0.0
    host: str = ""
    pid: int = 0
    fingerprint: str = ""
    #: what mlopsim warned of while it worked, such as a damaged file of the World cache
    warnings: list[str] = field(default_factory=list)


def run_job(context: Context, job: Job) -> Reply:
    """Run a job; an exception of the track becomes ``Reply.error``.

    Parameters
    ----------
    context : Context
        The track and its plug-ins; prepared once per process.
    job : Job
        What to run.

    Returns
    -------
    Reply
        Outcomes in the order of the cells, or results in the order of the fits.

    Raises
    ------
    ConfigError
        If this process is not what the coordinator is, or the track cannot be rebuilt here; that is
        nobody's cell's fault.
    """
    check_proof(context.proof)
    reply = Reply(host=host(), pid=os.getpid(), fingerprint=fingerprint_digest())
    # of the processor: what else runs on a machine does not count, and budgets can be compared
    began = time.process_time()
    # a pool's worker was born with one thread per library
    with nullcontext() if worker_process.capped else one_thread(), collected(reply.warnings):
        track = rebuild(context)
        check_parts(
            [fit.part for fit in job.make] + [x.part for cell in job.cells for x in (cell.task, cell.method)]
        )
        try:
            if job.make:
                made = make_fits(track, job)
                if len(made) != len(job.make):
                    raise DataError(f"{track.full_name} gave {len(made)} results for {len(job.make)} fits")
                reply.made = [check_fit(fit, result) for fit, result in zip(job.make, made, strict=True)]
            else:
                outcomes = track.run(job.cells, job.fits)
                if len(outcomes) != len(job.cells):
                    raise DataError(
                        f"{track.full_name}.run gave {len(outcomes)} outcomes, not {len(job.cells)}"
                    )
                pairs = zip(job.cells, outcomes, strict=True)
                reply.outcomes = [check_outcome(track, cell, outcome) for cell, outcome in pairs]
        except Exception as error:  # noqa: BLE001 (recorded in the ledger with its traceback)
            text = "".join(traceback.format_exception(error))
            reply.error = text[-ERROR_CHARS:]
    reply.seconds = time.process_time() - began
    return reply


@contextmanager
def collected(found: list[str]) -> Iterator[None]:
    """Keep the warnings of mlopsim's own classes, which the coordinator shows; others go their usual way.

    Only the function that shows a warning is replaced: filters, and what was shown once, stay as they are.

    Examples
    --------
    >>> class Odd(UserWarning):
    ...     __module__ = "mlopsim.example"
    >>> texts: list[str] = []
    >>> with collected(texts):
    ...     warnings.warn("odd", Odd, stacklevel=1)
    >>> texts
    ['Odd: odd']
    """
    usual = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if category.__module__.partition(".")[0] == "mlopsim":
            found.append(f"{category.__name__}: {message}")
        else:
            usual(message, category, *place, **more)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = usual


def make_fits(track: Track, job: Job) -> list[FitResult]:
    """Make the fits of a job, together where the track can."""
    if len(job.make) > 1 and isinstance(track, BundlesFits):
        return track.fit_many(job.make, job.fits)
    return [track.fit(fit, job.fits) for fit in job.make]


def rebuild(context: Context) -> Track:
    """Return the track that the coordinator has, built again in this process.

    Raises
    ------
    ConfigError
        If a plug-in file or the track's version differs from the coordinator's.
    """
    return _rebuild(canonical_json(context.track), canonical_json(context.plugins))


@lru_cache(maxsize=4)
def _rebuild(track_text: str, plugins_text: str) -> Track:
    import json

    part, plugins = json.loads(track_text), json.loads(plugins_text)
    loaded = load_plugins(plugins)
    for path, content in plugins.items():
        if loaded[path] != content:
            raise ConfigError(f"the plug-in {path} was changed during the run", remedy="start it again")
    track = cast(Track, make("track", part))
    if canonical_json(part_of(track)) != track_text:
        raise ConfigError(f"{track.full_name} differs between this process and the coordinator")
    return track


def check_outcome(track: Track, cell: Cell, outcome: Outcome) -> Outcome:
    """Return the outcome with plain floats and arrays; each metric a number, or NaN with a reason.

    Raises
    ------
    DataError
        If a metric is missing, unknown, or NaN without a reason, or a curve holds objects.
    ConfigError
        If an attribute is no plain value.
    """
    names = [metric.name for metric in track.metrics]
    unknown = [name for name in outcome.metrics if name not in names]
    missing = [name for name in names if name not in outcome.metrics]
    if unknown or missing:
        raise DataError(
            f"{track.full_name} declares other metrics than it gives: missing {missing}, unknown {unknown}"
        )
    metrics = {name: float(outcome.metrics[name]) for name in names}
    for name, value in metrics.items():
        if math.isnan(value) and not outcome.reasons.get(name):
            raise DataError(f"{track.full_name}: metric {name} is NaN without a reason")
    curves = {name: np.asarray(curve) for name, curve in outcome.curves.items()}
    for name, curve in curves.items():
        if curve.dtype.hasobject:
            raise DataError(f"{track.full_name}: curve {name} holds Python objects")
    attributes = check_attributes(f"{track.full_name}, cell {describe(cell)}", outcome.attributes)
    return Outcome(metrics=metrics, reasons=dict(outcome.reasons), curves=curves, attributes=attributes)


def check_fit(job: FitJob, result: FitResult) -> FitResult:
    """Return the fit with plain arrays; raise DataError or ConfigError for what cannot be stored."""
    from mlopsim.bench.storage import pack_arrays, to_json

    to_json(result.info)
    pack_arrays(result.arrays)
    return FitResult(
        arrays={k: np.asarray(v) for k, v in result.arrays.items()},
        info=dict(result.info),
        attributes=check_attributes(f"{job.track}, fit {job.label}", result.attributes),
    )
