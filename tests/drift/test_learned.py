"""Learned detectors against scikit-learn, scipy, river and plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest, mannwhitneyu, spearmanr

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.drift.detectors.half_space_trees import HalfSpaceTrees
from mlopsim.drift.detectors.isolation_forest import IsolationForest
from mlopsim.numerics.scaling import END, Scaling

SHAPES = [(1000, 100, 10), (200, 20, 3), (57, 13, 1), (40, 3, 5)]


def rows(n: int, d: int, seed: int) -> np.ndarray:
    """Correlated features of very different scales."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 3.0) * 10.0 ** rng.integers(-3, 4, d)


def windows(reference: np.ndarray, r: int, seed: int) -> np.ndarray:
    """Windows like the reference, and moved by 0.3 and 3 standard deviations."""
    rng = np.random.default_rng(seed)
    drawn = reference[rng.integers(0, len(reference), (9, r))] + rng.normal(size=(9, r, 1)) * 1e-3
    drawn[3:6] += 0.3 * reference.std(axis=0)
    drawn[6:] += 3.0 * reference.std(axis=0)
    return drawn


def z_of(one: np.ndarray, other: np.ndarray) -> float:
    """Return z of the rank-sum test by scipy: its p-value turned back would lose digits, so from U."""
    n, m = len(one), len(other)
    u = mannwhitneyu(other, one, method="asymptotic", use_continuity=False).statistic
    _, ties = np.unique(np.concatenate([one, other]), return_counts=True)
    variance = n * m / 12 * (n + m + 1 - (ties**3 - ties).sum() / ((n + m) * (n + m - 1)))
    return float((u - n * m / 2) / np.sqrt(variance)) if variance > 0 else 0.0


# -- rank sums, random numbers, scaling ----------------------------------------------------------------


@pytest.mark.parametrize("digits", [0, 1, 9])
def test_rank_sums_equal_scipy(digits: int) -> None:
    from mlopsim.drift.kernels.rank_sums import rank_sums

    rng = np.random.default_rng(digits)
    held = np.sort(rng.normal(size=50).round(digits))
    found = (rng.normal(size=(30, 17)) + rng.normal(size=(30, 1))).round(digits)
    score = np.empty(30)
    rank_sums(held, found, score)
    for window, z in zip(found, score, strict=True):
        assert z == pytest.approx(abs(z_of(held, window)), rel=1e-12, abs=1e-12)
        p = mannwhitneyu(held, window, method="asymptotic", use_continuity=False).pvalue
        from scipy.stats import norm

        assert 2 * norm.sf(z) == pytest.approx(p, rel=1e-9)


def test_equal_row_scores_tell_nothing_apart() -> None:
    from mlopsim.drift.kernels.rank_sums import rank_sums

    score = np.empty(2)
    rank_sums(np.full(300, 0.1), np.full((2, 77), 0.1), score)
    assert score.tolist() == [0.0, 0.0]
    rank_sums(np.empty(0), np.zeros((2, 5)), score)
    assert np.isnan(score).all()


def test_random_numbers_are_those_of_splitmix() -> None:
    """The first numbers for the state 1234567, as published with the generator."""
    from mlopsim.numerics.compiled_random import below, uniform

    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    word = np.array([1234567], dtype=np.uint64)
    assert [uniform(word) for _ in published] == [(n >> 11) * 2.0**-53 for n in published]
    word = np.array([5], dtype=np.uint64)
    drawn = np.bincount([below(word, 4) for _ in range(4000)], minlength=4)
    assert len(drawn) == 4 and abs(drawn - 1000).max() < 120


