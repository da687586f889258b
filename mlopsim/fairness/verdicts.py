"""Verdicts of audits on one window of rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.identity import identity_words
from mlopsim.core.spec import canonical, label, make
from mlopsim.core.threads import one_thread
from mlopsim.fairness.audit import Audit, Findings, LabelAudit, Labels, Source
from mlopsim.fairness.batteries import Battery
from mlopsim.fairness.dataset_audit import Subject, regrouped
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.trained_again import chances
from mlopsim.stats.rank_tests import holm
from mlopsim.streams.layout import branch

#: rows, or numbers in matrices, of all rounds together that are looked at in one call
BLOCK = 2_000_000
#: times that a model that sees the group is trained again on dealt rows, by default
MODELS = 39


class Says(Enum):
    """What an audit says of one window."""

    FOUND = "found"
    NOT_FOUND = "not found"
    NO_TEST = "no test"
    TOO_LITTLE = "not enough data"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one audit says of one window.

    Parameters
    ----------
    audit : str
        Name, with the parameters that are not its defaults.
    says : Says
        ``FOUND`` if ``adjusted`` is at most the level that was asked.
    statistic : float
        NaN: not enough data. It, its interval, p and what is blamed are of the same group and rate.
    low, high : float
        Ends of its interval, for itself; NaN where there is none.
    no_interval : str
        Why there is none.
    unit : str
    group : str
        The group that all this is of; ``all`` for rows of all groups, empty where groups play no part.
    against : str
        What it is compared with; empty: nothing.
    rate : str
        Which rate, feature or slice; empty: there is one only.
    p : float
        Of this model's rows, the model taken as given; NaN where nothing is tested.
    adjusted : float
        The p-value, the larger of ``p`` and ``again``, by Holm's method over all audits that test.
    test : str
        Where the p-value is from: ``own``, ``shuffled groups`` or nothing.
    thumb : str
        The customary rule; empty: there is none.
    broken : bool or None
        Whether that rule is broken; None: there is none, or not enough data.
    asked : float or None
        The number that the rule asks for; None where it is the statistic, or there is none.
    blamed : tuple of (str, float)
        The features that it blames most, at most three.
    labels : str
        Which labels it used.
    reason : str
        Why there is no verdict, or what was left out.
    seconds : float
        Wall time, explanations included for whoever asked first; without what was trained again.
    again : float, default NaN
        The p-value where the model sees the group: of the same score among those of models that were trained
        again on rows whose groups were dealt out by chance, see
        :class:`mlopsim.fairness.trained_again.Again`. NaN: not asked for (the model does not see the group,
        the audit does not look at what the model made of it, or ``p`` is above the level anyway).
    """

    audit: str
    says: Says
    statistic: float
    low: float
    high: float
    no_interval: str
    unit: str
    group: str
    against: str
    rate: str
    p: float
    adjusted: float
    test: str
    thumb: str
    broken: bool | None
    asked: float | None
    blamed: tuple[tuple[str, float], ...]
    labels: str
    reason: str
    seconds: float
    again: float = np.nan

    @property
    def tested(self) -> float:
        """The larger of ``p`` and ``again``; NaN where nothing is tested."""
        return larger(self.p, self.again)


def larger(p: float, again: float) -> float:
    """Return the larger of two p-values, of which the second may be missing.

    Examples
    --------
    >>> larger(0.01, 0.2), larger(0.01, float("nan")), larger(float("nan"), float("nan"))
    (0.2, 0.01, nan)
    """
    return p if np.isnan(again) else max(p, again)


