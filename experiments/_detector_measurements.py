"""What the throughput experiment measures of detectors: ours against river's and scipy's loops.

Ours is ``detector.alarms(signal)``, the checks of the signal included. River's reads a list of Python numbers
in a loop, and only its updates are timed. All detectors have the parameters that both sides come with; where
nothing is drawn at random, alarms must be the same, else there is an error instead of a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from _measurements import Contest, Work, measurement


def bernoulli(rows: int, rate: float) -> np.ndarray:
    """Return errors of one rate, float64 (rows,)."""
    return (np.random.default_rng(0).random(rows) < rate).astype(np.float64)


def risen(errors: np.ndarray, rate: float) -> np.ndarray:
    """Return the errors with as many more in the second half, for alarms to be compared."""
    found = errors.copy()
    half = len(found) // 2
    found[half:] = np.maximum(found[half:], np.random.default_rng(1).random(len(found) - half) < rate)
    return found


def check_same(what: str, ours: np.ndarray, theirs: list[int]) -> None:
    """Raise MlopsimError unless both alarmed at the same ticks."""
    from mlopsim.core.errors import MlopsimError

    if ours.tolist() != theirs:
        raise MlopsimError(f"the alarms of {what} differ: {ours.tolist()[:5]}, the reference's {theirs[:5]}")


def river_alarms(make_river: Callable[[], Any], ticks: list[float]) -> list[int]:
    """Return where one of river's detectors tells a drift."""
    detector, found = make_river(), []
    for i, x in enumerate(ticks):
        detector.update(x)
        if detector.drift_detected:
            found.append(i)
    return found


@measurement
def detectors(
    *, rate: float, rows: int, reference_rows: dict[str, int], asked_ratio: dict[str, float]
) -> Iterator[Contest]:
    """Rows of errors read by a detector, against river's on the first of them."""
    from river import drift

    from mlopsim import make

    rivers: dict[str, Callable[[], Any]] = {
        "ddm": drift.binary.DDM,
        "page_hinkley": drift.PageHinkley,
        "eddm": drift.binary.EDDM,
        "hddm_a": drift.binary.HDDMA,
        "hddm_w": drift.binary.HDDMW,
        "adwin": drift.ADWIN,
        "kswin": lambda: drift.KSWIN(seed=0),
    }
    signal = bernoulli(rows, rate)
    for name, asked in asked_ratio.items():
        detector, make_river = make("detector", name), rivers[name]
        # river's detectors of errors take 0 and 1; floats are what the others would turn them into
        number = float if name in ("page_hinkley", "adwin", "kswin") else int
        start = signal[: reference_rows[name]]
        ticks = [number(x) for x in start]
        if not detector.random:
            found = detector.alarms(signal)
            check_same(name, found[found < len(start)], river_alarms(make_river, ticks))
            changed = risen(start, rate)
            theirs = river_alarms(make_river, [number(x) for x in changed])
            check_same(name, detector.alarms(changed), theirs)

        def ours(detector: Any = detector) -> object:
            return detector.alarms(signal)

        def river(make_river: Callable[[], Any] = make_river, ticks: list[float] = ticks) -> None:
            other = make_river()
            for x in ticks:
                other.update(x)

        yield Contest(
            name=f"{name}, against river",
            unit="rows/s",
            ours=Work(ours, rows),
            reference=Work(river, len(ticks)),
            ratio=asked,
        )


@measurement
def charts(*, names: list[str], rate: float, rows: int, asked_speed: float) -> Iterator[Contest]:
    """Rows read by control charts that estimate their reference."""
    from mlopsim import make

    signal = bernoulli(rows, rate)
    for name in names:
        chart = make("detector", name)

        def ours(chart: Any = chart) -> object:
            return chart.alarms(signal)

        yield Contest(name=name, unit="rows/s", ours=Work(ours, rows), speed=asked_speed)


def scipy_alarms(windows: np.ndarray, alpha: float) -> list[int]:
    """Return the alarms of a KS test per window and feature; the window after an alarm is the reference."""
    from scipy.stats import ks_2samp

    reference, found, features = None, [], windows.shape[2]
    for t, window in enumerate(windows):
        if reference is None:
            reference = window
            continue
        p = min(float(ks_2samp(reference[:, f], window[:, f]).pvalue) for f in range(features))
        if p * features < alpha:
            found.append(t)
            reference = None
    return found


@measurement
def two_sample(
    *, rows: int, features: int, windows: list[int], alpha: float, asked_ratio: float
) -> Iterator[Contest]:
    """The KS test of windows against the first one, feature by feature, against scipy's in a loop."""
    from mlopsim import make

    detector = make("detector", "ks", reference=1, alpha=alpha)
    for count in windows:
        signal = np.random.default_rng(0).normal(size=(count + 1, rows, features))
        changed = signal.copy()
        changed[count // 2 + 1 :, :, 0] += 1.0
        for each in (signal, changed):
            check_same("ks", detector.alarms(each), scipy_alarms(each, alpha))

        def ours(signal: np.ndarray = signal) -> object:
            return detector.alarms(signal)

        def loop(signal: np.ndarray = signal) -> object:
            return scipy_alarms(signal, alpha)

        yield Contest(
            name=f"ks, {rows} rows, windows: {count}, against scipy",
            unit="tests/s",
            ours=Work(ours, count * features),
            reference=Work(loop, count * features),
            ratio=asked_ratio,
        )
