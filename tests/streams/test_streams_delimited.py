"""Text as people's programs write it: read and said, or an error that names separator, line or encoding."""

from __future__ import annotations

import warnings
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlopsim.core.errors import DataError, DataWarning
from mlopsim.streams.files.delimited import decoded, frame_of, lines_of, separator_of
from mlopsim.streams.files.readers import read_frame
from mlopsim.streams.files.tables import table_of


def read(folder: Path, data: bytes, name: str = "rows.csv") -> tuple[pl.DataFrame, list[str]]:
    (folder / name).write_bytes(data)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        frame = read_frame(folder / name)
    return frame, [str(item.message) for item in said if item.category is DataWarning]


ROWS = [("1.5", "ä", "no"), ("2.5", None, "yes")]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("x,w,label\n1.5,ä,no\n2.5,,yes\n", []),
        ("x,w,label\r\n1.5,ä,no\r\n2.5,,yes", []),
        ("x,w,label\r1.5,ä,no\r2.5,,yes\r", []),
        ('\n \n"x","w","label"\n\n"1.5","ä","no"\n   \n2.5,"",yes\n\n', []),
        ("x;w;label\n1.5;ä;no\n2.5;;yes\n", ["separated by semicolons"]),
        ("sep=;\r\nx;w;label\r\n1.5;ä;no\r\n2.5;;yes\r\n", ["separated by semicolons"]),
        ("x\tw\tlabel\n1.5\tä\tno\n2.5\t\tyes\n", ["separated by tabs"]),
        ("x|w|label\n1.5|ä|no\n2.5||yes\n", ["separated by vertical bars"]),
        ("x,w,label\n1.5,ä,no,\n2.5,,yes,\n", ["end in a separator that its header does not have"]),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_what_is_read(tmp_path: Path, data: str, said: list[str], encoding: str) -> None:
    frame, notes = read(tmp_path, data.encode(encoding))
    assert frame.columns == ["x", "w", "label"] and frame.rows() == ROWS
    told = {"utf-16": "rows.csv is UTF-16", "latin-1": "rows.csv is not UTF-8 (line "}
    expected = [*([told[encoding]] if encoding in told else []), *said]
    assert len(notes) == len(expected)
    assert all(text in note for text, note in zip(expected, notes, strict=True)), notes


@pytest.mark.parametrize(
    ("data", "message", "remedy"),
    [
        (b"a,label\n1,2\n\n1,2,3,4\n", "rows.csv, line 4 has 4 fields, the header has 2", "in quotes"),
        (b"a,label\n1,2\n1,2,3\n", "line 3 has 3 fields, the header has 2", "in quotes"),
        (b'a,label\n1,"2\n1,2\n', "line 2: the quotes that open there do not close", '""'),
        (b'a,label\n1,2\n"1"x,2\n', "line 3: ',' expected after '\"'", '""'),
        (b"a,label,b,label\n1,2,3,4\n", r"several columns 'label' \(columns 2, 4\)", "name of its own"),
        (b"", "rows.csv is empty", "header line"),
        (b" \n\n", "rows.csv is empty", "header line"),
        (b"a,label\n\x81\x8d,2\n", r"neither UTF-8 nor Windows-1252 \(line 2: byte 0x81\)", "UTF-8"),
        ("a,label\n1,2\n".encode("utf-16-le"), "UTF-16 without a byte-order mark", "UTF-8"),
        (b"\xff\xfea\x00,", "not UTF-16-LE", "UTF-8"),
        (b"PAR1....", "is Parquet, not text", "name the file"),
        (b"\x1f\x8b....", "is gzip, not text", "name the file"),
    ],
)
def test_what_is_refused(tmp_path: Path, data: bytes, message: str, remedy: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, data)
    assert remedy in (caught.value.remedy or "")


