"""How fast are detectors tick by tick beside river's, and how long do their limits take to be found?

`table.csv`: every detector that can read errors is given the same ticks one by one (`update`), and in chunks
(`update_many`), and river's class where there is one, in turns. `ratio` and `chunk_ratio` are speeds over
that of river's class, `low` and `high` the extremes over the repeats. Before anything is timed, the alarms of
both ways must be those of the whole signal in one call, else there is an error instead of a number.

`calibration.csv`: every method of a suite gets its limits for all the run lengths. `before`: where a score
depends on its limit, every signal is read at each threshold that the search tries, for one run length after
the other; `after`: a signal is read where its answer is not certain. `equal` says whether the limits are the
same to the bit. Where a score does not depend on its limit one pass serves all, then and now: measured once.

All times are CPU seconds of this process with one thread, so that a busy machine changes them little.
"""

from __future__ import annotations

import _common  # isort: skip

import operator
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mlopsim.core.errors import MlopsimError
from mlopsim.core.registry import names
from mlopsim.core.spec import label, make
from mlopsim.drift.calibration import Boundary, Tried, calibrate_all, first_alarms, halve, target_share
from mlopsim.drift.detector import Detector
from mlopsim.drift.law import Bernoulli, Normal
from mlopsim.drift.signal import SignalKind
from mlopsim.drift.simulated_run_lengths import Quiet


def seconds(work: Callable[..., object], *arguments: Any) -> float:
    """Return the CPU seconds that something takes."""
    began = time.process_time()
    work(*arguments)
    return time.process_time() - began


# -- streaming -----------------------------------------------------------------------------------------------


def started(name: str, rate: float) -> Detector:
    """Return a detector before its first tick; one that is told laws is told them."""
    detector: Any = make("detector", name)
    if hasattr(detector, "informed"):
        detector = detector.informed(Bernoulli(p=rate), Bernoulli(p=2.0 * rate))
    detector.reset()
    found: Detector = detector
    return found


def streamed(detector: Any, ticks: Sequence[Any]) -> list[int]:
    """Return the ticks at which there was an alarm, read one by one."""
    return [i for i, x in enumerate(ticks) if detector.update(x)]


def in_chunks(detector: Detector, ticks: np.ndarray, size: int) -> list[int]:
    """Return the ticks at which there was an alarm, read in chunks."""
    found: list[int] = []
    for start in range(0, len(ticks), size):
        found += (detector.update_many(ticks[start : start + size]) + start).tolist()
    return found


def read(update: Callable[[Any], object], ticks: Sequence[Any]) -> None:
    """Read ticks one by one: what is timed."""
    for x in ticks:
        update(x)


def river_of(entry: Mapping[str, Any]) -> Any:
    """Return a new detector of river."""
    from river import drift

    return operator.attrgetter(entry["class"])(drift)(**entry.get("params", {}))


