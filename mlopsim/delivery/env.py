"""The delivery environment for Gymnasium, one deployment at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium import spaces

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import Spec
from mlopsim.delivery.engine import Engine
from mlopsim.delivery.env_arguments import check_options, check_seed, whole_numbers
from mlopsim.delivery.features import CAP
from mlopsim.delivery.mechanisms import Mechanisms, arms_of, check_switches
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.rendering import FPS, MODES, Recorder, check_mode
from mlopsim.delivery.scenarios import open_scenarios

if TYPE_CHECKING:
    from mlopsim.world.world import World


def make_spaces(engine: Engine) -> tuple[spaces.Box, spaces.Discrete]:
    """Return the observation space (bounds hold by construction) and the action space of one deployment."""
    return (
        spaces.Box(-1.0, CAP, shape=(len(engine.names),), dtype=np.float32),
        spaces.Discrete(engine.actions),
    )


class DeliveryEnv(gymnasium.Env[np.ndarray, np.int64]):
    """Which version serves, and when to retrain: ``mlopsim/Delivery-v1``.

    Observation: flat float32 vector, see :mod:`mlopsim.delivery.features`. Action: 0 keep, 1..K deploy
    slot i - 1 (slot 0 is the newest version), K + 1 retrain; an impossible action is executed as keep and
    counted. Reward: quality of what served in the next window minus costs. An episode has T - W steps and
    ends by truncation. ``info`` has the parts of the reward (``quality``, ``switch``, ``retrain``,
    ``shadow``; they add up to it), ``executed`` and ``invalid``; at reset the ``scenario``.

    Parameters
    ----------
    stream, learner, training : spec
        What the Worlds are made of.
    deployment : spec
        The deployment.
    split : str, default "train"
        Which branch of the scenarios.
    scenarios : int, default 100
        Number of scenarios; each episode draws one of them with the environment's own generator.
    root : int, default 0
        Root of all seeds.
    worlds, pool
        Worlds or a :class:`WorldPool` at hand, instead of the specs.
    centre : bool, default False
        For training: subtract the mean reward over the versions that could serve from each reward.
    blocked : ndarray of bool, shape (M, T), optional
        Versions that a gate blocks on arrival.
    mechanisms : Mechanisms, optional
        See :class:`mlopsim.delivery.engine.Engine`; by default those of the deployment. With mechanisms
        ``info`` has ``cost`` and ``costs`` (by constraint) of the window, too, and with a fallback there is
        an action K + 2, suspend.
    arms : sequence of int, optional
        With mechanisms: each episode draws one of these switches
        (:class:`mlopsim.delivery.mechanisms.Switch`); by default those of the mechanisms are on.
    render_mode : {"ansi", "rgb_array"}, optional
        What :meth:`render` returns: the line of the last step, or the deployment's time line so far, a
        picture uint8 of shape (240, 800, 3) of which Gymnasium's recorders make a film.

    Notes
    -----
    ``reset(options={"scenario": k})`` rolls scenario k out, ``{"switches": s}`` with these mechanisms on
    (which the info then has, too). Other options, and scenarios or actions that are
    no whole numbers in their range, are errors that leave the episode as it is.
    """

    metadata = {"render_modes": list(MODES), "render_fps": FPS}

    def __init__(
        self,
        stream: Spec = "procedural",
        learner: Spec = "ridge",
        training: Spec = "last",
        deployment: Spec = "standard",
        split: str = "train",
        scenarios: int = 100,
        root: int = 0,
        *,
        worlds: Sequence[World] | None = None,
        pool: WorldPool | None = None,
        centre: bool = False,
        blocked: np.ndarray | None = None,
        mechanisms: Mechanisms | None = None,
        arms: Sequence[int] | None = None,
        render_mode: str | None = None,
    ) -> None:
        self.render_mode = check_mode(render_mode)
        found, built = open_scenarios(
            stream, learner, training, deployment, split, scenarios, root, worlds, pool
        )
        self.pool, self.deployment = found, built
        self.engine = Engine(found, built, 1, blocked, mechanisms=mechanisms)
        self._guarded = self.engine.mechanisms is not None
        self._arms = arms_of(self.engine.mechanisms, arms)
        self.feature_names = self.engine.names
        self.observation_space, self.action_space = make_spaces(self.engine)
        lag = built.label_delay + built.latency + 1
        self._baseline = found.baseline(lag) if centre else None
        self._actions = np.zeros(1, dtype=np.int64)
        self._step, self._obs, self._mask = self.engine.step, self.engine.obs[0], self.engine.mask[0]
        self._parts, self._costs = self.engine.parts[0], self.engine.costs[0]
        self._n_actions = self.engine.actions
        self._running = False
        self._recorder = Recorder(self.engine) if self.render_mode else None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode; returns the observation at decision time W - 1 and the scenario."""
        given = check_options(options, ("scenario", "switches") if self._guarded else ("scenario",))
        check_seed(seed)
        if "scenario" in given:
            wanted = whole_numbers(given["scenario"], (), len(self.pool), "the scenario")
        asked = check_switches(given["switches"], ()) if "switches" in given else None
        super().reset(seed=seed)
        scenario = int(self.np_random.integers(len(self.pool)))
        if "scenario" in given:
            scenario = int(wanted)
        info: dict[str, Any] = {"scenario": scenario}
        switches = None
        if self._guarded:
            arm = int(self._arms[self.np_random.integers(len(self._arms)) if len(self._arms) > 1 else 0])
            info["switches"] = arm if asked is None else int(asked)
            switches = np.array([info["switches"]], dtype=np.int64)
        self.engine.begin(np.array([scenario], dtype=np.int64), switches=switches)
        if self._recorder is not None:
            self._recorder.begin([0])
        self._running = True
        return self._obs.copy(), info

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Decide, serve the next window."""
        # what a plain integer is need not be asked of numpy
        if type(action) is int and 0 <= action < self._n_actions:
            number = action
        else:
            number = int(whole_numbers(action, (), self._n_actions, "an action"))
        if not self._running:
            raise ConfigError("the episode is over", remedy="call reset()")
        self._actions[0] = number
        ended = self._step(self._actions)
        if self._recorder is not None:
            self._recorder.add(self._actions)
        self._running = not ended
        quality, switch, retrain, shadow = self._parts.tolist()
        reward = ((quality + switch) + retrain) + shadow
        executed = int(self.engine.executed[0])
        info: dict[str, Any] = {
            "quality": quality,
            "switch": switch,
            "retrain": retrain,
            "shadow": shadow,
            "executed": executed,
            "invalid": executed != number,
        }
        if self._guarded:
            info["cost"] = float(self.engine.cost[0])
            info["costs"] = dict(zip(self.engine.constraints, self._costs.tolist(), strict=True))
        if self._baseline is not None:
            reward -= float(self._baseline[self.engine.world[0], self.engine.time[0]])
        return self._obs.copy(), reward, False, ended, info

    def render(self) -> Any:
        """Return what the render mode says of the episode so far; None, with a warning, without a mode."""
        if self._recorder is None or self.render_mode is None:
            gymnasium.logger.warn(
                f"render() without a render_mode; give one of {', '.join(MODES)} at the start"
            )
            return None
        return self._recorder.render(0, self.render_mode)

    def action_masks(self) -> np.ndarray:
        """Return which actions are possible now, bool of shape (K + 2,), with a fallback (K + 3,)."""
        mask: np.ndarray = self._mask.copy()
        return mask