def judge(
    subject: Subject,
    audits: Sequence[Any],
    seed: np.random.SeedSequence,
    *,
    alpha: float = 0.05,
    rounds: int = 999,
    models: int = MODELS,
    watch: Callable[[str], None] = lambda name: None,
) -> list[Verdict]:
    """Let audits look at a subject.

    An audit without a test of its own is tested by shuffling the groups of the rows, if it needs nothing but
    decisions and attributions; others only give their statistic. The p-values are adjusted together.

    A model that sees the group makes something of it by chance, even if it is a coin toss. What audits of
    groups find in its decisions and scores at the level must therefore also stand out among what they find in
    those of models that were trained again on rows whose groups were dealt out: the larger p-value counts.

    Parameters
    ----------
    subject : Subject
    audits : sequence of specs of audits
        No batteries.
    seed : numpy.random.SeedSequence
    alpha : float, default 0.05
        Chance that any audit finds something where there is nothing.
    rounds : int, default 999
        Times that groups are shuffled, and dealt for the models that are trained again together.
    models : int, default 39
        Times that a model that sees the group is trained again.
    watch : callable, optional
        Called with the name of each audit before it looks.

    Returns
    -------
    list of Verdict
        In the order of the audits.

    Raises
    ------
    ConfigError
        See :func:`check_audits`.

    References
    ----------
    Holm (1979), *A simple sequentially rejective multiple test procedure*, Scand. J. Statistics 6, 65-70.
    Phipson and Smyth (2010), *Permutation p-values should never be zero*, SAGMB 9, 39.
    """
    names = check_audits(audits)
    looked: list[tuple[Audit, Findings, float, str, float]] = []
    for name, spec in zip(names, audits, strict=True):
        audit: Audit = make("audit", spec)
        watch(name)
        began = time.perf_counter()
        root = branch(seed, *identity_words(canonical("audit", spec)))
        evidence = subject.seen_by(audit)
        p, test = np.nan, ""
        with one_thread():
            found = audit.examine(evidence, np.random.default_rng(branch(root, 0)))
            if found.p is not None:
                p, test = float(found.p[0]), "own"
            elif not audit.needs - {Source.SHAP, Source.LIME}:
                p, found = shuffled(audit, evidence, rounds, root)
                test = "shuffled groups"
        looked.append((audit, found, p, test, time.perf_counter() - began))
    again = _again(subject, looked, seed, alpha, rounds, models, watch)
    adjusted = holm([larger(p, q) for (_, _, p, _, _), q in zip(looked, again, strict=True)])
    return [
        _verdict(name, *parts, q, float(level), alpha, subject, rounds)
        for name, parts, q, level in zip(names, looked, again, adjusted, strict=True)
    ]


