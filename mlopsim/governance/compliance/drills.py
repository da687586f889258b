"""Drills: is what serves stopped, replaced or overruled if somebody says so, whenever they say so?

A drill carries the actions of the deployment out up to a decision, and another action there. That is one more
walk through the same arrays, so it is done at every decision, not at one that was chosen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.governance.compliance.case import Case
from mlopsim.governance.record.derived import events_of
from mlopsim.governance.record.events import FALLBACK
from mlopsim.governance.record.overrides import Override

if TYPE_CHECKING:
    from mlopsim.delivery.walk import Trajectory


@dataclass(frozen=True, kw_only=True)
class Drill:
    """What came of it.

    Parameters
    ----------
    windows : ndarray of int64, shape (D,)
        Windows after which it was tried.
    took : ndarray of int64, shape (D,)
        Windows until what served was what should serve; 0: it was not.
    """

    windows: np.ndarray
    took: np.ndarray

    @property
    def failed(self) -> np.ndarray:
        """Windows after which it did not work."""
        return np.asarray(self.windows[self.took == 0])


@dataclass(frozen=True, kw_only=True)
class OverrideDrill:
    """What came of overruling: at which window, by what, whether it was done, and whether it is on record."""

    window: int
    decision: str
    done: bool
    recorded: bool


def _instead(case: Case, steps: np.ndarray, actions: np.ndarray | int) -> Trajectory:
    """Carry out what was done up to each of D decisions, and another action there; D roll-outs."""
    from mlopsim.delivery.walk import replay

    deployed = case.deployed
    asked = np.repeat(deployed.trajectory.asked[[deployed.row]], len(steps), axis=0)
    asked[np.arange(len(steps)), steps] = actions
    switches = None if deployed.switches is None else np.full(len(steps), deployed.switches, dtype=np.int64)
    return replay(
        asked,
        deployed.pool,
        deployed.deployment,
        np.full(len(steps), deployed.world),
        blocked=deployed.blocked,
        mechanisms=deployed.mechanisms,
        switches=switches,
    )


def suspend_drill(case: Case) -> Drill | None:
    """Suspend after every window: does the fallback serve the next one? None: there is no fallback."""
    if case.mechanisms is None or not case.mechanisms.suspends:
        return None
    steps = np.arange(case.steps)
    then = _instead(case, steps, case.history.slots + 2)
    reached = then.served[steps, case.first + steps] == FALLBACK
    return Drill(windows=case.first - 1 + steps, took=reached.astype(np.int64))


def supersede_drill(case: Case) -> Drill:
    """Deploy another version after every window at which one is held: does what served no longer serve alone?

    Where that is impossible (a version arrives in the next window, and no other traffic moves then) it is
    tried once more, one window later. Left out are windows in which the fallback or a canary serves, and the
    last two.
    """
    steps, actions = _other_versions(case, np.arange(max(0, case.steps - 2)))
    moved = _moved(case, steps, actions)
    took = moved.astype(np.int64)
    for i in np.flatnonzero(~moved).tolist():
        s, kept = int(steps[i]), _instead(case, steps[[i]], 0)
        later = replace(case, deployed=replace(case.deployed, trajectory=kept, row=0))
        if later.served[s] != case.history.serving[s]:
            # the version that arrived has replaced it
            took[i] = 1
            continue
        then, action = _other_versions(later, np.array([s + 1]))
        took[i] = 2 * int(len(then) > 0 and bool(_moved(later, then, action)[0]))
    return Drill(windows=case.first - 1 + steps, took=took)


def _other_versions(case: Case, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return those of some decisions at which another version is held, and what deploys the newest one."""
    history, found, actions = case.history, [], []
    for s in steps.tolist():
        serving = int(history.serving[s])
        slots = [k for k, v in enumerate(history.versions[s].tolist()) if v >= 0 and v != serving]
        if slots and not history.suspended[s] and int(history.candidate_of[s]) < 0:
            found.append(s)
            actions.append(1 + slots[0])
    return np.array(found, dtype=np.int64), np.array(actions, dtype=np.int64)


def _moved(case: Case, steps: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """Return after which of some actions something else served, or served beside it."""
    if not len(steps):
        return np.zeros(0, dtype=bool)
    then = _instead(case, steps, actions)
    place = np.arange(len(steps)), case.first + steps
    found: np.ndarray = (then.served[place] != case.history.serving[steps]) | (then.candidate[place] >= 0)
    return found


def override_drill(case: Case) -> OverrideDrill:
    """Let somebody decide otherwise at one window: is that done, and is it on record as theirs?

    It is tried at the first window after which the method did something, which becomes keep; if it never did,
    at the first one after which a retrain can be carried out.

    Raises
    ------
    ConfigError
        If the method follows a plan with hindsight, which cannot be overruled.
    """
    deployed, taken = case.deployed, {entry.window for entry in case.deployed.overrides}
    executed = deployed.trajectory.executed[deployed.row]
    free = [s for s in range(case.steps) if case.first - 1 + s not in taken]
    did = [s for s in free if executed[s] != 0]
    decision, action = "keep", 0
    if not did:
        steps = np.array(free, dtype=np.int64)
        decision, action = "retrain", case.history.slots + 1
        carried_out = _instead(case, steps, action).retrained[np.arange(len(steps)), steps]
        did = steps[carried_out].tolist()
    if not did:
        raise ConfigError("there is no window at which anything else could have been done")
    window = case.first - 1 + did[0]
    entry = Override(window=window, decision=decision, by="drill", reason="drill")
    again = case.again([*deployed.overrides, entry])
    told = [event for event in events_of(again) if event.window == window]
    done = int(again.trajectory.executed[again.row, did[0]]) == action
    return OverrideDrill(
        window=window,
        decision=decision,
        done=done,
        recorded=any(event.kind == "override" and event.content["by"] == "drill" for event in told),
    )
