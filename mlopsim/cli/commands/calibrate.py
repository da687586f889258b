"""``mlopsim calibrate``: the limit that gives a detector its run length."""

from __future__ import annotations

import json
import math
from typing import Any

import click

from mlopsim.cli.completion import components
from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, secho
from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import check_range

#: simulated signals, unless they take too long
MOST = 4000


@click.command("calibrate", cls=Once)
@click.argument("name", shell_complete=components("detector"))
@click.argument("words", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--runs",
    type=click.IntRange(2, 10**7),
    help="Simulated signals where nothing is exact  [default: up to 4000, fewer of slow detectors]",
)
def command(name: str, words: tuple[str, ...], as_json: bool, runs: int | None) -> None:
    """Limit of a detector for an in-control average run length.

    KEY=VALUE: parameters of the detector, arl0=TICKS (1000, or 100 windows), horizon=TICKS, law=normal or
    bernoulli, p=ERROR RATE; of detectors that compare windows of inputs rows=ROWS and features=FEATURES.
    With a horizon H, and wherever there is no exact method, P(alarm within H) = 1 - exp(-H / arl0) is
    matched (H is arl0 by default): a mean does not always settle. Exact where there is a method, else
    simulated, and checked on as many fresh signals (of slow detectors fewer, unless --runs says how many).
    Of p_chart and bernoulli_cusum, whose scores live on a lattice, it is the chance within H that is exact,
    by a choice between two limits.

    \b
    Examples:
      mlopsim calibrate ewma lam=0.1 arl0=2000 law=normal
      mlopsim calibrate cusum k=0.25 arl0=1000 horizon=500 --json
      mlopsim calibrate ddm p=0.2 arl0=5000 --runs 1000
    """
    from mlopsim.cli.chart_laws import read_words
    from mlopsim.drift.calibration import Boundary
    from mlopsim.drift.law import NoExactLaw
    from mlopsim.drift.run_length.exact import limit_for
    from mlopsim.drift.run_length.limits import exact_boundary
    from mlopsim.drift.signal import SignalKind

    given = read_words(name, words, {"arl0": None, "horizon": None})
    detector = given.detector
    # a detector without one refuses
    detector.limited(detector.threshold)
    arl0 = given.number("arl0", 1000.0, 100.0)
    check_range("arl0", arl0, 1.0, 1e12)
    horizon = given.whole("horizon", max(1, round(arl0)), max(1, round(arl0)))
    fixed = given.rest["horizon"] is not None
    on_lattice = detector.reads is SignalKind.ERRORS
    lattice = exact_boundary(detector, given.law, arl0, horizon) if on_lattice else None
    if lattice is not None:
        result = _exact(detector, lattice)
    else:
        try:
            threshold = limit_for(detector, given.law, arl0, horizon if fixed else None)
        except NoExactLaw:
            result = _simulated(given, arl0, horizon, runs)
        else:
            result = _exact(detector, Boundary(threshold=threshold, lower=threshold, weight=0.0))
    limit = detector.limit
    result = {"detector": given.detector.full_name, "parameter": limit, "arl0": arl0, **result}
    if as_json:
        echo(json.dumps(result))
        return
    secho(f"{result['detector']} on {given.text}, ARL0 {arl0:,g} {given.unit}", bold=True)
    if result["limit"] is None:
        raise ConfigError(f"no {limit} gives that: {result['reason']}")
    ends = "" if result["method"] == "exact" else _interval(given.detector, result)
    echo(f"{limit} = {result['limit']:.6g}{ends} ({result['method']})")
    # of a continuous score the weight only says that the signals are finitely many
    lower, weight = result.get("lower"), result.get("weight", 0.0)
    if result["method"] == "exact" and weight > 0.0:
        echo(f"its score lives on a lattice: use {lower:.6g} with probability {weight:.3f}")
    # not known where a score depends on its limit
    elif (result.get("tied") or 0) > 1 and weight > 0.0:
        text = f"{result['tied']:,} signals have their highest score exactly there"
        echo(f"{text}: use {lower:.6g} with probability {weight:.3f}")
    if "share" in result:
        s = result["share"]
        echo(
            f"asked: alarm within {s['horizon']:,} {given.unit} in {s['target']:.1%}; "
            f"on fresh signals: {s['value']:.1%} [{s['low']:.1%}, {s['high']:.1%}]"
        )


