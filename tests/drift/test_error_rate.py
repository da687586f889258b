"""Detectors of error rates against river, and against the published definitions in plain Python."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from river import __version__ as river_version
from river import drift
from scipy import stats

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import make
from mlopsim.drift.detectors.adwin import ADWIN
from mlopsim.drift.detectors.kswin import KSWIN
from mlopsim.drift.detectors.river import River
from mlopsim.drift.signal import Side, Signal, SignalKind

ROWS, CHANGE = 1600, 800


def errors(p_before: float, p_after: float, seed: int, rows: int = ROWS) -> np.ndarray:
    """Errors at one rate, then at another."""
    p = np.repeat([p_before, p_after], [rows // 2, rows - rows // 2])
    return (np.random.default_rng(seed).random(rows) < p).astype(np.float64)


def many_errors() -> list[np.ndarray]:
    """54 signals of errors: six rates, with and without a change, up and down."""
    rates = (0.01, 0.05, 0.2, 0.35, 0.5, 0.9)
    pairs = [(p, q) for p in rates for q in (p, min(p + 0.15, 1.0), 0.5 * p)]
    return [errors(p, q, seed) for seed, (p, q) in enumerate(pairs * 3)]


def many_values() -> list[np.ndarray]:
    """54 signals of real values: several laws and scales, with and without a shift, and with ties."""
    signals = []
    for seed in range(54):
        rng = np.random.default_rng(seed)
        x = [rng.normal, rng.exponential, rng.standard_cauchy][seed % 3](size=ROWS)
        x[CHANGE:] += (0.0, 0.3, -1.0, 3.0)[seed % 4]
        x = x * 10.0 ** (seed % 5 - 2) + seed % 7
        signals.append(x.round(1) if seed % 6 == 0 else x)
    return signals


def told_by(detector: Any, signal: Sequence[float]) -> list[int]:
    """Return where one of river's detectors tells a drift."""
    found = []
    for i, x in enumerate(signal):
        detector.update(x)
        if detector.drift_detected:
            found.append(i)
    return found


def bits(signal: np.ndarray) -> list[int]:
    return [int(x) for x in signal]


def test_river_is_the_version_that_is_compared_with() -> None:
    assert river_version == "0.26.1"


# -- river: identical alarms ---------------------------------------------------------------------------

#: ours, parameters, river's, its parameters
PAIRS: list[tuple[str, dict[str, Any], type, dict[str, Any]]] = [
    ("ddm", {}, drift.binary.DDM, {}),
    ("ddm", {"level": 1.5, "warm_start": 7}, drift.binary.DDM, {"drift_threshold": 1.5, "warm_start": 7}),
    ("eddm", {}, drift.binary.EDDM, {}),
    ("eddm", {"beta": 0.6, "warm_start": 5}, drift.binary.EDDM, {"beta": 0.6, "warm_start": 5}),
    ("hddm_a", {}, drift.binary.HDDMA, {}),
    (
        "hddm_a",
        {"delta": 0.05, "side": Side.BOTH},
        drift.binary.HDDMA,
        {"drift_confidence": 0.05, "two_sided_test": True},
    ),
    ("hddm_w", {}, drift.binary.HDDMW, {}),
    (
        "hddm_w",
        {"delta": 0.02, "lam": 0.2, "side": Side.BOTH},
        drift.binary.HDDMW,
        {"drift_confidence": 0.02, "lambda_val": 0.2, "two_sided_test": True},
    ),
]
NAMES = [f"{name}-{'given' if params else 'defaults'}" for name, params, _, _ in PAIRS]


@pytest.mark.parametrize(("name", "params", "theirs", "their_params"), PAIRS, ids=NAMES)
def test_alarms_equal_those_of_river(
    name: str, params: dict[str, Any], theirs: type, their_params: dict[str, Any]
) -> None:
    detector, alarms = make("detector", name, **params), 0
    for signal in many_errors():
        found = detector.alarms(signal).tolist()
        assert found == told_by(theirs(**their_params), bits(signal))
        alarms += len(found)
    assert alarms > 15


