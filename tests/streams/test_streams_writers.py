"""Errors in files: only the wrong cells change, the truth says which, types and spelling stay."""

from __future__ import annotations

import dataclasses
import gzip
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.registry import names
from mlopsim.core.spec import make
from mlopsim.streams.corrupt_file.write import TRUTH, FileRows
from mlopsim.streams.files.readers import read_frame
from mlopsim.streams.injectors.base import Corrupted
from mlopsim.streams.stream import Stream

SEED = np.random.SeedSequence(3)
N = 330


def frame(n: int = N) -> pl.DataFrame:
    """Numbers of several spellings, categories with blanks, gaps, days in reverse, three classes."""
    rng = np.random.default_rng(1)
    age = rng.integers(18, 80, n)
    income = rng.normal(3000.0, 800.0, n)
    return pl.DataFrame(
        {
            "age": [None if i % 50 == 7 else str(value) for i, value in enumerate(age)],
            "income": [f"{value:.2f}" for value in income],
            "rate": [f"{value:.3f}" for value in rng.normal(size=n)],
            "job": [None if i % 60 == 9 else ("cook", " nurse", "clerk, head")[i % 3] for i in range(n)],
            "sex": ["F" if i % 4 else "M" for i in range(n)],
            "zip": [f"0{i % 7}" for i in range(n)],
            "day": [str(n - i // 2) for i in range(n)],
            "label": [("low", "mid", "high")[int(v)] for v in rng.integers(0, 3, n)],
        }
    )


def write(folder: Path, name: str = "rows.csv", data: pl.DataFrame | None = None) -> Path:
    data = frame() if data is None else data
    path = folder / name
    if name.endswith(".parquet"):
        data.write_parquet(path)
    else:
        text = data.write_csv(separator="\t" if ".tsv" in name else ",").encode()
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return path


@dataclasses.dataclass(kw_only=True)
class Done:
    """All that became of a file."""

    clean: Stream
    found: Corrupted
    rows: FileRows
    dirty: pl.DataFrame
    truth: pl.DataFrame


def corrupt(
    path: Path, injector: Any, form: str = ".csv", *, seed: Any = SEED, slips: bool = False, **base: Any
) -> Done:
    """Put errors at rate .4 into windows from the 6th of 20 rows each."""
    source = make(
        "stream",
        "corrupted",
        base={"file": {"path": str(path), "rows": 20, "warmup": 3, "categorical": ["zip"], **base}},
        injector=injector,
        timing={"step": {"at": 6}},
        rate=0.4,
    )
    clean = source.clean(seed)
    rows = FileRows.of(make("stream", source.base), form)
    found = rows.settled(source.corrupt(clean, seed))
    dirty = rows.dirty(found, np.random.default_rng(0) if slips else None)
    return Done(clean=clean, found=found, rows=rows, dirty=dirty, truth=rows.truth(clean, found))


def values(frame: pl.DataFrame, name: str) -> list[Any]:
    """A column as a reader takes it: numbers as floats, text without blanks, None where it is missing."""
    result: list[Any] = []
    for value in frame[name].to_list():
        text = "" if value is None else str(value).strip()
        try:
            number = float(text)
            result.append(None if np.isnan(number) else number)
        except ValueError:
            result.append(text or None)
    return result


def assert_truth(before: pl.DataFrame, after: pl.DataFrame, truth: pl.DataFrame, label: str = "label") -> int:
    """The mask is where the files differ, cell by cell; return how many cells do."""
    assert before.columns == after.columns and len(before) == len(after) == len(truth)
    differ = {
        name: [a != b for a, b in zip(values(before, name), values(after, name), strict=True)]
        for name in before.columns
    }
    for name in truth.columns[len(TRUTH) :]:
        assert truth[name].to_list() == differ[name], name
    assert truth["label_wrong"].to_list() == differ[label]
    features = set(truth.columns) - set(TRUTH)
    assert not any(any(differ[name]) for name in set(before.columns) - features - {label})
    assert truth["row_wrong"].to_list() == [any(row) for row in zip(*differ.values(), strict=True)]
    return sum(map(sum, differ.values()))


@pytest.mark.parametrize("injector", names("injector"))
@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_every_injector_changes_what_its_truth_says(tmp_path: Path, injector: str, name: str) -> None:
    path = write(tmp_path)
    form = path.suffix if name.endswith("csv") else ".parquet"
    done = corrupt(path, injector, form, slips=injector == "typo")
    target = tmp_path / f"dirty{form}"
    done.rows.write(done.dirty, done.truth, target, form)
    after = read_frame(target)
    assert assert_truth(read_frame(path), after, done.truth) > 0
    # nothing before the errors begin, nor behind the last window
    first = 6 * 20
    assert not done.truth["row_wrong"][:first].any() and not done.truth["row_wrong"][320:].any()
    assert done.truth["window"].to_list() == [*np.repeat(np.arange(16), 20).tolist(), *[None] * 10]
    # who reads the file gets the stream with errors, but for the names of new categories
    back = make("stream", "file", path=str(target), rows=20, warmup=3, categorical=["zip"]).generate(SEED)
    assert np.array_equal(back.y, done.found.y) and back.classes == done.clean.classes
    for j, feature in enumerate(done.clean.features):
        if j not in done.clean.categories:
            assert np.array_equal(back.X[:, j], done.found.X[:, j], equal_nan=True), feature
            continue
        known = done.clean.categories[j]
        codes = [None if np.isnan(code) else back.categories[j][int(code)] for code in back.X[:, j]]
        for code, read in zip(done.found.X[:, j], codes, strict=True):
            if np.isnan(code):
                assert read is None
            elif code < len(known):
                assert read is not None and known[int(code)].strip("0") == read.strip("0")
            else:
                assert read is not None and read not in known


QUOTED = b"\xef\xbb\xbfx,job,note,label\r\n" + b"".join(
    b'%d.50,"%s","say ""%d"", twice",%s\r\n'
    % (i, (b"cook", b"nurse, head")[i % 2], i % 3, b"ny"[i % 3 % 2 :][:1])
    for i in range(200)
)


@pytest.mark.parametrize("packed", ["", ".gz", ".zip"])
@pytest.mark.parametrize("form", [".csv", ".csv.gz"])
def test_other_bytes_of_csv_stay(tmp_path: Path, packed: str, form: str) -> None:
    path = tmp_path / f"rows.csv{packed}"
    if packed == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("rows.csv", QUOTED)
    else:
        path.write_bytes(gzip.compress(QUOTED) if packed else QUOTED)
    for injector, feature in (("unit_scale", 0), ("typo", 1), ("missing", 2), ("label_noise", 3)):
        spec = {injector: {} if feature == 3 else {"features": [("x", "job", "note")[feature]]}}
        done = corrupt(path, spec, slips=True, categorical=[])
        done.rows.write(done.dirty, done.truth, tmp_path / f"dirty{form}", form)
        data = (tmp_path / f"dirty{form}").read_bytes()
        data = gzip.decompress(data) if form.endswith(".gz") else data
        before, after = QUOTED.split(b"\r\n"), data.split(b"\r\n")
        assert len(before) == len(after) and before[0] == after[0]
        wrong = done.truth["row_wrong"].to_list()
        assert [a != b for a, b in zip(before[1:-1], after[1:-1], strict=True)] == wrong and sum(wrong) > 20
        for i in np.flatnonzero(wrong):
            old, new = before[i + 1], after[i + 1]
            if feature == 0:
                assert new == b"%d.0" % (int(i) * 100 + 50) + old[old.index(b",") :]
            elif feature == 1:
                assert new.split(b'"')[2:] == old.split(b'"')[2:] and len(new) in (len(old), len(old) + 1)
            elif feature == 2:
                start, stop = old.index(b'"say'), old.rindex(b",")
                assert new == old[:start] + old[stop:]
            else:
                assert new[:-1] == old[:-1] and {new[-1:], old[-1:]} == {b"n", b"y"}


def test_values_from_elsewhere_are_written_as_they_stand_there(tmp_path: Path) -> None:
    path = write(tmp_path)
    for injector in ("late_rows", "duplicate_rows", "replayed_batch", "irrelevant_feature", "stuck_sensor"):
        done = corrupt(path, injector)
        for name in done.dirty.columns:
            assert set(done.dirty[name].to_list()) <= set(done.rows.frame[name].to_list()), (injector, name)


def test_text_becomes_typed_only_where_the_format_has_types(tmp_path: Path) -> None:
    for name in ("rows.csv", "rows.tsv", "rows.csv.gz"):
        path = write(tmp_path, name)
        assert set(corrupt(path, "missing").dirty.dtypes) == {pl.String()}
        schema = corrupt(path, "label_noise", ".parquet").dirty.schema
        assert schema["age"] == pl.Int64 and schema["income"] == pl.Float64 and schema["day"] == pl.Int64
        # numbers with leading zeros are no numbers
        assert schema["zip"] == schema["job"] == schema["label"] == pl.String
    tabs = corrupt(write(tmp_path, "rows.tsv"), "missing")
    tabs.rows.write(tabs.dirty, tabs.truth, tmp_path / "dirty.csv", ".csv")
    assert read_frame(tmp_path / "dirty.csv").equals(tabs.dirty)


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    data = frame().select(
        pl.col("age").cast(pl.UInt8),
        pl.col("income").cast(pl.Float64),
        pl.col("job").cast(pl.Enum(["cook", " nurse", "clerk, head"])),
        pl.col("sex").cast(pl.Categorical),
        (pl.col("day").cast(pl.Int32) > 200).alias("late"),
        (pl.date(2020, 1, 1) + pl.duration(days=pl.col("day").cast(pl.Int64))).alias("when"),
        pl.col("rate").cast(pl.Float32),
        "label",
    )
    path = write(tmp_path, "rows.parquet", data)
    for injector in ("label_noise", "late_rows", "missing", "stuck_sensor"):
        done = corrupt(path, injector, ".parquet", categorical=[])
        assert done.dirty.schema == data.schema, injector
        done.rows.write(done.dirty, done.truth, tmp_path / "dirty.parquet", ".parquet")
        assert pl.read_parquet(tmp_path / "dirty.parquet").equals(done.dirty)
        assert assert_truth(data, done.dirty, done.truth) > 0

    def column(injector: str, feature: str, **params: Any) -> pl.Series:
        spec = {injector: {"features": [feature], **params}}
        return corrupt(path, spec, ".parquet", categorical=[]).dirty[feature]

    assert column("unit_scale", "age", factor=2.0).dtype == pl.UInt8
    # whole numbers stay whole
    assert column("affine", "age").dtype == pl.UInt8
    with pytest.raises(DataError, match=r"'age' that UInt8 does not hold\n  remedy: .*drop=\[age\].*csv"):
        column("unit_scale", "age", factor=1000.0)
    for factor in (2.0, 0.1):
        assert column("unit_scale", "rate", factor=factor).dtype == pl.Float32
    # a file of text has no types that could be kept
    wider = corrupt(path, {"unit_scale": {"features": ["age"], "factor": 1000.0}}, categorical=[])
    assert wider.dirty["age"].dtype == pl.Int64
    assert "unseen" in column("unseen_category", "job").to_list()
    assert isinstance(column("unseen_category", "job").dtype, pl.Enum)
    assert column("unseen_category", "sex").dtype == pl.Categorical
    with pytest.raises(DataError, match="'when' that are no Date"):
        column("unit_scale", "when", factor=1e6)
    # integers that are categories cannot hold a new one that is none
    coded = write(tmp_path, "coded.parquet", data.with_columns(zip=pl.int_range(N) % 7))
    with pytest.raises(DataError, match=r"'unseen' is no Int64, which 'zip' holds\n  remedy: .*label="):
        corrupt(coded, {"unseen_category": {"features": ["zip"]}}, ".parquet")
    done = corrupt(coded, {"unseen_category": {"features": ["zip"], "label": "99"}}, ".parquet")
    assert done.dirty["zip"].dtype == pl.Int64 and set(done.dirty["zip"]) == {*range(7), 99}
    text = corrupt(coded, {"unseen_category": {"features": ["zip"]}}, ".csv")
    assert text.dirty["zip"].dtype == pl.String and set(text.dirty["zip"]) == {*"0123456", "unseen"}


def test_rows_stand_where_they_stood_whatever_the_time_says(tmp_path: Path) -> None:
    path = write(tmp_path)
    done = corrupt(path, {"unit_scale": {"features": ["income"]}}, time="day")
    assert "day" not in done.truth.columns
    assert assert_truth(read_frame(path), done.dirty, done.truth) > 0
    # equal days keep their order
    day = frame()["day"].cast(pl.Int64).to_numpy()
    assert np.array_equal(done.rows.order, np.argsort(day, kind="stable"))
    window = done.truth["window"].to_numpy()[done.rows.order[:320]]
    assert np.array_equal(window, np.repeat(np.arange(16), 20))
    late = corrupt(path, "late_rows", time="day")
    late.rows.write(late.dirty, late.truth, tmp_path / "late.csv", ".csv")
    params = {"rows": 20, "warmup": 3, "time": "day", "categorical": ["zip"]}
    back = make("stream", "file", path=str(tmp_path / "late.csv"), **params).generate(SEED)
    assert np.array_equal(back.X, late.found.X, equal_nan=True) and np.array_equal(back.y, late.found.y)
    # the last days, in the first lines of the file, fill no window
    assert done.truth["window"][:10].null_count() == 10
    assert not done.truth["row_wrong"].to_numpy()[done.rows.order[:120]].any()


def test_new_categories_and_slips(tmp_path: Path) -> None:
    path = write(tmp_path)
    unseen = corrupt(path, {"unseen_category": {"features": ["job"], "label": "pilot"}})
    wrong = unseen.truth["job"]
    assert set(unseen.dirty["job"].filter(wrong)) == {"pilot"}
    typo = corrupt(path, {"typo": {"features": ["job"]}}, slips=True)
    before, after = (f["job"].filter(typo.truth["job"]).to_list() for f in (frame(), typo.dirty))
    known = {"cook", "nurse", "clerk, head"}
    assert not {name.strip() for name in after} & known and len(set(after)) > 5
    for old, new in zip(before, after, strict=True):
        assert sorted(old.strip()) == sorted(new.strip()) or len(new) == len(old.strip()) + 1
    for name in (" cook ", "NA"):
        with pytest.raises(DataError, match=f"'{name}' as a new category of 'job' reads as"):
            corrupt(path, {"unseen_category": {"features": ["job"], "label": name}})
    with pytest.raises(DataError, match="another name"):
        corrupt(path, {"unseen_category": {"features": ["zip"], "label": "3.0"}}, categorical=["zip"])


def test_the_truth_has_names_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, data=frame().rename({"age": "window"}))
    with pytest.raises(DataError, match=r"the feature 'window' has the name of a column of the truth"):
        corrupt(path, "missing")
    done = corrupt(path, "label_noise", drop=["window"])
    assert done.truth.columns == [*TRUTH, "income", "rate", "job", "sex", "zip", "day"]
    assert done.dirty.columns == done.rows.frame.columns


def test_rows_of_another_file_are_refused(tmp_path: Path) -> None:
    small = corrupt(write(tmp_path, data=frame(200)), "missing")
    large = corrupt(write(tmp_path, "large.csv"), "missing")
    with pytest.raises(DataError, match=r"masks do not fit the file: .* 320 rows, the file has 200 rows"):
        small.rows.dirty(large.found)
    with pytest.raises(DataError, match="masks do not fit"):
        small.rows.truth(large.clean, large.found)
    for params in ({"thin": 0.5}, {"shuffle": True}, {"max_rows": 100}):
        source = make("stream", "file", path=str(tmp_path / "rows.csv"), **params)
        with pytest.raises(ConfigError, match="drawn, shuffled or cut"):
            FileRows.of(source)


def test_arff(tmp_path: Path) -> None:
    lines = ["@relation r", "@attribute x numeric", "@attribute job {cook,nurse}", "@attribute label {n,y}"]
    lines += ["@data", *(f"{i},{('cook', 'nurse')[i % 2]},{'ny'[i % 3 % 2]}" for i in range(200))]
    path = tmp_path / "rows.arff"
    path.write_text("\n".join(lines) + "\n")
    for form in (".csv", ".parquet"):
        done = corrupt(path, "typo", form, slips=True, categorical=[])
        done.rows.write(done.dirty, done.truth, tmp_path / f"dirty{form}", form)
        assert assert_truth(read_frame(path), read_frame(tmp_path / f"dirty{form}"), done.truth) > 0


def test_seeds_and_bytes(tmp_path: Path) -> None:
    path = write(tmp_path)
    for form in (".csv", ".csv.gz", ".parquet"):
        data = []
        for number, seed in enumerate((0, 0, 1)):
            done = corrupt(path, "missing", form, seed=np.random.SeedSequence(seed))
            done.rows.write(done.dirty, done.truth, tmp_path / f"{number}{form}", form)
            data.append((tmp_path / f"{number}{form}").read_bytes())
            # no time of writing in gzip's header
            assert form != ".csv.gz" or data[-1][4:8] == bytes(4)
        assert data[0] == data[1] != data[2], form
