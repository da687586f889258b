"""What Gymnasium's ``render`` shows of deployments: a line a step, or the time line so far as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mlopsim.core.errors import ConfigError, nearest
from mlopsim.delivery.mechanisms import FALLBACK

if TYPE_CHECKING:
    from mlopsim.delivery.engine import Engine

#: texts, and pictures as Gymnasium's recorders collect them
MODES = ("ansi", "rgb_array")
#: said where there is nothing to render
MODELESS = f"render() without a render_mode: give one of {', '.join(MODES)} when the environment is made"
#: windows a second of a recording
FPS = 8
#: inches and dots an inch of a picture: an even number of pixels each way, as codecs ask for
SIZE, DOTS = (8.0, 2.4), 100


def check_mode(mode: str | None) -> str | None:
    """Return a render mode.

    Raises
    ------
    ConfigError
        For another one than those of :data:`MODES`.

    Examples
    --------
    >>> check_mode("ansi"), check_mode(None)
    ('ansi', None)
    """
    if mode is None or mode in MODES:
        return mode
    raise ConfigError(
        f"unknown render_mode {mode!r}{nearest(str(mode), MODES)}",
        remedy=f"one of: {', '.join(MODES)}; or None, for no rendering",
    )


@dataclass(kw_only=True)
class _Episode:
    """What was done in an episode so far: one entry a window that was served."""

    scenario: int
    start: int
    served: list[int] = field(default_factory=list)
    windows: list[int] = field(default_factory=list)
    quality: list[float] = field(default_factory=list)
    retrains: list[int] = field(default_factory=list)
    line: str = ""


class Recorder:
    """Keeps what is rendered of N deployments; environments without a render mode have none.

    Quality and costs are those of the window that was served last, by the truth: pictures are for people, a
    deployment sees labels only after their delay.

    Parameters
    ----------
    engine : Engine
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._episodes: list[_Episode | None] = [None] * engine.n

    def begin(self, rows: Sequence[int]) -> None:
        """Begin episodes, after the engine began them."""
        engine = self.engine
        worlds, times, versions, serving = engine.world, engine.time, engine.versions, engine.serving
        for i in rows:
            now = int(times[i])
            episode = _Episode(scenario=int(worlds[i]), start=now)
            served = int(versions[i, serving[i]])
            episode.line = f"window {now}: scenario {episode.scenario} begins, {_version(served)} serves"
            self._episodes[i] = episode

    def add(self, asked: np.ndarray) -> None:
        """Add the window that the engine served last everywhere, before it begins other episodes.

        Parameters
        ----------
        asked : ndarray of int64, shape (N,)
            The actions.
        """
        engine = self.engine
        times, stable, reward = engine.time, engine.stable, engine.reward
        for i, episode in enumerate(self._episodes):
            if episode is None:
                continue
            now, done = int(times[i]), int(engine.executed[i])
            served = int(stable[i, now])
            episode.windows.append(now)
            episode.served.append(served)
            episode.quality.append(float(engine.parts[i, 0]))
            if done == engine.slots + 1:
                episode.retrains.append(now)
            impossible = "" if done == int(asked[i]) else f" (impossible: {self._action(int(asked[i]))})"
            costs = "".join(
                f", {name} {value:.3f}"
                for name, value in zip(engine.constraints, engine.costs[i].tolist(), strict=True)
            )
            episode.line = (
                f"window {now}: {self._action(done)}{impossible}, {_version(served)} serves, "
                f"quality {engine.parts[i, 0]:.3f}, reward {reward[i]:.3f}{costs}"
            )

    def _action(self, action: int) -> str:
        """Return an action in words."""
        slots = self.engine.slots
        if action == 0:
            return "keep"
        return f"deploy slot {action - 1}" if action <= slots else ("retrain", "suspend")[action - slots - 1]

    def render(self, i: int, mode: str) -> str | np.ndarray:
        """Return the line of the last step of a deployment, or its time line so far.

        Returns
        -------
        str or ndarray of uint8, shape (240, 800, 3)

        Raises
        ------
        ConfigError
            Where no episode has begun.
        """
        episode = self._episodes[i]
        if episode is None:
            raise ConfigError("no episode has begun", remedy="call reset() before render()")
        return episode.line if mode == "ansi" else self._picture(episode)

    def _picture(self, episode: _Episode) -> np.ndarray:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        from mlopsim.plots.timeline import Rollout, Timeline, timeline

        # the whole episode is the axis from the first picture on: a recording does not jump
        windows = np.arange(episode.start, self.engine.pool.windows)
        quality = np.full(len(windows), np.nan)
        at = np.array(episode.windows, dtype=np.int64) - episode.start
        quality[at] = episode.quality
        versions = np.array(episode.served, dtype=np.int64)
        changed = [k for k in range(1, len(versions)) if versions[k] != versions[k - 1]]
        # to an older version, or to the fallback
        back = [k for k in changed if versions[k] < versions[k - 1] and versions[k - 1] != FALLBACK]
        rollout = Rollout(
            name=_version(int(versions[-1])) if len(versions) else "begins",
            quality=quality,
            retrains=episode.retrains,
            switches=[episode.windows[k] for k in changed if k not in back],
            rollbacks=[episode.windows[k] for k in back],
        )
        title = f"scenario {episode.scenario}"
        figure = timeline(
            Timeline(windows=windows, rollouts=[rollout]),
            ylabel=str(self.engine.deployment.objective),
            title=title,
        )
        figure.set_size_inches(*SIZE)
        figure.set_dpi(DOTS)
        known = [0.0, 1.0, *(value for value in episode.quality if np.isfinite(value))]
        figure.axes[0].set_ylim(min(known) - 0.02, max(known) + 0.02)
        canvas = figure.canvas
        assert isinstance(canvas, FigureCanvasAgg)
        canvas.draw()
        return np.array(canvas.buffer_rgba())[..., :3].copy()


def _version(served: int) -> str:
    """Return what serves in words."""
    if served == FALLBACK:
        return "the fallback"
    return f"version {served}" if served >= 0 else "nothing"
