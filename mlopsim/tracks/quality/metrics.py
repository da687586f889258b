"""What the quality track measures: the metrics of its cells."""

from __future__ import annotations

from mlopsim.core.track import Metric

METRICS: tuple[Metric, ...] = (
    Metric(
        name="score",
        unit="accuracy",
        direction="max",
        primary=True,
        text="accuracy of what serves, on clean rows",
    ),
    Metric(name="score_worst_group", unit="accuracy", direction="max", text="the same in the worst group"),
    Metric(name="auroc", unit="area", direction="max", text="of the rows' scores, ties as halves"),
    Metric(name="auprc", unit="area", direction="max", text="average precision of the rows' scores"),
    Metric(
        name="f1_at_contamination", unit="share", direction="max", text="with as many flags as wrong rows"
    ),
    Metric(name="recall", unit="share", direction="max", text="wrong rows that are flagged"),
    Metric(
        name="recall_at_5pct", unit="share", direction="max", text="the same where 5 % of the right rows are"
    ),
    Metric(name="false_alarm", unit="share", direction="none", text="right rows that are flagged"),
    Metric(
        name="attained",
        unit="share",
        direction="none",
        text="rows like those of the warm-up, with its own noise, that are flagged",
    ),
    Metric(
        name="at_limit", unit="share", direction="none", text="of these rows, score at the limit: not flagged"
    ),
    Metric(
        name="noise_found",
        unit="share",
        direction="none",
        text="labels that the stream's own noise made wrong, flagged",
    ),
    Metric(name="cell_auroc", unit="area", direction="max", text="of the cells' scores"),
    Metric(name="batch_recall", unit="share", direction="max", text="corrupted windows that are flagged"),
    Metric(name="batch_false_alarm", unit="share", direction="min", text="clean windows that are flagged"),
    Metric(name="batch_delay", unit="windows", direction="min", text="from the first corrupted window on"),
    Metric(name="rows_flagged", unit="share", direction="none", text="of all rows"),
    Metric(name="constant", unit="flag", direction="none", text="whether its scores are all but equal"),
    Metric(name="dropped", unit="share", direction="min", text="rows that are not trained on"),
    Metric(name="dropped_clean", unit="share", direction="min", text="right rows not trained on"),
    Metric(
        name="dropped_gap",
        unit="share",
        direction="min",
        text="largest difference of that between groups",
    ),
    Metric(name="retrains", unit="count", direction="none", text="versions that arrived"),
    Metric(name="blocked", unit="count", direction="none", text="versions that were stopped"),
    Metric(name="blocked_wrongly", unit="count", direction="min", text="of these, no worse than what served"),
)
