"""Reading data files into data frames; what cannot be read is one clear error, what was guessed is said."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from mlopsim.core.digest import digest_file
from mlopsim.core.errors import DataError, nearest, warn_of_data
from mlopsim.streams.files.arff import arff_frame
from mlopsim.streams.files.delimited import decoded, frame_of

if TYPE_CHECKING:
    import polars as pl

FORMATS = (".csv", ".tsv", ".parquet", ".arff")
PACKED = (".gz", ".zip")
#: what usually separates the fields of a table as text
USUAL = {".csv": ",", ".tsv": "\t"}


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


def form_read(path: Path) -> tuple[str, str]:
    """Return the format of a file and how it is packed, both as the endings of its name.

    Raises
    ------
    DataError
        For an unknown format.

    Examples
    --------
    >>> form_read(Path("rows.v2.CSV.gz"))
    ('.csv', '.gz')
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packed = suffixes.pop() if suffixes and suffixes[-1] in PACKED else ""
    form = suffixes[-1] if suffixes else ""
    if form not in FORMATS:
        raise DataError(
            f"{path.name}: unknown format '{form or packed}'",
            remedy=f"name it by its format: {', '.join(FORMATS)} (.gz and .zip too)",
        )
    return form, packed


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file, unpacked.

    Raises
    ------
    DataError
        For an unknown format, broken compression, or an archive of several files.
    """
    form, packed = form_read(path)
    try:
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
    except (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile, NotImplementedError) as error:
        raise _unreadable(path, form, error) from error


def read_frame(path: Path) -> pl.DataFrame:
    """Read CSV, TSV, Parquet or ARFF, plain, gzipped or as the only member of a zip archive.

    A separator other than the usual one, an encoding other than UTF-8 and lines that are too short are read,
    and said by a :class:`mlopsim.core.errors.DataWarning`.

    Parameters
    ----------
    path : Path
        The file; its name says the format: ``rows.csv``, ``rows.arff.gz``, ...

    Returns
    -------
    polars.DataFrame
        Columns of CSV and ARFF as text; ARFF's nominal ones as Enum.

    Raises
    ------
    DataError
        For an unknown or unreadable format, broken compression, or columns of the same name.
    """
    import polars as pl

    form, _ = form_read(path)
    data = read_bytes(path)
    if form == ".parquet":
        try:
            return pl.read_parquet(io.BytesIO(data))
        except (OSError, ValueError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise _unreadable(path, form, error) from error
    text = decoded(data, path.name)
    if form == ".arff":
        frame, notes = arff_frame(text.text, path.name), text.notes
    else:
        frame, notes = frame_of(text, path.name, USUAL[form])
    for note in notes:
        warn_of_data(note)
    return frame


def _unreadable(path: Path, form: str, error: BaseException) -> DataError:
    # the first line names the cause; polars adds advice about its own options below
    cause = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return DataError(
        f"{path.name} cannot be read as {form[1:]}: {cause}",
        remedy="check that the file is whole, and what its name says",
    )