FHDDM: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"delta": 0.01, "window": 25}, {"confidence_level": 0.01, "sliding_window_size": 25}),
    ({"short": 20}, {"short_window_size": 20}),
    (
        {"delta": 1e-3, "window": 80, "short": 80},
        {"confidence_level": 1e-3, "sliding_window_size": 80, "short_window_size": 80},
    ),
]


@pytest.mark.parametrize(("params", "theirs"), FHDDM)
def test_fhddm_alarms_where_that_of_river_does_when_it_is_fed_right_answers(
    params: dict[str, Any], theirs: dict[str, Any]
) -> None:
    detector, alarms = make("detector", "fhddm", **params), 0
    for signal in many_errors():
        found = detector.alarms(signal).tolist()
        assert found == told_by(drift.binary.FHDDM(**theirs), bits(1.0 - signal))
        alarms += len(found)
    assert alarms > 5


ADWIN_CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    (
        {"delta": 0.2, "clock": 1, "max_buckets": 3, "min_window": 2, "grace": 20},
        {"delta": 0.2, "clock": 1, "max_buckets": 3, "min_window_length": 2, "grace_period": 20},
    ),
    ({"delta": 1e-6, "clock": 7, "max_buckets": 9}, {"delta": 1e-6, "clock": 7, "max_buckets": 9}),
]


@pytest.mark.parametrize(("params", "theirs"), ADWIN_CASES)
def test_adwin_alarms_where_that_of_river_does(params: dict[str, Any], theirs: dict[str, Any]) -> None:
    detector, alarms = make("detector", "adwin", **params), 0
    for signal in many_errors() + many_values():
        found = detector.alarms(signal).tolist()
        assert found == told_by(drift.ADWIN(**theirs), signal.tolist())
        alarms += len(found)
    assert alarms > 30


#: ours and river's by the limit, and the limits
LIMITS: dict[str, tuple[Callable[[float], Any], np.ndarray]] = {
    "adwin": (lambda limit: drift.ADWIN(delta=limit), np.geomspace(1e-30, 1.0, 15)),
    "ddm": (lambda limit: drift.binary.DDM(drift_threshold=limit), np.linspace(0.5, 6.0, 15)),
    "eddm": (lambda limit: drift.binary.EDDM(alpha=1.0, beta=limit), np.linspace(0.3, 1.0, 15)),
    "fhddm": (lambda limit: drift.binary.FHDDM(confidence_level=limit), np.geomspace(1e-20, 0.9, 15)),
}


@pytest.mark.parametrize("name", LIMITS)
def test_one_run_without_a_limit_gives_the_first_alarm_of_river_at_every_limit(name: str) -> None:
    build, limits = LIMITS[name]
    different = set()
    for seed, (p, q) in enumerate([(0.05, 0.3), (0.3, 0.6), (0.5, 0.9)]):
        signal = errors(p, q, seed)
        free = make("detector", name).unlimited(signal[None])[0]
        for limit in limits:
            threshold = make("detector", name, **{make("detector", name).limit: float(limit)}).threshold
            theirs = told_by(build(float(limit)), bits(1.0 - signal if name == "fhddm" else signal))
            assert np.flatnonzero(free > threshold)[:1].tolist() == theirs[:1]
            different.add(tuple(theirs[:1]))
    assert len(different) > 8


def test_the_score_of_adwin_is_minus_the_log_of_the_critical_delta() -> None:
    for seed in range(6):
        signal = errors(0.2, 0.5, seed, 1200)
        free = ADWIN().unlimited(signal[None])[0]
        highest = float(np.nanmax(free))
        place = int(np.nanargmax(free))
        for delta, wanted in (
            (math.exp(-highest * (1 - 1e-9)), [place]),
            (math.exp(-highest * (1 + 1e-9)), []),
        ):
            assert told_by(drift.ADWIN(delta=delta), bits(signal))[:1] == wanted
            assert ADWIN(delta=delta).alarms(signal)[:1].tolist() == wanted


