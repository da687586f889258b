"""Planted faults of gates, each found by the check meant for it; ours: tests/test_contracts.py."""

from __future__ import annotations

import math
import re
from typing import Any

import gate_faults as planted
import numpy as np
import plain_gates as plain
import pytest

from mlopsim.checks.gate import CHECKS
from mlopsim.checks.run import checks_for
from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.registry import names
from mlopsim.core.spec import make
from mlopsim.quality.gate import Rows


def test_the_checks_of_gates_have_names_of_their_own() -> None:
    found = [check.name for check in checks_for("gate")]
    assert len(set(found)) == len(found)
    assert {check.name for check in CHECKS} < set(found)


# -- gates of third parties ----------------------------------------------------------------------------

GOOD = [
    plain.Plain,
    plain.PlainRows,
    plain.PlainCells,
    plain.PlainBatch,
    plain.PlainTrain,
    plain.PlainRelease,
]


@pytest.mark.parametrize("cls", GOOD, ids=[cls.__name__ for cls in GOOD])
def test_plain_gates_of_others_pass(plant: Any, cls: type[Any]) -> None:
    assert plant("gate", cls) == {}


FAULTS: list[tuple[type[Any], dict[str, str]]] = [
    (planted.Inverted, {"polarity": "scores values x 1000 lower than what is clean"}),
    (planted.InvertedCells, {"polarity": "scores values x 1000 lower than what is clean"}),
    (planted.SharedState, {"instances": "when another instance learns from other rows"}),
    (planted.OwnState, {"instances": "by what it learnt last"}),
    (planted.PeeksAtLabels, {"labels": "change with the labels of the rows that it scores"}),
    (planted.LearnsLabels, {"labels": "change with the labels of the reference"}),
    (planted.NoFamily, {"form": "family is ''"}),
    (planted.Chunks, {"company": "changes with the rows around it"}),
    (planted.LooksAhead, {"company": "changes with the rows after it"}),
    (planted.Constant, {"constant score": "its score is 1 whatever the rows", "polarity": "reacts to none"}),
    (planted.NoScore, {"constant score": "never gives a score"}),
    (planted.Noise, {"polarity": "reacts to none of the gross errors"}),
    (planted.GlobalDice, {"randomness": "global random numbers"}),
    (planted.PythonDice, {"randomness": "global random numbers"}),
    (planted.UnseededDice, {"randomness": "with an equal generator"}),
    (planted.WritesIntoRows, {"input": "changes the rows that it is given"}),
    (planted.WritesIntoReference, {"input": "changes the rows that it is given"}),
    (planted.KeepsTheReference, {"input": "overwritten later"}),
    (planted.ScoresMissing, {"strange rows": "rows with missing values: a score is not finite"}),
    (planted.DividesByZero, {"strange rows": "all alike: RuntimeWarning"}),
    (planted.Overflows, {"strange rows": "values of 1e100: RuntimeWarning: overflow"}),
    (planted.Stumbles, {"strange rows": "an unseen category: KeyError"}),
    (planted.Broadcasts, {"bad input": "another number of columns: is accepted"}),
    (planted.RaisesValueError, {"bad input": "another number of columns: ValueError, not DataError"}),
    (planted.LearnsFromAnything, {"bad input": "a single reference row: is accepted"}),
    (planted.AnyAlpha, {"parameters": "alpha = 0: is accepted"}),
    (planted.Single, {"form": "float32 of shape (150,)"}),
    (planted.NeedsRows, {"form": "IndexError"}),
    (planted.Columns, {"form": "float64 of shape (150, 5)"}),
    (planted.BatchOfRows, {"form": "tells batches apart, which its base does not"}),
    (planted.StandsAnywhere, {"form": "stands at preprocess, train, which its base does not"}),
    (
        planted.Ages,
        {"company": "changes with the rows around it", "false alarms": "more than chance explains"},
    ),
    (planted.Foreign, {"form": "is no Gate"}),
    (planted.InvertedBatch, {"polarity": "scores values x 1000 lower"}),
    (planted.TooSharp, {"false alarms": "of 100 clean batches at alpha = 0.1"}),
    (planted.VectorBatch, {"form": "expected float64 of shape ()"}),
    (planted.InvertedTrain, {"polarity": "scores flipped labels lower"}),
    (planted.TrustsQuietly, {"labels": "says trusts = False"}),
    (planted.DependsOnAsked, {"company": "the harm of a row changes with the others asked for"}),
    (planted.FlipsInPlace, {"input": "changes the rows that it is given"}),
    (planted.InvertedRelease, {"polarity": "scores a worse version lower"}),
    (planted.BlocksOften, {"false alarms": "of 100 versions that are as good"}),
    (planted.NumpyVerdict, {"form": "a verdict holds blocked"}),
    (planted.Remembers, {"instances": "after another instance was asked"}),
]


@pytest.mark.parametrize(("cls", "wanted"), FAULTS, ids=[cls.__name__ for cls, _ in FAULTS])
def test_planted_faults_are_found(plant: Any, cls: type[Any], wanted: dict[str, str]) -> None:
    problems = plant("gate", cls)
    for check, text in wanted.items():
        assert text in problems.get(check, ""), problems


