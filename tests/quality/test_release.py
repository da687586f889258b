"""Release gates: exact tests against scipy, what blocks, and what a slice is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from mlopsim.checks.base import identical
from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.registry import find, names
from mlopsim.core.spec import make
from mlopsim.quality.gate import Action, Rows, Stage
from mlopsim.quality.gates.weak_slices import slices
from mlopsim.quality.release_gate import ReleaseGate, Verdict, least_discordant, sign_test
from mlopsim.stats.rank_tests import holm

RELEASE_GATES = [name for name in names("gate") if issubclass(find("gate", name), ReleaseGate)]


def rows_of(X: np.ndarray, categorical: tuple[int, ...] = ()) -> Rows:
    features = tuple(f"x{j}" for j in range(X.shape[1]))
    y = np.zeros(len(X), dtype=np.int64)
    return Rows(X=X, Z=np.nan_to_num(X), y=y, n_classes=2, features=features, categorical=categorical)


def drawn(m: int, seed: int = 0) -> tuple[Rows, np.ndarray]:
    """Return rows of two numbers and a category, and three groups."""
    rng = np.random.Generator(np.random.PCG64(seed))
    X = np.column_stack([rng.random((m, 2)), np.floor(3.0 * rng.random(m))])
    return rows_of(X, (2,)), np.floor(3.0 * rng.random(m)).astype(np.int64)


def correct(m: int, share: float, seed: int) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(seed)).random(m) < share


# -- the tests -------------------------------------------------------------------------------------


def test_sign_test_equals_scipy() -> None:
    pairs = [(a, b) for a in range(0, 60, 3) for b in range(0, 60, 3)] + [(900, 800), (0, 500), (700, 2)]
    worse, better = np.array(pairs).T
    expected = [
        stats.binomtest(a, a + b, 0.5, alternative="greater").pvalue if a + b else 1.0 for a, b in pairs
    ]
    assert sign_test(worse, better) == pytest.approx(expected, rel=1e-11, abs=0.0)


@pytest.mark.parametrize(
    ("alpha", "rows"), [(0.5, 1), (0.25, 2), (0.05, 5), (0.03125, 5), (0.03, 6), (1.0, 0)]
)
def test_fewest_rows_that_can_block(alpha: float, rows: int) -> None:
    assert least_discordant(alpha) == rows
    if rows:
        assert sign_test(np.array([rows]), np.array([0]))[0] <= alpha
        assert sign_test(np.array([rows - 1]), np.array([0]))[0] > alpha


# -- accuracy_drop ---------------------------------------------------------------------------------


def test_accuracy_drop_is_the_test_of_the_rows_they_disagree_on() -> None:
    rows, groups = drawn(200)
    old, new = correct(200, 0.9, 1), correct(200, 0.8, 2)
    worse, better = int((old & ~new).sum()), int((new & ~old).sum())
    expected = stats.binomtest(worse, worse + better, 0.5, alternative="greater").pvalue
    verdict = make("gate", "accuracy_drop").verdict(new, old, rows, groups)
    assert verdict.p == pytest.approx(expected, rel=1e-12)
    assert verdict.blocked and expected <= 0.05
    (only,) = verdict.slices
    assert tuple(only) == ("all", 200, new.mean(), old.mean(), verdict.p, None)
    back = make("gate", "accuracy_drop").verdict(old, new, rows, groups)
    assert not back.blocked and back.p > 0.95 and back.reason == ""


def test_too_few_rows_to_block_is_a_reason() -> None:
    rows, groups = drawn(100)
    old, new = np.ones(100, np.bool_), np.ones(100, np.bool_)
    gate = make("gate", "accuracy_drop")
    same = gate.verdict(new, old, rows, groups)
    assert (same.blocked, same.p) == (False, 1.0)
    assert same.reason == "the versions differ on 0 row(s), alpha = 0.05 needs at least 5"
    new[:4] = False
    assert "differ on 4 row(s)" in gate.verdict(new, old, rows, groups).reason
    new[4] = False
    verdict = gate.verdict(new, old, rows, groups)
    assert verdict.blocked and verdict.reason == "accuracy 0.95 after 1 (n = 100)"
    assert not make("gate", "accuracy_drop", alpha=0.03).verdict(new, old, rows, groups).blocked


# -- least_accuracy --------------------------------------------------------------------------------


def test_a_floor_is_tested_whatever_serves() -> None:
    rows, groups = drawn(200)
    new = correct(200, 0.75, 1)
    gate = make("gate", "least_accuracy", floor=0.85)
    expected = stats.binomtest(int(new.sum()), 200, 0.85, alternative="less").pvalue
    for old in (new, ~new, np.ones(200, np.bool_)):
        verdict = gate.verdict(new, old, rows, groups)
        assert verdict.blocked and verdict.p == pytest.approx(expected, rel=1e-9)
    assert not make("gate", "least_accuracy", floor=0.7).verdict(new, new, rows, groups).blocked
    few, two = drawn(2)
    wrong = np.zeros(2, np.bool_)
    assert (
        "would not show" in make("gate", "least_accuracy", floor=0.6).verdict(wrong, wrong, few, two).reason
    )
    with pytest.raises(ConfigError, match="floor"):
        make("gate", "least_accuracy", floor=1.5)


# -- weak_slices -----------------------------------------------------------------------------------


def test_slices_by_hand() -> None:
    X = np.column_stack(
        [np.arange(8.0), [0, 0, 1, 1, 2, 2, 2, np.nan], np.repeat([3.0, 5.0], [7, 1]), np.ones(8)]
    )
    X[5, 0] = np.nan
    found = {
        name: np.flatnonzero(member).tolist()
        for name, member, _ in slices(rows_of(X, (1,)), np.arange(8) % 2)
    }
    assert found == {
        "group 0": [0, 2, 4, 6],
        "group 1": [1, 3, 5, 7],
        "x0 <= 1.5": [0, 1],
        "x0 in (1.5, 3]": [2, 3],
        "x0 in (3, 5]": [4],
        "x0 > 5": [6, 7],
        "x0 missing": [5],
        "x1 = 0": [0, 1],
        "x1 = 1": [2, 3],
        "x1 = 2": [4, 5, 6],
        "x1 missing": [7],
        "x2 <= 3": [0, 1, 2, 3, 4, 5, 6],
        "x2 > 3": [7],
        "x3 known": list(range(8)),
    }


def test_every_row_is_in_one_slice_of_each_feature() -> None:
    rows, groups = drawn(300)
    rows.X[::7, 0] = np.nan
    rows.X[::3, 1] = 0.5
    for j in (*range(3), None):
        start = "group" if j is None else f"x{j}"
        parts = [member for name, member, _ in slices(rows, groups) if name.startswith(start)]
        assert len(parts) > 1 and (np.sum(parts, axis=0) == 1).all()


def test_weak_slices_are_tested_with_holm() -> None:
    rows, groups = drawn(400, 3)
    old, new = correct(400, 0.9, 4), correct(400, 0.9, 5)
    weak = rows.X[:, 0] > 0.8
    new[weak] = correct(400, 0.3, 6)[weak]
    members = [(name, member) for name, member, _ in slices(rows, groups) if 10 <= member.sum() < 400]
    plain = []
    for _, member in members:
        worse, better = int((old & ~new & member).sum()), int((new & ~old & member).sum())
        plain.append(stats.binomtest(worse, worse + better, 0.5, alternative="greater").pvalue)
    corrected = dict(zip([name for name, _ in members], holm(np.array(plain)), strict=True))
    verdict = make("gate", "weak_slices").verdict(new, old, rows, groups)
    assert {part.name: part.p for part in verdict.slices} == pytest.approx(corrected, rel=1e-11)
    assert [part.p for part in verdict.slices] == sorted(part.p for part in verdict.slices)
    assert verdict.p == verdict.slices[0].p and verdict.slices[0].name.startswith("x0 > ")
    assert verdict.blocked and verdict.reason.startswith("weak: x0 > ")
    inside = dict(members)
    for part in verdict.slices:
        member = inside[part.name]
        assert part[1:4] == (member.sum(), new[member].mean(), old[member].mean())


def test_a_slice_can_be_weak_where_the_whole_is_better() -> None:
    rows, groups = drawn(600, 7)
    old, new = correct(600, 0.7, 8), correct(600, 0.9, 9)
    old[groups == 2], new[groups == 2] = True, correct(600, 0.7, 10)[groups == 2]
    assert not make("gate", "accuracy_drop").verdict(new, old, rows, groups).blocked
    verdict = make("gate", "weak_slices").verdict(new, old, rows, groups)
    assert verdict.blocked and verdict.reason == "weak: group 2"


def test_slices_without_enough_rows_are_left_out() -> None:
    rows, groups = rows_of(np.arange(30.0)[:, None]), np.repeat([0, 1], [26, 4])
    old, new = np.ones(30, np.bool_), np.arange(30) < 26
    gate = make("gate", "weak_slices", least=5)
    found = gate.verdict(new, old, rows, groups)
    assert {part.name for part in found.slices} == {"group 0", *(f"x0 {r}" for r in RANGES)}
    assert not found.blocked
    assert found.reason == (
        "the versions differ on at most 4 row(s) of a slice, alpha = 0.05 over 5 slices needs at least 7"
    )
    none = make("gate", "weak_slices", least=100).verdict(new, old, rows, groups)
    assert (none.blocked, none.slices, none.reason) == (False, (), "no slice of at least 100 rows in 30")
    assert math.isnan(none.p)


RANGES = ("<= 7.25", "in (7.25, 14.5]", "in (14.5, 21.8]", "> 21.8")


# -- all of them -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RELEASE_GATES)
def test_a_version_that_is_no_worse_is_blocked_no_more_often_than_alpha(name: str) -> None:
    gate = make("gate", name, alpha=0.1)
    blocked = 0
    for i in range(400):
        rows, groups = drawn(150, 100 + i)
        blocked += gate.verdict(
            correct(150, 0.7, 2000 + i), correct(150, 0.7, 3000 + i), rows, groups
        ).blocked
    # three standard deviations of 400 trials at 0.1; and not a test that never speaks
    assert 2 <= blocked <= 40 + 18


@pytest.mark.parametrize("name", [name for name in RELEASE_GATES if not find("gate", name).control])
def test_a_much_worse_version_is_blocked(name: str) -> None:
    rows, groups = drawn(200)
    verdict = make("gate", name).verdict(correct(200, 0.4, 1), correct(200, 0.9, 2), rows, groups)
    assert verdict.blocked and verdict.p < 1e-3 and verdict.reason
    assert isinstance(verdict, Verdict) and type(verdict.blocked) is bool and type(verdict.p) is float


@pytest.mark.parametrize("name", RELEASE_GATES)
def test_extremes(name: str) -> None:
    gate = make("gate", name)
    for X in (np.zeros((1, 1)), np.zeros((40, 2)), np.full((40, 1), np.nan), np.arange(3.0)[:, None]):
        m = len(X)
        rows, groups = rows_of(X), np.zeros(m, np.int64)
        verdict = gate.verdict(np.ones(m, np.bool_), np.zeros(m, np.bool_), rows, groups)
        assert not verdict.blocked
    empty, none = np.zeros(0, np.bool_), np.zeros(0, np.int64)
    verdict = gate.verdict(empty, empty, rows_of(np.zeros((0, 2))), none)
    assert (verdict.blocked, verdict.slices, verdict.reason) == (False, (), "no held-out rows")
    assert math.isnan(verdict.p)


@pytest.mark.parametrize("name", RELEASE_GATES)
def test_the_order_of_rows_plays_no_part(name: str) -> None:
    rows, groups = drawn(90)
    new, old = correct(90, 0.7, 1), correct(90, 0.8, 2)
    mixed = np.random.default_rng(0).permutation(90)
    gate = make("gate", name)
    assert identical(
        gate.verdict(new, old, rows, groups),
        gate.verdict(new[mixed], old[mixed], rows.take(mixed), groups[mixed]),
    )


@pytest.mark.parametrize("name", RELEASE_GATES)
def test_what_does_not_fit_is_one_clear_error(name: str) -> None:
    gate = make("gate", name)
    rows, groups = drawn(20)
    right = np.ones(20, np.bool_)
    with pytest.raises(DataError, match=r"20 rows, but correctness of shapes \(19,\)"):
        gate.verdict(right[1:], right, rows, groups)
    with pytest.raises(DataError, match=r"groups \(20, 1\)"):
        gate.verdict(right, right, rows, groups[:, None])
    with pytest.raises(DataError, match="correctness must be bool, got float64"):
        gate.verdict(right.astype(np.float64), right, rows, groups)
    for refused in (lambda: gate.learn(rows, np.random.default_rng(0)), lambda: gate.score(None, rows)):
        with pytest.raises(ConfigError, match=r"judges versions[\s\S]*verdict\(\)"):
            refused()


@pytest.mark.parametrize("name", RELEASE_GATES)
def test_where_it_stands(name: str) -> None:
    gate = make("gate", name)
    assert gate.stages == (Stage.TEST,) and gate.does is Action.HOLD
    assert make("gate", name, action="hold").does is Action.HOLD
    with pytest.raises(ConfigError, match="action 'winsorize' is not possible"):
        make("gate", name, action="winsorize")


def test_parameters_have_ranges() -> None:
    with pytest.raises(ConfigError, match="least"):
        make("gate", "weak_slices", least=0)
    with pytest.raises(ConfigError, match="alpha"):
        make("gate", "accuracy_drop", alpha=2.0)


# -- golden numbers --------------------------------------------------------------------------------

#: gate: version, p, number of slices, first of them, sum of their p-values
GOLDEN: dict[str, tuple[str, float, int, list[Any], float]] = {
    "accuracy_drop": (
        "1",
        0.00168611666707,
        1,
        ["all", 250, 0.772, 0.876, 0.00168611666707],
        0.00168611666707,
    ),
    "least_accuracy": (
        "1",
        0.995515112831,
        1,
        ["all", 250, 0.772, 0.876, 0.995515112831],
        0.995515112831,
    ),
    "random_release": (
        "1",
        0.243477743594,
        1,
        ["all", 250, 0.772, 0.876, 0.243477743594],
        0.243477743594,
    ),
    "weak_slices": (
        "1",
        0.0180377960205,
        14,
        ["x1 in (0.495, 0.726]", 62, 0.677419354839, 0.903225806452, 0.0180377960205],
        7.6630838234,
    ),
}


def measured(name: str) -> tuple[str, float, int, list[Any], float]:
    rows, groups = drawn(250, 2026)
    new, old = correct(250, 0.75, 2027), correct(250, 0.85, 2028)
    verdict = make("gate", name).verdict(new, old, rows, groups)
    first = [part if isinstance(part, str | int) else float(f"{part:.12g}") for part in verdict.slices[0][:5]]
    total = float(f"{sum(part.p for part in verdict.slices):.12g}")
    return find("gate", name).version, float(f"{verdict.p:.12g}"), len(verdict.slices), first, total


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str) -> None:
    version, p, count, first, total = GOLDEN[name]
    found = measured(name)
    now = f"it is now {name!r}: {found!r}; if that is meant, raise the version and write it down"
    assert (found[0], found[2], found[3][:2]) == (version, count, first[:2]), now
    assert [found[1], found[4], *found[3][2:]] == pytest.approx([p, total, *first[2:]], rel=1e-9), now


@pytest.mark.parametrize("name", RELEASE_GATES)
def test_every_release_gate_has_golden_numbers(name: str) -> None:
    assert name in GOLDEN, f"add to GOLDEN the line {name!r}: {measured(name)!r},"
