"""The stream check finds planted faults and stays silent otherwise."""

import dataclasses

import numpy as np
import pytest

from mlopsim import make
from mlopsim.streams.stream import DriftEvent, DriftKind, Stream, even_bounds
from mlopsim.streams.validation import (
    Finding,
    check_stream,
    inputs_differ,
    labels_differ,
    previous_label_score,
)


def stream_of(y, X=None, events=None, **more):
    y = np.asarray(y, dtype=np.int64)
    X = np.random.default_rng(0).random((len(y), 2)) if X is None else X
    return Stream(
        X=X, y=y, bounds=even_bounds(len(y), 50), warmup=2, classes=("0", "1", "2"), g=np.zeros(len(y), int),
        features=tuple(f"f{j}" for j in range(X.shape[1])), events=events, **more,
    )  # fmt: skip


def codes(stream) -> list[str]:
    findings = check_stream(stream)
    assert all(isinstance(finding, Finding) and finding.message for finding in findings)
    return [finding.code for finding in findings]


def test_random_order_is_clean():
    for k in range(20):
        rng = np.random.default_rng(k)
        assert codes(stream_of(rng.integers(0, 2, 2000))) == []
        assert codes(stream_of(rng.random(2000) < 0.1)) == []


def test_order_traps():
    rng = np.random.default_rng(1)
    assert codes(stream_of([0, 1] * 500)) == ["alternating-labels"]
    assert codes(stream_of([0, 1, 2] * 500)) == ["alternating-labels"]
    sticky = np.cumsum(rng.random(2000) < 0.15) % 2
    assert codes(stream_of(sticky)) == ["persisting-labels"]
    same, rule, base = previous_label_score(sticky)
    assert abs(same - 0.85) < 0.03 and rule == pytest.approx(same, abs=0.01) and base < 0.6
    assert "persisting-labels" in codes(stream_of(np.repeat([0, 1], 1000)))
    # in streams with stated events, order is judged within windows
    assert "alternating-labels" in codes(
        stream_of([0, 1] * 1000, events=(DriftEvent(kind=DriftKind.PRIOR, start=1000, end=1000),))
    )


def test_a_changing_base_rate_that_is_stated_is_no_order_trap():
    shift = {"prior": {"at": 60, "share": 0.95}}
    stream = make("stream", "synthetic", schedule="none", shifts=[shift]).generate(np.random.SeedSequence(1))
    assert codes(stream) == ["event-seen"]
    assert "persisting-labels" in codes(dataclasses.replace(stream, events=None))


def test_unusable_data():
    X = np.random.default_rng(0).random((1000, 3))
    X[:, 1], X[:, 2] = 7.0, np.nan
    y = np.random.default_rng(1).integers(0, 2, 1000)
    assert codes(stream_of(y, X)) == ["empty-column", "constant-column"]
    assert codes(stream_of(np.zeros(1000), X[:, :1])) == ["one-class"]
    y[500] = 2
    assert codes(stream_of(y)) == ["unseen-class"]
    g = np.zeros(1000, dtype=np.int64)
    g[3] = 1
    assert codes(dataclasses.replace(stream_of(y * (y < 2)), g=g, groups=("a", "b"))) == ["small-group"]


def test_false_statements_about_drift():
    source = make("stream", "synthetic", schedule={"abrupt": {"duration": {"fixed": {"mean": 55.0}}}})
    stream = source.generate(np.random.SeedSequence(2))
    assert codes(stream) == ["event-seen"]
    # nothing is said, but there is a change
    assert codes(dataclasses.replace(stream, events=())) == ["unstated-change"]
    # a change is said to be where there is none
    still = make("stream", "synthetic", schedule="none").generate(np.random.SeedSequence(2))
    for kind in DriftKind:
        event = DriftEvent(kind=kind, start=6000, end=6000)
        assert codes(dataclasses.replace(still, events=(event,))) == ["event-not-seen"]
    # a concept change is no covariate change
    event = DriftEvent(kind=DriftKind.COVARIATE, start=6500, end=6500)
    assert codes(dataclasses.replace(stream, events=(event,))) == ["event-not-seen"]
    outside, early = (DriftEvent(kind=DriftKind.CONCEPT, start=s, end=s) for s in (13_000, 500))
    assert codes(dataclasses.replace(still, events=(outside,)))[0] == "event-out-of-range"
    assert codes(dataclasses.replace(still, events=(early,)))[0] == "event-in-warmup"


def test_the_tests_keep_their_level():
    """Under no change, p-values are not too small: at most the nominal share below .05 (some slack)."""
    concept = make("concept", "linear_gaussian", d=3, sigma=1.0)
    from mlopsim.streams.concepts.base import Law

    low = {"inputs": 0, "labels": 0}
    for k in range(40):
        X, y = concept.sample(Law.of(0, 600), np.random.default_rng(k))
        low["inputs"] += inputs_differ(X[:300], X[300:]) < 0.05
        low["labels"] += labels_differ(X[:300], y[:300], X[300:], y[300:], seed=k) < 0.05
    assert max(low.values()) <= 6
