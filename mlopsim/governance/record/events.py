"""What an event of a deployment is. Events are derived from a replay, never logged while it is computed.

An event holds nothing that was not known at its window's end, so the record of a deployment up to a window is
the beginning of its whole record. Time is simulated: windows, no clock. What was decided (integers and texts,
the same on every platform) and what it was decided on (floats) are kept apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlopsim.core.errors import ConfigError, nearest

#: What an event is recorded for (AI Act, Art. 12(2)): to find risks and substantial modifications, to monitor
#: after the release, to monitor the operation.
RISK, MONITORING, OPERATION = "risk", "monitoring", "operation"
#: what events there are, and what each is recorded for
KINDS: Mapping[str, str] = {
    "begin": OPERATION,
    "arrival": RISK,
    "gate": RISK,
    "approval": RISK,
    "evict": OPERATION,
    "switch": RISK,
    "suspend": RISK,
    "resume": RISK,
    "violation_begin": RISK,
    "violation_end": RISK,
    "alarm": MONITORING,
    "override": RISK,
    "impossible": OPERATION,
    "retrain": RISK,
    "deploy": RISK,
    "rollback": RISK,
    "window": OPERATION,
    "end": OPERATION,
}
#: who gave rise to what no method decided
DEPLOYMENT, OVERSIGHT = "deployment", "oversight"
#: stands for a version where the fallback serves
FALLBACK = -2


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened in a deployment.

    Parameters
    ----------
    window : int
        When; decisions are taken at the end of their window, traffic moves at the start of its.
    kind : str
        One of :data:`KINDS`.
    trigger : str
        Who or what gave rise to it: a method, the deployment's own rules, oversight.
    served : int or None
        Version that served the window (the base of a canary); None before anything did, -2 while suspended.
    since : int or None
        First window of the interval in which it has served, up to this one.
    content : mapping
        What happened: integers, texts, truth values, None.
    evidence : mapping
        What was known: floats, too. Statistics of windows, never rows.

    Examples
    --------
    >>> Event(window=3, kind="alarm", trigger="selector/ks", served=2, since=1).context
    'monitoring'
    """

    window: int
    kind: str
    trigger: str
    served: int | None
    since: int | None
    content: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check kind and content."""
        if self.kind not in KINDS:
            raise ConfigError(
                f"unknown kind of event '{self.kind}'{nearest(self.kind, KINDS)}",
                remedy=f"one of: {', '.join(KINDS)}",
            )
        _check_exact(self.content, self.kind)

    @property
    def context(self) -> str:
        """What it is recorded for."""
        return KINDS[self.kind]


def _check_exact(value: Any, where: str) -> None:
    """Raise if a content holds floats: they differ between platforms, so they are evidence."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            _check_exact(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for item in value:
            _check_exact(item, where)
    elif not (value is None or isinstance(value, bool | int | str)):
        raise ConfigError(
            f"the content of an event holds {type(value).__name__} ({where})",
            remedy="floats belong into its evidence",
        )
