"""What the drift track measures: the metrics of its cells."""

from __future__ import annotations

from mlopsim.core.track import Metric

METRICS: tuple[Metric, ...] = (
    Metric(
        name="restricted_delay",
        unit="rows",
        direction="min",
        primary=True,
        text="delay, a missed change counting its whole window",
    ),
    Metric(name="delay", unit="rows", direction="min", text="mean delay of the changes found"),
    Metric(name="recall", unit="share", direction="max", text="changes found in time"),
    Metric(name="precision", unit="share", direction="max", text="hits among hits and false alarms"),
    Metric(name="f1", unit="share", direction="max", text="harmonic mean of recall and precision"),
    Metric(name="episode_recall", unit="share", direction="max", text="recall of touching changes as one"),
    Metric(name="false_per_1000", unit="a 1000 rows", direction="min", text="false alarms"),
    Metric(name="extra", unit="count", direction="none", text="further alarms within a change's window"),
    Metric(name="alarms", unit="count", direction="none", text="all alarms"),
    Metric(name="chance_recall", unit="share", direction="none", text="recall of as many alarms at random"),
    Metric(
        name="alarm_before",
        unit="flag",
        direction="min",
        text="an alarm before anything changes",
    ),
    Metric(name="rows_before", unit="rows", direction="none", text="rows before anything changes"),
    Metric(name="mtfa", unit="rows", direction="max", text="mean time between false alarms, no tolerance"),
    Metric(name="mtd", unit="rows", direction="min", text="mean time to detection, no tolerance"),
    Metric(name="mdr", unit="share", direction="min", text="missed detection rate, no tolerance"),
    Metric(name="mtr", unit="ratio", direction="max", text="MTFA / MTD (1 - MDR)"),
    Metric(
        name="harmless_alarmed", unit="share", direction="min", text="changes declared harmless alarmed on"
    ),
    Metric(
        name="harmless_risk",
        unit="share",
        direction="none",
        text="error rate of the model after a change declared harmless less before it, measured",
    ),
    Metric(name="risk_change", unit="share", direction="none", text="error rate after less before"),
    Metric(name="target", unit="share", direction="none", text="P(alarm within H) asked"),
    Metric(name="share", unit="share", direction="none", text="P(alarm within H) on fresh signals"),
    Metric(name="share_low", unit="share", direction="none", text="lower end of its 95 % interval"),
    Metric(name="share_high", unit="share", direction="none", text="upper end of its 95 % interval"),
    Metric(name="restricted_mean", unit="rows", direction="none", text="mean of min(run length, H)"),
    Metric(name="censored", unit="share", direction="none", text="fresh signals without an alarm"),
    Metric(name="early", unit="share", direction="none", text="alarm within the first 1000 rows"),
    Metric(name="return", unit="reward a window", direction="max", text="R as the retrain trigger"),
    Metric(name="upper", unit="reward a window", direction="none", text="U (clairvoyant only)"),
    Metric(name="retrains", unit="count", direction="none", text="retrains that it triggered"),
    Metric(name="wait", unit="windows", direction="none", text="from an alarm to the retrain, as tuned"),
    Metric(
        name="return_best",
        unit="reward a window",
        direction="max",
        text="R at the arl0 and the wait that are best in training",
    ),
    Metric(name="retrains_best", unit="count", direction="none", text="retrains there"),
    Metric(name="wait_best", unit="windows", direction="none", text="that wait"),
    Metric(name="arl0_best", unit="rows", direction="none", text="that arl0"),
)
