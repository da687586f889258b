"""Rolling many deployments out in lock-step: by a selector, by a list of actions, by a plan.

In code a roll-out is a *walk* (through the arrays of a World), here and in the selectors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.errors import ConfigError, MlopsimError
from mlopsim.delivery.inputs import Feed
from mlopsim.delivery.mechanisms import Mechanisms
from mlopsim.delivery.selector import Selector, View

if TYPE_CHECKING:
    from mlopsim.delivery.engine import Engine
    from mlopsim.delivery.pool import WorldPool


@dataclass(kw_only=True)
class Trajectory:
    """What happened in N roll-outs of S = T - W decisions; column s is decision time W - 1 + s.

    Parameters
    ----------
    asked, executed : ndarray of int64, shape (N, S)
        The selector's answer, and what was done (0 where the answer was impossible).
    invalid : ndarray of bool, shape (N, S)
        Where it was impossible.
    served : ndarray of int64, shape (N, T)
        Version that served each window (the base of a canary), -1 before window W, -2 (``FALLBACK`` of
        :mod:`mlopsim.delivery.mechanisms`) where the fallback did.
    candidate : ndarray of int64, shape (N, T)
        Version of the canary in each window, -1 where there was none.
    reward : ndarray of float64, shape (N, S)
        Reward of window W + s.
    parts : dict of str to ndarray of float64, shape (N, S)
        ``quality``, ``switch``, ``retrain``, ``shadow``; costs are negative, and in this order they add up to
        the reward.
    retrained : ndarray of bool, shape (N, S)
        Where a retrain was decided.
    costs : dict of str to ndarray of float64, shape (N, S)
        What window W + s costs by each constraint; empty without any.
    answered : ndarray of int64, shape (N, S), optional
        What the selector itself answered in a walk with ``forced``, -1 where it was not asked; None without.
    """

    asked: np.ndarray
    executed: np.ndarray
    invalid: np.ndarray
    served: np.ndarray
    candidate: np.ndarray
    reward: np.ndarray
    parts: dict[str, np.ndarray]
    retrained: np.ndarray
    costs: dict[str, np.ndarray] = field(default_factory=dict)
    answered: np.ndarray | None = None

    @property
    def returns(self) -> np.ndarray:
        """Sum of the rewards of each roll-out, float64 of shape (N,)."""
        total: np.ndarray = self.reward.sum(axis=1)
        return total


def walk(
    selector: Selector,
    pool: WorldPool,
    deployment: Any,
    which: Sequence[int] | np.ndarray | None = None,
    seeds: Sequence[np.random.SeedSequence] | None = None,
    *,
    blocked: np.ndarray | None = None,
    mechanisms: Mechanisms | None = None,
    switches: np.ndarray | None = None,
    forced: np.ndarray | None = None,
) -> Trajectory:
    """Let a selector decide in N deployments, in lock-step.

    Parameters
    ----------
    selector : Selector
        It answers for all deployments at once. A class attribute ``uses_errors = False`` says that it does
        not read ``view.errors``, which is then empty, (N, 0); ``uses_inputs = True`` that it reads
        ``view.inputs``, for which the rows of the Worlds are drawn again.
    pool : WorldPool
        Worlds.
    deployment : component of kind ``deployment``
        Parameters of the dynamics.
    which : sequence of int, optional
        World of every deployment, as numbers in the pool; by default each World once.
    seeds : sequence of SeedSequence, optional
        One per deployment, handed to the selector; by default children of SeedSequence(0).
    blocked : ndarray of bool, shape (M, T), optional
        Versions that a gate blocks on arrival.
    mechanisms : Mechanisms, optional
        See :class:`mlopsim.delivery.engine.Engine`; by default those of the deployment.
    switches : ndarray of int64, shape (N,), optional
        Which of them are on in each roll-out; by default those that the mechanisms say.
    forced : ndarray of int, shape (N, S), optional
        Actions that stand in place of the selector's answers; -1: its answer stands. It is asked at every
        step all the same, so that what it remembers is what it saw and answered itself: nobody tells it that
        an answer was replaced, it sees what follows. One that says ``memoryless = True`` has nothing to
        remember, and is asked only where its answer stands.

    Returns
    -------
    Trajectory

    Raises
    ------
    MlopsimError
        If the selector answers with something that is no action.
    ConfigError
        If ``forced`` has another shape or names an action that is none.
    """
    engine, worlds = _engine(pool, deployment, which, blocked, mechanisms)
    if seeds is None:
        seeds = np.random.SeedSequence(0).spawn(len(worlds))
    if len(seeds) != len(worlds):
        raise ConfigError(f"{len(worlds)} roll-outs need as many seeds, got {len(seeds)}")
    interface = engine.interface
    with_errors = bool(getattr(selector, "uses_errors", True))
    nothing = np.empty((len(worlds), 0), dtype=np.int8)
    walks = np.arange(len(worlds))
    # who does not know that a deployment can be suspended does not see the action
    seen = engine.actions if getattr(selector, "can_suspend", False) else engine.slots + 2
    feed = Feed([pool.inputs[i] for i in worlds]) if getattr(selector, "uses_inputs", False) else None
    selector.reset(len(worlds), interface, seeds)

    def look() -> View:
        versions, serving = engine.versions, engine.serving
        return View(
            interface=interface,
            t=engine.time,
            obs=engine.obs.copy(),
            mask=engine.mask[:, :seen].copy(),
            versions=versions,
            serving=serving,
            errors=engine.errors() if with_errors else nothing,
            inputs=None if feed is None else feed.at(engine.time, versions[walks, serving]),
        )

    if forced is None:
        return _run(
            engine, worlds, lambda _: _checked(selector.act(look()), engine.n, engine, selector), switches
        )
    _check_forced(forced, len(worlds), pool.steps, engine.actions)
    answered = np.full(forced.shape, -1, dtype=np.int64)
    some = bool(getattr(selector, "memoryless", False)) and not (with_errors or feed is not None)

    def decide(s: int) -> np.ndarray:
        free = np.flatnonzero(forced[:, s] < 0) if some else walks
        if len(free):
            view = look() if len(free) == len(walks) else look().rows(free)
            answered[free, s] = _checked(selector.act(view), len(free), engine, selector)
        return np.where(forced[:, s] < 0, answered[:, s], forced[:, s]).astype(np.int64)

    trajectory = _run(engine, worlds, decide, switches)
    trajectory.answered = answered
    return trajectory


def replay(
    actions: np.ndarray,
    pool: WorldPool,
    deployment: Any,
    which: Sequence[int] | np.ndarray | None = None,
    *,
    blocked: np.ndarray | None = None,
    mechanisms: Mechanisms | None = None,
    switches: np.ndarray | None = None,
) -> Trajectory:
    """Carry out given actions.

    Parameters
    ----------
    actions : ndarray of int, shape (N, S)
        One row per deployment, one column per decision.
    pool, deployment, which, blocked, mechanisms, switches
        See :func:`walk`.

    Returns
    -------
    Trajectory
    """
    engine, worlds = _engine(pool, deployment, which, blocked, mechanisms)
    if actions.shape != (len(worlds), pool.steps):
        raise ConfigError(f"actions must have the shape {(len(worlds), pool.steps)}, got {actions.shape}")
    return _run(engine, worlds, lambda s: _checked(actions[:, s], engine.n, engine, None), switches)


def _engine(
    pool: WorldPool,
    deployment: Any,
    which: Sequence[int] | np.ndarray | None,
    blocked: np.ndarray | None,
    mechanisms: Mechanisms | None,
) -> tuple[Engine, np.ndarray]:
    # numba is slow to import
    from mlopsim.delivery.engine import Engine

    worlds = np.arange(len(pool)) if which is None else np.asarray(which, dtype=np.int64)
    return Engine(pool, deployment, len(worlds), blocked, mechanisms=mechanisms), worlds


def _check_forced(forced: np.ndarray, n: int, steps: int, actions: int) -> None:
    if forced.shape != (n, steps) or forced.dtype.kind != "i":
        raise ConfigError(
            f"forced must be integers of the shape {(n, steps)}, got {forced.dtype} of shape {forced.shape}"
        )
    if forced.size and (forced.min() < -1 or forced.max() >= actions):
        raise ConfigError(
            f"forced holds {forced.min()}..{forced.max()}: actions are 0..{actions - 1}, and -1 is none"
        )


def _checked(answer: np.ndarray, n: int, engine: Engine, selector: Selector | None) -> np.ndarray:
    who = "the list of actions" if selector is None else selector.full_name
    actions = np.ascontiguousarray(answer)
    if actions.shape != (n,) or actions.dtype.kind not in "iu":
        raise MlopsimError(
            f"{who} must answer with {n} integers, got {actions.dtype} of shape {actions.shape}"
        )
    if actions.min() < 0 or actions.max() >= engine.actions:
        raise MlopsimError(
            f"{who} answered {actions.min()}..{actions.max()}: actions are 0..{engine.actions - 1}"
        )
    return actions.astype(np.int64)


def _run(
    engine: Engine, worlds: np.ndarray, decide: Callable[[int], np.ndarray], switches: np.ndarray | None
) -> Trajectory:
    from mlopsim.delivery.dynamics import PARTS

    n, steps = engine.n, engine.pool.steps
    asked = np.zeros((n, steps), dtype=np.int64)
    executed = np.zeros((n, steps), dtype=np.int64)
    invalid = np.zeros((n, steps), dtype=bool)
    reward = np.zeros((n, steps))
    parts = np.zeros((len(PARTS), n, steps))
    costs = np.zeros((len(engine.constraints), n, steps))
    engine.begin(worlds, switches=switches)
    for s in range(steps):
        actions = decide(s)
        engine.step(actions)
        asked[:, s] = actions
        executed[:, s] = engine.executed
        invalid[:, s] = engine.executed != actions
        reward[:, s] = engine.reward
        parts[:, :, s] = engine.parts.T
        costs[:, :, s] = engine.costs.T
    return Trajectory(
        asked=asked,
        executed=executed,
        invalid=invalid,
        served=engine.stable,
        candidate=engine.candidate,
        reward=reward,
        parts=dict(zip(PARTS, parts, strict=True)),
        retrained=executed == engine.slots + 1,
        costs=dict(zip(engine.constraints, costs, strict=True)),
    )
