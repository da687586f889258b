"""Every command, example, group and preset that is shown runs; detectors have run lengths and limits."""

from __future__ import annotations

import gzip
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import polars as pl
import pytest
from cli_kit import Bench, mlopsim

from mlopsim.cli.main import COMMANDS, group
from mlopsim.compose.schema import PARTS
from mlopsim.core.registry import find, forget_plugins, names

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
#: what makes an example short: options for commands that would compute, one seed where it has none itself
SHORT = {
    "bench": [["--dry-run"], ["seeds=1"]],
    "arl": [["--runs", "20"], ["--ticks", "1500"]],
    "calibrate": [["--runs", "20"]],
    "audit": [["--rounds", "19"], ["--learner", "ridge"], ["--audit", "demographic_parity"]],
}
#: what an example with a baseline is run with instead of the suite that it names
SMALL = ["suite=smoke", "tasks=abrupt", "seeds=1"]


def lines_of(text: str) -> Iterator[str]:
    """Yield the commands of a text, without where a shell puts what they print."""
    for line in re.sub(r"\s&&\s", "\n", re.sub(r"\\\n\s*", " ", text)).splitlines():
        found = re.match(r"\s*(?:\$ )?mlopsim ([a-z][a-z-]*|-\S+)", line)
        if found and (found[1] in COMMANDS or found[1][0] == "-"):
            yield re.sub(r"\s>\s\S+", "", line.strip().removeprefix("$ "))


def examples() -> list[str]:
    found = []
    for page in PAGES:
        for fence in re.findall(
            r"^```\w*\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
        ):
            found += lines_of(fence)
    context = click.Context(group)
    helps = [group, *(group.get_command(context, name) for name in COMMANDS)]
    helps += [
        one for command in helps[1:] if isinstance(command, click.Group) for one in command.commands.values()
    ]
    for command in helps:
        assert command is not None
        found += lines_of((command.help or "").replace("\b", ""))
    return sorted({" ".join(shlex.split(line, comments=True)): line for line in found}.values())