def test_adwin_tells_the_direction_of_its_last_alarm() -> None:
    detector = ADWIN()
    assert detector.rose is None
    detector.run(np.zeros(500))
    assert detector.rose is None
    for signal, rose in ((errors(0.1, 0.7, 0), True), (errors(0.7, 0.1, 0), False)):
        assert len(detector.alarms(signal)) >= 1
        assert detector.rose is rose


# -- the positions in river's documentation ------------------------------------------------------------


def stream_of_bits(rows: int, weights: list[float]) -> list[int]:
    """The stream of river's examples of detectors of errors."""
    rng = random.Random(42)
    return rng.choices([0, 1], k=rows) + rng.choices([0, 1], k=rows, weights=weights)


def stream_of_values() -> list[int]:
    """The stream of river's examples of detectors of values."""
    rng = random.Random(12345)
    return rng.choices([0, 1], k=1000) + rng.choices(range(4, 8), k=1000)


@pytest.mark.parametrize(
    ("name", "params", "wanted"),
    [
        ("ddm", {}, [1334]),
        ("eddm", {"beta": 0.75}, [1278]),
        ("hddm_a", {}, [1206]),
        ("hddm_w", {}, [1077]),
    ],
)
def test_positions_in_the_documentation_of_river(
    name: str, params: dict[str, Any], wanted: list[int]
) -> None:
    assert make("detector", name, **params).alarms(stream_of_bits(1000, [0.3, 0.7])).tolist() == wanted


def test_positions_of_fhddm_in_the_documentation_of_river() -> None:
    # its example feeds ones that become fewer: those are right answers
    signal = 1 - np.array(stream_of_bits(250, [0.9, 0.1]))
    found = [make("detector", "fhddm", **params).alarms(signal) for params in ({}, {"short": 20})]
    assert np.unique(np.concatenate(found)).tolist() == [279, 315]


def test_positions_of_adwin_and_kswin_in_the_documentation_of_river() -> None:
    assert ADWIN().alarms(stream_of_values()).tolist() == [1023]
    assert KSWIN(alpha=1e-4).alarms(stream_of_values()).tolist() == [1016]


# -- KSWIN: the same law ---------------------------------------------------------------------------------


class Words:
    """SplitMix64 and Lemire's numbers below a bound on Python's whole numbers, as river's ``random``."""

    def __init__(self, rng: np.random.Generator) -> None:
        high, low = (int(word) for word in rng.integers(0, 2**32, 2))
        self.word = (high << 32) | low

    def below(self, count: int) -> int:
        while True:
            self.word = (self.word + 0x9E3779B97F4A7C15) % 2**64
            mixed = self.word
            mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
            mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) % 2**64
            product = ((mixed ^ (mixed >> 31)) >> 32) * count
            if product % 2**32 >= 2**32 % count:
                return product >> 32

    def sample(self, population: Sequence[int], size: int) -> list[int]:
        places = list(population)
        for i in range(size):
            j = i + self.below(len(places) - i)
            places[i], places[j] = places[j], places[i]
        return places[:size]


class FedKswin(drift.KSWIN):  # type: ignore[misc]
    """River's KSWIN that draws the places that it is fed."""

    words: Words

    def _reset(self) -> None:
        super()._reset()
        self._rng = self.words  # type: ignore[assignment]


@pytest.mark.parametrize(
    "params", [{"alpha": 0.005}, {"alpha": 0.05, "window": 40, "recent": 20}, {"alpha": 0.9, "window": 60}]
)
def test_kswin_alarms_where_that_of_river_does_when_both_draw_the_same_places(params: dict[str, Any]) -> None:
    alarms = 0
    theirs = {"alpha": 0.005, "window": 100, "recent": 30, **params}
    for seed, signal in enumerate(many_values() + many_errors()[::6]):
        part = signal[CHANGE - 110 : CHANGE + 40] if seed % 2 else signal[:130]
        FedKswin.words = Words(np.random.default_rng(seed))
        detector = FedKswin(
            alpha=theirs["alpha"], window_size=theirs["window"], stat_size=theirs["recent"], seed=0
        )
        found = KSWIN(**params).alarms(part, np.random.default_rng(seed)).tolist()
        assert found == told_by(detector, part.tolist())
        alarms += len(found)
    assert alarms > 10


