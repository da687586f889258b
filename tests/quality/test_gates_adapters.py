"""Gates of other packages: their own scores, what ours have in common with them, what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from mlopsim.checks.base import own_randomness
from mlopsim.core.errors import ConfigError, DataError, MissingExtraError, MlopsimError
from mlopsim.core.spec import canonical, make
from mlopsim.quality.gate import Rows
from mlopsim.quality.train_gate import cross_fitted

NAMES = ("pyod", "cleanlab")


def rows_of(Z: np.ndarray, y: np.ndarray | None = None, classes: int = 2) -> Rows:
    labels = np.zeros(len(Z), dtype=np.int64) if y is None else np.asarray(y, dtype=np.int64)
    features = tuple(f"x{j}" for j in range(Z.shape[1]))
    return Rows(X=Z, Z=Z, y=labels, n_classes=classes, features=features)


def drawn(n: int, seed: int, d: int = 4) -> Rows:
    """Return rows of skewed, correlated numbers, one column of them with many equal values."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n, d)) + rng.normal(size=(n, 1))
    Z[:, 0] = np.exp(0.5 * Z[:, 0])
    Z[:, 1] = np.round(Z[:, 1])
    return rows_of(Z)


def score(gate: Any, known: Rows, asked: Rows, seed: int = 0) -> np.ndarray:
    found: np.ndarray = gate.score(gate.learn(known, np.random.default_rng(seed)), asked)
    return found


def pyod(detector: str, **params: Any) -> Any:
    pytest.importorskip("pyod")
    return make("gate", "pyod", detector=detector, params=params)


# -- both ------------------------------------------------------------------------------------------


def test_they_are_listed_without_their_packages_being_imported() -> None:
    code = (
        "import sys; from mlopsim.core.registry import names; found = names('gate'); "
        f"assert set({NAMES}) <= set(found); assert not set({NAMES}) & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize("name", NAMES)
def test_without_the_package_the_remedy_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=rf"gate/{name} needs[\s\S]*pip install 'mlopsim\[quality\]'"):
        make("gate", name)


@pytest.mark.parametrize("name", NAMES)
def test_the_version_of_the_package_enters_the_part(name: str) -> None:
    package = pytest.importorskip(name)
    part = canonical("gate", name)
    assert part["content"] == {name: package.__version__}
    assert make("gate", part) == make("gate", name)


# -- PyOD ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("detector", ["ECOD", "HBOS", "KNN", "LOF", "COPOD", "OCSVM", "GMM", "PCA"])
def test_scores_are_those_of_pyods_decision_function(detector: str) -> None:
    known, asked = drawn(200, 1), drawn(60, 2)
    gate = pyod(detector)
    from mlopsim.quality.gates.pyod import detector_class

    own: dict[str, Any] = {"random_state": 7} if "random_state" in gate._taken() else {}
    gate = pyod(detector, **own)
    expected = detector_class(detector)(**own).fit(known.Z).decision_function(asked.Z)
    assert np.array_equal(score(gate, known, asked), expected)
    assert np.ptp(expected) > 0.0


def one_by_one(gate: Any, known: Rows, asked: Rows) -> np.ndarray:
    learned = gate.learn(known, np.random.default_rng(0))
    return np.concatenate([gate.score(learned, asked.take(slice(i, i + 1))) for i in range(len(asked))])


def test_our_ecod_is_pyods_for_a_row_alone() -> None:
    known, asked = drawn(300, 3), drawn(80, 4)
    ours, gate = score(make("gate", "ecod"), known, asked), pyod("ECOD")
    assert ours == pytest.approx(one_by_one(gate, known, asked), abs=1e-12)
    # together, PyOD ranks the rows among each other as well
    together = score(gate, known, asked)
    assert np.abs(together - ours).max() > 0.1
    assert spearmanr(together, ours).statistic > 0.98
    assert gate.by_window and not make("gate", "ecod").by_window


