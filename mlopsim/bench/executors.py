"""Where jobs run: in this process, in our pool, in a Dask cluster, or in any given executor."""

from __future__ import annotations

import importlib.util
import socket
from concurrent.futures import Executor, Future
from typing import Protocol

from mlopsim.bench.cluster import Dask
from mlopsim.bench.pool import Pool
from mlopsim.bench.worker import Context, Job, Reply, run_job
from mlopsim.core.errors import ConfigError, MissingExtraError, nearest


class Backend(Protocol):
    """What the runner knows of an executor. ``slots``: how many jobs run at once."""

    name: str
    slots: int

    def submit(self, timeout: float | None, context: Context, job: Job) -> Future[Reply]:
        """Start a job."""
        ...

    def check(self) -> None:
        """Raise when what was submitted can no longer end; called while nothing ends."""
        ...

    def lost(self, error: BaseException) -> BaseException:
        """Return what the exception of a job's future means here."""
        ...

    def close(self, *, kill: bool = False) -> None:
        """Free everything; with ``kill`` without waiting for running jobs."""
        ...


class Serial:
    """Jobs run at once in this process, with one thread. A crash takes the process along."""

    name = "serial"
    slots = 1

    def submit(self, timeout: float | None, context: Context, job: Job) -> Future[Reply]:
        """Run the job and return its finished future."""
        future: Future[Reply] = Future()
        try:
            future.set_result(run_job(context, job))
        except Exception as error:  # noqa: BLE001 (as any executor does)
            future.set_exception(error)
        return future

    def check(self) -> None:
        """Do nothing: jobs run here."""

    def lost(self, error: BaseException) -> BaseException:
        """Return the exception."""
        return error

    def close(self, *, kill: bool = False) -> None:
        """Do nothing."""


class Local:
    """Our own process pool on this machine."""

    name = "pool"

    def __init__(self, workers: int) -> None:
        self.slots = workers
        self.pool = Pool(workers)

    def submit(self, timeout: float | None, context: Context, job: Job) -> Future[Reply]:
        """Start a job in a worker."""
        return self.pool.submit_within(timeout, run_job, context, job)

    def check(self) -> None:
        """Do nothing: the pool sees each worker end."""

    def lost(self, error: BaseException) -> BaseException:
        """Return the exception."""
        return error

    def close(self, *, kill: bool = False) -> None:
        """End the workers."""
        if kill:
            self.pool.kill()
        else:
            self.pool.shutdown()


class Given:
    """Any other ``concurrent.futures.Executor``; the caller shuts it down."""

    name = "given"

    def __init__(self, executor: Executor, workers: int) -> None:
        self.name = type(executor).__name__
        self.slots = workers
        self._executor = executor

    def submit(self, timeout: float | None, context: Context, job: Job) -> Future[Reply]:
        """Start a job."""
        return self._executor.submit(run_job, context, job)

    def check(self) -> None:
        """Do nothing: nothing is known of it."""

    def lost(self, error: BaseException) -> BaseException:
        """Return the exception."""
        return error

    def close(self, *, kill: bool = False) -> None:
        """Do nothing: it is not ours."""


#: seconds to reach a scheduler's port
CONNECT = 10.0
#: how addresses of Dask schedulers begin
SCHEMES = ("tcp://", "tls://", "ws://", "wss://", "ucx://", "inproc://")


def check_backend(executor: str | Executor, workers: int, *, timeout: bool = False) -> None:
    """Raise unless :func:`make_backend` knows the executor and there is a worker.

    Raises
    ------
    ConfigError
        For an unknown name, fewer than one worker, or timeouts where they cannot be kept.
    MissingExtraError
        If Dask is asked for and not installed.
    """
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise ConfigError(
            f"workers must be at least 1, got {workers}", remedy="leave it out for one a processor"
        )
    if timeout and (executor == "serial" or isinstance(executor, Executor)):
        raise ConfigError(
            "a timeout needs an executor that can end a running cell", remedy="executor=pool or executor=dask"
        )
    known = ("pool", "serial", "dask")
    if isinstance(executor, Executor) or executor in ("pool", "serial"):
        return
    if executor != "dask" and not executor.removeprefix("dask:").startswith(SCHEMES):
        raise ConfigError(
            f"unknown executor '{executor}'{nearest(executor, known)}",
            remedy="pool, serial, dask, or the address of a Dask scheduler, such as tcp://host:8786",
        )
    if importlib.util.find_spec("distributed") is None:
        raise MissingExtraError(f"executor={executor}", "dask")
    if executor != "dask":
        _check_address(executor.removeprefix("dask:"))


def _check_address(address: str) -> None:
    """Raise unless something listens there: a dry run refuses what the run would refuse."""
    scheme, _, place = address.partition("://")
    if scheme not in ("tcp", "tls", "ws", "wss"):
        return  # no sockets of ours: the run finds out
    host, _, port = place.partition("/")[0].rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigError(
            f"'{address}' is no address of a Dask scheduler", remedy="write it as in tcp://host:8786"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT).close()
    except (OSError, OverflowError) as error:
        raise ConfigError(
            f"no Dask scheduler answers at {address}: {error}",
            remedy="start one (dask scheduler; dask worker), or name the right address",
        ) from error


def make_backend(executor: str | Executor, workers: int, *, timeout: bool = False) -> Backend:
    """Return the backend of that name.

    Parameters
    ----------
    executor : str or Executor
        ``pool``, ``serial``, ``dask`` (a local cluster), ``dask:ADDRESS`` or an address such as
        ``tcp://host:8786``, or an object.
    workers : int
        How many jobs at once.
    timeout : bool, default False
        Whether jobs will have timeouts; not every executor can end a job.

    Raises
    ------
    ConfigError
        For an unknown name, fewer than one worker, or timeouts where they cannot be kept.
    """
    check_backend(executor, workers, timeout=timeout)
    if isinstance(executor, Executor):
        return Given(executor, workers)
    if executor == "serial":
        return Serial()
    if executor == "pool":
        return Local(workers)
    if executor == "dask":
        return Dask(workers)
    if executor.startswith("dask:"):
        return Dask(workers, executor.removeprefix("dask:"))
    return Dask(workers, executor)
