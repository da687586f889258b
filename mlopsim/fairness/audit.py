"""The contract of audits: tests of a model for bias."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.track import Attribute
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.naming import Named
from mlopsim.stats.interval import Interval


class Labels(Enum):
    """Which labels an audit uses."""

    NONE = "none"
    OBSERVED = "observed"
    TRUE = "true"


class Source(Enum):
    """What an audit needs beside rows and decisions.

    ``KNOWN``: mean absolute attributions in rows that the model was trained on.
    """

    SHAP = "shap"
    LIME = "lime"
    FLIP = "flip"
    KNOWN = "known"


#: what audits read, the least telling first: 0 or 1 for each row, scores, features, attributions
READS = ("decisions", "outputs", "rows", "explanations")
#: what somebody must have beside features and decisions before an audit can look
NEEDS = ("labels", "true labels", "group labels", "model")


@dataclass(kw_only=True)
class Findings:
    """What an audit says of T windows.

    Parameters
    ----------
    statistic : ndarray of float64, shape (T,)
        In its natural unit (a gap of rates, a ratio, ...); NaN where there are not enough data. A gap has its
        sign: the group less all others, see :mod:`mlopsim.fairness.naming`.
    score : ndarray of float64, shape (T,)
        What is compared with a limit: larger is more suspicious. NaN where there are not enough data.
    p : ndarray of float64, shape (T,), or None
        P-value of the audit's own test of one window, where it has one; times the number of comparisons.
    blame : ndarray of float64, shape (T, d), or None
        How much each feature is blamed, 0 and more, for what is said of the named group.
    rule : ndarray of bool, shape (T,), or None
        What the customary rule of thumb says, where there is one; False where there are not enough data.
    gaps : ndarray of float64, shape (T, G), or None
        Each group less all others, with its sign, where the audit compares one number of each group.
    reason : str
        Why windows are without a number, or groups left out.
    named : Named, or None
        The group and the rate or feature that statistic, score, p and blame belong to, all of them to the
        same; None: the audit compares no groups.
    asked : ndarray of float64, shape (T,), or None
        The number that the customary rule asks for, where it is another than the statistic.
    """

    statistic: np.ndarray
    score: np.ndarray
    p: np.ndarray | None = None
    blame: np.ndarray | None = None
    rule: np.ndarray | None = None
    gaps: np.ndarray | None = None
    reason: str = ""
    named: Named | None = None
    asked: np.ndarray | None = None


def lacking(*causes: tuple[np.ndarray, str]) -> tuple[np.ndarray, str]:
    """Return which windows are without a number, bool (T,), and why.

    Parameters
    ----------
    *causes : tuple of ndarray of bool (T,) and str
        Windows and what is wrong with them; where several hold, the first is named.

    Examples
    --------
    >>> lacking((np.array([True, False, False]), "no rows"), (np.array([True, True, False]), "one label"))
    (array([ True,  True, False]), 'no rows (1 of 3 windows); one label (1 of 3 windows)')
    >>> lacking((np.array([True]), "no rows"))
    (array([ True]), 'no rows')
    """
    missing = np.zeros(len(causes[0][0]), dtype=np.bool_)
    parts = []
    for where, text in causes:
        new = int((where & ~missing).sum())
        missing = missing | where
        if new:
            parts.append(text if len(missing) == 1 else f"{text} ({new} of {len(missing)} windows)")
    return missing, "; ".join(parts)


@dataclass(kw_only=True)
class Audit:
    """Base of all audits (kind ``audit``). An audit defines :meth:`examine`.

    Attributes
    ----------
    unit : str
        Of the statistic.
    family : str
        Which kind of test it is, in a word or two: its group in tables.
    reads : str
        What of a deployment it looks at, one of :data:`READS`; labels and groups aside.
    by_group : bool
        Whether it compares groups; False: what it finds does not depend on who is in which group.
    labels_used : Labels
        Which labels it uses by default; those that use some have a field ``labels``.
    needs : frozenset of Source
        What else it needs; it asks for nothing that is not listed.
    exact : bool
        Whether ``score`` is ``-log10 p`` of a p-value that is exactly uniform where two groups are treated
        alike, so that its limit needs no simulation. With more groups p is a Bonferroni bound: an alarm is no
        more frequent than asked, and at the small levels of one window hardly less.
    by_rows : bool
        Whether it draws a random number for each row, not for each window: its numbers then depend on the
        order of the rows of a window.
    keeps_inputs : bool
        Whether it compares the inputs of groups: where groups are shuffled the inputs stay. (Others that read
        rows look for slices of inputs, which shuffled groups say nothing about.)
    thumb : str
        The customary rule, in words; empty: there is none.
    """

    unit: ClassVar[str] = ""
    family: ClassVar[str] = "other"
    exact: ClassVar[bool] = False
    by_rows: ClassVar[bool] = False
    keeps_inputs: ClassVar[bool] = False
    thumb: ClassVar[str] = ""
    full_name: ClassVar[str]
    name: ClassVar[str]

    @property
    def labels_used(self) -> Labels:
        """Which labels it uses by default; an audit that uses some sets the class attribute."""
        return Labels.NONE

    @property
    def needs(self) -> frozenset[Source]:
        """What else it needs; an audit that needs something sets the class attribute."""
        return frozenset()

    @property
    def reads(self) -> str:
        """What it looks at; an audit that looks at more than decisions sets the class attribute."""
        return "decisions"

    @property
    def waits(self) -> bool:
        """Whether it looks at the last rows whose labels are there, not at the newest ones."""
        return self.labels_used is not Labels.NONE

    @property
    def by_group(self) -> bool:
        """Whether it compares groups; an audit that does not sets the class attribute."""
        return True

    @property
    def asks_for(self) -> tuple[str, ...]:
        """What somebody must have before it can look, of :data:`NEEDS`."""
        asked = {"group labels": self.by_group, "model": bool(self.needs)}
        return tuple(name for name in NEEDS if asked.get(name, False))

    def facts(self) -> dict[str, Attribute]:
        """Return its attributes: family, role, reads, needs, known, battery, and the audits of a battery.

        Examples
        --------
        >>> from mlopsim.core.spec import make
        >>> make("audit", "equal_opportunity").facts()["needs"]
        'labels, group labels'
        >>> make("audit", "flip").facts()["needs"]
        'group labels, model'
        """
        return {
            "family": self.family,
            "role": "method",
            "reads": self.reads,
            "needs": ", ".join(self.asks_for) or "none",
            "known": "nothing",
            "battery": False,
            "audits": None,
        }

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return what it finds, window by window.

        Parameters
        ----------
        evidence : Evidence
            Not changed.
        rng : Generator
            For what is randomised; as many draws a window, or a row, whatever is found.
        """
        raise NotImplementedError

    def interval(self, evidence: Evidence, found: Findings, level: float) -> Interval:
        """Return the statistic of the first window with its interval, of the same group and rate.

        By default Newcombe's of a difference of rates, from the counts of what is named. An audit whose
        statistic is something else defines its own.

        Parameters
        ----------
        evidence : Evidence
            What it looked at.
        found : Findings
            What it found there.
        level : float

        Returns
        -------
        Interval
            Without ends, and with the reason, where there is none.
        """
        from mlopsim.fairness.rates import gap_interval

        value, rows = float(found.statistic[0]), len(evidence.window)
        if np.isnan(value):
            return Interval(value=value, n=rows, level=level, reason=found.reason)
        if found.named is None or found.named.counts is None:
            text = f"no interval of {self.unit} is known"
            return Interval(value=value, n=rows, level=level, reason=text)
        hits, own, other, rest = found.named.counts[0].tolist()
        return gap_interval(hits, own, other, rest, level)


@dataclass(kw_only=True)
class LabelAudit(Audit):
    """Base of audits that use labels.

    Parameters
    ----------
    labels : Labels, default observed
        ``true``: the labels as they should be, which nobody has outside a simulation.
    """

    labels_used: ClassVar[Labels] = Labels.OBSERVED

    labels: Labels = Labels.OBSERVED

    def __post_init__(self) -> None:
        if self.labels is Labels.NONE:
            raise ConfigError(f"{self.full_name} needs labels", remedy="labels: observed, or true")

    @property
    def asks_for(self) -> tuple[str, ...]:
        """The labels, and what its base asks for."""
        return ("true labels" if self.labels is Labels.TRUE else "labels", *super().asks_for)

    def label(self, evidence: Evidence) -> np.ndarray:
        """Return the labels that it uses, int64 (n,).

        Raises
        ------
        ConfigError
            If the true ones are asked for and not known.
        """
        if self.labels is Labels.OBSERVED:
            return evidence.observed
        if evidence.true is None:
            raise ConfigError(f"{self.full_name}: the true labels are not known", remedy="labels: observed")
        return evidence.true
