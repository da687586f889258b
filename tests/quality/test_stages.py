"""What gates flag in a stream: where limits come from, what is never flagged, and the errors."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from stage_cases import FIRST, PER, WARMUP, WINDOWS, N, Rank, Value, Values, case_of, clean_stream, rng

from mlopsim.checks.base import identical
from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.registry import find, names
from mlopsim.core.spec import make
from mlopsim.quality.calibration import Limit, conformal, split
from mlopsim.quality.case import Case
from mlopsim.quality.gate import Flags, row_scores
from mlopsim.quality.release_gate import ReleaseGate
from mlopsim.quality.scoring import auroc
from mlopsim.quality.stages import attained_rate, false_alarm_rate, flags, noise_found
from mlopsim.quality.train_gate import TrainGate
from mlopsim.streams.stream import Received

SCORED = [name for name in names("gate") if not issubclass(find("gate", name), ReleaseGate)]
#: two cells of one window, one of another
CELLS = {(95, 0): 30.0, (97, 1): 900.0, (122, 0): -30.0}
LATE = slice(FIRST, None)


def found_by(gate: Any, case: Case, seed: int = 0) -> Flags:
    return flags(gate, case, rng(seed))[0]


def window(t: int) -> slice:
    return slice(t * PER, (t + 1) * PER)


# -- rows and cells ----------------------------------------------------------------------------------


def test_the_limit_comes_from_the_half_that_was_not_learnt_from() -> None:
    case = case_of(clean_stream(), CELLS)
    learn, held = split(FIRST, rng(4))
    reference: list[Any] = []

    class Spy(Value):
        def learn(self, rows: Any, generator: Any) -> Any:
            reference.append(rows)

    found, limit = flags(Spy(alpha=0.1), case, rng(4))
    assert np.array_equal(reference[0].X, case.clean.X[learn])
    scores = case.seen.X[:, 0]
    assert limit == conformal(scores[held], 0.1)
    assert limit is not None and (limit.n, limit.rate) == (40, pytest.approx(4 / 41))
    expected = scores > limit.threshold
    expected[:FIRST] = False
    assert np.array_equal(found.rows, expected) and expected[95] and not expected[122]
    assert np.array_equal(found.score[LATE], scores[LATE]) and np.isnan(found.score[:FIRST]).all()
    assert found.cells is None and found.cell_score is None


def test_a_row_of_cells_is_as_bad_as_its_worst_cell() -> None:
    case = case_of(clean_stream(missing=0.1), CELLS)
    found, limit = flags(Values(alpha=0.1), case, rng(1))
    assert limit is not None and found.cells is not None and found.cell_score is not None
    score = case.seen.X.copy()
    score[:, 2] = np.nan
    worst = np.array([max([v for v in row if not math.isnan(v)], default=-math.inf) for row in score])
    assert limit == conformal(worst[split(FIRST, rng(1))[1]], 0.1)
    assert np.array_equal(found.cell_score, score, equal_nan=True)
    assert np.array_equal(found.score[LATE], worst[LATE])
    assert np.array_equal(found.cells[LATE], score[LATE] > limit.threshold)
    assert np.array_equal(found.rows, found.cells.any(axis=1))
    assert found.cells[97].tolist() == [False, True, False]


def test_row_scores() -> None:
    score = np.array([[1.0, np.nan], [np.nan, np.nan], [-5.0, 7.0]])
    assert row_scores(score).tolist() == [1.0, -math.inf, 7.0]
    assert row_scores(score[:, 0]) is not None and row_scores(score[2]).tolist() == [-5.0, 7.0]


def test_a_window_is_flagged_where_its_flags_are_more_than_chance() -> None:
    # windows with 0, 4, 5 and 6 rows far up, the others far down
    cells = {(t * PER + i, 0): 9.0 if i < far else -9.0 for t, far in FAR.items() for i in range(PER)}
    found, limit = flags(Value(alpha=0.1), case_of(clean_stream(), cells), rng(0))
    assert limit is not None and (limit.n, limit.k) == (40, 37)
    assert {t: int(found.rows[window(t)].sum()) for t in FAR} == FAR
    for t in range(WARMUP, WINDOWS):
        assert found.batch_score[t] == limit.surprise(int(found.rows[window(t)].sum()), PER)
    # 10 ** -1.64 and 10 ** -2.31 by the beta-binomial law, at a level of 1 %
    assert found.batch_score[list(FAR)].round(2).tolist() == [0.0, 1.64, 2.31, 3.06]
    assert found.batches[list(FAR)].tolist() == [False, False, True, True]


FAR = {9: 0, 10: 4, 12: 5, 13: 6}


def test_clean_rows_are_flagged_at_the_rate_of_the_limit() -> None:
    shares, rates = [], set()
    for seed in range(300):
        case = case_of(clean_stream(seed))
        found, limit = flags(Value(alpha=0.15), case, rng(seed))
        assert limit is not None
        shares.append(attained_rate(case, found))
        rates.add(limit.rate)
    assert rates == {6 / 41}
    assert abs(np.mean(shares) - 6 / 41) < 4.0 * np.std(shares) / math.sqrt(300)


def test_noise_of_the_stream_itself_is_not_charged() -> None:
    clean = clean_stream()
    noisy = np.zeros(N, dtype=np.bool_)
    noisy[::5] = True
    clean = dataclasses.replace(clean, biased=noisy)
    case = case_of(clean, {(121, 0): 9.0}, labels=(126, 130))
    # 130 was noise and is right again; 125 and 135 still are
    case.seen.biased = noisy.copy()
    case.seen.biased[[126, 130]] = True, False
    assert np.flatnonzero(case.wrong).tolist() == [121, 126]
    assert np.flatnonzero(case.noisy).tolist() == [i for i in range(0, N, 5) if i != 130]
    flagged = np.zeros(N, dtype=np.bool_)
    flagged[[100, 105, 101, 121, 130]] = True
    found = dataclasses.replace(found_by(Value(), case), rows=flagged)
    assert noise_found(case, found) == 2 / 11
    assert false_alarm_rate(case, found) == 2 / 47
    assert attained_rate(case, found) == 4 / 58


def test_rows_at_the_limit_are_known() -> None:
    clean = clean_stream()
    clean.X[:, 0] = np.arange(N) % 3
    found, limit = flags(Value(alpha=0.1), case_of(clean), rng(0))
    assert limit is not None and limit.threshold == 2.0 and found.at_limit is not None
    assert np.array_equal(found.at_limit[LATE], clean.X[LATE, 0] == 2.0) and not found.rows.any()


def test_attained_rate_is_of_right_rows_after_the_warm_up() -> None:
    case = case_of(clean_stream(), {(i, 0): 9.0 for i in range(FIRST, FIRST + 20)}, labels=(139,))
    found = found_by(Value(), case)
    flagged = np.zeros(N, dtype=np.bool_)
    flagged[: FIRST + 25] = True
    flagged[139] = True
    # of 60 rows 20 have another value and one another label: 5 of the other 39
    assert attained_rate(case, dataclasses.replace(found, rows=flagged)) == 5 / 39
    everything = case_of(clean_stream(), {(i, 0): 9.0 for i in range(FIRST, N)})
    assert math.isnan(attained_rate(everything, found))


# -- gates whose scores depend on the window, or on the rows before ------------------------------------


def test_gates_by_window_score_clean_rows_in_the_company_of_each_window() -> None:
    case = case_of(clean_stream(), CELLS)
    found, limit = flags(Rank(alpha=0.1), case, rng(2))
    held = split(FIRST, rng(2))[1]
    assert limit == Limit(threshold=0.0, n=40, k=37)
    for t in range(WARMUP, WINDOWS):
        company = case.rows(
            np.concatenate([case.seen.X[window(t)], case.clean.X[held]]),
            np.concatenate([case.seen.y[window(t)], case.clean.y[held]]),
        )
        score = Rank().score(None, company)
        above = conformal(score[PER:], 0.1).threshold
        assert np.array_equal(found.score[window(t)], score[:PER] - above)
        assert np.array_equal(found.rows[window(t)], score[:PER] > above)


def test_a_clean_row_in_the_place_of_another_is_near_the_rest() -> None:
    case = case_of(clean_stream(), CELLS)
    gate = make("gate", "near_duplicate")
    rows, held = case.batch(WARMUP), case.clean_rows.take(np.arange(12))
    learned = gate.learn(held, rng())
    score, aside = gate.beside(learned, rows, held, rows.take(slice(0, 0)))
    assert np.array_equal(score, gate.score(learned, rows)) and aside.shape == (PER, 12)
    for i in range(PER):
        others = np.delete(rows.Z, i, axis=0)
        nearest = np.sqrt(((held.Z[:, None] - others) ** 2).sum(axis=2)).min(axis=1)
        assert aside[i] == pytest.approx(-np.log10(nearest))


class Often(Value):
    """A gate of rows in their order: how many before have the same category."""

    by_order = True

    def score(self, learned: Any, rows: Any) -> np.ndarray:
        code = rows.X[:, 2]
        return np.array([float((code[:i] == value).sum()) for i, value in enumerate(code)])


def test_gates_by_order_score_clean_rows_after_the_rows_before() -> None:
    case = case_of(clean_stream(), CELLS)
    found, limit = flags(Often(alpha=0.1), case, rng(2))
    learn, held = split(FIRST, rng(2))
    assert limit == Limit(threshold=0.0, n=40, k=37)
    before = np.concatenate([case.clean.X[learn, 2], case.seen.X[FIRST : FIRST + PER, 2]])
    aside = case.clean.X[held, 2]
    counts = [(before == v).sum() + (aside[:i] == v).sum() for i, v in enumerate(aside)]
    above = conformal(np.array(counts, dtype=float), 0.1).threshold
    here = case.seen.X[window(WARMUP + 1), 2]
    counts = [(before == v).sum() + (here[:i] == v).sum() for i, v in enumerate(here)]
    assert found.score[window(WARMUP + 1)].tolist() == [count - above for count in counts]


def test_how_often_a_row_has_come_is_compared_with_how_often_clean_ones_would_have() -> None:
    # few values: rows repeat by themselves, and ever more often
    clean = clean_stream()
    clean.X[:] = np.column_stack([np.arange(N) % 4, np.zeros(N), np.zeros(N)])
    clean.y[:] = 0
    case = case_of(clean)
    found, _ = flags(make("gate", "repeated", alpha=0.1), case, rng(2))
    held = split(FIRST, rng(2))[1]
    for i in range(FIRST, N):
        # each among all that has come, itself not counted
        often = [(clean.X[: i + 1, 0] == v).sum() - 1 for v in clean.X[held, 0]]
        above = conformal(np.array(often, dtype=float), 0.1).threshold
        assert found.score[i] == (clean.X[:i, 0] == clean.X[i, 0]).sum() - above
    assert found.rows.mean() < 0.1


#: gates whose scores depend on other rows, and have no ties here
TOGETHER = ["near_duplicate", "knn_shapley", "leave_one_out", "influence", "loss", "confident"]


@pytest.mark.parametrize("name", TOGETHER)
@pytest.mark.parametrize("starts", [0, 3])
def test_scores_that_depend_on_other_rows_have_the_rate_of_the_limit(name: str, starts: int) -> None:
    """Two windows of warm-up are held back, or four; versions are trained on few windows, or on ever more."""
    shares = []
    for seed in range(30):
        clean = clean_stream(seed)
        if starts:
            clean = dataclasses.replace(clean, warmup=4)
        first = np.maximum(np.arange(WINDOWS) - starts, 0) if starts else np.zeros(WINDOWS, np.int64)
        # rows are as clean as the warm-up: some labels are noise, in both
        case = case_of(clean, starts=first)
        found, limit = flags(make("gate", name, alpha=0.2), case, rng(seed))
        assert limit is not None
        shares.append(attained_rate(case, found) - limit.rate)
    assert abs(np.mean(shares)) < 4.0 * np.std(shares) / math.sqrt(len(shares))


def test_copies_are_near_duplicates_within_a_window_and_repeated_across() -> None:
    clean = clean_stream()
    within = {(93, j): clean.X[91, j] for j in range(3)}
    across = {(111, j): clean.X[12, j] for j in range(3)}
    case = case_of(clean, {**within, **across})
    case.seen.y[[93, 111]] = case.seen.y[[91, 12]]
    near = found_by(make("gate", "near_duplicate"), case)
    assert near.score[91] == near.score[93] > 140.0 and near.rows[[91, 93]].all()
    assert near.score[111] < 3.0 and not near.rows[111]
    again = found_by(make("gate", "repeated"), case)
    assert np.flatnonzero(again.rows).tolist() == [93, 111]


# -- batches -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ks_batch", "missing_rate", "schema"])
def test_batches_are_judged_against_the_whole_warm_up(name: str) -> None:
    cells: dict[tuple[int, int], float] = {(i, 0): 40.0 for i in range(90, 100)}
    cells |= {(i, 1): np.nan for i in range(100, 110)}
    names_ = Received(names=("a", "z", "c"), types=("number", "number", "category"))
    case = case_of(clean_stream(), cells, received={12: names_})
    gate = make("gate", name, alpha=0.01)
    found, limit = flags(gate, case, rng())
    assert limit is None and found.cells is None
    learned = gate.learn(case.rows(case.clean.X[:FIRST], case.clean.y[:FIRST]), rng())
    for t in range(WARMUP, WINDOWS):
        place = window(t)
        rows = dataclasses.replace(
            case.rows(case.seen.X[place], case.seen.y[place]), received=names_ if t == 12 else None
        )
        score = float(gate.score(learned, rows))
        assert found.batch_score[t] == score
        assert found.batches[t] == (score >= 2.0)
        assert (found.rows[place] == found.batches[t]).all()
        assert (found.score[place] == score).all() or math.isnan(score)
    expected = {"ks_batch": [9], "missing_rate": [10], "schema": [10, 12]}
    assert np.flatnonzero(found.batches).tolist() == expected[name]


# -- gates at training -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["knn_shapley", "leave_one_out", "loss"])
def test_rows_are_measured_among_those_of_their_version_beside_clean_ones(name: str) -> None:
    starts = np.maximum(np.arange(WINDOWS) - 2, 0)
    case = case_of(clean_stream(), CELLS, labels=(95, 101, 122), starts=starts)
    gate = make("gate", name, alpha=0.1)
    found, limit = flags(gate, case, rng(3))
    generator = rng(3)
    half = WARMUP // 2 * PER
    trusted = case.clean_rows.take(slice(0, half))
    assert limit == Limit(threshold=0.0, n=40, k=37)
    for t in range(WARMUP, WINDOWS):
        # the rows held back, and the version's last three windows after the warm-up
        first = max(t - 2, WARMUP) * PER
        places = generator.permutation(np.r_[half:FIRST, first : (t + 1) * PER])
        order = np.argsort(places)
        asked = np.concatenate([order[-PER:], np.flatnonzero(places < FIRST)])
        harm = gate.harm(case.seen_rows.take(places), asked, trusted, "ridge", generator)
        harm = harm * (len(places) if gate.trusts else 1)
        above = conformal(harm[PER:], 0.1).threshold
        assert np.array_equal(found.score[window(t)], harm[:PER] - above)
        assert np.array_equal(found.rows[window(t)], harm[:PER] > above)
    assert not found.rows[:FIRST].any()


@pytest.mark.parametrize("rule", ["prune_by_noise_rate", "confident_learning"])
def test_a_rule_of_its_own_has_no_limit(rule: str) -> None:
    labels = tuple(range(FIRST, N, 7))
    case = case_of(clean_stream(), labels=labels)
    gate = make("gate", "confident", rule=rule)
    assert (gate.facts()["limit"], gate.facts()["asked_rate"]) == ("own rule", None)
    found, limit = flags(gate, case, rng(3))
    assert limit is None and found.at_limit is None and not found.batches.any()
    assert not found.rows[:FIRST].any() and found.rows[case.wrong].mean() > 2.0 * attained_rate(case, found)
    # the scores are the doubts
    assert auroc(found.score[LATE], case.wrong[LATE]) > 0.6
    with pytest.raises(ConfigError, match="says nothing of windows"):
        make("gate", "confident", rule=rule, action="hold")


# -- controls ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.05, 1.0])
def test_the_oracle_flags_what_is_wrong(alpha: float) -> None:
    case = case_of(clean_stream(), CELLS, labels=(95, 130))
    found, limit = flags(make("gate", "oracle", alpha=alpha), case, rng())
    assert limit is None
    assert np.flatnonzero(found.rows).tolist() == [95, 97, 122, 130]
    assert np.flatnonzero(case.wrong).tolist() == [95, 97, 122, 130]
    assert found.cells is not None and np.array_equal(found.cells, case.seen.corrupted)
    assert sorted(map(tuple, np.argwhere(found.cells).tolist())) == sorted(CELLS)
    assert np.flatnonzero(found.batches).tolist() == [9, 12, 13]
    assert np.array_equal(found.score[LATE], case.wrong[LATE].astype(np.float64))
    assert attained_rate(case, found) == 0.0


def test_no_gate_flags_nothing() -> None:
    found, limit = flags(make("gate", "none"), case_of(clean_stream(), CELLS), rng())
    assert limit is None and not found.rows.any() and not found.batches.any()
    assert (found.score[LATE] == 0.0).all() and np.isnan(found.score[:FIRST]).all()


# -- all of them -------------------------------------------------------------------------------------


def usable(name: str) -> Any:
    """Return a gate with limits that this short warm-up can give."""
    return make("gate", name, alpha=0.1)


@pytest.mark.parametrize("name", SCORED)
def test_the_warm_up_is_never_flagged_and_nothing_is_changed(name: str) -> None:
    case = case_of(clean_stream(missing=0.05), CELLS, labels=(95, 101, 122))
    before = [array.copy() for array in (case.seen.X, case.seen.y, case.clean.X, case.seen_rows.Z)]
    found, limit = flags(usable(name), case, rng(5))
    assert identical(before, [case.seen.X, case.seen.y, case.clean.X, case.seen_rows.Z])
    assert found.rows.shape == found.score.shape == (N,) and found.rows.dtype == np.bool_
    assert found.batches.shape == found.batch_score.shape == (WINDOWS,)
    assert not found.rows[:FIRST].any() and not found.batches[:WARMUP].any()
    assert np.isnan(found.score[:FIRST]).all() and (found.batch_score[:WARMUP] == 0.0).all()
    if found.cells is not None:
        assert found.cells.shape == (N, 3) and not found.cells[:FIRST].any()
    again, same = flags(usable(name), case, rng(5))
    assert identical(found, again) and limit == same
    gate = usable(name)
    assert (limit is None) == (gate.limit_from != "calibrated")
    assert limit is None or (isinstance(limit, Limit) and limit.rate <= 0.1)


@pytest.mark.parametrize("name", SCORED)
def test_alpha_of_1_flags_nothing_of_the_warm_up_either(name: str) -> None:
    found = found_by(make("gate", name, alpha=1.0), case_of(clean_stream(), CELLS))
    assert not found.rows[:FIRST].any() and not found.batches[:WARMUP].any()


@pytest.mark.parametrize("name", ["accuracy_drop", "weak_slices"])
def test_gates_of_versions_flag_no_rows(name: str) -> None:
    with pytest.raises(ConfigError, match="judges versions, it has no score of rows"):
        flags(make("gate", name), case_of(clean_stream()), rng())


# -- errors ------------------------------------------------------------------------------------------


def cut(rows: list[int], warmup: int, **changes: Any) -> Case:
    """Return a case with windows of the given sizes."""
    bounds = np.cumsum([0, *rows]).astype(np.int64)
    n = int(bounds[-1])
    clean = clean_stream()
    parts = {"X": clean.X[:n], "y": clean.y[:n], "g": clean.g[:n], "bounds": bounds, "warmup": warmup}
    return case_of(dataclasses.replace(clean, **{**parts, **changes}))


@pytest.mark.parametrize("name", [name for name in SCORED if name not in ("none", "oracle")])
def test_a_single_reference_row(name: str) -> None:
    with pytest.raises(
        DataError, match=rf"gate/{name}: 1 reference row\(s\), at least 2[\s\S]*longer warm-up"
    ):
        flags(make("gate", name), cut([1, 10, 10], 1), rng())


def test_a_single_window_of_warm_up() -> None:
    case = cut([40, 10, 10], 1)
    # one window is enough where rows are compared in one company
    assert flags(make("gate", "near_duplicate", alpha=0.1), case, rng())[1] == Limit(
        threshold=0.0, n=20, k=19
    )
    for name in SCORED:
        if issubclass(find("gate", name), TrainGate):
            with pytest.raises(ConfigError, match=rf"gate/{name} needs a warm-up of 2 windows at least"):
                flags(make("gate", name), case, rng())


def test_too_low_a_rate_for_the_warm_up() -> None:
    with pytest.raises(ConfigError, match=r"a false-alarm rate of 0.02 needs at least 49 .*, there are 40"):
        flags(Value(alpha=0.02), case_of(clean_stream()), rng())


def test_a_feature_without_a_value_in_the_warm_up() -> None:
    clean = clean_stream()
    clean.X[:FIRST, 1] = np.nan
    with pytest.raises(DataError, match=r"column 'b' has no value in the 80 warm-up rows[\s\S]*drop=\[b\]"):
        case_of(clean)
    # half of the warm-up may lack one: those cells are not scored
    clean.X[split(FIRST, rng(0))[1][0], 1] = 50.0
    for name in ("zscore", "iqr", "rules", "knn", "ks_batch"):
        flags(make("gate", name, alpha=0.1), case_of(clean), rng(0))


def test_text_where_numbers_were() -> None:
    clean = clean_stream()
    X = clean.X.astype(object)
    X[90, 1] = "n/a"
    for one, other in ((clean, dataclasses.replace(clean, X=X)), (dataclasses.replace(clean, X=X), clean)):
        with pytest.raises(DataError, match=r"feature 'b' holds 'n/a', which is no number"):
            Case(clean=one, seen=other, learner="ridge", starts=np.zeros(WINDOWS, np.int64))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"corrupted": np.zeros((N, 2), bool)},
            r"mask of corrupted cells is bool of shape \(140, 2\), the rows",
        ),
        ({"corrupted": np.zeros((FIRST, 3), bool)}, r"shape \(80, 3\), the rows need bool of \(140, 3\)"),
        ({"corrupted": np.zeros((N, 3))}, "mask of corrupted cells is float64"),
        ({"biased": np.zeros(N - 1, bool)}, r"mask of biased labels is bool of shape \(139,\)"),
        ({"warmup": 7}, r"a warm-up of 7, the clean one 14 of \(140, 3\) and 8"),
        ({"bounds": np.array([0, *range(11, 131, 10), 130, 140])}, "the stream with errors has 14 windows"),
    ],
)
def test_truth_of_another_shape(changes: dict[str, Any], message: str) -> None:
    clean = clean_stream()
    with pytest.raises(DataError, match=message):
        Case(
            clean=clean,
            seen=dataclasses.replace(clean, **changes),
            learner="ridge",
            starts=np.zeros(WINDOWS, np.int64),
        )


def test_a_warm_up_that_is_not_clean() -> None:
    for cells, labels in (({(0, 0): 9.0}, ()), ({(FIRST - 1, 2): np.nan}, ()), ({}, (5,))):
        with pytest.raises(DataError, match=r"the warm-up of the stream with errors is not clean"):
            case_of(clean_stream(), cells, labels)
    case_of(clean_stream(missing=0.2), {(FIRST, 0): 9.0}, (FIRST,))
