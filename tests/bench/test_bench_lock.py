"""One writer: who is second is told who is first, and a killed holder leaves no lock behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mlopsim.bench.ledger import Ledger
from mlopsim.bench.lock import FolderLock
from mlopsim.core.errors import LedgerError

HOLD = """
import sys, time
from pathlib import Path
from mlopsim.bench.lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_writer_is_told_who_is_first(tmp_path: Path) -> None:
    first, second = (FolderLock(tmp_path / "ledger.lock") for _ in range(2))
    first.acquire()
    with pytest.raises(LedgerError, match=f"being written by process {os.getpid()} on ") as caught:
        second.acquire()
    assert "results=DIR" in str(caught.value.remedy)
    first.release()
    assert first.path.read_bytes() == b""
    second.acquire()
    second.release()
    second.release()


def test_a_killed_holder_leaves_no_lock_behind(tmp_path: Path) -> None:
    path = tmp_path / "ledger.lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        try:
            with pytest.raises(LedgerError, match=f"being written by process {holder.pid} on "):
                FolderLock(path).acquire()
        finally:
            holder.send_signal(signal.SIGKILL)
    assert holder.returncode == -signal.SIGKILL
    lock = FolderLock(path)
    lock.acquire()
    assert path.read_text().startswith(f"process {os.getpid()} on ")
    lock.release()
    assert [p.name for p in tmp_path.iterdir()] == ["ledger.lock"]


def test_another_thread_may_give_it_back(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "ledger.lock")
    lock.acquire()
    thread = threading.Thread(target=lock.release)
    thread.start()
    thread.join()
    other = FolderLock(tmp_path / "ledger.lock")
    other.acquire()
    other.release()


def test_what_cannot_be_locked_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name, words in (("folder", "is a folder"), ("pipe", "no regular file"), ("link", "cannot lock")):
        with pytest.raises(LedgerError, match=words) as caught:
            FolderLock(tmp_path / name).acquire()
        assert "results=DIR" in str(caught.value.remedy)

    def denied(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(LedgerError, match=r"cannot lock .*: Permission denied"):
        FolderLock(tmp_path / "locked").acquire()


def test_rubbish_in_the_file_hinders_nobody(tmp_path: Path) -> None:
    path = tmp_path / "ledger.lock"
    path.write_bytes(b"\xff\xfe\x1b[31m" * 100)
    Ledger.open(tmp_path).close()
    held = FolderLock(path)
    held.acquire()
    path.write_bytes(b"\xff\x1b[31m")
    with pytest.raises(LedgerError, match=r"\\x1b\[31m") as caught:
        FolderLock(path).acquire()
    assert "\x1b" not in str(caught.value)
    held.release()
