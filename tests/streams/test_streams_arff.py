"""ARFF as Weka, OpenML and R write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlopsim.core.errors import DataError
from mlopsim.streams.files.arff import arff_frame
from mlopsim.streams.files.readers import read_frame

HEAD = (
    "@relation r\n@attribute x numeric\n@attribute c {a,'b b',\"c,c\",d%,'?'}\n@attribute s string\n@data\n"
)


@pytest.mark.parametrize(
    ("row", "values"),
    [
        ("1.50,a,word", ("1.50", "a", "word")),
        (" 1 , 'b b' , 'it\\'s' ", ("1", "b b", "it's")),
        ('1,"c,c","say \\"x\\"" % behind it', ("1", "c,c", 'say "x"')),
        ("?,?,?", (None, None, None)),
        # a question mark in quotes is a value
        ("1,'?','?'", ("1", "?", "?")),
        ("1\ta\tword", ("1", "a", "word")),
        ("1 'b b' word", ("1", "b b", "word")),
        ("{0 3, 2 'a b'}", ("3", "a", "a b")),
        ('{1 "c,c", 2 x}', ("0", "c,c", "x")),
        ("{}", ("0", "a", "0")),
        ("-1e-5,a,'tab\\there'", ("-1e-5", "a", "tab\there")),
    ],
)
def test_rows(row: str, values: tuple[str | None, ...]) -> None:
    assert arff_frame(f"{HEAD}% a comment\n\n{row}\r\n", "r.arff").rows() == [values]


@pytest.mark.parametrize(
    ("declared", "value", "read"),
    [
        ("real [0, 10]", "1.5", "1.5"),
        ("INTEGER[0,10] % a range", "7", "7"),
        ("Numeric % of the customer", "7", "7"),
        ("date", "2014-01-02T03:04:05", "2014-01-02T03:04:05.000000"),
        ('date "yyyy-MM-dd"', "2014-01-02", "2014-01-02"),
        ("DATE 'dd.MM.yyyy HH:mm'", "'02.01.2014 03:04'", "2014-01-02T03:04:00.000000"),
        ("date \"yyyyMMdd'T'HHmmss.SSS\"", "20140102T030405.250", "2014-01-02T03:04:05.250000"),
        ("{no,yes} % {maybe}", "yes", "yes"),
        ("{ 'a}' , b }", "'a}'", "a}"),
        ("string", "'a, b'", "a, b"),
    ],
)
def test_types(tmp_path: Path, declared: str, value: str, read: str) -> None:
    head = f"% first\n@RELATION 'a b'\n@Attribute 'x y' {declared}\n@attribute\tlabel\t{{n,y}}\n"
    text = f"{head}@DATA\n{value},y\n"
    for mark in (b"", b"\xef\xbb\xbf"):
        (tmp_path / "r.arff").write_bytes(mark + text.encode())
        frame = read_frame(tmp_path / "r.arff")
        assert frame.columns == ["x y", "label"] and frame.rows() == [(read, "y")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "1,e,x\n", "line 6: 'e' is none of the values of the attribute 'c'"),
        (HEAD + "1,a,x\none,a,x\n", "line 7: 'one' is no number of the attribute 'x'"),
        (HEAD + "1,a\n", "line 6 has 2 values for 3 attributes"),
        (HEAD + "1,a,x,y\n", "line 6 has 4 values for 3 attributes"),
        (HEAD + "1,a,'x\n", "line 6 cannot be read as arff: quotes at"),
        (HEAD + "{9 1}\n", "line 6: '9 1' is no 'column value'"),
        (HEAD.replace("numeric", "numbr"), "line 2: unknown type 'numbr'"),
        (HEAD.replace(" numeric", ""), "line 2: an attribute without a type"),
        (HEAD.replace("'?'}", "'?'"), "line 3: its values cannot be read"),
        (HEAD.replace("s string", "x string"), "several columns 'x'"),
        (HEAD.replace("@data\n", ""), "it has no @data"),
        ("x,y\n1,2\n", "line 1 is no @relation"),
        ("@relation r\n@data\n1\n", "line 2: no @attribute before @data"),
        (HEAD.replace("numeric", "date 'QQQ'") + "1,a,x\n", "the pattern 'QQQ' of 'x' has 'QQQ'"),
        (
            HEAD.replace("numeric", "date 'yyyy'") + "1,a,x\n",
            "'1' is no date 'yyyy'",
        ),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        arff_frame(text, "r.arff")