def test_kswin_draws_all_places_alike() -> None:
    from mlopsim.drift.kernels.kswin import draw, undo
    from mlopsim.numerics.splitmix import load

    places, swaps, counts = np.arange(12), np.empty(5, np.int64), np.zeros((5, 12))
    word, draws = load(1.0, 2.0), 24000
    for _ in range(draws):
        word = draw(np.uint64(word), places, swaps)
        counts[np.arange(5), places[:5]] += 1
        assert len(set(places[:5])) == 5
        undo(places, swaps)
        assert places.tolist() == list(range(12))
    for each in counts:
        assert stats.chisquare(each).pvalue > 1e-4


def test_first_alarms_of_kswin_have_the_law_of_those_of_river() -> None:
    ours, theirs = [], []
    for seed in range(120):
        signal = np.random.default_rng(seed).normal(size=400)
        signal[150:] += 1.0
        detector = KSWIN(alpha=0.02, window=60, recent=20)
        ours.append(min(detector.alarms(signal, np.random.default_rng(seed)), default=400))
        other = np.random.default_rng(1000 + seed).normal(size=400)
        other[150:] += 1.0
        river = drift.KSWIN(alpha=0.02, window_size=60, stat_size=20, seed=seed)
        theirs.append(
            next((i for i, x in enumerate(other) if (river.update(x), river.drift_detected)[1]), 400)
        )
    assert stats.ks_2samp(ours, theirs).pvalue > 0.01
    assert stats.ks_2samp(ours, np.array(theirs) + 15).pvalue < 0.01


def test_the_scores_of_kswin_are_p_values_of_scipy() -> None:
    rng = np.random.default_rng(3)
    signal = rng.normal(size=200).round(1)
    score = KSWIN(window=50, recent=25, alpha=1e-9).score(signal, np.random.default_rng(5))
    words = Words(np.random.default_rng(5))
    assert np.isnan(score[:49]).all()
    for i in range(49, 200):
        window = signal[i - 49 : i + 1]
        drawn = window[words.sample(range(25), 25)]
        test = stats.ks_2samp(drawn, window[25:])
        assert score[i] == pytest.approx(-math.log10(test.pvalue) if test.statistic > 0.1 else 0.0, rel=1e-12)


# -- RDDM and STEPD from their definitions -----------------------------------------------------------------


def rddm(
    signal: Sequence[float],
    level: float,
    warning: float,
    warm_start: int,
    patience: int,
    longest: int,
    stable: int,
) -> list[int]:
    """RDDM on lists: ``n`` counts one more than the rows, as in the program of its authors."""
    rows: list[float] = []
    warned, task, alarms = -1, "", []
    n, p = 1, 1.0
    best = (math.inf, math.inf)
    for t, x in enumerate(signal):
        if task:
            n, p = 1, 1.0
            best = (math.inf, math.inf) if task == "change" else best
            for row in rows:
                p += (row - p) / n
                s = math.sqrt(p * (1 - p) / n)
                if task == "change" and n > warm_start and p + s < sum(best):
                    best = (p, s)
                n += 1
            warned, task = -1, ""
        rows = [*rows, x][-stable:]
        p += (x - p) / n
        s = math.sqrt(p * (1 - p) / n)
        n += 1
        if n <= warm_start:
            continue
        if p + s < sum(best):
            best = (p, s)
        if p + s > best[0] + level * best[1]:
            rows = rows[-(t - warned + 1) :] if warned >= 0 else rows[-1:]
            task = "change"
        elif p + s > best[0] + warning * best[1]:
            if warned < 0:
                warned = t
            elif t - warned >= patience:
                rows, task = rows[-1:], "change"
        else:
            warned, task = -1, "forget" if n > longest else ""
        if task == "change":
            alarms.append(t)
    return alarms


