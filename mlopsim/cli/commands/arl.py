"""``mlopsim arl``: how long a detector runs until its first alarm."""

from __future__ import annotations

import json
import math
from typing import Any

import click

from mlopsim.cli.completion import components
from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, secho
from mlopsim.core.spec import check_range

#: simulated signals, unless they take too long
MOST = 2000
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)


@click.command("arl", cls=Once)
@click.argument("name", shell_complete=components("detector"))
@click.argument("words", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--runs",
    type=click.IntRange(2, 10**7),
    help="Simulated signals where nothing is exact  [default: up to 2000, fewer of slow detectors]",
)
@click.option(
    "--ticks",
    type=click.IntRange(1, 10**9),
    help="Length of the simulated signals  [default: 20000 rows, or up to 1000 windows]",
)
def command(name: str, words: tuple[str, ...], as_json: bool, runs: int | None, ticks: int | None) -> None:
    """Run length of a detector: mean, quantiles, chance of an alarm within n ticks.

    KEY=VALUE: parameters of the detector (limit=VALUE sets its limit, whatever that is called), law=normal
    or bernoulli, p=ERROR RATE, shift=CHANGE AT THE FIRST TICK (of the mean in standard deviations, of p),
    n=TICKS; of detectors that compare windows of inputs rows=ROWS and features=FEATURES of a window. A
    chart that can know its in-control parameters does; told=nothing makes it estimate them. Exact where
    there is a method, else simulated: shewhart, cusum, ewma, shiryaev_roberts on normal ticks, p_chart and
    bernoulli_cusum on errors. Beside the chance of an alarm within n ticks stands that of a memoryless
    detector with the same mean, 1 - exp(-n / mean). Unless --runs says how many, as many signals are
    simulated as take some seconds, and it is printed how many and how exact that is. A signal without an
    alarm is censored: the mean is undefined then.

    \b
    Examples:
      mlopsim arl cusum k=0.5 h=5                 # why it alarms on 88 % of signals of 1000 ticks
      mlopsim arl cusum k=0.5 h=5 shift=1 --json
      mlopsim arl shiryaev_roberts limit=6
      mlopsim arl bernoulli_cusum p0=0.1 p1=0.2 h=3 n=5000
      mlopsim arl ddm p=0.2 --runs 5000
      mlopsim arl ks limit=0.001 rows=100 features=5
    """
    from mlopsim.cli.chart_laws import read_words
    from mlopsim.drift.law import NoExactLaw
    from mlopsim.drift.run_length.exact import run_length

    given = read_words(name, words, {"shift": 0.0, "n": None})
    shift, n = given.number("shift", 0.0, 0.0), given.whole("n", 1000, 100)
    try:
        exact = run_length(given.detector, given.law, shift)
    except NoExactLaw:
        measured = _simulated(given, shift, n, runs, ticks)
    else:
        measured = {
            "method": exact.method,
            "arl": exact.mean if math.isfinite(exact.mean) else None,
            "quantiles": {str(share): exact.quantile(share) for share in SHARES},
            "within": {"n": n, "share": exact.within(n)},
        }
    result = {"detector": given.detector.full_name, "law": given.text, "unit": given.unit, "shift": shift}
    result |= measured
    if as_json:
        echo(json.dumps(result))
        return
    _print(result)


def _simulated(given: Any, shift: float, n: int, runs: int | None, ticks: int | None) -> dict[str, Any]:
    import numpy as np

    from mlopsim.cli.chart_laws import informed, progress
    from mlopsim.drift.simulated_run_lengths import default_ticks, simulate

    check_range("n, where nothing is exact,", n, 1, 10**7)
    detector = informed(given)
    length = max(ticks or default_ticks(detector, given.window), n)
    with progress(runs or MOST, "signals") as bar:
        found = simulate(
            detector,
            given.law.shifted(shift) if shift else given.law,
            ticks=length,
            runs=runs or MOST,
            whole=runs is not None,
            window=given.window,
            progress=bar,
        )
    half, mean, within = 1.96 * found.error, found.restricted_mean, found.within(n)
    done = len(found.first)
    fewer = "" if done == found.asked else f" (of {found.asked:,}: slow; --runs {found.asked} takes them all)"
    quantiles = np.quantile(found.first, SHARES, method="higher")
    return {
        "method": f"simulated, {done} signals of {length} {given.unit}{fewer}",
        "arl": mean if found.censored == 0.0 else None,
        "arl_reason": ""
        if found.censored == 0.0
        else f"{found.censored:.1%} of the signals had no alarm within {length:,} {given.unit}",
        "runs": done,
        "restricted_mean": mean,
        "restricted_mean_error": found.error,
        "restricted_mean_low": mean - half,
        "restricted_mean_high": mean + half,
        "censored": found.censored,
        "quantiles": {
            str(s): (int(v) if math.isfinite(v) else None) for s, v in zip(SHARES, quantiles, strict=True)
        },
        "within": {"n": n, "share": within.value, "low": within.low, "high": within.high},
    }


def _print(result: dict[str, Any]) -> None:
    unit = result["unit"]
    secho(f"{result['detector']} on {result['law']}, shift {result['shift']:g}", bold=True)
    echo(f"method: {result['method']}")
    if result["arl"] is None:
        echo(f"average run length: undefined ({result.get('arl_reason') or 'no alarm is possible'})")
    else:
        echo(f"average run length: {result['arl']:,.2f} {unit}")
    if "restricted_mean" in result:
        low, high = result["restricted_mean_low"], result["restricted_mean_high"]
        mean, error = result["restricted_mean"], result["restricted_mean_error"]
        echo(f"restricted mean: {mean:,.1f} [{low:,.1f}, {high:,.1f}] {unit}, standard error {error:,.2f}")
    for share, value in result["quantiles"].items():
        text = "beyond the simulated signals" if value is None else f"{value:,} {unit}"
        echo(f"{float(share):4.0%} of the runs have alarmed by {text}")
    within = result["within"]
    ends = f" [{within['low']:.1%}, {within['high']:.1%}]" if "low" in within else ""
    echo(f"chance of an alarm within {within['n']:,} {unit}: {within['share']:.1%}{ends}")
    if result["arl"] is not None:
        memoryless = -math.expm1(-within["n"] / result["arl"])
        echo(f"  (of a memoryless detector with this mean: {memoryless:.1%})")
