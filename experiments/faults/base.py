"""What a damaged input is, and how the command line took it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


class Right(StrEnum):
    """What the right answer to a fault is."""

    #: one error, with a status that is not 0
    REFUSED = "refused"
    #: an error, or a warning while it goes on
    SAID = "said"
    #: an error, or the very numbers that the undamaged input gives
    FOUND = "found"


class Verdict(StrEnum):
    """How the command line took it; the first two are right."""

    REFUSED = "refused"
    HARMLESS = "harmless"
    TRACEBACK = "traceback"
    HANG = "hang"
    SILENT = "silent"
    CHANGED = "changed"
    BARE = "bare"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One damaged input.

    Parameters
    ----------
    words : tuple of str
        The command line after ``mlopsim``.
    right : Right
        The right answer.
    keeps : tuple of Path
        Files and folders whose bytes must stay.
    says : tuple of str
        For :attr:`Right.SAID`: words that also count as said, beside those of a warning or a note.
    same : callable, optional
        For :attr:`Right.FOUND`: whether what was written or printed is what the undamaged input gives.
    detail : str
        What exactly is wrong, for the list of those that were taken wrongly.
    """

    words: tuple[str, ...]
    right: Right = Right.REFUSED
    keeps: tuple[Path, ...] = ()
    says: tuple[str, ...] = ()
    same: Callable[[str], bool] | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Kit:
    """What all cases of a process share; nobody writes to it.

    Parameters
    ----------
    conf : Path
        Presets: a tiny suite of each track.
    results : Path
        A finished results folder of the tiny delivery suite.
    exported : str
        Its numbers as text, without provenance.
    """

    conf: Path
    results: Path
    exported: str


#: builds a case in a folder of its own
Builder = Callable[["np.random.Generator", Path, Kit], Case]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A kind of damage: its family, its name, and what builds cases of it."""

    family: str
    name: str
    build: Builder = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """How one case was taken."""

    verdict: Verdict
    code: int
    text: str
    seconds: float


class Hang(BaseException):
    """The command took longer than it may; no handler of the command line catches it."""


def _alarm(_signal: int, _frame: FrameType | None) -> None:
    raise Hang


def command(words: tuple[str, ...]) -> tuple[int, str, str]:
    """Run ``mlopsim`` in this process; return its status and what it wrote to both streams."""
    from mlopsim.cli.main import main

    out, err, argv, code = io.StringIO(), io.StringIO(), sys.argv, 0
    sys.argv = ["mlopsim", *words]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception:  # noqa: BLE001 (an error that came through the edge is what is looked for)
        from mlopsim.cli.error_messages import UNEXPECTED

        code = UNEXPECTED
        err.write(traceback.format_exc())
    finally:
        sys.argv = argv
    return code, out.getvalue(), err.getvalue()


@contextlib.contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raise :class:`Hang` in this thread after so many seconds."""
    before = signal.signal(signal.SIGALRM, _alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def seal(paths: tuple[Path, ...]) -> dict[str, str]:
    """Return the digest of each file, also of those in folders."""
    files = [f for path in paths for f in ([path] if path.is_file() else sorted(path.rglob("*")))]
    return {str(f): hashlib.sha256(f.read_bytes()).hexdigest() for f in files if f.is_file()}


def kept(paths: tuple[Path, ...], before: dict[str, str]) -> bool:
    """Whether all files are as they were; SQLite's own files beside a ledger may come and go."""
    after = {name: value for name, value in seal(paths).items() if not name.endswith(("-wal", "-shm"))}
    return after == {name: value for name, value in before.items() if not name.endswith(("-wal", "-shm"))}


def take(case: Case, seconds: float) -> Taken:
    """Give a case to the command line and judge the answer.

    A refusal must be one error that names a remedy (or click's hint at ``--help``); an answer with the
    status 0 must warn, or give the same numbers, as :attr:`Case.right` allows.
    """
    before, start = seal(case.keeps), time.monotonic()
    verdict, code, out, err = Verdict.HARMLESS, 0, "", ""
    try:
        with limit(seconds):
            code, out, err = command(case.words)
    except Hang:
        verdict = Verdict.HANG
    spent = time.monotonic() - start
    if verdict is Verdict.HARMLESS:
        verdict = judge(case, code, out, err)
    if verdict in (Verdict.HARMLESS, Verdict.REFUSED, Verdict.BARE) and not kept(case.keeps, before):
        verdict = Verdict.CHANGED
    return Taken(verdict=verdict, code=code, text=(err or out)[-600:], seconds=spent)


def judge(case: Case, code: int, out: str, err: str) -> Verdict:
    """Return the verdict on a command that ended."""
    from mlopsim.cli.error_messages import UNEXPECTED

    if "Traceback (most recent call last)" in out + err or code == UNEXPECTED:
        return Verdict.TRACEBACK
    if code != 0:
        # `check` tells by its table what failed, and a run whose cells fail how to read their tracebacks
        hints = ("remedy:", "Usage:", "--help", "check(s) failed", "mlopsim status")
        return Verdict.REFUSED if any(hint in err + out for hint in hints) else Verdict.BARE
    said = ("warning", "note:", *case.says)
    if case.right is Right.SAID and any(word in (out + err).lower() for word in said):
        return Verdict.HARMLESS
    if case.right is Right.FOUND and case.same is not None and case.same(out):
        return Verdict.HARMLESS
    return Verdict.SILENT