def _again(
    subject: Subject,
    looked: Sequence[tuple[Audit, Findings, float, str, float]],
    seed: np.random.SeedSequence,
    alpha: float,
    rounds: int,
    models: int,
    watch: Callable[[str], None],
) -> list[float]:
    """Return the p-values by training again, NaN where nothing is to be asked."""
    found = [float("nan")] * len(looked)
    asked = [
        k
        for k, (audit, _, p, _, _) in enumerate(looked)
        if subject.again is not None and audit.by_group and not subject.sets_apart(audit) and p <= alpha
    ]
    if subject.again is None or not asked:
        return found
    watch("of models that are trained again on dealt groups")
    audits = [(looked[k][0], float(looked[k][1].score[0])) for k in asked]
    root = branch(seed, *identity_words("trained again"))
    deals = -(-rounds // models)
    for k, p in zip(asked, chances(subject.again, audits, root, models=models, deals=deals), strict=True):
        found[k] = p
    return found


def _verdict(
    name: str,
    audit: Audit,
    found: Findings,
    p: float,
    test: str,
    seconds: float,
    again: float,
    adjusted: float,
    alpha: float,
    subject: Subject,
    rounds: int,
) -> Verdict:
    missing = bool(np.isnan(found.score[0]))
    if missing:
        says = Says.TOO_LITTLE
    elif np.isnan(adjusted):
        says = Says.NO_TEST
    else:
        says = Says.FOUND if adjusted <= alpha else Says.NOT_FOUND
    evidence = subject.seen_by(audit)
    features, blamed = evidence.features, []
    if found.blame is not None and not missing:
        order = np.argsort(-found.blame[0], kind="stable")[:3]
        blamed = [(features[j], float(found.blame[0, j])) for j in order if found.blame[0, j] > 0.0]
    notes = [found.reason] if found.reason else []
    if test == "shuffled groups" and says is Says.NOT_FOUND and p <= 1.5 / (1 + rounds):
        notes.append(
            f"no deal of the groups was like it, yet {rounds} deals show no more than p = {p:.2g}, too much "
            "after the adjustment: deal more often (--rounds)"
        )
    if subject.sets_apart(audit):
        columns = ", ".join(f"'{feature}'" for feature in subject.apart)
        notes.append(
            f"without {columns}: its values tell the groups whatever the model makes of them, be they coin "
            "tosses; what it makes of them: flip, and a model that does not see them (--blind, --drop)"
        )
    if again > alpha:
        notes.append(
            f"groups of this model differ (p = {p:.2g}), yet no more than those of models that were trained "
            f"where groups are dealt out by chance (p = {again:.2g}): a model makes as much of a coin toss"
        )
    interval = audit.interval(evidence, found, 1.0 - alpha)
    group, against, rate = names_of(audit, found, evidence)
    return Verdict(
        audit=name,
        says=says,
        statistic=float(found.statistic[0]),
        low=interval.low,
        high=interval.high,
        no_interval=interval.reason,
        unit=audit.unit,
        group=group,
        against=against,
        rate=rate,
        p=p,
        adjusted=adjusted,
        test=test,
        thumb=audit.thumb,
        broken=None if found.rule is None or missing else bool(found.rule[0]),
        asked=None if found.asked is None or missing else float(found.asked[0]),
        blamed=tuple(blamed),
        labels=audit.labels_used.value,
        reason="; ".join(notes),
        seconds=seconds,
        again=again,
    )


def names_of(audit: Audit, found: Findings, evidence: Evidence) -> tuple[str, str, str]:
    """Return the names of the group, of what it is compared with, and of the rate, of the first window.

    Empty where there is none; ``all`` where an audit of groups means all of them.

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> audit, evidence = make("audit", "equalised_odds"), sample(windows=1, groups=3, shift=1.0)
    >>> names_of(audit, audit.examine(evidence, np.random.default_rng(0)), evidence)
    ('c', 'all others', 'true-positive rate')
    """
    named, groups = found.named, evidence.groups
    if named is None or np.isnan(found.score[0]):
        return "", "", ""
    place = int(named.group[0])
    part = -1 if named.part is None else int(named.part[0])
    rate = named.parts[part] if part >= 0 else ""
    if place < 0:
        return ("all" if audit.by_group and not rate else ""), "", rate
    other = -1 if named.against is None else int(named.against[0])
    if other < 0 and len(groups) == 2:
        other = 1 - place
    return groups[place], groups[other] if other >= 0 else "all others", rate


def shuffled(
    audit: Audit, evidence: Evidence, rounds: int, seed: np.random.SeedSequence
) -> tuple[float, Findings]:
    """Return the p-value of an audit's score among the scores with shuffled groups, and what has this score.

    ``(1 + number of rounds with at least the score) / (1 + rounds)``; of an audit that draws at random the
    score is looked at with draws of its own.

    Parameters
    ----------
    audit : Audit
        That needs at most one of the attributions.
    evidence : Evidence
        One window.
    rounds : int
    seed : numpy.random.SeedSequence

    Returns
    -------
    p : float
        NaN where the audit has no score.
    findings : Findings
        What is tested: without slices of features, which shuffled groups say nothing about.

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> audit, seed = make("audit", "four_fifths"), np.random.SeedSequence(0)
    >>> [shuffled(audit, sample(windows=1, shift=shift), 99, seed)[0] for shift in (1.0, 0.0)]
    [0.01, 0.72]
    """
    rows, values = np.arange(len(evidence.window)), None
    if audit.needs:
        (source,) = audit.needs
        explained = evidence.explained(source.value)
        rows, values = explained.rows, explained.values
    group = evidence.group[rows]
    rng = np.random.default_rng(branch(seed, 1))
    inputs = audit.keeps_inputs
    found = audit.examine(regrouped(evidence, rows, values, group[None], inputs=inputs), rng)
    score = found.score[0]
    if np.isnan(score):
        return float("nan"), found
    # rows, or matrices of features for each group, whichever is more
    width = 0 if values is None else values.shape[1]
    wide = evidence.X.shape[1] if inputs else 1
    at_once = max(BLOCK // max(len(rows) * wide, 2 * evidence.n_groups * width**2), 1)
    above, left = 0, rounds
    while left:
        count = min(left, at_once)
        drawn = rng.permuted(np.tile(group, (count, 1)), axis=1)
        scores = audit.examine(regrouped(evidence, rows, values, drawn, inputs=inputs), rng).score
        # equal but for rounding is not less; a round without a score says nothing against groups alike
        above += int((~(scores < score - 1e-12 * abs(score))).sum())
        left -= count
    return (1 + above) / (1 + rounds), found


def by_battery(
    verdicts: Sequence[Verdict], batteries: Mapping[str, Sequence[str]], alpha: float
) -> dict[str, tuple[Says, tuple[str, ...]]]:
    """Return what each battery says, and the audits by which it found something.

    The p-values of a battery are adjusted together, those of other audits play no part.

    Parameters
    ----------
    verdicts : sequence of Verdict
    batteries : mapping of str to sequence of str
        Names of the audits of each battery. Those that did not look are not counted, a battery of which
        none did is left out.
    alpha : float

    Examples
    --------
    >>> one = Verdict(audit="one", says=Says.FOUND, statistic=1.0, unit="", low=0.5,
    ...               high=1.5, no_interval="", group="a", against="b", rate="", p=0.01, adjusted=0.02,
    ...               test="own", thumb="", broken=None, asked=None, blamed=(), labels="none", reason="",
    ...               seconds=0.0)
    >>> by_battery([one], {"first": ["one", "two"], "second": ["two"]}, 0.05)
    {'first': (<Says.FOUND: 'found'>, ('one',))}
    """
    found: dict[str, tuple[Says, tuple[str, ...]]] = {}
    for battery, members in batteries.items():
        looked = [v for v in verdicts if v.audit in members]
        able = [v for v in looked if v.says is not Says.TOO_LITTLE]
        level = holm([v.tested for v in able])
        if not looked:
            continue
        if not able:
            found[battery] = Says.TOO_LITTLE, ()
        elif np.isnan(level).all():
            found[battery] = Says.NO_TEST, ()
        else:
            hits = tuple(v.audit for v, p in zip(able, level, strict=True) if p <= alpha)
            found[battery] = Says.FOUND if hits else Says.NOT_FOUND, hits
    return found


def check_audits(audits: Sequence[Any]) -> list[str]:
    """Return the names of audits that can look at a user's data.

    Parameters
    ----------
    audits : sequence of specs of audits

    Raises
    ------
    ConfigError
        If one is a battery, is listed twice or asks for labels that nobody has.

    Examples
    --------
    >>> check_audits(["four_fifths", {"accuracy": {}}])
    ['four_fifths', 'accuracy']
    """
    names = [label("audit", spec) for spec in audits]
    twice = next((name for k, name in enumerate(names) if name in names[:k]), None)
    if twice is not None:
        raise ConfigError(f"the audit {twice} is listed twice", remedy="keep one of them")
    for name, spec in zip(names, audits, strict=True):
        audit: Audit = make("audit", spec)
        if isinstance(audit, Battery):
            members = ", ".join(label("audit", member) for member in audit.members())
            raise ConfigError(f"{name} is a battery", remedy=f"list its audits: {members}")
        if isinstance(audit, LabelAudit) and audit.labels is Labels.TRUE:
            raise ConfigError(
                f"{name}: the true labels are known in simulations only", remedy="labels: observed"
            )
    return names
