"""The edge of the command line: one message with a remedy, and nothing of a stranger's is run."""

from __future__ import annotations

import errno
import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_kit import Bench, mlopsim

from mlopsim.cli import error_messages
from mlopsim.core import registry
from mlopsim.core.digest import digest_file

SPY = """\
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import mlopsim

Path({marker!r}).write_text("run")


@mlopsim.register("selector", "stranger")
@dataclass(kw_only=True)
class Stranger:
    '''Never retrain.'''

    def reset(self, n, interface, seeds):
        self.n = n

    def act(self, view):
        return np.zeros(self.n, dtype=np.int64)
"""


@pytest.fixture
def strange(bench: Bench) -> Iterator[tuple[Bench, Path, Path]]:
    """Results of a plug-in that leaves a mark whenever it is run; nothing of it is loaded any more."""
    marker, plugin = bench.folder / "marker", bench.folder / "stranger.py"
    plugin.write_text(SPY.format(marker=str(marker)), encoding="utf-8")
    ended = bench("tasks=small", "methods=[stranger]", "seeds=1", "--plugin", plugin, "--no-report")
    assert ended.code == 0, ended.err
    assert marker.is_file()
    marker.unlink()
    registry.forget_plugins()
    yield bench, plugin, marker
    registry.forget_plugins()


def key(bench: Bench) -> str:
    return str(bench.cells().filter(method="stranger")["key"][0])


def test_nothing_that_a_results_folder_names_is_run(strange: tuple[Bench, Path, Path]) -> None:
    bench, plugin, marker = strange
    ended = {
        "status": mlopsim("status", bench.results, "--errors"),
        "export": mlopsim("export", bench.results, bench.folder / "cells.csv"),
        "report": mlopsim("report", bench.results),
        "rerun": mlopsim("rerun", bench.results, key(bench)),
        "repair": mlopsim("repair", bench.results),
        "bench": bench("tasks=small", "seeds=1", "--no-report"),
    }
    assert not marker.exists()
    # stored numbers need no code; a computation does, and says so
    failed = {name: end.err for name, end in ended.items() if end.code}
    assert set(failed) == {"rerun"}, failed
    assert "unknown selector 'stranger'" in failed["rerun"]
    assert f"a plug-in that was not loaded: {plugin}" in failed["rerun"]
    assert "--trust-plugins" in failed["rerun"] and "stranger" in ended["report"].out


def test_consent_is_for_an_unchanged_file_only(strange: tuple[Bench, Path, Path]) -> None:
    bench, plugin, marker = strange
    ended = mlopsim("rerun", bench.results, key(bench), "--trust-plugins")
    assert ended.code == 0, ended.err
    assert "bit-identical" in ended.out and marker.is_file()
    marker.unlink()
    stored = registry.load_plugins(())[str(plugin)]
    registry.forget_plugins()
    plugin.write_text(plugin.read_text() + "\n# a remark\n", encoding="utf-8")
    for command in (["report", bench.results], ["rerun", bench.results, key(bench)]):
        changed = mlopsim(*command, "--trust-plugins")
        assert changed.code == 2 and f"was changed: digest {digest_file(plugin)[:12]} now" in changed.err
        assert stored[:12] in changed.err and not marker.exists()
    given = mlopsim("rerun", bench.results, key(bench), "--plugin", plugin)
    assert marker.is_file() and "is not the one that these results were made with" in given.err
    assert "promise" in given.out and "none" in given.out


def test_a_plugin_without_a_stored_digest_matches_no_file(strange: tuple[Bench, Path, Path]) -> None:
    from mlopsim.bench.plugins import load_stored
    from mlopsim.core.errors import ConfigError

    _, plugin, marker = strange
    for stored in ([str(plugin)], [{"path": str(plugin), "digest": None}]):
        assert [entry.path for entry in load_stored(stored).missing] == [str(plugin)]
        with pytest.raises(ConfigError, match="do not say what the plug-in"):
            load_stored(stored, trust=True)
    assert not marker.exists()


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

    assert error_messages.run(fails) == status
    told = capsys.readouterr().err
    assert told.startswith("error: ") and "\n  remedy: " in told and "Traceback" not in told
    for text in texts:
        assert text in told


def test_the_traceback_is_shown_on_request_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["mlopsim", "--traceback", "list"])

    def fails() -> None:
        raise ZeroDivisionError("seen")

    with pytest.raises(ZeroDivisionError, match="seen"):
        error_messages.run(fails)


def test_a_terminal_that_knows_few_signs_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    few = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", few)
    assert error_messages.run(lambda: print("größer – [°C]")) == 0
    few.flush()
    assert few.buffer.getvalue() == b"gr\\xf6\\xdfer \\u2013 [\\xb0C]\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", ["abc", "-1", "nan", "inf"])
def test_a_dry_run_refuses_a_cache_without_a_size(
    bench: Bench, size: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPSIM_CACHE_GB", size)
    ended = bench("--dry-run")
    assert ended.code == 2
    assert f"MLOPSIM_CACHE_GB must be a number >= 0, got '{size}'" in ended.err


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("workers=-2", "workers must be at least 1, got -2"),
        ("on_error=stopp", "on_error must be continue or stop, got 'stopp'"),
        ("executor=slurm", "unknown executor 'slurm'"),
        ("root=-1", "root must be a whole number from 0, got -1"),
        ("executor=tcp://127.0.0.1:1", "no Dask scheduler answers at tcp://127.0.0.1:1"),
        ("executor=tcp://host", "'tcp://host' is no address of a Dask scheduler"),
    ],
)
def test_a_dry_run_refuses_what_the_run_would_refuse(bench: Bench, word: str, said: str) -> None:
    ended = bench("--dry-run", word)
    assert ended.code == 2
    assert said in ended.err and "remedy: " in ended.err
