"""Control charts against plain transcriptions of their definitions, river and closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make

TOLD = {"told": "p0", "mean": 0.5, "sd": 2.0}


def scaled(x: np.ndarray) -> list[float]:
    return [(float(v) - 0.5) / 2.0 for v in x]


def values(seed: int, n: int = 400) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = 0.5 + 2.0 * rng.normal(size=n)
    x[n // 2 :] += rng.choice([-2.0, 0.0, 1.0, 3.0])
    return x


def errors(seed: int, n: int = 600) -> np.ndarray:
    rng = np.random.default_rng(seed)
    before, after = rng.uniform(0.02, 0.45), rng.uniform(0.02, 0.9)
    return (rng.random(n) < np.where(np.arange(n) < n // 2, before, after)).astype(np.float64)


def shewhart(x: np.ndarray) -> list[float]:
    return [abs(z) for z in scaled(x)]


def ewma(x: np.ndarray) -> list[float]:
    e, out = 0.0, []
    for z in scaled(x):
        e = 0.8 * e + 0.2 * z
        out.append(abs(e) / math.sqrt(0.2 / 1.8))
    return out


def ewma_exact(x: np.ndarray) -> list[float]:
    z, out = scaled(x), []
    for n in range(1, len(z) + 1):
        weights = [0.2 * 0.8 ** (n - 1 - i) for i in range(n)]
        unit = math.sqrt(sum(w * w for w in weights))
        out.append(sum(w * v for w, v in zip(weights, z[:n], strict=True)) / unit)
    return out


def glr(x: np.ndarray) -> list[float]:
    z = scaled(x)
    return [
        max(sum(z[n - j : n]) ** 2 / (2 * j) for j in range(1, min(n, 30) + 1)) for n in range(1, len(z) + 1)
    ]


def cusum(x: np.ndarray) -> list[float]:
    up = down = 0.0
    out = []
    for z in scaled(x):
        up, down = max(0.0, up + z - 0.25), max(0.0, down - z - 0.25)
        out.append(max(up, down))
    return out


def shiryaev(x: np.ndarray) -> list[float]:
    total, out = 0.0, []
    for z in scaled(x):
        # capped where R itself would overflow; compared below that only
        total = min((1.0 + total) * math.exp(0.7 * (z - 0.35)), 1e300)
        out.append(math.log(total))
    return out


def bernoulli(x: np.ndarray) -> list[float]:
    total, out = 0.0, []
    for v in x:
        total = max(0.0, total + (math.log(0.4 / 0.15) if v else math.log(0.6 / 0.85)))
        out.append(total)
    return out


def p_chart(x: np.ndarray) -> list[float]:
    out = []
    for i in range(len(x)):
        if (i + 1) % 25:
            out.append(math.nan)
        else:
            share = float(np.mean(x[i - 24 : i + 1]))
            out.append((share - 0.2) / math.sqrt(0.2 * 0.8 / 25))
    return out


def ecdd(x: np.ndarray) -> list[float]:
    z, out = 0.0, []
    for n in range(1, len(x) + 1):
        p = float(np.mean(x[:n]))
        z = 0.8 * z + 0.2 * float(x[n - 1])
        s = math.sqrt(p * (1 - p) * 0.2 / 1.8 * (1 - 0.8 ** (2 * n)))
        q = min(p, 0.5)
        level = 3.97 - 6.56 * q + 48.73 * q**3 - 330.13 * q**5 + 848.18 * q**7
        out.append(math.nan if n < 30 else ((z - p) / (level * s) if s > 0 else 0.0))
    return out


PLAIN: list[tuple[str, dict[str, Any], Callable[[np.ndarray], list[float]], Callable[[int], np.ndarray]]] = [
    ("shewhart", TOLD, shewhart, values),
    ("ewma", {**TOLD, "lam": 0.2}, ewma, values),
    ("ewma", {**TOLD, "lam": 0.2, "exact": True, "side": "up"}, ewma_exact, values),
    ("glr", {**TOLD, "window": 30}, glr, values),
    ("cusum", {**TOLD, "k": 0.25}, cusum, values),
    ("shiryaev_roberts", {"mean": 0.5, "sd": 2.0, "shift": 0.7}, shiryaev, values),
    ("bernoulli_cusum", {"p0": 0.15, "p1": 0.4}, bernoulli, errors),
    ("p_chart", {"told": "p0", "mean": 0.2, "sd": 0.4, "size": 25, "side": "up"}, p_chart, errors),
    ("ecdd", {}, ecdd, errors),
]


@pytest.mark.parametrize(
    ("name", "params", "plain", "draw"), PLAIN, ids=[f"{p[0]}-{i}" for i, p in enumerate(PLAIN)]
)
def test_scores_equal_the_definition(name: str, params: Any, plain: Any, draw: Any) -> None:
    for seed in range(50):
        x = draw(seed)
        found = make("detector", name, **params).unlimited([x])[0]
        np.testing.assert_allclose(found, plain(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "params", "plain", "draw"), PLAIN, ids=[f"{p[0]}-{i}" for i, p in enumerate(PLAIN)]
)
def test_alarms_restart_the_definition(name: str, params: Any, plain: Any, draw: Any) -> None:
    total = 0
    for seed in range(50):
        x = draw(seed)
        detector = make("detector", name, **params)
        limit = max(float(np.nanquantile(plain(x), 0.9)), 0.0)
        wanted, start = [], 0
        while start < len(x):
            over = np.flatnonzero(np.array(plain(x[start:])) > limit * (1 + 1e-12) + 1e-12)
            if not len(over):
                break
            wanted.append(start + int(over[0]))
            start = wanted[-1] + 1
        assert detector.limited(limit * (1 + 1e-12) + 1e-12).alarms(x).tolist() == wanted
        total += len(wanted)
    assert total > 50


@pytest.mark.parametrize("mode", ["up", "down", "both"])
@pytest.mark.parametrize(
    ("river", "ours"),
    [
        ({}, {}),
        ({"threshold": 8.0, "delta": 0.05}, {"h": 8.0, "delta": 0.05}),
        ({"threshold": 3.0, "min_instances": 5, "alpha": 0.99}, {"h": 3.0, "warm_start": 5, "alpha": 0.99}),
    ],
)
def test_page_hinkley_equals_river(mode: str, river: dict[str, Any], ours: dict[str, Any]) -> None:
    from river.drift import PageHinkley

    alarms = 0
    for seed in range(50):
        x = 5.0 * values(seed, 1000) if seed % 2 else errors(seed, 1500)
        theirs = PageHinkley(mode=mode, **river)
        wanted = []
        for i, v in enumerate(x):
            theirs.update(float(v))
            if theirs.drift_detected:
                wanted.append(i)
        assert make("detector", "page_hinkley", side=mode, **ours).alarms(x).tolist() == wanted
        alarms += len(wanted)
    assert alarms > 10


def test_page_hinkley_equals_rivers_documentation() -> None:
    import random

    rng = random.Random(12345)
    data = rng.choices([0, 1], k=1000) + rng.choices(range(4, 8), k=1000)
    assert 1006 in make("detector", "page_hinkley").alarms(np.array(data, dtype=np.float64))


@pytest.mark.parametrize("name", ["shewhart", "ewma", "cusum", "glr", "p_chart"])
def test_a_chart_that_is_told_nothing_learns_what_it_would_be_told(name: str) -> None:
    draw = errors if name == "p_chart" else values
    for seed in range(10):
        x = draw(seed)
        first = x[:100]
        learnt = make("detector", name).unlimited([x])[0]
        assert np.isnan(learnt[:100]).all()
        mean, sd = float(first.mean()), float(first.std(ddof=1))
        told = make("detector", name, told="p0", mean=mean, sd=sd).unlimited([x[100:]])[0]
        np.testing.assert_allclose(learnt[100:], told, rtol=1e-9, atol=1e-9)


def test_the_run_length_of_ecdd_is_near_the_published_one() -> None:
    # Ross et al. (2012) fitted L(p) to a mean of 400 without drift; early rows of a running mean shorten it
    rng = np.random.default_rng(3)
    first = []
    for _ in range(300):
        alarms = make("detector", "ecdd").alarms((rng.random(6000) < 0.2).astype(np.float64))
        first.append(alarms[0] + 1 if len(alarms) else 6000)
    assert 250 < np.mean(first) < 650


def test_impossible_settings_are_refused() -> None:
    for name, params in [
        ("bernoulli_cusum", {"p0": 0.0}),
        ("bernoulli_cusum", {"p0": 0.2, "p1": 0.2}),
        ("shiryaev_roberts", {"shift": 0.0}),
        ("ewma", {"lam": 0.0}),
        ("glr", {"window": 0}),
        ("shewhart", {"told": "p0p1"}),
        ("shewhart", {"mean": 1.0}),
    ]:
        with pytest.raises(ConfigError):
            make("detector", name, **params)
