"""The decisions of a deployment with their reasons: what else there was, and what it would have come to."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.governance.compliance.case import Case
from mlopsim.governance.explained.forks import Forks, fork
from mlopsim.governance.explained.reasons import Reasons, reasons
from mlopsim.governance.explained.scene import Scene


@dataclass(frozen=True, kw_only=True)
class Reasoned:
    """A decision that was not to keep, or that somebody overruled.

    Parameters
    ----------
    window : int
        After which it was taken.
    done : str
        What was done, in words.
    by : str
        Who decided.
    said : str
        What the method had answered; the same where nobody overruled it.
    rival : str
        The best other action in hindsight; empty if there was none.
    why : Reasons or None
        What was done against its rival, in parts of the reward, exact in hindsight.
    followed : float
        Value of what was done less that of what the method had answered (keep, where that was impossible), in
        hindsight; 0 where nobody overruled it.
    """

    window: int
    done: str
    by: str
    said: str
    rival: str
    why: Reasons | None
    followed: float


#: they are asked for by the page and by its checks
_made: WeakKeyDictionary[Case, list[Reasoned]] = WeakKeyDictionary()


def scene_of(case: Case) -> Scene:
    """Return the deployment as one that can be walked again."""
    deployed = case.deployed
    assert deployed.seed is not None
    options = {"blocked": deployed.blocked, "mechanisms": deployed.mechanisms}
    switches = deployed.switches
    return Scene(
        pool=deployed.pool,
        deployment=deployed.deployment,
        which=np.array([deployed.world]),
        seeds=[deployed.seed],
        options={name: value for name, value in options.items() if value is not None},
        each={} if switches is None else {"switches": np.array([switches], dtype=np.int64)},
    )


def decisions_of(case: Case) -> list[Reasoned]:
    """Return the decisions in order of time, each with its reasons.

    Raises
    ------
    ConfigError
        If the method follows a plan with hindsight: it decided on no observation.
    """
    if case not in _made:
        _made[case] = _decisions_of(case)
    return _made[case]


def _decisions_of(case: Case) -> list[Reasoned]:
    deployed, history = case.deployed, case.history
    if deployed.policy is None or deployed.seed is None:
        raise ConfigError(
            f"{deployed.method} follows a plan with hindsight: it decided on no observation",
            remedy="name a cell of a method that decides window by window",
        )
    overruled = {entry.window: entry.by for entry in deployed.overrides}
    executed = deployed.trajectory.executed[deployed.row]
    steps = [s for s in range(case.steps) if executed[s] != 0 or case.first - 1 + s in overruled]
    if not steps:
        return []
    places = np.array([(0, s) for s in steps], dtype=np.int64)
    forks = fork(scene_of(case), deployed.policy, places, forced=executed[None].astype(np.int64))
    found = []
    for i, s in enumerate(steps):
        window, done = case.first - 1 + s, int(forks.done[i])
        rival = _rival(forks, i)
        answer = done if deployed.answers is None else int(deployed.answers[s])
        values = forks.values[i]
        instead = answer if forks.mask[i, answer] else 0
        found.append(
            Reasoned(
                window=window,
                done=history.word(done, s),
                by=overruled.get(window, deployed.method),
                said=history.word(answer, s),
                rival="" if rival is None else history.word(rival, s),
                why=None if rival is None else reasons(_parts(forks, i, done), _parts(forks, i, rival)),
                followed=float(values[done] - values[instead]),
            )
        )
    return found


def _rival(forks: Forks, i: int) -> int | None:
    """Return the best other action of decision i in hindsight."""
    others = forks.values[i].copy()
    others[forks.done[i]] = np.nan
    return None if np.isnan(others).all() else int(np.nanargmax(others))


def _parts(forks: Forks, i: int, action: int) -> dict[str, float]:
    return {name: float(part[i, action]) for name, part in forks.parts.items()}
