"""Gates of rows: each score by an independent reference."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from mlopsim.core.errors import DataError
from mlopsim.core.spec import make
from mlopsim.quality.gate import Rows


def rows_of(Z: np.ndarray) -> Rows:
    features = tuple(f"x{j}" for j in range(Z.shape[1]))
    return Rows(X=Z, Z=Z, y=np.zeros(len(Z), dtype=np.int64), n_classes=2, features=features)


def drawn(n: int, d: int, seed: int) -> np.ndarray:
    """Return correlated columns of mean 0, by sums of uniform numbers only."""
    rng = np.random.Generator(np.random.PCG64(seed))
    common = rng.random((n, 1, 4)).sum(axis=2) - 2.0
    return common * np.linspace(0.3, 1.0, d) + rng.random((n, d, 3)).sum(axis=2) - 1.5


def far(n: int, d: int, seed: int) -> np.ndarray:
    """Return rows of which every third one is moved, a little or far."""
    Z = drawn(n, d, seed)
    Z[::3] += 1.5
    Z[::9] *= 40.0
    return Z


def scored(gate: Any, reference: np.ndarray, asked: np.ndarray, seed: int = 0, **params: Any) -> np.ndarray:
    built = make("gate", gate, **params) if isinstance(gate, str) else gate
    learned = built.learn(rows_of(reference), np.random.default_rng(seed))
    found: np.ndarray = built.score(learned, rows_of(asked))
    return found


SHAPES = [(300, 80, 5), (57, 20, 1), (90, 33, 12)]


# -- neighbours --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["largest", "mean"])
@pytest.mark.parametrize("k", [1, 5, 40])
@pytest.mark.parametrize(("n", "m", "d"), [*SHAPES, (40, 10, 6), (40, 10, 7), (2000, 300, 3), (700, 300, 30)])
def test_knn_is_that_of_scikit_learn(n: int, m: int, d: int, k: int, method: str) -> None:
    from sklearn.neighbors import NearestNeighbors

    reference, asked = drawn(n, d, 1), far(m, d, 2)
    near = NearestNeighbors(n_neighbors=k, algorithm="kd_tree").fit(reference).kneighbors(asked)[0]
    expected = near[:, -1] if method == "largest" else near.mean(axis=1)
    found = scored("knn", reference, asked, k=k, method=method)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("d", [2, 9])
def test_knn_of_copies_far_from_the_origin(d: int) -> None:
    reference = np.round(drawn(400, d, 3), 1) + 1e5
    asked = np.concatenate([reference[:50], reference[:50] + 1e-3])
    expected = np.sort(cdist(asked, reference), axis=1)[:, 4]
    np.testing.assert_allclose(scored("knn", reference, asked, k=5), expected, rtol=1e-9, atol=1e-12)
    assert (scored("knn", reference, asked[:50], k=1) == 0.0).all()


def local_outlier_factors(reference: np.ndarray, asked: np.ndarray, k: int) -> np.ndarray:
    """Return them by the paper's definitions 5 to 7, each with exactly k neighbours."""
    among = cdist(reference, reference)
    np.fill_diagonal(among, np.inf)
    near = np.argsort(among, axis=1)[:, :k]
    reach = np.sort(among, axis=1)[:, k - 1]

    def density(distance: np.ndarray, place: np.ndarray) -> np.ndarray:
        return 1.0 / (
            np.maximum(np.take_along_axis(distance, place, axis=1), reach[place]).mean(axis=1) + 1e-10
        )

    theirs = density(among, near)
    to = cdist(asked, reference)
    place = np.argsort(to, axis=1)[:, :k]
    found: np.ndarray = theirs[place].mean(axis=1) / density(to, place)
    return found


@pytest.mark.parametrize("k", [1, 5, 20])
@pytest.mark.parametrize(("n", "m", "d"), SHAPES)
def test_lof_is_that_of_scikit_learn_and_of_the_paper(n: int, m: int, d: int, k: int) -> None:
    from sklearn.neighbors import LocalOutlierFactor

    reference, asked = drawn(n, d, 4), far(m, d, 5)
    found = scored("lof", reference, asked, k=k)
    theirs = -LocalOutlierFactor(n_neighbors=k, novelty=True).fit(reference).score_samples(asked)
    np.testing.assert_allclose(found, theirs, rtol=1e-9)
    np.testing.assert_allclose(found, local_outlier_factors(reference, asked, k), rtol=1e-7)


