"""What verification says: findings with their remedies and notes, by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mlopsim.core.errors import DataError

#: from the weakest to the strongest, each of which stands on the ones before
LEVELS = ("internal", "anchored", "replayed")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is wrong with a record, and what to do about it."""

    message: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Level:
    """What one level found: findings, and what else is to be known."""

    findings: Sequence[Finding] = ()
    notes: Sequence[str] = ()

    @property
    def passed(self) -> bool:
        """Whether it found nothing wrong."""
        return not self.findings


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What verification found, by level; a level that was not asked for is not there.

    Examples
    --------
    >>> bad = Level(findings=[Finding(message="the head is not there", remedy="write it")])
    >>> print(Verification(levels={"internal": bad, "anchored": Level(notes=["up to record 8"])}).text())
    internal: FAILED
      the head is not there
        remedy: write it
    anchored: passed
      up to record 8
    """

    levels: Mapping[str, Level] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every level that was asked for passed."""
        return all(level.passed for level in self.levels.values())

    def check(self) -> None:
        """Raise the first finding.

        Raises
        ------
        DataError
            If there is one.
        """
        for level in self.levels.values():
            for finding in level.findings:
                raise DataError(finding.message, remedy=finding.remedy)

    def text(self) -> str:
        """Return it for people."""
        lines = []
        for name, level in self.levels.items():
            lines.append(f"{name}: {'passed' if level.passed else 'FAILED'}")
            for finding in level.findings:
                lines += [f"  {finding.message}", f"    remedy: {finding.remedy}"]
            lines += [f"  {note}" for note in level.notes]
        return "\n".join(lines)
