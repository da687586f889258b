"""The same rows give the same table from every format that can be read, whatever wrote it."""

from __future__ import annotations

import gzip
import warnings
import zipfile
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mlopsim.core.errors import DataError, DataWarning
from mlopsim.streams.files.readers import FORMATS, PACKED, read_frame
from mlopsim.streams.files.tables import Table, table_of

N = 40
NAMES = [f"rows{form}{packed}" for form in FORMATS for packed in ("", *PACKED)]
DAY = date(2021, 3, 1)

#: columns by what they hold, each a list of values of Python, all with gaps but for labels
VALUES: dict[str, list[Any]] = {
    "whole": [None if i % 9 == 4 else i * 3 - 20 for i in range(N)],
    "part": [None if i % 8 == 3 else i / 8 for i in range(N)],
    "word": [None if i % 7 == 2 else ("b b", "a", "Ö, 'x'")[i % 3] for i in range(N)],
    "truth": [None if i % 10 == 6 else i % 3 == 0 for i in range(N)],
    "day": [None if i % 11 == 5 else DAY + timedelta(days=i) for i in range(N)],
    "moment": [datetime(2021, 3, 1, 12) + timedelta(minutes=7 * i) for i in range(N)],
    "a [b], c": [i % 5 for i in range(N)],
    "is_duplicated_0": [(i * 7) % 5 for i in range(N)],
}
LABELS: dict[str, list[Any]] = {
    "words": [("yes", "no")[i % 2] for i in range(N)],
    "numbers": [(10, 9, 100)[i % 3] for i in range(N)],
    "halves": [(1.5, 10.0, 2.0)[i % 3] for i in range(N)],
    "truths": [i % 3 == 0 for i in range(N)],
    "large": [2**53 + i % 2 for i in range(N)],
}


def spelt(value: Any, truth: str = "{}") -> str | None:
    """A value as text; truth is written as the format string makes it of Python's."""
    if value is None:
        return None
    if isinstance(value, bool):
        words = {"lower": str(value).lower(), "upper": str(value).upper()}
        return words.get(truth, str(value))
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)


def arff(data: dict[str, list[Any]]) -> str:
    lines = ["% a comment", "@RELATION 'the rows'"]
    kinds: list[bool] = []
    for name, values in data.items():
        known = [value for value in values if value is not None]
        number = all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)
        kinds.append(number)
        if isinstance(known[0], datetime):
            kind = 'date "yyyy-MM-dd HH:mm:ss"'
        elif isinstance(known[0], date):
            kind = "date 'yyyy-MM-dd'"
        else:
            kind = "real [-1e9, 1e18]" if number else "string"
        lines.append(f"@attribute '{name}' {kind} % {name}")
    lines.append("@DATA")
    for row in zip(*data.values(), strict=True):
        cells = []
        for value, number in zip(row, kinds, strict=True):
            text = (spelt(value) or "").replace("'", "\\'")
            cells.append("?" if value is None else text if number else f"'{text}'")
        lines.append(", ".join(cells) + " % a row")
    return "\n".join(lines) + "\n"


def write(
    folder: Path, name: str, data: dict[str, list[Any]], truth: str = "{}", separator: str = ""
) -> Path:
    path = folder / name
    form = "." + name.split(".")[1]
    if form == ".parquet":
        pl.DataFrame(data).write_parquet(folder / "plain")
        content = (folder / "plain").read_bytes()
    elif form == ".arff":
        content = arff(data).encode()
    else:
        text = pl.DataFrame({key: [spelt(value, truth) for value in values] for key, values in data.items()})
        content = text.write_csv(separator=separator or ("\t" if form == ".tsv" else ",")).encode()
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("rows" + form, content)
    else:
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def read(path: Path, **params: Any) -> Table:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return table_of(read_frame(path), source="rows", **params)


def assert_same(one: Table, other: Table) -> None:
    assert (one.classes, one.features, one.groups, one.categories, one.no_group) == (
        other.classes, other.features, other.groups, other.categories, other.no_group
    )  # fmt: skip
    assert np.array_equal(one.X, other.X, equal_nan=True)
    assert np.array_equal(one.y, other.y) and np.array_equal(one.g, other.g)


