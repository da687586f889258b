"""All requirements, asked of one deployment."""

from __future__ import annotations

from mlopsim.governance.compliance.case import Case
from mlopsim.governance.compliance.requirement import Outcome, Requirement
from mlopsim.governance.compliance.requirements import ai_act, nist, sr_26_2

#: in the order of the page
REQUIREMENTS: tuple[Requirement, ...] = (
    *ai_act.REQUIREMENTS,
    *nist.REQUIREMENTS,
    *sr_26_2.REQUIREMENTS,
)


def assess(case: Case) -> list[tuple[Requirement, Outcome]]:
    """Return what the check of each requirement says of a deployment."""
    return [(requirement, requirement.check(case)) for requirement in REQUIREMENTS]
