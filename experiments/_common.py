"""What the experiments share: settings, the results folder, tables, figures; one thread from the start.

An experiment imports this module before anything else, so that the number of threads is set before numpy is
loaded, then calls :func:`start` and the ``write_*`` functions.
"""

from __future__ import annotations

import argparse
import csv
import io
import math
import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

    from mlopsim.bench.suite import Suite
    from mlopsim.core.track import Track

#: the same as ``mlopsim.core.threads.ONE_THREAD``, which cannot be imported without loading numpy
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "BLIS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
}
if "numpy" not in sys.modules:
    os.environ.update(ONE_THREAD)

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One run of an experiment.

    Parameters
    ----------
    name : str
        Name of the script, of ``conf/experiment/<name>.yaml`` and of ``results/<name>/``.
    settings : dict
        The settings, overrides included.
    folder : Path
        Where the answer goes: settings, tables, figures.
    local : Path
        Where a ledger of its own goes, which git ignores.
    machine : dict
        Where and with what it runs, as of its start.
    flags : frozenset of str
        Flags of its own that were given.
    """

    name: str
    settings: dict[str, Any]
    folder: Path
    local: Path
    machine: dict[str, Any]
    flags: frozenset[str] = frozenset()


def start(
    name: str,
    about: str | None,
    arguments: Sequence[str] | None = None,
    flags: Mapping[str, str] | None = None,
) -> Experiment:
    """Read the command line and the settings of an experiment.

    Parameters
    ----------
    name : str
        Name of the experiment.
    about : str or None
        The script's docstring, shown by ``--help``.
    arguments : sequence of str, optional
        The command line; that of this process by default.
    flags : mapping of str to str, optional
        Flags of its own, with what ``--help`` says of them.

    Returns
    -------
    Experiment

    Raises
    ------
    ConfigError
        If an override names a key that the settings do not have.
    """
    parser = argparse.ArgumentParser(
        prog=f"python experiments/{name}.py",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="settings that differ, dotted keys")
    parser.add_argument(
        "--conf",
        type=Path,
        default=ROOT / "conf" / "experiment" / f"{name}.yaml",
        help=f"instead of conf/experiment/{name}.yaml; config.yaml of a results folder will do",
    )
    parser.add_argument(
        "--results", type=Path, help=f"default: results/{name}, its own ledger in results/local/{name}"
    )
    for flag, help_text in (flags or {}).items():
        parser.add_argument(f"--{flag}", action="append_const", const=flag, dest="flags", help=help_text)
    given = parser.parse_args(arguments)
    settings = read_settings(given.conf, given.overrides)
    folder, local = (given.results or ROOT / "results" / place / name for place in ("", "local"))
    asked = frozenset(getattr(given, "flags", None) or ())
    return Experiment(
        name=name, settings=settings, folder=folder, local=local, machine=machine(), flags=asked
    )


def below_root(path: str | Path) -> Path:
    """Read a relative path from the top of the checkout, wherever the script is called.

    Examples
    --------
    >>> below_root("results/local/quick").relative_to(ROOT).as_posix()
    'results/local/quick'
    """
    return ROOT / path


def read_settings(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Read a YAML file of settings and apply dotted ``key=value`` overrides to keys that it has.

    Raises
    ------
    ConfigError
        If the file is missing or an override's key is unknown.
    """
    from omegaconf import DictConfig, OmegaConf

    from mlopsim.core.errors import ConfigError, nearest

    if not path.is_file():
        raise ConfigError(f"no settings at {path}", remedy="name a YAML file with --conf")
    settings = OmegaConf.create(path.read_text(encoding="utf-8"))
    assert isinstance(settings, DictConfig)
    # a config.yaml of results: where and with what it was made is no setting
    for key in ("machine", "made_with"):
        settings.pop(key, None)
    OmegaConf.set_struct(settings, True)
    for override in overrides:
        key, sign, value = override.partition("=")
        if not sign:
            raise ConfigError(f"'{override}' is no override", remedy="write key=value")
        missing = object()
        if OmegaConf.select(settings, key, default=missing, throw_on_missing=False) is missing:
            raise ConfigError(f"no setting '{key}'{nearest(key, [str(k) for k in settings])}")
        # as it was written: reading it by its key would resolve what it refers to
        given = OmegaConf.to_container(OmegaConf.from_dotlist([f"x={value}"]), resolve=False)
        assert isinstance(given, dict)
        OmegaConf.update(settings, key, given["x"])
    # only references to other settings: whatever else stands in braces is computed, of the environment or not
    if re.search(r"\$\{(?!\s*[\w.\[\]]+\s*\})", str(OmegaConf.to_container(settings, resolve=False))):
        raise ConfigError(
            f"settings of {path} refer to the environment", remedy="write the values: they are published"
        )
    plain = OmegaConf.to_container(settings, resolve=True)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def machine() -> dict[str, Any]:
    """Return what timings depend on: processor, system, versions, commit (with + if changed)."""
    from mlopsim.bench.provenance import git_commit
    from mlopsim.core.fingerprint import library_versions

    info = Path("/proc/cpuinfo")
    models = [
        line.partition(":")[2].strip()
        for line in (info.read_text(encoding="utf-8").splitlines() if info.is_file() else [])
        if line.startswith("model name")
    ]
    return {
        "cpu": models[0] if models else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "commit": git_commit(),
        "versions": library_versions(),
    }


