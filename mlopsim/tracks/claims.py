"""What tables may be used for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

#: environment steps below which a trained agent says nothing about its kind
CLAIM_STEPS = 1_000_000


def not_for_claims(families: Mapping[str, str | None], steps: int, named: Callable[[str], str] = str) -> str:
    """Warn of agents that were trained too shortly for any claim; empty if there are none.

    Parameters
    ----------
    families : mapping of str to str or None
        The rows of the table with their families.
    steps : int
        Environment steps that each fit could use.
    named : callable, default str
        How a name is written; in a text of a report as :func:`~mlopsim.core.text.code_span`.

    Examples
    --------
    >>> not_for_claims({"never": "rule", "ppo": "agent"}, 100_000)
    'not for claims: ppo was trained with 100,000 steps (below 1,000,000)'
    >>> not_for_claims({"never": "rule", "ppo": "agent"}, 1_000_000), not_for_claims({"never": "rule"}, 0)
    ('', '')
    """
    agents = [method for method, family in families.items() if family == "agent"]
    if not agents or steps >= CLAIM_STEPS:
        return ""
    which = named(agents[0]) if len(agents) == 1 else f"each of {len(agents)} agents"
    return f"not for claims: {which} was trained with {steps:,} steps (below {CLAIM_STEPS:,})"