@pytest.mark.parametrize("jitter", [0.0, 0.01])
def test_our_hbos_is_pyods(jitter: float) -> None:
    known, asked = drawn(300, 5), drawn(400, 6)
    rng = np.random.default_rng(0)
    for rows in (known, asked):
        rows.Z[:] += jitter * rng.normal(size=rows.Z.shape)
    # values on edges, beyond them by less and by more than half a bin, and a constant
    asked.Z[:5] = np.linspace(known.Z.min(axis=0), known.Z.max(axis=0), 5)
    asked.Z[5:8, 0] = known.Z[:, 0].max() + np.ptp(known.Z[:, 0]) * np.array([0.04, 0.06, 50.0])
    known.Z[:, 1] = 3.0
    assert score(make("gate", "hbos"), known, asked) == pytest.approx(
        score(pyod("HBOS"), known, asked), abs=1e-11
    )


def test_pyods_pca_is_another_method_than_the_residual() -> None:
    known, asked = drawn(300, 5), drawn(400, 6)
    ours, theirs = score(make("gate", "pca_residual"), known, asked), score(pyod("PCA"), known, asked)
    assert spearmanr(ours, theirs).statistic < 0.9
    with pytest.raises(MlopsimError, match="pca_residual"):
        make("gate", "pca")


@pytest.mark.parametrize("method", ["largest", "mean"])
@pytest.mark.parametrize("d", [3, 9])
def test_our_knn_is_pyods(method: str, d: int) -> None:
    known, asked = drawn(300, 7, d), drawn(80, 8, d)
    ours = score(make("gate", "knn", k=4, method=method), known, asked)
    theirs = score(pyod("KNN", n_neighbors=4, method=method), known, asked)
    assert ours == pytest.approx(theirs, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "detector"), [("lof", "LOF"), ("iforest", "IForest"), ("mahalanobis", "MCD")]
)
def test_others_of_ours_order_rows_as_pyod_does(name: str, detector: str) -> None:
    known, asked = drawn(300, 9), drawn(80, 10)
    known.Z[:, 1] += np.random.default_rng(0).normal(size=300)
    ours, theirs = score(make("gate", name), known, asked), score(pyod(detector), known, asked)
    assert spearmanr(ours, theirs).statistic == pytest.approx(1.0, abs=1e-6)


def test_what_is_drawn_comes_from_the_generator() -> None:
    known, asked = drawn(100, 11), drawn(30, 12)
    gate = pyod("IForest", n_estimators=10)
    with own_randomness():
        first = score(gate, known, asked)
    np.random.seed(5)  # noqa: NPY002 - must not matter
    assert np.array_equal(first, score(gate, known, asked))
    assert not np.array_equal(first, score(gate, known, asked, seed=1))
    fixed = pyod("IForest", n_estimators=10, random_state=3)
    assert np.array_equal(score(fixed, known, asked), score(fixed, known, asked, seed=1))


def test_detectors_that_draw_from_global_random_numbers_repeat_themselves() -> None:
    torch = pytest.importorskip("torch")
    known, asked = drawn(60, 13), drawn(10, 14)
    # it draws when it scores, too
    gate = pyod("VAE", epoch_num=1, batch_size=30, encoder_neuron_list=[4], decoder_neuron_list=[4])
    learned = gate.learn(known, np.random.default_rng(0))
    before = torch.get_rng_state()
    with own_randomness():
        first = gate.score(learned, asked)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(9)
    assert np.array_equal(first, gate.score(learned, asked))
    assert not np.array_equal(first, learned[1][0].decision_function(asked.Z))


def test_detectors_are_named_in_any_case_or_by_their_path() -> None:
    known, asked = drawn(100, 15), drawn(20, 16)
    expected = score(pyod("HBOS"), known, asked)
    for name in ("hbos", "pyod.models.hbos.HBOS"):
        assert np.array_equal(score(pyod(name), known, asked), expected)