def write_config(experiment: Experiment) -> Path:
    """Write ``config.yaml``: the settings, the version (``made_with``) and the machine (``machine``)."""
    from omegaconf import OmegaConf

    from mlopsim import __version__
    from mlopsim.core.files import write_text
    from mlopsim.core.text import published

    stamp = {"made_with": {"mlopsim": __version__}, "machine": experiment.machine}
    # it is committed: no places
    text = OmegaConf.to_yaml(OmegaConf.create(published({**experiment.settings, **stamp})))
    return write_text(experiment.folder / "config.yaml", text)


def _cell(value: Any) -> Any:
    """Floats with six digits, undefined ones and None empty."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else value


def write_table(folder: Path, rows: Sequence[Mapping[str, Any]], name: str = "table") -> Path:
    """Write ``table.csv``: floats with six significant digits, undefined values empty."""
    from mlopsim.core.files import write_text

    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return write_text(folder / f"{name}.csv", text.getvalue())


def write_figure(folder: Path, figure: Figure, name: str = "figure") -> tuple[Path, Path]:
    """Write ``figure.png`` and ``figure.svg``."""
    from mlopsim.plots.style import save

    return save(figure, folder / name)


def show(rows: Sequence[Mapping[str, Any]], title: str) -> None:
    """Print the table."""
    from rich.console import Console
    from rich.table import Table

    from mlopsim.core.text import literal

    table = Table(title=literal(title), title_justify="left")
    for key, value in rows[0].items():
        table.add_column(literal(key), justify="right" if isinstance(value, int | float) else "left")
    for row in rows:
        table.add_row(*(literal(_cell(value)) for value in row.values()))
    console = Console()
    # into a file, whole lines
    (console if console.is_terminal else Console(width=200)).print(table)


def run_cells(
    suite: Suite, track: Track, folder: Path, workers: int, fits: Path | None = None
) -> pl.DataFrame:
    """Run what a ledger does not have yet; return the cells. ``fits``: a ledger whose fits are taken.

    Raises
    ------
    SystemExit
        If a cell failed or is missing.
    """
    from mlopsim.bench.ledger import Ledger
    from mlopsim.bench.progress import RichProgress
    from mlopsim.bench.runner import run
    from mlopsim.bench.table import table

    summary = run(suite, track, folder, workers=workers, progress=RichProgress(), fits=fits)
    if not summary.complete:
        raise SystemExit(f"{summary.counts.line()}: run it again; see mlopsim status {folder}")
    with Ledger.read(folder) as ledger:
        return table(ledger, summary.grid)


def run_suite(
    suite: Suite, track: Track, folder: Path, workers: int, fits: Path | None = None
) -> tuple[pl.DataFrame, Any]:
    """Run what a ledger does not have yet; return the cells and what reads their curves by key.

    Raises
    ------
    SystemExit
        If a cell failed or is missing.
    """
    from mlopsim.bench.ledger import Ledger

    cells = run_cells(suite, track, folder, workers, fits)
    with Ledger.read(folder) as ledger:
        kept = {key: ledger.curves(key) for key in cells["key"]}
    return cells, kept.__getitem__
