"""The Dask backend: a local cluster or one by its address, watched while it works."""

from __future__ import annotations

import os
import time
from concurrent.futures import Executor, Future
from typing import Any

from mlopsim.bench.pool import Pool, PoolError, WorkerCrash, WorkerTimeout
from mlopsim.bench.worker import Context, Job, Reply, run_job
from mlopsim.core.errors import ConfigError, MissingExtraError, MlopsimError

#: seconds to reach a scheduler
CONNECT = 20.0
#: seconds between two looks at the cluster, and that its scheduler may take to answer one
LOOK, ANSWER = 5.0, 15.0
#: seconds without a connection, without any worker, or without a sign of life from a worker
PATIENCE = 30.0


class Dask:
    """A Dask cluster: a local one, or one by its scheduler's address.

    Each Dask worker runs jobs in a pool of ours inside it, so that timeouts, crashes and thread
    counts are treated as on one machine; Dask itself reschedules what a lost worker had. Plug-in and data
    files must be readable at the same absolute path by every worker.

    Parameters
    ----------
    workers : int
        Workers of the local cluster; ignored with an address.
    address : str, optional
        ``tcp://host:port`` of a scheduler.

    Raises
    ------
    MissingExtraError
        Without the extra ``dask``.
    ConfigError
        If the scheduler does not answer or has no workers.
    """

    name = "dask"

    def __init__(self, workers: int, address: str | None = None) -> None:
        try:
            from distributed import Client, LocalCluster
        except ImportError:
            raise MissingExtraError("executor=dask", "dask") from None
        self.cluster: Any = None
        self.address = address or "(local cluster)"
        if address is None:
            self.cluster = LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
            )
        try:
            self.client: Any = Client(self.cluster if address is None else address, timeout=CONNECT)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"no Dask scheduler answers at {address}: {error}", remedy="dask scheduler; dask worker"
            ) from error
        threads = self.client.nthreads()
        self.slots = sum(threads.values())
        if self.slots < 1:
            self.close(kill=True)
            raise ConfigError(f"the Dask scheduler at {address} has no workers", remedy="start some")
        self._executor: Executor = self.client.get_executor(pure=False)
        self._looked = self._connected = self._staffed = time.monotonic()
        #: when the scheduler last heard of each worker (its clock), and seconds for which we saw no change
        self._seen: dict[str, float] = {}
        self._silent: dict[str, float] = {}

    def submit(self, timeout: float | None, context: Context, job: Job) -> Future[Reply]:
        """Start a job on some worker."""
        if self.client.status not in ("running", "connecting"):
            raise self._gone("it has closed the connection")
        return self._executor.submit(run_on_dask, timeout, context, job)

    def check(self) -> None:
        """Raise when the cluster cannot be expected to finish what it was given.

        Raises
        ------
        MlopsimError
            If the scheduler is gone or does not answer, or no worker is left, or one gives no sign of life.
        """
        now = time.monotonic()
        if self.client.status == "running":
            self._connected = now
        elif self.client.status != "connecting" or now - self._connected > PATIENCE:
            raise self._gone(f"the connection is {self.client.status}")
        else:
            return
        if now - self._looked < LOOK:
            return
        try:
            known = self.client.sync(self.client.scheduler.identity, callback_timeout=ANSWER)
        except (OSError, TimeoutError) as error:
            if self.client.status == "connecting":  # it may come back within our patience
                return
            raise self._gone(f"no answer within {ANSWER:g} s") from error
        now = time.monotonic()
        # after a pause of ours (Ctrl-Z, no reason to look) nobody has been silent for all of it
        passed, self._looked = min(now - self._looked, 2 * LOOK), now
        if known["workers"]:
            self._staffed = now
        elif now - self._staffed > PATIENCE:
            raise MlopsimError(
                f"the Dask scheduler at {self.address} has had no workers for {PATIENCE:g} s",
                remedy="start workers, then run the same command again: what is done is kept",
            )
        # how long we have seen no change: no clock but ours, and one that is left alone is found too
        seen = {address: entry["last_seen"] for address, entry in known["workers"].items()}
        self._silent = {
            address: self._silent.get(address, 0.0) + passed if self._seen.get(address) == last else 0.0
            for address, last in seen.items()
        }
        self._seen = seen
        for address, silent in self._silent.items():
            if silent > PATIENCE:
                raise MlopsimError(
                    f"the Dask worker {known['workers'][address]['name']} at {address} has given no sign "
                    f"of life for {silent:.0f} s",
                    remedy="end it, then run the same command again: what is done is kept",
                )

    def lost(self, error: BaseException) -> BaseException:
        """Return what an exception of a job means; those of tracks, pools and timeouts arrive as replies."""
        # of the kinds that the runner treats itself
        if isinstance(error, MlopsimError) or type(error).__name__ in (
            "CancelledError",
            "FutureCancelledError",
            "KilledWorker",
        ):
            if self.client.status not in ("running", "connecting"):
                return self._gone(f"the connection is {self.client.status}")
            return error
        return MlopsimError(
            f"a Dask worker of {self.address} cannot do the work: {type(error).__name__}: {error}",
            remedy="it may have another mlopsim or none: install the same one there and start it again",
        )

    def _gone(self, how: str) -> MlopsimError:
        return MlopsimError(
            f"the Dask scheduler at {self.address} is gone: {how}",
            remedy="start it again, then run the same command again: what is done is kept",
        )

    def close(self, *, kill: bool = False) -> None:
        """Leave the cluster; end it if it is ours."""
        self.client.close(timeout=2.0 if kill else 10.0)
        if self.cluster is not None:
            self.cluster.close(timeout=10.0)


_nested: dict[int, Pool] = {}


def run_on_dask(timeout: float | None, context: Context, job: Job) -> Reply:
    """Run in a Dask worker's thread: hand the job to this process's own pool."""
    from distributed import get_worker

    worker = get_worker()
    pool = _nested.get(os.getpid())
    if pool is None:
        pool = _nested.setdefault(os.getpid(), Pool(worker.state.nthreads))
    where = f"Dask worker {worker.name} at {worker.address}"
    try:
        reply: Reply = pool.submit_within(timeout, run_job, context, job).result()
    except WorkerCrash as error:  # as a value: Dask would log every exception in full
        return Reply(error=error.message, ended="crashed")
    except WorkerTimeout as error:
        return Reply(error=error.message, ended="timeout")
    except (ConfigError, PoolError) as error:
        return Reply(error=f"{where}: {error.message}", ended="refused", remedy=error.remedy or "")
    return reply
