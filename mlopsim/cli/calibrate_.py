"""``mlopsim calibrate``: the limit that gives a detector its run length."""

from __future__ import annotations

import json
import math
from typing import Any

import click

from mlopsim.core.errors import ConfigError

#: their scores live on a lattice
LATTICES = ("p_chart", "bernoulli_cusum")


@click.command("calibrate")
@click.argument("name")
@click.argument("words", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--runs", default=4000, show_default=True, help="Simulated signals where nothing is exact.")
def command(name: str, words: tuple[str, ...], as_json: bool, runs: int) -> None:
    """Limit of a detector for an in-control average run length.

    KEY=VALUE: parameters of the detector, arl0=TICKS, horizon=TICKS, law=normal or bernoulli, p=ERROR RATE.
    With a horizon H, and wherever there is no exact method, P(alarm within H) = 1 - exp(-H / arl0) is matched
    (H is arl0 by default): a mean does not always settle. Exact where there is a method, else simulated, and
    checked on as many fresh signals. Of p_chart and bernoulli_cusum, whose scores live on a lattice, it is
    the chance within H that is exact, by a choice between two limits.

    \b
    Examples:
      mlopsim calibrate ewma lam=0.1 arl0=2000 law=normal
      mlopsim calibrate cusum k=0.25 arl0=1000 horizon=500 --json
      mlopsim calibrate ddm p=0.2 arl0=5000 --runs 1000
    """
    from mlopsim.cli.charts import read_words
    from mlopsim.drift.calibration import Boundary
    from mlopsim.drift.exact import exact_boundary
    from mlopsim.drift.runlength import limit_for

    given = read_words(name, words, {"arl0": 1000.0, "horizon": None})
    arl0, horizon = float(given.rest["arl0"]), given.rest["horizon"]
    limit = given.detector.limit
    if not limit:
        raise ConfigError(f"{given.detector.full_name} has no limit to set")
    ticks = round(arl0) if horizon is None else int(horizon)
    lattice = exact_boundary(given.detector, given.law, arl0, ticks) if name in LATTICES else None
    if lattice is not None:
        result = _exact(given.detector, lattice)
    else:
        try:
            if name in LATTICES:
                raise ConfigError(f"there is no exact run length of {name} with this law")
            threshold = limit_for(given.detector, given.law, arl0, None if horizon is None else ticks)
        except ConfigError as error:
            if "no exact run length" not in error.message:
                raise
            result = _simulated(given, arl0, ticks, runs)
        else:
            result = _exact(given.detector, Boundary(threshold=threshold, lower=threshold, weight=0.0))
    result = {"detector": given.detector.full_name, "parameter": limit, "arl0": arl0, **result}
    if as_json:
        click.echo(json.dumps(result))
        return
    click.secho(f"{result['detector']} on {given.law}, ARL0 {arl0:,g} ticks", bold=True)
    if result["limit"] is None:
        raise ConfigError(f"no {limit} gives that: {result['reason']}")
    ends = "" if result["method"] == "exact" else _interval(given.detector, result)
    click.echo(f"{limit} = {result['limit']:.6g}{ends} ({result['method']})")
    if "weight" in result and result["weight"] > 0.0:
        lower, weight = result["lower"], result["weight"]
        click.echo(f"its score lives on a lattice: use {lower:.6g} with probability {weight:.3f}")
    if "share" in result:
        s = result["share"]
        click.echo(
            f"asked: alarm within {s['horizon']:,} ticks in {s['target']:.1%}; "
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


def _simulated(given: Any, arl0: float, horizon: int, runs: int) -> dict[str, Any]:
    import numpy as np

    from mlopsim.cli.charts import finite, informed, quiet_signals
    from mlopsim.core.seeds import Split
    from mlopsim.drift.calibration import attained, boundary, calibrate, first_alarms, target_share

    detector = informed(given)
    target = target_share(arl0, horizon)
    signals = quiet_signals(given.law, runs, horizon)
    seeds = np.random.SeedSequence(1).spawn(runs)
    found = calibrate(detector, signals, target, seeds)
    text = f"simulated, {runs} signals of {horizon} ticks"
    if found.reason:
        return {"method": text, "limit": None, "reason": found.reason}

    def value(threshold: float) -> float:
        return float(getattr(detector.limited(threshold), detector.limit))

    result: dict[str, Any] = {
        "method": text,
        "limit": value(found.threshold),
        "lower": value(found.lower) if found.weight > 0.0 else value(found.threshold),
        "weight": found.weight,
    }
    result |= {"low": None, "high": None}
    if detector.separable:
        tops = np.array(
            [
                np.nanmax(scores) if np.isfinite(scores).any() else -np.inf
                for scores in detector.unlimited(signals, [np.random.default_rng(s) for s in seeds])
            ]
        )
        half = 1.96 * math.sqrt(target * (1.0 - target) / runs)
        ends = [boundary(tops, min(max(target + d, 1e-9), 1.0)) for d in (half, -half)]
        if not any(end.reason for end in ends):
            low, high = sorted(value(end.threshold) for end in ends)
            result["low"], result["high"] = finite(low), finite(high)
    fresh = quiet_signals(given.law, runs, horizon, Split.VALIDATION)
    coins = np.random.default_rng(2)
    first = np.array(
        [
            first_alarms(detector.limited(found.draw(coins)), [x], [np.random.default_rng([3, i])])[0]
            for i, x in enumerate(fresh)
        ]
    )
    share = attained(first, horizon).share
    result["share"] = {
        "horizon": horizon,
        "target": target,
        "value": share.value,
        "low": share.low,
        "high": share.high,
    }
    return result