def test_what_is_said(tmp_path: Path) -> None:
    frame, notes = read(tmp_path, b"a,b,label\n1,2,3\n1\n1,2\n")
    assert frame.rows() == [("1", "2", "3"), ("1", None, None), ("1", "2", None)]
    assert (
        len(notes) == 1 and "2 line(s) of rows.csv have fewer fields" in notes[0] and "line 3, 4" in notes[0]
    )
    frame, notes = read(tmp_path, "gr\ufffd\ufffde,label\n1,2\n".encode())
    assert "U+FFFD, line 1" in notes[0]
    # the usual separator of a .tsv file is not said
    assert read(tmp_path, b"a\tlabel\n1\t2\n", "rows.tsv")[1] == []
    assert read(tmp_path, b"a,label\n1,2\n", "rows.tsv")[1] == [
        "the fields of rows.tsv are separated by commas"
    ]


NAMELESS = {
    "index": (b",x,when,label\n0,1.5,2020-01-02,a\n1,2.5,2020-01-01,b\n", ["column 1 ('0', '1', ...)"]),
    "row names": (b"x,when,label\n0,1.5,2020-01-02,a\n1,2.5,2020-01-01,b\n", ["column 1 ('0', '1', ...)"]),
    "pandas": (
        b"Unnamed: 0.1,Unnamed: 0,x,when,label\n0,0,1.5,2020-01-02,a\n1,1,2.5,2020-01-01,b\n",
        ["column 2 ('0', '1', ...)"],
    ),
    "commas": (b"x,when,label,,\n1.5,2020-01-02,a,,\n2.5,2020-01-01,b,,\n", ["column 4 (empty), column 5"]),
    "blanks": (b"  ,x,when,label\n0,1.5,2020-01-02,a\n1,2.5,2020-01-01,b\n", ["column 1 ('0', '1', ...)"]),
}


@pytest.mark.parametrize("case", [*NAMELESS, "parquet"])
def test_columns_without_a_name_are_left_out_and_said(tmp_path: Path, case: str) -> None:
    if case == "parquet":
        frame, said = read(tmp_path, NAMELESS["index"][0])[0], ["column 1 ('0', '1', ...)"]
        frame = frame.rename({"Unnamed: 0": "__index_level_0__"})
    else:
        data, said = NAMELESS[case]
        frame, _ = read(tmp_path, data)
    extra = ("Unnamed: 0.1",) if case == "pandas" else ()
    for params, features in (({"drop": ["when"]}, (*extra, "x")), ({"time": "when"}, (*extra, "x"))):
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            table = table_of(frame, source="rows", label="label", **params)  # type: ignore[arg-type]
        assert table.features == features
        notes = [str(item.message) for item in found]
        assert len(notes) == 1 and said[0] in notes[0] and "no feature" in notes[0]
    # whoever names it has it, and then it has a name
    if case == "index":
        assert table_of(frame, source="rows", label="label", time="Unnamed: 0", drop=["when"]).X.tolist() == [
            [1.5], [2.5]
        ]  # fmt: skip


NAMES = [
    "is_duplicated_row",
    "x_duplicated_0",
    "speed [rpm]",
    "a\tb",
    "a\nb",
    'say "x"',
    "\x07bell",
    "x=1,2",
    "é",
]


def test_names_of_columns_are_data(tmp_path: Path) -> None:
    data = pl.DataFrame({**{name: ["1", "2"] for name in NAMES}, "label": ["a", "b"]})
    frame, notes = read(tmp_path, data.write_csv().encode())
    assert frame.columns == [*NAMES, "label"] and not notes
    assert table_of(frame, source="rows", label="label").features == tuple(NAMES)


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\ufffd"), max_size=5)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6),
    st.sampled_from([",", ";", "\t", "|"]),
    st.booleans(),
)
def test_what_is_written_is_what_is_read(rows: list[list[str]], separator: str, quotes: bool) -> None:
    """All fields come back, whatever they hold, and so does the separator where fields do not hold one."""
    frame = pl.DataFrame({f"c{j}": [row[j] for row in rows] for j in range(3)})
    text = frame.write_csv(separator=separator, quote_style="always" if quotes else "necessary")
    if not quotes and any(set(cell) & set(',;\t|\r\n"') for row in rows for cell in row):
        return
    assert separator_of(lines_of(text), ",") == separator
    found, _ = frame_of(decoded(text.encode(), "rows"), "rows", ",")
    kept = [
        tuple(cell or None for cell in row) for row in rows if quotes or any(cell.strip() for cell in row)
    ]
    assert [row for row in found.rows() if quotes or any((cell or "").strip() for cell in row)] == kept
