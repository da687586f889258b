"""Run a grid: skip what is done, make the fits, run the cells, record each as it ends."""

from __future__ import annotations

import time
import traceback
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from pathlib import Path
from typing import Literal

import numpy as np

from mlopsim.bench.attributes import Owner
from mlopsim.bench.baseline_adopt import adopt
from mlopsim.bench.baseline_match import Joined
from mlopsim.bench.disks import DiskWarning, network_disk
from mlopsim.bench.executors import Backend, make_backend
from mlopsim.bench.given_fits import GivenFits, given_fits
from mlopsim.bench.grid import Grid, describe, expand
from mlopsim.bench.identity import WorkerRefused, proof
from mlopsim.bench.ledger import Ledger, Provenance, Status
from mlopsim.bench.made_by import check_makers, code_of_here, makers_of
from mlopsim.bench.options import check_run
from mlopsim.bench.pool import PoolError, WorkerCrash, WorkerTimeout
from mlopsim.bench.progress import Counts, Progress, Silent
from mlopsim.bench.provenance import host, run_record
from mlopsim.bench.schedule import Schedule, Work
from mlopsim.bench.shards import Shard, of_runs
from mlopsim.bench.suite import Suite
from mlopsim.bench.summary import Failure, Summary
from mlopsim.bench.worker import Context, Job, Reply
from mlopsim.bench.worker_paths import Places, placed
from mlopsim.core.digest import canonical_json
from mlopsim.core.errors import ConfigError, MlopsimError
from mlopsim.core.fingerprint import fingerprint
from mlopsim.core.registry import load_plugins
from mlopsim.core.spec import part_of
from mlopsim.core.track import Attribute, Cell, FitJob, FitResult, Track

#: a unit that was in this many crashes alone or in a bundle is the culprit; one may be bad luck
CRASHES = 2
#: how often a unit is given again to an executor that lost it
LOSSES = 5


def run(
    work: Suite | Grid,
    track: Track,
    results_dir: str | Path,
    *,
    workers: int | None = None,
    executor: str | Executor = "pool",
    timeout: float | None = None,
    fit_timeout: float | None = None,
    on_error: Literal["continue", "stop"] = "continue",
    retry_failed: bool = True,
    plugins: Sequence[str | Path] = (),
    progress: Progress | None = None,
    max_bundle: int = 32,
    shuffle: int | None = None,
    shard: str | Shard | None = None,
    fits: str | Path | None = None,
    fits_only: bool = False,
    joined: Joined | None = None,
) -> Summary:
    """Run what is not done yet and record it in the folder's ledger.

    Parameters
    ----------
    work : Suite or Grid
        What to run; a suite is expanded first.
    track : Track
        A registered track; workers build it again from its part.
    results_dir : str or Path
        Folder of the ledger.
    workers : int, optional
        How many jobs at once; by default the processors that this process may use.
    executor : str or Executor, default "pool"
        ``pool``, ``serial``, ``dask``, the address of a Dask scheduler, or an executor object.
    timeout, fit_timeout : float, optional
        Seconds for a cell and for a fit.
    on_error : {"continue", "stop"}
        Whether to start further work after the first failure.
    retry_failed : bool, default True
        Whether cells and fits that failed in an earlier run are tried again.
    plugins : sequence of paths
        Plug-in files beside those of the suite.
    progress : Progress, optional
        Told of everything that ends.
    max_bundle : int, default 32
        Most cells in one job.
    shuffle : int, optional
        Seed of a random order of the cells; the numbers do not depend on it.
    shard : str or Shard, optional
        ``"3/16"``: run the third of sixteen parts of the cells (:class:`mlopsim.bench.shards.Shard`). The
        whole grid is registered; what the shard was computed by before must be what computes it now.
    fits : str or Path, optional
        A results folder whose finished fits are taken; what it lacks is an error.
    fits_only : bool, default False
        Make the fits of the grid and run no cells.
    joined : Joined, optional
        Cells of a baseline, of which ``work`` is the grid (:func:`mlopsim.bench.baseline_match.join`): those
        that the folder has not finished are taken and not run.

    Returns
    -------
    Summary
        Counts and failures of this run.

    Raises
    ------
    ConfigError, LedgerError, MlopsimError
        Before work starts, for anything that can be known then.
    KeyboardInterrupt
        Passed on after the workers are ended and the ledger is closed in order.
    """
    slots = check_run(
        workers=workers,
        executor=executor,
        timeout=timeout,
        fit_timeout=fit_timeout,
        on_error=on_error,
        max_bundle=max_bundle,
        shard=shard,
        fits=fits,
        fits_only=fits_only,
    )
    own = work.plugins if isinstance(work, Suite) else [entry["path"] for entry in work.plugins]
    loaded = load_plugins([*own, *plugins])
    grid = expand(work, track) if isinstance(work, Suite) else work
    part = part_of(track)
    if canonical_json(part) != canonical_json(grid.track):
        raise ConfigError(f"the grid {grid.title} was made for another {track.full_name} or other settings")
    part_held = None if shard is None else Shard.parse(shard)
    mine = None if part_held is None else {cell.key for cell in part_held.deal(grid.cells, track)}
    if kind := network_disk(results_dir):
        warnings.warn(
            f"{results_dir} lies on a network disk ({kind}), on which SQLite's log does not work: write to a "
            "disk of this machine, and copy with `mlopsim merge LOCAL --out SHARED`",
            DiskWarning,
            stacklevel=2,
        )
    with given_fits(fits, results_dir) as given, Ledger.open(results_dir) as ledger:
        ledger.register(grid)
        if joined is not None:
            adopt(joined, ledger, mine)
        if part_held is not None:
            check_makers(makers_of(ledger, grid.digest, here=True))
        context = Context(track=placed(part), plugins=loaded, proof=proof())
        job = _Run(grid, track, ledger, context, progress or Silent())
        job.plan(retry_failed, shuffle, mine, given, fits_only=fits_only)
        about: dict[str, object] = {} if mine is None else {"shard": str(part_held), "dealt": len(mine)}
        if not job.counts.waiting and not (fits_only and job.counts.fits_waiting):
            if part_held is not None and part_held not in of_runs(ledger.runs(), grid.digest):
                # one that nothing was dealt to has been there, too
                ledger.end_run(ledger.begin_run(grid.digest, {**run_record(), **about}), "finished")
            job.progress.start(job.counts)
            job.progress.finish(job.counts)
            return job.summary("", stopped=False)
        backend = make_backend(executor, slots, timeout=timeout is not None or fit_timeout is not None)
        record = {
            **run_record(),
            **about,
            "code": code_of_here(),
            "executor": backend.name,
            "workers": backend.slots,
            "platform": fingerprint(),
        }
        return job.work(backend, record, timeout, fit_timeout, on_error == "stop", max_bundle)


