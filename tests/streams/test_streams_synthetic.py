"""Synthetic streams: their truth is true."""

import numpy as np
import pytest

from mlopsim import make
from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.registry import names
from mlopsim.core.spec import canonical
from mlopsim.streams.concepts.base import Law
from mlopsim.streams.layout import branch
from mlopsim.streams.stream import DriftKind
from mlopsim.streams.validation import check_stream

SEED = np.random.SeedSequence(11)
WHERE = {"fixed": {"mean": 25.0}}
SMALL = {"windows": 60, "rows": 100, "warmup": 10}


def drawn(seed=SEED, **params):
    return make("stream", "synthetic", **params).generate(seed)


def concept_of(spec, seed=SEED):
    """The concept with the parameters that a stream of this seed has."""
    concept = make("concept", spec)
    concept.reset(np.random.default_rng(branch(seed, 0)))
    return concept


EVENTS = [
    (concept, schedule)
    for concept in names("concept")
    for schedule in ("abrupt", "gradual", "incremental")
    if schedule != "incremental" or make("concept", concept).interpolates
]


@pytest.mark.parametrize(("concept", "schedule"), EVENTS)
def test_concept_events_are_in_the_data(concept, schedule):
    params = {"duration": WHERE, "limit": 1}
    if schedule in ("gradual", "incremental"):
        params["width"] = 4.0
    if concept == "sea":
        params["order"] = [2, 3]  # the largest change of its four thresholds
    stream = drawn(concept=concept, schedule={schedule: params}, **SMALL)
    event = stream.events[0]
    assert (event.kind, event.start) == (DriftKind.CONCEPT, 3500)
    assert event.end == (3900 if "width" in params else 3500)
    assert event.magnitude > 0.05
    findings = check_stream(stream)
    assert [f.code for f in findings] == ["event-seen"], findings
    # before the beginning and after the end nothing changes; between them, it does
    before, after = stream.concept[: event.start], stream.concept[event.end :]
    assert len(set(before)) == len(set(after)) == 1 and before[0] != after[0]
    if "width" in params:
        assert set(stream.concept[event.start : event.end]) == {before[0], after[0]}


@pytest.mark.parametrize("concept", names("concept"))
def test_drift_free_version_has_the_same_concept_and_no_change(concept):
    still = drawn(concept=concept, schedule="none", **SMALL)
    moving = drawn(concept=concept, schedule={"abrupt": {"duration": WHERE}}, **SMALL)
    assert still.events == () and not [f for f in check_stream(still) if f.level == "error"]
    assert len(set(still.concept)) == 1
    first = moving.bounds[10]
    if still.concept[0] == moving.concept[0]:
        np.testing.assert_array_equal(still.X[:first], moving.X[:first])
        np.testing.assert_array_equal(still.y[:first], moving.y[:first])


@pytest.mark.parametrize("concept", ["linear_gaussian", "agrawal", "led", "sea"])
@pytest.mark.parametrize(
    "shift",
    [
        {"covariate": {"at": 30}},
        {"covariate": {"at": 30, "mode": "resample", "magnitude": 3.0, "width": 3.0}},
        {"prior": {"at": 30, "share": 0.9}},
        {"subgroup": {"at": 30}},
        {"subgroup": {"at": 30, "mode": "inputs", "magnitude": 2.0}},
    ],
    ids=["move", "resample", "prior", "subgroup-concept", "subgroup-inputs"],
)
def test_shift_events_are_in_the_data(concept, shift):
    spec = {"sea": {"thresholds": [6.0, 12.0]}} if concept == "sea" else concept
    params = {"concept": spec, "schedule": "none", "shifts": [shift], "groups": [0.5, 0.5], **SMALL}
    moves = shift.get("covariate", {"mode": "resample"}).get("mode") is None or "inputs" in str(shift)
    if moves and len(make("concept", concept).categories) == len(make("concept", concept).features):
        with pytest.raises(ConfigError, match="no numeric feature"):
            drawn(**params)
        return
    stream = drawn(**params)
    (event,) = stream.events
    assert event.kind.value == next(iter(shift)) and event.start == 3000
    assert event.end == 3000 + 100 * int(next(iter(shift.values())).get("width", 0))
    codes = [f.code for f in check_stream(stream) if not f.code.startswith("unseen")]
    assert codes == ["event-seen"]


