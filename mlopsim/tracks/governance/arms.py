"""Arms: which of the five parts of the loop are on.

======== ==================================================================================
part     what it is
======== ==================================================================================
gate     versions are trained on what a data gate lets through, else on all that is received
trigger  alarms of the deployment's detector of inputs are observed
audits   release gates and audits stop versions on arrival
learned  a learned selector decides, else a rule: on alarms instead of a schedule with a trigger
rollback slots other than the newest can be deployed
======== ==================================================================================

What else a task has (reviewer, fallback, limits) is the same in all arms. All of them may suspend, and aim at
the limits; an agent has a price for each, a rule a reserve.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mlopsim.core.errors import ConfigError, nearest
from mlopsim.delivery.mechanisms import Switch

#: in the order of names and tables
PARTS = ("gate", "trigger", "audits", "learned", "rollback")
#: the part that says who decides
LEARNED = "learned"
#: the entry of a list of methods that stands for all arms
ARMS = "arms"
NONE, ALL = "none", "all"
#: the attribute of an arm which says by which of several fits, each with a seed of its own
FIT_SEED = "fit_seed"
#: of a method's part: the number of the search of its rule; the first has none
SEARCH = "search"
#: a part that is a switch of the deployment
SWITCHES: Mapping[str, Switch] = {
    "trigger": Switch.TRIGGER,
    "audits": Switch.AUDITS,
    "rollback": Switch.ROLLBACK,
}


@dataclass(frozen=True, kw_only=True)
class Arm:
    """Which parts are on.

    Examples
    --------
    >>> Arm(gate=True, rollback=True).name, Arm().name
    ('gate+rollback', 'none')
    """

    gate: bool = False
    trigger: bool = False
    audits: bool = False
    learned: bool = False
    rollback: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts that are on."""
        return tuple(name for name in PARTS if getattr(self, name))

    @property
    def name(self) -> str:
        """As in tables: ``none``, ``all``, else the parts with ``+`` between them."""
        return {0: NONE, len(PARTS): ALL}.get(len(self.parts), "+".join(self.parts))

    def content(self) -> dict[str, bool]:
        """Return it as JSON."""
        return asdict(self)

    def switches(self, deployment: Any) -> int:
        """Return the switches of a deployment that are on in this arm.

        Parameters
        ----------
        deployment : component of kind ``deployment``
            Such as :class:`mlopsim.governance.deployments.governed.Governed`.

        Examples
        --------
        >>> from mlopsim.core.spec import make
        >>> deployment = make("deployment", {"governed": {"trigger": "ks", "fallback": 0.5}})
        >>> Switch(Arm(trigger=True, audits=True).switches(deployment))
        <Switch.SUSPEND|TRIGGER: 24>
        """
        on = [name for name in SWITCHES if getattr(self, name)]
        off = Switch(0)
        for name in SWITCHES:
            if name not in on:
                off |= SWITCHES[name]
        return int(switches_of(deployment) & ~off)

    def missing(self, deployment: Any, gate: Any) -> list[str]:
        """Return the parts that are on and that a task has not.

        Examples
        --------
        >>> from mlopsim.core.spec import make
        >>> Arm(gate=True, trigger=True, rollback=True).missing(make("deployment", "governed"), None)
        ['gate', 'trigger']
        """
        has = switches_of(deployment)
        lacking = [name for name, switch in SWITCHES.items() if switch not in has]
        lacking += ["gate"] if gate is None else []
        return [name for name in self.parts if name in lacking]


def switches_of(deployment: Any) -> Switch:
    """Return which mechanisms a governed deployment has.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> switches_of(make("deployment", {"governed": {"rollback": False, "reviewer": "delayed"}}))
    <Switch.REVIEW: 2>
    """
    has = {
        Switch.AUDITS: bool(deployment.audits or deployment.release),
        Switch.REVIEW: deployment.reviewer is not None,
        Switch.ROLLBACK: deployment.rollback,
        Switch.SUSPEND: deployment.fallback is not None,
        Switch.TRIGGER: deployment.trigger is not None,
    }
    found = Switch(0)
    for switch, there in has.items():
        if there:
            found |= switch
    return found


def all_arms() -> list[Arm]:
    """Return the 32 arms, from none to all.

    Examples
    --------
    >>> [arm.name for arm in all_arms()][:3], len(all_arms())
    (['none', 'rollback', 'learned'], 32)
    """
    return [
        Arm(**dict(zip(PARTS, on, strict=True))) for on in itertools.product([False, True], repeat=len(PARTS))
    ]


def arm_of(content: Mapping[str, Any]) -> Arm:
    """Return the arm of a method's part; one that is no arm has all that the task has."""
    if "arm" not in content:
        return Arm(**dict.fromkeys(PARTS, True))
    return Arm(**content["arm"])


def read_arm(entry: Any) -> Arm | None:
    """Read an entry of a list of methods; None: it is no arm.

    Parameters
    ----------
    entry : object
        ``none``, ``all``, ``gate+trigger``, or ``{arm: ...}`` with a name, a list of parts or a mapping of
        parts to true and false.

    Raises
    ------
    ConfigError
        If a part is unknown, or named twice.

    Examples
    --------
    >>> read_arm("trigger+gate").name, read_arm({"arm": ["learned"]}).name, read_arm("periodic")
    ('gate+trigger', 'learned', None)
    >>> read_arm("gate+gate")
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: the part gate is named twice in the arm gate+gate
      remedy: name it once
    """
    if isinstance(entry, str):
        if entry in (NONE, ALL, *PARTS) or "+" in entry:
            return _of_names(entry)
        return None
    if isinstance(entry, Mapping) and set(entry) == {"arm"}:
        value = entry["arm"]
        if isinstance(value, str):
            return _of_names(value)
        if isinstance(value, Mapping):
            _known(list(value), ", ".join(map(str, value)))
            wrong = next((name for name, on in value.items() if not isinstance(on, bool)), None)
            if wrong is not None:
                raise ConfigError(f"arm.{wrong} must be true or false, got {value[wrong]!r}")
            return Arm(**{str(name): on for name, on in value.items()})
        if isinstance(value, Sequence):
            return _of_parts(value, "+".join(map(str, value)))
        raise ConfigError(
            f"an arm is a name, a list of parts or a mapping, got {value!r}",
            remedy=f"parts: {', '.join(PARTS)}",
        )
    return None


def _of_names(text: str) -> Arm:
    if text in (NONE, ALL):
        return Arm(**dict.fromkeys(PARTS, text == ALL))
    return _of_parts(text.split("+"), text)


def _of_parts(names: Sequence[Any], text: str) -> Arm:
    _known(names, text)
    return Arm(**{str(name): True for name in names})


def _known(names: Sequence[Any], text: str) -> None:
    for i, name in enumerate(names):
        if name not in PARTS:
            raise ConfigError(
                f"the arm {text} has an unknown part '{name}'{nearest(str(name), PARTS)}",
                remedy=f"parts: {', '.join(PARTS)}",
            )
        if name in names[:i]:
            raise ConfigError(f"the part {name} is named twice in the arm {text}", remedy="name it once")
