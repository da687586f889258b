"""What errors may write into a file: nothing that its columns do not hold, and no other byte."""

from __future__ import annotations

import csv
import io
import warnings
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mlopsim.core.errors import DataError, DataWarning
from mlopsim.core.registry import names
from mlopsim.core.spec import make
from mlopsim.streams.corrupt_file.write import FileRows

SEED = np.random.SeedSequence(3)
N = 240


def columns() -> dict[str, list[Any]]:
    rng = np.random.default_rng(2)
    start = datetime(2020, 1, 1, tzinfo=UTC)
    return {
        "count": [None if i % 40 == 7 else int(v) for i, v in enumerate(rng.integers(-300, 300, N))],
        "size": [round(float(v), 2) for v in rng.normal(50.0, 10.0, N)],
        "made": [date(2020, 1, 1) + timedelta(days=int(v)) for v in rng.integers(0, 900, N)],
        "seen": [start + timedelta(minutes=int(v)) for v in rng.integers(0, 9**6, N)],
        "fit": [bool(v) for v in rng.integers(0, 2, N)],
        "job": [("Köchin", "nurse; head", "clerk")[int(v)] for v in rng.integers(0, 3, N)],
        "label": [("no", "yes")[int(v)] for v in rng.integers(0, 2, N)],
    }  # fmt: skip


def done(path: Path, injector: Any, form: str, seed: int = 3) -> tuple[pl.DataFrame, Path]:
    """Put errors at rate .5 into windows from the 4th of 20 rows each; return the truth and the new file."""
    source = make(
        "stream", "corrupted", base={"file": {"path": str(path), "rows": 20, "warmup": 2}}, injector=injector,
        timing={"step": {"at": 4}}, rate=0.5,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        root = np.random.SeedSequence(seed)
        clean = source.clean(root)
        rows = FileRows.of(make("stream", source.base), form)
        found = source.corrupt(clean, root)
        truth = rows.truth(clean, found)
        target = path.with_name(f"dirty{form}")
        rows.write(rows.dirty(found), truth, target, form)
    return truth, target


PARQUET = pl.Schema(
    {
        "count": pl.Int16(),
        "size": pl.Float32(),
        "made": pl.Date(),
        "seen": pl.Datetime("ms", "UTC"),
        "fit": pl.Boolean(),
        "job": pl.Categorical(),
        "label": pl.String(),
    }
)


@pytest.mark.parametrize("injector", names("injector"))
def test_parquet_keeps_its_schema_and_says_what_changed(tmp_path: Path, injector: str) -> None:
    before = pl.DataFrame(columns()).cast(dict(PARQUET))  # type: ignore[arg-type]
    before.write_parquet(tmp_path / "rows.parquet")
    hit = 0
    for seed in range(3):
        try:
            truth, target = done(tmp_path / "rows.parquet", injector, ".parquet", seed)
        except DataError as error:
            # what a type cannot hold is refused, not widened
            assert "does not hold" in error.message or "that are no" in error.message, error
            continue
        after = pl.read_parquet(target)
        assert after.schema == before.schema
        for name in before.columns:
            wrong = truth["label_wrong" if name == "label" else name]
            assert after[name].ne_missing(before[name]).to_list() == wrong.to_list(), name
            hit += int(wrong.sum())
    if injector not in ("unit_scale", "affine", "outlier_global"):
        assert hit > 0


@pytest.mark.parametrize("injector", names("injector"))
@pytest.mark.parametrize("style", ["plain", "semicolon", "row names"])
def test_text_stays_but_for_the_wrong_cells(tmp_path: Path, injector: str, style: str) -> None:
    data = {name: ["" if v is None else str(v) for v in values] for name, values in columns().items()}
    data["seen"] = [text.replace(" ", "T").replace("+00:00", "Z") for text in data["seen"]]
    lines = []
    sep = ";" if style == "semicolon" else ","
    for i, row in enumerate(zip(*data.values(), strict=True)):
        cells = [f'"{cell}"' if (j == 5 or (i + j) % 5 == 0) and cell else cell for j, cell in enumerate(row)]
        if style == "row names":
            cells.insert(0, f'"{i}"')
        lines.append(sep.join(cells) + ("\r\n" if i % 3 else "\n") + ("\n" if i % 50 == 9 else ""))
    original = sep.join(f'"{name}"' for name in data) + "\r\n" + "".join(lines)
    encoding = "cp1252" if style == "semicolon" else "utf-8-sig"
    (tmp_path / "rows.csv").write_bytes(original.encode(encoding))
    try:
        truth, target = done(tmp_path / "rows.csv", injector, ".csv")
    except DataError as error:
        assert "that are no dates like" in error.message, error
        return
    text = target.read_bytes().decode(encoding)
    assert text.encode(encoding) == target.read_bytes()

    def parts(text: str) -> list[list[str]]:
        return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=sep) if row]

    before, after = parts(original)[1:], parts(text)[1:]
    shift = style == "row names"
    mask = [[name, "label_wrong"][name == "label"] for name in data]
    changed = [
        [a != b for a, b in zip(old, new, strict=True)][shift:]
        for old, new in zip(before, after, strict=True)
    ]
    assert changed == [list(row) for row in truth.select(mask).iter_rows()]
    assert sum(map(sum, changed)) > 0
    # lines without a wrong cell are the same bytes, and so are the ends of all lines
    for i, (old, new) in enumerate(zip(original.split("\n"), text.split("\n"), strict=True)):
        assert old.endswith("\r") == new.endswith("\r")
        assert old == new or i > 4 * 20
    # whole numbers stay whole, dates dates, truths truths
    for row in after:
        cells = row[shift:]
        assert not cells[0] or cells[0].lstrip("-").isdigit()
        assert not cells[2] or date.fromisoformat(cells[2])
        assert not cells[3] or (datetime.fromisoformat(cells[3]) and cells[3].endswith("Z"))
        assert cells[4] in ("", "True", "False")


