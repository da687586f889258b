"""A process pool that survives its workers and whose workers do not survive it.

The standard library's pool loses all queued tasks when one worker dies, cannot end a running task
and leaves workers behind when the parent is killed. Here each worker has a thread of its own that
sends it one task at a time: a crash or a timeout concerns that task only, the worker is replaced
and the others never notice.
"""

from __future__ import annotations

import itertools
import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from mlopsim.bench.worker_process import PARENT_VARIABLE, PATH_VARIABLE, REPLY, TASK, read_exactly
from mlopsim.core.errors import ConfigError, MlopsimError
from mlopsim.core.threads import worker_environment

#: a worker has no heavy imports before its first task; a busy machine still needs a while
START_SECONDS = 120.0
START_ATTEMPTS = 3
STDERR_CHARS = 4000
_BOOT = (
    f"import json,os,sys;sys.path[:]=json.loads(os.environ['{PATH_VARIABLE}']);"
    "from mlopsim.bench.worker_process import main;main()"
)


class WorkerCrash(MlopsimError):
    """The worker process died while it ran this task."""


class WorkerTimeout(MlopsimError):
    """The task took longer than allowed; its worker was ended."""


class PoolError(MlopsimError):
    """No worker can be started: not the fault of a task."""


@dataclass
class _Item:
    future: Future[Any]
    call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
    timeout: float | None


@dataclass(eq=False)
class _Child:
    process: subprocess.Popen[bytes]
    stderr: BinaryIO
    overdue: threading.Event = field(default_factory=threading.Event)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()

    def tail(self) -> str:
        self.stderr.seek(0, os.SEEK_END)
        self.stderr.seek(max(0, self.stderr.tell() - STDERR_CHARS))
        return self.stderr.read().decode(errors="replace").strip()

    def close(self) -> None:
        self.end()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.stderr):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:  # unsent bytes for a process that is gone
                    pass


