"""Tables and pictures of one audit: what the audits say, and the numbers of each group behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from mlopsim.core.text import code_span
from mlopsim.core.track import Section
from mlopsim.fairness.audit_page_scores import SHOWN, attributions, most_of, p_text, scores
from mlopsim.fairness.dataset_audit import Subject
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.rates import LEAST, gap_interval
from mlopsim.fairness.verdicts import Says, Verdict, by_battery
from mlopsim.stats.proportions import wilson
from mlopsim.stats.table import interval_columns


def sections(
    subject: Subject, verdicts: Sequence[Verdict], batteries: Mapping[str, Sequence[str]], alpha: float
) -> list[Section]:
    """Make the sections of the page.

    Parameters
    ----------
    subject : Subject
    verdicts : sequence of Verdict
    batteries : mapping of str to sequence of str
        Audits of each battery.
    alpha : float
        Level of the verdicts; intervals are of the level ``1 - alpha``.
    """
    return [
        _verdicts(subject, verdicts, alpha),
        _batteries(verdicts, batteries, alpha),
        _groups(subject.evidence, 1.0 - alpha),
        _gaps(subject.evidence, 1.0 - alpha),
        *attributions(subject.features, 1.0 - alpha),
        scores(subject.evidence, 1.0 - alpha),
        _data(subject),
        _words(alpha),
    ]


def verdict_rows(verdicts: Sequence[Verdict]) -> pl.DataFrame:
    """Return one row for each audit, with texts as they are printed."""
    rule = {True: "broken", False: "kept", None: ""}
    return pl.DataFrame(
        {
            "audit": [v.audit for v in verdicts],
            "verdict": [v.says.value for v in verdicts],
            "statistic": [v.statistic for v in verdicts],
            "statistic_reason": [v.reason for v in verdicts],
            "unit": [v.unit for v in verdicts],
            "p": [p_text(v.p) for v in verdicts],
            "adjusted": [p_text(v.adjusted) for v in verdicts],
            "test": [v.test or "–" for v in verdicts],
            "rule of thumb": [f"{rule[v.broken]}: {v.thumb}" if rule[v.broken] else "–" for v in verdicts],
            "blames": [", ".join(name for name, _ in v.blamed) or "–" for v in verdicts],
            "labels": [v.labels for v in verdicts],
            "seconds": [v.seconds for v in verdicts],
        }
    )


def _verdicts(subject: Subject, verdicts: Sequence[Verdict], alpha: float) -> Section:
    rows, tests = len(subject.evidence.window), sum(not math.isnan(v.p) for v in verdicts)
    text = (
        f"What each audit says of the {rows:,} rows that the model was not trained on. **found**: its "
        f"p-value, adjusted for {tests} tests by Holm's method, is at most {alpha:g}; the chance that any "
        "audit finds something where there is nothing (the group plays no part in rows, labels and "
        "decisions, and audited rows are like those of the training) is no more than that. **not found** "
        "does not mean that there is nothing: few rows show little. With many rows small differences are "
        "found, too: look at the **statistic**, and at the customary **rule of thumb**, which knows nothing "
        "of the number of rows. The statistic of rates is the largest gap between a group and all others "
        "together, as it is tested; the rule of thumb asks for the largest less the smallest rate, which is "
        "more where there are three groups or more (its size is among the gaps below). **no test**: the "
        "number alone; nothing says how large it may be by chance. What is found is a difference, not its "
        "cause, and not who is to blame for it."
    )
    notes = [
        f"{code_span(v.audit)}: {v.reason}" for v in verdicts if v.reason and v.says is not Says.TOO_LITTLE
    ]
    if notes:
        text += "\n\n" + "\n".join(f"- {note}" for note in notes)
    return Section(title="Verdicts", text=text, table=verdict_rows(verdicts))


def _batteries(verdicts: Sequence[Verdict], batteries: Mapping[str, Sequence[str]], alpha: float) -> Section:
    found = by_battery(verdicts, batteries, alpha)
    looked = {v.audit for v in verdicts}
    frame = pl.DataFrame(
        {
            "battery": list(found),
            "verdict": [says.value for says, _ in found.values()],
            "found by": [", ".join(hits) or "–" for _, hits in found.values()],
            "audits": [", ".join(name for name in batteries[battery] if name in looked) for battery in found],
        },
        schema=dict.fromkeys(("battery", "verdict", "found by", "audits"), pl.String),
    )
    text = (
        "The audits of a battery together, their p-values adjusted within it, so that more may be found "
        "than among all audits: each battery finds something where there is nothing with a chance of at most "
        f"{alpha:g}. Batteries of which no audit looked are not shown."
    )
    return Section(title="Batteries", text=text, table=frame)


def _rates(evidence: Evidence) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return successes and rows of each group, int64 (G,), by the name of the rate."""
    yes, positive = evidence.decision, evidence.observed == 1
    everything = np.ones(len(yes), dtype=np.bool_)
    parts = {
        "accepted": (yes, everything),
        "class_1": (positive, everything),
        "accuracy": (yes == positive, everything),
        "true_positive": (yes, positive),
        "false_positive": (yes, ~positive),
        "precision": (positive, yes),
    }
    return {
        name: (evidence.count(hits & among)[0], evidence.count(among)[0])
        for name, (hits, among) in parts.items()
    }


