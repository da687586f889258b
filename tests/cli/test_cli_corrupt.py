"""``mlopsim corrupt``: a dirty file, its truth and its recipe."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from cli_kit import mlopsim
from corrupt_kit import N, corrupt, data

from mlopsim import __version__
from mlopsim.core.digest import digest_file
from mlopsim.core.registry import names
from mlopsim.streams.files.readers import read_frame
from mlopsim.streams.sources.file import FileStream


def result(path: Path, out: Path | str, *words: str) -> dict[str, Any]:
    ended = corrupt(path, out, *words, "--json", "--force")
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


def recipe(path: Path) -> dict[str, Any]:
    from yaml import safe_load

    found: dict[str, Any] = safe_load(path.read_text(encoding="utf-8"))
    return found


def test_what_is_written_and_said(tmp_path: Path) -> None:
    path = data(tmp_path)
    before = path.read_bytes()
    ended = corrupt(
        path,
        "dirty.parquet",
        *shlex.split("--label label --type unit_scale features=size --rate 0.15 --schedule burst"),
    )
    assert ended.code == 0 and not ended.err, ended.err
    assert path.read_bytes() == before
    files = {item.name for item in tmp_path.iterdir()}
    assert files == {"rows.csv", "dirty.parquet", "dirty.truth.parquet", "dirty.recipe.yaml"}
    lines = ended.out.splitlines()
    assert lines[0] == "unit_scale(features=['size']), schedule burst, mechanism random"
    assert lines[1] == (
        "hit:     15.0% of the rows that can be hit in size, asked 15.0% (15 of 100 in 5 windows, 20 to 24)"
    )
    assert lines[2].startswith("wrong:   15 rows, 15 cells, 0 labels; ")
    assert lines[3].startswith("  size         15 wrong: mean ") and ", sd " in lines[3]
    for name in files - {"rows.csv"}:
        assert any(line.endswith(str(tmp_path / name)) for line in lines[4:7])
    dirty, truth = (pl.read_parquet(tmp_path / name) for name in ("dirty.parquet", "dirty.truth.parquet"))
    assert truth.columns == ["row", "window", "row_wrong", "label_wrong", "size", "count", "job", "sex"]
    assert dirty.columns == read_frame(path).columns and dirty["size"].dtype == pl.Float64
    wrong = truth["size"].to_numpy()
    clean = read_frame(path)["size"].cast(pl.Float64).to_numpy()
    # two decimals in the file, and in what is put in
    assert np.array_equal(dirty["size"].to_numpy(), np.where(wrong, np.round(100.0 * clean, 2), clean))
    assert set(np.flatnonzero(wrong) // 20) <= set(range(20, 25)) and wrong.sum() == 15
    assert truth["row_wrong"].to_list() == wrong.tolist()
    first = int(np.flatnonzero(wrong)[0])
    example = f"row {first}: {clean[first]} → {100.0 * clean[first]}"
    assert lines[3].endswith(f"; {example}")


def test_json_and_recipe(tmp_path: Path) -> None:
    path = data(tmp_path)
    found = result(path, "dirty.csv", "--type", "label_noise", "--seed", "4", "schedule.at=12")
    assert found["labels"] == found["rows"] and found["cells"] == 0 and found["seed"] == 4
    (rate,) = found["achieved"]
    assert rate["possible"] == 400 and rate["hit"] == found["labels"]
    assert abs(rate["hit"] / 400 - 0.15) < 0.02 and rate["asked"] == pytest.approx(0.15)
    assert found["windows"] == list(range(12, 32)) and set(found["classes"]) == {"0", "1"}
    assert {found["examples"]["label"]["before"], found["examples"]["label"]["after"]} == {"0", "1"}
    made = recipe(Path(found["recipe"]))
    assert (
        made["mlopsim"] == __version__ and made["seed"] == 4 and set(made["versions"]) == {"numpy", "polars"}
    )
    files = {"source": path, "data": Path(found["data"]), "truth": Path(found["truth"])}
    assert made["digests"] == {name: digest_file(file) for name, file in files.items()}
    assert made["stream"]["content"]["base"]["blake2b"] == made["digests"]["source"]
    assert made["stream"]["params"]["timing"]["params"]["at"] == 12
    # the recipe's command makes the same bytes again
    for file in (files["data"], files["truth"]):
        file.unlink()
    assert mlopsim(*shlex.split(made["command"])[1:], "--force").code == 0
    assert recipe(Path(found["recipe"])) == made
    assert {name: digest_file(file) for name, file in files.items()} == made["digests"]


@pytest.mark.parametrize("out", ["dirty.csv", "dirty.csv.gz", "dirty.parquet"])
def test_seeds(tmp_path: Path, out: str) -> None:
    path = data(tmp_path)
    for kind in ("typo", "missing", "late_rows"):
        digests = []
        for seed in ("0", "0", "1"):
            found = result(path, out, "--type", kind, "--seed", seed)
            digests.append([digest_file(found[name]) for name in ("data", "truth")])
        assert digests[0] == digests[1], kind
        assert digests[0][0] != digests[2][0] and digests[0][1] != digests[2][1], kind


@pytest.mark.parametrize("kind", names("injector"))
def test_every_injector(tmp_path: Path, kind: str) -> None:
    path = data(tmp_path)
    found = result(path, "dirty.csv", "--type", kind, "--rate", "0.4")
    before, after = read_frame(path), read_frame(tmp_path / "dirty.csv")
    truth = pl.read_parquet(tmp_path / "dirty.truth.parquet")
    cells = 0
    for name in ("size", "count", "job", "sex", "label"):
        # numbers may be spelt in another way only where they are wrong
        mask = (before[name] != after[name]).fill_null(True).to_list()
        assert truth["label_wrong" if name == "label" else name].to_list() == mask, name
        cells += sum(mask)
    assert cells == found["cells"] + found["labels"] > 0
    assert truth["row_wrong"].sum() == found["rows"]
    assert not truth["row_wrong"].to_numpy()[: 20 * 20].any()
    if found["achieved"][0]["of"] != "windows" and kind != "targeted_flip":
        for rate in found["achieved"]:
            assert rate["hit"] / rate["possible"] == pytest.approx(rate["asked"], abs=0.05)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--schedule", "step"], range(20, 32)),
        (["--schedule", "step", "schedule.at=30"], range(30, 32)),
        (["--schedule", "ramp", "schedule.width=4"], range(20, 32)),
        (["--schedule", "burst", "schedule.length=2"], range(20, 22)),
        (["--schedule", "timing/recurring", "schedule.every=5", "schedule.length=1"], (20, 25, 30)),
        (["--warmup", "2", "schedule.at=3"], range(3, 32)),
    ],
)
def test_schedules(tmp_path: Path, words: list[str], expected: Any) -> None:
    found = result(data(tmp_path), "dirty.csv", "--type", "missing", "--rate", "0.5", *words)
    truth = pl.read_parquet(found["truth"]).filter("row_wrong")
    assert sorted(truth["window"].unique()) == found["windows"] == list(expected)
    counts = truth["window"].value_counts().sort("window")["count"].to_list()
    if "ramp" in words:
        assert counts[:3] != [10, 10, 10] and counts[:2] < [10, 10] and counts[3:] == [10] * 9
        # a rising rate: the mean of what was asked
        assert found["achieved"][0]["asked"] == pytest.approx(0.5 * (0.25 + 0.5 + 0.75 + 9) / 12)
    else:
        assert set(counts) == {10}


def test_mechanisms(tmp_path: Path) -> None:
    path = data(tmp_path)
    words = ["--type", "missing", "features=size", "--rate", "0.25", "--mechanism"]
    clean = read_frame(path).with_columns(pl.col("size", "count").cast(pl.Float64)).tail(240)

    def hit(*more: str) -> pl.DataFrame:
        found = result(path, "dirty.parquet", *words, *more)
        return clean.filter(pl.read_parquet(found["truth"])["size"].tail(240))

    assert hit("own_value")["size"].min() > 50.0
    assert hit("own_value", "mechanism.end=low")["size"].max() < 50.0
    assert hit("other_column", "mechanism.feature=count")["count"].min() > 500.0
    # labels that look like numbers are text
    assert set(hit("label", "mechanism.value=1")["label"]) == {"1"}
    assert set(hit("group", "mechanism.value=F", "--group", "sex")["sex"]) == {"F"}
    assert set(hit("random")["label"]) == {"0", "1"}
    assert len(hit("random")) == 60


def test_categories(tmp_path: Path) -> None:
    path = data(tmp_path)
    found = result(path, "dirty.csv", "--type", "typo", "features=job", "--rate", "0.5")
    names_ = set(read_frame(Path(found["data"]))["job"]) - {"cook", "nurse", "clerk"}
    assert len(names_) > 4 and {len(name) for name in names_} <= {4, 5}
    assert found["columns"][0]["categories"] == [3, 4]
    # where all are hit the seed still says how they are misspelt
    slips = []
    for seed in ("0", "1"):
        words = ["--type", "typo", "features=job", "--rate", "1", "--seed", seed]
        slips.append(read_frame(Path(result(path, "all.csv", *words)["data"]))["job"].to_list())
    assert slips[0] != slips[1]
    result(path, "dirty.csv", "--type", "unseen_category", "features=job", "label=0")
    assert set(read_frame(tmp_path / "dirty.csv")["job"]) == {"cook", "nurse", "clerk", "0"}
    coded = data(tmp_path, "coded.csv", job=pl.int_range(N) % 3)
    words = ["--type", "merged_categories", "features=job"]
    assert "corrupts categorical columns, 'job' is none" in corrupt(coded, "x.csv", *words).err
    done = result(coded, "x.csv", *words, "--categorical", "job")
    assert done["columns"][0]["feature"] == "job"
    # the line that reads the result names the column, too
    assert "'stream.categorical=[job]'" in done["read"]


def test_lists_and_dropped_columns(tmp_path: Path) -> None:
    path = data(tmp_path)
    for words in (["features=size,count"], ["features=[size, count]"], ["count=2"]):
        found = result(path, "dirty.csv", "--type", "affine", "gain=2", *words)
        assert [column["feature"] for column in found["columns"]] == ["size", "count"]
        assert len(found["achieved"]) == 2
    dropped = result(path, "dirty.csv", "--type", "late_rows", "--drop", "sex", "--drop", "job")
    assert [column["feature"] for column in dropped["columns"]] == ["size", "count"]
    assert "sex" not in pl.read_parquet(dropped["truth"]).columns
    assert read_frame(Path(dropped["data"]))["sex"].equals(read_frame(path)["sex"])
    assert "'stream.drop=[sex,job]'" in dropped["read"]


def test_the_command_that_reads_the_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = data(tmp_path, **{"it's, so": pl.int_range(N) % 5})
    found = result(path, "dirty file.parquet", "--type", "missing", "--drop", "it's, so", "--group", "sex")
    words = shlex.split(found["read"])
    assert words[:3] == ["mlopsim", "bench", "suite=quick"]
    shown = mlopsim(*words[1:], "--print-config")
    assert shown.code == 0, shown.err
    from yaml import safe_load

    stream = safe_load(shown.out)["stream"]
    assert stream["path"] == str(tmp_path / "dirty file.parquet") and stream["drop"] == ["it's, so"]
    assert (stream["rows"], stream["warmup"], stream["group"], stream["label"]) == (20, 10, "sex", "label")
    fields = {key: value for key, value in stream.items() if key != "component"}
    stream = FileStream(**fields).generate(np.random.SeedSequence(0))
    assert np.isnan(stream.X).sum() == found["cells"] and stream.windows == 32


def test_a_plug_in(tmp_path: Path) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        "from dataclasses import dataclass\n"
        "from mlopsim.core.registry import register\n"
        "from mlopsim.streams.injectors.base import ColumnInjector\n"
        "@register('injector', 'negated')\n"
        "@dataclass(kw_only=True)\n"
        "class Negated(ColumnInjector):\n"
        "    '''Minus.'''\n"
        "    offset: float = 0.0\n"
        "    def spoilt(self, stream, column, chosen, rng):\n"
        "        return self.offset - stream.X[chosen, column]\n"
    )
    path = data(tmp_path)
    found = result(path, "dirty.csv", "--type", "negated", "offset=1e3", "--plugin", str(plugin))
    assert found["cells"] > 0
    made = recipe(Path(found["recipe"]))
    assert made["stream"]["params"]["injector"]["version"] == f"plugin-{digest_file(plugin)}"
    assert made["stream"]["params"]["injector"]["params"]["offset"] == 1000.0
    assert mlopsim(*shlex.split(made["command"])[1:], "--force").code == 0
    assert recipe(Path(found["recipe"])) == made


@pytest.mark.parametrize("time", [(), ("--time", "when")])
def test_a_column_without_a_name_is_no_feature_and_stays_as_it_is(
    tmp_path: Path, time: tuple[str, ...]
) -> None:
    path = data(tmp_path, when=pl.date(2020, 1, 1) + pl.duration(days=pl.int_range(N)))
    lines = path.read_text().splitlines()
    path.write_text("\n".join(f"{i - 1 if i else ''},{line}" for i, line in enumerate(lines)))
    before = path.read_text().splitlines()
    for out in ("dirty.csv", "dirty.parquet"):
        ended = corrupt(path, out, "--type", "missing", "--force", *time)
        assert ended.code == 0, ended.err
        # said once in a process, which keeps the table
        said = "warning: rows.csv: column 1 ('0', '1', '2', ...) has no name"
        assert (said in ended.err) == (out == "dirty.csv")
        truth = pl.read_parquet(tmp_path / "dirty.truth.parquet")
        assert truth.columns[4:] == ["size", "count", "job", "sex", *([] if time else ["when"])]
    dirty = (tmp_path / "dirty.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in dirty] == [line.partition(",")[0] for line in before]
    assert sum(a != b for a, b in zip(before, dirty, strict=True)) > 0


@pytest.mark.parametrize("words", [("--missing", "many"), ("--categorical", "count")])
def test_a_mark_among_numbers_is_what_its_owner_says(tmp_path: Path, words: tuple[str, str]) -> None:
    mixed = pl.when(pl.int_range(N) == 600).then(pl.lit("many")).otherwise("count")
    path = data(tmp_path, count=mixed)
    ended = corrupt(path, "dirty.csv", "--type", "unit_scale")
    assert ended.code == 2 and "639 of 640 values of column 'count'" in ended.err
    assert "--missing 'many' (nothing), --categorical 'count' (codes), --drop 'count'" in ended.err
    found = result(path, "dirty.csv", "--type", "unit_scale", "features=size", *words)
    assert [column["feature"] for column in found["columns"]] == ["size"]
    # the recipe and the command that reads the result say it, too
    made = recipe(Path(found["recipe"]))
    assert f"{words[0]} {words[1]}" in made["command"] and f"stream.{words[0][2:]}=" in found["read"]
    assert mlopsim(*shlex.split(made["command"])[1:], "--force").code == 0
    assert recipe(Path(found["recipe"])) == made
    assert read_frame(tmp_path / "dirty.csv")["count"][600] == "many"


def test_parquet_and_a_time_column(tmp_path: Path) -> None:
    when = pl.date(2020, 1, 1) + pl.duration(days=N - pl.int_range(N))
    path = data(tmp_path, "rows.parquet", when=when, count=pl.col("count").cast(pl.Int16))
    found = result(path, "dirty.parquet", "--type", "missing", "features=count", "--time", "when")
    dirty, truth = pl.read_parquet(found["data"]), pl.read_parquet(found["truth"])
    assert dirty.schema == pl.read_parquet(path).schema
    # time runs backwards in this file
    assert not truth["row_wrong"][-400:].any() and truth["window"][0] == 31 and truth["row"].is_sorted()
    assert dirty["count"].is_null().to_list() == truth["count"].to_list()
    assert "stream.time=when" in found["read"]


def test_more_columns_than_are_shown(tmp_path: Path) -> None:
    many = {f"x{i}": (pl.int_range(N) * (i + 3)) % 97 for i in range(30)}
    ended = corrupt(data(tmp_path, **many), "dirty.csv", "--type", "late_rows")
    assert ended.code == 0 and "and 14 more columns: see --json" in ended.out
    assert sum(" → " in line for line in ended.out.splitlines()) == 22
