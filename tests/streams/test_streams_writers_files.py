"""Columns and files with other values: types, spelling, CSV of which only some cells change, outputs."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mlopsim.checks.clean_rows import clean_stream
from mlopsim.core.errors import ConfigError, DataError, MlopsimError
from mlopsim.core.spec import make
from mlopsim.streams.corrupt_file.columns import misspelt, typed, with_numbers
from mlopsim.streams.corrupt_file.files import Outputs, form_of, spliced, write_frame
from mlopsim.streams.corrupt_file.summary import Achieved, Summary
from mlopsim.streams.injectors.base import Aim


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        (pl.Int8, 100.0, pl.Int8),
        (pl.Int8, 200.0, pl.Int64),
        (pl.Int8, 0.5, pl.Float64),
        (pl.UInt64, -1.0, pl.Int64),
        (pl.Int64, 1e30, pl.Float64),
        (pl.Boolean, 1.0, pl.Boolean),
        (pl.Boolean, 7.0, pl.Int64),
        (pl.Float32, 0.5, pl.Float32),
        (pl.Float32, 0.1, pl.Float64),
        (pl.Decimal(10, 2), 300.25, pl.Decimal(10, 2)),
        (pl.Decimal(10, 2), 0.125, pl.Float64),
        (pl.String, 200.0, pl.String),
    ],
)
def test_a_column_keeps_the_type_that_holds_the_value(dtype: Any, value: float, expected: Any) -> None:
    series = pl.Series("x", [1, 0, None, 1]).cast(pl.Int64).cast(dtype)
    for found in (with_numbers(series, np.array([1]), np.array([v])) for v in (value, np.nan)):
        numbers = found.cast(pl.Float64).to_list()
        assert (numbers[0], numbers[2], numbers[3]) == (1.0, None, 1.0) and found.name == "x"
    assert with_numbers(series, np.array([1]), np.array([value])).dtype == expected
    assert with_numbers(series, np.array([1]), np.array([value])).cast(pl.Float64)[1] == value
    assert with_numbers(series, np.array([1]), np.array([np.nan]))[1] is None


def test_times_stay_times() -> None:
    for values, good, bad in (
        ([date(2020, 1, 1)], 18000.0, 1e7),
        ([datetime(2020, 1, 1)], 1e15, 1e18),
        ([time(1)], 5e9, 1e15),
        ([timedelta(1)], 5e9, 0.5),
    ):
        series = pl.Series("x", values * 2)
        found = with_numbers(series, np.array([0]), np.array([good]))
        assert found.dtype == series.dtype and found.to_physical()[0] == good and found[1] == values[0]
        with pytest.raises(DataError, match=r"values of 'x' that are no (Date|Time|Duration)"):
            with_numbers(series, np.array([0]), np.array([bad]))


def test_values_that_nothing_holds() -> None:
    with pytest.raises(DataError, match="'x' infinite"):
        with_numbers(pl.Series("x", [1.0]), np.array([0]), np.array([np.inf]))
    large = pl.Series("x", [2**60 + 1, 1])
    assert with_numbers(large, np.array([1]), np.array([7.0])).to_list() == [2**60 + 1, 7]
    with pytest.raises(DataError, match="'x' holds integers that no float holds"):
        with_numbers(large, np.array([1]), np.array([0.5]))


def test_text_is_typed_only_without_loss() -> None:
    columns = {
        "int": ["1", " -2", "NA", None],
        "float": ["1", "2.5", "1e3", "?"],
        "plus": ["+1", "2", "3", "4"],
        "zip": ["007", "1", "2", "3"],
        "large": ["1", "123456789012345678901", "2", "3.5"],
        "long": ["1", "1234567890123456789", "2", "3"],
        "text": ["1", "x", "?", " y "],
        "empty": ["?", "NA", "", None],
    }
    found = typed(pl.DataFrame(columns))
    assert found["int"].to_list() == [1, -2, None, None] and found["int"].dtype == pl.Int64
    assert found["float"].to_list() == [1.0, 2.5, 1000.0, None] and found["float"].dtype == pl.Float64
    assert found["long"].to_list() == [1, 1234567890123456789, 2, 3]
    for name in ("plus", "zip", "large", "text", "empty"):
        assert found[name].to_list() == columns[name]


def test_slips_are_never_a_known_name() -> None:
    names = ["a", "ab", "ba", "12", "21", "212", "122", "102", "nurse", "é"] * 40
    taken = {*names, "aa", "aba"}
    found = misspelt(names, taken, np.random.default_rng(0))
    assert not {name.strip() for name in found} & taken and "" not in found
    # beside numbers 012 would read as 12
    assert {float(name) for name in found if name.strip().isdigit()}.isdisjoint(
        {12.0, 21.0, 212.0, 122.0, 102.0}
    )
    assert len({slip for name, slip in zip(names, found, strict=True) if name == "nurse"}) > 1
    assert (
        found
        == misspelt(names, taken, np.random.default_rng(0))
        != misspelt(names, taken, np.random.default_rng(1))
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a,b\n1,2\n3,4\n", b"a,b\n1,2\n9,\n"),
        (b"a,b\r\n1,2\r\n3,4", b"a,b\r\n1,2\r\n9,"),
        (b'\n\n"a",b\n"x\ny","2"\n"3","4"\n', b'\n\n"a",b\n"x\ny","2"\n"9",\n'),
        (b'a,b\n"1,5",""\n,"q""r"\n', b'a,b\n"1,5",""\n9,\n'),
        # a short line ends in nothing
        (b"a,b\n1\n3\n", b"a,b\n1\n9,\n"),
        (b"\xef\xbb\xbfa,b\n1,2\n3,4\n", b"\xef\xbb\xbfa,b\n1,2\n9,\n"),
    ],
)
def test_only_some_cells_of_csv_change(before: bytes, after: bytes) -> None:
    frame = pl.read_csv(before, infer_schema=False).with_columns(a=pl.Series(["0", "9"]), b=pl.lit(None))
    rows = np.array([1])
    assert spliced(before, frame, {"a": rows, "b": rows}) == after
    assert spliced(before, frame, {}) == before


def test_csv_quotes_what_it_must() -> None:
    texts = ["a,b", 'say "x"', "two\nlines", "", "plain"]
    data = b"a,b\n" + b"0,1\n" * 5
    found = spliced(data, pl.DataFrame({"a": texts, "b": ["1"] * 5}), {"a": np.arange(5)})
    assert pl.read_csv(found, infer_schema=False)["a"].to_list() == texts and b"\nplain,1\n" in found


def test_csv_that_is_not_the_frame() -> None:
    frame = pl.DataFrame({"a": ["1", "2"], "b": ["1", "2"]})
    with pytest.raises(DataError, match=r"1 records for its 2 rows"):
        spliced(b"a,b\n1,2\n", frame, {"a": np.array([0])})
    with pytest.raises(DataError, match=r"line 2 (has|cannot)"):
        spliced(b"a,b\n1,2,3\n1,2\n", frame, {"a": np.array([0])})
    with pytest.raises(DataError, match="line 3: the quotes that open there do not close"):
        spliced(b'a,b\n1,2\n1,"2\n', frame, {"a": np.array([0])})


def test_names_of_outputs() -> None:
    made = Outputs.of(Path("x/rows.v2.CSV.gz"))
    assert made.form == ".csv.gz" and made.truth == Path("x/rows.v2.truth.parquet")
    for name in ("rows.xlsx", "rows", ".csv", "rows.parquet.gz", "rows.csv.zip"):
        with pytest.raises(
            ConfigError, match=r"unknown format\n  remedy: end the name in .csv, .csv.gz, .parq"
        ):
            form_of(Path(name))


def test_what_is_there_stays(tmp_path: Path) -> None:
    source, made = tmp_path / "rows.csv", Outputs.of(tmp_path / "new" / "dirty.csv")
    source.write_text("x")
    made.check(str(source))
    for path in made.paths().values():
        path.write_text("old")
        with pytest.raises(ConfigError, match=f"{path.name} in .*exist.*\n  remedy: --force"):
            made.check(str(source))
        made.check(str(source), force=True)
        path.unlink()
        path.symlink_to(source)
        with pytest.raises(ConfigError, match="is the source itself"):
            made.check(str(source), force=True)
        path.unlink()
        path.mkdir()
        with pytest.raises(ConfigError, match="is no file"):
            made.check(str(source), force=True)
        path.rmdir()
    blocked = Outputs.of(source / "dirty.csv")
    with pytest.raises(ConfigError, match=r"cannot write to the folder .*\n  remedy: choose another folder"):
        blocked.check(str(source))


def test_all_files_or_none(tmp_path: Path) -> None:
    made = Outputs.of(tmp_path / "dirty.csv")
    with pytest.raises(ZeroDivisionError), made.writing() as paths:
        for path in paths.values():
            path.write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    # the recipe is moved last: where it lies, the others do
    with pytest.raises(MlopsimError, match="cannot write"), made.writing() as paths:
        for path in paths.values():
            path.write_text("whole")
        made.data.mkdir()
    assert list(tmp_path.iterdir()) == [made.data]
    made.data.rmdir()
    with made.writing() as paths:
        for path in paths.values():
            path.write_text("whole")
        assert not made.data.exists()
    assert {p.read_text() for p in tmp_path.iterdir()} == {"whole"} and len(list(tmp_path.iterdir())) == 3


def test_a_format_that_cannot_hold_a_column(tmp_path: Path) -> None:
    nested = pl.DataFrame({"x": [[1, 2]]})
    with pytest.raises(DataError, match=r"cannot write csv: .*\n  remedy: write .parquet"):
        write_frame(nested, tmp_path / "x.csv", ".csv")
    write_frame(nested, tmp_path / "x.parquet", ".parquet")
    assert pl.read_parquet(tmp_path / "x.parquet").equals(nested)


def summary(injector: Any, rate: float = 0.3, at: int = 12) -> Summary:
    clean = clean_stream()
    share = np.where(np.arange(clean.windows) >= at, rate, 0.0)
    made = make("injector", injector)
    aim = Aim(share=share, mechanism=make("mechanism", "random"), rng=np.random.default_rng(0))
    return Summary.of(made, clean, made.apply(clean, aim), share)


def test_what_is_counted() -> None:
    found = summary({"unit_scale": {"features": ["a"], "factor": 10.0}})
    assert found.achieved == [
        Achieved(of="rows that can be hit in a", hit=found.rows, possible=28 * 60, asked=pytest.approx(0.3))
    ]
    assert found.rows == found.cells == found.columns[0].wrong == 504 and found.labels == 0
    assert found.windows == list(range(12, 40)) and not found.notes
    column = found.columns[0]
    assert column.mean is not None and column.sd is not None
    # three tenths of the values are ten times as large
    assert column.mean[0] == pytest.approx(10.0, abs=0.2) and column.mean[1] == pytest.approx(37.0, abs=1.0)
    both = summary({"missing": {"features": ["b", "d"]}})
    # what is missing already cannot be hit
    assert [rate.possible for rate in both.achieved] == [1680 - both.columns[0].missing[0], 1680]
    for rate in both.achieved:
        assert rate.share == pytest.approx(rate.asked, abs=0.01) and rate.asked == pytest.approx(0.3)
    assert both.columns[1].categories == (4, 4) and both.columns[1].mean is None
    assert both.columns[0].missing[1] - both.columns[0].missing[0] == both.columns[0].wrong


def test_windows_labels_and_few_rows() -> None:
    replayed = summary("replayed_batch")
    assert [(rate.of, rate.possible) for rate in replayed.achieved] == [("windows", 28)]
    assert 0 < replayed.achieved[0].hit < 28
    noise = summary("label_noise")
    assert noise.labels == noise.rows == 504 and not noise.columns
    assert sum(after for _, after in noise.classes.values()) == pytest.approx(1.0)
    flips = summary("targeted_flip")
    able = flips.rows
    assert flips.achieved[0].possible == 1680 and able < 504
    assert flips.notes == [f"{able:,} of the 1,680 rows in these windows can be hit"]
    renamed = summary("schema_change", rate=1.0)
    assert "one header" in renamed.notes[0] and renamed.columns[0].missing[1] == 1680
    assert renamed.columns[0].mean is None
    assert not summary({"schema_change": {"change": "reordered"}}, rate=1.0).notes
    nothing = summary("replayed_batch", rate=1e-9)
    assert nothing.rows == 0 and "nothing is wrong" in nothing.notes[0]
    assert Achieved(of="rows", hit=0, possible=0, asked=0.0).share is None
