"""What environments render: a line a step, pictures for Gymnasium's recorders, and refusals with a remedy."""

from __future__ import annotations

import warnings
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from delivery_fakes import fake_pool
from gymnasium.utils.env_checker import check_env

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.delivery.env import DeliveryEnv
from mlopsim.delivery.registration import ENV_ID, register_envs
from mlopsim.delivery.rendering import FPS, MODES

register_envs()
POOL = fake_pool(0, 5, windows=20)
DEPLOYMENT = make("deployment", "standard", latency=1)
GIVEN = {"pool": POOL, "deployment": DEPLOYMENT}
SHAPE = (240, 800, 3)


def test_gymnasium_checks_the_modes_that_are_declared() -> None:
    env = gymnasium.make(ENV_ID, **GIVEN)
    assert env.metadata["render_modes"] == list(MODES) and env.metadata["render_fps"] == FPS
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)


def test_a_line_a_step_says_what_was_done_and_what_served() -> None:
    env = gymnasium.make(ENV_ID, render_mode="ansi", **GIVEN).unwrapped
    assert isinstance(env, DeliveryEnv)
    scenario = env.reset(seed=0)[1]["scenario"]
    start = int(env.engine.time[0])
    first = env.render()
    lines = []
    words = {0: "keep", 2: "deploy slot 1", env.engine.slots + 1: "retrain"}
    # as soon as it is possible again; meanwhile a retraining is in flight
    for action in (0, env.engine.slots + 1, 2, env.engine.slots + 1, 0, env.engine.slots + 1):
        _, reward, _, _, info = env.step(action)
        window, served = int(env.engine.time[0]), int(env.engine.stable[0, env.engine.time[0]])
        lines.append(env.render())
        assert lines[-1].startswith(f"window {window}: ") and "\n" not in lines[-1]
        assert f", version {served} serves, " in lines[-1]
        assert f"quality {info['quality']:.3f}, reward {reward:.3f}" in lines[-1]
        assert (f"(impossible: {words[action]})" in lines[-1]) == bool(info["invalid"])
        assert info["invalid"] or f": {words[action]}, " in lines[-1]
    begun = lines[0].split(", ")[1]
    assert first == f"window {start}: scenario {scenario} begins, {begun}"
    said = " ".join(lines)
    assert ": retrain, " in said and ": keep, " in said and ": keep (impossible: " in said


def test_pictures_show_more_with_each_window_and_are_of_one_size() -> None:
    env = DeliveryEnv(**GIVEN, render_mode="rgb_array")
    env.reset(seed=0)
    pictures = [env.render()]
    for _ in range(2):
        env.step(0)
        pictures.append(env.render())
    assert {picture.shape for picture in pictures} == {SHAPE} and pictures[0].dtype == np.uint8
    assert (pictures[1] != pictures[2]).any() and (env.render() == pictures[-1]).all()
    # a new episode begins with an empty time line
    env.reset(options={"scenario": 1})
    assert (env.render() != pictures[-1]).any()


def test_rendering_changes_no_number() -> None:
    shown, plain = DeliveryEnv(**GIVEN, render_mode="ansi"), DeliveryEnv(**GIVEN)
    first = [env.reset(seed=3)[0] for env in (shown, plain)]
    assert (first[0] == first[1]).all()
    for action in np.random.default_rng(0).integers(plain.engine.actions, size=POOL.steps):
        one, other = shown.step(int(action)), plain.step(int(action))
        assert (one[0] == other[0]).all() and one[1:] == other[1:]


def test_many_at_once_render_one_each_and_begin_anew_with_their_episodes() -> None:
    env = gymnasium.make_vec(ENV_ID, num_envs=2, render_mode="ansi", **GIVEN)
    env.reset(seed=0)
    keep = np.zeros(2, dtype=np.int64)
    for _ in range(POOL.steps - 1):
        env.step(keep)
    lines = env.render()
    assert len(lines) == 2 and all(": keep, " in line for line in lines)
    env.step(keep)
    assert all(" begins, " in line for line in env.render())
    pictures = gymnasium.make_vec(ENV_ID, num_envs=2, render_mode="rgb_array", **GIVEN)
    pictures.reset(seed=0)
    assert [picture.shape for picture in pictures.render()] == [SHAPE] * 2


def test_a_wrong_mode_and_an_episode_that_has_not_begun_are_refused() -> None:
    for build in (
        lambda: DeliveryEnv(**GIVEN, render_mode="rgb_aray"),
        lambda: gymnasium.make_vec(ENV_ID, num_envs=2, render_mode="rgb_aray", **GIVEN),
    ):
        with pytest.raises(
            ConfigError, match="unknown render_mode 'rgb_aray'; did you mean 'rgb_array'"
        ) as fault:
            build()
        assert "one of: ansi, rgb_array" in str(fault.value)
    with pytest.raises(ConfigError, match="no episode has begun"):
        DeliveryEnv(**GIVEN, render_mode="ansi").render()
    plain = DeliveryEnv(**GIVEN)
    plain.reset(seed=0)
    with pytest.warns(UserWarning, match="without a render_mode"):
        assert plain.render() is None


def test_gymnasiums_recorders_collect_the_pictures(tmp_path: Path) -> None:
    env = gymnasium.make(ENV_ID, render_mode="rgb_array_list", **GIVEN)
    env.reset(seed=0)
    env.step(0)
    frames = env.render()
    assert len(frames) == 2 and frames[0].shape == SHAPE
    pytest.importorskip("moviepy", reason="Gymnasium's RecordVideo needs moviepy")
    film = gymnasium.wrappers.RecordVideo(
        gymnasium.make(ENV_ID, render_mode="rgb_array", **GIVEN), str(tmp_path), disable_logger=True
    )
    film.reset(seed=0)
    for _ in range(3):
        film.step(0)
    film.close()
    assert [path.suffix for path in tmp_path.iterdir() if path.suffix == ".mp4"] == [".mp4"]
