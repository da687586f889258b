"""A baseline: published cells of a frozen suite with their fits, read from one Parquet file.

Nothing in it is pickled and nothing that it names is run. Keys of cells and fits are not stored: they are
made again from the parts, so what is read is what the parts say.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.bench.baseline_columns import CURVE, FORMAT, HEADER, PLAIN, SHAPE, read_curve
from mlopsim.bench.storage import unpack_arrays
from mlopsim.core.digest import digest_file
from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.track import Cell, FitJob, FitResult, Method, Metric, Outcome, Task

if TYPE_CHECKING:
    import polars as pl

#: what ``baseline=`` says for the file that the project publishes
PUBLISHED = "published"
#: names the folder with ``SUITE/baseline.parquet``; where it is without a checkout and without the variable
VARIABLE, FOLDER = "MLOPSIM_BASELINES", "~/.local/share/mlopsim/baselines"
#: of a checkout; of an installed package the folder that it lies in
ROOT = Path(__file__).resolve().parents[2]
FILE = "baseline.parquet"
#: what a file that cannot be read asks for
REMEDY = (
    "take the file again from where it was published, or write it again: "
    "mlopsim export FOLDER FILE --baseline"
)


@dataclass(frozen=True, kw_only=True)
class StoredFit:
    """A fit of a baseline: its job, what it holds, and where it was made."""

    job: FitJob
    result: FitResult
    seconds: float
    fingerprint: str
    run: str


@dataclass(kw_only=True, eq=False)
class Baseline:
    """A baseline file that was read; see :func:`read_baseline`.

    Parameters
    ----------
    path : Path
        The file.
    digest : str
        Its digest: the ``origin`` of cells that are taken from it.
    header : mapping
        Suite, track, metrics, parts of tasks and methods, runs.
    frame : polars.DataFrame
        A row a cell: task, method, seed, number of the fit, metrics, series, provenance.
    """

    path: Path
    digest: str
    header: Mapping[str, Any]
    frame: pl.DataFrame

    @property
    def suite(self) -> str:
        """Name of the suite, without its version."""
        return str(self.header["suite"]["name"])

    @property
    def version(self) -> int:
        """Version of the suite."""
        return int(self.header["suite"]["version"])

    @property
    def modified(self) -> bool:
        """Whether the suite was changed: methods of one's own, for instance."""
        return bool(self.header["suite"]["modified"])

    @cached_property
    def metrics(self) -> list[Metric]:
        """The metrics of its track."""
        return [Metric(**metric) for metric in self.header["metrics"]]

    @cached_property
    def tasks(self) -> dict[str, Task]:
        """Its tasks by name."""
        return {t["name"]: Task(**t) for t in self.header["tasks"]}

    @cached_property
    def methods(self) -> dict[str, Method]:
        """Its methods by name."""
        return {m["name"]: Method(**m) for m in self.header["methods"]}

    @cached_property
    def fits(self) -> list[StoredFit]:
        """Its fits by number; each stands after those that it needs."""
        found: list[StoredFit] = []
        for several in self.frame["fits"].drop_nulls().to_list():
            for fit in several:
                if fit["number"] != len(found) or any(not 0 <= n < len(found) for n in fit["needs"]):
                    raise ValueError("fits are not in order")
                job = FitJob(
                    track=str(self.header["track_version"]),
                    label=fit["label"],
                    part=json.loads(fit["part"]),
                    needs=tuple(found[n].job.key for n in fit["needs"]),
                )
                result = FitResult(
                    arrays=unpack_arrays(fit["arrays"]),
                    info=json.loads(fit["info"]),
                    attributes=json.loads(fit["attributes"] or "{}"),
                )
                where = {"fingerprint": fit["fingerprint"] or "", "run": fit["run"]}
                found.append(StoredFit(job=job, result=result, seconds=fit["seconds"] or 0.0, **where))
        return found

    @cached_property
    def cells(self) -> list[Cell]:
        """Its cells in the order of the rows, with keys made from their parts."""
        common: dict[str, Any] = {
            "track": str(self.header["track_version"]),
            "split": str(self.header["split"]),
            "root": int(self.header["root"]),
        }
        rows = self.frame.select("task", "method", "seed", "fit").iter_rows()
        return [
            Cell(
                task=self.tasks[task],
                method=self.methods[method],
                seed=seed,
                fit=None if fit is None else self.fits[fit].job.key,
                **common,
            )
            for task, method, seed, fit in rows
        ]

    @cached_property
    def _metric_columns(self) -> list[tuple[str, str]]:
        """Columns of metrics, with the metric that each is of."""
        known = {name for name in self.frame.columns if name.startswith((CURVE, SHAPE))} | set(PLAIN)
        return [(name, name.partition("#")[0]) for name in self.frame.columns if name not in known]

    def outcomes(self, places: Sequence[int]) -> Iterator[tuple[int, Outcome, dict[str, Any]]]:
        """Yield place, numbers and provenance (seconds, fingerprint, run) of rows."""
        for place in places:
            row = self.frame.row(place, named=True)
            metrics = {metric: row[name] for name, metric in self._metric_columns if row[name] is not None}
            curves: dict[str, np.ndarray] = {}
            for entry in self.header["curves"]:
                if (values := row[entry["column"]]) is not None:
                    shape = row[entry["shape"]] if "shape" in entry else None
                    curves[entry["name"]] = read_curve(entry, values, shape)
            outcome = Outcome(
                metrics=metrics,
                reasons=json.loads(row["reasons"] or "{}"),
                attributes=json.loads(row["attributes"] or "{}"),
                curves=curves,
            )
            yield place, outcome, {name: row[name] for name in ("seconds", "fingerprint", "run")}