def _interval(detector: Any, result: dict[str, Any]) -> str:
    if result["low"] is not None and result["high"] is not None:
        return f" [{result['low']:.6g}, {result['high']:.6g}]"
    if not detector.separable:
        return " (no interval: its score depends on its limit)"
    return " (no interval: its ends cannot be attained)"


def _exact(detector: Any, found: Any) -> dict[str, Any]:
    if found.reason:
        return {"method": "exact", "limit": None, "reason": found.reason}
    value = float(getattr(detector.limited(found.threshold), detector.limit))
    result = {"method": "exact", "limit": value, "low": value, "high": value}
    if found.weight > 0.0:
        lower = float(getattr(detector.limited(found.lower), detector.limit))
        result |= {"lower": lower, "weight": found.weight}
    return result


def _simulated(given: Any, arl0: float, horizon: int, runs: int | None) -> dict[str, Any]:
    import numpy as np

    from mlopsim.cli.chart_laws import finite, informed, progress
    from mlopsim.core.seeds import Split
    from mlopsim.drift.calibration import attained, boundary, first_alarms, highest, search, target_share
    from mlopsim.drift.simulated_run_lengths import SEARCH, Quiet, affordable

    detector, window = informed(given), given.window
    target = target_share(arl0, horizon)
    passes = 2 if detector.separable else SEARCH + 1
    count = runs or affordable(detector, horizon, passes, MOST, window)
    signals = Quiet(law=given.law, runs=count, ticks=horizon, window=window)
    seeds = np.random.SeedSequence(1).spawn(count)
    if detector.separable:
        tops = np.empty(count)
        with progress(count, "limit") as bar:
            for i in bar:
                tops[i] = highest(detector, signals[i], seeds[i])
        found = boundary(tops, target)
    else:
        tops = None
        found = search(detector, signals, target, seeds)
    fewer = "" if runs or count == MOST else f" (of {MOST:,}: slow; --runs {MOST} takes them all)"
    text = f"simulated, {count} signals of {horizon} {given.unit}{fewer}"
    if found.reason:
        return {"method": text, "limit": None, "reason": found.reason}

    def value(threshold: float) -> float:
        return float(getattr(detector.limited(threshold), detector.limit))

    result: dict[str, Any] = {
        "method": text,
        "limit": value(found.threshold),
        "lower": value(found.lower) if found.weight > 0.0 else value(found.threshold),
        "weight": found.weight,
        "low": None,
        "high": None,
        # of a continuous score no two signals have the same
        "tied": None if tops is None else int((tops == found.threshold).sum()),
    }
    if tops is not None:
        half = 1.96 * math.sqrt(target * (1.0 - target) / count)
        ends = [boundary(tops, min(max(target + d, 1e-9), 1.0)) for d in (half, -half)]
        if not any(end.reason for end in ends):
            low, high = sorted(value(end.threshold) for end in ends)
            result["low"], result["high"] = finite(low), finite(high)
    fresh = Quiet(law=given.law, runs=count, ticks=horizon, window=window, split=Split.VALIDATION)
    coins, first = np.random.default_rng(2), np.empty(count)
    with progress(count, "check") as bar:
        for i in bar:
            drawn = detector.limited(found.draw(coins))
            first[i] = first_alarms(drawn, [fresh[i]], [np.random.default_rng([3, i])])[0]
    share = attained(first, horizon).share
    result["share"] = {
        "horizon": horizon,
        "target": target,
        "value": share.value,
        "low": share.low,
        "high": share.high,
    }
    return result