@pytest.mark.parametrize("label", LABELS)
def test_every_format_gives_the_same_table(tmp_path: Path, label: str) -> None:
    data = {**VALUES, label: LABELS[label]}
    params: dict[str, Any] = {"label": label, "group": "truth"}
    first = read(write(tmp_path, "rows.parquet", data), **params)
    classes = {
        "words": ("no", "yes"), "numbers": ("9", "10", "100"), "halves": ("1.5", "2.0", "10.0"),
        "truths": ("false", "true"), "large": (str(2**53), str(2**53 + 1)),
    }  # fmt: skip
    assert first.classes == classes[label] and first.groups == ("false", "true", "(missing)")
    assert first.categories == {2: ("a", "b b", "Ö, 'x'")} and first.features == tuple(VALUES)
    assert first.X[0, 4] == (DAY - date(1970, 1, 1)).days and np.isnan(first.X[6, 3])
    for name in NAMES:
        assert_same(first, read(write(tmp_path, name, data), **params))
    for truth in ("lower", "upper"):
        assert_same(first, read(write(tmp_path, "rows.csv", data, truth), **params))
    for separator in (";", "|", "\t"):
        assert_same(first, read(write(tmp_path, "rows.csv", data, separator=separator), **params))
    positive = {"label": label, "positive": first.classes[0]}
    one = read(write(tmp_path, "rows.parquet", data), **positive)
    assert one.classes[1] == first.classes[0] and one.y.sum() == (first.y == 0).sum()
    assert_same(one, read(write(tmp_path, "rows.csv", data), **positive))


@pytest.mark.parametrize("column", ["whole", "part", "day", "moment"])
def test_every_format_sorts_by_time_and_counts_what_is_missing(tmp_path: Path, column: str) -> None:
    times = [value if value is not None else None for value in VALUES[column][::-1]]
    data = {"t": times, "x": list(range(N)), "label": LABELS["words"]}
    gaps = [i for i, value in enumerate(times) if value is None]
    orders = []
    for name in ("rows.csv", "rows.tsv", "rows.parquet", "rows.arff"):
        path = write(tmp_path, name, data)
        if gaps:
            said = f"{len(gaps)} of {N} values of the time column 't' are missing"
            with pytest.raises(DataError, match=said) as caught:
                read(path, label="label", time="t")
            assert f"rows {', '.join(map(str, gaps[:5]))}" in caught.value.message
            whole = {
                key: [value for value, t in zip(values, times, strict=True) if t is not None]
                for key, values in data.items()
            }
            path = write(tmp_path, name, whole)
        orders.append(read(path, label="label", time="t").X[:, 0].tolist())
    assert orders[0] == orders[1] == orders[2] == orders[3] == sorted(orders[0], reverse=True)


def test_missing_is_missing_in_every_type(tmp_path: Path) -> None:
    labels = [None if i in (2, 30) else value for i, value in enumerate(LABELS["words"])]
    frame = {"x": list(range(N)), "label": labels}
    floats = {"x": list(range(N)), "label": [float("nan") if i in (2, 30) else i % 2 * 1.0 for i in range(N)]}
    marks = {"x": list(range(N)), "label": ["NA" if value is None else value for value in labels]}
    for data in (frame, floats, marks):
        for name in ("rows.csv", "rows.parquet"):
            with pytest.raises(DataError, match=r"2 of 40 labels in 'label' are missing \(rows 2, 30;"):
                read(write(tmp_path, name, data), label="label")
    # a column of categories has the marks of text
    enum = pl.DataFrame(marks).with_columns(pl.col("label").cast(pl.Enum(["yes", "NA", "no"])))
    enum.write_parquet(tmp_path / "enum.parquet")
    with pytest.raises(DataError, match="2 of 40 labels"):
        read(tmp_path / "enum.parquet", label="label")


def test_times_with_offsets_fractions_and_units(tmp_path: Path) -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    moments = [datetime(2021, 3, 1, tzinfo=zone) + timedelta(seconds=int(s)) for s in (90, 5, 60, 5)]
    texts = [moment.isoformat() for moment in moments]
    utc = [moment.astimezone(UTC).isoformat(sep=" ").replace("+00:00", ".000000001Z") for moment in moments]
    base = {"x": [0, 1, 2, 3], "label": ["a", "b", "a", "b"]}

    def order(column: list[str]) -> list[float]:
        path = write(tmp_path, "rows.csv", {"t": column, **base})
        found: list[float] = read(path, label="label", time="t").X[:, 0].tolist()
        return found

    for column in (texts, utc, [text.replace("-", "/", 2) for text in texts]):
        assert order(column) == [1, 3, 2, 0]
    assert order(["9007199254740993", "9007199254740992", "3", "-1"]) == [3, 2, 1, 0]
    with pytest.raises(DataError, match=r"3 of 4 values of the time column 't' have an offset from UTC"):
        order([*texts[:3], "2021-03-01 00:00:00"])
    with pytest.raises(DataError, match=r"3 of 4 .* no times \(rows 0, 1, 3; .*'31/12/2020'") as caught:
        order(["31/12/2020", "01/02/2021", "2021-01-01", "2021-13-01"])
    assert "the day or the month first" in str(caught.value.remedy)
    for unit in ("ms", "us", "ns"):
        frame = pl.DataFrame({"t": moments, **base}).with_columns(pl.col("t").dt.cast_time_unit(unit))
        frame.write_parquet(tmp_path / "rows.parquet")
        found = read(tmp_path / "rows.parquet", label="label")
        assert found.X[:, 0].tolist() == [moment.timestamp() * 1e6 for moment in moments]