def test_scaled_rows_are_finite_whatever_comes() -> None:
    reference = np.array([[1e300, 1e-300, 0.0, 0.1], [-1e300, 2e-300, 0.0, 0.1]])
    for scaling in (Scaling.standard(reference), Scaling.ranged(reference)):
        own = scaling.apply(reference)
        assert np.abs(own).max() <= 1.0
        assert (own[:, 2:] == 0.0).all()
        other = scaling.apply(np.array([[1.7e308, 1e300, 1e-9, 0.11], [-1.7e308, -1e300, -1e-9, 0.09]]))
        assert np.isfinite(other).all()
        assert (np.abs(other[:, 1]) == END).all()


# -- domain classifier ---------------------------------------------------------------------------------


def by_hand(reference: np.ndarray, window: np.ndarray, folds: int, alpha: float, squares: bool) -> float:
    """Return z of the cross-fitted ridge regression by scikit-learn and scipy."""
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(reference)
    one, other = scaler.transform(reference), scaler.transform(window)
    if squares:
        one, other = np.hstack([one, one**2]), np.hstack([other, other**2])
    gap, variance = 0.0, 0.0
    for fold in range(folds):
        out, there = np.arange(len(one)) % folds == fold, np.arange(len(other)) % folds == fold
        if not there.any():
            continue
        X = np.vstack([one[~out], other[~there]])
        y = np.repeat([0.0, 1.0], [(~out).sum(), (~there).sum()])
        model = Ridge(alpha=alpha * len(X), solver="svd").fit(X, y)
        a, b = model.predict(one[out]), model.predict(other[there])
        n, m = len(a), len(b)
        gap += mannwhitneyu(b, a, method="asymptotic").statistic - n * m / 2
        variance += n * m * (n + m + 1) / 12
    return float(gap / np.sqrt(variance))


@pytest.mark.parametrize(("n", "r", "d"), SHAPES)
@pytest.mark.parametrize("squares", [True, False])
def test_domain_classifier_equals_scikit_learn(n: int, r: int, d: int, squares: bool) -> None:
    reference = rows(n, d, seed=n)
    some = windows(reference, r, seed=1)
    detector = make("detector", "domain_classifier", squares=squares, alpha=0.01)
    found = detector.compare(detector.learn(reference), some)
    wanted = [by_hand(reference, window, 5, 0.01, squares) for window in some]
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


def test_domain_classifier_with_a_learner() -> None:
    """Linear discriminant analysis has the direction of a ridge regression without penalty."""
    reference = rows(300, 4, seed=0)
    some = windows(reference, 30, seed=1)[:6]  # of the others, probabilities of 0 and 1 would be ties
    closed = make("detector", "domain_classifier", squares=False, alpha=1e-12)
    given = make("detector", "domain_classifier", learner="lda")
    np.testing.assert_allclose(
        given.compare(given.learn(reference), some), closed.compare(closed.learn(reference), some), rtol=1e-9
    )
    tree = make("detector", "domain_classifier", learner={"tree": {}}, reference=5)
    whole = np.concatenate([reference.reshape(10, 30, 4), some + 3.0 * reference.std(axis=0)])
    run = tree.run(whole)
    assert len(run.alarms)
    tree.reset()
    assert [i for i, window in enumerate(whole) if tree.update(window)] == run.alarms.tolist()


@pytest.mark.parametrize("often", [1, 2, 40])
def test_domain_classifier_of_a_category_that_the_reference_lacks(often: int) -> None:
    windows = np.random.default_rng(4).normal(size=(40, 100, 12))
    windows[:, :, :6] = 0.0
    # scaled to the end of the range: squares of 1e12, which are gone from the folds without these rows
    for window in range(12, 40):
        for feature in range(6):
            start = 7 * feature + window
            windows[window, start : start + often, feature] = 1.0
    detector = make("detector", "domain_classifier", reference=10)
    scores = detector.unlimited([windows], [np.random.default_rng(0)])[0]
    assert np.isfinite(scores[10:]).all()
    assert scores[12] > 4.0 if often == 40 else abs(scores[12]) < 4.0


def test_unknown_learner_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown learner"):
        make("detector", "domain_classifier", learner="no_such")


