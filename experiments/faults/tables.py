"""Data files of people, sound ones and ones that are wrong in a known way."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np

from faults.base import Builder, Case, Fault, Kit, Right
from faults.texts import pick

FAMILY = "files"
#: rows of a sound file
ROWS = 400
#: what people write for a number that they do not have
ODD_MARKS = ("-", "n/a", "#N/A", "None", "12%", "unknown")
HEADER = ("load", "heat", "team", "day", "label")


def rows(rng: np.random.Generator, n: int = ROWS) -> list[list[str]]:
    """Draw a sound table: two columns of numbers, one of categories, a time, a label that depends on them."""
    load, heat = rng.normal(size=n), rng.integers(0, 90, size=n)
    team = rng.choice(["north", "south"], size=n)
    label = np.where(load + (heat - 45) / 30 + rng.normal(size=n) > 0, "yes", "no")
    return [
        [f"{a:.4f}", str(b), str(c), str(i), str(d)]
        for i, (a, b, c, d) in enumerate(zip(load, heat, team, label, strict=True))
    ]


def text(table: list[list[str]], header: tuple[str, ...] = HEADER, sep: str = ",") -> str:
    """Write a table as text."""
    return "\n".join([sep.join(header), *(sep.join(row) for row in table)]) + "\n"


def good_csv(path: Path, rng: np.random.Generator) -> Path:
    """Write a sound file."""
    path.write_text(text(rows(rng)), encoding="utf-8")
    return path


def audit(file: Path, folder: Path, *more: str) -> tuple[str, ...]:
    """Return the words of a quick audit of a file."""
    common = ("audit", str(file), "--group", "team", "--learner", "ridge", "--rounds", "19")
    return (*common, *more, "--out", str(folder / "page.html"))


def reads(rng: np.random.Generator, folder: Path, kit: Kit, file: Path, detail: str, right: Right) -> Case:
    """Return a case of one of the commands that read such a file."""
    command = pick(rng, ("audit", "corrupt", "bench"))
    if command == "audit":
        words = audit(file, folder, "--audit", "demographic_parity", "--drop", "day")
    elif command == "corrupt":
        words = (
            "corrupt",
            str(file),
            "--type",
            "missing",
            "--windows",
            "20",
            "--out",
            str(folder / "dirty.csv"),
        )
    else:
        words = (
            "bench",
            "suite=tiny",
            "--conf",
            str(kit.conf),
            "stream=file",
            f"stream.path='{file}'",
            "stream.windows=20",
            "stream.warmup=4",
            "learner=ridge",
            "methods=never",
            "seeds=1",
            "executor=serial",
            "--no-report",
            f"results={folder / 'results'}",
        )
    return Case(words=words, right=right, keeps=(file,), detail=f"{command}: {detail}")


def _set(table: list[list[str]], column: int, at: int, value: str) -> list[list[str]]:
    table[at][column] = value
    return table


#: tables that are wrong: what is done to a sound one, and the right answer
TABLES: dict[str, tuple[Callable[[np.random.Generator, list[list[str]]], str], Right]] = {
    "no label column": (lambda r, t: text(t, ("load", "heat", "team", "day", "lable")), Right.REFUSED),
    "a doubled column": (lambda r, t: text(t, ("load", "load", "team", "day", "label")), Right.REFUSED),
    "one class": (lambda r, t: text([[*row[:4], "yes"] for row in t]), Right.REFUSED),
    "no row": (lambda r, t: text([]), Right.REFUSED),
    "three rows": (lambda r, t: text(t[:3]), Right.REFUSED),
    "nothing": (lambda r, t: "", Right.REFUSED),
    "blanks only": (lambda r, t: " \n\n \n", Right.REFUSED),
    "a missing label": (lambda r, t: text(_set(t, 4, int(r.integers(ROWS)), "")), Right.REFUSED),
    "a column without values": (lambda r, t: text([["", *row[1:]] for row in t]), Right.REFUSED),
    "a row too long": (
        lambda r, t: text([*t[:200], [*t[200], "more"], *t[201:]]),
        Right.REFUSED,
    ),
    "a row too short": (lambda r, t: text([*t[:200], t[200][:2], *t[201:]]), Right.REFUSED),
    "an odd mark among numbers": (
        lambda r, t: text(_set(t, 0, int(r.integers(ROWS)), pick(r, ODD_MARKS))),
        Right.SAID,
    ),
    "thousands": (lambda r, t: text([[f'"1,{int(row[1]):03d}.5"', *row[1:]] for row in t]), Right.SAID),
    "per cents": (lambda r, t: text([[f"{row[1]}%", *row[1:]] for row in t]), Right.SAID),
    "decimal commas": (
        lambda r, t: text([[row[0].replace(".", ","), *row[1:]] for row in t], sep=";"),
        Right.SAID,
    ),
    "names of people": (
        lambda r, t: text([[f"person {i} x", *row[1:]] for i, row in enumerate(t)]),
        Right.SAID,
    ),
    "infinite numbers": (lambda r, t: text(_set(t, 0, 7, pick(r, ("inf", "-inf", "1e999")))), Right.SAID),
    "an open quote": (lambda r, t: text(_set(t, 2, 100, '"north')), Right.REFUSED),
    "NUL bytes": (lambda r, t: text(_set(t, 0, 50, "\x00\x00")), Right.SAID),
}


def wrong_table(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    what = pick(rng, tuple(TABLES))
    make, right = TABLES[what]
    file = folder / pick(rng, ("rows.csv", "rows.csv.gz"))
    content = make(rng, rows(rng)).encode()
    file.write_bytes(gzip.compress(content, mtime=0) if file.suffix == ".gz" else content)
    return reads(rng, folder, kit, file, what, right)


def wrong_bytes(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    """Files that are not what their names say, or not whole."""
    import polars as pl

    table = rows(rng)
    sound = text(table).encode()
    frame = pl.DataFrame(dict(zip(HEADER, zip(*table, strict=True), strict=True)))
    frame = frame.with_columns(pl.col("load").cast(pl.Float64), pl.col("heat", "day").cast(pl.Int64))
    frame.write_parquet(folder / "whole.parquet")
    parquet = (folder / "whole.parquet").read_bytes()
    (folder / "whole.parquet").unlink()
    packed = gzip.compress(sound, mtime=0)
    cut = int(rng.integers(20, 400))
    what, name, content = pick(
        rng,
        (
            ("a Parquet file that is cut", "rows.parquet", parquet[:-cut]),
            ("text that is called Parquet", "rows.parquet", sound),
            ("Parquet that is called text", "rows.csv", parquet),
            ("gzip that is cut", "rows.csv.gz", packed[: len(packed) // 2]),
            ("text that is called gzip", "rows.csv.gz", sound),
            ("random bytes", "rows.csv", rng.bytes(5000)),
            ("random bytes as ARFF", "rows.arff", rng.bytes(5000)),
            ("an ARFF file without data", "rows.arff", b"@relation x\n@attribute load numeric\n"),
            (
                "an ARFF file with an unknown type",
                "rows.arff",
                b"@relation x\n@attribute load numbr\n@data\n1\n",
            ),
            (
                "an ARFF file with a value that is no category",
                "rows.arff",
                b"@relation x\n@attribute load numeric\n@attribute label {a,b}\n@data\n"
                + b"1,a\n2,b\n" * 100
                + b"3,c\n",
            ),
            ("UTF-16", "rows.csv", text(table).encode("utf-16")),
            ("an ending that nobody reads", "rows.xlsx", sound),
            ("no ending", "rows", sound),
            ("nothing", "rows.parquet", b""),
        ),
    )
    file = folder / name
    file.write_bytes(content)
    # a byte-order mark says what it is: read, and said
    return reads(rng, folder, kit, file, what, Right.SAID if what == "UTF-16" else Right.REFUSED)


def latin_1(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    header = ("größe", "heat", "team", "day", "label")
    file = folder / "rows.csv"
    file.write_bytes(text(rows(rng), header).encode("latin-1"))
    return reads(rng, folder, kit, file, "latin-1", Right.SAID)


def one_group(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    table = [[*row[:2], "north", *row[3:]] for row in rows(rng)]
    if rng.random() < 0.5:  # or one row of another
        table[int(rng.integers(ROWS))][2] = "south"
    file = folder / "rows.csv"
    file.write_text(text(table), encoding="utf-8")
    return Case(
        words=audit(file, folder, "--audit", "demographic_parity"),
        right=Right.SAID,
        says=("in a group",),
        keeps=(file,),
        detail="one group",
    )


def times_that_are_none(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    table = rows(rng)
    table[int(rng.integers(ROWS))][3] = pick(rng, ("", "soon", "32.13.2020", "2020-13-01", "nan", "-"))
    file = folder / "rows.csv"
    file.write_text(text(table), encoding="utf-8")
    words = pick(
        rng,
        (
            audit(file, folder, "--time", "day"),
            (
                "corrupt",
                str(file),
                "--type",
                "missing",
                "--time",
                "day",
                "--windows",
                "20",
                "--out",
                str(folder / "d.csv"),
            ),
        ),
    )
    return Case(words=words, keeps=(file,), detail=f"a time {table}"[:40])


BUILDERS: tuple[Builder, ...] = (
    wrong_table,
    wrong_table,
    wrong_table,
    wrong_bytes,
    wrong_bytes,
    latin_1,
    one_group,
    times_that_are_none,
)

FAULTS = tuple(
    Fault(family=FAMILY, name=b.__name__.replace("_", " "), build=b) for b in dict.fromkeys(BUILDERS)
)
