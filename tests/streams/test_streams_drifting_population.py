"""Populations whose rule and merits change, errors put in over errors, one of several streams by the seed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from mlopsim.core.digest import digest_arrays
from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import canonical, make
from mlopsim.streams.course import disagreement
from mlopsim.streams.sources.corrupted import CorruptedStream
from mlopsim.streams.sources.one_of import OneOf
from mlopsim.streams.sources.population import Population
from mlopsim.streams.stream import DriftKind, Stream

SEED = np.random.SeedSequence(5)
SMALL: dict[str, Any] = {"windows": 12, "warmup": 2, "per_group": 40}
AT_SIX = {"duration": {"fixed": {"mean": 4}}, "order": [0, 1], "limit": 1}
#: no change, and a turn by 40 degrees
MORE: list[dict[str, Any]] = [{}, {"rule": {"abrupt": AT_SIX}, "turns": [0.0, 40.0]}]


def stream_of(seed: np.random.SeedSequence = SEED, **params: Any) -> Stream:
    return Population(**SMALL | params).generate(seed)


def test_parts_of_populations_that_stay_are_what_they_were() -> None:
    assert not {"rule", "turns", "merits", "moves", "fold"} & set(canonical("stream", "population")["params"])
    assert not Population().drifts and Population(turns=[10.0]).drifts
    stays, starts = stream_of(), stream_of(rule={"abrupt": AT_SIX}, merits={"abrupt": AT_SIX})
    first = slice(0, int(stays.bounds[6]))
    assert np.array_equal(stays.X[first], starts.X[first]) and np.array_equal(stays.y[first], starts.y[first])
    assert stays.events == () and stays.concept is None


def test_the_rule_turns_by_the_stated_angle_and_merits_stay() -> None:
    source = Population(**SMALL | {"per_group": 6_000}, rule={"abrupt": AT_SIX}, turns=[0.0, 40.0])
    stream, plain = source.generate(SEED), Population(**SMALL | {"per_group": 6_000}).generate(SEED)
    assert np.array_equal(stream.X, plain.X)
    late = np.arange(len(stream.y)) >= stream.bounds[6]
    gap = stream.X[late & (stream.y == 1)].mean(axis=0) - stream.X[late & (stream.y == 0)].mean(axis=0)
    angle, side = math.radians(40.0), np.array([0.0, 0.0, math.sqrt(0.5), -math.sqrt(0.5), 0.0])
    wanted = math.cos(angle) * source.weights + math.sin(angle) * side
    np.testing.assert_allclose(gap / np.sqrt((gap * gap).sum()), wanted, atol=0.03)
    (event,) = stream.events or ()
    assert (event.kind, event.start, event.end) == (DriftKind.CONCEPT, stream.bounds[6], stream.bounds[6])
    # without noise labels are the likeliest ones: as many change as the event says
    sharp = [Population(**SMALL | {"per_group": 6_000}, sigma=0.0, **more).generate(SEED)
             for more in MORE]  # fmt: skip
    changed = (sharp[0].y != sharp[1].y)[late].mean()
    assert (
        changed
        == pytest.approx(disagreement(40.0, 0.5), abs=0.005)
        == pytest.approx(event.magnitude, abs=0.005)
    )
    assert np.array_equal(np.unique(stream.concept[late]), [1])  # type: ignore[index]


def test_merits_move_for_everybody_and_labels_follow_the_same_rule() -> None:
    stream = stream_of(per_group=6_000, merits={"abrupt": AT_SIX}, moves=[0.0, 0.8])
    late = np.arange(len(stream.y)) >= stream.bounds[6]
    weighed = 0.8 * 2.0 / math.sqrt(10.0)
    for group in (0, 1):
        rows = late & (stream.g == group)
        assert stream.X[rows, 0].mean() == pytest.approx(0.8, abs=0.02)
        assert stream.y[rows].mean() == pytest.approx(norm.sf((0.5 - weighed) / math.sqrt(1.25)), abs=0.01)
    (event,) = stream.events or ()
    assert event.kind is DriftKind.COVARIATE and event.magnitude == 0.8


def test_a_fold_bends_the_rule_and_not_the_features() -> None:
    """Mirrored at the fold people have the same labels; a turn changes as many labels as its event says."""
    size = SMALL | {"per_group": 6_000}
    folded = Population(**size, fold=0.75, sigma=0.0)
    stream, plain = folded.generate(SEED), Population(**size, sigma=0.0).generate(SEED)
    assert np.array_equal(stream.X, plain.X)
    below = stream.X[:, 0] <= 0.75
    assert np.array_equal(stream.y[below], plain.y[below]) and not np.array_equal(stream.y, plain.y)
    mirrored = stream.X[:, :5].copy()
    mirrored[:, 0] = 1.5 - mirrored[:, 0]
    assert folded.counted(mirrored)[:, 0] == pytest.approx(folded.counted(stream.X[:, :5])[:, 0], abs=1e-12)
    # moved by twice the fold merits are mirrored: base rates stay, and what is right turns round
    moved = Population(**size, fold=0.75, sigma=0.0, merits={"abrupt": AT_SIX}, moves=[0.0, 1.5])
    law = moved.generate(SEED)
    early, late = slice(0, int(law.bounds[6])), slice(int(law.bounds[6]), None)
    assert law.y[late].mean() == pytest.approx(law.y[early].mean(), abs=0.01)
    slopes = [np.cov(law.X[part, 0], law.y[part])[0, 1] for part in (early, late)]
    assert slopes[0] == pytest.approx(-slopes[1], abs=0.01) and slopes[0] > 0.05
    turned = Population(**size, fold=0.75, sigma=0.0, **MORE[1]).generate(SEED)
    after = np.arange(len(law.y)) >= law.bounds[6]
    (event,) = turned.events or ()
    assert event.magnitude == pytest.approx((turned.y != stream.y)[after].mean(), abs=0.005)
    # where nobody gets that far there is no fold, and the closed form is the other one's
    assert disagreement(40.0, 0.5, fold=9.0, weight=0.6) == pytest.approx(disagreement(40.0, 0.5), abs=1e-9)


def test_a_gradual_change_is_a_mixture_in_known_shares() -> None:
    gradual = {"gradual": {**AT_SIX, "width": 3}}
    source = Population(**SMALL | {"per_group": 4_000}, rule=gradual)
    stream, course = source.generate(SEED), source.course(SEED)
    assert [share for share, _ in course.laws(7)] == [0.5, 0.5]
    new = (stream.concept.reshape(12, -1) == 1).mean(axis=1)  # type: ignore[union-attr]
    wanted = [0.0] * 6 + [0.25, 0.5, 0.75] + [1.0] * 3
    np.testing.assert_allclose(new, wanted, atol=0.02)
    (event,) = stream.events or ()
    assert (event.start, event.end) == (stream.bounds[6], stream.bounds[9])


def test_an_incremental_change_has_one_law_a_window() -> None:
    source = Population(**SMALL, merits={"incremental": {**AT_SIX, "width": 3}}, moves=[0.0, 2.0])
    laws = [source.course(SEED).laws(t) for t in range(12)]
    assert [law[0][1].move for law in laws] == [0.0] * 6 + [0.5, 1.0, 1.5] + [2.0] * 3
    assert all(len(law) == 1 for law in laws)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"turns": []}, "turns is empty"),
        ({"turns": [190.0]}, "turns"),
        ({"moves": [math.nan]}, "moves"),
        ({"fold": math.inf}, "fold"),
        ({"rule": {"abrupt": {"order": [0, 2]}}}, r"variants 0\.\.1"),
        ({"rule": "abrupt", "turns": [0.0]}, "one variant only"),
    ],
)
def test_changes_that_make_no_sense_are_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Population(**params)


#: digest of labels, concept and truth; X[-3:, 0] and sum |X|
GOLDEN: dict[str, tuple[str, list[float]]] = {
    "corrupted": (
        "11295853c375a0ca79a18ba8",
        [1.077785300452813, 0.28327424748599384, 1.6474277841574783, 9589.990320175184],
    ),
    "one_of": (
        "11295853c375a0ca79a18ba8",
        [1.077785300452813, 0.28327424748599384, 1.6474277841574783, 9589.990320175184],
    ),
    "population": (
        "6c6a653f1d2427ec93f120c0",
        [1.077785300452813, 0.28327424748599384, 1.6474277841574783, 3911.5751786829132],
    ),
}


@pytest.mark.parametrize("name", ["population", "corrupted", "one_of"])
def test_golden(name: str) -> None:
    drifting = {"population": {**SMALL, "rule": {"gradual": AT_SIX}, "merits": {"incremental": AT_SIX}}}
    twice = {
        "corrupted": {
            "base": {
                "corrupted": {"base": drifting, "injector": "label_noise", "timing": {"step": {"at": 4}}}
            },
            "injector": "unit_scale",
            "timing": {"step": {"at": 6}},
        }
    }
    specs: dict[str, Any] = {
        "population": drifting,
        "corrupted": twice,
        "one_of": {"one_of": {"streams": [twice, drifting]}},
    }
    stream: Stream = make("stream", specs[name]).generate(np.random.SeedSequence(2026))
    arrays = {"y": stream.y, "concept": stream.concept, "biased": stream.biased, "true": stream.true_y}
    found = digest_arrays(arrays), [*stream.X[-3:, 0].tolist(), float(np.abs(stream.X).sum())]  # type: ignore[arg-type]
    digest, values = GOLDEN[name]
    assert found[0] == digest and found[1] == pytest.approx(values, rel=1e-9), f"it is now {found!r}"


# -- errors over errors ----------------------------------------------------------------------------


def over(inner: dict[str, Any], outer: dict[str, Any]) -> CorruptedStream:
    base = {"corrupted": {"base": {"population": SMALL}, **inner}}
    return CorruptedStream(base=base, **outer)


def test_truth_is_about_both_kinds_of_errors() -> None:
    flips = {"injector": "label_noise", "rate": 0.3, "timing": {"step": {"at": 4}}}
    outliers = {"injector": {"unit_scale": {"factor": 10.0, "features": ["m0"]}}, "rate": 0.5,
                "timing": {"step": {"at": 6}}}  # fmt: skip
    source = over(flips, outliers)
    clean, stream = source.clean(SEED), source.generate(SEED)
    alone = stream_of()
    assert np.array_equal(clean.X, alone.X) and np.array_equal(clean.y, alone.y)
    assert stream.corrupted is not None and stream.biased is not None
    assert np.array_equal(stream.corrupted, stream.X != clean.X)
    assert np.array_equal(stream.biased, stream.y != clean.y)
    window = np.repeat(np.arange(12), 80)
    assert [stream.corrupted[window == t].any(axis=1).mean() for t in (5, 6, 11)] == [0.0, 0.5, 0.5]
    assert [bool(stream.biased[window == t].any()) for t in (3, 4, 11)] == [False, True, True]
    # who is hit by one does not tell who is hit by the other
    both = stream.biased & stream.corrupted.any(axis=1)
    assert 0.1 < both[window >= 6].mean() < 0.2


def test_rows_that_were_replaced_stay_known_by_their_source() -> None:
    source = over({"injector": "duplicate_rows", "rate": 0.5, "timing": {"step": {"at": 4}}},
                  {"injector": "label_noise", "rate": 0.5, "timing": {"step": {"at": 4}}})  # fmt: skip
    clean = source.clean(SEED)
    found = source.corrupt(clean, SEED)
    assert (found.source != np.arange(len(clean.y))).any()
    stream = source.generate(SEED)
    assert np.array_equal(stream.g, clean.g[found.source]) and np.array_equal(stream.X, clean.X[found.source])
    assert stream.true_y is not None and np.array_equal(stream.true_y, clean.y[found.source])
    assert stream.biased is not None and stream.biased[stream.y != stream.true_y].all()


def test_columns_cannot_be_changed_twice() -> None:
    schema = {"injector": "schema_change", "rate": 1.0, "timing": {"step": {"at": 4}}}
    with pytest.raises(DataError, match="two kinds of errors"):
        over(schema, schema).generate(SEED)


# -- one of several --------------------------------------------------------------------------------

MEMBERS: list[Any] = [
    {"population": SMALL},
    {"corrupted": {"base": {"population": SMALL}, "injector": "label_noise", "timing": {"step": {"at": 4}}}},
    {
        "one_of": {
            "streams": [{"population": {**SMALL, "sigma": 1.0}}, {"population": {**SMALL, "sigma": 2.0}}]
        }
    },
]


def test_scenarios_are_those_of_what_is_drawn() -> None:
    source = OneOf(streams=MEMBERS)
    seeds = [np.random.SeedSequence(k) for k in range(60)]
    drawn = [source.which(seed) for seed in seeds]
    assert np.bincount(drawn, minlength=3).min() > 10
    for seed, number in list(zip(seeds, drawn, strict=True))[:12]:
        alone = make("stream", MEMBERS[number])
        stream, wanted = source.generate(seed), alone.generate(seed)
        assert np.array_equal(stream.X, wanted.X) and np.array_equal(stream.y, wanted.y)
        clean = alone.clean(seed) if hasattr(alone, "clean") else wanted
        assert np.array_equal(source.clean(seed).y, clean.y)
    # what the inner one draws does not hang on the outer one
    inner = [source.drawn(seed).which(seed) for seed, number in zip(seeds, drawn, strict=True) if number == 2]
    assert set(inner) == {0, 1}


def test_streams_of_unequal_size_are_refused() -> None:
    with pytest.raises(ConfigError, match="differ in windows: 12 and 13"):
        OneOf(streams=[MEMBERS[1], {"population": {**SMALL, "windows": 13}}])
    with pytest.raises(ConfigError, match="is empty"):
        OneOf(streams=[])
