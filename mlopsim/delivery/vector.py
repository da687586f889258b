"""The delivery environment for Gymnasium, many deployments at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import Spec
from mlopsim.delivery.dynamics import PARTS
from mlopsim.delivery.engine import Engine
from mlopsim.delivery.env import make_spaces
from mlopsim.delivery.env_arguments import check_options, check_seed, reset_rows, whole_numbers
from mlopsim.delivery.mechanisms import Mechanisms, arms_of, check_switches
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.rendering import FPS, MODES, Recorder, check_mode
from mlopsim.delivery.scenarios import open_scenarios

if TYPE_CHECKING:
    from mlopsim.world.world import World


#: scenarios that an environment draws at once
DRAWS = 32


class DeliveryVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """N delivery environments in one compiled step: ``gymnasium.make_vec("mlopsim/Delivery-v1", N)``.

    Autoreset is SAME_STEP: where an episode ends, the observation returned is the first one of the next
    episode, and ``info["final_obs"]`` (an object array) and ``info["final_info"]`` hold the last ones. Every
    environment draws its scenarios from a generator of its own, a child of the seed.

    Parameters
    ----------
    num_envs : int, default 1
        Number of environments N.
    stream, learner, training, deployment, split, scenarios, root, worlds, pool, centre, blocked, mechanisms
        See :class:`mlopsim.delivery.env.DeliveryEnv`. ``info["costs"]`` maps the constraints to arrays (N,).
    arms : sequence of int, optional
        Likewise; every environment draws its own.
    stagger : bool, default False
        For training: cut the first episode after a reset at lengths spread evenly over 1..T-W, so that the
        environments are not all at the same time of an episode.
    render_mode : {"ansi", "rgb_array"}, optional
        As of :class:`mlopsim.delivery.env.DeliveryEnv`; :meth:`render` returns one line or picture for each
        environment. Where an episode has ended it is the beginning of the next one, as with all that a step
        returns.

    Notes
    -----
    ``reset(seed=s)`` with an int; ``reset(options={"scenario": array})`` rolls these scenarios out first
    (one for all, or one each). ``reset(options={"reset_mask": array})``, N booleans as of Gymnasium, begins
    anew where they are true and leaves the other episodes as they are; a seed is then for those alone, and
    ``scenario`` of the info is -1 in the others. With mechanisms ``{"switches": array}`` says which of them
    are on in the episodes that begin (one for all, or one each), and the info says it. Other options are
    errors. Arrays that are returned belong
    to the caller.
    """

    metadata = {
        "autoreset_mode": AutoresetMode.SAME_STEP,
        "render_modes": list(MODES),
        "render_fps": FPS,
    }

    def __init__(
        self,
        num_envs: int = 1,
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
        stagger: bool = False,
        blocked: np.ndarray | None = None,
        mechanisms: Mechanisms | None = None,
        arms: Sequence[int] | None = None,
        render_mode: str | None = None,
    ) -> None:
        self.render_mode = check_mode(render_mode)
        if isinstance(num_envs, bool) or not isinstance(num_envs, int | np.integer) or num_envs < 1:
            raise ConfigError(f"num_envs must be a whole number of at least 1, got {num_envs!r}")
        found, built = open_scenarios(
            stream, learner, training, deployment, split, scenarios, root, worlds, pool
        )
        self.num_envs = num_envs
        self.pool, self.deployment = found, built
        self.engine = Engine(found, built, num_envs, blocked, mechanisms=mechanisms)
        self._guarded = self.engine.mechanisms is not None
        self._arms = arms_of(self.engine.mechanisms, arms)
        self._drawn_arms = np.zeros((num_envs, DRAWS), dtype=np.int64)
        self.feature_names = self.engine.names
        self.single_observation_space, self.single_action_space = make_spaces(self.engine)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        lag = built.label_delay + built.latency + 1
        self._baseline = found.baseline(lag) if centre else None
        self._stagger = stagger
        self._generators: list[np.random.Generator] = []
        self._drawn = np.zeros((num_envs, DRAWS), dtype=np.int64)
        self._used = np.full(num_envs, DRAWS)
        self._no = np.zeros(num_envs, dtype=bool)
        self._yes = np.ones(num_envs, dtype=bool)
        self._recorder = Recorder(self.engine) if self.render_mode else None

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start all episodes, or those of the mask; returns observations (N, F) and the scenarios."""
        known = ("scenario", "reset_mask", "switches") if self._guarded else ("scenario", "reset_mask")
        given = check_options(options, known)
        if isinstance(seed, list):
            raise ConfigError("a vector environment takes one seed", remedy="reset(seed=0)")
        check_seed(seed)
        n = self.num_envs
        rows = reset_rows(given["reset_mask"], n) if "reset_mask" in given else np.arange(n)
        if len(rows) < n and not self._generators:
            raise ConfigError("no episode has begun", remedy="call reset() without a mask first")
        asked = given.get("scenario")
        if asked is not None:
            shape = (
                (n,)
                if isinstance(asked, list | tuple) or (isinstance(asked, np.ndarray) and asked.ndim)
                else ()
            )
            asked = np.broadcast_to(whole_numbers(asked, shape, len(self.pool), "scenarios"), (n,))
        on = given.get("switches")
        if on is not None:
            on = np.broadcast_to(check_switches(on, (n,) if np.ndim(on) else ()), (n,))
        super().reset(seed=seed)
        if seed is not None or not self._generators:
            children = np.random.SeedSequence(seed).spawn(n)
            fresh = [np.random.Generator(np.random.PCG64(child)) for child in children]
            anew = set(rows.tolist())
            self._generators = [fresh[i] if i in anew else self._generators[i] for i in range(n)]
            self._used[rows] = DRAWS
        drawn, switches = self._draw(rows)
        if asked is not None:
            drawn = np.ascontiguousarray(asked[rows])
        if on is not None:
            switches = np.ascontiguousarray(on[rows])
        lengths = None
        if self._stagger:
            lengths = (1 + (np.arange(n, dtype=np.int64) * self.pool.steps) // n)[rows]
        self.engine.begin(drawn, rows, lengths=lengths, switches=switches)
        if self._recorder is not None:
            self._recorder.begin(rows.tolist())
        begun = np.zeros(n, dtype=bool)
        begun[rows] = True
        self.engine.observe(np.flatnonzero(~begun))
        worlds = np.full(n, -1, dtype=np.int64)
        worlds[rows] = drawn
        info = {"scenario": worlds, "_scenario": begun, **self._said(switches, rows, begun)}
        return self.engine.hand_over(), info

    def _said(self, switches: np.ndarray | None, rows: np.ndarray, begun: np.ndarray) -> dict[str, Any]:
        """Return what the info of a beginning says of the switches."""
        if switches is None:
            return {}
        shown = np.full(self.num_envs, -1, dtype=np.int64)
        shown[rows] = switches
        return {"switches": shown, "_switches": begun}

    def _draw(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Take the next scenario of each of these environments, and the switches where there are mechanisms.

        They are drawn in blocks, which is faster.
        """
        used = self._used[rows]
        for i in rows[used == DRAWS]:
            self._drawn[i] = self._generators[i].integers(len(self.pool), size=DRAWS)
            if len(self._arms) > 1:
                self._drawn_arms[i] = self._generators[i].integers(len(self._arms), size=DRAWS)
        used[used == DRAWS] = 0
        self._used[rows] = used + 1
        drawn: np.ndarray = self._drawn[rows, used]
        return drawn, self._arms[self._drawn_arms[rows, used]] if self._guarded else None

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Decide and serve the next window everywhere; returns float64 rewards (N,)."""
        asked = whole_numbers(actions, (self.num_envs,), self.engine.actions, "actions")
        if not self._generators:
            raise ConfigError("no episode has begun", remedy="call reset()")
        ended = self.engine.step(asked)
        if self._recorder is not None:
            self._recorder.add(asked)
        engine = self.engine
        rewards = engine.reward
        parts = engine.parts.T.copy()
        info: dict[str, Any] = dict(zip(PARTS, parts, strict=True))
        info["executed"] = engine.executed.copy()
        info["invalid"] = engine.executed != asked
        costs: dict[str, Any] = {}
        if self._guarded:
            info["cost"] = engine.cost
            costs = dict(zip(engine.constraints, engine.costs.T.copy(), strict=True))
        if self._baseline is not None:
            rewards -= self._baseline[engine.world, engine.time]
        truncated = engine.ended if ended else self._no.copy()
        if ended:
            info = self._restart(truncated, info, costs)
        else:
            for name in list(info):
                info[f"_{name}"] = self._yes
            if self._guarded:
                for name in list(costs):
                    costs[f"_{name}"] = self._yes
                info |= {"costs": costs, "_costs": self._yes}
        return engine.hand_over(), rewards, self._no.copy(), truncated, info

    def _restart(self, truncated: np.ndarray, info: dict[str, Any], costs: dict[str, Any]) -> dict[str, Any]:
        """Begin the next episode where one has ended; what was seen and earned last goes to ``final_*``."""
        rows = np.flatnonzero(truncated)
        last = np.full(self.num_envs, None, dtype=object)
        # row by row: numpy would take the block apart
        for row, seen in zip(rows.tolist(), self.engine.obs[rows], strict=True):
            last[row] = seen
        worlds = np.full(self.num_envs, -1, dtype=np.int64)
        drawn, switches = self._draw(rows)
        worlds[rows] = drawn
        final, running = _split(info, truncated)
        if self._guarded:
            ended, going = _split(costs, truncated)
            final |= {"costs": ended, "_costs": truncated}
            running |= {"costs": going, "_costs": ~truncated}
        self.engine.begin(drawn, rows, switches=switches)
        if self._recorder is not None:
            self._recorder.begin(rows.tolist())
        return {
            **running,
            "final_obs": last,
            "_final_obs": truncated,
            "final_info": final,
            "_final_info": truncated,
            "scenario": worlds,
            "_scenario": truncated,
            **self._said(switches, rows, truncated),
        }

    def render(self) -> Any:
        """Return what the render mode says of each environment; None, with a warning, without one."""
        if self._recorder is None or self.render_mode is None:
            gymnasium.logger.warn(
                f"render() without a render_mode; give one of {', '.join(MODES)} at the start"
            )
            return None
        return tuple(self._recorder.render(i, self.render_mode) for i in range(self.num_envs))

    def action_masks(self) -> np.ndarray:
        """Return which actions are possible now, bool of shape (N, K + 2), with a fallback (N, K + 3)."""
        return self.engine.mask.copy()


def _split(info: dict[str, Any], ended: np.ndarray) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is said of the episodes that have ended, and of the others, each with its masks."""
    final: dict[str, Any] = {}
    running: dict[str, Any] = {}
    for name, values in info.items():
        final[name], final[f"_{name}"] = np.where(ended, values, values.dtype.type(0)), ended
        running[name], running[f"_{name}"] = values, ~ended
    return final, running