@pytest.fixture(scope="session")
def _published(tmp_path_factory: pytest.TempPathFactory, _cache: Path) -> Path:
    """A folder of published baselines: of two methods of a small suite and, as ``mine``, a third party's."""
    folder = tmp_path_factory.mktemp("published")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (folder / "mine.py").write_text(next(b for b in blocks if "register(" in b), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPSIM_CACHE", str(_cache))
        for name, methods, more in (
            ("smoke", "never", []),
            ("mine", "mine", ["--plugin", folder / "mine.py"]),
        ):
            run = [f"methods={methods}", *SMALL, "executor=serial", "--no-report", f"results={folder / name}"]
            try:
                for words in (
                    ["bench", *run, *more],
                    ["export", folder / name, folder / name / "baseline.parquet", "--baseline"],
                ):
                    ended = mlopsim(*words)
                    assert ended.code == 0, ended.err
            finally:
                forget_plugins()
    return folder


@pytest.fixture
def place(bench: Bench, _published: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A folder with everything that examples name."""
    monkeypatch.setenv("MLOPSIM_BASELINES", str(_published))
    shutil.copy(_published / "mine" / "baseline.parquet", bench.folder / "mine.parquet")
    rng = np.random.default_rng(3)
    rows = 400
    score = rng.normal(size=rows)
    table = pl.DataFrame(
        {
            "load": score.round(3),
            "age": rng.integers(18, 80, rows),
            "sex": rng.choice(["Female", "Male"], rows),
            "day": [f"2020-01-{1 + i // 15:02d}" for i in range(rows)],
            "vicprice": rng.normal(size=rows).round(4),
            "occupation": rng.choice(["clerk", "cook"], rows),
            "workclass": rng.choice(["state", "own"], rows),
            "race": rng.choice(["a", "b"], rows),
            "gender": rng.choice(["f", "m"], rows),
            "paid": rng.choice(["yes", "no"], rows),
            "hired": rng.integers(0, 2, rows),
            "label": (score + rng.normal(size=rows) > 0).astype(int),
        }
    )
    table.write_csv(bench.folder / "table.csv")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (bench.folder / "mine.py").write_text(next(b for b in blocks if "register(" in b), encoding="utf-8")
    shutil.copytree(bench.conf, bench.folder / "mydir")
    shutil.copy(bench.conf / "suite" / "tiny.yaml", bench.folder / "mydir" / "suite" / "mine.yaml")
    return bench


def named(table: pl.DataFrame, positive: str) -> pl.DataFrame:
    """Return the table with labels of which one is called so."""
    label = pl.when(pl.col("label") == 1).then(pl.lit(positive)).otherwise(pl.lit("other"))
    return table.with_columns(label.alias("label"))


def ready(bench: Bench, finished: Path, words: list[str]) -> list[str]:
    """Make the files that the words name; put a key where KEY stands, methods of the run where others do."""
    from mlopsim.bench.ledger import Ledger
    from mlopsim.bench.table import table as cells

    with Ledger.read(finished) as ledger:
        frame = cells(ledger)
    if words[0] == "front":
        return fronted(bench, words)
    if "methods=mine" in words:
        return [words[0], *SMALL, *(word for word in words[1:] if not word.startswith("suite="))]
    if words[0] in ("verify-baseline", "submit-check"):
        return [re.sub("^suite=.*", SMALL[0], word) for word in words]
    if words[0] == "merge":
        return parted(bench, finished, words)
    if words[0] == "diff":
        for folder in words[1:3]:
            shutil.copytree(finished, bench.folder / folder)
        return words
    # nobody answers at the address of an example
    words = ["executor=dask" if word.startswith("executor=tcp:") else word for word in words]
    if words[0] in ("audit-log", "compliance"):
        key = str(frame.filter(pl.col("method") == "periodic")["key"][0])
        recorded(
            bench, finished, words if words[0] == "audit-log" else ["audit-log", "verify", *words[1:]], key
        )
        # the small suite has fewer windows
        words = [re.sub("^41", "9", word) for word in words]
        return [key if re.fullmatch("KEY|3fa9", word) else word for word in words]
    written = [words[i + 1] for i, word in enumerate(words[:-1]) if word in ("--out", "--truth")]
    table = pl.read_csv(bench.folder / "table.csv")
    column = words[words.index("--label") + 1] if "--label" in words else "label"
    if "--positive" in words and column == "label":
        table = named(table, words[words.index("--positive") + 1])
    for word in words:
        name = word.partition("=")[2] or word
        path = bench.folder / name
        if name in written or words[0] == "export":
            continue
        if re.search(r"\.csv(\.gz)?$", name) and not path.exists():
            data = table.write_csv().encode()
            path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        elif name.endswith(".parquet"):
            pl.read_csv(bench.folder / "table.csv").write_parquet(path)
    of_a_folder = ("status", "watch", "report", "export", "rerun", "repair", "compare", "explain", "serving")
    if words[0] in (*of_a_folder, "export-registry"):
        shutil.copytree(finished, bench.folder / words[1], dirs_exist_ok=True)
    if words[0] in ("explain", "serving", "export-registry"):
        # the small suite has fewer windows
        words = ["9" if word == "41" else word for word in words]
    if words[0] == "export-registry" and "sqlite:" in " ".join(words):
        pytest.importorskip("mlflow", reason="needs mlopsim[mlflow]")
    key, methods = str(frame["key"][0]), frame["method"].unique(maintain_order=True).to_list()
    if words[0] == "compare":
        words = [*words[:2], *methods[:2], *words[4:]]
    return [key if re.fullmatch("KEY|3fa9", word) else word for word in words]


def fronted(bench: Bench, words: list[str]) -> list[str]:
    """Put a small suite of the loop where the words name one, and its results where they name a folder."""
    stream = "{population: {windows: 14, per_group: 30, warmup: 4}}"
    small = ["track=governance", f"tasks=[{{name: bias creep, stream: {stream}}}]", "governance.steps=0"]
    small += ["governance.prices=[0,0.3]", "executor=serial"]
    if words[1] == "suite=loop-core":
        more = words[2:] or ["methods=[none]", f"results={bench.folder / 'front'}"]
        rest = "gate+trigger+audits+rollback"
        more = [re.sub("seeds=.*", "seeds=2", word.replace("all]", f"{rest}]")) for word in more]
        return [words[0], *small, *more]
    done = mlopsim("bench", *small, "methods=[none]", "seeds=2", f"results={words[1]}")
    assert done.code == 0, done.err
    return words


def parted(bench: Bench, finished: Path, words: list[str]) -> list[str]:
    """Make the folders that are merged; a star stands for two of them, as a shell reads it."""
    found = [
        part for word in words for part in ([word.replace("*", n) for n in "12"] if "*" in word else [word])
    ]
    for name in found[1 : found.index("--out")]:
        shutil.copytree(finished, bench.folder / name)
    return found


def recorded(bench: Bench, finished: Path, words: list[str], key: str) -> None:
    """Make what a command of records reads: results, a record, published heads, proofs."""
    place = words[2] if words[1] != "check" else "results"
    shutil.copytree(finished, bench.folder / place, dirs_exist_ok=True)
    if words[1] in ("write", "heads"):
        return
    until = ["--until", "9"] if "--since" in words else []
    for more in (until, []) if until else ([],):
        assert mlopsim("audit-log", "write", place, key, *more).code == 0
        for folder in ("published", "old"):
            here = bench.folder / folder
            if more or not here.exists():
                shutil.copytree(bench.folder / place / "records" / key, here, dirs_exist_ok=True)
    assert mlopsim("audit-log", "heads", place, "--out", "published/heads.csv").code == 0
    if words[1] == "verify" and "--keep" in words:
        assert mlopsim("audit-log", "prune", place, key, "--keep", words[words.index("--keep") + 1]).code == 0
    if words[1] == "check":
        since = ["--since", "old/decisions.head"] if words[2].endswith(".consistency") else ["--record", "7"]
        assert mlopsim("audit-log", "prove", place, key, *since, "--out", words[2]).code == 0


def example(line: str) -> object:
    """Return an example; those that write a registry or run a loop take seconds each."""
    slow = "sqlite:" in line or line.startswith("mlopsim front")
    return pytest.param(line, marks=pytest.mark.slow) if slow else line


@pytest.mark.parametrize("line", [example(line) for line in examples()])
def test_every_example_runs(line: str, place: Bench, _finished: Path) -> None:
    words = ready(place, _finished, shlex.split(line, comments=True)[1:])
    if words[0] not in COMMANDS:
        assert mlopsim(*words).code == 0
        return
    given = {word.partition("=")[0] for word in words}
    more = [
        word
        for option in SHORT.get(words[0], [])
        if option[0].partition("=")[0] not in given
        for word in option
    ]
    if "--plugin" in words:
        # what a plug-in registers stays, so that it is loaded in a process of its own
        command = [sys.executable, "-m", "mlopsim.cli.main", *words, *more]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return
    ended = mlopsim(*words, *more)
    assert ended.code == 0, ended.err


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_help_is_shown(name: str) -> None:
    ended = mlopsim(*([name] if name else []), "--help")
    assert ended.code == 0 and "Usage: " in ended.out


def laid_out(suite: str) -> object:
    """Return a suite; those of papers are others with more seeds, and large."""
    return pytest.param(suite, marks=pytest.mark.slow) if suite.endswith("-paper") else suite


@pytest.mark.parametrize(
    "suite", [laid_out(path.stem) for path in sorted((ROOT / "conf" / "suite").glob("*.yaml"))]
)
def test_every_suite_is_laid_out(suite: str, bench: Bench) -> None:
    ended = mlopsim("bench", f"suite={suite}", "seeds=1", "cells=[]", "--dry-run")
    assert ended.code == 0, ended.err


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in PARTS for name in names(kind)])
def test_every_name_of_every_group_can_be_chosen(kind: str, name: str, bench: Bench) -> None:
    suite = "drift-quick" if kind == "signal" else "quick"
    ended = mlopsim("bench", f"suite={suite}", f"{kind}={name}", "seeds=1", "methods=[never]", "--dry-run")
    # some parts need a file or a name that has no default: one error that names the remedy
    assert ended.code == 0 or (ended.code == 2 and f"{name}" in ended.err and "remedy: " in ended.err), (
        ended.err
    )


def _limitless(name: str) -> bool:
    return not find("detector", name).limit


@pytest.mark.parametrize("name", names("detector"))
def test_every_detector_has_a_run_length_and_a_limit(name: str) -> None:
    ended = mlopsim("arl", name, "n=20", "--runs", "3", "--ticks", "40", "--json")
    assert ended.code == 0, ended.err
    ended = mlopsim("calibrate", name, "arl0=60", "--runs", "5")
    if _limitless(name):
        assert ended.code == 2 and "no limit to set" in ended.err and "remedy: " in ended.err
    else:
        # few signals and a short horizon may have no limit: that is said, and why
        assert ended.code == 0 or (ended.code == 2 and "gives that: " in ended.err), ended.err


@pytest.mark.slow
@pytest.mark.parametrize("command", ["arl", "calibrate"])
@pytest.mark.parametrize("name", names("detector"))
def test_every_detector_with_its_defaults(name: str, command: str) -> None:
    ended = mlopsim(command, name)
    if command == "calibrate" and _limitless(name):
        assert ended.code == 2 and "no limit to set" in ended.err
    else:
        assert ended.code == 0 and name in ended.out, ended.err
