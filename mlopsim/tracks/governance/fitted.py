"""Tasks that are played with the fits of another one: the same rule or agent under other conditions.

A rival of a part is a task in which something simpler, or something that knows the truth, stands in its
place. Tuned anew under it, methods differ in what they were fitted to as well; with the fits of the task that
has the part they differ in nothing but what the rival does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.spec import make
from mlopsim.core.track import Task
from mlopsim.tracks.governance.arms import switches_of

#: of a task: the name of the one under whose conditions its fits are made
FITTED = "fitted"
#: of a task: in which parts it differs from that one
RIVAL = "rival"
#: what fits hang on; they are made from training scenarios, whatever the task's own stream is
CONDITIONS = ("learner", "training", "gate", "deployment")


def conditions_of_fits(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the conditions under which the fits of a task are made: by default its own.

    Examples
    --------
    >>> conditions_of_fits({"gate": "random", "fitted": {"gate": "iqr"}})["gate"]
    'iqr'
    """
    return {**part, **part.get(FITTED, {})}


def played_elsewhere(task: Task, name: Any, tasks: Mapping[str, Task]) -> Task:
    """Return a task whose fits are made under the conditions of another one.

    Parameters
    ----------
    task : Task
    name : str
        Of the other.
    tasks : mapping of str to Task
        All of the suite, by name.

    Raises
    ------
    ConfigError
        If there is no such task, or its fits do not know what could be done here.
    """
    if name not in tasks or name == task.name:
        raise ConfigError(
            f"task '{task.name}': fitted is {name!r}, which is no other task{nearest(str(name), tasks)}",
            remedy="the name of a task of the suite, under whose conditions fits are made",
        )
    conditions = {kind: tasks[name].part[kind] for kind in CONDITIONS}
    _refuse(task, name, conditions)
    content = {**task.part, FITTED: conditions}
    facts = {**task.attributes, FITTED: name, RIVAL: ", ".join(_differing(task.part, conditions)) or None}
    return replace(task, part=content, attributes=facts)


def _refuse(task: Task, name: str, conditions: Mapping[str, Any]) -> None:
    """Raise where fits of another task do not know the actions, switches or limits of this one."""
    here, there = (make("deployment", part["deployment"]) for part in (task.part, conditions))
    facts = {
        "slots": (here.slots, there.slots),
        "a data gate": (task.part["gate"] is not None, conditions["gate"] is not None),
        "limits": (here.limit_names(), there.limit_names()),
    }
    names = {one.name.lower(): one for one in switches_of(here) | switches_of(there) if one.name}
    for switch, one in names.items():
        facts[f"the switch {switch}"] = (one in switches_of(here), one in switches_of(there))
    for what, (mine, other) in facts.items():
        if mine != other:
            raise ConfigError(
                f"task '{task.name}' cannot be played with the fits of '{name}', which differs in {what}: "
                f"{_text(other)} there, {_text(mine)} here",
                remedy="leave fitted out: it is fitted under its own conditions",
            )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _differing(part: Mapping[str, Any], conditions: Mapping[str, Any]) -> list[str]:
    """Return the parts of the loop in which the conditions of a task differ from those of its fits."""
    here, there = part["deployment"]["params"], conditions["deployment"]["params"]
    changed = {key for key in {*here, *there} if here.get(key) != there.get(key)}
    found = ["gate"] if part["gate"] != conditions["gate"] else []
    known = {"trigger": {"trigger"}, "audits": {"audits", "release", "alpha"}, "reviewer": {"reviewer"}}
    found += [name for name, keys in known.items() if keys & changed]
    rest = sorted(changed - set().union(*known.values()))
    rest += [kind for kind in ("learner", "training") if part[kind] != conditions[kind]]
    if part["deployment"]["name"] != conditions["deployment"]["name"]:
        rest.append("deployment")
    return found + rest