def test_what_rounds_to_what_it_was_is_not_wrong(tmp_path: Path) -> None:
    data = {"x": [i % 2 for i in range(N)], "label": [("a", "b")[i % 3 == 0] for i in range(N)]}
    pl.DataFrame(data).write_csv(tmp_path / "rows.csv")
    truth, target = done(tmp_path / "rows.csv", {"unit_scale": {"features": ["x"], "factor": 1.2}}, ".csv")
    assert not truth["x"].any() and not truth["row_wrong"].any()
    assert target.read_bytes() == (tmp_path / "rows.csv").read_bytes()


@pytest.mark.parametrize("feature", [True, False])
def test_rows_that_are_replaced_bring_their_group_into_the_file(tmp_path: Path, feature: bool) -> None:
    data = {
        "x": [i + 0.25 for i in range(N)],
        "sex": [("f", "m", "x")[i % 3] for i in range(N)],
        "label": [("a", "b")[i % 2] for i in range(N)],
    }
    pl.DataFrame(data).write_csv(tmp_path / "rows.csv")
    base = {"path": str(tmp_path / "rows.csv"), "rows": 20, "warmup": 2, "group": "sex"}
    source = make(
        "stream", "corrupted", base={"file": base | ({} if feature else {"drop": ["sex"]})},
        injector="late_rows", timing={"step": {"at": 8}}, rate=0.5,
    )  # fmt: skip
    clean, rows = source.clean(SEED), FileRows.of(make("stream", source.base))
    found = source.corrupt(clean, SEED)
    truth = rows.truth(clean, found)
    rows.write(rows.dirty(found), truth, tmp_path / "dirty.csv", ".csv")
    after = pl.read_csv(tmp_path / "dirty.csv")
    # x says which row it is
    came = (after["x"] - 0.25).cast(pl.Int64).to_list()
    assert came != list(range(N))
    for name in ("sex", "label"):
        assert after[name].to_list() == [data[name][i] for i in came]
    assert truth["sex"].to_list() == [data["sex"][i] != data["sex"][j] for i, j in enumerate(came)]
    assert truth["sex"].any() and not (truth["sex"] & ~truth["row_wrong"]).any()