@pytest.mark.parametrize("d", [1, 4, 11])
def test_near_duplicates_by_all_distances(d: int) -> None:
    asked = drawn(120, d, 6)
    asked[7], asked[9] = asked[3], asked[5] + 1e-9
    distance = cdist(asked, asked)
    np.fill_diagonal(distance, np.inf)
    nearest = distance.min(axis=1)
    expected = -np.log10(np.maximum(nearest, 1e-150))
    np.testing.assert_allclose(scored("near_duplicate", drawn(5, d, 0), asked), expected, rtol=1e-6)
    assert expected[3] == expected[7] == 150.0 and expected[9] > 8.0
    assert np.isnan(scored("near_duplicate", drawn(5, d, 0), asked[:1])).all()


# -- forests and trees -------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "sample"), [(400, 256), (100, 256), (300, 32)])
def test_iforest_is_that_of_scikit_learn(n: int, sample: int) -> None:
    from sklearn.ensemble import IsolationForest

    reference, asked = drawn(n, 4, 7), far(60, 4, 8)
    state = int(np.random.default_rng(5).integers(2**31 - 1))
    forest = IsolationForest(n_estimators=40, max_samples=min(sample, n), random_state=state).fit(reference)
    found = scored("iforest", reference, asked, seed=5, trees=40, sample=sample)
    assert np.array_equal(found, -forest.score_samples(asked))
    assert 0.0 < found.min() < found.max() < 1.0


def test_half_space_trees_weigh_the_cell_of_a_row() -> None:
    """The score by walking down the trees, with masses counted anew from the reference."""
    reference, asked = drawn(250, 3, 9), far(40, 3, 10)
    gate = make("gate", "half_space_trees", trees=11, height=7, least_share=0.04)
    learned = gate.learn(rows_of(reference), np.random.default_rng(3))
    _, (scaling, unit, (feature, cut, left, _)) = learned
    assert unit == 250 * 11

    def leaf(b: int, x: np.ndarray) -> tuple[int, int]:
        node = depth = 0
        while feature[b, node] >= 0:
            node = left[b, node] + int(x[feature[b, node]] >= cut[b, node])
            depth += 1
        return node, depth

    known, new = scaling.apply(reference), scaling.apply(asked)
    expected = np.zeros(len(asked))
    for b in range(11):
        ends = [leaf(b, x)[0] for x in known]
        for i, x in enumerate(new):
            node, depth = leaf(b, x)
            # a cell is divided further where it holds more than the least share
            assert depth == 7 or ends.count(node) <= 10
            expected[i] -= ends.count(node) / 250 * 2.0**depth / 11
    np.testing.assert_allclose(gate.score(learned, rows_of(asked)), expected, rtol=1e-12)


def test_half_space_trees_rank_rows_as_river_does() -> None:
    """River cuts in another way and sums over the path; the order of the rows agrees all the same."""
    from river.anomaly import HalfSpaceTrees

    rng = np.random.default_rng(0)
    reference = np.clip(0.5 + 0.12 * rng.normal(size=(250, 2)), 0, 1)
    reference[0], reference[1] = 0.0, 1.0
    asked = rng.random((150, 2))
    theirs = HalfSpaceTrees(n_trees=60, height=8, window_size=250, seed=1)
    for x in reference:
        theirs.learn_one(dict(enumerate(x)))
    expected = [theirs.score_one(dict(enumerate(x))) for x in asked]
    found = scored("half_space_trees", reference, asked, trees=200, height=8)
    assert stats.spearmanr(expected, found).statistic > 0.9


# -- boundaries, distances and planes ----------------------------------------------------------------


@pytest.mark.parametrize("nu", [0.1, 0.5])
@pytest.mark.parametrize(("n", "m", "d"), SHAPES)
def test_ocsvm_is_that_of_scikit_learn(n: int, m: int, d: int, nu: float) -> None:
    from sklearn.svm import OneClassSVM

    reference, asked = drawn(n, d, 11), far(m, d, 12)
    machine = OneClassSVM(nu=nu, gamma="scale").fit(reference)
    assert np.array_equal(scored("ocsvm", reference, asked, nu=nu), -machine.decision_function(asked))


