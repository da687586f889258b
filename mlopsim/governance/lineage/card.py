"""The card of a version: Markdown with a head of YAML, as model hubs read it."""

from __future__ import annotations

import re
from typing import Any

from mlopsim.core.spec import label
from mlopsim.core.text import visible
from mlopsim.governance.lineage.lineage import Lineage
from mlopsim.governance.lineage.passage import Span
from mlopsim.governance.lineage.version import Measured, VersionRecord
from mlopsim.stats.proportions import clopper_pearson

#: what is measured
NAMES = ("accuracy", "precision", "recall", "f1")


def model_card(lineage: Lineage, version: int) -> str:
    """Return the card of a version.

    Parameters
    ----------
    lineage : Lineage
    version : int

    Returns
    -------
    str
        Markdown; the head is YAML between two lines ``---``, with a ``model-index``.
    """
    import yaml

    record = lineage.version(version)
    head = yaml.safe_dump(_head(record), sort_keys=False, allow_unicode=True, width=1000)
    parts = [
        f"---\n{head}---\n",
        f"# Version {record.number} of deployment {record.cell}\n",
        _about(record),
        _training(record),
        _quality(record),
        _release(record),
        _served(record),
        _limits(record),
    ]
    return "\n".join(parts)


def _learner(record: VersionRecord) -> str:
    return "of a stream at hand" if record.world is None else label("learner", record.world["learner"])


def _stream(record: VersionRecord) -> str:
    return "a stream at hand" if record.world is None else label("stream", record.world["stream"])


def _head(record: VersionRecord) -> dict[str, Any]:
    metrics = [
        {
            "type": name,
            "name": f"{name}, {one.on}" + ("" if one.group is None else f", group {one.group}"),
            "value": getattr(one, name),
            "args": {"n": one.n, "first_window": one.first, "last_window": one.last},
        }
        for one in record.measured
        if one.on == "held out"
        for name in NAMES
        if getattr(one, name) is not None
    ]
    head: dict[str, Any] = {
        "library_name": "mlopsim",
        "pipeline_tag": "tabular-classification",
        "tags": ["mlopsim", "simulation", record.state.replace(" ", "-")],
    }
    results = {
        "task": {"type": "tabular-classification"},
        "dataset": {"type": "mlopsim-stream", "name": visible(_stream(record))},
        "metrics": metrics,
    }
    # a hub takes no result without a metric
    index = {"name": f"{record.cell}-{record.number}", "results": [results] if metrics else []}
    return {**head, "model-index": [index]}


def cell(text: object) -> str:
    r"""Return a text as it stands in Markdown: nothing in it is markup.

    Examples
    --------
    >>> print(cell("a|b <i>"), cell("[x](y) *z*"))
    a\|b \<i\> \[x\](y) \*z\*
    """
    return re.sub(r"([\\`*_{}\[\]<>#|~!$])", r"\\\1", visible(text))


def _rows(title: str, names: list[str], rows: list[list[object]]) -> str:
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    lines += [f"| {' | '.join(cell('–' if item is None else item) for item in row)} |" for row in rows]
    return f"## {title}\n\n" + "\n".join(lines) + "\n"


def _about(record: VersionRecord) -> str:
    decided = "It is the initial version."
    if record.decided is not None:
        decided = f"It was decided at the end of window {record.decided} by {cell(record.decided_by)}, "
        decided += f"while version {record.parent} served (or had served last)."
    text = f"Learner {cell(_learner(record))} on {cell(_stream(record))}; {len(record.features)} features, "
    text += f"classes {', '.join(map(cell, record.classes))}. {decided} At the end it is: {record.state}.\n"
    return f"{text}\nA simulated deployment: no legal advice, and no statement about real people.\n"


def _training(record: VersionRecord) -> str:
    training = record.training
    rows: list[list[object]] = [
        ["windows", f"{training.first} to {training.last}"],
        ["rows", training.rows],
        ["digest of the rows", training.digest],
        ["data gate", "none" if training.gate is None else label("gate", training.gate)],
    ]
    rows += [[f"kept away by {part.by}", f"{part.rows} rows, {part.digest}"] for part in training.removed]
    if training.instead_of is not None:
        rows.append(["instead of", f"windows from {training.instead_of}: no row of them was let through"])
    if training.repaired:
        rows.append(["rows that the gate changed", training.repaired])
    if training.light:
        rows.append(["rows that count less", training.light])
    return _rows("Trained on", ["", ""], rows)


def _quality(record: VersionRecord) -> str:
    names = ["on", "windows", "group", "n", "accuracy (95 %)", "precision", "recall", "F1", "undefined"]
    rows: list[list[object]] = []
    for one in record.measured:
        windows = None if one.first is None else f"{one.first} to {one.last}"
        numbers = [None if value is None else f"{value:.3f}" for value in (one.precision, one.recall, one.f1)]
        rows.append(
            [one.on, windows, one.group or "everybody", one.n, _accuracy(one), *numbers, one.reason or None]
        )
    note = (
        "Held out: windows after its own whose labels were known when it could be approved. The interval of "
    )
    note += "the accuracy (Clopper-Pearson) takes rows as independent.\n"
    return _rows("Quality when it could be approved", names, rows) + f"\n{note}"


def _accuracy(one: Measured) -> str | None:
    if one.accuracy is None:
        return None
    found = clopper_pearson(round(one.accuracy * one.n), one.n)
    return f"{one.accuracy:.3f} ({found.low:.3f} to {found.high:.3f})"


def _release(record: VersionRecord) -> str:
    rows: list[list[object]] = []
    for one in record.judged:
        gate = one.gate if one.against is None else f"{one.gate}, beside version {one.against}"
        if not one.tests:
            rows.append([gate, one.window, one.verdict, None, None, None, None])
        for test in one.tests:
            p = None if test["p"] is None else f"{test['p']:.4g}"
            statistic = None if test["statistic"] is None else f"{test['statistic']:.4g}"
            rows.append(
                [
                    f"{gate}: {test['name']}",
                    one.window,
                    one.verdict,
                    statistic,
                    p,
                    test["limit"],
                    test["reason"],
                ]
            )
    if record.review is not None:
        review = record.review
        waited = f"windows waited: {review.waited}"
        rows.append([f"review by {review.by}", review.window, review.verdict, None, None, None, waited])
    if not rows:
        return "## Release\n\nNo gate and no reviewer was asked.\n"
    return _rows("Release", ["who", "window", "verdict", "statistic", "p", "limit", ""], rows)


def _served(record: VersionRecord) -> str:
    rows = [_span("served", span) for span in record.served]
    rows += [_span("canary", span) for span in record.canary]
    if not rows:
        text = f"It never served: {record.state}.\n"
        if record.left is not None:
            text = f"It never served: {cell(record.left.why)} (window {record.left.window}).\n"
        return f"## Served\n\n{text}"
    found = _rows("Served", ["as", "windows", "ended by", "for"], rows)
    if record.left is not None:
        found += f"\nIt left the registry at window {record.left.window}: {cell(record.left.why)}.\n"
    return found


def _span(role: str, span: Span) -> list[object]:
    from mlopsim.governance.lineage.traffic import named

    ended = "the end of the deployment" if span.ended_by is None else span.ended_by
    after = None if span.ended_for is None else named(span.ended_for)
    return [role, f"{span.first} to {span.last}", ended, after]


def _limits(record: VersionRecord) -> str:
    rows: list[list[object]] = [[name, version] for name, version in record.components.items()]
    rows += [["platform", record.platform], ["answers", record.bits.answers], ["scores", record.bits.scores]]
    return _rows("Made with", ["component or digest", "version"], rows)
