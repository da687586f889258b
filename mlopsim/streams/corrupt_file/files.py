"""Files of rows that are written: their formats, and text of which only the wrong cells change."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mlopsim.core.errors import ConfigError, DataError, MlopsimError
from mlopsim.core.files import atomic_path, ensure_writable
from mlopsim.streams.files.delimited import Record, decoded, lines_of, records, separator_of

if TYPE_CHECKING:
    import polars as pl

#: endings of files that can be written
WRITABLE = (".csv", ".csv.gz", ".parquet")


def form_of(path: Path) -> str:
    """Return the ending that says how a file is written.

    Raises
    ------
    ConfigError
        For another ending than those in :data:`WRITABLE`.

    Examples
    --------
    >>> form_of(Path("rows.v2.csv.gz"))
    '.csv.gz'
    """
    for form in WRITABLE:
        if path.name.lower().endswith(form) and len(path.name) > len(form):
            return form
    raise ConfigError(
        f"cannot write '{path.name}': unknown format", remedy=f"end the name in {', '.join(WRITABLE)}"
    )


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """The file of rows, and the two that lie beside it.

    Parameters
    ----------
    data, truth, recipe : Path
    form : str
        How the rows are written.

    Examples
    --------
    >>> Outputs.of(Path("out/dirty.csv.gz")).recipe.name
    'dirty.recipe.yaml'
    """

    data: Path
    truth: Path
    recipe: Path
    form: str

    @classmethod
    def of(cls, data: Path) -> Outputs:
        """Name the files.

        Raises
        ------
        ConfigError
            If the ending names no format that can be written.
        """
        data = data.expanduser()
        form = form_of(data)
        stem = data.name[: -len(form)]
        return cls(
            data=data,
            truth=data.with_name(f"{stem}.truth.parquet"),
            recipe=data.with_name(f"{stem}.recipe.yaml"),
            form=form,
        )

    def paths(self) -> dict[str, Path]:
        """Return the files by what they hold."""
        return {"data": self.data, "truth": self.truth, "recipe": self.recipe}

    def check(self, source: str, *, force: bool = False) -> None:
        """Refuse what must not be written over, before any work.

        Parameters
        ----------
        source : str
            File that must stay as it is.
        force : bool, default False
            Whether other files may be written over.

        Raises
        ------
        ConfigError
            If an output is the source, or a folder, or exists and ``force`` is not given, or its folder
            cannot be written to.
        """
        original = Path(source).expanduser()
        there = [path for path in self.paths().values() if path.exists()]
        for path in there:
            if original.exists() and path.samefile(original):
                raise ConfigError(f"{path} is the source itself", remedy="give the output another name")
            if not path.is_file():
                raise ConfigError(f"{path} is no file", remedy="give the output another name")
        if there and not force:
            names = ", ".join(path.name for path in there)
            raise ConfigError(
                f"{names} in {self.data.parent} exist(s) already", remedy="--force, or another name"
            )
        try:
            ensure_writable(self.data.parent)
        except MlopsimError as error:
            raise ConfigError(
                error.message, remedy="choose another folder, or mend its permissions"
            ) from error

    @contextmanager
    def writing(self) -> Iterator[dict[str, Path]]:
        """Give temporary paths; if the block succeeds the files move to their places, the recipe last."""
        with ExitStack() as stack:
            places = dict(reversed(self.paths().items()))
            yield {name: stack.enter_context(atomic_path(path)) for name, path in places.items()}


def write_frame(frame: pl.DataFrame, path: Path, form: str) -> None:
    """Write a frame; the same frame gives the same bytes.

    Parameters
    ----------
    frame : polars.DataFrame
    path : Path
        The file, of any name.
    form : str
        One of :data:`WRITABLE`.

    Raises
    ------
    DataError
        If the format cannot hold a column.
    """
    import polars as pl

    buffer = io.BytesIO()
    try:
        if form == ".parquet":
            frame.write_parquet(buffer)
        else:
            frame.write_csv(buffer)
    except pl.exceptions.PolarsError as error:
        cause = str(error).strip().splitlines()[0]
        raise DataError(f"cannot write {form[1:]}: {cause}", remedy="write .parquet") from error
    write_form(buffer.getvalue(), path, form)


def write_form(data: bytes, path: Path, form: str) -> None:
    """Write the bytes of a file, compressed where the form says so."""
    # neither name nor time in the header of gzip: they are no content
    path.write_bytes(gzip.compress(data, compresslevel=6, mtime=0) if form == ".csv.gz" else data)


def spliced(data: bytes, frame: pl.DataFrame, wrong: Mapping[str, np.ndarray], usual: str = ",") -> bytes:
    """Return CSV text with other values in some cells; all other bytes stay as they are.

    Parameters
    ----------
    data : bytes
        CSV as it was read.
    frame : polars.DataFrame
        Its rows with the values that they shall have.
    wrong : mapping of str to ndarray of int64
        Rows of each column whose value changes.
    usual : str, default ","
        What separates the fields unless the text says otherwise, as for its reader.

    Returns
    -------
    bytes
        A value stands in quotes where the old one did, or where it must.

    Raises
    ------
    DataError
        If the text is not lines of the columns of the frame.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"a": ["1", "x, y"], "b": [" u", None]})
    >>> spliced(b'a,b\\r\\n1, u\\r\\n"2",v', frame, {"a": np.array([1]), "b": np.array([1])})
    b'a,b\\r\\n1, u\\r\\n"x, y",'
    """
    changes: dict[int, dict[int, str | None]] = {}
    for name, rows in wrong.items():
        column = frame.get_column_index(name)
        for row, value in zip(rows.tolist(), frame[name].gather(rows).to_list(), strict=True):
            changes.setdefault(row, {})[column] = value
    text = decoded(data, "the source")
    lines = lines_of(text.text)
    separator = separator_of(lines, usual)
    # the reader's own records, so that rows are where it saw them
    found = list(records(lines, separator, "the source"))[1:]
    if len(found) != len(frame):
        raise DataError(
            f"the text has {len(found)} records for its {len(frame)} rows",
            remedy="write .parquet, or read and write the file with one program first",
        )
    for row, values in changes.items():
        record = found[row]
        line = _line("".join(lines[record.first : record.end]), record, values, frame.width, separator)
        lines[record.first : record.end] = [line, *[""] * (record.end - record.first - 1)]
    return text.encoded("".join(lines))


def _line(lines: str, record: Record, values: Mapping[int, str | None], width: int, separator: str) -> str:
    """Return the lines of a record with other values in some columns."""
    body = lines.rstrip("\r\n")
    end = lines[len(body) :]
    field = re.compile(rf'("(?:[^"]|"")*"|[^{re.escape(separator)}]*)(?:{re.escape(separator)}|$)')
    fields: list[str] = []
    at = 0
    while len(fields) < len(record.fields):
        token = field.match(body, at)
        if token is None:
            break
        fields.append(token.group(1))
        at = token.end()
    if [_read(token) for token in fields] != record.fields or at != len(body) or len(fields) > width:
        raise DataError(
            f"line {record.first + 1} cannot be written as it was read", remedy="write .parquet instead"
        )
    # a reader takes a short line for one with nothing at the end
    fields += [""] * (width - len(fields))
    for column, value in values.items():
        fields[column] = _field(value, fields[column], separator)
    return separator.join(fields) + end


def _read(token: str) -> str:
    return token[1:-1].replace('""', '"') if token.startswith('"') else token


def _field(value: str | None, old: str, separator: str) -> str:
    if value is None:
        return ""
    if not value or old.startswith('"') or any(char in value for char in (separator, '"', "\n", "\r")):
        return '"' + value.replace('"', '""') + '"'
    return value
