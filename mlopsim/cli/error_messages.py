"""The edge of the command line: whatever goes wrong inside becomes one message with a remedy."""

from __future__ import annotations

import errno
import io
import os
import sqlite3
import sys
import warnings
from collections.abc import Callable
from typing import TextIO

import click

from mlopsim.core.errors import MlopsimError, SectionError
from mlopsim.core.text import visible

#: exit status where the work was done, and all of it went well
DONE = 0
#: exit status where the work was done, and something in it failed
FAILED = 1
#: exit status for what the user can mend
REFUSED = 2
#: exit status for an error that nobody foresaw: a fault of ours (EX_SOFTWARE of sysexits)
UNEXPECTED = 70
#: exit status after Ctrl-C
INTERRUPTED = 130

#: what each exit status says, as `mlopsim --help` and the documentation have it
STATUSES = {
    DONE: "done",
    FAILED: "something failed or differs: cells, sections, checks, a promise, the numbers of two folders",
    REFUSED: "refused, with a remedy: nothing was changed",
    UNEXPECTED: "a fault of mlopsim: run it again with --traceback",
    INTERRUPTED: "interrupted: what is done is kept, the same command resumes",
}

#: global option: let the traceback through
TRACEBACK = "--traceback"

#: remedies for what the system says
SYSTEM = {
    errno.ENOSPC: "free some space, or choose another disk with results=DIR and MLOPSIM_CACHE=DIR",
    errno.EDQUOT: "free some of your quota, or choose another disk with results=DIR and MLOPSIM_CACHE=DIR",
    errno.EROFS: "this disk is read-only: choose another folder with results=DIR and MLOPSIM_CACHE=DIR",
    errno.EACCES: "mend its permissions, or choose another place",
    errno.EPERM: "mend its permissions, or choose another place",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "a part of the path is a file: choose another path",
    errno.EISDIR: "it is a folder where a file is due: move it, or choose another path",
    errno.EEXIST: "move what is there, or choose another path",
    errno.ELOOP: "its links lead in a circle: mend them",
    errno.EMFILE: "raise the limit of open files (ulimit -n), or use fewer workers",
    errno.ENOMEM: "use fewer workers, fewer seeds or smaller windows",
    errno.EINVAL: "check the path: the system does not accept it",
}


def run(group: Callable[[], object]) -> int:
    """Run the command line and return its exit status; errors are told in one message each.

    Parameters
    ----------
    group : callable
        The click group, not in standalone mode.

    Returns
    -------
    int
        0; 1 where a command says that something failed; 2 for what the user can mend; 70 for an error that
        nobody foresaw; 130 after Ctrl-C.
    """
    traceback = TRACEBACK in sys.argv
    sys.argv = [word for word in sys.argv if word != TRACEBACK]
    for stream in (sys.stdout, sys.stderr):
        # a terminal that knows few signs must not stop what has been done
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            group()
        except click.ClickException as error:
            _tell(error.format_message(), f"see `{_command(error)} --help`")
            return error.exit_code
        except (click.Abort, KeyboardInterrupt):
            click.echo("interrupted; what is done is kept, the same command resumes", err=True)
            return INTERRUPTED
        except BrokenPipeError:
            # whoever read our output has gone (`mlopsim list | head`): nothing more to say
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 (lives to the end)
            return 0
        except Exception as error:
            if traceback:
                raise
            message, remedy, status = explain(error)
            _tell(message, remedy)
            return status
    return 0


def explain(error: Exception) -> tuple[str, str, int]:
    """Return message, remedy and exit status of an error.

    Examples
    --------
    >>> explain(MlopsimError("no rows", remedy="pass some"))
    ('no rows', 'pass some', 2)
    >>> explain(FileNotFoundError(errno.ENOENT, "No such file or directory", "a.csv"))[:2]
    ('a.csv: No such file or directory', 'check the path')
    >>> explain(KeyError("x"))[2]
    70
    """
    if isinstance(error, MlopsimError):
        # an error that says what it expected says the remedy, too; where to read more is always known
        status = FAILED if isinstance(error, SectionError) else REFUSED
        return error.message, error.remedy or "see `mlopsim COMMAND --help` for what fits", status
    kind = type(error).__name__
    text = " ".join(str(error).split()) or kind
    if isinstance(error, UnicodeError):
        return f"a text is not UTF-8: {text}", "write the file or the argument in UTF-8", REFUSED
    if isinstance(error, OSError) and error.errno is not None:
        place = f"{error.filename}: " if error.filename else ""
        remedy = SYSTEM.get(error.errno, "mend what the system says, or choose another place")
        return f"{place}{error.strerror}", remedy, REFUSED
    if isinstance(error, sqlite3.Error):
        remedy = "mlopsim repair FOLDER saves every readable row; on a network disk choose results=DIR"
        return f"the ledger cannot be used: {text}", remedy, REFUSED
    if isinstance(error, MemoryError):
        return f"out of memory: {text}", "use fewer workers, fewer seeds or smaller windows", REFUSED
    if isinstance(error, RecursionError):
        return (
            "something is nested too deeply",
            "check presets and overrides for brackets in brackets",
            REFUSED,
        )
    return (
        f"unexpected {kind}: {text}",
        f"this is a fault of mlopsim: run it again with {TRACEBACK} and report what it prints",
        UNEXPECTED,
    )


def _tell(message: str, remedy: str) -> None:
    click.secho("error: ", fg="red", bold=True, err=True, nl=False)
    click.echo(visible(f"{message}\n  remedy: {remedy}", lines=True), err=True)


def _command(error: click.ClickException) -> str:
    """Return the command whose help explains a usage error."""
    context = getattr(error, "ctx", None)
    if context is not None and context.info_name:
        return "mlopsim" if context.parent is None else f"mlopsim {context.info_name}"
    return "mlopsim"


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show a warning as one line, without the place in our code."""
    click.secho(f"warning: {visible(message, lines=True)}", fg="yellow", err=True)