@pytest.mark.parametrize(("n", "m", "d"), SHAPES)
def test_mahalanobis_is_that_of_scikit_learn(n: int, m: int, d: int) -> None:
    from sklearn.covariance import EmpiricalCovariance, MinCovDet

    reference, asked = drawn(n, d, 13), far(m, d, 14)
    plain = EmpiricalCovariance().fit(reference).mahalanobis(asked) ** 0.5
    np.testing.assert_allclose(scored("mahalanobis", reference, asked, robust=False), plain, rtol=1e-9)
    state = int(np.random.default_rng(6).integers(2**31 - 1))
    robust = MinCovDet(random_state=state).fit(reference).mahalanobis(asked) ** 0.5
    np.testing.assert_allclose(scored("mahalanobis", reference, asked, seed=6), robust, rtol=1e-6)


def test_mahalanobis_of_a_singular_covariance_sees_what_varies() -> None:
    reference, asked = drawn(200, 3, 15), far(50, 3, 16)
    for robust in (True, False):
        expected = scored("mahalanobis", reference, asked, robust=robust)
        for columns in ([0, 1, 2, 2], [0, 1, 2, 0, 1]):
            found = scored("mahalanobis", reference[:, columns], asked[:, columns], robust=robust)
            np.testing.assert_allclose(found, expected, rtol=1e-6)
        constant = [np.column_stack([Z, np.full(len(Z), 7.0)]) for Z in (reference, asked)]
        constant[1][:, 3] = 8.0
        np.testing.assert_allclose(scored("mahalanobis", *constant, robust=robust), expected, rtol=1e-6)


def test_mahalanobis_names_what_has_no_covariance() -> None:
    with pytest.raises(DataError, match=r"the reference rows do not vary[\s\S]*longer warm-up"):
        scored("mahalanobis", np.ones((30, 2)), np.ones((3, 2)))
    alike = np.concatenate([np.zeros((40, 2)), drawn(20, 2, 17)])
    with pytest.raises(DataError, match=r"more than half of them are alike[\s\S]*robust=false"):
        scored("mahalanobis", alike, alike)


@pytest.mark.parametrize("explained", [0.0, 0.5, 0.9, 0.99, 1.0])
@pytest.mark.parametrize(("n", "m", "d"), [(300, 80, 5), (57, 20, 1), (90, 33, 12), (6, 10, 9)])
def test_pca_is_that_of_scikit_learn(n: int, m: int, d: int, explained: float) -> None:
    from sklearn.decomposition import PCA

    reference, asked = drawn(n, d, 18), far(m, d, 19)
    full = PCA().fit(reference)
    share = np.concatenate([[0.0], np.cumsum(full.explained_variance_ratio_)])
    kept = min(next(k for k in range(len(share)) if share[k] >= explained - 1e-12), d - 1)
    expected = np.linalg.norm(asked - reference.mean(axis=0), axis=1)
    if kept:
        model = PCA(n_components=kept).fit(reference)
        expected = np.linalg.norm(asked - model.inverse_transform(model.transform(asked)), axis=1)
    found = scored("pca_residual", reference, asked, explained=explained)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


def test_pca_is_blind_within_its_plane() -> None:
    rng = np.random.default_rng(0)
    reference = rng.normal(size=(2000, 1)) @ np.ones((1, 4)) + 0.1 * rng.normal(size=(2000, 4))
    clean = scored("pca_residual", reference, reference[:100]).mean()
    assert scored("pca_residual", reference, reference[:100] + 2.0).mean() < 1.2 * clean
    assert scored("pca_residual", reference, reference[:100] + np.array([2.0, 0, 0, 0])).mean() > 5.0 * clean


# -- columns one by one ------------------------------------------------------------------------------


