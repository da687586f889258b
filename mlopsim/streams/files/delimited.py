"""Tables as text: encoding, separator, records; the same records whether they are read or written again."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlopsim.core.errors import DataError

if TYPE_CHECKING:
    import polars as pl

#: what may separate fields, the likelier ones first
SEPARATORS = (",", ";", "\t", "|")
#: how they are called
SPOKEN = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
#: marks at the beginning of a text that tell its encoding
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
#: how files begin that are no text
MAGIC = ((b"PAR1", "Parquet"), (b"\x1f\x8b", "gzip"), (b"PK\x03\x04", "a zip archive or a workbook"))
#: records that are looked at to tell the separator
LOOK = 200
#: records that become columns at a time
CHUNK = 50_000
#: a line by which a spreadsheet says what separates its fields
SAID = re.compile(r"sep=(.)\s*", re.IGNORECASE)
#: a field may be long, a document for example
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True, kw_only=True)
class Text:
    """The text of a file and how it stood in bytes.

    Parameters
    ----------
    text : str
    encoding : str
    mark : bytes
        Byte-order mark, where there was one.
    notes : tuple of str
        What a reader should be told.
    """

    text: str
    encoding: str = "utf-8"
    mark: bytes = b""
    notes: tuple[str, ...] = ()

    def encoded(self, text: str) -> bytes:
        """Return another text as this one stood in bytes.

        Raises
        ------
        DataError
            If the encoding has no such character.
        """
        try:
            return self.mark + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            wrong = text[error.start : error.end]
            raise DataError(
                f"'{wrong}' cannot be written in {self.encoding}", remedy="save the file as UTF-8 first"
            ) from error


def decoded(data: bytes, source: str) -> Text:
    r"""Return the text of bytes: UTF-8 or what a byte-order mark says, else Windows-1252, said aloud.

    Raises
    ------
    DataError
        If it is none of these; names line and byte.

    Examples
    --------
    >>> decoded(b"\xef\xbb\xbfx", "a.csv").text
    'x'
    >>> found = decoded(b"x,gr\xf6\xdfe\n1,2\n", "a.csv")
    >>> found.text.splitlines()[0], found.notes
    ('x,größe', ("a.csv is not UTF-8 (line 1: byte 0xf6), read as Windows-1252: 'x,größe'",))
    """
    for magic, kind in MAGIC:
        if data.startswith(magic):
            raise DataError(f"{source} is {kind}, not text", remedy="name the file by what it is")
    mark, encoding = next((pair for pair in MARKS if data.startswith(pair[0])), (b"", "utf-8"))
    body = data[len(mark) :]
    if not mark and body[:4000].count(0) * 10 > len(body[:4000]):
        raise DataError(
            f"{source} holds zero bytes: it is no text, or UTF-16 without a byte-order mark",
            remedy="save it as UTF-8",
        )
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        where = f"line {line}: byte {body[error.start]:#04x}"
        try:
            if mark:
                raise
            text = body.decode("cp1252")
        except UnicodeDecodeError as other:
            kind = encoding.upper() if mark else "neither UTF-8 nor Windows-1252"
            raise DataError(
                f"{source} cannot be read as text: {'not ' if mark else ''}{kind} ({where})",
                remedy="save it as UTF-8",
            ) from other
        shown = text.split("\n")[line - 1].strip()[:60]
        note = f"{source} is not UTF-8 ({where}), read as Windows-1252: '{shown}'"
        return Text(text=text, encoding="cp1252", notes=(note,))
    notes: tuple[str, ...] = () if encoding == "utf-8" else (f"{source} is {encoding.upper()}",)
    if "\ufffd" in text:
        line = text[: text.index("\ufffd")].count("\n") + 1
        lost = f"{source} holds the mark of a character that was lost before (U+FFFD, line {line})"
        notes = (*notes, lost)
    return Text(text=text, encoding=encoding, mark=mark, notes=notes)


def lines_of(text: str) -> list[str]:
    r"""Return the lines with their ends, which are ``\n``, ``\r\n`` or ``\r``."""
    return list(io.StringIO(text, newline=""))


@dataclass(frozen=True, kw_only=True)
class Record:
    """The fields of one record, and the lines (from 0) that it takes."""

    fields: list[str]
    first: int
    end: int


def records(lines: Sequence[str], separator: str, source: str) -> Iterator[Record]:
    """Yield the records of lines; blank lines are none, and neither is one that names the separator.

    Raises
    ------
    DataError
        For quotes that do not close; names the line.
    """
    start = 1 if lines and SAID.fullmatch(lines[0]) else 0
    rows = csv.reader(itertools.islice(lines, start, None), delimiter=separator, strict=True)
    first = start
    while True:
        try:
            fields = next(rows, None)
        except csv.Error as error:
            cause = "the quotes that open there do not close" if "end of data" in str(error) else str(error)
            raise DataError(
                f"{source}, line {first + 1}: {cause}",
                remedy='a field in quotes ends with its quote; a quote inside of it is written twice: ""',
            ) from error
        if fields is None:
            return
        end = start + rows.line_num
        if len(fields) > 1 or (fields and fields[0].strip()):
            yield Record(fields=fields, first=first, end=end)
        first = end


def separator_of(lines: Sequence[str], usual: str) -> str:
    r"""Return what separates the fields: the usual one where it fits, else the first that does.

    A separator fits where the header has several fields and no record has more of them (but for one
    more in each: a name of the row, or nothing behind the last separator).

    Examples
    --------
    >>> separator_of(["a;b\n", "1,5;2\n"], ",")
    ';'
    """
    if lines and (said := SAID.fullmatch(lines[0])):
        return said.group(1)
    several = []
    for separator in (usual, *(other for other in SEPARATORS if other != usual)):
        rows = csv.reader((line for line in lines if line.strip()), delimiter=separator)
        try:
            looked = [len(fields) for fields in itertools.islice(rows, LOOK)]
        except csv.Error:
            looked = [len(row) for row in csv.reader(lines[:1], delimiter=separator, quoting=csv.QUOTE_NONE)]
        if not looked or looked[0] < 2:
            continue
        several.append(separator)
        if len(set(looked[1:])) <= 1 and all(width - looked[0] in (0, 1) for width in looked[1:]):
            return separator
    return several[0] if several else usual


def frame_of(text: Text, source: str, usual: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the columns of a table as text, and what a reader should be told.

    Columns without a name get the name that pandas gives them, ``Unnamed: 3`` (from 0).

    Raises
    ------
    DataError
        For no header, several columns of one name, lines with too many fields, quotes that do not close.
    """
    import polars as pl

    lines = lines_of(text.text)
    separator = separator_of(lines, usual)
    notes = list(text.notes)
    if separator != usual:
        spoken = SPOKEN.get(separator, f"'{separator}'")
        notes.append(f"the fields of {source} are separated by {spoken}")
    found = records(lines, separator, source)
    header = next(found, None)
    if header is None:
        raise DataError(f"{source} is empty", remedy="give it a header line and rows")
    width, short, parts = len(header.fields), [], []
    longer: list[int] = []
    while chunk := list(itertools.islice(found, CHUNK)):
        columns = []
        for record in chunk:
            size = len(record.fields)
            if size > width + 1:
                raise _too_many(source, record.first, size, width)
            if size < width:
                short.append(record.first)
            elif size > width:
                longer.append(record.first)
        filled = (record.fields + [None] * (width + 1 - len(record.fields)) for record in chunk)
        columns = [
            pl.Series(str(j), items, dtype=pl.String) for j, items in enumerate(zip(*filled, strict=True))
        ]
        parts.append(pl.DataFrame(columns))
    frame = pl.concat(parts) if parts else pl.DataFrame(schema={str(j): pl.String for j in range(width + 1)})
    names = header.fields
    if longer:
        extra = frame[:, width].drop_nulls()
        if (extra == "").all():
            notes.append(f"lines of {source} end in a separator that its header does not have")
        elif len(longer) == len(frame):
            # as R writes row names: the header does not name them
            names = ["", *names]
        else:
            raise _too_many(source, longer[0], width + 1, width)
    if short:
        notes.append(
            f"{len(short)} line(s) of {source} have fewer fields than the header, what they lack is missing: "
            f"line {', '.join(str(line + 1) for line in short[:5])}{', ...' if len(short) > 5 else ''}"
        )
    frame = frame[:, : len(names)].with_columns(pl.all().replace("", None))
    frame.columns = named(names, source)
    return frame, tuple(notes)


def _too_many(source: str, line: int, size: int, width: int) -> DataError:
    return DataError(
        f"{source}, line {line + 1} has {size} fields, the header has {width}",
        remedy="put fields that hold the separator in quotes, or give each column a name in the header",
    )


def named(names: Sequence[str], source: str) -> list[str]:
    """Return names of which each is given once; what has none is called by its place.

    Raises
    ------
    DataError
        If a name is given twice.

    Examples
    --------
    >>> named(["", "Unnamed: 0", "x"], "a.csv")
    ['Unnamed: 0_', 'Unnamed: 0', 'x']
    """
    given = [name for name in names if name.strip()]
    if len(set(given)) < len(given):
        twice = next(name for j, name in enumerate(given) if name in given[:j])
        places = ", ".join(str(j + 1) for j, name in enumerate(names) if name == twice)
        raise DataError(
            f"{source} has several columns '{twice}' (columns {places})",
            remedy="give every column a name of its own, in a header line",
        )
    taken, found = set(given), []
    for j, name in enumerate(names):
        fresh = name
        if not name.strip():
            fresh = f"Unnamed: {j}"
            while fresh in taken:
                fresh += "_"
        taken.add(fresh)
        found.append(fresh)
    return found
