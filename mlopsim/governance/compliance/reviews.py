"""How often a reviewer agrees with the automation, and whether they should have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.governance.compliance.case import Case
from mlopsim.stats.interval import Interval
from mlopsim.stats.proportions import wilson


@dataclass(frozen=True, kw_only=True)
class Reviews:
    """Versions that were reviewed, by verdict and truth.

    Parameters
    ----------
    approved, denied : tuple of int
        Versions.
    bad : frozenset of int
        Those of them that should have been denied, by the truth
        (:func:`mlopsim.governance.loop.review.bad_versions`).
    """

    approved: tuple[int, ...]
    denied: tuple[int, ...]
    bad: frozenset[int]

    @property
    def reviewed(self) -> int:
        """How many there were."""
        return len(self.approved) + len(self.denied)

    @property
    def agreement(self) -> Interval:
        """Share of the versions offered by the automation that were approved."""
        return wilson(len(self.approved), self.reviewed)

    @property
    def caught(self) -> Interval:
        """Share of the bad ones that were denied: sensitivity."""
        return wilson(len(self.bad & set(self.denied)), len(self.bad))

    @property
    def spared(self) -> Interval:
        """Share of the others that were approved: specificity."""
        return wilson(len(set(self.approved) - self.bad), self.reviewed - len(self.bad))


def reviews_of(case: Case) -> Reviews:
    """Return the reviews of a deployment: none where nobody reviews."""
    from mlopsim.governance.loop.review import bad_versions

    told = [event for event in case.events if event.kind == "approval"]
    verdicts = {event.content["version"]: event.content["verdict"] for event in told}
    bad: set[int] = set()
    if verdicts:
        pool, world = case.deployed.pool, case.deployed.world
        truth = bad_versions(pool, case.costs, case.deployed.deployment)[world]
        bad = {int(v) for v in np.flatnonzero(truth) if int(v) in verdicts}
    return Reviews(
        approved=tuple(v for v, said in verdicts.items() if said == "approved"),
        denied=tuple(v for v, said in verdicts.items() if said == "denied"),
        bad=frozenset(bad),
    )
