"""The encoder: warm-up only, far from zero, gaps and categories."""

from __future__ import annotations

import numpy as np
import pytest

from mlopsim.core.errors import DataError
from mlopsim.learners.encode import MAX_CATEGORIES, Encoder
from mlopsim.streams.stream import Stream


def stream(X: np.ndarray, warmup_rows: int, categories: dict[int, tuple[str, ...]] | None = None) -> Stream:
    n = len(X)
    return Stream(
        X=X,
        y=np.arange(n) % 2,
        bounds=np.array([0, warmup_rows, n]),
        warmup=1,
        classes=("0", "1"),
        features=tuple(f"x{j}" for j in range(X.shape[1])),
        g=np.zeros(n, dtype=np.int64),
        categories=categories or {},
    )


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e8])
def test_centre_and_scale_far_from_zero(offset: float) -> None:
    base = np.random.default_rng(0).integers(-64, 64, size=(500, 3)) / 16.0  # exact after adding 1e8
    encoder = Encoder.fit(stream(base + offset, 200))
    expected = (base - base[:200].mean(axis=0)) / base[:200].std(axis=0)
    assert np.abs(encoder.transform(base + offset) - expected).max() < 1e-7 if offset == 1e8 else 1e-9


def test_rows_after_the_warm_up_do_not_enter() -> None:
    X = np.random.default_rng(0).normal(size=(100, 2))
    other = X.copy()
    other[40:] = np.nan
    a, b = Encoder.fit(stream(X, 40)), Encoder.fit(stream(other, 40))
    assert np.array_equal(a.transform(X), b.transform(X))


def test_gaps_take_the_median() -> None:
    X = np.array([[1.0], [np.nan], [2.0], [9.0], [np.nan]])
    encoder = Encoder.fit(stream(X, 4))
    filled = np.array([1.0, 2.0, 2.0, 9.0])
    out = encoder.transform(X)[:, 0]
    assert np.allclose(out[:4], (filled - filled.mean()) / filled.std())
    assert out[4] == out[1] and np.isfinite(out).all()


def test_most_frequent_categories() -> None:
    codes = np.repeat(np.arange(25.0), np.arange(25, 0, -1))
    X = np.concatenate([codes, [24.0, np.nan, 30.0]])[:, None]
    encoder = Encoder.fit(stream(X, len(codes), {0: tuple(f"c{i}" for i in range(31))}))
    assert encoder.names == tuple(f"x0=c{i}" for i in range(MAX_CATEGORIES))
    out = encoder.transform(X)
    assert (out[:-3].sum(axis=1) == (codes < MAX_CATEGORIES)).all()
    assert (out[-3:] == 0).all()
    assert (encoder.source == 0).all()


@pytest.mark.parametrize("categories", [{}, {1: ("a",)}])
def test_column_without_values(categories: dict[int, tuple[str, ...]]) -> None:
    X = np.array([[1.0, np.nan], [2.0, np.nan], [3.0, 0.0]])
    with pytest.raises(
        DataError, match=r"column 'x1' has no value in the 2 warm-up rows\n  remedy: .*drop=\[x1\]"
    ):
        Encoder.fit(stream(X, 2, categories))


def test_infinite_values() -> None:
    X = np.array([[1.0, 5.0], [2.0, 3.0], [3.0, np.inf]])
    encoder = Encoder.fit(stream(X, 2))
    with pytest.raises(DataError, match="column 'x1' holds infinite"):
        encoder.transform(X)
    with pytest.raises(DataError, match="column 'x1' holds infinite"):
        Encoder.fit(stream(X[::-1].copy(), 2))
    with pytest.raises(DataError, match="rows of 2 features"):
        encoder.transform(X[:, :1])
    constant = Encoder.fit(stream(np.ones((4, 1)), 2))
    assert (constant.transform(np.ones((4, 1))) == 0).all()