@pytest.mark.parametrize("mode", ["move", "resample"])
@pytest.mark.parametrize("concept", ["sea", "agrawal", "mixed", "hyperplane"])
def test_covariate_shift_keeps_labels_given_inputs(concept, mode):
    shift = {"covariate": {"at": 30, "mode": mode, "magnitude": 2.0}}
    stream = drawn(concept=concept, schedule="none", shifts=[shift], **SMALL)
    rule = concept_of(concept).rule(stream.X, Law.of(stream.concept))
    np.testing.assert_array_equal(stream.y, rule)


@pytest.mark.parametrize("mode", ["move", "resample"])
@pytest.mark.parametrize("concept", ["linear_gaussian", "rbf"])
def test_covariate_shift_keeps_the_posterior(concept, mode):
    shift = {"covariate": {"at": 20, "mode": mode, "magnitude": 1.0}}
    spec = {"linear_gaussian": {"sigma": 1.0}} if concept == "linear_gaussian" else {"rbf": {"width": 2.0}}
    stream = drawn(concept=spec, schedule="none", shifts=[shift], **SMALL)
    X, y, law = stream.X[2000:], stream.y[2000:], Law.of(stream.concept[2000:])
    p = concept_of(spec).posterior(X, law)[:, 1]
    # y - p is uncorrelated with everything that is known of x
    for known in (np.ones(len(y)), p, *X.T[:3]):
        known = known - known.mean() if known.std() else known
        z = ((y - p) * known).sum() / np.sqrt((p * (1 - p) * known**2).sum())
        assert abs(z) < 4.0


def test_move_is_the_stated_displacement():
    shift = {"covariate": {"at": 30, "magnitude": 1.5, "feature": 2, "until": 50}}
    plain, moved = (drawn(schedule="none", shifts=shifts, windows=60, rows=100) for shifts in ([], [shift]))
    gap = moved.X - plain.X
    assert (gap[:3000] == 0).all() and (gap[5000:] == 0).all()
    assert (np.delete(gap, 2, axis=1) == 0).all()
    np.testing.assert_allclose(gap[3000:5000, 2], 1.5, atol=0.1)
    assert [(e.start, e.end) for e in moved.events] == [(3000, 3000), (5000, 5000)]
    assert moved.events[1].detail.startswith("back")


def test_moving_inputs_change_bayes_accuracy_as_the_closed_form_says():
    spec = {"linear_gaussian": {"d": 4, "sigma": 0.8}}
    shift = {"covariate": {"at": 10, "magnitude": 2.0, "feature": 0}}
    stream = drawn(concept=spec, schedule="none", shifts=[shift], windows=310, rows=100)
    concept = concept_of(spec)
    displaced = np.array([2.0, 0.0, 0.0, 0.0])
    exact = concept.bayes_accuracy(int(stream.concept[0]), displaced)
    assert exact != concept.bayes_accuracy(0)
    assert abs(stream.bayes[1000:].mean() - exact) < 0.005


@pytest.mark.parametrize("concept", ["sea", "rbf", "led"])
def test_prior_shift_keeps_inputs_given_the_label(concept):
    from scipy.stats import ks_2samp

    shift = {"prior": {"at": 30, "share": 0.7, "label": 0}}
    stream = drawn(concept=concept, schedule="none", shifts=[shift], **SMALL)
    late = stream.y[3000:]
    assert abs(np.mean(late == 0) - 0.7) < 4 * np.sqrt(0.21 / 3000)
    p = [
        ks_2samp(stream.X[:3000][stream.y[:3000] == c, j], stream.X[3000:][late == c, j]).pvalue
        for c in range(2)
        for j in range(stream.X.shape[1])
    ]
    assert min(p) * len(p) > 1e-3
    assert np.isnan(stream.bayes[3000:]).all() == (concept != "sea")
    assert not np.isnan(stream.bayes[:3000]).any()


@pytest.mark.parametrize("mode", ["concept", "inputs"])
def test_subgroup_shift_leaves_all_others_alone(mode):
    common = {"concept": "hyperplane", "schedule": "none", "groups": [0.3, 0.5, 0.2], **SMALL}
    plain = drawn(**common)
    hit = drawn(**common, shifts=[{"subgroup": {"at": 30, "group": 2, "mode": mode}}])
    np.testing.assert_array_equal(plain.g, hit.g)
    rest = (hit.g != 2) | (np.arange(6000) < 3000)
    np.testing.assert_array_equal(plain.X[rest], hit.X[rest])
    np.testing.assert_array_equal(plain.y[rest], hit.y[rest])
    assert (plain.y[~rest] != hit.y[~rest]).any()


