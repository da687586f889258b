"""Tables and pictures of one audit: what the audits say, and the numbers of each group behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from mlopsim.core.text import code_span
from mlopsim.core.track import Section
from mlopsim.fairness.audit_page_data import data
from mlopsim.fairness.audit_page_scores import SHOWN, attributions, most_of, p_text, scores
from mlopsim.fairness.dataset_audit import Subject
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.naming import GAP, RATIO, SPREAD
from mlopsim.fairness.rates import LEAST, comparable, gap_interval
from mlopsim.fairness.verdicts import Says, Verdict, by_battery
from mlopsim.stats.interval import NAN, Interval
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
        data(subject),
        _words(alpha),
    ]


def verdict_rows(verdicts: Sequence[Verdict]) -> pl.DataFrame:
    """Return one row for each audit, with texts as they are printed."""
    return pl.DataFrame(
        {
            "audit": [v.audit for v in verdicts],
            "verdict": [v.says.value for v in verdicts],
            "statistic": [v.statistic for v in verdicts],
            "statistic_low": [v.low for v in verdicts],
            "statistic_high": [v.high for v in verdicts],
            "statistic_reason": ["; ".join(filter(None, (v.reason, v.no_interval))) for v in verdicts],
            "unit": [v.unit for v in verdicts],
            "of": [of_text(v) for v in verdicts],
            "p": [p_text(v.p) for v in verdicts],
            "trained again": [p_text(v.again) for v in verdicts],
            "adjusted": [p_text(v.adjusted) for v in verdicts],
            "test": [v.test or "–" for v in verdicts],
            "rule of thumb": [rule_text(v) for v in verdicts],
            "blames": [", ".join(name for name, _ in v.blamed) or "–" for v in verdicts],
            "labels": [v.labels for v in verdicts],
            "seconds": [v.seconds for v in verdicts],
        }
    )


def of_text(verdict: Verdict) -> str:
    """Return whose the numbers of a verdict are: which group less which, and which rate or feature.

    Examples
    --------
    >>> one = Verdict(audit="one", says=Says.FOUND, statistic=-0.1, low=-0.2, high=0.0, no_interval="",
    ...               unit="", group="a", against="b", rate="true-positive rate", p=0.01, adjusted=0.02,
    ...               test="own", thumb="", broken=None, asked=0.2, blamed=(), labels="none", reason="",
    ...               seconds=0.0)
    >>> of_text(one)
    'a less b: true-positive rate'
    """
    sign = "by" if verdict.unit.startswith("ratio") else "less"
    groups = f"{verdict.group} {sign} {verdict.against}" if verdict.against else verdict.group
    return ": ".join(filter(None, (groups, verdict.rate))) or "–"


def rule_text(verdict: Verdict) -> str:
    """Return what the customary rule says, with the number that it asks for where it is not the statistic.

    Examples
    --------
    >>> one = Verdict(audit="one", says=Says.FOUND, statistic=-0.1, low=-0.2, high=0.0, no_interval="",
    ...               unit="", group="a", against="b", rate="", p=0.01, adjusted=0.02, test="own",
    ...               thumb="spread above .1", broken=True, asked=0.2, blamed=(), labels="none", reason="",
    ...               seconds=0.0)
    >>> rule_text(one)
    'broken (0.200): spread above .1'
    """
    if verdict.broken is None:
        return "–"
    number = "" if verdict.asked is None else f" ({verdict.asked:.3f})"
    return f"{'broken' if verdict.broken else 'kept'}{number}: {verdict.thumb}"


def _verdicts(subject: Subject, verdicts: Sequence[Verdict], alpha: float) -> Section:
    rows, tests = len(subject.evidence.window), sum(not math.isnan(v.p) for v in verdicts)
    text = (
        f"What each audit says of the {rows:,} rows that the model was not trained on. **found**: its "
        f"p-value, adjusted for {tests} tests by Holm's method, is at most {alpha:g}; the chance that any "
        "audit finds something where there is nothing (the group plays no part in rows, labels and "
        "decisions, and audited rows are like those of the training) is no more than that. **not found** "
        "does not mean that there is nothing: few rows show little. With many rows small differences are "
        "found, too: look at the **statistic**, and at the customary **rule of thumb**, which knows nothing "
        "of the number of rows. The statistic, its interval, p and what is blamed are of one group and one "
        "rate or feature (**of**): the one that is the furthest out for so many rows, so that the chance "
        f"gap of a small group does not hide that of a large one. A gap is {GAP}; a ratio is the {RATIO}. "
        f"The rule of thumb asks for other numbers, in brackets: the spread is the {SPREAD}, small groups "
        "left out. **no test**: the number alone; nothing says how large it may be by chance. What is found "
        "is a difference, not its cause, and not who is to blame for it."
    )
    if subject.apart:
        names = ", ".join(code_span(name) for name in subject.apart)
        text += (
            f"\n\nThe model sees {names}, which tells the groups without error. Audits that compare inputs "
            "or attributions of groups are shown all but this: its attributions tell groups apart even if "
            "it is a coin toss that the model hardly uses. Decisions and scores are tested as they are, the "
            "model taken as given (**p**). But a model makes a little of a coin toss, too, by chance of its "
            "training rows, and with many audited rows that is found. So what has a p up to the level must "
            "also stand out among what is found where groups are dealt by chance and the model is trained "
            "again (**trained again**); the larger p-value is adjusted. Train a model that does not see it "
            "(`--blind`) to see what is left."
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


def rate_gaps(evidence: Evidence, level: float) -> dict[str, list[Interval]]:
    """Return the gap of each group in each rate, with intervals; small groups are left out.

    Parameters
    ----------
    evidence : Evidence
        One window.
    level : float

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> rate_gaps(sample(windows=1, shift=1.0), 0.95)["accepted"][1]
    Interval(-0.2 [-0.279, -0.118], n=400)
    """
    found: dict[str, list[Interval]] = {}
    for rate, (hits, rows) in _rates(evidence).items():
        known = comparable(rows[None])[0]
        found[rate] = []
        for k, n, told in zip(hits.tolist(), rows.tolist(), known.tolist(), strict=True):
            rest = int(rows.sum()) - n
            if told:
                found[rate].append(gap_interval(k, n, int(hits.sum()) - k, rest, level))
            else:
                reason = f"left out: fewer than {LEAST} rows of the group, or of all others"
                found[rate].append(Interval(value=NAN, n=n + rest, level=level, reason=reason))
    return found


def _gaps(evidence: Evidence, level: float) -> Section:
    rates, gaps = _rates(evidence), rate_gaps(evidence, level)
    frame = pl.DataFrame({"group": list(evidence.groups)})
    for rate, values in gaps.items():
        columns = interval_columns(rate, values)
        frame = frame.with_columns(pl.Series(k, v) for k, v in columns.items() if not k.endswith("_n"))
    text = (
        f"A gap is {GAP}. {level:.0%} intervals (Newcombe 1998, method 10), each for itself. A group with "
        f"fewer than {LEAST} rows that count for a rate has no gap; among all others its rows count. Spread, "
        f"{SPREAD}, of these groups: {_spreads(rates)}."
    )
    small = [
        f"{code_span(name)} ({n} rows)"
        for name, n in zip(evidence.groups, evidence.rows[0].tolist(), strict=True)
        if n < LEAST
    ]
    if small:
        text += f" Left out in all audits and tables: {', '.join(small)}."
    return Section(title="Gaps between groups", text=text, table=frame)


def _spreads(rates: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> str:
    """Return the largest less the smallest of each rate, in words."""
    words = []
    for name, (hits, rows) in rates.items():
        enough = rows >= LEAST
        if enough.sum() > 1:
            words.append(f"{name.replace('_', ' ')} {np.ptp(hits[enough] / rows[enough]):.3f}")
    return ", ".join(words) or "none can be compared"


def _words(alpha: float) -> Section:
    text = (
        "- **own**: the audit's test (Fisher's exact test, randomised, where rates are compared). "
        "**shuffled groups**: the groups are dealt out anew, the score is compared with those of the "
        "deals.\n"
        "- **accuracy** and **f1** compare with the rows that were trained on, of which each is predicted "
        "by a model that was not trained on it (five folds): what is lost is lost over time or by chance. "
        "Groups play no part.\n"
        "- **slice_accuracy**: of slices that are groups; any model has hard slices of features, and "
        "shuffled groups say nothing about those.\n"
        "- **flip** moves the feature that tells the groups best, with all its categories; other features "
        "that give the group away stay.\n"
        "- **shap_gap**, **lime_gap**: tested in standard errors, which do not depend on how much a model "
        "makes of a feature; the statistic says how far it moves scores, in their standard deviations. Of a "
        "linear model they find what a test of the inputs finds.\n"
        "- **score**: what is explained: log odds where the model is a sum, else the probability of class "
        "1.\n"
        f"- A group with fewer than {LEAST} rows that count is left out, in every audit by the same rule, "
        "and named; what then cannot be said is 'not enough data'. Among all others its rows count.\n"
        "- **blames**: the features by which the audit's number comes about, the first most.\n"
        "- With three groups or more each is compared with all others, the worst one counts (level "
        f"{alpha:g}, Bonferroni)."
    )
    return Section(title="Words", text=text)
