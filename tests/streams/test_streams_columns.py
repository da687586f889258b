"""What columns hold: marks among numbers are never categories in silence, nominal values are never floats."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlopsim.core.errors import DataError, DataWarning
from mlopsim.streams.files.columns import MISSING, in_order, nominal
from mlopsim.streams.files.tables import Table, table_of

N = 60


def table(column: Sequence[Any], **params: Any) -> Table:
    frame = pl.DataFrame(
        {
            "x": pl.Series(column, strict=False),
            "z": np.arange(len(column)) % 7,
            "label": [("no", "yes")[i % 2] for i in range(len(column))],
        }
    )
    return table_of(frame, source="rows", **{"label": "label", **params})


def said(column: Sequence[Any], **params: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        table(column, **params)
    return [str(item.message) for item in found if item.category is DataWarning]


NUMBERS = [f"{i * 0.25 - 3:.2f}" for i in range(N)]


@pytest.mark.parametrize(
    "mark", ["-", "None", "n/a", "#N/A", "unknown", "1,234.5", "12%", "1_000", "0x1F", "nul"]
)
def test_one_odd_mark_among_numbers_is_an_error_that_names_it(mark: str) -> None:
    column = [*NUMBERS[:-3], mark, NUMBERS[-1], "?"]
    with pytest.raises(DataError) as caught:
        table(column)
    assert (
        caught.value.message == f"rows: 58 of 59 values of column 'x' are plain numbers, 1 is none: '{mark}'"
    )
    remedy = caught.value.remedy or ""
    assert "categorical=[x] (codes)" in remedy and "drop=[x]" in remedy
    # what looks like a number is no mark of nothing
    assert (f"missing=['?','{mark}']" in remedy) == (mark not in ("1,234.5", "12%"))
    assert 0 not in table(column, missing=["?", mark]).categories
    assert np.isnan(table(column, missing=["?", mark]).X[:, 0]).sum() == 2
    assert mark in table(column, categorical=["x"]).categories[0]
    assert table(column, drop=["x"]).features == ("z",)


@pytest.mark.parametrize(
    "form",
    ["{}%", "{} %", "$1,{:03d}.50", "{:d}.123,4", "1,{}", "€{}", "({})", "{:02d}/01/2024", "{}.2.2024 10:00",
     "{}-Jan-2020", "10:{:02d}", "10:{:02d}:30 pm"],
)  # fmt: skip
def test_what_only_looks_like_numbers_or_times_is_an_error(form: str) -> None:
    with pytest.raises(DataError, match=r"0 of 60 values of column 'x' are plain numbers, 60 are none"):
        table([form.format(i % 28 + 1) for i in range(N)])


def test_the_rule_counts_values_and_different_values() -> None:
    # most rows have the mark, yet nearly all different values are numbers
    with pytest.raises(DataError, match=r"20 of 60 values of column 'x' .* 40 are none: '-' \(40 times\)"):
        table([*["-"] * 40, *NUMBERS[:20]])
    # most rows are numbers, though most different values are words
    with pytest.raises(DataError, match="40 of 60 values"):
        table([*["1"] * 40, *[f"w{i}" for i in range(20)]])
    # a few codes that are numbers among words are categories
    found = table([("a", "b", "c", "7")[i % 4] for i in range(N)])
    assert found.categories[0] == ("7", "a", "b", "c")


def test_texts_of_which_each_row_has_another_are_said() -> None:
    people = [f"person {i}" for i in range(N)]
    assert said(people) == [
        "rows: column 'x' has 60 different texts in 60 rows ('person 0', 'person 1', ...) and is a category: "
        "drop=[x] leaves it out"
    ]
    assert not said(people, drop=["x"]) and not said([f"city {i % 25}" for i in range(N)])


def test_labels_beside_numbers_and_in_two_spellings_are_said() -> None:
    labels = [("0", "1", "-")[min(i % 40, 2)] for i in range(N)]
    assert said(labels, label="x") == ["rows: '-' in 'x' are classes of their own beside numbers"]
    assert said([("1", "1.0")[i % 2] for i in range(N)], label="x") == [
        "rows: '1' and '1.0' in 'x' are two classes, spelt differently"
    ]


@pytest.mark.parametrize(
    "values",
    [
        ("9007199254740992", "9007199254740993"),
        ("01", "1", "1.0"),
        ("9", "10", "1e1"),
        ("nan", "None", "null"),
        ("(missing)", "(missing)_", "all"),
        ("inf", "-inf"),
        ("not yes", "yes", "not yes_"),
        ("True", "true"),
        ("a=b", "a", "=b"),
    ],
)
def test_distinct_values_stay_distinct(values: tuple[str, ...]) -> None:
    column: list[str | None] = [values[i % len(values)] for i in range(N)]
    params: dict[str, Any] = {"missing": ["?"], "categorical": ["x"]}
    found = table(column, group="x", **params)
    assert set(found.groups) == set(found.categories[0]) == set(values)
    assert [found.groups[k] for k in found.g] == column
    assert [found.categories[0][int(k)] for k in found.X[:, 0]] == column
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        labels = table(column, label="x", missing=["?"])
        assert [labels.classes[k] for k in labels.y] == column
        one = table(column, label="x", positive=values[0], missing=["?"])
    assert (one.y == [value == values[0] for value in column]).all() and len(set(one.classes)) == 2
    assert one.classes[1] == values[0]
    # rows without a group are in none of the real ones
    column[5] = None
    gap = table(column, group="x", **params)
    assert (
        gap.no_group not in values and gap.groups[gap.g[5]] == gap.no_group and (gap.g == gap.g[5]).sum() == 1
    )


def test_whole_numbers_of_a_type_are_the_same_values_as_their_text() -> None:
    values = [2**53, 2**53 + 1, -(2**60) - 1]
    column = [values[i % 3] for i in range(N)]
    for series in (column, [str(value) for value in column]):
        found = table(series, group="x", label="label")
        assert found.groups == (str(values[2]), str(values[0]), str(values[1]))


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=6).map(
    str.strip
)
NUMERIC = st.sampled_from(
    ["0", "00", "1", "1.0", "+1", "1e0", "-0", "10", "9", "9007199254740993", ".5", "0.5"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(TEXTS, NUMERIC).filter(lambda text: text not in MISSING), min_size=1, max_size=12))
def test_names_are_the_texts_themselves(values: list[str]) -> None:
    codes, names = nominal(pl.Series(values))
    back = [names[code] for code in codes]
    # truths have one name, however they are written
    assert back == values or {word.lower() for word in values} <= {"true", "false"}
    assert list(names) == in_order(sorted(set(names)))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-(10**30), 10**30), min_size=2, max_size=8, unique=True))
def test_whole_numbers_stand_in_their_order(values: list[int]) -> None:
    assert in_order([str(value) for value in values]) == [str(value) for value in sorted(values)]