RDDM = [
    {"level": 2.258, "warning": 1.773, "warm_start": 129, "patience": 1400, "longest": 40000, "stable": 7000},
    {"level": 3.0, "warning": 1.2, "warm_start": 20, "patience": 60, "longest": 400, "stable": 150},
    {"level": 2.0, "warning": 1.5, "warm_start": 40, "patience": 200, "longest": 300, "stable": 30},
    {"level": 1.0, "warning": 2.0, "warm_start": 60, "patience": 5, "longest": 90, "stable": 45},
]


@pytest.mark.parametrize("params", RDDM)
def test_rddm_is_what_is_published(params: dict[str, Any]) -> None:
    alarms = 0
    for signal in many_errors():
        found = make("detector", "rddm", **params).alarms(signal).tolist()
        assert found == rddm(signal.tolist(), **params)
        alarms += len(found)
    assert alarms > 50


def test_a_long_warning_of_rddm_is_an_alarm() -> None:
    signal = np.r_[np.tile([0.0] * 9 + [1.0], 60), np.tile([0.0] * 4 + [1.0], 200)]
    params = {**RDDM[0], "level": 1e6, "patience": 50}
    score = make("detector", "rddm", **params).score(signal)
    assert np.flatnonzero(score == np.inf)[:1].tolist() == rddm(signal.tolist(), **params)[:1]  # type: ignore[arg-type]


def test_rddm_forgets_the_old_rows_of_a_long_concept() -> None:
    # 3000 rows at a half, then at a tenth: what is remembered of the first part hides the rise at the end
    signal = np.concatenate([errors(0.5, 0.1, 0, 6000), errors(0.25, 0.25, 1, 500)])
    short = make("detector", "rddm", longest=1000, stable=200).alarms(signal)
    assert len(short[short >= 6000]) >= 1
    assert not len(make("detector", "ddm").alarms(signal))


def stepd(signal: Sequence[float], alpha: float, window: int, side: Side) -> list[int]:
    """STEPD on lists."""
    rows: list[float] = []
    alarms = []
    for t, x in enumerate(signal):
        rows.append(x)
        older, recent = rows[:-window], rows[-window:]
        if len(older) < window:
            continue
        rise = sum(recent) / window - sum(older) / len(older)
        part = 1 / len(older) + 1 / window
        p = sum(rows) / len(rows)
        wanted = {Side.UP: rise, Side.DOWN: -rise, Side.BOTH: abs(rise)}[side] - part / 2
        tail = stats.norm.sf(wanted / math.sqrt(p * (1 - p) * part)) if wanted > 0 else 1.0
        if tail * (2 if side is Side.BOTH else 1) < alpha:
            alarms.append(t)
            rows = []
    return alarms


@pytest.mark.parametrize(
    "params",
    [
        {"alpha": 0.003, "window": 30, "side": Side.UP},
        {"alpha": 0.003, "window": 30, "side": Side.BOTH},
        {"alpha": 0.05, "window": 7, "side": Side.DOWN},
    ],
)
def test_stepd_is_what_is_published(params: dict[str, Any]) -> None:
    alarms = 0
    for signal in many_errors():
        part = signal[CHANGE - 250 : CHANGE + 150]
        found = make("detector", "stepd", **params).alarms(part).tolist()
        assert found == stepd(part.tolist(), **params)
        alarms += len(found)
    assert alarms > 10


# -- any detector of river -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["DDM", "EDDM", "HDDMA", "HDDMW", "ADWIN", "PageHinkley"])
def test_a_detector_of_river_joins_as_it_is(name: str) -> None:
    theirs = getattr(drift, name, None) or getattr(drift.binary, name)
    for signal in many_errors()[::6]:
        detector = River(detector=name)
        wanted = told_by(theirs(), bits(signal))
        assert detector.alarms(signal).tolist() == wanted
        detector.reset()
        assert [i for i, x in enumerate(signal) if detector.update(x)] == wanted


def test_a_detector_of_river_takes_parameters_and_values() -> None:
    for signal in many_values()[::6]:
        detector = River(detector="ADWIN", params={"delta": 0.3, "clock": 3}, reads=SignalKind.VALUES)
        assert detector.alarms(signal).tolist() == told_by(drift.ADWIN(delta=0.3, clock=3), signal.tolist())