def stream(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return one row of the table of speeds."""
    rate, count = settings["rate"], settings["ticks"]
    rng = np.random.default_rng(0)
    level = np.repeat([rate, 2.0 * rate], [count - count // 2, count // 2])
    signal = (rng.random(count) < level).astype(np.float64)
    ticks = signal.tolist()
    wanted = started(name, rate).run(signal).alarms.tolist()
    for how, found in (
        ("tick by tick", streamed(started(name, rate), ticks)),
        ("in chunks", in_chunks(started(name, rate), signal, settings["chunk"])),
    ):
        if found != wanted:
            raise MlopsimError(f"the alarms of {name} {how} differ: {found[:5]}, in one call {wanted[:5]}")
    entry = settings["river"].get(name)
    speeds = []
    for _ in range(settings["repeats"]):
        ours, chunks = started(name, rate), started(name, rate)
        ours.update(0.0)
        row = [
            count / seconds(read, ours.update, ticks),
            count / seconds(in_chunks, chunks, signal, settings["chunk"]),
        ]
        if entry:
            # river's detectors of errors take whole numbers, and one of them right answers
            right = entry.get("correct", False)
            fewer = [int(1.0 - x if right else x) for x in ticks[: settings["slow_ticks"].get(name, count)]]
            row.append(len(fewer) / seconds(read, river_of(entry).update, fewer))
        speeds.append(row)
    every = np.array(speeds)
    middle = np.median(every, axis=0)
    nan = float("nan")
    ratios = every[:, 0] / every[:, 2] if entry else np.array([nan])
    ratio = float(middle[0] / middle[2]) if entry else nan
    return {
        "detector": name,
        "update": float(middle[0]),
        "update_many": float(middle[1]),
        "river": f"{entry['class']}" if entry else "",
        "river_update": float(middle[2]) if entry else nan,
        "ratio": ratio,
        "asked": settings["asked_ratio"] if entry else nan,
        "met": "" if not entry else "yes" if ratio >= settings["asked_ratio"] else "no",
        "low": float(ratios.min()),
        "high": float(ratios.max()),
        "chunk_ratio": float(middle[1] / middle[2]) if entry else nan,
        "unit": "ticks per CPU second",
        "n": settings["repeats"],
    }


# -- calibration ---------------------------------------------------------------------------------------------


class EverySignal(Tried):
    """The search as it was: every signal is read at every threshold."""

    def share(self, threshold: float) -> float:
        """Return the share of the signals that have an alarm at a threshold."""
        rngs = [np.random.default_rng(seed) for seed in self._seeds]
        self.reads += self.count
        return float(np.isfinite(first_alarms(self.detector.limited(threshold), self._signals, rngs)).mean())


def calibrate(method: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return one row of the table of calibrations."""
    detector: Any = make("detector", method)
    inputs = detector.reads is SignalKind.INPUTS
    law = Normal() if inputs or detector.reads is SignalKind.VALUES else Bernoulli(p=settings["rate"])
    if hasattr(detector, "informed"):
        detector = detector.informed(law, law.shifted(settings["shift"]))
    window = tuple(settings["window"]) if inputs else ()
    ticks = settings["horizon"] // window[0] if inputs else settings["horizon"]
    runs = settings["runs_of_inputs"] if inputs else settings["runs"]
    # drawn before, not while anything is timed
    quiet = list(Quiet(law=law, runs=runs, ticks=ticks, window=window))
    seeds = np.random.SeedSequence(0).spawn(runs)
    targets = [target_share(arl0, settings["horizon"]) for arl0 in settings["arl0"]]
    # what is compiled at its first call
    calibrate_all(detector, quiet[:2], targets[:1], seeds[:2])
    reads = [runs, runs]

    def one_pass() -> list[Boundary]:
        return calibrate_all(detector, quiet, targets, seeds)

    def before() -> list[Boundary]:
        tries = [EverySignal(detector, quiet, seeds) for _ in targets]
        found = [halve(tried, target) for tried, target in zip(tries, targets, strict=True)]
        reads[0] = sum(tried.reads for tried in tries)
        return found

    def after() -> list[Boundary]:
        tried = Tried(detector, quiet, seeds)
        found = [halve(tried, target) for target in targets]
        reads[1] = tried.reads
        return found

    limits: list[list[Boundary]] = []
    works = (one_pass,) if detector.separable else (before, after)
    times = [seconds(lambda work: limits.append(work()), work) for work in works]
    text = [[repr(limit) for limit in each] for each in limits]
    return {
        "method": label("detector", method),
        "before": times[0],
        "after": times[-1],
        "times_faster": times[0] / times[-1],
        "passes_before": reads[0] / runs,
        "passes_after": reads[1] / runs,
        "equal": "yes" if text[0] == text[-1] else "no",
        "signals": runs,
        "ticks": ticks,
        "unit": "CPU seconds",
    }


def run(experiment: _common.Experiment) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Measure everything and write the results."""
    from omegaconf import OmegaConf

    from mlopsim.core.threads import one_thread

    settings = experiment.settings
    of_rows = [name for name in names("detector") if SignalKind.ERRORS in make("detector", name).accepted()]
    suite: Any = OmegaConf.to_container(
        OmegaConf.load(_common.ROOT / "conf" / "suite" / f"{settings['calibration']['suite']}.yaml")
    )
    with one_thread():
        speeds = [stream(name, settings["streaming"]) for name in of_rows]
        calibrations = [calibrate(method, settings["calibration"]) for method in suite["methods"]]
    total = {key: sum(row[key] for row in calibrations) for key in ("before", "after")}
    equal = all(row["equal"] == "yes" for row in calibrations)
    faster = {"times_faster": total["before"] / total["after"], "equal": "yes" if equal else "no"}
    empty = dict.fromkeys(calibrations[0], float("nan"))
    calibrations.append({**empty, "method": "all", **total, **faster, "unit": "CPU seconds"})
    _common.write_config(experiment)
    _common.write_table(experiment.folder, speeds)
    _common.write_table(experiment.folder, calibrations, "calibration")
    return speeds, calibrations


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the tables."""
    experiment = _common.start("speed_of_detectors", __doc__, arguments)
    speeds, calibrations = run(experiment)
    _common.show(speeds, "ticks per CPU second, one thread")
    _common.show(calibrations, "CPU seconds until all limits are found, one thread")
    print(f"written to {experiment.folder}")


if __name__ == "__main__":
    main()