def read_baseline(path: str | Path) -> Baseline:
    """Read a baseline file.

    Parameters
    ----------
    path : str or Path
        As written by :func:`mlopsim.bench.baseline_write.write_baseline`.

    Returns
    -------
    Baseline
        Its cells and fits are checked: what the rows name is there.

    Raises
    ------
    DataError
        If there is no such file, it is torn, or it is no baseline of this format.
    """
    import polars as pl

    path = Path(path)
    if not path.is_file():
        raise DataError(f"no baseline at {path}", remedy="name a Parquet file, or baseline=published")
    try:
        text = pl.read_parquet_metadata(path).get(HEADER)
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise DataError(f"{path} is no Parquet file, or is torn: {error}", remedy=REMEDY) from error
    try:
        header = json.loads(text or "null")
        if not isinstance(header, dict) or "format" not in header:
            raise ValueError("it has no header of a baseline")
        if header["format"] != FORMAT:
            raise DataError(
                f"{path} is a baseline of format {header['format']}, and this mlopsim reads format {FORMAT}",
                remedy="install the mlopsim that wrote it, or take a newer file",
            )
        found = Baseline(path=path, digest=digest_file(path), header=header, frame=frame)
        if len(frame) != header["cells"] or len(frame) == 0:
            raise ValueError(f"it has {len(frame)} rows of {header['cells']} cells")
        if (several := len({cell.key for cell in found.cells})) != len(frame):
            raise ValueError(f"it has {len(frame)} rows for {several} cells")
        lacking = {e[k] for e in header["curves"] for k in ("column", "shape") if k in e} - set(frame.columns)
        if lacking:
            raise ValueError(f"it lacks the columns {', '.join(sorted(lacking))}")
        _ = (found.suite, found.version, found.modified, found.metrics, header["track"], header["runs"])
    except (KeyError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} is no sound baseline: {error}", remedy=REMEDY) from error
    return found


def baseline_path(which: str | Path, suite: str, folder: Path | None = None) -> Path:
    """Return the file that ``baseline=`` names.

    Parameters
    ----------
    which : str or Path
        ``published``, or a path.
    suite : str
        Name of the suite, without its version.
    folder : Path, optional
        Where published files are; by default the folder that the variable ``MLOPSIM_BASELINES`` names, else
        ``results/`` of the checkout that this is, else ``~/.local/share/mlopsim/baselines``.

    Returns
    -------
    Path
        Of ``published``: ``SUITE/baseline.parquet`` in that folder.

    Raises
    ------
    ConfigError
        If there is none.
    """
    if str(which) != PUBLISHED:
        return Path(which).expanduser()
    path = (folder or _published()) / suite / FILE
    if not path.is_file():
        raise ConfigError(
            f"no published baseline of {suite}: {path} is not there",
            remedy=f"set {VARIABLE} to the folder results/ of a checkout, or name a file: baseline=PATH",
        )
    return path


def _published() -> Path:
    """Return the folder of published baselines."""
    if named := os.environ.get(VARIABLE):
        return Path(named).expanduser()
    # a wheel lies in a folder of packages, which is no checkout whatever else is called results there
    checkout = (ROOT / "pyproject.toml").is_file() and (ROOT / "conf").is_dir()
    return ROOT / "results" if checkout else Path(FOLDER).expanduser()