def test_a_random_detector_of_river_draws_from_the_generator_of_ours() -> None:
    signal = many_values()[1][:500]
    detector = River(detector="KSWIN", params={"alpha": 0.1}, reads=SignalKind.VALUES)
    runs = [detector.alarms(signal, np.random.default_rng(seed)).tolist() for seed in (0, 0, 1, 2)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2] or runs[0] != runs[3]
    seeded = River(detector="KSWIN", params={"alpha": 0.1, "seed": 7}, reads=SignalKind.VALUES)
    assert seeded.alarms(signal).tolist() == told_by(drift.KSWIN(alpha=0.1, seed=7), signal.tolist())


def test_ones_are_errors_for_a_detector_of_river() -> None:
    rise, fall = errors(0.1, 0.6, 0), errors(0.6, 0.1, 0)
    # at its defaults EDDM alarms where nothing changes
    strict = {"EDDM": {"beta": 0.6}}
    for name in ("DDM", "EDDM", "HDDMA", "HDDMW", "FHDDM"):
        detector = River(detector=name, params=strict.get(name, {}), correct=name == "FHDDM", side=Side.UP)
        assert (detector.alarms(rise) >= CHANGE).any(), name
        assert not len(detector.alarms(fall)), name
        with pytest.raises(DataError, match="1 - signal as errors"):
            detector.run(Signal(kind=SignalKind.CORRECT, data=1.0 - rise))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"detector": "ADWINN"}, "no drift detector 'ADWINN'.*ADWIN"),
        ({"detector": "DDM", "params": {"warmstart": 3}}, "no parameter 'warmstart'.*warm_start"),
        ({"detector": "EDDM", "params": {"beta": 1.0}}, "refuses beta=1.0"),
        ({"reads": SignalKind.INPUTS}, "errors or values"),
        ({"reads": SignalKind.VALUES, "correct": True}, "correct"),
    ],
)
def test_what_river_would_not_take_fails_before_work_starts(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        River(**given)


@dataclass(kw_only=True)
class RiverDdm(River):
    """River's DDM; detector, params, reads, correct and side are those of River."""

    detector: str = "DDM"
    side: Side = Side.UP


@dataclass(kw_only=True)
class RiverFhddm(River):
    """River's FHDDM, fed right answers; detector, params, reads, correct and side are those of River."""

    detector: str = "FHDDM"
    correct: bool = True
    side: Side = Side.UP


@dataclass(kw_only=True)
class RiverFhddmAsDocumented(River):
    """River's FHDDM, fed errors; detector, params, reads, correct and side are those of River."""

    detector: str = "FHDDM"
    side: Side = Side.UP


@pytest.mark.parametrize("cls", [RiverDdm, RiverFhddm])
def test_detectors_of_river_keep_the_contract(plant: Any, cls: type[Any]) -> None:
    assert plant("detector", cls) == {}


def test_the_wrong_polarity_of_a_detector_of_river_is_found(plant: Any) -> None:
    found = plant("detector", RiverFhddmAsDocumented)
    assert list(found) == ["polarity"]
    assert "reacts to the opposite" in found["polarity"]


# -- parameters --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("adwin", {"delta": 0.0}),
        ("adwin", {"delta": 2e6}),
        ("adwin", {"clock": 0}),
        ("adwin", {"max_buckets": 1}),
        ("ddm", {"level": -1.0}),
        ("ddm", {"warm_start": 0}),
        ("eddm", {"beta": 1.1}),
        ("fhddm", {"delta": 0.0}),
        ("fhddm", {"window": 10, "short": 11}),
        ("hddm_a", {"delta": 0.0}),
        ("hddm_w", {"lam": 0.0}),
        ("kswin", {"alpha": 1.0}),
        ("kswin", {"window": 50, "recent": 26}),
        ("rddm", {"stable": 40000}),
        ("rddm", {"patience": 0}),
        ("stepd", {"alpha": 0.6}),
        ("stepd", {"window": 0}),
    ],
)
def test_parameters_out_of_range_are_refused(name: str, params: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"detector/{name}"):
        make("detector", name, **params)
