"""What the governance track measures: the metrics of its cells."""

from __future__ import annotations

from mlopsim.core.track import Metric

METRICS: tuple[Metric, ...] = (
    Metric(name="return", unit="reward a window", direction="max", primary=True, text="R: mean reward"),
    Metric(name="upper", unit="reward a window", direction="none", text="U: upper bound (optimum only)"),
    Metric(name="accuracy", unit="share", direction="max", text="mean quality of what served"),
    Metric(name="cost", unit="cost a window", direction="min", text="C: mean cost of constraints, by weight"),
    Metric(name="over", unit="cost a window", direction="min", text="how far costs are above their limits"),
    Metric(name="out", unit="share", direction="min", text="windows out of compliance"),
    Metric(name="longest", unit="windows", direction="min", text="longest run out of compliance"),
    Metric(name="suspended", unit="share", direction="none", text="windows that the fallback served"),
    Metric(name="retrains", unit="count", direction="none", text="retrains decided"),
    Metric(name="switches", unit="count", direction="none", text="changes of what serves"),
    Metric(
        name="rollbacks", unit="count", direction="none", text="deploys of an older version than served last"
    ),
    Metric(name="denied", unit="count", direction="none", text="versions that the reviewer denied"),
    Metric(name="refused", unit="count", direction="none", text="versions that release audits stopped"),
    Metric(name="alarms", unit="count", direction="none", text="decisions at which a drift alarm was seen"),
    Metric(name="impossible", unit="count", direction="min", text="asked for in vain, kept"),
)