def test_squares_see_a_change_of_spread() -> None:
    rng = np.random.default_rng(0)
    reference, window = rng.normal(size=(1000, 4)), 2.0 * rng.normal(size=(1, 100, 4))
    with_squares = make("detector", "domain_classifier")
    without = make("detector", "domain_classifier", squares=False)
    assert with_squares.compare(with_squares.learn(reference), window)[0] > 6.0
    assert without.compare(without.learn(reference), window)[0] < 3.0


# -- isolation forest ----------------------------------------------------------------------------------


def forest(X: np.ndarray, seed: int, **fields: Any) -> tuple[IsolationForest, Any]:
    detector = IsolationForest(**fields)
    detector.reset(np.random.default_rng(seed))
    return detector, detector.fit(X)


def test_scores_on_the_trees_of_scikit_learn_equal_its_own() -> None:
    from sklearn.ensemble import IsolationForest as Theirs

    from mlopsim.drift.kernels.isolation_trees import average_path, measure

    rng = np.random.default_rng(0)
    # scikit-learn compares in single precision
    X = rng.normal(size=(400, 5)).astype(np.float32).astype(np.float64)
    asked = (3.0 * rng.normal(size=(200, 5))).astype(np.float32).astype(np.float64)
    theirs = Theirs(n_estimators=20, max_samples=64, random_state=0).fit(X)
    shape = (20, 127)
    feature, left = np.full(shape, -1), np.zeros(shape, dtype=np.int64)
    cut, path = np.zeros(shape), np.zeros(shape)
    for b, estimator in enumerate(theirs.estimators_):
        tree = estimator.tree_
        place = {0: 0}  # their nodes to ours, where the second child follows the first
        depth, free = {0: 0}, 1
        for node in range(tree.node_count):
            at = place[node]
            path[b, at] = depth[node] + average_path(float(tree.n_node_samples[node]))
            if tree.children_left[node] >= 0:
                feature[b, at], cut[b, at], left[b, at] = tree.feature[node], tree.threshold[node], free
                for k, child in enumerate((tree.children_left[node], tree.children_right[node])):
                    place[child], depth[child] = free + k, depth[node] + 1
                free += 2
    score = np.empty(200)
    measure(asked, average_path(64.0), feature, cut, left, path, score)
    np.testing.assert_allclose(score, -theirs.score_samples(asked), rtol=1e-12)


def test_the_law_of_its_scores_is_that_of_scikit_learn() -> None:
    from sklearn.ensemble import IsolationForest as Theirs

    rng = np.random.default_rng(1)
    X = np.concatenate([rng.normal(size=(300, 3)), np.zeros((100, 3))])  # ties: constant nodes
    X[:, 2] = 7.0  # a feature that no cut can use
    asked = np.array([[0.0, 0.0, 7.0], [1.0, -1.0, 7.0], [3.0, 3.0, 7.0]])
    ours, theirs = [], []
    for seed in range(150):
        detector, model = forest(X, seed, trees=4, sample=64)
        ours.append(detector.measure(model, asked))
        other = Theirs(n_estimators=4, max_samples=64, random_state=seed).fit(X)
        theirs.append(-other.score_samples(asked))
    one, two = np.array(ours), np.array(theirs)
    error = np.sqrt(one.var(axis=0) / 150 + two.var(axis=0) / 150)
    assert (np.abs(one.mean(axis=0) - two.mean(axis=0)) < 4 * error).all()
    np.testing.assert_allclose(one.std(axis=0), two.std(axis=0), rtol=0.25)


def test_trees_are_drawn_anew_for_each_reference() -> None:
    X = rows(100, 3, seed=0)
    detector, first = forest(X, 0, trees=3)
    second = detector.fit(X)
    assert not np.array_equal(first[2][1], second[2][1])


# -- half-space trees ----------------------------------------------------------------------------------