class _Run:
    """The coordinator's state while a grid is run."""

    def __init__(
        self, grid: Grid, track: Track, ledger: Ledger, context: Context, progress: Progress
    ) -> None:
        self.grid, self.track, self.ledger, self.context = grid, track, ledger, context
        self.progress = progress
        self.counts = Counts(total=len(grid.cells))
        self.failures: list[Failure] = []
        self._pending: list[Cell] = []
        self._fits: list[FitJob] = []
        self._fits_done: set[str] = set()
        self._fits_lost: list[FitJob] = []
        self._results: dict[str, FitResult] = {}
        self._losses: dict[str, int] = {}
        self._run = ""
        self._places = Places()

    def plan(
        self,
        retry_failed: bool,
        shuffle: int | None,
        mine: set[str] | None = None,
        given: GivenFits | None = None,
        *,
        fits_only: bool = False,
    ) -> None:
        """Find out what is to be done: pending cells and the fits that they need, in order.

        ``mine`` are the keys of those cells that are this run's at all, ``given`` has fits that are taken.
        """
        states = self.ledger.states(self.grid.digest)
        pairs = list(zip(self.grid.cells, states, strict=True))
        if mine is not None:
            pairs = [(cell, state) for cell, state in pairs if cell.key in mine]
        named = {cell.fit for cell, state in pairs if cell.fit is not None and (fits_only or state != "done")}
        if fits_only:
            pairs = []
        self.counts.total = len(pairs)
        self.counts.cached = sum(state == "done" for _, state in pairs)
        if retry_failed:
            self._pending = [cell for cell, state in pairs if state != "done"]
        else:
            self._pending = [cell for cell, state in pairs if state is None]
            self.counts.kept = len(pairs) - len(self._pending) - self.counts.cached
            if not fits_only:
                named = {cell.fit for cell in self._pending if cell.fit is not None}
        if shuffle is not None:
            order = np.random.default_rng(shuffle).permutation(len(self._pending))
            self._pending = [self._pending[i] for i in order]
        jobs = {job.key: job for job in self.grid.fits}
        refused = set() if given is None else given.take(named, jobs, self.ledger)
        stored = self.ledger.fit_statuses()
        self._fits_done = {key for key in jobs if stored.get(key) == "done"}
        needed: set[str] = set()
        stack = list(named)
        while stack:
            key = stack.pop()
            if key not in needed:
                needed.add(key)
                # what a finished fit was made from is not needed any more
                stack.extend(() if key in self._fits_done else jobs[key].needs)
        self.counts.fits_total = len(needed)
        self.counts.fits_cached = len(needed & self._fits_done)
        waiting = [job for job in self.grid.fits if job.key in needed and job.key not in self._fits_done]
        if not retry_failed:
            refused = {job.key for job in waiting if job.key in stored}
        self._fits_lost = [job for job in waiting if job.key in refused]
        self._fits = [job for job in waiting if job.key not in refused]

    def work(
        self,
        backend: Backend,
        record: dict[str, object],
        timeout: float | None,
        fit_timeout: float | None,
        stop: bool,
        max_bundle: int,
    ) -> Summary:
        """Dispatch until nothing is left; always leaves ledger and workers in order."""
        self._columns = self.ledger.columns(self.grid)
        self._named = {cell.fit for cell in self.grid.cells}
        self._run = self.ledger.begin_run(self.grid.digest, record)
        self.schedule = Schedule(
            self.track, self._pending, self._fits, self._fits_done, backend.slots, max_bundle
        )
        flying: dict[Future[Reply], Work] = {}
        stopped = False
        # one unit waits behind each running one, so that no worker waits for the coordinator
        most = 1 if backend.slots == 1 and backend.name == "serial" else 2 * backend.slots
        ended = "broken"
        try:
            self.progress.start(self.counts)
            for job in self._fits_lost:
                self._lose(job, "a fit that it needs failed in an earlier run")
            while True:
                while not stopped and len(flying) < most and (unit := self.schedule.next()) is not None:
                    limit = fit_timeout if unit.make else timeout
                    if limit is not None:
                        limit *= unit.size
                    if unit.cells and self.counts.cells_began is None:
                        self.counts.cells_began = time.monotonic()
                    flying[backend.submit(limit, self.context, self._job(unit))] = unit
                if not flying:
                    break
                self.counts.running = len(flying)
                finished, _ = wait(flying, timeout=1.0, return_when=FIRST_COMPLETED)
                for future in finished:
                    self._collect(flying.pop(future), future, backend, stopping=stopped)
                if stop and self.failures and not stopped:
                    stopped = True
                    flying = {f: unit for f, unit in flying.items() if not f.cancel()}
                if not finished:
                    backend.check()
                    self.progress.update(self.counts)
            ended = "stopped" if stopped else "finished"
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                ended = "interrupted"
            try:
                self._keep_finished(flying)
            finally:  # a second Ctrl-C while results are kept must not leave workers behind
                backend.close(kill=True)
            raise
        else:
            backend.close()
        finally:
            self.counts.running = 0
            self.ledger.end_run(self._run, ended)
            self.progress.finish(self.counts)
        return self.summary(self._run, stopped=stopped)

    def summary(self, run: str, *, stopped: bool) -> Summary:
        """Return the counts so far."""
        return Summary(
            grid=self.grid.digest,
            title=self.grid.title,
            run=run,
            folder=self.ledger.folder,
            counts=self.counts,
            seconds=time.monotonic() - self.counts.began,
            stopped=stopped,
            failures=self.failures,
            notes=self.grid.notes,
        )

    def _job(self, unit: Work) -> Job:
        needs: list[str | None] = [need for job in unit.make for need in job.needs]
        needs += [cell.fit for cell in unit.cells]
        fits = {}
        for key in needs:
            if key is not None:
                # always as read back from the ledger: fresh and resumed runs see the same bits
                if key not in self._results:
                    self._results[key] = self.ledger.fit_result(key)
                fits[key] = self._results[key]
        make, cells = map(self._places.fit, unit.make), map(self._places.cell, unit.cells)
        return Job(make=tuple(make), cells=tuple(cells), fits=fits)

    def _collect(self, unit: Work, future: Future[Reply], backend: Backend, *, stopping: bool) -> None:
        """Record what came out of a unit, or decide how it is tried again."""
        if future.cancelled():
            error: BaseException | None = CancelledError("the executor cancelled it")
        else:
            error = future.exception()
        if error is not None:
            error = backend.lost(error)
        elif (reply := future.result()).ended == "refused":
            raise WorkerRefused(reply.error, remedy=reply.remedy or None)
        elif reply.ended:
            error = WorkerTimeout(reply.error) if reply.ended == "timeout" else WorkerCrash(reply.error)
        if error is None:
            for text in reply.warnings:
                self.progress.update(self.counts, f"warning: {text}")
            if not reply.error:
                self._record(unit, reply)
            elif unit.size > 1:
                self.schedule.retry_singly(unit, unit.strikes)
            else:
                self._fail(unit, "failed", reply.error, reply)
        elif isinstance(error, PoolError | ConfigError | BrokenExecutor) or type(error) is MlopsimError:
            if isinstance(error, MlopsimError):
                raise error
            raise MlopsimError(
                f"the executor broke and cannot be mended: {error}",
                remedy="executor=pool replaces its workers",
            ) from error
        elif isinstance(error, CancelledError) or type(error).__name__ == "FutureCancelledError":
            self._losses[unit.key] = self._losses.get(unit.key, 0) + 1
            if self._losses[unit.key] > LOSSES:
                raise MlopsimError(f"the executor lost the same work {LOSSES} times") from error
            if not stopping:
                self.schedule.retry(unit)
        elif isinstance(error, WorkerCrash) or type(error).__name__ == "KilledWorker":
            if unit.size > 1:
                self.schedule.retry_singly(unit, unit.strikes + 1)
            elif unit.strikes + 1 < CRASHES:
                self.schedule.retry(Work(make=unit.make, cells=unit.cells, strikes=unit.strikes + 1))
            else:
                self._fail(unit, "crashed", str(error))
        elif isinstance(error, WorkerTimeout):
            if unit.size > 1:
                self.schedule.retry_singly(unit, unit.strikes)
            else:
                self._fail(unit, "timeout", str(error))
        elif unit.size > 1:
            self.schedule.retry_singly(unit, unit.strikes)
        else:
            self._fail(unit, "failed", "".join(traceback.format_exception(error)))

    def _record(self, unit: Work, reply: Reply) -> None:
        count = unit.size
        provenance = Provenance(
            run=self._run,
            seconds=reply.seconds / count,
            bundle=count,
            host=reply.host,
            fingerprint=reply.fingerprint,
        )
        message = ""
        for job, result in zip(unit.make, reply.made, strict=True):
            # what only others stand on is in no column
            if job.key in self._named and (
                wrong := self._refused("fit", f"fit {job.label}", result.attributes)
            ):
                self._fail_fit(job, "failed", wrong, reply)
                continue
            self.ledger.record_fit(job, "done", result, None, provenance)
            self.schedule.fit_done(job.key)
            self.counts.fits_done += 1
            message = f"fit {job.label}: {reply.seconds / count:.1f} CPU s"
        for cell, outcome in zip(unit.cells, reply.outcomes, strict=True):
            if wrong := self._refused("cell", f"cell {describe(cell)}", outcome.attributes):
                self._fail_cell(cell, "failed", wrong, reply)
                continue
            self.ledger.record_cell(cell.key, outcome, provenance)
            self.counts.done += 1
        self.progress.update(self.counts, message)

    def _refused(self, owner: Owner, where: str, attributes: Mapping[str, Attribute]) -> str:
        """Return why attributes are no columns of this grid, or nothing."""
        try:
            self._columns.add(owner, where, attributes)
        except ConfigError as error:
            return f"ConfigError: {error}"
        return ""

    def _fail(self, unit: Work, status: Status, error: str, reply: Reply | None = None) -> None:
        for job in unit.make:
            self._fail_fit(job, status, error, reply)
        for cell in unit.cells:
            self._fail_cell(cell, status, error, reply)

    def _provenance(self, reply: Reply | None) -> Provenance:
        if reply is None:
            return Provenance(run=self._run, host=host())
        return Provenance(
            run=self._run, seconds=reply.seconds, host=reply.host, fingerprint=reply.fingerprint
        )

    def _fail_cell(self, cell: Cell, status: Status, error: str, reply: Reply | None = None) -> None:
        self.ledger.record_failure(cell.key, status, error, self._provenance(reply))
        self.counts.failed += 1
        self._tell(Failure(key=cell.key, label=describe(cell), status=status, error=error))

    def _fail_fit(self, job: FitJob, status: Status, error: str, reply: Reply | None = None) -> None:
        self.ledger.record_fit(job, status, None, error, self._provenance(reply))
        self.counts.fits_failed += 1
        failure = Failure(key=job.key, label=f"fit {job.label}", status=status, error=error)
        self._tell(failure)
        fits, cells = self.schedule.fit_failed(job.key)
        reason = f"not run: the fit {job.label} ({job.key}) {status}: {failure.last_line}"
        for other in fits:
            self.ledger.record_fit(other, "failed", None, reason, self._provenance(None))
            self.counts.fits_failed += 1
        for cell in cells:
            self._fail_cell(cell, "failed", reason)

    def _lose(self, job: FitJob, reason: str) -> None:
        """Cells of a fit that failed before and is not tried again cannot be run."""
        fits, cells = self.schedule.fit_failed(job.key)
        self.counts.fits_failed += 1 + len(fits)
        for cell in cells:
            self._fail_cell(cell, "failed", f"not run: the fit {job.label} ({job.key}): {reason}")

    def _tell(self, failure: Failure) -> None:
        self.failures.append(failure)
        self.progress.update(self.counts, f"{failure.status}: {failure.label}: {failure.last_line}")

    def _keep_finished(self, flying: dict[Future[Reply], Work]) -> None:
        """Record units that ended well while the run was being broken off."""
        for future, unit in flying.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                reply = future.result()
                if not reply.error:
                    self._record(unit, reply)
