"""Reading data files into data frames; what cannot be read is one clear error."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from mlopsim.core.digest import digest_file
from mlopsim.core.errors import DataError, MissingExtraError, nearest

if TYPE_CHECKING:
    import polars as pl

FORMATS = (".csv", ".tsv", ".parquet", ".arff")


def find_file(path: str) -> Path:
    """Return the file's path.

    Raises
    ------
    DataError
        If there is no such file; names the nearest in that folder.

    Examples
    --------
    >>> find_file("no/such.csv")
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.DataError: there is no data file no/such.csv
      remedy: pass the path of a .csv, .tsv, .parquet, .arff file (.gz and .zip too)
    """
    found = Path(path).expanduser()
    if path and found.is_file():
        return found
    folder = found.parent
    others = [item.name for item in folder.iterdir() if item.is_file()] if folder.is_dir() else []
    raise DataError(
        f"there is no data file {path or '(no path given)'}{nearest(found.name, others) if path else ''}",
        remedy=f"pass the path of a {', '.join(FORMATS)} file (.gz and .zip too)",
    )


def file_digest(path: Path) -> str:
    """Return the content digest of a file, remembered until its size or time of change differs."""
    state = path.stat()
    return _digest(str(path.resolve()), state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(path: str, size: int, changed: int) -> str:
    return digest_file(path)


def read_frame(path: Path) -> pl.DataFrame:
    """Read CSV, TSV, Parquet or ARFF, plain, gzipped or as the only member of a zip archive.

    Parameters
    ----------
    path : Path
        The file; its name says the format: ``rows.csv``, ``rows.arff.gz``, ...

    Returns
    -------
    polars.DataFrame
        CSV columns as text; ARFF nominal ones as Enum.

    Raises
    ------
    DataError
        For an unknown or unreadable format, broken compression, or columns of the same name.
    MissingExtraError
        For ARFF without ``liac-arff``.
    """
    import polars as pl

    suffixes = [suffix.lower() for suffix in path.suffixes]
    packed = suffixes.pop() if suffixes and suffixes[-1] in (".gz", ".zip") else ""
    form = suffixes[-1] if suffixes else ""
    if form not in FORMATS:
        raise DataError(
            f"{path.name}: unknown format '{form or packed}'",
            remedy=f"name it by its format: {', '.join(FORMATS)} (.gz and .zip too)",
        )
    try:
        data = _unpacked(path, packed)
        if form == ".parquet":
            return pl.read_parquet(io.BytesIO(data))
        if form == ".arff":
            return _arff(data.decode("utf-8"))
        separator = "\t" if form == ".tsv" else ","
        # everything as text: types are told from all rows, not from the first ones
        frame = pl.read_csv(io.BytesIO(data), separator=separator, infer_schema=False)
    except (
        OSError,
        EOFError,
        ValueError,
        zlib.error,
        zipfile.BadZipFile,
        pl.exceptions.PolarsError,
    ) as error:
        # the first line names the cause; polars adds advice about its own options below
        cause = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"{path.name} cannot be read as {form[1:]}: {cause}",
            remedy="check that the file is whole, what its name says, and UTF-8 text with a header line",
        ) from error
    twice = [name for name in frame.columns if "_duplicated_" in name]
    if twice:
        raise DataError(
            f"{path.name} has several columns '{twice[0].partition('_duplicated_')[0]}'",
            remedy="give every column a name of its own",
        )
    return frame


def _unpacked(path: Path, packed: str) -> bytes:
    if packed == ".gz":
        with gzip.open(path, "rb") as handle:
            return handle.read()
    if packed == ".zip":
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if not name.endswith("/")]
            if len(members) != 1:
                raise ValueError(f"the archive holds {len(members)} files, not one")
            return archive.read(members[0])
    return path.read_bytes()


def _arff(text: str) -> pl.DataFrame:
    import polars as pl

    try:
        import arff
    except ImportError as error:
        raise MissingExtraError("reading ARFF files", "data") from error
    try:
        content = arff.loads(text)
    except arff.ArffException as error:
        raise ValueError(str(error)) from error
    columns: list[pl.Series] = []
    for j, (name, kind) in enumerate(content["attributes"]):
        values = [row[j] for row in content["data"]]
        dtype = pl.Enum(list(dict.fromkeys(kind))) if isinstance(kind, list) else None
        columns.append(
            pl.Series(name, values, dtype=dtype or (pl.String if kind == "STRING" else pl.Float64))
        )
    return pl.DataFrame(columns)
