"""The main loop of a worker process: tasks come through standard input, replies leave by output.

Imports the standard library only, so that a worker is up before it loads anything heavy.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import pickle
import queue
import signal
import struct
import sys
import threading
import traceback
from typing import BinaryIO

#: timeout in seconds (0: none) and length of the pickled (function, arguments, keyword arguments)
TASK = struct.Struct("<dQ")
#: whether the function returned (1) or raised (0), and the length of the pickled result
REPLY = struct.Struct("<BQ")
PARENT_VARIABLE = "MLOPSIM_WORKER_PARENT"
PATH_VARIABLE = "MLOPSIM_WORKER_PATH"

#: true in a worker whose libraries were loaded with one thread each
capped = False


def read_exactly(stream: BinaryIO, count: int) -> bytes | None:
    """Return ``count`` bytes, or None when the other side is gone."""
    parts = []
    while count > 0:
        block = stream.read(min(count, 1 << 20))
        if not block:
            return None
        parts.append(block)
        count -= len(block)
    return b"".join(parts)


def die_with_parent() -> None:
    """End this process when its parent ends, also when the parent is killed with -9.

    On Linux the kernel does it, even while a long call holds the interpreter's lock. Elsewhere
    the thread that reads standard input sees its end.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)  # 1 is PR_SET_PDEATHSIG
    # the parent may have died before the line above
    if os.name == "posix" and os.getppid() != int(os.environ[PARENT_VARIABLE]):
        os._exit(1)


def main() -> None:
    """Serve tasks until standard input ends."""
    global capped
    tasks_in: BinaryIO = os.fdopen(os.dup(0), "rb")
    replies_out: BinaryIO = os.fdopen(os.dup(1), "wb")
    # whatever a component prints must not get between the replies
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    die_with_parent()
    # Ctrl-C reaches the whole process group; the coordinator decides what happens to workers
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    capped = True
    tasks: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

    def read() -> None:
        while True:
            head = read_exactly(tasks_in, TASK.size)
            body = None
            if head is not None:
                timeout, length = TASK.unpack(head)
                body = read_exactly(tasks_in, length)
            if body is None:
                os._exit(0)
            tasks.put((timeout, body))

    threading.Thread(target=read, name="orders", daemon=True).start()
    _send(replies_out, True, None)
    while True:
        timeout, body = tasks.get()
        if timeout > 0:
            # the parent ends this process at the timeout: leave a trace of where it was
            faulthandler.dump_traceback_later(timeout * 0.95, exit=False)
        try:
            function, arguments, keywords = pickle.loads(body)  # noqa: S301 (from our parent's pipe)
            _send(replies_out, True, function(*arguments, **keywords))
        except BaseException as error:  # noqa: BLE001 (whatever it is, the parent is told)
            _send_error(replies_out, error)
        finally:
            faulthandler.cancel_dump_traceback_later()


def _send(stream: BinaryIO, good: bool, value: object) -> None:
    body = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(REPLY.pack(good, len(body)))
    stream.write(body)
    stream.flush()


def _send_error(stream: BinaryIO, error: BaseException) -> None:
    text = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)
    except Exception:  # noqa: BLE001 (an error that cannot travel is sent as its text)
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(f"in the worker process:\n{text}")
    _send(stream, False, error)
