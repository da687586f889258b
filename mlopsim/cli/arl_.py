"""``mlopsim arl``: how long a detector runs until its first alarm."""

from __future__ import annotations

import json
import math
from typing import Any

import click

from mlopsim.core.errors import ConfigError

SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)


@click.command("arl")
@click.argument("name")
@click.argument("words", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--runs", default=2000, show_default=True, help="Simulated signals where nothing is exact.")
@click.option("--ticks", default=20_000, show_default=True, help="Length of the simulated signals.")
def command(name: str, words: tuple[str, ...], as_json: bool, runs: int, ticks: int) -> None:
    """Run length of a detector: mean, quantiles, chance of an alarm within n ticks.

    KEY=VALUE: parameters of the detector, law=normal or bernoulli, p=ERROR RATE, shift=CHANGE AT THE FIRST
    TICK (of the mean in standard deviations, of p), n=TICKS. A chart that can be told the law before the
    change is told it; told=nothing makes it learn. Exact where there is a method, else simulated: shewhart,
    cusum, ewma, shiryaev_roberts on normal ticks, p_chart and bernoulli_cusum on errors. Beside the chance
    of an alarm within n ticks stands that of a memoryless detector with the same mean, 1 - exp(-n / mean).

    \b
    Examples:
      mlopsim arl cusum k=0.5 h=5                 # why it alarms on 88 % of signals of 1000 ticks
      mlopsim arl cusum k=0.5 h=5 shift=1 --json
      mlopsim arl shiryaev_roberts h=6
      mlopsim arl bernoulli_cusum p0=0.1 p1=0.2 h=3 n=5000
      mlopsim arl ddm p=0.2 --runs 5000
    """
    from mlopsim.cli.charts import read_words
    from mlopsim.drift.runlength import run_length

    given = read_words(name, words, {"shift": 0.0, "n": 1000})
    shift, n = float(given.rest["shift"]), int(given.rest["n"])
    try:
        exact = run_length(given.detector, given.law, shift)
    except ConfigError as error:
        if "no exact run length" not in error.message:
            raise
        result = _simulated(given, shift, n, runs, ticks)
    else:
        result = {
            "method": exact.method,
            "arl": exact.mean if math.isfinite(exact.mean) else None,
            "quantiles": {str(share): exact.quantile(share) for share in SHARES},
            "within": {"n": n, "share": exact.within(n)},
        }
    result = {"detector": given.detector.full_name, "law": str(given.law), "shift": shift, **result}
    if as_json:
        click.echo(json.dumps(result))
        return
    _print(result)


def _simulated(given: Any, shift: float, n: int, runs: int, ticks: int) -> dict[str, Any]:
    import numpy as np

    from mlopsim.cli.charts import informed, quiet_signals
    from mlopsim.drift.calibration import first_alarms
    from mlopsim.stats.proportions import clopper_pearson

    law = given.law.shifted(shift) if shift else given.law
    signals = quiet_signals(law, runs, max(ticks, n))
    seeds = [np.random.default_rng([1, i]) for i in range(runs)]
    first = first_alarms(informed(given), signals, seeds)
    censored = float(np.isinf(first).mean())
    end = len(signals[0])
    cut = np.minimum(first, end)
    half = 1.96 * float(cut.std(ddof=1)) / math.sqrt(runs)
    share = clopper_pearson(int((first <= n).sum()), runs)
    mean = float(cut.mean())
    found = np.quantile(first, SHARES, method="higher")
    return {
        "method": f"simulated, {runs} signals of {end} ticks",
        "arl": mean if censored == 0.0 else None,
        "arl_reason": "" if censored == 0.0 else f"{censored:.1%} of the signals had no alarm",
        "restricted_mean": mean,
        "restricted_mean_low": mean - half,
        "restricted_mean_high": mean + half,
        "censored": censored,
        "quantiles": {
            str(s): (int(v) if math.isfinite(v) else None) for s, v in zip(SHARES, found, strict=True)
        },
        "within": {"n": n, "share": share.value, "low": share.low, "high": share.high},
    }


def _print(result: dict[str, Any]) -> None:
    click.secho(f"{result['detector']} on {result['law']}, shift {result['shift']:g}", bold=True)
    click.echo(f"method: {result['method']}")
    if result["arl"] is None:
        click.echo(f"average run length: undefined ({result.get('arl_reason') or 'no alarm is possible'})")
    else:
        click.echo(f"average run length: {result['arl']:,.2f} ticks")
    if "restricted_mean" in result:
        low, high = result["restricted_mean_low"], result["restricted_mean_high"]
        click.echo(f"restricted mean: {result['restricted_mean']:,.1f} [{low:,.1f}, {high:,.1f}] ticks")
    for share, value in result["quantiles"].items():
        text = "beyond the simulated signals" if value is None else f"{value:,} ticks"
        click.echo(f"{float(share):4.0%} of the runs have alarmed by {text}")
    within = result["within"]
    ends = f" [{within['low']:.1%}, {within['high']:.1%}]" if "low" in within else ""
    click.echo(f"chance of an alarm within {within['n']:,} ticks: {within['share']:.1%}{ends}")
    if result["arl"] is not None:
        memoryless = -math.expm1(-within["n"] / result["arl"])
        click.echo(f"  (of a memoryless detector with this mean: {memoryless:.1%})")
