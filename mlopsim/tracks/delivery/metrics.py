"""What the delivery track measures: the metrics of its cells."""

from __future__ import annotations

from mlopsim.core.track import Metric

METRICS: tuple[Metric, ...] = (
    Metric(name="return", unit="reward a window", direction="max", primary=True, text="R: mean reward"),
    Metric(name="upper", unit="reward a window", direction="none", text="U: upper bound (oracle only)"),
    Metric(name="accuracy", unit="share", direction="max", text="mean quality of what served"),
    Metric(name="cost", unit="reward a window", direction="min", text="mean cost"),
    Metric(name="retrains", unit="count", direction="none", text="retrains decided"),
    Metric(name="switches", unit="count", direction="none", text="changes of what serves"),
    Metric(name="rollbacks", unit="count", direction="none", text="deploys of an older version"),
    Metric(
        name="impossible",
        unit="count",
        direction="min",
        text="asked for in vain, kept",
    ),
    Metric(name="detection", unit="share", direction="max", text="drift events reacted to in time"),
    Metric(name="lag", unit="windows", direction="min", text="from the start of an event to the reaction"),
    Metric(name="precision", unit="share", direction="max", text="retrains that follow an event in time"),
)