def ecod_by_formula(reference: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Return the sum over the columns, by the shares among the reference and the row itself."""
    total = np.zeros(len(asked))
    for j in range(reference.shape[1]):
        column = reference[:, j].tolist()
        # of a constant scipy's skewness is NaN
        sign = np.nan_to_num(np.sign(stats.skew(column)))
        for i, value in enumerate(asked[:, j].tolist()):
            all_of_them = [*column, value]
            left = -math.log(sum(x <= value for x in all_of_them) / len(all_of_them))
            right = -math.log(sum(x >= value for x in all_of_them) / len(all_of_them))
            # U_skew of the authors' code: left tail if negative, right tail if positive, both if neither
            skewed = {-1.0: left, 0.0: left + right, 1.0: right}[float(sign)]
            total[i] += max(left, right, skewed)
    return total


@pytest.mark.parametrize("digits", [9, 0])
def test_ecod_by_its_formula(digits: int) -> None:
    reference, asked = np.round(drawn(90, 4, 20), digits), np.round(far(40, 4, 21), digits)
    np.testing.assert_allclose(
        scored("ecod", reference, asked), ecod_by_formula(reference, asked), rtol=1e-12
    )


def test_ecod_of_columns_without_skewness_adds_both_tails() -> None:
    reference = np.concatenate([np.arange(-5.0, 6.0)[:, None], np.zeros((11, 1))], axis=1)
    asked = np.array([[0.0, 0.0], [5.0, 1.0], [-9.0, -1.0]])
    found = scored("ecod", reference, asked)
    np.testing.assert_allclose(found, ecod_by_formula(reference, asked), rtol=1e-12)
    assert found[0] == pytest.approx(2.0 * -math.log(7 / 12), rel=1e-12)


def hbos_by_formula(
    reference: np.ndarray, asked: np.ndarray, bins: int, floor: float, tolerance: float
) -> np.ndarray:
    total = np.zeros(len(asked))
    for j in range(reference.shape[1]):
        density, edges = np.histogram(reference[:, j], bins=bins, density=True)
        width = edges[1] - edges[0]
        for i, value in enumerate(asked[:, j]):
            if value < edges[0] - tolerance * width or value > edges[-1] + tolerance * width:
                height = density.min()
            else:
                place = sum(value > edge for edge in edges[1:-1])
                height = density[place]
            total[i] -= math.log2(height + floor)
    return total


@pytest.mark.parametrize(("bins", "floor", "tolerance"), [(10, 0.1, 0.5), (7, 0.01, 0.0), (1, 0.1, 3.0)])
def test_hbos_by_its_formula(bins: int, floor: float, tolerance: float) -> None:
    reference, asked = drawn(150, 3, 22), far(60, 3, 23)
    expected = hbos_by_formula(reference, asked, bins, floor, tolerance)
    found = scored("hbos", reference, asked, bins=bins, floor=floor, tolerance=tolerance)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_hbos_of_a_constant_column() -> None:
    reference = np.column_stack([np.full(20, 3.0), np.arange(20.0)])
    asked = np.array([[3.0, 4.0], [3.2, 4.0], [9.0, 4.0]])
    found = scored("hbos", reference, asked)
    # numpy's histogram of a constant is half a unit wide either side, too
    np.testing.assert_allclose(found, hbos_by_formula(reference, asked, 10, 0.1, 0.5), rtol=1e-12)


def test_pyod_gives_the_same_ecod_hbos_and_knn() -> None:
    pytest.importorskip("pyod")
    from pyod.models.ecod import ECOD
    from pyod.models.hbos import HBOS
    from pyod.models.knn import KNN

    reference, asked = drawn(200, 4, 24), far(60, 4, 25)
    theirs = ECOD()
    theirs.fit(reference)
    # with one row at a time their distribution is that of the reference and the row itself
    alone = np.array([theirs.decision_function(row[None])[0] for row in asked])
    np.testing.assert_allclose(scored("ecod", reference, asked), alone, rtol=1e-12)
    histogram = HBOS(n_bins=10, alpha=0.1, tol=0.5).fit(reference)
    np.testing.assert_allclose(
        scored("hbos", reference, asked), histogram.decision_function(asked), rtol=1e-9
    )
    for method in ("largest", "mean"):
        distance = KNN(n_neighbors=7, method=method).fit(reference).decision_function(asked)
        np.testing.assert_allclose(scored("knn", reference, asked, k=7, method=method), distance, rtol=1e-9)