def test_groups():
    stream = drawn(groups=[0.7, 0.3], group_feature=True, schedule="none")
    np.testing.assert_array_equal(stream.X[:, -1], stream.g)
    assert stream.categories == {10: ("g0", "g1")} and stream.features[-1] == "group"
    assert abs(stream.g.mean() - 0.3) < 0.02
    plain = drawn(schedule="none")
    np.testing.assert_array_equal(plain.X, stream.X[:, :-1])
    assert plain.groups == ("all",) and not plain.g.any()


def test_label_noise():
    clean, noisy = (drawn(concept="led", noise=noise, schedule="none") for noise in (0.0, 0.2))
    np.testing.assert_array_equal(clean.X, noisy.X)
    np.testing.assert_array_equal(clean.y != noisy.y, noisy.biased)
    assert abs(noisy.biased.mean() - 0.2) < 4 * np.sqrt(0.16 / 12000)
    assert not clean.biased.any()
    wrong = noisy.y[noisy.biased]
    assert np.bincount(wrong, minlength=10).min() > 150
    concept = concept_of("led")
    score = np.mean(concept.rule(noisy.X, Law.of(noisy.concept)) == noisy.y)
    assert abs(score - noisy.bayes.mean()) < 0.02


@pytest.mark.parametrize("concept", names("concept"))
def test_bayes_accuracy_is_attained(concept):
    stream = drawn(concept=concept, noise=0.1)
    rule = concept_of(concept).rule(stream.X, Law.of(stream.concept))
    assert abs(np.mean(rule == stream.y) - stream.bayes.mean()) < 0.015


def test_same_seed_same_stream_and_the_seed_is_not_used_up():
    seed = np.random.SeedSequence(4, spawn_key=(1, 3, 2))
    first = drawn(seed, schedule="gradual")
    seed.spawn(3)
    second = drawn(seed, schedule="gradual")
    other = drawn(np.random.SeedSequence(4, spawn_key=(1, 3, 3)), schedule="gradual")
    np.testing.assert_array_equal(first.X, second.X)
    np.testing.assert_array_equal(first.y, second.y)
    assert first.events == second.events
    assert (first.X != other.X).any()


def test_high_dimension():
    stream = drawn(
        concept={"linear_gaussian": {"d": 100}}, schedule={"abrupt": {"duration": WHERE, "limit": 1}}, **SMALL
    )
    assert stream.X.shape == (6000, 100)
    assert [f.code for f in check_stream(stream)] == ["event-seen"]


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"concept": "agrawal", "schedule": "incremental"}, "incrementally"),
        ({"concept": {"hyperplane": {"variants": 1}}}, "one variant"),
        ({"shifts": [{"covariate": {"at": 5}}]}, "cannot begin"),
        ({"shifts": [{"covariate": {"at": 120}}]}, "cannot begin"),
        ({"shifts": [{"covariate": {"at": 50, "width": 10.0, "until": 55}}]}, "cannot end"),
        ({"shifts": ["subgroup"]}, "group"),
        ({"shifts": [{"prior": {"label": 2}}]}, "label"),
        ({"groups": [0.5, 0.4]}, "add up to 1"),
        ({"groups": []}, "add up to 1"),
        ({"noise": 1.5}, "noise"),
        ({"warmup": 120}, "warmup"),
        ({"concept": "sae"}, "did you mean 'sea'"),
        ({"shifts": [{"covariate": {"mode": "shrink"}}]}, "must be one of move, resample"),
        ({"concept": "agrawal", "shifts": [{"covariate": {"feature": 4}}]}, "not numeric"),
    ],
)
def test_what_cannot_be(params, match):
    with pytest.raises(ConfigError, match=match):
        drawn(**params)


def test_a_shift_that_asks_for_the_impossible(monkeypatch):
    from mlopsim.streams.sources import synthetic

    monkeypatch.setattr(synthetic, "ROUNDS", 100)
    shifts = [
        {"covariate": {"at": 60, "feature": 0, "magnitude": 100.0}},  # so far out that every label is 1
        {"prior": {"at": 60, "label": 0, "share": 1.0}},
    ]
    with pytest.raises(DataError, match="did not produce 100 of the rows"):
        drawn(concept="sea", schedule="none", shifts=shifts, windows=70, rows=10)


def test_part_is_complete():
    part = canonical("stream", {"synthetic": {"shifts": ["prior"]}})["params"]
    assert part["concept"]["params"]["d"] == 10
    assert part["schedule"]["params"]["duration"]["params"]["mean"] == 25.0
    assert part["shifts"][0]["params"] == {"at": None, "label": 1, "share": 0.8, "until": None, "width": 0.0}
