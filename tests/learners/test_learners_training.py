"""Window policies: what they return and what they may look at."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import names
from mlopsim.core.spec import make


def rows(seed: int, windows: int = 40, n: int = 50, d: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(windows * n, d))
    X[windows * n // 2 :, 1] += 1.5
    return X, np.arange(windows + 1) * n


@pytest.mark.parametrize("name", names("training"))
def test_no_look_ahead(name: str) -> None:
    X, bounds = rows(0)
    full = make("training", name).starts(X, bounds, 5)
    assert full.dtype == np.int64 and full.shape == (40,)
    assert (full >= 0).all() and (full <= np.arange(40)).all() and (np.diff(full) >= 0).all()
    changed = X.copy()
    changed[bounds[25] :] = np.random.default_rng(9).normal(size=(750, 3)) * 100
    assert np.array_equal(make("training", name).starts(changed, bounds, 5)[:25], full[:25])


def test_since_alarm_finds_the_change() -> None:
    X, bounds = rows(1)
    starts = make("training", "since_alarm", level=1e-4, min_windows=2).starts(X, bounds, 5)
    assert (starts[:20] == 0).all() and (starts[22:] == 20).all()
    capped = make("training", "since_alarm", level=1e-4, min_windows=2, max_windows=4).starts(X, bounds, 5)
    assert np.array_equal(capped, np.maximum(starts, np.maximum(np.arange(40) - 3, 0)))


def test_since_alarm_keeps_its_level() -> None:
    alarms = tested = 0
    for seed in range(40):
        X = np.random.default_rng(seed).normal(size=(50 * 60, 4))
        starts = make("training", "since_alarm", level=0.05, min_windows=1).starts(X, np.arange(51) * 60, 10)
        alarms += int((np.diff(starts) > 0).sum())
        tested += 49
    rate = alarms / tested
    assert 0.01 < rate < 0.05 + 3 * np.sqrt(0.05 * 0.95 / tested)


def test_since_alarm_statistic_is_the_binned_ks() -> None:
    rng = np.random.default_rng(3)
    X = rng.integers(0, 6, size=(400, 1)).astype(float)  # discrete: binned and exact KS agree
    X[300:] = np.minimum(X[300:] + (rng.random((100, 1)) < 0.35), 5)
    exact = ks_2samp(X[:300, 0], X[300:, 0]).statistic * np.sqrt(75)
    from scipy.special import kolmogorov

    p = float(kolmogorov(exact))
    bounds = np.array([0, 100, 200, 300, 400])
    for level, alarm in ((p * 1.01, True), (p * 0.99, False)):
        starts = make("training", "since_alarm", level=level, min_windows=1).starts(X, bounds, 3)
        assert bool(starts[3] == 3) == alarm


def test_bad_parameters() -> None:
    with pytest.raises(ConfigError, match="below min_windows"):
        make("training", "since_alarm", min_windows=5, max_windows=3)
    with pytest.raises(ConfigError, match=r"last.windows must be in"):
        make("training", "last", windows=0)


def test_golden() -> None:
    X, bounds = rows(7, windows=12)
    last = make("training", "last", windows=4).starts(X, bounds, 2)
    assert "".join(map(str, last)) == "000012345678"
    since = make("training", "since_alarm", min_windows=2).starts(X, bounds, 2)
    assert "".join(map(str, since)) == "000000566666"
