"""ARFF: attributes with types, then rows; ranges, dates, comments and sparse rows as Weka has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlopsim.core.errors import DataError

if TYPE_CHECKING:
    import polars as pl

#: a token: in quotes with its escapes, or up to a separator or comment
QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
#: a value of a row, with the blanks around it
VALUE = re.compile(rf"\s*({QUOTED}|[^,%'\"][^,%]*?|)\s*(?:(,)|(?:%.*)?$)")
#: a value of a nominal attribute; a comment cannot begin there
ITEM = re.compile(rf"\s*({QUOTED}|[^,'\"][^,]*?)\s*(,|$)")
#: a value of a sparse row, behind the place of its column
SPARSE = re.compile(rf"\s*([0-9]+)\s+({QUOTED}|[^,'\"][^,]*?)\s*(,|$)")
TYPE = re.compile("[A-Za-z]+")
WORD = re.compile(rf"\s*({QUOTED}|[^\s,{{}}%]+)")
ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
NUMBERS = ("numeric", "real", "integer")
#: parts of Java's patterns of dates, and how they are read
DATES = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "yy": "%y", "SSS": "%3f"}
USUAL_DATE = "yyyy-MM-dd'T'HH:mm:ss"


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """A column as it is declared: a name and a type, the values of a nominal one, the pattern of a date."""

    name: str
    kind: str
    values: tuple[str, ...] = ()
    pattern: str = ""


def arff_frame(text: str, source: str) -> pl.DataFrame:
    """Return the columns of an ARFF file.

    Numbers are text as it stands there, dates are text in ISO form, nominal columns are Enum. What is ``?``
    without quotes is missing.

    Raises
    ------
    DataError
        For what is no ARFF, or a value that its attribute does not allow; names the line.

    Examples
    --------
    >>> arff_frame('''@relation r
    ... @attribute x real [0, 10]  % a range
    ... @attribute job {cook, 'head nurse'}
    ... @data
    ... 1.50, 'head nurse' % the first
    ... ?, cook''', "r.arff").rows()
    [('1.50', 'head nurse'), (None, 'cook')]
    """
    import polars as pl

    lines = iter(enumerate(re.split(r"\r\n|\n|\r", text), start=1))
    attributes = _header(lines, source)
    names = [attribute.name for attribute in attributes]
    twice = [name for j, name in enumerate(names) if name in names[:j]]
    if twice:
        raise DataError(
            f"{source} has several columns '{twice[0]}'", remedy="give every attribute a name of its own"
        )
    columns: list[list[str | None]] = [[] for _ in attributes]
    places = []
    for number, line in lines:
        if line.strip() and not line.lstrip().startswith("%"):
            places.append(number)
            for column, value in zip(columns, _row(line, attributes, source, number), strict=True):
                column.append(value)
    series = [
        _typed(attribute, column, places, source)
        for attribute, column in zip(attributes, columns, strict=True)
    ]
    return pl.DataFrame(series)


def _header(lines: Iterator[tuple[int, str]], source: str) -> list[Attribute]:
    found: list[Attribute] = []
    for number, line in lines:
        word = line.strip().partition(" ")[0].partition("\t")[0].lower()
        if word == "@data":
            if not found:
                raise DataError(
                    f"{source}, line {number}: no @attribute before @data",
                    remedy="check that the file is whole",
                )
            return found
        if word == "@attribute":
            found.append(_attribute(line.strip()[len(word) :], source, number))
        elif word and not word.startswith(("%", "@relation")):
            raise DataError(
                f"{source} cannot be read as arff: line {number} is no @relation, @attribute or @data",
                remedy="check that the file is whole, and what its name says",
            )
    raise DataError(
        f"{source} cannot be read as arff: it has no @data", remedy="check that the file is whole"
    )


def _attribute(text: str, source: str, number: int) -> Attribute:
    def wrong(what: str) -> DataError:
        return DataError(
            f"{source} cannot be read as arff: line {number}: {what}",
            remedy="numeric, real, integer, string, date or {a, b} are the types of an attribute",
        )

    name = WORD.match(text)
    if name is None:
        raise wrong("an attribute without a name")
    rest = text[name.end() :].strip()
    if rest.startswith("{"):
        inside, values, at = _inside(rest), [], 0
        while inside is not None and (value := ITEM.match(inside, at)) is not None:
            values.append(_plain(value.group(1)))
            at = value.end()
            if not value.group(2):
                return Attribute(name=_plain(name.group(1)), kind="nominal", values=tuple(values))
        raise wrong("its values cannot be read")
    kind = TYPE.match(rest)
    word = kind.group().lower() if kind else ""
    if word in NUMBERS or word == "string":
        return Attribute(name=_plain(name.group(1)), kind="string" if word == "string" else "number")
    if word == "date" and kind is not None:
        pattern = WORD.match(rest, kind.end())
        shape = _plain(pattern.group(1)) if pattern else USUAL_DATE
        return Attribute(name=_plain(name.group(1)), kind="date", pattern=shape)
    raise wrong(f"unknown type '{rest[:40]}'" if rest else "an attribute without a type")


def _inside(text: str) -> str | None:
    """Return what stands between braces; None if they do not close."""
    for token in re.finditer(rf"{QUOTED}|}}", text):
        if token.group() == "}":
            return text[1 : token.start()]
    return None


def _plain(token: str) -> str:
    """Return a token without its quotes and escapes."""
    if len(token) > 1 and token[0] in "'\"":
        return re.sub(r"\\(.)", lambda found: ESCAPES.get(found.group(1), found.group(1)), token[1:-1])
    return token


def _values(line: str, source: str, number: int) -> list[str | None]:
    found: list[str | None] = []
    at = 0
    while True:
        value = VALUE.match(line, at)
        if value is None:
            raise DataError(
                f"{source}, line {number} cannot be read as arff: quotes at '{line[at : at + 30]}'",
                remedy="a value with blanks, commas or quotes stands in quotes",
            )
        token = value.group(1)
        found.append(None if token in ("?", "") else _plain(token))
        at = value.end()
        if value.group(2) is None:
            return found


def _row(line: str, attributes: Sequence[Attribute], source: str, number: int) -> Sequence[str | None]:
    if line.lstrip().startswith("{"):
        return _sparse(_inside(line.strip()), attributes, source, number)
    values = _values(line, source, number)
    if len(values) == 1 and len(attributes) > 1:
        # blanks separate as well
        tokens = [token.group(1) for token in WORD.finditer(line)]
        values = [None if token == "?" else _plain(token) for token in tokens]
    if len(values) != len(attributes):
        raise DataError(
            f"{source}, line {number} has {len(values)} values for {len(attributes)} attributes",
            remedy="put values with commas or blanks in quotes; ? is a missing one",
        )
    return values


def _sparse(
    text: str | None, attributes: Sequence[Attribute], source: str, number: int
) -> Sequence[str | None]:
    """Return a row of which only some values are given; the others are 0, or the first of a nominal one."""
    row: list[str | None] = [item.values[0] if item.kind == "nominal" else "0" for item in attributes]
    at, more = 0, text is None or bool(text.strip())
    while more:
        part = SPARSE.match(text or "", at)
        if part is None or int(part.group(1)) >= len(row):
            raise DataError(
                f"{source}, line {number}: '{(text or '')[at:].strip()[:40]}' is no 'column value'",
                remedy="write {0 1.5, 3 'a b'}: columns from 0, values with blanks or commas in quotes",
            )
        value = part.group(2)
        row[int(part.group(1))] = None if value == "?" else _plain(value)
        at, more = part.end(), part.group(3) == ","
    return row


def _typed(attribute: Attribute, values: list[str | None], places: list[int], source: str) -> pl.Series:
    import polars as pl

    series = pl.Series(attribute.name, values, dtype=pl.String)
    good = series.is_not_null()
    if attribute.kind == "number":
        good = series.cast(pl.Float64, strict=False).is_not_null()
    elif attribute.kind == "nominal":
        good = series.is_in(list(attribute.values))
    elif attribute.kind == "date":
        iso = _iso(series, attribute, source)
        good = iso.is_not_null()
    bad = (series.is_not_null() & ~good).arg_true()
    if len(bad):
        allowed = {"number": "no number", "date": f"no date '{attribute.pattern}'"}
        raise DataError(
            f"{source}, line {places[bad[0]]}: '{series[int(bad[0])]}' is "
            f"{allowed.get(attribute.kind, 'none of the values')} of the attribute '{attribute.name}'",
            remedy="correct it, or declare the attribute otherwise",
        )
    if attribute.kind == "date":
        return iso
    if attribute.kind == "nominal":
        return series.cast(pl.Enum(list(dict.fromkeys(attribute.values))))
    return series


def _iso(series: pl.Series, attribute: Attribute, source: str) -> pl.Series:
    """Return dates of a Java pattern as text in ISO form."""
    import polars as pl

    form, clock = "", False
    for token in re.finditer(r"'([^']*)'|(([A-Za-z])\3*)|(.)", attribute.pattern):
        quoted, letters, _, other = token.groups()
        if letters and letters not in DATES:
            raise DataError(
                f"{source}: the pattern '{attribute.pattern}' of '{attribute.name}' has '{letters}'",
                remedy=f"known parts are {', '.join(DATES)}",
            )
        form += DATES[letters] if letters else (quoted or other or "").replace("%", "%%")
        clock = clock or letters in ("HH", "mm", "ss", "SSS")
    try:
        if not clock:
            return series.str.to_date(form, strict=False).dt.to_string("%Y-%m-%d")
        times = series.str.to_datetime(form, time_unit="us", strict=False)
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"{source}: dates of '{attribute.name}' cannot be read by '{attribute.pattern}'",
            remedy="declare the attribute as string",
        ) from error
    return times.dt.to_string("%Y-%m-%dT%H:%M:%S%.6f")
