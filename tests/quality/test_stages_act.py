"""What is done with what is flagged, and what is trained then."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from stage_cases import FIRST, PER, WARMUP, WINDOWS, N, Value, Values, case_of, clean_stream

from mlopsim.checks.base import identical
from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.quality.case import Case
from mlopsim.quality.gate import Flags
from mlopsim.quality.stages import Material, act, versions_right

#: rows of the windows 9, 11 and 13; the cells of two of them
ROWS = [93, 94, 117, 130]
CELLS = [(93, 0), (93, 2), (94, 1), (117, 1)]


def flagged(cells: bool = False, windows: tuple[int, ...] = ()) -> Flags:
    rows, batches, marked = np.zeros(N, bool), np.zeros(WINDOWS, bool), np.zeros((N, 3), bool)
    rows[ROWS], batches[list(windows)] = True, True
    marked[tuple(np.transpose(CELLS))] = True
    score = np.zeros(N)
    return Flags(
        rows=rows,
        batches=batches,
        score=score,
        batch_score=np.zeros(WINDOWS),
        cells=marked if cells else None,
    )


def everything(case: Case) -> Material:
    return Material(rows=case.seen_rows, keep=np.ones(N, bool))


def acted(case: Case, gate: Any, found: Flags, material: Material | None = None) -> Material:
    """Act, and make sure that what is given stays as it is."""
    before = everything(case) if material is None else material
    copies = [array.copy() for array in (before.rows.X, before.rows.Z, before.rows.y, before.keep)]
    after = act(case, gate, found, before)
    assert identical(copies, [before.rows.X, before.rows.Z, before.rows.y, before.keep])
    assert identical(after.rows.y, before.rows.y)
    return after


@pytest.fixture
def case() -> Case:
    return case_of(
        clean_stream(missing=0.05), {(93, 0): 77.0, (94, 1): -500.0, (117, 1): 60.0, (130, 0): 9.0}
    )


def test_drop_leaves_out_flagged_rows(case: Case) -> None:
    after = acted(case, Value(), flagged())
    assert np.flatnonzero(~after.keep).tolist() == ROWS
    assert identical(after.rows, case.seen_rows) and after.weight is None


def test_hold_leaves_out_flagged_windows(case: Case) -> None:
    after = acted(case, Value(action="hold"), flagged(windows=(9, 13)))
    assert np.flatnonzero(~after.keep).tolist() == [*range(90, 100), *range(130, 140)]
    batch = acted(case, make("gate", "schema"), flagged(windows=(10,)))
    assert np.flatnonzero(~batch.keep).tolist() == list(range(100, 110))


def test_weight_makes_flagged_rows_count_a_tenth(case: Case) -> None:
    after = acted(case, Value(action="weight"), flagged())
    assert after.keep.all() and after.weight is not None
    expected = np.ones(N)
    expected[ROWS] = 0.1
    assert np.array_equal(after.weight, expected)
    twice = acted(case, Value(action="weight"), flagged(), after)
    assert twice.weight is not None and twice.weight[ROWS] == pytest.approx([0.01] * 4)


def test_what_was_left_out_stays_out(case: Case) -> None:
    before = dataclasses.replace(everything(case), keep=np.arange(N) % 7 > 0, weight=np.full(N, 0.5))
    for gate, found, gone in (
        (Value(), flagged(), ROWS),
        (Value(action="hold"), flagged(windows=(9,)), list(range(90, 100))),
        (Value(action="winsorize"), flagged(), []),
        (Value(action="weight"), flagged(), []),
    ):
        after = acted(case, gate, found, before)
        expected = before.keep.copy()
        expected[gone] = False
        assert np.array_equal(after.keep, expected)
        assert after.weight is not None and set(after.weight) <= {0.5, 0.05}


def test_impute_blanks_flagged_cells(case: Case) -> None:
    after = acted(case, Values(action="impute"), flagged(cells=True))
    gone = np.isnan(after.rows.X) & ~np.isnan(case.seen.X)
    expected = np.zeros((N, 3), bool)
    expected[tuple(np.transpose(CELLS))] = True
    assert np.array_equal(gone, expected & ~np.isnan(case.seen.X))
    assert identical(after.rows.X[~expected], case.seen.X[~expected])
    assert after.keep.all()
    # encoded as a missing value is: by the median of the warm-up, and no category
    X = case.seen.X.copy()
    X[93, 0], X[94, 1], X[117, 1] = np.nanmedian(case.clean.X[:FIRST, [0, 1, 1]], axis=0)
    X[93, 2] = np.nan
    assert np.array_equal(after.rows.Z, case.rows(X, case.seen.y).Z)
    with pytest.raises(ConfigError, match="tells no cells apart, there is nothing to impute"):
        act(case, Values(action="impute"), flagged(), everything(case))


def test_winsorize_moves_flagged_cells_to_the_middle_98_percent(case: Case) -> None:
    low, high = np.nanquantile(case.clean.X[:FIRST, :2], [0.01, 0.99], axis=0)
    after = acted(case, Values(action="winsorize"), flagged(cells=True))
    expected = case.seen.X.copy()
    expected[93, 0], expected[94, 1] = high[0], low[1]
    # not far out, and a category
    assert low[1] < expected[117, 1] < high[1]
    assert identical(after.rows.X, expected)
    assert np.array_equal(after.rows.Z, case.rows(expected, case.seen.y).Z)
    # a gate that tells no cells apart: all numbers of its rows
    after = acted(case, Value(action="winsorize"), flagged())
    expected = case.seen.X.copy()
    expected[ROWS, :2] = np.clip(expected[ROWS, :2], low, high)
    assert identical(after.rows.X, expected) and after.rows.X[130, 0] == high[0]
    # of a whole batch
    batch = dataclasses.replace(flagged(windows=(9,)), rows=np.arange(N) // PER == 9)
    after = acted(case, make("gate", "ks_batch", action="winsorize"), batch)
    expected = case.seen.X.copy()
    expected[90:100, :2] = np.clip(expected[90:100, :2], low, high)
    assert identical(after.rows.X, expected)


def test_rescale_brings_batches_to_the_reference(case: Case) -> None:
    clean = clean_stream(missing=0.05)
    units = {(i, j): clean.X[i, j] * 1000.0 + 5.0 for i in range(100, 110) for j in range(2)}
    constant = {(i, 0): 7.0 for i in range(110, 120)}
    blank = {(i, 1): np.nan for i in range(110, 120)}
    case = case_of(clean, {**units, **constant, **blank})
    gate = make("gate", "ks_batch", action="rescale")
    after = acted(case, gate, flagged(windows=(10, 11)))
    warm = np.nanquantile(case.clean.X[:FIRST, :2], [0.25, 0.5, 0.75], axis=0)
    now = np.nanquantile(after.rows.X[100:110, :2], [0.25, 0.5, 0.75], axis=0)
    assert now[1] == pytest.approx(warm[1]) and now[2] - now[0] == pytest.approx(warm[2] - warm[0])
    # a unit is undone up to how this window differs from the reference: the order stays
    known = ~np.isnan(clean.X[100:110, 0])
    assert known.sum() > 5
    order = clean.X[100:110, 0][known].argsort()
    assert np.array_equal(after.rows.X[100:110, 0][known].argsort(), order)
    # no spread to scale by, no value, a category, other windows
    others = np.ones((N, 3), bool)
    others[100:110, :2] = False
    assert identical(after.rows.X[others], case.seen.X[others])
    assert np.array_equal(np.isnan(after.rows.X), np.isnan(case.seen.X)) and after.keep.all()


# -- versions ----------------------------------------------------------------------------------------

VERSIONS = np.arange(WARMUP - 1, WINDOWS)
STARTS = np.maximum(np.arange(WINDOWS) - 3, 0)


def by_hand(case: Case, material: Material, version: int, first: int) -> np.ndarray:
    """Return where a version is right that is trained on the kept rows of its windows, one by one."""
    place = [i for i in range(first * PER, (version + 1) * PER) if material.keep[i]]
    rows = material.rows
    more = {} if material.weight is None else {"weight": material.weight[place]}
    learner = make("learner", case.learner)
    model = learner.fit(rows.Z[place], rows.y[place], 2, np.random.SeedSequence(0), **more)
    found: np.ndarray = model.predict(case.clean_rows.Z) == case.clean.y
    return found


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("learner", ["ridge", "lda", "naive_bayes", "logistic", "tree"])
@pytest.mark.parametrize("starts", [STARTS, np.zeros(WINDOWS, np.int64)], ids=["last", "all"])
def test_versions_are_those_fitted_one_by_one(learner: str, starts: np.ndarray, weighted: bool) -> None:
    clean = clean_stream()
    case = case_of(clean, {(i, 0): -9.0 for i in range(84, 94)}, tuple(range(100, 106)), learner, starts)
    keep = np.random.default_rng(1).random(N) < 0.7
    # a window of which nothing is left
    keep[window := slice(9 * PER, 10 * PER)] = False
    assert not keep[window].any()
    weight = np.random.default_rng(2).uniform(0.05, 2.0, N) if weighted else None
    material = Material(rows=case.seen_rows, keep=keep, weight=weight)
    right = versions_right(case, material, case.clean_rows, VERSIONS)
    assert right.shape == (len(VERSIONS), N) and right.dtype == np.bool_
    for i, version in enumerate(VERSIONS.tolist()):
        expected = by_hand(case, material, version, int(starts[version]))
        assert np.array_equal(right[i], expected), version
    assert len({row.tobytes() for row in right}) > 3


@pytest.mark.parametrize("learner", ["ridge", "logistic"])
def test_a_version_without_rows_is_trained_on_the_warm_up(learner: str) -> None:
    case = case_of(clean_stream(), {(i, 0): 9.0 for i in range(85, 140)}, (), learner, np.arange(WINDOWS))
    keep = np.ones(N, bool)
    keep[FIRST:] = False
    keep[11 * PER : 11 * PER + 4] = True
    material = Material(rows=case.seen_rows, keep=keep)
    right = versions_right(case, material, case.clean_rows, VERSIONS)
    warm_up = by_hand(case, dataclasses.replace(material, rows=case.clean_rows), WARMUP - 1, 0)
    for i, version in enumerate(VERSIONS.tolist()):
        expected = by_hand(case, material, version, version) if version in (7, 11) else warm_up
        assert np.array_equal(right[i], expected), version
    assert not np.array_equal(warm_up, right[VERSIONS.tolist().index(11)])


def test_answers_are_judged_by_the_labels_that_are_given() -> None:
    case = case_of(clean_stream(), labels=tuple(range(90, 140)))
    material = everything(case)
    clean, seen = (
        versions_right(case, material, rows, VERSIONS) for rows in (case.clean_rows, case.seen_rows)
    )
    assert np.array_equal(clean[:, :90], seen[:, :90]) and np.array_equal(clean[:, 90:], ~seen[:, 90:])