class Pool(Executor):
    """Worker processes, each started afresh (no fork), with one thread per library.

    Parameters
    ----------
    workers : int
        How many processes.
    timeout : float, optional
        Seconds that a task may take; the time to start a worker does not count.

    Raises
    ------
    ConfigError
        If ``workers`` is below 1.

    Examples
    --------
    >>> import math
    >>> with Pool(1) as pool:
    ...     pool.submit(math.sqrt, 9.0).result()
    3.0
    """

    def __init__(self, workers: int, *, timeout: float | None = None) -> None:
        if workers < 1:
            raise ConfigError(f"workers must be at least 1, got {workers}")
        self.workers = workers
        self.timeout = timeout
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._children: set[_Child] = set()
        self._closing = False
        self._killed = False
        numbers = itertools.count()
        # daemons: an interpreter that ends without shutdown() must not wait for running tasks
        self._threads = [
            threading.Thread(target=self._manage, name=f"worker-{next(numbers)}", daemon=True)
            for _ in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run ``fn(*args, **kwargs)`` in a worker, with the pool's timeout."""
        return self.submit_within(self.timeout, fn, *args, **kwargs)

    def submit_within(
        self, timeout: float | None, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """Run ``fn(*args, **kwargs)`` in a worker with a timeout of its own.

        Returns
        -------
        Future
            Its exception may be the function's own, :class:`WorkerCrash`, :class:`WorkerTimeout`
            or :class:`PoolError`.
        """
        future: Future[Any] = Future()
        with self._lock:
            if self._closing:
                raise RuntimeError("the pool is shut down")
            self._queue.put(_Item(future, (fn, args, kwargs), timeout))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let running tasks finish (and queued ones, unless cancelled), then end the workers."""
        with self._lock:
            first, self._closing = not self._closing, True
        if cancel_futures:
            self._cancel_queued()
        if first:
            for _ in self._threads:
                self._queue.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def kill(self) -> None:
        """End all workers at once; running tasks fail with :class:`WorkerCrash`."""
        with self._lock:
            self._killed = True
            children = list(self._children)
        for child in children:
            child.end()
        self.shutdown(wait=True, cancel_futures=True)

    def pids(self) -> list[int]:
        """Return the process ids of the workers that live now."""
        with self._lock:
            return [child.process.pid for child in self._children if child.process.poll() is None]

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Wait for the tasks, or end the workers at once when the block failed."""
        if kind is None:
            self.shutdown(wait=True)
        else:
            self.kill()

    def _cancel_queued(self) -> None:
        ends = 0
        while True:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                ends += 1
            else:
                item.future.cancel()
        for _ in range(ends):
            self._queue.put(None)

    def _manage(self) -> None:
        """Run by one thread per worker. It starts the worker itself: the kernel ends a worker when
        the thread that started it ends.
        """
        child: _Child | None = None
        try:
            while (item := self._queue.get()) is not None:
                if not item.future.set_running_or_notify_cancel():
                    continue
                try:
                    body = pickle.dumps(item.call, protocol=pickle.HIGHEST_PROTOCOL)
                except Exception as error:  # noqa: BLE001 (given to whoever asks for the result)
                    item.future.set_exception(error)
                    continue
                try:
                    if child is None or child.process.poll() is not None:
                        self._drop(child)
                        child = self._start()
                    good, value = self._perform(child, item.timeout, body)
                except Exception as error:  # noqa: BLE001 (a future must never stay without an answer)
                    self._drop(child)
                    child = None
                    item.future.set_exception(error)
                    continue
                if good:
                    item.future.set_result(value)
                else:
                    item.future.set_exception(value)
        finally:
            self._drop(child)

    def _drop(self, child: _Child | None) -> None:
        if child is not None:
            with self._lock:
                self._children.discard(child)
            child.close()

    def _start(self) -> _Child:
        trouble = ""
        for _ in range(START_ATTEMPTS):
            child = self._spawn()
            timer = threading.Timer(START_SECONDS, child.end)
            timer.daemon = True
            timer.start()
            ready = _read_reply(child)
            timer.cancel()
            if ready is not None:
                return child
            trouble = _ended(child)
            self._drop(child)
            if self._killed:
                break
        raise PoolError(f"a worker process could not be started: {trouble}")

    def _spawn(self) -> _Child:
        environment = worker_environment()
        environment[PARENT_VARIABLE] = str(os.getpid())
        environment[PATH_VARIABLE] = json.dumps([entry or os.getcwd() for entry in sys.path])  # noqa: PTH109
        with self._lock:
            if self._killed:
                raise PoolError("the pool is shut down")
            # appending and unnamed: it can be cut between tasks and vanishes by itself
            stderr = cast(BinaryIO, tempfile.TemporaryFile("a+b"))  # noqa: SIM115
            process = subprocess.Popen(
                [sys.executable, "-c", _BOOT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment,
            )
            child = _Child(process, stderr)
            self._children.add(child)
        return child

    def _perform(self, child: _Child, timeout: float | None, body: bytes) -> tuple[bool, Any]:
        stdin = child.process.stdin
        assert stdin is not None
        child.stderr.truncate(0)
        timer: threading.Timer | None = None
        if timeout is not None:

            def overdue() -> None:
                child.overdue.set()
                child.end()

            timer = threading.Timer(timeout, overdue)
            timer.daemon = True
        try:
            stdin.write(TASK.pack(timeout or 0.0, len(body)))
            stdin.write(body)
            stdin.flush()
            if timer is not None:
                timer.start()
            reply = _read_reply(child)
        except BrokenPipeError:
            reply = None
        finally:
            if timer is not None:
                timer.cancel()
        if reply is not None:
            return reply
        if child.overdue.is_set():
            child.process.wait()
            raise WorkerTimeout(f"took longer than {timeout:g} s\n{child.tail()}".strip())
        raise WorkerCrash(_ended(child))


def _read_reply(child: _Child) -> tuple[bool, Any] | None:
    stdout = child.process.stdout
    assert stdout is not None
    head = read_exactly(cast(BinaryIO, stdout), REPLY.size)
    if head is None:
        return None
    good, length = REPLY.unpack(head)
    body = read_exactly(cast(BinaryIO, stdout), length)
    return None if body is None else (bool(good), pickle.loads(body))  # noqa: S301 (from our worker's pipe)


def _ended(child: _Child) -> str:
    # its output ended; if it still lives it closed its pipe and is of no use any more
    try:
        code = child.process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        child.end()
        code = child.process.wait()
    if code < 0:
        try:
            how = f"was killed by {signal.Signals(-code).name}"
        except ValueError:
            how = f"was killed by signal {-code}"
    else:
        how = f"ended with exit code {code}"
    return f"the worker process {how}\n{child.tail()}".strip()