def _groups(evidence: Evidence, level: float) -> Section:
    from mlopsim.plots.leaderboard import leaderboard

    rates, names = _rates(evidence), list(evidence.groups)
    found = {
        name: [wilson(int(k), int(n), level) for k, n in zip(hits, rows, strict=True)]
        for name, (hits, rows) in rates.items()
    }
    frame = pl.DataFrame({"group": names, "rows": evidence.rows[0]})
    for name, values in found.items():
        columns = interval_columns(name, values)
        # every rate has rows of its own; they follow from those and the shares
        frame = frame.with_columns(pl.Series(k, v) for k, v in columns.items() if not k.endswith("_n"))
    text = (
        "**accepted**: the model says class 1. **class 1**: the label is. True-positive, false-positive rate "
        f"and precision are by the labels as they are written down. {level:.0%} intervals of Wilson."
    )
    accepted = found["accepted"]
    order = sorted(range(len(names)), key=lambda g: -int(evidence.rows[0, g]))[:SHOWN]
    figure = leaderboard(
        [names[g] for g in order],
        [accepted[g].value for g in order],
        [accepted[g].low for g in order],
        [accepted[g].high for g in order],
        [accepted[g].n for g in order],
        xlabel="share accepted",
        note=f"{level:.0%} intervals of Wilson; n: rows" + most_of(len(order), len(names), "groups"),
    )
    return Section(title="Groups", text=text, table=frame, figures={"Share accepted, by group": figure})


def _gaps(evidence: Evidence, level: float) -> Section:
    rates = _rates(evidence)
    rows = []
    for g, name in enumerate(evidence.groups):
        values = {}
        for rate, (hits, among) in rates.items():
            one, other = int(among[g]), int(among.sum() - among[g])
            values[rate] = gap_interval(int(hits[g]), one, int(hits.sum() - hits[g]), other, level)
        rows.append((name, values))
    frame = pl.DataFrame({"group": [name for name, _ in rows]})
    for rate in rates:
        columns = interval_columns(rate, [values[rate] for _, values in rows])
        frame = frame.with_columns(pl.Series(k, v) for k, v in columns.items() if not k.endswith("_n"))
    text = (
        f"Each group less all others together, with {level:.0%} intervals (Newcombe 1998, method 10), each "
        "for itself. Above 0: the group has the higher rate. Largest less smallest rate, of groups of "
        f"{LEAST} rows or more: {_spreads(rates)}."
    )
    return Section(title="Gaps between groups", text=text, table=frame)


def _spreads(rates: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> str:
    """Return the largest less the smallest of each rate, in words."""
    words = []
    for name, (hits, rows) in rates.items():
        enough = rows >= LEAST
        if enough.sum() > 1:
            words.append(f"{name.replace('_', ' ')} {np.ptp(hits[enough] / rows[enough]):.3f}")
    return ", ".join(words) or "none can be compared"


def _data(subject: Subject) -> Section:
    table = subject.table
    gaps = np.isnan(table.X).mean(axis=0)
    frame = pl.DataFrame(
        {
            "feature": list(table.features),
            "kind": [
                f"{len(table.categories[j])} categories" if j in table.categories else "numeric"
                for j in range(len(table.features))
            ],
            "missing": gaps,
        }
    )
    text = (
        f"{len(table.y):,} rows, {subject.trained:,} of them to train on. A missing number is the median of "
        "the training rows; a category becomes a column of its own (the 20 most frequent of each feature), a "
        "missing one is in none. "
    )
    if table.no_group is not None:
        text += f"Rows without a group are a group of their own, {code_span(table.no_group)}. "
    return Section(title="Data", text=text + "**missing**: share of the rows.", table=frame)


def _words(alpha: float) -> Section:
    text = (
        "- **own**: the audit's test (Fisher's exact test, randomised, where rates are compared). **shuffled "
        "groups**: the groups are dealt out anew, the score is compared with those of the deals.\n"
        "- **accuracy** and **f1** compare with the rows that were trained on, of which each is predicted "
        "by a model that was not trained on it (five folds): what is lost is lost over time or by chance. "
        "Groups play no part.\n"
        "- **slice_accuracy**: the statistic and the blame are of all slices, and any model has hard ones; "
        "what is tested by shuffled groups is whether groups are such slices.\n"
        "- **flip** moves the feature that tells the groups best, with all its categories; other features "
        "that give the group away stay.\n"
        "- Attributions of a model that sees the group tell the group, however little it is used: "
        "**shap_ks** and **explanation_shift** then find it; **shap_gap** says how much it moves.\n"
        "- **score**: what is explained: log odds where the model is a sum, else the probability of class "
        "1.\n"
        f"- A group of fewer than {LEAST} rows is left out; what then cannot be said is 'not enough data'.\n"
        "- **blames**: the features by which the audit's number comes about, the first most.\n"
        "- With three groups or more each is compared with all others, the worst one counts (level "
        f"{alpha:g}, Bonferroni)."
    )
    return Section(title="Words", text=text)
