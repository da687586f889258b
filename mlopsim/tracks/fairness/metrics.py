"""What the fairness track measures: the metrics of its cells."""

from __future__ import annotations

from mlopsim.core.track import Metric

METRICS: tuple[Metric, ...] = (
    Metric(name="power", unit="share", direction="max", primary=True, text="a bias is found after its onset"),
    Metric(name="false_block", unit="share", direction="min", text="an alarm although nothing is wrong"),
    Metric(name="early", unit="share", direction="none", text="an alarm before the onset"),
    Metric(name="delay", unit="windows", direction="min", text="from onset to alarm, where it is found"),
    Metric(
        name="restricted_delay",
        unit="windows",
        direction="min",
        text="the same, a missed bias counting all windows",
    ),
    Metric(
        name="lead",
        unit="windows",
        direction="max",
        text="from alarm to harm, a missed bias being found at the end",
    ),
    Metric(name="harmful", unit="flag", direction="none", text="whether the norm is violated in the end"),
    Metric(name="blamed", unit="share", direction="max", text="a responsible feature is blamed most"),
    Metric(
        name="stable",
        unit="share",
        direction="max",
        text="windows that blame the same feature if redrawn",
    ),
    Metric(name="rate", unit="share", direction="none", text="fresh fair deployments blocked at least once"),
    Metric(name="rate_low", unit="share", direction="none", text="lower end of its 95 % interval"),
    Metric(name="rate_high", unit="share", direction="none", text="upper end of its 95 % interval"),
    Metric(name="rate_n", unit="count", direction="none", text="fresh fair deployments"),
    Metric(name="missing", unit="share", direction="none", text="windows without enough data"),
    Metric(
        name="served_biased", unit="share", direction="min", text="windows in which a biased model served"
    ),
    Metric(name="served_accuracy", unit="accuracy", direction="max", text="of what serves, true labels"),
    Metric(name="served_violation", unit="share", direction="min", text="of the norm, by what serves"),
    Metric(
        name="blocked_rightly",
        unit="count",
        direction="max",
        text="biased models that were blocked while they were",
    ),
    Metric(
        name="blocked_wrongly",
        unit="count",
        direction="min",
        text="models that never were biased and were blocked",
    ),
    Metric(
        name="let_through",
        unit="count",
        direction="min",
        text="models that were biased and not blocked while they were",
    ),
    Metric(name="mended", unit="count", direction="none", text="windows that a reweighed model served"),
)

#: those that the limit of a method has in fresh deployments without bias
RATES = ("rate", "rate_low", "rate_high", "rate_n")

#: those of deployments in which the method decides what serves
GUARDED = (
    "served_biased",
    "served_violation",
    "served_accuracy",
    "blocked_rightly",
    "blocked_wrongly",
    "let_through",
    "mended",
)
