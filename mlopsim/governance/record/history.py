"""What state a deployment was in at each decision, by carrying out its actions again."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mlopsim.delivery.mechanisms import Switch
from mlopsim.governance.record.deployed import Deployed
from mlopsim.governance.record.events import DEPLOYMENT, FALLBACK, OVERSIGHT
from mlopsim.governance.record.guarded import noticed, verdicts

#: names of what is known of the inputs and of what served, in the order of their columns
SHIFT = ("ks", "psi", "mean", "past_ks")
QUALITY = ("accuracy", "precision", "recall", "f1")


class Decision(NamedTuple):
    """A decision as an action and in words, and the events that it was."""

    action: int
    asked: str
    done: str
    events: list[tuple[str, str, dict[str, Any], dict[str, Any]]]


class History:
    """The state of a deployment at its S decisions and at its end, by carrying out its actions again.

    Parameters
    ----------
    deployed : Deployed

    Attributes
    ----------
    versions : ndarray of int64, shape (S + 1, K)
        Version by slot, newest first, -1 where empty.
    serving, candidate_of, flight : ndarray of int64, shape (S + 1,)
        What serves from then on (while suspended: what served last), the canary beside it, the version that
        is being trained or reviewed; -1: none.
    suspended : ndarray of bool, shape (S + 1,)
        Whether the fallback serves.
    mechanisms : Mechanisms or None
        What is optional in the deployment.
    switches : int or None
        Which of that is on.
    """

    def __init__(self, deployed: Deployed) -> None:
        from mlopsim.delivery import dynamics as d
        from mlopsim.delivery.engine import Engine

        self.deployed = deployed
        pool = deployed.pool
        self.delay, self.slots = int(deployed.deployment.label_delay), int(deployed.deployment.slots)
        # only what was given: a deployment knows its own mechanisms
        given = {} if deployed.mechanisms is None else {"mechanisms": deployed.mechanisms}
        engine = Engine(pool, deployed.deployment, 1, deployed.blocked, **given)
        on = {} if deployed.switches is None else {"switches": np.array([deployed.switches], dtype=np.int64)}
        engine.begin(np.array([deployed.world], dtype=np.int64), **on)
        #: what is optional in the deployment; None: nothing
        self.mechanisms: Any = getattr(engine, "mechanisms", None)
        states, quality = [engine.state.ints[0].copy()], [engine.state.floats[0].copy()]
        suspended = [False]
        for action in deployed.trajectory.asked[deployed.row]:
            engine.step(np.array([action], dtype=np.int64))
            states.append(engine.state.ints[0].copy())
            quality.append(engine.state.floats[0].copy())
            suspended.append(self.mechanisms is not None and bool(engine.suspended[0]))
        self.suspended = np.array(suspended)
        ints = np.stack(states).astype(np.int64)
        self.versions = ints[:, d.SLOTS_I + d.VERSION : d.SLOTS_I + self.slots * d.WIDTH_I : d.WIDTH_I]
        self.serving, self.candidate_of, self.flight = (
            ints[:, d.STABLE],
            ints[:, d.CANDIDATE],
            ints[:, d.FLIGHT],
        )
        self.switches: int | None = None
        if self.mechanisms is not None:
            self.switches = int(ints[0, d.SLOTS_I + self.slots * d.WIDTH_I + d.SWITCHES])
        self._seen = ints[:, d.SEEN] == 1
        self._quality = np.stack(quality)[:, d.QUALITY : d.QUALITY + len(QUALITY)]

    def candidate(self, s: int) -> int | None:
        """Return the canary of the window before decision s; None: there was none."""
        deployed = self.deployed
        found = int(deployed.trajectory.candidate[deployed.row, deployed.pool.warmup - 1 + s])
        return found if s > 0 and found >= 0 else None

    def word(self, action: int, s: int) -> str:
        """Return an action in words: versions instead of slots."""
        if action == 0:
            return "keep"
        if action == self.slots + 1:
            return "retrain"
        if action == self.slots + 2:
            return "suspend"
        version = int(self.versions[s, action - 1])
        return f"deploy {version}" if version >= 0 else f"deploy empty slot {action - 1}"

    def decision(self, s: int) -> Decision:
        """Return what was decided at decision s."""
        deployed = self.deployed
        trajectory, row, pool = deployed.trajectory, deployed.row, deployed.pool
        t = pool.warmup - 1 + s
        asked, done = int(trajectory.asked[row, s]), int(trajectory.executed[row, s])
        events: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = []
        who = deployed.method
        if deployed.alarms is not None and bool(deployed.alarms[s]):
            events.append(("alarm", deployed.method, {}, {}))
        override = next((entry for entry in deployed.overrides if entry.window == t), None)
        if override is not None:
            assert deployed.answers is not None
            who = OVERSIGHT
            content: dict[str, Any] = {
                "decision": override.decision,
                "instead_of": self.word(int(deployed.answers[s]), s),
                "by": override.by,
                "reason": override.reason,
            }
            events.append(("override", OVERSIGHT, content, {}))
        if asked != done:
            events.append(("impossible", who, {"asked": self.word(asked, s)}, {}))
        if done == self.slots + 1:
            version = t - self.delay
            start = int(pool.start[deployed.world, version])
            bounds = pool.bounds[deployed.world]
            content = {
                "version": version,
                "trained_on": [start, version],
                "rows": int(bounds[version + 1] - bounds[start]),
                "parent": int(self.serving[s]),
            }
            events.append(("retrain", who, content, {}))
        elif done == self.slots + 2:
            events.append(("suspend", who, {"instead_of": int(self.serving[s])}, {}))
        elif 0 < done <= self.slots:
            version, leads = int(self.versions[s, done - 1]), int(self.serving[s])
            if self.suspended[s]:
                events.append(("deploy", who, {"version": version, "ends_suspension": True}, {}))
            elif int(self.candidate_of[s]) >= 0:
                content = {"version": leads, "ends_canary": int(self.candidate_of[s])}
                events.append(("deploy", who, content, {}))
            else:
                kind = "rollback" if version < leads else "deploy"
                events.append((kind, who, {"version": version, "instead_of": leads}, {}))
        return Decision(asked, self.word(asked, s), self.word(done, s), events)

    def moved(self, s: int) -> list[tuple[str, str, dict[str, Any]]]:
        """Return what moved at the start of the window after decision s - 1: kind, trigger, content."""
        events: list[tuple[str, str, dict[str, Any]]] = []
        before, after = self.versions[s - 1].tolist(), self.versions[s].tolist()
        was, now = (FALLBACK if self.suspended[i] else int(self.serving[i]) for i in (s - 1, s))
        was_canary, canary = (int(self.candidate_of[i]) for i in (s - 1, s))
        flying = int(self.flight[s - 1])
        if self.deployed.trajectory.retrained[self.deployed.row, s - 1]:
            flying = self.deployed.pool.warmup - 2 + s - self.delay
        landed = flying >= 0 and int(self.flight[s]) < 0
        if landed:
            events += self._verdicts(flying, s, flying in after)
        gone = [version for version in before if version >= 0 and version not in after]
        events += [("evict", DEPLOYMENT, {"version": version}) for version in gone]
        if (was, was_canary) != (now, canary):
            content = {
                "to": now,
                "from": was,
                "canary": canary if canary >= 0 else None,
                "canary_before": was_canary if was_canary >= 0 else None,
            }
            mover = self._mover(s, flying if landed else -1)
            events.append(("switch", mover, content))
            if was == FALLBACK:
                events.append(("resume", mover, {"to": now}))
        return events

    def _verdicts(self, version: int, s: int, entered: bool) -> list[tuple[str, str, dict[str, Any]]]:
        """Return what was said of a version that has left the pipeline: gates, review, and its arrival."""
        if self.mechanisms is None:
            stopped = [("gate", DEPLOYMENT, {"version": version, "gate": "absolute", "verdict": "blocked"})]
            arrived = [("arrival", DEPLOYMENT, {"version": version, "approved_by": None})]
            return arrived if entered else stopped
        # what the gates compare it with: what was deployed in the same step stands already, unless that is
        # the version itself
        now = int(self.serving[s])
        served_last = now if now != version else int(self.serving[s - 1])
        return verdicts(self.deployed, self.mechanisms, self.switches, version, served_last, entered)

    def noticed(self, s: int) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
        """Return what a guarded deployment notices at the end of the window before decision s."""
        if self.mechanisms is None:
            return []
        return noticed(self.deployed, self.mechanisms, self.switches, int(self.serving[s]), s)

    def _mover(self, s: int, landed: int) -> str:
        """Say who moved the traffic: who decides, or the rules of the deployment (arrival, canary)."""
        deployed = self.deployed
        done = int(deployed.trajectory.executed[deployed.row, s - 1])
        moved_by_rule = landed >= 0 and landed in (int(self.serving[s]), int(self.candidate_of[s]))
        if moved_by_rule or done in (0, self.slots + 1):
            return DEPLOYMENT
        t = deployed.pool.warmup - 2 + s
        return OVERSIGHT if any(entry.window == t for entry in deployed.overrides) else deployed.method

    @property
    def _blind(self) -> bool:
        """Whether the shift of inputs is not observed: there is a trigger, and it is switched off."""
        mechanisms, on = self.mechanisms, self.switches
        return mechanisms is not None and mechanisms.alarm.size > 0 and Switch.TRIGGER not in Switch(on or 0)

    def known(self, s: int) -> dict[str, Any]:
        """Return what decision s was taken on, and what the window before it gave."""
        deployed = self.deployed
        pool, trajectory, row = deployed.pool, deployed.trajectory, deployed.row
        t, found = pool.warmup - 1 + s, dict[str, Any]()
        if s > 0:
            found["reward"] = {name: float(part[row, s - 1]) for name, part in trajectory.parts.items()}
            costs = getattr(trajectory, "costs", {})
            if costs:
                found["costs"] = {name: float(part[row, s - 1]) for name, part in costs.items()}
        if s < pool.steps:
            serving = int(self.serving[s])
            if serving >= 0 and not self._blind:
                shift = pool.shift[deployed.world, int(pool.cell(serving, t))]
                found["shift"] = dict(zip(SHIFT, map(float, shift), strict=True))
            found["seen"] = (
                dict(zip(QUALITY, map(float, self._quality[s]), strict=True)) if self._seen[s] else None
            )
            if deployed.margins is not None:
                found["margin"] = float(deployed.margins[s])
        return found
