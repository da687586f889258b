"""Streams from files: formats, gaps, categories, windows, and one clear error for what is wrong."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import canonical, label, make
from mlopsim.learners.encode import Encoder
from mlopsim.streams.stream import Stream

SEED = np.random.SeedSequence(0)
N = 240


def frame() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    age = rng.integers(18, 80, N).astype(float)
    return pl.DataFrame(
        {
            "age": [None if i % 50 == 7 else value for i, value in enumerate(age)],
            "job": [None if i % 60 == 9 else ("cook", "nurse", "clerk")[i % 3] for i in range(N)],
            "sex": ["F" if i % 4 else "M" for i in range(N)],
            "day": np.arange(N)[::-1] // 2,
            "label": np.where(rng.random(N) < 0.4, "yes", "no"),
        }
    )


def write(folder: Path, name: str, data: pl.DataFrame) -> Path:
    path = folder / name
    plain = folder / name.removesuffix(".gz").removesuffix(".zip")
    if plain.suffix == ".parquet":
        data.write_parquet(plain)
    elif plain.suffix == ".arff":
        lines = ["@relation r"]
        for column in data.columns:
            if data[column].dtype == pl.String:
                kind = "{" + ",".join(sorted(data[column].drop_nulls().unique())) + "}"
            else:
                kind = "numeric"
            lines.append(f"@attribute {column} {kind}")
        lines += ["@data", *(",".join("?" if v is None else str(v) for v in row) for row in data.rows())]
        plain.write_text("\n".join(lines) + "\n")
    else:
        data.write_csv(plain, null_value="?", separator="\t" if plain.suffix == ".tsv" else ",")
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(plain.read_bytes()))
    elif name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(plain, plain.name)
    return path


def stream(path: Path | str, **params: Any) -> Stream:
    result: Stream = make("stream", "file", path=str(path), **{"rows": 20, "warmup": 3, **params}).generate(
        SEED
    )
    return result


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".arff"])
@pytest.mark.parametrize("packed", ["", ".gz", ".zip"])
def test_every_format_gives_the_same_stream(tmp_path: Path, suffix: str, packed: str) -> None:
    data = frame()
    got = stream(write(tmp_path, f"rows{suffix}{packed}", data), group="sex")
    assert got.features == ("age", "job", "sex", "day") and got.classes == ("no", "yes")
    assert np.array_equal(got.X[:, 0], data["age"].to_numpy(), equal_nan=True)
    assert got.categories == {1: ("clerk", "cook", "nurse"), 2: ("F", "M")}
    back = [None if np.isnan(code) else got.categories[1][int(code)] for code in got.X[:, 1]]
    assert back == data["job"].to_list()
    assert (got.y == (data["label"] == "yes").to_numpy()).all()
    assert [got.groups[code] for code in got.g] == data["sex"].to_list()
    assert got.windows == 12 and got.events is None
    assert np.isfinite(Encoder.fit(got).transform(got.X)).all()


def test_time_column_sorts_stably_and_is_no_feature(tmp_path: Path) -> None:
    data = frame().with_columns(order=pl.int_range(N))
    path = write(tmp_path, "rows.csv", data)
    got = stream(path, time="day")
    expected = data.sort("day", maintain_order=True)["order"].to_numpy()
    assert got.features == ("age", "job", "sex", "order")
    assert np.array_equal(got.X[:, 3], expected)
    times = pl.datetime(2020, 1, 1) + pl.duration(hours=pl.col("day"))
    for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M"):
        hourly = write(tmp_path, "hourly.csv", data.with_columns(day=times.dt.to_string(form)))
        assert np.array_equal(stream(hourly, time="day").X[:, 3], expected)
    dated = data.with_columns(day=pl.date(2020, 1, 1) + pl.duration(days=pl.col("day")))
    for name in ("dated.csv", "dated.parquet"):
        assert np.array_equal(stream(write(tmp_path, name, dated), time="day").X[:, 3], expected)
    words = write(tmp_path, "words.csv", data.with_columns(day=pl.lit("soon")))
    with pytest.raises(DataError, match="240 of 240 values of the time column 'day'"):
        stream(words, time="day")


def test_windows_thin_and_shuffle(tmp_path: Path) -> None:
    path = write(tmp_path, "rows.csv", frame().with_columns(order=pl.int_range(N)))
    source = make("stream", "file", path=str(path), rows=50, warmup=2, thin=0.5)
    a, b = source.generate(SEED), source.generate(np.random.SeedSequence(1))
    assert a.bounds.tolist() == [0, 25, 50, 75, 100]
    for got in (a, b):
        rows = got.X[:, 4]
        assert (np.diff(rows) > 0).all() and (rows // 50 == np.repeat(np.arange(4), 25)).all()
    assert not np.array_equal(a.X[:, 4], b.X[:, 4])
    assert np.array_equal(a.X, source.generate(np.random.SeedSequence(0)).X, equal_nan=True)
    mixed = make("stream", "file", path=str(path), rows=50, warmup=2, shuffle=True).generate(SEED)
    assert len(np.unique(mixed.X[:, 4])) == 200 and (np.diff(mixed.X[:, 4]) < 0).any()
    automatic = make("stream", "file", path=str(path), windows=12, warmup=2, max_rows=200).generate(SEED)
    assert automatic.bounds.tolist() == list(range(0, 193, 16))
    assert automatic.X[:, 4].max() == 191


def test_labels_groups_and_drops(tmp_path: Path) -> None:
    data = frame().with_columns(
        code=pl.Series([10 if i % 3 else 9 for i in range(N)]),
        race=pl.Series([None if i == 5 else "ab"[i % 2] for i in range(N)]),
    )
    path = write(tmp_path, "rows.csv", data)
    got = stream(path, label="code", drop=["sex"], group="sex", categorical=["day"])
    assert got.classes == ("9", "10") and "sex" not in got.features and got.groups == ("F", "M")
    assert got.categories[got.features.index("day")][:3] == ("0", "1", "2")
    one = stream(path, positive="no")
    assert one.classes == ("yes", "no") and (one.y == (data["label"] == "no").to_numpy()).all()
    three = data.with_columns(job=pl.col("job").fill_null("cook"))
    rest = stream(write(tmp_path, "three.csv", three), label="job", positive="cook")
    assert rest.classes == ("not cook", "cook")
    assert (rest.y == (three["job"] == "cook").to_numpy()).all()
    gap = stream(path, group="race")
    assert gap.groups == ("a", "b", "(missing)") and gap.g[5] == 2 and (gap.g == 2).sum() == 1
    assert stream(write(tmp_path, "many.csv", three), label="job").n_classes == 3


def test_content_enters_the_part(tmp_path: Path) -> None:
    path = write(tmp_path, "rows.csv", frame())
    before = canonical("stream", {"file": {"path": str(path)}})
    assert before["content"] == canonical("stream", {"file": {"path": str(path)}})["content"]
    write(tmp_path, "rows.csv", frame().head(200))
    assert canonical("stream", {"file": {"path": str(path)}})["content"] != before["content"]
    assert stream(path).windows == 10
    assert label("stream", before) == f"file(path={path})"


def broken(folder: Path, case: str) -> tuple[Path, dict[str, Any]]:
    data = frame()
    if case == "missing file":
        write(folder, "rows.csv", data)
        return folder / "row.csv", {}
    if case == "unknown format":
        return write(folder, "rows.csv", data).rename(folder / "rows.xlsx"), {}
    if case == "not parquet":
        return write(folder, "rows.csv", data).rename(folder / "rows.parquet"), {}
    if case == "truncated gzip":
        path = write(folder, "rows.csv.gz", data)
        path.write_bytes(path.read_bytes()[:300])
        return path, {}
    if case in ("empty", "ragged", "twice", "header only"):
        text = {
            "empty": b"",
            "ragged": b"a,label\n1,2\n1,2,3,4\n",
            "twice": b"a,a,label\n1,2,3\n",
            "header only": b"a,label\n",
        }[case]
        (folder / "rows.csv").write_bytes(text)
        return folder / "rows.csv", {}
    if case == "bad arff":
        (folder / "rows.arff").write_text("@relation x\n@attribute a {1,2}\n@data\n7\n")
        return folder / "rows.arff", {}
    changes: dict[str, Any] = {}
    params: dict[str, Any] = {}
    if case == "one class":
        changes["label"] = pl.lit("no")
    elif case == "one class used":
        params["max_rows"] = 230
        changes["label"] = pl.when(pl.int_range(N) > 230).then(pl.lit("yes")).otherwise(pl.lit("no"))
    elif case == "missing labels":
        changes["label"] = pl.when(pl.int_range(N) > 3).then(pl.col("label"))
    elif case == "no values":
        changes["age"] = pl.lit(None, dtype=pl.Float64)
    elif case == "infinite":
        changes["age"] = pl.lit("inf")
    elif case == "number label":
        params["label"] = "amount"
        data = pl.concat([data, data], how="vertical")
        changes["amount"] = pl.Series(np.linspace(0, 1, 2 * N))
    elif case == "3 rows":
        data = data.head(3)
    elif case == "no such label":
        params["label"] = "labl"
    elif case == "no such drop":
        params["drop"] = ["jobb"]
    elif case == "no such positive":
        params["positive"] = "Yes"
    elif case == "nothing left":
        params["drop"] = ["age", "job", "sex", "day"]
    elif case == "nested":
        changes["age"] = pl.concat_list("age", "age")
        return write(folder, "rows.parquet", data.with_columns(**changes)), params
    return write(folder, "rows.csv", data.with_columns(**changes)), params


@pytest.mark.parametrize(
    ("case", "message", "remedy"),
    [
        ("missing file", "no data file .*row.csv; did you mean 'rows.csv'", "pass the path"),
        ("unknown format", "unknown format '.xlsx'", r"\.csv, \.tsv, \.parquet"),
        ("not parquet", "cannot be read as parquet", "whole"),
        ("truncated gzip", "cannot be read as csv", "whole"),
        ("empty", "rows.csv is empty", "header"),
        ("ragged", "rows.csv, line 3 has 4 fields, the header has 2", "quotes"),
        ("bad arff", "line 4: '7' is none of the values of the attribute 'a'", "correct it"),
        ("twice", "several columns 'a'", "name of its own"),
        ("header only", "has no rows", None),
        ("one class", "all labels in 'label' are 'no'", "two classes"),
        ("one class used", "the 220 rows that are used all have the label 'no'", "more rows"),
        ("missing labels", "4 of 240 labels in 'label' are missing", "remove those rows"),
        ("no values", "column 'age' has no value in any of the 240 rows", r"drop=\[age\]"),
        ("infinite", "column 'age' holds infinite values", r"drop=\[age\]"),
        ("number label", "'amount' has 480 different values", "positive"),
        ("3 rows", "3 rows are too few", "warmup"),
        ("no such label", "no label column 'labl'; did you mean 'label'", "its columns: age, job"),
        ("no such drop", "no column 'jobb'; did you mean 'job'", "its columns"),
        ("no such positive", "no label is 'Yes'; did you mean 'yes'", "labels: no, yes"),
        ("nothing left", "no feature columns left", "drop fewer"),
        ("nested", "holds List", r"drop=\[age\]"),
    ],
)
def test_one_clear_error(tmp_path: Path, case: str, message: str, remedy: str | None) -> None:
    path, params = broken(tmp_path, case)
    with pytest.raises(DataError, match=message) as caught:
        stream(path, **params)
    assert remedy is None or caught.match(f"remedy: .*{remedy}")


def test_a_missing_file_is_an_error_before_work_starts() -> None:
    with pytest.raises(DataError, match="no data file nowhere"):
        canonical("stream", {"file": {"path": "nowhere.csv"}})
    with pytest.raises(DataError, match="no path given"):
        canonical("stream", "file")
    with pytest.raises(ConfigError, match=r"file.thin must be in \(0"):
        make("stream", "file", thin=0.0)


def test_column_without_values_in_the_warm_up_only(tmp_path: Path) -> None:
    late = frame().with_columns(age=pl.when(pl.int_range(N) >= 60).then(pl.col("age")))
    got = stream(write(tmp_path, "late.csv", late))
    with pytest.raises(DataError, match="column 'age' has no value in the 60 warm-up rows"):
        Encoder.fit(got)


def test_golden(tmp_path: Path) -> None:
    got = stream(write(tmp_path, "rows.csv", frame()), thin=0.1)
    assert got.bounds.tolist() == list(range(0, 25, 2))
    assert got.X[:4, 0].tolist() == [34.0, 74.0, 35.0, 68.0]
