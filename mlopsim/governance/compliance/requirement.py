"""What a requirement is here: a text, and the check that stands for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from mlopsim.governance.compliance.case import Case


class Says(Enum):
    """What a check says; it does not apply where nothing happened that it could be tried on."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a check says, and why."""

    says: Says
    reason: str


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """A requirement and the check that stands for it.

    Parameters
    ----------
    source : str
        ``AI Act 12(1)``.
    asks : str
        What it asks, in short.
    stands : str
        The check that stands for it here: that it passes is no proof that the requirement is met.
    check : callable
        Of a deployment.
    """

    source: str
    asks: str
    stands: str
    check: Callable[[Case], Outcome]


def passed(reason: str) -> Outcome:
    """Return an outcome."""
    return Outcome(says=Says.PASSED, reason=reason)


def failed(reason: str) -> Outcome:
    """Return an outcome."""
    return Outcome(says=Says.FAILED, reason=reason)


def not_applicable(reason: str) -> Outcome:
    """Return an outcome."""
    return Outcome(says=Says.NOT_APPLICABLE, reason=reason)


def judged(holds: bool, reason: str) -> Outcome:
    """Return that a check passed if it holds."""
    return passed(reason) if holds else failed(reason)


def plural(n: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> plural(1, "version"), plural(2, "version")
    ('1 version', '2 versions')
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