ONLY = {
    "Inverted", "InvertedCells", "SharedState", "OwnState", "PeeksAtLabels", "LearnsLabels", "Chunks",
    "Noise", "WritesIntoRows", "KeepsTheReference", "ScoresMissing", "Overflows", "Broadcasts",
    "RaisesValueError", "LearnsFromAnything", "AnyAlpha", "InvertedTrain", "TrustsQuietly",
    "DependsOnAsked", "NumpyVerdict",
}  # fmt: skip


@pytest.mark.parametrize(
    ("cls", "wanted"),
    [fault for fault in FAULTS if fault[0].__name__ in ONLY],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_fault_is_found_by_its_own_check_only(plant: Any, cls: type[Any], wanted: dict[str, str]) -> None:
    assert set(plant("gate", cls)) == set(wanted)


@pytest.mark.parametrize(
    "cls", [planted.SaysSo, planted.SaysByWindow, planted.SaysControl], ids=lambda cls: cls.__name__
)
def test_what_says_so_passes(plant: Any, cls: type[Any]) -> None:
    assert plant("gate", cls) == {}


# -- bad input is one clear error each -----------------------------------------------------------------


def rows_of(X: Any, **changes: Any) -> Rows:
    n = len(X)
    parts = {
        "X": X,
        "Z": np.zeros((n, 2)),
        "y": np.zeros(n, np.int64),
        "n_classes": 2,
        "features": ("a", "b"),
    }
    return Rows(**{**parts, **changes})


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.array([[1.0, 2.0], [3.0, "n/a"]], dtype=object), "feature 'b' holds 'n/a', which is no number"),
        (np.array([["1", "2"], ["3", "4"]]), "feature 'a' holds '1', which is no number"),
        (np.array([[1.0, None]], dtype=object), "feature 'b' holds None, which is no number"),
        (np.array([[1.0, 2.0]], dtype=object), "X must be float64, got object"),
        (np.zeros((2, 2), dtype=np.float32), "X must be float64, got float32"),
        (np.zeros((2, 3)), "shapes disagree: X (2, 3)"),
    ],
)
def test_text_where_numbers_were(X: Any, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        rows_of(X)


def test_encoded_rows_and_labels_are_numbers() -> None:
    X = np.zeros((2, 2))
    for changes in ({"Z": np.zeros((2, 2), dtype=object)}, {"y": np.zeros(2)}, {"y": np.array(["a", "b"])}):
        with pytest.raises(DataError, match="Z must be float64 and y whole numbers, got"):
            rows_of(X, **changes)


@pytest.mark.parametrize("name", names("gate"))
def test_a_reference_that_is_none(name: str) -> None:
    gate = make("gate", name)
    with pytest.raises(DataError, match=rf"gate/{name}: 1 reference row.*at least 2[\s\S]*longer warm-up"):
        gate.check_warmup(rows_of(np.ones((1, 2))))
    empty = rows_of(np.array([[1.0, np.nan], [2.0, np.nan]]))
    with pytest.raises(
        DataError, match=rf"gate/{name}: feature 'b' has no value in the 2 ref[\s\S]*leave it out"
    ):
        gate.check_warmup(empty)
    half = empty.take(slice(None))
    half.X[0, 1] = 0.0
    gate.check_warmup(half)


@pytest.mark.parametrize(
    "name", ["zscore", "iqr", "rules", "ks_batch", "knn", "near_duplicate", "pca_residual"]
)
def test_rows_of_another_width(name: str) -> None:
    gate = make("gate", name)
    learned = gate.learn(rows_of(np.arange(20.0).reshape(10, 2), Z=np.arange(20.0).reshape(10, 2)), rng())
    wide = rows_of(np.zeros((3, 3)), Z=np.zeros((3, 3)), features=("a", "b", "c"))
    with pytest.raises(DataError, match=rf"gate/{name}: the (rows have|batch has) 3 .*, the reference 2"):
        gate.score(learned, wide)


@pytest.mark.parametrize("name", names("gate"))
@pytest.mark.parametrize("alpha", [0.0, -1.0, 1.0001, math.nan, math.inf])
def test_alpha_is_a_share(name: str, alpha: float) -> None:
    with pytest.raises(ConfigError, match=rf"gate/{name}.alpha must be (in \(0|float|a finite)"):
        make("gate", name, alpha=alpha)


@pytest.mark.parametrize(
    "mask", [np.zeros(3), np.zeros(3, dtype=np.int64), np.zeros((2, 2, 2), bool), np.array(True)]
)
def test_the_oracle_needs_a_mask(mask: Any) -> None:
    with pytest.raises(DataError, match="needs a mask of rows or cells, got"):
        make("gate", "oracle").truth(mask)


@pytest.mark.parametrize("rate", [1.01, -0.1, math.nan])
def test_a_rate_of_errors_is_a_share(rate: float) -> None:
    with pytest.raises(ConfigError, match=r"stream/corrupted.rate must be (in \[0.0, 1.0\]|float|a finite)"):
        make("stream", "corrupted", rate=rate)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)