def test_half_space_trees_are_those_of_the_paper() -> None:
    """Every cell, cut and mass is checked by hand, over all trees."""
    X = rows(300, 3, seed=0)
    detector = HalfSpaceTrees(trees=300, height=6, least=0.05)
    detector.reset(np.random.default_rng(0))
    scaling, (feature, cut, left, mass) = detector.fit(X)
    scaled = scaling.apply(X)
    roots: list[float] = []
    used: list[int] = []
    for b in range(300):
        boxes: dict[int, float] = {}  # feature -> centre of the tree's box

        def visit(b: int, node: int, inside: np.ndarray, depth: int, box: dict[int, tuple[float, float]],
                  boxes: dict[int, float] = boxes) -> None:  # fmt: skip
            number = int(inside.sum())
            assert mass[b, node] == number * 2.0**depth
            assert (feature[b, node] >= 0) == (number > 15 and depth < 6)
            if feature[b, node] < 0:
                return
            k, at = int(feature[b, node]), cut[b, node]
            used.append(k)
            if k not in box:
                assert boxes.setdefault(k, at) == pytest.approx(at, rel=1e-12)
                half = 2 * max(at, 1 - at)
                box = {**box, k: (at - half, at + half)}
            low, high = box[k]
            assert at == pytest.approx((low + high) / 2, abs=1e-12)
            below = inside & (scaled[:, k] < at)
            visit(b, left[b, node], below, depth + 1, {**box, k: (low, at)})
            visit(b, left[b, node] + 1, inside & ~below, depth + 1, {**box, k: (at, high)})

        visit(b, 0, np.ones(300, dtype=bool), 0, {})
        roots.append(cut[b, 0])
    assert kstest(roots, "uniform").pvalue > 0.01
    share = np.bincount(used, minlength=3) / len(used)
    assert np.abs(share - 1 / 3).max() < 0.05


def test_mass_of_a_row_is_that_of_its_cells() -> None:
    X, asked = rows(200, 2, seed=0), 2.0 * rows(50, 2, seed=1)
    detector = HalfSpaceTrees(trees=7)
    detector.reset(np.random.default_rng(3))
    model = detector.fit(X)
    scaling, (feature, cut, left, mass) = model
    for x, found in zip(scaling.apply(asked), detector.measure(model, asked), strict=True):
        total = 0.0
        for b in range(7):
            node = 0
            while feature[b, node] >= 0:
                node = left[b, node] + int(x[feature[b, node]] >= cut[b, node])
            total += mass[b, node]
        assert found == total


def test_half_space_trees_rank_rows_as_river_does() -> None:
    """River cuts in another way and sums over the path; the order of the rows agrees all the same."""
    from river.anomaly import HalfSpaceTrees as Theirs

    rng = np.random.default_rng(0)
    X = np.clip(0.5 + 0.12 * rng.normal(size=(250, 2)), 0, 1)
    X[0], X[1] = 0.0, 1.0
    asked = rng.random((150, 2))
    theirs = Theirs(n_trees=60, height=8, window_size=250, seed=1)
    for x in X:
        theirs.learn_one(dict(enumerate(x)))
    river = [theirs.score_one(dict(enumerate(x))) for x in asked]
    detector = HalfSpaceTrees(trees=200, height=8)
    detector.reset(np.random.default_rng(0))
    assert spearmanr(river, -detector.measure(detector.fit(X), asked)).statistic > 0.9


# -- principal components ------------------------------------------------------------------------------