@pytest.mark.parametrize(
    ("detector", "params", "text"),
    [
        ("ECODD", {}, r"no detector 'ECODD'; did you mean 'ecod'\?"),
        ("sklearn.svm.OneClassSVM", {}, "no detector 'sklearn"),
        ("pyod.utils.data.generate_data", {}, "no detector 'pyod.utils"),
        ("pyod.models.hbos.HBO", {}, r"'HBO'; did you mean 'HBOS'\?[\s\S]*its detectors: HBOS"),
        ("base", {}, r"no detector 'base'[\s\S]*its detectors: \(none\)"),
        ("", {}, "no detector ''"),
        ("KNN", {"neighbours": 3}, r"no parameter 'neighbours'; did you mean 'n_neighbors'"),
        ("KNN", {"contamination": 0.9}, r"KNN refuses contamination=0.9: contamination must be in"),
        ("DeepSVDD", {}, r"DeepSVDD refuses no parameters:.*n_features"),
        ("ECOD", {"n_jobs": 2}, "n_jobs must be 1, got 2"),
    ],
)
def test_what_pyod_has_not_is_refused(detector: str, params: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        pyod(detector, **params)


def test_a_detector_whose_own_needs_are_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyod")
    monkeypatch.setitem(sys.modules, "combo", None)
    monkeypatch.setitem(sys.modules, "combo.models", None)
    monkeypatch.delitem(sys.modules, "pyod.models.feature_bagging", raising=False)
    with pytest.raises(ConfigError, match="FeatureBagging needs a package that is not installed"):
        pyod("FeatureBagging")


def test_rows_that_pyod_cannot_work_with_are_an_error_of_data() -> None:
    known, asked = drawn(30, 17), drawn(5, 18)
    with pytest.raises(DataError, match=r"KNN with n_neighbors=40 cannot learn from 30 reference rows"):
        score(pyod("KNN", n_neighbors=40), known, asked)
    with pytest.raises(DataError, match=r"COF with no parameters cannot score 5 rows"):
        score(pyod("COF"), known, asked)


@pytest.mark.parametrize("wrong", [np.zeros(4), np.array([1.0, np.nan, 2.0]), np.array([1.0, np.inf, 2.0])])
def test_scores_that_are_none_are_an_error(wrong: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = pyod("HBOS")
    learned = gate.learn(drawn(30, 19), np.random.default_rng(0))
    monkeypatch.setattr(learned[1][0], "decision_function", lambda Z: wrong)
    with pytest.raises(DataError, match="HBOS gives scores of shape"):
        gate.score(learned, drawn(3, 20))


# -- cleanlab --------------------------------------------------------------------------------------

METHODS = ("self_confidence", "normalized_margin")


class Told:
    """Gives the probabilities that the columns hold."""

    kind, name, full_name, version = "learner", "told", "learner/told", "1"

    def fit(self, Z: np.ndarray, y: np.ndarray, n_classes: int, seed: np.random.SeedSequence) -> Any:
        return self

    def scores(self, Z: np.ndarray) -> np.ndarray:
        return Z


def told(n: int, classes: int, seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    return rows_of(rng.dirichlet(np.ones(classes), n), rng.integers(0, classes, n), classes)


def harm(gate: Any, rows: Rows, new: Any, learner: Any) -> np.ndarray:
    found: np.ndarray = gate.harm(rows, np.asarray(new), rows, learner, np.random.default_rng(0))
    return found


def cleanlab(**params: Any) -> Any:
    pytest.importorskip("cleanlab")
    return make("gate", "cleanlab", **params)


@pytest.mark.parametrize("method", [*METHODS, "confidence_weighted_entropy"])
def test_harm_is_minus_cleanlabs_score_of_cross_fitted_probabilities(method: str) -> None:
    gate = cleanlab(method=method, folds=4)
    from cleanlab.rank import get_label_quality_scores

    rows = told(120, 3, 1)
    rows.Z[:] -= 0.3  # margins for a learner, not probabilities
    rng = np.random.default_rng(0)
    chances = cross_fitted(make("learner", "ridge"), rows, 4, rng)
    expected = get_label_quality_scores(rows.y, chances, method=method)
    found = harm(gate, rows, [3, 50, 119], "ridge")
    assert np.array_equal(found, -expected[[3, 50, 119]])
    assert found.min() >= -1.0 and found.max() <= 0.0 and len(set(found)) == 3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("adjust", [False, True])
@pytest.mark.parametrize("classes", [2, 4])
def test_confident_learning_of_ours_orders_labels_as_cleanlab_does(
    method: str, adjust: bool, classes: int
) -> None:
    rows = told(200, classes, 2)
    ours = make("gate", "confident", doubt=method, thresholds=adjust)
    found, theirs = (
        harm(gate, rows, np.arange(200), Told()) for gate in (ours, cleanlab(method=method, adjust=adjust))
    )
    # one is the other, moved and stretched: so are ranks, and the share that a limit flags
    slope, start = np.polyfit(theirs, found, 1)
    assert slope > 0.1
    assert found == pytest.approx(start + slope * theirs, abs=1e-12)
    assert spearmanr(found, theirs).statistic == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("learner", ["ridge", "naive_bayes"])
def test_the_folds_of_both_are_the_same(learner: str) -> None:
    rows = told(150, 3, 3)
    ours = make("gate", "confident", doubt="self_confidence", thresholds=False)
    theirs = cleanlab()
    assert np.array_equal(*(harm(gate, rows, np.arange(150), learner) for gate in (ours, theirs)))


def test_a_class_without_rows_is_less_likely_for_cleanlab() -> None:
    rows = rows_of(
        np.array([[0.5, 0.1, 0.4], [0.6, 0.4, 0.0], [0.2, 0.8, 0.0], [0.1, 0.9, 0.0]]), [0, 0, 1, 1], 3
    )
    ours = harm(make("gate", "confident"), rows, np.arange(4), Told())
    theirs = harm(cleanlab(method="normalized_margin", adjust=True), rows, np.arange(4), Told())
    # levels .55, .85 and, for class 2, 1 (ours) or 2: the first row's rival is class 2 or class 1
    assert ours[0] == pytest.approx((0.4 - 1.0) - (0.5 - 0.55))
    weight = 3 * 2.0 - (0.55 + 0.85 + 2.0) + 1.0
    assert theirs[0] == pytest.approx(-0.5 * (1.0 + ((0.5 - 0.55) - (0.1 - 0.85)) / weight))


def test_the_entropy_cannot_be_adjusted() -> None:
    with pytest.raises(ConfigError, match=r"cannot be adjusted[\s\S]*adjust=false"):
        cleanlab(method="confidence_weighted_entropy", adjust=True)
    with pytest.raises(ConfigError, match="folds"):
        cleanlab(folds=1)
    with pytest.raises(ConfigError, match="method must be one of self_confidence"):
        cleanlab(method="margin")


def test_the_confident_joint_and_pruning_are_cleanlabs() -> None:
    pytest.importorskip("cleanlab")
    from cleanlab.count import compute_confident_joint
    from cleanlab.filter import find_label_issues

    from mlopsim.quality.confident_joint import confident_joint, off_diagonal, pruned_by_noise_rate

    found = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        classes = 2 + seed % 4
        n = int(rng.integers(10, 200))
        y = np.concatenate([np.arange(classes), rng.integers(0, classes, n)])
        logits = 2.0 * rng.normal(size=(len(y), classes))
        logits[np.arange(len(y)), y] += 3.0 * rng.random()
        y = np.where(np.arange(len(y)) % 6 == 5, rng.integers(0, classes, len(y)), y)
        chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        assert np.array_equal(confident_joint(chances, y), compute_confident_joint(y, chances))
        for ours, name in (
            (pruned_by_noise_rate, "prune_by_noise_rate"),
            (off_diagonal, "confident_learning"),
        ):
            theirs = find_label_issues(y, chances, filter_by=name, n_jobs=1)
            assert np.array_equal(ours(chances, y), theirs)
            found += int(theirs.sum())
    assert found > 300
