"""The edge of the command line: one message with a remedy, and nothing of a stranger's is run."""

from __future__ import annotations

import errno
import json
import sqlite3
from pathlib import Path

import pytest
from cli_kit import Bench, mlopsim

from mlopsim.cli import edge
from mlopsim.core.digest import digest_file

SPY = """\
from dataclasses import dataclass
from pathlib import Path
import mlopsim

Path(__file__).with_suffix(".ran").write_text("run")


@mlopsim.register("selector", "{name}")
@dataclass(kw_only=True)
class Spy:
    '''Never retrain.'''
"""


def names_a_plugin(done: Bench, name: str, digest: str | None = "") -> Path:
    """Let the ledger name a file in its own folder that leaves a mark when it is run."""
    spy = done.results / "notes.py"
    spy.write_text(SPY.format(name=name), encoding="utf-8")
    entry = [{"path": str(spy), "digest": digest_file(spy) if digest == "" else digest}]
    with sqlite3.connect(done.results / "ledger.sqlite") as db:
        db.execute("UPDATE grid SET plugins = ?", (json.dumps(entry),))
    db.close()
    return spy.with_suffix(".ran")


@pytest.mark.parametrize("command", ["status", "report", "export", "rerun", "repair", "bench"])
def test_nothing_that_a_results_folder_names_is_run(done: Bench, command: str) -> None:
    key = done.cells()["key"][0]
    ran = names_a_plugin(done, f"spy-{command}")
    more = {"export": [done.folder / "out.csv"], "rerun": [key]}.get(command, [])
    ended = (
        done("tasks=small", "--no-report") if command == "bench" else mlopsim(command, done.results, *more)
    )
    # a changed row of the ledger may be refused; it may not be run
    assert ended.code in (0, 2), ended.err
    assert not ran.exists()


@pytest.mark.parametrize(
    ("digest", "texts"),
    [("", ()), (None, ("do not say what the plug-in",)), ("0" * 64, ("was changed: digest",))],
    ids=["unchanged", "without digest", "changed"],
)
def test_consent_is_for_an_unchanged_file_only(
    done: Bench, digest: str | None, texts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlopsim.bench.plugins import load_stored
    from mlopsim.core.errors import ConfigError

    ran = names_a_plugin(done, f"consent-{len(texts)}-{digest is None}".lower(), digest)
    spy = done.results / "notes.py"
    stored = [{"path": str(spy), "digest": digest_file(spy) if digest == "" else digest}]
    found = load_stored(stored)
    assert [entry.path for entry in found.missing] == [str(spy)] and not ran.exists()
    if texts:
        with pytest.raises(ConfigError, match=texts[0]):
            load_stored(stored, trust=True)
        assert not ran.exists()
        with pytest.warns(UserWarning, match=r"notes\.py is not the one that these results were made with"):
            load_stored(stored, [spy])
    else:
        assert load_stored(stored, trust=True).files[str(spy)] == stored[0]["digest"]
    assert ran.exists()


@pytest.mark.parametrize(
    ("error", "status", "texts"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/a/b"), 2, ["/a/b: No space", "free some space"]),
        (PermissionError(errno.EACCES, "Permission denied", "x"), 2, ["x: Permission denied", "permissions"]),
        (OSError(errno.EROFS, "Read-only file system", "x"), 2, ["read-only", "results=DIR"]),
        (OSError(errno.ENAMETOOLONG, "File name too long", "x"), 2, ["shorter name"]),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "x"), 2, ["a folder where a file is due"]),
        (sqlite3.OperationalError("disk I/O error"), 2, ["disk I/O error", "mlopsim repair"]),
        (MemoryError(), 2, ["out of memory", "fewer workers"]),
        (RecursionError("maximum recursion depth exceeded"), 2, ["nested too deeply"]),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), 2, ["not UTF-8"]),
        (ZeroDivisionError("division by zero"), 70, ["unexpected ZeroDivisionError", "--traceback"]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_every_error_is_one_message(
    error: Exception, status: int, texts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise error

    assert edge.run(fails) == status
    told = capsys.readouterr().err
    assert told.startswith("error: ") and "\n  remedy: " in told and "Traceback" not in told
    for text in texts:
        assert text in told


def test_the_traceback_is_shown_on_request_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["mlopsim", "--traceback", "list"])

    def fails() -> None:
        raise ZeroDivisionError("seen")

    with pytest.raises(ZeroDivisionError, match="seen"):
        edge.run(fails)


@pytest.mark.parametrize("size", ["abc", "-1", "nan", "inf"])
def test_a_dry_run_refuses_a_cache_without_a_size(
    bench: Bench, size: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPSIM_CACHE_GB", size)
    ended = bench("--dry-run")
    assert ended.code == 2
    assert f"MLOPSIM_CACHE_GB must be a number >= 0, got '{size}'" in ended.err
