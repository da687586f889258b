"""What injectors put in: numbers that the column holds, stored values to the bit, rows with their groups."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from mlopsim.core.registry import find, names
from mlopsim.core.spec import make
from mlopsim.streams.injectors.base import Aim, Corrupted
from mlopsim.streams.resolution import Resolution
from mlopsim.streams.stream import Stream

ROWS, WINDOWS, WARMUP = 40, 16, 8
N = ROWS * WINDOWS
rng = np.random.default_rng(11)
X = rng.normal(size=(3, N)) * 9.0 + 30.0
#: how a column is stepped, and what makes a number one that it can hold
KINDS: dict[str, tuple[Any, Any]] = {
    "integer": (np.rint, np.rint),
    "tens": (lambda x: np.rint(x) * 10.0, lambda x: np.rint(x / 10.0) * 10.0),
    "halves": (lambda x: np.rint(x * 2.0) / 2.0, lambda x: np.rint(x * 2.0) / 2.0),
    "cents": (lambda x: np.round(x, 2), lambda x: np.round(x, 2)),
    "times .3": (lambda x: np.rint(x / 0.3) * 0.3, lambda x: np.rint(x / 0.3) * 0.3),
    "thirds": (lambda x: np.rint(x * 3.0) / 3.0, lambda x: np.rint(x * 3.0) / 3.0),
    "single": (lambda x: x.astype(np.float32).astype(float), lambda x: x.astype(np.float32).astype(float)),
    "tenths in single": (
        lambda x: np.round(x, 1).astype(np.float32).astype(float),
        lambda x: np.round(x, 1).astype(np.float32).astype(float),
    ),
    "few tenths": (lambda x: np.rint(x / 3.0) / 10.0, lambda x: np.rint(x * 10.0) / 10.0),
    "float": (lambda x: x, lambda x: x),
}
#: injectors whose wrong values are those of other rows of the column
OF_OTHERS = (
    "outlier_dependency",
    "irrelevant_feature",
    "stuck_sensor",
    "late_rows",
    "duplicate_rows",
    "replayed_batch",
)
OF_COLUMNS = ("irrelevant_feature", "stuck_sensor")
REPLACING = ("late_rows", "duplicate_rows", "replayed_batch")


def stream_of(kind: str) -> Stream:
    """Return rows with two columns of a kind, one of floats, a category, and groups of their own."""
    made = KINDS[kind][0]
    code = rng.integers(0, 5, N).astype(float)
    return Stream(
        X=np.column_stack([made(X[0]), made(X[1] / 4.0 - 3.0), X[2], code]),
        y=(X[0] > 30.0).astype(np.int64),
        g=np.arange(N, dtype=np.int64) % 7,
        bounds=np.arange(WINDOWS + 1, dtype=np.int64) * ROWS,
        warmup=WARMUP,
        classes=("no", "yes"),
        features=("a", "b", "c", "d"),
        groups=tuple("tuvwxyz"),
        categories={3: ("k", "l", "m", "n", "o")},
    )


def applied(stream: Stream, name: str, mechanism: str = "random", **params: Any) -> Corrupted:
    share = np.where(np.arange(WINDOWS) >= WARMUP, 0.4, 0.0)
    aim = Aim(share=share, mechanism=make("mechanism", mechanism), rng=np.random.default_rng(3))
    found: Corrupted = make("injector", name, **params).apply(stream, aim)
    return found


def variants(name: str) -> list[dict[str, Any]]:
    """Return parameters that reach every way in which an injector makes numbers."""
    more: dict[str, list[dict[str, Any]]] = {
        "duplicate_rows": [{"jitter": 0.3}],
        "schema_change": [{"change": "reordered", "features": ["a", "c"]}],
        "swapped_columns": [{"features": ["a", "c"]}],
        "unit_scale": [{"features": ["a", "b"], "factor": 0.01}, {"features": ["a"], "factor": 2.54}],
    }
    fields = {field.name for field in dataclasses.fields(find("injector", name))}
    numeric = {"features": ["a", "b"]} if {"features", "count"} <= fields and name not in NAMED else {}
    return [{}, *more.get(name, []), *([numeric] if numeric else [])]


#: take categories only
NAMED = ("merged_categories", "unseen_category")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", names("injector"))
def test_injected_numbers_are_such_as_the_column_holds(name: str, kind: str) -> None:
    stream = stream_of(kind)
    hit = 0
    for params in variants(name):
        found = applied(stream, name, **params)
        for j in (0, 1):
            put = found.X[found.cells[:, j], j]
            put = put[~np.isnan(put)]
            hit += len(put)
            assert (KINDS[kind][1](put) == put).all() or np.isin(put, stream.X[:, j]).all(), (params, j)
            assert not np.signbit(put[put == 0.0]).any()
        # a cell that ends with the value that it had is as it was, to the bit, and is not wrong
        same = (found.X == stream.X) | (np.isnan(found.X) & np.isnan(stream.X))
        assert np.array_equal(found.cells, ~same) and np.array_equal(found.labels, found.y != stream.y)
        assert np.array_equal(found.X[same].view(np.int64), stream.X[same].view(np.int64))
    assert hit or name in ("label_noise", "targeted_flip", "missing", *NAMED)


@pytest.mark.parametrize("mechanism", names("mechanism"))
def test_whichever_rows_a_mechanism_prefers(mechanism: str) -> None:
    stream = stream_of("halves")
    found = applied(stream, "unit_scale", mechanism)
    put = found.X[:, :2][found.cells[:, :2]]
    assert (put * 2.0 == np.rint(put * 2.0)).all() and found.cells.any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", OF_OTHERS)
def test_what_breaks_a_dependence_is_a_stored_value_of_another_row(name: str, kind: str) -> None:
    stream = stream_of(kind)
    params: dict[str, Any] = {"features": ["a", "b", "c"]} if name in OF_COLUMNS else {}
    found = applied(stream, name, **params)
    assert found.cells.any()
    for j in range(3):
        put = found.X[found.cells[:, j], j]
        assert np.isin(put.view(np.int64), stream.X[:, j].copy().view(np.int64)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_columns_that_change_places_keep_their_numbers(kind: str) -> None:
    stream, moved = stream_of(kind), np.arange(N) >= ROWS * WARMUP
    for keep_scale in (True, False):
        change = make("change", "permuted_features", keep_scale=keep_scale)
        put = change.apply(stream, moved, np.random.default_rng(0)).X[moved, :2]
        assert (KINDS[kind][1](put) == put).all() and (put != stream.X[moved, :2]).any()


def test_values_that_repeat_are_not_wrong_where_they_come_again() -> None:
    stream = stream_of("few tenths")
    stream.X[:, 0] = np.where(np.arange(N) % 10 == 0, 7.5, 0.0)
    found = applied(stream, "outlier_dependency")
    share = found.cells[found.rows, 0].mean()
    # nine values in ten are 0: 2 * .9 * .1 of those drawn differ
    assert 0.1 < share < 0.3 and found.cells[found.rows, 2].all()


@pytest.mark.parametrize("name", names("injector"))
def test_rows_that_are_replaced_bring_their_group(name: str) -> None:
    stream = stream_of("float")
    found = applied(stream, name)
    moved = found.source != np.arange(N)
    assert moved.any() == (name in REPLACING) and not (moved & ~found.rows).any()
    if name in REPLACING:
        assert np.array_equal(found.X, stream.X[found.source]) and np.array_equal(
            found.y, stream.y[found.source]
        )
        # which row it is can be told from its floats
        place = {value: i for i, value in enumerate(stream.X[:, 2].tolist())}
        assert [place[value] for value in found.X[:, 2].tolist()] == found.source.tolist()


def test_a_stream_with_errors_has_the_truth_of_the_rows_that_stand_in_it() -> None:
    base = {
        "synthetic": {
            "windows": 20, "rows": 50, "noise": 0.2, "groups": [0.5, 0.5],
            "concept": "sea", "schedule": {"abrupt": {"duration": {"fixed": {"mean": 3}}}},
        }
    }  # fmt: skip
    seed = np.random.SeedSequence(4)
    for name in REPLACING:
        source = make(
            "stream", "corrupted", base=base, injector={name: {}}, rate=0.5, timing={"step": {"at": 12}}
        )
        clean, found, seen = source.clean(seed), None, source.generate(seed)
        found = source.corrupt(clean, seed)
        for field in ("X", "y", "g", "concept", "bayes", "true_y"):
            assert np.array_equal(getattr(seen, field), getattr(clean, field)[found.source]), (name, field)
        assert (seen.g != clean.g).sum() > 20


def test_the_noise_of_the_base_is_truth_and_a_label_changed_back_is_right() -> None:
    base = {"synthetic": {"windows": 20, "rows": 100, "noise": 0.2, "concept": "sea", "schedule": "none"}}
    source = make(
        "stream", "corrupted", base=base, injector="label_noise", rate=0.5, timing={"step": {"at": 12}}
    )
    seed = np.random.SeedSequence(4)
    clean, seen = source.clean(seed), source.generate(seed)
    assert clean.true_y is not None and seen.biased is not None and clean.biased is not None
    assert np.array_equal(seen.biased, seen.y != clean.true_y)
    flipped = seen.y != clean.y
    assert (flipped & clean.biased).any() and not seen.biased[flipped & clean.biased].any()
    assert seen.biased[~flipped & clean.biased].all() and seen.biased[:1200].any()


def test_resolution_names_the_grid() -> None:
    few = np.array([0.0, 50.0, 100.0])
    for column, expected in (
        (np.arange(30) * 25.0, (1, 25)),
        # three numbers may share a divisor by chance
        (few, (1, 1)),
        (np.arange(30) / 7.0, (7, 1)),
        (np.round(X[0], 3), (1000, 1)),
        (X[0], (0, 1)),
        (np.array([np.nan, np.inf]), (0, 1)),
        (X[0].astype(np.float32).astype(float), (0, 1)),
        (rng.integers(0, 2**49, 40).astype(float), (1, 1)),
    ):
        found = Resolution.of(column)
        assert (found.units, found.step) == expected
        known = column[np.isfinite(column)]
        assert np.array_equal(found.nearest(known), known) and found.holds(column).all()
    assert Resolution.of(few).nearest(np.array([-np.inf, 1e300])).tolist() == [-np.inf, 1e300]