@pytest.mark.parametrize("explained", [0.0, 0.5, 0.65, 0.9, 1.0])
def test_pca_equals_scikit_learn(explained: float) -> None:
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    reference = rows(400, 6, seed=2)
    some = windows(reference, 40, seed=1)
    fitted, held = reference[::2], reference[1::2]
    scaler = StandardScaler().fit(fitted)
    share = np.cumsum(PCA().fit(scaler.transform(fitted)).explained_variance_ratio_)
    kept = next(k for k in range(7) if k == 5 or (k and share[k - 1] >= explained) or explained == 0.0)
    model = PCA(n_components=max(kept, 1)).fit(scaler.transform(fitted))

    def error(X: np.ndarray) -> np.ndarray:
        scaled = scaler.transform(X)
        rebuilt = model.inverse_transform(model.transform(scaled)) if kept else 0.0
        return np.linalg.norm(scaled - rebuilt, axis=1)

    detector = make("detector", "pca", explained=explained)
    np.testing.assert_allclose(detector.measure(detector.fit(fitted), held), error(held), rtol=1e-7)
    found = detector.compare(detector.learn(reference), some)
    np.testing.assert_allclose(found, [abs(z_of(error(held), error(w))) for w in some], rtol=1e-9)


def test_pca_is_blind_within_its_plane() -> None:
    rng = np.random.default_rng(0)
    common = rng.normal(size=(2000, 1))
    reference = common @ np.ones((1, 4)) + 0.1 * rng.normal(size=(2000, 4))
    window = reference[:100]
    detector = make("detector", "pca")
    model = detector.learn(reference)
    assert detector.compare(model, (window + 2.0)[None])[0] < 3.0
    assert detector.compare(model, (window + np.array([2.0, 0, 0, 0]))[None])[0] > 10.0


# -- all of them ---------------------------------------------------------------------------------------

NAMES = ["domain_classifier", "isolation_forest", "half_space_trees", "pca"]


@pytest.mark.parametrize("name", NAMES)
def test_a_change_is_found_and_an_alarm_takes_a_new_reference(name: str) -> None:
    rng = np.random.default_rng(0)
    stream = rng.normal(size=(60, 50, 4))
    stream[30:] *= 3.0
    detector = make("detector", name).limited(5.0)
    run = detector.run(stream)
    assert run.alarms.tolist() == [30]
    assert np.isnan(run.score[:10]).all() and np.isnan(run.score[31:41]).all()
    assert np.isfinite(run.score[10:31]).all() and run.score[41:].max() < 5.0


@pytest.mark.parametrize("name", NAMES)
def test_the_score_is_centred_without_a_change(name: str) -> None:
    """Over 40 references with 20 windows each: no learner has seen the rows that it is judged by."""
    rng = np.random.default_rng(5)
    found = np.concatenate(
        [
            make("detector", name, reference=4).unlimited(rng.normal(size=(1, 24, 25, 3)), [rng])[0, 4:]
            for _ in range(40)
        ]
    )
    if name == "domain_classifier":
        assert abs(found.mean()) < 0.25 and 0.8 < found.std() < 1.8
    else:  # |z| of a normal z has mean 0.80
        assert 0.7 < found.mean() < 1.05


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("shape", "defined"), [((20, 1, 3), True), ((20, 2, 1), True), ((6, 2, 2), False)])
def test_small_windows(name: str, shape: tuple[int, int, int], defined: bool) -> None:
    found = make("detector", name).score(np.random.default_rng(0).normal(size=shape))
    assert found.shape == shape[:1]
    if name == "domain_classifier" and shape[1] == 1:
        defined = False
    assert np.isfinite(found[10:]).all() if defined else np.isnan(found).all()
    single = make("detector", name, reference=1).score(np.zeros((3, 1, 2)))
    assert np.isnan(single).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("key", "value"), [("reference", 0), ("z", -1.0)])
def test_ranges(name: str, key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=key):
        make("detector", name, **{key: value})


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("domain_classifier", "folds", 1),
        ("domain_classifier", "alpha", 0.0),
        ("isolation_forest", "trees", 0),
        ("isolation_forest", "sample", 1),
        ("half_space_trees", "trees", 0),
        ("half_space_trees", "height", 0),
        ("half_space_trees", "least", 1.5),
        ("pca", "explained", 1.5),
    ],
)
def test_own_ranges(name: str, key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=key):
        make("detector", name, **{key: value})
