"""Texts of users: nothing in them acts, nothing of them is lost, and places stay private."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlopsim.core.errors import MlopsimError
from mlopsim.core.files import write_bytes, write_text
from mlopsim.core.text import literal, published, visible


@pytest.mark.parametrize("code", [*range(32), 0x7F, 0x85, 0x9B, 0x202E, 0x2066, 0xD800])
def test_what_acts_is_written_out(code: int) -> None:
    char = chr(code)
    shown = visible(f"a{char}b")
    assert char not in shown and shown.startswith("a\\") and shown.endswith("b")
    shown.encode("utf-8")
    assert (char in visible(char, lines=True)) == (char in "\n\t")


@pytest.mark.parametrize("text", ["speed [rpm]", "[/red]", "Größe", "年齢", "a\\b", "cost_$_per_$", "🙂‍↔️"])
def test_everything_else_stays(text: str) -> None:
    assert visible(text) == literal(text).plain == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/ann lee/my data/x.csv", "x.csv"),
        ("C:\\Users\\ann\\x.csv", "x.csv"),
        ("~/x/y.csv", "y.csv"),
        ("cannot read '/srv/a/x.csv' (or /srv/b/y.csv)", "cannot read 'x.csv' (or y.csv)"),
        ("tcp://10.0.0.1:8786", "tcp"),
        ("data/x.csv", "data/x.csv"),
        ("https://doi.org/10.1/abc", "https://doi.org/10.1/abc"),
        ("selector/periodic, 3/4", "selector/periodic, 3/4"),
    ],
)
def test_places_are_base_names(text: str, shown: str) -> None:
    assert published(text) == shown
    assert published({"a": [text, 1]}) == {"a": [shown, 1]}


@pytest.mark.parametrize("name", ["x" * 400 + ".svg", "folder", "file/x.svg", "nul\0.svg"])
def test_what_cannot_be_written_is_one_error_that_names_it(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    for write in (lambda p: write_text(p, "a"), lambda p: write_bytes(p, b"a")):
        with pytest.raises(MlopsimError, match="cannot write") as found:
            write(tmp_path / name)
        assert "remedy" in str(found.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]
